"""What every test may ask for: the data folder and a real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from verifier.embedded import EmbeddedServer

ROOT = Path(__file__).parent.parent

if "PYTEST_XDIST_WORKER" in os.environ:  # as many threads as cores are the workers' already
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with real problems and known verdicts; the test is skipped without it."""
    path = Path(os.environ.get("TOUCHSTONE_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("no data folder (TOUCHSTONE_DATA, or shared/data beside the repository)")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The sandbox's tests come first: some count, stop and kill this process's descendants, which
    the shared server and its jails would be."""
    items.sort(key=lambda item: "tests/sandbox/" not in item.nodeid)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A real server in a process of its own, shared by all tests that do not break it."""
    with EmbeddedServer("--log-level", "warning") as running:
        yield running
