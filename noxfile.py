"""`make matrix`: the notebooks on every kind of machine that we promise.

Each Python, with the oldest torch that pyproject.toml allows and with the one
in requirements.txt; in each of these environments one, two and four threads,
with the widest instructions of the processor and with AVX2 alone. An
interpreter that is missing is an error, not a reason to skip.
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


@nox.session(python=["3.11", "3.12", "3.13"])
@nox.parametrize("torch", ["oldest", "newest"])
def notebooks(session: nox.Session, torch: str) -> None:
    """Execute all notebooks again and compare every output."""
    pins, wanted = PINS, nox.project.dependency_groups(PROJECT, "notebooks")
    if torch == "oldest":
        its_own = r"^(torch|torchvision|triton|cuda|nvidia)\b.*\n"
        pins = re.sub(its_own, "", PINS, flags=re.MULTILINE)
        first, *_ = PROJECT["project"]["dependencies"]  # torch>=…
        wanted = [*wanted, f"{first.replace('>=', '==')}.*"]
    constraints = Path(session.create_tmp(), "constraints.txt")
    constraints.write_text(pins, encoding="utf-8")
    session.install("--constraint", str(constraints), *wanted)
    d2l = nox.project.dependency_groups(PROJECT, "d2l")
    session.install("--no-deps", *d2l)

    failed = []
    for threads, capability in itertools.product(THREADS, CAPABILITIES):
        machine = {
            "ATEN_CPU_CAPABILITY": capability,
            "OMP_NUM_THREADS": threads,
        }
        try:
            session.run("pytest", "book", env=machine)
        except nox.command.CommandFailed:
            failed.append(machine)
    if failed:
        session.error(f"outputs differ with {failed}")
