"""No notebook reaches the network, writes where it likes, leaves files or
reads a clock.

Every other test that runs the notebooks runs them under the same guard.
"""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from notebook_run import NOTEBOOKS, ROOT, each_notebook, run, run_cells

# What is measured by a clock differs from run to run: it comes from the files
# of benchmarks/, and no stored output depends on it.
CLOCK = re.compile(
    r"^\s*(?:from|import) (?:time|timeit|datetime|cProfile|profile)\b"
    r"|torch\.(?:autograd\.)?profiler|torch\.utils\.benchmark",
    re.MULTILINE,
)


@each_notebook
def test_does_nothing_that_it_must_not(path):
    assert run(path).violations == []


def test_no_cell_nor_what_it_calls_reads_a_clock():
    called = [*ROOT.glob("linreg/*.py"), ROOT / "benchmarks" / "ways.py"]
    sources = [path.read_text("utf-8") for path in called]
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        sources += [c.source for c in cells if c.cell_type == "code"]
    for source in sources:
        assert not CLOCK.search(source), source


WRITES = "open('note.txt', 'w').write('4.2')"
CONNECTS = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"


@pytest.mark.parametrize("code", [WRITES, CONNECTS])
def test_the_guard_is_awake(code, tmp_path):
    """Though the error is swallowed."""
    cell = new_code_cell(f"try: {code}\nexcept OSError: pass")
    assert run_cells([cell], tmp_path).violations
    assert not [*tmp_path.iterdir()]
