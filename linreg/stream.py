"""Data larger than memory, in files: chapter 14."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from tqdm import tqdm

from linreg._checks import check_generator, check_size, check_tensor
from linreg.data import data_iter, gen_data

NAMES = ("features.npy", "labels.npy")


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
    becomes `folder` when they are complete. Call again with the same
    arguments to go on after an interruption.

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
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists already")

    def piece(k: int) -> tuple[Tensor, Tensor]:
        size = min(piece_size, sample_size - k * piece_size)
        # Unlike seed + k, this gives no two data sets a piece in common.
        (piece_seed,) = np.random.SeedSequence([seed, k]).generate_state(1)
        generator = torch.Generator().manual_seed(int(piece_seed))
        return gen_data(w, b, size, noise_std, generator)

    first = [array.numpy() for array in piece(0)]
    headers = [_header(array, sample_size) for array in first]
    part = folder.with_name(folder.name + ".part")
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
    part.rename(folder)


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


def _check_room(part: Path, first: list[NDArray[Any]], rows: int) -> None:
    need = rows * sum(array[0].nbytes for array in first)
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
