"""No notebook reaches the network, writes where it likes, leaves files or
reads a clock.

Every other test that runs the notebooks runs them under the same guard.
"""

import ast
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from notebook_run import ROOT, each_notebook, run, run_cells

# What is measured by a clock differs from run to run: it comes from the files
# of benchmarks/, and no stored output depends on it.
CLOCKS = {"time", "timeit", "datetime", "cProfile", "profile"}
CLOCKS |= {
    "torch.profiler",
    "torch.autograd.profiler",
    "torch.utils.benchmark",
}


@each_notebook
def test_does_nothing_that_it_must_not(path):
    assert run(path).violations == []


def clocks(code):
    """The modules with clocks that the code imports or names."""
    named = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add(node.module)
            named |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            named.add(ast.unparse(node))
    return named & CLOCKS


@each_notebook
def test_no_cell_reads_a_clock(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not clocks(cell.source), cell.source


def test_what_cells_call_reads_no_clock():
    for path in [*ROOT.glob("linreg/*.py"), ROOT / "benchmarks" / "ways.py"]:
        assert not clocks(path.read_text(encoding="utf-8")), path


WRITES = "open('note.txt', 'w').write('4.2')"
CONNECTS = """\
import socket
socket.create_connection(("192.0.2.1", 80), timeout=1)"""


@pytest.mark.parametrize("code", [WRITES, CONNECTS])
def test_the_guard_is_awake(code, tmp_path):
    """In this process and in a child, though the error is swallowed."""
    command = [sys.executable, "-c", code]
    for harm in (code, f"import subprocess; subprocess.run({command!r})"):
        lines = "\n    ".join(harm.splitlines())
        cell = new_code_cell(f"try:\n    {lines}\nexcept OSError: pass")
        assert run_cells([cell], tmp_path).violations, harm
        assert not [*tmp_path.iterdir()]
