"""Fixtures: one sandbox for all tests of a file, so that a warm compiler is warm for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sandbox.client import EmbeddedSandbox, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as pb

Outcome = pb.Outcome

# About 10 MB of numbers, one a line, their count first.
COUNT = 1_400_000
NUMBERS = f"{COUNT}\n".encode() + b"".join(b"%d\n" % (i * 7919 % 1_000_003) for i in range(COUNT))
TOTAL = sum(i * 7919 % 1_000_003 for i in range(COUNT))
# What programs are asked to pass through unchanged: 2, 3 and 4 bytes a character.
UNICODE = "naïve Ω 漢字 🙂"


class Programs:
    """Runs programs of one language."""

    def __init__(self, sandbox: EmbeddedSandbox, language: str) -> None:
        self.sandbox = sandbox
        self.language = language

    async def result(self, source: str, *stdin: bytes, **fields: Any) -> pb.RunResult:
        work = pb.Inputs(stdin=stdin or [b""])
        request = pb.RunRequest(language=self.language, source=source, inputs=work, **fields)
        return await self.sandbox.run(request)

    async def one(self, source: str, stdin: bytes = b"", **fields: Any) -> pb.Outcome:
        """How the one run of a program that compiles ends."""
        result = await self.result(source, stdin, **fields)
        assert result.status == pb.RunResult.OK, result.message
        assert not result.compile_failed, result.diagnostics
        return result.outcomes[0]

    async def output(self, source: str, stdin: bytes = b"", **fields: Any) -> str:
        """What a program prints that ends well."""
        outcome = await self.one(source, stdin, **fields)
        assert outcome.ending == Outcome.EXITED, outcome
        assert outcome.exit_code == 0, outcome
        return outcome.stdout.decode()

    async def refused(self, source: str, **fields: Any) -> str:
        """The messages of the compiler about a program that does not compile."""
        result = await self.result(source, **fields)
        assert result.status == pb.RunResult.OK, result.message
        assert result.compile_failed
        assert all(outcome.ending == Outcome.NOT_RUN for outcome in result.outcomes)
        return result.diagnostics


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[EmbeddedSandbox]:
    try:
        started = await EmbeddedSandbox.start(slots=1)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    yield started
    await started.close()


def exited(outcome: pb.Outcome, code: int) -> bool:
    return bool(outcome.ending == Outcome.EXITED and outcome.exit_code == code)
