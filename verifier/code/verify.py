"""The code verifier, control flow on one page.

    extract the program -> run what its tests ask for, or find it run already
        -> compare outside -> score, flags, speed

Expected outputs never enter the sandbox that runs the program: it gets the program and its
inputs, and what comes back is compared here, or by a checker in a sandbox of its own. A test that
produced no result is never a pass, and a sandbox that failed is never a wrong answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from sandbox.client import Sandbox
from verifier.code import extract, flags, lint, once, probe, scoring, speed
from verifier.code.grading import Grading
from verifier.code.order import History
from verifier.code.runs import Runs, SandboxFailed
from verifier.kept.once import Once, Share
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

VERSION = "2"

WORKED_HERE = 65_536
"""Characters or bytes searched or hashed on the event loop; more takes over a millisecond."""

Reason = pb.Part.Reason
T = TypeVar("T")


@dataclass(frozen=True)
class Submission:
    """What there is to verify. `measure_speed` asks for the speed part's measurement,
    `budget_ms` is the wall time that all runs together may take once they run."""

    task: pb.CodeTask
    response: str
    prompt: str = ""
    item_id: str = ""
    budget_ms: int | None = None
    measure_speed: bool = False


@dataclass
class CodeVerifier:
    """Everything that code items share. `probe_share` of the accepted programs are run again
    on another order (see probe.py)."""

    sandbox: Sandbox
    toolchains: dict[str, str] = field(default_factory=dict)
    """By language: interpreter or compiler and its version, part of what makes two runs equal."""
    probe_share: float = 0.0
    world: bytes = once.NO_WORLD
    """What else makes two runs equal; see once.py."""
    once: Once[TaskOutcome] = field(default_factory=once.outcomes)
    history: History = field(default_factory=History)

    async def verify(self, submission: Submission) -> TaskOutcome:
        """Runs the program of a response on the task's tests."""
        found = await _program(submission)
        if found.program is None:
            score = scoring.of_missing(submission.task, found.other_language)
            return TaskOutcome(pb.Verdict.OK, Reason.no_program, score, found.detail)
        work = partial(self._work, submission, found.program)
        if any(map(flags.rests_on_chance, texts(submission.task, found.program))):
            outcome = await work()
        else:
            outcome = await self._once(submission, found.program, work)
        # What a cached outcome says of the run is shared; whose item it is is not.
        outcome = replace(outcome, extracted=found.program)
        flags.of_statement(outcome, submission)
        return outcome

    async def _once(
        self, submission: Submission, program: str, work: Callable[[], Awaitable[TaskOutcome]]
    ) -> TaskOutcome:
        task = submission.task
        probed = probe.chosen(program, task, self.probe_share)
        toolchains, measured = self.toolchains, submission.measure_speed
        key = await _here_or_beside(
            task.ByteSize(),
            partial(once.key, task, program, toolchains, self.world, measured, probed),
        )
        asked = began = time.monotonic()

        async def began_now() -> TaskOutcome:
            nonlocal began
            began = time.monotonic()
            return await work()

        # A measured speed is much the same next time, and not to the last digit.
        outcome, how = await self.once.get(
            key, began_now, partial(share, task, probed), lasts=not measured
        )
        if how == "miss":
            outcome.queued_ms += 1000 * (began - asked)
            return outcome
        waited_ms = 1000 * (time.monotonic() - asked)
        return replace(outcome, queued_ms=waited_ms, cache_hit=True)

    async def _work(self, submission: Submission, program: str) -> TaskOutcome:
        task = submission.task
        runs = Runs(
            self.sandbox,
            submission.item_id,
            task.language,
            program,
            task.limits,
            submission.budget_ms,
        )
        grading = Grading(runs, task)
        try:
            await grading.run(self.history)
            outcome = scoring.score(task, grading)
            if outcome.reason == Reason.accepted and submission.measure_speed:
                await speed.measure(runs, task, grading, outcome.evidence.code)
                outcome.queued_ms = runs.queued_ms
        except SandboxFailed as failure:
            timeout = failure.status == pb.Verdict.TIMEOUT
            reason = Reason.timeout if timeout else Reason.failed
            outcome = TaskOutcome(failure.status, reason, message=failure.message)
            grading.describe(outcome)
        evidence = outcome.evidence.code
        if outcome.reason == Reason.accepted and probe.chosen(program, task, self.probe_share):
            await probe.again(runs, task, evidence)
            outcome.queued_ms = runs.queued_ms
        evidence.flags.extend(await flags.of_program(task, program, grading))
        if task.lint and task.language in lint.LANGUAGES:
            await lint.into(evidence.signals, program)
        return outcome


async def _program(submission: Submission) -> extract.Found:
    task, response = submission.task, submission.response
    if task.HasField("program"):
        return extract.Found(task.program)
    find = partial(extract.find, response, task.language, task.extraction)
    return await _here_or_beside(len(response), find)


async def _here_or_beside(size: int, work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work) if size > WORKED_HERE else work()


def texts(task: pb.CodeTask, program: str) -> Iterator[str]:
    """Of all programs that have a part in the outcome."""
    yield program
    yield task.checker_program.source
    yield task.interactor.source
    yield from (test.source for test in task.tests)


def share(task: pb.CodeTask, probed: bool, outcome: TaskOutcome) -> Share:
    """Who else may have an outcome, of a program that was to be `probed` if accepted."""
    unprobed = outcome.reason == Reason.accepted and probed and not outcome.evidence.code.probed
    if outcome.status != pb.Verdict.OK or unprobed:
        return Share.FAILED
    return Share.KEEP if cacheable(task, outcome) else Share.ALONE


def cacheable(task: pb.CodeTask, outcome: TaskOutcome) -> bool:
    """Whether another run would certainly end like this one: nothing that failed, or came near a
    limit."""
    evidence = outcome.evidence.code
    return (
        outcome.status == pb.Verdict.OK
        and all(test.reason in _STEADY for test in evidence.tests)
        and not any(flag.kind == pb.Flag.unstable for flag in evidence.flags)
        and not scoring.near_a_limit(task, outcome)
    )


_STEADY = frozenset(
    {
        Reason.accepted,
        Reason.wrong_answer,
        Reason.runtime_error,
        Reason.compile_error,
        Reason.not_run,
    }
)
