"""From the tests' results to one score and one reason. Pure."""

from __future__ import annotations

from verifier.code.grading import Grading, is_failure
from verifier.limits import GOT_CHARS
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

LADDER_DOES_NOT_COMPILE = 0.1
LADDER_FAILS = 0.2

CPU_MARGIN = 0.25
"""An accepted run that took more of its CPU limit than this might not be accepted again."""

DEFAULT_CPU_SECONDS = 10.0
"""The sandbox's, where the task says nothing."""

Reason = pb.Part.Reason


def score(task: pb.CodeTask, grading: Grading) -> TaskOutcome:
    """The outcome of an item whose runs are done, with its evidence."""
    outcome = _score(task, grading)
    grading.describe(outcome)
    return outcome


def _score(task: pb.CodeTask, grading: Grading) -> TaskOutcome:
    ladder = task.scoring == pb.CodeTask.LADDER
    if grading.runs.compile_failed:
        return TaskOutcome(
            pb.Verdict.OK,
            Reason.compile_error,
            LADDER_DOES_NOT_COMPILE if ladder else 0.0,
            grading.runs.diagnostics.strip()[-GOT_CHARS:],
        )
    results = grading.results
    accepted = [result.reason == Reason.accepted for result in results]
    first = next((r for r in results if is_failure(r.reason)), None)
    reason = Reason.accepted if first is None else first.reason
    detail = f"{sum(accepted)} of {len(accepted)} tests accepted"
    if first is not None:
        detail += f"; test {first.id}: {Reason.Name(first.reason)}"
        detail += f" ({first.detail})" if first.detail else ""
    if task.scoring == pb.CodeTask.FRACTION:
        weights = [t.weight if t.HasField("weight") else 1.0 for t in task.tests]
        value = sum(w for w, ok in zip(weights, accepted, strict=True) if ok) / sum(weights)
    elif all(accepted):
        value = 1.0
    elif ladder:
        value = LADDER_DOES_NOT_COMPILE if grading.syntax_error else LADDER_FAILS
    else:
        value = 0.0
    return TaskOutcome(pb.Verdict.OK, reason, value, detail)


def of_missing(task: pb.CodeTask, other_language: str) -> float:
    """Of a response without a program: on the ladder one in another language is a step."""
    ladder = task.scoring == pb.CodeTask.LADDER
    return LADDER_DOES_NOT_COMPILE if ladder and other_language else 0.0


def near_a_limit(task: pb.CodeTask, outcome: TaskOutcome) -> bool:
    """Whether chance may have decided: a test that came close to its CPU limit, a compiler that
    was stopped."""
    limited = task.limits.HasField("cpu_seconds")
    seconds = task.limits.cpu_seconds if limited else DEFAULT_CPU_SECONDS
    code = outcome.evidence.code
    stopped = outcome.reason == Reason.compile_error and code.diagnostics.startswith("compiling ")
    return stopped or any(test.cpu_ms > 1000 * CPU_MARGIN * seconds for test in code.tests)
