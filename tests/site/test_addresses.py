"""A book whose address is known: what its pages say of it."""

import re
from types import SimpleNamespace

import nbformat
import pytest
from book_pages import CI, DOCUMENTS, EDITIONS, ROOT, parse

from book._ext import editions
from book._ext.addresses import (
    complete_config,
    configured_address,
    offer_what_runs,
)
from book._ext.first_cell import put_first_cell
from tools.site import build, join

GITHUB = "https://github.com/"


def launch_links(soup):
    links = soup.select(".article-header-buttons a.btn, a.dropdown-item")
    return {a["href"] for a in links if a["href"].startswith("https://")}


@pytest.mark.skipif(not CI, reason="the whole book once more: only in CI")
def test_addresses_on_the_pages(folder_of_a_build, monkeypatch):
    """As GitHub names the repository for its own builds."""
    monkeypatch.setenv("GITHUB_REPOSITORY", "You/linreg")
    build(folder_of_a_build, [])
    join(folder_of_a_build, whole := folder_of_a_build / "html")
    for edition in EDITIONS:
        site, branch = (
            whole / edition,
            {"zh": "main", "en": "english"}[edition],
        )
        soup = parse(site / "book" / "06-sgd.html")
        text = (site / "_sources/book/06-sgd.ipynb").read_text("utf-8")
        path = "book/06-sgd.ipynb"
        assert launch_links(soup) == {
            f"https://mybinder.org/v2/gh/You/linreg/{branch}"
            f"?urlpath=lab/tree/{path}",
        }
        top = "https://you.github.io/linreg/"
        home = f"{top}{edition}/"
        canonical = soup.find("link", rel="canonical")["href"]
        assert canonical == f"{home}book/06-sgd.html"
        others = soup.find_all("link", rel="alternate", hreflang=True)
        assert {o["hreflang"]: o["href"] for o in others} == {
            "zh-CN": f"{top}zh/book/06-sgd.html",
            "en": f"{top}en/book/06-sgd.html",
        }
        card = soup.find("meta", {"property": "og:image"})["content"]
        assert card == f"{home}_static/card.png"
        assert soup.find("meta", {"property": "og:url"})["content"] == (
            f"{home}book/06-sgd.html"
        )
        sitemap = (site / "sitemap.xml").read_text("utf-8")
        for document in DOCUMENTS:
            assert f"<loc>{home}book/{document}.html</loc>" in sitemap
        sitemaps = (whole / "sitemap.xml").read_text("utf-8")
        assert f"<loc>{home}sitemap.xml</loc>" in sitemaps
        lost = parse(whole / "404.html")
        assert lost.find("base")["href"] == top
        assert f"{edition}/book/index.html" in {
            a["href"] for a in lost.find_all("a")
        }
        assert f"]({home}book/glossary.html#" in text
        assert not re.search(r"\]\([\w-]+\.(ipynb|md)", text)
        assert f"{home}linreg-book-{edition}.zip" in text


class Settings:
    """What an edition of the book makes of an address."""

    def __init__(self, monkeypatch, edition, configured, name):
        monkeypatch.setenv("GITHUB_REPOSITORY", name)
        monkeypatch.setattr(editions, "EDITION", edition)
        self.html_theme_options = {
            "repository_url": configured,
            "repository_branch": "main",
            "launch_buttons": {"binderhub_url": "https://mybinder.org"},
        }
        self.html_context, self.html_baseurl = {}, ""
        self.extensions = []
        complete_config(self, self)

    def setup_extension(self, name):
        self.extensions.append(name)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize(
    ("configured", "name", "address", "pages"),
    [
        ("", "", "", ""),
        (GITHUB + "You/Lin.git", "Fork/Lin", GITHUB + "You/Lin",
         "https://you.github.io/Lin/"),
        ("HTTPS://GitHub.com/Al/Al.GitHub.io/", "", GITHUB + "Al/Al.GitHub.io",
         "https://al.github.io/"),
        ("https://gitee.com/you/lin.git", "", "https://gitee.com/you/lin", ""),
    ],
)  # fmt: skip
def test_an_address_is_understood(
    monkeypatch, edition, configured, name, address, pages
):
    found = Settings(monkeypatch, edition, configured, name)
    theme, github = found.html_theme_options, address.startswith(GITHUB)
    assert found.html_context == {"address": address}
    assert theme["repository_url"] == (address if github else "")
    assert bool(theme["launch_buttons"]) == github
    branch = "english" if edition == "en" else "main"
    assert theme["repository_branch"] == branch
    assert found.html_baseurl == (f"{pages}{edition}/" if pages else "")
    assert found.extensions == (["sphinx_sitemap"] if pages else [])


COLAB = {"url": "https://colab.research.google.com/github/you/lin"}
BINDER = {"url": "https://mybinder.org/v2/gh/you/lin/main"}


@pytest.mark.parametrize(
    ("first", "second", "runs"),
    [
        ("pip install git+https://github.com/you/lin", "import torch", True),
        ("pip install git+https://github.com/you/lin", "from d2l", False),
        ("unpack the ZIP", "import torch", False),
    ],
)
def test_colab_is_offered_where_the_chapter_runs(
    tmp_path, first, second, runs
):
    """It has no d2l, and needs to be told where the package is."""
    path = tmp_path / "page.ipynb"
    path.write_text(first + second, "utf-8")
    app = SimpleNamespace(env=SimpleNamespace(doc2path=lambda page: path))
    group = {"label": "launch-buttons", "buttons": [COLAB, BINDER]}
    context = {"header_buttons": [{"label": "search"}, group]}
    offer_what_runs(app, "page", "", context, None)
    assert group["buttons"] == ([COLAB, BINDER] if runs else [BINDER])


def test_every_stored_first_cell_is_of_this_address():
    """Binder, Colab and the ZIP open the notebooks as they are stored."""
    address = configured_address(ROOT)
    for path in ROOT.glob("book/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        stored = notebook.cells[1].source
        put_first_cell(notebook, address and f"git+{address}")
        assert notebook.cells[1].source == stored, f"make execute: {path}"
