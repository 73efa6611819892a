"""Pictures that carry the data for the figures that answer."""

import json

import matplotlib.pyplot as plt
import pytest
import torch

from linreg import data_iter, explore, gen_data, linreg, sgd, squared_loss
from linreg.plot import plot_graph, plot_losses, plot_squares

TRUE_W, TRUE_B = torch.tensor([2, -3.4]), 4.2
SQUARES = {"line": (1.5, 3.5), "example": 2}
LINE = {"w": 0.5, "b": -1.5}
BOWL = {"lr": 0.1, "batch_size": 7}
AGAIN = {**BOWL, "num_epochs": 3, "seed": 5}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def data_of(ax):
    """What a picture gives the site, as it arrives there."""
    bundle = ax.figure._repr_mimebundle_()
    (data,) = bundle.values()
    assert [*bundle] == ["application/vnd.linreg.explore+json"]
    return json.loads(json.dumps(data))


def test_a_picture_without_data_has_none():
    ax = plot_losses({"a": [1, 2]})
    assert ax.figure._repr_mimebundle_(include=None) == {}


def test_numbers_are_as_short_as_can_be():
    data = data_of(explore.bowl(TRUE_W, TRUE_B, 9, 0.5, **BOWL, seed=0))
    assert max(len(str(label)) for label in data["labels"]) <= len("-12.345")


def sgd_path(features, labels, generator, num_epochs=1):
    """The weights after each step from zero."""
    w, b = torch.zeros(2, 1), torch.zeros(1)
    params = [param.requires_grad_() for param in (w, b)]
    path = [w.detach().flatten().clone()]
    for _ in range(num_epochs):
        for X, y in data_iter(7, features, labels, generator):
            squared_loss(linreg(X, w, b), y).sum().backward()
            sgd(params, 0.1, len(X))
            path.append(w.detach().flatten().clone())
    return torch.stack(path)


def test_bowl_draws_an_epoch():
    ax = explore.bowl(TRUE_W, TRUE_B, 50, 0.5, **BOWL, seed=3)
    data = data_of(ax)
    features = torch.tensor(data["features"])
    labels = torch.tensor(data["labels"]).reshape(-1, 1)
    path = sgd_path(features, labels, torch.Generator().manual_seed(3))
    drawn = torch.as_tensor(ax.lines[0].get_xydata(), dtype=torch.float32)
    assert torch.equal(drawn, path)


def test_graph_draws_and_gives_x():
    x = torch.tensor([1.0, -2.0, 0.0, 5.0], requires_grad=True)
    ax = explore.graph(x)
    assert data_of(ax) == {"kind": "graph", "x": [1, -2, 0, 5]}
    assert x.grad is None
    texts, expected = (
        [(text.get_text(), text.get_position()) for text in drawn.texts]
        for drawn in (ax, plot_graph(x))
    )
    assert texts == expected


def cards_in(ax):
    """The numbers on the cards, row by row."""
    rows = {}
    for text in ax.texts:
        if text.get_bbox_patch():
            place, row = text.get_position()
            assert place == len(rows.setdefault(row, []))
            rows[row].append(text.get_text())
    return list(rows.values())


@pytest.mark.parametrize("seed", [0, 3])
def test_cards_deals_an_epoch(seed):
    ax = explore.cards(10, 4, seed=seed)
    expected = {"kind": "cards", "n": 10, "batch_size": 4, "seed": seed}
    assert data_of(ax) == expected
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(10, generator=generator)
    rows = [[str(n) for n in row.tolist()] for row in order.split(4)]
    assert cards_in(ax) == rows


@pytest.mark.parametrize(
    ("figure", "d", "settings", "more"),
    [
        (explore.squares, 1, SQUARES, {"line": [1.5, 3.5]}),
        (explore.line, 1, LINE, {}),
        (explore.bowl, 2, BOWL, {"seed": 3}),
    ],
)
def test_gives_its_examples_and_settings(figure, d, settings, more):
    data = data_of(figure(TRUE_W[:d], TRUE_B, 20, 0.5, **settings, seed=3))
    generator = torch.Generator().manual_seed(3)
    features, labels = gen_data(TRUE_W[:d], TRUE_B, 20, 0.5, generator)
    given = torch.tensor(data.pop("features"))
    assert torch.equal(given, features.round(decimals=3))
    given = torch.tensor(data.pop("labels"))
    assert torch.equal(given, labels.round(decimals=3).flatten())
    source = {"w": [2, -3.4][:d], "b": 4.2, "n": 20, "noise_std": 0.5}
    source |= {"seed": 3, "decimals": 3}
    expected = {"kind": figure.__name__, "source": source, **settings}
    assert data == expected | more


def test_squares_draws_its_examples_and_the_line():
    ax = explore.squares(TRUE_W[:1], TRUE_B, 6, 0.5, **SQUARES, seed=0)
    data = data_of(ax)
    features = torch.tensor(data["features"])
    labels = torch.tensor(data["labels"]).reshape(-1, 1)
    expected = plot_squares(features, labels, torch.tensor([1.5]), 3.5)
    assert repr(ax.figure) == repr(expected.figure)
    (dots,) = ax.collections
    drawn = torch.as_tensor(dots.get_offsets(), dtype=torch.float32)
    assert torch.equal(drawn, torch.cat([features, labels], dim=1))
    for line, other in zip(ax.lines, expected.lines, strict=True):
        assert line.get_xydata().tolist() == other.get_xydata().tolist()


def test_line_draws_its_predictions():
    ax = explore.line(TRUE_W[:1], TRUE_B, 20, 0.5, **LINE, seed=3)
    data = data_of(ax)
    features = torch.tensor(data["features"])
    y_hat = linreg(features, torch.tensor([[0.5]]), torch.tensor([-1.5]))
    predictions, examples = ax.collections
    drawn = torch.as_tensor(predictions.get_offsets(), dtype=torch.float32)
    assert torch.equal(drawn, torch.cat([features, y_hat], dim=1))
    drawn = torch.as_tensor(examples.get_offsets(), dtype=torch.float32)
    assert torch.equal(drawn[:, 1], torch.tensor(data["labels"]))


def test_line_takes_whole_numbers():
    data = data_of(explore.line(TRUE_W[:1], TRUE_B, 5, 0, w=1, b=0, seed=0))
    assert (data["w"], data["b"]) == (1, 0)


def errors_of_trainings(trainings):
    """By SGD and by least squares; each training has its own generator."""
    by_sgd, by_squares = [], []
    for k in range(trainings):
        generator = torch.Generator().manual_seed(5000 + k)
        features, labels = gen_data(TRUE_W, TRUE_B, 50, 0.5, generator)
        path = sgd_path(features, labels, generator, num_epochs=3)
        by_sgd.append(TRUE_W - path[-1])
        X, y = features.double(), labels.double()
        best = torch.linalg.pinv(X - X.mean(dim=0)) @ (y - y.mean())
        by_squares.append(TRUE_W - best.float().flatten())
    return torch.stack(by_sgd), torch.stack(by_squares)


def test_again_gives_its_errors_and_settings():
    ax = explore.again(TRUE_W, TRUE_B, 50, 0.5, trainings=3, **AGAIN)
    data = data_of(ax)
    by_sgd, by_squares = errors_of_trainings(3)
    for name, errors in (("sgd", by_sgd), ("best", by_squares)):
        given = torch.tensor(data.pop(name))
        assert given.tolist() == given.round(decimals=3).tolist()
        assert (given - errors).abs().max() < 0.00051
    truth = {"w": [2, -3.4], "b": 4.2}
    settings = {"n": 50, "noise_std": 0.5, **AGAIN}
    assert data == {"kind": "again", **truth, **settings}


def test_again_draws_two_clouds_and_two_circles():
    ax = explore.again(TRUE_W, TRUE_B, 50, 0.5, trainings=3, **AGAIN)
    by_sgd, by_squares = errors_of_trainings(3)
    for cloud, errors in zip(
        ax.collections, (by_squares, by_sgd), strict=True
    ):
        drawn = torch.as_tensor(cloud.get_offsets().data).float()
        assert torch.allclose(drawn, errors, atol=1e-6)
    names = [artist.get_label() for artist in (*ax.collections, *ax.lines)]
    assert names == [
        "least squares",
        "SGD",
        r"$\sigma/\sqrt{n}$",
        r"$\sqrt{\sigma^2/n+\eta\sigma^2/2m}$",
    ]
    radii = [line.get_xdata()[0] for line in ax.lines]
    limit = 0.5 / 50**0.5
    total = (0.5**2 / 50 + 0.1 * 0.5**2 / (2 * 7)) ** 0.5
    assert radii == pytest.approx([limit, total])
