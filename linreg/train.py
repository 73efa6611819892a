"""The training loop: chapter 7."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Generator, Tensor

from linreg._checks import (
    check_examples,
    check_generator,
    check_number,
    check_params,
    check_size,
    check_tensor,
    describe,
    loss_error,
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
        TypeError, ValueError: an argument is not as described above; raised by
            the call itself, which tries net and loss on the first examples.
        ValueError: the loss became nan or inf; the parameters are then those
            from before the epoch that failed.
    """
    params = _check_trainable(net, loss, params)
    check_examples(features, labels)
    check_number("lr", lr)
    check_size("batch_size", batch_size)
    check_size("num_epochs", num_epochs)
    check_generator(generator, features.device)
    _try(net, loss, params, features[:batch_size], labels[:batch_size])

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
            error = loss_error(mean_loss, epoch, lr, features, labels)
            if error:
                _restore(params, before)
                raise error
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


def _try(
    net: Callable[..., Tensor],
    loss: Callable[[Tensor, Tensor], Tensor],
    params: list[Tensor],
    X: Tensor,
    y: Tensor,
) -> None:
    """Raise unless net and loss give what the loop relies on."""
    with torch.no_grad():
        y_hat = net(X, *params)
        check_tensor("net", y_hat, len(X), 1, like=y, must="give")
        # A mean would be divided by the batch size once more.
        check_tensor("loss", loss(y_hat, y), len(X), 1, like=y, must="give")


def _restore(params: list[Tensor], values: list[Tensor]) -> None:
    with torch.no_grad():
        for param, value in zip(params, values, strict=True):
            param.copy_(value)
