"""The one page that is printed: each id once, and links that stay inside."""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

# Where Sphinx says that a link leads; later it forgets the page.
PLACE = re.compile("#document-(?:book/)?([^#]+)#(.+)")


def keep_links_inside(
    app: Sphinx, document: nodes.document, page: str
) -> None:
    """Let ids begin with their page's name, and links lead to them.

    Chinese headings have the ids id1, id2 …, on each page anew.
    """
    if app.builder.name != "html":
        for file in [*document.findall(addnodes.download_reference)]:
            file.replace_self(file.children)  # it stays on the site
    if app.builder.name != "singlehtml":
        return
    numbers = app.env.toc_secnumbers
    for part in document.findall(addnodes.start_of_file):
        known = part["docname"]
        name = known.removeprefix("book/")
        for node in part.findall(nodes.Element):
            node["ids"] = [f"{name}-{place}" for place in node["ids"]]
            if "refid" in node:
                node["refid"] = f"{name}-{node['refid']}"
        numbers[known] = {
            place.replace("#", f"#{name}-"): number
            for place, number in numbers.get(known, {}).items()
        }
    for link in document.findall(nodes.reference):
        if "refuri" in link:
            uri = PLACE.sub(r"#\1-\2", link["refuri"])
            link["refuri"] = uri.replace("#index-", "#")
