import random
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from linreg import linreg as predict
from linreg import sgd, squared_loss
from linreg.large import processes
from linreg.large.files import open_data, seeded, stream_iter, write_data
from linreg.large.processes import (
    process_group,
    shard_iter,
    train_distributed,
)

W = torch.tensor([2, -3.4])
SETTINGS = {
    "lr": 0.1,
    "batch_size": 8,
    "num_epochs": 3,
    "block_size": 13,
    "seed": 5,
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
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
    return list(run), torch.cat(
        [p.detach().flatten() for p in net.parameters()]
    )


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


def launched(code, count, *options):
    """Run a program in several processes, as the launcher does."""
    Path("program.py").write_text(textwrap.dedent(code))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(count), *options, "program.py"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=200
    )


PROGRAM = """
import sys
import torch
import torch.distributed as dist
from linreg.large.processes import process_group, train_distributed

with process_group():
    rank = dist.get_rank()
    for name, changes in CASES.items():
        net = torch.nn.Linear(2, 1)
        torch.nn.init.constant_(net.weight, float(rank))
        torch.nn.init.constant_(net.bias, float(rank))
        settings = dict(lr=0.1, batch_size=8, num_epochs=3)
        settings |= dict(block_size=13, seed=5)
        settings |= {k: v[rank] if isinstance(v, list) else v
                     for k, v in changes.items()}
        checkpoint = settings.pop("checkpoint", f"{name}.pt")
        try:
            list(train_distributed(net, "data", checkpoint, **settings))
            values = torch.cat([p.flatten() for p in net.parameters()])
            said = " ".join(f"{value:.9f}" for value in values.tolist())
        except ValueError as error:
            said = str(error)
        with open(f"{name}-{rank}.txt", "w") as file:
            file.write(said)
"""


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
    first, _ = trained(num_epochs=1)
    rest, weights = trained()
    assert [epoch for epoch, _ in first + rest] == [1, 2, 3]
    assert torch.equal(weights, expected)
    assert trained()[0] == []


def test_double_precision(alone):
    write_data("double", W.double(), 4.2, 61)
    _, weights = trained(net=linear(torch.float64), folder="double")
    assert weights.dtype == torch.float64


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
        (
            {"num_epochs": 2.5},
            "num_epochs must be a positive integer, got 2.5",
        ),
        ({"block_size": 0}, "block_size must be a positive integer, got 0"),
        ({"seed": -1}, "expected non-negative integer"),
        ({"folder": "nowhere"}, "[Errno 2] No such file or directory: "),
        (
            {"checkpoint": "nowhere/run.pt"},
            "the folder of nowhere/run.pt must",
        ),
        (
            {"net": nn.Linear(2, 2)},
            "net must give a float32 tensor of shape (8, 1), got float32",
        ),
        (
            {"net": nn.Linear(3, 1)},
            "addmm: mat1 and mat2 shapes cannot be multiplied",
        ),
    ],
)
def test_refuses_before_anything_is_trained(alone, changes, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        trained(**changes)
    assert str(caught.value).startswith(message)
    assert not list(Path().glob("*.pt*"))


def test_a_loss_that_is_no_number_leaves_the_epoch_before(alone):
    trained(num_epochs=1)
    before = Path("run.pt").read_bytes()
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
    assert len(before) > 32


# The checkpoint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.2}, "run.pt is of a run with lr=0.1, not 0.2"),
        ({"batch_size": 9}, "run.pt is of a run with batch_size=8, not 9"),
        ({"block_size": 9}, "run.pt is of a run with block_size=13, not 9"),
        ({"seed": 6}, "run.pt is of a run with seed=5, not 6"),
        ({"folder": "other"}, "run.pt is of a run on other data"),
        (
            {"net": nn.Sequential(nn.Linear(2, 1))},
            "run.pt is of another net: Error(s) in loading",
        ),
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
    trained(num_epochs=1)
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
            trained()


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


def test_a_killed_training_goes_on(alone):
    _, expected = trained("whole.pt", num_epochs=40)
    command = [sys.executable, "-c", textwrap.dedent("""
        import torch
        from linreg.large.processes import process_group, train_distributed
        net = torch.nn.Linear(2, 1)
        for param in net.parameters(): torch.nn.init.zeros_(param)
        settings = dict(lr=0.1, batch_size=8, block_size=13, seed=5)
        with process_group():
            for epoch, _ in train_distributed(
                net, "data", "run.pt", num_epochs=40, **settings):
                print(epoch, flush=True)
    """)]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True
    ) as process:
        for _ in range(3):
            process.stdout.readline()
        process.kill()
    rest, weights = trained(num_epochs=40)
    assert 3 <= 40 - len(rest) < 40
    assert torch.equal(weights, expected)


def test_comparing_data_keeps_no_pages_of_them():
    """A thousand rows of one map brought 460 MB of a gigabyte with them."""
    write_data("large", W, 4.2, 5_000_000)
    code = """
import re
from linreg.large.processes import _fingerprint
def peak():
    status = open("/proc/self/status").read()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])
_fingerprint("data")
before = peak()
_fingerprint("large")
print(peak() - before)
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(said.stdout) < 10_000


# Several processes


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"WORLD_SIZE": "2", "RANK": "0"}, "'MASTER_ADDR', 'MASTER_PORT'"),
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


def test_a_launcher_of_one_process_is_no_matter(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    with process_group():
        assert torch.distributed.get_world_size() == 1


def test_three_processes_do_what_one_does():
    """Equal and unequal shares, another start, other calls: all in one run."""
    cases = {
        "equal": {},
        "unequal": {"batch_size": 7},
        "wide": {"batch_size": 100, "block_size": 100},
        "other lr": {"lr": [0.1, 0.1, 0.2]},
        "no size": {"batch_size": [8, 0, 8]},
        "no folder": {"checkpoint": ["a.pt", "nowhere/a.pt", "nowhere/a.pt"]},
        "first": {"num_epochs": 1, "checkpoint": "first.pt"},
        "on": {"checkpoint": "first.pt"},
    }
    result = launched(f"CASES = {cases}\n{textwrap.dedent(PROGRAM)}", 3)
    assert result.returncode == 0, result.stderr

    def said(name):
        return [Path(f"{name}-{rank}.txt").read_text() for rank in range(3)]

    with process_group():
        for name in ("equal", "unequal", "wide", "on"):
            changes = {
                k: v for k, v in cases[name].items() if k != "checkpoint"
            }
            _, expected = trained(f"alone-{name}.pt", **changes)
            for line in said(name):
                found = torch.tensor([float(x) for x in line.split()])
                assert torch.allclose(found, expected, atol=1e-6), name
    assert len({*said("other lr")}) == 1
    assert said("other lr")[0].startswith("all processes must train alike")
    assert {*said("no size")} == {
        "batch_size must be a positive integer, got 0"
    }
    assert len({*said("no folder")}) == 1  # process 0 alone needs one
    assert re.match(r"-?\d", said("no folder")[0])


def test_a_restarted_group_does_not_call_the_dead():
    """The launcher's store still has their addresses: it would wait for ever.

    All processes but one are alive when it dies, in the middle of the group.
    """
    result = launched(
        """
        import os, signal
        import torch
        import torch.distributed as dist
        from linreg.large.processes import process_group
        with process_group():
            total = torch.ones(1)
            dist.all_reduce(total)
            again = os.environ["TORCHELASTIC_RESTART_COUNT"] == "1"
            if dist.get_rank() == 0 and not again:
                os.kill(os.getpid(), signal.SIGKILL)
            dist.all_reduce(total)
            if dist.get_rank() == 1:
                print(again, total.item())
        """,
        2,
        "--max-restarts=1",
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "True 4.0\n"


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
