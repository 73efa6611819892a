"""Measure what chapter 15 quotes, and print it as JSON.

    python -m benchmarks.bench_processes > processes.json
    mv processes.json benchmarks/

It takes twenty minutes on a quiet machine. Where the program is not root, two
machines are left out. Names of parts as arguments: only these.
"""

import cProfile
import json
import os
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
import torch.distributed as dist
from torch.multiprocessing import spawn
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from benchmarks import two_machines
from benchmarks.bench_files import machine, peak_memory_mb
from linreg import init_params, linreg, sgd, squared_loss
from linreg.distributed import epoch_generator, train_distributed
from linreg.stream import stream_iter, write_data

TRUE_W, TRUE_B = torch.tensor([2, -3.4]), 4.2
LR = 0.03
STEP_SIZES = [10**k * m for k in range(2, 6) for m in (1, 3)] + [10**6]
RING_SIZES = [2, 3, 4, 6, 8]
EPOCH_SIZE, EPOCH_BATCHES = 10**7, [1_000, 100_000, 1_000_000]
BLOCK_SIZE = 100_000
MEMORY_SIZES = [10**7, 10**8]
PROFILED = {
    "backward and all-reduce": "run_backward",
    "drawing the order": "torch.randperm",
    "reading": "'take' of",
}


def in_processes(function, world_size, *arguments, manner="free"):
    """Collect what a function returns in each of several new processes.

    "pinned": process 0 has core 0 to itself, process 1 core 1, and so on.
    "polite": there, gloo's thread for the network gives way to the others.
    """
    with TemporaryDirectory() as folder:
        there = Path(folder)
        all_arguments = (function, world_size, there, arguments, manner)
        spawn(_in_process, all_arguments, nprocs=world_size)
        return [
            json.loads((there / f"{rank}.json").read_text())
            for rank in range(world_size)
        ]


def _in_process(rank, function, world_size, folder, arguments, manner):
    if manner != "free":
        os.sched_setaffinity(0, {rank})
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/store",
        rank=rank,
        world_size=world_size,
    )
    if manner == "polite":
        dist.barrier()
        os.setpriority(os.PRIO_PROCESS, int(network_thread().name), 19)
    result = function(*arguments)
    (folder / f"{rank}.json").write_text(json.dumps(result))
    dist.destroy_process_group()


def network_thread():
    """Find the thread in which gloo waits for the network."""
    (found,) = (
        thread
        for thread in Path("/proc/self/task").iterdir()
        if (thread / "comm").read_text() == "gloo_tcp_loop\n"
    )
    return found


def measure_epochs(rounds=3):
    """Train for an epoch in one process and in two; keep the quickest."""
    with TemporaryDirectory() as scratch:
        folder, found = Path(scratch) / "data", []
        write_data(folder, TRUE_W, TRUE_B, EPOCH_SIZE)
        for batch_size in EPOCH_BATCHES:
            alone, both, polite = [], [], []
            one, two = (stream_epoch, 1), (shared_epoch, 2)
            job = folder, batch_size
            for _ in range(rounds):
                alone += in_processes(*one, *job)
                both += in_processes(*two, *job)
                polite += in_processes(*two, *job, manner="polite")
            found.append(
                {
                    "batch_size": batch_size,
                    "one_process_seconds": min(r["seconds"] for r in alone),
                    "two_processes_seconds": min(r["seconds"] for r in both),
                    "polite_seconds": min(r["seconds"] for r in polite),
                    "profile": in_processes(profiled_epoch, 2, *job)[0],
                }
            )
    return {"sample_size": EPOCH_SIZE, "runs": found}


def profiled_epoch(folder, batch_size):
    """Say in which functions the seconds of an epoch go by."""
    profile = cProfile.Profile()
    profile.runcall(shared_epoch, folder, batch_size)
    seconds = dict.fromkeys(PROFILED, 0)
    for function in profile.getstats():
        for name, code in PROFILED.items():
            if code in str(function.code):
                seconds[name] += function.inlinetime
    whole = max(function.totaltime for function in profile.getstats())
    return {
        name: round(t, 3) for name, t in (*seconds.items(), ("all", whole))
    }


def measure_memory():
    found = []
    for sample_size in MEMORY_SIZES:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "data"
            write_data(folder, TRUE_W, TRUE_B, sample_size)
            size = sum(path.stat().st_size for path in folder.iterdir())
            two = in_processes(shared_epoch, 2, folder, BLOCK_SIZE)
        found.append(
            {
                "sample_size": sample_size,
                "data_mb": round(size / 1e6),
                "added_mb": [run["added_mb"] for run in two],
            }
        )
    return found


def stream_epoch(folder, batch_size):
    idle, start = peak_memory_mb(), time.perf_counter()
    w, b = init_params(2, generator=torch.Generator().manual_seed(0))
    batches = stream_iter(
        batch_size,
        folder,
        max(BLOCK_SIZE, batch_size),
        epoch_generator(0, 1),
    )
    for X, y in batches:
        squared_loss(linreg(X, w, b), y).sum().backward()
        sgd([w, b], LR, len(X))
    return result(idle, start)


def shared_epoch(folder, batch_size):
    settings = {
        "lr": LR,
        "batch_size": batch_size,
        "num_epochs": 1,
        "block_size": max(BLOCK_SIZE, batch_size),
    }
    with TemporaryDirectory() as scratch:
        checkpoint = Path(scratch) / "run.pt"
        dist.barrier()
        idle, start = peak_memory_mb(), time.perf_counter()
        net = torch.nn.Linear(2, 1)
        list(train_distributed(net, folder, checkpoint, **settings))
        return result(idle, start)


def result(idle, start):
    return {
        "seconds": round(time.perf_counter() - start, 2),
        "added_mb": peak_memory_mb() - idle,
    }


def measure_ring():
    """Count the packets of an all-reduce of 1000 numbers."""
    packets = [
        in_processes(packets_of_one_process, world_size)[0]
        for world_size in RING_SIZES
    ]
    return {"processes": RING_SIZES, "packets_of_each": packets}


def packets_of_one_process():
    """Ask the kernel, which counts for the whole machine: five times."""
    numbers, repeats = torch.zeros(1000), 200
    found = []
    for _ in range(5):
        dist.barrier()
        time.sleep(0.3)
        before = packets_sent()
        time.sleep(0.3)
        for _ in range(repeats):
            dist.all_reduce(numbers)
        time.sleep(0.3)
        found.append((packets_sent() - before) / repeats)
    return round(min(found) / dist.get_world_size(), 1)


def packets_sent():
    lines = Path("/proc/net/snmp").read_text().splitlines()
    names, values = (x.split() for x in lines if x.startswith("Tcp:"))
    return int(values[names.index("OutSegs")])


def measured(function, repeats):
    """Say how many seconds it takes, and how many pages it must ask for."""

    def once():
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    function()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    seconds = median(once() for _ in range(repeats))
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return seconds, pages / repeats


def measure_steps(rounds=40):
    """Time one all-reduce, and steps whose batch is split evenly.

    Process 0 takes the steps of one process while the other waits. Each is
    done in every round, and the quietest round is kept.
    """
    three = torch.zeros(3)
    jobs = {"all_reduce": (lambda: dist.all_reduce(three), 100)}
    for batch_size in STEP_SIZES:
        repeats = max(5, min(50, 3_000_000 // batch_size))
        if dist.get_rank() == 0:
            jobs[f"1 {batch_size}"] = (step(batch_size, shared=False), repeats)
        jobs[f"2 {batch_size}"] = (step(batch_size // 2, shared=True), repeats)
    found = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, (function, repeats) in jobs.items():
            if not name.startswith("1 "):
                dist.barrier()
            found[name].append(measured(function, repeats))
    return {name: min(rounds) for name, rounds in found.items()}


def step(batch_size, *, shared):
    net = torch.nn.Linear(2, 1)
    model = DistributedDataParallel(net) if shared else net
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    X, y = torch.randn(batch_size, 2), torch.randn(batch_size, 1)

    def take():
        loss = mse_loss(model(X), y, reduction="sum")
        optimizer.zero_grad()
        (loss * (1 / (2 * batch_size))).backward()
        optimizer.step()

    return take


def step_by_hand(batch_size):
    """Take the same step, but exchange the gradients without DDP."""
    net = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    X, y = torch.randn(batch_size, 2), torch.randn(batch_size, 1)

    def take():
        loss = mse_loss(net(X), y, reduction="sum")
        optimizer.zero_grad()
        (loss * (1 / (4 * batch_size))).backward()
        gradients = [param.grad for param in net.parameters()]
        together = parameters_to_vector(gradients)
        dist.all_reduce(together)
        vector_to_parameters(together, gradients)
        optimizer.step()

    return take


def measure_spread(batch_size=1000, repeats=3000, rounds=5):
    """Say how much the steps of two processes differ, in microseconds.

    Each round has new processes, and of each job the quietest is kept.
    """
    found = defaultdict(list)
    for _ in range(rounds):
        for manner in ("free", "pinned", "polite"):
            job = spread, 2, batch_size, repeats
            rows, _ = in_processes(*job, manner=manner)
            for name, row in rows.items():
                found[f"{name}, {manner}"].append(row)
    return {
        "batch_size": batch_size,
        "repeats": repeats,
        **{
            name: min(rows, key=lambda row: row["mean"])
            for name, rows in found.items()
        },
    }


def spread(batch_size, repeats):
    three = torch.zeros(3)
    jobs = {
        "all_reduce": lambda: dist.all_reduce(three),
        "step": step(batch_size // 2, shared=True),
        "step without DDP": step_by_hand(batch_size // 2),
    }
    return {name: spread_of(job, repeats) for name, job in jobs.items()}


def spread_of(job, repeats):
    job()
    dist.barrier()
    times, before = [], used_by(network_thread())
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(1e6 * (time.perf_counter() - start))
    used = 1e6 * (used_by(network_thread()) - before)
    return {
        "median": round(float(np.median(times))),
        "mean": round(float(np.mean(times))),
        "percentile_95": round(float(np.percentile(times, 95))),
        "network_thread": round(used / repeats),
    }


def used_by(thread):
    """Say how many seconds a thread has run on a core."""
    return int((thread / "schedstat").read_text().split()[0]) / 1e9


def measure_processes():
    found, _ = in_processes(measure_steps, 2)

    def row(p, place, unit):
        cells = [found[f"{p} {size}"][place] for size in STEP_SIZES]
        return [round(cell * unit) for cell in cells]

    return {
        "batch_sizes": STEP_SIZES,
        "step_us": {p: row(p, 0, 1e6) for p in ("1", "2")},
        "pages": {p: row(p, 1, 1) for p in ("1", "2")},
        "all_reduce_us": round(1e6 * found["all_reduce"][0]),
    }


PARTS = {
    "machine": machine,
    "steps": measure_processes,
    "spread": measure_spread,
    "ring": measure_ring,
    "epochs": measure_epochs,
    "memory": measure_memory,
    "two_machines": two_machines.all_events,
}

if __name__ == "__main__":
    figures = {name: PARTS[name]() for name in sys.argv[1:] or PARTS}
    print(json.dumps(figures, indent=2))
