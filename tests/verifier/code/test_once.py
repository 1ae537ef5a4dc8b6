from __future__ import annotations

import asyncio

import pytest

from sandbox.v1 import sandbox_pb2 as sb
from verifier.client import VerifierClient
from verifier.code import flags, once, verify
from verifier.code.verify import CodeVerifier, Submission, cacheable, share
from verifier.embedded import EmbeddedServer
from verifier.kept.once import Share
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

Reason = pb.Part.Reason


class Counting:
    """A sandbox that echoes 3 for every input, and counts what it is asked."""

    def __init__(self, ending: sb.Outcome.Ending.ValueType = sb.Outcome.EXITED) -> None:
        self.asked = 0
        self.ending = ending
        self.gate = asyncio.Event()
        self.gate.set()

    async def run(self, request: sb.RunRequest) -> sb.RunResult:
        self.asked += 1
        await self.gate.wait()
        outcome = sb.Outcome(ending=self.ending, exit_code=0, stdout=b"3", cpu_us=1000)
        return sb.RunResult(
            status=sb.RunResult.OK, outcomes=[outcome] * len(request.inputs.stdin), toolchain="t"
        )

    async def describe(self) -> sb.DescribeResponse:
        return sb.DescribeResponse()

    async def close(self) -> None:
        """Nothing to end."""


def task(**fields: object) -> pb.CodeTask:
    fields = {"program": "print(3)", "tests": [pb.CodeTest(stdout="3")]} | fields
    return pb.CodeTask(language="python", **fields)


async def test_equal_programs_in_a_batch_are_run_once() -> None:
    sandbox = Counting()
    verifier = CodeVerifier(sandbox)
    outcomes = await asyncio.gather(*(verifier.verify(Submission(task(), "")) for _ in range(50)))
    assert sandbox.asked == 1
    assert [outcome.score for outcome in outcomes] == [1.0] * 50
    assert sum(outcome.cache_hit for outcome in outcomes) == 49
    outcomes[0].evidence.code.tests[0].got = "spoilt"
    again = await verifier.verify(Submission(task(), ""))
    assert again.cache_hit
    assert again.evidence.code.tests[0].got == "3"


@pytest.mark.parametrize(
    "other",
    [
        {"program": "print(3) "},
        {"tests": [pb.CodeTest(stdin="x", stdout="3")]},
        {"tests": [pb.CodeTest(stdout="3", hidden=True)]},
        {"checker": "exact"},
        {"limits": pb.CodeLimits(cpu_seconds=1)},
        {"scoring": pb.CodeTask.LADDER},
        {"run_all": True},
        {"checker_program": pb.JudgeProgram(source="x")},
        {"tolerance": pb.Tolerance(absolute=1)},
    ],
)
async def test_anything_that_decides_makes_another_key(other: dict[str, object]) -> None:
    keys = {
        once.key(one, one.program, {"python": version}, b"", False, False)
        for one in (task(), task(**other))
        for version in ("3.11", "3.12")
    }
    assert len(keys) == 4


def test_anything_of_the_server_that_decides_makes_another_key() -> None:
    plain = (task(), "p", {}, b"", False, False)
    others = [
        (task(), "p", {}, b"", False, True),
        (task(), "p", {}, b"", True, False),
        (task(), "p", {}, b"world", False, False),
        (task(), "p", {"python": "3"}, b"", False, False),
        (task(), "q", {}, b"", False, False),
    ]
    assert len({once.key(*each) for each in [plain, *others]}) == 6
    assert once.key(task(extraction=pb.CodeTask.LAST_FENCES), *plain[1:]) == once.key(*plain)
    worlds = {
        once.world(sb.DescribeResponse(**fields))
        for fields in (
            {},
            {"version": "2"},
            {"tier": sb.T3},
            {"default_limits": sb.Limits(cpu_seconds=1)},
            {"mechanisms": [sb.Mechanism(name="seccomp")]},
            {"mechanisms": [sb.Mechanism(name="seccomp", in_force=True)]},
        )
    }
    assert len(worlds) == 6
    assert once.world(sb.DescribeResponse(slots=2, max_queued=3)) in worlds


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ("import random\nprint(3)", sb.Outcome.EXITED),
        ("import time\nprint(3)", sb.Outcome.EXITED),
        ("print(3)", sb.Outcome.WALL_LIMIT),
        ("print(3)", sb.Outcome.CPU_LIMIT),
        ("print(3)", sb.Outcome.MEMORY_LIMIT),
    ],
)
async def test_what_chance_decides_is_never_kept(
    program: str, ending: sb.Outcome.Ending.ValueType
) -> None:
    sandbox = Counting(ending)
    verifier = CodeVerifier(sandbox)
    one = Submission(task(program=program), "")
    for _ in range(3):
        assert not (await verifier.verify(one)).cache_hit
    assert sandbox.asked == 3


async def test_who_waited_for_a_cancelled_run_runs_itself() -> None:
    sandbox = Counting()
    sandbox.gate.clear()
    verifier = CodeVerifier(sandbox)
    first = asyncio.create_task(verifier.verify(Submission(task(), "")))
    await asyncio.sleep(0)
    second = asyncio.create_task(verifier.verify(Submission(task(), "")))
    await asyncio.sleep(0)
    assert sandbox.asked == 1
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    sandbox.gate.set()
    assert (await second).score == 1.0
    assert sandbox.asked == 2


async def test_a_failure_of_ours_is_not_shared() -> None:
    class Failing(Counting):
        async def run(self, request: sb.RunRequest) -> sb.RunResult:
            self.asked += 1
            return sb.RunResult(status=sb.RunResult.SANDBOX_ERROR, message="lost")

    sandbox = Failing()
    verifier = CodeVerifier(sandbox)
    outcomes = await asyncio.gather(*(verifier.verify(Submission(task(), "")) for _ in range(4)))
    assert {outcome.status for outcome in outcomes} == {pb.Verdict.SANDBOX_ERROR}
    assert sandbox.asked == 4


@pytest.mark.parametrize(
    "other",
    [
        {"tests": [pb.CodeTest(source="import random\nassert f() == random.random()")]},
        {"checker_program": pb.JudgeProgram(source="srand(time(0))")},
        {"interactor": pb.JudgeProgram(source="srand(time(0))")},
    ],
)
def test_chance_in_what_judges_counts_like_chance_in_the_program(other: dict[str, object]) -> None:
    assert any(map(flags.rests_on_chance, verify.texts(task(**other), "print(3)")))
    assert not any(map(flags.rests_on_chance, verify.texts(task(), "print(3)")))


def test_an_outcome_comes_back_as_it_was() -> None:
    evidence = pb.Evidence(code=pb.CodeEvidence(tests=[pb.TestResult(got="3", cpu_ms=0.5)]))
    outcome = TaskOutcome(
        pb.Verdict.OK, Reason.wrong_answer, 0.25, "1 of 4", evidence=evidence, sandbox_tier="T3"
    )
    assert once.unpack(once.pack(outcome)) == outcome
    for spoilt in (b"", b"garbage", pb.Verdict(status=pb.Verdict.TIMEOUT).SerializeToString()):
        with pytest.raises(ValueError):
            once.unpack(spoilt)


def test_near_its_limit_nothing_is_certain() -> None:
    def outcome(cpu_ms: float) -> TaskOutcome:
        tests = [pb.TestResult(reason=Reason.accepted, cpu_ms=cpu_ms)]
        evidence = pb.Evidence(code=pb.CodeEvidence(tests=tests))
        return TaskOutcome(pb.Verdict.OK, Reason.accepted, 1.0, evidence=evidence)

    limited = task(limits=pb.CodeLimits(cpu_seconds=1))
    assert cacheable(limited, outcome(100))
    assert not cacheable(limited, outcome(900))
    assert share(limited, False, outcome(900)) is Share.ALONE
    # It was to be run again in another order, and that failed: it may not be steady.
    assert share(limited, True, outcome(100)) is Share.FAILED
    assert cacheable(task(), outcome(900))


def test_over_the_wire(server: EmbeddedServer) -> None:
    item = pb.Item(code=task(program="print(3)  # only once"))
    with VerifierClient(server.address) as client:
        first, second = client.verify([item])[0], client.verify([item])[0]
    assert not first.provenance.cache_hit
    assert second.provenance.cache_hit
    assert second.evidence.code.tests == first.evidence.code.tests
    assert second.provenance.sandbox_tier == first.provenance.sandbox_tier != ""
