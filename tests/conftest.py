"""What every test may ask for: the data folder and a real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from verifier.embedded import EmbeddedServer

ROOT = Path(__file__).parent.parent

if "PYTEST_XDIST_WORKER" in os.environ:  # as many threads as cores are the workers' already
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Hypothesis gives each example 200 ms on the clock, which beside other work says nothing of the
# code. Tests of speed count processor time or steps.
settings.register_profile(
    "shared_cores", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared_cores")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with real problems and known verdicts; the test is skipped without it."""
    path = Path(os.environ.get("TOUCHSTONE_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("no data folder (TOUCHSTONE_DATA, or shared/data beside the repository)")
    return path


# The files that take longest, longest first, so that none of them is the last, with one worker.
LONG = (
    "verifier/code/test_data.py", "verifier/code/test_idioms.py", "verifier/code/test_generate.py",
    "verifier/math/test_adversarial.py", "evals/test_report.py", "evals/test_run.py",
    "examples/test_train_demo.py", "trainer/test_zero.py", "trainer/test_layouts.py",
    "trainer/test_checkpoint.py", "verifier/test_client_install.py",
)  # fmt: skip


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only the tests that run alone are asked for, files without any are not imported, which
    would take longer than many of those tests."""
    if config.getoption("markexpr") != "alone" or collection_path.suffix != ".py":
        return None
    return None if "mark.alone" in collection_path.read_text() else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The sandbox's tests come first: some count, stop and kill this process's descendants, which
    the shared server and its jails would be."""
    place = {ROOT / "tests" / name: n for n, name in enumerate(LONG, start=1)}
    items.sort(
        key=lambda item: (
            "tests/sandbox/" not in item.nodeid,
            place.get(item.path, len(place) + 1),
        )
    )


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """A real server in a process of its own, shared by all tests that do not break it."""
    with EmbeddedServer("--log-level", "warning") as running:
        yield running
