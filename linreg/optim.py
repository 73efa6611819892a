"""The optimization algorithm: chapter 6."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from linreg._checks import check_sgd


def sgd(params: Iterable[Tensor], lr: float, batch_size: int) -> None:
    """Take one step of mini-batch gradient descent, in place. Chapter 6.

    Each parameter moves by -lr * grad / batch_size (Robbins and Monro, 1951);
    then its gradient is set to zero, ready for the next batch.

    Args:
        params: the parameters, their gradients filled by `backward()` with
            the sum over the batch.
        lr: learning rate.
        batch_size: how many examples that sum runs over.

    Raises:
        TypeError, ValueError: an argument is not as described above, or a
            gradient is None; no parameter has been changed then.
    """
    params = check_sgd(params, lr, batch_size)

    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()
