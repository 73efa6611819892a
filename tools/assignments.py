"""Write the chapters' exercises as assignments for nbgrader, in `class/`.

A student gets the chapter without its solutions. The cell of each check also
judges what `nbgrader autograde` marks: the same check, on other random data.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat

from book._ext.contents import everything
from book._ext.editions import page_source, without_solutions

SETTINGS = """\
c = get_config()
c.CourseDirectory.course_id = "linreg"
c.ClearSolutions.enabled = False  # there are none
c.Execute.timeout = c.Execute.iopub_timeout = 120  # a busy machine's
"""
JUDGE = re.compile(r"judge\((\w+), (.+)\)")
SEED = re.compile(r"manual_seed\((?!seed\))([^)]+)\)")
SEEDS = re.compile(r"for seed in (.+):")
# To nbgrader, whatever a cell writes to stderr is an error, also a warning.
HIDDEN = """\
### BEGIN HIDDEN TESTS
import io, sys; sys.stderr = io.StringIO()
{}
assert all(answer is not ... for answer in [{}]), "not answered"
{}
### END HIDDEN TESTS
{}"""


def marked(check: str) -> str:
    """Return a check's cell with what marks the answer; students lose that."""
    call = ast.parse(check).body[-1]
    name, answers = JUDGE.fullmatch(ast.unparse(call)).groups()
    other = "\n".join(check.splitlines()[: call.lineno - 1])
    # Numbers are asked of the data in the statement, functions of any.
    if "callable(" in check:
        other = SEED.sub(r"manual_seed(\1 + 1000)", other)
        other = SEEDS.sub(r"for seed in [s + 1000 for s in \1]:", other)
    return HIDDEN.format(other, answers, f"{name}({answers})", check)


def assignment(path: Path) -> nbformat.NotebookNode:
    """Make an assignment of a chapter."""
    page = without_solutions(page_source(path))
    notebook = nbformat.reads(page, as_version=4)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "answer" in tags:
            told = {"grade": False, "locked": False, "solution": True}
        elif "check" in tags:
            told = {"grade": True, "locked": True, "solution": False}
            told["points"] = 1
            cell.source = marked(cell.source)
        else:
            continue
        told |= {"grade_id": cell.id, "schema_version": 3, "task": False}
        cell.metadata["nbgrader"] = told
    return notebook


def nbgrader(folder: Path, *arguments: str) -> None:
    """Run nbgrader, which looks for alembic on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["env", f"PATH={path}", "nbgrader", *arguments]
    subprocess.run([*command, "--log-level=WARN"], cwd=folder, check=True)


def write(folder: Path, chapters: list[Path]) -> None:
    """Write what the teacher keeps; nbgrader writes what students get."""
    folder.mkdir(exist_ok=True)
    settings = folder / "nbgrader_config.py"
    if not settings.exists():  # a teacher may have changed them
        settings.write_text(SETTINGS, "utf-8")
    for path in chapters:
        source = folder / "source" / path.stem / path.name
        source.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(assignment(path), source)
        nbgrader(folder, "generate_assignment", path.stem, "--force")
        print(folder / "release" / path.stem / path.name)


if __name__ == "__main__":
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or everything()
    chapters = [
        path
        for path in chosen
        if path.suffix == ".ipynb" and '"answer"' in path.read_text("utf-8")
    ]
    write(Path(__file__).parents[1] / "class", chapters)
