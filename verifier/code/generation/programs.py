"""Everything that runs: generators, validators, solutions, all of it in the sandbox alone.

Solutions are judged by the code verifier itself, so a test is valid exactly if
the verifier accepts every solution on it. A program that hits limits again and
again is not run to the end: what it was not run on is told as not run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from sandbox.client import QueueFull, Sandbox, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as sb
from verifier.code import prelude
from verifier.code.generation.problem import Problem, arguments
from verifier.code.verify import CodeVerifier, Submission
from verifier.limits import MIB
from verifier.v1 import verifier_pb2 as pb

CHUNK_RUNS = 8
CHUNK_BYTES = 16 * MIB
"""Runs of one request, and their inputs: other problems get their turn in between."""

LIMIT_HITS = 6
"""Runs at a limit after which a solution is given up: each costs its whole limit."""

HELPER_LIMITS = sb.Limits(cpu_seconds=10, wall_seconds=15, output_bytes=16 * MIB)
"""Of generators and validators: seconds for megabytes of text."""

HELPER_RUNS = 4
HELPER_HITS = 2
"""As CHUNK_RUNS and LIMIT_HITS: programs that were never tried hang more often."""

MAX_EXPECTED_BYTES = 4 * MIB
"""An expected output; as large as the largest input."""

Reason = pb.Part.Reason
LIMITS = {
    sb.Outcome.CPU_LIMIT: Reason.cpu_limit,
    sb.Outcome.WALL_LIMIT: Reason.wall_limit,
    sb.Outcome.MEMORY_LIMIT: Reason.memory_limit,
    sb.Outcome.OUTPUT_LIMIT: Reason.output_limit,
}


class Trouble(Exception):
    """The sandbox failed; nothing is known about the problem."""


class Unusable(Exception):
    """No tests can be made for this problem as it stands."""


class DoesNotCompile(Exception):
    """The program is no program; the message is the end of what the compiler said."""


def chunks(sizes: Sequence[int], runs: int = CHUNK_RUNS) -> Iterator[slice]:
    """Consecutive runs in requests of bounded number and size."""
    start = total = 0
    for place, size in enumerate(sizes):
        if place > start and (place - start == runs or total + size > CHUNK_BYTES):
            yield slice(start, place)
            start, total = place, 0
        total += size
    if sizes:
        yield slice(start, len(sizes))


async def helper(sandbox: Sandbox, source: str, stdins: Sequence[bytes]) -> list[sb.Outcome]:
    """Runs a generator or a validator, a Python program, once for each input."""
    request = sb.RunRequest(language="python", source=source, limits=HELPER_LIMITS)
    return await _each(sandbox, request, stdins, HELPER_RUNS, HELPER_HITS)


async def outputs(
    sandbox: Sandbox, problem: Problem, program: str, inputs: Sequence[str]
) -> list[str | Reason.ValueType]:
    """What a solution gives for each input: the expected value of a test, or why there is none."""
    request = sb.RunRequest(id=problem.id, language=problem.language, source=program)
    for limit, value in problem.task.limits.ListFields():
        setattr(request.limits, limit.name, value)
    if problem.calls:
        request.prelude = prelude.for_calls(program)
        request.calls.entry_point = problem.entry_point
        ran = await _each_call(sandbox, request, inputs)
    else:
        ran = await _each(sandbox, request, [text.encode() for text in inputs])
    return [_expected(outcome) for outcome in ran]


def _expected(outcome: sb.Outcome) -> str | Reason.ValueType:
    if outcome.ending == sb.Outcome.NOT_RUN:
        return Reason.not_run
    if outcome.ending in LIMITS:
        return LIMITS[outcome.ending]
    if outcome.ending == sb.Outcome.RETURNED:
        text = outcome.value_json
    elif outcome.ending == sb.Outcome.EXITED and outcome.exit_code == 0:
        try:
            text = outcome.stdout.decode()
        except UnicodeDecodeError:
            return Reason.runtime_error  # no test can expect what is no text
    else:
        return Reason.runtime_error
    return text if len(text.encode()) <= MAX_EXPECTED_BYTES else Reason.output_limit


async def _each(
    sandbox: Sandbox,
    request: sb.RunRequest,
    stdins: Sequence[bytes],
    runs: int = CHUNK_RUNS,
    hits: int = LIMIT_HITS,
) -> list[sb.Outcome]:
    done: list[sb.Outcome] = []
    for part in chunks([len(stdin) for stdin in stdins], runs):
        if _at_limits(done) >= hits:
            break
        del request.inputs.stdin[:]
        request.inputs.stdin.extend(stdins[part])
        done.extend(await _run(sandbox, request))
    return _filled(done, len(stdins))


async def _each_call(
    sandbox: Sandbox, request: sb.RunRequest, inputs: Sequence[str]
) -> list[sb.Outcome]:
    """A process for each call: its limits are those of one test, and it shares no state."""
    done: list[sb.Outcome] = []
    for part in chunks([len(text) for text in inputs]):
        if _at_limits(done) >= LIMIT_HITS:
            break
        requests = []
        for text in inputs[part]:
            one = sb.RunRequest()
            one.CopyFrom(request)
            one.calls.arguments.add(args_json=arguments(text))
            requests.append(one)
        for outcomes in await asyncio.gather(*(_run(sandbox, one) for one in requests)):
            done.extend(outcomes)
    return _filled(done, len(inputs))


def _at_limits(done: Sequence[sb.Outcome]) -> int:
    return sum(outcome.ending in LIMITS for outcome in done)


def _filled(done: list[sb.Outcome], wanted: int) -> list[sb.Outcome]:
    return done + [sb.Outcome(ending=sb.Outcome.NOT_RUN)] * (wanted - len(done))


async def _run(sandbox: Sandbox, request: sb.RunRequest) -> Sequence[sb.Outcome]:
    try:
        result = await sandbox.run(request)
    except (QueueFull, SandboxUnavailable) as error:
        raise Trouble(str(error)) from error
    if result.status == sb.RunResult.INVALID:
        raise Unusable(result.message)
    if result.status != sb.RunResult.OK:
        raise Trouble(result.message)
    if result.compile_failed:
        raise DoesNotCompile(result.diagnostics.strip())
    wanted = len(request.inputs.stdin) + len(request.calls.arguments)
    if len(result.outcomes) != wanted:
        raise Trouble(f"the sandbox told of {len(result.outcomes)} runs of {wanted}")
    return result.outcomes


async def judge(
    sandbox: Sandbox, problem: Problem, program: str, tests: Sequence[pb.CodeTest]
) -> list[pb.TestResult]:
    """What the code verifier says of a program on each test."""
    results: list[pb.TestResult] = []
    for part in chunks([test.ByteSize() for test in tests]):
        if sum(result.reason in LIMITS.values() for result in results) >= LIMIT_HITS:
            break
        task = pb.CodeTask(program=program, scoring=pb.CodeTask.FRACTION, tests=tests[part])
        task.MergeFrom(problem.task)
        # A verifier of its own each time: another would tell again what it has seen before.
        outcome = await CodeVerifier(sandbox).verify(Submission(task, "", item_id=problem.id))
        if outcome.status == pb.Verdict.INVALID:
            raise Unusable(outcome.message)
        if outcome.status != pb.Verdict.OK:
            raise Trouble(outcome.message)
        if outcome.reason == Reason.compile_error:
            raise DoesNotCompile(outcome.detail)
        results.extend(outcome.evidence.code.tests)
    return results + [pb.TestResult(reason=Reason.not_run)] * (len(tests) - len(results))
