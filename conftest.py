"""Say which tests there are for this book, and which share a worker."""

import gc
import inspect
import os
import re
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest

from book._ext import contents

# Kernels, and whatever else the tests start, import this checkout.
os.environ["PYTHONPATH"] = str(Path(__file__).parent)
# Parsed pages and runs stay: looking for garbage in them takes half the time.
gc.set_threshold(100_000, 50, 100)
LEFT_OUT = contents.left_out()
# What takes long goes first: at the end no worker waits for another's last.
ORDER = ["site", "book", "package"]


# Before xdist looks at the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out tests of what the book is without; put the short ones last."""
    without = [item for item in items if lacks(item)]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]
    items.sort(key=place_in_order)
    for item in items:
        group = shared(item)
        if group and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))


@cache
def speaks_of(function: FunctionType) -> set[str]:
    """Return the words of a test, and of what it uses of its module."""
    text = inspect.getsource(function)
    for name in function.__code__.co_names:
        part = function.__globals__.get(name)
        if isinstance(part, (str, list)):
            text += str(part)
        elif getattr(part, "__module__", "") == function.__module__:
            text += inspect.getsource(part)
    return {*re.findall(r"[\w-]+", text)}


def lacks(item: pytest.Item) -> bool:
    """Does a test speak of a page or a language that the book is without?"""
    if not isinstance(item, pytest.Function):
        known = contents.everything()
        return contents.BOOK in item.path.parents and item.path not in known
    values = item.callspec.params.values() if "[" in item.name else ()
    said = speaks_of(item.function) if LEFT_OUT else set()
    return bool(LEFT_OUT & {*said, *map(str, values)})


def place_in_order(item: pytest.Item) -> int:
    """Come first if it starts processes, else by its folder."""
    folder = item.path.parent.name
    slow = item.get_closest_marker("slow") or folder not in ORDER
    return -1 if slow else ORDER.index(folder)


def shared(item: pytest.Item) -> str:
    """Name what a test shares with others: a kernel, a run, a page."""
    if item.path.suffix == ".ipynb":
        return f"kernel {item.path.stem}"
    subject = re.split(r"[-\]]", item.nodeid.partition("[")[2])[0]
    place = {"book": "run", "site": item.path.stem}.get(item.path.parent.name)
    return f"{place} {subject}" if place and subject else ""
