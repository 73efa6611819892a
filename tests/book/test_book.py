"""What the book promises beyond the outputs that nbval compares."""

import inspect
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from matplotlib.testing.compare import compare_images

import linreg
from linreg import explore, plot
from tools.cover import draw_cover

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.stem[0].isdigit()]
PAGES = [*NOTEBOOKS, *sorted(BOOK.glob("*.md"))]
PARTS = [
    "想法",
    "亲手做",
    "包里的版本",
    "用起来",
    "常见错误",
    "练习",
    "小结",
]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")

each_notebook = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=lambda p: p.stem
)
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


def test_there_are_eight_chapters_or_more():
    assert len(CHAPTERS) >= 8


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
    assert [text for mark, text in headings(path) if mark == "##"] == PARTS


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
            assert re.search("^ +assert ", cell.source, re.MULTILINE)
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


def test_glossary_has_every_term_of_the_house():
    terms = {text for _, text in headings(BOOK / "glossary.md")}
    for term in [
        "样本 example",
        "特征 feature",
        "标签 label",
        "批量 batch",
        "小批量 mini-batch",
        "批量大小 batch size",
        "迭代周期 epoch",
        "学习率 learning rate",
        "参数 parameter",
        "权重 weight",
        "偏置 bias",
        "梯度 gradient",
        "自动微分 automatic differentiation",
        "计算图 computational graph",
        "反向传播 backpropagation",
        "广播 broadcasting",
        "损失函数 loss function",
        "平方损失 squared loss",
        "随机梯度下降 SGD",
        "小批量随机梯度下降 mini-batch SGD",
        "张量 tensor",
        "生成器 generator",
        "上下文管理器 context manager",
        "标准差 standard deviation",
        "方差 variance",
        "最小二乘 least squares",
        "噪声下限 noise floor",
        "随机种子 seed",
    ]:
        assert term in terms


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
