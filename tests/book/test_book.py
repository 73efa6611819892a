"""What the book promises beyond the outputs that nbval compares."""

import ast
import inspect
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from matplotlib.testing.compare import compare_images
from notebook_run import NOTEBOOKS, ROOT, each_notebook

import linreg
from linreg.pictures import explore, plot
from tools.cover import draw_cover

BOOK = ROOT / "book"
CHAPTERS = [path for path in NOTEBOOKS if path.stem[0].isdigit()]
PAGES = [*NOTEBOOKS, *sorted(BOOK.glob("*.md"))]
PARTS = ["想法", "亲手做", "包里的版本", "用起来", "常见错误", "练习", "小结"]
HIDDEN = {"remove-input", "hide-cell", "remove-cell", "hide-input"}
CHINESE = re.compile("[\u4e00-\u9fff]")
FOLD = re.compile(
    r"<details>.*?</details>"
    r"|^(:::+|```+) *\{(dropdown|admonition)[^\n]*.*?^\1",
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)


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


def anchors(path):
    """The heading anchors of a page, as the site makes them."""
    texts = [text.strip().lower() for _, text in headings(path)]
    return {re.sub(r"[^\w\- ]", "", t).replace(" ", "-") for t in texts}


def toc_pages():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [c for part in toc["parts"] for c in part["chapters"]]
    return [toc["root"], *(chapter["file"] for chapter in chapters)]


def test_toc_lists_every_page():
    expected = sorted(f"book/{path.stem}" for path in PAGES)
    assert sorted(toc_pages()) == expected


@each_notebook
def test_runs_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_errors_only_where_they_are_meant(path):
    for cell in cells(path, "code"):
        kinds = {output.output_type for output in cell.outputs}
        meant = "raises-exception" in cell.metadata.get("tags", [])
        assert ("error" in kinds) == meant, cell.source


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


def weight(path):
    """Chinese characters and visible code cells on a chapter's main road."""
    characters, visible, exercises = 0, 0, False
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for title in re.findall("^## (.+)", cell.source, re.MULTILINE):
                exercises = title == "练习"
            text = FOLD.sub("", cell.source)
            characters += 0 if exercises else len(CHINESE.findall(text))
        elif not exercises:
            visible += HIDDEN.isdisjoint(cell.metadata.get("tags", []))
    return characters, visible


@each_chapter
def test_the_main_road_is_short(path):
    part_two = path.stem >= "09"
    characters, visible = weight(path)
    assert characters <= (2400 if part_two else 1800)
    assert visible <= (20 if part_two else 17)


def test_the_core_is_short():
    core = [path for path in CHAPTERS if path.stem < "09"]
    assert sum(weight(path)[0] for path in core) <= 13_000


@pytest.mark.parametrize("name", linreg.__all__)
def test_what_is_taught_is_the_code(name):
    """One line that checks, then the lines that the chapter wrote."""
    (function,) = ast.parse(inspect.getsource(getattr(linreg, name))).body
    docstring, check, *_ = function.body
    assert ast.get_docstring(function)
    assert "check_" in ast.unparse(check)
    assert function.end_lineno - docstring.end_lineno <= 12


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
        if "solution" in tags:
            assert cell.outputs, cell.source
        if "check" in tags:
            prompts = cell.metadata["mystnb"]
            assert prompts["code_prompt_show"] == "展开检查"
            assert prompts["code_prompt_hide"] == "收起检查"
    assert exercises >= 3 or path not in CHAPTERS
    assert not expected


@each_notebook
def test_figures_have_alternative_text(path):
    for cell in cells(path, "code"):
        draws = any("image/png" in o.get("data", {}) for o in cell.outputs)
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert draws == (len(alt) > 10), cell.source


@each_notebook
def test_code_is_code(path):
    """The English edition is made from the same cells."""
    for cell in cells(path, "code"):
        assert cell.source.isascii(), cell.source
        assert not re.search(r"^\s*#", cell.source, re.MULTILINE)


@each_chapter
def test_ends_with_the_link_onward(path):
    chapters = [page for page in toc_pages() if f"{page}.ipynb" in onward]
    last = cells(path, "markdown")[-1].source
    if f"book/{path.stem}" != chapters[-1]:
        following = chapters[chapters.index(f"book/{path.stem}") + 1]
        assert f"]({Path(following).name}.ipynb)" in last


onward = {f"book/{path.name}" for path in CHAPTERS}


def test_every_public_function_is_shown_and_used():
    code = [cell for path in NOTEBOOKS for cell in cells(path, "code")]
    shown = [c.source for c in code if "source" in c.metadata.get("tags", [])]
    used = [
        c.source for c in code if "source" not in c.metadata.get("tags", [])
    ]
    for name in linreg.__all__:
        pattern = rf"getsource\((\w+\.)?{name}(_function)?\)"
        assert any(re.search(pattern, source) for source in shown), name
        assert any(re.search(rf"\b{name}\(", s) for s in used), name
    used.append(inspect.getsource(explore))
    for name, function in inspect.getmembers(plot, inspect.isfunction):
        if function.__module__ == plot.__name__ and name[0] != "_":
            assert any(f"{name}(" in source for source in used), name


@each_page
def test_links_and_images_resolve(path):
    for target in LINK.findall(without_code(prose(path))):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        page = (path.parent / name) if name else path
        assert page.is_file(), target
        if anchor:
            assert anchor in anchors(page), target


@each_page
def test_images_have_alternative_text(path):
    for alt in re.findall(r"!\[([^\]]*)\]\(", prose(path)):
        assert len(alt) > 10


def test_glossary_terms_are_linked_from_the_chapters():
    linked = "".join(prose(path) for path in NOTEBOOKS)
    for mark, text in headings(BOOK / "glossary.md"):
        if mark == "###" and text not in {"批量 batch", "随机梯度下降 SGD"}:
            anchor = text.lower().replace(" ", "-")
            assert f"](glossary.md#{anchor})" in linked, text


def test_the_note_is_accounted_for():
    text = (BOOK / "from-note.md").read_text(encoding="utf-8")
    for section in range(1, 9):
        assert f"| 1.{section} |" in text


def test_the_cover_is_what_the_code_draws(tmp_path):
    drawn = tmp_path / "cover.png"
    draw_cover(str(drawn))
    stored = BOOK / "_static" / "cover.png"
    assert compare_images(str(stored), str(drawn), tol=3) is None
