import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from numpy.lib.format import open_memmap
from torch import nn

from linreg import linreg as predict
from linreg import sgd, squared_loss
from linreg.__main__ import main
from linreg.large import processes
from linreg.large.files import (
    NAMES,
    open_data,
    seeded,
    stream_iter,
    write_data,
)
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


def linear(dtype=torch.float32):
    net = nn.Linear(2, 1, dtype=dtype)
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    return net


def trained(checkpoint="run.pt", net=None, folder="data", **changes):
    net = net or linear()
    run = train_distributed(net, folder, checkpoint, **SETTINGS | changes)
    reports = list(run)
    return reports, torch.cat([p.detach().flatten() for p in net.parameters()])


def by_hand(num_epochs=3):
    """What one process does with the parts of chapters 2 to 6."""
    w, b = (
        torch.zeros(2, 1, requires_grad=True),
        torch.zeros(1, requires_grad=True),
    )
    for epoch in range(1, num_epochs + 1):
        for X, y in stream_iter(8, "data", 13, seeded(5, epoch)):
            squared_loss(predict(X, w, b), y).sum().backward()
            sgd([w, b], 0.1, len(X))
    return torch.cat([w.detach().flatten(), b.detach()])


@pytest.fixture
def group(started, monkeypatch):
    """Act in each process of a group that meets as the launcher's do.

    Chapter 17 starts such groups by the launcher itself.
    """
    store = dist.TCPStore("127.0.0.1", 0, is_master=True)
    for name, value in {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": store.port,
        "GROUP_WORLD_SIZE": 1,
        "TORCHELASTIC_USE_AGENT_STORE": True,
    }.items():
        monkeypatch.setenv(name, str(value))

    def start(act, size, attempt=0):
        def member(rank):
            os.environ["RANK"], os.environ["WORLD_SIZE"] = f"{rank}", f"{size}"
            os.environ["TORCHELASTIC_RESTART_COUNT"] = f"{attempt}"
            with process_group():
                act(rank)

        members = [started(member, rank) for rank in range(size)]
        for process in members:
            process.join(100)
        return [process.exitcode for process in members]

    yield start
    del store  # until now it listens


# One process


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
        ({"num_epochs": 2.5}, "num_epochs must be a positive integer, got"),
        ({"block_size": 0}, "block_size must be a positive integer, got 0"),
        ({"seed": -1}, "expected non-negative integer"),
        ({"folder": "nowhere"}, "[Errno 2] No such file or directory: "),
        ({"checkpoint": "nowhere/run.pt"}, "the folder of nowhere/run.pt"),
        ({"net": nn.Linear(2, 2)}, "net must give a float32 tensor of shape"),
        ({"net": nn.Linear(3, 1)}, "addmm: mat1 and mat2 shapes cannot be"),
    ],
)
def test_refuses_before_anything_is_trained(alone, changes, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        trained(**changes)
    assert str(caught.value).startswith(message)
    assert not list(Path().glob("*.pt*"))


def test_a_loss_that_is_no_number_leaves_the_epoch_before(alone):
    trained(num_epochs=1)
    features = np.lib.format.open_memmap("data/features.npy", "r+")
    row = int(np.linspace(0, 60, 1000).astype(int)[-1]) - 1
    features[row, 1] = np.nan
    with pytest.raises(ValueError, match="on other data"):
        trained()
    Path("run.pt").unlink()
    with pytest.raises(
        ValueError, match=rf"epoch 1 with features\[{row}, 1\]"
    ):
        trained()
    assert not Path("run.pt").exists()


# The checkpoint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.2}, "run.pt is of a run with lr=0.1, not 0.2"),
        ({"batch_size": 9}, "run.pt is of a run with batch_size=8, not 9"),
        ({"block_size": 9}, "run.pt is of a run with block_size=13, not 9"),
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


def test_any_damage_is_noticed(alone):
    write_data("few", W, 4.2, 9)
    trained(folder="few", num_epochs=1)
    whole, chance = Path("run.pt").read_bytes(), random.Random(0)
    damaged = [whole[:n] for n in (0, 1, 31, 32, 100, len(whole) - 1)]
    damaged += [whole + b"\0", b"not a checkpoint"]
    for place in chance.sample(range(8 * len(whole)), 40):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        damaged.append(bytes(flipped))
    for content in damaged:
        Path("run.pt").write_bytes(content)
        with pytest.raises(ValueError, match="not a checkpoint, or damaged"):
            trained(folder="few")


def test_one_that_cannot_be_written_leaves_the_old_one(alone, monkeypatch):
    run = train_distributed(linear(), "data", "run.pt", **SETTINGS)
    next(run)
    before = Path("run.pt").read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(processes, "sync", full)
    with pytest.raises(ValueError, match="No space left on device"):
        next(run)
    assert Path("run.pt").read_bytes() == before
    assert sorted(p.name for p in Path().iterdir()) == ["data", "run.pt"]


def test_other_troubles_of_process_0_reach_all(alone, monkeypatch):
    """The others would wait for it, and end without its reason."""
    trained(num_epochs=1)
    monkeypatch.setattr(processes, "_load", lambda *_: 1 / 0)
    with pytest.raises(ValueError, match="division by zero"):
        trained()


def test_data_that_change_between_epochs_are_refused(alone):
    run = train_distributed(linear(), "data", "run.pt", **SETTINGS)
    next(run)
    os.utime("data/labels.npy", ns=(0, 0))
    with pytest.raises(ValueError, match=r"\.npy changed while it was read"):
        next(run)


def test_a_killed_training_goes_on(told):
    with process_group():
        _, expected = trained("whole.pt", num_epochs=40)

    def train(tell):
        with process_group():
            for report in train_distributed(
                linear(), "data", "run.pt", **SETTINGS | {"num_epochs": 40}
            ):
                tell(report)

    process, hear = told(train)
    for _ in range(3):
        hear()
    process.kill()
    process.join()
    with process_group():
        rest, weights = trained(num_epochs=40)
    assert 3 <= 40 - len(rest) < 40
    assert torch.equal(weights, expected)


def test_comparing_data_keeps_no_pages_of_them(added_kb):
    """A thousand rows of one map brought 460 MB of a gigabyte with them."""
    Path("large").mkdir()
    for name, width in zip(NAMES, (2, 1), strict=True):  # full of holes
        open_memmap(f"large/{name}", "w+", "float32", (5_000_000, width))
    added = added_kb(
        lambda: processes._fingerprint("data"),
        lambda: processes._fingerprint("large"),
    )
    assert added < 10_000


# Several processes


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"WORLD_SIZE": "2", "RANK": "0"}, "'MASTER_ADDR', 'MASTER_PORT'"),
        ({"RANK": "1"}, "'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT'"),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, "'RANK', 'WORLD_SIZE', 'MASTER_ADDR'"),
        ({"PMI_SIZE": "8"}, "'RANK', 'WORLD_SIZE', 'MASTER_ADDR'"),
        ({"SLURM_STEP_NUM_TASKS": "2"}, "'RANK', 'WORLD_SIZE', 'MASTER_ADDR'"),
    ],
)
def test_never_alone_in_silence(monkeypatch, environment, missing):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    advice = pytest.raises(ValueError, match=r"torch\.distributed\.run")
    with advice as caught, process_group():
        pass
    assert missing in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_says_in_one_line_that_another_process_died(monkeypatch):
    def closed(*_, **__):
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(processes, "train_distributed", closed)
    monkeypatch.setattr(sys, "argv", ["linreg", "train", "data", "run.pt"])
    with pytest.raises(SystemExit, match=r"^linreg: Connection closed"):
        main()


@pytest.mark.parametrize("rank", ["2", "-1", "x"])
def test_a_process_that_nobody_waits_for_does_not_wait(monkeypatch, rank):
    for name in processes.ADDRESS:
        monkeypatch.setenv(name, rank if name == "RANK" else "2")
    with pytest.raises(ValueError, match="RANK must be less"), process_group():
        pass


def test_three_processes_do_what_one_does(group, monkeypatch):
    """Equal and unequal shares, another start, other calls: all in one run."""
    cases = {
        "equal": {},
        "unequal": {"batch_size": 7},
        "wide": {"batch_size": 100, "block_size": 100},
        "other lr": {"lr": [0.1, 0.1, 0.2]},
        "other length": {"num_epochs": [3, 4, 3]},
        "no size": {"batch_size": [8, 0, 8]},
        "no folder": {"checkpoint": ["a.pt", "nowhere/a.pt", "nowhere/a.pt"]},
        "first": {"num_epochs": 1, "checkpoint": "first.pt"},
        "on": {"checkpoint": "first.pt"},
    }

    def act(rank):
        for name, changes in cases.items():
            own = {
                k: v[rank] if isinstance(v, list) else v
                for k, v in changes.items()
            }
            net = linear()
            for param in net.parameters():
                nn.init.constant_(param, rank)
            try:
                _, found = trained(net=net, **{"checkpoint": name} | own)
            except ValueError as error:
                found = str(error)
            torch.save(found, f"{name}-{rank}")

    assert group(act, 3) == [0, 0, 0]

    def said(name):
        return [torch.load(f"{name}-{rank}") for rank in range(3)]

    for variable in processes.ADDRESS:
        monkeypatch.delenv(variable, raising=False)
    with process_group():
        for name in ("equal", "unequal", "wide", "on"):
            alone = cases[name] | {"checkpoint": f"alone {name}"}
            _, expected = trained(**alone)
            for found in said(name):
                assert torch.allclose(found, expected, atol=1e-6), name
    alike = "all processes must train alike: "
    assert {*said("other lr")} == {
        f"{alike}lr is 0.1 in process 0, 0.2 in process 2"
    }
    assert {*said("other length")} == {
        f"{alike}num_epochs is 3 in process 0, 4 in process 1"
    }
    assert {*said("no size")} == {
        "batch_size must be a positive integer, got 0"
    }
    first, *others = said("no folder")  # process 0 alone needs one
    assert all(torch.equal(first, found) for found in others)


def test_a_restarted_group_does_not_call_the_dead(group):
    """The launcher's store still has their addresses: it would wait for ever.

    All processes but one are alive when it dies, in the middle of the group.
    """

    def total(rank, dies):
        found = torch.ones(1)
        dist.all_reduce(found)
        if rank == 0 and dies:
            os.kill(os.getpid(), signal.SIGKILL)
        dist.all_reduce(found)
        assert found.item() == 4

    assert group(lambda rank: total(rank, dies=True), 2)[0] == -signal.SIGKILL
    assert group(lambda rank: total(rank, dies=False), 2, attempt=1) == [0, 0]


def test_launchers_of_several_machines_must_not_share_a_store(monkeypatch):
    for name, value in {
        "RANK": "0",
        "WORLD_SIZE": "1",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": "0",
        "GROUP_WORLD_SIZE": "2",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        torch.distributed, "rendezvous", lambda _: iter([(None, 0, 1)])
    )
    advice = pytest.raises(ValueError, match="set TORCH_DISABLE_SHARE_RDZV")
    with advice, process_group():
        pass
