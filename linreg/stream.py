"""Data larger than memory, in files: chapter 14."""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from tqdm import tqdm

from linreg._checks import check_generator, check_size, check_tensor
from linreg.data import data_iter, gen_data

LARGEST = 3.4e38  # of float32
NAMES = ("features.npy", "labels.npy")
FOLDER = "new; gets features.npy and labels.npy"


def write_data(
    folder: str | os.PathLike[str],
    w: Tensor,
    b: float,
    sample_size: int,
    noise_std: float = 0.01,
    *,
    seed: int = 0,
    piece_size: int = 100_000,
) -> None:
    """Write examples from y = Xw + b + noise to a new folder. Chapter 14.

    Only one piece is in memory at a time. The files grow in FOLDER.part, which
    becomes `folder` when they are complete and on the disk. Call again with
    the same arguments to go on after an interruption; after a power cut,
    remove FOLDER.part first.

    Args:
        folder: gets features.npy (n, d) and labels.npy (n, 1).
        w: true weights, shape (d,).
        b: true bias.
        sample_size: how many examples, n.
        noise_std: standard deviation of the noise.
        seed: decides all numbers, together with `piece_size`.
        piece_size: how many examples are made at a time.

    Raises:
        TypeError, ValueError: an argument is not as described above, or
            FOLDER.part was begun with other arguments.
        FileExistsError: the folder exists already.
        OSError: the disk has too little room; nothing is written then.
    """
    check_tensor("w", w, "d")
    check_size("sample_size", sample_size)
    check_size("piece_size", piece_size)
    part = _part(folder)

    def piece(k: int) -> tuple[Tensor, Tensor]:
        size = min(piece_size, sample_size - k * piece_size)
        return gen_data(w, b, size, noise_std, _generator(seed, k))

    first = [array.numpy() for array in piece(0)]
    headers = [_header(array, sample_size) for array in first]
    paths = [part / name for name in NAMES]
    done = _pieces_done(paths, headers, first)
    _check_room(part, first, sample_size - done * piece_size)

    part.mkdir(exist_ok=True)
    for path, header, array in zip(paths, headers, first, strict=True):
        if done:  # cut off what came after the last complete piece
            os.truncate(path, len(header) + done * array.nbytes)
        else:
            path.write_bytes(header)
    total = -(-sample_size // piece_size)
    with paths[0].open("ab") as X_file, paths[1].open("ab") as y_file:
        rest = range(done, total)
        for k in tqdm(rest, initial=done, total=total, disable=None):
            X, y = piece(k)
            X_file.write(X.numpy().data)
            y_file.write(y.numpy().data)
    _finish(part, Path(folder))


def convert_csv(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    label: str,
    *,
    piece_size: int = 100_000,
) -> None:
    """Convert a CSV file to a folder that `open_data` opens. Chapter 14.

    The first line names the columns; one is the label, all others are
    features. Only one piece is in memory at a time. The files grow in
    FOLDER.part; what an interrupted run left there is thrown away.

    Args:
        source: the CSV file, in UTF-8, with finite numbers only.
        folder: gets features.npy (n, d) and labels.npy (n, 1), float32.
        label: name of the column that becomes the label.
        piece_size: how many examples are in memory at a time.

    Raises:
        TypeError, ValueError: an argument is not as described above, or
            something in the file is not: the message names line and column.
        FileExistsError: the folder exists already.
        FileNotFoundError: there is no such file.
    """
    check_size("piece_size", piece_size)
    source, size = Path(source), Path(source).stat().st_size
    with source.open("rb") as file:
        rows = _csv_rows(file, label)
        kept = next(rows)
        with (
            _new_folder(folder, len(kept) - 1, np.dtype("f4")) as append,
            tqdm(total=size, unit="B", unit_scale=True, disable=None) as bar,
        ):
            while piece := list(itertools.islice(rows, piece_size)):
                append(np.array(piece, dtype=np.float32))
                bar.update(file.tell() - bar.n)


def shuffle_data(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    seed: int = 0,
    bucket_size: int = 250_000,
) -> None:
    """Write the examples of a folder to a new one, shuffled. Chapter 14.

    First each example is dealt to one of n / bucket_size files, drawn at
    random; then each file is read, shuffled and appended. Every order is
    equally probable, so far as the generator's numbers are random. Only one
    bucket is in memory at a time. The files grow in TARGET.part; what an
    interrupted run left there is thrown away.

    Args:
        source: holds features.npy and labels.npy.
        target: gets the same examples in another order.
        seed: decides the order, together with `bucket_size`.
        bucket_size: how many examples a bucket has, on average.

    Raises:
        TypeError, ValueError, FileNotFoundError: an argument is not as
            described above, or see `open_data`.
        FileExistsError: the target exists already.
        OSError: the disk has too little room; nothing is written then.
    """
    check_size("bucket_size", bucket_size)
    generator = _generator(seed)
    features, labels = open_data(source)
    n, width = features.shape
    need = n + min(n, 2 * bucket_size)  # a bucket goes when it is appended
    _check_room(_part(target), [features, labels], need)

    with (
        _new_folder(target, width, features.dtype) as append,
        tqdm(total=2 * n, unit=" examples", disable=None) as bar,
    ):
        count = -(-n // bucket_size)
        buckets = [_part(target) / f"bucket-{k}" for k in range(count)]
        for start in range(0, n, bucket_size):
            rows = slice(start, start + bucket_size)
            bar.update(_deal(source, rows, buckets, generator))
        for bucket in buckets:
            examples = np.fromfile(bucket, features.dtype)
            examples = examples.reshape(-1, width + 1)
            order = torch.randperm(len(examples), generator=generator)
            append(examples[order.numpy()])
            bucket.unlink()
            bar.update(len(examples))


def open_data(
    folder: str | os.PathLike[str],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Map the files of a folder into memory, without reading them. Chapter 14.

    Args:
        folder: holds features.npy and labels.npy.

    Returns:
        features (n, d) and labels (n, 1), read-only; what is indexed is read.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is damaged or cut off, or the two do not match.
    """
    features, labels = (_open(Path(folder) / name) for name in NAMES)
    shape = (len(features), 1) if features.ndim == 2 else None
    kinds = {features.dtype, labels.dtype}
    if labels.shape != shape or len(kinds) > 1 or features.dtype.kind != "f":
        raise ValueError(
            f"{folder} must hold features (n, d) and labels (n, 1) of the "
            f"same floating-point type, got {features.dtype} "
            f"{features.shape} and {labels.dtype} {labels.shape}"
        )
    return features, labels


def stream_iter(
    batch_size: int,
    folder: str | os.PathLike[str],
    block_size: int = 100_000,
    generator: Generator | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Go once through the files, block by block, shuffled. Chapter 14.

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
        TypeError, ValueError, FileNotFoundError: an argument is not as
            described above, or see `open_data`; raised by the call itself.
    """
    check_size("batch_size", batch_size)
    check_size("block_size", block_size)
    check_generator(generator, torch.device("cpu"))
    starts = torch.arange(0, len(open_data(folder)[0]), block_size)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(starts), generator=generator)
        for start in starts[order].tolist():
            # A new map each time: pages of blocks gone by are given back.
            X, y = (
                torch.from_numpy(array[start : start + block_size].copy())
                for array in open_data(folder)
            )
            yield from data_iter(batch_size, X, y, generator)

    return batches()


COMMANDS = (
    ("write", "make up examples", write_data, "folder"),
    ("csv", "convert a table", convert_csv, "folder"),
    ("shuffle", "shuffle the examples of a folder", shuffle_data, "target"),
)


def main() -> None:
    """Run the command line: write, convert or shuffle a folder. Chapter 14."""
    settings = vars(_parser().parse_args())
    run, folder = settings.pop("run"), settings[settings.pop("made")]
    if run is write_data:
        settings["w"] = torch.tensor(settings["w"])
    try:
        run(**settings)
        n, d = open_data(folder)[0].shape
    except (OSError, TypeError, ValueError) as error:
        sys.exit(f"linreg.stream: {error}")
    print(f"{folder}: {n} examples, {d} features")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m linreg.stream",
        description="Make a folder of data that need not fit into memory.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    every = {}
    for name, text, run, made in COMMANDS:
        every[name] = commands.add_parser(name, help=text, description=text)
        every[name].set_defaults(run=run, made=made)

    add = every["write"].add_argument
    add("folder", help=FOLDER)
    add("--w", type=float, nargs="+", required=True, help="true weights")
    add("--b", type=float, required=True, help="true bias")
    add("--sample-size", type=int, required=True, help="how many examples")
    add("--noise-std", type=float, default=0.01, help="its size (0.01)")

    add = every["csv"].add_argument
    add("source", metavar="file", help="its first line names the columns")
    add("folder", help=FOLDER)
    add("--label", required=True, help="name of the label's column")

    add = every["shuffle"].add_argument
    add("source", help="folder with features.npy and labels.npy")
    add("target", help=FOLDER)
    text = "examples in memory at a time, on average (250000)"
    add("--bucket-size", type=int, default=250_000, help=text)

    for name in ("write", "csv"):
        text = "examples in memory at a time (100000)"
        add = every[name].add_argument
        add("--piece-size", type=int, default=100_000, help=text)
    for name in ("write", "shuffle"):
        text = "decides the random numbers (0)"
        every[name].add_argument("--seed", type=int, default=0, help=text)
    return parser


def _header(piece: NDArray[Any], sample_size: int) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header,
        {
            "descr": np.lib.format.dtype_to_descr(piece.dtype),
            "fortran_order": False,
            "shape": (sample_size, piece.shape[1]),
        },
    )
    return header.getvalue()


def _pieces_done(
    paths: list[Path], headers: list[bytes], first: list[NDArray[Any]]
) -> int:
    done = []
    for path, header, array in zip(paths, headers, first, strict=True):
        start = header + array.tobytes()
        if not path.exists() or path.stat().st_size < len(start):
            return 0
        with path.open("rb") as file:
            if file.read(len(start)) != start:
                raise ValueError(
                    f"{path.parent} was begun with other arguments: "
                    "remove it, or use those"
                )
        done.append((path.stat().st_size - len(header)) // array.nbytes)
    return min(done)


def _check_room(part: Path, arrays: Sequence[NDArray[Any]], rows: int) -> None:
    need = rows * sum(a.itemsize * a.shape[1] for a in arrays)
    free = shutil.disk_usage(part.parent).free
    if need > free:
        raise OSError(
            f"{part.parent} must have {need} bytes free, it has {free}"
        )


def _open(path: Path) -> NDArray[Any]:
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OverflowError, SyntaxError, TokenError) as error:
        raise ValueError(f"{path} is damaged or cut off") from error


def _generator(*seeds: int) -> Generator:
    # Unlike seed + k, this gives no two data sets a piece in common.
    (seed,) = np.random.SeedSequence(seeds).generate_state(1)
    return torch.Generator().manual_seed(int(seed))


def _part(folder: str | os.PathLike[str]) -> Path:
    """Name the folder in which `folder` grows."""
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists already")
    return folder.with_name(folder.name + ".part")


@contextmanager
def _new_folder(
    folder: str | os.PathLike[str], width: int, dtype: np.dtype[Any]
) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Give a function that appends rows (features, label) to its files."""
    part, sample_size = _part(folder), 0
    if part.exists():
        _throw_away(part)
    part.mkdir()
    try:
        with (
            (part / NAMES[0]).open("wb") as X,
            (part / NAMES[1]).open("wb") as y,
        ):

            def headers() -> None:
                for file, columns in ((X, width), (y, 1)):
                    empty = np.empty((0, columns), dtype)
                    file.seek(0)  # numpy leaves room: any is as long
                    file.write(_header(empty, sample_size))

            def append(rows: NDArray[Any]) -> None:
                nonlocal sample_size
                sample_size += len(rows)
                X.write(rows[:, :-1].tobytes())
                y.write(rows[:, -1:].tobytes())

            headers()
            yield append
            headers()
    except BaseException:
        shutil.rmtree(part)
        raise
    _finish(part, Path(folder))


def _deal(
    source: str | os.PathLike[str],
    rows: slice,
    buckets: list[Path],
    generator: Generator,
) -> int:
    # A new map each time: pages of rows gone by are given back.
    examples = np.hstack([array[rows] for array in open_data(source)])
    size = (len(examples),)
    drawn = torch.randint(len(buckets), size, generator=generator).numpy()
    ends = np.bincount(drawn, minlength=len(buckets)).cumsum()
    dealt = np.split(examples[drawn.argsort()], ends[:-1])
    for bucket, own in zip(buckets, dealt, strict=True):
        with bucket.open("ab") as file:
            file.write(own.data)
    return len(examples)


def _throw_away(part: Path) -> None:
    for path in part.iterdir():
        if path.name not in NAMES and not path.name.startswith("bucket-"):
            raise FileExistsError(f"{path} is not ours: remove it yourself")
    shutil.rmtree(part)


def _finish(part: Path, folder: Path) -> None:
    """Give the folder its name once all is on the disk."""
    for path in (*part.iterdir(), part):
        _sync(path)
    part.rename(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    """Wait until a file or a folder's list of names is on the disk."""
    folder = path.is_dir()
    if folder and sys.platform == "win32":  # there it cannot be opened
        return
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _csv_rows(file: BinaryIO, label: str) -> Iterator[list[Any]]:
    """Yield the names of the columns, then the numbers; the label is last."""
    lines = (line.decode("utf-8-sig") for line in file)
    reader = csv.reader(lines, strict=True, skipinitialspace=True)
    line = 1
    try:
        names = next(reader, [])
        if names.count(label) != 1 or len({*names}) < max(2, len(names)):
            raise ValueError(
                f"must name {label!r} and other columns, each once, "
                f"got {', '.join(names)[:70]!r}"
            )
        place, found = names.index(label), False
        yield names
        line = reader.line_num + 1
        for row in reader:
            if row:  # not an empty line
                numbers = _numbers(row, names)
                numbers.append(numbers.pop(place))
                yield numbers
                found = True
            line = reader.line_num + 1
        if not found:
            raise ValueError("must hold numbers, got the end of the file")
    except (csv.Error, ValueError) as error:
        raise ValueError(f"{file.name}, line {line}: {error}") from error


def _numbers(row: list[str], names: list[str]) -> list[float]:
    if len(row) != len(names):
        raise ValueError(f"must have {len(names)} fields, got {len(row)}")
    numbers = []
    for text, name in zip(row, names, strict=True):
        try:
            number = float(text)
        except ValueError:
            number = np.nan
        if not abs(number) < LARGEST:
            raise ValueError(
                f"column {name!r} must be a finite number, got {text[:30]!r}"
            )
        numbers.append(number)
    return numbers


if __name__ == "__main__":
    main()
