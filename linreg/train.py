"""The training loop: chapter 7."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Generator, Tensor

from linreg._checks import (
    check_examples,
    check_generator,
    check_number,
    check_params,
    check_size,
    describe,
)
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

    Nothing runs until the result is iterated over.

    Args:
        net: the model; called with X and then each parameter.
        loss: gives the loss of each example; called with y_hat and y.
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
        TypeError, ValueError: an argument is not as described above; raised by
            the call itself.
        ValueError: the loss became nan or inf; the parameters are then those
            from before the epoch that failed.
    """
    params = _check_trainable(net, loss, params)
    check_examples(features, labels)
    check_number("lr", lr)
    check_size("batch_size", batch_size)
    check_size("num_epochs", num_epochs)
    check_generator(generator)

    def epochs() -> Iterator[tuple[int, float]]:
        for param in params:
            param.grad = None  # an interrupted run may have left one behind
        for epoch in range(1, num_epochs + 1):
            before = [param.detach().clone() for param in params]
            for X, y in data_iter(batch_size, features, labels, generator):
                loss(net(X, *params), y).sum().backward()
                sgd(params, lr, len(X))
            with torch.no_grad():
                mean_loss = loss(net(features, *params), labels).mean().item()
            if not math.isfinite(mean_loss):
                _restore(params, before)
                raise ValueError(
                    f"loss is {mean_loss} in epoch {epoch} with lr={lr}"
                )
            yield epoch, mean_loss

    return epochs()


def _check_trainable(
    net: object, loss: object, params: Iterable[Tensor]
) -> list[Tensor]:
    for name, function in (("net", net), ("loss", loss)):
        if not callable(function):
            raise TypeError(
                f"{name} must be a function, got {describe(function)}"
            )
    return check_params(params)


def _restore(params: list[Tensor], values: list[Tensor]) -> None:
    with torch.no_grad():
        for param, value in zip(params, values, strict=True):
            param.copy_(value)
