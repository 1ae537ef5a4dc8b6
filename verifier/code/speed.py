"""How fast an accepted program is beside a reference: CPU time, measured in the same slot.

Both take turns on the same tests, several rounds, and the least CPU time of each counts: what else
runs on the host makes a run slower, never faster. It is the time of whole processes and of all that
they started, as the kernel tells it: nothing that a program says. The score is r / (1 + r) with r
the reference's time over the program's: 1/2 as fast as the reference, always more for the faster of
two programs, and never so much that speed pays more than being right.
"""

from __future__ import annotations

from functools import partial

from sandbox.v1 import sandbox_pb2 as sb
from verifier.code import compare, prelude
from verifier.code.grading import (
    Grading,
    checker_of,
    compared,
    ended_well,
    kind,
    tolerance_of,
)
from verifier.code.runs import Runs, SandboxFailed
from verifier.v1 import verifier_pb2 as pb

ROUNDS = 5
"""Of the two programs; the least of five differs by a few per cent between measurements."""

TESTS = 3
"""The slowest ones: they hold most of the time, and of what tells two algorithms apart."""


async def measure(
    runs: Runs, task: pb.CodeTask, grading: Grading, evidence: pb.CodeEvidence
) -> None:
    """Writes both CPU times into the evidence. Raises SandboxFailed."""
    for which in ("stdio", "call"):
        places = grading.places(which)
        places.sort(key=lambda place: -grading.results[place].cpu_ms)
        if not places:
            continue
        request = sb.RunRequest(rival=task.reference_program, rounds=ROUNDS)
        chosen = [task.tests[place] for place in places[:TESTS]]
        if which == "stdio":
            request.inputs.stdin.extend(test.stdin.encode() for test in chosen)
        else:
            request.prelude = prelude.for_calls(runs.program + task.reference_program)
            request.calls.entry_point = task.entry_point
            for test in chosen:
                request.calls.arguments.add(args_json=test.args_json)
        result = await runs.run(request)
        if result.other_compile_failed:
            message = f"code.reference_program: does not compile: {result.diagnostics[:1000]}"
            raise SandboxFailed(pb.Verdict.INVALID, message)
        for test, outcome in zip(chosen, result.rival_outcomes, strict=False):
            if not await _same_again(task, test, outcome):
                where = test.id or str(list(task.tests).index(test))
                message = f"code.reference_program: is not right on test {where}"
                raise SandboxFailed(pb.Verdict.INVALID, message)
        for test, outcome in zip(chosen, result.outcomes, strict=False):
            if not await _same_again(task, test, outcome):
                detail = f"accepted, then otherwise when it was measured on test {test.id}"
                evidence.flags.add(kind=pb.Flag.unstable, detail=detail)
                evidence.program_cpu_ms = evidence.reference_cpu_ms = 0
                return
        evidence.program_cpu_ms += result.cpu_us / 1000
        evidence.reference_cpu_ms += result.rival_cpu_us / 1000


async def _same_again(task: pb.CodeTask, test: pb.CodeTest, outcome: sb.Outcome) -> bool:
    """Whether a run that was measured, of which every round is one, is right like the first."""
    if kind(test) == "call":
        same = partial(
            compare.same_json, tolerance=tolerance_of(task) if task.HasField("tolerance") else None
        )
        returned = outcome.ending == sb.Outcome.RETURNED
        return returned and await compared(same, outcome.value_json, test.expected_json)
    if not ended_well(outcome):
        return False
    if task.HasField("checker_program"):
        return True  # the checker has seen an output, and all rounds gave the same
    return await compared(checker_of(task), outcome.stdout, test.stdout.encode())


def score(program_cpu_ms: float, reference_cpu_ms: float) -> float:
    """In (0, 1); 0 where nothing was measured."""
    both = program_cpu_ms + reference_cpu_ms
    return reference_cpu_ms / both if both else 0.0
