"""Synthetic data and mini-batches: chapters 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from linreg._checks import (
    check_examples,
    check_generator,
    check_number,
    check_size,
    check_tensor,
)


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
        generator: source of the random numbers, on the CPU or where w is;
            torch's global one if None.

    Returns:
        features (n, d), each entry from N(0, 1), and labels (n, 1), of the
        dtype of w and where w is.

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_tensor("w", w, "d")
    check_number("b", b, negative=True)
    check_size("sample_size", sample_size)
    check_number("noise_std", noise_std)
    check_generator(generator, w.device)

    # One generator serves every device: the numbers are drawn where it is.
    place = w.device if generator is None else generator.device
    features = torch.randn(
        sample_size, len(w), generator=generator, dtype=w.dtype, device=place
    ).to(w.device)
    noise = noise_std * torch.randn(
        sample_size, generator=generator, dtype=w.dtype, device=place
    ).to(w.device)
    labels = features @ w.detach() + b + noise
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
        generator: source of the random order, on the CPU or where features
            is; torch's global one if None.

    Yields:
        X (m, d) and y (m, 1), with m = batch_size except for the last batch.

    Raises:
        TypeError, ValueError: an argument is not as described above; raised by
            the call itself, before the first batch is asked for.
    """
    check_size("batch_size", batch_size)
    check_examples(features, labels)
    check_generator(generator, features.device)
    batch_size = int(batch_size)  # split() takes no NumPy integer

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        place = None if generator is None else generator.device
        order = torch.randperm(
            len(features), generator=generator, device=place
        )
        X_batches = features[order].split(batch_size)
        y_batches = labels[order].split(batch_size)
        yield from zip(X_batches, y_batches, strict=True)

    return batches()
