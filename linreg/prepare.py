"""From a table of measurements to what can be trained on: chapter 13."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from linreg._checks import (
    check_examples,
    check_generator,
    check_size,
    check_tensor,
)


def split_data(
    features: Tensor,
    labels: Tensor,
    test_size: int,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Set some examples, chosen at random, aside for the test. Chapter 13.

    Args:
        features: shape (n, d).
        labels: shape (n, 1).
        test_size: how many examples to set aside, from 1 to n - 1.
        generator: source of the random choice; torch's global one if None.

    Returns:
        X_train (n - test_size, d), y_train (n - test_size, 1),
        X_test (test_size, d) and y_test (test_size, 1), all copies.

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_examples(features, labels)
    check_size("test_size", test_size)
    check_generator(generator)
    if test_size >= len(features):
        raise ValueError(
            f"test_size must be less than the {len(features)} examples, "
            f"got {test_size}"
        )

    order = torch.randperm(len(features), generator=generator)
    train_size = len(features) - test_size
    train, test = order[:train_size], order[train_size:]
    return features[train], labels[train], features[test], labels[test]


def column_stats(features: Tensor) -> tuple[Tensor, Tensor]:
    """Compute what `standardize` needs, from the training set. Chapter 13.

    Args:
        features: shape (n, d).

    Returns:
        The mean and the standard deviation of each column, shapes (d,) and
        (d,), cut off from the computational graph. The standard deviation
        divides by n.

    Raises:
        TypeError, ValueError: an argument is not as described above.
        ValueError: a value is nan or inf, or a column is constant, so that
            it cannot be standardized; the message says which.
    """
    check_tensor("features", features, "n", "d")
    features = features.detach()
    for i, j in (~features.isfinite()).nonzero().tolist():
        value = features[i, j].item()
        raise ValueError(
            f"features[{i}, {j}] is {value}: fill it in or leave the row out"
        )
    for j, column in enumerate(features.T):
        if (column == column[0]).all():
            raise ValueError(f"features[:, {j}] is constant: leave it out")

    return features.mean(dim=0), features.std(dim=0, correction=0)


def standardize(features: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Subtract each column's mean and divide by its deviation. Chapter 13.

    Args:
        features: shape (n, d); training set, test set or new examples.
        mean: what to subtract, shape (d,), from `column_stats`.
        std: what to divide by, shape (d,), from `column_stats`.

    Returns:
        The standardized features, shape (n, d).

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_tensor("features", features, "n", "d")
    check_tensor("mean", mean, features.shape[1], like=features)
    check_tensor("std", std, features.shape[1], like=features)
    for j, value in enumerate(std.tolist()):
        if not 0 < value < math.inf:
            raise ValueError(
                f"std[{j}] must be a positive number, got {value}"
            )

    return (features - mean) / std
