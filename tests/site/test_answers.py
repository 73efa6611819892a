"""The figures that answer, in a real browser.

What a figure computes must be what its own code, copied from the page and run
here, computes with `linreg`.
"""

import itertools
import re
from typing import NamedTuple

import nbformat
import pytest
import torch
from book_pages import EDITIONS, ROOT
from in_browser import (
    MODES,
    heard,
    modes_looked_at,
    new_page,
    put_in_mode,
    scroll_to,
    violations,
)

from linreg.pictures.picture import DATA_TYPE

NUMBER = r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|Infinity|NaN)"


class Figure(NamedTuple):
    """How to try a figure: where it is, settings, and what must be equal.

    `turns` are lists of buttons that are pressed, or of knobs that are turned
    ("w=2"), one list after the other. `same` has groups of numbers: for names
    beside the picture, expressions that are evaluated when the copied code has
    run.
    """

    page: str
    settings: list[str]
    turns: list[list[str]]
    same: list[dict[str, str]]


def grid(**values):
    """Every combination, as it stands in an address."""
    return [
        "&".join(f"{k}={v}" for k, v in zip(values, row, strict=True))
        for row in itertools.product(*values.values())
    ]


FIGURES = {
    "bowl": Figure(
        "07-training",
        [
            *grid(lr=[0.01, 0.3, 3], batch_size=[1, 7, 200], seed=[5]),
            *grid(
                lr=[0.1],
                batch_size=[7],
                seed=[1],
                draw=["shuffled", "independent"],
                divisor=["own", "fixed"],
            ),
        ],
        [["step"], ["step"] * 9, ["run"]],
        [
            {"w₁": "w[0].item()", "w₂": "w[1].item()", "b": "b.item()"},
            {"loss": "squared_loss(linreg(features, w, b), labels).mean()"},
        ],
    ),
    "graph": Figure(
        "03-autograd",
        [
            *grid(
                graph=["chain"],
                x0=[0, -5],
                x1=[1],
                x2=[2, 5],
                x3=[3, -4],
                zero=["true", "false"],
            ),
            *grid(
                graph=["branch"],
                x=[-5, -1, 0, 2, 5],
                zero=["true", "false"],
            ),
        ],
        [
            ["forward"] * 3,
            ["backward"] * 2,
            ["all"],
            ["all"] * 2,
            ["forward", "forward", "forward", "backward"],
        ],
        [{"y": "y", "x.grad": "x.grad"}],
    ),
    "cards": Figure(
        "02-iteration",
        grid(
            n=[3, 10, 40],
            batch_size=[1, 4, 40],
            seed=[0, 7],
            shuffle=["true", "false"],
        ),
        [["step"], ["step"], ["epoch"], ["step"], ["next", "step"]],
        [
            {
                "epochs": "epoch",
                "batch": "batch",
                "m": "len(X)",
                "least": "seen.min()",
                "most": "seen.max()",
                "cards": "cards",
            },
        ],
    ),
    "squares": Figure(
        "05-loss",
        [
            *grid(w=[-2, 1.37, 6], b=[-2, 4.2], example=[0, 8]),
            *grid(fit=["hand"], w=[0.3], b=[2.9]),
        ],
        [
            ["offset=2.7"],
            ["offset=-10"],
            ["offset=10", "fit=squares"],
            ["offset=-3.1"],
            ["fit=huber"],
            ["w=0.5"],  # frees the line
            ["example=2", "offset=10"],
        ],
        [
            # Of the least Huber loss as well: other steps, the same minimum.
            {"w": "w.item()", "b": "b.item()"},
            {
                "error": "(y_hat - labels)[example].item()",
                "squared": "squared_loss(y_hat, labels).mean().item()",
                "absolute": "l1_loss(y_hat, labels).item()",
                "softened": "huber_loss(y_hat, labels).item()",
            },
        ],
    ),
    "line": Figure(
        "04-model",
        [
            *grid(
                w=[2],
                b=[4.2],
                sigma=[k / 10 for k in range(0, 31, 3)],
                example=[19],
            ),
            *grid(w=[-5, 0.7, 5], b=[-5, 0, 3.3], sigma=[1], example=[7]),
            *grid(plus_w=["true"], sigma=[2.5], example=[16]),
        ],
        [["plus_w=true"], ["plus_b=true"], ["plus_w=false"], ["example=3"]],
        [
            {
                "x": "features[i]",
                "y": "labels[i]",
                "ŷ": "y_hat[i]",
                "residual": "residuals[i]",
                "shift": "(moved - y_hat)[i]",
            },
            {"sum": "residuals.sum()"},
        ],
    ),
    "again": Figure(
        "08-evaluation",
        [
            *grid(n=[20], batch_size=[1], num_epochs=[1], noise_std=[2]),
            *grid(n=[50], draw=["independent"], lr=[0.5], num_epochs=[1]),
            *grid(n=[45], batch_size=[10], num_epochs=[3], seed=[9999]),
        ],
        [["one", "twenty"]],
        [
            {
                "Δw₁": "sgd_errors[-1, 0]",
                "Δw₂": "sgd_errors[-1, 1]",
                "bestRms": "best_errors.square().mean().sqrt()",
                "gapRms": "(sgd_errors - best_errors).square().mean().sqrt()",
                "sgdRms": "sgd_errors.square().mean().sqrt()",
            },
        ],
    ),
}
# A figure after the other: each stays on its page for all its tests.
each_figure = pytest.mark.parametrize("kind", FIGURES, scope="module")


def notebooks_with_data():
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                if data := output.get("data", {}).get(DATA_TYPE):
                    yield path.stem, data["kind"]


def test_every_figure_is_tried():
    found = [(figure.page, kind) for kind, figure in FIGURES.items()]
    assert sorted(notebooks_with_data()) == sorted(found)


@pytest.fixture
def box(own_window, base, kind):
    """A figure on its page, as it was at first."""
    box = own_window.locator(f"#explore-{kind}")
    if not box.count():
        visit(own_window, base, kind)
    own_window.set_viewport_size({"width": 1280, "height": 800})
    press(box, "reset")
    return box


def visit(page, base, kind, edition="zh"):
    """Open the page of a figure; return its box when nothing moves."""
    page.goto("about:blank")  # or only the setting would be read anew
    address = f"{base}{edition}/book/{FIGURES[kind].page}.html"
    page.goto(f"{address}#{kind}?")
    box = page.locator(f"#explore-{kind}")
    box.wait_for()
    # It comes into view when it is made, and when all pictures are there.
    page.evaluate(
        """async () => {
          const pictures = [...document.images];
          await Promise.allSettled(pictures.map((p) => p.decode()));
          for (let k = 0; k < 3; k++)
            await new Promise((done) => requestAnimationFrame(done));
        }"""
    )
    return box


def show(box):
    """Bring the first chart to the middle of the screen."""
    chart = box.locator("svg").first
    chart.evaluate(
        """(svg) => svg.scrollIntoView(
             { block: "center", behavior: "instant" })"""
    )
    chart.scroll_into_view_if_needed()  # it waits until nothing moves


# Press a figure's button, or turn its knob: "w=2".
PRESS = """({ figure }, name) => {
  const [knob, value] = name.split("=");
  if (value === undefined) return figure.press(name);
  const { input } = figure.knobs.get(knob);
  if (input.type === "checkbox") input.checked = value === "true";
  else input.value = value;
  input.dispatchEvent(new Event("input"));
}"""


SET_ALL = "(box, query) => box.figure.setAll(query)"


def press(box, name):
    box.evaluate(PRESS, name)


def settings_of(box):
    return box.evaluate("(box) => ({ ...box.figure.settings })")


IS_AT_FIRST = """({ figure }) =>
  JSON.stringify(figure.settings) ===
    JSON.stringify(figure.explorer.defaults(figure.data))"""


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
    """To a millionth of the largest number, also where they run away.

    To ten millionths what is worked out from these numbers, and numbers that
    have grown a thousandfold: what order they are added in shows by then.
    """
    figure = FIGURES[kind]
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
        [figure.settings, figure.turns],
    )
    assert len(states) == len(figure.settings) * len(figure.turns)
    for query, turn, code, shown in states:
        names = compute(code)
        for group, limit in zip(figure.same, (1e-6, 1e-5), strict=False):
            found = [n for name in group for n in listed(shown[name])]
            values = [eval(e, names) for e in group.values()]
            expected = [n for value in values for n in listed(value)]
            largest = max(1, *map(abs, expected))
            where = (kind, query, turn, found, expected)
            if not largest < 1e30:  # of 32 bits, just before inf
                assert not max(map(abs, found)) < 1e28, where
                break
            limit *= 10 if largest > 1000 else 1
            for one, other in zip(found, expected, strict=True):
                assert abs(one - other) <= limit * largest, where


@pytest.mark.parametrize("kind", ["graph"])
def test_the_graph_remembers_which_passes_zeroed(box):
    for zero in (True, True, False, False, True, False):
        box.evaluate("(box, zero) => box.figure.set({ zero })", zero)
        press(box, "all")
        shown = box.evaluate("(box) => box.figure.values()")
        code = box.locator("details code").text_content()
        assert listed(shown["x.grad"]) == listed(compute(code)["x"].grad)
    assert listed(shown["x.grad"]) == [0, 8, 16, 24]
    assert shown["passes"] == "6"


@each_figure
def test_speaks_and_gives_its_code_away(box, kind, capsys):
    box.evaluate(SET_ALL, FIGURES[kind].settings[0])
    before = box.get_by_role("status").text_content()
    press(box, FIGURES[kind].turns[0][0])
    assert box.get_by_role("status").text_content() != before
    assert all(box.locator("button").all_text_contents())
    box.locator("details").evaluate("(details) => { details.open = true }")
    box.locator("details button").first.click()
    code = box.page.evaluate("navigator.clipboard.readText()")
    assert code == box.locator("details code").text_content()
    assert max(map(len, code.splitlines())) <= 79
    exec(code, {})
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "edition"),
    [
        (kind, edition)
        for number, kind in enumerate(FIGURES)
        for edition in EDITIONS
        if modes_looked_at(number, edition)
    ],
)
def test_is_accessible(page, base, kind, edition):
    """To axe in the modes that the figures share; else in every width."""
    box = visit(page, base, kind, edition=edition)
    box.locator("details").evaluate("(details) => { details.open = true }")
    press(box, FIGURES[kind].turns[0][0])
    chosen = modes_looked_at([*FIGURES].index(kind), edition)
    for width, mode in MODES:
        put_in_mode(page, width, mode)
        if (width, mode) in chosen:
            assert violations(page, f"#explore-{kind}") == [], (width, mode)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = box.evaluate(
            """(box) => [...box.querySelectorAll("svg text")].filter((text) =>
                 parseFloat(getComputedStyle(text).fontSize) < 11).length"""
        )
        assert small == 0
        outside = box.evaluate(
            """(box) => [...box.querySelectorAll("svg text")].filter((t) => {
                 const svg = t.ownerSVGElement.getBoundingClientRect();
                 const own = t.getBoundingClientRect();
                 return own.left < svg.left - 1 || own.right > svg.right + 1;
               }).map((t) => t.textContent)"""
        )
        assert outside == [], width


@each_figure
def test_keyboard_turns_every_knob(box):
    for knob in box.locator("form input, form select").all():
        before = settings_of(box)
        knob.focus()
        for key in ("ArrowDown", "ArrowUp", "Space"):
            if settings_of(box) == before:
                box.page.keyboard.press(key)
        assert settings_of(box) != before
        link = box.evaluate("(box) => box.figure.link()")
        assert box.page.evaluate("location.href") == link
    press(box, "reset")
    assert box.evaluate(IS_AT_FIRST)


@each_figure
def test_handles_follow_the_pointer(box):
    page = box.page
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 800})
        press(box, "reset")
        show(box)
        tried = 0
        handles = box.locator(".explore-handle")
        for handle in handles.all()[:6]:
            before = settings_of(box)
            place = handle.bounding_box()
            x, y = (
                place["x"] + place["width"] / 2,
                place["y"] + place["height"] / 2,
            )
            if not handle.evaluate(
                "(h, [x, y]) => document.elementFromPoint(x, y) === h", [x, y]
            ):
                continue  # another one lies on it
            tried += 1
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + 10, y - 40, steps=3)
            page.mouse.up()
            after = settings_of(box)
            assert after != before
            page.mouse.move(x - 40, y - 60)  # it has been let go
            assert settings_of(box) == after
        assert tried or not handles.count()


@each_figure
def test_the_address_restores_a_setting(box, page, kind):
    query = FIGURES[kind].settings[-1]
    box.evaluate(SET_ALL, query)
    settings = settings_of(box)
    for name, value in (part.split("=") for part in query.split("&")):
        assert str(settings[name]).lower() == value
    page.goto(box.evaluate("(box) => box.figure.link()"))
    box = page.locator(f"#explore-{kind}")
    box.wait_for()
    assert settings_of(box) == settings
    # What does not belong there is left out.
    press(box, "reset")
    box.evaluate(SET_ALL, "&".join(f"{name}=nonsense" for name in settings))
    assert box.evaluate(IS_AT_FIRST)


@each_figure
def test_plays_quietly(box):
    if box.evaluate("({ figure }) => Boolean(figure.explorer.play)"):
        box.page.emulate_media(reduced_motion="reduce")
        press(box, "play")
        box.page.emulate_media(reduced_motion="no-preference")
        assert box.evaluate("(box) => !box.figure.frame")


@pytest.mark.parametrize("kind", ["graph"])
def test_is_fetched_when_it_comes_near(page, base, kind):
    own = f"{base}en/_static/explore/{kind}.js"
    picture = page.locator(f"img[data-explore*='\"{kind}\"']")
    box = page.locator(f"#explore-{kind}")
    with heard(page, "request", lambda request: request.url) as urls:
        page.goto(f"{base}en/book/{FIGURES[kind].page}.html")
        page.wait_for_load_state("networkidle")
        assert own not in urls
        for _ in range(50):  # pictures above it load late
            if not box.count():
                scroll_to(picture)
                page.wait_for_timeout(100)
    assert urls.count(own) == 1
    assert not picture.is_visible()


@pytest.mark.parametrize("kind", ["bowl"])
def test_works_from_a_disk(page, site, kind):
    with heard(page, "pageerror", str) as errors:
        box = visit(page, f"{site.as_uri()}/", kind)
        press(box, FIGURES[kind].turns[0][0])
    assert errors == []


def test_the_picture_stands_where_no_script_runs(browser, base):
    with new_page(browser, java_script_enabled=False) as page:
        for figure in FIGURES.values():
            page.goto(f"{base}zh/book/{figure.page}.html")
            for picture in page.locator("img[data-explore]").all():
                assert picture.is_visible()


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("kind", ["line"])
def test_the_line_can_be_dragged(box, width):
    """Its handles and its slider say the same; a click chooses an example."""
    page = box.page
    page.set_viewport_size({"width": width, "height": 800})
    box.evaluate("(box) => box.figure.setAll('w=1&b=1')")
    show(box)

    def at(x, y):
        """Where on the page a place of the chart is."""
        return box.evaluate(
            """({ figure }, [x, y]) => {
              const [{ svg, X, Y }] = figure.chartList;
              const { left, top } = svg.getBoundingClientRect();
              return [left + X(x), top + Y(y)];
            }""",
            [x, y],
        )

    def drag(start, end):
        page.mouse.move(*at(*start))
        page.mouse.down()
        page.mouse.move(*at(*end), steps=5)
        page.mouse.up()
        return settings_of(box)

    example = settings_of(box)["example"]
    assert drag((0, 1), (0, 3))["b"] == 3
    assert drag((2.5, 5.5), (2.5, 0.5))["w"] == -1
    far = drag((2.5, 0.5), (2.5, 25))
    assert (far["w"], far["b"], far["example"]) == (5, 3, example)
    slider = box.get_by_label("w", exact=True)
    assert slider.input_value() == "5"
    assert drag((2.5, 14), (2.5, 3))["w"] == 0  # where it was out of sight
    assert page.evaluate("location.hash").startswith("#line?w=0&b=3&")
    for i in (6, 16):
        spot = box.evaluate(
            "({ figure }, i) => [figure.state.x[i], figure.state.y[i]]", i
        )
        page.mouse.click(*at(*spot))
        assert settings_of(box)["example"] == i
