"""Where the shared answer-checking cases lie; tests that need them skip without."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def load() -> Callable[[str], Any]:
    root = Path(__file__).resolve().parents[3]
    data = Path(os.environ.get("TOUCHSTONE_DATA", root.parent / "shared" / "data"))

    def read(name: str) -> Any:
        path = data / name
        if not path.exists():
            pytest.skip(f"no shared data: {name} not found (set TOUCHSTONE_DATA)")
        if name.endswith(".json"):
            return json.loads(path.read_text())
        opener = gzip.open if name.endswith(".gz") else open
        with opener(path, "rt") as lines:
            return [json.loads(line) for line in lines]

    return read
