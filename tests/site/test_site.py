"""The built site in a real browser."""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from zipfile import ZipFile

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from building import ROOT, build
from english import CHINESE, english, words
from visiting import EDITIONS

DOCUMENTS = sorted(
    path.stem
    for pattern in ("*.md", "*.ipynb")
    for path in (ROOT / "book").glob(pattern)
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
each_edition = pytest.mark.parametrize("edition", EDITIONS)
# A page has four states in each language; here each language shows two of
# them, where CI is set all.
STATES = {
    "zh": [(1280, "light"), (375, "dark")],
    "en": [(1280, "dark"), (375, "light")],
}
if os.environ.get("CI"):
    STATES = dict.fromkeys(EDITIONS, STATES["zh"] + STATES["en"])


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


def pass_figures(page):
    """Scroll to each figure that answers: it is fetched when it comes near."""
    for figure in page.locator("img[data-explore]").all():
        figure.evaluate(
            """(picture) => picture.parentElement.scrollIntoView(
                 { behavior: "instant" })"""
        )
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


def parse(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="session")
def soups(site):
    """Each page of the site, parsed once for all tests that read it."""
    return {name: parse(site / name) for name in EVERY_PAGE}


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_page_is_light_and_stays_at_home(page, base, name):
    """At most 20 requests and 350 KB gzipped, besides the pictures.

    None is foreign, none fails; and no error, also with all figures.
    """
    requests, failed, messages, sizes = {}, [], [], {}
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on(
        "console",
        lambda message: (
            messages.append(message.text)
            if message.type in ("error", "warning")
            else None
        ),
    )
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.on(
        "Network.requestWillBeSent",
        lambda event: requests.update(
            {event["requestId"]: event["request"]["url"]}
        ),
    )
    client.on(
        "Network.loadingFinished",
        lambda event: sizes.update(
            {event["requestId"]: event["encodedDataLength"]}
        ),
    )
    page.goto(base + name, wait_until="networkidle")
    load_all(page)
    for _ in pass_figures(page):
        page.wait_for_timeout(200)
    page.wait_for_load_state("networkidle")
    urls = {u: i for i, u in requests.items() if not u.startswith("data:")}
    assert [url for url in urls if not url.startswith(base)] == []
    assert failed == []
    assert messages == []
    rest = [i for url, i in urls.items() if not url.endswith(".png")]
    # index.html sends the reader on, which costs one request.
    assert len(rest) <= 20
    assert sum(sizes.get(i, 0) for i in rest) <= 350_000
    assert sum(sizes.values()) <= 500_000


@pytest.mark.parametrize("name", REAL_PAGES)
def test_accessible_in_every_mode_and_width(page, base, name):
    page.goto(base + name)
    # Of the thousands of words in code and formulas, one of each kind will do.
    page.evaluate(
        """() => {
          const style = (e, name) => getComputedStyle(e)[name];
          const ground = (e) => {
            while (e && style(e, "backgroundColor") === "rgba(0, 0, 0, 0)")
              e = e.parentElement;
            return e && style(e, "backgroundColor");
          };
          const words = document.querySelectorAll("pre span, .katex");
          const kinds = [...words].map((word) =>
            [word.className, word.parentElement.tagName,
             style(word, "color"), ground(word)].join());
          words.forEach((word, i) => {
            if (kinds.indexOf(kinds[i]) < i)
              word.replaceWith(word.closest("pre") ? word.textContent : "x");
          });
        }"""
    )
    # Nor need colours fade.
    page.evaluate(
        """() => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync("* { transition: none !important; }");
          document.adoptedStyleSheets.push(sheet);
        }"""
    )
    page.evaluate(Axe().axe_script)
    axe = Axe("void axe")  # it is there and need not be read for each state
    for width, mode in sorted(STATES[name[:2]], reverse=True):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(400)  # then what scrolls becomes focusable
        page.emulate_media(color_scheme=mode)
        page.locator(f"html[data-theme={mode}]").wait_for(state="attached")
        options = {"resultTypes": ["violations"]}
        found = axe.run(page, options=options).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("javascript", [True, False])
def test_every_formula_is_visible_once(browser, base, javascript):
    context = browser.new_context(java_script_enabled=javascript)
    page = context.new_page()
    total = 0
    for name in PAGES["en" if javascript else "zh"]:
        page.goto(base + name)
        formulas, hidden, doubled = page.evaluate(
            """() => {
              document.querySelectorAll("details").forEach(
                (details) => { details.open = true; });
              const all = [...document.querySelectorAll("article .katex")];
              const box = (formula, part) =>
                formula.querySelector(part).getBoundingClientRect();
              return [
                all.length,
                all.filter((f) => box(f, ".katex-html").height < 5).length,
                all.filter((f) => box(f, ".katex-mathml").width > 1).length,
              ];
            }"""
        )
        total += formulas
        assert (hidden, doubled) == (0, 0), name
        text = page.locator("article").inner_text()
        assert not re.search(r"\$\$|\\\(|\\mathbf", text), name
        # Nor does a table that a cell prints show its source.
        prose = page.locator("article").evaluate(
            """(article) => {
              const copy = article.cloneNode(true);
              copy.querySelectorAll("pre, code, .katex").forEach(
                (element) => element.remove());
              return copy.textContent;
            }"""
        )
        assert not re.search(r"\$\w\$|\| ?[-—]", prose), name
    assert total > 100
    context.close()


def test_readable_without_javascript(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + CHAPTER)
    page.locator("summary").first.click()
    assert page.locator("details .cell_input").first.is_visible()
    background, color = page.evaluate(
        """() => [getComputedStyle(document.body).backgroundColor,
                  getComputedStyle(document.body).color]"""
    )
    assert background == "rgb(255, 255, 255)"
    assert color != background
    context.close()


def test_figures_are_readable_in_the_dark(page, base):
    page.emulate_media(color_scheme="dark")
    page.goto(base + CHAPTER)
    load_all(page)
    image = page.locator("article img").first
    dimmed = image.evaluate("(i) => getComputedStyle(i).filter")
    assert dimmed == "brightness(0.8) contrast(1.2)"
    corner = image.evaluate(
        """(i) => {
          const context = document.createElement("canvas").getContext("2d");
          context.drawImage(i, 0, 0);
          return [...context.getImageData(1, 1, 1, 1).data];
        }"""
    )
    assert corner == [255, 255, 255, 255]


def test_figures_are_as_sharp_as_a_phone_needs(page, base):
    page.set_viewport_size({"width": 375, "height": 800})
    for name in PAGES["en"]:
        page.goto(base + name)
        load_all(page)
        for cell, ratio in page.evaluate(
            """[...document.querySelectorAll("article img")].map((i) =>
                 [i.closest(".cell") !== null,
                  i.naturalWidth / i.getBoundingClientRect().width])"""
        ):
            # A figure has two pixels for one: it keeps two thirds of its size,
            # or its labels would be too small to read.
            assert 2 <= ratio <= (3 if cell else 5), name


def test_no_line_begins_with_the_punctuation_after_a_formula(soups):
    """It belongs to the formula, which no browser breaks there."""
    inside = 0
    for name, soup in soups.items():
        for formula in soup.select("span.math"):
            inside += formula.text.endswith(("，", "。", ",", "."))
            after, before = formula.next_sibling, formula.previous_sibling
            assert not re.match("[，。；：、？！）,.;:?!)]", str(after)), name
            assert not str(before).endswith(("（", "(")), name
    assert inside > 50


def test_code_fits_or_scrolls_alone_on_a_phone(page, base):
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto(base + CHAPTER)
    outside = page.evaluate(
        """[...document.querySelectorAll("article pre")].filter(
             (pre) => pre.offsetParent
               && pre.getBoundingClientRect().right > 375).length"""
    )
    assert outside == 0


@each_edition
def test_tables_of_words_fit_a_small_phone(page, base, edition):
    page.set_viewport_size({"width": 360, "height": 800})
    for name in ("index", "01-data", "02-iteration", "notation", "from-note"):
        page.goto(f"{base}{edition}/book/{name}.html")
        for inside, outside in page.evaluate(
            """[...document.querySelectorAll("article table")].map((table) =>
                 [table.scrollWidth, table.parentElement.clientWidth])"""
        ):
            assert inside <= outside + 1, name


@pytest.mark.parametrize(
    ("edition", "find", "first", "sixth"),
    [
        ("zh", "搜索", "1. 生成数据集", "6. 定义优化算法"),
        ("en", "Search", "1. Generate a dataset", "6. Define the optimizer"),
    ],
)
def test_keyboard_reaches_search_and_navigation(
    page, base, edition, find, first, sixth
):
    page.goto(f"{base}{edition}/book/06-sgd.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hash") == "#main-content"
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert any(text.startswith(find) for text in reached)
    assert first in reached
    page.keyboard.press("Control+k")
    page.keyboard.type("zero_")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=zero_*")
    page.get_by_role("link", name=sixth).last.wait_for()


def glossary_terms(edition):
    """Each heading of the glossary; in Chinese the two names of a term."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    if edition == "en":
        return [words("glossary").get(term, term) for term in headings]
    return [word for term in headings for word in term.split(" ", 1)]


FIND_ALL = """(queries) => queries.map((query) =>
  Search._performSearch(...Search._parseQuery(query))
    .map(([name]) => `${name}.html`))"""


@each_edition
def test_search_finds_every_term_in_a_page_that_has_it(
    page, site, soups, edition
):
    """Without showing them one by one, as the page does."""
    terms = glossary_terms(edition)
    assert len(terms) >= 50
    terms += ["zero_", "requires_grad", "no_grad"]
    texts = {name: soups[name].text.lower() for name in PAGES[edition]}
    search(page, f"{site.as_uri()}/", terms[0], edition)
    for term, found in zip(terms, page.evaluate(FIND_ALL, terms), strict=True):
        pages = [texts.get(f"{edition}/{name}", "") for name in found]
        assert any(term.lower() in text for text in pages), term


@each_edition
def test_search_finds_every_english_word(page, site, soups, edition):
    """Index and browser cut off the same endings."""
    stop = {"a", "and", "are", "as", "at", "be", "but", "by", "for", "if",
            "in", "into", "is", "it", "near", "no", "not", "of", "on", "or",
            "such", "that", "the", "their", "then", "there", "these", "they",
            "this", "to", "was", "will", "with"}  # fmt: skip
    places = {}
    for name in PAGES[edition]:
        article = soups[name].find("article")
        for word in re.findall(r"[A-Za-z0-9_]{2,}", indexed_text(article)):
            if word.lower() not in stop and not word.isdigit():
                places.setdefault(word.lower(), set()).add(name)
    assert len(places) > 1000
    search(page, f"{site.as_uri()}/", "tensor", edition)
    found = page.evaluate(FIND_ALL, list(places))
    lost = [
        (word, name)
        for (word, names), pages in zip(places.items(), found, strict=True)
        for name in names - {f"{edition}/{page}" for page in pages}
    ]
    assert lost == []


def indexed_text(article):
    """What Sphinx reads of a page: not what is put in afterwards."""
    copy = BeautifulSoup(str(article), "html.parser")
    added = ".katex, .headerlink, script, summary, p:has([href$=zip])"
    for part in copy.select(added):
        part.decompose()
    for part in copy.select("wbr"):
        part.decompose()
    copy.smooth()
    return copy.get_text(" ")


def messages():
    """What the page on errors prints of errors, a line each."""
    notebook = nbformat.read(ROOT / "book" / "errors.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text", "").replace("\n    ", " ")
            for line in text.splitlines():
                if re.match(r"\w+Error: ", line):
                    yield line


@each_edition
def test_search_finds_every_message(page, site, edition):
    """Pasted whole, without its kind, or its first or last words."""
    queries = []
    for line in messages():
        _, _, said = line.partition(": ")
        words = said.split()
        queries += [line, said, " ".join(words[:5]), " ".join(words[-5:])]
    assert len(queries) > 200
    search(page, f"{site.as_uri()}/", "tensor", edition)
    found = page.evaluate(FIND_ALL, queries)
    lost = [
        query
        for query, pages in zip(queries, found, strict=True)
        if "book/errors.html" not in pages
    ]
    assert lost == []


@pytest.mark.parametrize("words", ["怎么清零梯度", "噪声的方差", "学习率太大"])
def test_search_cuts_what_is_written_without_spaces(page, base, words):
    assert len(search(page, base, words)) >= 2


@pytest.mark.parametrize(
    ("edition", "said"), [("zh", "没有"), ("en", "did not match")]
)
def test_search_says_so_when_it_finds_nothing(page, base, edition, said):
    assert search(page, base, "xyzzy", edition) == []
    assert said in page.locator("#search-results").inner_text()


def test_copy_button_copies_the_code_alone(page, base):
    page.goto(base + CHAPTER)
    page.locator("div.cell_input").first.hover()
    page.locator("div.cell_input button.copybtn").first.click()
    page.locator("div.cell_input button.copybtn.success").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    notebook = nbformat.read(ROOT / "book" / "06-sgd.ipynb", as_version=4)
    (first, *_) = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and "remove-input" not in cell.metadata.get("tags", [])
    ]
    assert copied.strip() == first.source.strip()


def test_chapter_downloads_as_its_notebook(page, base):
    page.goto(base + CHAPTER)
    with page.expect_download() as download:
        page.get_by_label("下载这一章的笔记本").click()
    found = nbformat.read(download.value.path(), as_version=4)
    stored = nbformat.read(ROOT / "book" / "06-sgd.ipynb", as_version=4)
    assert found.cells == stored.cells
    assert "pip install .. in" in found.cells[1].source.replace(
        '"\n        "', ""
    )


@pytest.mark.parametrize(
    ("edition", "link"),
    [("zh", "全部笔记本和代码"), ("en", "all notebooks and code")],
)
def test_the_bundle_has_what_the_chapters_need(
    page, base, tmp_path, edition, link
):
    page.goto(f"{base}{edition}/book/index.html")
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    with ZipFile(download.value.path()) as bundle:
        bundle.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    tracked = subprocess.run(
        ["git", "ls-files", "linreg", "benchmarks", "book/*.ipynb"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert len(tracked) > 25
    for name in [*tracked, "README.md", "requirements.txt", "pyproject.toml"]:
        packed, own = (folder / name).read_bytes(), (ROOT / name).read_bytes()
        if edition == "en" and name.startswith("book/"):
            own = english(ROOT / name).encode()
        assert packed == own, name


def test_every_internal_link_and_anchor_lands(site, soups):
    pages = {(site / name).resolve(): soup for name, soup in soups.items()}
    ids = {
        path: {e["id"] for e in soup.find_all(id=True)}
        for path, soup in pages.items()
    }
    checked = 0
    for path, soup in pages.items():
        for tag, attribute in (("a", "href"), ("img", "src"), ("link", "href"),
                               ("script", "src")):  # fmt: skip
            for element in soup.find_all(tag, **{attribute: True}):
                url = urlsplit(urljoin(path.as_uri(), element[attribute]))
                if url.scheme != "file":
                    continue
                target = Path(unquote(url.path))
                assert target.is_file(), (path.name, element[attribute])
                anchor = unquote(url.fragment)
                if anchor and target in ids:
                    assert anchor in ids[target], (path.name, str(element))
                checked += 1
    assert checked > 1000


def test_pages_say_what_they_are(soups):
    for name in ALL_PAGES:
        soup = soups[name]
        assert soup.html["lang"] == {"zh": "zh-CN", "en": "en"}[name[:2]]
        assert len(soup.find("meta", {"name": "description"})["content"]) > 20
        assert soup.find("meta", {"property": "og:title"})
        assert soup.find("meta", {"property": "og:image"})
        assert soup.find("link", {"rel": "icon"})["href"].endswith("logo.svg")


def test_pages_forbid_what_they_do_not_need(soups):
    for name in REAL_PAGES:
        soup = soups[name]
        policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})
        assert policy["content"].startswith("default-src 'self';"), name
        assert "http" not in policy["content"]
        assert "unsafe-eval" not in policy["content"]
        handlers = [
            (element.name, attribute)
            for element in soup.find_all()
            for attribute in element.attrs
            if attribute.startswith("on")
        ]
        assert handlers == [], name


def test_policy_holds_back_foreign_scripts(page, base):
    page.goto(base + CHAPTER)
    blocked = page.evaluate(
        """() => new Promise((done) => {
          document.addEventListener("securitypolicyviolation",
            (event) => done(event.blockedURI));
          const script = document.createElement("script");
          script.src = "https://example.org/x.js";
          document.head.append(script);
        })"""
    )
    assert blocked == "https://example.org/x.js"


@each_edition
def test_one_header_and_buttons_in_the_page_s_language(page, base, edition):
    page.goto(f"{base}{edition}/book/06-sgd.html")
    assert page.locator(".bd-header-article").count() == 1
    assert page.locator("header.bd-header").inner_text().strip() == ""
    labels = page.evaluate(
        """[...document.querySelectorAll(
              "button, a.btn:not(.switch-edition), .prev-next-area, input,"
              + ".bd-toc")]
           .flatMap((e) => [e.title, e.ariaLabel, e.placeholder,
                            e.matches(".prev-next-area") ? e.innerText : ""])
           .filter(Boolean)"""
    )
    assert len(labels) > 8
    chinese = [text for text in labels if CHINESE.search(text)]
    assert chinese == (labels if edition == "zh" else [])


@pytest.mark.parametrize("name", [n for n in REAL_PAGES if n[:2] == "en"])
def test_no_chinese_on_an_english_page(page, base, name):
    """But for the link to the Chinese one: what is seen, and what is said.

    A figure that answers has words of its own; so have its knobs.
    """
    page.goto(base + name)
    for _ in pass_figures(page):
        page.locator(".explore").last.wait_for()
    found = page.evaluate(
        """() => {
          document.querySelector("a.switch-edition").remove();
          const walker = document.createTreeWalker(
            document, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
          const said = [];
          while (walker.nextNode()) {
            const { currentNode: node } = walker;
            if (node.nodeType === Node.TEXT_NODE) said.push(node.data);
            else for (const { name, value } of node.attributes)
              if (!["href", "data-explore"].includes(name)) said.push(value);
          }
          return said;
        }"""
    )
    assert len(found) > 50
    assert [text for text in found if CHINESE.search(text)] == []


def test_the_other_edition_has_the_same_page(soups):
    """The switch, on every page; and the same sections there."""
    for name in REAL_PAGES:
        edition, _, rest = name.partition("/")
        other = {"zh": "en", "en": "zh"}[edition]
        (link,) = soups[name].select("a.switch-edition")
        target = f"{other}/{rest}"
        assert urljoin(f"https://a/{name}", link["href"]) == (
            f"https://a/{target}"
        )
        assert link["hreflang"] == soups[target].html["lang"]
        alternates = {
            e["hreflang"]: urljoin(f"https://a/{name}", e["href"])
            for e in soups[name].find_all("link", rel="alternate")
        }
        assert alternates == {
            "zh-CN": f"https://a/zh/{rest}",
            "en": f"https://a/en/{rest}",
        }
        places, others = (
            [(s.parent.name, s["id"]) for s in soup.select("[id^=section-]")]
            for soup in (soups[name], soups[target])
        )
        assert places == others
        levels, others = (
            [h.name for h in soup.select("article :is(h1, h2, h3)")]
            for soup in (soups[name], soups[target])
        )
        assert levels == others


def test_the_switch_leads_to_the_section_that_is_read(page, base):
    page.goto(base + CHAPTER)
    load_all(page)
    for section in (9, 3, 12):
        page.locator(f"#section-{section}").evaluate(
            """(place) => place.parentElement.scrollIntoView(
                 { behavior: "instant" })"""
        )
        box = page.locator("a.switch-edition").bounding_box()
        page.mouse.click(box["x"] + 5, box["y"] + 5)  # click() would scroll
        page.wait_for_url(re.compile(f"#section-{section}$"))
        page.wait_for_function(
            """(id) => {
              const place = document.getElementById(id);
              const { top } = place.getBoundingClientRect();
              return top >= 0 && top < 300;
            }""",
            arg=f"section-{section}",
        )
        load_all(page)
    assert "/en/" in page.url


@pytest.mark.parametrize(
    ("languages", "edition"),
    [
        ("zh-CN", "zh"),
        ("zh-Hant-TW", "zh"),
        ("en-GB", "en"),
        ("de-DE", "en"),
    ],
)
def test_the_front_door_speaks_the_reader_s_language(
    browser, site, languages, edition
):
    context = browser.new_context(locale=languages)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_url(f"**/{edition}/book/index.html")
    context.close()


def test_the_front_door_offers_both_without_javascript(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for name in ("Linear Regression from Scratch", "从零开始的线性回归"):
        page.goto(f"{base}index.html")
        page.get_by_role("link", name=name).click()
        assert page.locator("h1").first.inner_text().startswith(name)
    context.close()


def test_works_from_disk(page, site):
    failed, errors = [], []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((site / CHAPTER).as_uri(), wait_until="networkidle")
    load_all(page)
    icon = page.locator(".fa-bars").first
    assert "Awesome" in icon.evaluate("(i) => getComputedStyle(i).fontFamily")
    found = search(page, f"{site.as_uri()}/", "学习率")
    assert CHAPTER in [f"zh/{urlsplit(name).path}" for name in found]
    assert failed == errors == []


def test_no_launch_buttons_without_an_address(soups):
    for soup in soups.values():
        assert "mybinder" not in str(soup)
        assert "colab" not in str(soup)
        assert "executablebooks" not in str(soup)


def test_no_address_is_made_up(site, soups):
    assert {path.name for path in site.iterdir()} == {"zh", "en", "index.html"}
    for name in ALL_PAGES:
        assert soups[name].find("link", rel="canonical") is None
        assert "github.io" not in str(soups[name])


# What stands in _config.yml; the same as GitHub names it for its own builds.
ADDRESSES = {
    "a project": ("https://github.com/You/linreg", "You/linreg"),
    "a user's site": (
        "HTTPS://GitHub.com/Alice/Alice.GitHub.io.git/",
        "Alice/Alice.GitHub.io",
    ),
    "another host": ("https://gitee.com/you/linreg.git", ""),
}


@pytest.mark.parametrize("kind", ADDRESSES)
def test_addresses_on_the_pages(pages_read, tmp_path, kind):
    configured, name = ADDRESSES[kind]
    config = (ROOT / "_config.yml").read_text("utf-8")
    config = config.replace('url: ""', f"url: {configured}", 1)
    config = config.replace("book/_ext", f"{ROOT}/book/_ext")
    (tmp_path / "_config.yml").write_text(config, "utf-8")
    whole = build(pages_read(tmp_path), config=tmp_path / "_config.yml")
    for edition, branch in (("zh", "main"), ("en", "english")):
        site = whole / edition
        soup = parse(site / "book" / "06-sgd.html")
        links = {
            a["href"] for a in soup.select(".article-header-buttons a.btn")
        }
        links |= {a["href"] for a in soup.select("a.dropdown-item")}
        links = {link for link in links if link.startswith("https://")}
        downloaded = site / "_sources" / "book" / "06-sgd.ipynb"
        text = downloaded.read_text("utf-8")
        path = "book/06-sgd.ipynb"
        if not name:
            repository = "https://gitee.com/you/linreg"
            assert links == set()
            assert not (whole / "sitemap.xml").exists()
            assert not (site / "sitemap.xml").exists()
            assert "(05-loss.ipynb)" not in text or "github.io" not in text
        else:
            repository = f"https://github.com/{name}"
            assert links == {
                f"https://mybinder.org/v2/gh/{name}/{branch}"
                f"?urlpath=lab/tree/{path}",
                "https://colab.research.google.com/github/"
                f"{name}/blob/{branch}/{path}",
            }
            owner, _, project = name.partition("/")
            top = f"https://{owner.lower()}.github.io/"
            top += f"{project}/" if kind == "a project" else ""
            home = f"{top}{edition}/"
            canonical = soup.find("link", rel="canonical")["href"]
            assert canonical == f"{home}book/06-sgd.html"
            others = soup.find_all("link", rel="alternate", hreflang=True)
            assert {o["hreflang"]: o["href"] for o in others} == {
                "zh-CN": f"{top}zh/book/06-sgd.html",
                "en": f"{top}en/book/06-sgd.html",
            }
            card = soup.find("meta", {"property": "og:image"})["content"]
            assert card == f"{home}_static/card.png"
            assert soup.find("meta", {"property": "og:url"})["content"] == (
                f"{home}book/06-sgd.html"
            )
            sitemap = (site / "sitemap.xml").read_text("utf-8")
            for document in DOCUMENTS:
                assert f"<loc>{home}book/{document}.html</loc>" in sitemap
            sitemaps = (whole / "sitemap.xml").read_text("utf-8")
            assert f"<loc>{home}sitemap.xml</loc>" in sitemaps
            lost = parse(whole / "404.html")
            assert f"{home}book/index.html" in {
                a["href"] for a in lost.find_all("a")
            }
            assert f"]({home}book/glossary.html#" in text
            assert not re.search(r"\]\([\w-]+\.(ipynb|md)", text)
        assert f'"git+{repository}' in text.replace('\\"', '"')


def test_github_builds_know_their_own_address(
    pages_read, tmp_path, monkeypatch
):
    monkeypatch.setenv("GITHUB_REPOSITORY", "You/linreg")
    site = build(pages_read(tmp_path))
    canonical = parse(site / CHAPTER).find("link", rel="canonical")["href"]
    assert canonical == f"https://you.github.io/linreg/{CHAPTER}"


@pytest.mark.parametrize("wrong", ["you", "a/b/tree/c"])
def test_an_address_that_is_none_is_refused(tmp_path, monkeypatch, wrong):
    monkeypatch.setenv("GITHUB_REPOSITORY", wrong)
    with pytest.raises(SystemExit, match=r"github\.com/you/linreg"):
        build(tmp_path)


def test_icons_are_all_in_the_font(site, soups):
    from fontTools.ttLib import TTFont

    static = site / "en" / "_static"
    known = TTFont(static / "icons.woff2").getBestCmap()
    css = (static / "icons.css").read_text("utf-8")
    named = dict(re.findall(r'\.(fa-[\w-]+)::before.*?"\\(\w+)"', css))
    used = {
        name
        for soup in soups.values()
        for element in soup.select("i[class*=fa-], span[class*=fa-]")
        for name in element["class"]
        if name.startswith("fa-") and name not in ("fa-solid", "fa-lg")
    }
    assert used
    assert used <= set(named)
    assert {int(named[name], 16) for name in used} <= set(known)
