"""What the functions do; `test_bad_input.py` asks what they refuse."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from linreg.prepare import column_stats, split_data, standardize

each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def numbered(n):
    """Examples whose label names their features."""
    labels = torch.arange(float(n)).reshape(-1, 1)
    return torch.cat([labels, 10 * labels], dim=1), labels


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# split_data


@given(n=st.integers(2, 40), seed=st.integers(0, 9), data=st.data())
def test_the_end_of_one_permutation_is_the_test_part(n, seed, data):
    test_size = data.draw(st.integers(1, n - 1))
    features, labels = numbered(n)
    generator, twin = seeded(seed), seeded(seed)
    parts = split_data(features, labels, test_size, generator)
    order = torch.randperm(n, generator=twin)
    train, test = order[: n - test_size], order[n - test_size :]
    for found, table, rows in zip(
        parts,
        (features, labels, features, labels),
        (train, train, test, test),
        strict=True,
    ):
        assert torch.equal(found, table[rows])
    assert torch.equal(generator.get_state(), twin.get_state())


# column_stats


@each_dtype
def test_statistics_by_hand(dtype):
    features = torch.tensor([[1, 10], [3, 10], [1, 40], [3, 40]], dtype=dtype)
    mean, std = column_stats(features.requires_grad_())
    assert torch.equal(mean, torch.tensor([2, 25], dtype=dtype))
    assert torch.equal(std, torch.tensor([1, 15], dtype=dtype))
    assert not mean.requires_grad
    assert not std.requires_grad


@each_dtype
@pytest.mark.parametrize("rows", [1, 1000])
@pytest.mark.parametrize("column", [0, 2])
def test_names_the_first_constant_column(dtype, rows, column):
    """0.1 a thousand times has a mean that is not quite 0.1."""
    features = torch.arange(3 * rows, dtype=dtype).reshape(rows, 3)
    features[:, column:] = 0.1
    first = column if rows > 1 else 0
    with pytest.raises(ValueError, match="constant") as caught:
        column_stats(features)
    assert str(caught.value) == (
        f"features[:, {first}] is constant: leave it out"
    )


@pytest.mark.parametrize("value", [math.nan, -math.inf])
@pytest.mark.parametrize("place", [(0, 0), (2, 1), (1, 0)])
def test_names_the_first_that_is_not_a_number(value, place):
    features = torch.tensor([[1.0, 2.0], [3.0, 5.0], [4.0, 4.0]])
    features[place] = features[2, 1] = value
    with pytest.raises(ValueError, match="features") as caught:
        column_stats(features)
    assert str(caught.value) == (
        f"features[{place[0]}, {place[1]}] is {value}: "
        "fill it in or leave the row out"
    )


# standardize


@each_dtype
def test_by_the_statistics_given(dtype):
    """The table is square: rows must not be taken for columns."""
    features = torch.tensor([[4, 10], [1, 13]], dtype=dtype)
    before = features.clone()
    mean = torch.tensor([1, 12], dtype=dtype)
    std = torch.tensor([2, 0.5], dtype=dtype)
    done = standardize(features, mean, std)
    assert torch.equal(done, torch.tensor([[1.5, -4], [0, 2]], dtype=dtype))
    assert torch.equal(features, before)
