"""Build the book for the tests that look at what is built."""

from pathlib import Path

from bs4 import BeautifulSoup

from tools.site import build as build_editions
from tools.site import join

ROOT = Path(__file__).parents[2]


def build(folder, **options):
    """Build the site, as `make book` does, into a folder of its own."""
    build_editions(folder, [], **options)
    join(folder, folder / "html")
    return folder / "html"


def parse(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
