from figures.parts import close, level_line, line


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
        assert ax.get_legend().get_title().get_text() == group
        assert ax.get_yscale() == "log"


def times_to_the_floor(figure, names):
    (ax,) = figure.axes
    cases = stored(names, "batch size")
    sizes = [case["batch_size"] for case in cases] + [10_000]
    each = [c["seconds"] / -(-10_000 // c["batch_size"]) for c in cases]
    (full,) = (c for c in stored(names, "full batch") if c["n"] == 10_000)
    each.append(full["seconds"] / full["steps"])
    fixed, tuned, exact = ax.lines
    for artist, times in ((fixed, names["fixed"]), (tuned, names["tuned"])):
        line(artist, sizes, times)
        steps = [t / 1e3 / one for t, one in zip(times, each, strict=True)]
        close(steps, [round(step) for step in steps])
    (solved,) = (
        case["seconds"]
        for case in stored(names, "least squares")
        if (case["n"], case["dtype"]) == (10_000, "float64")
    )
    level_line(exact, 1e3 * solved)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


PICTURES = [
    times_of_all_ways,
    times_to_the_floor,
]
