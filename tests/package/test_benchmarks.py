"""The contenders of the benchmarks do the same work."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bench_speed import examples as drawn
from benchmarks.bench_speed import held_bytes
from benchmarks.ways import (
    ITERATORS,
    TRAINERS,
    least_squares,
    train_by_hand,
    train_linreg,
    train_one_epoch,
)
from linreg import data_iter, gen_data, linreg, squared_loss

W = torch.tensor([2, -3.4])
each_trainer = pytest.mark.parametrize(
    "way",  # the worker that runs chapter 10 has d2l, which takes seconds
    [
        pytest.param(way, marks=pytest.mark.xdist_group("run 10"))
        if way == "d2l"
        else way
        for way in TRAINERS
    ],
)


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


@each_trainer
def test_the_same_steps_from_the_same_batches(way, examples):
    _, train = TRAINERS[way]
    mine, expected = start(), start()
    data = [part[:100] for part in examples]
    for size in (1, 10, 100):
        train_linreg(in_order, size, data, expected, 0.03)
        train(in_order, size, data, mine, 0.03)
        for a, b in zip(mine, expected, strict=True):
            assert torch.allclose(a, b, atol=1e-6)


@each_trainer
def test_each_way_learns(way, examples):
    w, b = train_one_epoch(way, examples, 10, 0.05)
    assert torch.allclose(w.flatten(), W, atol=0.1)
    assert torch.allclose(b, torch.tensor([4.2]), atol=0.1)


@pytest.mark.parametrize("n", [1_000, 10_000, 100_000, 1_000_000])
def test_least_squares_is_what_numpy_finds(n):
    features, labels = drawn(n)
    X_one = np.c_[features.double(), np.ones(n)]
    expected, *_ = np.linalg.lstsq(X_one, labels.double())
    w, b = least_squares((features, labels))
    assert w.shape == (2, 1)
    assert b.shape == (1,)
    assert np.allclose(torch.cat([w.flatten(), b]), expected.flatten())


@given(st.integers(1, 20), st.integers(1, 5), st.integers(0, 2**32))
def test_the_gradient_by_hand_is_the_one_of_autograd(n, d, seed):
    generator = torch.Generator().manual_seed(seed)
    X, y, w, b = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in [(n, d), (n, 1), (d, 1), (1,)]
    )
    params = (w.clone(), b.clone())
    train_by_hand(in_order, n, (X, y), params, lr=1.0)
    w.requires_grad_()
    b.requires_grad_()
    squared_loss(linreg(X, w, b), y).mean().backward()
    assert torch.allclose(params[0], w - w.grad, atol=1e-9)
    assert torch.allclose(params[1], b - b.grad, atol=1e-9)


@pytest.mark.parametrize("n", [1_000, 10_000])
def test_memory_of_data_iter_by_counting(n):
    data = gen_data(W, 4.2, n)
    order, features, labels = 8 * n, 4 * 2 * n, 4 * n
    held = held_bytes(lambda: data_iter(32, *data))
    assert held == order + features + labels
