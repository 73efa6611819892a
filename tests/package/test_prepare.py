import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from linreg.prepare import column_stats, split_data, standardize

DTYPES = [torch.float32, torch.float64]


def numbered(n):
    """Examples whose label names their features."""
    labels = torch.arange(float(n)).reshape(-1, 1)
    return torch.cat([labels, 10 * labels], dim=1), labels


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# split_data


@given(n=st.integers(2, 40), seed=st.integers(0, 9), data=st.data())
def test_each_example_once_in_pairs(n, seed, data):
    test_size = data.draw(st.integers(1, n - 1))
    X_train, y_train, X_test, y_test = split_data(
        *numbered(n), test_size, seeded(seed)
    )
    assert X_train.shape == (n - test_size, 2)
    assert y_train.shape == (n - test_size, 1)
    assert X_test.shape == (test_size, 2)
    assert y_test.shape == (test_size, 1)
    for X, y in ((X_train, y_train), (X_test, y_test)):
        assert torch.equal(X, torch.cat([y, 10 * y], dim=1))
    seen = torch.cat([y_train, y_test]).flatten()
    assert seen.sort().values.tolist() == list(range(n))


def test_one_permutation_its_end_is_the_test_part(generator):
    features, labels = numbered(50)
    order = torch.randperm(50, generator=seeded(0))
    parts = split_data(features, labels, 20, generator)
    assert torch.equal(parts[0], features[order[:30]])
    assert torch.equal(parts[1], labels[order[:30]])
    assert torch.equal(parts[2], features[order[30:]])
    assert torch.equal(parts[3], labels[order[30:]])
    drawn = torch.rand(1, generator=generator)
    twin = seeded(0)
    torch.randperm(50, generator=twin)
    assert drawn == torch.rand(1, generator=twin)


def test_global_generator_without_one():
    torch.manual_seed(3)
    first = split_data(*numbered(50), 20)
    torch.manual_seed(3)
    second = split_data(*numbered(50), 20)
    assert torch.equal(first[3], second[3])


@pytest.mark.parametrize("dtype", DTYPES)
def test_parts_are_copies_of_the_same_dtype(dtype, generator):
    features, labels = (part.to(dtype) for part in numbered(9))
    before = features.clone(), labels.clone()
    for part in split_data(features, labels, 4, generator):
        assert part.dtype == dtype
        part.zero_()
    assert torch.equal(features, before[0])
    assert torch.equal(labels, before[1])


def wrong_splits():
    features, labels = numbered(9)
    positive = "test_size must be a positive integer, got "
    less = "test_size must be less than the 9 examples, got "
    matrix = "features must be a floating-point tensor of shape (n, d), got "
    column = "labels must be a float32 tensor of shape (9, 1), got "
    good = {"features": features, "labels": labels, "test_size": 4}
    for change, error, message in [
        ({"test_size": 0}, ValueError, f"{positive}0"),
        ({"test_size": 0.2}, TypeError, f"{positive}0.2"),
        ({"test_size": 9}, ValueError, f"{less}9"),
        ({"test_size": 10}, ValueError, f"{less}10"),
        (
            {"features": features.numpy()},
            TypeError,
            f"{matrix}object of type ndarray",
        ),
        (
            {"features": features.int()},
            ValueError,
            f"{matrix}int32 tensor of shape (9, 2)",
        ),
        (
            {"labels": labels.flatten()},
            ValueError,
            f"{column}float32 tensor of shape (9,)",
        ),
        (
            {"labels": labels.double()},
            ValueError,
            f"{column}float64 tensor of shape (9, 1)",
        ),
        (
            {"labels": labels[:8]},
            ValueError,
            f"{column}float32 tensor of shape (8, 1)",
        ),
        (
            {"generator": 1},
            TypeError,
            "generator must be a torch.Generator or None, got 1",
        ),
    ]:
        yield pytest.param(good | change, error, message, id=message)


@pytest.mark.parametrize(("arguments", "error", "message"), [*wrong_splits()])
def test_wrong_splits_draw_nothing(arguments, error, message, generator):
    arguments = {"generator": generator} | arguments
    before = generator.get_state(), torch.get_rng_state()
    with pytest.raises(error) as caught:
        split_data(**arguments)
    assert str(caught.value) == message
    assert torch.equal(generator.get_state(), before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


# column_stats


@pytest.mark.parametrize("dtype", DTYPES)
def test_statistics_by_hand(dtype):
    features = torch.tensor([[1, 10], [3, 10], [1, 40], [3, 40]], dtype=dtype)
    mean, std = column_stats(features)
    assert torch.equal(mean, torch.tensor([2, 25], dtype=dtype))
    assert torch.equal(std, torch.tensor([1, 15], dtype=dtype))


def test_statistics_are_detached():
    features = torch.tensor([[1.0], [2.0]], requires_grad=True)
    mean, std = column_stats(features)
    assert (mean.tolist(), std.tolist()) == ([1.5], [0.5])
    assert not mean.requires_grad
    assert not std.requires_grad


def test_far_from_zero_in_single_precision():
    features = torch.tensor([[100_000.0], [100_001.0]]).repeat(500, 1)
    mean, std = column_stats(features)
    assert mean.item() == pytest.approx(100_000.5, abs=0.02)
    assert std.item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1, 2, 1000])
@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.0])
def test_names_a_constant_column(dtype, rows, column, value):
    """0.1 a thousand times has a mean that is not quite 0.1."""
    features = torch.arange(3 * rows, dtype=dtype).reshape(rows, 3)
    features[:, column] = value
    if rows == 1:
        column = 0
    with pytest.raises(ValueError, match="constant") as caught:
        column_stats(features)
    assert str(caught.value) == (
        f"features[:, {column}] is constant: leave it out"
    )


def test_names_the_first_constant_column():
    features = torch.tensor([[1.0, 5.0, 6.0], [2.0, 5.0, 6.0]])
    with pytest.raises(ValueError, match=r"^features\[:, 1\] is constant"):
        column_stats(features)


def test_equal_at_both_ends_is_not_constant():
    mean, std = column_stats(torch.tensor([[1.0], [4.0], [1.0]]))
    assert mean.item() == 2
    assert std.item() == pytest.approx(2**0.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [(0, 0), (2, 1), (1, 0)])
def test_names_what_is_not_a_number(value, place):
    features = torch.tensor([[1.0, 2.0], [3.0, 5.0], [4.0, 4.0]])
    features[place] = value
    with pytest.raises(ValueError, match="features") as caught:
        column_stats(features)
    assert str(caught.value) == (
        f"features[{place[0]}, {place[1]}] is {value}: "
        "fill it in or leave the row out"
    )


def test_names_the_first_hole():
    features = torch.full((3, 2), math.nan)
    features[0] = 1
    with pytest.raises(ValueError, match=r"^features\[1, 0\] is nan:"):
        column_stats(features)


# standardize


@pytest.mark.parametrize("dtype", DTYPES)
def test_by_the_statistics_given(dtype):
    """The table is square: rows must not be taken for columns."""
    features = torch.tensor([[4, 10], [1, 13]], dtype=dtype)
    before = features.clone()
    mean = torch.tensor([1, 12], dtype=dtype)
    std = torch.tensor([2, 0.5], dtype=dtype)
    done = standardize(features, mean, std)
    assert torch.equal(done, torch.tensor([[1.5, -4], [0, 2]], dtype=dtype))
    assert torch.equal(features, before)


def wrong_standards():
    good = {
        "features": torch.ones(3, 2),
        "mean": torch.zeros(2),
        "std": torch.ones(2),
    }
    matrix = "features must be a floating-point tensor of shape (n, d), got "
    row = "must be a float32 tensor of shape (2,), got "
    for change, error, message in [
        (
            {"features": [[1.0, 2.0]]},
            TypeError,
            f"{matrix}object of type list",
        ),
        (
            {"features": torch.ones(2)},
            ValueError,
            f"{matrix}float32 tensor of shape (2,)",
        ),
        ({"mean": 0.0}, TypeError, f"mean {row}0.0"),
        (
            {"mean": torch.zeros(1, 2)},
            ValueError,
            f"mean {row}float32 tensor of shape (1, 2)",
        ),
        (
            {"mean": torch.zeros(2).double()},
            ValueError,
            f"mean {row}float64 tensor of shape (2,)",
        ),
        (
            {"std": torch.ones(3)},
            ValueError,
            f"std {row}float32 tensor of shape (3,)",
        ),
        (
            {"std": torch.ones(2).double()},
            ValueError,
            f"std {row}float64 tensor of shape (2,)",
        ),
        *(
            (
                {"std": torch.tensor([1.0, value])},
                ValueError,
                f"std[1] must be a positive number, got {value}",
            )
            for value in (0.0, -1.0, math.nan, math.inf)
        ),
        (
            {"std": torch.zeros(2)},
            ValueError,
            "std[0] must be a positive number, got 0.0",
        ),
    ]:
        yield pytest.param(good | change, error, message, id=message)


@pytest.mark.parametrize(
    ("arguments", "error", "message"), [*wrong_standards()]
)
def test_wrong_standards(arguments, error, message):
    with pytest.raises(error) as caught:
        standardize(**arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize("features", [np.ones((3, 2)), torch.ones(3)])
def test_statistics_of_what_is_no_table(features):
    with pytest.raises(
        (TypeError, ValueError),
        match=r"^features must be a floating-point tensor of shape \(n, d\)",
    ):
        column_stats(features)
