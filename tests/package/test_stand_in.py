"""The pages' stand-in for torch says what torch says, or refuses.

Both run in this process: the stand-in under another name, or, for cells and
answers, in the place of torch, without NumPy and what else a page lacks.
"""

import ast
import contextlib
import importlib.util
import io
import os
import random
import sys
import tomllib
import warnings
from pathlib import Path
from types import FunctionType
from unittest import mock

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.lib.pretty import pretty
from snippets import LINES, snippet

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "book" / "run" / "torch"
CI = bool(os.environ.get("CI"))
CORE = sorted(
    path.stem
    for path in (ROOT / "book").glob("*.ipynb")
    if path.stem in ("tensors", "errors") or path.stem < "09"
)
# Outside CI: those that take few seconds.
QUICK = ["tensors", "03-autograd", "04-model", "errors"]
ABSENT = ["IPython.display", "linreg.pictures", "matplotlib", "numpy"]
ABSENT += ["pandas", "scipy", "sklearn", "subprocess", "linreg.large"]


def stand_in(name):
    """Load the stand-in under this name; return its modules."""
    spec = importlib.util.spec_from_file_location(
        name, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, {name: module}):
        spec.loader.exec_module(module)
        return {
            key: value
            for key, value in sys.modules.items()
            if key.partition(".")[0] == name
        }


MODULES = stand_in("standin")
STANDIN = MODULES["standin"]
REFUSED = STANDIN.NeedsPyTorch


@contextlib.contextmanager
def in_the_place_of_torch():
    """As in a page: the stand-in is torch, linreg its core, no NumPy."""
    others = {
        name: None
        for name in sys.modules
        if name.partition(".")[0] in ("torch", "linreg")
    }
    with mock.patch.dict(sys.modules, others):
        for name in others:
            del sys.modules[name]
        sys.modules.update(stand_in("torch"))
        sys.modules.update(dict.fromkeys(ABSENT))
        yield sys.modules["torch"]


def described(value, torch):
    """What can be compared between the two."""
    if isinstance(value, torch.Tensor):
        kind = value.grad_fn and type(value.grad_fn).__name__
        shape, kinds = tuple(value.shape), (str(value.dtype), kind)
        return (
            "tensor", shape, kinds, value.requires_grad,
            value.detach().tolist(), repr(value),
        )  # fmt: skip
    if isinstance(value, (tuple, list)):
        return type(value).__name__, [described(v, torch) for v in value]
    known = isinstance(value, (bool, int, float, str, type(None)))
    return value if known else str(type(value).__name__)


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


def check(code, exact):
    """Run a snippet on both."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine = outcome(STANDIN, code)
        if mine[0] == "refused":
            return
        real = outcome(torch, code)
    assert (real[0] == "value") == (mine[0] == "value"), (code, real, mine)
    if real[0] == "value":
        assert near(real, mine, exact), (code, real, mine)


TEMPLATES = [*LINES["each"], *LINES["changes"], *LINES["makers"]]


@pytest.mark.parametrize("template", TEMPLATES)
@settings(max_examples=30 if CI else 8)
@given(seed=st.integers(0, 2**32))
def test_a_line_gives_the_same_or_is_refused(template, seed):
    code = snippet(random.Random(seed).choice, template)
    check(code, not any(name in code for name in LINES["last_bits"]))


@pytest.mark.parametrize("code", LINES["mistakes"])
def test_a_mistake_is_told_in_the_same_words(code):
    mine, real = (outcome(lib, f"r = {code}") for lib in (STANDIN, torch))
    assert mine == real
    assert real[0] not in ("value", "refused")


def test_every_name_is_tried():
    tried = " ".join(line for lines in LINES.values() for line in lines)
    names = {name for name in vars(STANDIN) if not name.startswith("_")}
    names |= {n for n in vars(STANDIN.Tensor) if not n.startswith("_")}
    names -= {name for name in names if f"standin.{name}" in MODULES}
    names -= {"NeedsPyTorch", "FUNCTIONS", "bool_", "needs", "math"}
    untried = [name for name in names if name not in tried]
    assert not untried


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("seed", [0, 1, 2**40 + 5])
def test_random_numbers_are_those_of_torch(kind, seed):
    """In every length: short, and long, whole sixteens and not."""
    drawn = []
    for library in (torch, STANDIN):
        generator = library.Generator().manual_seed(seed)
        options = {"generator": generator, "dtype": getattr(library, kind)}
        rows = [library.randperm(20, generator=generator).tolist()]
        for n in (3, 16, 2, 1000, 37, 1):
            rows.append(library.randn(n, **options).tolist())
            rows.append(library.rand(n, **options).tolist())
        drawn.append(np.concatenate(rows))
    apart = np.abs(np.subtract(*drawn))
    assert apart.max() < 1e-6
    assert (apart == 0).mean() > 0.99


def cells(stem):
    notebook = nbformat.read(ROOT / "book" / f"{stem}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(source, names):
    """Run a cell; what it prints, then what it shows."""
    tree, printed, shown = ast.parse(source), io.StringIO(), ""
    last = tree.body and tree.body[-1]
    with contextlib.redirect_stdout(printed):
        if isinstance(last, ast.Expr):
            exec(
                compile(ast.Module(tree.body[:-1], []), "<cell>", "exec"),
                names,
            )
            value = eval(ast.unparse(last), names)
            shown = "" if value is None else pretty(value)
        else:
            exec(compile(tree, "<cell>", "exec"), names)
    return printed.getvalue() + shown


def stored(cell):
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
        if output.get("name") != "stderr" and output.output_type != "error"
    )


def error_of(cell):
    for output in cell.outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"
    return ""


@pytest.mark.parametrize("stem", CORE if CI else QUICK)
def test_cells_give_what_is_stored_or_refuse(stem, monkeypatch, tmp_path):
    """But for cells that import what is not there, or need such a cell."""
    monkeypatch.chdir(tmp_path)  # some cells write files
    names, lost, same, refused = {"__name__": "__main__"}, set(), 0, []
    with in_the_place_of_torch() as library, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cell in cells(stem):
            shown, said, missing = stored(cell), "", None
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
                said = f"{type(error).__name__}: {error}"
            if missing:
                assert missing in {"module", "PyTorch", *lost}, cell.source
                lost |= bound(cell.source)
                continue
            lost -= bound(cell.source)
            assert shown == stored(cell), cell.source
            assert said == error_of(cell), cell.source
            same += 1
    # The page of errors shows NumPy's and torch.nn's as well.
    assert len(refused) <= same / (6 if stem == "errors" else 20), refused


def bound(source):
    """The names that a cell binds."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {n.id for n in nodes if isinstance(n, ast.Name)
             and isinstance(n.ctx, ast.Store)}  # fmt: skip
    found |= {n.name for n in nodes if isinstance(n, ast.FunctionDef)}
    imports = [n for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom))]
    return found | {a.asname or a.name for n in imports for a in n.names}


def answers():
    """Every planted answer; outside CI the first ones of some chapters."""
    for stem in [stem for stem in CORE if CI or stem in QUICK]:
        file = ROOT / "tests" / "book" / "exercises" / f"{stem}.toml"
        planted = (
            tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
        )
        for number, kinds in planted.items():
            yield pytest.param(stem, int(number), kinds, id=f"{stem}-{number}")


@pytest.mark.parametrize(("stem", "number", "planted"), [*answers()])
def test_answers_are_judged_alike_or_refused(stem, number, planted):
    few = None if CI else 2
    with in_the_place_of_torch() as library, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, check = seen_before(stem, number, library)
        accepted = 0
        for kind, texts in planted.items():
            for answer in texts[:few]:
                library.manual_seed(0)
                names = own_copy(before, library)
                try:
                    run(answer, names)
                    verdict = run(check, names).splitlines()[-1]
                except (library.NeedsPyTorch, ImportError):
                    continue
                except Exception as error:  # not refused by the check
                    verdict = repr(error)
                assert verdict.partition(": ")[0] == kind, answer
                accepted += kind == "right"
    assert accepted, "no right answer can be given"


def visible_cells(stem):
    """The cells that a reader sees, up to the first answer."""
    shown = []
    for cell in cells(stem):
        tags = cell.metadata.get("tags", [])
        if "answer" in tags:
            return shown
        if "remove-input" not in tags:
            shown.append(cell.source)


def seen_before(stem, number, library):
    """The names of one who ran what is seen, and an exercise's check."""
    names = {"__name__": "__main__"}
    for source in visible_cells(stem):
        with contextlib.suppress(Exception, library.NeedsPyTorch):
            run(source, names)
    checks = [c for c in cells(stem) if "check" in c.metadata.get("tags", [])]
    return names, checks[number - 1].source


def own_copy(names, library):
    """The same values; what an answer could change in place is copied."""
    copied = {}

    def own(value):
        if isinstance(value, library.Tensor) and value.is_leaf:
            twin = value.detach().clone()
            twin.requires_grad_(value.requires_grad)
            twin.grad = (
                value.grad if value.grad is None else value.grad.clone()
            )
            return twin
        if isinstance(value, list):
            return [own(item) for item in value]
        if isinstance(value, FunctionType) and value.__globals__ is names:
            return FunctionType(
                value.__code__, copied, value.__name__, value.__defaults__
            )
        return value

    copied.update({key: own(value) for key, value in names.items()})
    return copied
