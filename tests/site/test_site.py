"""What readers do on the built site, in a real browser."""

import re

import nbformat
import pytest
from book_pages import CHAPTER, EDITIONS, ROOT
from in_browser import (
    heard,
    load_all,
    new_page,
    pass_figures,
    scroll_to,
)

from book._ext.english import CHINESE, title


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
        page.goto(f"{base}zh/book/07-training.html")
        assert page.locator("img[data-explore]").first.is_visible()


@pytest.mark.parametrize(
    ("edition", "find", "first"),
    [
        ("zh", "搜索", "1. 生成数据集"),
        ("en", "Search", "1. Generate a dataset"),
    ],
)
def test_keyboard_reaches_search_and_navigation(
    page, base, edition, find, first
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


def test_chapter_downloads_as_its_notebook(page, base):
    page.goto(base + CHAPTER)
    with page.expect_download() as download:
        page.get_by_label("下载这一章的笔记本").click()
    found = nbformat.read(download.value.path(), as_version=4)
    stored = nbformat.read(ROOT / "book" / "06-sgd.ipynb", as_version=4)
    assert found.cells == stored.cells


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
    for section in (9, 12):
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
    assert page.url.startswith(f"{base}zh/")


@pytest.mark.parametrize(
    ("languages", "edition"), [("zh-Hant-TW", "zh"), ("de-DE", "en")]
)
def test_the_front_door_speaks_the_reader_s_language(
    browser, site, languages, edition
):
    with new_page(browser, locale=languages) as page:
        page.goto((site / "index.html").as_uri())
        page.wait_for_url(f"**/{edition}/book/index.html")


def test_the_front_door_offers_each_without_javascript(browser, base):
    with new_page(browser, java_script_enabled=False) as page:
        for name in map(title, EDITIONS):
            page.goto(f"{base}index.html")
            page.get_by_role("link", name=name).click()
            assert page.locator("h1").first.inner_text().startswith(name)


def test_works_from_disk(page, site):
    with (
        heard(page, "requestfailed", lambda request: request.url) as failed,
        heard(page, "pageerror", str) as errors,
    ):
        page.goto((site / "zh/book/07-training.html").as_uri())
        load_all(page)
        for figure in pass_figures(page):
            figure.wait_for(state="hidden")
        icon = page.locator(".fa-bars").first
        font = icon.evaluate("(i) => getComputedStyle(i).fontFamily")
    assert "Awesome" in font
    assert failed == errors == []
