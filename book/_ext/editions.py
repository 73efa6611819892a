"""The two editions: each page in its language, with a link to the other's."""

import itertools
import json
import os
import re
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from book._ext import contents, english

# `make book` builds each edition by itself, and names it; the page that is
# the same in the other one is then beside it.
LANGUAGES = contents.languages()
EDITION = os.environ.get("BOOK_LANGUAGE", next(iter(LANGUAGES)))
# `make book SOLUTIONS=no` leaves them out of whatever is made.
SOLUTIONS = os.environ.get("BOOK_SOLUTIONS") != "no"
SECTION = re.compile(r"<section\b[^>]*>")
EXPLAINED = re.compile(r"\s*<details>.*?</details>\s*", re.DOTALL)
EXTENSION = Path(__file__).parent


@cache
def page_source(path: Path) -> str:
    """Read a page as this edition has it, without lost links."""
    page = (
        english.english(path) if EDITION == "en" else path.read_text("utf-8")
    )
    if path.suffix == ".ipynb" and not SOLUTIONS:
        page = without_solutions(page)
    return contents.unlinked(path, page)


def without_solutions(source: str) -> str:
    """Leave out a notebook's solutions and the folds that explain them."""
    notebook = json.loads(source)
    kept, solved = [], False
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if solved and (fold := EXPLAINED.match(text)):
            text = text[fold.end() :]
            cell["source"] = text.splitlines(keepends=True)
        solved = "solution" in cell["metadata"].get("tags", [])
        if text and not solved:
            kept.append(cell)
    notebook["cells"] = kept
    return f"{json.dumps(notebook, indent=1, ensure_ascii=False)}\n"


def check_edition(app: Sphinx, config: Config) -> None:
    """Refuse a language that the book does not have; give it its title."""
    if EDITION not in LANGUAGES:
        either = " or ".join(LANGUAGES)
        raise ConfigError(f"BOOK_LANGUAGE must be {either}, got {EDITION}")
    config.ogp_site_name = config.epub_title = config.html_title


def read_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Let Sphinx read a page as this edition has it.

    It reads the page again when its English or this extension has changed.
    """
    path = Path(app.env.doc2path(page))
    for used in EXTENSION.glob("*.py"):
        app.env.note_dependency(str(used))
    for used in contents.SETTINGS:
        app.env.note_dependency(str(used))
    if EDITION == "en":
        app.env.note_dependency(str(english.CATALOGS / f"{path.stem}.po"))
    source[0] = page_source(path)


def link_editions(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Say where the page is in each language, to the reader and to others.

    The sections are numbered: a number leads to the same one in each edition.
    """
    if app.builder.name != "html":
        return
    numbers = itertools.count()
    context["body"] = SECTION.sub(
        lambda section: (
            f'{section[0]}<span id="section-{next(numbers)}"></span>'
        ),
        context.get("body", ""),
    )
    for other in LANGUAGES.keys() - {EDITION}:
        up = f"{context['content_root']}../"
        context["other_edition"] = f"{up}{other}/{page}.html"
    # Who crawls the site wants whole addresses.
    if home := app.config.html_baseurl.removesuffix(f"{EDITION}/"):
        context["metatags"] = context.get("metatags", "") + "".join(
            f'<link rel="alternate" hreflang="{language}" '
            f'href="{home}{edition}/{page}.html">'
            for edition, language in LANGUAGES.items()
        )
