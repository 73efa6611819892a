"""The stored figures of files.json hold what chapter 14 says of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import bench_files
from linreg.stream import open_data

ROOT = Path(__file__).parents[2]
FIGURES = json.loads((ROOT / "benchmarks/files.json").read_text("utf-8"))
RUNS = FIGURES["runs"]
DONE = ("write", "stream", "shuffle")
each_run = pytest.mark.parametrize("run", RUNS, ids=("1e7", "1e8"))


def added(took):
    return took["peak_memory_mb"] - took["memory_after_imports_mb"]


def test_the_machine_and_the_limit_are_told():
    assert FIGURES["machine"].keys() == bench_files.machine().keys()
    assert FIGURES["limit_mb"] == bench_files.LIMIT_MB == 64
    assert "page cache counted in" in FIGURES["limit_by"]
    assert [run["sample_size"] for run in RUNS] == bench_files.SIZES
    settings = (FIGURES["batch_size"], FIGURES["lr"])
    assert settings == (bench_files.BATCH_SIZE, bench_files.LR)


@each_run
def test_the_wall_was_met_and_passed(run):
    assert run["data_mb"] == run["sample_size"] * 12 / 1e6
    assert run["data_mb"] > FIGURES["limit_mb"]
    for job in DONE:
        assert 0 < added(run[job]) < FIGURES["limit_mb"]
        assert run[job]["times_at_the_limit"] > 0
        assert run[job]["seconds"] > 0


@each_run
def test_reading_all_at_once_was_killed(run):
    assert run["all_at_once"] == {"ended_by_signal": 9}
    free = run["all_at_once_without_limit"]
    assert added(free) > 2 * run["data_mb"]


@pytest.mark.parametrize(
    ("job", "more"), [("write", 3), ("stream", 3), ("shuffle", 10)]
)
def test_ten_times_the_data_take_hardly_more_memory(job, more):
    small, large = (added(run[job]) for run in RUNS)
    assert RUNS[1]["sample_size"] == 10 * RUNS[0]["sample_size"]
    assert abs(large - small) < more


@each_run
def test_the_error_is_that_of_the_formula(run):
    expected = 0.01 * (FIGURES["lr"] / (2 * FIGURES["batch_size"])) ** 0.5
    assert expected / 3 < run["stream"]["largest_error"] < 3 * expected


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_files, "BATCH_SIZE", 10)
    bench_files.write(tmp_path / "data", 5000)
    return tmp_path / "data"


@pytest.mark.parametrize("job", ["stream", "all_at_once"])
def test_each_way_learns(folder, job):
    torch.manual_seed(0)
    assert getattr(bench_files, job)(folder, 5000)["largest_error"] < 0.01


def test_shuffle_makes_a_folder_beside(folder):
    bench_files.shuffle(folder, 5000)
    (_, old), (_, new) = map(open_data, (folder, folder.parent / "mixed"))
    assert sorted(old.tolist()) == sorted(new.tolist())
    assert old.tolist() != new.tolist()


@pytest.mark.slow
def test_a_job_in_a_new_process(tmp_path):
    found = bench_files.in_new_process(
        bench_files.write, tmp_path / "data", 1000
    )
    assert found.keys() == {
        *("seconds", "memory_after_imports_mb", "peak_memory_mb")
    }
    assert len(open_data(tmp_path / "data")[0]) == 1000


def test_what_ended_a_job_is_told(monkeypatch):
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    run = subprocess.run
    monkeypatch.setattr(
        "subprocess.run",
        lambda command, **more: run([sys.executable, "-c", program], **more),
    )
    found = bench_files.in_new_process(bench_files.write, "data", 5)
    assert found == {"ended_by_signal": 9}
