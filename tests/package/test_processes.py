"""The stored figures hold what chapter 15 says of them."""

import json
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "processes.json"


@pytest.fixture(scope="module")
def figures():
    return json.loads(PATH.read_text(encoding="utf-8"))


def test_memory_is_bounded_by_the_block(figures):
    first, second = figures["memory"]
    assert second["sample_size"] == 10 * first["sample_size"]
    for run in (first, second):
        assert run["data_mb"] * 1e6 == pytest.approx(
            12 * run["sample_size"], rel=0.01
        )
        assert len(run["added_mb"]) == 2
        assert max(run["added_mb"]) < 100
    assert second["added_mb"] == pytest.approx(first["added_mb"], abs=10)


def ratios(figures, which):
    """How much longer than one process, for each batch size."""
    return {
        run["batch_size"]: run[which] / run["one_process_seconds"]
        for run in figures["epochs"]["runs"]
    }


def test_two_processes_need_a_large_batch(figures):
    ratio = ratios(figures, "two_processes_seconds")
    assert 10 < ratio[1_000] < 13
    assert 1.4 < ratio[100_000] < 1.8
    assert ratio[1_000_000] < 0.6


def test_where_the_time_goes(figures):
    runs = figures["epochs"]["runs"]
    waits, order, reading = (
        [run["profile"][name] / run["profile"]["all"] for run in runs]
        for name in ("backward and all-reduce", "drawing the order", "reading")
    )
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > 0.7
    assert waits[1] > 0.5
    assert order[2] > max(waits[2], reading[2])


def test_a_thread_that_will_not_give_way_is_what_costs(figures):
    spread = figures["spread"]
    for job in ("all_reduce", "step", "step without DDP"):
        free, pinned, polite = (
            spread[f"{job}, {manner}"]
            for manner in ("free", "pinned", "polite")
        )
        assert free["percentile_95"] > 3000
        assert pinned["mean"] > 1.5 * free["mean"]
        assert polite["mean"] < free["mean"] / 2
        assert polite["percentile_95"] < 600
        used = [row["network_thread"] for row in (polite, free, pinned)]
        assert used == sorted(used)
    ratio = ratios(figures, "polite_seconds")
    assert 4 < ratio[1_000] < 6
    assert ratio[100_000] <= 1


@pytest.mark.parametrize("manner", ["free", "pinned", "polite"])
def test_it_is_not_ddp_that_costs(figures, manner):
    step, by_hand = (
        figures["spread"][f"{job}, {manner}"]["mean"]
        for job in ("step", "step without DDP")
    )
    assert step == pytest.approx(by_hand, rel=0.1)


def test_the_cost_model_predicts_what_it_has_not_seen(figures):
    measured = figures["steps"]
    sizes = np.array(measured["batch_sizes"])
    assert (sizes[0], sizes[-1]) == (100, 10**6)
    times = np.array([measured["step_us"][p] for p in ("1", "2")]).T
    rows = np.array([[[1, 0, m], [1, 1, m / 2]] for m in sizes])
    seen, unseen = slice(0, None, 2), slice(1, None, 2)
    known = (rows / times[..., None])[seen].reshape(-1, 3)
    constants = np.linalg.lstsq(known, np.ones(len(known)))[0]
    assert (constants > 0).all()
    ratios = times[unseen] / (rows[unseen] @ constants)
    assert 0.8 < ratios.min() <= ratios.max() < 1.25
    faster = times[:, 1] < times[:, 0]
    assert faster[-1]
    assert not faster[:-1].any()
    assert constants[1] > measured["all_reduce_us"]


def test_the_all_reduce_is_a_ring(figures):
    ring = figures["ring"]
    assert ring["processes"] == [2, 3, 4, 6, 8]
    steps = np.array(ring["processes"]) - 1
    each = np.array(ring["packets_of_each"]) / steps
    assert each.max() < 1.15 * each.min()


def test_what_two_machines_survive(figures):
    found = figures["two_machines"]
    for event in (
        "nothing",
        "worker killed",
        "machine 1 killed, started again",
        "network cut for 5 s",
        "network cut for 40 s",
        "network cut for 120 s, again",
    ):
        assert found[event]["exit_codes"] == [0, 0]
        assert found[event]["same_weights"]
    assert found["machine 0 killed"]["exit_codes"] == [-9, 1]
    assert found["network cut for 120 s"]["exit_codes"] == [None, 1]
    assert found["network cut for 120 s"]["epochs"] == 10
