"""The pages of the site by name, and what the tests of all of them share."""

import os
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from book._ext import contents
from book._ext.english import CHINESE

ROOT = Path(__file__).parents[2]
CI = bool(os.environ.get("CI"))  # there, everything in every state
EDITIONS = (*contents.languages(),)
each_edition = pytest.mark.parametrize("edition", EDITIONS)
# For what the same script does on a page in either language.
one_edition = pytest.mark.parametrize(
    "edition", EDITIONS if CI else EDITIONS[-1:]
)
DOCUMENTS = sorted(path.stem for path in contents.pages())
PAGES = {
    edition: [f"{edition}/book/{name}.html" for name in DOCUMENTS]
    for edition in EDITIONS
}
ALL_PAGES = [page for pages in PAGES.values() for page in pages]
REAL_PAGES = ALL_PAGES + [
    f"{edition}/{name}.html"
    for edition in EDITIONS
    for name in ("search", "genindex")
]
SENDING_ON = ["index.html", *(f"{name}/index.html" for name in EDITIONS)]
EVERY_PAGE = REAL_PAGES + SENDING_ON
CHAPTER = "zh/book/06-sgd.html"


def parse(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")


def said_in_chinese(soup):
    """But in the link to the Chinese page, and in what leads elsewhere."""
    link = soup.select_one("a.switch-edition")
    theirs = {id(node) for node in (link, *link.descendants)}
    said = []
    for node in soup.descendants:
        if isinstance(node, Tag) and id(node) not in theirs:
            kept = node.attrs.keys() - {"href", "data-explore"}
            said += [str(node[key]) for key in kept]
        elif id(node) not in theirs:
            said.append(node)
    assert len(said) > 50
    return [text for text in said if CHINESE.search(text)]
