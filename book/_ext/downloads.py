"""What readers take along: a chapter, all of them, and the other editions."""

import re
import tomllib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import nbformat
from sphinx.application import Sphinx
from sphinx.locale import _

from book._ext import contents
from book._ext.editions import EDITION, SOLUTIONS, page_source
from book._ext.first_cell import put_first_cell
from book._ext.front import BUNDLE, PAGES, filled_in

# Where `make epub` and `make pdf` put theirs.
DOWNLOADS = f"_build/{'downloads' if SOLUTIONS else 'no-solutions'}"
MADE_FROM = ["_*.yml", "book/*.[im]*", "book/own/*", "book/_locale/**/*.po"]
BUNDLED = [
    "LICENSE",
    "pyproject.toml",
    "linreg/**/*.py",
    "benchmarks/*.py",
    "benchmarks/*.json",
    "book/_static/line.svg",
    "book/own/**/*.*",
]
NAME = re.compile(f"<code[^>]*><span[^>]*>{BUNDLE}</span></code>")
RELATIVE_LINK = re.compile(r"\]\((?P<page>[\w-]+)\.(?:ipynb|md)\b")


def take_in_downloads(app: Sphinx) -> None:
    """Put the EPUB and the PDF, once they are made, into the site.

    Those of an older book, from a build before, leave it.
    """
    if app.builder.name == "html":
        fresh, older = made_before(Path(app.srcdir), EDITION)
        app.config.html_extra_path = [str(path) for path in fresh]
        for path in older:
            Path(app.outdir, path.name).unlink(missing_ok=True)


def last_change(root: Path) -> float:
    """Return when what the book is made from was last written."""
    paths = (path for pattern in MADE_FROM for path in root.glob(pattern))
    return max(path.stat().st_mtime for path in paths)


def made_before(root: Path, edition: str) -> tuple[list[Path], list[Path]]:
    """List the EPUB and the PDF: those of this book, and those of an older."""
    written = last_change(root)
    made = sorted((root / DOWNLOADS / edition).glob("*"))
    fresh = [path for path in made if path.stat().st_mtime >= written]
    return fresh, [path for path in made if path not in fresh]


def link_downloads(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Link on the front page what there is to download."""
    if app.builder.name != "html" or page != app.config.root_doc:
        return
    link = f'<a href="../{BUNDLE}" download>{BUNDLE}</a>'
    context["body"] = NAME.sub(link, context["body"])
    fresh, _older = made_before(Path(app.srcdir), EDITION)
    links = [
        f'<a href="../{path.name}">{path.suffix[1:].upper()}</a>'
        for path in fresh
    ]
    if links:
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
    home, address = app.config.html_baseurl, app.config.html_context["address"]
    package = home + BUNDLE if home else address and f"git+{address}"
    if not contents.is_own(source):
        put_first_cell(notebook, package)
    for cell in notebook.cells:
        if home and cell.cell_type == "markdown":
            cell.source = RELATIVE_LINK.sub(
                rf"]({home}book/\g<page>.html", cell.source
            )
    nbformat.write(notebook, path)


def _write_bundle(app: Sphinx) -> None:
    """Pack what it takes to run all chapters; pip can install the ZIP, too."""
    root = Path(app.srcdir)
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for pattern in BUNDLED
        for path in sorted(root.glob(pattern))
    }
    pages = {
        path.relative_to(contents.BOOK).as_posix(): page_source(path)
        for path in contents.everything()
    }
    for name in pages.keys() & {f"{page}.md" for page in PAGES}:
        pages[name] = filled_in(pages[name])
    files |= {f"book/{name}": page.encode() for name, page in pages.items()}
    files["README.md"] = _readme(pages["index.md"]).encode()
    files["requirements.txt"] = requirements(root).encode()
    with ZipFile(Path(app.outdir, BUNDLE), "w", ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            info = ZipInfo(f"{Path(BUNDLE).stem}/{name}")
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            bundle.writestr(info, data)


def _readme(front_page: str) -> str:
    """Take what the front page says of the ZIP."""
    title, *sections = re.split("^(?=## )", front_page, flags=re.MULTILINE)
    (run,) = (section for section in sections if BUNDLE in section)
    return f"{title.splitlines()[0]}\n\n{run}"


def requirements(root: Path) -> str:
    """Pin what the chapters import, and JupyterLab, as the book has it."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    needed = [
        re.match(r"[\w-]+", name)[0]
        for name in settings["project"]["dependencies"]
    ]
    named = re.compile(rf"(?:{'|'.join(needed)}|jupyterlab)==")
    pinned = (root / "requirements.txt").read_text("utf-8").splitlines()
    lines = [line for line in pinned if named.match(line)]
    return "\n".join([*lines, "--editable .", ""])
