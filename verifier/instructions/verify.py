"""The instructions verifier as the engine sees it: constraints and a response in, an outcome out.

    what follows the last </think> -> each constraint on it, strictly and loosely -> score

IFEval's two verdicts (arXiv 2311.07911, section 3): strict judges the text as it
is; loose also tries it without its first line, its last, or both, each with and
without asterisks, and one suffices. A blank text follows nothing.

The published verdicts judge the whole response. They are of models that do not
think aloud, and none of those responses contains `</think>`; where one does, the
chain of thought and the blank lines after it are no part of the answer, and a
thought that never ends leaves none.
"""

from __future__ import annotations

from verifier.code.extract import after_thinking
from verifier.instructions import registry
from verifier.instructions.registry import Check, Unreadable
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

VERSION = "1"

CONSTRAINTS = 16
"""Constraints of one item: five times the most in IFEval."""


def problem(task: pb.InstructionsTask) -> str | None:
    """Why the task cannot be verified, or None when it can."""
    checks = _checks(task)
    return checks if isinstance(checks, str) else None


def verify(task: pb.InstructionsTask, response: str, prompt: str) -> TaskOutcome:
    """Judges each constraint; INVALID where the task has a `problem`.

    `prompt` decides nothing: a constraint on repeating it brings the words to repeat.
    """
    checks = _checks(task)
    if isinstance(checks, str):
        return TaskOutcome(pb.Verdict.INVALID, pb.Part.UNSPECIFIED, message=checks)
    text = _judged(response)
    tried = variants(text)
    results = [
        _result(constraint.id, check, tried)
        for constraint, check in zip(task.constraints, checks, strict=True)
    ]
    followed = [result.loose if task.loose else result.strict for result in results]
    score = sum(followed) / len(followed)
    if task.scoring != pb.InstructionsTask.FRACTION:
        score = float(all(followed))
    evidence = pb.Evidence(instructions=pb.InstructionsEvidence(constraints=results))
    if all(followed):
        return TaskOutcome(pb.Verdict.OK, pb.Part.followed, score, evidence=evidence)
    first = results[followed.index(False)]
    detail = f"{first.id}: {first.detail}"
    return TaskOutcome(pb.Verdict.OK, pb.Part.not_followed, score, detail, evidence=evidence)


def _checks(task: pb.InstructionsTask) -> list[Check] | str:
    """The checks in order, or why there are none."""
    asked = len(task.constraints)
    if not 1 <= asked <= CONSTRAINTS:
        return f"instructions.constraints: 1 to {CONSTRAINTS}, got {asked}"
    checks = []
    for place, constraint in enumerate(task.constraints):
        found = registry.read(constraint.id, constraint.kwargs or "{}")
        if isinstance(found, Unreadable):
            return f"instructions.constraints[{place}].{found.place}: {found.why}"
        checks.append(found)
    return checks


def _judged(response: str) -> str:
    """The part of a response that is the answer."""
    answer = after_thinking(response)
    if answer is None:
        return ""
    return answer if len(answer) == len(response) else answer.lstrip()


def variants(text: str) -> tuple[str, ...]:
    """The texts that the loose verdict tries, each once, the text itself first."""
    lines = text.split("\n")
    cuts = ("\n".join(rest).strip() for rest in (lines[1:], lines[:-1], lines[1:-1]))
    return tuple(
        dict.fromkeys(each for cut in (text, *cuts) for each in (cut, cut.replace("*", "")))
    )


def _result(identifier: str, check: Check, tried: tuple[str, ...]) -> pb.ConstraintResult:
    detail = _fault(check, tried[0])
    strict = detail is None
    loose = strict or any(_fault(check, text) is None for text in tried[1:])
    return pb.ConstraintResult(id=identifier, strict=strict, loose=loose, detail=detail or "")


def _fault(check: Check, text: str) -> str | None:
    return check(text) if text.strip() else "the response is blank"
