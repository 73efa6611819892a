"""Hold the measured figures against what chapters 15 to 17 say of them.

`make bench` runs this on the new figures, before they replace the old ones.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import bench_files
from benchmarks.bench_processes import EPOCHS, LOSS_BATCHES
from benchmarks.bench_speed import SIZES
from benchmarks.ways import ITERATORS, TRAINERS

Figures = dict[str, Any]
FOLDER = Path(__file__).parent
# A way, what takes longer, and how much longer at least for each of SIZES.
RATIOS = [
    ("iterate", "data_iter", "note", (7, 10, 12)),
    ("iterate", "data_iter", "DataLoader", (25, 45, 50)),
    ("train", "linreg", "framework", (1.4, 1.7, 4)),
    ("train", "linreg", "note", (1, 1, 1)),
    ("iterate", "randperm", "note", (1, 1, 1)),
    ("iterate", "data_iter", "randperm", (1.3, 1.3, 1.2)),
    ("iterate", "note", "DataLoader", (2, 2, 2)),
    ("train", "note", "framework", (1, 1, 1)),
    ("train", "framework", "d2l", (1, 1, 1)),
    ("train", "by hand", "linreg", (5, 5, 3)),
    ("iterate", "BatchSampler", "DataLoader", (1.3, 2, 3)),
    ("iterate", "data_iter", "BatchSampler", (10, 10, 10)),
    ("train", "linreg", "fw+data_iter", (1, 1, 1)),
    ("train", "fw+data_iter", "framework", (1.3, 1.6, 4)),
]


def check_speed(figures: Figures) -> None:
    """Hold results.json against chapter 15."""
    cases = figures["cases"]

    def rows(group: str) -> list[Figures]:
        return [case for case in cases if case["group"] == group]

    def seconds(group: str, **where: object) -> float:
        (case,) = (c for c in rows(group) if where.items() <= c.items())
        return float(case["seconds"])

    for group, ways in (("iterate", ITERATORS), ("train", TRAINERS)):
        found = {(c["way"], c["n"], c["batch_size"]) for c in rows(group)}
        assert found == {(way, *size) for way in ways for size in SIZES}, group
    for group, way, other, least in RATIOS:
        found = [
            seconds(group, way=other, n=n) / seconds(group, way=way, n=n)
            for n, _ in SIZES
        ]
        said = f"{group}: {other} / {way} = {found}, at least {least}"
        assert all(map(float.__ge__, found, map(float, least))), said
    for n, _ in SIZES:
        exact = seconds("least squares", n=n, dtype="float64")
        trained = [seconds("train", way=way, n=n) for way in TRAINERS]
        assert exact < min(trained), "the closed form is the fastest"
    exact, single = (
        seconds("least squares", n=3_000_000, dtype=dtype)
        for dtype in ("float64", "float32")
    )
    assert single < 0.7 * exact, "single precision is faster"
    for case in rows("memory"):
        views = 2 * case["n"] / case["batch_size"]
        each = (case["bytes"] - 20 * case["n"]) / views
        assert 400 < each < 800, f"a view takes {each} bytes"
    logs = np.log10(
        [[c["n"], c["seconds"], c["bytes"]] for c in rows("growth")]
    )
    for column in (1, 2):
        slope, _ = np.polyfit(logs[:, 0], logs[:, column], 1)
        assert abs(slope - 1) <= 0.05, f"cost grows as n^{slope}"
    _check_batch_sizes(rows("batch size"))
    for fetch, way, low, high in (
        ("data_iter", "linreg", 0, 0.15),
        ("DataLoader", "framework", 0.5, 1),
    ):
        n, _ = SIZES[-1]
        share = seconds("iterate", way=fetch, n=n) / seconds(
            "train", way=way, n=n
        )
        assert low < share < high, f"{fetch} takes {share} of {way}"


def _check_batch_sizes(rows: list[Figures]) -> None:
    """The model of chapter 15, fitted with equal relative weights."""
    times = np.array([row["seconds"] for row in rows])
    assert (np.diff(times) < 0).all(), "larger batches take less time"
    assert times[0] > 100 * times[-1]
    steps = np.array([-(-10_000 // row["batch_size"]) for row in rows])
    costs = np.stack([steps, np.full(len(rows), 10_000)], axis=1)
    model, *_ = np.linalg.lstsq(costs / times[:, None], np.ones(len(rows)))
    assert np.allclose(costs @ model, times, rtol=0.5), "steps + examples"
    assert 1_000 < model[0] / model[1] < 10_000


def check_files(figures: Figures) -> None:
    """Hold files.json against chapter 16."""

    def added(took: Figures) -> float:
        return float(took["peak_memory_mb"] - took["memory_after_imports_mb"])

    small, large = figures["runs"]
    sizes = [small["sample_size"], large["sample_size"]]
    assert sizes == bench_files.SIZES
    for run in (small, large):
        assert run["data_mb"] > figures["limit_mb"]
        assert run["all_at_once"] == {"ended_by_signal": 9}
        free = run["all_at_once_without_limit"]
        assert added(free) > 2 * run["data_mb"]
        assert run["stream"]["seconds"] < 1.3 * free["seconds"]
        std = 0.01 * (figures["lr"] / (2 * figures["batch_size"])) ** 0.5
        for way in ("stream", "all_at_once_without_limit"):
            largest = 1.33 * std  # of three normal numbers, on average
            assert largest / 4 < run[way]["largest_error"] < 4 * largest, way
    rows = figures["views"]["rows"]
    slices = [row["slices"] for row in rows]
    assert max(slices) < 60
    assert max(slices) - min(slices) < 12
    assert abs(rows[-1]["views"] - slices[-1]) < 10
    block_mb = 12 * figures["views"]["block_size"] / 1e6
    assert rows[0]["views"] > 40 * block_mb, "a view is an object"
    for job, more in (("write", 3), ("stream", 3), ("shuffle", 10)):
        for run in (small, large):
            assert 0 < added(run[job]) < figures["limit_mb"], job
            assert run[job]["times_at_the_limit"] > 0, job
        assert abs(added(large[job]) - added(small[job])) < more, job


def check_processes(figures: Figures) -> None:
    """Hold processes.json against chapter 17."""
    small, large = (max(run["added_mb"]) for run in figures["memory"])
    assert max(small, large) < 100, "memory is bounded by the block"
    assert abs(large - small) < 10
    runs = figures["epochs"]["runs"]
    assert [(r["net"], r["batch_size"]) for r in runs] == EPOCHS
    speed_ups = [run["seconds"][0] / run["seconds"][1] for run in runs]
    assert speed_ups[0] < 1 / 3, "small batches wait for each other"
    assert speed_ups[2] < 1.6, "all read and shuffle all"
    assert max(1, *speed_ups[:3]) < speed_ups[3], "more work pays"
    _check_to_loss(figures["to_loss"]["runs"])
    for event, found in figures["two_machines"].items():
        if event != "machine 0 killed":
            assert found["exit_codes"] == [0, 0], event
            assert found["same_weights"], event
    assert figures["two_machines"]["machine 0 killed"]["exit_codes"][1] == 1


def _check_to_loss(runs: list[Figures]) -> None:
    sizes = [run["batch_size"] for run in runs]
    examples = [run["steps"][0] * run["batch_size"] for run in runs]
    one, two = ([run["ms"][k] for run in runs] for k in range(2))
    assert sizes == LOSS_BATCHES
    assert all(run["steps"][0] == run["steps"][1] for run in runs)
    assert examples[2:] == sorted(examples[2:]), "more is looked at"
    assert examples[-1] > 20 * min(examples)
    best = one.index(min(one))
    assert 100 <= sizes[best] <= 10_000, "the best is in the middle"
    assert one[-1] > 1.5 * one[best]
    assert all(ms[0] > 5 * min(ms) for ms in (one, two))
    for size, alone, both in zip(sizes, one, two, strict=True):
        assert size > 100 or both > 2 * alone, "small batches wait"
    assert min(one) < min(two), "the quickest is one process"


CHECKS = {
    "results": check_speed,
    "files": check_files,
    "processes": check_processes,
}


def main() -> None:
    """Check the figures that `make bench` has stored, old or new."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ending", default="json", help="json, or new")
    ending = parser.parse_args().ending
    for name, check in CHECKS.items():
        path = FOLDER / f"{name}.{ending}"
        check(json.loads(path.read_text(encoding="utf-8")))
        print(f"{path.name} holds what the book says")


if __name__ == "__main__":
    main()
