import functools

import numpy as np
import torch

from figures.parts import close, dots, error_bars, line
from linreg import gen_data


def residuals(figure, names):
    (ax,) = figure.axes
    left = names["labels"] - names["features"] @ names["w"] - names["b"]
    counts = np.array([bar.get_height() for bar in ax.patches])
    edges = [bar.get_x() for bar in ax.patches]
    edges.append(edges[-1] + ax.patches[-1].get_width())
    left = left.detach().numpy()
    expected, _ = np.histogram(left, bins=len(counts), density=True)
    close(counts, expected)
    close((edges[0], edges[-1]), (left.min(), left.max()))
    (bell,) = ax.lines
    x, s = bell.get_xdata(), names["noise_std"]
    line(bell, x, np.exp(-(x**2) / (2 * s**2)) / (s * (2 * np.pi) ** 0.5))


def again(figure, names):
    (ax,) = figure.axes
    found = [errors_of_training(4000 + k) for k in range(40)]
    by_squares, by_sgd = (np.stack(part) for part in zip(*found, strict=True))
    clouds = ax.collections
    for artist, errors in zip(clouds, (by_squares, by_sgd), strict=True):
        dots(artist, errors[:, 0], errors[:, 1])
    angle = np.linspace(0, 2 * np.pi, 101)
    limit, total = ax.lines
    for artist, radius in ((limit, 0.1), (total, (0.01 + 0.1 / 4) ** 0.5)):
        line(artist, radius * np.cos(angle), radius * np.sin(angle))
    assert ax.get_aspect() == 1  # both axes are weights


@functools.cache
def errors_of_training(seed):
    """In 64 bits, with the gradient by hand."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.tensor([2, -3.4])
    X, y = gen_data(truth, 4.2, 100, 1.0, generator)
    X = np.concatenate([X, np.ones((100, 1))], axis=1).astype(float)
    y = y.flatten().numpy().astype(float)
    params = np.zeros(3)
    for _ in range(5):
        order = torch.randperm(100, generator=generator).reshape(50, 2)
        for rows in order.numpy():
            slope = X[rows].T @ (X[rows] @ params - y[rows]) / 2
            params = params - 0.1 * slope
    best = np.linalg.pinv(X) @ y
    return truth.numpy() - best[:2], truth.numpy() - params[:2]


@functools.cache
def drawn_independently(features, labels, lr):
    """The jitter of one parameter where each batch is drawn anew."""
    X = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
    y = labels.double()
    best = torch.linalg.pinv(X) @ y
    generator = torch.Generator().manual_seed(0)
    params = best.expand(100, 3, 1)
    for _ in range(668):
        batch = torch.randint(len(y), (100, 3), generator=generator)
        rest = X[batch] @ params - y[batch]
        params = params - lr * X[batch].transpose(1, 2) @ rest / 3
    return (params - best).square().mean().sqrt()


PICTURES = [
    error_bars("{'SGD': [w, b], 'least squares': [best]}"),
    residuals,
    again,
]
