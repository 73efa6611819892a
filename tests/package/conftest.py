"""Processes of a test's own: forked, so they import nothing again."""

import multiprocessing
import re
from pathlib import Path

import pytest

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def started():
    """Start a function in another process; after the test none is left."""
    import torch  # only a worker imports what takes long

    processes = []

    def start(function, *arguments):
        def alone():
            torch.set_num_threads(1)  # OpenMP's others are not in the fork
            function(*arguments)

        processes.append(FORK.Process(target=alone))
        processes[-1].start()
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.join()


@pytest.fixture
def told(started):
    """Start a function that is given a way to tell; read what it tells."""

    def start(function):
        ear, mouth = FORK.Pipe(duplex=False)
        process = started(function, mouth.send)
        mouth.close()  # the end of the process is the end of the pipe
        return process, ear.recv

    return start


@pytest.fixture
def added_kb(told):
    """Measure how far an act lifts the peak of memory that another left."""

    def peak():
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])

    def measure(before, act):
        def both(tell):
            before()
            first = peak()
            act()
            tell(peak() - first)

        _, hear = told(both)
        return hear()

    return measure
