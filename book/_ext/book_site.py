"""What the build of the book adds to Jupyter Book: what happens when.

Each module beside this one does a job. Of two functions for the same event,
the first one here goes first; those of priority 900 go after the theme's.
"""

import gc
from typing import Any

from sphinx.application import Sphinx

from book._ext import (
    addresses,
    downloads,
    editions,
    epub,
    figures,
    formulas,
    front,
    guesses,
    light_pages,
    markup,
    running,
)


def leave_out_search(app: Sphinx) -> None:
    """Let Sphinx write no index: the site is searched by Pagefind."""
    app.builder.search = False


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the jobs."""
    # What is read stays: to look for garbage in it takes a tenth of the time.
    gc.set_threshold(100_000, 50, 100)
    formulas.prepare_katex()
    for function in (
        editions.check_edition,
        addresses.complete_config,
        epub.choose_cover,
    ):
        app.connect("config-inited", function, priority=100)
    app.connect("builder-inited", downloads.take_in_downloads)
    app.connect("builder-inited", leave_out_search)
    app.connect("builder-inited", epub.choose_files)
    app.connect("env-get-outdated", light_pages.write_one_page)
    app.connect("source-read", editions.read_page, priority=100)
    app.connect("source-read", front.read_front_page)
    app.connect("source-read", figures.set_data_aside)
    app.connect("doctree-resolved", formulas.keep_marks)
    app.connect("doctree-resolved", running.mark_cells)
    app.connect("doctree-resolved", guesses.enclose_answers)
    for function in (
        markup.mend_markup,
        editions.link_editions,
        downloads.link_downloads,
        light_pages.lighten,
        addresses.offer_what_runs,
        epub.shape_for_epub,
        figures.let_figures_answer,
        guesses.load_script,
        running.load_script,
    ):
        app.connect("html-page-context", function, priority=900)
    for function in (
        light_pages.write_static_files,
        figures.join_scripts,
        downloads.write_downloads,
        epub.declare_contents,
    ):
        app.connect("build-finished", function, priority=900)
    return {"parallel_read_safe": True}
