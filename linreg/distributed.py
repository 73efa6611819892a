"""Training in many processes, with torch.distributed: chapter 15."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
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

from linreg._checks import (
    check_number,
    check_size,
    check_tensor,
    loss_error,
)
from linreg.stream import open_data

KEYS = ("epoch", "settings", "weights")
# What torch.load and a look at its result raise, for one reason or another.
DAMAGE = (EOFError, KeyError, RuntimeError, TypeError, UnpicklingError)


@contextmanager
def process_group() -> Iterator[None]:
    """Join the processes the launcher has started. Chapter 15.

    Without the launcher, the process is alone in its group.

    Raises:
        ValueError: launchers on several machines may restart processes, but
            would show the new ones the addresses of the dead.
    """
    device = _device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store: dist.Store
    if not dist.is_torchelastic_launched():
        store, rank, world_size = dist.HashStore(), 0, 1
    else:
        store, rank, world_size = next(dist.rendezvous("env://"))
        # A restarted group must not find the addresses of the dead one.
        if os.environ["TORCHELASTIC_USE_AGENT_STORE"] == "True":
            _check_restarts()
            attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]
            store = dist.PrefixStore(attempt, store)
    dist.init_process_group(
        "gloo" if device.type == "cpu" else "nccl",
        store=store,
        rank=rank,
        world_size=world_size,
    )
    try:
        yield
    finally:
        dist.destroy_process_group()


def epoch_generator(seed: int, epoch: int) -> Generator:
    """Make the source of an epoch's random order. Chapter 15.

    Args:
        seed: not negative.
        epoch: not negative.

    Returns:
        A generator that no other seed and epoch have.
    """
    # Unlike seed + epoch, this gives no two runs an epoch in common.
    (state,) = np.random.SeedSequence([seed, epoch]).generate_state(1)
    return torch.Generator().manual_seed(int(state))


def shard_iter(
    batch_size: int,
    folder: str | os.PathLike[str],
    block_size: int,
    generator: Generator,
    rank: int,
    world_size: int,
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Read one process's share of each batch of `stream_iter`. Chapter 15.

    Of a batch, process r has examples r, r + world_size, …

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
    order = torch.randperm(len(starts), generator=generator)
    for start in starts[order].tolist():
        # A new map each time: pages of blocks gone by are given back.
        block = [
            array[start : start + block_size] for array in open_data(folder)
        ]
        order = torch.randperm(len(block[0]), generator=generator)
        batches = order.split(batch_size)
        own = [batch[rank::world_size] for batch in batches]
        rows, sizes = torch.cat(own).numpy(), [len(part) for part in own]
        X, y = (
            torch.from_numpy(array.take(rows, axis=0)).split(sizes)
            for array in block
        )
        yield from zip(X, y, map(len, batches), strict=True)


def train_distributed(
    net: nn.Module,
    folder: str | os.PathLike[str],
    checkpoint: str | os.PathLike[str],
    *,
    lr: float,
    batch_size: int,
    num_epochs: int,
    block_size: int = 100_000,
    seed: int = 0,
) -> Iterator[tuple[int, float]]:
    """Train `net` in all processes of the group together. Chapter 15.

    The result does not depend on how many there are, but for rounding: it is
    that of one process that reads, in each epoch, with `stream_iter` and
    `epoch_generator(seed, epoch)`. If the checkpoint exists, training goes on
    after the epoch that it holds.

    Args:
        net: the model, its parameters of the data's type.
        folder: holds features.npy (n, d) and labels.npy (n, 1).
        checkpoint: file that gets the weights after each epoch.
        lr: learning rate.
        batch_size: examples in a batch of all processes together; the last
            one of a block may be shorter.
        num_epochs: how many times to go through the data.
        block_size: consecutive examples that are in memory at a time.
        seed: decides the random order; not negative.

    Yields:
        The epoch and the mean loss over all n examples after it.

    Raises:
        TypeError, ValueError, OSError: an argument or a file is not as
            described above, or there are more processes than examples; raised
            by the call itself.
        ValueError: the loss became nan or inf; the checkpoint is then that of
            the epoch before.
    """
    check_number("lr", lr)
    for name, size in (
        ("batch_size", batch_size),
        ("num_epochs", num_epochs),
        ("block_size", block_size),
    ):
        check_size(name, size)
    # Neither split() nor the checkpoint takes NumPy's.
    batch_size, block_size = int(batch_size), int(block_size)
    epoch_generator(seed, 0)  # raises if the seed is not one
    features, labels = open_data(folder)
    n, rank, world_size = len(features), dist.get_rank(), dist.get_world_size()
    if world_size > n:
        raise ValueError(
            f"world size must be at most {n}, the number of examples, "
            f"got {world_size}"
        )
    X, y = _block(folder, 0, min(batch_size, block_size))
    check_tensor("net", net(X), len(X), 1, like=y, must="give")
    settings = {
        "n": n,
        "lr": float(lr),
        "batch_size": batch_size,
        "block_size": block_size,
        "seed": int(seed),
    }
    path = Path(checkpoint)
    done = _load(path, net, settings)

    def epochs() -> Iterator[tuple[int, float]]:
        device = _device()
        model = DistributedDataParallel(net.to(device))
        optimizer = torch.optim.SGD(net.parameters(), lr)
        for epoch in range(done + 1, num_epochs + 1):
            generator = epoch_generator(seed, epoch)
            batches = shard_iter(
                batch_size, folder, block_size, generator, rank, world_size
            )
            for X, y, m in batches:
                y_hat = model(X.to(device))
                loss = mse_loss(y_hat, y.to(device), reduction="sum")
                optimizer.zero_grad()
                # DDP averages over the processes; this makes it sum / m.
                (loss * (world_size / (2 * m))).backward()
                optimizer.step()
            mean_loss = _mean_loss(net, folder, n, block_size, device)
            error = loss_error(mean_loss, epoch, lr, features, labels)
            if error:
                raise error
            if rank == 0:
                _save(path, net, settings, epoch)
            dist.barrier()
            yield epoch, mean_loss

    return epochs()


def _check_restarts() -> None:
    """Raise if several launchers restart: each counts its own attempts."""
    names = ("TORCHELASTIC_MAX_RESTARTS", "GROUP_WORLD_SIZE")
    restarts, launchers = (int(os.environ[name]) for name in names)
    if restarts > 0 and launchers > 1:
        raise ValueError(
            "launchers on several machines can restart processes only if the "
            "environment variable TORCH_DISABLE_SHARE_RDZV_TCP_STORE is 1"
        )


def _device() -> torch.device:
    """Say where to compute: on a GPU, if each process here can have one."""
    if dist.is_torchelastic_launched():
        count = int(os.environ["LOCAL_WORLD_SIZE"])
        if torch.cuda.device_count() >= count:
            return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return torch.device("cpu")


def _block(
    folder: str | os.PathLike[str], start: int, size: int
) -> tuple[Tensor, Tensor]:
    X, y = (array[start : start + size].copy() for array in open_data(folder))
    return torch.from_numpy(X), torch.from_numpy(y)


def _mean_loss(
    net: nn.Module,
    folder: str | os.PathLike[str],
    n: int,
    block_size: int,
    device: torch.device,
) -> float:
    starts = range(0, n, block_size)[dist.get_rank() :: dist.get_world_size()]
    total = torch.zeros((), dtype=torch.float64, device=device)
    with torch.no_grad():
        for start in starts:
            X, y = _block(folder, start, block_size)
            y_hat = net(X.to(device))
            total += mse_loss(y_hat, y.to(device), reduction="sum") / 2
    dist.all_reduce(total)
    return total.item() / n


def _load(path: Path, net: nn.Module, settings: dict[str, Any]) -> int:
    if not path.exists():
        return 0
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        epoch, others, weights = (saved[key] for key in KEYS)
    except DAMAGE as error:
        raise ValueError(f"{path} is not a checkpoint, or damaged") from error
    if others != settings:
        raise ValueError(f"{path} is of a run with {others}, not {settings}")
    net.load_state_dict(weights)
    return int(epoch)


def _save(
    path: Path, net: nn.Module, settings: dict[str, Any], epoch: int
) -> None:
    values = (epoch, settings, net.state_dict())
    # Under its name there is always a whole checkpoint, the old or the new.
    part = path.with_name(path.name + ".part")
    torch.save(dict(zip(KEYS, values, strict=True)), part)
    part.replace(path)


def main() -> None:
    """Run the command line: train on the files of a folder. Chapter 15."""
    parser = argparse.ArgumentParser(
        prog="python -m torch.distributed.run [...] -m linreg.distributed",
        description="Train linear regression in many processes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("folder", help="with features.npy and labels.npy")
    parser.add_argument("checkpoint", help="file for the weights")
    parser.add_argument("--lr", type=float, default=0.03, help="learning rate")
    parser.add_argument(
        "--batch-size",
        type=int,
        default=10,
        help="examples in a batch, of all processes",
    )
    parser.add_argument(
        "--num-epochs",
        type=int,
        default=3,
        help="times to go through the data",
    )
    parser.add_argument(
        "--block-size",
        type=int,
        default=100_000,
        help="examples in memory at a time",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="decides first weights and order"
    )
    settings = vars(parser.parse_args())
    folder, checkpoint = settings.pop("folder"), settings.pop("checkpoint")
    try:
        with process_group():
            _run(folder, checkpoint, settings)
    except (OSError, TypeError, ValueError) as error:
        sys.exit(f"linreg.distributed: {error}")


def _run(folder: str, checkpoint: str, settings: dict[str, Any]) -> None:
    X, _ = _block(folder, 0, 1)
    torch.manual_seed(settings["seed"])
    net = nn.Linear(X.shape[1], 1, dtype=X.dtype)
    for epoch, loss in train_distributed(net, folder, checkpoint, **settings):
        if dist.get_rank() == 0:
            print(f"epoch {epoch}, loss {loss:f}", flush=True)
    if dist.get_rank() == 0:
        w = " ".join(f"{value:.4f}" for value in net.weight.flatten())
        print(f"w {w} b {net.bias.item():.4f}", flush=True)


if __name__ == "__main__":
    main()
