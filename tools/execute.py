"""Run notebooks in place and store their outputs, always the same bytes."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

KERNEL_ARGUMENTS = [
    "--InteractiveShell.xmode=Minimal",  # no paths in tracebacks
    "--InlineBackend.figure_formats=retina",
]


def execute(path: Path) -> None:
    """Run one notebook in a fresh kernel and write it back."""
    notebook = nbformat.read(path, as_version=4)
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
    info = notebook.metadata.language_info
    notebook.metadata.language_info = {
        "name": info.name,
        "pygments_lexer": info.pygments_lexer,
    }
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, flush=True)
        execute(Path(name))
