"""Figures that also say in words what they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FuncFormatter

DATA_TYPE = "application/vnd.linreg.explore+json"


def in_words(figure: Figure) -> str:
    """List what is drawn: axes, curves, clouds, bars, texts, names of marks.

    Args:
        figure: any figure of matplotlib.

    Returns:
        A line for each of them; numbers have three digits.
    """
    lines = [Figure.__repr__(figure)]
    for ax in figure.axes:
        lines.append(_axis(ax))
        lines += [f"  {line}" for line in _artists(ax)]
    return "\n".join(lines)


def _bundle(picture: Picture, **_: object) -> dict[str, Any]:
    """Give Jupyter the data beside the image, where there are any."""
    return {} if picture.data is None else {DATA_TYPE: picture.data}


class Picture(Figure):
    """A figure whose plain-text form is the list of what is drawn.

    Jupyter keeps that text beside the image: for those who cannot see it, and
    for the tests of this book, which compare it. Where the site has a figure
    that answers, `linreg.pictures.explore` adds the data for it.
    """

    data: Mapping[str, Any] | None = None
    __repr__ = in_words
    _repr_mimebundle_ = _bundle


def _axis(ax: Axes) -> str:
    if not ax.axison:
        return f"no axes, x {_row(ax.get_xlim())}, y {_row(ax.get_ylim())}"
    return f"x: {ax.get_xlabel()}, y: {ax.get_ylabel()}, {ax.get_yscale()}"


def _artists(ax: Axes) -> Iterator[str]:
    written: list[Text] = []  # on the contours, where matplotlib finds room
    for artist in ax.collections:
        if isinstance(artist, ContourSet):
            written += artist.labelTexts
            box = artist.get_datalim(ax.transData)
            heights = _row(artist.levels)
            yield f"contours, {_row(box.min)} to {_row(box.max)}, at {heights}"
        elif isinstance(artist, PathCollection):
            look = f"size {_row(artist.get_sizes())}"
            color = to_hex(np.asarray(artist.get_facecolor())[0])
            yield f"dots, {_points(artist.get_offsets())}, {look}, {color}"
    for line in ax.lines:
        look = f"{line.get_linestyle()} {line.get_linewidth()}"
        look += f", {line.get_marker()} {line.get_markersize()}"
        color = to_hex(line.get_color())
        yield f"line, {_points(line.get_xydata())}, {look}, {color}"
    for bars in ax.containers:
        if isinstance(bars, BarContainer):
            tops = [(bar.get_x(), bar.get_height()) for bar in bars]
            look = f"width {_row([bars[0].get_width()])}"
            color = to_hex(bars[0].get_facecolor(), keep_alpha=True)
            yield f"bars, {_points(tops)}, {look}, {color}"
    for text in ax.texts:
        if text not in written:
            yield _text(text)
    # matplotlib's numbers are left out, names that were given are told.
    if isinstance(ax.xaxis.get_major_formatter(), FuncFormatter):
        names = [text.get_text() for text in ax.get_xticklabels()]
        yield f"marks on x: {', '.join(names)}"
    legend = ax.get_legend()
    if legend:
        names = [text.get_text() for text in legend.get_texts()]
        yield f"legend: {', '.join(names)}"


def _text(text: Text) -> str:
    if isinstance(text, Annotation) and text.arrow_patch:
        color = to_hex(text.arrow_patch.get_edgecolor())
        return f"arrow, {_row(text.xyann)} to {_row(text.xy)}, {color}"
    side = text.get_horizontalalignment()
    color = to_hex(text.get_color())
    box = text.get_bbox_patch()
    frame = f", framed {to_hex(box.get_edgecolor())}" if box else ""
    place = _row(text.get_position())
    return f"{text.get_text()!r}, {side} at {place}, {color}{frame}"


def _points(points: object) -> str:
    xy = np.asarray(points)
    return f"{len(xy)} from {_row(xy[0])} to {_row(xy[-1])}"


def _row(numbers: Iterable[float]) -> str:
    return "(" + ", ".join(f"{number:.3g}" for number in numbers) + ")"
