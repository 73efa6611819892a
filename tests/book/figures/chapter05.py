import numpy as np
import torch

from figures.parts import bowl_and_path, dots, line
from linreg import gen_data


def squares(figure, names):
    (ax,) = figure.axes
    generator = torch.Generator().manual_seed(6)
    data = gen_data(names["one_w"], 4.2, 10, 1.0, generator)
    x, y = (part.round(decimals=3).flatten() for part in data)
    (cloud,) = ax.collections
    dots(cloud, x, y)
    *drawn, straight = ax.lines
    ends = np.array([x.min(), x.max()])
    line(straight, ends, 1.5 * ends + 3.5)
    for artist, x0, y0 in zip(drawn, x, y, strict=True):
        y1 = 1.5 * x0 + 3.5
        x1 = x0 + (y1 - y0)
        line(artist, [x1, x0, x0, x1, x1], [y1, y1, y0, y0, y1])
    assert ax.get_aspect() == 1  # or a square would not look square


PICTURES = [
    bowl_and_path("path", "true_b"),
    squares,
]
