"""Measure what chapter 12 quotes, and print it as JSON.

    python benchmarks/bench_scale.py > benchmarks/scale.json

It needs 1.2 GB of disk in the temporary folder, and some minutes. A smaller
number of examples can be given as an argument.
"""

import json
import os
import platform
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
from linreg.stream import stream_iter, write_data

TRUE_W, TRUE_B = torch.tensor([2, -3.4]), 4.2
BATCH_SIZE, LR = 1000, 0.03
STEP_SIZES = [10**k for k in range(2, 7)]


def machine():
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": names[0],
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def peak_memory_mb():
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kib * 1024 / 1e6)


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

        generator = torch.Generator().manual_seed(0)
        w, b = init_params(2, generator=generator)
        steps = -(-sample_size // BATCH_SIZE)
        batches = stream_iter(BATCH_SIZE, folder, generator=generator)
        for X, y in tqdm(batches, total=steps, unit=" steps", mininterval=1):
            squared_loss(linreg(X, w, b), y).sum().backward()
            sgd([w, b], LR, len(X))
        trained = time.perf_counter()
    errors = torch.cat(param_errors(TRUE_W, TRUE_B, w, b))
    return {
        "sample_size": sample_size,
        "num_features": 2,
        "data_mb": round(size / 1e6),
        "batch_size": BATCH_SIZE,
        "examples_when_killed": kept,
        "write_seconds": round(written - start, 1),
        "train_seconds": round(trained - written, 1),
        "memory_after_imports_mb": idle,
        "peak_memory_mb": peak_memory_mb(),
        "largest_error": float(f"{errors.abs().max():.1e}"),
    }


def seconds(function, repeats):
    """Take the median of each of five rounds, and the quietest round."""

    def once():
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    function()
    rounds = [[once() for _ in range(repeats)] for _ in range(5)]
    return min(median(times) for times in rounds)


def measure_steps(rank, world_size, folder):
    """Time one all-reduce, and steps whose batch is split evenly."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/store{world_size}",
        rank=rank,
        world_size=world_size,
    )
    three = torch.zeros(3)
    result = {"all_reduce": seconds(lambda: dist.all_reduce(three), 1000)}
    net = torch.nn.Linear(2, 1)
    model = DistributedDataParallel(net) if world_size > 1 else net
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    for batch_size in STEP_SIZES:
        X = torch.randn(batch_size // world_size, 2)
        y = torch.randn(batch_size // world_size, 1)

        def step(X=X, y=y):
            optimizer.zero_grad()
            mse_loss(model(X), y).backward()
            optimizer.step()

        repeats = max(10, min(500, 10_000_000 // batch_size))
        result[f"step_{batch_size}"] = seconds(step, repeats)
    if rank == 0:
        path = Path(folder) / f"{world_size}.json"
        path.write_text(json.dumps(result))
    dist.destroy_process_group()


def measure_processes():
    results = {}
    with TemporaryDirectory() as folder:
        for world_size in (1, 2):
            arguments = (world_size, folder)
            spawn(measure_steps, arguments, nprocs=world_size)
            text = (Path(folder) / f"{world_size}.json").read_text()
            results[world_size] = json.loads(text)
    micro = {
        str(world_size): [
            round(1e6 * result[f"step_{size}"]) for size in STEP_SIZES
        ]
        for world_size, result in results.items()
    }
    return {
        "batch_sizes": STEP_SIZES,
        "step_us": micro,
        "all_reduce_us": round(1e6 * results[2]["all_reduce"]),
    }


if __name__ == "__main__":
    sample_size = int(sys.argv[1]) if len(sys.argv) > 1 else 10**8
    figures = {
        "machine": machine(),
        "stream": measure_stream(sample_size),
        "processes": measure_processes(),
    }
    print(json.dumps(figures, indent=2))
