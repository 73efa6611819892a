"""What the tests do in a browser: open, look, listen, search, judge."""

import re
from contextlib import contextmanager
from urllib.parse import urldefrag

from book_pages import CI, EDITIONS

MODES = [(1280, "light"), (1280, "dark"), (375, "dark"), (375, "light")]
STATES = [(edition, mode) for mode in MODES for edition in EDITIONS]


def modes_looked_at(number, edition):
    """The widths and colours in which axe looks at a page, or a figure.

    One state of eight for each, by its number; all where CI is set.
    """
    states = STATES if CI else [STATES[number % len(STATES)]]
    return [mode for language, mode in states if language == edition]


@contextmanager
def new_page(browser, **options):
    """Open a page that shares nothing with others, for a while."""
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
