import numpy as np

from figures.parts import close, dots, legend, line
from linreg.plot import BLUE, ORANGE


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


def by_the_formula(names, size, p):
    """T(p), from what was measured."""
    measured = names["measured"]
    sizes = measured["batch_sizes"]
    one, two = (measured["step_us"][key] for key in ("1", "2"))
    ring_step = measured["all_reduce_us"] / 2
    example = (one[sizes.index(10**6)] - one[0]) / 10**6
    own = two[0] - one[0] - 2 * ring_step
    time = one[0] + example * size / p
    return time + (own + 2 * (p - 1) * ring_step if p > 1 else 0)


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
    places = [measured["batch_sizes"].index(10**k) for k in powers]
    times = [measured["step_us"][p][i] for p in ("1", "2") for i in places]
    close(cloud.get_offsets(), np.stack([[1] * 3 + [2] * 3, times], axis=1))
    batches = [f"batch of 1e{k}" for k in powers]
    assert legend(ax) == [*batches, "measured"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "processes"
    assert ax.get_ylabel() == "microseconds"


PICTURES = [two_orders, measured_and_formula, more_processes]
