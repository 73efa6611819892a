import numpy as np
import torch

from figures.parts import legend, level_line, line


def stored(names, group):
    """The stored cases of a group, in the order in which they were run."""
    cases = names["results"]["cases"]
    return [case for case in cases if case["group"] == group]


def times_of_all_ways(figure, names):
    exact = [
        case | {"way": "least squares"}
        for case in stored(names, "least squares")
        if case["dtype"] == "float64"
        and case["n"] in (1_000, 100_000, 1_000_000)
    ]
    for ax, group, cases in zip(
        figure.axes,
        ("iterate", "train"),
        (stored(names, "iterate"), stored(names, "train") + exact),
        strict=True,
    ):
        ways = list(dict.fromkeys(case["way"] for case in cases))
        for artist, way in zip(ax.lines, ways, strict=True):
            rows = [c for c in cases if c["way"] == way]
            times = [1e6 * c["seconds"] / c["n"] for c in rows]
            line(artist, range(3), times)
            assert artist.get_label() == way
        looks = {
            (a.get_color(), a.get_marker(), a.get_linestyle())
            for a in ax.lines
        }
        assert len(looks) == len(ways)
        assert legend(ax) == ways
        assert ax.get_legend().get_title().get_text() == group
        assert ax.get_yscale() == "log"
        assert [tick.get_text() for tick in ax.get_xticklabels()] == [
            f"$n$ = {c['n']:,}\n$m$ = {c['batch_size']}"
            for c in cases
            if c["way"] == ways[0]
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
    assert np.all(np.diff(sizes) > 0)
    for ax in (left, right):
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert ax.get_xlabel() == "batch size"
    assert left.get_ylabel() == "seconds for one epoch"
    assert right.get_ylabel() == "mean loss afterwards"


PICTURES = [
    times_of_all_ways,
    times_and_losses,
]
