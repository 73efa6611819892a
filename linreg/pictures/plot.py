"""The pictures of the book, drawn into `ax` or into a new figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from linreg.loss import squared_loss
from linreg.model import linreg
from linreg.pictures.picture import Picture

# Okabe and Ito's colours: told apart by colour-blind readers, too.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"


def plot_data(
    features: Tensor,
    labels: Tensor,
    w: Tensor,
    b: float,
    axes: Sequence[Axes] | None = None,
) -> Sequence[Axes]:
    """Scatter each feature against the label, with its line. Chapter 1.

    Args:
        features: shape (n, d).
        labels: shape (n, 1).
        w: weights, shape (d,) or (d, 1).
        b: bias, a number or a tensor that holds one.
        axes: d Axes to draw into, one for each feature.

    Returns:
        The d Axes.
    """
    if axes is None:
        figure = plt.figure(
            figsize=(3.2 * len(w), 3),
            layout="constrained",
            FigureClass=Picture,
        )
        axes = list(figure.subplots(1, len(w), sharey=True, squeeze=False)[0])
    w, b = w.detach().flatten(), float(torch.as_tensor(b).detach())
    axes[0].set_ylabel("y")
    for j, ax in enumerate(axes):
        x = features[:, j]
        ends = torch.stack([x.min(), x.max()])
        ax.scatter(x, labels, s=3, color=BLUE, label="examples")
        ax.plot(
            ends,
            w[j] * ends + b,
            color=ORANGE,
            label=f"$w_{j + 1} x_{j + 1} + b$",
        )
        ax.set_xlabel(f"$x_{j + 1}$")
        ax.legend(fontsize="small")
    return axes


def plot_batch(
    features: Tensor,
    labels: Tensor,
    X: Tensor,
    y: Tensor,
    ax: Axes | None = None,
) -> Axes:
    """Show where a mini-batch lies among all examples. Chapter 2.

    The horizontal axis is the last feature.

    Args:
        features: shape (n, d).
        labels: shape (n, 1).
        X: features of the batch, shape (m, d).
        y: labels of the batch, shape (m, 1).
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax)
    ax.scatter(features[:, -1], labels, s=4, color=GREY, label="all examples")
    ax.scatter(X[:, -1], y, s=40, color=ORANGE, label="mini-batch")
    ax.set_xlabel(f"$x_{features.shape[1]}$")
    ax.set_ylabel("y")
    ax.legend(fontsize="small")
    return ax


def plot_graph(x: Tensor, ax: Axes | None = None) -> Axes:
    """Draw the graph of y = 2 x·x with values and gradients. Chapter 3.

    Args:
        x: the input, shape (n,); it is not changed.
        ax: where to draw.

    Returns:
        The Axes.
    """
    x = x.detach().clone().requires_grad_()
    s = torch.dot(x, x)
    y = 2 * s
    dy_ds, dy_dx = torch.autograd.grad(y, [s, x])

    ax = _axes(ax, figsize=(4.8, 2.0))
    ax.set(xlim=(-0.7, 4.7), ylim=(-0.8, 0.5))
    ax.set_axis_off()
    ax.text(2, 0.4, "forward: values", ha="center", color=BLUE)
    ax.text(2, -0.7, "backward: gradients", ha="center", color=ORANGE)
    nodes = ((0, "x", x), (2, "s = x·x", s), (4, "y = 2s", y))
    for place, name, value in nodes:
        text = f"{name}\n{_numbers(value)}"
        box = {"boxstyle": "round,pad=0.5", "fc": "white", "ec": BLUE}
        ax.text(place, 0, text, ha="center", va="center", bbox=box)
    gradients = ((0, "dy/dx", dy_dx), (2, "dy/ds", dy_ds))
    for place, name, value in gradients:
        _arrow(ax, place + 0.6, place + 1.5, 0.08, BLUE)
        _arrow(ax, place + 1.5, place + 0.6, -0.08, ORANGE)
        text = f"{name} = {_numbers(value)}"
        ax.text(place, -0.42, text, ha="center", color=ORANGE)
    return ax


def plot_loss_surface(
    features: Tensor,
    labels: Tensor,
    b: float,
    path: Tensor,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean loss over (w_1, w_2) and the weights' path. Chapter 5.

    A unit is as long on both axes, so that a round bowl looks round.

    Args:
        features: shape (n, 2).
        labels: shape (n, 1).
        b: the bias at which the surface is taken.
        path: the weights after each step, shape (steps, 2).
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax, figsize=(4.2, 4.6))
    ax.set_aspect("equal")
    path = path.detach()
    low, high = path.min(dim=0).values - 1, path.max(dim=0).values + 1
    w1 = torch.linspace(float(low[0]), float(high[0]), 60)
    w2 = torch.linspace(float(low[1]), float(high[1]), 60)
    bias = torch.as_tensor(b).detach().float().reshape(1)
    mean_loss = torch.tensor(
        [
            [
                _mean_loss(features, labels, torch.stack([u, v]), bias)
                for u in w1
            ]
            for v in w2
        ]
    )
    # Only the dark half of the colours: the light one is lost on white.
    brightest = 2 * mean_loss.max().item()
    contours = ax.contour(w1, w2, mean_loss, levels=12, vmax=brightest)
    ax.clabel(contours, fontsize=7)
    ax.plot(path[:, 0], path[:, 1], color=ORANGE, marker=".", ms=3, lw=1)
    ax.plot(*path[0], color=ORANGE, marker="o")
    ax.plot(*path[-1], color=ORANGE, marker="*", ms=12)
    ax.set_xlabel("$w_1$")
    ax.set_ylabel("$w_2$")
    return ax


def plot_losses(
    losses: Mapping[str, Sequence[float]],
    noise_std: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw loss curves on a log scale, with the noise floor. Chapter 7.

    Args:
        losses: for each curve its name and the mean loss after epoch 0, 1, 2 …
        noise_std: standard deviation of the noise; its square / 2 is the
            floor. No floor is drawn if None.
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax)
    styles = zip("osv^D", (BLUE, ORANGE, GREEN, "black", GREY), strict=True)
    for (name, curve), (marker, color) in zip(
        losses.items(), styles, strict=False
    ):
        ax.plot(curve, marker=marker, markersize=4, color=color, label=name)
    if noise_std is not None:
        floor = noise_std**2 / 2
        ax.axhline(floor, color="black", ls="--", lw=1, label=r"$\sigma^2/2$")
    ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.set_ylabel("mean loss")
    ax.legend(fontsize="small")
    return ax


def plot_residuals(
    y_hat: Tensor, labels: Tensor, noise_std: float, ax: Axes | None = None
) -> Axes:
    """Draw the residuals' histogram and the noise's density. Chapter 8.

    Args:
        y_hat: predictions, shape (n, 1).
        labels: shape (n, 1).
        noise_std: standard deviation of the noise.
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax)
    residuals = (labels - y_hat).detach().flatten()
    grid = torch.linspace(-4 * noise_std, 4 * noise_std, 200)
    noise = torch.distributions.Normal(0.0, noise_std)
    ax.hist(
        residuals,
        bins=40,
        density=True,
        color=BLUE,
        alpha=0.8,
        label="residuals",
    )
    ax.plot(
        grid,
        noise.log_prob(grid).exp(),
        color=ORANGE,
        label=r"$\mathcal{N}(0,\sigma^2)$",
    )
    ax.set_xlabel(r"$y - \hat{y}$")
    ax.set_ylabel("density")
    ax.legend(fontsize="small")
    return ax


def plot_errors(
    errors: Mapping[str, Tensor], scale: float, ax: Axes | None = None
) -> Axes:
    """Draw the size of each parameter's error as bars. Chapter 8.

    Args:
        errors: for each method its name and the errors of w_1 … w_d and b,
            shape (d + 1,).
        scale: the error to expect, sigma / sqrt(n), drawn as a line.
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax)
    width = 0.8 / len(errors)
    for i, (name, error) in enumerate(errors.items()):
        color = (BLUE, ORANGE, GREEN)[i % 3]
        left = [j + i * width - 0.4 for j in range(len(error))]
        heights = error.abs().tolist()
        ax.bar(left, heights, width, align="edge", color=color, label=name)
    names = [f"$w_{j + 1}$" for j in range(len(error) - 1)] + ["$b$"]
    ax.set_xticks(range(len(names)), names)
    ax.axhline(scale, color="black", ls="--", lw=1, label=r"$\sigma/\sqrt{n}$")
    ax.set_ylabel("|error|")
    ax.legend(fontsize="small")
    return ax


def plot_visits(orders: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Show when each place of a file is read. Chapter 16.

    Args:
        orders: for each way to shuffle its name and the places in the order
            in which they are read, shape (n,).
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax)
    for (name, order), color in zip(
        orders.items(), (GREY, ORANGE, BLUE), strict=False
    ):
        ax.scatter(range(len(order)), order, s=3, color=color, label=name)
    ax.set_xlabel("order of reading")
    ax.set_ylabel("place in the file")
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(orders),
        markerscale=3,
        fontsize="small",
    )
    return ax


def plot_step_times(
    xlabel: str,
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
) -> Axes:
    """Draw how long something takes, both axes on a log scale. Chapter 17.

    Args:
        xlabel: what the time depends on.
        x: its values.
        curves: for each curve its name and the times, in microseconds unless
            you give the y axis another label.
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax)
    styles = zip("osv", (BLUE, ORANGE, GREEN), strict=True)
    for (name, times), (marker, color) in zip(
        curves.items(), styles, strict=False
    ):
        ax.plot(x, times, marker=marker, markersize=4, color=color, label=name)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel(xlabel)
    ax.set_ylabel("microseconds")
    ax.legend(fontsize="small")
    return ax


def plot_batches(batches: Sequence[Tensor], ax: Axes | None = None) -> Axes:
    """Show which examples each batch of an epoch holds, as cards. Chapter 2.

    Args:
        batches: for each batch the numbers of its examples, shape (m,); a
            last one that is shorter than the first has another colour.
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax, figsize=(4.8, 2.0))
    longest = len(batches[0])
    ax.set(xlim=(-1.5, longest + 0.5), ylim=(len(batches) - 0.5, -0.5))
    ax.set_axis_off()
    for k, batch in enumerate(batches):
        color = BLUE if len(batch) == longest else ORANGE
        ax.text(-0.6, k, f"batch {k + 1}", ha="right", va="center")
        for place, number in enumerate(batch.tolist()):
            box = {"boxstyle": "round,pad=0.5", "fc": "white", "ec": color}
            ax.text(place, k, str(number), ha="center", va="center", bbox=box)
        ax.text(longest - 0.4, k, f"$m = {len(batch)}$", va="center")
    return ax


def plot_squares(
    features: Tensor,
    labels: Tensor,
    w: Tensor,
    b: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw the errors of a line, and the squares on them. Chapter 5.

    A unit is as long on both axes: the area of a square is the error squared.

    Args:
        features: shape (n, 1).
        labels: shape (n, 1).
        w: weight, shape (1,) or (1, 1).
        b: bias, a number or a tensor that holds one.
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax, figsize=(4.2, 4.6))
    ax.set_aspect("equal")
    x, y = features.flatten(), labels.flatten()
    w, b = w.detach().flatten(), float(torch.as_tensor(b).detach())
    error = w * x + b - y
    # Once around each square, from the corner that is farthest from the label.
    across = torch.tensor([[1], [0], [0], [1], [1]]) * error
    up = torch.tensor([[1], [1], [0], [0], [1]]) * error
    squares = ax.plot(x + across, y + up, color=GREY, lw=1)
    squares[0].set_label("squares")
    ends = torch.stack([x.min(), x.max()])
    ax.plot(ends, w * ends + b, color=ORANGE, label="$wx + b$")
    ax.scatter(x, y, s=12, color=BLUE, label="examples", zorder=3)
    ax.set_xlabel("$x$")
    ax.set_ylabel("$y$")
    ax.legend(fontsize="small")
    return ax


def plot_predictions(
    features: Tensor,
    labels: Tensor,
    w: Tensor,
    b: Tensor,
    ax: Axes | None = None,
) -> Axes:
    """Draw a line, its prediction of each example, the residuals. Chapter 4.

    Args:
        features: shape (n, 1).
        labels: shape (n, 1).
        w: weight, shape (1, 1).
        b: bias, shape (1,).
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax)
    y_hat = linreg(features, w, b).detach()
    x, y, predicted = (t.flatten() for t in (features, labels, y_hat))
    ends = torch.stack([x.argmin(), x.argmax()])
    ax.plot(torch.stack([x, x]), torch.stack([y, predicted]), color=GREY, lw=1)
    ax.plot(x[ends], predicted[ends], color=ORANGE, label="$w x + b$")
    ax.scatter(x, predicted, s=10, color=ORANGE, label=r"$\hat{y}$")
    ax.scatter(x, y, s=20, color=BLUE, label="examples")
    ax.set_xlabel("$x$")
    ax.set_ylabel("y")
    ax.legend(fontsize="small")
    return ax


def plot_error_cloud(
    errors: Mapping[str, Tensor],
    radii: Mapping[str, float],
    ax: Axes | None = None,
) -> Axes:
    """Scatter the errors of many trainings, with circles. Chapter 8.

    A unit is as long on both axes.

    Args:
        errors: for each method its name and the errors of w_1 and w_2 in
            each training, shape (k, 2).
        radii: for each circle around (0, 0) its name and its radius.
        ax: where to draw.

    Returns:
        The Axes.
    """
    ax = _axes(ax, figsize=(4.2, 4.2))
    ax.set_aspect("equal")
    for i, (name, cloud) in enumerate(errors.items()):
        size, color = ((9, GREY), (16, BLUE))[i % 2]
        ax.scatter(cloud[:, 0], cloud[:, 1], s=size, color=color, label=name)
    angle = torch.linspace(0, 2 * torch.pi, 101)
    ring = torch.stack([angle.cos(), angle.sin()])
    ring[:, -1] = ring[:, 0]  # closed exactly, on every machine
    for i, (name, radius) in enumerate(radii.items()):
        style = ("-", "--")[i % 2]
        ax.plot(*(radius * ring), color="black", ls=style, lw=1, label=name)
    ax.set_xlabel(r"$\Delta w_1$")
    ax.set_ylabel(r"$\Delta w_2$")
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize="small"
    )
    return ax


def _axes(ax: Axes | None, figsize: tuple[float, float] = (4.8, 3.2)) -> Axes:
    if ax is None:
        _, ax = plt.subplots(
            figsize=figsize, layout="constrained", FigureClass=Picture
        )
    return ax


def _arrow(
    ax: Axes, start: float, end: float, height: float, color: str
) -> None:
    arrow = {"arrowstyle": "->", "color": color}
    ax.annotate("", xy=(end, height), xytext=(start, height), arrowprops=arrow)


def _numbers(values: Tensor) -> str:
    if values.ndim == 0:
        return f"{values.item():g}"
    return "[" + ", ".join(f"{value:g}" for value in values.tolist()) + "]"


def _mean_loss(
    features: Tensor, labels: Tensor, w: Tensor, b: Tensor
) -> float:
    return (
        squared_loss(linreg(features, w.reshape(-1, 1), b), labels)
        .mean()
        .item()
    )
