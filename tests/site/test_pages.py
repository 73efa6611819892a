"""The pages of the site, visited once in a real browser for all checks."""

import re

import pytest
from book_pages import ALL_PAGES, SENDING_ON
from in_browser import (
    VISITED,
    heard,
    load_all,
    mode_of_page,
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
# Where tables are of words, which need not be wider than a phone.
NARROW = tuple(
    f"/{name}.html"
    for name in ("index", "01-data", "02-iteration", "notation", "from-note")
)
TABLES = """[...document.querySelectorAll("article table")].map((table) =>
  table.scrollWidth - table.parentElement.clientWidth)"""


@pytest.fixture(scope="module")
def client(own_window):
    """What hears of each page in the same window, which has no cache."""
    client = own_window.context.new_cdp_session(own_window)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    return client


@pytest.mark.parametrize("name", VISITED + SENDING_ON)
def test_page(own_window, client, base, name):
    """What is to be seen, with all that is folded or fetched late.

    At most 20 requests and 350 KB gzipped, besides the pictures: none is
    foreign, none fails; and no error, also with all figures.
    """
    page = own_window
    page.goto("about:blank")
    with (
        heard(page, "requestfailed", lambda request: request.url) as failed,
        heard(page, "pageerror", str) as errors,
        heard(page, "console", lambda m: (m.type, m.text)) as lines,
        heard(client, "Network.requestWillBeSent", dict) as sent,
        heard(client, "Network.loadingFinished", dict) as loaded,
    ):
        if name in VISITED:
            width, mode = mode_of_page(name)
            put_in_mode(page, 375, mode)
            page.goto(base + name)
            load_all(page)
            for figure in pass_figures(page):
                figure.wait_for(state="hidden")
            look_at(page, name)
            put_in_mode(page, width, mode)
            assert violations(page) == [], width
        else:  # it sends the reader on, maybe before it is there whole
            page.goto(base + name, wait_until="networkidle")
            failed = [url for url in failed if url != base + name]
    assert failed == errors == []
    assert [text for kind, text in lines if kind in ("error", "warning")] == []
    urls = {e["request"]["url"]: e["requestId"] for e in sent}
    urls = {u: i for u, i in urls.items() if not u.startswith("data:")}
    assert [url for url in urls if not url.startswith(base)] == []
    sizes = {e["requestId"]: e["encodedDataLength"] for e in loaded}
    rest = [i for url, i in urls.items() if not url.endswith(".png")]
    # index.html sends the reader on, which costs one request.
    assert 0 < len(rest) <= 20
    assert 0 < sum(sizes.get(i, 0) for i in rest) <= 350_000
    assert sum(sizes.values()) <= 500_000


def look_at(page, name):
    """On a phone."""
    if name in ALL_PAGES:
        article = page.locator("article")
        assert article.evaluate(FORMULAS) == [0, 0]  # hidden, or doubled
        assert not re.search(r"\$\$|\\\(|\\mathbf", article.inner_text())
        # Nor does a table that a cell prints show its source.
        assert not re.search(r"\$\w\$|\| ?[-—]", article.evaluate(PROSE))
    for cell, ratio in page.evaluate(SHARPNESS):
        # A figure has two pixels for one: it keeps two thirds of its size, or
        # its labels would be too small to read.
        assert 2 <= ratio <= (3 if cell else 5)
    assert 0 < page.evaluate("document.documentElement.scrollWidth") <= 375
    if name.endswith(NARROW):
        assert max(page.evaluate(TABLES)) <= 1
