import os
import re
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from linreg import distributed, init_params, linreg, sgd, squared_loss
from linreg.distributed import (
    epoch_generator,
    process_group,
    shard_iter,
    train_distributed,
)
from linreg.stream import open_data, stream_iter, write_data

W = torch.tensor([2, -3.4])
SETTINGS = {
    "lr": 0.1,
    "batch_size": 8,
    "num_epochs": 3,
    "block_size": 13,
    "seed": 5,
}
LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
LAUNCHER += ["--local-addr=127.0.0.1", "--max-restarts=1"]
PROGRAM = [sys.executable, "-m", "linreg.distributed"]


def write(folder, sample_size):
    write_data(folder, W, 4.2, sample_size)
    return folder


@pytest.fixture
def data(tmp_path):
    return write(tmp_path / "data", 20)


@pytest.fixture
def alone():
    with process_group():
        yield


def start():
    net = nn.Linear(2, 1)
    w, b = init_params(2, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        net.weight.copy_(w.T)
        net.bias.copy_(b)
    return net, w, b


def by_hand(folder, *, lr, num_epochs, batch_size, seed, block_size=100_000):
    """One process: the loop of chapter 7, with stream_iter's batches."""
    _, w, b = start()
    for epoch in range(1, num_epochs + 1):
        (state,) = np.random.SeedSequence([seed, epoch]).generate_state(1)
        generator = torch.Generator().manual_seed(int(state))
        for X, y in stream_iter(batch_size, folder, block_size, generator):
            squared_loss(linreg(X, w, b), y).sum().backward()
            sgd([w, b], lr, len(X))
    features = torch.from_numpy(np.load(folder / "features.npy"))
    labels = torch.from_numpy(np.load(folder / "labels.npy"))
    loss = squared_loss(linreg(features, w, b), labels).mean().item()
    return torch.cat([w.detach().flatten(), b.detach()]), loss


def weights(net):
    return torch.cat([net.weight.detach().flatten(), net.bias.detach()])


def prepared(folder, net=None, **changes):
    """Training of a net from `start`, to be run; it saves in run.pt."""
    checkpoint = folder.parent / "run.pt"
    settings = SETTINGS | changes
    return train_distributed(net or start()[0], folder, checkpoint, **settings)


def saved_weights(checkpoint):
    saved = torch.load(checkpoint, weights_only=True)["weights"]
    return torch.cat([saved["weight"].flatten(), saved["bias"]])


def test_nothing_is_left_of_the_group(data):
    with process_group():
        group = weakref.ref(dist.group.WORLD)
        list(prepared(data))
    assert group() is None


def test_the_default_block_size_and_seed(data, tmp_path, alone):
    run = tmp_path / "run.pt"
    settings = {"lr": 0.1, "batch_size": 8, "num_epochs": 1}
    list(train_distributed(start()[0], data, run, **settings))
    saved = torch.load(run, weights_only=True)["settings"]
    assert (saved["block_size"], saved["seed"]) == (100_000, 0)


@pytest.mark.parametrize("rank", [0, 1])
def test_as_one_of_two(data, tmp_path, alone, monkeypatch, rank):
    """The share of one process, on its own; only the first one saves."""
    monkeypatch.setattr(dist, "get_rank", lambda *_: rank)
    monkeypatch.setattr(dist, "get_world_size", lambda *_: 2)
    net, w, b = start()
    ((_, mean_loss),) = prepared(data, net, batch_size=20, num_epochs=1)
    for X, y in stream_iter(20, data, 13, epoch_generator(5, 1)):
        y_hat = linreg(X[rank::2], w, b)
        squared_loss(y_hat, y[rank::2]).sum().backward()
        sgd([w, b], 2 * 0.1, len(X))
    expected = torch.cat([w.detach().flatten(), b.detach()])
    assert (weights(net) - expected).abs().max() < 1e-6
    # Each has one of two blocks.
    X, y = (
        torch.from_numpy(array[13 * rank :][:13].copy())
        for array in open_data(data)
    )
    left = squared_loss(linreg(X, w, b), y).sum() / 20
    assert mean_loss == pytest.approx(left.item(), rel=1e-5)
    assert (tmp_path / "run.pt").exists() == (rank == 0)


def test_the_losses_of_all_are_added(data, alone, monkeypatch):
    monkeypatch.setattr(dist, "all_reduce", lambda total: total.mul_(2))
    *_, (_, mean_loss) = prepared(data)
    _, expected = by_hand(data, **SETTINGS)
    assert mean_loss == pytest.approx(2 * expected, rel=1e-4)


def test_all_wait_until_it_is_saved(data, tmp_path, alone, monkeypatch):
    saved = []
    checkpoint = tmp_path / "run.pt"
    monkeypatch.setattr(
        dist, "barrier", lambda: saved.append(checkpoint.exists())
    )
    next(prepared(data))
    assert saved == [True]


def test_as_one_of_too_many(data, alone, monkeypatch):
    message = "world size must be at most 20, the number of examples, got 21"
    monkeypatch.setattr(dist, "get_world_size", lambda *_: 21)
    with pytest.raises(ValueError, match=f"^{message}$"):
        prepared(data)
    monkeypatch.setattr(dist, "get_world_size", lambda *_: 20)
    prepared(data)


def test_many_blocks_are_summed_in_double_precision(tmp_path, alone):
    """In float32, ones no longer add to a sum of 2 ** 24."""
    (tmp_path / "data").mkdir()
    X = np.zeros((3, 2), dtype=np.float32)
    np.save(tmp_path / "data/features.npy", X)
    y = np.array([[2.0**13], [2**0.5], [2**0.5]], dtype=np.float32)
    np.save(tmp_path / "data/labels.npy", y)
    net = start()[0]
    with torch.no_grad():
        net.bias.zero_()
    settings = {"lr": 0.0, "block_size": 1, "num_epochs": 1}
    ((_, mean_loss),) = prepared(tmp_path / "data", net, **settings)
    assert mean_loss == pytest.approx((2**25 + 2) / 3, rel=1e-9)


@pytest.mark.parametrize("size", ["batch_size", "block_size"])
def test_sizes_may_be_numpys(data, alone, size):
    settings = {size: np.int64(8), "seed": np.int64(5)}
    list(prepared(data, **settings))
    prepared(data, **settings)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lr": -1.0}, "lr must be a finite number >= 0, got -1.0"),
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"num_epochs": 0}, "num_epochs must be a positive integer, got 0"),
        ({"block_size": 0}, "block_size must be a positive integer, got 0"),
        ({"seed": -1}, "expected non-negative integer"),
    ],
)
def test_settings_are_checked_by_the_call(
    data, tmp_path, alone, wrong, message
):
    with pytest.raises(ValueError, match=f"^{message}"):
        prepared(data, **wrong)
    assert not (tmp_path / "run.pt").exists()


def test_a_net_is_tried_on_a_batch_or_a_block(data, alone):
    tried = []
    net = start()[0]
    net.register_forward_hook(lambda net, x, y: tried.append(len(x[0])))
    for batch_size, block_size in ((8, 13), (20, 13), (30, 30)):
        prepared(data, net, batch_size=batch_size, block_size=block_size)
    assert tried == [8, 13, 20]


class Other(nn.Linear):
    """Gives something else than a linear net."""

    def __init__(self, change):
        super().__init__(2, 1)
        self.change = change

    def forward(self, X):
        return self.change(super().forward(X))


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda y: y.flatten(), "float32 tensor of shape (5,)"),
        (lambda y: y[:1], "float32 tensor of shape (1, 1)"),
        (lambda y: y.expand(-1, 2), "float32 tensor of shape (5, 2)"),
        (lambda y: y.double(), "float64 tensor of shape (5, 1)"),
    ],
)
def test_refuses_a_net_of_another_shape(data, alone, change, got):
    with pytest.raises(ValueError, match=r"^net must give") as caught:
        prepared(data, Other(change), batch_size=5)
    expected = "net must give a float32 tensor of shape (5, 1)"
    assert str(caught.value) == f"{expected}, got {got}"


def test_memory_does_not_grow_with_the_data(tmp_path, alone, monkeypatch):
    """No tensor is longer than a block."""
    write(tmp_path / "data", 1000)
    longest = []
    net = start()[0]
    net.register_forward_hook(lambda net, x, y: longest.append(len(x[0])))
    randperm = torch.randperm

    def shuffled(n, **options):
        longest.append(n)
        return randperm(n, **options)

    monkeypatch.setattr(torch, "randperm", shuffled)
    list(prepared(tmp_path / "data", net, batch_size=2000, block_size=50))
    assert max(longest) == 50


def launched_as(monkeypatch, gpus, **variables):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(dist, "is_torchelastic_launched", lambda: True)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("gpus", "place"), [(1, "cpu"), (2, "cuda:1")])
def test_a_gpu_for_each_process_or_none(monkeypatch, gpus, place):
    launched_as(monkeypatch, gpus, LOCAL_WORLD_SIZE="2", LOCAL_RANK="1")
    assert distributed._device() == torch.device(place)


def joins(monkeypatch, gpus, **variables):
    """The devices and ways that are chosen, and the keys of the store."""
    one = {"LOCAL_WORLD_SIZE": "1", "LOCAL_RANK": "0"}
    launched_as(monkeypatch, gpus, **one, **variables)
    store, done = dist.HashStore(), []

    def init(backend, *, store, rank, world_size):
        done.append((backend, rank, world_size))
        store.set("address", "here")

    monkeypatch.setattr(dist, "rendezvous", lambda url: iter([(store, 2, 3)]))
    monkeypatch.setattr(torch.cuda, "set_device", done.append)
    monkeypatch.setattr(dist, "init_process_group", init)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    with process_group():
        pass
    return done, store


@pytest.mark.parametrize(("gpus", "backend"), [(0, "gloo"), (1, "nccl")])
def test_the_way_to_talk(monkeypatch, gpus, backend):
    variables = {"TORCHELASTIC_USE_AGENT_STORE": "False"}
    done, store = joins(monkeypatch, gpus, **variables)
    places = [torch.device("cuda", 0)] * gpus
    assert done == [*places, (backend, 2, 3)]
    assert store.check(["address"])


SHARED = {
    "TORCHELASTIC_USE_AGENT_STORE": "True",
    "TORCHELASTIC_RESTART_COUNT": "4",
}


@pytest.mark.parametrize(("restarts", "machines"), [(0, 2), (1, 1)])
def test_one_launchers_count_tells_the_starts_apart(
    monkeypatch, restarts, machines
):
    _, store = joins(
        monkeypatch,
        0,
        TORCHELASTIC_MAX_RESTARTS=str(restarts),
        GROUP_WORLD_SIZE=str(machines),
        **SHARED,
    )
    assert store.check(["4/address"])


def test_restarts_on_several_machines_need_new_stores(monkeypatch):
    message = (
        "launchers on several machines can restart processes only if the "
        "environment variable TORCH_DISABLE_SHARE_RDZV_TCP_STORE is 1"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        joins(
            monkeypatch,
            0,
            TORCHELASTIC_MAX_RESTARTS="1",
            GROUP_WORLD_SIZE="2",
            **SHARED,
        )
    assert not dist.is_initialized()


META = torch.device("meta")  # its tensors do not mix with the CPU's


def test_all_of_a_step_is_on_the_device(data, alone, monkeypatch):
    given = []
    monkeypatch.setattr(distributed, "_device", lambda: META)
    monkeypatch.setattr(distributed, "DistributedDataParallel", lambda n: n)
    monkeypatch.setattr(
        distributed, "_mean_loss", lambda *rest: given.append(rest[-1]) or 0.0
    )
    monkeypatch.setattr(distributed, "_save", lambda *rest: None)
    net = start()[0]
    list(prepared(data, net))
    assert {param.device for param in net.parameters()} == {META}
    assert given == [META] * 3


def test_all_of_the_mean_loss_is_on_the_device(data, alone, monkeypatch):
    totals = []

    def all_reduce(total):
        totals.append(total.device)
        raise StopIteration  # a meta tensor has no value

    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    net = start()[0].to(META)
    with pytest.raises(StopIteration):
        distributed._mean_loss(net, data, 20, 13, META)
    assert totals == [META]


def test_a_checkpoint_is_read_into_memory(data, alone, monkeypatch):
    """And not on the GPU of the process that wrote it."""
    loads, load = [], torch.load
    monkeypatch.setattr(
        torch,
        "load",
        lambda path, **more: (
            loads.append(more["map_location"]) or load(path, **more)
        ),
    )
    for _ in range(2):
        list(prepared(data))
    assert loads == ["cpu"]


def test_alone_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    assert distributed._device() == torch.device("cpu")


@settings(max_examples=30)
@given(
    n=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    block_size=st.integers(1, 70),
    world_size=st.integers(1, 9),
)
def test_shards_put_together_are_the_batches(
    places, n, batch_size, block_size, world_size
):
    folder = places[n]
    sizes = batch_size, folder, block_size
    batches = list(stream_iter(*sizes, epoch_generator(1, 2)))
    each = [
        list(shard_iter(*sizes, epoch_generator(1, 2), rank, world_size))
        for rank in range(world_size)
    ]
    for (X, y), shards in zip(batches, zip(*each, strict=True), strict=True):
        for rank, (own_X, own_y, m) in enumerate(shards):
            assert torch.equal(own_X, X[rank::world_size])
            assert torch.equal(own_y, y[rank::world_size])
            assert m == len(X)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Folders of n examples whose numbers say where in the file they are."""
    folders = {n: tmp_path_factory.mktemp(f"places{n}") for n in range(1, 61)}
    for n, folder in folders.items():
        X = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
        np.save(folder / "features.npy", X)
        np.save(folder / "labels.npy", -X[:, :1])
    return folders


def test_epochs_of_different_runs_differ():
    draws = [
        tuple(torch.randperm(20, generator=epoch_generator(*key)).tolist())
        for key in ((0, 1), (0, 2), (1, 1), (1, 0), (0, 1))
    ]
    assert len(set(draws)) == 4
    assert draws[0] == draws[-1]


@pytest.mark.parametrize("batch_size", [1, 8, 20, 30])
def test_alone_it_is_the_loop_of_chapter_7(data, tmp_path, alone, batch_size):
    net, _, _ = start()
    reports = list(prepared(data, net, batch_size=batch_size))
    expected, loss = by_hand(data, **SETTINGS | {"batch_size": batch_size})
    assert (weights(net) - expected).abs().max() < 1e-6
    assert [epoch for epoch, _ in reports] == [1, 2, 3]
    assert reports[-1][1] == pytest.approx(loss, rel=1e-4)
    assert torch.equal(saved_weights(tmp_path / "run.pt"), weights(net))


SCRIPT = """
import os, signal
import torch
import torch.distributed as dist
from linreg.distributed import process_group, train_distributed

settings = {"lr": 0.1, "batch_size": 8, "num_epochs": 3}
settings |= {"block_size": 13, "seed": 5}
attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]
with process_group():
    rank = dist.get_rank()
    for n in (24, 17, 19, 1):
        net = torch.nn.Linear(2, 1)
        net.load_state_dict(torch.load("start.pt"))
        try:
            run = train_distributed(net, f"data{n}", f"{n}.pt", **settings)
        except ValueError as error:
            print(error) if rank == 0 else None
            continue
        for epoch, loss in run:
            if attempt == "0" and n == 19 and epoch == 2 and rank == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            if attempt == "1" and rank == 0:
                print(n, epoch, loss)
"""


@pytest.fixture(scope="module", params=[2, 3] if os.environ.get("CI") else [2])
def launched(request, tmp_path_factory):
    """Processes train on three data sets; one is killed in the third.

    The blocks have 13 examples and 11, 4 or 6, so the last batches 5 and 3,
    4 or 6: no number of processes shares them all evenly. Of one example
    there is not enough for two.
    """
    folder = tmp_path_factory.mktemp("launched")
    for n in (24, 17, 19, 1):
        write(folder / f"data{n}", n)
    torch.save(start()[0].state_dict(), folder / "start.pt")
    (folder / "program.py").write_text(SCRIPT)
    result = subprocess.run(
        [*LAUNCHER, f"--nproc-per-node={request.param}", "program.py"],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return folder, result


@pytest.mark.slow
@pytest.mark.parametrize("n", [24, 17])
def test_equal_and_unequal_shards_give_the_same_weights(launched, n):
    folder, _ = launched
    expected, _ = by_hand(folder / f"data{n}", **SETTINGS)
    assert (saved_weights(folder / f"{n}.pt") - expected).abs().max() < 1e-6


@pytest.mark.slow
def test_after_a_kill_the_weights_are_the_same(launched):
    folder, result = launched
    assert "failed (exitcode: -9) local_rank: 1" in result.stderr
    expected, _ = by_hand(folder / "data19", **SETTINGS)
    assert (saved_weights(folder / "19.pt") - expected).abs().max() < 1e-6
    assert not list(folder.glob("*.part"))


@pytest.mark.slow
def test_restarted_processes_do_only_what_is_left(launched):
    folder, result = launched
    _, expected = by_hand(folder / "data19", **SETTINGS)
    reports = re.findall(r"^\d.+$", result.stdout, re.MULTILINE)
    n, epoch, loss = (float(word) for word in " ".join(reports).split())
    assert (n, epoch) == (19, 3)
    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_more_processes_than_examples(launched):
    folder, result = launched
    message = r"world size must be at most 1, the number of examples, got [23]"
    assert re.search(f"^{message}$", result.stdout, re.MULTILINE)
    assert not (folder / "1.pt").exists()


@pytest.mark.slow
def test_bad_input_is_one_line_and_an_exit_code(data, tmp_path):
    result = subprocess.run(
        [*PROGRAM, "data", "run.pt", "--lr", "nan"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "linreg.distributed: lr must be a finite number >= 0, got nan\n"
    )


def command_line(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["linreg.distributed", *arguments])
    distributed.main()


def test_command_line(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--lr", "0.1", "--batch-size", "4", "--num-epochs", "30"]
    options += ["--block-size", "7"]
    command_line(monkeypatch, "data", "run.pt", *options, "--seed", "2")
    *epochs, last = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in epochs] == [
        f"epoch {epoch}" for epoch in range(1, 31)
    ]
    number = r"(-?\d\.\d{4})"
    numbers = re.fullmatch(f"w {number} {number} b {number}", last).groups()
    assert [float(x) for x in numbers] == pytest.approx([2, -3.4, 4.2], 0.01)
    saved = torch.load("run.pt", weights_only=True)
    settings = {"n": 20, "lr": 0.1, "batch_size": 4}
    settings |= {"block_size": 7, "seed": 2}
    assert saved["settings"] == settings
    assert saved["epoch"] == 30


def test_defaults_of_the_command_line(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command_line(monkeypatch, "data", "run.pt")
    saved = torch.load("run.pt", weights_only=True)
    settings = {"n": 20, "lr": 0.03, "batch_size": 10}
    settings |= {"block_size": 100_000, "seed": 0}
    assert (saved["settings"], saved["epoch"]) == (settings, 3)


def test_numbers_on_the_command_line(monkeypatch, capsys):
    """They are numbers before anything else is done with them."""
    found = []
    monkeypatch.setattr(
        distributed, "_run", lambda *given: found.append(given)
    )
    given = {"lr": 2.0, "batch_size": 3, "num_epochs": 4, "block_size": 5}
    given["seed"] = 6
    line = [f"--{k.replace('_', '-')}={v:g}" for k, v in given.items()]
    command_line(monkeypatch, "data", "run.pt", *line)
    ((folder, checkpoint, settings),) = found
    assert (folder, checkpoint, settings) == ("data", "run.pt", given)
    assert list(map(type, settings.values())) == [float, int, int, int, int]
    with pytest.raises(SystemExit) as end:
        command_line(monkeypatch, "data", "run.pt", "--seed", "x")
    assert end.value.code == 2
    assert "--seed: invalid int value: 'x'" in capsys.readouterr().err


def test_one_example_in_double_precision(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_data("data", W.double(), 4.2, 1)
    command_line(monkeypatch, "data", "run.pt")
    assert saved_weights("run.pt").dtype == torch.float64


def test_lines_are_not_held_back(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flushed = []
    monkeypatch.setattr(
        distributed,
        "print",
        lambda text, flush=False: flushed.append(flush),
        raising=False,
    )
    command_line(monkeypatch, "data", "run.pt", "--num-epochs", "1")
    assert flushed == [True, True]


def test_help(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stop:
        command_line(monkeypatch, "--help")
    assert stop.value.code == 0
    text = capsys.readouterr().out
    program = "python -m torch.distributed.run [...] -m linreg.distributed"
    assert text.startswith(f"usage: {program}\n")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "Train linear regression in many processes." in lines
    assert "folder with features.npy and labels.npy" in lines
    assert "checkpoint file for the weights" in lines
    for option, meaning in {
        "--lr": "learning rate (default: 0.03)",
        "--batch-size": "examples in a batch, of all processes (default: 10)",
        "--block-size": "examples in memory at a time (default: 100000)",
        "--num-epochs": "times to go through the data (default: 3)",
        "--seed": "decides first weights and order (default: 0)",
    }.items():
        assert option in text
        assert re.search(rf" {re.escape(meaning)}\n", text)


def cut_off(path):
    os.truncate(path, path.stat().st_size - 1)


def content(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("damage", "options", "message"),
    [
        (None, ["--lr", "inf"], "lr must be a finite number >= 0, got inf"),
        (
            lambda: cut_off(Path("data/labels.npy")),
            [],
            "data/labels.npy is damaged or cut off",
        ),
        (
            lambda: Path("data/features.npy").unlink(),
            [],
            "[Errno 2] No such file or directory: 'data/features.npy'",
        ),
        (
            lambda: Path("run.pt").write_text("x"),
            [],
            "run.pt is not a checkpoint, or damaged",
        ),
        (
            lambda: torch.save({"epoch": 1}, "run.pt"),
            [],
            "run.pt is not a checkpoint, or damaged",
        ),
        (
            lambda: torch.save([1], "run.pt"),
            [],
            "run.pt is not a checkpoint, or damaged",
        ),
        (
            None,
            ["--lr", "1e9"],
            "loss is inf in epoch 1 with lr=1000000000.0",
        ),
    ],
)
def test_bad_input(
    data, tmp_path, monkeypatch, capsys, damage, options, message
):
    monkeypatch.chdir(tmp_path)
    if damage is not None:
        damage()
    before = content(tmp_path)
    with pytest.raises(SystemExit) as stop:
        command_line(monkeypatch, "data", "run.pt", *options)
    # sys.exit prints a text on stderr and makes the exit code 1
    assert stop.value.code == f"linreg.distributed: {message}"
    assert capsys.readouterr().out == ""
    assert content(tmp_path) == before
    assert not dist.is_initialized()


def test_any_cut_of_a_checkpoint_is_noticed(data, tmp_path, alone):
    checkpoint = tmp_path / "run.pt"
    list(prepared(data))
    whole = checkpoint.read_bytes()
    message = f"^{re.escape(str(checkpoint))} is not a checkpoint, or damaged$"
    for size in range(0, len(whole), 50):
        checkpoint.write_bytes(whole[:size])
        net, _, _ = start()
        before = weights(net)
        with pytest.raises(ValueError, match=message):
            prepared(data, net)
        assert torch.equal(weights(net), before)


def test_goes_on_after_the_checkpoint(data, alone):
    first = prepared(data)
    assert next(first)[0] == 1
    first.close()
    net, _, _ = start()
    assert [epoch for epoch, _ in prepared(data, net)] == [2, 3]
    expected, _ = by_hand(data, **SETTINGS)
    assert (weights(net) - expected).abs().max() < 1e-6
    assert list(prepared(data)) == []


def test_a_failure_while_saving(data, tmp_path, alone, monkeypatch):
    checkpoint = tmp_path / "run.pt"
    run = prepared(data)
    next(run)
    before = checkpoint.read_bytes()

    def save(state, path):
        Path(path).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(OSError, match="no space left"):
        next(run)
    assert checkpoint.read_bytes() == before
    assert Path(f"{checkpoint}.part").read_bytes() == b"half"


def test_a_checkpoint_runs_no_code(data, tmp_path, alone):
    checkpoint = tmp_path / "run.pt"
    list(prepared(data))
    saved = torch.load(checkpoint, weights_only=True)
    torch.save(saved | {"more": Path("x")}, checkpoint)
    with pytest.raises(ValueError, match=r"is not a checkpoint, or damaged$"):
        prepared(data)


def test_a_checkpoint_of_another_run(data, tmp_path, alone):
    checkpoint = tmp_path / "run.pt"
    list(prepared(data))
    before = checkpoint.read_bytes()
    others = {"n": 20, "lr": 0.1, "batch_size": 8, "block_size": 13, "seed": 5}
    ours = others | {"lr": 0.2}
    message = f"{checkpoint} is of a run with {others}, not {ours}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        prepared(data, lr=0.2)
    assert checkpoint.read_bytes() == before


def test_divergence_keeps_the_checkpoint_of_the_epoch_before(
    data, tmp_path, alone
):
    run, epochs = prepared(data, lr=1e4, num_epochs=9), []
    with pytest.raises(ValueError, match=r"^loss is (inf|nan) in epoch \d "):
        epochs.extend(epoch for epoch, _ in run)
    assert epochs
    saved = torch.load(tmp_path / "run.pt", weights_only=True)
    assert saved["epoch"] == epochs[-1]
    assert saved["weights"]["weight"].isfinite().all()
