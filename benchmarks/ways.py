"""The contenders: five ways to iterate, six ways to train for one epoch.

Chapter 15 shows this file, bench_speed.py times it, and
tests/package/test_benchmarks.py checks that all six ways take the same steps,
and that least squares, which takes none, finds the bottom of the bowl.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn, optim
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    TensorDataset,
)

import linreg

Data = tuple[Tensor, Tensor]
Params = tuple[Tensor, Tensor]
Iterate = Callable[[int, Tensor, Tensor], Iterable[tuple[Tensor, Tensor]]]


def note_iter(
    batch_size: int, features: Tensor, labels: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffle a list of indices and look each batch up (the note's way)."""
    indices = list(range(len(features)))
    random.shuffle(indices)
    for start in range(0, len(indices), batch_size):
        chosen = torch.tensor(indices[start : start + batch_size])
        yield features[chosen], labels[chosen]


def randperm_iter(
    batch_size: int, features: Tensor, labels: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw a permutation as a tensor and look each batch up (chapter 2)."""
    order = torch.randperm(len(features))
    for start in range(0, len(features), batch_size):
        chosen = order[start : start + batch_size]
        yield features[chosen], labels[chosen]


def loader_iter(
    batch_size: int, features: Tensor, labels: Tensor
) -> DataLoader[tuple[Tensor, ...]]:
    """Let the framework fetch the examples one by one (chapter 9)."""
    dataset = TensorDataset(features, labels)
    return DataLoader(dataset, batch_size, shuffle=True)


def batch_sampler_iter(
    batch_size: int, features: Tensor, labels: Tensor
) -> DataLoader[tuple[Tensor, ...]]:
    """Let the framework fetch a whole batch at once."""
    dataset = TensorDataset(features, labels)
    order = RandomSampler(dataset)
    batches = BatchSampler(order, batch_size, drop_last=False)
    return DataLoader(dataset, batch_size=None, sampler=batches)


def train_note(
    iterate: Iterate, batch_size: int, data: Data, params: Params, lr: float
) -> None:
    """Train by the note's loop: the same functions without any checks."""
    w, b = params
    for X, y in iterate(batch_size, *data):
        y_hat = torch.matmul(X, w) + b
        loss = (y_hat - y.reshape(y_hat.shape)) ** 2 / 2
        loss.sum().backward()
        with torch.no_grad():
            for param in (w, b):
                param -= lr * param.grad / batch_size
                param.grad.zero_()


def train_linreg(
    iterate: Iterate, batch_size: int, data: Data, params: Params, lr: float
) -> None:
    """Train by the package's loop (chapter 7)."""
    w, b = params
    for X, y in iterate(batch_size, *data):
        linreg.squared_loss(linreg.linreg(X, w, b), y).sum().backward()
        linreg.sgd([w, b], lr, len(X))


def train_framework(
    iterate: Iterate, batch_size: int, data: Data, params: Params, lr: float
) -> None:
    """Train by the framework's parts (chapter 9)."""
    w, b = params
    net = nn.Linear(len(w), 1)
    net.weight.data, net.bias.data = w.data.T, b.data
    loss = nn.MSELoss()
    optimizer = optim.SGD(net.parameters(), lr=lr / 2)
    for X, y in iterate(batch_size, *data):
        optimizer.zero_grad()
        loss(net(X), y).backward()
        optimizer.step()


def train_d2l(
    iterate: Iterate, batch_size: int, data: Data, params: Params, lr: float
) -> None:
    """Train by d2l's Trainer, its animation switched off (chapter 10)."""
    from d2l import torch as d2l

    class Batches:
        def train_dataloader(self) -> Iterable[tuple[Tensor, Tensor]]:
            return iterate(batch_size, *data)

        def val_dataloader(self) -> None:
            return None

    w, b = params
    model = d2l.LinearRegressionScratch(len(w), lr)
    model.w, model.b = w, b
    model.board.display = False
    d2l.Trainer(max_epochs=1).fit(model, Batches())


def train_by_hand(
    iterate: Iterate, batch_size: int, data: Data, params: Params, lr: float
) -> None:
    """Train with the gradient derived by hand, two matrix calls a step."""
    features, labels = data
    with torch.no_grad():
        X_one = torch.cat([features, torch.ones_like(labels)], dim=1)
        theta = torch.cat([params[0], params[1].reshape(1, 1)])
        for X, y in iterate(batch_size, X_one, labels):
            error = torch.addmm(y, X, theta, beta=-1)
            theta.addmm_(X.T, error, alpha=-lr / len(X))
        params[0].copy_(theta[:-1])
        params[1].copy_(theta[-1])


def least_squares(data: Data, dtype: torch.dtype = torch.float64) -> Params:
    """Compute the best parameters without taking any step (chapter 11)."""
    features, labels = (part.to(dtype) for part in data)
    X_one = torch.cat([features, torch.ones_like(labels)], dim=1)
    theta = torch.linalg.lstsq(X_one, labels).solution
    return theta[:-1], theta[-1]


def train_full_batch(data: Data, lr: float, num_steps: int) -> Params:
    """Take steps from zero, each with all the examples at once."""
    w = torch.zeros(data[0].shape[1], 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    train_linreg(lambda *_: [data] * num_steps, len(data[0]), data, (w, b), lr)
    return w, b


ITERATORS: dict[str, Iterate] = {
    "note": note_iter,
    "randperm": randperm_iter,
    "data_iter": linreg.data_iter,
    "DataLoader": loader_iter,
    "BatchSampler": batch_sampler_iter,
}
# Each way to train with the iterator that goes with it.
TRAINERS: dict[str, tuple[Iterate, Callable[..., None]]] = {
    "note": (note_iter, train_note),
    "linreg": (linreg.data_iter, train_linreg),
    "framework": (loader_iter, train_framework),
    "fw+data_iter": (linreg.data_iter, train_framework),
    "d2l": (loader_iter, train_d2l),
    "by hand": (linreg.data_iter, train_by_hand),
}


def train_one_epoch(
    way: str, data: Data, batch_size: int, lr: float
) -> Params:
    """Train for one epoch, from zero, in the way of that name."""
    iterate, train = TRAINERS[way]
    w = torch.zeros(data[0].shape[1], 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    train(iterate, batch_size, data, (w, b), lr)
    return w, b
