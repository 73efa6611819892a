import multiprocessing
import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from linreg import gen_data
from linreg.__main__ import main, parse
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
        ({"w": W.half()}, "dtype must be one of ('float32', 'float64'), got"),
        ({"w": W.clone().requires_grad_()}, "w must not require grad: pass"),
        ({"sample_size": 0}, "sample_size must be a positive integer, got 0"),
        ({"piece_size": 1.5}, "piece_size must be a positive integer, got"),
        ({"noise_std": -1.0}, "noise_std must be a finite number >= 0, got"),
        ({"seed": -1}, "expected non-negative integer"),
        ({"seed": "1"}, "'str' object cannot be interpreted as an integer"),
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


def test_a_disk_that_fills_up_leaves_nothing(started):
    def write():  # no file may grow longer: it fails as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with pytest.raises(OSError, match="too large"):
            write_data("data", W, 4.2, 100_000)

    process = started(write)
    process.join()
    assert process.exitcode == 0
    assert there() == []


@pytest.mark.parametrize("writers", [2, 8])
def test_of_several_writers_one_wins(started, writers):
    """Each process writes the folder: the natural mistake of chapter 17."""
    begin = multiprocessing.get_context("fork").Barrier(writers)

    def write(k):
        begin.wait()
        try:
            write_data("data", W, 4.2, 30_000, seed=k, piece_size=1000)
        except FileExistsError as error:
            sys.exit(3 if str(error) == "data exists already" else 4)

    racing = [started(write, k) for k in range(writers)]
    for process in racing:
        process.join()
    codes = [process.exitcode for process in racing]
    assert sorted(codes) == [0] + (writers - 1) * [3]
    winner = codes.index(0)
    write_data("same", W, 4.2, 30_000, seed=winner, piece_size=1000)
    assert all(map(np.array_equal, open_data("data"), open_data("same")))
    assert there() == ["data", "same"]


def test_a_killed_writer_leaves_only_its_own(started):
    process = started(write_data, "data", W, 4.2, 10**8)
    while not list(Path().glob("data.*.part/labels.npy")):
        time.sleep(0.01)
    process.kill()
    process.join()
    assert not Path("data").exists()
    write_data("data", W, 4.2, 10)
    assert len(open_data("data")[0]) == 10


# open_data


@pytest.mark.parametrize("name", files.NAMES)
@pytest.mark.parametrize("change", [-1, -100, -208, 1, 8, 5000])
def test_a_file_longer_or_shorter_than_it_says_is_refused(name, change):
    path = Path(numbered("data", 20), name)
    content = path.read_bytes()
    path.write_bytes(
        content[:change] if change < 0 else content + bytes(change)
    )
    with pytest.raises(ValueError, match=f"{name} is (damaged|longer)"):
        open_data("data")


@pytest.mark.parametrize(
    "dtype", [">f4", ">f8", "f2", "longdouble", "int64", "complex64", "S4"]
)
def test_types_that_torch_does_not_train_with_are_refused(dtype):
    numbered("data", 5, dtype if dtype != "S4" else "float32")
    for name in files.NAMES:
        array = np.load(Path("data", name)).astype(dtype)
        np.save(Path("data", name), array)
    with pytest.raises(ValueError, match=r"float32 or float64, got .*astype"):
        open_data("data")


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (np.zeros((3, 2)), np.zeros((4, 1))),
        (np.zeros((3, 2)), np.zeros(3)),
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros((0, 2)), np.zeros((0, 1))),
        (np.zeros((3, 0)), np.zeros((3, 1))),
        (np.zeros((3, 2), "f4"), np.zeros((3, 1))),
    ],
)
def test_files_that_do_not_match_are_refused(features, labels):
    Path("data").mkdir()
    np.save("data/features.npy", features)
    np.save("data/labels.npy", labels)
    with pytest.raises(ValueError, match="data must hold features"):
        open_data("data")


def test_a_file_of_something_else_is_refused():
    numbered("data", 5)
    Path("data/labels.npy").write_bytes(b"1,2,3\n")
    with pytest.raises(ValueError, match=r"labels\.npy is damaged"):
        open_data("data")
    with pytest.raises(FileNotFoundError):
        open_data("nowhere")
    Path("data/labels.npy").unlink()
    Path("data/labels.npy").mkdir()  # any other trouble is no damage either
    with pytest.raises(IsADirectoryError):
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


def test_memory_is_bounded_by_the_block_whatever_the_batch(added_kb):
    """Views are objects: a list of one for each example took a hundred MB."""
    write_data("data", W, 4.2, 200_000)

    def read(batch_size):
        for _ in stream_iter(batch_size, "data", 200_000):
            pass

    assert added_kb(lambda: read(1000), lambda: read(1)) < 20_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, "data"), "batch_size must be a positive integer, got 0"),
        ((1, "data", 0), "block_size must be a positive integer, got 0"),
        ((1, "data", 1, 5), "generator must be a torch.Generator or None"),
    ],
)
def test_refuses_with_the_first_batch(arguments, message):
    numbered("data", 5)
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        next(stream_iter(*arguments))


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
    times = 600
    found = Counter()
    for seed in range(times):
        shuffle_data("data", f"mixed{seed}", seed=seed, bucket_size=2)
        found[tuple(open_data(f"mixed{seed}")[1].flatten())] += 1
    expected = times / 6
    assert sum((k - expected) ** 2 / expected for k in found.values()) < 20.5
    assert len(found) == 6


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("data/labels.npy", lambda: shuffle_data("data", "new")),
        ("t.csv", lambda: convert_csv("t.csv", "new", "b")),
    ],
)
def test_what_changes_while_it_is_read_is_refused(monkeypatch, source, read):
    numbered("data", 25)
    Path("t.csv").write_text("a,b\n1,2\n")
    make = files._new_folder

    def later(*arguments):
        os.utime(source, ns=(0, 0))
        return make(*arguments)

    monkeypatch.setattr(files, "_new_folder", later)
    with pytest.raises(ValueError, match=r"^[a-z./]+ changed while it was"):
        read()
    assert there() == ["data", "t.csv"]


# convert_csv

RIGHT = {
    "a,b\n1,2\n3,4\n": [[1, 2], [3, 4]],
    "a,b\r\n1,2\r\n": [[1, 2]],
    "\ufeffa,b\n1,2": [[1, 2]],
    "a,b\n\n1,2\n \n3,4\n\n": [[1, 2], [3, 4]],
    '"a","b"\n"1.5",-2e-3\n': [[1.5, -2e-3]],
    "a, b\n 1 ,+2\n": [[1, 2]],
    "a,b\n0.1,5\n0.1,6\n": [[0.1, 5], [0.1, 6]],
    "a,b\n16777216,1\n": [[16777216, 1]],
}
# What the file holds, and what is said of it.
WRONG = {
    "": "line 1 must name 'b' and other columns, got ''",
    "a,b\n": "must hold numbers, got names alone",
    "b\n1\n": "line 1 must name 'b' and other columns, got 'b'",
    "a,c\n1,2\n": "line 1 must name 'b' and other columns, got 'a, c'",
    "a,b,a\n1,2,3\n": "line 1 names 'a' twice",
    ",a,b\n0,1,2\n": "line 1: column 1 must have a name; if it only counts",
    '"a";"b"\n1;2\n': "line 1 must separate columns by commas, got ';'",
    "a\tb\n1\t2\n": r"line 1 must separate columns by commas, got '\t'",
    "a,b\r1,2\r": "ends its lines with CR: save them with LF",
    "a,b\n1,2\n\n3\n": "line 4 must have 2 fields, got 1",
    "a,b\n1,2\n3,4,5\n": "line 3 must have 2 fields, got 3",
    "a,b\n1,\n": "line 2: column 'b' must be a finite number, got ''",
    "a,b\n1,n/a\n": "line 2: column 'b' must be a finite number, got 'n/a'",
    "a,b\nnan,1\n": "line 2: column 'a' must be a finite number, got nan",
    "a,b\n1e400,1\n": "line 2: column 'a' must be a finite number, got inf",
    "a,b\n1_0,1\n": "line 2: column 'a' must be a finite number, got '1_0'",
    "a,b\n１２,1\n": "line 2: column 'a' must be a finite number, got '１２'",
    "a,b\n0x1F,1\n": "line 2: column 'a' must be a finite number, got '0x1F'",
    'a,b\n"1,000",1\n': "line 2: column 'a' must be a finite number, got '1,0",
    "a,b\nTrue,1\n": "line 2: column 'a' must be a finite number, got 'True'",
    "a,b\n90071992,9007199254740993\n": "line 2: column 'b' must have at "
    "most 15 digits, or be left out: got 9007199254740993",
    "a,b\n#1,2\n": "line 2: column 'a' must be a finite number, got '#1'",
    'a,c,b\n"1,000",5\n': "line 2 must have 3 fields, got 2",
    'a,b\n""\n': "line 2 must have 2 fields, got 1",
    'a,b\n"1,2\n': "line 2: unexpected end of data",
    'a,b\n"5"0,2\n': "line 2: ',' expected after '\"'",
    "a,b\n1,2\n16777217,1\n": "line 3: column 'a' is not for float32: pass "
    'dtype="float64", got 16777217',
    "a,b\n1e-50,1\n": "line 2: column 'a' is not for float32: pass",
    "a,b\n1e39,1\n": "line 2: column 'a' is not for float32: pass",
    "a,b\n1700000000.5,1\n1700000003.5,2\n": "line 3: column 'a' is not for",
    "a,b\n" + 2_000_000 * "1": "line 2 is longer than 1000000 characters",
    "a,b\n1,2\n".encode("utf-16"): "is in UTF-16: save it as UTF-8",
    "面积,b\n1,2\n".encode("gbk"): "must be in UTF-8: ",
    b"\x1f\x8b\x08\x00": "is packed by gzip: unpack it",
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
    with pytest.raises(ValueError, match="dtype must be one of"):
        convert_csv("t.csv", "other", "b", dtype="int64")


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
    assert parse(
        ["write", "x", "--w", "-1e-3", "--b", "-.5", "--sample-size", "1"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("shuffle nowhere x", "linreg: [Errno 2] No such file or directory"),
        ("write data --w 1 --b 0 --sample-size 0", "linreg: sample_size must"),
        ("csv nowhere.csv x --label b", "linreg: [Errno 2] No such file"),
        ("train nowhere run.pt", "linreg: [Errno 2] No such file"),
    ],
)
def test_mistakes_are_one_line(monkeypatch, arguments, message):
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, *arguments.split())
    assert str(caught.value).startswith(message)
