"""What readers do on the built site, in a real browser."""

import re
import subprocess
from urllib.parse import urlsplit
from zipfile import ZipFile

import nbformat
import pytest
from book_pages import CHAPTER, ROOT, each_edition
from in_browser import heard, load_all, new_page, scroll_to, search

from book._ext.english import CHINESE, english


def test_readable_without_javascript(browser, base):
    with new_page(browser, java_script_enabled=False) as page:
        page.goto(base + CHAPTER)
        page.locator("details:has(.cell_input) > summary").first.click()
        assert page.locator("details .cell_input").first.is_visible()
        background, color = page.evaluate(
            """() => [getComputedStyle(document.body).backgroundColor,
                      getComputedStyle(document.body).color]"""
        )
        assert background == "rgb(255, 255, 255)"
        assert color != background


@each_edition
def test_tables_of_words_fit_a_small_phone(page, base, edition):
    page.set_viewport_size({"width": 360, "height": 800})
    for name in ("index", "01-data", "02-iteration", "notation", "from-note"):
        page.goto(f"{base}{edition}/book/{name}.html")
        for inside, outside in page.evaluate(
            """[...document.querySelectorAll("article table")].map((table) =>
                 [table.scrollWidth, table.parentElement.clientWidth])"""
        ):
            assert inside <= outside + 1, name


@pytest.mark.parametrize(
    ("edition", "find", "first", "sixth"),
    [
        ("zh", "搜索", "1. 生成数据集", "6. 定义优化算法"),
        ("en", "Search", "1. Generate a dataset", "6. Define the optimizer"),
    ],
)
def test_keyboard_reaches_search_and_navigation(
    page, base, edition, find, first, sixth
):
    page.goto(f"{base}{edition}/book/06-sgd.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hash") == "#main-content"
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert any(text.startswith(find) for text in reached)
    assert first in reached
    page.keyboard.press("Control+k")
    page.keyboard.type("zero_")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=zero_*")
    page.get_by_role("link", name=sixth).last.wait_for()


@pytest.mark.parametrize("words", ["怎么清零梯度", "噪声的方差", "学习率太大"])
def test_search_cuts_what_is_written_without_spaces(page, base, words):
    assert len(search(page, base, words)) >= 2


@pytest.mark.parametrize(
    ("edition", "said"), [("zh", "没有"), ("en", "did not match")]
)
def test_search_says_so_when_it_finds_nothing(page, base, edition, said):
    assert search(page, base, "xyzzy", edition) == []
    assert said in page.locator("#search-results").inner_text()


def test_copy_button_copies_the_code_alone(page, base):
    page.goto(base + CHAPTER)
    page.locator("div.cell_input").first.hover()
    page.locator("div.cell_input button.copybtn").first.click()
    page.locator("div.cell_input button.copybtn.success").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    notebook = nbformat.read(ROOT / "book" / "06-sgd.ipynb", as_version=4)
    (first, *_) = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and "remove-input" not in cell.metadata.get("tags", [])
    ]
    assert copied.strip() == first.source.strip()


def test_chapter_downloads_as_its_notebook(page, base):
    page.goto(base + CHAPTER)
    with page.expect_download() as download:
        page.get_by_label("下载这一章的笔记本").click()
    found = nbformat.read(download.value.path(), as_version=4)
    stored = nbformat.read(ROOT / "book" / "06-sgd.ipynb", as_version=4)
    assert found.cells == stored.cells
    assert "pip install .. in" in found.cells[1].source.replace(
        '"\n        "', ""
    )


@pytest.mark.parametrize(
    ("edition", "link"),
    [("zh", "全部笔记本和代码"), ("en", "all notebooks and code")],
)
def test_the_bundle_has_what_the_chapters_need(
    page, base, tmp_path, edition, link
):
    page.goto(f"{base}{edition}/book/index.html")
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    with ZipFile(download.value.path()) as bundle:
        bundle.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    tracked = subprocess.run(
        ["git", "ls-files", "linreg", "benchmarks", "book/*.ipynb"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert len(tracked) > 25
    for name in [*tracked, "README.md", "requirements.txt", "pyproject.toml"]:
        packed, own = (folder / name).read_bytes(), (ROOT / name).read_bytes()
        if edition == "en" and name.startswith("book/"):
            own = english(ROOT / name).encode()
        assert packed == own, name


def test_one_header_and_buttons_in_chinese(page, base):
    """In English, the visit of each page sees what is not."""
    page.goto(base + CHAPTER)
    assert page.locator(".bd-header-article").count() == 1
    assert page.locator("header.bd-header").inner_text().strip() == ""
    labels = page.evaluate(
        """[...document.querySelectorAll(
              "button, a.btn:not(.switch-edition), .prev-next-area, input,"
              + ".bd-toc")]
           .flatMap((e) => [e.title, e.ariaLabel, e.placeholder,
                            e.matches(".prev-next-area") ? e.innerText : ""])
           .filter(Boolean)"""
    )
    assert len(labels) > 8
    assert all(CHINESE.search(text) for text in labels)


def test_the_switch_leads_to_the_section_that_is_read(page, base):
    page.goto(base + CHAPTER)
    load_all(page)
    for section in (9, 3, 12):
        scroll_to(page.locator(f"#section-{section}"))
        box = page.locator("a.switch-edition").bounding_box()
        page.mouse.click(box["x"] + 5, box["y"] + 5)  # click() would scroll
        page.wait_for_url(re.compile(f"#section-{section}$"))
        page.wait_for_function(
            """(id) => {
              const place = document.getElementById(id);
              const { top } = place.getBoundingClientRect();
              return top >= 0 && top < 300;
            }""",
            arg=f"section-{section}",
        )
        load_all(page)
    assert "/en/" in page.url


@pytest.mark.parametrize(
    ("languages", "edition"),
    [
        ("zh-CN", "zh"),
        ("zh-Hant-TW", "zh"),
        ("en-GB", "en"),
        ("de-DE", "en"),
    ],
)
def test_the_front_door_speaks_the_reader_s_language(
    browser, site, languages, edition
):
    with new_page(browser, locale=languages) as page:
        page.goto((site / "index.html").as_uri())
        page.wait_for_url(f"**/{edition}/book/index.html")


def test_the_front_door_offers_both_without_javascript(browser, base):
    with new_page(browser, java_script_enabled=False) as page:
        for name in ("Linear Regression from Scratch", "从零开始的线性回归"):
            page.goto(f"{base}index.html")
            page.get_by_role("link", name=name).click()
            assert page.locator("h1").first.inner_text().startswith(name)


def test_works_from_disk(page, site):
    with (
        heard(page, "requestfailed", lambda request: request.url) as failed,
        heard(page, "pageerror", str) as errors,
    ):
        page.goto((site / CHAPTER).as_uri(), wait_until="networkidle")
        load_all(page)
        icon = page.locator(".fa-bars").first
        font = icon.evaluate("(i) => getComputedStyle(i).fontFamily")
        found = search(page, f"{site.as_uri()}/", "学习率")
    assert "Awesome" in font
    assert CHAPTER in [f"zh/{urlsplit(name).path}" for name in found]
    assert failed == errors == []
