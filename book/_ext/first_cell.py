"""A chapter's first cell: it fetches `linreg`, if it is not there.

Whoever opens a chapter alone, on Colab say, would otherwise read "No module
named 'linreg'", look for it on PyPI and find an unrelated package. Any other
error is the reader's to see as it is.
"""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

CELL = """\
import importlib
import sys

try:
    importlib.import_module("linreg.training")
except ModuleNotFoundError as error:
    if error.name == "linreg.training":
        raise ImportError(
            f"{sys.modules['linreg']} is not the book's package: "
            "rename or remove it, then restart the kernel"
        ) from None
    if error.name != "linreg":
        raise
"""
INSTALL = """\
    where = "{where}"
    get_ipython().run_line_magic("pip", f"install --quiet {{where}}")
    importlib.invalidate_caches()
    importlib.import_module("linreg.training")
"""
SAY = """\
    raise ImportError(
        "this chapter needs the book's own package: unpack the ZIP that the "
        "book's front page links, and open the chapter as its README says"
    ) from None
"""


def put_first_cell(notebook: NotebookNode, where: str) -> None:
    """Let a notebook begin with the cell that takes `linreg` from there."""
    end = INSTALL.format(where=where) if where else SAY
    cells = notebook.cells
    if not any(cell.id == "first" for cell in cells):
        cell = new_code_cell(id="first", metadata={"tags": ["remove-input"]})
        cells.insert(1, cell)
    (cell,) = [cell for cell in cells if cell.id == "first"]
    cell.source = (CELL + end).strip()
