import numpy as np
import torch

from figures.parts import close, dots
from linreg import gen_data
from linreg.pictures.plot import BLUE, ORANGE


def intervals(figure, names):
    (ax,) = figure.axes
    generator = torch.Generator().manual_seed(3)
    truth = torch.tensor([2, -3.4], dtype=torch.float64)
    rows = []
    for _ in range(50):
        X, y = gen_data(truth, 4.2, 100, 1.0, generator)
        X = np.concatenate([X.numpy(), np.ones((100, 1))], axis=1)
        inverse = np.linalg.pinv(X)
        theta = inverse @ y.numpy()
        left = y.numpy() - X @ theta
        variance = (left**2).sum() / 97 * (inverse[0] ** 2).sum()
        rows.append([theta[0, 0], 1.96 * variance**0.5])
    middle, half = np.array(rows).T
    hit = np.abs(middle - 2) <= half
    *bars, truth_line = ax.lines
    # The blue ones come first.
    order = [*np.flatnonzero(hit), *np.flatnonzero(~hit)]
    assert len(bars) == len(order)
    for bar, k in zip(bars, order, strict=True):
        close(bar.get_xdata(), [middle[k] - half[k], middle[k] + half[k]])
        close(bar.get_ydata(), [k, k])
        assert bar.get_color() == (BLUE if hit[k] else ORANGE)
    for artist, chosen in zip(ax.collections, (hit, ~hit), strict=True):
        dots(artist, middle[chosen], np.flatnonzero(chosen))
    close(truth_line.get_xdata(), [2, 2])
    close(truth_line.get_ydata(), [0, 1])


PICTURES = [intervals]
