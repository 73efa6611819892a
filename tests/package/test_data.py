import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from linreg import data_iter, gen_data

W = torch.tensor([2, -3.4])


def test_labels_by_hand_without_noise(generator):
    features, labels = gen_data(W, 4.2, 5, noise_std=0, generator=generator)
    for (x1, x2), label in zip(features.tolist(), labels, strict=True):
        assert label.item() == pytest.approx(2 * x1 - 3.4 * x2 + 4.2, abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shapes_and_dtype(dtype):
    features, labels = gen_data(torch.ones(3, dtype=dtype), 0, 7)
    assert features.shape == (7, 3)
    assert labels.shape == (7, 1)
    assert features.dtype == labels.dtype == dtype


def test_draws_features_then_noise(generator):
    w = W.double()
    features, labels = gen_data(w, 4.2, 5, 0.5, generator)
    twin = torch.Generator().manual_seed(0)
    drawn = torch.randn(5, 2, generator=twin, dtype=w.dtype)
    noise = 0.5 * torch.randn(5, generator=twin, dtype=w.dtype)
    assert torch.equal(features, drawn)
    assert torch.equal(labels.flatten(), drawn @ w + 4.2 + noise)


def test_data_lie_where_w_lies():
    for tensor in gen_data(W.to("meta"), 4.2, 5):
        assert tensor.device.type == "meta"


def test_statistics(generator):
    n = 100_000
    features, labels = gen_data(W, 4.2, n, noise_std=0.5, generator=generator)
    noise = labels.flatten() - (features @ W + 4.2)
    assert features.mean(dim=0).abs().max() < 5 / n**0.5
    assert (features.std(dim=0) - 1).abs().max() < 5 / n**0.5
    assert (features[:, 0] * features[:, 1]).mean().abs() < 5 / n**0.5
    assert noise.mean().abs() < 2.5 / n**0.5
    assert noise.std() == pytest.approx(0.5, rel=0.02)
    assert (features.T @ noise / n).abs().max() < 2.5 / n**0.5


def test_default_noise_std(generator):
    features, labels = gen_data(W, 4.2, 10_000, generator=generator)
    noise = labels.flatten() - (features @ W + 4.2)
    assert noise.std() == pytest.approx(0.01, rel=0.05)


def test_generator_decides(generator):
    first = gen_data(W, 4.2, 5, generator=torch.Generator().manual_seed(1))
    second = gen_data(W, 4.2, 5, generator=torch.Generator().manual_seed(1))
    other = gen_data(W, 4.2, 5, generator=generator)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])


def test_global_generator_without_one():
    torch.manual_seed(3)
    first = gen_data(W, 4.2, 5)
    torch.manual_seed(3)
    second = gen_data(W, 4.2, 5)
    assert torch.equal(first[1], second[1])


def test_data_never_requires_grad():
    features, labels = gen_data(W.clone().requires_grad_(), 4.2, 5)
    assert not features.requires_grad
    assert not labels.requires_grad


def numbered(n):
    """Examples whose label names their features."""
    labels = torch.arange(float(n)).reshape(-1, 1)
    return torch.cat([labels, 10 * labels], dim=1), labels


@given(
    n=st.integers(1, 60), batch_size=st.integers(1, 70), seed=st.integers(0, 9)
)
def test_each_example_once_in_pairs(n, batch_size, seed):
    features, labels = numbered(n)
    batches = list(
        data_iter(
            batch_size, features, labels, torch.Generator().manual_seed(seed)
        )
    )
    full, rest = divmod(n, batch_size)
    assert [len(X) for X, _ in batches] == [batch_size] * full + [rest] * (
        rest > 0
    )
    for X, y in batches:
        assert X.shape == (len(y), 2)
        assert y.shape == (len(y), 1)
        assert torch.equal(X, torch.cat([y, 10 * y], dim=1))
    seen = torch.cat([y for _, y in batches]).flatten()
    assert torch.equal(seen.sort().values, labels.flatten())


def order(seed, n=50):
    generator = torch.Generator().manual_seed(seed)
    return torch.cat([y for _, y in data_iter(7, *numbered(n), generator)])


def test_shuffled_by_the_generator():
    assert not torch.equal(order(1), numbered(50)[1])
    assert torch.equal(order(1), order(1))
    assert not torch.equal(order(1), order(2))


def test_every_epoch_draws_one_new_permutation(generator):
    twin = torch.Generator().manual_seed(0)
    labels = numbered(50)[1]
    for _ in range(2):
        seen = torch.cat(
            [y for _, y in data_iter(7, *numbered(50), generator)]
        )
        expected = labels[torch.randperm(50, generator=twin)]
        assert torch.equal(seen, expected)


def test_batches_are_views_of_a_copy(generator):
    features, labels = numbered(6)
    batches = list(data_iter(2, features, labels, generator))
    storages = {X.untyped_storage().data_ptr() for X, _ in batches}
    assert len(storages) == 1
    assert features.untyped_storage().data_ptr() not in storages


def test_data_iter_global_generator():
    torch.manual_seed(3)
    first = torch.cat([y for _, y in data_iter(7, *numbered(50))])
    torch.manual_seed(3)
    second = torch.cat([y for _, y in data_iter(7, *numbered(50))])
    assert torch.equal(first, second)


def test_sizes_may_be_numpy_integers(examples):
    batches = list(data_iter(np.int64(1), *examples))
    assert len(batches) == 1000
