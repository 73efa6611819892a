"""The loss function: chapter 5."""

from __future__ import annotations

from torch import Tensor

from linreg._checks import check_squared_loss


def squared_loss(y_hat: Tensor, y: Tensor) -> Tensor:
    """Compute half the squared error of each example. Chapter 5.

    Args:
        y_hat: predictions, shape (m, 1).
        y: labels, shape (m, 1) or (m,).

    Returns:
        (y_hat - y)² / 2 for each example, shape (m, 1).

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_squared_loss(y_hat, y)

    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2
