import pytest
import torch

from linreg import init_params, linreg, squared_loss, train

SETTINGS = {"lr": 0.03, "batch_size": 3, "num_epochs": 2}


def start(seed=0):
    return init_params(2, generator=torch.Generator().manual_seed(seed))


def fit(params, examples, **changes):
    return train(linreg, squared_loss, params, *examples, **SETTINGS | changes)


def test_reported_loss_is_the_mean_over_all(examples):
    w, b = start()
    features, labels = examples
    for _, loss in fit([w, b], examples):
        expected = squared_loss(linreg(features, w, b), labels).mean()
        assert loss == pytest.approx(expected.item(), rel=1e-6)
        assert isinstance(loss, float)


@pytest.mark.parametrize("batch_size", [3, 1000, 2000])
def test_same_as_torch(examples, batch_size):
    features, labels = examples
    w, b = start()
    other = [p.detach().clone().requires_grad_() for p in (w, b)]
    generator = torch.Generator().manual_seed(5)
    settings = {"batch_size": batch_size, "generator": generator}
    list(fit([w, b], examples, **settings))

    generator = torch.Generator().manual_seed(5)
    optimizer = torch.optim.SGD(other, lr=0.03)
    for _ in range(2):
        order = torch.randperm(1000, generator=generator)
        for chosen in order.split(batch_size):
            optimizer.zero_grad()
            y_hat = features[chosen] @ other[0] + other[1]
            loss = torch.nn.functional.mse_loss(y_hat, labels[chosen]) / 2
            loss.backward()
            optimizer.step()
    assert torch.allclose(w, other[0], atol=1e-5)
    assert torch.allclose(b, other[1], atol=1e-5)


def test_nothing_runs_before_it_is_asked(examples):
    w, b = start()
    before = w.detach().clone()
    run = fit([w, b], examples)
    assert torch.equal(w, before)
    next(run)
    assert not torch.equal(w, before)


def test_other_models_and_losses(examples):
    def net(X, w):
        return X @ w

    def absolute_loss(y_hat, y):
        return (y_hat - y).abs()

    w, _ = start()
    *_, (_, loss) = train(net, absolute_loss, [w], *examples, **SETTINGS)
    assert loss < 5


def test_divergence_is_said(examples):
    message = r"^loss is (nan|inf) in epoch 1 with lr=3\.0$"
    with pytest.raises(ValueError, match=message):
        next(fit(start(), examples, lr=3.0))


def flat(function):
    return lambda *arguments: function(*arguments).flatten()


@pytest.mark.parametrize(
    ("net", "loss", "refused"),
    [
        (flat(linreg), squared_loss, "net must give a {good}, got {flat}"),
        (linreg, flat(squared_loss), "loss must give a {good}, got {flat}"),
        (linreg, torch.nn.MSELoss(), "loss must give a {good}, got {mean}"),
        (lambda *_: None, squared_loss, "net must give a {good}, got None"),
    ],
)
def test_refuses_what_would_give_nonsense(examples, net, loss, refused):
    """A mean, for one, would be divided by the batch size once more."""
    w, b = start()
    before = [w.detach().clone(), b.detach().clone()]
    settings = SETTINGS | {"batch_size": 100}
    with pytest.raises((TypeError, ValueError)) as caught:
        next(train(net, loss, [w, b], *examples, **settings))
    assert str(caught.value) == refused.format(
        good="float32 tensor of shape (100, 1)",
        flat="float32 tensor of shape (100,)",
        mean="float32 tensor of shape ()",
    )
    assert torch.equal(w, before[0])
    assert torch.equal(b, before[1])
    assert w.grad is None


def test_says_what_was_wrong_before_the_start(examples):
    features, labels = examples
    w, b = start()
    with torch.no_grad():
        b.fill_(float("nan"))
    with pytest.raises(ValueError, match=r"^params\[1\] holds nan or inf"):
        next(fit([w, b], examples))
    with pytest.raises(ValueError, match="labels are too large for float32"):
        next(fit(start(), (features, 1e20 * labels), lr=0))


@pytest.mark.parametrize(
    ("features", "labels", "named"),
    [
        ([(700, 1), (700, 0)], [], "features[700, 0]"),
        ([(9, 1)], [(3, 0)], "features[9, 1]"),
        ([], [(999, 0)], "labels[999, 0]"),
    ],
)
def test_names_the_first_number_that_spoils_the_loss(
    examples, features, labels, named
):
    for data, spots in zip(examples, (features, labels), strict=True):
        for spot in spots:
            data[spot] = float("inf")
    with pytest.raises(ValueError, match=r"^loss is nan") as caught:
        next(fit(start(), examples))
    assert str(caught.value) == f"loss is nan in epoch 1 with {named} = inf"
