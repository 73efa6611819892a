"""Figures that answer: pictures with the data that the site makes them from.

Each function draws a picture and adds to it what its JavaScript needs, which
is in book/_static/explore/. There the reader turns knobs; in a notebook, and
on paper, the picture stands.
"""

from __future__ import annotations

from typing import Any

import torch
from matplotlib.axes import Axes
from torch import Tensor

from linreg.data import data_iter, gen_data
from linreg.loss import squared_loss
from linreg.model import linreg
from linreg.optim import sgd
from linreg.pictures.plot import (
    plot_batches,
    plot_error_cloud,
    plot_graph,
    plot_loss_surface,
    plot_predictions,
    plot_squares,
)

DECIMALS = 3  # of numbers in the data: as many as every machine agrees on


def cards(sample_size: int, batch_size: int, seed: int) -> Axes:
    """Draw how an epoch deals the examples into batches. Chapter 2.

    Args:
        sample_size: how many examples, n.
        batch_size: examples in a batch; the last batch may be shorter.
        seed: of the examples' order.

    Returns:
        The Axes; its figure holds the data.
    """
    numbers = torch.arange(float(sample_size)).reshape(-1, 1)
    generator = torch.Generator().manual_seed(seed)
    batches = data_iter(batch_size, numbers, numbers, generator)
    ax = plot_batches([X.flatten().int() for X, _ in batches])
    return _with_data(
        ax, "cards", n=sample_size, batch_size=batch_size, seed=seed
    )


def graph(x: Tensor) -> Axes:
    """Draw the graph of y = 2 x·x, to be walked both ways. Chapter 3.

    Args:
        x: where the walk starts, whole numbers, shape (4,).

    Returns:
        The Axes; its figure holds the data.
    """
    return _with_data(plot_graph(x), "graph", x=_numbers(x))


def line(
    true_w: Tensor,
    true_b: float,
    sample_size: int,
    noise_std: float,
    *,
    w: float,
    b: float,
    seed: int,
) -> Axes:
    """Draw a line among examples of one feature, to be dragged. Chapter 4.

    Args:
        true_w: true weight, shape (1,).
        true_b: true bias.
        sample_size: how many examples, n.
        noise_std: standard deviation of the noise.
        w: weight of the line.
        b: bias of the line.
        seed: of the examples.

    Returns:
        The Axes; its figure holds the data.
    """
    features, labels = _examples(true_w, true_b, sample_size, noise_std, seed)
    weight, bias = torch.tensor([[float(w)]]), torch.tensor([float(b)])
    return _with_data(
        plot_predictions(features, labels, weight, bias),
        "line",
        features=_numbers(features),
        labels=_numbers(labels.flatten()),
        source=_source(true_w, true_b, sample_size, noise_std, seed),
        w=w,
        b=b,
    )


def squares(
    w: Tensor,
    b: float,
    sample_size: int,
    noise_std: float,
    *,
    line: tuple[float, float],
    example: int,
    seed: int,
) -> Axes:
    """Draw a line, and the squares on its errors. Chapter 5.

    Args:
        w: true weight, shape (1,).
        b: true bias.
        sample_size: how many examples, n.
        noise_std: standard deviation of the noise.
        line: weight and bias of the line that is drawn.
        example: which example the site lets the reader pull at first.
        seed: of the examples.

    Returns:
        The Axes; its figure holds the data.
    """
    features, labels = _examples(w, b, sample_size, noise_std, seed)
    ax = plot_squares(features, labels, torch.tensor(line[:1]), line[1])
    return _with_data(
        ax,
        "squares",
        features=_numbers(features),
        labels=_numbers(labels.flatten()),
        source=_source(w, b, sample_size, noise_std, seed),
        line=list(line),
        example=example,
    )


def bowl(
    w: Tensor,
    b: float,
    sample_size: int,
    noise_std: float,
    *,
    lr: float,
    batch_size: int,
    seed: int,
) -> Axes:
    """Draw an epoch of mini-batch SGD on the bowl. Chapter 7.

    Args:
        w: true weights, shape (2,).
        b: true bias.
        sample_size: how many examples, n.
        noise_std: standard deviation of the noise.
        lr: learning rate.
        batch_size: examples in a batch.
        seed: of the examples, and of their order.

    Returns:
        The Axes; its figure holds the data.
    """
    features, labels = _examples(w, b, sample_size, noise_std, seed)
    params = torch.zeros(2, 1), torch.zeros(1)
    weights, bias = (param.requires_grad_() for param in params)
    path = [weights.detach().flatten().clone()]
    generator = torch.Generator().manual_seed(seed)
    for X, y in data_iter(batch_size, features, labels, generator):
        squared_loss(linreg(X, weights, bias), y).sum().backward()
        sgd([weights, bias], lr, len(X))
        path.append(weights.detach().flatten().clone())
    ax = plot_loss_surface(features, labels, bias.item(), torch.stack(path))
    return _with_data(
        ax,
        "bowl",
        features=_numbers(features),
        labels=_numbers(labels.flatten()),
        source=_source(w, b, sample_size, noise_std, seed),
        lr=lr,
        batch_size=batch_size,
        seed=seed,
    )


def again(
    w: Tensor,
    b: float,
    sample_size: int,
    noise_std: float,
    *,
    lr: float,
    batch_size: int,
    num_epochs: int,
    trainings: int,
    seed: int,
) -> Axes:
    """Draw the errors of many trainings, each on new data. Chapter 8.

    Args:
        w: true weights, shape (2,).
        b: true bias.
        sample_size: how many examples each training has, n.
        noise_std: standard deviation of the noise.
        lr: learning rate.
        batch_size: examples in a batch.
        num_epochs: how often each training goes through its examples.
        trainings: how many there are.
        seed: training k draws its examples, and then their order, from
            1000 seed + k.

    Returns:
        The Axes; its figure holds the data.
    """
    sgd_errors, best_errors = torch.zeros(2, trainings, 2)
    for k in range(trainings):
        generator = torch.Generator().manual_seed(1000 * seed + k)
        examples = gen_data(w, b, sample_size, noise_std, generator)
        found = _train(*examples, lr, batch_size, num_epochs, generator)
        sgd_errors[k] = w - found
        best_errors[k] = w - _least_squares(*examples)
    variance = noise_std**2 / sample_size
    jitter = lr * noise_std**2 / (2 * batch_size)
    ax = plot_error_cloud(
        {"least squares": best_errors, "SGD": sgd_errors},
        {
            r"$\sigma/\sqrt{n}$": variance**0.5,
            r"$\sqrt{\sigma^2/n+\eta\sigma^2/2m}$": (variance + jitter) ** 0.5,
        },
    )
    return _with_data(
        ax,
        "again",
        w=_numbers(w),
        b=b,
        n=sample_size,
        noise_std=noise_std,
        lr=lr,
        batch_size=batch_size,
        num_epochs=num_epochs,
        seed=seed,
        sgd=_numbers(sgd_errors.round(decimals=DECIMALS)),
        best=_numbers(best_errors.round(decimals=DECIMALS)),
    )


def _examples(
    w: Tensor, b: float, sample_size: int, noise_std: float, seed: int
) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features, labels = gen_data(w, b, sample_size, noise_std, generator)
    return features.round(decimals=DECIMALS), labels.round(decimals=DECIMALS)


def _source(
    w: Tensor, b: float, sample_size: int, noise_std: float, seed: int
) -> dict[str, Any]:
    """Say how the examples were made, for the code that makes them again."""
    return {
        "w": _numbers(w),
        "b": b,
        "n": sample_size,
        "noise_std": noise_std,
        "seed": seed,
        "decimals": DECIMALS,
    }


def _train(
    features: Tensor,
    labels: Tensor,
    lr: float,
    batch_size: int,
    num_epochs: int,
    generator: torch.Generator,
) -> Tensor:
    """Train from zero; return the weights, shape (2,)."""
    params = torch.zeros(2, 1), torch.zeros(1)
    w, b = (param.requires_grad_() for param in params)
    for _ in range(num_epochs):
        for X, y in data_iter(batch_size, features, labels, generator):
            squared_loss(linreg(X, w, b), y).sum().backward()
            sgd([w, b], lr, len(X))
    return w.detach().flatten()


def _least_squares(features: Tensor, labels: Tensor) -> Tensor:
    """Return the weights of least squares with a bias, shape (2,)."""
    X_one = torch.cat([features, torch.ones(len(features), 1)], dim=1)
    best: Tensor = torch.linalg.lstsq(X_one.double(), labels.double())[0]
    return best[:2].flatten()


def _numbers(values: Tensor) -> list[object]:
    """Give a tensor as lists; as few digits as tell each float apart."""
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    return [float(str(value)) for value in values.detach().numpy()]


def _with_data(ax: Axes, kind: str, **data: object) -> Axes:
    ax.figure.data = {"kind": kind, **data}  # type: ignore[union-attr]
    return ax
