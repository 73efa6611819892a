"""What readers take along: a chapter, all of them, and the other editions."""

import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import nbformat
from sphinx.application import Sphinx
from sphinx.locale import _

from book._ext import english
from book._ext.editions import EDITION, page_source
from book._ext.first_cell import put_first_cell

DOWNLOADS = "_build/downloads"  # where `make epub` and `make pdf` put theirs
MADE_FROM = ["_*.yml", "book/*.ipynb", "book/*.md", "book/_locale/**/*.po"]
BUNDLE = "linreg-book.zip"
BUNDLED = [
    "README*.md",
    "LICENSE",
    "pyproject.toml",
    "requirements.txt",
    "linreg/**/*.py",
    "benchmarks/*.py",
    "benchmarks/*.json",
    "book/*.ipynb",
    "book/*.md",
    "book/_static/cover.png",
]
RELATIVE_LINK = re.compile(r"\]\((?P<page>[\w-]+)\.(?:ipynb|md)\b")


def take_in_downloads(app: Sphinx) -> None:
    """Put the EPUB and the PDF, once they are made, into the site."""
    if app.builder.name == "html":
        fresh, _ = made_before(Path(app.srcdir), EDITION)
        app.config.html_extra_path = [str(path) for path in fresh]


def made_before(root: Path, edition: str) -> tuple[list[Path], list[Path]]:
    """List the EPUB and the PDF: those of this book, and those of an older."""
    written = max(
        path.stat().st_mtime
        for pattern in MADE_FROM
        for path in root.glob(pattern)
    )
    made = sorted((root / DOWNLOADS / edition).glob("*"))
    fresh = [path for path in made if path.stat().st_mtime >= written]
    return fresh, [path for path in made if path not in fresh]


def link_downloads(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Link on the front page what there is to download."""
    if app.builder.name != "html" or page != app.config.root_doc:
        return
    names = {BUNDLE: _("all notebooks and code (ZIP)")} | {
        path.name: path.suffix[1:].upper()
        for path in made_before(Path(app.srcdir), EDITION)[0]
    }
    links = [f'<a href="../{n}">{text}</a>' for n, text in names.items()]
    said = _("The whole book to take along: {}.")
    context["body"] += f"<p>{said.format(_(', ').join(links))}</p>"


def write_downloads(app: Sphinx, error: Exception | None) -> None:
    """Write each chapter's notebook, and the bundle of all."""
    if error or app.builder.name != "html":
        return
    sources = Path(app.outdir, "_sources")
    for path in sources.rglob("*.ipynb"):
        _write_notebook(app, path, Path(app.srcdir, path.relative_to(sources)))
    _write_bundle(app)


def _write_notebook(app: Sphinx, path: Path, source: Path) -> None:
    """Let a chapter that is downloaded alone find the package and the site."""
    notebook = nbformat.reads(page_source(source), as_version=4)
    put_first_cell(notebook, app.config.html_context["address"])
    home = app.config.html_baseurl
    for cell in notebook.cells:
        if home and cell.cell_type == "markdown":
            cell.source = RELATIVE_LINK.sub(
                rf"]({home}book/\g<page>.html", cell.source
            )
    nbformat.write(notebook, path)


def _write_bundle(app: Sphinx) -> None:
    """Pack what it takes to run all chapters, for those without git."""
    pages = english.pages()
    with ZipFile(Path(app.outdir, BUNDLE), "w", ZIP_DEFLATED) as bundle:
        for pattern in BUNDLED:
            for path in sorted(Path(app.srcdir).glob(pattern)):
                name = path.relative_to(app.srcdir).as_posix()
                info = ZipInfo(f"{Path(BUNDLE).stem}/{name}")
                info.compress_type = ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                said = path in pages
                data = (
                    page_source(path).encode() if said else path.read_bytes()
                )
                bundle.writestr(info, data)
