"""The parameters and the model: chapters 3 and 4."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from linreg._checks import (
    check_generator,
    check_number,
    check_size,
    check_tensor,
)


def init_params(
    num_features: int, std: float = 0.01, generator: Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Make the parameters that training starts from. Chapter 3.

    Args:
        num_features: how many weights, d.
        std: standard deviation of the weights, drawn from N(0, std²).
        generator: source of the random numbers; torch's global one if None.

    Returns:
        w (d, 1) and b (1,), b zero; both require a gradient.

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_size("num_features", num_features)
    check_number("std", std)
    check_generator(generator)

    w = std * torch.randn(num_features, 1, generator=generator)
    b = torch.zeros(1)
    return w.requires_grad_(), b.requires_grad_()


def linreg(X: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Predict with the linear model, y_hat = Xw + b. Chapter 4.

    Args:
        X: features, shape (m, d).
        w: weights, shape (d, 1).
        b: bias, shape (1,).

    Returns:
        y_hat, shape (m, 1).

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_tensor("X", X, "m", "d")
    check_tensor("w", w, X.shape[1], 1, like=X)
    check_tensor("b", b, 1, like=X)

    return X @ w + b
