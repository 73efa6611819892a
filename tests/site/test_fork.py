"""A book of one's own, as CONTRIBUTING.md says, from the same files."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from book_pages import CI, ROOT, parse
from nbformat import v4

pytestmark = pytest.mark.skipif(not CI, reason="whole books: only in CI")
TOP = "https://me.github.io/mine/"
TITLE = "Lines & planes"
TOC = """
format: jb-book
root: book/index
parts:
  - caption: Ours
    numbered: 1
    chapters:
      - file: book/01-data
      - file: book/06-sgd
      - file: book/own/18-lab
      - file: book/own/plan
      - file: book/glossary
"""
PLAN = "# Plan\n\n[Loss](../05-loss.ipynb), [x](../glossary.md#样本-example)"
LAB = v4.new_notebook(
    cells=[v4.new_markdown_cell("# Lab"), v4.new_code_cell("2 + 2  # is 4")],
    metadata={"kernelspec": {"name": "python3", "display_name": "Python"}},
)


@pytest.fixture
def fork(tmp_path_factory):
    """A copy of this book, changed as its new owner wants it, and built."""
    folder = tmp_path_factory.mktemp("fork") / "book"
    rest = shutil.ignore_patterns(".*", "_build", "node_modules", "book-en")
    shutil.copytree(ROOT, folder, ignore=rest)
    modules = "tools/web/node_modules"
    (folder / modules).symlink_to(ROOT / modules)
    config = (folder / "_config.yml").read_text("utf-8")
    for key, value in {
        "title": TITLE,
        "languages": "[en]",
        "  url": "https://github.com/me/mine",
    }.items():
        config = re.sub(f"(?m)^{key}: .*", f"{key}: {value}", config)
    (folder / "_config.yml").write_text(config, "utf-8")
    (folder / "_toc.yml").write_text(TOC, "utf-8")
    (folder / "book/own/plan.md").write_text(PLAN, "utf-8")
    nbformat.write(LAB, folder / "book/own/18-lab.ipynb")
    run(folder, "tools.execute", "book/own/18-lab.ipynb")
    said = run(folder, "tools.site")
    assert "05-loss is not in _toc.yml: links to it in plan are text" in said
    assert "05-loss is not in _toc.yml: 06-sgd speaks of it" in said
    return folder


def run(folder, *command):
    """Run one of the fork's programs; what it says of errors pytest shows."""
    env = {**os.environ, "PYTHONPATH": str(folder)}
    del env["BOOK_ADDRESS"]
    command = [sys.executable, "-m", *command]
    return subprocess.check_output(command, cwd=folder, env=env, text=True)


def test_the_contents_and_the_settings_decide(fork):
    """What is left out is on no page, and no chapter's number changes."""
    whole = fork / "_build" / "html"
    folders = {path.name for path in whole.iterdir() if path.is_dir()}
    assert folders == {"en", "run"}
    front = parse(whole / "en" / "book" / "index.html")
    assert front.h1.get_text().startswith(TITLE)
    assert not front.select("a.switch-edition")
    address = front.find("link", rel="canonical")["href"]
    assert address == f"{TOP}en/book/index.html"
    links = front.select("article a, .bd-links a")
    shown = {a["href"]: a.get_text().split(".")[0].strip() for a in links}
    assert "05-loss.html" not in shown
    assert shown["06-sgd.html"] == "6"
    assert shown["own/18-lab.html"] == "18"
    assert shown["own/plan.html"] == "Plan"
    top = parse(whole / "index.html")
    assert TITLE in top.title.get_text()
    assert {a["href"] for a in top("a")} == {"en/book/index.html"}
    assert "1 passed" in run(fork, "pytest", "-n0", "book/own")
