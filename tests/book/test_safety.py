"""No notebook reaches the network, writes where it likes, leaves files or
reads a clock.

Every other test that runs the notebooks runs them under the same guard.
"""

import ast
import sys
import textwrap

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from running import NOTEBOOKS, ROOT, run, run_cells

# What is measured by a clock differs from run to run: it comes from the files
# of benchmarks/, and no stored output depends on it.
CLOCKS = {"time", "timeit", "datetime", "cProfile", "profile"}
CLOCKS |= {
    "torch.profiler",
    "torch.autograd.profiler",
    "torch.utils.benchmark",
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_does_nothing_that_it_must_not(path):
    assert run(path).misdeeds == []


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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_reads_a_clock(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not clocks(cell.source), cell.source


# What the notebooks call of ours.
MODULES = [*sorted(ROOT.glob("linreg/*.py")), ROOT / "benchmarks" / "ways.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_cells_call_reads_no_clock(path):
    assert not clocks(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "code",
    [
        "from time import perf_counter",
        "import time",
        "import timeit as t",
        "from torch.profiler import profile",
        "from torch import profiler",
        "torch.profiler.profile()",
        "import datetime",
    ],
)
def test_notices_a_clock(code):
    assert clocks(code)


def misdeeds(code, folder):
    """What is noticed of the code, though it swallows its own errors."""
    swallowing = "import contextlib\nwith contextlib.suppress(Exception):\n"
    cell = new_code_cell(swallowing + textwrap.indent(code, "    "))
    return run_cells([cell], folder).misdeeds


def in_a_child(code):
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return f"import subprocess; subprocess.run({command!r}, check=True)"


HARMLESS = {
    "a temporary folder": """
        import tempfile, pathlib
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "parameters.txt").write_text("4.2")
            pathlib.Path(folder, "other").mkdir()
        """,
    "this machine": """
        import socket
        with socket.create_server(("localhost", 0)) as server:
            socket.create_connection(server.getsockname()).close()
        """,
    "reading": "print(open(__import__('torch').__file__).read(1))",
}
HARMFUL = {
    "writing": "open('note.txt', 'w').write('4.2')",
    "appending": "open('here.txt', 'a').write('4.2')",
    "writing at home": """
        import pathlib
        pathlib.Path.home().joinpath("note.txt").write_text("4.2")
        """,
    "deleting": "import os; os.remove('here.txt')",
    "deleting all": "import shutil; shutil.rmtree('.')",
    "renaming": "import os; os.rename('here.txt', 'there.txt')",
    "making a folder": "import pathlib; pathlib.Path('new').mkdir()",
    "asking for an address": """
        import urllib.request
        urllib.request.urlopen("https://example.org/data.csv")
        """,
    "connecting": """
        import socket
        socket.create_connection(("192.0.2.1", 80), timeout=1)
        """,
}
IN_THIS_PROCESS = {
    "reading a clock": "import time; time.perf_counter()",
    "asking for the time": "from time import time_ns; time_ns()",
    "a file of torch's own": "import torch; torch.save([], 'model.pt')",
    "leaving a file": "import tempfile; tempfile.mkstemp()",
    "another program": "import subprocess; subprocess.run(['curl', '-V'])",
    "a shell": "import os; os.system('touch note.txt')",
}


@pytest.fixture
def folder(tmp_path):
    tmp_path.joinpath("here.txt").write_text("2, -3.4")
    return tmp_path


@pytest.mark.parametrize("what", HARMLESS)
def test_lets_pass(what, folder):
    code = textwrap.dedent(HARMLESS[what]).strip()
    assert misdeeds(code, folder) == []
    assert misdeeds(in_a_child(code), folder) == []


@pytest.mark.parametrize("what", [*HARMFUL, *IN_THIS_PROCESS])
def test_notices(what, folder):
    code = textwrap.dedent({**HARMFUL, **IN_THIS_PROCESS}[what]).strip()
    assert misdeeds(code, folder)


@pytest.mark.parametrize("what", HARMFUL)
def test_notices_in_a_child(what, folder):
    code = textwrap.dedent(HARMFUL[what]).strip()
    assert misdeeds(in_a_child(code), folder)
    assert [path.name for path in folder.iterdir()] == ["here.txt"]
