"""`make matrix`: the notebooks on every kind of machine that we promise.

Each Python, with the oldest and the newest torch that pyproject.toml and
requirements.txt allow; in each of these environments one, two and four
threads, with the widest instructions of the processor and with AVX2 alone.
An interpreter that is missing is an error, not a reason to skip.
"""

import itertools
import re
from pathlib import Path

import nox

nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PINS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
THREADS = ("1", "2", "4")
CAPABILITIES = ("default", "avx2")


def pinned(package: str) -> str:
    """The requirement of a package in requirements.txt."""
    return re.findall(rf"^{package}==\S+", PINS, re.MULTILINE)[0]


# Each torchvision, which d2l imports, goes with one torch only.
OLDEST = ["torch==2.13.0", "torchvision==0.28.0"]
NEWEST = [pinned("torch"), pinned("torchvision")]


@nox.session(python=["3.11", "3.12", "3.13"])
@nox.parametrize("torch", [OLDEST, NEWEST], ids=["oldest", "newest"])
def notebooks(session: nox.Session, torch: list[str]) -> None:
    """Execute all notebooks again and compare every output."""
    other_pins = re.sub(
        r"^(torch|torchvision|triton|cuda|nvidia)\b.*\n", "", PINS, flags=re.M
    )
    constraints = Path(session.create_tmp(), "constraints.txt")
    constraints.write_text(other_pins, encoding="utf-8")
    packages = nox.project.dependency_groups(PROJECT, "notebooks")
    session.install("--constraint", str(constraints), *torch, *packages)
    session.install("--no-deps", "d2l==1.0.3")

    failed = []
    for threads, capability in itertools.product(THREADS, CAPABILITIES):
        machine = {
            "ATEN_CPU_CAPABILITY": capability,
            "OMP_NUM_THREADS": threads,
        }
        try:
            # Each notebook in a kernel of its own, as a reader's is.
            session.run(
                *("pytest", "--noconftest", "book"),
                env={**machine, "PYTHONPATH": str(ROOT)},
            )
        except nox.command.CommandFailed:
            failed.append(machine)
    if failed:
        session.error(f"outputs differ with {failed}")
