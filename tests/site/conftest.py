"""The built site, served as Pages does, and a real browser to visit it."""

import asyncio
import shutil
import threading

import pytest
from book_pages import CI, EDITIONS
from in_browser import new_page


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """Build the site as `make book` does; of several workers the first one."""
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


@pytest.fixture
def folder_of_a_build(site, tmp_path):
    """A folder for another build, which need not read the pages again."""
    for edition in EDITIONS:
        shutil.copytree(
            site.parent / edition / "_build",
            tmp_path / edition / "_build",
            ignore=shutil.ignore_patterns("html"),
        )
    return tmp_path


@pytest.fixture(scope="session")
def base(site):
    """Serve the site under a path, as Pages does; give its address."""
    from tornado.httpserver import HTTPServer
    from tornado.testing import bind_unused_port

    from tools.serve import application

    socket, port = bind_unused_port()
    loop = asyncio.new_event_loop()

    def run():
        asyncio.set_event_loop(loop)
        HTTPServer(application(site, "/name/")).add_socket(socket)
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}/name/"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


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
    window.emulate_media(color_scheme="light")
    window.mouse.move(0, 0)
    yield window
    window.evaluate("localStorage.clear(), sessionStorage.clear()")
    window.goto("about:blank")
