"""Run the book's notebooks in this process, once, for all that look at them.

`run(path)` executes the code cells one after the other, as a kernel would,
and keeps what the checks need: the outputs, the names after each cell, the
figures that it drew, the exercises, and what the notebook did to its
surroundings that it must not; see guard/sitecustomize.py. nbval compares the
outputs: see the project's conftest.py.
"""

import ast
import contextlib
import copy
import functools
import io
import linecache
import os
import random
import re
import signal
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any
from unittest import mock

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import torch
from guard import sitecustomize as guard
from matplotlib.figure import Figure

from tools.kernel import Shell, execute, start_shell

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
            torch.manual_seed(0)
            execute_alone(answer, names)
            try:
                execute_alone(self.check, names)
            except AssertionError:
                return False
        return True


@dataclass
class Run:
    """What is left of a notebook that ran from top to bottom."""

    names: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, list[nbformat.NotebookNode]] = field(
        default_factory=dict
    )
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    exercises: list[Exercise] = field(default_factory=list)
    misdeeds: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def tags(cell):
    return cell.metadata.get("tags", [])


def run(path: Path) -> Run:
    """Return the one run of a notebook; no cell of it failed."""
    done = run_once(path)
    assert done.failed == [], "\n".join(done.failed)
    return done


@functools.cache
def run_once(path: Path) -> Run:
    """Execute a notebook of the book, also if a cell fails."""
    return run_cells(nbformat.read(path, as_version=4).cells, path.parent)


def run_cells(cells, folder: Path) -> Run:
    result = Run()
    there = contents(folder)
    code = [cell for cell in cells if cell.cell_type == "code"]
    with new_shell() as shell, surroundings(folder) as result.misdeeds:
        for cell, following in zip(code, [*code[1:], None], strict=True):
            if "answer" in tags(cell):
                check = following.source if following else ""
                before = names_in_sight(result, code)
                result.exercises.append(Exercise(check, before, folder))
            with kept_figures(shell) as result.figures[cell.id]:
                outputs = result.outputs[cell.id] = execute(shell, cell.source)
            result.names = result.states[cell.id] = {
                name: value
                for name, value in shell.user_ns.items()
                if name not in shell.user_ns_hidden and name.strip("_")
            }
            if "raises-exception" not in tags(cell):
                result.failed += [
                    "".join(output.traceback)
                    for output in outputs
                    if output.output_type == "error"
                ]
    changed = there ^ contents(folder)
    result.misdeeds += [f"touched {path}" for path, _ in changed]
    return result


@contextlib.contextmanager
def new_shell():
    """Give a shell in which all is as in a kernel that has just started.

    The global generators, though, start anywhere: no output may rest on them.
    """
    main, backend = sys.modules["__main__"], mpl.get_backend()
    always = torch.is_warn_always_enabled()
    with (
        warnings.catch_warnings(),
        mpl.rc_context(),
        torch.random.fork_rng(devices=[]),
    ):
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", category)
        warnings.showwarning = show_warning
        mpl.rcdefaults()
        torch.set_warn_always(True)  # not only to the first who did it
        torch.seed()
        random.seed()
        np.random.seed()
        try:
            yield start_shell()
        finally:
            sys.modules["__main__"] = main
            torch.set_warn_always(always)
            plt.switch_backend(backend)


def show_warning(message, category, filename, lineno, file=None, line=None):
    """Print a warning, as Python does, where pytest would collect it."""
    text = warnings.formatwarning(message, category, filename, lineno, line)
    print(text, end="", file=file or sys.stderr)


@contextlib.contextmanager
def kept_figures(shell: Shell):
    """List the figures that a cell shows."""
    figures: list[Figure] = []
    png = shell.display_formatter.formatters["image/png"]
    draw = png.lookup_by_type(Figure)

    def keep(figure):
        figures.append(figure)
        return draw(figure)

    png.for_type(Figure, keep)
    try:
        yield figures
    finally:
        png.for_type(Figure, draw)


def names_in_sight(result: Run, code) -> dict[str, Any]:
    """The names before the first answer, but for what hidden cells made."""
    if result.exercises:
        return result.exercises[0].before
    hidden: set[str] = set()
    before: dict[str, Any] = {}
    for cell in code:
        if (after := result.states.get(cell.id)) is None:
            break
        new = {n for n in after if after[n] is not before.get(n, ...)}
        hidden = hidden | new if "remove-input" in tags(cell) else hidden - new
        before = after
    names = {n: v for n, v in before.items() if n not in hidden}
    return own_copy({"__name__": "__main__", **names})


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


def execute_alone(source: str, names: dict[str, Any]) -> None:
    """Run a cell's code with these names; let its errors pass."""
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


@contextlib.contextmanager
def watched_clocks(misdeeds: list[str]):
    """Note when a cell, or what it calls of ours, reads a clock."""
    names = ("time", "monotonic", "perf_counter", "process_time")
    ours = re.compile(
        rf"<cell |.*/ipykernel_{os.getpid()}/|{ROOT}/(linreg|benchmarks)/"
    )

    def watched(name, clock):
        def read():
            if ours.match(sys._getframe(1).f_code.co_filename):
                misdeeds.append(f"read {name}")
            return clock()

        return read

    with contextlib.ExitStack() as stack:
        for name in (*names, *(f"{name}_ns" for name in names)):
            replaced = watched(name, getattr(time, name))
            stack.enter_context(mock.patch.object(time, name, replaced))
        yield


def contents(folder: Path) -> set[tuple[str, int]]:
    """The files, but for those of _ext and the like: Sphinx compiles some."""
    return {
        (str(path), (folder / path).stat().st_mtime_ns)
        for path in (path.relative_to(folder) for path in folder.rglob("*"))
        if (folder / path).is_file() and path.parts[0][0] != "_"
    }
