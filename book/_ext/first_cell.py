"""A chapter's first cell: where the reader gets `linreg`, if it is not there.

Whoever opens a chapter alone, on Colab say, would otherwise read "No module
named 'linreg'", look for it on PyPI and find an unrelated package.
"""

from pathlib import Path
from urllib.parse import urlsplit

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from yaml import safe_load

CELL = """\
import importlib

try:
    importlib.import_module("linreg.train")
except ImportError:
    raise ImportError(
        "this chapter needs the book's own package: "
        "run %pip install "
        "{where}"
    ) from None
"""
AT_HOME = ".. in a cell, in a download of the whole book"


def plain_address(url: str) -> str:
    """Return a repository's address as a browser shows it, or ""."""
    parts = urlsplit(url.strip())
    path = parts.path.strip("/").removesuffix(".git")
    return f"https://{parts.netloc.lower()}/{path}" if path else ""


def configured_address(root: Path) -> str:
    """Return the address in _config.yml, or ""."""
    config = safe_load((root / "_config.yml").read_text("utf-8"))
    return plain_address(config["repository"]["url"])


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
