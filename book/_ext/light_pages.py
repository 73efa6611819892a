"""Light pages: one stylesheet, one script, and no icon that is not shown.

Everything a page loads is named here. The other files that the theme and the
extensions ask for serve functions that this book does not use. These are files
of other projects, which may move: one that is not found ends the build.
"""

import logging
import re
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx

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
    "guess.css",
    "run.css",
]
SCRIPTS = [
    "documentation_options.js",
    "doctools.js",
    "clipboard.min.js",
    "copybutton.js",
    "scripts/sphinx-book-theme.js",
    "scripts/bootstrap.js",
    "scripts/pydata-sphinx-theme.js",
    "switch.js",
    "search.js",
    "run.js",
]
ICON_FONT = "vendor/fontawesome/*/webfonts/fa-solid-900.woff2"
# Attributes keep a picture's place until it is there; a style does not.
SIZED = re.compile('style="width: ([0-9]+)px; height: ([0-9]+)px;"')


def write_one_page(app: Sphinx, *_: object) -> list[str]:
    """Without a page to write, Sphinx would leave a changed stylesheet out."""
    return [app.config.root_doc]


def lighten(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Let a page load what `write_static_files` writes, and pictures late."""
    if app.builder.name == "epub":
        return
    if app.builder.name == "html" and page != app.config.root_doc:
        body = SIZED.sub(
            r'\g<0> width="\1" height="\2"', context.get("body", "")
        )
        context["body"] = body.replace("<img ", '<img loading="lazy" ')
    context["css_files"] = context["script_files"] = []
    context["site_scripts"] = ["site.js"]  # for webpack-macros.html


def write_static_files(app: Sphinx, error: Exception | None) -> None:
    """Write the stylesheet, the script and the icons' font."""
    if error or app.builder.name == "epub":
        return
    static = Path(app.outdir, "_static")
    css = "\n".join(
        with_paths_from(static, path)
        for name in STYLES
        for path in found(static, name)
    )
    # Without JavaScript nothing turns the theme's "auto" into colours.
    css = css.replace(
        '[data-theme="light"]', ':not([data-theme="dark"])'
    ).replace("[data-theme=light]", ":not([data-theme=dark])")
    (static / "site.css").write_text(css, encoding="utf-8")
    js = "\n;\n".join(
        path.read_text(encoding="utf-8")
        for name in SCRIPTS
        for path in found(static, name)
    )
    js = re.sub(r"^//# sourceMappingURL=.*", "", js, flags=re.M)
    (static / "site.js").write_text(js, encoding="utf-8")
    write_icons(static, css)


def found(static: Path, name: str) -> list[Path]:
    """Return the files that a name, or a pattern, stands for."""
    paths = sorted(static.glob(name))
    if not paths:
        # An exception would be buried under those of other extensions.
        raise SystemExit(
            f"{name}: no such file in {static}; a theme or an extension has "
            f"moved it, see {__name__}"
        )
    return paths


def with_paths_from(static: Path, path: Path) -> str:
    """Read a stylesheet; let its addresses start from `static`."""

    def imported(match: re.Match[str]) -> str:
        return with_paths_from(static, (path.parent / match[1]).resolve())

    def address(match: re.Match[str]) -> str:
        if match[1].startswith(("data:", "#")):
            return match[0]
        target = (path.parent / match[1]).resolve()
        return f"url({target.relative_to(static.resolve()).as_posix()})"

    css = path.read_text(encoding="utf-8")
    css = re.sub(r'@import "([^"]+)";', imported, css)
    css = re.sub(r"/\*[#@] sourceMappingURL=.*?\*/", "", css)
    return re.sub(r"url\(['\"]?([^'\")]+)['\"]?\)", address, css)


def write_icons(static: Path, css: str) -> None:
    """Cut the icon font down to the icons that the stylesheet names."""
    escaped = {int(code, 16) for code in re.findall(r"\\([ef]\w{3})\b", css)}
    literal = {ord(letter) for letter in re.findall("[\ue000-\uf8ff]", css)}
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    options = subset.Options(flavor="woff2")
    font = subset.load_font(found(static, ICON_FONT)[-1], options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=escaped | literal)
    subsetter.subset(font)
    subset.save_font(font, static / "icons.woff2", options)
