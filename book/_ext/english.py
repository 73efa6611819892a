"""The English edition: the same pages, with the words of the catalogs.

The Chinese pages are the source. Each paragraph, heading, list item or cell of
a table is a line of theirs; its English stands in a catalog, a file for each
page. Code, outputs and figures exist once.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import polib
from myst_parser.mdit_to_docutils.base import default_slugify
from yaml import safe_load

from book._ext import contents
from book._ext.contents import BOOK, SETTINGS

CATALOGS = BOOK / "_locale" / "en" / "LC_MESSAGES"
SITE = "site"  # the catalog of what _config.yml and _toc.yml say
CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
# What stands before and after a line's own words.
LINE = re.compile(
    r"(\s*(?:#+ |[-*] |\d+\. |> |(?:<[^>]+>)+)*)(.*?)((?:</[^>]+>)*\s*)"
)
FENCE = re.compile(r"\s*(`{3,}|~{3,})?(?:\{([\w-]+)\})?(.*)")
# Directives whose words are not prose; what others hold is.
SOURCES = {"code", "code-block", "code-cell", "eval-rst", "math", "raw"}
BORDER = re.compile(r"((?<!\\)\|)")
ANCHOR = re.compile(
    r"\]\((?:(?:\.\./)?(?P<page>[\w-]+)\.(?:md|ipynb))?#(?P<id>[^)]+)\)"
)

Translate = Callable[[str], str]


def rendered(page: str, suffix: str, translate: Translate) -> str:
    """Return a page's source with each piece of Chinese translated.

    Of a notebook, code and outputs stay; what its cells say of pictures and
    folds is translated as well.
    """
    if suffix == ".md":
        return _markdown(page, translate)
    notebook = json.loads(page)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = _markdown("".join(cell["source"]), translate)
            cell["source"] = text.splitlines(keepends=True)
        elif said := cell["metadata"].get("mystnb"):
            cell["metadata"]["mystnb"] = _strings(said, translate)
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    return f"{text}\n"


def _markdown(source: str, translate: Translate) -> str:
    lines = source.split("\n")
    open_: list[str] = []  # the fences of directives around a line
    code = ""  # the fence of the code around it
    for i, line in enumerate(lines):
        fence, name, rest = FENCE.fullmatch(line).groups("")
        if code:
            code = "" if fence.startswith(code) and not rest else code
        elif fence and not name and not rest and fence in open_:
            del open_[open_.index(fence) :]
        elif fence and (not name or name in SOURCES):
            code = fence
        else:
            open_ += [fence] if fence else []
            cells = BORDER.split(line) if line.startswith("|") else [line]
            lines[i] = "".join(_line(cell, translate) for cell in cells)
    return "\n".join(lines)


def _line(line: str, translate: Translate) -> str:
    match = LINE.fullmatch(line)
    if match is None or not CHINESE.search(match[2]):
        return line
    return match[1] + translate(match[2]) + match[3]


def _strings(value: object, translate: Translate) -> object:
    """Translate the strings within lists and mappings."""
    if isinstance(value, str):
        return translate(value) if CHINESE.search(value) else value
    if isinstance(value, list):
        return [_strings(item, translate) for item in value]
    if isinstance(value, dict):
        return {k: _strings(item, translate) for k, item in value.items()}
    return value


def pieces(path: Path) -> list[str]:
    """Return what a page, or a file of settings, says in Chinese, in order."""
    found: dict[str, None] = {}

    def note(text: str) -> str:
        found[text] = None
        return text

    source = path.read_text("utf-8")
    if path.suffix == ".yml":
        _strings(safe_load(source), note)
    else:
        rendered(source, path.suffix, note)
    return [*found]


def sources() -> Iterator[tuple[str, list[str]]]:
    """Give each catalog's name and the pieces that it must translate."""
    if "en" not in contents.languages():
        return
    for path in contents.pages():
        yield path.stem, pieces(path)
    yield SITE, [*dict.fromkeys(p for path in SETTINGS for p in pieces(path))]


def catalog(name: str) -> polib.POFile:
    """Read a catalog; it may not be there yet."""
    path = CATALOGS / f"{name}.po"
    return polib.pofile(str(path)) if path.exists() else polib.POFile()


@cache
def words(name: str) -> dict[str, str]:
    """Return the English of each piece; what is fuzzy has none."""
    entries = catalog(name).translated_entries()
    return {entry.msgid: entry.msgstr for entry in entries}


def english(path: Path) -> str:
    """Return a page in English; what has none yet stays Chinese.

    A fork's own page stays as it was written; its links lead to the English.
    """
    own = contents.is_own(path)
    ours = {} if own else words(path.stem)

    def led(match: re.Match[str]) -> str:
        page = match["page"] or ("" if own else path.stem)
        known = anchors(page) if page else {}
        anchor = match["id"]
        return match[0].replace(f"#{anchor}", f"#{known.get(anchor, anchor)}")

    def translate(text: str) -> str:
        return ANCHOR.sub(led, ours.get(text, text))

    return rendered(path.read_text("utf-8"), path.suffix, translate)


def setting(value: object) -> object:
    """Return a setting in English."""
    return _strings(value, lambda text: words(SITE).get(text, text))


def title(language: str) -> str:
    """Return the book's title in a language."""
    said = contents.settings()["title"]
    return setting(said) if language == "en" else said


@cache
def anchors(name: str) -> dict[str, str]:
    """Return where the English page has the headings of the Chinese one."""
    known = words(name)
    path = BOOK / f"{name}.md"
    path = path if path.exists() else path.with_suffix(".ipynb")
    # Of two with the same anchor, the first counts.
    return {
        slug(text): slug(known.get(text, text))
        for text in reversed(pieces(path))
    }


def slug(heading: str) -> str:
    """Return the anchor that MyST gives a heading."""
    return default_slugify(re.sub("[`*]", "", heading))
