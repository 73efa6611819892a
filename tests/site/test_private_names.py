"""Names of other projects that are not theirs to keep: which one has gone?

Whatever the build of the site uses that its maker does not document is here,
with the reason. It may go with any release; then one test says what is gone,
instead of a page that looks strange.
"""

from functools import reduce
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from book._ext.light_pages import found

KATEX = "sphinxcontrib.katex"
# The module, the name in it, and why nothing public will do.
NAMES = [
    (KATEX, "NODEJS_BINARY", "no setting names the Node.js that pip brings"),
    (KATEX, "STARTUP_TIMEOUT", "five seconds, and no setting"),
    (KATEX, "RENDER_TIMEOUT", "five seconds, and no setting"),
    (KATEX, "KaTeXServer.start_server_process", "it asks the server once"),
    (KATEX, "KaTeXServer.build_command", "what replaces it starts Node.js"),
    (KATEX, "KaTeXServer.timeout_error", "what replaces it may fail, too"),
    ("sphinx.builders.epub3", "Epub3Builder.media_types", "lacks .woff2"),
    ("sphinx.builders.epub3", "Epub3Builder.guide_titles", "in English"),
    ("sphinx.builders.epub3", "Epub3Builder.get_refnodes", "no numbers"),
    ("sphinx.builders.singlehtml", "SingleFileHTMLBuilder.fix_refuris",
     "one_page.py is before it: it forgets which page a link leads to"),
    ("sphinx.builders.html", "StandaloneHTMLBuilder.search",
     "no setting leaves its index out"),
    ("myst_parser.mdit_to_docutils.base", "default_slugify",
     "links to headings are made English as MyST makes them"),
]  # fmt: skip
# The package, its file, what stands in it, and why that matters.
TEXTS = [
    ("pydata_sphinx_theme", "theme/*/layout.html",
     "search-button__search-container", "search.js shows results in it"),
    ("pydata_sphinx_theme", "theme/*/layout.html", "head_pre_assets",
     "webpack-macros.html writes it: one stylesheet"),
    ("pydata_sphinx_theme", "theme/*/layout.html", "head_js_preload",
     "webpack-macros.html writes it: the scripts"),
    ("pydata_sphinx_theme", "theme/*/layout.html", "data-theme",
     "light_pages.py gives it colours without JavaScript"),
    ("pydata_sphinx_theme", "theme/*/components/theme-switcher.html",
     "theme-switch", "article-header-buttons.html includes it"),
    ("pydata_sphinx_theme", "theme/*/components/search-button.html",
     "search-button", "article-header-buttons.html includes it"),
    ("pydata_sphinx_theme", "translator.py", "pst-scrollable-table-container",
     "markup.py lets the keyboard scroll it"),
    ("sphinx_book_theme", "theme/*/macros/buttons.html", "render_funcs",
     "article-header-buttons.html draws the launch buttons with it"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name", "why"), NAMES)
def test_name_is_there(module, name, why):
    try:
        reduce(getattr, name.split("."), import_module(module))
    except (ImportError, AttributeError) as error:
        pytest.fail(f"{module}.{name} is gone ({why}): {error}")


@pytest.mark.parametrize(("package", "file", "text", "why"), TEXTS)
def test_text_is_there(package, file, text, why):
    folder = Path(find_spec(package).origin).parent
    texts = [path.read_text("utf-8") for path in folder.glob(file)]
    assert any(text in t for t in texts), f"{text} is gone ({why})"


def test_build_names_the_file_that_is_gone(tmp_path):
    """The theme's stylesheets and scripts: the build looks for each."""
    with pytest.raises(SystemExit, match=r"bootstrap\.css: no such file"):
        found(tmp_path, "styles/bootstrap.css")
