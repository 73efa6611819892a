import numpy as np

from figures.parts import close, data_and_lines, dots, line


def noise_and_bell(figure, names):
    (ax,) = figure.axes
    noise = names["noise"].numpy()
    assert len(noise) == 100_000
    heights = [bar.get_height() for bar in ax.patches]
    edges = [bar.get_x() for bar in ax.patches]
    edges.append(edges[-1] + ax.patches[-1].get_width())
    expected, places = np.histogram(noise, bins=60, density=True)
    close(heights, expected)
    close(edges, places)
    (bell,) = ax.lines
    x = bell.get_xdata()
    assert (x[0], x[-1]) == (-np.float32(0.04), np.float32(0.04))
    density = np.exp(-((x / 0.01) ** 2) / 2) / (0.01 * (2 * np.pi) ** 0.5)
    line(bell, x, density)


def plane_from_its_side(figure, names):
    (ax,) = figure.axes
    (cloud,) = ax.collections
    X, w, b = names["features"], names["true_w"], names["true_b"]
    dots(cloud, X[:, 0] * w[0] + X[:, 1] * w[1] + b, names["labels"])
    across, up = cloud.get_offsets().T
    assert 0.009 < np.std(up - across) < 0.011
    assert ax.get_aspect() == 1


PICTURES = [
    noise_and_bell,
    data_and_lines("features", "labels", "true_w", "true_b"),
    plane_from_its_side,
    data_and_lines("thousand[0]", "thousand[1]", "true_w", "true_b"),
]
