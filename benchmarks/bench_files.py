"""Measure work on files larger than the memory: files.json. As root.

python -m benchmarks.bench_files > benchmarks/files.json

A memory limit is put on each program once it has imported what it needs. A
control group of the Linux kernel (version 1 of its memory controller) holds
it to that, and counts the cached pages of the files as well. The files are
written under the same limit, so that no one else's cache holds their pages.
It takes 3 GB of disk and some minutes.
"""

import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import torch

from linreg import (
    data_iter,
    init_params,
    linreg,
    param_errors,
    sgd,
    squared_loss,
)
from linreg.large.files import (
    NAMES,
    read_block,
    shuffle_data,
    stream_iter,
    write_data,
)

SIZES = [10**7, 10**8]
LIMIT_MB = 64
TRUE_W, TRUE_B = torch.tensor([2, -3.4]), 4.2
BATCH_SIZE, LR = 1000, 0.03
VIEWS_SIZE, VIEWS_BATCHES = 10**6, [1, 10, 1000]


def machine():
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    said = subprocess.run(
        ["lscpu"], capture_output=True, text=True, check=True
    )
    threads = re.search(r"Thread\(s\) per core:\s+(\d+)", said.stdout)[1]
    return {
        "cpu": names[0],
        "cores": os.cpu_count(),
        "threads_per_core": int(threads),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


@contextlib.contextmanager
def limited(megabytes):
    """Make a control group below this program's own, and remove it."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = [line.split(":")[2] for line in lines if ":memory:" in line]
    if not own:
        raise OSError("needs version 1 of the kernel's memory controller")
    group = Path("/sys/fs/cgroup/memory" + own[0]) / f"files-{os.getpid()}"
    group.mkdir()
    try:
        limit = group / "memory.limit_in_bytes"
        limit.write_text(str(megabytes * 10**6))
        yield group
    finally:
        group.rmdir()


def in_new_process(job, folder, number, group=""):
    """Let a new process do a job; say what it took, or what ended it."""
    arguments = [job.__name__, folder, number, group]
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_files", *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode:
        return {"ended_by_signal": -result.returncode}
    return json.loads(result.stdout)


def measured(job, folder, number, group):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if group:
        Path(group, "cgroup.procs").write_text(str(os.getpid()))
        Path(group, "memory.failcnt").write_text("0")
    idle, start = peak_memory_mb(), time.perf_counter()
    result = job(Path(folder), number) or {}
    seconds = time.perf_counter() - start
    result |= {
        "seconds": round(seconds, 1),
        "memory_after_imports_mb": idle,
        "peak_memory_mb": peak_memory_mb(),
    }
    if group:
        count = Path(group, "memory.failcnt").read_text()
        result["times_at_the_limit"] = int(count)
    return result


def peak_memory_mb():
    """Tell the most memory that this program ever had, by the kernel."""
    status = Path("/proc/self/status").read_text()
    return round(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6)


def write(folder, sample_size):
    write_data(folder, TRUE_W, TRUE_B, sample_size)


def shuffle(folder, sample_size):
    shuffle_data(folder, folder.with_name("mixed"))


def stream(folder, sample_size):
    return train(stream_iter(BATCH_SIZE, folder))


def slices(folder, batch_size):
    """Go through the data, as one block."""
    for _ in stream_iter(batch_size, folder, VIEWS_SIZE):
        pass


def views(folder, batch_size):
    """Do the same, but cut all batches at once."""
    X, y = read_block(folder, 0, VIEWS_SIZE)
    order = torch.randperm(len(X))
    X, y = X[order], y[order]
    for _ in zip(X.split(batch_size), y.split(batch_size), strict=True):
        pass


def all_at_once(folder, sample_size):
    features, labels = (
        torch.from_numpy(np.load(folder / name)) for name in NAMES
    )
    return train(data_iter(BATCH_SIZE, features, labels))


def train(batches):
    w, b = init_params(2, generator=torch.Generator().manual_seed(0))
    for X, y in batches:
        squared_loss(linreg(X, w, b), y).sum().backward()
        sgd([w, b], LR, len(X))
    errors = torch.cat(param_errors(TRUE_W, TRUE_B, w, b))
    return {"largest_error": float(f"{errors.abs().max():.1e}")}


def measure(sample_size):
    with TemporaryDirectory() as scratch, limited(LIMIT_MB) as group:
        folder = Path(scratch) / "data"

        def under_the_limit(job):
            return in_new_process(job, folder, sample_size, group)

        jobs = (write, stream, shuffle, all_at_once)
        found = {job.__name__: under_the_limit(job) for job in jobs}
        size = sum(path.stat().st_size for path in folder.iterdir())
        free = in_new_process(all_at_once, folder, sample_size)
    return {
        "sample_size": sample_size,
        "data_mb": round(size / 1e6),
        **found,
        "all_at_once_without_limit": free,
    }


def measure_views():
    """Say how much memory a block's batches take, in megabytes."""
    found = []
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        write_data(folder, TRUE_W, TRUE_B, VIEWS_SIZE)
        for batch_size in VIEWS_BATCHES:
            row = {"batch_size": batch_size}
            for job in (slices, views):
                took = in_new_process(job, folder, batch_size)
                row[job.__name__] = (
                    took["peak_memory_mb"] - took["memory_after_imports_mb"]
                )
            found.append(row)
    return {"block_size": VIEWS_SIZE, "rows": found}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        name, folder, number, group = sys.argv[1:]
        found = measured(globals()[name], folder, int(number), group)
        print(json.dumps(found))
    else:
        figures = {
            "machine": machine(),
            "limit_mb": LIMIT_MB,
            "limit_by": "memory cgroup, version 1, page cache counted in",
            "batch_size": BATCH_SIZE,
            "lr": LR,
            "runs": [measure(n) for n in SIZES],
            "views": measure_views(),
        }
        print(json.dumps(figures, indent=2))
