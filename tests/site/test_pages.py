"""The pages of the site, visited once in a real browser for all checks."""

import re
from dataclasses import dataclass, field
from functools import cache

import pytest
from book_pages import ALL_PAGES, SENDING_ON, said_in_chinese
from bs4 import BeautifulSoup
from in_browser import (
    VISITED,
    heard,
    load_all,
    modes_of_page,
    pass_figures,
    put_in_mode,
    violations,
)

FORMULAS = """() => {
  const all = [...document.querySelectorAll("article .katex")];
  const box = (formula, part) =>
    formula.querySelector(part).getBoundingClientRect();
  return [
    all.filter((f) => box(f, ".katex-html").height < 5).length,
    all.filter((f) => box(f, ".katex-mathml").width > 1).length,
  ];
}"""
PROSE = """(article) => {
  const copy = article.cloneNode(true);
  copy.querySelectorAll("pre, code, .katex, .explore").forEach(
    (element) => element.remove());
  return copy.textContent;
}"""
# Also of the pictures in whose place a figure answers.
SHARPNESS = """() => {
  for (const hidden of document.querySelectorAll(".explore-picture"))
    hidden.classList.remove("explore-picture");
  return [...document.querySelectorAll("article img")].map((image) =>
    [image.closest(".cell") !== null,
     image.naturalWidth / image.getBoundingClientRect().width]);
}"""


@dataclass
class Visit:
    """What was to be seen, and what came over the line."""

    formulas: list[int] = field(default_factory=list)
    text: str = ""
    prose: str = ""
    chinese: list[str] = field(default_factory=list)
    violations: dict[tuple[int, str], list] = field(default_factory=dict)
    sharpness: list[tuple[bool, float]] = field(default_factory=list)
    width: int = 0
    failed: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


def look_at(page, name):
    """Read the page that is open, with all that is folded or fetched late."""
    load_all(page)
    for figure in pass_figures(page):
        figure.wait_for(state="hidden")
    found = Visit(page.evaluate(FORMULAS))
    if name[:2] == "en":
        found.chinese = said_in_chinese(BeautifulSoup(page.content(), "lxml"))
    if (article := page.locator("article")).count():
        found.text = article.inner_text()
        found.prose = article.evaluate(PROSE)
    for width, mode in modes_of_page(name):
        put_in_mode(page, width, mode)
        found.violations[width, mode] = violations(page)
    page.set_viewport_size({"width": 375, "height": 800})
    found.sharpness = page.evaluate(SHARPNESS)
    found.width = page.evaluate("document.documentElement.scrollWidth")
    return found


@pytest.fixture(scope="module")
def visited(own_window, base):
    """Visit a page, once; each page in the same window, without a cache."""
    page = own_window
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})

    @cache
    def visit(name):
        page.goto("about:blank")
        with (
            heard(
                page, "requestfailed", lambda request: request.url
            ) as failed,
            heard(page, "pageerror", str) as errors,
            heard(page, "console", lambda m: (m.type, m.text)) as lines,
            heard(client, "Network.requestWillBeSent", dict) as sent,
            heard(client, "Network.loadingFinished", dict) as loaded,
        ):
            if name in VISITED:
                put_in_mode(page, *modes_of_page(name)[0])
                page.goto(base + name)
                found = look_at(page, name)
            else:  # it sends the reader on, maybe before it is there whole
                page.goto(base + name, wait_until="networkidle")
                found = Visit()
                failed = [url for url in failed if url != base + name]
        found.failed = failed
        bad = ("error", "warning")
        found.messages = errors + [text for kind, text in lines if kind in bad]
        found.urls = {e["requestId"]: e["request"]["url"] for e in sent}
        found.sizes = {e["requestId"]: e["encodedDataLength"] for e in loaded}
        return found

    return visit


@pytest.mark.parametrize("name", VISITED + SENDING_ON)
def test_page_is_light_and_stays_at_home(visited, base, name):
    """At most 20 requests and 350 KB gzipped, besides the pictures.

    None is foreign, none fails; and no error, also with all figures.
    """
    visit = visited(name)
    urls = {u: i for i, u in visit.urls.items() if not u.startswith("data:")}
    assert [url for url in urls if not url.startswith(base)] == []
    assert visit.failed == []
    assert visit.messages == []
    rest = [i for url, i in urls.items() if not url.endswith(".png")]
    # index.html sends the reader on, which costs one request.
    assert 0 < len(rest) <= 20
    assert 0 < sum(visit.sizes.get(i, 0) for i in rest) <= 350_000
    assert sum(visit.sizes.values()) <= 500_000


@pytest.mark.parametrize("name", VISITED)
def test_accessible_in_every_mode_and_width(visited, name):
    """To axe in one mode of one edition; in all of both where CI is set."""
    visit = visited(name)
    assert visit.violations.keys() == {*modes_of_page(name)}
    for mode, found in visit.violations.items():
        assert found == [], mode
    assert 0 < visit.width <= 375


@pytest.mark.parametrize("name", [n for n in VISITED if n in ALL_PAGES])
def test_every_formula_is_visible_once(visited, name):
    """Nor does a table that a cell prints show its source."""
    visit = visited(name)
    assert visit.text
    assert visit.formulas == [0, 0]  # hidden ones, and doubled ones
    assert not re.search(r"\$\$|\\\(|\\mathbf", visit.text)
    assert not re.search(r"\$\w\$|\| ?[-—]", visit.prose)


@pytest.mark.parametrize("name", [n for n in VISITED if n[:2] == "en"])
def test_no_chinese_on_an_english_page(visited, name):
    """A figure that answers has words of its own; so have its knobs."""
    assert visited(name).chinese == []


@pytest.mark.parametrize("name", VISITED)
def test_figures_are_as_sharp_as_a_phone_needs(visited, name):
    for cell, ratio in visited(name).sharpness:
        # A figure has two pixels for one: it keeps two thirds of its size, or
        # its labels would be too small to read.
        assert 2 <= ratio <= (3 if cell else 5)
