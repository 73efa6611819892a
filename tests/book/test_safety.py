"""No notebook reaches the network, writes where it likes, leaves files or
reads a clock.

Every other test that runs the notebooks runs them under the same guard.
"""

import re

import nbformat
from notebook_run import NOTEBOOKS, ROOT, each_notebook, run

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
