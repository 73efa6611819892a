"""Say which tests share a worker, when pytest-xdist has several."""

import gc
import os
import re
from pathlib import Path

import pytest

# Kernels, and whatever else the tests start, import this checkout.
os.environ["PYTHONPATH"] = str(Path(__file__).parent)
# Parsed pages and runs stay: looking for garbage in them takes half the time.
gc.set_threshold(100_000, 50, 100)


# Before xdist looks at the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a mark to each test that looks at what others look at."""
    for item in items:
        group = shared(item)
        if group and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))


def shared(item: pytest.Item) -> str:
    """Name what a test shares with others: a kernel, a run, a page."""
    if item.path.suffix == ".ipynb":
        return f"kernel {item.path.stem}"
    subject = re.split(r"[-\]]", item.nodeid.partition("[")[2])[0]
    place = {"book": "run", "site": item.path.stem}.get(item.path.parent.name)
    return f"{place} {subject}" if place and subject else ""
