"""Data larger than memory, in files: chapter 16."""

from __future__ import annotations

import operator
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Generator, Tensor
from tqdm import tqdm

from linreg._checks import check_generator, check_size, check_tensor
from linreg._csv import read_pieces, survey, watch
from linreg.data import gen_data

Name = str | os.PathLike[str]
NAMES = ("features.npy", "labels.npy")
TYPES = ("float32", "float64")


def write_data(
    folder: Name,
    w: Tensor,
    b: float,
    sample_size: int,
    noise_std: float = 0.01,
    *,
    seed: int = 0,
    piece_size: int = 100_000,
) -> None:
    """Write examples from y = Xw + b + noise to a new folder. Chapter 16.

    Args:
        folder: gets features.npy (n, d) and labels.npy (n, 1).
        w: true weights, shape (d,), float32 or float64.
        b: true bias.
        sample_size: how many examples, n.
        noise_std: standard deviation of the noise.
        seed: not negative; with `piece_size` it decides all numbers.
        piece_size: how many examples are in memory at a time.

    Raises:
        TypeError, ValueError: an argument is not as described above.
        OSError: the folder exists, or the disk is full; it stays as it was.
    """
    check_tensor("w", w, "d")
    check_size("sample_size", sample_size)
    check_size("piece_size", piece_size)

    kind = str(w.dtype).removeprefix("torch.")
    with _new_folder(folder, sample_size, len(w), kind) as (_, append):
        starts = range(0, sample_size, piece_size)
        for k, start in enumerate(tqdm(starts, disable=None)):
            size = min(piece_size, sample_size - start)
            append(*gen_data(w, b, size, noise_std, seeded(seed, k)))


def convert_csv(
    source: Name,
    folder: Name,
    label: str,
    *,
    dtype: str = "float32",
    piece_size: int = 100_000,
) -> None:
    """Convert a CSV file to a folder that `open_data` opens. Chapter 16.

    Args:
        source: in UTF-8; its first line names the columns, all other lines
            are finite numbers.
        folder: gets features.npy (n, d) and labels.npy (n, 1).
        label: the column that becomes the label; all others are features.
        dtype: float32, refused where it would take different numbers of a
            column for the same; or float64.
        piece_size: how many examples are in memory at a time.

    Raises:
        TypeError, ValueError: an argument is not as described above, or
            something in the file is not: the message names line and column.
        OSError: there is no such file, the folder exists, or the disk is
            full; it stays as it was.
    """
    check_size("piece_size", piece_size)
    if dtype not in TYPES:
        raise ValueError(f"dtype must be one of {TYPES}, got {dtype!r}")

    source = Path(source)
    unchanged = watch(source)
    names, size = survey(source, label)
    place = names.index(label)
    features = [j for j in range(len(names)) if j != place]
    with _new_folder(folder, size, len(features), dtype) as (_, append):
        pieces = read_pieces(source, names, piece_size, dtype, unchanged)
        for piece in tqdm(pieces, total=-(-size // piece_size), disable=None):
            append(piece[:, features], piece[:, [place]])


def shuffle_data(
    source: Name, target: Name, *, seed: int = 0, bucket_size: int = 250_000
) -> None:
    """Write the examples of a folder to a new one, shuffled. Chapter 16.

    First each example is dealt to one of n / bucket_size files, drawn at
    random; then each file is read, shuffled and appended. Every order is
    equally probable, so far as the generator's numbers are random.

    Args:
        source: holds features.npy and labels.npy.
        target: gets the same examples in another order.
        seed: not negative; with `bucket_size` it decides the order.
        bucket_size: how many examples are in memory at a time, on average.

    Raises:
        TypeError, ValueError: an argument is not as described above.
        OSError: see `write_data` and `open_data`.
    """
    check_size("bucket_size", bucket_size)
    generator = seeded(seed)
    unchanged = watch(*(Path(source, name) for name in NAMES))
    features, _ = open_data(source)

    (n, d), dtype = features.shape, features.dtype.name
    with _new_folder(target, n, d, dtype) as (new, append):
        count = -(-n // bucket_size)
        buckets = [new / f"bucket-{k}" for k in range(count)]
        for start in tqdm(range(0, n, bucket_size), disable=None):
            examples = torch.hstack(read_block(source, start, bucket_size))
            drawn = torch.randint(count, (len(examples),), generator=generator)
            # Sorted once: picking bucket by bucket would look k times at each.
            dealt = examples[drawn.argsort(stable=True)].split(
                drawn.bincount(minlength=count).tolist()
            )
            for bucket, own in zip(buckets, dealt, strict=True):
                with bucket.open("ab") as file:
                    file.write(own.numpy().data)
        unchanged()
        for bucket in tqdm(buckets, disable=None):
            examples = torch.from_numpy(np.fromfile(bucket, dtype))
            examples = examples.reshape(-1, d + 1)
            order = torch.randperm(len(examples), generator=generator)
            append(examples[order, :-1], examples[order, -1:])
            bucket.unlink()


def open_data(folder: Name) -> tuple[NDArray[Any], NDArray[Any]]:
    """Map the files of a folder into memory, without reading them. Chapter 16.

    Args:
        folder: holds features.npy and labels.npy.

    Returns:
        features (n, d) and labels (n, 1), read-only; what is indexed is read.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is damaged, longer or shorter than it says, of a
            type that torch does not train with, or does not match the other.
    """
    features, labels = (_open(Path(folder) / name) for name in NAMES)
    full = features.ndim == 2 and features.size
    shape = (len(features), 1) if full else None
    if labels.shape != shape or labels.dtype != features.dtype:
        raise ValueError(
            f"{folder} must hold features (n, d) and labels (n, 1) of one "
            f"type, got {features.dtype} {features.shape} and {labels.dtype} "
            f"{labels.shape}"
        )
    return features, labels


def stream_iter(
    batch_size: int,
    folder: Name,
    block_size: int = 100_000,
    generator: Generator | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Go once through the files, block by block, shuffled. Chapter 16.

    The blocks come in random order, and so do the examples of a block.

    Args:
        batch_size: examples in a batch; the last one of a block may be
            shorter.
        folder: holds features.npy and labels.npy.
        block_size: consecutive examples that are in memory at a time.
        generator: source of the random order; torch's global one if None.

    Yields:
        X (m, d) and y (m, 1), with m <= batch_size.

    Raises:
        TypeError, ValueError, OSError: an argument is not as described above,
            or see `open_data`; raised when the first batch is asked for.
    """
    check_size("batch_size", batch_size)
    check_size("block_size", block_size)
    check_generator(generator)

    starts = torch.arange(0, len(open_data(folder)[0]), block_size)
    for k in torch.randperm(len(starts), generator=generator):
        X, y = read_block(folder, int(starts[k]), block_size)
        order = torch.randperm(len(X), generator=generator)
        X, y = X[order], y[order]
        for start in range(0, len(X), batch_size):
            rows = slice(start, start + batch_size)
            yield X[rows], y[rows]


def read_block(folder: Name, start: int, size: int) -> tuple[Tensor, Tensor]:
    """Read `size` consecutive examples, fewer at the end. Chapter 16."""
    # A new map each time: pages of blocks gone by are given back.
    X, y = (array[start : start + size].copy() for array in open_data(folder))
    return torch.from_numpy(X), torch.from_numpy(y)


def seeded(*seeds: int) -> Generator:
    """Make a generator; of 2^32 kinds, so that two seeds seldom meet."""
    # Unlike seed + k, this gives no two data sets a piece in common.
    sequence = np.random.SeedSequence([*map(operator.index, seeds)])
    return torch.Generator().manual_seed(int(sequence.generate_state(1)[0]))


@contextmanager
def _new_folder(
    folder: Name, n: int, width: int, dtype: str
) -> Iterator[tuple[Path, Callable[..., None]]]:
    """Give a folder that grows, and a function that appends X and y to it.

    It has a name of its own, so that no one else writes to it, until all is
    on the disk. Then it becomes `folder`.
    """
    folder = Path(folder)
    if dtype not in TYPES:
        raise ValueError(f"dtype must be one of {TYPES}, got {dtype!r}")
    if folder.exists():
        raise FileExistsError(f"{folder} exists already")
    need = n * (width + 1) * np.dtype(dtype).itemsize
    free = shutil.disk_usage(folder.parent).free
    if need > free:
        raise OSError(
            f"{folder.parent} must have {need} bytes free, not {free}"
        )
    new = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.part")
    new.mkdir()
    try:
        with ExitStack() as stack:
            files = []
            for name, columns in zip(NAMES, (width, 1), strict=True):
                array = open_memmap(new / name, "w+", dtype, (n, columns))
                files.append(stack.enter_context((new / name).open("r+b")))
                files[-1].seek(array.offset)

            def append(*parts: Tensor | NDArray[Any]) -> None:
                for file, rows in zip(files, parts, strict=True):
                    file.write(np.ascontiguousarray(rows, dtype).data)

            yield new, append
        for path in (*new.iterdir(), new):
            sync(path)
        try:
            new.rename(folder)
        except OSError:  # someone else was first
            raise FileExistsError(f"{folder} exists already") from None
        sync(folder.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _open(path: Path) -> NDArray[Any]:
    try:
        array = open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # numpy raises whatever its parser does
        raise ValueError(f"{path} is damaged or cut off: {error}") from error
    if array.dtype.name not in TYPES or not array.dtype.isnative:
        raise ValueError(
            f"{path} must be of type float32 or float64, got {array.dtype!r}: "
            'store array.astype("float32")'
        )
    if path.stat().st_size != array.offset + array.nbytes:
        raise ValueError(f"{path} is longer than its header says")
    return array
