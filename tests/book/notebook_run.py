"""Run each notebook once in this process, for the tests that look inside.

nbval compares outputs, with a kernel that it starts itself. What it cannot
see is kept here: the names after each cell, the figures, the exercises, and
what the notebook did that it must not: reach out, or write where it likes.
"""

import contextlib
import copy
import functools
import gc
import io
import linecache
import os
import signal
import socket
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from matplotlib.figure import Figure

from book._ext import contents

ROOT = Path(__file__).parents[2]
# Part two takes as long as all that comes before it. Where neither is set,
# nbval compares its outputs, and no one looks inside.
CI = bool(os.environ.get("CI"))
EVERYTHING = CI or "CHECKED" in os.environ
NOTEBOOKS = contents.notebooks()
each_notebook = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=lambda path: path.stem
)

Names = dict[str, Any]


class TooLong(BaseException):
    """An answer or its check did not end in time."""


@dataclass
class Exercise:
    """An exercise's check, and the names of one who ran what can be seen."""

    check: str
    before: Names
    folder: Path

    def judge(self, answer: str, seconds: int = 20) -> str:
        """Answer as a reader would; return what the check prints last."""
        names = own_copy(self.before)
        gc.freeze()  # a check that looks for garbage sees the answer's alone
        try:
            with sandbox(self.folder), no_longer_than(seconds):
                torch.manual_seed(0)
                execute(answer, names)
                return last_line(execute(self.check, names))
        finally:
            gc.unfreeze()


@dataclass
class Run:
    """What is left of a notebook that ran from top to bottom."""

    names: Names = field(default_factory=dict)
    states: dict[str, Names] = field(default_factory=dict)
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    exercises: list[Exercise] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def tags(cell):
    return cell.metadata.get("tags", [])


def run(path: Path) -> Run:
    """Return the one run of a notebook; no cell of it failed."""
    if not EVERYTHING and "08" < path.stem[:2] <= "99":
        pytest.skip("part two from inside: only in CI and make check")
    done = run_once(path)
    assert done.failed == [], "\n".join(done.failed)
    return done


@functools.cache
def run_once(path: Path) -> Run:
    """Execute a notebook of the book, also if a cell fails."""
    return run_cells(nbformat.read(path, as_version=4).cells, path.parent)


def run_cells(cells, folder: Path) -> Run:
    """Run the cells in their order, then the solutions, last to first.

    In nbval's kernel they come first to last: so each is right in any order.
    """
    result = Run()
    result.names = {"__name__": "__main__"}
    there = files(folder)
    code = [cell for cell in cells if cell.cell_type == "code"]
    solutions = [cell for cell in code if "solution" in tags(cell)]
    with sandbox(folder) as result.violations:
        for number, cell in enumerate(code):
            if "answer" in tags(cell):
                check = code[number + 1].source
                before = names_in_sight(result, code)
                result.exercises.append(Exercise(check, before, folder))
            if cell not in solutions:
                run_cell(cell, result)
        for cell in solutions[::-1]:
            result.verdicts.append(last_line(run_cell(cell, result)))
    changed = there ^ files(folder)
    result.violations += [f"touched {path}" for path, _ in changed]
    return result


def run_cell(cell, result: Run) -> str:
    """Run a cell; keep what is left of it, and return what it prints."""
    printed = ""
    try:
        printed = execute(cell.source, result.names)
    except Exception:
        if "raises-exception" not in tags(cell):
            result.failed.append(traceback.format_exc())
    result.states[cell.id] = dict(result.names)
    # What Jupyter would show now.
    figures = [plt.figure(number) for number in plt.get_fignums()]
    result.figures[cell.id] = figures
    plt.close("all")
    return printed


def names_in_sight(result: Run, code) -> Names:
    """The names before the first answer, but for what hidden cells made."""
    if result.exercises:
        return result.exercises[0].before
    hidden: set[str] = set()
    before: Names = {"__name__": "__main__"}
    for cell in code:
        if (after := result.states.get(cell.id)) is None:
            break
        new = {n for n in after if after[n] is not before.get(n, ...)}
        hidden = hidden | new if "remove-input" in tags(cell) else hidden - new
        before = after
    return own_copy({n: v for n, v in before.items() if n not in hidden})


def execute(source: str, names: Names) -> str:
    """Run a cell's code with these names; return what it prints.

    Its errors pass to the caller, and inspect.getsource finds its functions.
    """
    file = f"<cell {hash(source):x}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        exec(compile(source, file, "exec"), names)
    return printed.getvalue()


def last_line(printed: str) -> str:
    return (printed.splitlines() or [""])[-1]


def own_copy(names: Names) -> Names:
    """The same values; what a cell could change in place is copied."""
    copied: Names = {}
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
        if isinstance(value, dict):
            return {key: own(item) for key, item in value.items()}
        if isinstance(value, FunctionType) and is_a_cells(value):
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

    copied.update({n: own(v) for n, v in names.items() if n != "__builtins__"})
    return copied


def is_a_cells(function: FunctionType) -> bool:
    return function.__code__.co_filename.startswith("<cell ")


@contextlib.contextmanager
def no_longer_than(seconds: int):
    """Interrupt what works longer, on a busy machine too; say so in a line."""

    def ring(*_):
        raise TooLong(f"no end after {seconds} seconds of the processor")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
HERE = {None, "", "localhost", "127.0.0.1", "::1", socket.gethostname()}
# The folder where cells may write, and what was refused them.
GUARDED: dict[str, list[str]] = {}


def refuse(event, arguments):
    """An audit hook: it hears what Python does in this process."""
    good = True
    for folder, refused in GUARDED.items():
        match event, arguments:
            case "open", (str(path), _, int(flags)) if flags & WRITING:
                good = os.path.realpath(path).startswith((folder, "/dev/"))
            case "socket.connect" | "socket.sendto", (_, (host, *_)):
                good = host in HERE
            case "socket.getaddrinfo" | "socket.gethostbyname", (host, *_):
                good = host in HERE
        if not good:
            refused.append(f"{event} {arguments[:2]}")
            raise PermissionError(f"a notebook must not: {refused[-1]}")


sys.addaudithook(refuse)


@contextlib.contextmanager
def sandbox(folder: Path):
    """Run cells in a folder, guarded, and leave all as it was.

    Yields a list of what the cells did that they must not.
    """
    violations: list[str] = []
    threads, recording = torch.get_num_threads(), torch.is_grad_enabled()
    environment, bytecode = dict(os.environ), sys.dont_write_bytecode
    with (
        tempfile.TemporaryDirectory() as guarded,
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(),
        mpl.rc_context(),
        contextlib.chdir(folder),
    ):
        temporary = Path(guarded, "temporary")
        temporary.mkdir()
        plt.close("all")
        warnings.simplefilter("ignore")
        sys.dont_write_bytecode = True
        tempfile.tempdir = str(temporary)
        os.environ.update(
            PYTHONDONTWRITEBYTECODE="1",
            TMPDIR=str(temporary),
            TORCHINDUCTOR_CACHE_DIR=str(Path(guarded, "torch")),
        )
        GUARDED[guarded] = violations
        try:
            yield violations
        finally:
            del GUARDED[guarded]
            os.environ.clear()
            os.environ.update(environment)
            tempfile.tempdir = None
            sys.dont_write_bytecode = bytecode
            torch.set_num_threads(threads)
            torch.set_grad_enabled(recording)
            plt.close("all")
        violations += [f"left {path.name}" for path in temporary.iterdir()]


def files(folder: Path) -> set[tuple[str, int]]:
    """The files, but for those of _ext and the like: Sphinx compiles some."""
    return {
        (str(path), (folder / path).stat().st_mtime_ns)
        for path in (path.relative_to(folder) for path in folder.rglob("*"))
        if (folder / path).is_file() and path.parts[0][0] != "_"
    }
