"""What the tests do in a browser: open, look, listen, judge."""

import asyncio
import threading
from contextlib import contextmanager

from book_pages import CI, EDITIONS, REAL_PAGES

MODES = [(1280, "light"), (1280, "dark"), (375, "dark"), (375, "light")]


def mode_of_page(name):
    """The width and the colours in which axe looks at a page.

    By its number; of the other edition's page it is the other width and the
    other colours, or where CI is not set none.
    """
    number = REAL_PAGES.index(EDITIONS[0] + name[2:])
    edition = EDITIONS.index(name[:2])
    if CI or number % len(EDITIONS) == edition:
        return MODES[(number // 2 + 2 * edition) % len(MODES)]


# What differs between the editions' pages is in their HTML, which is read of
# all (test_markup.py): each is opened in one of them; in both where CI is set.
VISITED = [name for name in REAL_PAGES if mode_of_page(name)]


@contextmanager
def new_page(browser, **options):
    """Open a page that shares nothing with others, for a while.

    It does not glide to where a link leads: a test could look too early.
    """
    options = {"reduced_motion": "reduce"} | options
    viewport = {"width": 1280, "height": 800}
    with browser.new_context(viewport=viewport, **options) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(10_000)
        yield context.new_page()


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


# Of what has the same colours, axe judges the contrast once, and of the
# thousands of words in code and formulas it sees one of each kind. Colours
# need not fade meanwhile; nor code, at its edges, or axe could not judge it.
THIN_OUT = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* {
    transition: none !important; background-image: none !important;
  }`);
  document.adoptedStyleSheets.push(sheet);
  const ground = (e) => getComputedStyle(e).backgroundColor;
  const kinds = new Set();
  const doubled = [];
  for (const element of document.querySelectorAll("body *")) {
    const { className, localName, parentElement: parent } = element;
    let paper = element;
    while (paper.parentElement && ground(paper) === "rgba(0, 0, 0, 0)")
      paper = paper.parentElement;
    const kind = [localName, className, parent.localName, parent.className,
                  ground(paper), getComputedStyle(element).color,
                  element.checkVisibility()].join();
    if (!kinds.has(kind) && kinds.add(kind)) element.dataset.kind = "";
    else if (element.matches("pre span, .katex")) doubled.push(element);
  }
  for (const word of doubled)
    word.replaceWith(word.closest("pre") ? word.textContent : "x");
}"""
VIOLATIONS = """async (place) => {
  const rules = [{ id: "color-contrast", selector: "[data-kind]" }];
  axe.configure({ rules });
  const { violations } = await axe.run(place, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => [id, nodes[0].html]);
}"""


def violations(page, place="html"):
    """What axe objects to; this changes the page."""
    from axe_playwright_python.sync_playwright import Axe

    if not page.evaluate("'axe' in window"):
        page.evaluate(THIN_OUT)
        page.evaluate(Axe().axe_script)
    return page.evaluate(VIOLATIONS, place)


def open_guesses(page):
    """Open the answers that wait for a guess."""
    page.locator("guess-answer").evaluate_all(
        "(parts) => parts.forEach((part) => { part.hidden = false; })"
    )


def load_all(page):
    """Open what is closed and fetch the figures that would load lazily."""
    open_guesses(page)
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


@contextmanager
def served(site, path):
    """Serve a folder as Pages does: under a path, gzipped, to be kept."""
    from tornado.httpserver import HTTPServer
    from tornado.testing import bind_unused_port
    from tornado.web import Application, StaticFileHandler

    class CachedFile(StaticFileHandler):
        def get_cache_time(self, *_):
            return 24 * 60 * 60

    options = {"path": str(site), "default_filename": "index.html"}
    routes = [(f"{path}(.*)", CachedFile, options)]
    application = Application(routes, compress_response=True)
    socket, port = bind_unused_port()
    loop = asyncio.new_event_loop()

    def serve():
        asyncio.set_event_loop(loop)
        HTTPServer(application).add_socket(socket)
        loop.run_forever()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}{path}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
