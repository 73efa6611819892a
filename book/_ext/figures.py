"""The figures that answer: their data, and their modules as one script each.

Such a picture's output in the notebook holds its data as well, under a type
of JSON that no other program knows.
"""

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import nbformat
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import _

from book._ext.editions import page_source

LOADER = "explore/load.js"
# What the stylesheet keeps room in, for the figure to come.
PLACE = '<div class="explore-place"><div class="room-for-{}">{}</div></div>'
# Where nothing answers, a line says where it does.
ELSEWHERE = '<p class="elsewhere">{} <a href="{url}">{url}</a></p>'
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.M)


def set_data_aside(app: Sphinx, page: str, source: list[str]) -> None:
    """Let MyST-NB read the pictures without the data that it cannot show."""
    if "+json" in source[0]:
        notebook = nbformat.reads(source[0], as_version=4)
        for _cell, bundle, kind in pictures_with_data(notebook):
            del bundle[kind]
        source[0] = nbformat.writes(notebook)


def let_figures_answer(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Give pictures the data that their outputs have for the scripts.

    In print and in an EPUB, give them the address of their page.
    """
    pages = app.env.found_docs if app.builder.name == "singlehtml" else [page]
    for name in pages if doctree else []:
        source = Path(app.env.doc2path(name))
        if source.suffix != ".ipynb" or "+json" not in page_source(source):
            continue
        notebook = nbformat.reads(page_source(source), as_version=4)
        for cell, bundle, kind in pictures_with_data(notebook):
            alt = f' alt="{escape(cell.metadata.mystnb.image.alt)}"'
            picture = re.compile(
                rf"(?:<a [^>]*>)?<img[^>]*{re.escape(alt)}[^>]*>(?:\s*</a>)?"
            )
            found = picture.findall(context["body"])
            if len(found) != 1:
                raise ExtensionError(f"{source}: not one picture with{alt}")
            put = found[0]
            if app.builder.name == "html":
                data = escape(json.dumps(bundle[kind], separators=(",", ":")))
                put = put.replace(alt, f'{alt} data-explore="{data}"')
                put = PLACE.format(bundle[kind]["kind"], put)
                if LOADER not in context["site_scripts"]:
                    context["site_scripts"].append(LOADER)
            elif home := app.config.html_baseurl:
                said = _("This figure answers here:")
                put += ELSEWHERE.format(said, url=f"{home}{name}.html")
            context["body"] = context["body"].replace(found[0], put)


def pictures_with_data(
    notebook: nbformat.NotebookNode,
) -> Iterator[tuple[nbformat.NotebookNode, nbformat.NotebookNode, str]]:
    """Find the cells that show a picture and its data, and the data's type."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            bundle = output.get("data", {})
            for kind in [k for k in bundle if k.endswith("+json")]:
                if "image/png" in bundle:
                    yield cell, bundle, kind


def join_scripts(app: Sphinx, error: Exception | None) -> None:
    """Join each figure's modules: from a disk, browsers load none."""
    if error or app.builder.name != "html":
        return
    folder = Path(app.outdir, "_static", "explore")
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
