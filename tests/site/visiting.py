"""The built site and a real browser, for the tests that need them.

A plugin that pytest loads for all tests: what is heavy, the fixtures import.
"""

import asyncio
import os
import re
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urldefrag

import pytest

CI = bool(os.environ.get("CI"))
EDITIONS = ("zh", "en")
each_edition = pytest.mark.parametrize("edition", EDITIONS)
DOCUMENTS = sorted(
    path.stem
    for pattern in ("*.md", "*.ipynb")
    for path in (Path(__file__).parents[2] / "book").glob(pattern)
)
PAGES = {
    edition: [f"{edition}/book/{name}.html" for name in DOCUMENTS]
    for edition in EDITIONS
}
ALL_PAGES = [*PAGES["zh"], *PAGES["en"]]
EVERY_PAGE = ["index.html"] + [
    f"{edition}/{name}.html"
    for edition in EDITIONS
    for name in ("index", "search", "genindex")
]
EVERY_PAGE += ALL_PAGES
SENDING_ON = {"index.html", "zh/index.html", "en/index.html"}
REAL_PAGES = [name for name in EVERY_PAGE if name not in SENDING_ON]
CHAPTER = "zh/book/06-sgd.html"
MODES = [(1280, "light"), (1280, "dark"), (375, "dark"), (375, "light")]
STATES = [(EDITIONS[k % 2], MODES[(k + k // 4) % 4]) for k in range(8)]


def some_of(items, step, first=0):
    """Every so manieth, for things that are much alike; CI tries them all."""
    return items if CI else items[first::step]


def modes_of(number, edition):
    """The widths and colours in which axe looks at a page, or a figure.

    Eight that follow each other share the states out.
    """
    states = some_of(STATES, 8, number % 8)
    return [mode for language, mode in states if language == edition]


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


@pytest.fixture(scope="session")
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
        if find_chromium(playwright) is None and not CI:
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


@contextmanager
def new_page(browser, **options):
    """Open a page that shares nothing with others, for a while."""
    viewport = {"width": 1280, "height": 800}
    with browser.new_context(viewport=viewport, **options) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(10_000)
        yield context.new_page()


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


@contextmanager
def heard(page, event, take):
    """Collect what a page says of an event."""
    found = []

    def listen(said):
        found.append(take(said))

    page.on(event, listen)
    try:
        yield found
    finally:
        page.remove_listener(event, listen)


def put_in_mode(page, width, mode):
    """Choose the width of the window and the colours that are asked for."""
    seen = page.url != "about:blank"
    other = page.viewport_size["width"] != width
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=mode)
    if seen and other:
        page.wait_for_timeout(400)  # then what scrolls can have the focus


# Of the thousands of words in code and formulas, axe sees one of each kind;
# and of all words when it looks at contrasts, which takes it longest. Colours
# need not fade meanwhile.
KIND = """(element) => {
  const ground = (e) => getComputedStyle(e).backgroundColor;
  const { localName, className, parentElement: parent } = element;
  const style = getComputedStyle(element);
  let paper = element;
  while (paper.parentElement && ground(paper) === "rgba(0, 0, 0, 0)")
    paper = paper.parentElement;
  return [localName, className, parent.localName, parent.className,
          ground(paper), style.color, style.fill, style.fontSize,
          style.fontWeight].join();
}"""
THIN_OUT = f"""() => {{
  const kindOf = {KIND};
  const kinds = new Set();
  const words = [...document.querySelectorAll("pre span, .katex")];
  const doubled = words.filter((word) => {{
    const kind = kindOf(word);
    return kinds.has(kind) || !kinds.add(kind);
  }});
  for (const word of doubled)
    word.replaceWith(word.closest("pre") ? word.textContent : "x");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* {{ transition: none !important; }}");
  document.adoptedStyleSheets.push(sheet);
}}"""
VIOLATIONS = f"""async (place) => {{
  const kindOf = {KIND};
  const root = document.querySelector(place);
  const kinds = new Map();
  for (const element of root.querySelectorAll("*")) {{
    const speaks = [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!speaks || !element.checkVisibility()) continue;
    const kind = kindOf(element);
    if (!kinds.has(kind)) kinds.set(kind, element);
  }}
  const options = {{ resultTypes: ["violations"] }};
  const found = [
    await axe.run(root, {{
      ...options, rules: {{ "color-contrast": {{ enabled: false }} }} }}),
    await axe.run({{ include: [...kinds.values()] }}, {{
      ...options, runOnly: ["color-contrast"] }}),
  ];
  return found.flatMap(({{ violations }}) =>
    violations.map(({{ id, nodes }}) => [id, nodes[0].html]));
}}"""


def violations(page, place="html"):
    """What axe objects to; this changes the page."""
    from axe_playwright_python.sync_playwright import Axe

    if not page.evaluate("'axe' in window"):
        page.evaluate(THIN_OUT)
        page.evaluate(Axe().axe_script)
    return page.evaluate(VIOLATIONS, place)


def load_all(page):
    """Open what is folded and fetch the figures that would load lazily."""
    page.evaluate(
        """async () => {
          document.querySelectorAll("details").forEach(
            (details) => { details.open = true; });
          const images = [...document.images];
          images.forEach((image) => { image.loading = "eager"; });
          await Promise.all(images.map((image) => image.decode()));
        }"""
    )


def scroll_to(place):
    """Bring what is around a place to the top: it may be hidden itself."""
    place.evaluate(
        """(place) => place.parentElement.scrollIntoView(
             { behavior: "instant" })"""
    )


def pass_figures(page):
    """Scroll to each figure that answers: it is fetched when it comes near."""
    for figure in page.locator("img[data-explore]").all():
        scroll_to(figure)
        yield figure


def search(page, base, words, edition="zh"):
    """Search for some words; return the pages that are shown in the end."""
    page.goto(f"{base}{edition}/search.html?q={words}")
    summary = page.locator("#search-results .search-summary")
    done = re.compile("匹配|没有|found|did not")
    summary.filter(has_text=done).wait_for()
    links = page.locator("#search-results ul.search li > a")
    return [
        urldefrag(link).url.split("?")[0]
        for link in links.evaluate_all(
            "links => links.map((link) => link.getAttribute('href'))"
        )
    ]
