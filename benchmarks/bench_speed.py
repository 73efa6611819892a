"""Time the contenders of ways.py; `make bench` stores the figures.

What counts is the process's own time on the CPU, so that other programs
disturb little; only where two threads work at once it is the wall clock.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from benchmarks.ways import (
    ITERATORS,
    TRAINERS,
    least_squares,
    train_full_batch,
    train_one_epoch,
)
from linreg import data_iter, gen_data, linreg, sgd, squared_loss

# Examples and batch size.
SIZES = [(1_000, 10), (100_000, 32), (1_000_000, 256)]
# As many rounds as fit into so many seconds; the shortest is what counts. The
# contenders take turns: what slows the machine for a while slows them all.
ROUNDS = {"min_rounds": 1, "max_time": 0.3}
take_turns = pytest.mark.parametrize("turn", range(2))
LR = 0.03


@functools.cache
def examples(n: int) -> tuple[Tensor, Tensor]:
    """Draw n examples once, for all benchmarks."""
    generator = torch.Generator().manual_seed(1)
    return gen_data(torch.tensor([2, -3.4]), 4.2, n, generator=generator)


def go_through(batches: Iterable[object]) -> None:
    """Take every batch and do nothing with it."""
    for _ in batches:
        pass


@pytest.mark.parametrize("way", ITERATORS)
@take_turns
@pytest.mark.parametrize(("n", "batch_size"), SIZES)
@pytest.mark.benchmark(group="iterate", **ROUNDS)
def bench_iterate(
    benchmark: BenchmarkFixture, n: int, batch_size: int, turn: int, way: str
) -> None:
    """Go through the examples once, in each of five ways."""
    data = examples(n)
    benchmark(lambda: go_through(ITERATORS[way](batch_size, *data)))


@pytest.mark.parametrize("way", TRAINERS)
@take_turns
@pytest.mark.parametrize(("n", "batch_size"), SIZES)
@pytest.mark.benchmark(group="train", **ROUNDS)
def bench_train(
    benchmark: BenchmarkFixture, n: int, batch_size: int, turn: int, way: str
) -> None:
    """Train for one epoch, in each of six ways."""
    benchmark(train_one_epoch, way, examples(n), batch_size, LR)


@pytest.mark.parametrize("batch_size", [1, 4, 16, 64, 256, 1024, 4096])
@take_turns
@pytest.mark.benchmark(group="batch size", **ROUNDS)
def bench_batch_size(
    benchmark: BenchmarkFixture, turn: int, batch_size: int
) -> None:
    """Train for one epoch in larger and larger batches."""
    benchmark(train_one_epoch, "linreg", examples(10_000), batch_size, LR)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@take_turns
@pytest.mark.parametrize("n", [1_000, 10_000, 100_000, 1_000_000, 3_000_000])
@pytest.mark.benchmark(group="least squares", **ROUNDS)
def bench_least_squares(
    benchmark: BenchmarkFixture, n: int, turn: int, dtype: str
) -> None:
    """Compute the best parameters directly, the conversion included."""
    benchmark(least_squares, examples(n), getattr(torch, dtype))


@take_turns
@pytest.mark.parametrize("n", [10_000, 1_000_000])
@pytest.mark.parametrize("steps", [2])
@pytest.mark.benchmark(group="full batch", **ROUNDS)
def bench_full_batch(
    benchmark: BenchmarkFixture, n: int, turn: int, steps: int
) -> None:
    """Take two large steps, each with all the examples."""
    benchmark(train_full_batch, examples(n), 1.0, steps)


@pytest.mark.parametrize("batch_size", [3, 32, 256])
@pytest.mark.parametrize("n", [1_000_000])
@pytest.mark.benchmark(group="memory")
def bench_memory(benchmark: BenchmarkFixture, n: int, batch_size: int) -> None:
    """Take the first batch; how much larger has a process become?"""
    data = examples(n)
    benchmark.extra_info["bytes"] = added_memory(n, batch_size)
    benchmark(lambda: next(iter(data_iter(batch_size, *data))))


@pytest.mark.parametrize("n", [10**k for k in range(3, 8)])
@pytest.mark.benchmark(group="growth")
def bench_growth(benchmark: BenchmarkFixture, n: int) -> None:
    """Train for one epoch on more and more examples."""
    data = examples(n)
    benchmark.extra_info["bytes"] = held_bytes(lambda: data_iter(32, *data))
    benchmark.pedantic(
        train_one_epoch,
        ("linreg", data, 32, LR),
        rounds=max(1, 100_000 // n),
    )


@pytest.mark.parametrize("batch_size", [10, 1_000, 100_000, 1_000_000])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.benchmark(group="threads", timer=time.perf_counter)
def bench_threads(
    benchmark: BenchmarkFixture, batch_size: int, threads: int
) -> None:
    """Take one step on one thread and on two."""
    X, y = examples(batch_size)
    w = torch.zeros(2, 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)

    def step() -> None:
        squared_loss(linreg(X, w, b), y).sum().backward()
        sgd([w, b], LR, batch_size)

    torch.set_num_threads(threads)
    benchmark.pedantic(step, rounds=100, warmup_rounds=5)


def held_bytes(make: Callable[[], Iterable[object]]) -> int:
    """Count the memory that an iterator holds on to at its first item."""
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profiler:
        batches = iter(make())
        next(batches)
    return sum(e.self_cpu_memory_usage for e in profiler.key_averages())


ADDED_MEMORY = """
import sys
import psutil
import torch
from linreg import data_iter

n, batch_size = map(int, sys.argv[1:])
torch.set_num_threads(1)
data = torch.randn(n, 2), torch.randn(n, 1)
next(data_iter(10, *(part[:100] for part in data)))
process = psutil.Process()
before = process.memory_info().rss
batches = data_iter(batch_size, *data)
next(batches)
print(process.memory_info().rss - before)
"""


def added_memory(n: int, batch_size: int) -> int:
    """Let a fresh process take one batch: by how many bytes it grows.

    Unlike `held_bytes`, this counts the tensors themselves, not only the
    numbers in them.
    """
    command = [sys.executable, "-c", ADDED_MEMORY, str(n), str(batch_size)]
    return int(subprocess.check_output(command))
