import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from linreg import linreg, plot, squared_loss

FEATURES = torch.tensor([[0.0, 1.0], [1.0, -1.0], [2.0, 3.0]])
LABELS = torch.tensor([[4.0], [5.0], [-2.0]])
W = torch.tensor([2, -3.4])


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
    made.figure.canvas.draw()


def points(collection):
    return np.asarray(collection.get_offsets()).tolist()


def test_data():
    axes = plot.plot_data(FEATURES, LABELS, W, 4.2)
    assert len(axes) == 2
    for j, ax in enumerate(axes):
        (dots,) = ax.collections
        expected = torch.stack([FEATURES[:, j], LABELS.flatten()], dim=1)
        assert points(dots) == expected.tolist()
        (line,) = ax.lines
        low, high = FEATURES[:, j].min(), FEATURES[:, j].max()
        ends = [[x, W[j] * x + 4.2] for x in (low, high)]
        assert np.allclose(line.get_xydata(), ends)
        assert ax.get_xlabel() == f"$x_{j + 1}$"
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["examples", f"$w_{j + 1} x_{j + 1} + b$"]
    assert [ax.get_ylabel() for ax in axes] == ["y", ""]
    assert axes[0].get_ylim() == axes[1].get_ylim()
    given = plt.figure().subplots(1, 2)
    assert plot.plot_data(FEATURES, LABELS, W, 4.2, given) is given


def test_batch():
    ax = plot.plot_batch(FEATURES, LABELS, FEATURES[1:], LABELS[1:])
    everything, batch = ax.collections
    assert points(everything) == [[1.0, 4.0], [-1.0, 5.0], [3.0, -2.0]]
    assert points(batch) == [[-1.0, 5.0], [3.0, -2.0]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_2$", "y")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["all examples", "mini-batch"]
    assert batch.get_sizes()[0] > everything.get_sizes()[0]


def test_graph_shows_values_and_gradients():
    x = torch.arange(4.0)
    ax = plot.plot_graph(x)
    texts = {t.get_text(): t.get_position()[0] for t in ax.texts}
    for text, place in {
        "x\n[0, 1, 2, 3]": 0,
        "s = x·x\n14": 2,
        "y = 2s\n28": 4,
        "dy/dx = [0, 4, 8, 12]": 0,
        "dy/ds = 2": 2,
    }.items():
        assert texts[text] == place
    assert {"forward: values", "backward: gradients"} <= texts.keys()
    arrows = [
        (a.xyann[0] < a.xy[0], to_hex(a.arrow_patch.get_edgecolor()))
        for a in ax.texts
        if getattr(a, "arrow_patch", None)
    ]
    forward, backward = (True, "#0072b2"), (False, "#d55e00")
    assert sorted(arrows) == [backward, backward, forward, forward]
    assert not ax.axison
    assert x.grad is None
    assert not x.requires_grad


def test_loss_surface():
    path = torch.tensor([[0.0, 0.0], [1.0, -2.0], [2.0, -3.0]])
    ax = plot.plot_loss_surface(FEATURES, LABELS, 4.2, path)
    line, first, last = ax.lines
    assert line.get_xydata().tolist() == path.tolist()
    assert first.get_xydata().tolist() == [[0.0, 0.0]]
    assert last.get_xydata().tolist() == [[2.0, -3.0]]
    assert (first.get_marker(), last.get_marker()) == ("o", "*")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$w_1$", "$w_2$")
    assert np.allclose(ax.get_xlim(), (-1, 3))
    assert np.allclose(ax.get_ylim(), (-4, 1))
    (contours,) = ax.collections
    checked = 0
    for level, segments in zip(contours.levels, contours.allsegs, strict=True):
        for corner in np.concatenate(segments) if segments else []:
            w = torch.tensor(corner, dtype=torch.float32).reshape(-1, 1)
            y_hat = linreg(FEATURES, w, torch.tensor([4.2]))
            loss = squared_loss(y_hat, LABELS).mean().item()
            assert loss == pytest.approx(level, rel=0.02, abs=0.05)
            checked += 1
    assert checked > 100
    assert contours.labelTexts


def test_losses():
    curves = {"fast": [10.0, 0.1, 0.01], "slow": [10.0, 5.0]}
    ax = plot.plot_losses(curves, noise_std=0.2)
    fast, slow, floor = ax.lines
    assert fast.get_xydata().tolist() == [[0, 10], [1, 0.1], [2, 0.01]]
    assert slow.get_xydata().tolist() == [[0, 10], [1, 5]]
    assert np.allclose(floor.get_ydata(), 0.02)
    assert fast.get_color() != slow.get_color()
    assert fast.get_marker() != slow.get_marker()
    assert ax.get_yscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "mean loss")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["fast", "slow", r"$\sigma^2/2$"]
    assert len(plot.plot_losses(curves).lines) == 2


def test_residuals(generator):
    y_hat = torch.randn(1000, 1, generator=generator).requires_grad_()
    noise = 0.1 * torch.randn(1000, 1, generator=generator)
    ax = plot.plot_residuals(y_hat, y_hat.detach() + noise, 0.1)
    (curve,) = ax.lines
    x, density = curve.get_xydata().T
    expected = np.exp(-(x**2) / (2 * 0.01)) / (0.1 * (2 * np.pi) ** 0.5)
    assert np.allclose(density, expected, rtol=1e-4)
    assert np.allclose((x.min(), x.max()), (-0.4, 0.4))
    heights = np.array([bar.get_height() for bar in ax.patches])
    widths = np.array([bar.get_width() for bar in ax.patches])
    lefts = np.array([bar.get_x() for bar in ax.patches])
    assert (heights * widths).sum() == pytest.approx(1, rel=1e-5)
    assert lefts.min() == pytest.approx(noise.min().item(), abs=1e-5)
    assert len(heights) == 40
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$y - \hat{y}$", "density")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["residuals", r"$\mathcal{N}(0,\sigma^2)$"]


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
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    assert ticks == ["$w_1$", "$w_2$", "$b$"]
    assert ax.get_ylabel() == "|error|"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(labels) == [r"$\sigma/\sqrt{n}$", "one", "two"]
