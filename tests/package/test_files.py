import os
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from linreg import gen_data
from linreg.__main__ import main
from linreg.large import files
from linreg.large.files import (
    convert_csv,
    open_data,
    seeded,
    shuffle_data,
    stream_iter,
    write_data,
)

W = torch.tensor([2, -3.4])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the power stays on
    return tmp_path


def numbered(folder, n, dtype="float32"):
    """Store examples whose label names their features."""
    Path(folder).mkdir()
    labels = np.arange(n, dtype=dtype).reshape(-1, 1)
    np.save(Path(folder, "features.npy"), np.hstack([10 * labels, -labels]))
    np.save(Path(folder, "labels.npy"), labels)
    return folder


def there():
    return sorted(path.name for path in Path().iterdir())


# write_data


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_writes_what_gen_data_draws(dtype):
    write_data("data", W.to(dtype), 4.2, 25, 0.5, seed=3, piece_size=10)
    pieces = [
        gen_data(W.to(dtype), 4.2, size, 0.5, seeded(3, k))
        for k, size in enumerate((10, 10, 5))
    ]
    for stored, expected in zip(
        open_data("data"), zip(*pieces, strict=True), strict=True
    ):
        assert np.array_equal(stored, torch.cat(expected).numpy())
    assert there() == ["data"]
    assert {path.name for path in Path("data").iterdir()} == {*files.NAMES}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"w": [2, -3.4]}, "w must be a floating-point tensor of shape (d"),
        ({"sample_size": 0}, "sample_size must be a positive integer, got 0"),
        ({"seed": -1}, "expected non-negative integer"),
        ({"folder": "there"}, "there exists already"),
    ],
)
def test_refuses_and_leaves_nothing(arguments, message):
    Path("there").mkdir()
    good = {"folder": "data", "w": W, "b": 4.2, "sample_size": 5}
    with pytest.raises((TypeError, ValueError, OSError)) as caught:
        write_data(**good | arguments)
    assert str(caught.value).startswith(message)
    assert there() == ["there"]


def test_says_that_the_disk_has_too_little_room(monkeypatch):
    small = SimpleNamespace(free=119)
    monkeypatch.setattr("shutil.disk_usage", lambda _: small)
    with pytest.raises(OSError, match=r"must have 120 bytes free, not 119"):
        write_data("data", W, 4.2, 10)
    assert there() == []


# open_data


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((3, 2)), np.zeros((4, 1)), "must hold features"),
        (np.zeros((3, 2)), np.zeros(3), "must hold features"),
        (np.zeros((0, 2)), np.zeros((0, 1)), "must hold features"),
        (np.zeros((3, 2), "f4"), np.zeros((3, 1)), "must hold features"),
        (np.zeros((3, 2), "int64"), np.zeros((3, 1)), 'astype."float32'),
        (np.zeros((3, 2), ">f4"), np.zeros((3, 1), ">f4"), 'astype."float32'),
    ],
)
def test_files_that_cannot_be_trained_with_are_refused(
    features, labels, message
):
    Path("data").mkdir()
    np.save("data/features.npy", features)
    np.save("data/labels.npy", labels)
    with pytest.raises(ValueError, match=message):
        open_data("data")


@pytest.mark.parametrize("name", files.NAMES)
@pytest.mark.parametrize("change", [slice(-1), slice(-208), b"1"])
def test_a_file_longer_or_shorter_than_it_says_is_refused(name, change):
    path = Path(numbered("data", 20), name)
    content = path.read_bytes()
    changed = content[change] if change != b"1" else content + change
    path.write_bytes(changed)
    with pytest.raises(ValueError, match=f"{name} is (damaged|longer)"):
        open_data("data")


# stream_iter


@pytest.mark.parametrize("batch_size", [1, 3, 7, 10, 100])
@pytest.mark.parametrize("block_size", [1, 7, 10, 100])
def test_each_example_once_in_pairs(batch_size, block_size):
    numbered("data", 25)
    batches = list(stream_iter(batch_size, "data", block_size, seeded(1)))
    for X, y in batches:
        assert 1 <= len(y) <= batch_size
        assert torch.equal(X, torch.cat([10 * y, -y], dim=1))
    seen = torch.cat([y for _, y in batches]).flatten()
    assert seen.sort().values.tolist() == list(range(25))
    again = list(stream_iter(batch_size, "data", block_size, seeded(1)))
    assert torch.equal(torch.cat([y for _, y in again]).flatten(), seen)


def test_blocks_and_their_examples_come_in_random_order():
    numbered("data", 100)
    orders = [
        torch.cat([y for _, y in stream_iter(10, "data", 20, seeded(k))])
        for k in range(20)
    ]
    blocks = [tuple((y[::20] // 20).int().flatten().tolist()) for y in orders]
    assert len({*blocks}) > 15
    first = {tuple((y[:20] % 20).int().flatten().tolist()) for y in orders}
    assert len(first) == 20


# shuffle_data


@pytest.mark.parametrize("bucket_size", [1, 4, 25, 100])
def test_shuffles_the_same_examples(bucket_size):
    numbered("data", 25)
    shuffle_data("data", "mixed", seed=1, bucket_size=bucket_size)
    X, y = open_data("mixed")
    assert np.array_equal(X, np.hstack([10 * y, -y]))
    assert sorted(y.flatten()) == list(range(25))
    assert y.flatten().tolist() != list(range(25))
    assert there() == ["data", "mixed"]
    assert {path.name for path in Path("mixed").iterdir()} == {*files.NAMES}


def test_every_order_is_as_probable():
    """By a chi-squared test with 5 degrees of freedom; 20.5 is its 99.9 %."""
    numbered("data", 3)
    times = 300
    found = Counter()
    for seed in range(times):
        shuffle_data("data", f"mixed{seed}", seed=seed, bucket_size=2)
        found[tuple(open_data(f"mixed{seed}")[1].flatten())] += 1
    expected = times / 6
    assert sum((k - expected) ** 2 / expected for k in found.values()) < 20.5
    assert len(found) == 6


# convert_csv

RIGHT = {
    '\ufeff"a", b\r\n\r\n 1 ,-2e-3': [[1, -2e-3]],
    "a,b\n0.1,5\n0.1,6\n": [[0.1, 5], [0.1, 6]],
}
# What the file holds, and what is said of it; chapter 16 shows others.
WRONG = {
    "a,c\n1,2\n": "line 1 must name 'b' and other columns, got 'a, c'",
    "a,b\n": "must hold numbers, got names alone",
    "a,b,a\n1,2,3\n": "line 1 names 'a' twice",
    "a,b\n1,2\n\n3\n": "line 4 must have 2 fields, got 1",
    "a,b\n1,\n": "line 2: column 'b' must be a finite number, got ''",
    "a,b\nnan,1\n": "line 2: column 'a' must be a finite number, got nan",
    'a,b\n"1,000",1\n': "line 2: column 'a' must be a finite number, got '1,0",
    "a,b\n90071992,9007199254740993\n": "line 2: column 'b' must have at "
    "most 15 digits, or be left out: got 9007199254740993",
    "a,b\n1,2\n".encode("utf-16"): "is in UTF-16: save it as UTF-8",
    "面积,b\n1,2\n".encode("gbk"): "must be in UTF-8: ",
    b"PK\x03\x04": "is a ZIP or Excel file: save the table as CSV",
}


@pytest.mark.parametrize("text", RIGHT)
@pytest.mark.parametrize("piece_size", [1, 100])
def test_reads_a_table(text, piece_size):
    Path("t.csv").write_text(text, "utf-8", newline="")
    convert_csv("t.csv", "data", "b", piece_size=piece_size)
    expected = np.array(RIGHT[text], "float32")
    assert np.array_equal(np.hstack(open_data("data")), expected)


@pytest.mark.parametrize("content", WRONG, ids=range(len(WRONG)))
def test_refuses_a_table(content):
    if isinstance(content, str):
        content = content.encode()
    Path("t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"^t\.csv") as caught:
        convert_csv("t.csv", "data", "b", piece_size=1)
    said = WRONG.get(content.decode(errors="ignore"), WRONG.get(content))
    assert str(caught.value)[6:].strip(", ").startswith(said)
    assert "\n" not in str(caught.value)
    assert there() == ["t.csv"]


def test_keeps_in_double_what_single_would_merge():
    Path("t.csv").write_text("id,b\n16777217,1e-50\n16777216,0.1\n")
    convert_csv("t.csv", "data", "b", dtype="float64")
    features, labels = open_data("data")
    assert features.tolist() == [[16777217], [16777216]]
    assert labels.tolist() == [[1e-50], [0.1]]


# The command line


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["linreg", *map(str, arguments)])
    main()


def test_the_commands(monkeypatch, capsys):
    size = ["--sample-size", 50]
    run(monkeypatch, "write", "data", "--w", 2, -3.4, "--b", "-1e-3", *size)
    run(monkeypatch, "shuffle", "data", "mixed", "--seed", 1)
    Path("t.csv").write_text("a,b\n16777217,2\n")
    run(monkeypatch, "csv", "t.csv", "t", "--label", "b", "--dtype", "float64")
    once = ["--num-epochs", 1, "--lr", "1e-2"]
    run(monkeypatch, "train", "mixed", "run.pt", *once)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        f"{k}: 50 examples, 2 features" for k in ("data", "mixed")
    ]
    assert lines[2] == "t: 1 examples, 1 features"
    assert lines[3].startswith("epoch 1, loss ")


def test_a_mistake_is_one_line(monkeypatch):
    with pytest.raises(SystemExit, match=r"^linreg: .* No such file.*nowhere"):
        run(monkeypatch, "train", "nowhere", "run.pt")
