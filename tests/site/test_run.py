"""Cells run in the page: pressed, changed, judged, kept, stopped."""

import gzip
import json
import re

import nbformat
import pytest
from book_pages import CI, ROOT, each_edition
from in_browser import MODES, heard, new_page, put_in_mode, violations

from book._ext.running import running_cells

CHAPTER = "03-autograd"
FIRST, SECOND, GUESSED, FIFTH = "03-004", "03-010", "03-012", "03-022"
SIXTH, ANSWER = "03-056", "03-073"
# What is said, by its kind; nothing while it runs.
SAID = """(name) => {
  const note = document.querySelector(`#cell-${name} .run-note`);
  const { kind } = note.dataset;
  return kind !== "busy" && note.textContent && [kind, note.textContent];
}"""


def address(edition="en", chapter=CHAPTER):
    return f"{edition}/book/{chapter}.html"


def cell(page, name):
    return page.locator(f"#cell-{name}")


def press(page, name, number=0):
    button = cell(page, name).locator(".run-bar button").nth(number)
    button.evaluate("(button) => button.click()")


def said(page, name):
    """Wait until a cell has run; say what stands beside its button."""
    return page.wait_for_function(SAID, arg=name, timeout=90_000).json_value()


def write(page, name, code):
    editor = cell(page, name).get_by_role("textbox")
    editor.click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")


@pytest.fixture(scope="module")
def started(browser, base):
    """A chapter on a phone; one press has started Python."""
    with new_page(browser, has_touch=True, accept_downloads=True) as page:
        page.set_viewport_size({"width": 375, "height": 800})
        with heard(page, "request", lambda request: request.url) as urls:
            page.goto(base + address(), wait_until="networkidle")
            assert not [url for url in urls if "/run/" in url]
            press(page, FIFTH)
            assert said(page, FIFTH)[0] == "good"
            assert all(url.startswith((base, "blob:")) for url in urls)
        yield page


@each_edition
def test_the_core_runs_and_the_rest_says_where(site, edition):
    for path in (ROOT / "book").glob("*.ipynb"):
        running = running_cells(path)
        html = (site / address(edition, path.stem)).read_text("utf-8")
        assert re.findall('" id="cell-(.*?)"', html) == [*running]
        assert html.count('/run.js"') == bool(running)
        assert html.count('"run-elsewhere"') == (not running)
        core = re.match("tensors|errors|0[1-8]", path.stem)
        assert len(running) > 20 if core else not running


def test_is_light(site):
    script = site / "en" / "_static" / "run.js"
    assert len(gzip.compress(script.read_bytes())) <= 4096
    parts = [path for path in (site / "run").iterdir() if path.is_file()]
    parts.append(site / "run" / "cells" / f"{CHAPTER}.json")
    sizes = [len(gzip.compress(path.read_bytes(), 6)) for path in parts]
    assert sum(sizes) <= 5_000_000


def test_runs_what_is_needed_and_finds_it_as_in_the_book(started):
    assert started.evaluate(SAID, SECOND)[0] == "good"
    for name in (FIRST, FIFTH):
        assert cell(started, name).locator(".run-live").inner_text() == ""
    answer = cell(started, GUESSED).locator("guess-answer")
    assert answer.get_attribute("hidden") is None


def test_a_change_shows_both_outputs(started):
    write(started, FIFTH, "print(6 * 7)\nx.grad")
    assert "has changed" in said(started, FIFTH)[1]
    live = cell(started, FIFTH).locator(".run-live pre")
    assert live.inner_text().strip() == "42\ntensor([ 0.,  8., 16., 24.])"
    picture = started.locator(".cell.draws .run-stored")
    assert "doesn’t follow" in picture.inner_text()
    write(started, FIFTH, "1 /")
    assert said(started, FIFTH) == ["bad", "An error, in line 1."]
    press(started, SIXTH)
    assert "a cell above failed" in said(started, SIXTH)[1]
    write(started, FIFTH, "import numpy")
    assert "Python’s own" in said(started, FIFTH)[1]
    press(started, FIFTH, 2)
    assert picture.count() == 0
    press(started, FIFTH)
    assert said(started, FIFTH)[0] == "good"


def test_an_answer_is_judged_kept_and_taken_along(started, site, base):
    mark = started.locator(".page-toc .run-solved")
    press(started, ANSWER)
    write(started, ANSWER, "cube_grad = [0, 1, 8, 27]")
    assert "not right yet: number 1" in said(started, ANSWER)[1]
    right = "cube_grad = finite_difference(lambda x: (x**3).sum(), x.double())"
    write(started, ANSWER, right)
    assert said(started, ANSWER)[0] == "good"
    started.goto(base + address("zh"))
    assert mark.count() == 1
    assert cell(started, ANSWER).locator("pre").inner_text().strip() == right
    press(started, ANSWER)
    assert said(started, ANSWER) == ["good", "✓ 答对了"]
    with started.expect_download() as download:
        started.locator(".run-page button").first.click()
    taken = nbformat.read(download.value.path(), as_version=4)
    nbformat.validate(taken)
    source = site / "zh" / "_sources" / "book" / f"{CHAPTER}.ipynb"
    theirs = nbformat.read(source, as_version=4)
    code = {one.id: one.source for one in theirs.cells} | {ANSWER: right}
    assert {one.id: one.source for one in taken.cells} == code
    started.once("dialog", lambda dialog: dialog.accept())
    started.locator(".run-page button").nth(1).click()
    assert mark.count() == 0
    kept = started.evaluate("localStorage['run:/name/book/03-autograd.html']")
    assert json.loads(kept) == {"code": {}, "solved": {}}


def test_stops_and_begins_anew(started):
    press(started, SECOND)
    said(started, SECOND)
    write(started, SECOND, "while True: print(1)")
    started.locator(".run-live pre", has_text="1").wait_for()
    started.get_by_role("button", name=re.compile("停止|Stop")).click()
    assert re.match("已停止|Stopped", said(started, SECOND)[1])
    write(started, SECOND, "x")
    assert said(started, SECOND)[0] == ""


@each_edition
def test_says_what_hinders(page, base, site, edition):
    page.clock.install()
    page.route("**/library.zip", lambda route: None)
    page.goto(base + address(edition))
    press(page, FIRST)
    cell(page, FIRST).locator(".run-bar button").nth(1).wait_for()
    page.clock.fast_forward(61_000)
    assert re.search("WebAssembly", said(page, FIRST)[1])
    page.unroute_all()
    page.goto(f"file://{site / address(edition)}")
    press(page, FIRST)
    assert "http.server" in said(page, FIRST)[1]


def test_serves_the_keyboard_and_whoever_hears_it(started):
    press(started, FIRST)
    assert said(started, FIRST)[0] == "good"
    cell(started, FIRST).locator(".run-bar button").first.focus()
    for _ in "the button that copies", "the editor":
        started.keyboard.press("Shift+Tab")
    started.keyboard.type("1 / 0\n#")
    started.keyboard.press("Shift+Enter")
    assert re.search("bad.*(第|line) 1", str(said(started, FIRST)))
    for width, mode in MODES if CI else MODES[:1]:
        put_in_mode(started, width, mode)
        assert violations(started, "article") == []


@pytest.mark.skipif(not CI, reason="ten seconds for each chapter")
@pytest.mark.parametrize("chapter", ["tensors", "03-autograd", "04-model"])
def test_every_output_is_the_books(own_window, base, chapter):
    """From the bottom up, so that most cells run more than once."""
    own_window.goto(base + address(chapter=chapter))
    cells = running_cells(ROOT / "book" / f"{chapter}.ipynb")
    for name, stored in reversed(cells.items()):
        if stored["expected"] and "check" not in stored:
            press(own_window, name)
            kind, text = said(own_window, name)
            unanswered = stored["expected"] == "not answered yet\n"
            refused = "Python’s own" in text
            assert kind == "good" or unanswered or refused, (name, text)
