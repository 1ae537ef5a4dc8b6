"""Real containers on a real engine. Without an engine, or without the image, every test here is
skipped, and says why."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import docker
import pytest

from sandbox.container import ContainerLost, connect
from sandbox.docker import DockerSandbox, Settings
from sandbox.v1 import sandbox_pb2 as pb

IMAGE = os.environ.get("TOUCHSTONE_IMAGE", "touchstone")
Start = Callable[..., Awaitable[DockerSandbox]]


def _what_is_missing() -> str:
    try:
        client = connect(None)
    except ContainerLost as error:
        return f"{error} (scripts/docker-engine.sh starts one)"
    try:
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        return f"the engine has no image {IMAGE} (make docker-image builds it)"
    finally:
        client.close()
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if Path(__file__).parent in item.path.parents]
    reason = _what_is_missing() if mine else ""
    if reason:
        for item in mine:
            item.add_marker(pytest.mark.skip(reason=reason))


def inputs(source: str, *stdin: bytes, **fields: object) -> pb.RunRequest:
    work = pb.Inputs(stdin=stdin or [b""])
    return pb.RunRequest(language="python", source=source, inputs=work, **fields)


def settings(**changes: object) -> Settings:
    # 1 GiB each: an escape of memory in a test must not take the machine.
    return Settings(**{"image": IMAGE, "containers": 2, "memory_bytes": 1 << 30, **changes})


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts sandboxes and closes them."""
    async with AsyncExitStack() as stack:

        async def one(**changes: object) -> DockerSandbox:
            sandbox = await DockerSandbox.start(settings(**changes))
            stack.push_async_callback(sandbox.close)
            return sandbox

        yield one


@pytest.fixture
async def sandbox(start: Start) -> DockerSandbox:
    return await start()


@pytest.fixture
def engine() -> docker.DockerClient:
    client = connect(None)
    yield client
    client.close()
