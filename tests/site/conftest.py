"""The built site, served as Pages does, and a real browser to visit it."""

import os

import pytest
from book_pages import CI, ROOT
from in_browser import new_page, served

os.environ["BOOK_ADDRESS"] = ""  # a fork has one
# It may have no solutions; its tests are those of the whole book.
os.environ["SOLUTIONS"] = os.environ["BOOK_SOLUTIONS"] = "yes"


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """Build the site as `make book` does; of several workers the first one.

    In CI it has been built: BOOK_SITE says where.
    """
    if "BOOK_SITE" in os.environ:
        return ROOT / os.environ["BOOK_SITE"]
    from filelock import FileLock

    from tools.site import build, join

    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        folder = folder.parent
    folder /= "site"
    with (
        FileLock(f"{folder}.lock"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.delenv("GITHUB_REPOSITORY", raising=False)
        if not folder.exists():
            build(folder, [])
            join(folder, folder / "html")
    return folder / "html"


@pytest.fixture(scope="session")
def base(site):
    """Serve the site under a path, as Pages does; give its address."""
    with served(site, "/name/") as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    from tools.browser import find_chromium, launch

    with sync_playwright() as playwright:
        # Where CI is set there must be one: launch() says so.
        if find_chromium(playwright) is None and not CI:
            pytest.skip("no Chromium on this machine")
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def window(browser):
    with new_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def own_window(browser):
    """A window whose page stays from one test to the next."""
    with new_page(browser) as page:
        yield page


@pytest.fixture
def page(window):
    """An empty page: to open a window of its own takes five times as long."""
    window.set_viewport_size({"width": 1280, "height": 800})
    window.emulate_media(color_scheme="light", reduced_motion="reduce")
    window.mouse.move(0, 0)
    yield window
    window.evaluate("localStorage.clear(), sessionStorage.clear()")
    window.goto("about:blank")
