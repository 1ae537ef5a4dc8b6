"""The examples are scripts: their folder stands on the path, as when they are run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path[:0] = [str(EXAMPLES), str(EXAMPLES / "train_demo")]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The data folder; skips the test where there is none."""
    given = os.environ.get("TOUCHSTONE_DATA")
    folder = Path(given) if given else EXAMPLES.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no data folder is at hand (TOUCHSTONE_DATA)")
    return folder
