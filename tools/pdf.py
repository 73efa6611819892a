"""Print the one-page edition of the book as a PDF with contents."""

import argparse
import re
import shutil
import unicodedata
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pikepdf
from playwright.sync_api import Browser, Page, sync_playwright

from tools.browser import launch

FOOTER = (
    '<div style="width: 100%; text-align: center; font-size: 9px">'
    '<span class="pageNumber"></span></div>'
)
# The contents stand between the front page and the first chapter. They are
# printed twice: first without numbers, to learn on which page each heading is.
ADD_CONTENTS = """() => {
  const part = ".toctree-wrapper > section";
  const contents = document.createElement("nav");
  contents.className = "book-contents";
  const title = document.documentElement.lang === "en" ? "Contents" : "目录";
  contents.innerHTML = `<h2>${title}</h2>`;
  document.querySelectorAll(`${part} > h2, ${part} > section > h3`).forEach(
    (heading, i) => {
      heading.id = "contents-" + i; // the sections' ids repeat
      const line = document.createElement("a");
      line.href = "#" + heading.id;
      line.className = heading.localName;
      line.append(heading.textContent, document.createElement("span"));
      contents.append(line);
    },
  );
  document.querySelector(".toctree-wrapper").before(contents);
}"""
NUMBER_CONTENTS = """(pages) => {
  const ends = document.querySelectorAll("nav.book-contents a span");
  ends.forEach((end, i) => { end.textContent = pages[i]; });
}"""
# Radicals and the signs that look the same: Kangxi's, which Unicode itself
# calls equal, and of the supplement's the simplified ones.
RADICALS = {
    chr(code): unicodedata.normalize("NFKC", chr(code))
    for code in range(0x2F00, 0x2FD6)
} | dict(
    zip(
        "⺟⺠⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳",
        "母民虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟",
        strict=True,
    )
)
TARGET = re.compile("<([0-9A-Fa-f]{4})>")
RANGE = re.compile("^<(\\w+)> <(\\w+)> <([0-9A-Fa-f]{4})>$", re.MULTILINE)
SMALL = pikepdf.ObjectStreamMode.generate
MARGIN = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}


def printed(page: Page) -> bytes:
    """Return the page as PDF: A4, numbered, with bookmarks."""
    return page.pdf(
        format="A4",
        margin=MARGIN,
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        outline=True,
        tagged=True,
    )


def pages_of_contents(pdf: bytes, lines: int) -> list[int]:
    """Return the number of the page that each line of contents leads to."""
    with pikepdf.open(BytesIO(pdf)) as document:
        numbers = {
            page.objgen: number
            for number, page in enumerate(document.pages, 1)
        }
        places = document.Root.Dests
        return [
            numbers[places[f"/contents-{i}"][0].objgen] for i in range(lines)
        ]


def mended(pdf: bytes, headings: list[str]) -> bytes:
    """Let what is copied from the PDF be what is written, in half the bytes.

    Fonts draw 用 and the radical ⽤ (U+2F64) by one glyph, and Chromium notes
    the radical. Each such note in the fonts' ToUnicode maps is replaced. Of a
    heading that it has moved to the next page it notes the words twice.
    """
    written = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        for stream, text in character_maps(document):
            stream.write(plain_map(text).encode("latin-1"))
        for bookmark in bookmarks(document):
            if (title := str(bookmark.Title)) not in headings:
                bookmark.Title = re.sub(r"(..+?)\1", r"\1", title)
        document.save(written, object_stream_mode=SMALL)
    return written.getvalue()


def bookmarks(document: pikepdf.Pdf) -> list[pikepdf.Dictionary]:
    """Find the bookmarks, of whatever depth."""
    return [
        item
        for item in document.objects
        if isinstance(item, pikepdf.Dictionary)
        and {"/Title", "/Parent"} <= item.keys()
    ]


def character_maps(
    document: pikepdf.Pdf,
) -> Iterator[tuple[pikepdf.Object, str]]:
    """Find the fonts' ToUnicode maps; yield each with its text."""
    for item in document.objects:
        if isinstance(item, pikepdf.Dictionary) and "/ToUnicode" in item:
            stream = item.ToUnicode
            yield stream, stream.read_bytes().decode("latin-1")


def plain_map(cmap: str) -> str:
    """Replace the radicals that a ToUnicode map leads to."""

    def listed(match: re.Match[str]) -> str:
        low, high, start = (int(match[i], 16) for i in (1, 2, 3))
        targets = [start + i for i in range(high - low + 1)]
        if not any(chr(code) in RADICALS for code in targets):
            return match[0]
        codes = " ".join(f"<{code:04X}>" for code in targets)
        return f"<{match[1]}> <{match[2]}> [{codes}]"

    def plain(match: re.Match[str]) -> str:
        return TARGET.sub(
            lambda code: f"<{ord(sign(chr(int(code[1], 16)))):04X}>", match[0]
        )

    cmap = RANGE.sub(listed, cmap)
    cmap = re.sub(r"\[[^\]]*\]", plain, cmap)
    return re.sub(r"(?<=> )<\w{4}>$", plain, cmap, flags=re.M)


def sign(character: str) -> str:
    """Return the common sign that looks like a radical, or what is given."""
    return RADICALS.get(character, character)


def print_book(browser: Browser, site: Path, output: Path) -> None:
    """Print the one-page edition in `site` to `output`."""
    # Its addresses are those of a page at the top.
    shutil.copy(site / "book" / "index.html", site / "index.html")
    page = browser.new_page(color_scheme="light", reduced_motion="reduce")
    page.goto((site / "index.html").resolve().as_uri())
    page.locator(".headerlink").evaluate_all(
        "(all) => all.map((a) => a.remove())"
    )
    page.evaluate(ADD_CONTENTS)
    lines = page.locator("nav.book-contents a").count()
    print(f"Printing {output} (two minutes, or more) ...", flush=True)
    headings = page.locator("h1, h2, h3, h4").all_text_contents()
    pages = pages_of_contents(printed(page), lines)
    page.evaluate(NUMBER_CONTENTS, pages)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(mended(printed(page), headings))
    page.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        print_book(browser, arguments.site, arguments.output)
        browser.close()
