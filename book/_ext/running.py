"""What runs in the page: which cells, and the program that runs them.

A cell can run there if it imports what is there, and takes no variable from
one that cannot. The pages say which ones can; what they fetch when a reader
presses a button is written beside both editions, once.
"""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import nbformat
from docutils import nodes
from IPython.lib import pretty
from sphinx.application import Sphinx
from sphinx.locale import _

from book._ext.editions import page_source
from book._ext.english import BOOK
from book.run.cells import Cell

PROGRAM = BOOK / "run"
MODULES = BOOK.parent / "tools" / "web" / "node_modules"
LIBRARY = (PROGRAM / "library.txt").read_text("utf-8").split()
SLOW = (PROGRAM / "slow.txt").read_text("utf-8").split()
PAGES = re.compile("tensors|errors|0[1-8]-")
SCRIPT = "run.js"
EXERCISE = {"answer", "check", "solution"}
PACKAGE = BOOK.parent / "linreg"
LINREG = {path.stem for path in PACKAGE.glob("*.py")}
LINREG -= {"__main__", "_csv"}  # the rest imports torch alone
# A browser has one process, and no sockets.
THERE = {"torch", *sys.stdlib_module_names}
THERE -= {"multiprocessing", "socket", "subprocess", "threading"}


def imports_what_is_there(code: str) -> bool:
    """Can everything that a cell imports be imported in the page?"""
    modules: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules.append(str(node.module))
    parts = [module.partition(".") for module in modules]
    return all(
        rest in {"", *LINREG} if top == "linreg" else top in THERE
        for top, _dot, rest in parts
    )


def expected(cell: nbformat.NotebookNode) -> str:
    """Join what a cell printed, showed and raised."""
    text = ""
    for output in cell.outputs:
        if output.output_type == "error":
            said = f"{output.ename}: {output.evalue}".removesuffix(": ")
            text += f"{said}\n"
        elif output.get("name") != "stderr":
            data = output.get("data", {"text/plain": ""})["text/plain"]
            text += output.get("text") or f"{data}\n"
    return text


def running_cells(path: Path) -> dict[str, dict[str, Any]]:
    """Return the cells of a notebook that can run in the page, by id."""
    if not PAGES.match(path.stem):
        return {}
    cells = nbformat.read(path, as_version=4).cells
    found: dict[str, dict[str, Any]] = {}
    lost: set[str] = set()  # variables of the cells that cannot run
    answer: dict[str, Any] = {}
    for cell in cells[2:]:  # after the title, and what brings the package
        if cell.cell_type != "code":
            continue
        tags = {*cell.metadata.get("tags", [])}
        names = Cell(cell.id, cell.source)
        given = names.bound | names.imported
        there = imports_what_is_there(cell.source)
        if not there or lost & (names.mentioned - given):
            lost |= given
            continue
        lost -= given
        found[cell.id] = {
            "code": cell.source,
            "exercise": bool(tags & EXERCISE),
            "raises": "raises-exception" in tags,
            "expected": expected(cell),
        }
        if "check" in tags:
            answer["check"] = cell.id
        answer = found[cell.id] if "answer" in tags else {}
    return found


def mark_cells(app: Sphinx, document: nodes.document, page: str) -> None:
    """Let each cell that can run say so, and have a name."""
    path = Path(app.env.doc2path(page))
    if app.builder.name != "html" or path.suffix != ".ipynb":
        return
    cells = nbformat.reads(page_source(path), as_version=4).cells
    found = running_cells(path)
    for node in document.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            name = cells[node["cell_index"]].id
            if name in found:
                node["ids"].append(f"cell-{name}")
                node["classes"] += ["slow"] * (name in SLOW) + ["runs"]
            elif found and next(node.findall(nodes.image), None):
                node["classes"].append("draws")


def load_script(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Let a page run its cells, or say where they run."""
    body = context.get("body", "")
    if app.builder.name != "html" or '<div class="cell ' not in body:
        return
    if '" id="cell-' in body:
        context["site_scripts"].append(SCRIPT)
    else:
        home = f'<a href="index.html">{_("the front page")}</a>'
        where = _("This code needs PyTorch itself: {} says how to run it.")
        said = f'</h1>\n<p class="run-elsewhere">{where.format(home)}</p>'
        context["body"] = body.replace("</h1>", said, 1)


def write_program(folder: Path) -> None:
    """Write what runs cells, all that the pages fetch on a first press."""
    (folder / "cells").mkdir(parents=True)
    pyodide = MODULES / "pyodide"
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"):
        shutil.copy(pyodide / name, folder)
    lock = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
    lock["packages"] = {}
    (folder / "pyodide-lock.json").write_text(json.dumps(lock), "utf-8")
    write_library(folder / "library.zip", pyodide / "python_stdlib.zip")
    (esbuild,) = MODULES.glob("@esbuild/*/bin/esbuild")
    options = ["--bundle", "--minify", "--format=esm", "--log-level=warning"]
    options += ["--external:./pyodide.mjs", f"--outdir={folder}"]
    scripts = [PROGRAM / name for name in ("page.js", "worker.js")]
    command = [esbuild, *scripts, *options]
    subprocess.run(command, env={"NODE_PATH": str(MODULES)}, check=True)
    fetched = (folder / "library.zip", folder / "pyodide.asm.wasm")
    size = sum(path.stat().st_size for path in fetched)
    for path in BOOK.glob("*.ipynb"):
        if cells := running_cells(path):
            data = {"size": size, "cells": cells}
            said = json.dumps(data, ensure_ascii=False)
            (folder / "cells" / f"{path.stem}.json").write_text(said, "utf-8")


def write_library(path: Path, whole: Path) -> None:
    """Pack the part of Python's library that is needed, and the book's own."""
    with ZipFile(whole) as library:
        files = {name: library.read(name) for name in LIBRARY}
    files["IPython/lib/pretty.py"] = Path(pretty.__file__).read_bytes()
    own = [PACKAGE / f"{name}.py" for name in LINREG]
    for module in sorted([*own, *PROGRAM.rglob("*.py")]):
        above = PROGRAM if PROGRAM in module.parents else PACKAGE.parent
        files[module.relative_to(above).as_posix()] = module.read_bytes()
    with ZipFile(path, "w", compresslevel=9) as packed:
        for name, data in files.items():
            packed.writestr(ZipInfo(name), data, ZIP_DEFLATED)
