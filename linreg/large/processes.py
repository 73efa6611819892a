"""Training in many processes, with torch.distributed: chapter 17."""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

# DDP would import it while there is a group, and some of its functions keep
# the group of that moment as their default: its threads would never end.
import torch._dynamo
import torch.distributed as dist
from torch import Generator, Tensor, nn
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel

from linreg._checks import check_loss, check_number, check_size, check_tensor
from linreg._csv import watch
from linreg.large.files import Name, open_data, read_block, seeded, sync

# What torchrun, Open MPI, MPICH and Slurm's srun tell a process that is alone.
LAUNCHERS = {"RANK": "0", "WORLD_SIZE": "1", "OMPI_COMM_WORLD_SIZE": "1"}
LAUNCHERS |= {"PMI_SIZE": "1", "SLURM_STEP_NUM_TASKS": "1"}
ADDRESS = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@contextmanager
def process_group() -> Iterator[None]:
    """Join the processes that a launcher has started. Chapter 17.

    Without a launcher, the process is alone in its group.

    Raises:
        ValueError: a launcher has started several processes, but has not told
            them how to meet, or could not after a restart.
    """
    said = {name: os.environ[name] for name in LAUNCHERS if name in os.environ}
    missing = [name for name in ADDRESS if name not in os.environ]
    if not missing:
        if said["RANK"] not in map(str, range(int(said["WORLD_SIZE"]))):
            raise ValueError(f"RANK must be less than WORLD_SIZE, got {said}")
        store, rank, size = next(dist.rendezvous("env://"))
        if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
            store = dist.PrefixStore(_attempt(), store)
    elif said.items() <= LAUNCHERS.items():
        store, rank, size = dist.HashStore(), 0, 1
    else:
        raise ValueError(
            f"one of several processes ({said}) must find {missing} in its "
            "environment: start them by python -m torch.distributed.run"
        )
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size)
    try:
        yield
    finally:
        dist.destroy_process_group()


def _attempt() -> str:
    # The launcher's store outlives a restart: a new group must not find the
    # addresses of the dead. Launchers of several machines count separately.
    if os.environ["GROUP_WORLD_SIZE"] != "1":
        raise ValueError(
            "set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 on each of the machines"
        )
    return os.environ["TORCHELASTIC_RESTART_COUNT"]


def shard_iter(
    batch_size: int,
    folder: Name,
    block_size: int,
    generator: Generator,
    rank: int,
    world_size: int,
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Read one process's share of each batch of `stream_iter`. Chapter 17.

    Of a batch, process r has examples r, r + world_size, …; it reads all.

    Args:
        batch_size: examples in a batch of all processes together; the last
            one of a block may be shorter.
        folder: holds features.npy (n, d) and labels.npy (n, 1).
        block_size: consecutive examples that a batch is chosen from.
        generator: source of the random order, in the same state everywhere.
        rank: number of this process, from 0.
        world_size: how many processes there are.

    Yields:
        X (k, d) and y (k, 1), the process's own examples, maybe none, and m,
        how many the whole batch has.
    """
    starts = torch.arange(0, len(open_data(folder)[0]), block_size)
    for k in torch.randperm(len(starts), generator=generator):
        X, y = read_block(folder, int(starts[k]), block_size)
        order = torch.randperm(len(X), generator=generator)
        for start in range(0, len(X), batch_size):
            batch = order[start : start + batch_size]
            own = batch[rank::world_size]
            yield X[own], y[own], len(batch)


def train_distributed(
    net: nn.Module,
    folder: Name,
    checkpoint: Name,
    *,
    lr: float,
    batch_size: int,
    num_epochs: int,
    block_size: int = 100_000,
    seed: int = 0,
) -> Iterator[tuple[int, float]]:
    """Train `net` in all processes of the group together. Chapter 17.

    The result does not depend on how many there are, but for rounding: it is
    that of one process that reads, in each epoch, with `stream_iter` and
    `seeded(seed, epoch)`. It goes on after a checkpoint that process 0 finds.

    Args:
        net: the model, its parameters of the data's type; process 0 decides
            their first values.
        folder: holds features.npy (n, d) and labels.npy (n, 1).
        checkpoint: file that process 0 writes after each epoch.
        lr: learning rate.
        batch_size: examples in a batch of all processes together; the last
            one of a block may be shorter.
        num_epochs: how many times to go through the data.
        block_size: consecutive examples that are in memory at a time.
        seed: decides the random order; not negative.

    Yields:
        The epoch and the mean loss over all n examples after it.

    Raises:
        ValueError: in all processes alike, an argument or a file is not as
            described above, or not the same in all of them; raised when the
            first epoch is asked for. Later, the loss is nan or inf, the data
            changed, or the checkpoint cannot be written; it stays as it was.
    """
    path, rank, size = Path(checkpoint), dist.get_rank(), dist.get_world_size()

    def prepare() -> dict[str, Any]:
        check_number("lr", lr)
        check_size("batch_size", batch_size)
        check_size("block_size", block_size)
        check_size("num_epochs", num_epochs)
        seeded(seed, 0)  # raises if the seed is not one
        X, y = read_block(folder, 0, batch_size)
        check_tensor("net", net(X), len(X), 1, like=y, must="give")
        # Plain numbers: torch.load refuses numpy's.
        run = {"lr": float(lr), "seed": int(seed), "num_epochs": num_epochs}
        run |= {"batch_size": batch_size, "block_size": block_size}
        return run | {"data": _fingerprint(folder)}

    def load() -> int:
        if not path.parent.is_dir():
            raise ValueError(f"the folder of {path} must exist")
        _write(path, b"").unlink()  # before an epoch is spent, not after
        return _load(path, net, run) if path.exists() else 0

    run = _agree(prepare)
    unchanged = watch(*Path(folder).glob("*.npy"))
    done = _decide(load)
    model = DistributedDataParallel(net)  # gives process 0's weights to all
    optimizer = torch.optim.SGD(net.parameters(), run["lr"])
    features, labels = open_data(folder)
    for epoch in range(done + 1, num_epochs + 1):
        order = seeded(seed, epoch), rank, size
        for X, y, m in shard_iter(batch_size, folder, block_size, *order):
            loss = mse_loss(model(X), y, reduction="sum") / 2
            optimizer.zero_grad()
            # DDP averages over the processes; this makes it sum / m.
            (loss * size / m).backward()
            optimizer.step()
        _all(unchanged)
        mean_loss = _mean_loss(net, folder, len(features), block_size)
        check_loss(mean_loss, epoch, lr, features, labels)
        _decide(lambda: _save(path, net, run, epoch))  # noqa: B023
        yield epoch, mean_loss


def _all(act: Callable[[], Any]) -> list[Any]:
    """Act in every process; raise in all what one has to say."""
    found, trouble = None, None
    try:
        found = act()
    except Exception as error:
        trouble = " ".join(str(error).split()) or repr(error)
    everyone: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, (found, trouble))
    for _, trouble in everyone:
        if trouble:
            raise ValueError(trouble)
    return [found for found, _ in everyone]


def _agree(check: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Call in every process; all must have found the same."""
    first, *others = _all(check)
    for rank, other in enumerate(others, 1):
        for name, value in sorted(first.items() - other.items()):
            raise ValueError(
                f"all processes must train alike: {name} is {value} in "
                f"process 0, {other[name]} in process {rank}"
            )
    return first


def _decide(act: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Act in process 0; tell all what came of it, or raise it in all."""
    return _all(lambda: act() if dist.get_rank() == 0 else None)[0]


def _fingerprint(folder: Name) -> str:
    """Tell data apart by their shape and a thousand rows, spread over all."""
    features, _ = open_data(folder)
    digest = hashlib.sha256(f"{features.shape} {features.dtype}".encode())
    for row in np.unique(np.linspace(0, len(features) - 1, 1000).astype(int)):
        for part in read_block(folder, row, 1):  # one map for all would grow
            digest.update(part.numpy().tobytes())
    return digest.hexdigest()


def _mean_loss(net: nn.Module, folder: Name, n: int, block_size: int) -> float:
    starts = range(0, n, block_size)[dist.get_rank() :: dist.get_world_size()]
    total = torch.zeros((), dtype=torch.float64)
    with torch.no_grad():
        for start in starts:
            X, y = read_block(folder, start, block_size)
            total += mse_loss(net(X), y, reduction="sum") / 2
    dist.all_reduce(total)
    return total.item() / n


def _save(path: Path, net: nn.Module, run: dict[str, Any], epoch: int) -> None:
    """Write it beside the old one, which it then replaces as a whole."""
    content = io.BytesIO()
    weights = net.state_dict()
    torch.save({"epoch": epoch, "run": run, "weights": weights}, content)
    _write(path, content.getvalue()).replace(path)
    sync(path.parent)


def _write(path: Path, content: bytes) -> Path:
    new = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        new.write_bytes(hashlib.sha256(content).digest() + content)
        sync(new)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    return new


def _load(path: Path, net: nn.Module, run: dict[str, Any]) -> int:
    whole = path.read_bytes()
    if hashlib.sha256(whole[32:]).digest() != whole[:32]:
        raise ValueError(f"{path} is not a checkpoint, or damaged")
    saved = torch.load(io.BytesIO(whole[32:]), weights_only=True)
    epoch, found = int(saved["epoch"]), saved["run"]
    found["num_epochs"] = max(epoch, run["num_epochs"])  # more is no harm
    for name, value in sorted(run.items() - found.items()):
        said = f"with {name}={found.get(name)}, not {value}"
        said = "on other data" if name == "data" else said
        raise ValueError(f"{path} is of a run {said}")
    try:
        net.load_state_dict(saved["weights"])
    except RuntimeError as error:
        raise ValueError(f"{path} is of another net: {error}") from error
    return epoch
