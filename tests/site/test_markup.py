"""The pages as they are written, and what the search finds in them."""

import os
import re
from copy import copy
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
from book_pages import (
    ALL_PAGES,
    EVERY_PAGE,
    PAGES,
    REAL_PAGES,
    ROOT,
    each_edition,
    parse,
)
from in_browser import search

from book._ext.downloads import made_before
from book._ext.english import words

SECTION = re.compile("^section-")


@pytest.fixture(scope="module")
def soups(site):
    """Each page of the site, parsed once for all tests that read it."""
    return {name: parse(site / name) for name in EVERY_PAGE}


def test_no_line_begins_with_the_punctuation_after_a_formula(soups):
    """It belongs to the formula, which no browser breaks there."""
    inside = 0
    for name, soup in soups.items():
        for formula in soup.select("span.math"):
            inside += formula.text.endswith(("，", "。", ",", "."))
            after, before = formula.next_sibling, formula.previous_sibling
            assert not re.match("[，。；：、？！）,.;:?!)]", str(after)), name
            assert not str(before).endswith(("（", "(")), name
    assert inside > 50


def test_no_formula_has_a_mistake(site):
    """KaTeX writes what it does not know in red."""
    for name in ALL_PAGES:
        assert "#cc0000" not in (site / name).read_text("utf-8"), name


def test_an_older_edition_is_not_offered(tmp_path):
    made = tmp_path / "_build" / "downloads" / "en"
    for path in (made / "old.epub", tmp_path / "_toc.yml", made / "new.epub"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.utime(made / "old.epub", (0, 0))
    fresh, older = made_before(tmp_path, "en")
    assert [path.name for path in fresh] == ["new.epub"]
    assert [path.name for path in older] == ["old.epub"]


def test_every_internal_link_and_anchor_lands(site, soups):
    pages = {(site / name).resolve(): soup for name, soup in soups.items()}
    ids = {
        path: {e["id"] for e in soup.find_all(id=True)}
        for path, soup in pages.items()
    }
    checked = 0
    for path, soup in pages.items():
        for tag, attribute in (("a", "href"), ("img", "src"), ("link", "href"),
                               ("script", "src")):  # fmt: skip
            for element in soup.find_all(tag, **{attribute: True}):
                url = urlsplit(urljoin(path.as_uri(), element[attribute]))
                if url.scheme != "file":
                    continue
                target = Path(unquote(url.path))
                assert target.is_file(), (path.name, element[attribute])
                anchor = unquote(url.fragment)
                if anchor and target in ids:
                    assert anchor in ids[target], (path.name, str(element))
                checked += 1
    assert checked > 1000


def test_pages_say_what_they_are(soups):
    for name in ALL_PAGES:
        soup = soups[name]
        assert soup.html["lang"] == {"zh": "zh-CN", "en": "en"}[name[:2]]
        assert len(soup.find("meta", {"name": "description"})["content"]) > 20
        assert soup.find("meta", {"property": "og:title"})
        assert soup.find("meta", {"property": "og:image"})
        assert soup.find("link", {"rel": "icon"})["href"].endswith("logo.svg")


def test_the_other_edition_has_the_same_page(soups):
    """The switch, on every page; and the same sections there."""
    for name in REAL_PAGES:
        edition, _, rest = name.partition("/")
        other = {"zh": "en", "en": "zh"}[edition]
        (link,) = soups[name].select("a.switch-edition")
        target = f"{other}/{rest}"
        assert urljoin(f"https://a/{name}", link["href"]) == (
            f"https://a/{target}"
        )
        assert link["hreflang"] == soups[target].html["lang"]
        alternates = {
            e["hreflang"]: urljoin(f"https://a/{name}", e["href"])
            for e in soups[name].find_all("link", rel="alternate")
        }
        assert alternates == {
            "zh-CN": f"https://a/zh/{rest}",
            "en": f"https://a/en/{rest}",
        }
        places, others = (
            [(s.parent.name, s["id"]) for s in soup.find_all(id=SECTION)]
            for soup in (soups[name], soups[target])
        )
        assert places == others
        levels, others = (
            [h.name for h in soup.find_all(["h1", "h2", "h3"])]
            for soup in (soups[name], soups[target])
        )
        assert levels == others


def test_no_address_is_made_up(site, soups):
    assert {path.name for path in site.iterdir()} == {"zh", "en", "index.html"}
    for name, soup in soups.items():
        assert soup.find("link", rel="canonical") is None
        html = (site / name).read_text("utf-8")
        for made_up in ("mybinder", "colab", "executablebooks", "github.io"):
            assert made_up not in html, name


def test_icons_are_all_in_the_font(site, soups):
    from fontTools.ttLib import TTFont

    static = site / "en" / "_static"
    known = TTFont(static / "icons.woff2").getBestCmap()
    css = (static / "icons.css").read_text("utf-8")
    named = dict(re.findall(r'\.(fa-[\w-]+)::before.*?"\\(\w+)"', css))
    used = {
        name
        for soup in soups.values()
        for element in soup.select("i[class*=fa-], span[class*=fa-]")
        for name in element["class"]
        if name.startswith("fa-") and name not in ("fa-solid", "fa-lg")
    }
    assert used
    assert used <= set(named)
    assert {int(named[name], 16) for name in used} <= set(known)


def glossary_terms(edition):
    """Each heading of the glossary; in Chinese the two names of a term."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    if edition == "en":
        return [words("glossary").get(term, term) for term in headings]
    return [word for term in headings for word in term.split(" ", 1)]


FIND_ALL = """(queries) => queries.map((query) =>
  Search._performSearch(...Search._parseQuery(query))
    .map(([name]) => `${name}.html`))"""


@each_edition
def test_search_finds_every_term_in_a_page_that_has_it(
    page, site, soups, edition
):
    """Without showing them one by one, as the page does."""
    terms = glossary_terms(edition)
    assert len(terms) >= 50
    terms += ["zero_", "requires_grad", "no_grad"]
    texts = {name: soups[name].text.lower() for name in PAGES[edition]}
    search(page, f"{site.as_uri()}/", terms[0], edition)
    for term, found in zip(terms, page.evaluate(FIND_ALL, terms), strict=True):
        pages = [texts.get(f"{edition}/{name}", "") for name in found]
        assert any(term.lower() in text for text in pages), term


def test_search_finds_every_english_word(page, site, soups):
    """Index and browser cut off the same endings."""
    edition = "en"
    stop = {"a", "and", "are", "as", "at", "be", "but", "by", "for", "if",
            "in", "into", "is", "it", "near", "no", "not", "of", "on", "or",
            "such", "that", "the", "their", "then", "there", "these", "they",
            "this", "to", "was", "will", "with"}  # fmt: skip
    places = {}
    for name in PAGES[edition]:
        article = soups[name].find("article")
        for word in re.findall(r"[A-Za-z0-9_]{2,}", indexed_text(article)):
            if word.lower() not in stop and not word.isdigit():
                places.setdefault(word.lower(), set()).add(name)
    assert len(places) > 1000
    search(page, f"{site.as_uri()}/", "tensor", edition)
    found = page.evaluate(FIND_ALL, list(places))
    lost = [
        (word, name)
        for (word, names), pages in zip(places.items(), found, strict=True)
        for name in names - {f"{edition}/{page}" for page in pages}
    ]
    assert lost == []


def indexed_text(article):
    """What Sphinx reads of a page: not what is put in afterwards."""
    article = copy(article)
    added = ".katex, .headerlink, script, summary, p:has([href$=zip])"
    for part in article.select(added):
        part.decompose()
    for part in article.select("wbr"):
        part.unwrap()
    article.smooth()
    return article.get_text(" ")


def messages():
    """What the page on errors prints of errors, a line each."""
    notebook = nbformat.read(ROOT / "book" / "errors.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text", "").replace("\n    ", " ")
            for line in text.splitlines():
                if re.match(r"\w+Error: ", line):
                    yield line


@each_edition
def test_search_finds_every_message(page, site, edition):
    """Pasted whole, without its kind, or its first or last words."""
    queries = []
    for line in messages():
        _, _, said = line.partition(": ")
        words = said.split()
        queries += [line, said, " ".join(words[:5]), " ".join(words[-5:])]
    assert len(queries) > 200
    search(page, f"{site.as_uri()}/", "tensor", edition)
    found = page.evaluate(FIND_ALL, queries)
    lost = [
        query
        for query, pages in zip(queries, found, strict=True)
        if "book/errors.html" not in pages
    ]
    assert lost == []
