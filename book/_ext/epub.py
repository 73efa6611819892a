"""The EPUB: no scripts, KaTeX's fonts, and declared as it must be."""

import re
from html import unescape
from pathlib import Path
from zipfile import ZipFile

from sphinx.application import Sphinx
from sphinx.config import Config

MARKS = {"mathml": b"<math", "svg": b"<svg"}
XHTML_ITEM = r'<item id="epub-\d+" href="([^"]+\.xhtml)" media-type="\S+" />'


def choose_cover(app: Sphinx, config: Config) -> None:
    """Set the cover's picture: YAML has no tuples."""
    config.epub_cover = ("_static/card.png", "")


def choose_files(app: Sphinx) -> None:
    """Leave out what an EPUB cannot use; take the fonts of the formulas."""
    if app.builder.name != "epub":
        return
    # A table of Sphinx's without these fonts, and no setting adds to it.
    app.builder.media_types[".woff2"] = "font/woff2"
    app.config.html_additional_pages = {}
    scripts = Path(app.srcdir, "book", "_static", "explore").glob("*.js")
    app.config.epub_exclude_files += [
        f"_static/explore/{path.name}" for path in scripts
    ]


def shape_for_epub(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Drop the scripts, and the styles that are the site's."""
    if app.builder.name != "epub":
        return
    context["body"] = re.sub(
        r"<script.*?</script>", "", context.get("body", ""), flags=re.S
    )
    context["script_files"] = []
    context["css_files"] = [
        style
        for style in context["css_files"]
        if re.search("epub|katex|pygments", str(style.filename))
    ]


def declare_contents(app: Sphinx, error: Exception | None) -> None:
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
