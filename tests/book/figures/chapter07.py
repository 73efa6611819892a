import numpy as np
import torch

from figures.parts import bowl_and_path, line, loss_curves
from linreg import data_iter, linreg, sgd, squared_loss


def measured_and_predicted(figure, names):
    gaps = names["path"][:335].double() - names["target"].double()
    measured = np.linalg.norm(gaps.numpy(), axis=1)
    predicted = measured[0] * 0.97 ** np.arange(335)
    (ax,) = figure.axes
    for artist, values in zip(ax.lines, (measured, predicted), strict=True):
        line(artist, range(335), values)
    assert ax.get_yscale() == "log"


def explored(figure, names):
    """An epoch with the chapter's own loop, from the data in the figure."""
    data = figure.data
    features = torch.tensor(data["features"])
    labels = torch.tensor(data["labels"]).reshape(-1, 1)
    w = torch.zeros(2, 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    path = [w.detach().flatten().clone()]
    generator = torch.Generator().manual_seed(data["seed"])
    for X, y in data_iter(data["batch_size"], features, labels, generator):
        squared_loss(linreg(X, w, b), y).sum().backward()
        sgd([w, b], data["lr"], len(X))
        path.append(w.detach().flatten().clone())
    walked = {"path": torch.stack(path), "b": b.detach()}
    examples = {"features": features, "labels": labels}
    bowl_and_path("path", "b")(figure, {**names, **walked, **examples})


def curvature(data):
    """The matrix of the bowl in the figure: X'X / n, with a column of ones."""
    X = torch.tensor(data["features"]).double()
    X = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    return X.T @ X / len(X)


def left_with_all(data, lr):
    """How far above its least the loss is, after steps with all examples."""
    X = torch.tensor(data["features"]).double()
    X = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    labels = torch.tensor(data["labels"]).double().reshape(-1, 1)
    gap = -torch.linalg.pinv(X) @ labels
    left = []
    for _ in range(4):
        left.append((X @ gap).square().mean().item() / 2)
        gap = gap - lr * X.T @ (X @ gap) / len(X)
    return left


def above_floor(data, lr, batch_size):
    """How far above its least the loss is, steps 501 to 1000 averaged."""
    features = torch.tensor(data["features"])
    labels = torch.tensor(data["labels"]).reshape(-1, 1)
    w, b = torch.zeros(2, 1), torch.zeros(1)
    generator = torch.Generator().manual_seed(data["seed"])
    losses = []
    while len(losses) < 1000:
        for X, y in data_iter(batch_size, features, labels, generator):
            error = X @ w + b - y
            w = w - lr * X.T @ error / len(X)
            b = b - lr * error.mean()
            losses.append(((features @ w + b - labels) ** 2).mean() / 2)
    X = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
    rest = labels - X @ torch.linalg.pinv(X) @ labels.double()
    return torch.stack(losses)[500:].double().mean() - (rest**2).mean() / 2


PICTURES = [
    measured_and_predicted,
    loss_curves("curves"),
    explored,
]
