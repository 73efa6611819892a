"""Every page of the site, visited once in a real browser for all checks."""

import re
from dataclasses import dataclass, field
from functools import cache

import pytest
from book_pages import ALL_PAGES, EVERY_PAGE, PAGES, REAL_PAGES
from in_browser import (
    MODES,
    heard,
    load_all,
    modes_looked_at,
    new_page,
    pass_figures,
    put_in_mode,
    violations,
)

from book._ext.english import CHINESE

FORMULAS = """() => {
  const all = [...document.querySelectorAll("article .katex")];
  const box = (formula, part) =>
    formula.querySelector(part).getBoundingClientRect();
  return [
    all.length,
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
# But for the link to the Chinese page: what is seen, and what is said.
SAID = """() => {
  const link = document.querySelector("a.switch-edition");
  const walker = document.createTreeWalker(
    document, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT,
    (node) => node === link ? NodeFilter.FILTER_REJECT
                            : NodeFilter.FILTER_ACCEPT);
  const said = [];
  while (walker.nextNode()) {
    const { currentNode: node } = walker;
    if (node.nodeType === Node.TEXT_NODE) said.push(node.data);
    else for (const { name, value } of node.attributes)
      if (!["href", "data-explore"].includes(name)) said.push(value);
  }
  return said;
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

    formulas: tuple[int, int, int] = (0, 0, 0)
    text: str = ""
    prose: str = ""
    said: list[str] = field(default_factory=list)
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
    found = Visit(page.evaluate(FORMULAS), said=page.evaluate(SAID))
    if (article := page.locator("article")).count():
        found.text = article.inner_text()
        found.prose = article.evaluate(PROSE)
    for width, mode in modes(name):
        put_in_mode(page, width, mode)
        found.violations[width, mode] = violations(page)
    page.set_viewport_size({"width": 375, "height": 800})
    found.sharpness = page.evaluate(SHARPNESS)
    found.width = page.evaluate("document.documentElement.scrollWidth")
    return found


def modes(name):
    number = REAL_PAGES.index(f"zh{name[2:]}")
    return modes_looked_at(number, name[:2])


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
            if name in REAL_PAGES:
                put_in_mode(page, *(modes(name) or MODES)[0])
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


@pytest.mark.parametrize("name", EVERY_PAGE)
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


@pytest.mark.parametrize("name", REAL_PAGES)
def test_accessible_in_every_mode_and_width(visited, name):
    """To axe in one mode of one edition; in all of both where CI is set."""
    visit = visited(name)
    assert visit.violations.keys() == {*modes(name)}
    for mode, found in visit.violations.items():
        assert found == [], mode
    assert 0 < visit.width <= 375


@pytest.mark.parametrize("name", ALL_PAGES)
def test_every_formula_is_visible_once(visited, name):
    visit = visited(name)
    assert visit.text
    check_formulas(visit.formulas, visit.text, visit.prose)


def check_formulas(formulas, text, prose):
    """Nor does a table that a cell prints show its source."""
    _, hidden, doubled = formulas
    assert (hidden, doubled) == (0, 0)
    assert not re.search(r"\$\$|\\\(|\\mathbf", text)
    assert not re.search(r"\$\w\$|\| ?[-—]", prose)


def test_every_formula_is_visible_once_without_javascript(browser, base):
    with new_page(browser, java_script_enabled=False) as page:
        total = 0
        for name in PAGES["zh"][::6]:
            page.goto(base + name)
            formulas = page.evaluate(
                f"""() => {{
                  document.querySelectorAll("details").forEach(
                    (details) => {{ details.open = true; }});
                  return ({FORMULAS})();
                }}"""
            )
            article = page.locator("article")
            check_formulas(
                formulas, article.inner_text(), article.evaluate(PROSE)
            )
            total += formulas[0]
        assert total > 50


@pytest.mark.parametrize("name", [n for n in REAL_PAGES if n[:2] == "en"])
def test_no_chinese_on_an_english_page(visited, name):
    """A figure that answers has words of its own; so have its knobs."""
    said = visited(name).said
    assert len(said) > 50
    assert [text for text in said if CHINESE.search(text)] == []


@pytest.mark.parametrize("name", PAGES["en"])
def test_figures_are_as_sharp_as_a_phone_needs(visited, name):
    for cell, ratio in visited(name).sharpness:
        # A figure has two pixels for one: it keeps two thirds of its size, or
        # its labels would be too small to read.
        assert 2 <= ratio <= (3 if cell else 5)
