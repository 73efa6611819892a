"""What the search knows a page by: stems of words, and the glossary's terms.

The classes and lists of Sphinx's search that are used here are not documented:
a test (tests/site/test_private_names.py) says when they go.
"""

import re
from pathlib import Path

import jieba
import snowballstemmer
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish, english_stopwords
from sphinx.search.zh import SearchChinese

from book._ext.editions import EDITION


class Stems:
    """Index English words as the browser looks them up: Porter's stems.

    Sphinx's own class for Chinese takes those of Snowball's "english", by
    which a word such as `array` is not found.
    """

    stemmer = snowballstemmer.stemmer("porter")

    def init(self, options: dict[str, str]) -> None:
        """Do not let Sphinx choose the stemmer."""

    def stem(self, word: str) -> str:
        """Return a word's stem; the browser leaves two letters alone.

        It also leaves a word whose stem would be one of those too common.
        """
        word = word.lower()
        # The browser's Porter has two more endings.
        full = re.sub("bly$", "ble", re.sub("logy$", "log", word))
        stem = self.stemmer.stemWord(full)
        return word if len(word) < 3 or stem in english_stopwords else stem


class EnglishSearch(Stems, SearchEnglish):
    """What the English edition is searched by."""


class ChineseSearch(Stems, SearchChinese):
    """What the Chinese edition is searched by."""


def search_the_site_only(app: Sphinx) -> None:
    """Let no other builder spend time on an index."""
    app.builder.search = app.builder.name == "html"


def choose_search(app: Sphinx) -> None:
    """Search by the classes above, which know the terms of the glossary."""
    if EDITION == "zh":
        glossary = Path(app.srcdir, "book", "glossary.md").read_text("utf-8")
        for term in re.findall(r"^### (\S+)", glossary, re.M):
            jieba.add_word(term)
        app.add_search_language(ChineseSearch)
    app.add_search_language(EnglishSearch)
