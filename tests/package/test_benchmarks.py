"""The contenders do the same work, and the stored figures hold the claims."""

import json
from math import log10
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bench_speed import SIZES, added_memory, held_bytes
from benchmarks.bench_speed import examples as drawn
from benchmarks.conftest import pytest_benchmark_update_json
from benchmarks.ways import (
    ITERATORS,
    TRAINERS,
    least_squares,
    train_by_hand,
    train_full_batch,
    train_linreg,
    train_one_epoch,
)
from linreg import data_iter, gen_data, linreg, squared_loss

ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize("n", [1_000, 10_000, 100_000, 1_000_000])
def test_least_squares_is_what_numpy_finds(n):
    features, labels = drawn(n)
    X_one = np.c_[features.double(), np.ones(n)]
    expected, *_ = np.linalg.lstsq(X_one, labels.double())
    w, b = least_squares((features, labels))
    assert w.shape == (2, 1)
    assert b.shape == (1,)
    assert np.allclose(torch.cat([w.flatten(), b]), expected.flatten())


def test_single_precision_is_not_enough_for_three_million():
    data = drawn(3_000_000)
    exact, single = (
        torch.cat([part.flatten() for part in least_squares(data, dtype)])
        for dtype in (torch.float64, torch.float32)
    )
    assert (single - exact).abs().max() > 100 * 0.01 / 3_000_000**0.5


@pytest.mark.parametrize("n", [10_000, 1_000_000])
def test_two_large_steps_reach_the_bottom(n):
    data = drawn(n)
    w, b = train_full_batch(data, 1.0, 2)
    loss = squared_loss(linreg(data[0], w, b), data[1]).mean()
    assert loss < 1.05 * 0.01**2 / 2


def test_full_batch_takes_the_steps_of_the_package(examples):
    mine = train_full_batch(examples, 0.1, 3)
    expected = (
        torch.zeros(2, 1, requires_grad=True),
        torch.zeros(1, requires_grad=True),
    )
    for _ in range(3):
        train_linreg(in_order, len(examples[0]), examples, expected, 0.1)
    assert all(map(torch.equal, mine, expected))


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
        # What chapter 13 says in words.
        ("iterate", "randperm", "note", (1, 1, 1)),
        ("iterate", "data_iter", "randperm", (1.3, 1.3, 1.2)),
        ("iterate", "note", "DataLoader", (2, 2, 2)),
        ("train", "note", "framework", (1, 1, 1)),
        ("train", "framework", "d2l", (1, 1, 1)),
        ("train", "by hand", "linreg", (5, 5, 3)),
        ("iterate", "BatchSampler", "DataLoader", (1.3, 2, 3)),
        ("iterate", "data_iter", "BatchSampler", (10, 10, 10)),
        ("train", "linreg", "fw+data_iter", (1, 1, 1)),
        ("train", "fw+data_iter", "framework", (1.3, 2, 4)),
    ],
)
def test_ratios(cases, group, way, other, least):
    found = ratios(cases, group, way, other)
    assert all(a >= b for a, b in zip(found, least, strict=True)), found


def test_the_closed_form_is_the_fastest_of_the_table(cases):
    for n, _ in SIZES:
        exact = seconds(cases, "least squares", n=n, dtype="float64")
        trained = [seconds(cases, "train", way=w, n=n) for w in TRAINERS]
        assert exact < min(trained)


def test_single_precision_is_faster(cases):
    exact, single = (
        seconds(cases, "least squares", n=3_000_000, dtype=dtype)
        for dtype in ("float64", "float32")
    )
    assert single < 0.7 * exact


def test_two_large_steps_take_less_time_than_an_epoch_in_batches(cases):
    epochs = [c["seconds"] for c in cases if c["group"] == "batch size"]
    assert seconds(cases, "full batch", n=10_000) < min(epochs)
    for n, least in ((10_000, 0.5), (1_000_000, 1.3)):
        exact = seconds(cases, "least squares", n=n, dtype="float64")
        ratio = exact / seconds(cases, "full batch", n=n)
        assert least < ratio


def test_views_need_memory_too(cases):
    for case in (c for c in cases if c["group"] == "memory"):
        rest = case["bytes"] - 20 * case["n"]
        views = 2 * case["n"] / case["batch_size"]
        assert 400 < rest / views < 800


@pytest.mark.slow
def test_added_memory_holds_the_numbers_and_more():
    assert 20 * 100_000 < added_memory(100_000, 32) < 100 * 100_000


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
    """The model of chapter 13, fitted with equal relative weights."""
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
    assert max(shares["data_iter"]) < 0.15
    for (n, _), share in zip(SIZES, shares["DataLoader"], strict=True):
        before = seconds(cases, "train", way="framework", n=n)
        after = seconds(cases, "train", way="fw+data_iter", n=n)
        assert 1 - after / before > share
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
