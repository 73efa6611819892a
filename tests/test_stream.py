import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from linreg import gen_data, init_params, linreg, sgd, squared_loss
from linreg.stream import open_data, stream_iter, write_data

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

    pieces = []
    monkeypatch.setattr(
        "linreg.stream.gen_data",
        lambda *args: pieces.append(args) or gen_data(*args),
    )
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
    pieces = []
    monkeypatch.setattr(
        "linreg.stream.gen_data",
        lambda *args: pieces.append(args[2]) or gen_data(*args),
    )
    write_data(folder, **SETTINGS)
    assert pieces == [300, 300, 300, 100]


def test_default_sizes_and_seed(tmp_path):
    write_data(tmp_path / "default", W, 4.2, 100_001)
    sizes = {"noise_std": 0.01, "seed": 0, "piece_size": 100_000}
    write_data(tmp_path / "given", W, 4.2, 100_001, **sizes)
    assert content(tmp_path / "default") == content(tmp_path / "given")
    blocks = [len(y) for _, y in stream_iter(200_000, tmp_path / "given")]
    assert sorted(blocks) == [1, 100_000]


def test_shows_progress_on_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    write_data(tmp_path / "data", **SETTINGS)
    assert "4/4" in capsys.readouterr().err


def test_progress_counts_what_was_there_before(folder, monkeypatch, capsys):
    interrupt_after_one_piece(folder)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    write_data(folder, **SETTINGS)
    assert "4/4" in capsys.readouterr().err


def test_is_silent_elsewhere(tmp_path, capsys):
    write_data(tmp_path / "data", **SETTINGS)
    assert capsys.readouterr() == ("", "")


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
    usage = type("Usage", (), {"free": 400 * 12})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    write_data(folder, **SETTINGS)
    assert content(folder) == whole


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
        (
            {"sample_size": 0},
            ValueError,
            "sample_size must be a positive integer, got 0",
        ),
        (
            {"piece_size": 2.5},
            TypeError,
            "piece_size must be a positive integer, got 2.5",
        ),
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


@given(
    n=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    block_size=st.integers(1, 70),
)
def test_each_example_once(tmp_path_factory, n, batch_size, block_size):
    folder = tmp_path_factory.mktemp("stream")
    numbers = np.arange(n, dtype=np.float64)
    np.save(folder / "features.npy", np.stack([numbers, -numbers], axis=1))
    np.save(folder / "labels.npy", numbers[:, None])
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
        ((0, 5), "batch_size must be a positive integer, got 0"),
        ((5, 0), "block_size must be a positive integer, got 0"),
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
