"""Check in half a minute what most changes can break.

Style, types, unit tests, the form of the notebooks and of the English; and of
the chapters that changed since the last commit the outputs, the exercises,
the text and the figures. `make test` looks at everything.
"""

import os
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
CHAPTERS = sorted(path.stem for path in (ROOT / "book").glob("*.ipynb"))
UNITS = sorted((ROOT / "tests" / "package").glob("test_*.py"))
FORM = ["tests/book/test_book.py", "tests/book/test_english.py"]
CONTENT = [
    f"tests/book/test_{name}.py"
    for name in ("exercises", "prose", "figures", "safety")
]


def changed_chapters(paths: list[str]) -> list[str]:
    """Return the chapters that changed files belong to."""
    names = {PurePosixPath(path).stem for path in paths}
    return [
        chapter
        for chapter in CHAPTERS
        if chapter in names or f"chapter{chapter[:2]}" in names
    ]


def changed_paths() -> list[str]:
    """Ask git what is not as in the last commit."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    lines = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line[3:].split(" -> ")[-1].strip('"') for line in lines]


def run(program: str, *arguments: str) -> bool:
    """Run a program of the virtual environment; say how long it took."""
    start = time.monotonic()
    print(f"{program} {' '.join(arguments)}"[:79], flush=True)
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    seconds = time.monotonic() - start
    print(f"{'failed' if done.returncode else 'good'}, {seconds:.0f} s")
    return done.returncode == 0


def main() -> None:
    """Run all checks; exit with 1 if one fails."""
    tests = [str(path.relative_to(ROOT)) for path in UNITS] + FORM
    # All in one run, since to start pytest takes a while.
    wanted = [Path(test).name for test in tests]
    if chapters := changed_chapters(changed_paths()):
        wanted += chapters
        tests += [f"book/{chapter}.ipynb" for chapter in chapters] + CONTENT
    only = " or ".join(wanted)
    good = [
        run("ruff", "format", "--check", "."),
        run("ruff", "check", "."),
        run("mypy"),
        run("pytest", "-m", "not slow", *tests, "-k", only),
    ]
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
