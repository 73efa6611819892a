"""What is mended in the pages' HTML, for those who hear, type or print it."""

import re

from sphinx.application import Sphinx
from sphinx.locale import _

# Labels and roles of the theme and of docutils that mislead a screen reader.
MISLEADING = (
    ' aria-label="Toggle hidden content"',
    ' role="doc-biblioentry"',
    ' role="list"',
)
TABLE = '<div class="pst-scrollable-table-container"'
NAME = re.compile('<span class="pre">[^<]*_[^<]*')
UNFOLDED = "<p><strong>{}</strong></p>"


def mend_markup(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Mend a page; where nothing can be unfolded, open the solutions."""
    body = context.get("body", "")
    for wrong in MISLEADING:
        body = body.replace(wrong, "")
    # A wide table scrolls on a phone: let the keyboard do it too.
    body = body.replace(TABLE, f'{TABLE} tabindex="0"')
    if app.builder.name == "html":
        # A long name may break after an underscore.
        body = NAME.sub(lambda name: name[0].replace("_", "_<wbr>"), body)
    else:
        body = re.sub(r"(</?)details\b", r"\1div", body)
        said = UNFOLDED.format(_("Solution"))
        body = re.sub(r"<summary.*?</summary>", said, body, flags=re.S)
    context["body"] = body
