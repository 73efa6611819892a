"""The pages' stand-in for torch says what torch says, or refuses.

Both run in this process: the stand-in under another name, or, for cells and
answers, in the place of torch, without NumPy and what else a page lacks.
"""

import contextlib
import importlib.util
import io
import os
import random
import sys
import tomllib
import warnings
from pathlib import Path
from types import FunctionType, ModuleType
from unittest import mock

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.lib.pretty import pretty
from snippets import LINES, snippet

from book.run.cells import Cell, last_value

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "book" / "run" / "torch"
CI = bool(os.environ.get("CI"))
CORE = sorted(path.stem for path in (ROOT / "book").glob("0[1-8]-*.ipynb"))
CORE += ["tensors", "errors"]
# Outside CI: those that take few seconds.
QUICK = ["tensors", "03-autograd", "04-model", "errors"]
# Cells that take half a minute, and an exercise of which one answer does.
SLOW = ["06-062", "08-043", "08-045", "06-sgd-5"]
# PyTorch's own last digits differ by processor; those of this kind are kept.
CPU = Path("/proc/cpuinfo")
CPU_SAYS = CPU.read_text().split() if CPU.exists() else []
EXACT = {"GenuineIntel", "avx512f"} <= {*CPU_SAYS}
ABSENT = ["IPython.display", "linreg.pictures", "matplotlib", "numpy"]
ABSENT += ["pandas", "scipy", "sklearn", "subprocess", "linreg.large"]


def loaded(name):
    """The modules of this name."""
    return {k: m for k, m in sys.modules.items() if k.split(".")[0] == name}


def stand_in(name):
    """Load the stand-in under this name; return its modules."""
    spec = importlib.util.spec_from_file_location(
        name, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, {name: module}):
        spec.loader.exec_module(module)
        return loaded(name)


MODULES = stand_in("standin")
STANDIN = MODULES["standin"]
REFUSED = STANDIN.NeedsPyTorch
OWN = ["NeedsPyTorch", "FUNCTIONS", "bool_", "refusing", "math"]
NAMES = {n for n in {*vars(STANDIN), *vars(STANDIN.Tensor)} if n[0] != "_"}
NAMES -= {name for name in NAMES if f"standin.{name}" in MODULES} | {*OWN}


@contextlib.contextmanager
def in_the_place_of_torch():
    """As in a page: the stand-in is torch, linreg its core, no NumPy."""
    with mock.patch.dict(sys.modules), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in [*loaded("torch"), *loaded("linreg")]:
            del sys.modules[name]
        sys.modules.update(stand_in("torch"))
        sys.modules.update(dict.fromkeys(ABSENT))
        yield sys.modules["torch"]


def described(value, torch):
    """What can be compared between the two."""
    if isinstance(value, torch.Tensor):
        kind = value.grad_fn and type(value.grad_fn).__name__
        shape, kinds = tuple(value.shape), (str(value.dtype), kind)
        numbers = value.detach().tolist()
        return (shape, kinds, value.requires_grad, numbers, repr(value))
    if isinstance(value, (tuple, list)):
        named = isinstance(value, tuple) and not isinstance(value, torch.Size)
        kind = "tuple" if named else type(value).__name__
        return kind, [described(v, torch) for v in value]
    known = isinstance(value, (bool, int, float, str, type(None)))
    return value if known else type(value).__name__


def outcome(torch, code):
    """Run a snippet: result, gradients, what shares memory; or the error."""
    names = {"torch": torch}
    torch.set_grad_enabled(True)
    torch.manual_seed(0)
    try:
        exec(code, names)
        result = names["r"]
        found = [described(result, torch)]
        several = isinstance(result, (tuple, list)) and len(result)
        first = result[0] if several else result
        if isinstance(first, torch.Tensor) and "x" in names:
            if first.requires_grad and first.grad_fn is not None:
                (first * first).sum().backward()
            for x in (names["x"], names["y"]):
                found.append(x.is_leaf and described(x.grad, torch))
            with torch.no_grad():
                names["x"].detach().zero_()
            if first is not names["x"]:
                found.append(first.detach().tolist())
    except Exception as error:
        return type(error).__name__, str(error)
    except REFUSED as refusal:
        return "refused", str(refusal)
    return "value", found


def near(one, two, exact):
    """Whether two outcomes are the same, or apart by a last digit."""
    if isinstance(one, float) and isinstance(two, float):
        if exact or not np.isfinite([one, two]).all():
            return one == two or (one != one and two != two)
        return abs(one - two) <= 2e-5 * max(1, abs(one), abs(two))
    if isinstance(one, (list, tuple)) and type(one) is type(two):
        pairs = zip(one, two, strict=False)
        return len(one) == len(two) and all(near(*p, exact) for p in pairs)
    printed = isinstance(one, str) and one.startswith("tensor(")
    return one == two or (printed and not exact)


TEMPLATES = [line for kind in ("each", "changes", "makers")
             for line in LINES[kind]] + sorted(NAMES)  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATES)
@settings(max_examples=30 if CI else 8, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_a_line_gives_the_same_or_is_refused(template, seed):
    """A name alone stands for a call with arguments taken at random."""
    code = snippet(random.Random(seed).choice, template)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine = outcome(STANDIN, code)
        if mine[0] == "refused":
            return
        real = outcome(torch, code)
    assert real[0] == mine[0], (code, real, mine)
    if real[0] == "value":
        loose = any(name in code for name in LINES["last_bits"])
        exact = EXACT and not loose
        assert near(real, mine, exact), (code, real, mine)


@pytest.mark.parametrize("code", LINES["mistakes"])
def test_a_mistake_is_told_in_the_same_words(code):
    mine, real = (outcome(lib, f"r = {code}") for lib in (STANDIN, torch))
    assert mine == real
    assert real[0] not in ("value", "refused")


def test_the_names_are_those_of_torch():
    """What torch has needs PyTorch here, and all else is a mistake."""
    known = {**vars(torch), "torch": torch}
    known["SGD"] = torch.optim.SGD([torch.ones(1)])
    for owner, listed in MODULES["standin._types"].names().items():
        real = eval(owner, known)
        other = {name for name in dir(real) if name[0] != "_"} ^ listed
        kinds = [type(getattr(real, name)) for name in other]
        assert {*kinds} <= {ModuleType}, other  # imported since


def test_a_warning_is_given_once():
    number = stand_in("fresh")["fresh"].ones(1, requires_grad=True)
    with pytest.warns(UserWarning, match="to a scalar") as told:
        assert float(number) == float(number) == 1
    assert len(told) == 1


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(100, 3), (33, 8), (37, 47)])
def test_numbers_are_added_in_the_same_order(shape, kind):
    table = torch.randn(shape, dtype=getattr(torch, kind))
    mine = STANDIN.tensor(table.tolist(), dtype=getattr(STANDIN, kind))
    for way in ["x", "x.T", "x[:, 0]", "x[:, 1:]", "x[::2]", "x[:, ::2].T"]:
        views = [eval(way, {"x": x}) for x in (table, mine)]
        for dim in range(views[0].ndim):
            one, two = (v.sum(dim).tolist() for v in views)
            assert near(one, two, EXACT), (way, dim)
        one, two = (v.mean().item() for v in views)
        assert near(one, two, EXACT), way


def cells(stem):
    notebook = nbformat.read(ROOT / "book" / f"{stem}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(source, names):
    """Run a cell; what it prints, then what it shows."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        value = last_value(source, "<cell>", names)
    return printed.getvalue() + ("" if value is None else pretty(value))


def stored(cell):
    """What a cell shows in the book, and the error that it ends with."""
    shown, error = "", ""
    for output in cell.outputs:
        if output.output_type == "error":
            error = f"{output.ename}: {output.evalue}"
        elif output.get("name") != "stderr":
            data = output.get("data", {})
            shown += output.get("text") or data.get("text/plain", "")
    return shown, error


@pytest.mark.parametrize("stem", CORE if CI else QUICK)
def test_a_chapter_gives_what_is_stored_or_refuses(stem, tmp_path):
    """And its exercises accept some right answer, and no wrong one."""
    with in_the_place_of_torch() as library, contextlib.chdir(tmp_path):
        before = run_cells(stem, library)
        if before:
            judge_answers(stem, before, library)


def run_cells(stem, library):
    """Run all cells; return the names that an answer can use.

    But for cells that import what is not there, or need such a cell.
    """
    names, before = {"__name__": "__main__"}, {}
    lost, same, refused = set(), 0, []
    for cell in cells(stem):
        if "answer" in cell.metadata.get("tags", []):
            before = before or own_copy(names, library)
        if cell.id in SLOW:
            continue
        (shown, said), missing = ("", ""), None
        seen = Cell(cell.id, cell.source)
        made = seen.bound | seen.imported
        try:
            shown = run(cell.source, names)
        except ImportError:
            missing = "module"
        except library.NeedsPyTorch as refusal:
            refused.append(f"{cell.id}: {refusal}")
            missing = "PyTorch"
        except NameError as error:
            missing = error.name
        except Exception as error:
            shown = stored(cell)[0]
            said = f"{type(error).__name__}: {error}"
        if missing:
            assert missing in {"module", "PyTorch", *lost}, cell.source
            lost |= made
            continue
        lost -= made
        assert (shown, said) == stored(cell), cell.source
        same += 1
    # The page of errors shows NumPy's and torch.nn's as well.
    assert len(refused) <= same / (6 if stem == "errors" else 20), refused
    return before


def judge_answers(stem, before, library):
    """Give the planted answers to a chapter's exercises."""
    file = ROOT / "tests" / "book" / "exercises" / f"{stem}.toml"
    planted = tomllib.loads(file.read_text("utf-8"))
    checks = [c for c in cells(stem) if "check" in c.metadata.get("tags", [])]
    for (number, kinds), check in zip(planted.items(), checks, strict=True):
        few = 1 if f"{stem}-{number}" in SLOW else None if CI else 2
        accepted = 0
        for kind, texts in kinds.items():
            for answer in texts[:few]:
                library.manual_seed(0)
                names = own_copy(before, library)
                try:
                    run(answer, names)
                    verdict = run(check.source, names).splitlines()[-1]
                except (library.NeedsPyTorch, ImportError):
                    continue
                except Exception as error:  # not refused by the check
                    verdict = repr(error)
                assert verdict.partition(": ")[0] == kind, answer
                accepted += kind == "right"
        assert accepted, f"no right answer to {number} can be given"


def own_copy(names, library):
    """The same values; what an answer could change in place is copied."""
    copied = {}

    def own(value):
        if isinstance(value, library.Tensor) and value.is_leaf:
            twin = value.detach().clone()
            twin.requires_grad_(value.requires_grad)
            twin.grad = value.grad if value.grad is None else own(value.grad)
            return twin
        if isinstance(value, list):
            return [own(item) for item in value]
        if isinstance(value, FunctionType) and value.__globals__ is names:
            code, defaults = value.__code__, value.__defaults__
            return FunctionType(code, copied, value.__name__, defaults)
        return value

    copied.update({key: own(value) for key, value in names.items()})
    return copied
