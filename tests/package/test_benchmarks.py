"""The contenders of the benchmarks do the same work."""

import pytest
import torch

from benchmarks.ways import ITERATORS, TRAINERS, train_linreg

# The worker that runs chapter 10 has d2l, which takes seconds.
pytestmark = pytest.mark.xdist_group("run 10")


def in_order(batch_size, features, labels):
    X, y = features.split(batch_size), labels.split(batch_size)
    return list(zip(X, y, strict=True))


def start():
    return (
        torch.tensor([[0.5], [-0.5]], requires_grad=True),
        torch.tensor([0.25], requires_grad=True),
    )


@pytest.mark.parametrize("way", ITERATORS)
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_every_example_once_and_shuffled(way, batch_size):
    labels = torch.arange(100.0).reshape(-1, 1)
    features = torch.cat([labels, -labels], dim=1)
    batches = list(ITERATORS[way](batch_size, features, labels))
    assert {len(X) for X, _ in batches[:-1]} <= {batch_size}
    for X, y in batches:
        assert torch.equal(X, torch.cat([y, -y], dim=1))
    seen = torch.cat([y for _, y in batches])
    assert not torch.equal(seen, labels)
    assert torch.equal(seen.sort(dim=0).values, labels)


@pytest.mark.parametrize("way", TRAINERS)
def test_the_same_steps_from_the_same_batches(way, examples):
    _, train = TRAINERS[way]
    mine, expected = start(), start()
    data = [part[:100] for part in examples]
    for size in (1, 10, 100):
        train_linreg(in_order, size, data, expected, 0.03)
        train(in_order, size, data, mine, 0.03)
        for a, b in zip(mine, expected, strict=True):
            assert torch.allclose(a, b, atol=1e-6)
