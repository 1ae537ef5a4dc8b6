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


class Telling:
    """A sandbox that answers each request with what `answers` holds next, then the last again."""

    def __init__(self, *answers: sb.RunResult) -> None:
        self.answers = list(answers)

    async def run(self, request: sb.RunRequest) -> sb.RunResult:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def describe(self) -> sb.DescribeResponse:
        return sb.DescribeResponse()

    async def close(self) -> None:
        """Nothing to end."""


NOT_RUN = sb.Outcome(ending=sb.Outcome.NOT_RUN)
WELL = sb.RunResult(status=sb.RunResult.OK, outcomes=[RIGHT, RIGHT])


@pytest.mark.parametrize(
    ("outcomes", "interactors"),
    [([RIGHT, RIGHT], []), ([NOT_RUN, NOT_RUN], [NOT_RUN, NOT_RUN]), ([RIGHT], [RIGHT])],
)
async def test_gaps_in_dialogues_are_no_score(
    outcomes: list[sb.Outcome], interactors: list[sb.Outcome]
) -> None:
    task = pb.CodeTask()
    task.CopyFrom(TASK)
    task.interactor.source = "x"
    told = sb.RunResult(status=sb.RunResult.OK, outcomes=outcomes, interactor_outcomes=interactors)
    outcome = await CodeVerifier(Telling(told)).verify(Submission(task, ""))
    assert (outcome.status, outcome.score) == (pb.Verdict.SANDBOX_ERROR, None)


@pytest.mark.parametrize("status", [sb.RunResult.SANDBOX_ERROR, sb.RunResult.TIMEOUT])
async def test_a_probe_that_fails_leaves_the_verdict(status: sb.RunResult.Status.ValueType) -> None:
    verifier = CodeVerifier(Telling(WELL, sb.RunResult(status=status)), probe_share=1.0)
    outcome = await verifier.verify(Submission(TASK, ""))
    assert (outcome.status, outcome.score) == (pb.Verdict.OK, 1.0)
    assert not outcome.evidence.code.probed


async def test_an_error_of_a_later_run_is_no_syntax_error() -> None:
    task = pb.CodeTask(
        language="javascript",
        program="x",
        tests=[pb.CodeTest(stdout="3"), pb.CodeTest(stdout="3")],
        scoring=pb.CodeTask.LADDER,
    )
    thrown = sb.Outcome(ending=sb.Outcome.EXITED, exit_code=1, stderr=b"SyntaxError: in JSON")
    runs = [
        sb.RunResult(status=sb.RunResult.OK, outcomes=[o], toolchain="t") for o in (RIGHT, thrown)
    ]
    outcome = await CodeVerifier(Telling(*runs)).verify(Submission(task, ""))
    assert outcome.score == 0.2
    assert outcome.evidence.code.signals.parses
