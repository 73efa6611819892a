"""The built site and a real browser, for the tests that need them.

A plugin that pytest loads for all tests: what is heavy, the fixtures import.
"""

import asyncio
import os
import shutil
import threading

import pytest

EDITIONS = ("zh", "en")


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """Build the site; the workers share it, the first one builds."""
    from building import build
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        base = base.parent
    with FileLock(base / "site.lock"), pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_REPOSITORY", raising=False)
        folder = base / "site"
        if not folder.exists():
            build(folder)
    return folder / "html"


@pytest.fixture
def pages_read(site):
    """Let a build begin with the pages that the site's has read."""

    def copy_to(folder):
        for edition in EDITIONS:
            read = site.parent / edition / "_build"
            shutil.copytree(read, folder / edition / "_build")
        return folder

    return copy_to


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    from tools.browser import find_chromium, launch

    with sync_playwright() as playwright:
        # Where CI is set there must be one: launch() says so.
        if find_chromium(playwright) is None and not os.environ.get("CI"):
            pytest.skip("no Chromium on this machine")
        chromium = launch(playwright)
        yield chromium
        chromium.close()


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


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()
