"""A kernel in this process: quick to start, and open to whoever looks in."""

import sys
from collections.abc import Callable
from traceback import format_exception
from typing import Any

from ipykernel.compiler import XCachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib_inline.backend_inline import configure_inline_support
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Config

# It shares its history with no one, and leaves tracebacks to pytest.
CONFIG = Config({"HistoryManager": {"enabled": False}})


class Shell(InteractiveShell):
    """IPython's shell; an error is part of a cell's result, not printed."""

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def showtraceback(self, *_: Any, **__: Any) -> None:
        pass

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        pass


def start_shell() -> Shell:
    """Start a shell with nothing in it, as a kernel's is."""
    InteractiveShell.clear_instance()
    Shell.clear_instance()
    shell = Shell.instance(config=CONFIG, compiler_class=XCachingCompiler)
    configure_inline_support.current_backend = "that of another shell"
    shell.enable_matplotlib("inline")
    return shell


def execute(shell: Shell, source: str) -> list[NotebookNode]:
    """Run a cell; return its outputs."""
    with capture_output() as captured:
        # A cell's last value belongs to what is shown, as in a kernel.
        shell.display_trap.hook = sys.displayhook
        result = shell.run_cell(source)
    outputs = [
        new_output("stream", name=name, text=text)
        for name in ("stdout", "stderr")
        if (text := getattr(captured, name))
    ]
    outputs += [
        new_output("display_data", data=shown.data, metadata=shown.metadata)
        for shown in captured.outputs
    ]
    if error := result.error_before_exec or result.error_in_exec:
        outputs.append(
            new_output(
                "error",
                ename=type(error).__name__,
                evalue=str(error),
                traceback=format_exception(error),
            )
        )
    return outputs


class Answers:
    """What nbval asks of a kernel, answered by a function that runs cells."""

    def __init__(self, run_cell: Callable[[str], list[NotebookNode]]) -> None:
        self.run_cell = run_cell
        self.messages: list[dict[str, Any]] = []

    def execute_cell_input(self, source: str, allow_stdin: bool) -> str:
        """Run a cell; keep what the kernel would say of it."""
        self.messages = [
            {"msg_type": output.output_type, "content": output}
            for output in self.run_cell(source)
        ]
        idle = {"execution_state": "idle"}
        self.messages.append({"msg_type": "status", "content": idle})
        return "cell"

    def get_message(self, stream: str, timeout: float) -> dict[str, Any]:
        """Say the next thing."""
        return {"parent_header": {"msg_id": "cell"}, **self.messages.pop(0)}

    def await_reply(self, cell: str, timeout: float) -> None:
        """The reply is there as soon as the cell has run."""

    def await_idle(self, cell: str, timeout: float) -> None:
        """So is all else."""

    def is_alive(self) -> bool:
        """It ends with this process."""
        return True

    def stop(self) -> None:
        """There is nothing to stop."""
