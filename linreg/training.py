"""The training loop: chapter 7."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Generator, Tensor

from linreg._checks import check_loss, check_train
from linreg.data import data_iter
from linreg.optim import sgd


def train(
    net: Callable[..., Tensor],
    loss: Callable[[Tensor, Tensor], Tensor],
    params: Iterable[Tensor],
    features: Tensor,
    labels: Tensor,
    *,
    lr: float,
    batch_size: int,
    num_epochs: int,
    generator: Generator | None = None,
) -> Iterator[tuple[int, float]]:
    """Train `params` in place and report each epoch as it ends. Chapter 7.

    Nothing is trained until the result is iterated over.

    Args:
        net: the model; called with X (m, d) and then each parameter, it gives
            y_hat (m, 1).
        loss: called with y_hat and y, it gives the loss of each example,
            shape (m, 1).
        params: what is trained; tensors that require a gradient.
        features: shape (n, d).
        labels: shape (n, 1).
        lr: learning rate.
        batch_size: examples in a batch; the last batch may be shorter and is
            averaged over its own length.
        num_epochs: how many times to go through the data.
        generator: source of the random order; torch's global one if None.

    Yields:
        The epoch, from 1, and the mean loss over all n examples after it.

    Raises:
        TypeError, ValueError: an argument is not as described above; raised
            when the first epoch is asked for, before anything is trained.
        ValueError: the loss became nan or inf.
    """
    params = check_train(
        net, loss, params, features, labels, lr, batch_size, num_epochs
    )

    for epoch in range(1, num_epochs + 1):
        for X, y in data_iter(batch_size, features, labels, generator):
            loss(net(X, *params), y).sum().backward()
            sgd(params, lr, len(X))
        with torch.no_grad():
            mean_loss = loss(net(features, *params), labels).mean().item()
        check_loss(mean_loss, epoch, lr, features, labels)
        yield epoch, mean_loss
