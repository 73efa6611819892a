"""Draw the card that links show, and the line of the front page."""

import argparse
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from linreg import data_iter, gen_data, init_params, linreg, sgd, squared_loss
from linreg.pictures.plot import plot_loss_surface, plot_losses
from tools.execute import small_png


def draw_card(path: str) -> None:
    """Train for five epochs; save the weights' path beside the loss curve.

    A link to the book shows the card in a chat. The EPUB's cover is higher
    than wide, and has the one above the other.
    """
    true_w, true_b, noise_std = torch.tensor([2, -3.4]), 4.2, 0.01
    features, labels = gen_data(
        true_w, true_b, 1000, noise_std, torch.Generator().manual_seed(1)
    )
    generator = torch.Generator().manual_seed(2)
    w, b = init_params(2, generator=generator)
    steps, losses = [w.detach().flatten().clone()], []
    for _ in range(6):
        with torch.no_grad():
            mean_loss = squared_loss(linreg(features, w, b), labels).mean()
        losses.append(mean_loss.item())
        for X, y in data_iter(3, features, labels, generator):
            squared_loss(linreg(X, w, b), y).sum().backward()
            sgd([w, b], 0.03, len(X))
            steps.append(w.detach().flatten().clone())

    size, rows, ratios, end = (12, 6.3), 1, [1, 1.6], ", "
    if Path(path).stem == "cover":
        size, rows, ratios, end = (8, 12), 2, [1], "\n"
    figure = plt.figure(figsize=size, layout="constrained")
    figure.suptitle(f"y = Xw + b{end}from scratch in PyTorch", size=30)
    first, second = figure.subplots(rows, len(ratios), width_ratios=ratios)
    weights = torch.stack(steps[:200])
    plot_loss_surface(features, labels, true_b, weights, first)
    plot_losses({"lr=0.03": losses}, noise_std, second)
    png = BytesIO()
    figure.savefig(png, dpi=100, metadata={"Software": None})
    Path(path).write_bytes(small_png(png.getvalue()))


LINE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 24 360 140" width="1080" \
height="420" font-family="sans-serif">
<style>
circle {{ fill: #3489c9; fill-opacity: 0.85; }}
text {{ fill: #767676; font-size: 15px; text-anchor: end; }}
.shown {{ visibility: hidden; }}
line {{ stroke: #d55e00; stroke-width: 3; transform: {end}; \
vector-effect: non-scaling-stroke; }}
@media (prefers-reduced-motion: no-preference) {{
line {{ animation: fall {seconds}s linear; }}
.shown {{ animation: show {frame}s step-end; }}
.last {{ animation: hide {wait}s step-end; }}
}}
@keyframes show {{ from {{ visibility: visible; }} }}
@keyframes hide {{ from {{ visibility: hidden; }} }}
@keyframes fall {{
{keyframes}
}}
</style>
{dots}
<line x1="-3.5" x2="3.5"/>
{words}
</svg>
"""


def draw_line(path: str) -> None:
    """Train on one feature; let the line fall on the dots, once."""
    true_w, true_b, noise_std = torch.tensor([2.0]), 4.2, 1.0
    features, labels = gen_data(
        true_w, true_b, 60, noise_std, torch.Generator().manual_seed(1)
    )
    generator = torch.Generator().manual_seed(2)
    w, b = params = init_params(1, generator=generator)
    steps = [(w.item(), b.item())]
    for X, y in data_iter(3, features, labels, generator):
        squared_loss(linreg(X, w, b), y).sum().backward()
        sgd(params, 0.2, len(X))
        steps.append((w.item(), b.item()))

    def matrix(w: float, b: float) -> str:
        return f"matrix(50, {-9 * w:.1f}, 0, 1, 180, {130 - 9 * b:.1f})"

    def said(step: int, name: str, delay: float) -> str:
        w, b = steps[step]
        return (
            f'<text class="{name}" style="animation-delay: {delay:.1f}s" '
            f'x="350" y="158">step {step}: y = {w:.1f}x + {b:.1f}</text>'
        )

    frame, last = 0.2, len(steps) - 1
    svg = LINE.format(
        end=matrix(*steps[last]),
        frame=frame,
        seconds=f"{last * frame:.1f}",
        wait=f"{last * frame:.1f}",
        keyframes="\n".join(
            f"{100 * step / last:.0f}% {{ transform: {matrix(*found)}; }}"
            for step, found in enumerate(steps)
        ),
        dots="\n".join(
            f'<circle cx="{180 + 50 * x:.1f}" cy="{130 - 9 * y:.1f}" r="3.5"/>'
            for x, y in zip(
                features.flatten().tolist(),
                labels.flatten().tolist(),
                strict=True,
            )
        ),
        words="\n".join(
            [said(step, "shown", step * frame) for step in range(last)]
            + [said(last, "last", 0)]
        ),
    )
    Path(path).write_text(svg, "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", help="of a .png, the card, or a .svg")
    path = parser.parse_args().path
    (draw_line if path.endswith(".svg") else draw_card)(path)
