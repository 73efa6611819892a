"""Training in many processes, with torch.distributed: chapter 14."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import torch.distributed as dist

# Its functions keep the group of the moment it is imported as their default.
# DDP would import it while there is one, whose threads then never end.
import torch.distributed.nn.functional
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DistributedSampler, TensorDataset

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
    """Join the processes the launcher has started. Chapter 14.

    Without the launcher, the process is alone in its group.
    """
    if dist.is_torchelastic_launched():
        store, rank, world_size = next(dist.rendezvous("env://"))
        # A restarted group must not find the addresses of the dead one.
        attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]
        store = dist.PrefixStore(attempt, store)
    else:
        store, rank, world_size = dist.HashStore(), 0, 1
    dist.init_process_group(
        "gloo", store=store, rank=rank, world_size=world_size
    )
    try:
        yield
    finally:
        dist.destroy_process_group()


def shards(
    sample_size: int, batch_size: int, rank: int, world_size: int
) -> Iterator[tuple[slice, int]]:
    """Say which examples of each global batch are this process's. Chapter 14.

    Of the epoch's random order, process r has places r, r + world_size, …

    Args:
        sample_size: how many examples, n.
        batch_size: examples in a global batch; the last may be shorter.
        rank: number of this process, from 0.
        world_size: how many processes there are.

    Yields:
        A slice of the process's own examples, maybe an empty one, and how
        many examples the global batch has.
    """
    for start in range(0, sample_size, batch_size):
        stop = min(start + batch_size, sample_size)
        before = len(range(rank, start, world_size))
        yield slice(before, len(range(rank, stop, world_size))), stop - start


def train_distributed(
    net: nn.Module,
    folder: str | os.PathLike[str],
    checkpoint: str | os.PathLike[str],
    *,
    lr: float,
    batch_size: int,
    num_epochs: int,
    seed: int = 0,
) -> Iterator[tuple[int, float]]:
    """Train `net` in all processes of the group together. Chapter 14.

    The result does not depend on how many there are, but for rounding. If the
    checkpoint exists, training goes on after the epoch that it holds.

    Args:
        net: the model, its parameters of the data's type.
        folder: holds features.npy (n, d) and labels.npy (n, 1).
        checkpoint: file that gets the weights after each epoch.
        lr: learning rate.
        batch_size: examples in a batch of all processes together.
        num_epochs: how many times to go through the data.
        seed: decides the random order.

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
    check_size("batch_size", batch_size)
    check_size("num_epochs", num_epochs)
    features, labels = open_data(folder)
    n, rank, world_size = len(features), dist.get_rank(), dist.get_world_size()
    if world_size > n:
        raise ValueError(
            f"world size must be at most {n}, the number of examples, "
            f"got {world_size}"
        )
    X, y = _take(features, labels, torch.arange(min(n, batch_size)))
    check_tensor("net", net(X), len(X), 1, like=y, must="give")
    settings = {"n": n, "lr": lr, "batch_size": batch_size, "seed": seed}
    path = Path(checkpoint)
    done = _load(path, net, settings)

    def epochs() -> Iterator[tuple[int, float]]:
        model = DistributedDataParallel(net)
        optimizer = torch.optim.SGD(net.parameters(), lr)
        # It asks for the length only, and repeats examples at the end, so
        # that all processes have equally many; `shards` leaves them out.
        data = TensorDataset(torch.empty(n, 0))
        sampler: DistributedSampler[int] = DistributedSampler(data, seed=seed)
        for epoch in range(done + 1, num_epochs + 1):
            sampler.set_epoch(epoch)
            order = torch.tensor(list(sampler))
            for own, m in shards(n, batch_size, rank, world_size):
                X, y = _take(features, labels, order[own])
                loss = mse_loss(model(X), y, reduction="sum") / 2
                optimizer.zero_grad()
                # DDP averages over the processes; this makes it sum / m.
                (loss * world_size / m).backward()
                optimizer.step()
            mean_loss = _mean_loss(net, features, labels)
            if not math.isfinite(mean_loss):
                raise loss_error(mean_loss, epoch, lr, features, labels)
            if rank == 0:
                _save(path, net, settings, epoch)
            dist.barrier()
            yield epoch, mean_loss

    return epochs()


def _take(
    features: NDArray[Any], labels: NDArray[Any], chosen: Tensor
) -> tuple[Tensor, Tensor]:
    rows = chosen.numpy()
    return torch.from_numpy(features[rows]), torch.from_numpy(labels[rows])


def _mean_loss(
    net: nn.Module, features: NDArray[Any], labels: NDArray[Any]
) -> float:
    n = len(features)
    own = torch.arange(dist.get_rank(), n, dist.get_world_size())
    total = torch.zeros((), dtype=torch.float64)
    with torch.no_grad():
        for chosen in own.split(1_000_000):
            X, y = _take(features, labels, chosen)
            total += mse_loss(net(X), y, reduction="sum") / 2
    dist.all_reduce(total)
    return total.item() / n


def _load(path: Path, net: nn.Module, settings: dict[str, Any]) -> int:
    if not path.exists():
        return 0
    try:
        saved = torch.load(path, weights_only=True)
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
    """Run the command line: train on the files of a folder. Chapter 14."""
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
    X, _ = _take(*open_data(folder), torch.arange(1))
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
