"""How far the trained parameters are from the true ones: chapter 8."""

from __future__ import annotations

from torch import Tensor

from linreg._checks import check_param_errors


def param_errors(
    true_w: Tensor, true_b: float, w: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute true minus estimated parameters. Chapter 8.

    Args:
        true_w: true weights, shape (d,).
        true_b: true bias.
        w: estimated weights, shape (d, 1).
        b: estimated bias, shape (1,).

    Returns:
        The errors of w, shape (d,), and of b, shape (1,), cut off from the
        computational graph.

    Raises:
        TypeError, ValueError: an argument is not as described above.
    """
    check_param_errors(true_w, true_b, w, b)

    w_error = true_w - w.reshape(true_w.shape)
    return w_error.detach(), true_b - b.detach()
