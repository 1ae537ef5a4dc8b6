"""Fixtures: a real sandbox at the real tier, and short ways to ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from sandbox.client import EmbeddedSandbox, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as pb

Outcome = pb.Outcome


class Asker:
    """Runs programs in a sandbox and returns their outcomes."""

    def __init__(self, sandbox: EmbeddedSandbox) -> None:
        self.sandbox = sandbox

    async def result(self, source: str, *stdin: bytes, **fields: object) -> pb.RunResult:
        request = inputs(source, *stdin, **fields)
        return await self.sandbox.run(request)

    async def one(self, source: str, stdin: bytes = b"", **fields: object) -> pb.Outcome:
        result = await self.result(source, stdin, **fields)
        assert result.status == pb.RunResult.OK, result.message
        assert not result.compile_failed, result.diagnostics
        return result.outcomes[0]

    async def calls(
        self, source: str, entry_point: str, *arguments: list[str], **fields: object
    ) -> list[pb.Outcome]:
        result = await self.sandbox.run(calls(source, entry_point, *arguments, **fields))
        assert result.status == pb.RunResult.OK, result.message
        assert not result.compile_failed, result.diagnostics
        return list(result.outcomes)

    async def value(self, source: str, *arguments: str) -> str:
        """The JSON of f(*arguments)."""
        (outcome,) = await self.calls(source, "f", list(arguments))
        assert outcome.ending == Outcome.RETURNED, outcome
        return outcome.value_json


def inputs(source: str, *stdin: bytes, **fields: object) -> pb.RunRequest:
    work = pb.Inputs(stdin=stdin or [b""])
    return pb.RunRequest(language="python", source=source, inputs=work, **fields)


def calls(source: str, entry_point: str, *arguments: list[str], **fields: object) -> pb.RunRequest:
    work = pb.Calls(
        entry_point=entry_point, arguments=[pb.Arguments(args_json=one) for one in arguments]
    )
    return pb.RunRequest(language="python", source=source, calls=work, **fields)


@asynccontextmanager
async def two_slots() -> AsyncIterator[EmbeddedSandbox]:
    """A sandbox; the test is skipped where none can start."""
    try:
        started = await EmbeddedSandbox.start(slots=2)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    yield started
    await started.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[EmbeddedSandbox]:
    """One for all tests of a file, which run in the module's loop. A file whose tests look at the
    processes of their sandbox, or kill them, makes one for each."""
    async with two_slots() as started:
        yield started


@pytest.fixture
def ask(sandbox: EmbeddedSandbox) -> Asker:
    return Asker(sandbox)
