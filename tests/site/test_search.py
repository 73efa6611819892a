"""The search: what it finds first, how it looks, and what it weighs."""

import re
import tomllib
from functools import cache
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from book_pages import CI, EDITIONS, ROOT, each_edition, one_edition, parse
from in_browser import MODES, heard, new_page, put_in_mode, violations

from book._ext import contents
from book._ext.english import words

QUERIES = tomllib.loads(
    (ROOT / "tests" / "site" / "search.toml").read_text("utf-8")
)
FIND = """async (queries) => {
  const found = [];
  for (const query of queries)
    found.push((await findInBook(query)).sections.map(({ href }) => href));
  return found;
}"""
MARKED = "CSS.highlights.get('found')?.size ?? 0"


@pytest.fixture
def find(own_window, base, edition):
    """Look for many things, without showing them; give pages and anchors."""
    own_window.goto(f"{base}{edition}/search.html")

    def ask(queries):
        return [
            [
                (unquote(url.path).split("/")[-1][:-5], unquote(url.fragment))
                for url in map(urlsplit, urls)
            ]
            for urls in own_window.evaluate(FIND, queries)
        ]

    return ask


@cache
def sections(site, edition, page):
    """Each section's anchor and Chinese heading, in order."""
    found = {}
    for language in {edition, "zh"}:
        soup = parse(site / language / "book" / f"{page}.html")
        for extra in soup.select(".headerlink, .section-number"):
            extra.decompose()
        found[language] = soup.select("article section[id]")
    return {
        own["id"]: source.find(["h1", "h2", "h3"]).text.strip()
        for own, source in zip(found[edition], found["zh"], strict=True)
    }


@each_edition
def test_what_is_looked_for_comes_first(find, site, edition):
    asked = QUERIES["both"] + QUERIES[edition]
    lost = []
    for (query, place), found in zip(
        asked, find([query for query, _ in asked]), strict=True
    ):
        page, _, heading = place.partition("#")
        (first, anchor) = found[0] if found else ("", "")
        there = first == page
        if there and heading and "zh" in EDITIONS:
            there = sections(site, edition, page)[anchor] == heading
        if not there and page in contents.names():
            lost.append((query, found))
    assert lost == []


def messages():
    """What the page on errors prints of errors, a line each."""
    notebook = nbformat.read(ROOT / "book" / "errors.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text", "").replace("-\n    ", "-")
            for line in text.replace("\n    ", " ").splitlines():
                if re.match(r"\w+Error: ", line):
                    yield line


@one_edition
def test_every_message_leads_to_the_page_on_errors(find, edition):
    """Pasted whole, without its kind, or its first words; other numbers.

    Each in one of these ways; in all where CI is set.
    """
    queries = []
    for number, line in enumerate(messages()):
        _, _, said = line.partition(": ")
        first = f'"{" ".join(said.split()[:7])}"'
        ways = [line, said, re.sub(r"\d+", "128", line), first]
        queries += ways if CI else [ways[number % len(ways)]]
    assert len(queries) > 50
    lost = [
        query
        for query, found in zip(queries, find(queries), strict=True)
        if not found or found[0][0] != "errors"
    ]
    assert lost == []


@one_edition
def test_every_term_leads_to_the_glossary(find, edition):
    """By either name; a chapter that has it as a heading may be before."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^### (.+)$", text, re.MULTILINE)
    if edition == "en":
        terms = [words("glossary").get(term, term) for term in terms]
    else:
        terms = [word for term in terms for word in term.split(" ", 1)]
    assert len(terms) >= 50
    lost = [
        term
        for term, found in zip(terms, find(terms), strict=True)
        if "glossary" not in [page for page, _ in found[:3]]
    ]
    assert lost == []


def test_opens_at_the_section_with_the_words_marked(page, base):
    page.goto(f"{base}zh/book/05-loss.html")
    page.keyboard.press("/")
    page.keyboard.type("学习率太大")
    first = page.locator(".show .search-found li a").first
    first.wait_for()
    page.keyboard.press("ArrowDown")
    assert first.evaluate("(link) => link === document.activeElement")
    page.keyboard.press("Escape")
    first.wait_for(state="hidden")
    page.keyboard.press("Control+k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/07-training.html#"))
    page.wait_for_function(f"{MARKED} > 0")
    assert "?" not in page.url
    seen = page.evaluate(
        """[...CSS.highlights.get("found")]
             .filter((range) => {
               const { top, bottom } = range.getBoundingClientRect();
               return top > 0 && bottom < innerHeight;
             }).map(String)"""
    )
    assert "学习" in seen


def test_a_name_that_may_break_is_marked_whole(page, base):
    page.goto(f"{base}en/book/03-autograd.html?found=requires_grad")
    page.wait_for_function(f"{MARKED} > 0")
    marked = page.evaluate("[...CSS.highlights.get('found')].map(String)")
    assert {"requires_grad", "requires_grad_"} >= set(marked)


def test_lands_in_what_is_closed(page, base):
    """In a fold, and in what a guess hides until it is found."""
    url = f"{base}en/book/05-loss.html"

    def close(route):
        html = route.fetch().text()
        section = '<section id="the-idea">'
        assert section in html
        hidden = '<div hidden="until-found"><p>zyzzyva</p></div>'
        folded = "<details><summary>More</summary><p>quokka</p></details>"
        body = html.replace(section, f"{section}<i></i>{hidden}{folded}")
        route.fulfill(body=body, content_type="text/html; charset=utf-8")

    page.route(f"{url}*", close)
    for word in ("zyzzyva", "quokka"):
        page.goto(f"{url}?found={word}#the-idea")
        page.wait_for_function(f"{MARKED} > 0")
        assert page.get_by_text(word).is_visible()
    page.unroute(f"{url}*")


@one_edition
def test_says_what_to_try_when_it_finds_nothing(page, base, edition):
    page.goto(f"{base}{edition}/search.html?q=xyzzyq")
    said = {"zh": "没有找到", "en": "Nothing found"}[edition]
    status = page.locator(".bd-search-container .search-found [role=status]")
    status.filter(has_text=said).wait_for()
    links = status.get_by_role("link").evaluate_all(
        "(links) => links.map(({ href }) => href)"
    )
    assert links == [
        f"{base}{edition}/book/{name}.html" for name in ("errors", "glossary")
    ]


@one_edition
def test_from_a_disk_it_says_what_it_needs(page, site, edition):
    with heard(page, "pageerror", str) as errors:
        page.goto((site / edition / "book" / "05-loss.html").as_uri())
        page.keyboard.press("Control+k")
        page.get_by_text("python -m http.server").wait_for()
    assert errors == []


@one_edition
def test_says_so_when_it_cannot_be_loaded(page, base, edition):
    said = {"zh": "没能加载", "en": "could not be loaded"}[edition]
    page.route("**/pagefind/**", lambda route: route.abort())
    page.goto(f"{base}{edition}/search.html?q=nan")
    page.get_by_text(said).wait_for()
    page.unroute("**/pagefind/**")


@one_edition
@pytest.mark.parametrize(("width", "mode"), MODES[::2] if CI else MODES[2:3])
def test_a_first_query_is_light_and_its_results_accessible(
    browser, base, edition, width, mode
):
    """The engine is two thirds of it, and comes as the field is opened."""
    with new_page(browser) as page:
        client = page.context.new_cdp_session(page)
        client.send("Network.enable")
        put_in_mode(page, width, mode)
        page.goto(
            f"{base}{edition}/book/notation.html", wait_until="networkidle"
        )
        with (
            heard(client, "Network.requestWillBeSent", dict) as sent,
            heard(client, "Network.loadingFinished", dict) as loaded,
        ):
            page.keyboard.press("Control+k")
            page.keyboard.insert_text("nan")
            page.locator(".show .search-found li a").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page, ".search-button__search-container") == []
    urls = {event["requestId"]: event["request"]["url"] for event in sent}
    assert f"{base}{edition}/pagefind/pagefind.js" in urls.values()
    assert [url for url in urls.values() if not url.startswith(base)] == []
    sizes = {urls.get(e["requestId"]): e["encodedDataLength"] for e in loaded}
    assert 0 < sum(sizes.values()) <= 140_000
