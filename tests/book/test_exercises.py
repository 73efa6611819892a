"""A check lets every right answer pass and no wrong one.

For each exercise, `exercises/` has at least three right answers, written
differently, and two wrong ones. Each is tried from the state of a reader who
ran only the cells that he sees: no solutions, no cells hidden on the site.
"""

import ast
import builtins
import functools
import re
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from running import NOTEBOOKS, TooLong, run, tags

FOLDER = Path(__file__).with_name("exercises")
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
    file = FOLDER / f"{path.stem}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


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


def test_answers_belong_to_exercises():
    asked = Counter(
        (path.stem, number) for path, number in (e.values for e in EXERCISES)
    )
    answered = {
        (file.stem, int(number))
        for file in FOLDER.glob("*.toml")
        for number in tomllib.loads(file.read_text(encoding="utf-8"))
    }
    wrong = [
        f"{chapter}: {times} exercises are numbered {number}"
        for (chapter, number), times in asked.items()
        if times > 1
    ]
    wrong += [
        f"add [{number}] to exercises/{chapter}.toml"
        for chapter, number in asked.keys() - answered
    ]
    wrong += [
        f"exercises/{chapter}.toml: {chapter} has no exercise {number}"
        for chapter, number in answered - asked.keys()
    ]
    assert not wrong, "\n".join(sorted(wrong))


@each_exercise
def test_three_right_and_two_wrong_answers(path, number):
    planted = answers(path)[str(number)]
    right, wrong = {*planted["right"]}, {*planted["wrong"]}
    found = f"{len(right)} right and {len(wrong)} wrong answers"
    assert len(right) >= 3, f"{found}: three right ones are wanted"
    assert len(wrong) >= 2, f"{found}: two wrong ones are wanted"
    assert not right & wrong


@each_exercise
def test_answers_are_judged_rightly(path, number):
    exercise = run(path).exercises[number - 1]
    misjudged = []
    for kind, planted in answers(path)[str(number)].items():
        for answer in planted:
            try:
                verdict = "right" if exercise.accepts(answer) else "wrong"
            except TooLong as error:
                verdict = str(error)
            except Exception as error:
                verdict = repr(error)
            if verdict != kind:
                misjudged.append(f"{kind} judged {verdict}:\n{answer}")
    assert not misjudged, "\n\n".join(misjudged)


@each_exercise
def test_answer_comes_first_and_is_open(path, number):
    """Run on without an answer: nothing is judged, nothing fails."""
    _, answer, check, solution = parts(path, number)
    assert tags(answer) == ["answer"]
    assert tags(check) == ["hide-cell", "check"]
    assert tags(solution) == ["hide-cell", "solution"]
    names = open_names(answer)
    *_, verdict = ast.parse(check.source).body
    asked = " and ".join(f"{name} is not ..." for name in names)
    call = f"check({', '.join(names)})"
    assert ast.unparse(verdict) == f"{asked} and {call}"
    assert [o.data["text/plain"] for o in check.outputs] == ["False"]
    judged = re.search(r"\bcheck\(", solution.source)
    assert judged, "the solution must end with check(...)"
    text = statement(path, number)
    for name in names:
        assert f"`{name}`" in text or f"`{name}(" in text
    assigned = assigned_names(solution.source)
    assert not assigned & {*names}, "the solution takes the answer's name"


def open_names(answer):
    names = []
    for line in ast.parse(answer.source).body:
        assert isinstance(line, ast.Assign)
        assert ast.unparse(line.value) == "..."
        names += [ast.unparse(target) for target in line.targets]
    return names


def assigned_names(source):
    nodes = list(ast.walk(ast.parse(source)))
    found = {n.name for n in nodes if isinstance(n, ast.FunctionDef)}
    found |= {
        a.arg
        for n in nodes
        if isinstance(n, ast.arguments)
        for a in (*n.args, *n.kwonlyargs, *filter(None, (n.vararg, n.kwarg)))
    }
    found |= {
        n.id
        for n in nodes
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    found |= {n.name for n in nodes if isinstance(n, ast.ExceptHandler)}
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


@each_exercise
def test_check_needs_no_name_that_the_statement_does_not_give(path, number):
    """Beyond what the chapter imports where the reader can see it."""
    _, _, check, _ = parts(path, number)
    before = run(path).exercises[number - 1].before
    needed = {
        node.id
        for node in ast.walk(ast.parse(check.source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    needed -= assigned_names(check.source) | {*vars(builtins)}
    text = statement(path, number)
    spans = " ".join(re.findall(r"`([^`]+)`", text))
    given = {*re.findall(r"\w+", spans)}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        given |= assigned_names(block)
    for name in needed - given:
        value = before[name]
        home = getattr(value, "__module__", "__main__")
        assert isinstance(value, ModuleType) or home != "__main__", name
