"""The figures that answer, in a real browser.

What a figure computes must be what its own code, copied from the page and run
here, computes with `linreg`.
"""

import gzip
import itertools
import os
import re
from typing import NamedTuple

import nbformat
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from building import ROOT

from linreg.picture import DATA_TYPE

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
            *grid(lr=[0.01, 0.3, 3], batch_size=[1, 7, 200], seed=[0, 5]),
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
            *grid(w=[-2, 1.37, 6], b=[-2, 4.2], example=[0, 5, 8]),
            *grid(fit=["hand"], w=[0.3], b=[2.9]),
        ],
        [
            ["offset=2.7"],
            ["offset=-10"],
            ["offset=10", "fit=squares"],
            ["offset=-3.1"],
            ["fit=huber"],
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
                sigma=[k / 10 for k in range(31)],
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
            "seed=4",
            *grid(
                noise_std=[0.01, 2],
                n=[20, 50],
                batch_size=[1, 7, 50],
                draw=["shuffled", "independent"],
                num_epochs=[1],
            ),
            *grid(
                n=[45],
                lr=[0.003, 0.5],
                batch_size=[10],
                num_epochs=[3],
                draw=["shuffled", "independent"],
                seed=[0, 9999],
            ),
        ],
        [["one"], ["twenty"]],
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
each_figure = pytest.mark.parametrize("kind", FIGURES)


def notebooks_with_data():
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                if data := output.get("data", {}).get(DATA_TYPE):
                    yield path.stem, data["kind"]


def test_every_figure_is_tried():
    found = [(figure.page, kind) for kind, figure in FIGURES.items()]
    assert sorted(notebooks_with_data()) == sorted(found)


def visit(page, base, kind, query="", edition="zh"):
    """Open a figure with a setting; return its box."""
    page.goto("about:blank")  # or only the setting would be read anew
    address = f"{base}{edition}/book/{FIGURES[kind].page}.html"
    page.goto(f"{address}#{kind}?{query}")
    box = page.locator(f"#explore-{kind}")
    box.wait_for()
    return box


def rest(page, box):
    """Wait until pictures move the page no more; show the first chart."""
    seen = "[...document.images].every((image) => image.complete)"
    page.wait_for_function(seen)
    page.wait_for_timeout(500)
    box.locator("svg").first.evaluate(
        """(svg) => svg.scrollIntoView(
             { block: "center", behavior: "instant" })"""
    )
    page.wait_for_timeout(500)


def press(box, name):
    """Press a figure's button, or turn its knob: "w=2"."""
    if "=" not in name:
        box.evaluate("(box, name) => box.figure.press(name)", name)
        return
    box.evaluate(
        """({ figure }, [name, value]) => {
          const { input } = figure.knobs.get(name);
          if (input.type === "checkbox") input.checked = value === "true";
          else input.value = value;
          input.dispatchEvent(new Event("input"));
        }""",
        name.split("="),
    )


def compute(box):
    """Run the code that the figure shows; return its names."""
    names = {}
    code = box.locator("details code").text_content()
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
def test_computes_what_linreg_computes(page, base, kind):
    """To a millionth of the largest number, also where they run away.

    To ten millionths what is worked out from these numbers, and numbers that
    have grown a thousandfold: what order they are added in shows by then.
    """
    figure = FIGURES[kind]
    box = visit(page, base, kind)
    for query in figure.settings:
        box.evaluate("(box, query) => box.figure.setAll(query)", query)
        for turn in figure.turns:
            for name in turn:
                press(box, name)
            names = compute(box)
            shown = box.evaluate("(box) => box.figure.values()")
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


def test_the_graph_remembers_which_passes_zeroed(page, base):
    box = visit(page, base, "graph")
    for zero in (True, True, False, False, True, False):
        box.evaluate("(box, zero) => box.figure.set({ zero })", zero)
        press(box, "all")
        shown = box.evaluate("(box) => box.figure.values()")
        assert listed(shown["x.grad"]) == listed(compute(box)["x"].grad)
    assert listed(shown["x.grad"]) == [0, 8, 16, 24]
    assert shown["passes"] == "6"


@each_figure
def test_code_prints_and_fits_the_page(page, base, kind, capsys):
    box = visit(page, base, kind, FIGURES[kind].settings[0])
    press(box, FIGURES[kind].turns[0][0])
    code = box.locator("details code").text_content()
    exec(code, {})
    assert capsys.readouterr().out
    assert max(map(len, code.splitlines())) <= 79


@each_figure
@pytest.mark.parametrize(
    ("mode", "edition"),
    [
        ("light", "zh"),
        ("dark", "en"),
        *([("dark", "zh"), ("light", "en")] if os.environ.get("CI") else []),
    ],
)
def test_is_accessible(page, base, kind, mode, edition):
    page.emulate_media(color_scheme=mode)
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 800})
        box = visit(page, base, kind, edition=edition)
        box.locator("details").evaluate("(details) => { details.open = true }")
        press(box, FIGURES[kind].turns[0][0])
        page.wait_for_timeout(300)
        options = {"resultTypes": ["violations"]}
        found = Axe().run(page, f"#explore-{kind}", options).response
        kinds = [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]]
        assert kinds == [], width
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
def test_keyboard_turns_every_knob(page, base, kind):
    box = visit(page, base, kind)
    for knob in box.locator("form input, form select").all():
        before = box.evaluate("(box) => ({ ...box.figure.settings })")
        knob.focus()
        for key in ("ArrowDown", "ArrowUp", "Space"):
            if box.evaluate("(box) => box.figure.settings") == before:
                page.keyboard.press(key)
        assert box.evaluate("(box) => box.figure.settings") != before
        link = box.evaluate("(box) => box.figure.link()")
        assert page.evaluate("location.href") == link
    press(box, "reset")
    assert box.evaluate(
        """({ figure }) => JSON.stringify(figure.settings) ===
             JSON.stringify(figure.explorer.defaults(figure.data))"""
    )


@each_figure
@pytest.mark.parametrize("width", [1280, 375])
def test_handles_follow_the_pointer(page, base, kind, width):
    page.set_viewport_size({"width": width, "height": 800})
    box = visit(page, base, kind)
    rest(page, box)
    tried = 0
    handles = box.locator(".explore-handle")
    for handle in handles.all():
        before = box.evaluate("(box) => ({ ...box.figure.settings })")
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
        after = box.evaluate("(box) => ({ ...box.figure.settings })")
        assert after != before
        page.mouse.move(x - 40, y - 60)  # it has been let go
        assert box.evaluate("(box) => box.figure.settings") == after
    assert tried or not handles.count()


@each_figure
def test_the_address_restores_a_setting(page, base, kind):
    query = FIGURES[kind].settings[-1]
    box = visit(page, base, kind, query)
    settings = box.evaluate("(box) => box.figure.settings")
    link = box.evaluate("(box) => box.figure.link()")
    page.goto("about:blank")
    page.goto(link)
    box.wait_for()
    assert box.evaluate("(box) => box.figure.settings") == settings
    for name, value in (part.split("=") for part in query.split("&")):
        assert str(settings[name]).lower() == value
    # What does not belong there is left out.
    box = visit(page, base, kind, "&".join(f"{n}=nonsense" for n in settings))
    assert box.evaluate(
        """({ figure }) => JSON.stringify(figure.settings) ===
             JSON.stringify(figure.explorer.defaults(figure.data))"""
    )


@each_figure
def test_speaks_when_a_turn_has_ended(page, base, kind):
    box = visit(page, base, kind)
    before = box.get_by_role("status").text_content()
    press(box, FIGURES[kind].turns[0][0])
    assert box.get_by_role("status").text_content() != before
    for name in box.locator("button").all_text_contents():
        assert name
    box.locator("details").evaluate("(details) => { details.open = true }")
    code = box.locator("details code").text_content()
    box.locator("details button").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == code


@each_figure
def test_draws_quickly_and_plays_quietly(page, base, kind):
    """A frame has 16 ms; half of it is left to slower machines."""
    box = visit(page, base, kind)
    plays = box.evaluate("({ figure }) => Boolean(figure.explorer.play)")
    times = box.evaluate(
        """({ figure }) => {
          const times = [];
          for (let k = 0; k < 200; k++) {
            const start = performance.now();
            figure.explorer.play?.(figure.state, figure.settings, figure.data);
            figure.draw();
            times.push(performance.now() - start);
          }
          return times.sort((a, b) => a - b);
        }"""
    )
    assert times[len(times) // 2] <= 8
    if not plays:
        return
    page.emulate_media(reduced_motion="reduce")
    box = visit(page, base, kind)
    press(box, "play")
    assert box.evaluate("(box) => !box.figure.frame")


@each_figure
def test_is_fetched_when_it_comes_near(page, base, kind):
    scripts = []
    page.on("request", lambda request: scripts.append(request.url))
    page.goto(f"{base}en/book/{FIGURES[kind].page}.html")
    page.wait_for_load_state("networkidle")
    own = f"{base}en/_static/explore/{kind}.js"
    assert own not in scripts
    picture = page.locator(f"img[data-explore*='\"{kind}\"']")
    box = page.locator(f"#explore-{kind}")
    for _ in range(50):  # pictures above it load late
        if not box.count():
            picture.evaluate(
                """(picture) => picture.parentElement.scrollIntoView(
                     { behavior: "instant" })"""
            )
            page.wait_for_timeout(100)
    assert scripts.count(own) == 1
    assert not picture.is_visible()


@each_figure
def test_works_from_a_disk(page, site, kind):
    messages = []
    page.on("pageerror", lambda error: messages.append(str(error)))
    box = visit(page, f"{site.as_uri()}/", kind)
    press(box, FIGURES[kind].turns[0][0])
    assert messages == []


def test_the_picture_stands_where_no_script_runs(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for figure in FIGURES.values():
        page.goto(f"{base}zh/book/{figure.page}.html")
        for picture in page.locator("img[data-explore]").all():
            assert picture.is_visible()
    context.close()


def test_scripts_are_small(site):
    folder = site / "en" / "_static" / "explore"
    sizes = {
        p.stem: len(gzip.compress(p.read_bytes())) for p in folder.iterdir()
    }
    assert {*sizes} == {*FIGURES, "load"}
    assert max(sizes.values()) <= 12 * 1024


@pytest.mark.parametrize("width", [1280, 375])
def test_the_line_can_be_dragged(page, base, width):
    """Its handles and its slider say the same; a click chooses an example."""
    page.set_viewport_size({"width": width, "height": 800})
    box = visit(page, base, "line", "w=1&b=1")
    rest(page, box)

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

    def settings():
        return box.evaluate("(box) => box.figure.settings")

    def drag(start, end):
        page.mouse.move(*at(*start))
        page.mouse.down()
        page.mouse.move(*at(*end), steps=5)
        page.mouse.up()
        return settings()

    example = settings()["example"]
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
        assert settings()["example"] == i
