"""The first minute: the front page on a phone, and where no page is."""

import pytest
from book_pages import one_edition


@one_edition
def test_a_phone_s_first_screen_has_it_all(page, base, edition):
    page.set_viewport_size({"width": 375, "height": 667})
    page.goto(f"{base}{edition}/book/index.html")
    for place in ("a.start", "img.moving", "p:has(img.moving) + p"):
        box = page.locator(f"article {place}").bounding_box()
        assert box["y"] + box["height"] <= 667, place
    page.locator("a.start").click()
    page.wait_for_url("**/book/01-data.html")


def test_the_line_rests_for_those_who_ask_for_it(page, site):
    page.goto((site / "en" / "_images" / "line.svg").as_uri())
    moves = "getComputedStyle(document.querySelector('line')).animationName"
    assert page.evaluate(moves) == "none"
    seen = page.locator("text").evaluate_all(
        """words => words.filter((word) =>
             getComputedStyle(word).visibility === "visible")
           .map((word) => word.textContent)"""
    )
    assert seen == ["step 20: y = 2.0x + 4.2"]
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moves) == "fall"


@pytest.mark.parametrize("asked", ["typo", "en/typo.html", "zh/book/a/b.html"])
def test_a_page_that_is_not_there_leads_home(page, base, site, asked):
    """Hosts answer with 404.html, whatever was asked for."""
    html = (site / "404.html").read_text("utf-8")
    page.route(
        base + asked,
        lambda route: route.fulfill(
            status=404, body=html, content_type="text/html"
        ),
    )
    page.goto(base + asked)
    page.unroute(base + asked)
    links = page.locator("a").evaluate_all("all => all.map((a) => a.href)")
    assert f"{base}en/book/index.html" in links
    for link in links:
        assert (site / link.removeprefix(base)).is_file()
