"""Draw the picture of the front page: the run of chapter 7 at a glance."""

import sys

import matplotlib.pyplot as plt
import torch

from linreg import data_iter, gen_data, init_params, linreg, sgd, squared_loss
from linreg.plot import plot_loss_surface, plot_losses


def draw_cover(path: str) -> None:
    """Train for five epochs; save the weights' path beside the loss curve."""
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

    figure = plt.figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    plot_loss_surface(features, labels, true_b, torch.stack(steps[:200]), left)
    plot_losses({"lr=0.03": losses}, noise_std, right)
    figure.savefig(path, dpi=200, metadata={"Software": None})


if __name__ == "__main__":
    draw_cover(sys.argv[1])
