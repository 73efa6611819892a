import numpy as np

from figures.parts import bowl_and_path, legend, line, loss_curves


def distances(xlabel, curves):
    def check(figure, names):
        (ax,) = figure.axes
        expected = eval(curves, dict(names))
        for artist, values in zip(ax.lines, expected.values(), strict=True):
            line(artist, range(len(values)), values)
        assert legend(ax) == list(expected)
        assert ax.get_yscale() == "log"
        assert (ax.get_xlabel(), ax.get_ylabel()) == (xlabel, "distance")

    return check


def measured_and_predicted(figure, names):
    gaps = names["path"][:335].double() - names["target"].double()
    measured = np.linalg.norm(gaps.numpy(), axis=1)
    predicted = measured[0] * 0.97 ** np.arange(335)
    curves = {"measured": measured, "$0.97^k$": predicted}
    distances("step $k$", "curves")(figure, {"curves": curves})


PICTURES = [
    measured_and_predicted,
    bowl_and_path("path[:201, :2]", "true_b"),
    loss_curves("curves"),
    distances("epoch", "races"),
]
