import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from linreg import gen_data, init_params, linreg, sgd, squared_loss
from linreg.stream import (
    _parser,
    convert_csv,
    main,
    open_data,
    shuffle_data,
    stream_iter,
    write_data,
)

W = torch.tensor([2, -3.4])
SETTINGS = {"w": W, "b": 4.2, "sample_size": 1000, "piece_size": 300}


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path):
    write_data(tmp_path / "data", **SETTINGS)
    return tmp_path / "data"


def test_the_files_are_what_numpy_reads(folder):
    features = np.load(folder / "features.npy")
    labels = np.load(folder / "labels.npy")
    assert features.shape == (1000, 2)
    assert labels.shape == (1000, 1)
    assert features.dtype == labels.dtype == np.float32
    noise = labels[:, 0] - (features @ W.numpy() + 4.2)
    assert noise.std() == pytest.approx(0.01, rel=0.1)
    assert abs(features.mean()) < 0.1
    assert len(np.unique(features)) == 2000
    assert sorted(content(folder)) == ["features.npy", "labels.npy"]
    assert list(folder.parent.iterdir()) == [folder]


def test_type_and_noise_are_passed_on(tmp_path):
    settings = SETTINGS | {"w": W.double(), "noise_std": 0}
    write_data(tmp_path / "data", **settings)
    features, labels = open_data(tmp_path / "data")
    assert features.dtype == labels.dtype == np.float64
    assert np.allclose(labels[:, 0], features @ W.double().numpy() + 4.2)


def test_seed_decides(folder, tmp_path):
    write_data(tmp_path / "same", **SETTINGS, seed=0)
    write_data(tmp_path / "other", **SETTINGS, seed=1)
    assert content(tmp_path / "same") == content(folder)
    ours = set(open_data(folder)[1].flatten().tolist())
    others = set(open_data(tmp_path / "other")[1].flatten().tolist())
    assert len(ours & others) < 20


@given(
    sample_size=st.integers(1, 50),
    piece_size=st.integers(1, 60),
    cuts=st.tuples(st.integers(0, 800), st.integers(0, 800)),
)
def test_goes_on_after_an_interruption(
    tmp_path_factory, sample_size, piece_size, cuts
):
    folder = tmp_path_factory.mktemp("stream") / "data"
    sizes = {"sample_size": sample_size, "piece_size": piece_size}
    write_data(folder, **SETTINGS | sizes)
    whole = content(folder)
    part = folder.rename(folder.with_name("data.part"))
    for path, cut in zip(sorted(part.iterdir()), cuts, strict=True):
        path.write_bytes(path.read_bytes()[:cut])
    write_data(folder, **SETTINGS | sizes)
    assert content(folder) == whole


def sizes_of_pieces(monkeypatch):
    """How many examples are made at a time, from now on."""
    sizes = []
    monkeypatch.setattr(
        "linreg.stream.gen_data",
        lambda *args: sizes.append(args[2]) or gen_data(*args),
    )
    return sizes


@pytest.mark.slow
def test_killed_while_writing(tmp_path, monkeypatch):
    program = (
        "import torch; from linreg.stream import write_data; "
        "write_data('data', torch.tensor([2, -3.4]), 4.2, 2_000_000, "
        "piece_size=1000)"
    )
    writer = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    labels = tmp_path / "data.part" / "labels.npy"
    while not labels.exists() or labels.stat().st_size < 100_000:
        assert writer.poll() is None
        time.sleep(0.005)
    writer.kill()
    assert writer.wait() == -signal.SIGKILL
    assert not (tmp_path / "data").exists()

    pieces = sizes_of_pieces(monkeypatch)
    settings = SETTINGS | {"sample_size": 2_000_000, "piece_size": 1000}
    write_data(tmp_path / "data", **settings)
    assert 1 < len(pieces) < 1980
    write_data(tmp_path / "undisturbed", **settings)
    assert content(tmp_path / "data") == content(tmp_path / "undisturbed")


def interrupt_after_one_piece(folder):
    part = folder.rename(folder.with_name("data.part"))
    for name, width in (("features.npy", 8), ("labels.npy", 4)):
        os.truncate(part / name, 128 + 300 * width)


def test_makes_no_piece_twice(folder, monkeypatch):
    """Piece 0 shows that the arguments are the same."""
    interrupt_after_one_piece(folder)
    pieces = sizes_of_pieces(monkeypatch)
    write_data(folder, **SETTINGS)
    assert pieces == [300, 300, 300, 100]


def test_default_sizes_and_seed(tmp_path):
    write_data(tmp_path / "default", W, 4.2, 100_001)
    sizes = {"noise_std": 0.01, "seed": 0, "piece_size": 100_000}
    write_data(tmp_path / "given", W, 4.2, 100_001, **sizes)
    assert content(tmp_path / "default") == content(tmp_path / "given")
    blocks = [len(y) for _, y in stream_iter(200_000, tmp_path / "given")]
    assert sorted(blocks) == [1, 100_000]


def test_progress_counts_what_was_there_before(folder, monkeypatch, capsys):
    interrupt_after_one_piece(folder)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    write_data(folder, **SETTINGS)
    assert "4/4" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"seed": 1}, {"b": 4.3}, {"w": -W}])
def test_does_not_mix_two_data_sets(tmp_path, folder, change):
    part = folder.rename(folder.with_name("data.part"))
    before = content(part)
    message = f"{part} was begun with other arguments: remove it, or use those"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        write_data(folder, **SETTINGS | change)
    assert content(part) == before


def test_does_not_overwrite(folder):
    before = content(folder)
    message = f"^{re.escape(str(folder))} exists already$"
    with pytest.raises(FileExistsError, match=message):
        write_data(folder, **SETTINGS)
    assert content(folder) == before


def test_a_disk_too_small(tmp_path):
    settings = SETTINGS | {"sample_size": 10**15}
    with pytest.raises(OSError, match=r" must have 12000000000000000 bytes "):
        write_data(tmp_path / "data", **settings)
    assert list(tmp_path.iterdir()) == []


def test_room_is_asked_for_what_is_left(folder, monkeypatch):
    whole = content(folder)
    part = folder.rename(folder.with_name("data.part"))
    os.truncate(part / "labels.npy", 128 + 600 * 4)
    usage = SimpleNamespace(free=400 * 12)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    write_data(folder, **SETTINGS)
    assert content(folder) == whole


POSITIVE = "must be a positive integer"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"w": torch.ones(2, 1)},
            ValueError,
            "w must be a floating-point tensor of shape (d,), "
            "got float32 tensor of shape (2, 1)",
        ),
        (
            {"noise_std": -1.0},
            ValueError,
            "noise_std must be a finite number >= 0, got -1.0",
        ),
        ({"sample_size": 0}, ValueError, f"sample_size {POSITIVE}, got 0"),
        ({"piece_size": 2.5}, TypeError, f"piece_size {POSITIVE}, got 2.5"),
    ],
)
def test_errors_before_anything_is_written(tmp_path, change, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        write_data(tmp_path / "data", **SETTINGS | change)
    assert list(tmp_path.iterdir()) == []


def test_what_is_opened_cannot_be_changed(folder):
    features, _ = open_data(folder)
    with pytest.raises(ValueError, match="read-only"):
        features[0] = 0


@pytest.mark.parametrize("size", [0, 5, 40, 127, 128, 4127])
def test_cut_off(folder, size):
    os.truncate(folder / "labels.npy", size)
    path = re.escape(str(folder / "labels.npy"))
    with pytest.raises(ValueError, match=f"^{path} is damaged or cut off$"):
        open_data(folder)


@given(place=st.integers(0, 127), byte=st.integers(0, 255))
def test_damaged_header(tmp_path_factory, place, byte):
    """One line or the right array: nothing else comes out."""
    folder = tmp_path_factory.mktemp("stream") / "data"
    write_data(folder, **SETTINGS | {"sample_size": 9})
    path = folder / "labels.npy"
    data = bytearray(path.read_bytes())
    data[place] = byte
    path.write_bytes(data)
    try:
        _, labels = open_data(folder)
        outcome = str(labels.shape)
    except ValueError as error:
        outcome = str(error)
    assert re.fullmatch(
        r"\(9, 1\)|.*/data(/labels.npy)? (is|must) .+", outcome
    )


def test_a_missing_file(folder):
    (folder / "labels.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"labels\.npy"):
        open_data(folder)


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (np.ones((5, 2)), np.ones((4, 1))),
        (np.ones((5, 2)), np.ones(5)),
        (np.ones((5, 2)), np.ones((5, 1), dtype=np.float32)),
        (np.ones(5), np.ones((5, 1))),
        (np.ones((5, 2), dtype=int), np.ones((5, 1), dtype=int)),
    ],
)
def test_files_that_do_not_match(tmp_path, features, labels):
    np.save(tmp_path / "features.npy", features)
    np.save(tmp_path / "labels.npy", labels)
    expected = (
        f"{tmp_path} must hold features (n, d) and labels (n, 1) of the same "
        f"floating-point type, got {features.dtype} {features.shape} "
        f"and {labels.dtype} {labels.shape}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        open_data(tmp_path)


def number(folder, n, kind=np.float64):
    folder.mkdir()
    numbers = np.arange(n, dtype=kind)[:, None]
    np.save(folder / "features.npy", np.hstack([numbers, -numbers]))
    np.save(folder / "labels.npy", numbers)
    return folder


def order_of(folder):
    """The labels in the order of the file, which each mark one example."""
    features, labels = open_data(folder)
    assert np.array_equal(features, np.hstack([labels, -labels]))
    return labels.flatten().tolist()


@given(
    n=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    block_size=st.integers(1, 70),
)
def test_each_example_once(tmp_path_factory, n, batch_size, block_size):
    folder = number(tmp_path_factory.mktemp("stream") / "data", n)
    batches = list(stream_iter(batch_size, folder, block_size))
    for X, y in batches:
        assert X.shape == (len(y), 2)
        assert len(y) <= batch_size
        assert torch.equal(X[:, :1], y)
        assert len(set((y // block_size).flatten().tolist())) == 1
    seen = torch.cat([y for _, y in batches]).flatten().tolist()
    assert sorted(seen) == list(range(n))


def first_labels(folder, block_size, seed):
    generator = torch.Generator().manual_seed(seed)
    run = stream_iter(10, folder, block_size, generator)
    return next(run)[1].flatten().tolist()


def test_order_is_random_and_the_generator_decides(folder):
    labels = open_data(folder)[1].flatten().tolist()
    assert first_labels(folder, 1000, 0) == first_labels(folder, 1000, 0)
    assert first_labels(folder, 1, 0) == first_labels(folder, 1, 0)
    assert first_labels(folder, 1000, 0) != first_labels(folder, 1000, 1)
    starts = {first_labels(folder, 1, s)[0] for s in range(20)}
    assert len(starts) > 15
    assert sorted(first_labels(folder, 10, 0)) in [
        sorted(labels[i : i + 10]) for i in range(0, 1000, 10)
    ]
    assert first_labels(folder, 10, 0) not in [
        labels[i : i + 10] for i in range(0, 1000, 10)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5), f"batch_size {POSITIVE}, got 0"),
        ((5, 0), f"block_size {POSITIVE}, got 0"),
        ((5, 5, 7), "generator must be a torch.Generator or None, got 7"),
    ],
)
def test_errors_at_the_call(folder, arguments, message):
    batch_size, *rest = arguments
    with pytest.raises((TypeError, ValueError), match=f"^{message}$"):
        stream_iter(batch_size, folder, *rest)


def test_missing_data_at_the_call(tmp_path):
    with pytest.raises(FileNotFoundError):
        stream_iter(5, tmp_path)


@pytest.mark.slow
def test_trains_in_less_memory_than_the_data(tmp_path):
    """48 MB of data; a block and its copies are less than 2 MB."""
    settings = SETTINGS | {"sample_size": 4_000_000, "piece_size": 40_000}
    generator = torch.Generator().manual_seed(0)
    w, b = init_params(2, generator=generator)
    memory = psutil.Process().memory_info
    before = peak = memory().rss
    write_data(tmp_path / "data", **settings)
    for X, y in stream_iter(2_000, tmp_path / "data", 40_000, generator):
        squared_loss(linreg(X, w, b), y).sum().backward()
        sgd([w, b], 0.1, len(X))
        peak = max(peak, memory().rss)
    assert (w.detach().flatten() - W).abs().max() < 0.001
    assert b.item() == pytest.approx(4.2, abs=0.001)
    assert peak - before < 20_000_000


@pytest.mark.slow
def test_one_map_for_all_would_seem_to_grow(tmp_path):
    """48 MB, of which a block is 0.5 MB."""
    settings = SETTINGS | {"sample_size": 4_000_000, "piece_size": 100_000}
    write_data(tmp_path / "data", **settings)
    memory = psutil.Process().memory_info
    maps, before = open_data(tmp_path / "data"), memory().rss
    sums = [array.sum() for array in maps]
    grown = memory().rss - before
    del maps
    assert grown > 40_000_000
    before = peak = memory().rss
    found = 0.0
    for _, y in stream_iter(40_000, tmp_path / "data", 40_000):
        peak = max(peak, memory().rss)
        found += y.double().sum().item()
    assert peak - before < 10_000_000
    assert found == pytest.approx(sums[1], rel=1e-3)


@given(n=st.integers(1, 60), bucket_size=st.integers(1, 70))
def test_a_shuffle_keeps_each_example(tmp_path_factory, n, bucket_size):
    folder = number(tmp_path_factory.mktemp("stream") / "data", n)
    target = folder.with_name("mixed")
    shuffle_data(folder, target, bucket_size=bucket_size)
    assert sorted(order_of(target)) == list(range(n))
    assert order_of(folder) == list(range(n))
    assert sorted(content(target)) == ["features.npy", "labels.npy"]
    assert sorted(folder.parent.iterdir()) == [folder, target]
    kept = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert kept == {
        path.name: path.stat().st_size for path in target.iterdir()
    }


@pytest.mark.parametrize("bucket_size", [1, 2, 3])
def test_every_order_is_as_probable(tmp_path, monkeypatch, bucket_size):
    """3 examples in 1 to 3 buckets: 6 orders, 100 times each, give or take."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    folder, found = number(tmp_path / "data", 3), Counter()
    sizes = {"bucket_size": bucket_size}
    for seed in range(600):
        shuffle_data(folder, tmp_path / "mixed", seed=seed, **sizes)
        found[tuple(order_of(tmp_path / "mixed"))] += 1
        shutil.rmtree(tmp_path / "mixed")
    assert len(found) == 6
    surprise = sum((count - 100) ** 2 / 100 for count in found.values())
    assert surprise < 20.5  # chi-square, 5 degrees of freedom: one in 1000


def test_seed_and_bucket_size_decide_a_shuffle(tmp_path):
    folder = number(tmp_path / "data", 500, np.float32)
    found = {}
    for name, settings in {
        "first": {},
        "again": {"seed": 0, "bucket_size": 250_000},
        "seed": {"seed": 1},
        "bucket": {"bucket_size": 100},
    }.items():
        shuffle_data(folder, tmp_path / name, **settings)
        found[name] = order_of(tmp_path / name)
        assert open_data(tmp_path / name)[0].dtype == np.float32
    assert found["first"] == found["again"]
    assert len({tuple(order) for order in found.values()}) == 3


def test_a_shuffle_holds_one_bucket(tmp_path, monkeypatch):
    """And all of them lie in TARGET.part, each for a while."""
    folder, sizes = number(tmp_path / "data", 1000), []
    fromfile = np.fromfile
    monkeypatch.setattr(
        "numpy.fromfile",
        lambda path, kind: sizes.append(path) or fromfile(path, kind),
    )
    shuffle_data(folder, tmp_path / "mixed", bucket_size=100)
    part = tmp_path / "mixed.part"
    assert sizes == [part / f"bucket-{k}" for k in range(10)]


def test_default_bucket_size(tmp_path):
    folder = number(tmp_path / "data", 250_001, np.float32)
    shuffle_data(folder, tmp_path / "default")
    shuffle_data(folder, tmp_path / "given", bucket_size=250_000)
    assert content(tmp_path / "default") == content(tmp_path / "given")


def test_an_empty_folder_of_examples_can_be_shuffled(tmp_path):
    number(tmp_path / "data", 0)
    shuffle_data(tmp_path / "data", tmp_path / "mixed")
    assert order_of(tmp_path / "mixed") == []


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"bucket_size": 0}, ValueError, f"bucket_size {POSITIVE}, got 0"),
        ({"seed": -1}, ValueError, "expected non-negative integer"),
        ({"target": "data"}, FileExistsError, "data exists already"),
        ({"source": "none"}, FileNotFoundError, ".*features.npy'"),
    ],
)
def test_a_shuffle_refuses(tmp_path, monkeypatch, change, error, message):
    monkeypatch.chdir(tmp_path)
    folder = number(tmp_path / "data", 10)
    settings = {"source": "data", "target": "mixed"} | change
    with pytest.raises(error, match=f"^{message}$|^.Errno 2. {message}$"):
        shuffle_data(**settings)
    assert list(tmp_path.iterdir()) == [folder]
    assert order_of(folder) == list(range(10))


@pytest.mark.parametrize(("bucket_size", "rows"), [(100, 1200), (600, 2000)])
def test_a_shuffle_asks_for_room(tmp_path, monkeypatch, bucket_size, rows):
    folder, need = number(tmp_path / "data", 1000), 24 * rows
    usage = SimpleNamespace(free=need - 1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    message = f"{tmp_path} must have {need} bytes free, it has {need - 1}"
    with pytest.raises(OSError, match=f"^{re.escape(message)}$"):
        shuffle_data(folder, tmp_path / "mixed", bucket_size=bucket_size)
    assert list(tmp_path.iterdir()) == [folder]
    usage.free = need
    shuffle_data(folder, tmp_path / "mixed", bucket_size=bucket_size)


def leave_behind(part, *names):
    part.mkdir()
    for name in ("features.npy", "labels.npy", *names):
        (part / name).write_bytes(b"half")


def test_what_was_left_behind_is_thrown_away(tmp_path):
    folder = number(tmp_path / "data", 100)
    shuffle_data(folder, tmp_path / "mixed", bucket_size=30)
    leave_behind(tmp_path / "again.part", "bucket-0", "bucket-7")
    shuffle_data(folder, tmp_path / "again", bucket_size=30)
    assert content(tmp_path / "again") == content(tmp_path / "mixed")
    assert not (tmp_path / "again.part").exists()


def test_what_others_left_is_not(tmp_path):
    folder = number(tmp_path / "data", 100)
    leave_behind(tmp_path / "mixed.part", "thesis.txt")
    path = re.escape(str(tmp_path / "mixed.part" / "thesis.txt"))
    message = f"^{path} is not ours: remove it yourself$"
    with pytest.raises(FileExistsError, match=message):
        shuffle_data(folder, tmp_path / "mixed")
    assert len(content(tmp_path / "mixed.part")) == 3


def test_nothing_is_left_when_a_shuffle_fails(tmp_path, monkeypatch):
    folder = number(tmp_path / "data", 100)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("numpy.fromfile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shuffle_data(folder, tmp_path / "mixed")
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.slow
def test_shuffles_in_less_memory_than_the_data(tmp_path):
    settings = SETTINGS | {"sample_size": 4_000_000, "piece_size": 100_000}
    write_data(tmp_path / "data", **settings)
    program = (
        "import linreg.stream as stream, psutil;"
        "memory = psutil.Process().memory_info; before = memory().rss;"
        "old = stream.tqdm.update; peak = [];"
        "stream.tqdm.update = lambda *a: peak.append(memory().rss);"
        "stream.shuffle_data('data', 'mixed', bucket_size=100_000);"
        "print(max(peak) - before)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=True,
    )
    # The data's are 48 MB; pages of libraries that it touches count as well.
    assert int(result.stdout) < 36_000_000


def disk_calls(monkeypatch, tmp_path):
    """What is synced and renamed, in order."""
    calls, names = [], {}
    opened, rename = os.open, type(tmp_path).rename

    def open_it(path, *rest, **more):
        descriptor = opened(path, *rest, **more)
        names[descriptor] = str(path)
        return descriptor

    def sync(descriptor):
        calls.append(os.path.relpath(names[descriptor], tmp_path))

    def rename_it(path, target):
        calls.append("rename")
        return rename(path, target)

    monkeypatch.setattr("os.open", open_it)
    monkeypatch.setattr("os.fsync", sync)
    monkeypatch.setattr(type(tmp_path), "rename", rename_it)
    return calls


@pytest.mark.parametrize("platform", ["linux", "win32"])
@pytest.mark.parametrize(
    "make",
    [
        lambda p: write_data(p / "new", **SETTINGS),
        lambda p: convert_csv(p / "t.csv", p / "new", "y"),
        lambda p: shuffle_data(p / "data", p / "new"),
    ],
)
def test_all_is_on_the_disk_before_it_has_its_name(
    tmp_path, monkeypatch, make, platform
):
    """Windows opens no folder."""
    number(tmp_path / "data", 100)
    (tmp_path / "t.csv").write_text("x,y\n1,2\n")
    monkeypatch.setattr("sys.platform", platform)
    calls = disk_calls(monkeypatch, tmp_path)
    make(tmp_path)
    files, folders = calls[:2], calls[2:]
    assert {*files} == {"new.part/features.npy", "new.part/labels.npy"}
    named = ["rename"] if platform == "win32" else ["new.part", "rename", "."]
    assert folders == named


def test_what_is_synced_may_be_written(tmp_path, monkeypatch):
    """Windows asks for that, and no one opens a folder to write."""
    modes, opened = {}, os.open
    monkeypatch.setattr(
        "os.open",
        lambda path, flags, *rest: (
            modes.update({Path(path).name: flags})
            or opened(path, flags, *rest)
        ),
    )
    write_data(tmp_path / "data", **SETTINGS)
    read, write = os.O_RDONLY, os.O_RDWR
    assert modes["features.npy"] == modes["labels.npy"] == write
    assert modes["data.part"] == modes[tmp_path.name] == read


def test_no_file_stays_open(tmp_path):
    before = psutil.Process().num_fds()
    write_data(tmp_path / "data", **SETTINGS)
    shuffle_data(tmp_path / "data", tmp_path / "mixed", bucket_size=10)
    assert psutil.Process().num_fds() == before


TABLE = "x1,price,x2\n1,2,3\n4,5,-6.5\n7,8e1,9\n"


def converted(tmp_path, text, **settings):
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings = {"label": "price"} | settings
    convert_csv(path, tmp_path / "data", **settings)
    features, labels = open_data(tmp_path / "data")
    assert features.dtype == np.float32
    return features.tolist(), labels.tolist()


@pytest.mark.parametrize("piece_size", [1, 2, 3, 100])
def test_a_table(tmp_path, piece_size):
    features, labels = converted(tmp_path, TABLE, piece_size=piece_size)
    assert features == [[1, 3], [4, -6.5], [7, 9]]
    assert labels == [[2], [5], [80]]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "table.csv"]
    assert (tmp_path / "data/labels.npy").stat().st_size == 128 + 3 * 4


@pytest.mark.parametrize(
    "text",
    [
        TABLE.replace("\n", "\r\n"),
        TABLE.rstrip("\n"),
        TABLE.replace("\n", "\n\n"),
        "\ufeff" + TABLE,
        TABLE.replace(",", ", "),
        TABLE.replace("price", '"price"').replace("5,", '"5",'),
    ],
)
def test_ways_to_write_the_same_table(tmp_path, text):
    features, labels = converted(tmp_path, text)
    assert features == [[1, 3], [4, -6.5], [7, 9]]
    assert labels == [[2], [5], [80]]


@pytest.mark.parametrize("label", ["a", "b", "c"])
def test_any_column_can_be_the_label(tmp_path, label):
    features, labels = converted(tmp_path, "a,b,c\n0,1,2\n", label=label)
    place = "abc".index(label)
    assert labels == [[place]]
    assert features == [[k for k in range(3) if k != place]]


COLUMNS = "line 1: must name 'price' and other columns, each once, got"
NUMBER = "must be a finite number, got"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"{COLUMNS} ''"),
        ("a,b\n1,2\n", f"{COLUMNS} 'a, b'"),
        ("price\n1\n", f"{COLUMNS} 'price'"),
        ("x,price,x\n1,2,3\n", f"{COLUMNS} 'x, price, x'"),
        ("x,price,price\n1,2,3\n", f"{COLUMNS} 'x, price, price'"),
        ("x" * 100 + "\n1\n", f"{COLUMNS} '{'x' * 70}'"),
        ("x,price\n", "line 2: must hold numbers, got the end of the file"),
        ("x,price\n1,2\n1\n", "line 3: must have 2 fields, got 1"),
        ("x,price\n1,2,3\n", "line 2: must have 2 fields, got 3"),
        ("x,price\n1,2\n\n1,\n", f"line 4: column 'price' {NUMBER} ''"),
        ("x,price\na,2\n", f"line 2: column 'x' {NUMBER} 'a'"),
        ("x,price\n1,nan\n", f"line 2: column 'price' {NUMBER} 'nan'"),
        ("x,price\n1,-inf\n", f"line 2: column 'price' {NUMBER} '-inf'"),
        ("x,price\n1,3.4e38\n", f"line 2: column 'price' {NUMBER} '3.4e38'"),
        (
            f"x,price\n1,{'y' * 99}\n",
            f"line 2: column 'price' {NUMBER} '{'y' * 30}'",
        ),
        (
            b"x,price\n1,2\n\xff,3\n",
            "line 3: 'utf-8' codec can't decode byte 0xff in position 0: "
            "invalid start byte",
        ),
        ('x,price\n1,2\n"1,2\n', "line 3: unexpected end of data"),
        ('x,price\n1,2\n"1"0,2\n', "line 3: ',' expected after '\"'"),
        ('"a\nb",price\n1,2\n1\n', "line 4: must have 2 fields, got 1"),
        ('"a\nb",price\n1\n', "line 3: must have 2 fields, got 1"),
        (
            'x,price\n1,2\n"1' + "\n" * 200_000,
            "line 3: field larger than field limit (131072)",
        ),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path, text, message):
    path = tmp_path / "table.csv"
    with pytest.raises(
        ValueError, match=f"^{re.escape(str(path))}, {re.escape(message)}$"
    ):
        converted(tmp_path, text)
    assert list(tmp_path.iterdir()) == [path]


def test_the_largest_number_is_taken(tmp_path):
    _, labels = converted(tmp_path, "x,price\n1,-3.39e38\n")
    assert np.isfinite(labels).all()


def test_a_table_leaves_what_is_there(tmp_path):
    folder = number(tmp_path / "data", 3)
    before = content(folder)
    with pytest.raises(FileExistsError, match=r"data exists already$"):
        converted(tmp_path, TABLE)
    assert content(folder) == before
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        convert_csv(tmp_path / "none.csv", tmp_path / "new", "price")
    with pytest.raises(ValueError, match=r"^piece_size must be "):
        converted(tmp_path, TABLE, piece_size=0)


def test_a_table_is_read_in_pieces(tmp_path, monkeypatch):
    sizes, array = [], np.array
    monkeypatch.setattr(
        "numpy.array",
        lambda rows, **more: sizes.append(len(rows)) or array(rows, **more),
    )
    text = "x,price\n" + "1,2\n" * 100_001
    converted(tmp_path, text)
    assert sizes == [100_000, 1]


@pytest.mark.slow
def test_a_table_takes_the_memory_of_a_piece(tmp_path, monkeypatch):
    """As lists, 600,000 examples would take 100 MB and more."""
    memory, peak = psutil.Process().memory_info, []
    monkeypatch.setattr(
        "linreg.stream.tqdm.update", lambda *_: peak.append(memory().rss)
    )
    text = "x,price\n" + "1.25,2.5\n" * 600_000
    (tmp_path / "t.csv").write_text(text)
    before = memory().rss
    convert_csv(
        tmp_path / "t.csv", tmp_path / "new", "price", piece_size=10_000
    )
    assert len(open_data(tmp_path / "new")[0]) == 600_000
    assert len(peak) == 60
    assert max(peak) - before < 20_000_000


@pytest.mark.parametrize(
    ("make", "progress"),
    [
        (lambda p: write_data(p / "new", **SETTINGS), ["4/4"]),
        (
            lambda p: shuffle_data(p / "data", p / "new"),
            ["200/200 ", " examples/s"],
        ),
        (
            lambda p: convert_csv(p / "t.csv", p / "new", "y", piece_size=1),
            ["12.0/12.0 ", "B/s"],
        ),
    ],
)
def test_progress(tmp_path, monkeypatch, capsys, make, progress):
    number(tmp_path / "data", 100)
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,4\n")
    make(tmp_path)
    assert capsys.readouterr() == ("", "")
    shutil.rmtree(tmp_path / "new")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    make(tmp_path)
    shown = capsys.readouterr().err
    assert "100%" in shown
    assert all(part in shown for part in progress)


def command_line(monkeypatch, line):
    monkeypatch.setattr("sys.argv", ["stream", *line.split()])
    main()


@pytest.mark.parametrize(
    ("line", "defaults"),
    [
        (
            "write new --w 1 --b 0 --sample-size 5",
            {"noise_std": 0.01, "seed": 0, "piece_size": 100_000},
        ),
        ("csv t.csv new --label y", {"piece_size": 100_000}),
        ("shuffle data new", {"seed": 0, "bucket_size": 250_000}),
    ],
)
def test_defaults_of_the_command_line(line, defaults):
    settings = vars(_parser().parse_args(line.split()))
    assert settings == settings | defaults


def test_write_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given = "--w 2 -3.4 --b 4.2 --sample-size 1000"
    given += " --noise-std 0.5 --seed 3 --piece-size 300"
    command_line(monkeypatch, f"write new {given}")
    assert capsys.readouterr() == ("new: 1000 examples, 2 features\n", "")
    write_data("same", W, 4.2, 1000, 0.5, seed=3, piece_size=300)
    assert content(tmp_path / "new") == content(tmp_path / "same")


def test_shuffle_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    number(tmp_path / "data", 1000)
    command_line(monkeypatch, "shuffle data new --seed 3 --bucket-size 70")
    assert capsys.readouterr() == ("new: 1000 examples, 2 features\n", "")
    shuffle_data("data", "same", seed=3, bucket_size=70)
    assert content(tmp_path / "new") == content(tmp_path / "same")


def test_csv_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(TABLE)
    command_line(monkeypatch, "csv t.csv data --label price --piece-size 2")
    assert capsys.readouterr() == ("data: 3 examples, 2 features\n", "")
    assert open_data("data")[1].flatten().tolist() == [2, 5, 80]
    with pytest.raises(SystemExit) as end:
        command_line(monkeypatch, "csv t.csv new --label prize")
    expected = (
        "linreg.stream: t.csv, line 1: must name 'prize' and other columns, "
        "each once, got 'x1, price, x2'"
    )
    assert end.value.code == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("write data --w 1 --b 0 --sample-size 5", "data exists already"),
        (
            "write new --w 1 --b 0 --sample-size 0",
            f"sample_size {POSITIVE}, got 0",
        ),
        ("shuffle none new", "[Errno 2] No such file or directory: '"),
        ("csv none new --label y", "[Errno 2] No such file or directory: '"),
    ],
)
def test_one_line_on_the_command_line(tmp_path, monkeypatch, line, message):
    monkeypatch.chdir(tmp_path)
    folder = number(tmp_path / "data", 10)
    with pytest.raises(SystemExit) as end:
        command_line(monkeypatch, line)
    assert str(end.value.code).startswith(f"linreg.stream: {message}")
    assert "\n" not in str(end.value.code)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("name", "usage", "about", "folders", "options"),
    [
        (
            "",
            "[-h] COMMAND ...",
            "Make a folder of data that need not fit into memory.",
            [
                "COMMAND",
                "write make up examples",
                "csv convert a table",
                "shuffle shuffle the examples of a folder",
            ],
            [],
        ),
        (
            "write ",
            "[-h] --w W [W ...] --b B --sample-size SAMPLE_SIZE "
            "[--noise-std NOISE_STD] [--piece-size PIECE_SIZE] [--seed SEED] "
            "folder",
            "make up examples",
            ["folder new; gets features.npy and labels.npy"],
            [
                "--w W [W ...] true weights",
                "--b B true bias",
                "--sample-size SAMPLE_SIZE how many examples",
                "--noise-std NOISE_STD its size (0.01)",
                "--piece-size PIECE_SIZE "
                "examples in memory at a time (100000)",
                "--seed SEED decides the random numbers (0)",
            ],
        ),
        (
            "csv ",
            "[-h] --label LABEL [--piece-size PIECE_SIZE] file folder",
            "convert a table",
            [
                "file its first line names the columns",
                "folder new; gets features.npy and labels.npy",
            ],
            [
                "--label LABEL name of the label's column",
                "--piece-size PIECE_SIZE "
                "examples in memory at a time (100000)",
            ],
        ),
        (
            "shuffle ",
            "[-h] [--bucket-size BUCKET_SIZE] [--seed SEED] source target",
            "shuffle the examples of a folder",
            [
                "source folder with features.npy and labels.npy",
                "target new; gets features.npy and labels.npy",
            ],
            [
                "--bucket-size BUCKET_SIZE "
                "examples in memory at a time, on average (250000)",
                "--seed SEED decides the random numbers (0)",
            ],
        ),
    ],
)
def test_help(monkeypatch, capsys, name, usage, about, folders, options):
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as end:
        command_line(monkeypatch, f"{name}--help")
    assert end.value.code == 0
    expected = [
        f"usage: python -m linreg.stream {name}{usage}",
        about,
        "positional arguments:",
        *folders,
        "options:",
        "-h, --help show this help message and exit",
        *options,
    ]
    said = capsys.readouterr().out
    assert " ".join(said.split()) == " ".join(expected)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "required"),
        ("write new --b 0 --sample-size 5", "required: --w"),
        ("write new --w 1 --sample-size 5", "required: --b"),
        ("write new --w 1 --b 0", "required: --sample-size"),
        ("csv t.csv new", "required: --label"),
        ("shuffle data", "required: target"),
        ("shuffle data new --seed x", "--seed: invalid int value: 'x'"),
        (
            "shuffle data new --bucket-size x",
            "--bucket-size: invalid int value: 'x'",
        ),
        (
            "csv t.csv new --label y --piece-size x",
            "--piece-size: invalid int value: 'x'",
        ),
    ],
)
def test_what_must_be_given(monkeypatch, capsys, line, said):
    with pytest.raises(SystemExit) as end:
        command_line(monkeypatch, line)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_as_a_program(tmp_path):
    command = [sys.executable, "-m", "linreg.stream", "shuffle", "a", "b"]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("linreg.stream: [Errno 2] No such file")
    assert result.stderr.count("\n") == 1
