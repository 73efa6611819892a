"""A class's assignments: without solutions, and marked on other data."""

import dataclasses
import re

import nbformat
import pytest
from nbgrader.api import Gradebook
from notebook_run import CI, NOTEBOOKS, run, tags
from test_exercises import answers

from tools.assignments import assignment, nbgrader, write

CHAPTERS = {path.stem: path for path in NOTEBOOKS if answers(path)}
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*)### END", re.DOTALL)


@pytest.mark.parametrize("name", CHAPTERS if CI else ["05-loss"])
def test_the_mark_is_the_check_s_on_other_data(name):
    """A right answer passes; a wrong one fails, and none."""
    notebook = assignment(CHAPTERS[name])
    assert not re.search("解答|<summary>解读", nbformat.writes(notebook))
    blanks, checks = (
        [cell.source for cell in notebook.cells if tag in tags(cell)]
        for tag in ("answer", "check")
    )
    exercises = run(CHAPTERS[name]).exercises
    planted = answers(CHAPTERS[name]).values()
    for blank, check, exercise, tried in zip(
        blanks, checks, exercises, planted, strict=True
    ):
        marking = HIDDEN.search(check)[1]
        if "manual_seed(" in check and "callable(" in check:
            assert "1000" in marking
        marker = dataclasses.replace(exercise, check=marking)
        marker.judge(tried["right"][0])
        for answer in (blank, tried["wrong"][0]):
            with pytest.raises(AssertionError):
                marker.judge(answer)


@pytest.mark.skipif(not CI, reason="nbgrader takes half a minute")
def test_nbgrader_marks_what_is_handed_in(tmp_path):
    name = "05-loss"
    write(tmp_path, [CHAPTERS[name]])
    released = tmp_path / "release" / name / f"{name}.ipynb"
    assert "HIDDEN" not in released.read_text("utf-8")
    planted = answers(CHAPTERS[name]).values()
    notebook = nbformat.read(released, as_version=4)
    blanks = [cell for cell in notebook.cells if "answer" in tags(cell)]
    for k, (cell, both) in enumerate(zip(blanks, planted, strict=True)):
        cell.source = both["wrong" if k % 2 else "right"][0]
    handed_in = tmp_path / "submitted" / "student" / name / released.name
    handed_in.parent.mkdir(parents=True)
    nbformat.write(notebook, handed_in)
    nbgrader(tmp_path, "autograde", name)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        (marked,) = book.assignment_submissions(name)
        marks = {
            grade.name: grade.score for grade in marked.notebooks[0].grades
        }
    right = [marks[name] for name in sorted(marks)]
    assert right == [(k + 1) % 2 for k in range(len(blanks))]
