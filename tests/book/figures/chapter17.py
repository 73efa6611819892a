from figures.parts import line
from linreg.pictures.plot import BLUE, ORANGE


def time_to_the_loss(figure, names):
    (ax,) = figure.axes
    runs = names["figures"]["to_loss"]["runs"]
    sizes = [run["batch_size"] for run in runs]
    for k, (artist, color) in enumerate(
        zip(ax.lines, (BLUE, ORANGE), strict=True)
    ):
        line(artist, sizes, [run["ms"][k] for run in runs])
        assert artist.get_color() == color
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


PICTURES = [time_to_the_loss]
