"""Pages that take from elsewhere: the front page, the teachers', the title's.

Title and author stand in _config.yml, version, date and licenses in
CITATION.cff, minutes in the chapters; the address is known, or not (see
addresses.py).
"""

import json
import math
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.locale import _
from yaml import safe_load

from book._ext.contents import BOOK, notebooks
from book._ext.editions import EDITION, page_source
from book._ext.english import title

BUNDLE = f"linreg-book-{EDITION}.zip"
MINUTES = re.compile(r"\*\*时间。\*\* 约 (\d+) 分钟")
ROW = re.compile(r"^\| \[.*?\]\(([\w-]+)\.ipynb\)", re.M)
CORE = re.compile("0[1-8]-")
FIELD = re.compile(r"\{\{ (\w+) \}\}")
NEEDS = re.compile(r"^\*\*(?:需要。|You need\.)\*\* (.+)$", re.M)
PAGES = ("index", "teachers")


def minutes(page: str) -> int:
    """Return how long a chapter takes to read, as its first cell says."""
    found = MINUTES.search((BOOK / f"{page}.ipynb").read_text("utf-8"))
    return int(found[1])


def hours(minutes: int) -> str:
    """Round up to half an hour."""
    return f"{math.ceil(minutes / 30) / 2:g}"


def needs(page: str) -> str:
    """Return what a chapter asks of its reader, and how many exercises."""
    path = BOOK / f"{page}.ipynb"
    first, *_ = json.loads(page_source(path))["cells"]
    exercises = path.read_text("utf-8").count("### 练习 ")
    return f"{NEEDS.search(''.join(first['source']))[1]} | {exercises}"


def filled_in(source: str) -> str:
    """Give each row of the map its chapter's minutes; add them up above."""
    front_page = page_source(BOOK / "index.md")
    took = {page: minutes(page) for page in ROW.findall(front_page)}
    core = [took[page] for page in took if CORE.match(page)] or [0]
    fields = {
        "title": title(EDITION),
        "lesson": "–".join(map(str, sorted({min(core), max(core)}))),
        "core": hours(sum(core)),
        "all": hours(sum(took.values())),
        "zip": BUNDLE,
        "chapters": "\n".join(
            f"{row[0]} | {needs(row[1])} |" for row in ROW.finditer(front_page)
        ),
    }
    source = FIELD.sub(lambda field: fields[field[1]], source)
    return ROW.sub(
        lambda row: f"{row[0]} ·\N{NO-BREAK SPACE}{took[row[1]]}", source
    )


def read_front_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Let Sphinx read such a page filled in, when a chapter has changed."""
    if page.removeprefix("book/") in PAGES:
        for chapter in notebooks():
            app.env.note_dependency(str(chapter))
        source[0] = filled_in(source[0])


def citation(app: Sphinx) -> dict:
    """Read what is said of the book, with whose it is."""
    said = safe_load(Path(app.srcdir, "CITATION.cff").read_text("utf-8"))
    said["date"] = said["date-released"]
    said["code"], said["text"] = said["license"]
    said |= {"year": app.config.copyright, "author": app.config.author}
    rights = _("© {year} {author}. Text: {text}; code: {code}.")
    return said | {"rights": rights.format(**said)}


def put_title_page(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Begin the EPUB and the print with a title page."""
    if app.builder.name == "html" or page != app.config.root_doc:
        return
    said = citation(app)
    said["title"] = app.config.html_title
    said["address"] = app.config.html_baseurl or context["address"]
    front = app.builder.templates.render("imprint.html", {"said": said})
    context["body"] = front + context["body"]
