"""What the search knows: a record for each section of the site's pages.

Pagefind ranks records. So a section is one; and on the page of errors, what
ends with a message is one. The words that readers use for a section, and the
book does not, stand in `search.toml`.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from lxml import html

from book._ext import contents, english

TABLE = Path(__file__).with_name("search.toml")
# Solutions and their checks, docstrings, contents, and what a formula holds
# twice are not what a reader looks for.
LEFT_OUT = {
    "headerlink",
    "katex-mathml",
    "sd",
    "section-number",
    "tag_check",
    "tag_solution",
    "toctree-wrapper",
}
CODE = "descendant-or-self::div[contains(@class, '{}')]"
SPAN = ".//span[contains(concat(' ', @class, ' '), ' {} ')]"
HAN = re.compile("[\u4e00-\u9fff]+")
LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
NAME = re.compile(r"[^\W\d]\w+")
HEADING = "string(h1|h2|h3|h4)"
NUMBER = "string(span/@id)"


def in_pairs(text: str) -> str:
    """Write Chinese in pairs of characters, and these in Latin letters.

    No two programs cut Chinese alike, and Pagefind looks for each character
    by itself. search.js does the same with what is looked for, and undoes it
    in what it shows.
    """

    def pairs(run: re.Match[str]) -> str:
        code = [f"{ord(one):04x}".translate(LETTERS) for one in run[0]]
        two = ["q" + "".join(code[i : i + 2]) for i in range(len(code) - 1)]
        return f" {' '.join(two or ['q' + code[0]])} "

    return " ".join(HAN.sub(pairs, text).split())


def article(page: Path) -> html.HtmlElement:
    """Read the article of a page, without what is not looked for."""
    tree = html.parse(str(page), html.HTMLParser(encoding="utf-8"))
    (found,) = tree.iter("article")
    for element in [*found.iterdescendants()]:
        if (
            not isinstance(element.tag, str)
            or element.tag in ("script", "summary")
            or (element.tag == "dd" and page.stem == "api")
            or LEFT_OUT & {*element.get("class", "").split()}
        ):
            element.drop_tree()
    for formula in found.xpath(SPAN.format("katex")):
        # One line of characters would say something else.
        if formula.xpath(SPAN.format("mfrac")):
            formula.clear(keep_tail=True)
            formula.text = "…"
    return found


def entries(
    section: html.HtmlElement, messages: bool
) -> Iterator[tuple[str, str]]:
    """Give what a section says, and the names in its code.

    If outputs are messages, they are said, and each one ends an entry.
    """
    said, names = "", ""
    for part in section.xpath("*[not(self::section|self::h1|self::h2|self::h3"
                              "|self::h4)]"):  # fmt: skip
        outputs = part.xpath(CODE.format("cell_output")) if messages else []
        for code in part.xpath(CODE.format("cell_")):
            if code not in outputs:
                names += f" {code.text_content()}"
                code.drop_tree()
        # Long lines were folded.
        text = part.text_content().replace("-\n    ", "-")
        said += f" {text}"
        if outputs:
            yield said, names
            said, names = "", ""
    yield said, names


def records(
    page: Path, asked: dict[str, str]
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Give the place of each record of a page, its text, and what is meant.

    `asked` holds the words of readers for a section, by its number.
    """
    found = article(page)
    title = found.xpath("string(.//h1)").strip()
    for section in found.iter("section"):
        name = section.xpath(HEADING).strip()
        words = asked.get(section.xpath(NUMBER), "")
        if page.stem == "glossary":
            words += f" {name}"
        parts = entries(section, page.stem == "errors")
        for number, (said, code) in enumerate(parts):
            names = " ".join(dict.fromkeys(NAME.findall(code)))
            if said.strip() or names:
                place = f"{page.stem}/{section.get('id')}/{number}.html"
                meant = {"title": name, "page": title, "code": names}
                yield place, said, meant | {"words": words}
                words = ""


def asked_for(site: Path, language: str) -> dict[str, dict[str, str]]:
    """Return readers' words for the sections of each page, by number.

    The table names a section by its Chinese heading.
    """
    found: dict[str, dict[str, str]] = {}
    numbers: dict[str, dict[str, str]] = {}  # of a page, by heading
    for place, words in tomllib.loads(TABLE.read_text("utf-8")).items():
        stem, _, name = place.partition("#")
        if stem not in contents.names():
            continue
        if stem not in numbers:
            page = article(site / language / "book" / f"{stem}.html")
            numbers[stem] = {
                english.slug(section.xpath(HEADING).strip()): section.xpath(
                    NUMBER
                )
                for section in page.iter("section")
            }
        anchor = english.slug(name)
        if language == "en":
            anchor = english.anchors(stem).get(anchor, anchor)
        if anchor not in numbers[stem]:
            raise SystemExit(f"{TABLE.name}: no section {place}")
        found.setdefault(stem, {})[numbers[stem][anchor]] = words[language]
    return found


def write_index(site: Path, language: str) -> None:
    """Write what the pages of an edition search."""
    asked = asked_for(site, language)
    with TemporaryDirectory() as folder:
        book = site / language / "book"
        for page in sorted(book.rglob("*.html")):
            for place, said, meant in records(page, asked.get(page.stem, {})):
                path = Path(folder, page.parent.relative_to(book), place)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(written(said, meant), "utf-8")
        bundle = site / language / "pagefind"
        command = [sys.executable, "-m", "pagefind", "--silent"]
        command += ["--site", folder, "--output-path", str(bundle)]
        # Chinese in pairs is of no language that it knows.
        language = "en" if language == "en" else "und"
        command += ["--force-language", language, "--include-characters", "_"]
        subprocess.run(command, check=True)
    # Pagefind's own interfaces are not used.
    for path in bundle.glob("pagefind-*.[cj]s*"):
        if path.suffix != ".json":
            path.unlink()


def written(said: str, meant: dict[str, str]) -> str:
    """Write a record as the page that Pagefind reads."""
    metas = "".join(
        f'<i data-pagefind-ignore data-pagefind-meta="{key}">'
        f"{escape(in_pairs(text))}</i>"
        for key, text in meant.items()
        if text.strip()
    )
    return f"<html><body>{metas}<p>{escape(in_pairs(said))}</p></body></html>"
