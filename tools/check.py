"""Test what a change is most likely to break; `make test` tests everything.

The form of the notebooks and of the English; and what belongs to the files
that changed since the last commit: a chapter's outputs, exercises, text and
figures, or a module's tests; the core's all, if no chapter changed.
"""

import os
import subprocess
import sys
from pathlib import Path

from book._ext import contents

ROOT = Path(__file__).parents[1]
CORE = {"data", "model", "loss", "optim", "training", "evaluate"}
FORM = ["tests/book/test_book.py", "tests/book/test_english.py"]
CONTENT = [
    f"tests/book/test_{name}.py"
    for name in ("exercises", "prose", "figures", "safety")
]


def changed_names() -> set[str]:
    """Ask git which files are not as in the last commit: `06-sgd`, `sgd`."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    lines = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
    return {Path(line.strip('"')).stem for line in lines}


def main() -> None:
    """Run the tests in one go, since pytest takes a while to start."""
    changed = changed_names()
    chapters = [
        path
        for path in contents.everything()
        if path.suffix == ".ipynb"
        and {path.stem, f"chapter{path.stem[:2]}"} & changed
    ]
    modules = changed | (CORE if CORE & changed or not chapters else set())
    units = [
        f"tests/package/{path.name}"
        for path in sorted((ROOT / "tests" / "package").glob("test_*.py"))
        if path.stem in changed or path.stem[5:] in modules
    ]
    tests = units + FORM
    only = [Path(test).name for test in tests]
    if chapters:  # a kernel in one process, all else in the other
        tests += ["-n2", *CONTENT, *map(str, chapters)]
        only += [path.stem for path in chapters]
    command = [
        "-m",
        "pytest",
        "-m",
        "not slow",
        *tests,
        "-k",
        " or ".join(only),
    ]
    environment = os.environ | {"CHECKED": "all that has changed"}
    sys.exit(
        subprocess.call([sys.executable, *command], cwd=ROOT, env=environment)
    )


if __name__ == "__main__":
    main()
