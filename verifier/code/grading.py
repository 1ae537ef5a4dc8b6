"""All tests of one item: each kind is run in the way it needs, and its results are noted.

Whole-program runs are asked for in growing groups, so that a program which fails early costs
little and one that passes costs few requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import AnyStr

from sandbox.v1 import sandbox_pb2 as sb
from verifier.code import asserts, checkers, compare, judges, prelude
from verifier.code.order import History
from verifier.code.runs import Runs, SandboxFailed
from verifier.limits import GOT_ACCEPTED_CHARS, GOT_CHARS
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

COMPARED_AT_ONCE = 65_536
"""Bytes or characters compared or searched on the event loop; more takes over a millisecond."""

FIRST_GROUP, GROWTH = 1, 4
"""Tests in the first request, and how many times more in each next one: most wrong programs fail
their first test, and a request costs a tenth of a Python run."""

Part = pb.Part  # its enums by this name: pb.Part.Reason looks each one up anew
_ENDINGS = {
    sb.Outcome.CPU_LIMIT: Part.cpu_limit,
    sb.Outcome.WALL_LIMIT: Part.wall_limit,
    sb.Outcome.MEMORY_LIMIT: Part.memory_limit,
    sb.Outcome.OUTPUT_LIMIT: Part.output_limit,
    sb.Outcome.SIGNALLED: Part.runtime_error,
    sb.Outcome.RAISED: Part.runtime_error,
    sb.Outcome.NOT_RUN: Part.not_run,
}
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


@dataclass
class Grading:
    """The tests of one item at work. `results` has one element for each test, in order."""

    runs: Runs
    task: pb.CodeTask
    results: list[pb.TestResult] = field(init=False)
    in_process_asserts: bool = False
    failed: bool = False
    left_early: list[str] = field(default_factory=list)
    """Ids of the calls and test programs that ended the process, or tried to, with status 0."""
    syntax_error: bool = False
    """An interpreter without a compile step refused the program."""

    kinds: list[str] = field(init=False)
    """Of each test: which of the three kinds it is."""

    def __post_init__(self) -> None:
        tests = self.task.tests
        self.results = [
            pb.TestResult(id=test.id or str(place), reason=Part.not_run)
            for place, test in enumerate(tests)
        ]
        self.kinds = [kind(test) for test in tests]

    def places(self, wanted: str) -> list[int]:
        """The tests of one kind."""
        return [place for place, known in enumerate(self.kinds) if known == wanted]

    async def run(self, history: History) -> None:
        """Runs all tests, or up to the first failure. Raises SandboxFailed."""
        await self._run_stdio(history)
        await self._run_calls()
        await self._run_sources()
        untold = any(result.reason == Part.not_run for result in self.results)
        if untold and not self.failed and not self.runs.compile_failed:
            message = "the sandbox told nothing of some tests, though none failed before them"
            raise SandboxFailed(pb.Verdict.SANDBOX_ERROR, message)

    def describe(self, outcome: TaskOutcome) -> None:
        """Puts into an outcome what is known of the runs."""
        runs = self.runs
        outcome.queued_ms = runs.queued_ms
        outcome.sandbox_tier = runs.tier
        evidence = pb.CodeEvidence(
            tests=self.results,
            diagnostics=runs.diagnostics,
            toolchain=runs.toolchain,
            in_process_asserts=self.in_process_asserts,
        )
        if runs.toolchain:
            parsed = not (runs.compile_failed or self.syntax_error)
            if self.task.language in INTERPRETED:
                evidence.signals.parses = parsed
            else:
                evidence.signals.compiles = parsed
        outcome.evidence = pb.Evidence(message=outcome.message, code=evidence)

    @property
    def stops(self) -> bool:
        """Only a fraction needs the tests after the first that fails."""
        return self.task.scoring != pb.CodeTask.FRACTION and not self.task.run_all

    @property
    def _over(self) -> bool:
        return self.runs.compile_failed or (self.failed and self.stops)

    # ---- standard input and output

    async def _run_stdio(self, history: History) -> None:
        places = self.places("stdio")
        if not places:
            return
        learns = self.task.order == pb.CodeTask.LIKELY_FAILURE_FIRST
        problem = history.problem(self.task) if learns else b""
        if learns:
            places = history.ordered(problem, places)
        for group in groups(places, self.stops):
            if self._over:
                break
            if self.task.HasField("interactor"):
                await self._talk(group)
            else:
                await self._run_group(group)
        if learns:
            history.learn(problem, [p for p in places if is_failure(self.results[p].reason)])

    async def _run_group(self, places: Sequence[int]) -> None:
        tests = [self.task.tests[place] for place in places]
        request = sb.RunRequest(stop_on_failure=self.stops)
        if self.task.checker == "lcb":
            request.prelude = await self._prelude()
        request.inputs.stdin.extend(test.stdin.encode() for test in tests)
        outcomes = (await self.runs.run(request)).outcomes
        if outcomes and all(result.reason == Part.not_run for result in self.results):
            # What has run once is a program, whatever it throws later.
            self.syntax_error = refused(self.task.language, outcomes[0])
        well = [n for n, outcome in enumerate(outcomes) if ended_well(outcome)]
        said: dict[int, str] = {}
        if self.task.HasField("checker_program"):
            right = set()
            if well:
                judged = await judges.check(
                    self.runs,
                    self.task.checker_program,
                    [tests[n] for n in well],
                    [outcomes[n].stdout for n in well],
                )
                right = {n for n, one in zip(well, judged, strict=True) if one.accepted}
                said = {n: one.said for n, one in zip(well, judged, strict=True)}
        else:
            same = checker_of(self.task)
            right = {
                n
                for n in well
                if await compared(same, outcomes[n].stdout, tests[n].stdout.encode())
            }
        for n, (place, outcome) in enumerate(zip(places, outcomes, strict=False)):
            if self.failed and self.stops:
                break  # what came after the failure is not asked for
            self._note(
                place, outcome, n in right, outcome.stdout, Part.wrong_answer, said.get(n, "")
            )

    async def _talk(self, places: Sequence[int]) -> None:
        tests = [self.task.tests[place] for place in places]
        talked = await judges.talk(self.runs, self.task.interactor, tests, self.stops)
        for place, one in zip(places, talked, strict=False):
            self._note(
                place,
                one.outcome,
                one.accepted,
                b"",
                Part.wrong_answer,
                one.said,
                Part.wrong_answer if one.rejected else None,
            )

    async def _prelude(self) -> str:
        program = self.runs.program
        if len(program) <= COMPARED_AT_ONCE:
            return prelude.for_calls(program)
        return await asyncio.to_thread(prelude.for_calls, program)

    # ---- calls

    async def _run_calls(self) -> None:
        places = self.places("call")
        if not places or self._over:
            return
        tests = [self.task.tests[place] for place in places]
        calls = [asserts.Call(test.args_json, test.expected_json) for test in tests]
        blank = sb.RunRequest(prelude=await self._prelude())
        blank.calls.entry_point = self.task.entry_point
        for place, (outcome, right) in zip(
            places, await self._call_all(blank, calls), strict=False
        ):
            self._note(place, outcome, right, _got(outcome))

    async def _call_all(
        self, blank: sb.RunRequest, calls: Sequence[asserts.Call]
    ) -> list[tuple[sb.Outcome, bool]]:
        """Makes the calls in one process as long as it lives, then in a fresh one.

        `blank` is the request without its arguments. The limits are those of one test, the
        process is shared: a call that hits a limit, or kills the process, after others did their
        share gets a process of its own before that counts against it. Returns each outcome and
        whether it is right; after the first wrong one the rest may be missing.
        """
        done: list[tuple[sb.Outcome, bool]] = []
        while len(done) < len(calls):
            request = sb.RunRequest(stop_on_failure=self.stops)
            request.MergeFrom(blank)
            for call in calls[len(done) :]:
                request.calls.arguments.add(args_json=call.args_json, truth=call.truth)
            outcomes = (await self.runs.run(request)).outcomes
            ended = next((n for n, o in enumerate(outcomes) if o.ending in _PROCESS_ENDS), None)
            # A call that ended the process counts only as the first in a process.
            for outcome in outcomes if ended is None else outcomes[: max(ended, 1)]:
                right = await self._call_is_right(outcome, calls[len(done)])
                done.append((outcome, right))
                if not right and self.stops:
                    return done
            if not outcomes:
                break
        return done

    async def _call_is_right(self, outcome: sb.Outcome, call: asserts.Call) -> bool:
        if outcome.ending != sb.Outcome.RETURNED:
            return False
        if call.truth:
            return outcome.value_json == call.expected_json
        lcb = self.task.checker == "lcb"
        if lcb and outcome.inner_tuples:
            return False  # its grader turns a tuple into a list at the top alone
        same = partial(
            compare.same_json,
            bools_are_numbers=call.as_python or lcb,
            tolerance=tolerance_of(self.task) if self.task.HasField("tolerance") else None,
        )
        return await compared(same, outcome.value_json, call.expected_json)

    # ---- test programs

    async def _run_sources(self) -> None:
        """What of them can be compared outside is; the rest runs beside the solution."""
        for place in self.places("source"):
            if not self._over:
                await self._run_source(place, self.task.tests[place].source)

    async def _run_source(self, place: int, source: str) -> None:
        turned = asserts.turn(source)
        called: list[tuple[sb.Outcome, bool]] = []
        if turned.calls:
            blank = sb.RunRequest()
            blank.calls.entry_point, blank.calls.function_only = turned.entry_point, True
            called = await self._call_all(blank, turned.calls)
        wrong = [outcome for outcome, right in called if not right]
        if wrong:
            self._note(place, wrong[0], False, _got(wrong[0]))
        elif turned.complete and called:
            self._note(place, called[-1][0], True, b"")
        elif not self.runs.compile_failed:
            self.in_process_asserts = True
            request = sb.RunRequest(stop_on_failure=self.stops)
            request.snippets.source.append(source)
            for outcome in (await self.runs.run(request)).outcomes:
                right = ended_well(outcome) and outcome.completed
                self._note(place, outcome, right, outcome.stderr or outcome.stdout)

    # ---- evidence

    def _note(
        self,
        place: int,
        outcome: sb.Outcome,
        right: bool,
        got: bytes,
        exited: Part.Reason.ValueType = Part.runtime_error,
        said: str = "",
        reason: Part.Reason.ValueType | None = None,
    ) -> None:
        """Writes one test's result into the evidence.

        `exited` is the reason for a wrong result after exit status 0: for a call or a test
        program an early exit is an error, however quiet. `reason` overrides what the outcome
        alone would tell of a test that is not right.
        """
        result, test = self.results[place], self.task.tests[place]
        result.reason = Part.accepted if right else reason or _why(outcome, exited)
        result.cpu_ms = outcome.cpu_us / 1000
        result.wall_ms = outcome.wall_us / 1000
        result.memory_bytes = outcome.peak_memory_bytes
        if outcome.ending == sb.Outcome.SIGNALLED:
            result.detail = f"signal {outcome.signal}"
        elif outcome.ending == sb.Outcome.EXITED and outcome.exit_code:
            result.detail = f"exit code {outcome.exit_code}"
        if said and not test.hidden:
            result.detail = f"{result.detail}; {said}" if result.detail else said
        if not test.hidden:
            most = GOT_ACCEPTED_CHARS if right else GOT_CHARS
            shown = got if outcome.stdout or not outcome.stderr else outcome.stderr
            result.got = shown[: 4 * most].decode(errors="replace")[:most]
            result.input, result.expected = (
                text[:most] for text in asked_for(test, self.kinds[place], self.task)
            )
        in_process = exited == Part.runtime_error
        if (
            not right
            and in_process
            and (ended_well(outcome) or outcome.error.startswith("SystemExit"))
        ):
            self.left_early.append(result.id)
        self.failed |= not right


def groups(places: Sequence[int], stops: bool) -> Iterator[Sequence[int]]:
    """All at once where all must run, else few first."""
    at, size = 0, FIRST_GROUP if stops else len(places)
    while at < len(places):
        yield places[at : at + size]
        at, size = at + size, size * GROWTH


def kind(test: pb.CodeTest) -> str:
    """Which of the three kinds a test is."""
    if test.HasField("source"):
        return "source"
    return "call" if test.HasField("expected_json") else "stdio"


def asked_for(test: pb.CodeTest, which: str, task: pb.CodeTask) -> tuple[str, str]:
    """A test's input and what is expected, for a person."""
    if which == "source":
        return test.source, ""
    if which == "call":
        return f"{task.entry_point}({', '.join(test.args_json)})", test.expected_json
    return test.stdin, test.stdout


def checker_of(task: pb.CodeTask) -> checkers.Checker:
    """The comparison of outputs that a task asks for."""
    return checkers.CHECKERS[task.checker or checkers.DEFAULT_CHECKER](tolerance_of(task))


def tolerance_of(task: pb.CodeTask) -> checkers.Tolerance:
    """The task's tolerance, or the default one."""
    if not task.HasField("tolerance"):
        return checkers.Tolerance()
    return checkers.Tolerance(task.tolerance.absolute, task.tolerance.relative)


async def compared(same: Callable[..., bool], got: AnyStr, expected: AnyStr) -> bool:
    """Compares here, or beside the event loop when that could take more than a moment."""
    if len(got) + len(expected) <= COMPARED_AT_ONCE:
        return same(got, expected)
    return await asyncio.to_thread(same, got, expected)


def ended_well(outcome: sb.Outcome) -> bool:
    """By itself, with exit status 0."""
    return outcome.ending == sb.Outcome.EXITED and outcome.exit_code == 0


def is_failure(reason: Part.Reason.ValueType) -> bool:
    return reason not in (Part.accepted, Part.not_run)


INTERPRETED = frozenset({"python", "javascript", "php", "bash", "ruby"})
"""Without a compile step of their own; Python's syntax errors the sandbox tells as one."""

_REFUSALS = {
    "javascript": (b"SyntaxError",),
    "php": (b"Parse error",),
    "bash": (b"syntax error",),
    "ruby": (b"syntax error", b"SyntaxError"),
}


def refused(language: str, outcome: sb.Outcome) -> bool:
    """Whether an interpreter says that the text is no program. It says so on the program's own
    standard error: a program that pretends it only lowers its own score."""
    told = outcome.stderr + outcome.stdout[:4096]
    failed = outcome.ending == sb.Outcome.EXITED and outcome.exit_code != 0
    return failed and any(text in told for text in _REFUSALS.get(language, ()))


def _got(outcome: sb.Outcome) -> bytes:
    if outcome.ending == sb.Outcome.RETURNED:
        return outcome.value_json.encode()
    return outcome.error.encode() or outcome.stderr


def _why(outcome: sb.Outcome, exited: Part.Reason.ValueType) -> Part.Reason.ValueType:
    if outcome.ending == sb.Outcome.EXITED:
        return Part.runtime_error if outcome.exit_code else exited
    return _ENDINGS.get(outcome.ending, Part.wrong_answer)
