"""A book of one's own, as CONTRIBUTING.md says; its publishing, rehearsed.

A test runs what the workflow runs on GitHub. One step, `make proof`, looks at
the EPUBs and PDFs: here at those of a short book, there at the whole. Not run
are GitHub's own actions, and of the weekly workflow what asks for the newest
packages of the day and opens an issue.
"""

import os
import re
import subprocess

import nbformat
import pytest
from book_pages import CHINESE, CI, EDITIONS, ROOT, parse
from in_browser import new_page, served
from nbformat import v4
from yaml import safe_load

pytestmark = [
    pytest.mark.skipif(not CI, reason="books, EPUBs and prints: only in CI"),
    pytest.mark.xdist_group("published"),
]
TOP = "https://you.github.io/linreg/"
TITLE = "Lines & planes"
TOC = """
format: jb-book
root: book/index
parts:
  - caption: Ours
    numbered: 1
    chapters:
      - file: book/01-data
      - file: book/02-iteration
      - file: book/06-sgd
      - file: book/own/18-lab
      - file: book/own/plan
      - file: book/glossary
"""
PLAN = "# Plan\n\n[Loss](../05-loss.ipynb), [x](../glossary.md#样本-example)"
LAB = v4.new_notebook(
    cells=[v4.new_markdown_cell("# Lab"), v4.new_code_cell("2 + 2  # is 4")]
)


def run(folder, command):
    """Run what a fork's owner runs, or GitHub; return what it says."""
    env = {
        **os.environ,
        "GITHUB_REPOSITORY": "You/linreg",
        "PYTHONPATH": str(folder),
    }
    for name in ("BOOK_ADDRESS", "BOOK_SOLUTIONS", "SOLUTIONS"):
        del env[name]  # _config.yml says it
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        shell=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def change(folder, **settings):
    """Set what stands in _config.yml."""
    path = folder / "_config.yml"
    config = path.read_text("utf-8")
    for key, value in settings.items():
        config = re.sub(f"(?m)^{key}: .*", f"{key}: {value}", config)
    path.write_text(config, "utf-8")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Make a clone of the last commit one's own, and publish it.

    By all of the workflow but the tests.
    """
    folder = tmp_path_factory.mktemp("fork") / "tree"
    run(ROOT, f"git clone --quiet --bare . {folder.parent}/origin.git")
    run(ROOT, f"git clone --quiet {folder.parent}/origin.git {folder}")
    for made in (".venv", "tools/web/node_modules"):
        (folder / made).symlink_to(ROOT / made)
    # Older than what was installed from them.
    for pins in ("requirements.txt", "tools/web/package-lock.json"):
        os.utime(folder / pins, (0, 0))
    change(folder, title=TITLE, solutions="yes")
    (folder / "_toc.yml").write_text(TOC, "utf-8")
    (folder / "book/own/plan.md").write_text(PLAN, "utf-8")
    nbformat.write(LAB, folder / "book/own/18-lab.ipynb")
    run(folder, "make execute NOTEBOOKS=book/own/18-lab.ipynb")
    run(folder, "git add book _config.yml _toc.yml")
    run(folder, "git -c user.name=You -c user.email=you@you commit -qm Ours")
    workflow = safe_load(
        (folder / ".github/workflows/pages.yml").read_text("utf-8")
    )
    said = ""
    for step in workflow["jobs"]["publish"]["steps"]:
        if step.get("run", ".ci/run") != ".ci/run":
            said += run(folder, step["run"])
    gone = "05-loss is not in _toc.yml: "
    assert f"{gone}links to it in plan are text" in said
    assert f"{gone}06-sgd speaks of it" in said
    return folder


def launch_links(soup):
    links = soup.select(".article-header-buttons a.btn, a.dropdown-item")
    return {a["href"] for a in links if a["href"].startswith("https://")}


def test_addresses_on_the_pages(published):
    """As GitHub names the repository for its own builds."""
    whole = published / "_build" / "html"
    for edition, branch in zip(EDITIONS, ("main", "english"), strict=True):
        site, home = whole / edition, f"{TOP}{edition}/"
        soup = parse(site / "book" / "06-sgd.html")
        assert launch_links(soup) == {
            f"https://mybinder.org/v2/gh/You/linreg/{branch}"
            "?urlpath=lab/tree/book/06-sgd.ipynb",
        }
        page = f"{home}book/06-sgd.html"
        assert soup.find("link", rel="canonical")["href"] == page
        others = soup.find_all("link", rel="alternate", hreflang=True)
        assert {o["hreflang"]: o["href"] for o in others} == {
            "zh-CN": f"{TOP}zh/book/06-sgd.html",
            "en": f"{TOP}en/book/06-sgd.html",
        }
        for name, said in (
            ("image", f"{home}_static/card.png"),
            ("url", page),
        ):
            tag = soup.find("meta", {"property": f"og:{name}"})
            assert tag["content"] == said
        sitemap = (site / "sitemap.xml").read_text("utf-8")
        for document in ("01-data", "06-sgd", "own/18-lab"):
            assert f"<loc>{home}book/{document}.html</loc>" in sitemap
        assert "hreflang" not in sitemap
        sitemaps = (whole / "sitemap.xml").read_text("utf-8")
        assert f"<loc>{home}sitemap.xml</loc>" in sitemaps
        lost = parse(whole / "404.html")
        assert lost.find("base")["href"] == TOP
        assert lost.select(f'a[href="{edition}/book/index.html"]')
        text = (site / "_sources/book/06-sgd.ipynb").read_text("utf-8")
        assert f"]({home}book/glossary.html#" in text
        assert not re.search(r"\]\([\w-]+\.(ipynb|md)", text)
        assert f"{home}linreg-book-{edition}.zip" in text


def test_the_site_is_published(published, browser):
    """Its front page leads to what there is to take along."""
    site = published / "_build" / "html"
    with served(site, "/linreg/") as address, new_page(browser) as page:
        page.goto(address)
        page.wait_for_url(f"{address}*/book/index.html")
        links = page.locator("article a[href^='../']").evaluate_all(
            "(links) => links.map((link) => link.href)"
        )
        assert all(page.request.get(link).ok for link in links)
    kinds = {link.rpartition(".")[2] for link in links}
    assert kinds == {"epub", "pdf", "zip"}


@pytest.mark.skipif("en" not in EDITIONS, reason="a book in Chinese alone")
def test_the_branch_is_english(published):
    shown = run(
        published.parent / "origin.git", "git show english:book/06-sgd.ipynb"
    )
    assert "# Define the optimizer" in shown
    assert CHINESE.search(shown) is None


def test_the_contents_and_the_settings_decide(published):
    """What is left out is on no page, and no chapter's number changes."""
    change(published, languages="[en]", solutions="no")
    toc = published / "_toc.yml"
    toc.write_text(TOC.replace("- file: book/02-iteration", ""), "utf-8")
    run(published, "make book")
    whole = published / "_build" / "html"
    folders = {path.name for path in whole.iterdir() if path.is_dir()}
    assert folders == {"en", "run"}
    assert not [*whole.rglob("02-*"), *whole.rglob("*.epub")]  # of before
    front = parse(whole / "en" / "book" / "index.html")
    assert front.h1.get_text().startswith(TITLE)
    assert not front.select("a.switch-edition")
    links = front.select("article a, .bd-links a")
    shown = {a["href"]: a.get_text().split(".")[0].strip() for a in links}
    assert "05-loss.html" not in shown
    assert shown["06-sgd.html"] == "6"
    assert shown["own/18-lab.html"] == "18"
    assert shown["own/plan.html"] == "Plan"
    top = parse(whole / "index.html")
    assert TITLE in top.title.get_text()
    assert {a["href"] for a in top("a")} == {"en/book/index.html"}
    assert "1 passed" in run(published, ".venv/bin/pytest -n0 book/own")
