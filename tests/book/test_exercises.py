"""A check lets every right answer pass and no wrong one.

For each exercise, `exercises/` has at least three right answers, written
differently, and two wrong ones. Each is tried from the state of a reader who
ran only the cells that he sees: no solutions, no cells hidden on the site.
"""

import ast
import builtins
import dataclasses
import dis
import functools
import re
import tomllib
from types import CodeType, ModuleType

import nbformat
import pytest
from notebook_run import NOTEBOOKS, ROOT, TooLong, each_notebook, run

# All that a failure says: whoever reads it changes the book, not the tests.
fail = functools.partial(pytest.fail, pytrace=False)
EXERCISES = [
    pytest.param(path, int(number), id=f"{path.stem}-{number}")
    for path in NOTEBOOKS
    for number in re.findall(
        r"### 练习 (\d+)：", path.read_text(encoding="utf-8")
    )
]
each_exercise = pytest.mark.parametrize(("path", "number"), EXERCISES)


@functools.cache
def answers(path):
    """The answers to a notebook's exercises, by their numbers."""
    file = ROOT / file_of(path)
    return tomllib.loads(file.read_text("utf-8")) if file.exists() else {}


def file_of(path):
    return f"tests/book/exercises/{path.stem}.toml"


@functools.cache
def parts(path, number):
    """The statement, and the cells for the answer, check and solution."""
    cells = nbformat.read(path, as_version=4).cells
    start, *_ = [
        i for i, c in enumerate(cells) if f"### 练习 {number}：" in c.source
    ]
    return cells[start : start + 4]


def statement(path, number):
    text = parts(path, number)[0].source
    return re.split(r"^(?=### 练习 )", text, flags=re.MULTILINE)[-1]


@each_notebook
def test_answers_belong_to_exercises(path):
    asked = {str(n) for p, n in (e.values for e in EXERCISES) if p == path}
    for number in sorted(answers(path).keys() - asked):
        fail(f"{file_of(path)}: there is no exercise {number}")


@each_exercise
def test_three_right_and_two_wrong_answers(path, number):
    planted = answers(path).get(str(number), {})
    right = {*planted.get("right", [])}
    wrong = {*planted.get("wrong", [])} - right
    if len(right) < 3 or len(wrong) < 2:
        fail(
            f"add [{number}] to {file_of(path)}: three right and two wrong "
            f"answers are wanted, and there are {len(right)} and {len(wrong)}"
        )


@each_exercise
def test_answers_are_judged_rightly(path, number):
    """By what is printed; each assert of the check refuses an answer."""
    exercise = run(path).exercises[number - 1]
    check, unmet = numbered(exercise.check)
    exercise = dataclasses.replace(exercise, check=check)
    misjudged = []
    for kind, planted in answers(path).get(str(number), {}).items():
        for answer in planted:
            try:
                verdict = exercise.judge(answer)
            except TooLong as error:
                verdict = str(error)
            except Exception as error:
                verdict = f"{error!r}, which is no assert of the check"
            said, _, why = verdict.partition(": ")
            unmet.pop(why.partition(" ")[0], None)
            if said != kind:
                misjudged.append(f"{kind} answer judged {verdict}:\n{answer}")
    misjudged += [f"no wrong answer meets {line}" for line in unmet.values()]
    if misjudged:
        fail("\n\n".join([f"{file_of(path)}, [{number}]", *misjudged]))


def numbered(check):
    """The check, each assert saying its number first, and its asserts."""
    tree, lines = ast.parse(check), {}
    asserts = [n for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    for number, node in enumerate(asserts):
        lines[f"[{number}]"] = ast.unparse(node)
        assert node.msg, f"no message: {ast.unparse(node)}"
        node.msg = ast.BinOp(ast.Constant(f"[{number}] "), ast.Add(), node.msg)
    return ast.unparse(tree), lines


@each_notebook
def test_solutions_are_right_in_any_order(path):
    """Whoever ran all goes back and runs this check, or that."""
    done = run(path)
    assert done.verdicts == ["right"] * len(done.exercises)


@each_exercise
def test_answer_comes_first_and_is_open(path, number):
    """Run on without an answer: nothing is judged, nothing fails."""
    _, answer, check, solution = parts(path, number)
    opened = open_names(answer)
    call = f"judge({', '.join([f'check_{number}', *opened])})"
    assert last_statement(check) == call
    assert last_statement(solution).startswith(f"judge(check_{number}, ")
    assert shown(check) == "not answered yet\n"
    assert shown(solution).splitlines()[-1:] == ["right"]
    text = statement(path, number)
    for name in opened:
        assert f"`{name}`" in text or f"`{name}(" in text
    own = names(compile(solution.source, "", "exec"), "STORE_NAME")
    assert not own & {*opened}, "the solution takes the answer's name"


def last_statement(cell):
    return ast.unparse(ast.parse(cell.source).body[-1])


def shown(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def open_names(answer):
    opened = []
    for line in ast.parse(answer.source).body:
        assert isinstance(line, ast.Assign)
        assert ast.unparse(line.value) == "..."
        opened += [ast.unparse(target) for target in line.targets]
    return opened


def names(code, *kinds):
    """The names that compiled code loads or stores beyond its functions."""
    steps = dis.get_instructions(code)
    found = {step.argval for step in steps if step.opname in kinds}
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return found.union(*(names(part, *kinds) for part in inner))


@each_exercise
def test_check_needs_no_name_that_the_statement_does_not_give(path, number):
    """Beyond what the chapter imports where the reader can see it."""
    _, _, check, _ = parts(path, number)
    before = run(path).exercises[number - 1].before
    code = compile(check.source, "", "exec")
    needed = names(code, "LOAD_NAME", "LOAD_GLOBAL")
    needed -= names(code, "STORE_NAME") | {*vars(builtins)}
    spans = re.findall(r"`+([^`]+)`+", statement(path, number))
    given = {*re.findall(r"\w+", " ".join(spans))}
    for name in needed - given:
        assert name in before, f"neither imported nor in the statement: {name}"
        value = before[name]
        home = getattr(value, "__module__", "__main__")
        imported = isinstance(value, ModuleType) or home != "__main__"
        assert imported, f"not in the statement: {name}"
