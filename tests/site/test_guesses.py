"""Guess, then see: an answer is closed until there is a guess."""

import gzip

import pytest
from book_pages import CI, one_edition
from in_browser import MODES, new_page, put_in_mode, violations

WORDS = {
    "zh": ("看结果", "你猜的是：", "我的猜测", "重猜", "你猜了 {} 处"),
    "en": ("See", "Your guess: ", "My guesses", "again", "made {} of"),
}
NAMES = ["02-010", "02-017", "02-039", "02-epochs", "02-052"]
WRITTEN, CHOSEN, *OTHERS = NAMES
LANDS = """(id) => {
  const { scrollPaddingTop } = getComputedStyle(document.documentElement);
  const { top } = document.getElementById(id).getBoundingClientRect();
  return Math.abs(top - parseFloat(scrollPaddingTop)) < 5;
}"""
PARTS = "(all) => all.map((p) => [p.dataset.guess, p.hidden, p.offsetHeight])"


def chapter(edition, name="02-iteration"):
    return f"{edition}/book/{name}.html"


@pytest.fixture
def touched(browser):
    """A page with a touchscreen, that shares nothing with others."""
    with new_page(browser, has_touch=True) as page:
        page.set_viewport_size({"width": 375, "height": 800})
        yield page


def go(page, address):
    """Open an address as from another page."""
    page.goto("about:blank")
    page.goto(address, wait_until="networkidle")
    page.wait_for_function(LANDS, arg=address.partition("#")[2])


def form(page, name):
    return page.locator(f"#guess-{name} ~ .cell .guess-form").first


def opened(page):
    """The names of the guesses whose answers are open, all of each."""
    parts = page.locator("guess-answer").evaluate_all(PARTS)
    kinds = {(name, not hidden, size > 5) for name, hidden, size in parts}
    assert len({name for name, *_ in kinds}) == len(kinds)
    assert all(shown == seen for _, shown, seen in kinds)
    return {name for name, shown, _ in kinds if shown}


@one_edition
def test_a_guess_opens_its_answer_and_is_kept(touched, base, edition):
    see, own, mine, again, made = WORDS[edition]
    go(touched, f"{base}{chapter(edition)}#guess-{CHOSEN}")
    assert opened(touched) == set()
    form(touched, WRITTEN).get_by_role("textbox").fill("5 <b>")
    touched.keyboard.press("Enter")
    assert opened(touched) == {WRITTEN}
    assert touched.evaluate("document.activeElement.dataset.guess") == WRITTEN
    form(touched, CHOSEN).get_by_role("button").nth(1).tap()
    form(touched, OTHERS[0]).get_by_role("button").last.tap()
    form(touched, OTHERS[1]).get_by_role("textbox").fill("luck")
    form(touched, OTHERS[1]).get_by_role("button", name=see).tap()
    shown = touched.locator("guess-list")
    for place in (f"guess-{CHOSEN}", "section-6"):
        assert opened(touched) == {*NAMES[:4]}
        assert not form(touched, WRITTEN).is_visible()
        said = touched.locator(".guess-own:visible").all_inner_texts()
        assert said[0] == f"{own}5 <b>"
        assert made.format(3) in shown.inner_text()
        go(touched, f"{base}{chapter(edition)}#{place}")
    shown.get_by_text(mine).tap()
    listed = shown.locator("li").all_inner_texts()
    assert [own + text.split("\n")[-1] for text in listed] == said
    shown.get_by_role("button", name=again).tap()
    assert opened(touched) == set()
    assert made.format(0) in shown.inner_text()


@one_edition
def test_what_is_sought_opens(touched, base, site, edition):
    """By the browser's own search, and by links to what is within."""
    touched.goto(f"{base}{chapter(edition)}#:~:text=StopIteration")
    touched.locator("guess-answer:not([hidden])").first.wait_for()
    assert opened(touched) == {CHOSEN}
    touched.goto(f"{base}{chapter(edition, '04-model')}#line?w=2")
    touched.locator("#explore-line").wait_for()
    assert opened(touched) == {"04-explore"}
    html = (site / chapter(edition)).read_text("utf-8")
    html = html.replace(f'"{WRITTEN}"><p>', f'"{WRITTEN}"><p id="within">')
    touched.route("**/*.html", lambda route: route.fulfill(body=html))
    go(touched, f"{base}{chapter(edition)}#within")
    assert opened(touched) == {WRITTEN}


@one_edition
def test_open_on_paper_and_without_scripts(page, browser, base, edition):
    page.goto(base + chapter(edition))
    page.emulate_media(media="print")
    sizes = page.locator("guess-answer").evaluate_all(PARTS)
    assert min(size for *_, size in sizes) > 5
    assert not page.locator(".guess-form, guess-list").first.is_visible()
    page.emulate_media(media="screen")
    assert opened(page) == set()
    with new_page(browser, java_script_enabled=False) as plain:
        plain.goto(base + chapter(edition))
        assert opened(plain) == {*NAMES}
        assert plain.locator(".guess li").first.is_visible()


def test_opens_where_nothing_can_be_kept(browser, site, base):
    script = site / "en" / "_static" / "guess.js"
    assert len(gzip.compress(script.read_bytes())) < 4096
    with new_page(browser) as page:
        page.add_init_script("delete Storage.prototype.setItem")
        page.goto(base + chapter("en"))
        form(page, CHOSEN).get_by_role("button").first.click()
        assert opened(page) == {CHOSEN}


@one_edition
def test_accessible_closed_and_open(page, base, edition):
    for width, mode in MODES[1::2] if CI else MODES[-1:]:
        put_in_mode(page, width, mode)
        page.goto(base + chapter(edition))
        assert opened(page) == set()
        assert violations(page, "article") == []
        form(page, CHOSEN).get_by_role("button").first.click()
        assert opened(page) == {CHOSEN}
        assert violations(page, f"#guess-{CHOSEN} ~ .cell") == []
        page.evaluate("localStorage.clear()")
