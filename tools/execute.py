"""Run notebooks in place and store their outputs, always the same bytes."""

import os
import re
import sys
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

from book._ext import contents
from book._ext.addresses import configured_address
from book._ext.first_cell import put_first_cell
from book._ext.guesses import MARKS

ROOT = Path(__file__).parents[1]
# Processors and numbers of threads differ in how they round a sum, which can
# move a curve by a pixel; like this, fewer do.
SAME_SUMS = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OMP_NUM_THREADS": "1",
}
KERNEL_ARGUMENTS = [
    "--log-level=40",  # no warnings: nobody else is on this machine's wire
    "--InteractiveShell.xmode=Minimal",  # no paths in tracebacks
    "--InlineBackend.figure_formats=retina",
]
GUESS = re.compile(rf"^> \*\*{MARKS[0]}\*\*", re.MULTILINE)


def small_png(png: bytes) -> bytes:
    """Draw the same picture with 256 colours, in a third of the bytes."""
    small = BytesIO()
    picture = Image.open(BytesIO(png)).convert("RGB").quantize(256)
    picture.save(small, "png", optimize=True)
    return small.getvalue()


def close_guesses(notebook: nbformat.NotebookNode) -> None:
    """Let JupyterLab close the output of each cell that answers a guess."""
    asked = False
    for cell in notebook.cells:
        tags = {*cell.metadata.get("tags", [])}
        if cell.cell_type == "code" and "hide-cell" not in tags:
            cell.metadata.pop("jupyter", None)
            cell.metadata.pop("collapsed", None)
            if asked and "answer" not in tags:
                cell.metadata["jupyter"] = {"outputs_hidden": True}
                cell.metadata["collapsed"] = True
        asked = cell.cell_type == "markdown" and bool(
            GUESS.search(cell.source)
        )


def execute(path: Path) -> None:
    """Run one notebook in a fresh kernel and write it back."""
    notebook = nbformat.read(path, as_version=4)
    address = configured_address(ROOT)
    if not contents.is_own(path.resolve()):
        put_first_cell(notebook, address and f"git+{address}")
    client = NotebookClient(
        notebook,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=KERNEL_ARGUMENTS,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                png = b64encode(small_png(b64decode(png))).decode()
                output.data["image/png"] = png
    close_guesses(notebook)
    # JupyterLab writes the name that its own kernel goes by.
    python = {"name": "python3", "language": "python"}
    notebook.metadata.setdefault("kernelspec", python)
    notebook.metadata.kernelspec["display_name"] = "Python 3"
    info = notebook.metadata.language_info
    notebook.metadata.language_info = {
        "name": info.name,
        "pygments_lexer": info.pygments_lexer,
    }
    nbformat.write(notebook, path)


if __name__ == "__main__":
    os.environ.update(SAME_SUMS)
    for name in sys.argv[1:] or contents.everything():
        if str(name).endswith(".ipynb"):
            print(name, flush=True)
            execute(Path(name))
