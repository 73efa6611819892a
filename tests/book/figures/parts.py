"""What the figures of several chapters share."""

import numpy as np
import torch


def close(artists_data, expected):
    np.testing.assert_allclose(
        np.asarray(artists_data), np.asarray(expected), rtol=1e-4, atol=1e-5
    )


def line(artist, x, y):
    close(artist.get_xydata(), np.stack([x, y], axis=1))


def dots(artist, x, y):
    close(artist.get_offsets(), np.stack([x, y.flatten()], axis=1))


def level_line(artist, height):
    """A horizontal line over the whole width."""
    close(artist.get_xydata(), [[0, height], [1, height]])


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def data_and_lines(features, labels, w, b):
    def check(figure, names):
        X, y, weights, bias = (
            eval(name, dict(names)) for name in (features, labels, w, b)
        )
        for j, ax in enumerate(figure.axes):
            (cloud,), (straight,) = ax.collections, ax.lines
            dots(cloud, X[:, j], y)
            ends = np.array([X[:, j].min(), X[:, j].max()])
            line(straight, ends, weights[j].item() * ends + bias)
        assert len(figure.axes) == X.shape[1]

    return check


def bowl_and_path(path, bias):
    def check(figure, names):
        (ax,) = figure.axes
        steps, b = (eval(name, dict(names)) for name in (path, bias))
        walk, start, end = ax.lines
        line(walk, steps[:, 0], steps[:, 1])
        line(start, steps[:1, 0], steps[:1, 1])
        line(end, steps[-1:, 0], steps[-1:, 1])
        assert (start.get_marker(), end.get_marker()) == ("o", "*")
        (contours,) = ax.collections
        X, y = names["features"].double(), names["labels"].double()
        checked = 0
        for level, outline in zip(
            contours.levels, contours.get_paths(), strict=True
        ):
            for corner in outline.vertices:
                w = torch.tensor(corner).reshape(-1, 1).double()
                loss = ((X @ w + b - y) ** 2 / 2).mean()
                assert abs(loss - level) < 0.02 * level + 0.05
                checked += 1
        assert checked > 100
        assert ax.get_aspect() == 1  # both axes are weights

    return check


def loss_curves(curves):
    def check(figure, names):
        (ax,) = figure.axes
        expected = eval(curves, dict(names))
        *drawn, floor = ax.lines
        for artist, (name, losses) in zip(
            drawn, expected.items(), strict=True
        ):
            line(artist, range(len(losses)), losses)
            assert artist.get_label() == name
        level_line(floor, names["noise_std"] ** 2 / 2)
        assert ax.get_yscale() == "log"

    return check


def error_bars(methods):
    def check(figure, names):
        (ax,) = figure.axes
        truth = torch.cat([names["true_w"], torch.tensor([names["true_b"]])])
        expected = eval(methods, dict(names))
        sizes = [
            (truth - torch.cat([part.detach().flatten() for part in found]))
            for found in expected.values()
        ]
        heights = [bar.get_height() for bar in ax.patches]
        close(heights, torch.cat(sizes).abs())
        (scale,) = ax.lines
        level_line(scale, names["noise_std"] / len(names["labels"]) ** 0.5)

    return check
