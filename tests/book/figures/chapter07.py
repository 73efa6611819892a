import numpy as np
import torch

from figures.parts import bowl_and_path, legend, line, loss_curves
from linreg import data_iter, linreg, sgd, squared_loss


def distances(xlabel, curves):
    def check(figure, names):
        (ax,) = figure.axes
        expected = eval(curves, dict(names))
        for artist, values in zip(ax.lines, expected.values(), strict=True):
            line(artist, range(len(values)), values)
        assert legend(ax) == list(expected)
        assert ax.get_yscale() == "log"
        assert (ax.get_xlabel(), ax.get_ylabel()) == (xlabel, "distance")

    return check


def measured_and_predicted(figure, names):
    gaps = names["path"][:335].double() - names["target"].double()
    measured = np.linalg.norm(gaps.numpy(), axis=1)
    predicted = measured[0] * 0.97 ** np.arange(335)
    curves = {"measured": measured, "$0.97^k$": predicted}
    distances("step $k$", "curves")(figure, {"curves": curves})


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


PICTURES = [
    measured_and_predicted,
    bowl_and_path("path[:201, :2]", "true_b"),
    loss_curves("curves"),
    distances("epoch", "races"),
    explored,
]
