"""Publishing, rehearsed: a test runs what the workflow runs on GitHub.

What is published is looked at in test_addresses.py and test_editions.py, too.
Not run are GitHub's own actions, and of the weekly workflow what asks for the
newest packages of the day and opens an issue.
"""

import subprocess

import pytest
from book_pages import CHINESE, CI
from in_browser import heard, new_page, served


def visit(browser, site, path):
    """Read a little of a site; give the kinds of files to take along."""
    with served(site, path) as address, new_page(browser) as page:
        with heard(page, "response", lambda r: (r.url, r.ok)) as answers:
            page.goto(address)
            page.wait_for_url(f"{address}*/book/index.html")
            page.locator("a.start").click()
            page.locator("a.switch-edition").click()
            page.locator(".navbar-brand.logo").click()
            links = page.locator("article a[href^='../']").evaluate_all(
                "(links) => links.map((link) => link.href)"
            )
        assert [url for url, ok in answers if not ok] == []
        assert all(page.request.get(link).ok for link in links)
        return {link.rpartition(".")[2] for link in links}


@pytest.mark.skipif(not CI, reason="the whole book: only in CI")
@pytest.mark.xdist_group("published")
def test_site_and_branch_are_published(published, browser):
    site, origin = published / "_build/html", published.parent / "origin.git"
    assert visit(browser, site, "/linreg/") == {"epub", "pdf", "zip"}
    command = ["git", "show", "english:book/06-sgd.ipynb"]
    shown = subprocess.check_output(command, cwd=origin, text=True)
    assert "# Define the optimizer" in shown
    assert CHINESE.search(shown) is None
