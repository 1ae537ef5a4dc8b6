"""The choice verifier as the engine sees it: a task and a response in, an outcome out. Pure."""

from __future__ import annotations

import re

from verifier.choice.extract import extract, why_none
from verifier.choice.options import LETTERS, MAX_OPTION_CHARS, MAX_OPTIONS, prepare
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

VERSION = "2"

_GOLD = re.compile(r"\(?([A-Za-z])\)?\.?")


def problem(task: pb.ChoiceTask) -> str | None:
    """Why the task cannot be verified, naming the field, the limit and what was received.

    A reference may be written `B`, `b`, `(B)` or `B.`.
    """
    options = len(task.options)
    if options == 1 or options > MAX_OPTIONS:
        return f"choice.options: 2 to {MAX_OPTIONS} options or none, got {options}"
    for place, option in enumerate(task.options):
        if not option or option.isspace():
            return f"choice.options[{place}]: must not be empty"
        if len(option) > MAX_OPTION_CHARS:
            limit = f"at most {MAX_OPTION_CHARS} characters"
            return f"choice.options[{place}]: {limit}, got {len(option)}"
    gold = _letter(task.gold)
    last = LETTERS[(options or MAX_OPTIONS) - 1]
    if gold is None or gold > last:
        return f"choice.gold: a letter from A to {last}, got {task.gold[:40]!r}"
    return None


def verify(task: pb.ChoiceTask, response: str) -> TaskOutcome:
    """Compares the option that `response` commits itself to with the task's reference.

    The task must have no `problem`.
    """
    gold = _letter(task.gold)
    if gold is None:
        raise ValueError(problem(task))
    found = extract(response, prepare(task.options, gold))
    if found is None or found.letter is None:
        return TaskOutcome(
            status=pb.Verdict.OK,
            reason=pb.Part.no_answer,
            score=0.0,
            detail=why_none(response) if found is None else "names several options at once",
            evidence=pb.Evidence(choice=pb.ChoiceEvidence()),
        )
    right = found.letter == gold
    evidence = pb.ChoiceEvidence(source=found.source, start=found.start, end=found.end)
    return TaskOutcome(
        status=pb.Verdict.OK,
        reason=pb.Part.match if right else pb.Part.no_match,
        score=1.0 if right else 0.0,
        extracted=found.letter,
        evidence=pb.Evidence(choice=evidence),
    )


def reference(task: pb.ChoiceTask) -> str:
    """The right option in words for a judge: its letter, and its text where there is one."""
    letter = _letter(task.gold) or ""
    place = LETTERS.find(letter)
    return f"{letter}. {task.options[place]}" if place < len(task.options) else letter


def _letter(gold: str) -> str | None:
    match = _GOLD.fullmatch(gold.strip())
    return match.group(1).upper() if match else None
