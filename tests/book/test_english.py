"""The English edition says what the Chinese one says, all of it."""

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from book._ext import contents, english
from tools import catalogs
from tools.english import write

ROOT = Path(__file__).parents[2]
SOURCES = dict(english.sources())
each_catalog = pytest.mark.parametrize("name", SOURCES)
LINK = re.compile(r"\]\(([^)]+)\)")
TEXT = re.compile(r"\\text\{[^}]*\}")
# What a piece and its English have in common, taken out one after the other.
PARTS = {
    "code": re.compile("(`+[^`]+`+)"),
    "formula": re.compile(r"(\$[^$]+\$)"),
    "link": LINK,
    "number": re.compile(r"(\d+(?:[.,]\d+)*)"),
    "mark": re.compile(r"(\*\*|\\\|)"),
}
# Where English must differ, with the reason: catalog, kind of part, and what
# of the Chinese tells the piece from all others.
EXCEPTIONS = {
    ("errors", "code", "种子"): "what stands for a seed is said in Chinese",
}


def parts(text):
    """Count a piece's code spans, formulas, links, numbers and marks."""
    found = {}
    for kind, pattern in PARTS.items():
        found[kind] = Counter(
            TEXT.sub("", part).replace(",", "") if kind != "link" else part
            for part in pattern.findall(text)
        )
        text = pattern.sub(" ", text)
    return found


@each_catalog
def test_every_piece_has_its_english(name):
    """In the order of the page; nothing fuzzy."""
    known = SOURCES[name]
    entries = [e for e in english.catalog(name) if e.msgid in known]
    if [entry.msgid for entry in entries] != known:
        pytest.fail(f"{name} has changed: run make locale", pytrace=False)
    unfinished = [e.msgid for e in entries if not e.translated()]
    assert unfinished == [], "write it, then remove the mark `fuzzy`"


@each_catalog
def test_both_have_the_same_numbers_formulas_code_and_links(name):
    used = set()
    for entry in english.catalog(name).translated_entries():
        ours, theirs = parts(entry.msgid), parts(entry.msgstr)
        for kind in PARTS:
            if ours[kind] != theirs[kind]:
                known = {
                    key
                    for key in EXCEPTIONS
                    if key[:2] == (name, kind) and key[2] in entry.msgid
                }
                if not known:
                    pytest.fail(
                        f"{kind}: {[*(ours[kind] - theirs[kind])]} in Chinese "
                        f"alone, {[*(theirs[kind] - ours[kind])]} in English "
                        f"alone, line {entry.linenum} of {name}.po:\n"
                        f"{entry.msgstr}",
                        pytrace=False,
                    )
                used |= known
    assert used == {key for key in EXCEPTIONS if key[0] == name}


@pytest.mark.parametrize(
    "path",
    contents.notebooks(),
    ids=lambda path: path.stem,
)
def test_english_notebooks_run_the_same_code(path):
    """Code, outputs and all else that is not said are the same bytes."""
    ours = nbformat.read(path, as_version=4)
    theirs = nbformat.reads(english.english(path), as_version=4)
    nbformat.validate(theirs)
    assert len(ours.cells) == len(theirs.cells)
    for one, other in zip(ours.cells, theirs.cells, strict=True):
        if one.cell_type == "markdown":
            one.source = other.source
        one.metadata.pop("mystnb", None)
        other.metadata.pop("mystnb", None)
    assert nbformat.writes(ours) == nbformat.writes(theirs)


def test_a_changed_paragraph_is_fuzzy_until_someone_has_read_it(
    tmp_path, monkeypatch
):
    """Until then the page says it in Chinese."""
    page = tmp_path / "book" / "one.md"
    folder = tmp_path / "book" / "_locale" / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    monkeypatch.setattr(contents, "BOOK", page.parent)
    monkeypatch.setattr(contents, "pages", lambda: [page])
    monkeypatch.setattr(english, "SETTINGS", [])
    monkeypatch.setattr(catalogs, "TEMPLATES", tmp_path / "templates")
    monkeypatch.setattr(catalogs, "ROOT", tmp_path)
    for module in (english, catalogs):
        monkeypatch.setattr(module, "CATALOGS", folder)

    def update(text):
        page.write_text(text, "utf-8")
        catalogs.merge(catalogs.extract())
        english.words.cache_clear()
        return english.catalog("one")

    catalog = update("这一段很长，它说小批量里有几个样本。\n")
    catalog[0].msgstr = "A long one."
    catalog.save()
    english.words.cache_clear()
    assert english.english(page) == "A long one.\n"

    changed = "这一段很长，它说小批量里有三个样本。\n"
    (entry,) = update(changed)
    assert entry.fuzzy
    assert entry.msgstr == "A long one."
    assert english.english(page) == changed
    english.words.cache_clear()


def test_a_reader_s_own_work_is_kept(tmp_path, capsys):
    write(tmp_path)
    notebook = tmp_path / "05-loss.ipynb"
    path = ROOT / "book" / "05-loss.ipynb"
    stored = contents.unlinked(path, english.english(path))
    assert notebook.read_text("utf-8") == stored
    assert (tmp_path / "_static" / "line.svg").exists()
    assert capsys.readouterr().out == ""
    notebook.write_text("mine", "utf-8")
    (tmp_path / "06-sgd.ipynb").unlink()
    write(tmp_path)
    assert notebook.read_text("utf-8") == "mine"
    assert (tmp_path / "06-sgd.ipynb").exists()
    assert "05-loss.ipynb stays" in capsys.readouterr().out
