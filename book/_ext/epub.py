"""The EPUB: no scripts, KaTeX's fonts, and declared as it must be."""

import re
import uuid
from html import unescape
from pathlib import Path
from zipfile import ZipFile

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.locale import _

from book._ext.editions import EDITION, page_source
from book._ext.front import citation

MARKS = {"mathml": b"<math", "svg": b"<svg"}
ITEM = r'<item id="epub-\d+" href="([^"]+\.xhtml|{})" media-type="\S+" />'


class NumberedEpub(Epub3Builder):
    """Sphinx's EPUB; its contents number the chapters, as the pages do."""

    def get_refnodes(
        self, doctree: nodes.Node, result: list[dict]
    ) -> list[dict]:
        """Collect the lines of the contents."""
        if isinstance(doctree, nodes.reference) and doctree.get("secnumber"):
            (number,) = doctree.attributes.pop("secnumber")
            doctree.insert(0, nodes.Text(f"{number}. "))
        return super().get_refnodes(doctree, result)


def choose_files(app: Sphinx) -> None:
    """Leave out what an EPUB cannot use; take the fonts of the formulas."""
    if app.builder.name != "epub":
        return
    config = app.config
    # The same book, however often it is built.
    known = config.html_baseurl or f"{config.html_title} {EDITION}"
    name = f"uuid-{uuid.uuid5(uuid.NAMESPACE_URL, known)}"
    config.epub_uid = config.epub_identifier = name
    config.epub_contributor = config.epub_author
    config.epub_copyright = citation(app)["rights"]
    front = Path(app.srcdir, f"{config.root_doc}.md")
    _title, config.epub_description, *_rest = page_source(front).split("\n\n")
    # YAML has no tuples.
    config.epub_cover = ("_static/cover.png", "epub-cover.html")
    # The theme would put buttons into a header that an EPUB does not have.
    config.html_theme_options["launch_buttons"] = {}
    # A table of Sphinx's without these fonts, and no setting adds to it.
    app.builder.media_types[".woff2"] = "font/woff2"
    # Sphinx has the word, and does not translate it.
    app.builder.guide_titles = {"toc": _("Contents"), "cover": _("Cover")}
    config.html_additional_pages = {}
    scripts = Path(app.srcdir, "book", "_static", "explore").glob("*.js")
    config.epub_exclude_files += [
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
    """Declare the cover, and which pages hold MathML or SVG, as is asked."""
    if error or app.builder.name != "epub":
        return
    epub = Path(app.outdir, f"{app.config.epub_basename}.epub")
    with ZipFile(epub) as old:
        parts = [(info, old.read(info)) for info in old.infolist()]
    pages = {info.filename: data for info, data in parts}
    cover, _ = app.config.epub_cover

    def declared(match: re.Match[str]) -> str:
        page = pages[unescape(match[1])]
        kinds = [kind for kind, mark in MARKS.items() if mark in page]
        if match[1] == cover:
            kinds = ["cover-image"]
        said = f' properties="{" ".join(kinds)}"' if kinds else ""
        return match[0].removesuffix(" />") + said + " />"

    with ZipFile(epub, "w") as new:
        for info, data in parts:
            if info.filename == "content.opf":
                opf = re.sub(ITEM.format(cover), declared, data.decode())
                data = opf.encode()
            new.writestr(info, data)
