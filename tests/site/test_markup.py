"""The pages as they are written."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
from book_pages import (
    ALL_PAGES,
    EDITIONS,
    EVERY_PAGE,
    REAL_PAGES,
    each_edition,
    parse,
    said_in_chinese,
)

from book._ext import contents
from book._ext.downloads import made_before

SECTION = re.compile("^section-")
# One worker parses the pages for all tests here.
pytestmark = pytest.mark.xdist_group("markup")


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
                if url.scheme != "file":  # a reader may go there, no page
                    at_home = tag == "a" or url.scheme == "data"
                    assert at_home, (path.name, str(element))
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


def test_no_chinese_on_an_english_page(soups):
    for name in REAL_PAGES:
        if name[:2] == "en":
            assert said_in_chinese(soups[name]) == [], name


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


def test_closes_what_is_closed_in_the_notebooks(soups):
    """The answers that wait for a guess; before the page is drawn."""
    for path in contents.notebooks():
        cells = nbformat.read(path, as_version=4).cells
        closed = [c.id for c in cells if "collapsed" in c.metadata]
        for edition in EDITIONS:
            page = soups[f"{edition}/book/{path.stem}.html"]
            parts = page.find_all("guess-answer")
            names = [*dict.fromkeys(part["data-guess"] for part in parts)]
            assert names == closed
            assert all(page.find(id=f"guess-{name}") for name in names)
            assert all(part.get_text(strip=True) or part.img for part in parts)
            assert len(page.find_all("guess-list")) == bool(names)
            early = "head > script[src$='guess.js']:not([defer])"
            assert len(page.select(early)) == bool(names)


@each_edition
def test_the_map_takes_the_minutes_from_the_chapters(soups, edition):
    home = f"{edition}/book/"
    teachers = soups[f"{home}teachers.html"].tbody
    rows = soups[f"{home}index.html"].tbody("tr")
    total = 0
    for row, told in zip(rows, teachers("tr"), strict=True):
        cell = row.find("td")
        assert cell == told.find("td")
        chapter = soups[home + cell.a["href"]].get_text()
        said = re.search(r"\d+(?= (?:分钟|minutes))", chapter)[0]
        assert cell.get_text().endswith(f"·\N{NO-BREAK SPACE}{said}")
        total += int(said)
    front = soups[f"{home}index.html"].get_text()
    (hours,) = re.findall(r"([\d.]+) (?:小时；|for all;)", front)
    assert 0 <= float(hours) * 60 - total < 30


def test_no_address_is_made_up(site, soups):
    top = {*EDITIONS, "run", "index.html", "404.html", ".nojekyll"}
    assert {path.name for path in site.iterdir()} == top
    for name, soup in soups.items():
        assert soup.find("link", rel=["canonical", "alternate"]) is None
        html = (site / name).read_text("utf-8")
        for made_up in ("mybinder", "colab", "executablebooks", "github.io"):
            assert made_up not in html, name


def test_icons_are_all_in_the_font(site, soups):
    """Which has what the stylesheet names."""
    css = site / EDITIONS[-1] / "_static" / "icons.css"
    named = {*re.findall(r"\.(fa-[\w-]+)::before", css.read_text("utf-8"))}
    used = {
        name
        for soup in soups.values()
        for element in soup.select("i[class*=fa-], span[class*=fa-]")
        for name in element["class"]
        if name.startswith("fa-")
    }
    assert named & used
    assert used - {"fa-solid", "fa-lg"} <= named
