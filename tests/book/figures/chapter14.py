import torch

from figures.parts import line


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
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")


PICTURES = [training, penalties]
