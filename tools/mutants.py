"""Score what the unit tests, and what the notebooks alone, would miss.

mutmut makes the mutants of `linreg`. The unit tests judge each of them.
Meanwhile the notebooks are the only judge: nbval compares all outputs except
those of the cells that show source. What a judge may miss is listed, with the
reasons, in tests/mutants.toml; the notebooks need not try these again.

Starting Python, torch and pytest takes longer than most verdicts, so one
process does it for all mutants and forks for each. First it watches which
lines each test and each cell runs. A child then runs the tests that reach its
mutant; or, where a cell first calls the function, the notebook's next cells.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import math
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import coverage
import pytest
from _pytest.runner import runtestprotocol
from matplotlib_inline.config import InlineBackend
from mutmut.mutation import trampoline
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents
from nbval.plugin import IPyNbFile
from tqdm import tqdm

from tools.kernel import Answers, execute, start_shell

ROOT = Path(__file__).parents[1]
LISTED = ROOT / "tests" / "mutants.toml"
# What a copy of the project needs beside the mutants.
ALSO = ("benchmarks", "book", "tests")
# Each module has its tests; two files are about all modules.
MODULES = [path.stem for path in sorted(ROOT.glob("linreg/[!_]*.py"))]
TESTS = ["bad_input", "devices", *MODULES]
# The others turn to other libraries; this can only cost points.
NOTEBOOKS = ["errors.ipynb", "0[1-8]-*.ipynb", "1[145]-*.ipynb"]
FLOOR = 0.9  # what the notebooks alone must reach
PROCESSES = os.cpu_count() or 1


class Change(NamedTuple):
    """What a mutant changes, as tests/mutants.toml says it."""

    function: str
    was: str
    becomes: str

    def __str__(self) -> str:
        return f"{self.function} {self.was} => {self.becomes}".rstrip()


class Mutant(NamedTuple):
    """A mutant, its change, and where that is in the generated file."""

    name: str
    change: Change
    listed: str
    file: str
    body: range
    statement: range

    @property
    def module(self) -> str:
        return self.change.function.split(".")[1]


CONTROL = Mutant("", Change("", "", ""), "", "", range(0), range(0))


@functools.cache
def listed_changes() -> dict[str, str]:
    """Read which changes may be missed: "equivalent" ones or "unseen" ones."""
    entries = tomllib.loads(LISTED.read_text("utf-8"))
    return {
        change: kind
        for kind in ("equivalent", "unseen")
        for entry in entries[kind]
        for change in entry["changes"].splitlines()
    }


def make_mutants(folder: Path) -> Iterator[Mutant]:
    """Write a copy of the project in which every mutant can be switched on."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ALSO:
        shutil.copytree(
            ROOT / name,
            folder / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    (folder / "linreg").mkdir()
    paths = sorted(ROOT.glob("linreg/*.py"))
    with ProcessPoolExecutor(PROCESSES) as pool:
        for path, made in zip(paths, pool.map(mutate, paths), strict=True):
            file = folder / "linreg" / path.name
            file.write_text(made.code, "utf-8")
            yield from mutants_in(file, made.mutant_names)


def mutate(path: Path) -> MutatedFile:
    return mutate_file_contents(path.name, path.read_text("utf-8"))


def mutants_in(file: Path, names: Iterable[str]) -> Iterator[Mutant]:
    """Read what the mutants change: each stands beside its original."""
    text = file.read_text("utf-8")
    lines = text.splitlines()
    functions = {
        node.name: node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    }
    for name in names:
        stem = name.partition("__mutmut_")[0]
        original = functions[f"{stem}__mutmut_orig"]
        was, becomes, first = difference(
            source(lines, original), source(lines, functions[name])
        )
        module = f"linreg.{file.stem}"
        function = f"{module}.{stem.removeprefix('x_')}"
        change = Change(function, was, becomes)
        yield Mutant(
            f"{module}.{name}",
            change,
            listed_changes().get(str(change), ""),
            str(file),
            range(original.body[0].lineno, (original.end_lineno or 0) + 1),
            statement(original, original.lineno + first),
        )


def source(lines: list[str], node: ast.FunctionDef) -> list[str]:
    """Return the lines of a function, the mutant's number left out."""
    first, *rest = lines[node.lineno - 1 : node.end_lineno]
    return [first.replace(node.name, "f"), *rest]


def difference(was: list[str], becomes: list[str]) -> tuple[str, str, int]:
    """Return the lines that differ, and the index of the first."""
    matcher = difflib.SequenceMatcher(None, was, becomes, autojunk=False)
    changes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    (_, start, _, start_new, _), *_ = changes
    *_, (_, _, end, _, end_new) = changes
    old, new = was[start:end], becomes[start_new:end_new]
    return " ".join(map(str.strip, old)), " ".join(map(str.strip, new)), start


def statement(function: ast.FunctionDef, line: int) -> range:
    """Return the lines of the statement that holds a line."""
    holding = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.stmt)
        and node.lineno <= line <= (node.end_lineno or 0)
    ]
    smallest = min(holding, key=lambda n: (n.end_lineno or 0) - n.lineno)
    end = smallest.end_lineno or 0
    if isinstance(smallest, ast.FunctionDef):  # a default value
        return range(smallest.body[0].lineno, end + 1)
    body = getattr(smallest, "body", None)
    return range(smallest.lineno, body[0].lineno if body else end + 1)


def switch_on(name: str) -> None:
    """Say which mutant is called; mutmut itself asks os.environ, slowly."""
    trampoline.get_mutant_under_test = lambda: name


class Trace:
    """pytest plugin: which tests run a line, first tests first, how long."""

    def __init__(self, folder: Path) -> None:
        self.tracer = coverage.Coverage(
            data_file=None, include=[str(folder / "linreg/*")]
        )
        self.order: dict[str, int] = {}
        self.seconds: dict[str, float] = defaultdict(float)
        self.lines: dict[str, dict[int, list[str]]] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.order[nodeid] = len(self.order)
        self.tracer.switch_context(nodeid)
        self.seconds[nodeid] -= used_seconds()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.seconds[nodeid] += used_seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        with self.tracer.collect():
            result = yield
        data = self.tracer.get_data()
        for file in data.measured_files():
            self.lines[file] = data.contexts_by_lineno(file)
        return result

    def reaching(self, mutant: Mutant, chosen: range) -> list[str]:
        """Return the tests that run one of these lines of a mutant's file."""
        lines = self.lines.get(mutant.file, {})
        found = {test for line in chosen for test in lines.get(line, [])}
        return sorted(found - {""}, key=self.order.__getitem__)


def used_seconds() -> float:
    """Return the processor time of this process and of those it waited for."""
    return sum(os.times()[:4])


class Judge:
    """pytest plugin: try mutants in children, one for each processor."""

    def __init__(self, mutants: list[Mutant], trace: Trace) -> None:
        self.mutants = mutants
        self.trace = trace
        self.killed: set[str] = set()
        self.running: dict[int, tuple[Mutant, list[pytest.Item]]] = {}
        self.kills: Counter[tuple[str, str]] = Counter()

    def fork(self, mutant: Mutant, items: list[pytest.Item]) -> None:
        while len(self.running) >= PROCESSES:
            self.wait()
        pid = os.fork()
        if pid == 0:
            self.judge(mutant, items)
        self.running[pid] = mutant, items

    def judge(self, mutant: Mutant, items: list[pytest.Item]) -> None:
        """Leave the process, with the number of the first test that fails."""
        switch_on(mutant.name)
        for number, item in enumerate(items, 1):
            signal.alarm(10 + math.ceil(3 * self.trace.seconds[item.nodeid]))
            try:
                passed = self.passes(item)
            except BaseException:
                passed = False
            if not passed:
                os._exit(min(number, 255))
        os._exit(0)

    def passes(self, item: pytest.Item) -> bool:
        raise NotImplementedError

    def wait(self) -> None:
        pid, status = os.wait()
        mutant, items = self.running.pop(pid)
        if status:
            self.killed.add(mutant.name)
        failed = os.waitstatus_to_exitcode(status)
        if failed > 0:
            self.kills[mutant.change.function, items[failed - 1].nodeid] += 1

    def wait_for_all(self) -> None:
        while self.running:
            self.wait()


class Tests(Judge):
    """Run the tests that reach a mutant, the most promising first."""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        self.fork(CONTROL, session.items)
        for mutant in progress("unit tests", self.mutants, 0):
            names = self.trace.reaching(mutant, mutant.statement)
            if mutant.listed == "equivalent":  # a selection will do
                own = own_tests(mutant)
                names = [name for name in names if own in name]
            names.sort(key=functools.partial(self.price, mutant))
            self.fork(mutant, [items[name] for name in names])
        self.wait_for_all()
        return True

    def price(self, mutant: Mutant, test: str) -> float:
        """Return what a kill costs, guessed from the function's others."""
        expected = 1 if own_tests(mutant) in test else 0.1
        kills = self.kills[mutant.change.function, test] + expected
        return self.trace.seconds[test] / kills

    def passes(self, item: pytest.Item) -> bool:
        reports = runtestprotocol(item, log=False, nextitem=None)
        return not any(report.failed for report in reports)


def own_tests(mutant: Mutant) -> str:
    checks = mutant.module == "_checks"
    return "test_bad_input." if checks else f"test_{mutant.module}."


class Notebooks(Judge):
    """Where a cell first calls a function, fork for each of its mutants."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.plan: dict[str, list[Mutant]] = defaultdict(list)
        for mutant in self.mutants:
            reaching = self.trace.reaching(mutant, mutant.statement)
            books = set(map(book, reaching))
            for cell in self.trace.reaching(mutant, mutant.body):
                if book(cell) in books:
                    books.remove(book(cell))
                    self.plan[cell].append(mutant)
        self.cells = progress("notebooks", items, 1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self.cells.update()
        cells = [i for i in item.session.items if i.parent is item.parent]
        place = cells.index(item)
        mutants = [] if place else [CONTROL]
        mutants += self.plan[item.nodeid]
        for mutant in mutants:
            if mutant.name not in self.killed:
                self.fork(mutant, cells[place:])
        if item is cells[-1]:  # what this notebook kills, no other need run
            self.wait_for_all()

    def passes(self, item: pytest.Item) -> bool:
        item.runtest()  # or it raises
        return True

    def judge(self, mutant: Mutant, items: list[pytest.Item]) -> None:
        own_folders(items[0].parent.shell.user_ns)
        super().judge(mutant, items)


def book(cell: str) -> str:
    return cell.partition("::")[0]


def progress(title: str, steps: list[Any], position: int) -> tqdm:
    file = sys.__stderr__
    return tqdm(steps, title, file=file, disable=None, position=position)


def own_folders(names: dict[str, Any]) -> None:
    """Give a child its own copy of the folder that its notebook works in."""
    for value in names.values():
        if isinstance(value, tempfile.TemporaryDirectory):
            copy = tempfile.mkdtemp()
            shutil.copytree(value.name, copy, dirs_exist_ok=True)
            value.name = copy
            os.chdir(copy)


class SourceCells:
    """pytest plugin: what a mutant's source looks like does not matter."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if "source" in item.cell.metadata.get("tags", []):
                item.options["check"] = False


def start_kernel(file: IPyNbFile) -> None:
    """Let a notebook's cells run in this process."""
    os.chdir(file.path.parent)
    file.shell = start_shell()
    # nbval does not look at images, which take longest.
    InlineBackend.instance().figure_formats = set()
    file.kernel = Answers(functools.partial(execute, file.shell))
    file.setup_sanitize_files()


def killed_by_tests(mutants: list[Mutant], folder: Path) -> set[str]:
    options = ["-p", "no:xdist", "-p", "no:nbval", "-m", "not slow"]
    options += ["--hypothesis-profile=mutants"]
    files = [f"tests/package/test_{name}.py" for name in TESTS]
    return killed_by(Tests, [*options, *files], [], mutants, folder)


def killed_by_notebooks(mutants: list[Mutant], folder: Path) -> set[str]:
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    IPyNbFile.setup = start_kernel
    options = ["--noconftest", "--nbval"]
    sanitize = folder / "tests" / "book" / "nbval-sanitize.cfg"
    options += [f"--nbval-sanitize-with={sanitize}"]
    files = [
        str(path.relative_to(folder))
        for pattern in NOTEBOOKS
        for path in sorted(folder.glob(f"book/{pattern}"))
    ]
    return killed_by(
        Notebooks, [*options, *files], [SourceCells()], mutants, folder
    )


def killed_by(
    judge: type[Judge],
    options: list[str],
    plugins: list[object],
    mutants: list[Mutant],
    folder: Path,
) -> set[str]:
    """Watch the tests run without a mutant, then let them judge each."""
    sys.path.insert(0, str(folder))
    for name in MODULES:  # else a cell is thought slow
        importlib.import_module(f"linreg.{name}")
    # The processes that tests start look there, too.
    os.environ["PYTHONPATH"] = str(folder)
    switch_on("")
    common = ["-q", "--capture=sys", "--tb=line", "--color=no"]
    common += ["-p", "no:cacheprovider", "-o", "addopts="]

    def run(plugin: object) -> int:
        os.chdir(folder)  # notebooks may have left it
        return pytest.main([*common, *options], plugins=[*plugins, plugin])

    trace = Trace(folder)
    if run(trace):
        sys.exit("a test fails without any mutant")
    verdict = judge(mutants, trace)
    with tempfile.TemporaryDirectory() as tempfile.tempdir:
        run(verdict)
        os.chdir(folder)
    if CONTROL.name in verdict.killed:
        sys.exit("a test fails in a child without any mutant")
    return verdict.killed


def score(title: str, mutants: list[Mutant], killed: set[str]) -> float:
    """Print one score, module by module, and return it."""
    print(title)
    parts: dict[str, list[bool]] = defaultdict(list)
    for mutant in mutants:
        parts[mutant.module].append(mutant.name in killed)
    parts["all"] = [verdict for part in parts.values() for verdict in part]
    for module, part in parts.items():
        share = sum(part) / len(part)
        print(f"  {module:12}{sum(part):5} of{len(part):5}{share:8.1%}")
    return sum(parts["all"]) / len(mutants)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name).resolve()
        found = list(make_mutants(folder))
        rest = [mutant for mutant in found if mutant.listed != "equivalent"]
        new = [mutant for mutant in found if not mutant.listed]
        # Each where nothing of linreg or of pytest is loaded yet.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, spawn) as pool:
            tests = pool.submit(killed_by_tests, found, folder)
            books = pool.submit(killed_by_notebooks, new, folder)
            by_tests, by_notebooks = tests.result(), books.result()
    score("unit tests", rest, by_tests)
    share = score("notebooks alone", rest, by_notebooks)
    faults = {
        "the unit tests miss": [m for m in rest if m.name not in by_tests],
        "the notebooks miss": [m for m in new if m.name not in by_notebooks],
        "listed as equivalent, but killed": [
            m for m in found if m.name in by_tests and m not in rest
        ],
    }
    lines = [f"{why}: {m.change}" for why in faults for m in faults[why]]
    gone = listed_changes().keys() - {str(mutant.change) for mutant in found}
    lines += [f"listed, but gone: {change}" for change in sorted(gone)]
    if share < FLOOR:
        lines.append(f"the notebooks alone reach less than {FLOOR:.0%}")
    if lines:
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
