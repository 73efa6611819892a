import numpy as np

from figures.parts import close, legend


def differences_in_steps(figure, names):
    (ax,) = figure.axes
    single, double = ax.collections
    for artist, name in ((single, "single"), (double, "double")):
        gaps = np.array(names[name])
        (unequal,) = gaps.nonzero()
        steps, heights = artist.get_offsets().T
        close(steps, unequal + 1)
        close(np.log10(heights), np.log10(gaps[unequal]))
    (limit,) = ax.lines
    assert set(limit.get_ydata()) == {1e-6}
    assert max(names["double"]) < max(names["single"]) < 1e-6
    assert legend(ax) == ["float32", "float64", "$10^{-6}$"]
    assert ax.get_yscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "largest difference")


PICTURES = [
    differences_in_steps,
]
