import numpy as np
import torch

from figures.parts import close, level_line, line


def load_diabetes(**settings):
    from sklearn import datasets  # which takes a second

    return datasets.load_diabetes(**settings)


def training_part(scaled):
    """The rows that the chapter trains on, with a column of ones."""
    data = load_diabetes(scaled=scaled).data.astype("float32").astype(float)
    order = torch.randperm(442, generator=torch.Generator().manual_seed(1))
    rows = data[order[:342].numpy()]
    return np.hstack([rows, np.ones((342, 1))])


def standardized():
    rows = training_part(scaled=False)
    rows[:, :10] -= rows[:, :10].mean(axis=0)
    rows[:, :10] /= rows[:, :10].std(axis=0)
    return rows


def labels():
    order = torch.randperm(442, generator=torch.Generator().manual_seed(1))
    return load_diabetes().target[order[:342].numpy()]


def spectra(figure, names):
    (ax,) = figure.axes
    *curves, above, below = ax.lines
    tables = training_part(False), standardized(), training_part(True)
    for artist, table in zip(curves, tables, strict=True):
        singular = np.linalg.svd(table, compute_uv=False)
        rank, values = artist.get_xydata().T
        close(rank, range(1, 12))
        close(np.log(values), np.log(singular**2 / 342))
    level_line(above, 2 / 0.01)
    level_line(below, 1 / (1000 * 0.01))
    assert ax.get_yscale() == "log"


def weights(figure, names):
    (ax,) = figure.axes
    X, y = standardized(), labels()
    best = np.linalg.pinv(X) @ y
    values, directions = np.linalg.eigh(X.T @ X / 342)
    left = directions @ np.diag((1 - 0.01 * values) ** 1000) @ directions.T
    trained = best - left @ best
    heights = [bar.get_height() for bar in ax.patches]
    expected = np.concatenate([trained[4:10], best[4:10]])
    # Training is in single precision.
    np.testing.assert_allclose(heights, expected, atol=2e-3)
    places = [bar.get_x() for bar in ax.patches]
    close(places, [*np.arange(6) - 0.4, *range(6)])


def residuals(figure, names):
    against, histogram = figure.axes
    X, y = standardized(), labels()
    y_hat = X @ np.linalg.pinv(X) @ y
    left = y - y_hat
    (cloud,), (zero,) = against.collections, against.lines
    np.testing.assert_allclose(
        cloud.get_offsets(), np.stack([y_hat, left], axis=1), atol=1e-3
    )
    level_line(zero, 0)

    bars, sigma = histogram.patches, (left @ left / (342 - 11)) ** 0.5
    edges = [bars[0].get_x(), bars[-1].get_x() + bars[-1].get_width()]
    np.testing.assert_allclose(edges, [left.min(), left.max()], atol=1e-3)
    expected, _ = np.histogram(left, bins=len(bars), density=True)
    close([bar.get_height() for bar in bars], expected)
    (bell,) = histogram.lines
    x = bell.get_xdata()
    close((x[0], x[-1]), (-4 * sigma, 4 * sigma))
    density = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * (2 * np.pi) ** 0.5)
    line(bell, x, density)


PICTURES = [spectra, weights, residuals]
