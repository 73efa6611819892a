"""Measure what chapter 17 quotes, and print it as JSON.

    python -m benchmarks.bench_processes > processes.json
    mv processes.json benchmarks/

It takes eight minutes on a quiet machine. Where the program is not root, two
machines are left out. Names of parts as arguments: only these.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
from torch import nn
from torch.multiprocessing import spawn
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel

from benchmarks import two_machines
from benchmarks.bench_files import machine, peak_memory_mb
from linreg import gen_data
from linreg.large.files import seeded, write_data
from linreg.large.processes import shard_iter, train_distributed

TRUE_W, TRUE_B, NOISE_STD = torch.tensor([2, -3.4]), 4.2, 0.01
BLOCK_SIZE = 100_000
EPOCH_SIZE, LR = 10**7, 0.03
EPOCHS = [
    ("linear", 1_000),
    ("linear", 100_000),
    ("linear", 1_000_000),
    ("hidden", 10_000),
]
TARGET = 1.01 * NOISE_STD**2 / 2  # a hundredth above the noise floor
LOSS_SIZE, LOSS_BATCHES = 10**6, [1, 10, 100, 1_000, 10_000, 100_000]
RATES = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005]
MEMORY_SIZES = [10**7, 10**8]


def in_processes(function, world_size, *arguments):
    """Collect what a function returns in each of several new processes."""
    with TemporaryDirectory() as folder:
        there = Path(folder)
        spawn(
            _in_process,
            (function, world_size, there, arguments),
            nprocs=world_size,
        )
        return [
            json.loads((there / f"{rank}.json").read_text())
            for rank in range(world_size)
        ]


def _in_process(rank, function, world_size, folder, arguments):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/store",
        rank=rank,
        world_size=world_size,
    )
    result = function(*arguments)
    (folder / f"{rank}.json").write_text(json.dumps(result))
    dist.destroy_process_group()


def make(kind):
    torch.manual_seed(0)
    if kind == "linear":
        return nn.Linear(2, 1)
    return nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 1))


def one_epoch(kind, folder, batch_size):
    settings = {
        "lr": LR,
        "batch_size": batch_size,
        "num_epochs": 1,
        "block_size": max(BLOCK_SIZE, batch_size),
    }
    with TemporaryDirectory() as scratch:
        dist.barrier()
        idle, start = peak_memory_mb(), time.perf_counter()
        checkpoint = Path(scratch) / "run.pt"
        list(train_distributed(make(kind), folder, checkpoint, **settings))
        return {
            "seconds": round(time.perf_counter() - start, 2),
            "added_mb": peak_memory_mb() - idle,
        }


def measure_epochs(rounds=2):
    """Run the same program in one process and in two; keep the quickest."""
    found = []
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        write_data(folder, TRUE_W, TRUE_B, EPOCH_SIZE, NOISE_STD)
        for kind, batch_size in EPOCHS:
            one, two = [], []
            for _ in range(rounds):
                for p, seconds in ((1, one), (2, two)):
                    job = one_epoch, p, kind, folder, batch_size
                    seconds.append(in_processes(*job)[0]["seconds"])
            found.append(
                {
                    "net": kind,
                    "batch_size": batch_size,
                    "seconds": [min(one), min(two)],
                }
            )
    return {"sample_size": EPOCH_SIZE, "rounds": rounds, "runs": found}


def until_target(batches, model, net, lr):
    """Take steps until the loss is TARGET, and say how many; 0 is never.

    It is the mean over all examples that there could be, which the truth
    gives. The seconds are those of reading, stepping and exchanging.
    """
    for param in net.parameters():
        nn.init.zeros_(param)
    optimizer = torch.optim.SGD(net.parameters(), lr)
    start, aside = time.perf_counter(), 0
    for step, (X, y, m) in enumerate(batches, 1):
        loss = mse_loss(model(X), y, reduction="sum") / 2
        optimizer.zero_grad()
        (loss * dist.get_world_size() / m).backward()
        optimizer.step()
        stopped = time.perf_counter()
        with torch.no_grad():
            error = (net.weight - TRUE_W).square().sum()
            error += (net.bias - TRUE_B).square().sum()
            reached = (NOISE_STD**2 + error.item()) / 2 <= TARGET
        aside += time.perf_counter() - stopped
        if reached:
            return step, stopped - start - aside
    return 0, 0


def choose_rate(batch_size, seeds=3, most=5000):
    """Find the rate that needs the fewest steps, in the median of seeds."""
    net, best = nn.Linear(2, 1), RATES[0]
    for lr in RATES:
        runs = []
        for seed in range(seeds):
            batches = new_batches(batch_size, seeded(seed), most)
            runs.append(until_target(batches, net, net, lr)[0] or most)
        if median(runs) < most:
            best, most = lr, int(median(runs))
    return best


def new_batches(batch_size, generator, most):
    """Draw each batch anew: there is no need to store so many examples."""
    for _ in range(most):
        X, y = gen_data(TRUE_W, TRUE_B, batch_size, NOISE_STD, generator)
        yield X, y, batch_size


def from_the_file(folder, batch_size, lr, repeats):
    """Do it several times; the first warms up, of the rest the median."""
    net = nn.Linear(2, 1)
    model, seconds = DistributedDataParallel(net), []
    for seed in range(repeats):
        rank, world_size = dist.get_rank(), dist.get_world_size()
        data = folder, BLOCK_SIZE, seeded(0, seed), rank, world_size
        dist.barrier()
        batches = shard_iter(batch_size, *data)
        seconds.append(until_target(batches, model, net, lr))
    steps, seconds = (median(column) for column in zip(*seconds, strict=True))
    return {"steps": steps, "ms": round(1000 * seconds, 1)}


def measure_to_loss(repeats=15):
    found = []
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        write_data(folder, TRUE_W, TRUE_B, LOSS_SIZE, NOISE_STD)
        for batch_size in LOSS_BATCHES:
            (lr,) = in_processes(choose_rate, 1, batch_size)
            job = folder, batch_size, lr, repeats
            one, two = (
                in_processes(from_the_file, p, *job)[0] for p in (1, 2)
            )
            found.append(
                {
                    "batch_size": batch_size,
                    "lr": lr,
                    "steps": [one["steps"], two["steps"]],
                    "ms": [one["ms"], two["ms"]],
                }
            )
    return {"target": TARGET, "sample_size": LOSS_SIZE, "runs": found}


def measure_memory():
    found = []
    for sample_size in MEMORY_SIZES:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "data"
            write_data(folder, TRUE_W, TRUE_B, sample_size)
            size = sum(path.stat().st_size for path in folder.iterdir())
            two = in_processes(one_epoch, 2, "linear", folder, BLOCK_SIZE)
        found.append(
            {
                "sample_size": sample_size,
                "data_mb": round(size / 1e6),
                "added_mb": [run["added_mb"] for run in two],
            }
        )
    return found


PARTS = {
    "machine": machine,
    "epochs": measure_epochs,
    "to_loss": measure_to_loss,
    "memory": measure_memory,
    "two_machines": two_machines.all_events,
}

if __name__ == "__main__":
    figures = {name: PARTS[name]() for name in sys.argv[1:] or PARTS}
    print(json.dumps(figures, indent=2))
