"""The loss function: chapter 5."""

from __future__ import annotations

from torch import Tensor

from linreg._checks import check_tensor


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
    check_tensor("y_hat", y_hat, "m", 1)
    flat = isinstance(y, Tensor) and y.ndim == 1
    check_tensor("y", y, len(y_hat), *(() if flat else (1,)), like=y_hat)

    # Without the reshape, (m, 1) - (m,) would broadcast to (m, m).
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2
