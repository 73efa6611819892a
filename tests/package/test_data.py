import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from linreg import data_iter, gen_data

W = torch.tensor([2, -3.4])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("std", [0, 0.5])
def test_draws_features_then_noise(generator, dtype, std):
    w = W.to(dtype)
    features, labels = gen_data(w, 4.2, 5, std, generator)
    twin = torch.Generator().manual_seed(0)
    drawn = torch.randn(5, 2, generator=twin, dtype=dtype)
    noise = std * torch.randn(5, generator=twin, dtype=dtype)
    expected = drawn @ w + 4.2 + noise
    assert features.dtype == labels.dtype == dtype
    assert torch.equal(features, drawn)
    assert torch.equal(labels, expected.reshape(5, 1))


def test_default_noise_std(generator):
    features, labels = gen_data(W, 4.2, 10_000, generator=generator)
    noise = labels.flatten() - (features @ W + 4.2)
    assert noise.std() == pytest.approx(0.01, rel=0.05)


def test_global_generator_without_one():
    seen = []
    for _ in range(2):
        torch.manual_seed(3)
        data = gen_data(W, 4.2, 50)
        seen.append(torch.cat([y for _, y in data_iter(7, *data)]))
    assert torch.equal(*seen)


def numbered(n):
    """Examples whose label names their features."""
    labels = torch.arange(float(n)).reshape(-1, 1)
    return torch.cat([labels, 10 * labels], dim=1), labels


@given(
    n=st.integers(1, 60), batch_size=st.integers(1, 70), seed=st.integers(0, 9)
)
def test_each_example_once_in_pairs(n, batch_size, seed):
    features, labels = numbered(n)
    generator = torch.Generator().manual_seed(seed)
    batches = list(data_iter(batch_size, features, labels, generator))
    full, rest = divmod(n, batch_size)
    sizes = [batch_size] * full + [rest] * (rest > 0)
    assert [len(X) for X, _ in batches] == sizes
    for X, y in batches:
        assert X.shape == (len(y), 2)
        assert y.shape == (len(y), 1)
        assert torch.equal(X, torch.cat([y, 10 * y], dim=1))
    seen = torch.cat([y for _, y in batches]).flatten()
    assert torch.equal(seen.sort().values, labels.flatten())


def test_every_epoch_draws_one_new_permutation(generator):
    twin = torch.Generator().manual_seed(0)
    features, labels = numbered(50)
    for _ in range(2):
        batches = data_iter(7, features, labels, generator)
        seen = torch.cat([y for _, y in batches])
        expected = labels[torch.randperm(50, generator=twin)]
        assert torch.equal(seen, expected)


def test_batches_are_views_of_a_copy(generator):
    features, labels = numbered(6)
    batches = list(data_iter(2, features, labels, generator))
    storages = {X.untyped_storage().data_ptr() for X, _ in batches}
    assert len(storages) == 1
    assert features.untyped_storage().data_ptr() not in storages
