from __future__ import annotations

import pytest

from sandbox.v1 import sandbox_pb2 as sb
from verifier.code.verify import CodeVerifier, Submission
from verifier.v1 import verifier_pb2 as pb


class Scripted:
    """A sandbox that gives what it was told to give; it speaks the real messages."""

    def __init__(self, *outcomes: sb.Outcome) -> None:
        self.outcomes = outcomes

    async def run(self, request: sb.RunRequest) -> sb.RunResult:
        return sb.RunResult(status=sb.RunResult.OK, outcomes=self.outcomes)

    async def describe(self) -> sb.DescribeResponse:
        return sb.DescribeResponse()

    async def close(self) -> None:
        """Nothing to end."""


RIGHT = sb.Outcome(ending=sb.Outcome.EXITED, exit_code=0, stdout=b"3")
TASK = pb.CodeTask(
    language="python",
    program="print(3)",
    tests=[pb.CodeTest(stdout="3"), pb.CodeTest(stdout="3")],
    run_all=True,
)


async def test_all_outcomes_right() -> None:
    outcome = await CodeVerifier(Scripted(RIGHT, RIGHT)).verify(Submission(TASK, ""))
    assert (outcome.status, outcome.score) == (pb.Verdict.OK, 1.0)


@pytest.mark.parametrize(
    "outcomes",
    [
        (),
        (RIGHT,),
        (RIGHT, RIGHT, RIGHT),
        (RIGHT, sb.Outcome()),
        (sb.Outcome(ending=sb.Outcome.NOT_RUN), RIGHT),
    ],
)
async def test_a_sandbox_that_leaves_gaps_is_at_fault_not_the_program(
    outcomes: tuple[sb.Outcome, ...],
) -> None:
    outcome = await CodeVerifier(Scripted(*outcomes)).verify(Submission(TASK, ""))
    assert outcome.status == pb.Verdict.SANDBOX_ERROR
    assert outcome.score is None
