"""The addresses of the repository and of the site, where they are known.

The repository's is `repository: url` in _config.yml; a fork that GitHub
builds knows its own without being told. BOOK_ADDRESS takes the
place of what _config.yml says, in tests.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError
from yaml import safe_load

from book._ext import editions


def plain_address(url: str) -> str:
    """Return a repository's address as a browser shows it, or ""."""
    parts = urlsplit(url.strip())
    path = parts.path.strip("/").removesuffix(".git")
    return f"https://{parts.netloc.lower()}/{path}" if path else ""


def configured_address(root: Path) -> str:
    """Return the address in _config.yml, or ""."""
    config = safe_load((root / "_config.yml").read_text("utf-8"))
    return plain_address(config["repository"]["url"])


def pages_address(url: str) -> str:
    """Return where GitHub Pages serves the site of a repository, or ""."""
    host, _, path = url.removeprefix("https://").partition("/")
    if host != "github.com":
        return ""
    owner, _, repository = path.partition("/")
    if not repository or "/" in repository:
        raise ConfigError(
            "repository: url must be like https://github.com/you/linreg, "
            f"got {url}"
        )
    home = f"{owner.lower()}.github.io"
    own = repository.lower() == home  # a user's site is at the top
    return f"https://{home}/" if own else f"https://{home}/{repository}/"


def complete_config(app: Sphinx, config: Config) -> None:
    """Set what depends on the addresses, which YAML cannot.

    Launch buttons would open another book where the address is not known.
    """
    theme = config.html_theme_options
    name = os.environ.get("GITHUB_REPOSITORY", "")
    configured = theme["repository_url"]
    if (tried := os.environ.get("BOOK_ADDRESS")) is not None:
        configured, config.html_baseurl = tried, ""
    url = plain_address(configured)
    url = url or plain_address(name and f"https://github.com/{name}")
    config.html_context["address"] = url
    on_github = url.startswith("https://github.com/")
    theme["repository_url"] = url if on_github else ""
    if editions.EDITION == "en":
        theme["repository_branch"] = "english"  # the Pages workflow makes it
    # The theme knows few other hosts; and the repository has the solutions.
    if not on_github or not editions.SOLUTIONS:
        theme["launch_buttons"] = {}
    home = (config.html_baseurl or (pages_address(url) if url else "")).rstrip(
        "/"
    )
    if home:
        config.html_baseurl = f"{home}/{editions.EDITION}/"
        app.setup_extension("sphinx_sitemap")
        config.sitemap_url_scheme = "{link}"
        config.sitemap_locales = [None]  # the pages say where they are
    config.ogp_site_url = config.html_baseurl


def offer_what_runs(
    app: Sphinx, page: str, template: str, context: dict, doctree: object
) -> None:
    """Offer Colab where the chapter runs there.

    It opens the notebook of the repository, whose first cell must say where
    the package is: `make execute` writes it there. It has no d2l.
    """
    path = Path(app.env.doc2path(page))
    text = path.read_text("utf-8") if path.suffix == ".ipynb" else ""
    if "git+https" in text and "from d2l" not in text:
        return
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            group["buttons"] = [
                button
                for button in group["buttons"]
                if not button["url"].startswith(
                    "https://colab.research.google.com"
                )
            ]
