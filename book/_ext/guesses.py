"""The guesses: a question, the cell that answers it, what is said of that.

On the site `guess.js` closes the answer until the reader has guessed. The
pages have it open: for print, search, and browsers without JavaScript. A list
in the question has the choices, which become buttons: no formulas there.
"""

import json
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from book._ext.editions import page_source

MARKS = ("先猜再跑。", "Guess first, then run.")
SCRIPT = "guess.js"


def enclose_answers(app: Sphinx, document: nodes.document, page: str) -> None:
    """Put the answers between tags; at the end comes a list of guesses."""
    questions = [*document.findall(is_question)]
    if app.builder.name != "html" or not questions:
        return
    notebook = json.loads(page_source(Path(app.env.doc2path(page))))
    for question in questions:
        cell, *rest = answer(question)
        name = notebook["cells"][cell["cell_index"]]["id"]
        question["classes"].append("guess")
        question["ids"].append(f"guess-{name}")
        (output,) = (c for c in cell if c["nb_element"] == "cell_code_output")
        for part in ([output], rest):
            if part:
                enclose(part, f'<guess-answer data-guess="{name}">')
    document[-1].append(raw("<guess-list></guess-list>"))


def is_question(node: nodes.Node) -> bool:
    """Is this a quotation that begins with the mark, and is answered?"""
    if not isinstance(node, nodes.block_quote):
        return False
    mark = next(iter(node.findall(nodes.strong)), None)
    return mark is not None and mark.astext() in MARKS and bool(answer(node))


def answer(question: nodes.Element) -> list[nodes.Element]:
    """Return the cell that answers a question, and what follows from it.

    That is all before the next code, heading or question. There is no such
    cell where a heading, or the reader's own answer, comes before it.
    """
    after = iter(following(question))
    cell = next((node for node in after if shows_code(node)), None)
    if cell is None or "tag_answer" in cell["classes"]:
        return []
    return [cell, *takewhile(lambda node: not asks_or_shows(node), after)]


def following(node: nodes.Element) -> Iterator[nodes.Element]:
    """Give what follows a node up to the next heading."""
    after = node.parent[node.parent.index(node) + 1 :]
    return takewhile(lambda node: not isinstance(node, nodes.section), after)


def shows_code(node: nodes.Element) -> bool:
    """Is this a cell whose code is seen?"""
    return node.get("nb_element") == "cell_code" and any(
        child["nb_element"] == "cell_code_source" for child in node
    )


def asks_or_shows(node: nodes.Element) -> bool:
    """Does something new begin here?"""
    return shows_code(node) or is_question(node)


def enclose(part: list[nodes.Element], tag: str) -> None:
    """Put a tag before some neighbours, and its end after them."""
    parent = part[0].parent
    parent.insert(parent.index(part[0]), raw(tag))
    parent.insert(parent.index(part[-1]) + 1, raw("</guess-answer>"))


def raw(html: str) -> nodes.raw:
    """Make a piece of HTML."""
    return nodes.raw("", html, format="html")


def load_script(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Let a page that has answers close them before they are drawn."""
    if "<guess-answer" in context.get("body", ""):
        context["early_scripts"] = [SCRIPT]  # for webpack-macros.html
