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
from linreg.plot import (
    plot_batches,
    plot_graph,
    plot_loss_surface,
    plot_predictions,
    plot_squares,
)

DECIMALS = 3  # of the examples: as many as every machine agrees on


def bowl(
    w: Tensor,
    b: float,
    sample_size: int,
    noise_std: float,
    *,
    lr: float,
    batch_size: int,
    seed: int = 0,
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


def graph(x: Tensor) -> Axes:
    """Draw the graph of y = 2 x·x, to be walked both ways. Chapter 3.

    Args:
        x: where the walk starts, whole numbers, shape (4,).

    Returns:
        The Axes; its figure holds the data.
    """
    return _with_data(plot_graph(x), "graph", x=_numbers(x))


def cards(sample_size: int, batch_size: int, seed: int = 0) -> Axes:
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


def squares(
    w: Tensor,
    b: float,
    sample_size: int,
    noise_std: float,
    *,
    line: tuple[float, float],
    example: int,
    seed: int = 0,
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


def line(
    true_w: Tensor,
    true_b: float,
    sample_size: int,
    noise_std: float,
    *,
    w: float,
    b: float,
    seed: int = 0,
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


def _numbers(values: Tensor) -> list[object]:
    """Give a tensor as lists; as few digits as tell each float apart."""
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    return [float(str(value)) for value in values.detach().numpy()]


def _with_data(ax: Axes, kind: str, **data: object) -> Axes:
    ax.figure.data = {"kind": kind, **data}  # type: ignore[union-attr]
    return ax
