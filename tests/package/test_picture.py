import matplotlib.pyplot as plt
import pytest

from linreg.pictures.picture import Picture, in_words


@pytest.fixture
def ax():
    figure, ax = plt.subplots(FigureClass=Picture)
    yield ax
    plt.close(figure)


def words(ax):
    """What is said about the artists."""
    first, axis, *rest = repr(ax.figure).splitlines()
    assert first == "<Picture size 640x480 with 1 Axes>"
    assert axis == "x: , y: , linear"
    return rest


def test_axes(ax):
    ax.set(xlabel="epoch", ylabel="loss", yscale="log")
    assert repr(ax.figure).splitlines()[1:] == ["x: epoch, y: loss, log"]


def test_no_axes(ax):
    ax.set(xlim=(-1, 2.5), ylim=(0.12345, 3))
    ax.set_axis_off()
    expected = ["no axes, x (-1, 2.5), y (0.123, 3)"]
    assert repr(ax.figure).splitlines()[1:] == expected


def test_every_axes():
    figure = plt.figure(FigureClass=Picture)
    for ax, name in zip(figure.subplots(1, 2), "ab", strict=True):
        ax.set_xlabel(name)
        ax.plot([0, 1], [2, 3], color="red" if name == "a" else "blue")
    assert repr(figure).splitlines()[1:] == [
        "x: a, y: , linear",
        "  line, 2 from (0, 2) to (1, 3), - 1.5, None 6.0, #ff0000",
        "x: b, y: , linear",
        "  line, 2 from (0, 2) to (1, 3), - 1.5, None 6.0, #0000ff",
    ]
    plt.close(figure)


def test_line(ax):
    ax.plot([0, 1, 4], [1, 2, 2 / 3], "v--", color="red", lw=2, ms=5)
    expected = "  line, 3 from (0, 1) to (4, 0.667), -- 2.0, v 5.0, #ff0000"
    assert words(ax) == [expected]


def test_dots(ax):
    ax.scatter([1, 2, 3], [4, 5, 6], s=9, color="#123456")
    expected = "  dots, 3 from (1, 4) to (3, 6), size (9), #123456"
    assert words(ax) == [expected]


def test_contours(ax):
    heights = [[0, 4], [0, 4]]
    for levels in ([1, 2], [3]):
        contours = ax.contour([0, 2], [0, 3], heights, levels=levels)
        ax.clabel(contours, inline=False)
    ax.text(0, 0, "here")
    assert words(ax) == [
        "  contours, (0.5, 0) to (1, 3), at (1, 2)",
        "  contours, (1.5, 0) to (1.5, 3), at (3)",
        "  'here', left at (0, 0), #000000",
    ]


def test_bars(ax):
    ax.bar([1, 2, 3], [5, 4, 6], 0.5, color="red", alpha=0.6)
    expected = "  bars, 3 from (0.75, 5) to (2.75, 6), width (0.5), #ff000099"
    assert words(ax) == [expected]


def test_one_bar(ax):
    ax.bar([1], [5], 0.5, color="red")
    expected = "  bars, 1 from (0.75, 5) to (0.75, 5), width (0.5), #ff0000ff"
    assert words(ax) == [expected]


def test_texts(ax):
    ax.text(1, 2, "a\nb", ha="center", color="red")
    ax.text(3, 4, "c", bbox={"ec": "#123456"})
    ax.annotate(
        "", (5, 6), (7, 8), arrowprops={"arrowstyle": "->", "color": "blue"}
    )
    ax.annotate("d", (5, 6))
    assert words(ax) == [
        "  'a\\nb', center at (1, 2), #ff0000",
        "  'c', left at (3, 4), #000000, framed #123456",
        "  arrow, (7, 8) to (5, 6), #0000ff",
        "  'd', left at (5, 6), #000000",
    ]


def test_names_of_marks(ax):
    ax.set_xticks([0, 1], ["one", "two"])
    ax.set_yticks([0, 1])
    assert words(ax) == ["  marks on x: one, two"]


def test_legend(ax):
    ax.plot([1], [2], label="one")
    ax.scatter([1], [2], label="two")
    ax.legend()
    assert words(ax)[-1] == "  legend: one, two"


def test_what_is_not_known_is_left_out(ax):
    ax.quiver([0], [0], [1], [1])
    ax.errorbar([1], [2], yerr=[0.5])
    assert len(words(ax)) == 1  # the line inside the error bar


def test_any_figure():
    figure, _ = plt.subplots()
    expected = "<Figure size 640x480 with 1 Axes>\nx: , y: , linear"
    assert in_words(figure) == expected
    plt.close(figure)
