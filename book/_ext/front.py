"""What the front page takes from elsewhere: minutes and names."""

import math
import re

from sphinx.application import Sphinx

from book._ext.editions import EDITION
from book._ext.english import BOOK

BUNDLE = f"linreg-book-{EDITION}.zip"
MINUTES = re.compile(r"\*\*时间。\*\* 约 (\d+) 分钟")
ROW = re.compile(r"^\| \[.*?\]\(([\w-]+)\.ipynb\)", re.M)
CORE = re.compile("0[1-8]-")
FIELD = re.compile(r"\{\{ (\w+) \}\}")


def minutes(page: str) -> int:
    """Return how long a chapter takes to read, as its first cell says."""
    found = MINUTES.search((BOOK / f"{page}.ipynb").read_text("utf-8"))
    return int(found[1])


def hours(minutes: int) -> str:
    """Round up to half an hour."""
    return f"{math.ceil(minutes / 30) / 2:g}"


def filled_in(source: str) -> str:
    """Give each row of the map its chapter's minutes; add them up above."""
    took = {page: minutes(page) for page in ROW.findall(source)}
    core = [took[page] for page in took if CORE.match(page)]
    fields = {
        "lesson": f"{min(core)}–{max(core)}",
        "core": hours(sum(core)),
        "all": hours(sum(took.values())),
        "zip": BUNDLE,
    }
    source = ROW.sub(
        lambda row: f"{row[0]} ·\N{NO-BREAK SPACE}{took[row[1]]}", source
    )
    return FIELD.sub(lambda field: fields[field[1]], source)


def read_front_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Let Sphinx read the front page filled in, when a chapter has changed."""
    if page == app.config.root_doc:
        for chapter in BOOK.glob("*.ipynb"):
            app.env.note_dependency(str(chapter))
        source[0] = filled_in(source[0])
