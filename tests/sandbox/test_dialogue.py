"""Who of two programs that talk went first, where the news of their ends come in any order."""

from __future__ import annotations

import asyncio

import pytest

from sandbox import dialogue
from sandbox.client import EmbeddedSandbox
from sandbox.execution import Ended
from sandbox.v1 import sandbox_pb2 as pb

pytestmark = pytest.mark.asyncio(loop_scope="module")

LATE = 0.5
INTERACTOR_FAILS = 7


async def converse(sandbox: EmbeddedSandbox, program: str, interactor: str) -> pb.RunResult:
    talk = pb.Dialogues(language="python", source=interactor, command=[pb.Command()], going_on=0)
    request = pb.RunRequest(language="python", source=program, dialogues=talk)
    result = await sandbox.run(request)
    assert result.status == pb.RunResult.OK, result.message
    return result


@pytest.fixture
def late_interactor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of an interactor that exits with INTERACTOR_FAILS is told late."""
    execute = dialogue.execute

    async def slowly(*args: object) -> Ended:
        ended = await execute(*args)  # type: ignore[arg-type]
        if ended.status == INTERACTOR_FAILS:
            await asyncio.sleep(LATE)
        return ended

    monkeypatch.setattr(dialogue, "execute", slowly)


@pytest.mark.usefixtures("late_interactor")
async def test_a_program_that_ends_because_the_interactor_did_went_second(
    sandbox: EmbeddedSandbox,
) -> None:
    fails = f"import sys; print('?' * 5000); sys.exit({INTERACTOR_FAILS})"
    result = await converse(sandbox, "while True: input()", fails)
    assert result.outcomes[0].exit_code == 1  # EOFError
    assert result.outcomes[0].interactor_first
    assert result.interactor_outcomes[0].exit_code == INTERACTOR_FAILS


@pytest.mark.usefixtures("late_interactor")
@pytest.mark.parametrize("program", ["1 / 0", "print('x', flush=True); 1 / 0", "pass"])
async def test_an_interactor_that_ends_because_the_program_did_went_second(
    sandbox: EmbeddedSandbox, program: str
) -> None:
    waits = f"import sys; sys.stdin.read(); sys.exit({INTERACTOR_FAILS})"
    result = await converse(sandbox, program, waits)
    assert not result.outcomes[0].interactor_first
    assert result.interactor_outcomes[0].exit_code == INTERACTOR_FAILS
