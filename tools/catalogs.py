"""Bring the catalogs of the English edition up to date with the Chinese.

New pieces come in without English; the English of a piece that has changed
stays, marked fuzzy, until someone has read it and removes the mark.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import polib

from book._ext.contents import BOOK, languages
from book._ext.english import CATALOGS, sources, title

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "_build" / "locale"
CITATION = ROOT / "CITATION.cff"
HEADER = {
    "Language": "en",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
}


def extract() -> set[str]:
    """Write what each page says into a template; return their names."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    names = set()
    for name, said in sources():
        template = polib.POFile()
        template.metadata = HEADER
        template.extend(polib.POEntry(msgid=text) for text in said)
        template.save(str(TEMPLATES / f"{name}.pot"))
        names.add(name)
    for old in TEMPLATES.glob("*.pot"):
        if old.stem not in names:
            old.unlink()
    return names


def merge(names: set[str]) -> None:
    """Merge the templates into the catalogs; drop those without a page."""
    subprocess.run(
        [sys.executable, "-m", "sphinx_intl", "update", "--language=en",
         f"--pot-dir={TEMPLATES}", f"--locale-dir={CATALOGS.parents[1]}",
         "--no-obsolete", "--line-width=0"],
        check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    there = {path.stem for path in BOOK.iterdir()} | names
    for path in CATALOGS.glob("*.po"):
        if path.stem not in there:
            path.unlink()


def report(names: set[str]) -> int:
    """Write the catalogs in one form; print what a person has to do."""
    left = 0
    for name in sorted(names):
        path = CATALOGS / f"{name}.po"
        catalog = polib.pofile(str(path), wrapwidth=79)
        catalog.metadata, catalog.header = HEADER, ""
        catalog.metadata_is_fuzzy = False
        for entry in catalog:
            if not entry.fuzzy:  # any more
                entry.previous_msgid = None
        catalog.save()
        for entry in catalog:
            if not entry.translated():
                left += 1
                kind = "fuzzy" if entry.fuzzy else "new"
                print(f"{path.relative_to(ROOT)}: {kind}: {entry.msgid}")
    return left


def cite() -> None:
    """Give CITATION.cff the book's title."""
    titles = json.dumps(
        " · ".join(dict.fromkeys(map(title, languages()))), ensure_ascii=False
    )
    before, after = re.split("(?m)^title: .*", CITATION.read_text("utf-8"))
    CITATION.write_text(f"{before}title: {titles}{after}", "utf-8")


if __name__ == "__main__":
    cite()
    if names := extract():
        merge(names)
        left = report(names)
        print(
            f"{left} pieces to write." if left else "The English is complete."
        )
