"""Code verdicts, control flow on one page.

    program -> runs in the sandbox -> comparison here -> score

Expected outputs never leave this process: the sandbox gets the program and its
inputs, and what comes back is compared here. A test that produced no result is
never a pass, and a sandbox that failed is never a wrong answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import AnyStr

from sandbox.client import QueueFull, Sandbox, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as sb
from verifier.code import asserts, compare, extract, prelude
from verifier.limits import GOT_CHARS
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

VERSION = "1"

LADDER_DOES_NOT_COMPILE = 0.1
LADDER_FAILS = 0.2

COMPARED_AT_ONCE = 65_536
"""Bytes or characters compared or searched on the event loop; more takes over a millisecond."""

_NO_FORM = "no exact JSON form"
"""What the sandbox's driver says of a value that it cannot encode."""

Reason = pb.Part.Reason
_ENDINGS = {
    sb.Outcome.CPU_LIMIT: Reason.cpu_limit,
    sb.Outcome.WALL_LIMIT: Reason.wall_limit,
    sb.Outcome.MEMORY_LIMIT: Reason.memory_limit,
    sb.Outcome.OUTPUT_LIMIT: Reason.output_limit,
    sb.Outcome.SIGNALLED: Reason.runtime_error,
    sb.Outcome.RAISED: Reason.runtime_error,
    sb.Outcome.NOT_RUN: Reason.not_run,
}


class SandboxFailed(Exception):
    """The sandbox could not run the program; says nothing about the program."""

    def __init__(self, status: pb.Verdict.Status.ValueType, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class _Job:
    """One item at work: what every step needs, and what the steps gather."""

    sandbox: Sandbox
    item_id: str
    task: pb.CodeTask
    program: str
    deadline: float | None
    """On time.monotonic()'s clock; set when the first run starts."""
    budget_ms: int | None
    results: list[pb.TestResult]
    queued_ms: float = 0.0
    tier: str = ""
    diagnostics: str = ""
    toolchain: str = ""
    compile_failed: bool = False
    in_process_asserts: bool = False
    failed: bool = False


async def verify(
    task: pb.CodeTask, response: str, item_id: str, sandbox: Sandbox, budget_ms: int | None
) -> TaskOutcome:
    """Runs the program of `response` on the task's tests.

    `budget_ms` is the wall time all runs together may take once they run.
    """
    program: str | None = task.program
    if not task.HasField("program"):
        find = partial(extract.program, response, task.language)
        program = await asyncio.to_thread(find) if len(response) > COMPARED_AT_ONCE else find()
    if program is None:
        detail = f"no {task.language} program in the response"
        return TaskOutcome(pb.Verdict.OK, Reason.no_program, 0.0, detail)
    results = [
        pb.TestResult(id=test.id or str(place), reason=Reason.not_run)
        for place, test in enumerate(task.tests)
    ]
    job = _Job(sandbox, item_id, task, program, None, budget_ms, results)
    try:
        await _run_stdio(job)
        await _run_calls(job)
        await _run_sources(job)
    except SandboxFailed as failure:
        timeout = failure.status == pb.Verdict.TIMEOUT
        reason = Reason.timeout if timeout else Reason.failed
        outcome = TaskOutcome(failure.status, reason, message=failure.message)
    else:
        outcome = _score(job)
    outcome.extracted = program
    outcome.queued_ms = job.queued_ms
    outcome.sandbox_tier = job.tier
    outcome.evidence = pb.Evidence(
        message=outcome.message,
        code=pb.CodeEvidence(
            tests=results,
            diagnostics=job.diagnostics,
            toolchain=job.toolchain,
            in_process_asserts=job.in_process_asserts,
        ),
    )
    return outcome


async def _run_stdio(job: _Job) -> None:
    places = [p for p, test in enumerate(job.task.tests) if kind(test) == "stdio"]
    if not places:
        return
    checker = compare.CHECKERS[job.task.checker or compare.DEFAULT_CHECKER]
    request = sb.RunRequest()
    request.inputs.stdin.extend(job.task.tests[p].stdin.encode() for p in places)
    outcomes = await _run(job, request)
    for place, outcome in zip(places, outcomes, strict=False):
        expected = job.task.tests[place].stdout.encode()
        right = _ended_well(outcome) and await _compared(checker, outcome.stdout, expected)
        _note(job, place, outcome, right, outcome.stdout, Reason.wrong_answer)


async def _compared(same: Callable[..., bool], got: AnyStr, expected: AnyStr) -> bool:
    """Compares here, or beside the event loop when that could take more than a moment."""
    if len(got) + len(expected) <= COMPARED_AT_ONCE:
        return same(got, expected)
    return await asyncio.to_thread(same, got, expected)


async def _run_calls(job: _Job) -> None:
    places = [p for p, test in enumerate(job.task.tests) if kind(test) == "call"]
    if not places:
        return
    calls = [
        asserts.Call(tuple(job.task.tests[p].args_json), job.task.tests[p].expected_json)
        for p in places
    ]
    blank = sb.RunRequest(prelude=prelude.for_calls(job.program))
    blank.calls.entry_point = job.task.entry_point
    for place, (outcome, right) in zip(places, await _call_all(job, blank, calls), strict=False):
        _note(job, place, outcome, right, _got(outcome))


async def _run_sources(job: _Job) -> None:
    """Test programs: what can be compared outside is; the rest runs beside the solution."""
    for place, test in enumerate(job.task.tests):
        if kind(test) != "source" or (job.failed and _stops(job)):
            continue
        turned = asserts.turn(test.source)
        called: list[tuple[sb.Outcome, bool]] = []
        if turned.calls:
            blank = sb.RunRequest()
            blank.calls.entry_point, blank.calls.function_only = turned.entry_point, True
            called = await _call_all(job, blank, turned.calls)
        # Whether an object without a JSON form is true only the process it lives in can say.
        asked = zip(called, turned.calls, strict=False)
        formless = [call.truth and _NO_FORM in outcome.error for (outcome, _), call in asked]
        wrong = [
            outcome
            for (outcome, right), beside in zip(called, formless, strict=True)
            if not right and not beside
        ]
        if wrong:
            _note(job, place, wrong[0], False, _got(wrong[0]))
        elif turned.complete and called and not any(formless):
            _note(job, place, called[-1][0], True, b"")
        elif not job.compile_failed:
            job.in_process_asserts = True
            request = sb.RunRequest()
            request.snippets.source.append(test.source)
            for outcome in await _run(job, request):
                right = _ended_well(outcome) and outcome.completed
                _note(job, place, outcome, right, outcome.stderr or outcome.stdout)


async def _call_all(
    job: _Job, blank: sb.RunRequest, calls: Sequence[asserts.Call]
) -> list[tuple[sb.Outcome, bool]]:
    """Makes the calls in one process as long as it lives, then in a fresh one.

    `blank` is the request without its arguments. The limits are those of one
    test, the process is shared: a call that hits a limit, or kills the process,
    after others did their share gets a process of its own before that counts
    against it. Returns each outcome and whether it is right; after the first
    wrong one the rest may be missing.
    """
    done: list[tuple[sb.Outcome, bool]] = []
    while len(done) < len(calls):
        request = sb.RunRequest()
        request.CopyFrom(blank)
        for call in calls[len(done) :]:
            request.calls.arguments.add(args_json=call.args_json)
        outcomes = await _run(job, request)
        ended = next((n for n, o in enumerate(outcomes) if o.ending in _PROCESS_ENDS), None)
        # A call that ended the process counts only as the first in a process.
        for outcome in outcomes if ended is None else outcomes[: max(ended, 1)]:
            right = await _call_is_right(outcome, calls[len(done)])
            done.append((outcome, right))
            if not right and _stops(job) and _NO_FORM not in outcome.error:
                return done
        if not outcomes:
            break
    return done


_PROCESS_ENDS = frozenset(
    {
        sb.Outcome.EXITED,
        sb.Outcome.SIGNALLED,
        sb.Outcome.CPU_LIMIT,
        sb.Outcome.WALL_LIMIT,
        sb.Outcome.MEMORY_LIMIT,
        sb.Outcome.OUTPUT_LIMIT,
        sb.Outcome.NOT_RUN,
    }
)


async def _run(job: _Job, request: sb.RunRequest) -> Sequence[sb.Outcome]:
    """One request to the sandbox. Raises SandboxFailed for everything but a program's own doing."""
    if job.compile_failed or (job.failed and _stops(job)):
        return []
    request.id = job.item_id
    request.language = job.task.language
    request.source = job.program
    request.stop_on_failure = _stops(job)
    for limit, value in job.task.limits.ListFields():
        setattr(request.limits, limit.name, value)
    if job.budget_ms is not None:
        left = (
            job.budget_ms
            if job.deadline is None
            else max(0, int(1000 * (job.deadline - time.monotonic())))
        )
        request.deadline_ms = left
    try:
        result = await job.sandbox.run(request)
    except (QueueFull, SandboxUnavailable) as error:
        raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, str(error)) from error
    job.queued_ms += result.queued_ms
    if job.budget_ms is not None and job.deadline is None:
        job.deadline = time.monotonic() + (job.budget_ms - result.ran_ms) / 1000
    job.tier = tier_name(result.tier) or job.tier
    job.toolchain = result.toolchain or job.toolchain
    job.diagnostics = result.diagnostics or job.diagnostics
    if result.status == sb.RunResult.TIMEOUT:
        message = f"deadline_ms: {job.budget_ms} ms passed before all tests had run"
        raise SandboxFailed(pb.Verdict.TIMEOUT, message)
    if result.status == sb.RunResult.INVALID:
        raise SandboxFailed(pb.Verdict.INVALID, f"code.{result.message}")
    if result.status != sb.RunResult.OK:
        raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, result.message)
    job.compile_failed = result.compile_failed
    if result.compile_failed:
        return []
    work = (request.inputs.stdin, request.calls.arguments, request.snippets.source)
    runs = sum(map(len, work))  # exactly one of them has any
    endings = [outcome.ending for outcome in result.outcomes]
    unknown = sb.Outcome.UNSPECIFIED in endings or endings[:1] == [sb.Outcome.NOT_RUN]
    if len(endings) != runs or unknown:
        # A gap in what the sandbox tells is its failure, never the program's.
        message = f"the sandbox told of {len(endings)} runs, not all with an end, for {runs}"
        raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, message)
    return result.outcomes


def tier_name(tier: sb.Tier.ValueType) -> str:
    """ "T3", "T2" or "T1"; empty when there is none."""
    return sb.Tier.Name(tier) if tier else ""


def kind(test: pb.CodeTest) -> str:
    """Which of the three kinds a test is."""
    if test.HasField("source"):
        return "source"
    return "call" if test.HasField("expected_json") else "stdio"


def _stops(job: _Job) -> bool:
    """Only a fraction needs the tests after the first that fails."""
    return job.task.scoring != pb.CodeTask.FRACTION


def _ended_well(outcome: sb.Outcome) -> bool:
    return outcome.ending == sb.Outcome.EXITED and outcome.exit_code == 0


async def _call_is_right(outcome: sb.Outcome, call: asserts.Call) -> bool:
    if outcome.ending != sb.Outcome.RETURNED:
        return False
    if call.truth:
        false = outcome.value_json in ("false", "null", "0", "0.0", "-0.0", '""', "[]", "{}")
        return false is (call.expected_json == "false")
    same = partial(compare.same_json, bools_are_numbers=call.as_python)
    return await _compared(same, outcome.value_json, call.expected_json)


def _got(outcome: sb.Outcome) -> bytes:
    if outcome.ending == sb.Outcome.RETURNED:
        return outcome.value_json.encode()
    return outcome.error.encode() or outcome.stderr


def _note(
    job: _Job,
    place: int,
    outcome: sb.Outcome,
    right: bool,
    got: bytes,
    exited: Reason.ValueType = Reason.runtime_error,
) -> None:
    """Writes one test's result into the evidence.

    `exited` is the reason for a wrong result after exit status 0: for a call
    or a test program an early exit is an error, however quiet.
    """
    result = job.results[place]
    result.reason = Reason.accepted if right else _why(outcome, exited)
    result.cpu_ms = outcome.cpu_us / 1000
    result.wall_ms = outcome.wall_us / 1000
    result.memory_bytes = outcome.peak_memory_bytes
    if outcome.ending == sb.Outcome.SIGNALLED:
        result.detail = f"signal {outcome.signal}"
    elif outcome.ending == sb.Outcome.EXITED and outcome.exit_code:
        result.detail = f"exit code {outcome.exit_code}"
    if not job.task.tests[place].hidden:
        shown = got if outcome.stdout or not outcome.stderr else outcome.stderr
        result.got = shown[: 4 * GOT_CHARS].decode(errors="replace")[:GOT_CHARS]
    job.failed |= not right


def _why(outcome: sb.Outcome, exited: Reason.ValueType) -> Reason.ValueType:
    if outcome.ending == sb.Outcome.EXITED:
        return Reason.runtime_error if outcome.exit_code else exited
    return _ENDINGS.get(outcome.ending, Reason.wrong_answer)


def _score(job: _Job) -> TaskOutcome:
    """All runs are done: the tests' results become one score and one reason."""
    scoring = job.task.scoring
    if job.compile_failed:
        ladder = LADDER_DOES_NOT_COMPILE if scoring == pb.CodeTask.LADDER else 0.0
        return TaskOutcome(
            pb.Verdict.OK, Reason.compile_error, ladder, job.diagnostics.strip()[-GOT_CHARS:]
        )
    accepted = [result.reason == Reason.accepted for result in job.results]
    first = next(
        (r for r in job.results if r.reason not in (Reason.accepted, Reason.not_run)), None
    )
    if first is None and not all(accepted):
        first = next(r for r in job.results if r.reason == Reason.not_run)
    reason = Reason.accepted if first is None else first.reason
    detail = f"{sum(accepted)} of {len(accepted)} tests accepted"
    if first is not None:
        detail += f"; test {first.id}: {Reason.Name(first.reason)}"
        detail += f" ({first.detail})" if first.detail else ""
    if scoring == pb.CodeTask.FRACTION:
        weights = [t.weight if t.HasField("weight") else 1.0 for t in job.task.tests]
        score = sum(w for w, ok in zip(weights, accepted, strict=True) if ok) / sum(weights)
    elif all(accepted):
        score = 1.0
    else:
        score = LADDER_FAILS if scoring == pb.CodeTask.LADDER else 0.0
    return TaskOutcome(pb.Verdict.OK, reason, score, detail)
