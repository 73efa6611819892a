"""The parameters and the model: chapters 3 and 4."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from linreg._checks import check_init_params, check_linreg


def init_params(
    num_features: int,
    std: float = 0.01,
    generator: Generator | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> tuple[Tensor, Tensor]:
    """Make the parameters that training starts from. Chapter 3.

    Args:
        num_features: how many weights, d.
        std: standard deviation of the weights, drawn from N(0, std²).
        generator: source of the random numbers; torch's global one if None.
        dtype: floating-point type; torch's default one if None.
        device: where the parameters are; torch's default one if None.

    Returns:
        w (d, 1) and b (1,), b zero; both are leaves that require a gradient.

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_init_params(num_features, std, generator, dtype)

    w = std * torch.randn(
        num_features, 1, generator=generator, dtype=dtype, device=device
    )
    b = torch.zeros(1, dtype=dtype, device=device)
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
    check_linreg(X, w, b)

    return X @ w + b
