"""Which chapters `make check` looks at."""

from tools.check import changed_chapters


def test_a_chapter_is_checked_when_something_of_it_has_changed():
    assert changed_chapters([]) == []
    assert changed_chapters(["README.md", "linreg/loss.py"]) == []
    for path in (
        "book/05-loss.ipynb",
        "tests/book/exercises/05-loss.toml",
        "tests/book/prose/05-loss.toml",
        "tests/book/figures/chapter05.py",
        "book/_locale/en/LC_MESSAGES/05-loss.po",
    ):
        assert changed_chapters([path, "book/index.md"]) == ["05-loss"]
    assert changed_chapters(["book/tensors.ipynb", "book/01-data.ipynb"]) == [
        "01-data",
        "tensors",
    ]
