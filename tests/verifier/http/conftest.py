"""A real server with an HTTP front, shared by the tests that do not break it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from verifier.embedded import EmbeddedServer


@pytest.fixture(scope="package")
def front() -> Iterator[tuple[EmbeddedServer, str]]:
    """The server and the address of its front, as http://host:port."""
    with EmbeddedServer("--log-level", "warning", "--http", "127.0.0.1:0") as server:
        process = server._process
        assert process is not None
        assert process.stdout is not None
        yield server, process.stdout.readline().strip().removeprefix("http at ")


@pytest.fixture(scope="package")
def http(front: tuple[EmbeddedServer, str]) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=front[1], timeout=60) as client:
        yield client
