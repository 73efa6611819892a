"""Measure what chapter 14 quotes, and print it as JSON.

    python benchmarks/bench_scale.py > benchmarks/scale.json

It writes more data than the machine has memory, so that no part of the system
can keep it all: that much disk must be free in the temporary folder. A smaller
number of examples can be given as an argument. Allow ten minutes on a quiet
machine.
"""

import json
import os
import platform
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import torch
import torch.distributed as dist
from torch.multiprocessing import spawn
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from linreg import init_params, linreg, param_errors, sgd, squared_loss
from linreg.distributed import train_distributed
from linreg.stream import open_data, stream_iter, write_data

TRUE_W, TRUE_B = torch.tensor([2, -3.4]), 4.2
BATCH_SIZE, LR = 1000, 0.03
BOTH_WAYS_SIZE = 10**7  # for two processes, and for the stream beside them
MAPPED_ROWS = 10**8
STEP_SIZES = [*(10**k * m for k in range(2, 7) for m in (1, 3)), 10**7]
RING_SIZES = [2, 3, 4, 6, 8]


def machine():
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": names[0],
        "cores": os.cpu_count(),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def more_than_memory():
    """Say how many examples have more bytes than the machine's memory."""
    bytes_each = 3 * 4
    hundred_millions = psutil.virtual_memory().total / bytes_each / 10**8
    return int(hundred_millions + 1) * 10**8


def peak_memory_mb():
    """Tell the most memory that this program ever had, by the kernel."""
    status = Path("/proc/self/status").read_text()
    return round(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6)


def write_until_killed(folder, sample_size):
    """Let another process write; kill it when half the labels are there."""
    program = (
        "import sys, torch; from linreg.stream import write_data; "
        "write_data(sys.argv[1], torch.tensor([2, -3.4]), 4.2, "
        "int(sys.argv[2]))"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(sample_size)]
    )
    labels = folder.with_name(folder.name + ".part") / "labels.npy"
    while not labels.exists() or labels.stat().st_size < sample_size * 2:
        if writer.poll() is not None:
            raise RuntimeError("the writer ended before it was killed")
        time.sleep(0.01)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    return (labels.stat().st_size - 128) // 4  # without the header


def train_from_files(folder, sample_size):
    generator = torch.Generator().manual_seed(0)
    w, b = init_params(2, generator=generator)
    steps = -(-sample_size // BATCH_SIZE)
    batches = stream_iter(BATCH_SIZE, folder, generator=generator)
    for X, y in tqdm(batches, total=steps, unit=" steps", mininterval=1):
        squared_loss(linreg(X, w, b), y).sum().backward()
        sgd([w, b], LR, len(X))
    return torch.cat(param_errors(TRUE_W, TRUE_B, w, b))


def measure_stream(sample_size):
    torch.set_num_threads(1)
    idle = peak_memory_mb()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        start = time.perf_counter()
        kept = write_until_killed(folder, sample_size)
        write_data(folder, TRUE_W, TRUE_B, sample_size)
        written = time.perf_counter()
        size = sum(path.stat().st_size for path in folder.iterdir())
        errors = train_from_files(folder, sample_size)
        trained = time.perf_counter()
        peak = peak_memory_mb()
        (mapped,) = in_processes(map_once, 1, folder)
    stream = {
        "sample_size": sample_size,
        "num_features": 2,
        "data_mb": round(size / 1e6),
        "batch_size": BATCH_SIZE,
        "lr": LR,
        "examples_when_killed": kept,
        "write_seconds": round(written - start),
        "train_seconds": round(trained - written),
        "memory_after_imports_mb": idle,
        "peak_memory_mb": peak,
        "largest_error": float(f"{errors.abs().max():.1e}"),
    }
    return {"stream": stream, "mapped_once": mapped}


def in_processes(function, world_size, *arguments):
    """Collect what a function returns in each of several new processes."""
    with TemporaryDirectory() as folder:
        all_arguments = (function, world_size, Path(folder), arguments)
        spawn(_in_process, all_arguments, nprocs=world_size)
        return [
            json.loads(Path(folder, f"{rank}.json").read_text())
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


def map_once(folder):
    """Read many rows through one map, as stream_iter does not."""
    features, _ = open_data(folder)
    rows = min(len(features), MAPPED_ROWS)
    idle = peak_memory_mb()
    for start in range(0, rows, 10**6):
        features[start : min(start + 10**6, rows)].sum()
    return {
        "read_mb": round(rows * features[0].nbytes / 1e6),
        "memory_after_imports_mb": idle,
        "peak_memory_mb": peak_memory_mb(),
    }


def measure_both_ways():
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        write_data(folder, TRUE_W, TRUE_B, BOTH_WAYS_SIZE)
        size = sum(path.stat().st_size for path in folder.iterdir())
        checkpoint = Path(scratch) / "run.pt"
        (stream,) = in_processes(one_epoch, 1, folder)
        two = in_processes(one_epoch, 2, folder, checkpoint)
    return {
        "sample_size": BOTH_WAYS_SIZE,
        "data_mb": round(size / 1e6),
        "batch_size": BATCH_SIZE,
        "stream_iter": stream,
        "train_distributed": two,
    }


def one_epoch(folder, checkpoint=None):
    idle, start = peak_memory_mb(), time.perf_counter()
    if checkpoint is None:
        train_from_files(folder, BOTH_WAYS_SIZE)
    else:
        settings = {"lr": LR, "batch_size": BATCH_SIZE, "num_epochs": 1}
        net = torch.nn.Linear(2, 1)
        list(train_distributed(net, folder, checkpoint, **settings))
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "memory_after_imports_mb": idle,
        "peak_memory_mb": peak_memory_mb(),
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


def measure_steps(rounds=20):
    """Time one all-reduce, and steps whose batch is split evenly.

    Process 0 takes the steps of one process while the other waits. Each is
    done in every round, and the quietest round is kept.
    """
    three = torch.zeros(3)
    jobs = {"all_reduce": (lambda: dist.all_reduce(three), 200)}
    for batch_size in STEP_SIZES:
        repeats = max(5, min(200, 3_000_000 // batch_size))
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
        optimizer.zero_grad()
        mse_loss(model(X), y).backward()
        optimizer.step()

    return take


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


if __name__ == "__main__":
    sample_size = int(sys.argv[1]) if len(sys.argv) > 1 else more_than_memory()
    figures = {
        "machine": machine(),
        "processes": measure_processes(),
        "ring": measure_ring(),
        "both_ways": measure_both_ways(),
        **measure_stream(sample_size),
    }
    print(json.dumps(figures, indent=2))
