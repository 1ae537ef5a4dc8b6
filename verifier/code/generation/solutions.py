"""Stages 3 and 4: tests are what all right solutions agree on, and what wrong ones fail."""

from __future__ import annotations

from collections.abc import Sequence

from verifier.code.generation import programs
from verifier.code.generation.asking import wrong_programs
from verifier.code.generation.programs import DoesNotCompile, Reason, Unusable
from verifier.code.generation.select import outvoted
from verifier.code.generation.work import Report, Work, together
from verifier.v1 import verifier_pb2 as pb

SAFE_SHARE = 0.5
"""Of the CPU limit: a test on which a right solution uses more may fail it on another machine."""

DISPUTED_SHARE = 0.5
"""Of the inputs; where solutions disagree on more, what they agree on are the degenerate inputs
of a problem with several right answers, or with a wrong solution."""

DIFFERS = ("disagrees", "empty")


async def agreed(work: Work, texts: list[str]) -> list[pb.CodeTest]:
    """A test from each input for which every solution gives the same, twice, below its limits."""
    problem, report = work.problem, work.report
    try:
        given = await programs.outputs(work.sandbox, problem, problem.solutions[0], texts)
    except DoesNotCompile as error:
        raise Unusable(f"solutions[0] does not compile: {error}") from None
    tests = []
    for text, one in zip(texts, given, strict=True):
        if isinstance(one, str):
            tests.append(problem.test(text, one))
        else:
            report.dropped[Reason.Name(one)] += 1
    judged = await together(_judged(work, place, tests) for place in range(len(problem.solutions)))
    # The first solution against its own outputs: all that can differ is from run to run.
    judged[0] = ["nondeterministic" if one in DIFFERS else one for one in judged[0]]
    rows = list(zip(*judged, strict=True))
    for row in rows:
        alone = outvoted([one not in DIFFERS for one in row[1:]])
        if alone is not None:
            report.suspects[alone] += 1
    reasons = [next(filter(None, row), "") for row in rows]
    disputed = sum(reason in DIFFERS for reason in reasons)
    tests = _without(report, tests, reasons)
    if disputed > DISPUTED_SHARE * len(rows):
        raise Unusable(_disputed(report, disputed, len(rows)))
    for place in range(1, len(problem.solutions)):
        again = await _judged(work, place, tests)
        again = ["nondeterministic" if one in DIFFERS else one for one in again]
        tests = _without(report, tests, again)
    report.valid = len(tests)
    return tests


def _disputed(report: Report, disputed: int, of: int) -> str:
    alone = "".join(
        f"; solutions[{place}] stood alone on {count}"
        for place, count in report.suspects.most_common()
    )
    return (
        f"the solutions disagree on {disputed} of {of} inputs{alone}: "
        "one is wrong, or the problem has several right answers and wants a checker"
    )


async def _judged(work: Work, place: int, tests: Sequence[pb.CodeTest]) -> list[str]:
    """Why a solution speaks against each test; "" where it does not."""
    try:
        program = work.problem.solutions[place]
        results = await programs.judge(work.sandbox, work.problem, program, tests)
    except DoesNotCompile as error:
        raise Unusable(f"solutions[{place}] does not compile: {error}") from None
    return [_against(work, *both) for both in zip(tests, results, strict=True)]


def _against(work: Work, test: pb.CodeTest, result: pb.TestResult) -> str:
    if result.reason == Reason.wrong_answer:
        one_is_empty = bool(result.got.strip()) != bool(test.stdout.strip())
        return "empty" if one_is_empty and not work.problem.calls else "disagrees"
    if result.reason != Reason.accepted:
        return Reason.Name(result.reason)
    near = result.cpu_ms > 1000 * SAFE_SHARE * work.cpu_seconds
    return "near_limit" if near else ""


def _without(
    report: Report, tests: Sequence[pb.CodeTest], reasons: Sequence[str]
) -> list[pb.CodeTest]:
    report.dropped.update(filter(None, reasons))
    return [test for test, reason in zip(tests, reasons, strict=True) if not reason]


async def failing(work: Work, tests: Sequence[pb.CodeTest]) -> list[frozenset[int]]:
    """For each test the wrong solutions, by place, that it rejects."""
    given = bool(work.problem.wrong)
    wrong = list(work.problem.wrong) if given else await wrong_programs(work)
    rejected = await together(_rejecting(work, program, tests) for program in wrong)
    if not given:
        rejected = [places for places in rejected if places]
        work.report.not_wrong = work.settings.wrong - len(rejected)
    work.report.wrong = len(rejected)
    return [
        frozenset(number for number, places in enumerate(rejected) if place in places)
        for place in range(len(tests))
    ]


async def _rejecting(work: Work, program: str, tests: Sequence[pb.CodeTest]) -> frozenset[int]:
    """The tests, by place, that reject a program."""
    try:
        results = await programs.judge(work.sandbox, work.problem, program, tests)
    except DoesNotCompile:
        # Of a program that was given, every test rejects it; of the model's, it is none.
        return frozenset(range(len(tests))) if work.problem.wrong else frozenset()
    passed = (Reason.accepted, Reason.not_run)
    return frozenset(place for place, one in enumerate(results) if one.reason not in passed)
