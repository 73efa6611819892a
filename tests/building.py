"""Build the book for the tests that look at what is built."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(folder, *options, **environment):
    """Build the site, as `make book` does, into a folder of its own."""
    command = [Path(sys.executable).parent / "jupyter-book", "build", ROOT]
    command += ["--path-output", folder, "--quiet", "--warningiserror"]
    command += options
    variables = {k: v for k, v in os.environ.items() if "GITHUB_" not in k}
    variables |= environment
    # A build that fails leaves KaTeX's server behind, which would keep a pipe
    # open for ever: its output goes to a file, and the server ends with it.
    log = folder / "build.log"
    folder.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    code = process.wait(timeout=300)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    assert code == 0, log.read_text("utf-8")
    return folder / "_build" / "html"
