"""Every figure of the book, by what it shows in the state it was drawn in.

PICTURES holds, for each chapter, a function for each of its figures in their
order: it computes anew, from the names of the chapter at that cell, what the
figure must show. Each function is tried on the figure with every artist
spoiled in turn, and must notice. Colours are judged as readers see them who
lack one kind of cone, on white paper and in the site's dark mode.
"""

import base64
import contextlib
import io
import itertools

import matplotlib as mpl
import matplotlib.image
import nbformat
import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.contour import ContourSet
from matplotlib.path import Path as Outline
from running import NOTEBOOKS, run

from linreg import plot


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
            assert ax.get_xlabel() == f"$x_{j + 1}$"
        assert len(figure.axes) == X.shape[1]
        assert figure.axes[0].get_ylabel() == "y"

    return check


def batch_in_the_whole(figure, names):
    (ax,) = figure.axes
    everything, batch = ax.collections
    dots(everything, names["features"][:, 1], names["labels"])
    dots(batch, names["X"][:, 1], names["y"])
    assert len(names["y"]) == 20
    assert set(names["y"].flatten().tolist()) <= set(
        names["labels"].flatten().tolist()
    )
    assert batch.get_sizes()[0] > everything.get_sizes()[0]
    assert legend(ax) == ["all examples", "mini-batch"]


def graph(figure, names):
    (ax,) = figure.axes
    x = names["x"].detach().numpy()
    shown = sorted(text.get_text() for text in ax.texts)
    listed = ", ".join(f"{value:g}" for value in x)
    slopes = ", ".join(f"{4 * value:g}" for value in x)
    assert shown == sorted(
        [
            *("", "", "", ""),  # the arrows
            *("forward: values", "backward: gradients"),
            f"x\n[{listed}]",
            f"s = x·x\n{x @ x:g}",
            f"y = 2s\n{2 * x @ x:g}",
            *("dy/ds = 2", f"dy/dx = [{slopes}]"),
        ]
    )


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
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("$w_1$", "$w_2$")

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
        assert legend(ax) == [*expected, r"$\sigma^2/2$"]
        assert ax.get_yscale() == "log"
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "mean loss")

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
        ticks = [tick.get_text() for tick in ax.get_xticklabels()]
        assert ticks == ["$w_1$", "$w_2$", "$b$"]
        texts = [r"$\sigma/\sqrt{n}$", *expected]
        assert sorted(legend(ax)) == sorted(texts)

    return check


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


def differences_in_steps(figure, names):
    (ax,) = figure.axes
    single, double = ax.collections
    for artist, name in ((single, "single"), (double, "double")):
        gaps = np.array(names[name])
        (unequal,) = gaps.nonzero()
        assert len(unequal) < len(gaps) / 2
        steps, heights = artist.get_offsets().T
        close(steps, unequal + 1)
        close(np.log10(heights), np.log10(gaps[unequal]))
    (limit,) = ax.lines
    assert set(limit.get_ydata()) == {1e-6}
    assert max(names["double"]) < max(names["single"]) < 1e-6
    assert legend(ax) == ["float32", "float64", "$10^{-6}$"]
    assert ax.get_yscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "largest difference")


def stored(names, group):
    """The stored cases of a group, in the order in which they were run."""
    cases = names["results"]["cases"]
    return [case for case in cases if case["group"] == group]


def times_of_all_ways(figure, names):
    for ax, group, ways in zip(
        figure.axes,
        ("iterate", "train"),
        (names["ways"].ITERATORS, names["ways"].TRAINERS),
        strict=True,
    ):
        for artist, way in zip(ax.lines, ways, strict=True):
            cases = [c for c in stored(names, group) if c["way"] == way]
            times = [1e6 * c["seconds"] / c["n"] for c in cases]
            line(artist, range(3), times)
            assert artist.get_label() == way
        assert legend(ax) == list(ways)
        assert ax.get_legend().get_title().get_text() == group
        assert ax.get_yscale() == "log"
        assert [tick.get_text() for tick in ax.get_xticklabels()] == [
            f"$n$ = {c['n']:,}\n$m$ = {c['batch_size']}" for c in cases
        ]
    assert figure.axes[0].get_ylabel() == "microseconds per example"


def times_and_losses(figure, names):
    left, right = figure.axes
    cases = stored(names, "batch size")
    sizes = [case["batch_size"] for case in cases]
    (times,) = left.lines
    line(times, sizes, [case["seconds"] for case in cases])
    losses, floor = right.lines
    with torch.random.fork_rng(devices=[]):
        expected = [names["loss_after_one_epoch"](size) for size in sizes]
    line(losses, sizes, expected)
    level_line(floor, 0.01**2 / 2)
    assert legend(right) == [r"$\sigma^2/2$"]
    for ax in (left, right):
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert ax.get_xlabel() == "batch size"
    assert left.get_ylabel() == "seconds for one epoch"
    assert right.get_ylabel() == "mean loss afterwards"


def costs_in_proportion(figure, names):
    for ax, key in zip(figure.axes, ("seconds", "bytes"), strict=True):
        cases = stored(names, "growth")
        n = np.array([case["n"] for case in cases])
        costs = np.array([case[key] for case in cases])
        measured, straight = ax.lines
        line(measured, n, costs)
        line(straight, n, costs[0] / n[0] * n)
        assert (measured.get_linestyle(), measured.get_marker()) == (
            "None",
            "o",
        )
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("n", key)


def two_orders(figure, names):
    (ax,) = figure.axes
    n, size = len(names["place"]), 100
    for cloud, order in zip(
        ax.collections, names["orders"].values(), strict=True
    ):
        dots(cloud, range(n), order)
        assert sorted(order.int().tolist()) == list(range(n))
    full, blocks = (cloud.get_offsets()[:, 1] for cloud in ax.collections)
    assert all(len({*run // size}) == 1 for run in blocks.reshape(-1, size))
    assert all(len({*run // size}) > 5 for run in full.reshape(-1, size))
    assert legend(ax) == ["full shuffle", "blocks of 100"]
    assert ax.get_xlabel() == "read as number"
    assert ax.get_ylabel() == "place in the file"


def step_times(xlabel, x, curves):
    def check(figure, names):
        (ax,) = figure.axes
        expected = eval(curves, dict(names))
        for artist, times in zip(ax.lines, expected.values(), strict=True):
            line(artist, eval(x, dict(names)), times)
        assert legend(ax) == list(expected)
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert (ax.get_xlabel(), ax.get_ylabel()) == (xlabel, "microseconds")

    return check


PICTURES = {
    "01-data": [
        data_and_lines("features", "labels", "true_w", "true_b"),
        data_and_lines("X", "y", "true_w", "true_b"),
    ],
    "02-iteration": [batch_in_the_whole],
    "03-autograd": [graph],
    "04-model": [data_and_lines("features", "labels", "w", "b.item()")],
    "05-loss": [bowl_and_path("path", "true_b")],
    "06-sgd": [bowl_and_path("path", "b.item()")],
    "07-training": [
        loss_curves("{'lr=0.03': losses}"),
        bowl_and_path("torch.stack(path[:200])", "true_b"),
        loss_curves("curves"),
    ],
    "08-evaluation": [
        error_bars("{'SGD': [w, b], 'least squares': [best_w, best_b]}"),
        residuals,
    ],
    "09-concise": [differences_in_steps],
    "10-check": [
        error_bars(
            "{'train': [results['train']],"
            " 'train, lr decay': [results['train, lr decay']],"
            " 'lstsq': [best]}"
        )
    ],
    "11-speed": [times_of_all_ways, times_and_losses, costs_in_proportion],
    "12-scale": [
        two_orders,
        step_times(
            "batch size",
            "measured['batch_sizes']",
            "{'1 process': measured['step_us']['1'],"
            " '2 processes': measured['step_us']['2']}",
        ),
        step_times(
            "processes",
            "[1, 2, 4, 8, 16, 32, 64]",
            "{f'batch of 1e{k}': [c * 10**k / 2**j + a * j for j in range(7)]"
            " for k in (5, 6, 7)}",
        ),
    ],
}


def drawn(path):
    """The cells that draw, each with its figure and the names it had."""
    done = run(path)
    for cell in nbformat.read(path, as_version=4).cells:
        for figure in done.figures.get(cell.id, []):
            yield cell, figure, done.states[cell.id]


FIGURES = [
    pytest.param(path, number, id=f"{path.stem}-{number + 1}")
    for path in NOTEBOOKS
    for number in range(len(PICTURES.get(path.stem, [])))
]
each_figure = pytest.mark.parametrize(("path", "number"), FIGURES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_is_checked(path):
    cells = [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if "image/png" in str(cell.get("outputs", ""))
    ]
    assert [cell.id for cell, *_ in drawn(path)] == [cell.id for cell in cells]
    assert len(PICTURES.get(path.stem, [])) == len(cells)


@each_figure
def test_shows_what_it_must(path, number):
    _, figure, names = list(drawn(path))[number]
    PICTURES[path.stem][number](figure, names)


def data_artists(figure):
    for ax in figure.axes:
        yield from (*ax.lines, *ax.collections, *ax.patches)
        if not (ax.lines or ax.collections or ax.patches):
            yield from (text for text in ax.texts if text.get_text())


@contextlib.contextmanager
def spoiled(artist):
    """Draw the wrong thing for a while."""
    if isinstance(artist, mpl.lines.Line2D):
        good, put = artist.get_ydata(orig=False), artist.set_ydata
        wrong = np.asarray(good) * 1.1 + 0.01
    elif isinstance(artist, PathCollection):
        good, put = artist.get_offsets(), artist.set_offsets
        wrong = good[::-1]
    elif isinstance(artist, ContourSet):
        good, put = artist.get_paths(), artist.set_paths
        wrong = [Outline(path.vertices + 0.5, path.codes) for path in good]
    elif isinstance(artist, mpl.patches.Rectangle):
        good, put = artist.get_height(), artist.set_height
        wrong = good * 1.1 + 0.01
    else:
        good, put = artist.get_text(), artist.set_text
        wrong = good + "0"
    put(wrong)
    try:
        yield
    finally:
        put(good)


@each_figure
def test_a_spoiled_figure_is_noticed(path, number):
    _, figure, names = list(drawn(path))[number]
    check = PICTURES[path.stem][number]
    artists = list(data_artists(figure))
    assert artists
    for artist in artists:
        with spoiled(artist), pytest.raises(AssertionError):
            check(figure, names)
    check(figure, names)


def corners(artist):
    """Where on the canvas the data of an artist lie."""
    if isinstance(artist, PathCollection):
        return artist.get_offset_transform().transform(artist.get_offsets())
    if isinstance(artist, ContourSet):
        vertices = np.concatenate([p.vertices for p in artist.get_paths()])
        return artist.get_transform().transform(vertices)
    return artist.get_transform().transform(artist.get_path().vertices)


@each_figure
def test_what_is_drawn_is_in_sight_and_named(path, number):
    _, figure, _ = list(drawn(path))[number]
    figure.draw_without_rendering()
    for ax in figure.axes:
        low, high = ax.get_window_extent().get_points()
        for artist in (*ax.lines, *ax.collections, *ax.patches):
            assert artist.get_visible()
            points = corners(artist)
            assert np.isfinite(points).all()
            assert (low - 1 <= points).all()
            assert (points <= high + 1).all()
        if ax.axison:
            ticks = [tick.get_text() for tick in ax.get_xticklabels()]
            assert ax.get_xlabel() or any("$" in tick for tick in ticks)
        named = [a for a in ax.lines if not a.get_label().startswith("_")]
        assert len(named) < 2 or ax.get_legend()


KINDS = {
    "散点图": lambda ax: any(
        isinstance(c, PathCollection) for c in ax.collections
    ),
    "等高线": lambda ax: any(
        isinstance(c, ContourSet) for c in ax.collections
    ),
    "计算图": lambda ax: not ax.axison,
    "曲线": lambda ax: any(len(line.get_xdata()) > 2 for line in ax.lines),
    "柱": lambda ax: 0 < len(ax.patches) < 20,
    "直方图": lambda ax: len(ax.patches) >= 20,
}
COLOURS = {
    "蓝": plot.BLUE,
    "橙": plot.ORANGE,
    "绿": plot.GREEN,
    "灰": plot.GREY,
}


@each_figure
def test_alternative_text_names_what_is_to_be_seen(path, number):
    cell, figure, _ = list(drawn(path))[number]
    alt = cell.metadata["mystnb"]["image"]["alt"]
    chinese = [c for c in alt if "\u4e00" <= c <= "\u9fff"]
    assert len(chinese) >= 20
    for ax in figure.axes:
        assert any(word in alt for word, seen in KINDS.items() if seen(ax))
    used = {c for ax in figure.axes for c in colours(ax)}
    for word, colour in COLOURS.items():
        if word in alt:
            assert to_hex(colour) in used


def colours(ax):
    """The colours of lines, dots, bars and words, as they lie on white."""
    paints = [line.get_color() for line in ax.lines]
    paints += [text.get_color() for text in ax.texts if text.get_text()]
    for artist in ax.collections:
        paints += list(artist.get_edgecolor())
    paints += [patch.get_facecolor() for patch in ax.patches]
    for paint in paints:
        *rgb, alpha = to_rgba(paint)
        yield to_hex([alpha * c + 1 - alpha for c in rgb])


# How a colour looks to who lacks one kind of cone: linear RGB. G. M. Machado,
# M. M. Oliveira, L. A. F. Fernandes: A physiologically-based model for
# simulation of color vision deficiency (2009), table for severity 1.0.
EYES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "all cones": np.eye(3),
}
XYZ = [  # of sRGB, white point D65
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
]
PALETTE = [plot.BLUE, plot.ORANGE, plot.GREEN, plot.GREY, "black"]


def linear(colour):
    srgb = np.array(to_rgb(colour))
    return np.where(
        srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4
    )


def lab(rgb):
    xyz = XYZ @ np.clip(rgb, 0, 1) / np.sum(XYZ, axis=1)
    f = np.where(
        xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116
    )
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def difference(one, other, eye):
    """CIE 1976 colour difference; 2 is just to be noticed side by side."""
    seen = [lab(EYES[eye] @ linear(colour)) for colour in (one, other)]
    return np.linalg.norm(np.subtract(*seen))


def contrast(colour, paper):
    """WCAG 2: the ratio of relative luminances."""
    light = sorted(linear(c) @ XYZ[1] + 0.05 for c in (colour, paper))
    return light[1] / light[0]


def in_the_dark(colour):
    """The theme's filter for pictures: brightness(0.8) contrast(1.2)."""
    return np.clip((0.8 * np.array(to_rgb(colour)) - 0.5) * 1.2 + 0.5, 0, 1)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize(
    ("one", "other"), [*itertools.combinations(PALETTE, 2)]
)
def test_colours_are_told_apart(one, other, eye):
    assert difference(one, other, eye) > 15


def test_red_and_green_are_known_to_be_mistaken():
    assert difference("#d62728", "#2ca02c", "all cones") > 100
    assert difference("#d62728", "#2ca02c", "deuteranopia") < 10


@each_figure
def test_is_legible_in_light_and_dark(path, number):
    _, figure, _ = list(drawn(path))[number]
    assert to_rgba(figure.get_facecolor()) == (1, 1, 1, 1)
    for ax in figure.axes:
        assert to_rgba(ax.get_facecolor()) == (1, 1, 1, 1)
        for colour in colours(ax):
            assert contrast(colour, "white") >= 3, colour
            dark = contrast(in_the_dark(colour), in_the_dark("white"))
            assert dark >= 3, colour


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_pictures_have_white_paper(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            png = output.get("data", {}).get("image/png")
            if png:
                file = io.BytesIO(base64.b64decode(png))
                pixels = matplotlib.image.imread(file)
                assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] == 1).all()
