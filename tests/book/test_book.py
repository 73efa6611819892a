"""What the book promises beyond the outputs that nbval compares."""

import ast
import inspect
import re
from itertools import pairwise

import nbformat
import pytest
from notebook_run import NOTEBOOKS, ROOT, each_notebook

import linreg
from book._ext import contents
from tools.cover import draw_line
from tools.execute import close_guesses

BOOK = ROOT / "book"
CHAPTERS = [path for path in NOTEBOOKS if path.stem[0].isdigit()]
CORE = [path.stem for path in sorted(BOOK.glob("0[1-8]-*"))]
PARTS = ["想法", "亲手做", "包里的版本", "用起来", "常见错误", "练习", "小结"]
CHINESE = re.compile("[\u4e00-\u9fff]")
FOLD = re.compile(
    r"<details>.*?</details>"
    r"|^(:::+|```+) *\{(dropdown|admonition)[^\n]*.*?^\1",
    re.DOTALL | re.MULTILINE,
)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


def cells(path, kind):
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def prose(path):
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def without_code(text):
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def headings(path):
    return re.findall(r"^(#+) (.+)$", without_code(prose(path)), re.MULTILINE)


@each_notebook
def test_runs_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in cells(path, "code")]
    in_order = counts == list(range(1, len(counts) + 1))
    assert in_order, f"make execute NOTEBOOKS=book/{path.name}"


@each_notebook
def test_nothing_is_skipped_or_ignored(path):
    allowed = {
        *("raises-exception", "hide-cell", "answer", "check"),
        *("remove-input", "solution", "source"),
    }
    for cell in cells(path, "code"):
        assert set(cell.metadata.get("tags", [])) <= allowed, cell.source
        assert not re.search(r"NBVAL|nbval", cell.source)


@each_notebook
def test_in_notebooks_a_guess_comes_before_its_answer(path):
    """The site's own marks are compared with these in test_guesses.py."""
    stored = nbformat.read(path, as_version=4)
    closed = nbformat.read(path, as_version=4)
    close_guesses(closed)
    same = stored == closed
    assert same, f"make execute NOTEBOOKS=book/{path.name}"


@each_notebook
def test_stored_outputs_name_no_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"0x[0-9a-f]{6,}|ipykernel_|/home/|/root/", text)
    for cell in cells(path, "code"):
        assert "execution" not in cell.metadata


@each_chapter
def test_eight_parts(path):
    first, *_ = cells(path, "markdown")
    assert first.source.startswith("# ")
    assert "**一句话。**" in first.source
    assert "**需要。**" in first.source
    assert re.search(r"\*\*时间。\*\* 约 \d+ 分钟[。，]", first.source)
    assert [text for mark, text in headings(path) if mark == "##"] == PARTS


@pytest.mark.parametrize("name", linreg.__all__)
def test_what_is_taught_is_the_code(name):
    """One line that checks, then the lines that the chapter wrote."""
    (function,) = ast.parse(inspect.getsource(getattr(linreg, name))).body
    docstring, check, *_ = function.body
    assert ast.get_docstring(function)
    assert "check_" in ast.unparse(check)
    assert function.end_lineno - docstring.end_lineno <= 12


def length(path):
    """Chinese characters on a chapter's main road."""
    characters, exercises = 0, False
    for cell in cells(path, "markdown"):
        for title in re.findall("^## (.+)", cell.source, re.MULTILINE):
            exercises = title == "练习"
        if not exercises:
            characters += len(CHINESE.findall(FOLD.sub("", cell.source)))
    return characters


def test_the_main_road_is_short():
    lengths = {path.stem: length(path) for path in CHAPTERS}
    for name, characters in lengths.items():
        assert characters <= (2400 if name >= "09" else 1800), name
    assert sum(lengths[name] for name in lengths if name < "09") <= 13_000


@each_notebook
def test_exercises_have_answer_check_and_solution(path):
    """After each statement these three cells, and never one of them alone."""
    notebook = nbformat.read(path, as_version=4)
    expected, exercises = [], 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if expected:
            assert tags == expected.pop(0), cell.source
        elif cell.cell_type == "code":
            assert not {"answer", "check", "solution"} & {*tags}, cell.source
        else:
            numbers = re.findall("^### 练习 ([0-9]+)：", cell.source, re.M)
            exercises += len(numbers)
            assert numbers in ([], [str(exercises)]), cell.source
            expected = [
                ["answer"],
                ["hide-cell", "check"],
                ["hide-cell", "solution"],
            ] * len(numbers)
        if "solution" in tags and cell.cell_type == "code":
            assert cell.outputs, cell.source
        if "check" in tags:
            prompts = cell.metadata["mystnb"]
            assert prompts["code_prompt_show"] == "展开检查"
            assert prompts["code_prompt_hide"] == "收起检查"
    assert exercises >= 3 or path not in CHAPTERS
    assert not expected


@each_notebook
def test_code_is_code(path):
    """The English edition is made from the same cells."""
    for cell in cells(path, "code"):
        assert cell.source.isascii(), cell.source
        assert not re.search(r"^\s*#", cell.source, re.MULTILINE)


def test_ends_with_the_link_onward():
    for path, following in pairwise(CHAPTERS):
        if int(following.stem[:2]) - int(path.stem[:2]) > 1:
            continue  # what is between is not in the book
        last = cells(path, "markdown")[-1].source
        assert f"]({following.name})" in last, path


def test_every_public_function_is_shown_and_used():
    assert {*CORE} <= {path.stem for path in NOTEBOOKS}
    code = [cell for path in NOTEBOOKS for cell in cells(path, "code")]
    shown = [c.source for c in code if "source" in c.metadata.get("tags", [])]
    used = [
        c.source for c in code if "source" not in c.metadata.get("tags", [])
    ]
    for name in linreg.__all__:
        pattern = rf"getsource\((\w+\.)?{name}(_function)?\)"
        assert any(re.search(pattern, source) for source in shown), name
        assert any(re.search(rf"\b{name}\(", s) for s in used), name


def test_images_have_alternative_text():
    for path in contents.pages():
        for alt in re.findall(r"!\[([^\]]*)\]\(", prose(path)):
            assert len(alt) > 10, path


def test_the_line_is_what_the_code_draws(tmp_path):
    drawn = tmp_path / "line.svg"
    draw_line(str(drawn))
    stored = BOOK / "_static" / "line.svg"
    assert drawn.read_text("utf-8") == stored.read_text("utf-8")
