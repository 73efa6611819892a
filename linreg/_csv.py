"""Read a CSV file in pieces, or say in one line what is wrong with it."""

from __future__ import annotations

import csv
import functools
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LONGEST = 1_000_000  # characters of a line
# How a file begins that is no plain text, and what helps.
PACKED = {
    b"\x1f\x8b": "is packed by gzip: unpack it",
    b"PK": "is a ZIP or Excel file: save the table as CSV",
    b"\xff\xfe": "is in UTF-16: save it as UTF-8",
    b"\xfe\xff": "is in UTF-16: save it as UTF-8",
}


def watch(*paths: Path) -> Callable[[], None]:
    """Make a function that raises once one of the files has changed."""

    def stamps() -> list[tuple[int, ...]]:
        found = map(os.stat, paths)
        return [(s.st_ino, s.st_size, s.st_mtime_ns) for s in found]

    def unchanged() -> None:
        if stamps() != before:
            raise ValueError(f"{paths[0]} changed while it was read")

    before = stamps()
    return unchanged


def survey(source: Path, label: str) -> tuple[list[str], int]:
    """Return the names of the columns and the number of rows.

    Raises:
        ValueError: this is no table with such a label; the message says why.
        OSError: there is no such file, or it is a pipe, which ends once read.
    """
    if source.exists() and not source.is_file():
        raise OSError(f"{source} must be a file: save the table in one")
    with source.open("rb") as file:
        start = file.read(LONGEST)
    for mark, advice in PACKED.items():
        if start.startswith(mark):
            raise ValueError(f"{source} {advice}")
    if b"\r" in start and b"\n" not in start:
        raise ValueError(f"{source} ends its lines with CR: save them with LF")
    lines = _lines(source)
    first = next(lines, "")
    _check_names(f"{source}, line 1", first, label)
    names = _fields(first)
    size = sum(1 for _ in lines)
    if size == 0:
        raise ValueError(f"{source} must hold numbers, got names alone")
    return names, size


def read_pieces(
    source: Path,
    names: list[str],
    piece_size: int,
    dtype: str,
    unchanged: Callable[[], None],
) -> Iterator[NDArray[np.float64]]:
    """Yield the numbers, so many rows at a time, each checked.

    Raises:
        ValueError: a field is no number that the type can hold; the message
            names line and column. Or what `unchanged` raises.
    """
    lines = itertools.islice(_lines(source), 1, None)
    done, low, high = 1, np.inf, -np.inf
    while piece := list(itertools.islice(lines, piece_size)):
        try:
            plain = [_unquoted(line) for line in piece]
            table = np.loadtxt(plain, delimiter=",", comments=None, ndmin=2)
        except (csv.Error, ValueError):
            table = np.empty((0, 0))
        unchanged()
        try:
            if table.shape != (len(piece), len(names)):
                for row, line in enumerate(piece):
                    _check_line(row, line, names)
            _check_finite(table, names)
            _check_digits(table, names, piece)
            low = np.minimum(low, table.min(axis=0))
            high = np.maximum(high, table.max(axis=0))
            _check_rounding(table, names, dtype, high - low)
        except _RowError as error:
            row, said = error.args
            number = _line_number(source, done + row)
            raise ValueError(f"{source}, line {number}{said}") from error
        done += len(piece)
        yield table
    unchanged()


class _RowError(Exception):
    """What is wrong with a row: its place in the piece, and the words."""


def _line_number(source: Path, row: int) -> int:
    """Find the row in the file, which may have empty lines."""
    with source.open(encoding="utf-8-sig") as file:
        full = (k for k, line in enumerate(file, 1) if not line.isspace())
        return next(itertools.islice(full, row, None))


def _lines(source: Path) -> Iterator[str]:
    """Yield the lines that are not empty."""
    with source.open(encoding="utf-8-sig") as file:
        try:
            lines = iter(functools.partial(file.readline, LONGEST), "")
            for number, line in enumerate(lines, 1):
                if len(line) == LONGEST:
                    raise ValueError(
                        f"{source}, line {number} is longer than {LONGEST} "
                        "characters"
                    )
                if not line.isspace():
                    yield line
        except UnicodeDecodeError as error:
            raise ValueError(f"{source} must be in UTF-8: {error}") from error


def _unquoted(line: str) -> str:
    # numpy would read the "5"0 of a damaged file as 50.
    if '"' not in line:
        return line
    fields = _fields(line)
    if any("," in field or not field for field in fields):
        raise ValueError("a quoted field that is no number")
    return ",".join(fields)


def _fields(line: str) -> list[str]:
    (fields,) = csv.reader([line], strict=True, skipinitialspace=True)
    return fields


def _check_names(place: str, line: str, label: str) -> None:
    try:
        names = _fields(line)
    except csv.Error:
        names = [line.strip()]
    for mark in ";\t|":
        if len(names) == 1 and mark in line:
            raise ValueError(
                f"{place} must separate columns by commas, got {mark!r}"
            )
    for j, name in enumerate(names):
        if not name.strip():
            raise ValueError(
                f"{place}: column {j + 1} must have a name; if it only counts "
                "the rows, leave it out (pandas: index=False)"
            )
        if name in names[:j]:
            raise ValueError(f"{place} names {name!r} twice")
    if label not in names or len(names) < 2:
        raise ValueError(
            f"{place} must name {label!r} and other columns, "
            f"got {', '.join(names)[:70]!r}"
        )


def _check_line(row: int, line: str, names: list[str]) -> None:
    try:
        fields = _fields(line)
    except csv.Error as error:
        raise _RowError(row, f": {error}") from error
    if len(fields) != len(names):
        said = f" must have {len(names)} fields, got {len(fields)}"
        raise _RowError(row, said)
    for name, field in zip(names, fields, strict=True):
        try:
            good = (
                field.strip() and np.loadtxt([field], comments=None).ndim == 0
            )
        except ValueError:
            good = False
        if not good:
            said = f"must be a finite number, got {field[:30]!r}"
            raise _RowError(row, f": column {name!r} {said}")


def _check_finite(table: NDArray[np.float64], names: list[str]) -> None:
    for row, j in np.argwhere(~np.isfinite(table))[:1]:
        said = f"must be a finite number, got {table[row, j]}"
        raise _RowError(row, f": column {names[j]!r} {said}")


def _check_digits(
    table: NDArray[np.float64], names: list[str], piece: list[str]
) -> None:
    """Raise if an integer is so long that float64 makes it another one."""
    for row, j in np.argwhere(np.abs(table) >= 2**53):
        field = _fields(piece[row])[j].strip()
        whole = int(table[row, j])
        if field.lstrip("+-").isdigit() and int(field) != whole:
            said = "must have at most 15 digits, or be left out"
            got = f"got {field[:30]}"
            raise _RowError(row, f": column {names[j]!r} {said}: {got}")


def _check_rounding(
    table: NDArray[np.float64],
    names: list[str],
    dtype: str,
    spread: NDArray[np.float64],
) -> None:
    """Raise if a number becomes another one in `dtype`.

    Rounding is no harm: integers must stay as they are, other numbers may
    move by a ten-thousandth of the column's range so far, but not to 0.
    """
    with np.errstate(over="ignore"):
        kept = table.astype(dtype).astype(np.float64)
    moved = np.abs(kept - table)
    lost = (table == np.rint(table)) & (moved > 0)
    lost |= (moved > 1e-4 * spread) & (spread > 0)
    lost |= (kept == 0) & (table != 0)
    for row, j in np.argwhere(lost)[:1]:
        said = f'is not for {dtype}: pass dtype="float64"'
        got = f"got {table[row, j]:.17g}"
        raise _RowError(row, f": column {names[j]!r} {said}, {got}")
