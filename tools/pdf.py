"""Print the one-page edition of the book as a PDF with contents."""

import argparse
import shutil
from io import BytesIO
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader

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
  contents.innerHTML = "<h2>目录</h2>";
  document.querySelectorAll(`${part} > h2, ${part} > section > h3`).forEach(
    (heading, i) => {
      heading.querySelector(".headerlink").remove();
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
    reader = PdfReader(BytesIO(pdf))
    places = reader.named_destinations
    return [
        reader.get_destination_page_number(places[f"/contents-{i}"]) + 1
        for i in range(lines)
    ]


def print_book(site: Path, output: Path) -> None:
    """Print the one-page edition in `site` to `output`."""
    # Its addresses are those of a page at the top.
    shutil.copy(site / "book" / "index.html", site / "index.html")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(color_scheme="light")
        page.goto((site / "index.html").resolve().as_uri())
        page.evaluate(ADD_CONTENTS)
        lines = page.locator("nav.book-contents a").count()
        print(f"printing twice, {lines} lines of contents ...", flush=True)
        pages = pages_of_contents(printed(page), lines)
        page.evaluate(NUMBER_CONTENTS, pages)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(printed(page))
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    print_book(arguments.site, arguments.output)
