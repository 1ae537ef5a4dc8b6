"""Checkers and interactors that are programs: run in a sandbox of their own, their exit read.

Protocols: testlib's (exit 0 accepts, 1, 2 and 8 reject, 16 and more tell a part of the points,
3 is a failure of the checker) and that of Kattis problem packages (42 accepts, 43 rejects).
Invariant: only these codes say something about the program; a checker that ends in any other way
has failed, and is never a wrong answer.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.v1 import sandbox_pb2 as sb
from verifier.code.runs import Runs, SandboxFailed, copy_limits
from verifier.v1 import verifier_pb2 as pb

Protocol = pb.JudgeProgram

DEFAULT_LANGUAGE = "cpp"
INPUT, OUTPUT, ANSWER = "input", "output", "answer"
RUN_FILES = frozenset({INPUT, OUTPUT, ANSWER})
"""The names of a checker's files when it runs."""

ACCEPTS = {Protocol.TESTLIB: 0, Protocol.KATTIS: 42}
REJECTS = {Protocol.TESTLIB: frozenset({1, 2, 8}), Protocol.KATTIS: frozenset({43})}
TESTLIB_PARTIAL = range(16, 117)
"""Exit codes that tell a part of the points, 0 to 100: not accepted."""

LIMITS = frozenset(
    {
        sb.Outcome.CPU_LIMIT,
        sb.Outcome.WALL_LIMIT,
        sb.Outcome.MEMORY_LIMIT,
        sb.Outcome.OUTPUT_LIMIT,
    }
)

PYTHON_PIPE_LOST = 120
"""CPython's exit code when standard output cannot be flushed at the end."""

TESTLIB_LANGUAGES = frozenset({"c", "cpp", "cpp17"})
"""Where testlib itself can be used, and a crash is a signal."""

_CRASH = re.compile(
    rb"^Traceback \(most recent call last\)|^Exception in thread|^panic: |^goroutine \d|^    at "
    rb"|^Unhandled Exception|panicked at |\.rb:\d+:in |^PHP Fatal|^Fatal error",
    re.MULTILINE,
)
"""What other languages say of an exception that nobody caught."""

SAID_CHARS = 200
"""Kept of what a checker says."""


@dataclass(frozen=True)
class Judged:
    """What a checker said of one test."""

    accepted: bool
    said: str


async def check(
    runs: Runs, program: pb.JudgeProgram, tests: Sequence[pb.CodeTest], outputs: Sequence[bytes]
) -> list[Judged]:
    """The checker's word on each output. Raises SandboxFailed."""
    request = sb.RunRequest()
    _fill(request, program)
    for test, output in zip(tests, outputs, strict=True):
        _add_check(request, program, test, output)
    result = await runs.judge(request, "checker_program")
    if result.compile_failed:
        raise _broken("checker_program", result.diagnostics)
    if len(result.outcomes) != len(outputs):
        message = f"the sandbox told of {len(result.outcomes)} checks for {len(outputs)}"
        raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, message)
    judged = []
    for test, outcome in zip(tests, result.outcomes, strict=True):
        accepted = verdict(program, outcome)
        if (
            accepted is None
            and outcome.ending in LIMITS
            and await _accepts_answer(runs, program, test)
        ):
            accepted = False  # an output that no checker can take is not a right one
        if accepted is None:
            raise _failed("checker_program", test, outcome)
        judged.append(Judged(accepted, _said(outcome)))
    return judged


def _add_check(
    request: sb.RunRequest, program: pb.JudgeProgram, test: pb.CodeTest, output: bytes
) -> None:
    files = {INPUT: test.stdin.encode(), ANSWER: test.stdout.encode()}
    if protocol(program) == Protocol.TESTLIB:
        files[OUTPUT] = output
        paths = [f"/box/{name}" for name in (INPUT, OUTPUT, ANSWER)]
        request.commands.command.add(args=[*paths, *program.args], files=files)
    else:
        paths = [f"/box/{INPUT}", f"/box/{ANSWER}", "/tmp/"]
        request.commands.command.add(args=[*paths, *program.args], files=files, stdin=output)


async def _accepts_answer(runs: Runs, program: pb.JudgeProgram, test: pb.CodeTest) -> bool:
    """Whether the checker works on this test: it accepts the answer file as an output."""
    request = sb.RunRequest()
    _fill(request, program)
    _add_check(request, program, test, test.stdout.encode())
    result = await runs.judge(request, "checker_program")
    return bool(result.outcomes) and verdict(program, result.outcomes[0]) is True


@dataclass(frozen=True)
class Talked:
    """One dialogue: how the program ended, the reason, and what the interactor said."""

    outcome: sb.Outcome
    accepted: bool
    rejected: bool
    """By the interactor; else what counts is how the program ended."""
    said: str


async def talk(
    runs: Runs, program: pb.JudgeProgram, tests: Sequence[pb.CodeTest], stop: bool
) -> list[Talked]:
    """The program's dialogues with the interactor; after a failure the rest may be missing.

    Raises SandboxFailed.
    """
    request = sb.RunRequest(stop_on_failure=stop)
    other = request.dialogues
    _fill(other, program)
    other.going_on = ACCEPTS[protocol(program)]
    for test in tests:
        files = {INPUT: test.stdin.encode(), ANSWER: test.stdout.encode()}
        log = "/tmp/" if protocol(program) == Protocol.KATTIS else "/tmp/log"
        paths = (
            [f"/box/{INPUT}", f"/box/{ANSWER}", log]
            if protocol(program) == Protocol.KATTIS
            else [f"/box/{INPUT}", log, f"/box/{ANSWER}"]
        )
        other.command.add(args=[*paths, *program.args], files=files)
    result = await runs.run(request)
    if result.other_compile_failed:
        raise _broken("interactor", result.diagnostics)
    if len(result.interactor_outcomes) < len(result.outcomes):
        message = (
            f"the sandbox told of {len(result.interactor_outcomes)} interactors "
            f"for {len(result.outcomes)} runs"
        )
        raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, message)
    talked = []
    for test, outcome, judge in zip(
        tests, result.outcomes, result.interactor_outcomes, strict=False
    ):
        if judge.ending == sb.Outcome.NOT_RUN:
            break
        talked.append(_settled(program, test, outcome, judge))
    return talked


def _settled(
    program: pb.JudgeProgram, test: pb.CodeTest, outcome: sb.Outcome, judge: sb.Outcome
) -> Talked:
    """Who decides: the interactor if it rejected before the program ended, or accepted a program
    that ended well; else the way in which the program ended."""
    accepted = verdict(program, judge)
    well = outcome.ending == sb.Outcome.EXITED and outcome.exit_code == 0
    stopped = outcome.ending == sb.Outcome.NOT_RUN
    said = _said(judge)
    if not (stopped or well or outcome.interactor_first):
        return Talked(outcome, False, False, said)
    if accepted is None and not stopped and not outcome.interactor_first and _left_alone(judge):
        accepted = False
    if accepted is None:
        raise _failed("interactor", test, judge)
    return Talked(outcome, accepted and well, not accepted, said)


def _left_alone(judge: sb.Outcome) -> bool:
    """Whether it failed because it wrote to, or read from, a program that had left: by SIGPIPE, or
    as a Python program fails then."""
    if judge.ending == sb.Outcome.SIGNALLED:
        return judge.signal == signal.SIGPIPE
    python = judge.exit_code == PYTHON_PIPE_LOST or any(
        name in judge.stderr for name in (b"BrokenPipeError", b"EOFError")
    )
    return judge.ending == sb.Outcome.EXITED and python


def verdict(program: pb.JudgeProgram, outcome: sb.Outcome) -> bool | None:
    """Whether it accepts; None when it failed."""
    if outcome.ending != sb.Outcome.EXITED:
        return None
    how = protocol(program)
    if outcome.exit_code == ACCEPTS[how]:
        return True
    compiled = language_of(program) in TESTLIB_LANGUAGES
    if how == Protocol.TESTLIB and not compiled and _CRASH.search(outcome.stderr):
        return None  # an exception that nobody caught has an exit code like a rejection's
    partial = how == Protocol.TESTLIB and compiled and outcome.exit_code in TESTLIB_PARTIAL
    return False if partial or outcome.exit_code in REJECTS[how] else None


def protocol(program: pb.JudgeProgram) -> Protocol.Protocol.ValueType:
    return program.protocol or Protocol.TESTLIB


def language_of(program: pb.JudgeProgram) -> str:
    """The language of a checker or an interactor."""
    return program.language or DEFAULT_LANGUAGE


def _fill(request: sb.RunRequest | sb.Dialogues, program: pb.JudgeProgram) -> None:
    request.language = language_of(program)
    request.source = program.source
    for name, text in program.files.items():
        request.files[name] = text.encode()
    copy_limits(program.limits, request.limits)


def _said(outcome: sb.Outcome) -> str:
    text = (outcome.stderr or outcome.stdout)[: 4 * SAID_CHARS].decode(errors="replace")
    return text.strip()[:SAID_CHARS]


def _broken(field: str, diagnostics: str) -> SandboxFailed:
    message = f"code.{field}.source: does not compile: {diagnostics.strip()[:1000]}"
    return SandboxFailed(pb.Verdict.INVALID, message)


def _failed(field: str, test: pb.CodeTest, outcome: sb.Outcome) -> SandboxFailed:
    how = sb.Outcome.Ending.Name(outcome.ending).lower()
    if outcome.ending == sb.Outcome.EXITED:
        how = f"exit code {outcome.exit_code}"
    elif outcome.ending == sb.Outcome.SIGNALLED:
        how = f"signal {outcome.signal}"
    where = f" on test {test.id}" if test.id else ""
    said = "" if test.hidden else _said(outcome)
    message = f"code.{field}: failed{where} ({how})" + (f": {said}" if said else "")
    return SandboxFailed(pb.Verdict.SANDBOX_ERROR, message)
