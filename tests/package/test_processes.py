"""What one process does; chapter 17 starts several, by the launcher."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from linreg import linreg as predict
from linreg import sgd, squared_loss
from linreg.large import processes
from linreg.large.files import open_data, seeded, stream_iter, write_data
from linreg.large.processes import process_group, shard_iter, train_distributed

W = torch.tensor([2, -3.4])
SETTINGS = {"lr": 0.1, "batch_size": 8, "num_epochs": 3}
SETTINGS |= {"block_size": 13, "seed": 5}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the power stays on
    for name in (*processes.LAUNCHERS, *processes.ADDRESS):
        monkeypatch.delenv(name, raising=False)
    write_data("data", W, 4.2, 61)


@pytest.fixture
def alone(here):
    with process_group():
        yield


def linear():
    net = nn.Linear(2, 1)
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    return net


def trained(checkpoint="run.pt", net=None, folder="data", **changes):
    net = net or linear()
    run = train_distributed(net, folder, checkpoint, **SETTINGS | changes)
    reports = list(run)
    return reports, torch.cat([p.detach().flatten() for p in net.parameters()])


def by_hand():
    """What one process does with the parts of chapters 2 to 6."""
    w, b = torch.zeros(2, 1), torch.zeros(1)
    w.requires_grad_(), b.requires_grad_()
    for epoch in (1, 2, 3):
        for X, y in stream_iter(8, "data", 13, seeded(5, epoch)):
            squared_loss(predict(X, w, b), y).sum().backward()
            sgd([w, b], 0.1, len(X))
    return torch.cat([w.detach().flatten(), b.detach()])


def test_the_result_is_that_of_the_parts(alone):
    reports, weights = trained()
    assert torch.allclose(weights, by_hand(), atol=1e-6)
    features, labels = (torch.tensor(array) for array in open_data("data"))
    y_hat = features @ weights[:2].reshape(2, 1) + weights[2]
    expected = ((y_hat - labels) ** 2 / 2).mean().item()
    assert [epoch for epoch, _ in reports] == [1, 2, 3]
    assert reports[-1][1] == pytest.approx(expected, rel=1e-5)


def test_goes_on_after_the_epoch_of_the_checkpoint(alone):
    _, expected = trained("whole.pt")
    numbers = {"lr": np.float64(0.1), "seed": np.int64(5)}
    first, _ = trained(num_epochs=1, **numbers)
    rest, weights = trained()
    assert [epoch for epoch, _ in first + rest] == [1, 2, 3]
    assert torch.equal(weights, expected)
    assert trained()[0] == []
    with pytest.raises(ValueError, match="of a run with num_epochs=3, not 2"):
        trained(num_epochs=2)


def test_shares_of_a_batch_are_the_batch():
    whole = list(stream_iter(8, "data", 13, seeded(1)))
    shares = [
        list(shard_iter(8, "data", 13, seeded(1), r, 3)) for r in range(3)
    ]
    for (X, y), *parts in zip(whole, *shares, strict=True):
        assert {m for _, _, m in parts} == {len(y)}
        for rank, (X_own, y_own, _) in enumerate(parts):
            assert torch.equal(X_own, X[rank::3])
            assert torch.equal(y_own, y[rank::3])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": -1.0}, "lr must be a finite number >= 0, got -1.0"),
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"folder": "nowhere"}, "[Errno 2] No such file or directory: "),
        ({"checkpoint": "nowhere/run.pt"}, "the folder of nowhere/run.pt"),
        ({"net": nn.Linear(2, 2)}, "net must give a float32 tensor of shape"),
    ],
)
def test_refuses_before_anything_is_trained(alone, changes, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        trained(**changes)
    assert str(caught.value).startswith(message)
    assert not list(Path().glob("*.pt*"))


def test_a_loss_that_is_no_number_is_not_kept(alone):
    features = np.lib.format.open_memmap("data/features.npy", "r+")
    features[59, 1] = np.nan
    with pytest.raises(ValueError, match=r"epoch 1 with features\[59, 1\]"):
        trained()
    assert not Path("run.pt").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 6}, "run.pt is of a run with seed=5, not 6"),
        ({"folder": "other"}, "run.pt is of a run on other data"),
        ({"net": nn.Sequential(linear())}, "run.pt is of another net: Error"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(alone, changes, message):
    write_data("other", W, 4.2, 61, seed=1)
    trained(num_epochs=1)
    before = Path("run.pt").read_bytes()
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        trained(**changes)
    assert str(caught.value).startswith(message)
    assert Path("run.pt").read_bytes() == before


def test_damage_is_noticed(alone):
    trained(num_epochs=1)
    whole = Path("run.pt").read_bytes()
    for damaged in (b"", whole[:-1], whole[:50] + b"?" + whole[51:]):
        Path("run.pt").write_bytes(damaged)
        with pytest.raises(ValueError, match="not a checkpoint, or damaged"):
            trained()
