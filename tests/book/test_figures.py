"""Every figure of the book, by what it shows in the state it was drawn in.

`figures/` has a function for each: it computes anew, from the names of the
chapter at that cell, what the figure must show.
"""

import base64
import io
from importlib import import_module

import matplotlib.image
import nbformat
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.contour import ContourSet
from notebook_run import NOTEBOOKS, each_notebook, run

from linreg.pictures import plot


def pictures(path):
    """The functions for the figures of a text."""
    try:
        return import_module(f"figures.chapter{path.stem[:2]}").PICTURES
    except ModuleNotFoundError:
        return []


def drawn(path):
    """The cells that draw, each with its figure and the names it had."""
    done = run(path)
    for cell in nbformat.read(path, as_version=4).cells:
        for figure in done.figures.get(cell.id, []):
            yield cell, figure, done.states[cell.id]


FIGURES = [
    pytest.param(path, number, id=f"{path.stem}-{number + 1}")
    for path in NOTEBOOKS
    for number in range(len(pictures(path)))
]
each_figure = pytest.mark.parametrize(("path", "number"), FIGURES)


@each_notebook
def test_every_figure_is_checked(path):
    cells = [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if "image/png" in str(cell.get("outputs", ""))
    ]
    assert [cell.id for cell, *_ in drawn(path)] == [cell.id for cell in cells]
    assert len(pictures(path)) == len(cells)


@each_figure
def test_shows_what_it_must(path, number):
    _, figure, names = list(drawn(path))[number]
    pictures(path)[number](figure, names)


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
    "牌": lambda ax: not ax.axison,
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


def contrast(colour):
    """With white paper, as WCAG defines it: from 1, for white, to 21."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in to_rgb(colour)
    ]
    return 1.05 / (np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05)


@each_figure
def test_is_legible(path, number):
    """In the dark too: the theme's filter leaves more of these contrasts."""
    _, figure, _ = list(drawn(path))[number]
    for ax in figure.axes:
        for colour in colours(ax):
            assert contrast(colour) >= 3, colour


@each_notebook
def test_stored_pictures_have_white_paper(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            png = output.get("data", {}).get("image/png")
            if png:
                file = io.BytesIO(base64.b64decode(png))
                pixels = matplotlib.image.imread(file)
                assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] == 1).all()
