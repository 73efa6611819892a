"""The two editions: each page in its language, with a link to the other's."""

import itertools
import os
import re
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from book._ext import english

# `make book` builds each edition by itself, and names it; the page that is
# the same in the other one is then beside it.
EDITION = os.environ.get("BOOK_LANGUAGE", "zh")
LANGUAGES = {"zh": "zh-CN", "en": "en"}
SECTION = re.compile(r"<section\b[^>]*>")
EXTENSION = Path(__file__).parent


@cache
def page_source(path: Path) -> str:
    """Read a page of the book in the language of this edition."""
    return (
        english.english(path) if EDITION == "en" else path.read_text("utf-8")
    )


def check_edition(app: Sphinx, config: Config) -> None:
    """Refuse a language that the book does not have."""
    if EDITION not in LANGUAGES:
        raise ConfigError(f"BOOK_LANGUAGE must be zh or en, got {EDITION}")


def read_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Let Sphinx read a page in the language of this edition.

    It reads the page again when its English or this extension has changed.
    """
    path = Path(app.env.doc2path(page))
    for used in EXTENSION.glob("*.py"):
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
    (other,) = LANGUAGES.keys() - {EDITION}
    up = f"{context['content_root']}../"
    context["other_edition"] = f"{up}{other}/{page}.html"
    # Who crawls the site wants whole addresses.
    if home := app.config.html_baseurl.removesuffix(f"{EDITION}/"):
        context["metatags"] = context.get("metatags", "") + "".join(
            f'<link rel="alternate" hreflang="{language}" '
            f'href="{home}{edition}/{page}.html">'
            for edition, language in LANGUAGES.items()
        )
