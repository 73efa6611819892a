"""Two machines, pretended by network namespaces, train as one process does."""

import os

import pytest

from benchmarks.two_machines import (
    Machines,
    difference,
    prepare,
    undisturbed,
    why_not,
    worker_killed,
)

WHY_NOT = why_not() if os.environ.get("CI") else "only in CI"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "it is possible"),
]


@pytest.mark.parametrize("event", [undisturbed, worker_killed])
def test_the_weights_are_those_of_one_process(tmp_path, event):
    expected = prepare(tmp_path)
    with Machines(tmp_path) as machines:
        for k in range(2):
            machines.start(k, 1 if event is worker_killed else "")
        codes = machines.wait(240)
        printed = [machines.output(k).read_text() for k in range(2)]
    assert codes == [0, 0], "\n".join(printed)
    assert difference(tmp_path, expected) < 1e-6
    starts = printed[0].count("epoch 3\n")
    assert (tmp_path / "killed").exists() == (event is worker_killed)
    assert starts == 1
