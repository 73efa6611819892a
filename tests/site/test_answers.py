"""The figures that answer, in a real browser.

What a figure computes must be what its own code, copied from the page and run
here, computes with `linreg`.
"""

import colorsys
import io
import itertools
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import torch
from book_pages import CI, EDITIONS, one_edition
from in_browser import (
    MODES,
    load_all,
    new_page,
    open_guesses,
    put_in_mode,
    scroll_to,
    violations,
)
from PIL import Image

from book._ext import contents
from book._ext.english import CHINESE
from linreg.pictures.picture import DATA_TYPE

NUMBER = r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|Infinity|NaN)"
PAGES = {
    output["data"][DATA_TYPE]["kind"]: path.stem
    for path in contents.notebooks()
    for cell in nbformat.read(path, as_version=4).cells
    for output in cell.get("outputs", [])
    if DATA_TYPE in output.get("data", {})
}
FIGURES = tomllib.loads(
    Path(__file__).with_name("figures.toml").read_text("utf-8")
)


def with_figures(*kinds):
    """One after the other: each stays on its page for all its tests."""
    there = [kind for kind in kinds if kind in PAGES and "zh" in EDITIONS]
    return pytest.mark.parametrize("kind", there, scope="module")


each_figure = with_figures(*FIGURES)


def queries(kind):
    """The settings of a figure, as they stand in an address."""
    return [
        "&".join(f"{k}={v}" for k, v in zip(group, row, strict=True))
        for group in FIGURES[kind]["settings"]
        for row in itertools.product(*group.values())
    ]


def turns(kind):
    return [turn.split() for turn in FIGURES[kind]["turns"]]


def test_every_figure_is_tried():
    assert PAGES.keys() <= FIGURES.keys()


@pytest.fixture(scope="module")
def touched(browser):
    with new_page(browser, has_touch=True) as page:
        yield page


def as_at_first(page, base, kind, edition="zh"):
    """A figure on its page; where that is open already, it stays."""
    box = page.locator(f"html[lang^={edition}] #explore-{kind}")
    if not box.count():
        visit(page, base, kind, edition)
    press(box, "reset")
    return box


@pytest.fixture
def box(touched, base, kind):
    """A figure on its page, as it was at first."""
    touched.set_viewport_size({"width": 1280, "height": 800})
    return as_at_first(touched, base, kind)


@pytest.fixture
def in_hand(box):
    """The figure on a phone."""
    box.page.set_viewport_size({"width": 375, "height": 667})
    box.page.evaluate(DRAWN)
    return box


DRAWN = """async () => {
  for (let k = 0; k < 3; k++)
    await new Promise(requestAnimationFrame);
}"""
ROOM = "(room) => room.getBoundingClientRect().height"


def visit(page, base, kind, edition="zh"):
    """Come to a figure, which must not move what is below it."""
    page.goto("about:blank")  # or an address would lead to where one is
    page.goto(f"{base}{edition}/book/{PAGES[kind]}.html")
    open_guesses(page)
    room = page.locator(f".room-for-{kind}")
    picture = room.locator("img")
    assert picture.is_visible()
    before = room.evaluate(ROOM)
    scroll_to(picture)
    box = page.locator(f"#explore-{kind}")
    box.wait_for()
    page.evaluate(DRAWN)
    assert not picture.is_visible()
    assert abs(room.evaluate(ROOM) - before) <= 5
    return box


# Press a figure's button, or turn its knob: "w=2".
PRESS = """({ figure }, name) => {
  const [knob, value] = name.split("=");
  if (value === undefined) return figure.press(name);
  const { input } = figure.knobs.get(knob);
  if (input.type === "checkbox") input.checked = value === "true";
  else input.value = value;
  input.dispatchEvent(new Event("input"));
}"""
# Bring it to the middle of the screen, where nothing lies on it.
CENTRED = """(element) => {
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const { left, top, width, height } = element.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}"""
SET_ALL = "(box, query) => box.figure.setAll(query)"
LINK = "(box) => box.figure.link()"
FOLD = """(box, open) => box.querySelectorAll("details").forEach(
  (details) => { details.open = open; })"""
VALUES = "(box) => box.figure.values()"
STATE = "({ figure }) => figure.explorer.progress?.(figure.state)"
IS_AT_FIRST = """({ figure }) =>
  JSON.stringify(figure.settings) ===
    JSON.stringify(figure.explorer.defaults(figure.data))"""
# Words that are small, or cut off at the edge of a drawing.
ILLEGIBLE = """(box) =>
[...box.querySelectorAll("svg text")].filter((text) => {
  const svg = text.ownerSVGElement.getBoundingClientRect();
  const own = text.getBoundingClientRect();
  return own.left < svg.left - 1 || own.right > svg.right + 1 ||
    parseFloat(getComputedStyle(text).fontSize) < 14;
}).map((text) => text.textContent)"""


def press(box, name):
    box.evaluate(PRESS, name)


def settings_of(box):
    return box.evaluate("(box) => ({ ...box.figure.settings })")


def swipe(page, start, by):
    """Move a finger; a mouse would neither scroll nor be taken."""
    client = page.context.new_cdp_session(page)
    for k in range(10):
        name = {0: "Start", 9: "End"}.get(k, "Move")
        x, y = (a + b * k / 8 for a, b in zip(start, by, strict=True))
        places = [] if name == "End" else [{"x": x, "y": y}]
        client.send(
            "Input.dispatchTouchEvent",
            {"type": f"touch{name}", "touchPoints": places},
        )
        page.evaluate("() => new Promise(requestAnimationFrame)")
    client.detach()


def compute(code):
    """Run the code that a figure shows; return its names."""
    names = {}
    exec(re.sub(r"^print.*", "", code, flags=re.M), names)
    return names


def listed(value):
    """The numbers of a tensor, of a number, or in a text of the figure."""
    if isinstance(value, str):
        return [float(number) for number in re.findall(NUMBER, value)]
    if value is None:
        return []
    return torch.as_tensor(value, dtype=torch.float64).flatten().tolist()


@each_figure
def test_computes_what_linreg_computes(box, kind):
    """To a hundred thousandth of the largest number, or, where they run away
    and the order of a sum shows, ten of these. Every other state of each
    setting; all where CI is set.
    """
    states = box.evaluate(
        f"""(box, [queries, turns]) => {{
          const press = {PRESS};
          return queries.flatMap((query) => {{
            box.figure.setAll(query);
            return turns.map((turn) => {{
              for (const name of turn) press(box, name);
              const code = box.querySelector("details code").textContent;
              return [query, turn, code, box.figure.values()];
            }});
          }});
        }}""",
        [queries(kind), turns(kind)],
    )
    same = FIGURES[kind]["same"]
    assert len(states) == len(queries(kind)) * len(turns(kind))
    for number, (query, turn, code, shown) in enumerate(states):
        if not CI and (number + number // len(turns(kind))) % 2:
            continue
        names = compute(code)
        found = [n for name in same for n in listed(shown[name])]
        values = [eval(text, names) for text in same.values()]
        expected = [n for value in values for n in listed(value)]
        largest = max(1, *map(abs, expected))
        where = (kind, query, turn, found, expected)
        if not largest < 1e30:  # of 32 bits, just before inf
            assert not max(map(abs, found)) < 1e28, where
            continue
        limit = largest * (1e-4 if largest > 1000 else 1e-5)
        for one, other in zip(found, expected, strict=True):
            assert abs(one - other) <= limit, where


@each_figure
def test_speaks_and_gives_its_code_away(box, kind, capsys):
    box.evaluate(SET_ALL, queries(kind)[0])
    status = box.locator(".explore-status")
    before = status.text_content()
    press(box, turns(kind)[0][0])
    assert status.text_content() != before
    box.evaluate(FOLD, True)
    box.locator("details button").first.click()
    box.locator("button + .explore-done", has_text="已复制").first.wait_for()
    code = box.page.evaluate("navigator.clipboard.readText()")
    assert code == box.locator("details code").text_content()
    assert max(map(len, code.splitlines())) <= 79
    exec(code, {})
    assert capsys.readouterr().out


@each_figure
def test_keyboard_turns_every_knob(box):
    """What a box refuses is said beside it, and changes nothing."""
    box.evaluate(FOLD, True)
    knobs = box.locator("form :is(input, select):visible")
    for name in knobs.evaluate_all("(all) => all.map(({ id }) => id)"):
        press(box, "reset")
        before = settings_of(box)
        knob = box.locator(f"#{name}")
        knob.focus()
        if knob.get_attribute("type") == "number":
            told = knob.locator("xpath=following-sibling::*")
            for wrong in ("", "-99", "1.5"):
                knob.fill(wrong)
                value = before[name.split("-")[1]]
                assert told.text_content().endswith(f"还是 {value}。")
                assert settings_of(box) == before
        for key in ("ArrowDown", "ArrowUp", "Space"):
            if settings_of(box) == before:
                box.page.keyboard.press(key)
        assert settings_of(box) != before
        assert box.page.evaluate("location.href") == box.evaluate(LINK)
    press(box, "reset")
    box.evaluate(FOLD, False)
    assert box.evaluate(IS_AT_FIRST)


@with_figures("bowl", "line", "squares")
def test_a_finger_drags_handles(in_hand):
    """The page stays where it is meanwhile; let go, a handle is let go."""
    page = in_hand.page
    for handle in in_hand.locator(".explore-handle").all()[:6]:
        press(in_hand, "reset")
        before = settings_of(in_hand)
        x, y = handle.evaluate(CENTRED)
        scrolled = page.evaluate("scrollY")
        swipe(page, (x + 6, y + 6), (10, -50))
        after = settings_of(in_hand)
        assert after != before
        assert page.evaluate("scrollY") == scrolled
        assert page.evaluate("location.href") == in_hand.evaluate(LINK)
        page.mouse.move(x - 40, y - 60)
        assert settings_of(in_hand) == after


@each_figure
def test_a_thumb_that_scrolls_turns_nothing(in_hand, kind):
    """Nor does it end a run; going sideways, or a tap, turns a slider."""
    page = in_hand.page
    turn = turns(kind)[0][0]
    if "=" not in turn:
        press(in_hand, turn)
    before = settings_of(in_hand), in_hand.evaluate(STATE)
    sliders = in_hand.locator('[type="range"]:visible').all()
    for place in (*in_hand.locator("svg[role]").all(), *sliders):
        x, y = place.evaluate(CENTRED)
        left = x - 0.4 * place.bounding_box()["width"]
        scrolled = page.evaluate("scrollY")
        swipe(page, (left, y), (4, -150))
        page.wait_for_function("(y) => scrollY > y + 50", arg=scrolled)
        assert (settings_of(in_hand), in_hand.evaluate(STATE)) == before
    page.wait_for_timeout(200)  # what was pushed may still glide
    for slider in sliders:
        x, y = slider.evaluate(CENTRED)
        for start, by in (((x, y), (40, 2)), ((x - 40, y), (0, 0))):
            before = settings_of(in_hand)
            swipe(page, start, by)
            assert settings_of(in_hand) != before


@with_figures("again", "bowl", "cards")
def test_plays_until_escape(box):
    """At a chosen speed, and says so; not where motion is unwanted."""
    press(box, "play")
    assert box.evaluate("(box) => !box.figure.frame")
    press(box, "reset")
    box.page.emulate_media(reduced_motion="no-preference")
    box.get_by_label("播放的速度").select_option("slow")
    before = box.evaluate(STATE)
    press(box, "play")
    status = box.locator(".explore-status")
    status.filter(has_text="播放中").wait_for()
    box.page.keyboard.press("Escape")
    assert box.evaluate("(box) => !box.figure.frame")
    box.page.emulate_media(reduced_motion="reduce")
    after = box.evaluate(STATE)
    assert after > before
    assert "播放中" not in status.text_content()
    assert f"steps={after}" in box.page.evaluate("location.hash")


@with_figures("line")
def test_a_mouse_drags_the_line_to_where_it_lets_go(box):
    """A click chooses an example."""
    handle = box.locator(".explore-handle").first
    x, y = handle.evaluate(CENTRED)
    mouse = box.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, y - 20, steps=5)
    mouse.up()
    place = handle.bounding_box()
    assert abs(place["y"] + place["height"] / 2 - (y - 20)) < 3
    spot = box.evaluate(
        """({ figure: { state: { x, y }, chartList: [{ svg, X, Y }] } }) => {
          const { left, top } = svg.getBoundingClientRect();
          return [left + X(x[6]), top + Y(y[6])];
        }"""
    )
    mouse.click(*spot)
    assert settings_of(box)["example"] == 6


@each_figure
def test_its_address_is_kept_when_the_language_is_switched(box, kind):
    """Settings and steps; what does not belong in an address is left out."""
    query = queries(kind)[-1]
    box.evaluate(SET_ALL, query)
    settings = settings_of(box)
    for name, value in (part.split("=") for part in query.split("&")):
        assert str(settings[name]).lower() == value
    for name in turns(kind)[0] * 2:
        if "=" not in name:
            press(box, name)
    values = box.evaluate(VALUES)
    box.page.locator("a.switch-edition").click()
    other = box.page.locator(f"html[lang=en] #explore-{kind}")
    other.wait_for()
    assert settings_of(other) == settings
    assert other.evaluate(VALUES) == values
    press(other, "reset")
    other.evaluate(SET_ALL, "&".join(f"{name}=nonsense" for name in settings))
    assert other.evaluate(IS_AT_FIRST)


@one_edition
@each_figure
def test_fits_a_phone(touched, base, kind, edition):
    """All that matters is seen at once.

    In every width and colour no word is cut off; axe looks at a share. The
    last test on a page: it changes the page.
    """
    page = touched
    put_in_mode(page, 375, "light")
    box = as_at_first(page, base, kind, edition)
    height = box.evaluate(
        """(box) => box.querySelector(".explore-knobs")
             .getBoundingClientRect().bottom - box.querySelector(
               ".explore-charts").getBoundingClientRect().top"""
    )
    assert height <= 667 - 60  # below the page's own bar
    assert not box.locator("details[open]").count()
    assert 1 <= box.locator(".explore-knob:visible").count() <= 2
    assert 1 <= box.locator(".explore-numbers > div:visible").count() <= 4
    assert box.locator(".explore-key li").count() >= 3
    box.evaluate(FOLD, True)
    press(box, turns(kind)[0][0])
    assert edition == "zh" or not CHINESE.search(box.inner_text())
    number = [*FIGURES].index(kind) + 2 * EDITIONS.index(edition)
    for i, (width, mode) in reversed([*enumerate(MODES)]):
        put_in_mode(page, width, mode)
        if i == number % len(MODES):
            assert violations(page, f"#explore-{kind}") == [], (width, mode)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert box.evaluate(ILLEGIBLE) == [], width


def test_pictures_are_part_of_a_dark_page(page, base):
    """The page is their ground; each colour on it keeps its hue, and shows."""
    page.emulate_media(color_scheme="dark")
    page.goto(f"{base}zh/book/07-training.html")
    open_guesses(page)
    picture = page.locator("article .cell_output img").nth(1)
    picture.scroll_into_view_if_needed()
    picture.evaluate("(image) => image.decode()")
    shot = Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
    counted = sorted(shot.getcolors(shot.width * shot.height))
    colours = [colour for _, colour in counted[:-41:-1]]
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert list(colours[0]) == listed(ground)
    strong = [c for c in colours if max(c) > 140 and max(c) - min(c) > 60]
    hues = {round(colorsys.rgb_to_hsv(*c)[0] * 360, -1) for c in strong}
    assert hues >= {200, 30, 160}  # blue, orange, green


def test_a_picture_wider_than_a_phone_says_that_it_scrolls(page, base):
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto(f"{base}zh/book/01-data.html")
    load_all(page)
    told = page.locator("a.image-reference").evaluate_all(
        """(links) => links.map((link) =>
             [link.scrollWidth > link.clientWidth,
              getComputedStyle(link, "::after").content.includes("→")])"""
    )
    assert sorted(set(map(tuple, told))) == [(False, False), (True, True)]
