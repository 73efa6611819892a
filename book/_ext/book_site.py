"""What the build of the book adds to Jupyter Book: what happens when.

Each module beside this one does a job. Of two functions for the same event,
the first one here goes first; those of priority 900 go after the theme's.
"""

import gc
from typing import Any

from sphinx.application import Sphinx

from book._ext import (
    addresses,
    contents,
    downloads,
    editions,
    epub,
    figures,
    formulas,
    front,
    guesses,
    light_pages,
    markup,
    one_page,
    running,
)


def leave_out(app: Sphinx) -> None:
    """Let Sphinx write no index: the site is searched by Pagefind.

    Pictures lead to files of their own on the site alone.
    """
    app.builder.search = False
    app.config.html_scaled_image_link = app.builder.name == "html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the jobs."""
    # What is read stays: to look for garbage in it takes a tenth of the time.
    gc.set_threshold(100_000, 50, 100)
    formulas.prepare_katex()
    for function in (
        editions.check_edition,
        addresses.complete_config,
    ):
        app.connect("config-inited", function, priority=100)
    # When it changes, Sphinx reads all pages again.
    app.add_config_value("book_solutions", editions.SOLUTIONS, "env")
    app.connect("builder-inited", downloads.take_in_downloads)
    app.connect("builder-inited", leave_out)
    app.connect("builder-inited", epub.choose_files)
    app.add_builder(epub.NumberedEpub, override=True)
    app.connect("env-get-outdated", light_pages.write_one_page)
    app.connect("source-read", editions.read_page, priority=100)
    app.connect("source-read", front.read_front_page)
    app.connect("source-read", figures.set_data_aside)
    app.connect("env-get-updated", contents.number_as_files, priority=900)
    app.connect("doctree-resolved", formulas.keep_marks)
    app.connect("doctree-resolved", running.mark_cells)
    app.connect("doctree-resolved", guesses.enclose_answers)
    app.connect("doctree-resolved", one_page.keep_links_inside)
    for function in (
        markup.mend_markup,
        editions.link_editions,
        downloads.link_downloads,
        light_pages.lighten,
        addresses.offer_what_runs,
        epub.shape_for_epub,
        figures.let_figures_answer,
        front.put_title_page,
        guesses.load_script,
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
