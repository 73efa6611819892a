"""What the book holds: _toc.yml and _config.yml decide, all else asks here.

A chapter that is not in _toc.yml is not built, tested or translated. What is
in `book/own` is a fork's own: built, and its outputs compared; no other rule
of the book applies to it.
"""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx_external_toc.parsing import parse_toc_yaml
from yaml import safe_load

BOOK = Path(__file__).parents[1]
SETTINGS = [BOOK.parent / "_config.yml", BOOK.parent / "_toc.yml"]
LANGUAGES = {"zh": "zh-CN", "en": "en"}
# A link from one page to another, in Markdown or in a notebook's JSON; and a
# row of the front page's map.
PAGE = r"\[(?P<text>[^][\n]+)\]\((?P<file>[\w./-]+\.(?:md|ipynb))"
LINK = re.compile(rf"{PAGE}(?:#[^)\s]*)?\)(?:{{[^}}\n]*}})?")
ROW = re.compile(rf"^\| {PAGE}\).*\n", re.M)
# A chapter's last line, which goes when the next chapter is not there.
ONWARD = re.compile(
    rf'(?:下一章：|Next chapter: ){PAGE}\)(?:[^"\\\n]|\\[^n])*'
)
NUMBER = re.compile(r"0*(\d+)-")


@cache
def settings() -> dict[str, Any]:
    """Return what _config.yml says."""
    return safe_load(SETTINGS[0].read_text("utf-8"))


def languages() -> dict[str, str]:
    """Return the book's languages, the first one first, as HTML has them."""
    return {name: LANGUAGES[name] for name in settings()["languages"]}


@cache
def everything() -> list[Path]:
    """Return all pages and notebooks of the book, in its order."""
    paths = []
    for name in parse_toc_yaml(SETTINGS[1]):
        page = str(BOOK.parent / re.sub(r"\.(md|ipynb)$", "", name))
        files = [Path(page + suffix) for suffix in (".ipynb", ".md")]
        found = [path for path in files if path.exists()]
        if not found:
            raise SystemExit(f"_toc.yml names {name}, and it is not there")
        paths += found[:1]
    return paths


def is_own(path: Path) -> bool:
    """Is this a page that a fork has added?"""
    return path.parent != BOOK


def pages() -> list[Path]:
    """Return the pages for which the book's rules are made."""
    return [path for path in everything() if not is_own(path)]


def notebooks() -> list[Path]:
    """Return those that are notebooks."""
    return [path for path in pages() if path.suffix == ".ipynb"]


@cache
def names() -> set[str]:
    """Return the names that links have for the pages: `06-sgd`, `own/me`."""
    return {str(p.relative_to(BOOK).with_suffix("")) for p in everything()}


def left_out() -> set[str]:
    """Return the pages and languages that there could be, and are not."""
    known = {path.stem for path in BOOK.glob("*.[im]*")} | LANGUAGES.keys()
    return known - names() - languages().keys()


def lost(path: Path, link: re.Match[str]) -> bool:
    """Does a link lead to a page that is there, and not in the contents?"""
    target = Path(os.path.normpath(path.parent / link["file"]))
    return target.exists() and target not in everything()


def unlinked(path: Path, source: str) -> str:
    """Leave the text of a page's links to what is not in the contents."""
    for pattern in (ROW, ONWARD):
        source = pattern.sub(
            lambda found: "" if lost(path, found) else found[0], source
        )
    return LINK.sub(lambda m: m["text"] if lost(path, m) else m[0], source)


def report() -> list[str]:
    """Say what is left out, and which pages would link or still name it."""
    gone = {int(m[1]): n for n in left_out() if (m := NUMBER.match(n))}
    found = set()
    for path in everything():
        source = path.read_text("utf-8")
        found |= {
            f"{Path(link['file']).stem} is not in _toc.yml: "
            f"links to it in {path.stem} are text"
            for link in LINK.finditer(source)
            if lost(path, link)
        }
        words = LINK.sub("", unlinked(path, source))
        found |= {
            f"{gone[int(number)]} is not in _toc.yml: {path.stem} speaks of it"
            for named in re.findall(r"第 ([\d 、，到和–]+) 章", words)
            for number in re.findall(r"\d+", named)
            if int(number) in gone
        }
    return sorted(found)


def number_as_files(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number a chapter as its file: it keeps its number without another."""
    for page, numbers in env.toc_secnumbers.items():
        found = NUMBER.match(Path(page).name)
        number = (int(found[1]),) if found else None
        for place, given in numbers.items():
            numbers[place] = given and number
        links = env.tocs[page].findall(nodes.reference)
        for node in (env.titles[page], *links):
            if node.get("secnumber"):
                node["secnumber"] = number
    return []
