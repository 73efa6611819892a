import numpy as np

from figures.parts import data_and_lines, dots, line


def predictions_and_residuals(figure, names):
    (ax,) = figure.axes
    examples = names["ax"].figure.data
    x, y = (np.array(examples[name]) for name in ("features", "labels"))
    y_hat = 0.5 * x[:, 0] + 3
    predictions, cloud = ax.collections
    dots(cloud, x[:, 0], y)
    dots(predictions, x[:, 0], y_hat)
    *residuals, straight = ax.lines
    for artist, place, label, prediction in zip(
        residuals, x[:, 0], y, y_hat, strict=True
    ):
        line(artist, [place, place], [label, prediction])
    ends = np.array([x.min(), x.max()])
    line(straight, ends, 0.5 * ends + 3)


PICTURES = [
    data_and_lines("features", "labels", "w", "b.item()"),
    predictions_and_residuals,
]
