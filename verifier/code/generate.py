"""Tests for problems that have none: a model writes input generators, solutions that are known
to be right give the outputs, solutions that are known to be wrong choose the tests.

The model is never believed: its programs run in the sandbox and nowhere else,
and a test is kept only if the code verifier accepts every given solution on it,
twice. A problem that ends with too few tests gives no item, and says why.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Sequence

from sandbox.client import Sandbox, SandboxUnavailable
from verifier import validate
from verifier.code.generation import prompts
from verifier.code.generation.asking import generated, validated
from verifier.code.generation.problem import Problem
from verifier.code.generation.programs import Trouble, Unusable
from verifier.code.generation.select import Candidate, select
from verifier.code.generation.solutions import agreed, failing
from verifier.code.generation.work import Report, Settings, Work
from verifier.judge.ask import JudgeFailed
from verifier.judge.modes import Judge
from verifier.limits import MIB, Limits
from verifier.v1 import verifier_pb2 as pb

MAX_TEST_BYTES = 8 * MIB
"""All tests of one item, which is sent along with each of some dozens of responses."""

PATIENCE = 5
"""Problems in a row that the endpoint or the sandbox failed: then nothing more is tried."""


async def generate_all(
    problems: Iterable[Problem], model: Judge, sandbox: Sandbox, settings: Settings, at_once: int
) -> AsyncGenerator[Report, None]:
    """Reports as they finish. Ends early after PATIENCE failures of the endpoint or the sandbox."""
    waiting = iter(problems)
    running: set[asyncio.Task[Report]] = set()
    failures = 0
    try:
        while failures < PATIENCE:
            while len(running) < at_once and (problem := next(waiting, None)) is not None:
                running.add(asyncio.create_task(generate(problem, model, sandbox, settings)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for report in [task.result() for task in done]:
                failures = failures + 1 if report.failed else 0
                yield report
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def generate(problem: Problem, model: Judge, sandbox: Sandbox, settings: Settings) -> Report:
    """All stages for one problem."""
    report = Report(problem.id)
    try:
        told = await sandbox.describe()
        toolchains = [one.name for one in told.languages if not one.missing]
        _check(_item(problem, [problem.test("[]", "0")]), toolchains)
        cpu_seconds = problem.task.limits.cpu_seconds or told.default_limits.cpu_seconds
        work = Work(problem, model, sandbox, settings, cpu_seconds, report)
        texts = await validated(work, await generated(work))
        tests = await agreed(work, texts)
        fails = await failing(work, tests)
        sized = zip((test.ByteSize() for test in tests), fails, strict=True)
        kept = select([Candidate(*one) for one in sized], settings.tests, MAX_TEST_BYTES)
        caught = frozenset[int]().union(*(fails[place] for place in kept))
        report.uncaught = [place for place in range(report.wrong) if place not in caught]
        report.tests = len(kept)
        if len(kept) < settings.min_tests:
            raise Unusable(_too_few(report, settings))
        item = _item(problem, [tests[place] for place in kept])
        item.meta.update(_provenance(work))
        _check(item, toolchains)
        report.item = item
    except Unusable as error:
        report.why = str(error)
    except (Trouble, SandboxUnavailable, JudgeFailed) as error:
        report.why, report.failed = str(error), True
    return report


def _item(problem: Problem, tests: Sequence[pb.CodeTest]) -> pb.Item:
    item = pb.Item(id=problem.id, prompt=problem.prompt, code=problem.task)
    item.code.tests.extend(tests)
    return item


def _check(item: pb.Item, toolchains: Sequence[str]) -> None:
    """Nothing is worked on, or written, that a server would refuse."""
    found = validate.problem(item, Limits(), toolchains)
    if found:
        raise Unusable(found)


def _too_few(report: Report, settings: Settings) -> str:
    why = ", ".join(f"{count} {reason}" for reason, count in report.dropped.most_common())
    return (
        f"{report.tests} tests, at least {settings.min_tests} are wanted: "
        f"of {report.inputs} inputs {report.valid} are valid (dropped: {why or 'none'})"
    )


def _provenance(work: Work) -> dict[str, str]:
    """An item's meta: where its tests come from and what they are worth."""
    report = work.report
    counts = {
        "inputs": report.inputs,
        "valid": report.valid,
        "dropped": dict(sorted(report.dropped.items())),
        "wrong": report.wrong,
        "programs_repaired": report.repaired,
        "generators_broken": report.broken,
    }
    return {
        "source": "touchstone generate-tests",
        "judge_model": work.model.model,
        "prompt_version": prompts.VERSION,
        "generators": " ".join(report.generators),
        "validator": report.validator or "none",
        "seed": str(work.settings.seed),
        "solutions": str(len(work.problem.solutions)),
        "suspect_solutions": json.dumps(dict(sorted(report.suspects.items()))),
        "uncaught_wrong": json.dumps(report.uncaught),
        "counts": json.dumps(counts),
    }
