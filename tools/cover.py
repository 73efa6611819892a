"""Draw the picture of the front page and the card that links show."""

import argparse
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from linreg import data_iter, gen_data, init_params, linreg, sgd, squared_loss
from linreg.pictures.plot import plot_loss_surface, plot_losses
from tools.execute import small_png


def draw_cover(path: str, *, card: bool = False) -> None:
    """Train for five epochs; save the weights' path beside the loss curve.

    A card is what a link to the book shows in a chat: larger, with a title.
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

    size, dpi = ((12, 6.3), 100) if card else ((8, 3.6), 200)
    figure = plt.figure(figsize=size, layout="constrained")
    if card:
        figure.suptitle("y = Xw + b, from scratch in PyTorch", size=30)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.6])
    plot_loss_surface(features, labels, true_b, torch.stack(steps[:200]), left)
    plot_losses({"lr=0.03": losses}, noise_std, right)
    png = BytesIO()
    figure.savefig(png, dpi=dpi, metadata={"Software": None})
    Path(path).write_bytes(small_png(png.getvalue()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the cover or the card.")
    parser.add_argument("path")
    parser.add_argument("--card", action="store_true")
    arguments = parser.parse_args()
    draw_cover(arguments.path, card=arguments.card)
