"""Score what the unit tests, and what the notebooks alone, would miss.

mutmut makes the mutants of `linreg` and runs the unit tests on each; a
survivor must be listed, with its reason, in tests/mutants.toml. Then the
notebooks are the only judge: nbval compares all outputs except those of the
cells that show source.

The notebooks run in one process, unchanged, from top to bottom. Where a cell
first calls a function, the process forks for each of its mutants, and the
child runs the rest of the notebook with that mutant.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import coverage
import nbval.kernel
import pytest
from ipykernel.inprocess.ipkernel import (
    InProcessInteractiveShell,
    InProcessKernel,
)
from ipykernel.inprocess.manager import InProcessKernelManager
from matplotlib_inline.backend_inline import configure_inline_support
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).parents[1]
MUTANTS = ROOT / "mutants"
LISTED = ROOT / "tests" / "mutants.toml"
SANITIZE = ROOT / "tests" / "nbval-sanitize.cfg"
# Without 9 to 11, which turn to other libraries: it can only cost points.
JUDGES = sorted(
    f"book/{path.name}"
    for pattern in ("0[1-8]-*.ipynb", "12-*.ipynb")
    for path in ROOT.glob(f"book/{pattern}")
)
FLOOR = 0.9  # what the notebooks alone must reach
TIMEOUT = 60  # seconds for one mutant in one notebook
PROCESSES = os.cpu_count() or 1


class Mutant(NamedTuple):
    """A mutant, what it changes, and where that is in the generated file."""

    name: str
    function: str
    was: str
    becomes: str
    file: str
    body: range
    statement: range
    survives_tests: bool


CONTROL = Mutant("", "", "", "", "", range(0), range(0), False)


def mutants() -> Iterator[Mutant]:
    """Read what mutmut wrote: every mutant stands beside its original."""
    for meta in sorted(MUTANTS.glob("linreg/*.meta")):
        file = meta.with_suffix("")
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines()
        functions = {
            node.name: node
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef)
        }
        exit_codes = json.loads(meta.read_text(encoding="utf-8"))
        for name, code in exit_codes["exit_code_by_key"].items():
            module, _, mutant = name.rpartition(".")
            function = mutant.partition("__mutmut_")[0]
            original = functions[f"{function}__mutmut_orig"]
            was, becomes, first = difference(
                source(lines, original), source(lines, functions[mutant])
            )
            yield Mutant(
                name,
                f"{module}.{function.removeprefix('x_')}",
                was,
                becomes,
                str(file),
                range(original.body[0].lineno, original.end_lineno + 1),
                statement(original, original.lineno + first),
                status_by_exit_code[code] in {"survived", "no tests"},
            )


def source(lines: list[str], node: ast.FunctionDef) -> list[str]:
    """Return the lines of a function, the mutant's number left out."""
    first, *rest = lines[node.lineno - 1 : node.end_lineno]
    return [first.replace(node.name, "f"), *rest]


def difference(was: list[str], becomes: list[str]) -> tuple[str, str, int]:
    """Return the lines that differ, and the index of the first."""
    matcher = difflib.SequenceMatcher(None, was, becomes, autojunk=False)
    changes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    (_, start, _, start_new, _), (_, _, end, _, end_new) = (
        changes[0],
        changes[-1],
    )
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


class Kernel(InProcessKernel):
    """A kernel in this process whose prints belong to the running cell."""

    def set_parent(self, ident: Any, parent: Any, **kwargs: Any) -> None:
        super().set_parent(ident, parent, **kwargs)
        self.stdout.set_parent(parent)
        self.stderr.set_parent(parent)


class KernelManager(InProcessKernelManager):
    def start_kernel(self, **_: Any) -> None:
        InProcessInteractiveShell.clear_instance()
        self.kernel = Kernel(parent=self, session=self.session)
        configure_inline_support.current_backend = "unset"
        self.kernel.shell.enable_matplotlib("inline")

    def shutdown_kernel(self, **_: Any) -> None:
        super().shutdown_kernel()


def start_new_kernel(cwd: str, **_: Any) -> tuple[KernelManager, Any]:
    """Take the place of nbval's function of this name."""
    os.chdir(cwd)
    manager = KernelManager()
    manager.session.check_pid = False  # it is used after a fork
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    return manager, client


class Notebooks:
    """pytest plugin: nbval with the kernel in this process."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if "source" in item.cell.metadata.get("tags", []):
                item.options["check"] = False


class Trace(Notebooks):
    """Which lines each cell runs."""

    def __init__(self, tracer: coverage.Coverage) -> None:
        self.tracer = tracer

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self.tracer.switch_context(item.nodeid)


class Fork(Notebooks):
    """Run the rest of the notebook on each mutant that a cell first calls."""

    def __init__(self, plan: dict[str, list[Mutant]]) -> None:
        self.plan = plan
        self.killed: set[str] = set()
        self.running: dict[int, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        for mutant in self.plan.get(item.nodeid, []):
            if mutant.name in self.killed:
                continue
            while len(self.running) >= PROCESSES:
                self.wait()
            pid = os.fork()
            if pid == 0:
                self.judge(mutant, item)
            self.running[pid] = mutant.name

    def judge(self, mutant: Mutant, first: pytest.Item) -> None:
        signal.alarm(TIMEOUT)
        set_mutant_under_test(mutant.name)
        own_folders(first.parent.kernel.km.kernel.shell.user_ns)
        items = [i for i in first.session.items if i.parent is first.parent]
        try:
            for item in items[items.index(first) :]:
                item.runtest()
        except BaseException:
            os._exit(1)
        os._exit(0)

    def wait(self) -> None:
        pid, status = os.wait()
        name = self.running.pop(pid)
        if status:
            self.killed.add(name)

    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> None:
        """What one notebook kills, the next one need not run."""
        if nextitem is None or nextitem.parent is not item.parent:
            while self.running:
                self.wait()


def own_folders(names: dict[str, Any]) -> None:
    """Give a child its own copy of the folder that its notebook works in."""
    for value in names.values():
        if isinstance(value, tempfile.TemporaryDirectory):
            copy = tempfile.mkdtemp()
            shutil.copytree(value.name, copy, dirs_exist_ok=True)
            value.name = copy
            os.chdir(copy)


def run_notebooks(plugin: Notebooks) -> None:
    os.chdir(MUTANTS)
    # A path of ROOT apart, or its conftest.py, would make pytest look for
    # linreg there, where it has no mutants.
    options = ["-q", "--color=no", "--noconftest", "-o", "addopts="]
    options += ["-p", "no:cacheprovider"]
    options += ["--nbval", f"--nbval-sanitize-with={SANITIZE}"]
    if pytest.main([*options, *JUDGES], plugins=[plugin]):
        sys.exit("the notebooks fail without any mutant")


def killed_by_notebooks(mutants: list[Mutant]) -> set[str]:
    sys.path.insert(0, str(MUTANTS))
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    nbval.kernel.start_new_kernel = start_new_kernel
    set_mutant_under_test("")
    tracer = coverage.Coverage(
        data_file=None, include=[str(MUTANTS / "linreg/*")]
    )
    with tracer.collect():
        run_notebooks(Trace(tracer))
    data = tracer.get_data()
    cells = {f: data.contexts_by_lineno(f) for f in data.measured_files()}
    plan: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        lines = cells.get(mutant.file, {})
        reached = {book(cell) for cell in contexts(lines, mutant.statement)}
        for cell in contexts(lines, mutant.body):
            if book(cell) in reached:
                reached.remove(book(cell))
                plan.setdefault(cell, []).append(mutant)
    controls = {book(cell): cell for cell in reversed(in_order(plan))}
    for name, cell in controls.items():
        plan[cell].insert(0, CONTROL._replace(name=name))
    with tempfile.TemporaryDirectory() as tempfile.tempdir:
        judge = Fork(plan)
        run_notebooks(judge)
        os.chdir(ROOT)
    if failing := judge.killed & set(controls):
        sys.exit(f"fails in a child without any mutant: {failing}")
    return judge.killed


def contexts(lines: dict[int, list[str]], chosen: range) -> list[str]:
    """Return the cells that run one of these lines, first cells first."""
    return in_order({c for line in chosen for c in lines.get(line, []) if c})


def in_order(cells: Iterable[str]) -> list[str]:
    return sorted(cells, key=lambda cell: (book(cell), int(cell.split()[-1])))


def book(cell: str) -> str:
    return cell.partition("::")[0]


def score(title: str, mutants: list[Mutant], survivors: set[str]) -> float:
    """Print one score, module by module, and return it."""
    count = Counter(m.function.rpartition(".")[0] for m in mutants)
    missed = Counter(
        m.function.rpartition(".")[0] for m in mutants if m.name in survivors
    )
    for module, number in count.items():
        killed = number - missed[module]
        print(f"  {module:18}{killed:5} of{number:5}{killed / number:8.1%}")
    killed = len(mutants) - len(survivors)
    print(f"{title}: {killed} of {len(mutants)}, {killed / len(mutants):.1%}")
    return killed / len(mutants)


def main() -> None:
    arguments = ["run", "--max-children", str(PROCESSES)]
    run = subprocess.run(
        [Path(sys.executable).parent / "mutmut", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(run.stdout[-5000:] + run.stderr)
    found = list(mutants())
    with LISTED.open("rb") as file:
        listed = {
            (entry["function"], entry["was"], becomes)
            for entry in tomllib.load(file)["equivalent"]
            for becomes in entry["becomes"]
        }
    survivors = {m for m in found if m.survives_tests}
    equivalent = {m for m in survivors if m[1:4] in listed}
    rest = [m for m in found if m not in equivalent]
    score("unit tests", rest, {m.name for m in survivors - equivalent})
    killed = killed_by_notebooks(rest)
    missed = {m.name for m in rest} - killed
    share = score("notebooks alone", rest, missed)
    for mutant in rest:
        if mutant.name in missed:
            print("    ", mutant.function, mutant.was, "=>", mutant.becomes)
    faults = [f"survives: {m[1:4]}" for m in survivors - equivalent]
    gone = listed - {m[1:4] for m in equivalent}
    faults += [f"listed, but killed or gone: {entry}" for entry in gone]
    if share < FLOOR:
        faults.append(f"the notebooks alone reach less than {FLOOR:.0%}")
    sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
