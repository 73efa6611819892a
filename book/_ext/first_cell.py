"""A chapter's first cell: where the reader gets `linreg`, if it is not there.

Whoever opens a chapter alone, on Colab say, would otherwise read "No module
named 'linreg'", look for it on PyPI and find an unrelated package.
"""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

CELL = """\
import importlib

try:
    importlib.import_module("linreg.training")
except ImportError:
    raise ImportError(
        "this chapter needs the book's own package: "
        "run %pip install "
        "{where}"
    ) from None
"""
AT_HOME = ".. in a cell, in a download of the whole book"


def put_first_cell(notebook: NotebookNode, address: str) -> None:
    """Let a notebook begin with the cell for this address."""
    where = f"git+{address}" if address else AT_HOME
    source = CELL.format(where=where).strip()
    cells = notebook.cells
    if not any(cell.id == "first" for cell in cells):
        cell = new_code_cell(id="first", metadata={"tags": ["remove-input"]})
        cells.insert(1, cell)
    (cell,) = [cell for cell in cells if cell.id == "first"]
    cell.source = source
