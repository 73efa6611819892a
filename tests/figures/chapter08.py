import functools

import numpy as np
import torch

from figures.parts import close, error_bars, legend, line


def jitter(figure, names):
    (ax,) = figure.axes
    rates = np.array([0.03, 0.01, 0.003, 0.001, 0.0003])
    expected = {
        name: distances(names["features"], names["labels"], order, *rates)
        for name, order in names["orders"].items()
    }
    law = (rates * names["noise_std"] ** 2 / (2 * 3)) ** 0.5
    expected[r"$\sqrt{\eta\sigma^2/2m}$"] = law
    for artist, (name, values) in zip(ax.lines, expected.items(), strict=True):
        close(artist.get_xdata(), rates)
        # The logarithms, because the numbers themselves are so small.
        close(*np.log([np.asarray(artist.get_ydata()), np.asarray(values)]))
        assert artist.get_label() == name
    assert legend(ax) == [*expected]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == r"$\eta$"
    assert ax.get_ylabel() == "distance to least squares"


@functools.cache
def distances(features, labels, orders, *rates):
    """As the chapter's `walk`, from other operations."""
    X, y = features.double(), labels.double().flatten()
    X = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    best = torch.linalg.pinv(X) @ y
    params = best.expand(len(rates), orders.shape[1], 3)
    eta, squares = torch.tensor(rates)[:, None, None], []
    for epoch in orders:
        for batch in epoch.split(3, dim=1):
            error = torch.einsum("rmj,lrj->lrm", X[batch], params) - y[batch]
            slope = torch.einsum("rmj,lrm->lrj", X[batch], error)
            params = params - eta * slope / batch.shape[1]
        squares.append((params - best).square().mean(dim=(1, 2)))
    return torch.stack(squares[-10:]).mean(dim=0).sqrt()


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
    assert legend(ax) == ["residuals", r"$\mathcal{N}(0,\sigma^2)$"]


PICTURES = [
    error_bars("{'SGD': [w, b], 'least squares': [best]}"),
    jitter,
    residuals,
]
