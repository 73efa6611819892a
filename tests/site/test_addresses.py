"""A book whose address is known: what its pages say of it."""

import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from book_pages import EDITIONS, ROOT

from book._ext import contents, editions
from book._ext.addresses import (
    complete_config,
    configured_address,
    offer_what_runs,
)
from book._ext.first_cell import put_first_cell

GITHUB = "https://github.com/"


class Settings:
    """What an edition of the book makes of an address."""

    def __init__(self, monkeypatch, edition, configured, name):
        monkeypatch.setenv("GITHUB_REPOSITORY", name)
        monkeypatch.delenv("BOOK_ADDRESS")
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


@pytest.mark.parametrize("name", ["a/b", "a-school/a-book-with-a-long-name"])
def test_the_first_cell_is_formatted(name):
    """Or a fork that has executed its chapters would not be green."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_raw_cell()])
    put_first_cell(notebook, f"git+{GITHUB}{name}")
    cell = notebook.cells[1].source + "\n"
    command = [sys.executable, "-m", "ruff", "format", "-"]
    assert subprocess.check_output(command, input=cell, text=True) == cell


def test_every_stored_first_cell_is_of_this_address():
    """Or of none, until `make execute`, for which Colab's button waits.

    Binder, Colab and the ZIP open the notebooks as they are stored.
    """
    address = configured_address(ROOT)
    for path in contents.notebooks():
        notebook = nbformat.read(path, as_version=4)
        stored, known = notebook.cells[1].source, []
        for package in ("", address and f"git+{address}"):
            put_first_cell(notebook, package)
            known.append(notebook.cells[1].source)
        assert stored in known, f"make execute: {path}"
