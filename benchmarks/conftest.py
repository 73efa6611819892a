"""Run on one thread, and keep of pytest-benchmark's report what is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let no other benchmark's number of threads stay behind."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Keep the machine and each case's shortest time of all its turns."""
    machine = output_json["machine_info"]
    shortest: dict[tuple[tuple[str, Any], ...], float] = {}
    for case in output_json["benchmarks"]:
        kind = {"group": case["group"]} | (case["params"] or {})
        kind |= case["extra_info"]
        kind.pop("turn", None)
        key = tuple(kind.items())
        seconds = float(f"{case['stats']['min']:.4g}")
        shortest[key] = min(seconds, shortest.get(key, seconds))
    output_json.clear()
    output_json["machine"] = {
        "cpu": machine["cpu"]["brand_raw"],
        "cores": machine["cpu"]["count"],
        "system": machine["system"],
        "python": machine["python_version"],
        "torch": torch.__version__,
    }
    output_json["cases"] = [
        dict(key) | {"seconds": seconds} for key, seconds in shortest.items()
    ]
