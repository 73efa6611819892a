"""The contenders do the same work, and the stored figures hold the claims."""

import json
from math import log10
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bench_speed import SIZES, held_bytes
from benchmarks.conftest import pytest_benchmark_update_json
from benchmarks.ways import (
    ITERATORS,
    TRAINERS,
    train_by_hand,
    train_linreg,
    train_one_epoch,
)
from linreg import data_iter, gen_data, linreg, squared_loss

ROOT = Path(__file__).parents[1]
W = torch.tensor([2, -3.4])


def in_order(batch_size, features, labels):
    X, y = features.split(batch_size), labels.split(batch_size)
    return list(zip(X, y, strict=True))


def start():
    return (
        torch.tensor([[0.5], [-0.5]], requires_grad=True),
        torch.tensor([0.25], requires_grad=True),
    )


@pytest.mark.parametrize("way", ITERATORS)
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_every_example_once_and_shuffled(way, batch_size):
    labels = torch.arange(100.0).reshape(-1, 1)
    features = torch.cat([labels, -labels], dim=1)
    batches = list(ITERATORS[way](batch_size, features, labels))
    assert {len(X) for X, _ in batches[:-1]} <= {batch_size}
    for X, y in batches:
        assert torch.equal(X, torch.cat([y, -y], dim=1))
    seen = torch.cat([y for _, y in batches])
    assert not torch.equal(seen, labels)
    assert torch.equal(seen.sort(dim=0).values, labels)


@pytest.mark.parametrize("way", TRAINERS)
def test_the_same_steps_from_the_same_batches(way, examples):
    _, train = TRAINERS[way]
    mine, expected = start(), start()
    for size in (1, 10, 1000):
        train_linreg(in_order, size, examples, expected, 0.03)
        train(in_order, size, examples, mine, 0.03)
        for a, b in zip(mine, expected, strict=True):
            assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("way", TRAINERS)
def test_each_way_learns(way, examples):
    w, b = train_one_epoch(way, examples, 10, 0.05)
    assert torch.allclose(w.flatten(), W, atol=0.1)
    assert torch.allclose(b, torch.tensor([4.2]), atol=0.1)


@given(st.integers(1, 20), st.integers(1, 5), st.integers(0, 2**32))
def test_the_gradient_by_hand_is_the_one_of_autograd(n, d, seed):
    generator = torch.Generator().manual_seed(seed)
    X, y, w, b = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in [(n, d), (n, 1), (d, 1), (1,)]
    )
    params = (w.clone(), b.clone())
    train_by_hand(in_order, n, (X, y), params, lr=1.0)
    w.requires_grad_()
    b.requires_grad_()
    squared_loss(linreg(X, w, b), y).mean().backward()
    assert torch.allclose(params[0], w - w.grad, atol=1e-9)
    assert torch.allclose(params[1], b - b.grad, atol=1e-9)


@pytest.mark.parametrize("n", [1_000, 10_000])
def test_memory_of_data_iter_by_counting(n):
    data = gen_data(W, 4.2, n)
    order, features, labels = 8 * n, 4 * 2 * n, 4 * n
    held = held_bytes(lambda: data_iter(32, *data))
    assert held == order + features + labels


def test_the_report_is_cut_down_to_what_is_needed():
    case = {
        "group": "train",
        "params": {"n": 10, "way": "note"},
        "extra_info": {"bytes": 200},
        "stats": {"min": 0.00123456, "data": [1, 2]},
        "fullname": "x",
    }
    report = {
        "machine_info": {
            "cpu": {"brand_raw": "CPU", "count": 2, "flags": ["avx"]},
            "system": "Linux",
            "python_version": "3.11.7",
            "node": "a name that nobody else needs",
        },
        "commit_info": {"id": "abc"},
        "benchmarks": [
            case | {"params": case["params"] | {"turn": 0}},
            case | {"params": None},
            case
            | {"params": case["params"] | {"turn": 1}}
            | {"stats": {"min": 0.001}},
            case
            | {"params": case["params"] | {"turn": 2}}
            | {"stats": {"min": 0.002}},
        ],
    }
    pytest_benchmark_update_json(report)
    assert report == {
        "machine": {
            "cpu": "CPU",
            "cores": 2,
            "system": "Linux",
            "python": "3.11.7",
            "torch": torch.__version__,
        },
        "cases": [
            {
                "group": "train",
                "n": 10,
                "way": "note",
                "bytes": 200,
                "seconds": 0.001,
            },
            {"group": "train", "bytes": 200, "seconds": 0.001235},
        ],
    }


@pytest.fixture(scope="module")
def cases():
    path = ROOT / "benchmarks" / "results.json"
    return json.loads(path.read_text(encoding="utf-8"))["cases"]


def seconds(cases, group, **where):
    (case,) = (
        case
        for case in cases
        if case["group"] == group and where.items() <= case.items()
    )
    return case["seconds"]


def ratios(cases, group, way, other):
    return [
        seconds(cases, group, way=other, n=n)
        / seconds(cases, group, way=way, n=n)
        for n, _ in SIZES
    ]


def exponent(cases, key):
    growth = [case for case in cases if case["group"] == "growth"]
    assert [case["n"] for case in growth] == [10**k for k in range(3, 8)]
    logs = [(log10(case["n"]), log10(case[key])) for case in growth]
    slope, _ = np.polyfit(*zip(*logs, strict=True), 1)
    return slope


def test_the_results_hold_every_contender(cases):
    for group, ways in (("iterate", ITERATORS), ("train", TRAINERS)):
        found = {
            (case["way"], case["n"], case["batch_size"])
            for case in cases
            if case["group"] == group
        }
        assert found == {(way, n, size) for way in ways for n, size in SIZES}


@pytest.mark.parametrize(
    ("group", "way", "other", "least"),
    [
        ("iterate", "data_iter", "note", (7, 10, 12)),
        ("iterate", "data_iter", "DataLoader", (25, 45, 50)),
        ("train", "linreg", "framework", (1.6, 2, 6)),
        ("train", "linreg", "note", (1, 1, 1)),
        # What chapter 11 says in words.
        ("iterate", "randperm", "note", (1, 1, 1)),
        ("iterate", "data_iter", "randperm", (1.3, 1.3, 1.2)),
        ("iterate", "note", "DataLoader", (2, 2, 2)),
        ("train", "note", "framework", (1, 1, 1)),
        ("train", "framework", "d2l", (1, 1, 1)),
        ("train", "by hand", "linreg", (5, 5, 3)),
    ],
)
def test_ratios(cases, group, way, other, least):
    found = ratios(cases, group, way, other)
    assert all(a >= b for a, b in zip(found, least, strict=True)), found


@pytest.mark.parametrize("key", ["seconds", "bytes"])
def test_cost_grows_in_proportion(cases, key):
    assert abs(exponent(cases, key) - 1) <= 0.05


def test_larger_batches_take_less_time(cases):
    sizes = [c["batch_size"] for c in cases if c["group"] == "batch size"]
    times = [seconds(cases, "batch size", batch_size=m) for m in sizes]
    assert sizes == sorted(sizes)
    assert times == sorted(times, reverse=True)
    assert times[0] > 100 * times[-1]


def test_time_follows_the_number_of_steps(cases):
    """The model of chapter 11, fitted with equal relative weights."""
    rows = [c for c in cases if c["group"] == "batch size"]
    steps = np.array([-(-10_000 // row["batch_size"]) for row in rows])
    times = np.array([row["seconds"] for row in rows])
    costs = np.stack([steps, np.full(len(rows), 10_000)], axis=1)
    model, *_ = np.linalg.lstsq(costs / times[:, None], np.ones(len(rows)))
    assert np.allclose(costs @ model, times, rtol=0.5)
    assert 1_000 < model[0] / model[1] < 10_000
    quarter = times[:4] / times[1:5]
    assert ((quarter > 2.5) & (quarter < 6)).all()
    assert times[-2] / times[-1] < 3.5


def test_who_spends_the_time_on_fetching(cases):
    shares = {
        fetch: [
            seconds(cases, "iterate", way=fetch, n=n)
            / seconds(cases, "train", way=way, n=n)
            for n, _ in SIZES
        ]
        for fetch, way in (
            ("DataLoader", "framework"),
            ("data_iter", "linreg"),
        )
    }
    assert max(shares["data_iter"]) < 0.25
    assert shares["DataLoader"] == sorted(shares["DataLoader"])
    assert shares["DataLoader"][-1] > 0.5


def test_small_steps_cost_the_same_whatever_their_size(cases):
    times = [
        seconds(cases, "threads", batch_size=m, threads=threads)
        for m in (10, 1_000)
        for threads in (1, 2)
    ]
    assert max(times) < 2 * min(times)
    large = seconds(cases, "threads", batch_size=1_000_000, threads=1)
    assert large > 10 * max(times)


@pytest.fixture(scope="module")
def figures():
    path = ROOT / "benchmarks" / "scale.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_what_chapter_12_says_of_a_hundred_million_examples(figures):
    stream = figures["stream"]
    assert stream["sample_size"] == 10**8
    assert 0 < stream["examples_when_killed"] < 10**8
    idle, peak = stream["memory_after_imports_mb"], stream["peak_memory_mb"]
    assert idle <= peak < idle + stream["data_mb"] / 10
    assert stream["largest_error"] < 0.01 / 1000**0.5


def test_what_chapter_12_says_of_two_processes(figures):
    measured = figures["processes"]
    one, two = (np.array(measured["step_us"][p]) for p in ("1", "2"))
    assert measured["batch_sizes"] == [10**k for k in range(2, 7)]
    assert two[0] > 3 * one[0]
    assert max(one[1] / one[0], two[2] / two[0]) < 2
    assert min(one[-1] / one[0], two[-1] / two[0]) > 2
    faster = two < one
    assert faster[-1]
    assert not faster[:3].any()
    assert (faster == np.sort(faster)).all()
    assert two[0] - one[0] > measured["all_reduce_us"]


def test_what_chapter_12_says_of_more_processes(figures):
    measured = figures["processes"]
    one, two = measured["step_us"]["1"], measured["step_us"]["2"]
    c, a = one[-1] / measured["batch_sizes"][-1], two[0] - one[0]
    best = [
        np.argmin([c * n / 2**k + a * k for k in range(7)])
        for n in (10**5, 10**6, 10**7)
    ]
    assert 0 == best[0] < best[1] < best[2]
