"""Run the book's notebooks in this process, once, for all that look at them.

`run(path)` executes the code cells one after the other, as a kernel would,
and keeps what the checks need: the names after each cell, the figures that it
drew, the exercises, and what the notebook did to its surroundings that it must
not; see guard/sitecustomize.py.
"""

import ast
import contextlib
import copy
import functools
import io
import linecache
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any
from unittest import mock

import matplotlib.pyplot as plt
import nbformat
import torch
from guard import sitecustomize as guard
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


class TooLong(BaseException):
    """An answer or its check did not end in time."""


@dataclass
class Exercise:
    """An exercise's check, and the names of one who ran what can be seen."""

    check: str
    before: dict[str, Any]
    folder: Path

    def accepts(self, answer: str, seconds: int = 20) -> bool:
        """Answer as a reader would; does the check let it pass?"""
        names = own_copy(self.before)
        with surroundings(self.folder), no_longer_than(seconds):
            execute(answer, names)
            try:
                execute(self.check, names)
            except AssertionError:
                return False
        return True


@dataclass
class Run:
    """What is left of a notebook that ran from top to bottom."""

    names: dict[str, Any]
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    exercises: list[Exercise] = field(default_factory=list)
    misdeeds: list[str] = field(default_factory=list)


def tags(cell):
    return cell.metadata.get("tags", [])


@functools.cache
def run(path: Path) -> Run:
    """Execute a notebook of the book."""
    return run_cells(nbformat.read(path, as_version=4).cells, path.parent)


def run_cells(cells, folder: Path) -> Run:
    names: dict[str, Any] = {"__name__": "__main__"}
    result = Run(names)
    code = [cell for cell in cells if cell.cell_type == "code"]
    with surroundings(folder) as result.misdeeds:
        for cell, following in zip(code, [*code[1:], None], strict=True):
            if "answer" in tags(cell):
                check = following.source if following else ""
                before = names_in_sight(result, code)
                result.exercises.append(Exercise(check, before, folder))
            try:
                execute(cell.source, names)
            except Exception:
                if "raises-exception" not in tags(cell):
                    raise
            result.states[cell.id] = dict(names)
            result.figures[cell.id] = [
                plt.figure(number) for number in plt.get_fignums()
            ]
            plt.close("all")
    return result


def names_in_sight(result: Run, code) -> dict[str, Any]:
    """The names before the first answer, but for what hidden cells made."""
    if result.exercises:
        return result.exercises[0].before
    names, hidden = result.names, set()
    before: dict[str, Any] = {}
    for cell in code:
        if (after := result.states.get(cell.id)) is None:
            break
        new = {n for n in after if after[n] is not before.get(n, ...)}
        hidden = hidden | new if "remove-input" in tags(cell) else hidden - new
        before = after
    return own_copy({n: v for n, v in names.items() if n not in hidden})


@contextlib.contextmanager
def no_longer_than(seconds: int):
    """Interrupt what takes longer; say so in one line."""

    def ring(*_):
        raise TooLong(f"no end after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def execute(source: str, names: dict[str, Any]) -> None:
    """Run a cell's code; what it prints is nbval's business."""
    file = f"<cell {hash(source):x}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(ast.parse(source), file, "exec"), names)


def own_copy(names: dict[str, Any]) -> dict[str, Any]:
    """The same values; what a cell could change in place is copied."""
    copied: dict[str, Any] = {}
    memo: dict[int, Any] = {}

    def own(value):
        if isinstance(value, torch.Tensor) and value.is_leaf:
            return copy.deepcopy(value, memo)
        if isinstance(value, (torch.nn.Module, torch.optim.Optimizer)):
            return copy.deepcopy(value, memo)
        if isinstance(value, torch.Generator):
            return memo.setdefault(id(value), value.clone_state())
        if isinstance(value, list):
            return [own(item) for item in value]
        if isinstance(value, dict) and value is not names:
            return {key: own(item) for key, item in value.items()}
        if isinstance(value, FunctionType) and value.__globals__ is names:
            function = FunctionType(
                value.__code__,
                copied,
                value.__name__,
                value.__defaults__,
                value.__closure__,
            )
            function.__kwdefaults__ = value.__kwdefaults__
            return function
        return value

    copied.update({name: own(value) for name, value in names.items()})
    return copied


@contextlib.contextmanager
def surroundings(folder: Path):
    """Run cells as in a kernel of `folder`, guarded; yield the misdeeds."""
    misdeeds: list[str] = []
    before = contents(folder)
    threads, recording = torch.get_num_threads(), torch.is_grad_enabled()
    environment, bytecode = dict(os.environ), sys.dont_write_bytecode
    with (
        tempfile.TemporaryDirectory() as guarded,
        torch.random.fork_rng(devices=[]),
        contextlib.chdir(folder),
        watched_clocks(misdeeds),
    ):
        temporary = Path(guarded, "temporary")
        temporary.mkdir()
        paths = [str(Path(guard.__file__).parent), str(ROOT)]
        torch.manual_seed(0)
        plt.close("all")
        sys.dont_write_bytecode = True
        tempfile.tempdir = str(temporary)
        os.environ.update(
            GUARD_FOLDER=guarded,
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONPATH=os.pathsep.join(paths),
            TMPDIR=str(temporary),
            TORCHINDUCTOR_CACHE_DIR=str(Path(guarded, "torch")),
        )
        try:
            yield misdeeds
        finally:
            os.environ.clear()
            os.environ.update(environment)
            tempfile.tempdir = None
            sys.dont_write_bytecode = bytecode
            torch.set_num_threads(threads)
            torch.set_grad_enabled(recording)
            plt.close("all")
        refused = Path(guarded, "refused")
        if refused.exists():
            misdeeds += refused.read_text(encoding="utf-8").splitlines()
        misdeeds += [f"left {path.name}" for path in temporary.iterdir()]
    misdeeds += [f"touched {path}" for path, _ in before ^ contents(folder)]


@contextlib.contextmanager
def watched_clocks(misdeeds: list[str]):
    """Note when a cell, or what it calls of ours, reads a clock."""
    names = ("time", "monotonic", "perf_counter", "process_time")
    ours = ("<cell ", str(ROOT / "linreg"), str(ROOT / "benchmarks"))

    def watched(name, clock):
        def read():
            if sys._getframe(1).f_code.co_filename.startswith(ours):
                misdeeds.append(f"read {name}")
            return clock()

        return read

    with contextlib.ExitStack() as stack:
        for name in (*names, *(f"{name}_ns" for name in names)):
            replaced = watched(name, getattr(time, name))
            stack.enter_context(mock.patch.object(time, name, replaced))
        yield


def contents(folder: Path) -> set[tuple[str, int]]:
    return {
        (str(path.relative_to(folder)), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }
