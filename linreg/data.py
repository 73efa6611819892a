"""Synthetic data and mini-batches: chapters 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from linreg._checks import check_data_iter, check_gen_data


def gen_data(
    w: Tensor,
    b: float,
    sample_size: int,
    noise_std: float = 0.01,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw examples from y = Xw + b + noise. Chapter 1.

    Args:
        w: true weights, shape (d,).
        b: true bias.
        sample_size: how many examples, n.
        noise_std: standard deviation (not variance) of the noise.
        generator: source of the random numbers; torch's global one if None.

    Returns:
        features (n, d), each entry from N(0, 1), and labels (n, 1), of the
        dtype of w.

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_gen_data(w, b, sample_size, noise_std, generator)

    features = torch.randn(
        sample_size, len(w), generator=generator, dtype=w.dtype
    )
    noise = noise_std * torch.randn(
        sample_size, generator=generator, dtype=w.dtype
    )
    labels = features @ w + b + noise
    return features, labels.reshape(-1, 1)


def data_iter(
    batch_size: int,
    features: Tensor,
    labels: Tensor,
    generator: Generator | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Go once through all examples, batch by batch, shuffled. Chapter 2.

    Args:
        batch_size: examples in a batch; the last batch may be shorter.
        features: shape (n, d).
        labels: shape (n, 1).
        generator: source of the random order; torch's global one if None.

    Yields:
        X (m, d) and y (m, 1), with m = batch_size except for the last batch.

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_data_iter(batch_size, features, labels, generator)

    order = torch.randperm(len(features), generator=generator)
    X_batches = features[order].split(batch_size)
    y_batches = labels[order].split(batch_size)
    yield from zip(X_batches, y_batches, strict=True)
