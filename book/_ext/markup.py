"""What is mended in the pages' HTML, for those who hear, type or print it."""

import re

from sphinx.application import Sphinx

# Labels and roles of the theme and of docutils that mislead a screen reader.
MISLEADING = (
    ' aria-label="Toggle hidden content"',
    ' role="doc-biblioentry"',
    ' role="list"',
)
TABLE = '<div class="pst-scrollable-table-container"'
NAME = re.compile('<span class="pre">[^<]*_[^<]*')
SUMMARY = re.compile(
    r"<summary[^>]*>\s*(?:<p[^>]*>)?(.*?)(?:</p>.*?)?</summary>", re.S
)
OPEN = re.compile("展开|Show the ")  # where there is nothing to open


def mend_markup(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Mend a page; where nothing can be unfolded, open the folds."""
    body = context.get("body", "")
    for wrong in MISLEADING:
        body = body.replace(wrong, "")
    # A wide table scrolls on a phone: let the keyboard do it too.
    body = body.replace(TABLE, f'{TABLE} tabindex="0"')
    # A long name may break after an underscore.
    body = NAME.sub(lambda name: name[0].replace("_", "_<wbr/>"), body)
    if app.builder.name != "html":
        body = re.sub(r"(</?)details\b", r"\1div", body)
        body = SUMMARY.sub(unfolded, body)
    context["body"] = body


def unfolded(summary: re.Match[str]) -> str:
    """Say what was in a fold, in the fold's own words."""
    words = OPEN.sub("", summary[1], count=1).strip()
    return (
        f'<p class="fold"><strong>{words[:1].upper()}{words[1:]}</strong></p>'
    )
