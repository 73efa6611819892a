"""The pictures are judged by what matplotlib's artists hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from linreg import linreg, plot, squared_loss
from linreg.picture import Picture

FEATURES = torch.tensor([[0.0, 1.0], [1.0, -1.0], [2.0, 3.0]])
LABELS = torch.tensor([[4.0], [5.0], [-2.0]])
W = torch.tensor([2, -3.4])
LINE = torch.tensor([[1.5]]), torch.tensor([-1.0])
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def calls():
    path = torch.tensor([[0.0, 0.0], [1.0, -2.0], [2.0, -3.0]])
    return {
        "plot_data": (FEATURES, LABELS, W, 4.2),
        "plot_batch": (FEATURES, LABELS, FEATURES[:1], LABELS[:1]),
        "plot_graph": (torch.arange(4.0),),
        "plot_loss_surface": (FEATURES, LABELS, 4.2, path),
        "plot_losses": ({"a": [1.0, 0.1]}, 0.01),
        "plot_residuals": (LABELS + 0.01, LABELS, 0.01),
        "plot_errors": ({"a": torch.tensor([0.1, -0.2, 0.3])}, 0.05),
        "plot_visits": ({"a": torch.tensor([2, 0, 1])},),
        "plot_batches": ([torch.tensor([2, 0]), torch.tensor([1])],),
        "plot_squares": (FEATURES[:, :1], LABELS, W[:1], 4.2),
        "plot_predictions": (FEATURES[:, :1], LABELS, *LINE),
        "plot_error_cloud": ({"a": torch.tensor([[0.1, -0.2]])}, {"b": 0.3}),
        "plot_step_times": ("batch size", [1, 10], {"a": [5.0, 7.0]}),
    }


def test_every_picture_is_tested():
    public = {name for name in vars(plot) if name.startswith("plot_")}
    assert public == set(calls())


@pytest.mark.parametrize("name", sorted(set(calls()) - {"plot_data"}))
def test_draws_into_the_given_axes_or_a_new_figure(name):
    function, arguments = getattr(plot, name), calls()[name]
    _, given = plt.subplots()
    assert function(*arguments, ax=given) is given
    assert len(plt.get_fignums()) == 1
    made = function(*arguments)
    assert isinstance(made, Axes)
    assert made.figure is not given.figure
    sizes = {
        "plot_graph": [4.8, 2.0],
        "plot_loss_surface": [4.2, 4.6],
        "plot_batches": [4.8, 2.0],
        "plot_squares": [4.2, 4.6],
        "plot_error_cloud": [4.2, 4.2],
    }
    size = sizes.get(name, [4.8, 3.2])
    assert made.figure.get_size_inches().tolist() == size
    assert made.figure.get_constrained_layout()
    assert isinstance(made.figure, Picture)
    made.figure.canvas.draw()


def points(collection):
    return np.asarray(collection.get_offsets()).tolist()


def dots(collection):
    """Size and colour of a scatter plot."""
    (size,), (color,) = collection.get_sizes(), collection.get_facecolor()
    return size, to_hex(color).upper()


def style(line):
    """How a line looks: width 0 where only the markers show."""
    width = line.get_linewidth() if line.get_linestyle() != "None" else 0
    marker = line.get_marker()
    size = 0 if marker == "None" else line.get_markersize()
    return line.get_color(), line.get_linestyle(), width, marker, size


def legend(ax):
    texts = ax.get_legend().get_texts()
    assert {text.get_fontsize() for text in texts} == {8.33}
    return [text.get_text() for text in texts]


def assert_card(box, color):
    assert to_hex(box.get_facecolor()) == "#ffffff"
    assert to_hex(box.get_edgecolor()) == color.lower()
    assert type(box.get_boxstyle()).__name__ == "Round"
    assert box.get_boxstyle().pad == 0.5


def assert_legend_above(ax):
    """It begins where the axes end: at their top left corner."""
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    low, high = ax.get_window_extent().get_points()
    assert box.x0 == pytest.approx(low[0], abs=10)
    assert box.y0 == pytest.approx(high[1], abs=10)


def test_data():
    axes = plot.plot_data(FEATURES, LABELS, W, 4.2)
    assert len(axes) == 2
    for j, ax in enumerate(axes):
        (scatter,) = ax.collections
        expected = torch.stack([FEATURES[:, j], LABELS.flatten()], dim=1)
        assert points(scatter) == expected.tolist()
        assert dots(scatter) == (3, BLUE)
        (line,) = ax.lines
        low, high = FEATURES[:, j].min(), FEATURES[:, j].max()
        ends = [[x, W[j] * x + 4.2] for x in (low, high)]
        assert np.allclose(line.get_xydata(), ends)
        assert style(line) == (ORANGE, "-", 1.5, "None", 0)
        assert ax.get_xlabel() == f"$x_{j + 1}$"
        assert legend(ax) == ["examples", f"$w_{j + 1} x_{j + 1} + b$"]
    assert [ax.get_ylabel() for ax in axes] == ["y", ""]
    assert axes[0].get_ylim() == axes[1].get_ylim()
    given = plt.figure().subplots(1, 2)
    assert plot.plot_data(FEATURES, LABELS, W, 4.2, given) is given


@pytest.mark.parametrize("d", [1, 2])
def test_data_makes_one_row_of_axes(d):
    axes = plot.plot_data(FEATURES[:, :d], LABELS, W[:d], 4.2)
    assert len(axes) == d
    assert axes[0].get_gridspec().get_geometry() == (1, d)
    figure = axes[0].figure
    assert isinstance(figure, Picture)
    assert figure.get_size_inches().tolist() == [3.2 * d, 3]
    assert figure.get_constrained_layout()


def test_batch():
    features = torch.cat([torch.zeros(3, 1), FEATURES], dim=1)
    ax = plot.plot_batch(features, LABELS, features[1:], LABELS[1:])
    everything, batch = ax.collections
    assert points(everything) == [[1.0, 4.0], [-1.0, 5.0], [3.0, -2.0]]
    assert points(batch) == [[-1.0, 5.0], [3.0, -2.0]]
    assert dots(everything) == (4, GREY)
    assert dots(batch) == (40, ORANGE)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_3$", "y")
    assert legend(ax) == ["all examples", "mini-batch"]


def test_graph_shows_values_and_gradients():
    x = torch.arange(4.0)
    ax = plot.plot_graph(x)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.7, 4.7), (-0.8, 0.5))
    assert not ax.axison
    assert x.grad is None
    assert not x.requires_grad
    arrows = [text for text in ax.texts if hasattr(text, "arrow_patch")]
    texts = {
        text.get_text(): (*text.get_position(), text.get_color())
        for text in ax.texts
        if text not in arrows
    }
    assert texts == {
        "forward: values": (2, 0.4, BLUE),
        "backward: gradients": (2, -0.7, ORANGE),
        "x\n[0, 1, 2, 3]": (0, 0, "black"),
        "s = x·x\n14": (2, 0, "black"),
        "y = 2s\n28": (4, 0, "black"),
        "dy/dx = [0, 4, 8, 12]": (0, -0.42, ORANGE),
        "dy/ds = 2": (2, -0.42, ORANGE),
    }
    for text in ax.texts:
        box = text.get_bbox_patch()
        if text not in arrows:
            assert text.get_ha() == "center"
            assert (box is not None) == (text.get_position()[1] == 0)
        if box:
            assert text.get_va() == "center"
            assert_card(box, BLUE)
    assert [
        (arrow.xyann, arrow.xy, to_hex(arrow.arrow_patch.get_edgecolor()))
        for arrow in arrows
    ] == [
        ((0.6, 0.08), (1.5, 0.08), BLUE.lower()),
        ((1.5, -0.08), (0.6, -0.08), ORANGE.lower()),
        ((2.6, 0.08), (3.5, 0.08), BLUE.lower()),
        ((3.5, -0.08), (2.6, -0.08), ORANGE.lower()),
    ]
    assert {arrow.arrowprops["arrowstyle"] for arrow in arrows} == {"->"}
    assert {arrow.get_text() for arrow in arrows} == {""}


def test_loss_surface():
    path = torch.tensor([[0.0, 0.0], [2.0, -1.0], [1.0, -5.0]])
    ax = plot.plot_loss_surface(FEATURES, LABELS, 4.2, path)
    line, first, last = ax.lines
    assert line.get_xydata().tolist() == path.tolist()
    assert style(line) == (ORANGE, "-", 1, ".", 3)
    assert first.get_xydata().tolist() == [[0.0, 0.0]]
    assert style(first) == (ORANGE, "-", 1.5, "o", 6)
    assert last.get_xydata().tolist() == [[1.0, -5.0]]
    assert style(last) == (ORANGE, "-", 1.5, "*", 12)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$w_1$", "$w_2$")
    assert ax.get_aspect() == 1
    assert np.allclose(ax.get_xlim(), (-1, 3))
    assert np.allclose(ax.get_ylim(), (-6, 1))
    (contours,) = ax.collections
    assert len(contours.levels) == 12
    assert {text.get_fontsize() for text in contours.labelTexts} == {7}
    w = torch.tensor([[-1.0, -1.0, 3.0, 3.0], [-6.0, 1.0, -6.0, 1.0]])
    at_corners = (FEATURES @ w + 4.2 - LABELS).square().mean(dim=0) / 2
    brightest = 2 * at_corners.max().item()
    assert contours.norm.vmax == pytest.approx(brightest, rel=1e-5)
    on_grid = []
    for level, segments in zip(contours.levels, contours.allsegs, strict=True):
        for corner in np.concatenate(segments) if segments else []:
            w = torch.tensor(corner, dtype=torch.float32).reshape(-1, 1)
            y_hat = linreg(FEATURES, w, torch.tensor([4.2]))
            loss = squared_loss(y_hat, LABELS).mean().item()
            assert loss == pytest.approx(level, rel=0.02, abs=0.05)
            steps = (corner - (-1, -6)) / (4, 7) * 59
            on_grid.append(np.isclose(steps, steps.round(), atol=1e-3).any())
    assert len(on_grid) > 100
    assert np.mean(on_grid) > 0.9  # the rest: cut where the labels stand


def test_losses():
    curves = {"fast": [10.0, 0.1, 0.01], "slow": [10.0, 5.0]}
    ax = plot.plot_losses(curves, noise_std=0.2)
    fast, slow, floor = ax.lines
    assert fast.get_xydata().tolist() == [[0, 10], [1, 0.1], [2, 0.01]]
    assert slow.get_xydata().tolist() == [[0, 10], [1, 5]]
    assert np.allclose(floor.get_ydata(), 0.02)
    assert style(floor) == ("black", "--", 1, "None", 0)
    assert ax.get_yscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "mean loss")
    assert legend(ax) == ["fast", "slow", r"$\sigma^2/2$"]
    assert len(plot.plot_losses(curves).lines) == 2


def test_five_losses_look_different():
    ax = plot.plot_losses({name: [1.0, 0.5] for name in "abcde"})
    assert [style(line) for line in ax.lines] == [
        (BLUE, "-", 1.5, "o", 4),
        (ORANGE, "-", 1.5, "s", 4),
        (GREEN, "-", 1.5, "v", 4),
        ("black", "-", 1.5, "^", 4),
        (GREY, "-", 1.5, "D", 4),
    ]


def test_residuals(generator):
    y_hat = torch.randn(1000, 1, generator=generator).requires_grad_()
    noise = 0.1 * torch.randn(1000, 1, generator=generator)
    ax = plot.plot_residuals(y_hat, y_hat.detach() + noise, 0.1)
    (curve,) = ax.lines
    assert style(curve) == (ORANGE, "-", 1.5, "None", 0)
    x, density = curve.get_xydata().T
    expected = np.exp(-(x**2) / (2 * 0.01)) / (0.1 * (2 * np.pi) ** 0.5)
    assert np.allclose(density, expected, rtol=1e-4)
    assert np.allclose((x.min(), x.max()), (-0.4, 0.4))
    assert len(x) == 200
    heights = np.array([bar.get_height() for bar in ax.patches])
    widths = np.array([bar.get_width() for bar in ax.patches])
    lefts = np.array([bar.get_x() for bar in ax.patches])
    assert (heights * widths).sum() == pytest.approx(1, rel=1e-5)
    assert lefts.min() == pytest.approx(noise.min().item(), abs=1e-5)
    assert len(heights) == 40
    colors = {to_hex(bar.get_facecolor()).upper() for bar in ax.patches}
    assert colors == {BLUE}
    assert {bar.get_alpha() for bar in ax.patches} == {0.8}
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$y - \hat{y}$", "density")
    assert legend(ax) == ["residuals", r"$\mathcal{N}(0,\sigma^2)$"]


def test_errors():
    errors = {
        "one": torch.tensor([0.1, -0.2, 0.3]),
        "two": torch.tensor([-0.4, 0.5, 0.6]),
    }
    ax = plot.plot_errors(errors, scale=0.05)
    heights = [bar.get_height() for bar in ax.patches]
    assert np.allclose(heights, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    lefts = [bar.get_x() for bar in ax.patches]
    assert np.allclose(lefts, [-0.4, 0.6, 1.6, 0.0, 1.0, 2.0])
    assert np.allclose([bar.get_width() for bar in ax.patches], 0.4)
    (scale,) = ax.lines
    assert np.allclose(scale.get_ydata(), 0.05)
    assert style(scale) == ("black", "--", 1, "None", 0)
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    assert ticks == ["$w_1$", "$w_2$", "$b$"]
    assert ax.get_ylabel() == "|error|"
    assert sorted(legend(ax)) == [r"$\sigma/\sqrt{n}$", "one", "two"]


def test_errors_of_four_methods():
    errors = {name: torch.tensor([0.1]) for name in "abcd"}
    ax = plot.plot_errors(errors, scale=0.05)
    colors = [to_hex(bar.get_facecolor()).upper() for bar in ax.patches]
    assert colors == [BLUE, ORANGE, GREEN, BLUE]


def test_visits():
    orders = {
        "a": torch.tensor([2, 0, 1]),
        "b": torch.tensor([0, 1]),
        "c": torch.tensor([1, 0]),
    }
    ax = plot.plot_visits(orders)
    assert [points(scatter) for scatter in ax.collections] == [
        [[0, 2], [1, 0], [2, 1]],
        [[0, 0], [1, 1]],
        [[0, 1], [1, 0]],
    ]
    looks = [dots(scatter) for scatter in ax.collections]
    assert looks == [(3, GREY), (3, ORANGE), (3, BLUE)]
    assert ax.get_xlabel() == "order of reading"
    assert ax.get_ylabel() == "place in the file"
    assert legend(ax) == ["a", "b", "c"]
    assert_legend_above(ax)
    places = [t.get_window_extent().y0 for t in ax.get_legend().get_texts()]
    assert max(places) - min(places) < 2  # all names in one row
    sizes = {h.get_sizes()[0] for h in ax.get_legend().legend_handles}
    assert sizes == {3 * 3**2}


def test_step_times():
    curves = {"one": [5.0, 7.0], "two": [6.0, 6.5], "three": [1.0, 2.0]}
    ax = plot.plot_step_times("batch size", [1, 10], curves)
    for line, times in zip(ax.lines, curves.values(), strict=True):
        assert line.get_xydata().tolist() == [[1, times[0]], [10, times[1]]]
    assert [style(line) for line in ax.lines] == [
        (BLUE, "-", 1.5, "o", 4),
        (ORANGE, "-", 1.5, "s", 4),
        (GREEN, "-", 1.5, "v", 4),
    ]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "batch size"
    assert ax.get_ylabel() == "microseconds"
    assert legend(ax) == ["one", "two", "three"]


def test_batches_are_rows_of_cards():
    rows = [[4, 1, 7], [12, 0, 5], [6, 3]]
    ax = plot.plot_batches([torch.tensor(row) for row in rows])
    assert not ax.axison
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1.5, 3.5), (2.5, -0.5))
    found = [
        (text.get_text(), *text.get_position(), text.get_ha())
        for text in ax.texts
    ]
    expected = []
    for k, row in enumerate(rows):
        expected.append((f"batch {k + 1}", -0.6, k, "right"))
        expected += [(str(n), i, k, "center") for i, n in enumerate(row)]
        expected.append((f"$m = {len(row)}$", 2.6, k, "left"))
    assert found == expected
    for text in ax.texts:
        assert text.get_va() == "center"
        assert text.get_color() == "black"
        box = text.get_bbox_patch()
        assert (box is not None) == (text.get_ha() == "center")
        if box:
            assert_card(box, BLUE if text.get_position()[1] < 2 else ORANGE)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[2, 0]], [BLUE]),
        ([[2, 0], [1]], [BLUE, ORANGE]),
        ([[2, 0], [1, 3]], [BLUE, BLUE]),
    ],
)
def test_only_a_short_batch_has_another_colour(rows, expected):
    ax = plot.plot_batches([torch.tensor(row) for row in rows])
    colors = {}
    for text in ax.texts:
        if box := text.get_bbox_patch():
            row = text.get_position()[1]
            colors.setdefault(row, set()).add(to_hex(box.get_edgecolor()))
    assert [*colors.values()] == [{color.lower()} for color in expected]


def test_trained_parameters_are_drawn(recwarn):
    """They track gradients, as (d, 1) and (1,): no detach() is asked for."""
    w = W.reshape(-1, 1).clone().requires_grad_()
    b = torch.tensor([4.2], requires_grad=True)
    given = plot.plot_data(FEATURES, LABELS, W, 4.2)
    drawn = plot.plot_data(FEATURES, LABELS, w, b)
    for one, other in zip(given, drawn, strict=True):
        (line,), (same) = one.lines, other.lines
        assert np.allclose(line.get_xydata(), same[0].get_xydata())
    path = torch.stack([torch.zeros(2), w.flatten()])
    surface = plot.plot_loss_surface(FEATURES, LABELS, b, path)
    assert surface.lines[0].get_xydata().tolist() == path.tolist()
    of_one = FEATURES[:, :1], LABELS
    given = plot.plot_squares(*of_one, W[:1], 4.2)
    drawn = plot.plot_squares(*of_one, w[:1], b)
    for one, other in zip(given.lines, drawn.lines, strict=True):
        assert np.allclose(one.get_xydata(), other.get_xydata())
    line = [part.clone().requires_grad_() for part in LINE]
    plot.plot_predictions(FEATURES[:, :1], LABELS, *line)
    y_hat = linreg(FEATURES, w, b)
    plot.plot_residuals(y_hat, LABELS, 0.01)
    plot.plot_errors({"a": torch.cat([w.flatten(), b])}, 0.05)
    assert not recwarn.list


def test_squares():
    ax = plot.plot_squares(FEATURES[:, :1], LABELS, torch.tensor([2.0]), 1.5)
    assert ax.get_aspect() == 1
    (scatter,) = ax.collections
    assert points(scatter) == [[0, 4], [1, 5], [2, -2]]
    assert dots(scatter) == (12, BLUE)
    *squares, line = ax.lines
    assert [square.get_xydata().tolist() for square in squares] == [
        [[-2.5, 1.5], [0, 1.5], [0, 4], [-2.5, 4], [-2.5, 1.5]],
        [[-0.5, 3.5], [1, 3.5], [1, 5], [-0.5, 5], [-0.5, 3.5]],
        [[9.5, 5.5], [2, 5.5], [2, -2], [9.5, -2], [9.5, 5.5]],
    ]
    for square in squares:
        assert style(square) == (GREY, "-", 1, "None", 0)
    assert line.get_xydata().tolist() == [[0, 1.5], [2, 5.5]]
    assert style(line) == (ORANGE, "-", 1.5, "None", 0)
    assert scatter.get_zorder() > line.get_zorder()  # dots lie on top
    assert scatter.get_zorder() == 3
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")
    assert legend(ax) == ["squares", "$wx + b$", "examples"]


def test_predictions():
    features = FEATURES[[1, 0, 2], :1]
    ax = plot.plot_predictions(features, LABELS, *LINE)
    *residuals, line = ax.lines
    assert [r.get_xydata().tolist() for r in residuals] == [
        [[1, 4], [1, 0.5]],
        [[0, 5], [0, -1]],
        [[2, -2], [2, 2]],
    ]
    assert {style(r) for r in residuals} == {(GREY, "-", 1, "None", 0)}
    assert line.get_xydata().tolist() == [[0, -1], [2, 2]]
    assert style(line) == (ORANGE, "-", 1.5, "None", 0)
    predictions, examples = ax.collections
    assert points(predictions) == [[1, 0.5], [0, -1], [2, 2]]
    assert points(examples) == [[1, 4], [0, 5], [2, -2]]
    assert dots(predictions) == (10, ORANGE)
    assert dots(examples) == (20, BLUE)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "y")
    assert legend(ax) == ["$w x + b$", r"$\hat{y}$", "examples"]


def test_error_cloud():
    clouds = {
        "one": torch.tensor([[0.5, -0.25], [0.25, 1.0]]),
        "two": torch.tensor([[0.0, -2.0]]),
        "three": torch.tensor([[1.0, 0.5]]),
    }
    radii = {"small": 0.5, "middle": 1.0, "large": 2.0}
    ax = plot.plot_error_cloud(clouds, radii)
    found = [points(scatter) for scatter in ax.collections]
    assert found == [cloud.tolist() for cloud in clouds.values()]
    looks = [dots(scatter) for scatter in ax.collections]
    assert looks == [(9, GREY), (16, BLUE), (9, GREY)]
    angle = np.linspace(0, 2 * np.pi, 101)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for line, radius in zip(ax.lines, radii.values(), strict=True):
        assert np.allclose(line.get_xydata(), radius * ring, atol=1e-6)
        assert line.get_xydata()[-1].tolist() == [radius, 0]
    styles = [style(line) for line in ax.lines]
    assert styles == [
        ("black", "-", 1, "None", 0),
        ("black", "--", 1, "None", 0),
        ("black", "-", 1, "None", 0),
    ]
    assert ax.get_aspect() == 1
    assert ax.get_xlabel() == r"$\Delta w_1$"
    assert ax.get_ylabel() == r"$\Delta w_2$"
    assert sorted(legend(ax)) == sorted([*clouds, *radii])
    assert_legend_above(ax)
    lefts = {t.get_window_extent().x0 for t in ax.get_legend().get_texts()}
    assert len({round(left) for left in lefts}) == 2  # columns of names
