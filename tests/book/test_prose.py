"""No number in the prose of the book stands there on its own authority.

Every number in Markdown and in the figures' alternative texts is one of the
following. `prose/` has a file for each text that needs one.

- structure: the number of a chapter, figure or exercise, or part of a formula
  (the 2 of x², the 1 of a shape (m, 1));
- given: a literal in the chapter's code, or a sentence in `given` says so (a
  comment there says whose number it is), or it is the year of a work in the
  bibliography, next to its author;
- seen: a cell close by prints it, rounded as written; shapes and lists are
  compared as a whole;
- worked out: the prose shows the arithmetic, and it is right;
- computed: a sentence in `computed` has the expression between « and ». It is
  evaluated in the state after the code cell before the sentence, or, if a
  name is missing there, after the next one, or at the end of the notebook; on
  the pages, in the state after the first cell of chapter 7.

Words make claims as well: `[[claims]]` has the text of one, and `holds`, an
expression that must be true in one of those states.
"""

import ast
import functools
import re
import tomllib
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path

import nbformat
import pytest
import torch
from notebook_run import NOTEBOOKS, ROOT, run, run_cells, tags
from sympy import SympifyError, sympify

from book._ext import contents

PAGES = [p for p in contents.pages() if p.suffix == ".md"]
SENTENCES = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in Path(__file__).with_name("prose").glob("*.toml")
}
NEAR = 2  # so many code cells before and after a paragraph belong to it

NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.])(?<!\de)-?\d+(?:\.\d+)?(?:e-?\d+)?"
    r"(?![0-9A-Za-z_])(?!\.\d)"
)
OUTPUT = re.compile(r"(?<![A-Za-z_0-9.])-?\d+\.?\d*(?:e[-+]\d+)?")
FIELD = re.compile("«(.+?)»")
MATHS = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
ROUGHLY = re.compile(r"(?:约|≈|approx|差不多)[^\d，。；]{0,4}$")
WORK = re.compile(r"([A-Z][a-z]+)[^。]{0,6}?[，（]((?:19|20)\d\d)")
STRUCTURE = re.compile(
    r"```.*?```"  # code
    r"|`[^`\n]*[A-Za-z_][^`\n]*`"
    r"|\]\([^)\s]+\)"  # where a link points to
    r"|https?://\S+"
    r"|\*\*时间。\*\* 约 \d+ 分钟"
    r"|第 \d+(?: ?[、–到] ?\d+)* 章"
    r"|(?:图|练习|表) ?\d+(?:\.\d+)?"
    r"|^ *\d+\. "  # a numbered list
    r"|\[\d+\. ",  # a link to a chapter
    re.DOTALL | re.MULTILINE,
)


@dataclass(eq=False)
class Paragraph:
    """A Markdown cell or an alternative text, and what is around it."""

    place: int
    text: str
    outputs: str
    near_code: str
    code: str
    states: list


@functools.cache
def paragraphs(path):
    if path.suffix == ".md":
        text = path.read_text(encoding="utf-8")
        return [Paragraph(1, text, "", "", "", [book_state()])]
    cells = nbformat.read(path, as_version=4).cells
    run_states = run(path).states
    everything = source(cells)
    found = []
    for i, cell in enumerate(cells):
        text = cell.source
        if cell.cell_type == "code":
            image = cell.metadata.get("mystnb", {}).get("image", {})
            text = image.get("alt", "")
        before = [c for c in cells[:i] if c.cell_type == "code"][-NEAR:]
        after = [c for c in cells[i:] if c.cell_type == "code"][:NEAR]
        near = before + after
        outputs = "\n".join(printed(c) for c in near)
        order = [*before[-1:], *after[:1], near[-1]]
        states = [run_states[c.id] for c in order]
        states.append(run(path).names)
        found.append(
            Paragraph(i + 1, text, outputs, source(near), everything, states)
        )
    return found


@functools.cache
def book_state():
    """The numbers of the whole book, as chapter 7 sets them."""
    (path,) = [p for p in NOTEBOOKS if p.stem == "07-training"]
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(settings)["project"]
    cells = nbformat.read(path, as_version=4).cells
    last = next(i for i, c in enumerate(cells) if "num_epochs =" in c.source)
    state = run_cells(cells[: last + 1], path.parent).names
    return {**state, "python": project["requires-python"].strip(">=")}


def source(cells):
    """The cells' code; not the checks, whose numbers are their own."""
    return "\n".join(
        cell.source
        for cell in cells
        if cell.cell_type == "code" and "check" not in tags(cell)
    )


def printed(cell):
    if {"source", "check"} & {*tags(cell)}:
        return ""
    parts = []
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        parts.append(output.get("evalue", ""))
        parts.append(output.get("data", {}).get("text/plain", ""))
    return "\n".join(parts)


def unexplained(paragraph, text, sentences):
    """Find the numbers in `text` that rest on nothing."""
    visible = STRUCTURE.sub(lambda m: " " * len(m[0]), text)
    covered = dict(by_sentence(paragraph, text, sentences))
    for match in NUMBER.finditer(visible):
        why = covered.get(match.span())
        if why is None:
            why = by_surroundings(paragraph, visible, match)
        if not why:
            yield match


def by_sentence(paragraph, text, sentences):
    for sentence in sentences.get("given", []):
        for match in re.finditer(re.escape(sentence), text):
            for number in NUMBER.finditer(text, *match.span()):
                yield number.span(), "given"
    for match in WORK.finditer(text):
        if re.search(rf"{match[1]}(?s:.{{0,400}}?){match[2]}", bibliography()):
            yield match.span(2), "given"
    for sentence in sentences.get("computed", []):
        for match in pattern(sentence).finditer(text):
            values = evaluate(sentence, paragraph)
            for group, value in enumerate(values, start=1):
                good = agrees(match[group], value)
                yield match.span(group), "computed" if good else ""


def pattern(sentence):
    """A regular expression that finds the sentence with any numbers."""
    texts = FIELD.split(sentence)[::2]
    return re.compile(r"(-?\d+(?:\.\d+)?)".join(map(re.escape, texts)))


@functools.cache
def evaluate(sentence, paragraph):
    fields = FIELD.findall(sentence)
    values = in_a_state(paragraph, f"[{', '.join(fields)}]")
    return [repr(float(torch.as_tensor(value).detach())) for value in values]


def in_a_state(paragraph, expression):
    """Evaluate in the first state that knows all the names."""
    for state in paragraph.states:
        try:
            return eval(expression, dict(state))
        except NameError:
            continue
    raise AssertionError(f"no state knows all names of: {expression}")


def agrees(text, value):
    """Is the value, rounded as the text is written, the text?"""
    number = Decimal(text)
    try:
        return Decimal(value).quantize(number, ROUND_HALF_UP) == number
    except InvalidOperation:  # the value has too many digits for that
        return False


def by_surroundings(paragraph, visible, match):
    text = match[0]
    for maths in MATHS.finditer(visible):
        if maths.start() <= match.start() < maths.end():
            verdict = in_maths(
                paragraph, maths[0], match.start() - maths.start()
            )
            if verdict is not None:
                return verdict
    if is_literal(text, paragraph.near_code):
        return "given"
    roughly = ROUGHLY.search(visible[: match.start()])
    for output in OUTPUT.findall(paragraph.outputs):
        same = Decimal(output) == Decimal(text)
        if "." in text or roughly:
            same = same or (float(text) != 0 and agrees(text, output))
        if same:
            return "seen"
    return "given" if is_literal(text, paragraph.code) else ""


def is_literal(text, code):
    values = literals(code)
    return float(text) in values or float(text) in map(abs, values)


@functools.cache
def literals(code):
    """The numbers in the code, in its order, with their signs."""
    numbers, signs = [], {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            signs[node.operand] = -1
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            numbers.append(node)
    numbers.sort(key=lambda node: (node.lineno, node.col_offset))
    return [node.value * signs.get(node, 1) for node in numbers]


@functools.cache
def bibliography():
    return (ROOT / "book/references.bib").read_text(encoding="utf-8")


def in_maths(paragraph, maths, place):
    """Judge a number in a formula; None if nothing there speaks for it."""
    listed = sequence(maths, place)
    if listed:
        return by_sequence(paragraph, *listed)
    return arithmetic(maths, place)


def sequence(maths, place):
    """The brackets and the numbers of the list at `place`, if one is there."""
    number = r" *-?\d+(?:\.\d+)? *"
    lists = (
        rf"\$({number}(?:,{number})+)\$"
        rf"|(?<![}}A-Za-z])([\[(]{number}(?:,{number})*,?[\])])"
    )
    for match in re.finditer(lists, maths):
        inside = match[1] or match[2]
        if match.start() <= place < match.end() and "," in inside:
            return inside[0], [float(n) for n in NUMBER.findall(inside)]
    return None


def by_sequence(paragraph, bracket, values):
    if bracket == "(" and values == [1]:
        return "structure"  # the shape of the bias
    if len(values) == 1:
        text = f"{values[0]:g}"
        shapes = (f"Size([{text}])", f"({text},)")
        return "seen" if any(s in paragraph.outputs for s in shapes) else ""
    printed = [float(n) for n in OUTPUT.findall(paragraph.outputs)]
    if contains(printed, values):
        return "seen"
    return "given" if contains(literals(paragraph.code), values) else ""


def contains(values, part):
    return any(
        values[i : i + len(part)] == part
        for i in range(len(values) - len(part) + 1)
    )


def arithmetic(maths, place):
    start = 0
    for line in re.split(r"(\\\\|&|:)", maths):
        if start <= place < start + len(line):
            break
        start += len(line)
    line = line.strip("$ \n")
    line = re.sub(r"\\(quad|,|displaystyle)", " ", line)
    line = re.sub(r"\\sqrt\{([^{}]*)\}", r"((\1)**0.5)", line)
    line = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", line)
    line = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", line)
    line = line.replace(r"\times", "*").replace("^", "**")
    if re.search(r"[A-Za-z]", re.sub(r"\\(approx|pm|ldots|cdots)", "", line)):
        return "structure" if part_of_formula(maths, place) else None
    sides = re.split(r"=|\\approx", line)
    if len(sides) == 1 or "," in line:
        return None
    try:
        *values, last = [float(sympify(side)) for side in sides]
    except SympifyError:
        return None
    if r"\approx" in line:
        good = all(agrees(sides[-1].strip(), repr(v)) for v in values)
    else:
        good = all(abs(value - last) < 1e-9 for value in values)
    return "worked out" if good else ""


def part_of_formula(maths, place):
    """A digit among symbols; but not a value, as in w = 2."""
    number = re.match(r"-?[\d.]*", maths[place:])[0]
    before, after = maths[:place], maths[place + len(number) :]
    value = re.search(r"(=|approx) *$", before) and re.match(r" *[,$]", after)
    return len(number.strip("-")) == 1 and not value


# The pages quote the run of chapter 7, if it is there, and share its worker.
with_chapter_7 = pytest.mark.xdist_group("run 07")
each_text = pytest.mark.parametrize(
    "path",
    [
        *NOTEBOOKS,
        *(
            pytest.param(path, marks=with_chapter_7)
            for path in PAGES
            if "07-training" in contents.names()
        ),
    ],
    ids=lambda path: path.stem,
)


@each_text
def test_every_number_rests_on_something(path):
    sentences = SENTENCES.get(path.stem, {})
    lost = []
    for paragraph in paragraphs(path):
        text = paragraph.text
        for number in unexplained(paragraph, text, sentences):
            around = slice(max(0, number.start() - 20), number.end() + 12)
            line = text[: number.start()].count("\n") + 1
            place = f"cell {paragraph.place}, line {line}"
            lost.append(f"{place}: {number[0]} in {text[around]!r}")
    if lost:
        advice = "add to computed or given in tests/book/prose"
        pytest.fail("\n".join([f"{advice}/{path.stem}.toml:", *lost]), False)


@each_text
def test_every_sentence_of_the_table_is_in_the_text(path):
    sentences = SENTENCES.get(path.stem, {})
    text = "\n\n".join(paragraph.text for paragraph in paragraphs(path))
    for sentence in sentences.get("computed", []):
        assert pattern(sentence).search(text), sentence
    for sentence in sentences.get("given", []):
        assert sentence in text, sentence
    for claim in sentences.get("claims", []):
        assert claim["text"] in text, claim["text"]


@each_text
def test_claims_hold(path):
    for claim in SENTENCES.get(path.stem, {}).get("claims", []):
        for paragraph in paragraphs(path):
            if claim["text"] in paragraph.text:
                assert in_a_state(paragraph, claim["holds"]), claim["text"]


def test_the_table_names_no_other_text():
    assert SENTENCES.keys() <= {path.stem for path in contents.BOOK.iterdir()}


@pytest.mark.parametrize(
    "path",
    [path for path in NOTEBOOKS if path.stem[0].isdigit()],
    ids=lambda path: path.stem,
)
def test_figures_are_numbered_in_order(path):
    chapter = int(path.stem[:2])
    text = "\n\n".join(paragraph.text for paragraph in paragraphs(path))
    captions = re.findall(r"\*\*图 (\d+)\.(\d+)\*\*", text)
    count = len(captions)
    assert captions == [(str(chapter), str(k + 1)) for k in range(count)]
    for mention in re.findall(r"图 (\d+)\.(\d+)", text):
        assert mention in captions
