"""Run each notebook once, and say which tests must share a worker."""

import gc
import re
from pathlib import Path

import nbformat
import pytest
from _pytest.terminal import TerminalReporter
from nbval.plugin import IPyNbFile
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.site.visiting"]

# Parsed pages and runs stay: looking for garbage in them takes half the time.
gc.set_threshold(100_000, 50, 100)

BOOK = Path(__file__).parent / "book"
NOTEBOOKS = [path.stem for path in BOOK.glob("*.ipynb")]
# They look at the runs of the notebooks: see tests/book/running.py.
SHARE_RUNS = {"test_exercises", "test_figures", "test_prose", "test_safety"}
# They look at the same page, figure or book, which their ids name first.
BY_SUBJECT = {"test_pages", "test_answers", "test_editions"}
# Their tests need no more than a built site.
INDEPENDENT = {"test_site", "test_addresses"}

# What takes longest comes first, or one worker would end alone; and while the
# site is being built for the first of them, the other one needs none.
LONGEST = ["test_markup", "08-evaluation", "test_editions en"]
LONGEST += [
    "15-processes",
    "07-training",
    "test_editions zh",
    "12-overfitting",
]
LONGEST += ["09-concise", "test_machines", "test_distributed", "test_stream"]

# Why a test may be skipped, and how to have it.
CURES = {
    "no Chromium": (
        ".venv/bin/playwright install --with-deps chromium brings it"
    ),
    "no Biome": "npm could not be reached: .venv/bin/python -m tools.biome",
    "no Java": "any Java, such as Debian's default-jre-headless, will do",
    "only in CI": "CI=true .venv/bin/pytest tests/package/test_machines.py",
    "not root": "network namespaces need root, and Debian's iproute2",
}


class Scheduling(LoadScopeScheduling):
    """Keep in one worker what looks at the same thing."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """Return what a test looks at, or its module."""
    name = Path(nodeid.partition("::")[0]).stem
    if name in BY_SUBJECT:
        subject = re.split(r"[-\]]", nodeid.partition("[")[2])[0]
        return f"{name} {subject}".strip()
    if name in INDEPENDENT:
        return nodeid
    return (name in SHARE_RUNS and notebook(nodeid)) or name


def notebook(nodeid: str) -> str:
    """Return the notebook that a test is of, or ""."""
    subject = nodeid.partition("[")[2].rstrip("]")
    if (BOOK / f"{subject}.md").exists():
        return "07-training"  # whose numbers the pages quote
    return next((n for n in NOTEBOOKS if subject.startswith(n)), "")


def take_from_the_run(file: IPyNbFile) -> None:
    """Let nbval compare what the one run of a notebook has shown.

    Without this file nbval runs it again, in a kernel of its own.
    """
    from running import run_once

    from tools.kernel import Answers

    outputs = run_once(file.path).outputs
    code = iter([cell for cell in file.nb.cells if cell.id in outputs])

    def shown(source: str) -> list[nbformat.NotebookNode]:
        cell = next(cell for cell in code if cell.source == source)
        return outputs[cell.id]

    file.kernel = Answers(shown)
    file.setup_sanitize_files()


IPyNbFile.setup = take_from_the_run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests that take longest begin."""

    def place(item: pytest.Item) -> int:
        name = scope(item.nodeid)
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> Scheduling:
    """Answer xdist, where it is in use."""
    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say what was left out, and what brings it."""
    skipped = terminalreporter.stats.get("skipped", [])
    for what, cure in CURES.items():
        left_out = sum(what in str(report.longrepr) for report in skipped)
        if left_out:
            line = f"{left_out} tests left out, {what}: {cure}"
            terminalreporter.write_line(line, yellow=True)
