"""Run the cells of a page as if it were run from top to bottom.

A cell needs those above it that share variables with it. They run first,
once. Before a cell runs again, what it did is undone; if that cannot be, since
it changed a tensor in place, say, all begins anew. So the same code gives the
same output, however often and in whatever order a reader presses. The build
asks here, too, what a cell needs.
"""

import ast
import builtins
import json
import linecache
import symtable
import sys
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from types import GeneratorType
from typing import Any


@dataclass
class Cell:
    """A cell of a page, and the names in its code."""

    id: str
    code: str
    exercise: bool = False  # an answer, a check or a solution
    raises: bool = False  # its error is meant
    bound: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)
    broken: bool = False

    def __post_init__(self) -> None:
        """Find the names, unless this is no Python."""
        try:
            top = symtable.symtable(self.code, self.id, "exec")
        except (SyntaxError, ValueError):
            self.broken = True
            return
        for table in tables(top):
            for symbol in table.get_symbols():
                if table is not top and not symbol.is_global():
                    continue
                self.mentioned.add(symbol.get_name())
                if symbol.is_imported():
                    self.imported.add(symbol.get_name())
                elif symbol.is_assigned():
                    self.bound.add(symbol.get_name())


def tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """Give a table of symbols, and those of the functions in it."""
    yield table
    for child in table.get_children():
        yield from tables(child)


def needed(cells: list[Cell], target: Cell) -> list[Cell]:
    """List what must run before a cell, in the order of the page.

    That is each cell above that mentions a variable of its, or of another one
    of these: by any of the names the same tensor may be changed. It is each
    one that is no Python, to say so; and of what only imports, and of
    exercises, the one above that gives a missing name.
    """
    above = cells[: cells.index(target)]
    variables = target.bound.union(*(cell.bound for cell in above))
    names = target.mentioned & variables
    found, rest = [target], [cell for cell in above if not cell.exercise]
    while linked := [c for c in rest if c.broken or c.mentioned & names]:
        rest = [cell for cell in rest if cell not in linked]
        found += linked
        names |= variables & set().union(*(c.mentioned for c in linked))
    for cell in [*found]:
        before = cells[: cells.index(cell)]
        before.sort(key=lambda one: not one.exercise)
        for name in sorted(cell.mentioned - cell.imported):
            givers = [c for c in before if name in c.bound | c.imported]
            if givers and not any(giver in found for giver in givers):
                found += [givers[-1], *needed(cells, givers[-1])]
    return [cell for cell in above if cell in found]


class Page:
    """What has run of a page.

    `tell` is called with what happens: a word, a cell's id, and a text.
    """

    def __init__(self, tell: Callable[[str, str, str], None]) -> None:
        """Begin with nothing run; hear what cells print."""
        self.tell = tell
        self.reset()
        sys.stdout = Stream(self, "out")
        sys.stderr = Stream(self, "aside")

    def reset(self) -> None:
        """Forget all variables."""
        self.names: dict[str, Any] = {
            "__name__": "__main__",
            "__builtins__": builtins,
        }
        self.done: list[Cell] = []
        self.keep()

    def keep(self) -> None:
        """Remember the variables, to undo what comes after."""
        self.kept, self.ran = dict(self.names), len(self.done)
        self.mark = fingerprint(self.kept, set())

    def undo(self) -> bool:
        """Go back, unless what was kept has changed itself."""
        if self.mark != fingerprint(self.kept, set()):
            return False
        self.names.clear()
        self.names.update(self.kept)
        del self.done[self.ran :]
        return True

    def run(self, cells: str, name: str) -> None:
        """Run a cell, after what it needs; stop at an error not meant.

        The cells that can run come as JSON, those of the page in its order.
        """
        page = [Cell(**cell) for cell in json.loads(cells)]
        (target,) = [cell for cell in page if cell.id == name]
        plan = self.left([*needed(page, target), target])
        last = next(c for c in plan if c.exercise or c is target)
        for number, cell in enumerate(plan):
            self.tell("start", cell.id, str(len(plan) - number - 1))
            if cell is last:
                self.keep()
            self.done.append(cell)
            good = self.execute(cell)
            self.tell("end", cell.id, "")
            if not good and not cell.raises:
                self.undo() or self.reset()  # what it did is half done
                break

    def left(self, plan: list[Cell]) -> list[Cell]:
        """List what has yet to run; anew, if what has run is in the way."""
        for back in (lambda: True, self.undo):
            if not back():
                break
            bound = (cell.bound for cell in [*plan, *self.done])
            variables = set().union(*(cell.mentioned for cell in plan))
            variables &= set().union(*bound)
            ran = [
                cell
                for cell in self.done
                if cell in plan or cell.mentioned & variables
            ]
            if len(ran) < len(plan) and ran == plan[: len(ran)]:
                return plan[len(ran) :]
        self.reset()
        return plan

    def execute(self, cell: Cell) -> bool:
        """Run a cell like IPython: show what its last line gives."""
        self.running, self.room, file = cell.id, 100_000, f"<{cell.id}>"
        lines = cell.code.splitlines(keepends=True)
        linecache.cache[file] = (len(cell.code), None, lines, file)
        try:
            result = last_value(cell.code, file, self.names)
            if result is not None:
                from IPython.lib.pretty import pretty

                print(pretty(result))
        except BaseException as error:  # what is refused is no Exception
            self.tell("error", cell.id, json.dumps(described(error, file)))
            return False
        return True


def last_value(code: str, file: str, names: dict[str, Any]) -> Any:  # noqa: ANN401
    """Run code; return what its last line gives, if that is an expression."""
    body = ast.parse(code, file).body
    last = body.pop() if body and type(body[-1]) is ast.Expr else None
    exec(compile(ast.Module(body, []), file, "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), file, "eval"), names)


def fingerprint(value: Any, seen: set[int]) -> Any:  # noqa: ANN401
    """Give what differs when anything in a value has changed."""
    if value is None or isinstance(value, (int, float, str)):
        return repr(value)
    parts: list[Any] = []
    if id(value) not in seen:
        seen.add(id(value))
        if isinstance(value, array):
            return id(value), value.tobytes()
        if isinstance(value, Random):
            return id(value), value.getstate()
        if isinstance(value, GeneratorType) and value.gi_frame:
            parts.append(value.gi_frame.f_lasti)
            parts += value.gi_frame.f_locals.values()
        elif isinstance(value, dict):
            parts += [*value.keys(), *value.values()]
        elif isinstance(value, (list, tuple, set)):
            parts.extend(value)
        elif type(value).__module__.startswith("torch"):
            parts += getattr(value, "__dict__", {}).values()
    return id(value), [fingerprint(part, seen) for part in parts]


class Stream:
    """Where the cells' output goes."""

    encoding = "utf-8"

    def __init__(self, page: Page, kind: str) -> None:
        """Say `kind` of what is written."""
        self.page, self.kind = page, kind

    def write(self, text: str) -> int:
        """Tell at once; of what never ends, the beginning."""
        self.page.room -= len(text)
        if self.page.room > 0:
            self.page.tell(self.kind, self.page.running, text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""


def described(error: BaseException, file: str) -> dict[str, Any]:
    """Say what an error says, and the line of the cell where it arose."""
    line, trace = None, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    said = str(error)
    if isinstance(error, SyntaxError) and error.filename == file:
        line, said = error.lineno, error.msg
    refused = type(error).__name__ == "NeedsPyTorch"
    name = "" if refused else f"{type(error).__name__}: "
    return {
        "text": f"{name}{said}".removesuffix(": "),
        "line": line,
        "refused": refused or isinstance(error, ModuleNotFoundError),
    }
