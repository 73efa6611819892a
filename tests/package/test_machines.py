"""Two machines, pretended by network namespaces, train as one process does."""

import os

import pytest

from benchmarks.two_machines import Machines, difference, prepare, why_not

WHY_NOT = why_not() if os.environ.get("CI") else "only in CI"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "it is possible"),
]


def test_one_whose_worker_is_killed_and_started_again(tmp_path):
    expected = prepare(tmp_path)
    with Machines(tmp_path) as machines:
        for k in range(2):
            machines.start(k, 1)
        codes = machines.wait(240)
        printed = [machines.output(k).read_text() for k in range(2)]
    assert codes == [0, 0], "\n".join(printed)
    assert difference(tmp_path, expected) < 1e-6
    assert (tmp_path / "killed").exists()
    assert printed[0].count("epoch 3\n") == 1
