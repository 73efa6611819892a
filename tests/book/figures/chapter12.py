import functools

import numpy as np
import torch

from figures.parts import close, legend, line


def training(figure, names):
    steps = torch.arange(1, 5001)
    X, y = names["X"], names["y"]
    bends, turn = torch.linalg.eigh(X.T @ X / len(X))
    goal = turn.T @ (X.T @ (y - y.mean())) / len(X)
    # After k steps from zero, (1 - (1 - lr * bend)^k) / bend of the way.
    bends = bends[:, None]
    far = bends > 1e-12
    ways = 0.05 * steps.expand(len(bends), -1).double()
    ways = torch.where(far, (1 - (1 - 0.05 * bends) ** steps) / bends, ways)
    two_curves(figure, names, "epoch", steps, turn @ (ways * goal))


def penalties(figure, names):
    alphas = 10.0 ** torch.linspace(-4, 1, 21, dtype=torch.float64)
    X, y = names["X"], names["y"]
    found = []
    for alpha in alphas:
        rows = (len(X) * alpha) ** 0.5 * torch.eye(X.shape[1]).double()
        more = torch.zeros(len(rows), 1).double()
        both = torch.cat([X, rows]), torch.cat([y - y.mean(), more])
        found.append(torch.linalg.lstsq(*both).solution)
    weights = torch.cat(found, dim=1)
    two_curves(figure, names, r"$\alpha$", alphas, weights)


def two_curves(figure, names, xlabel, x, weights):
    """The mean losses of the columns of `weights`, on both parts."""
    (ax,) = figure.axes
    level = names["y"].mean()
    for artist, part in zip(ax.lines, ("", "_val"), strict=True):
        rest = names["X" + part] @ weights + level - names["y" + part]
        line(artist, x, rest.square().mean(dim=0) / 2)
    assert legend(ax) == ["training", "validation"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == (xlabel, "mean loss")


def leaks(figure, names):
    (ax,) = figure.axes
    heights = np.array([bar.get_height() for bar in ax.patches])
    edges = np.linspace(-0.6, 0.4, 21)
    expected = [
        np.histogram(explained(names["labels"], peek), edges)[0]
        for peek in (True, False)
    ]
    close(heights, np.concatenate(expected))
    assert heights.sum() == 100
    close([bar.get_x() for bar in ax.patches], [*edges[:-1], *edges[:-1]])
    assert legend(ax) == ["chosen on all", "chosen on training"]
    assert ax.get_xlabel() == "$R^2$ on the test part"
    assert ax.get_ylabel() == "splits"


@functools.cache
def explained(labels, peek):
    """R² of 20 of 1000 columns of noise, for 50 seeds."""
    y, found = labels.flatten().numpy(), []
    for seed in range(50):
        generator = torch.Generator().manual_seed(seed)
        X = torch.randn(442, 1000, generator=generator, dtype=torch.float64)
        order = torch.randperm(442, generator=generator).numpy()
        X, train, test = X.numpy(), order[:342], order[342:]
        seen = order if peek else train
        scaled = (X[seen] - X[seen].mean(0)) / X[seen].std(0)
        kept = np.argsort(-abs(scaled.T @ (y[seen] - y[seen].mean())))[:20]
        A = np.column_stack([X[:, kept], np.ones(442)])
        theta = np.linalg.pinv(A[train]) @ y[train]
        rest = ((A[test] @ theta - y[test]) ** 2).sum()
        found.append(1 - rest / ((y[test] - y[train].mean()) ** 2).sum())
    return found


PICTURES = [training, penalties, leaks]
