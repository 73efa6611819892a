import numpy as np

from figures.parts import close, legend, line
from linreg.plot import BLUE, ORANGE


def by_the_formula(names, size, p):
    """T(p), with the constants that fit the powers of ten best."""
    measured = names["measured"]
    ring_step = measured["all_reduce_us"] / 2
    rows, times = [], []
    for m, one, two in zip(
        measured["batch_sizes"], *measured["step_us"].values(), strict=True
    ):
        if str(m).rstrip("0") == "1":
            rows += [[1 / one, 0, m / one], [1 / two, 1 / two, m / 2 / two]]
            times += [1, 1]
    start, more, example = np.linalg.pinv(np.array(rows)) @ np.array(times)
    ring = 2 * (p - 1) * ring_step
    shared = more - 2 * ring_step + ring if p > 1 else 0
    return start + example * size / p + shared


def measured_and_formula(figure, names):
    (ax,) = figure.axes
    sizes = names["measured"]["batch_sizes"]
    measured = [names["measured"]["step_us"][key] for key in ("1", "2")]
    solid, dashed = ax.lines[:2], ax.lines[2:]
    for artist, times, color in zip(
        solid, measured, (BLUE, ORANGE), strict=True
    ):
        line(artist, sizes, times)
        assert (artist.get_linestyle(), artist.get_color()) == ("-", color)
    for artist, p, color in zip(dashed, (1, 2), (BLUE, ORANGE), strict=True):
        line(artist, sizes, [by_the_formula(names, m, p) for m in sizes])
        assert (artist.get_linestyle(), artist.get_color()) == ("--", color)
    assert legend(ax) == ["1 process", "2 processes", "T(1)", "T(2)"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "batch size"
    assert ax.get_ylabel() == "microseconds"


def more_processes(figure, names):
    (ax,) = figure.axes
    powers, processes = (5, 6, 7), [2**j for j in range(7)]
    for artist, k in zip(ax.lines, powers, strict=True):
        times = [by_the_formula(names, 10**k, p) for p in processes]
        line(artist, processes, times)
    (cloud,) = ax.collections
    measured = names["measured"]
    places = [measured["batch_sizes"].index(10**k) for k in (5, 6)]
    times = [measured["step_us"][p][i] for p in ("1", "2") for i in places]
    close(cloud.get_offsets(), np.stack([[1] * 2 + [2] * 2, times], axis=1))
    batches = [f"batch of 1e{k}" for k in powers]
    assert legend(ax) == [*batches, "measured"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "processes"
    assert ax.get_ylabel() == "microseconds"


PICTURES = [measured_and_formula, more_processes]
