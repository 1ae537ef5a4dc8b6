"""The parts of a verdict: their names, what each can be told, and how each is scored. Pure.

A part looks at the item and at what its task's verifier found, and says a score and a reason. The
recipe's weights and values come later (verifier/recipes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from verifier import format, language, length, readability, repetition
from verifier.code import speed
from verifier.judge import reward_model
from verifier.limits import DETAIL_CHARS
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

Options = Mapping[str, str]


@dataclass(frozen=True)
class Scored:
    """`score` is None where the item's status says why."""

    score: float | None
    reason: pb.Part.Reason.ValueType
    detail: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of part."""

    score: Callable[[pb.Item, TaskOutcome, Options], Scored]
    options: frozenset[str] = frozenset()
    """The keys that it knows."""
    problem: Callable[[Options], str | None] = lambda options: None
    """What is wrong with their values: "options[key]: what is wanted, what was received"."""
    of_the_task: bool = False
    """Without a score of the task there is none of this part."""


def _accuracy(item: pb.Item, outcome: TaskOutcome, options: Options) -> Scored:
    score = outcome.score if outcome.status == pb.Verdict.OK else None
    return Scored(score, outcome.reason, outcome.detail[:DETAIL_CHARS])


def _speed(item: pb.Item, outcome: TaskOutcome, options: Options) -> Scored:
    """Only an accepted program has a speed; see verifier/code/speed.py."""
    if outcome.status != pb.Verdict.OK:
        return Scored(None, outcome.reason)
    told = outcome.evidence.code
    if told.reference_cpu_ms <= 0:
        return Scored(0.0, pb.Part.not_accepted)
    return Scored(
        speed.score(told.program_cpu_ms, told.reference_cpu_ms),
        pb.Part.measured,
        f"{told.program_cpu_ms:.1f} ms of CPU time, "
        f"the reference {told.reference_cpu_ms:.1f} ms on the same tests",
    )


def _format(item: pb.Item, outcome: TaskOutcome, options: Options) -> Scored:
    style = format.Style(options.get("style", format.Style.R1_ZERO.value))
    layout = format.check(item.response, style, options)
    return Scored(layout.score, pb.Part.Reason.Value(layout.fault.value), layout.detail)


def _format_problem(options: Options) -> str | None:
    return format.problem(options.get("style", format.Style.R1_ZERO.value), options)


def _language(item: pb.Item, outcome: TaskOutcome, options: Options) -> Scored:
    """Equation 7 of DeepSeek-R1; a chain of thought without a word scores 0."""
    wanted = target_language(item)
    assert wanted is not None, "validation asks for a language"
    counted = language.share(format.chain_of_thought(item.response), wanted)
    return Scored(
        counted.value or 0.0,
        pb.Part.share if counted.total else pb.Part.no_words,
        f"{counted.target} of {counted.total} words in {wanted}",
    )


def target_language(item: pb.Item) -> str | None:
    """The language that the item says, else the one that its prompt asks for."""
    return item.language or (_detected(item.prompt) if item.prompt else None)


# All samples of a group have the same prompt.
_detected = lru_cache(maxsize=4096)(language.detect)


def _length(item: pb.Item, outcome: TaskOutcome, options: Options) -> Scored:
    return _of(length.check(item.response, options, item.meta))


def _repetition(item: pb.Item, outcome: TaskOutcome, options: Options) -> Scored:
    return _of(repetition.check(item.response, options))


def _readability(item: pb.Item, outcome: TaskOutcome, options: Options) -> Scored:
    return _of(readability.check(item.response, target_language(item), options))


def _of(result: length.Result) -> Scored:
    return Scored(result.score, pb.Part.Reason.Value(result.reason), result.detail)


def _rated(item: pb.Item, outcome: TaskOutcome, options: Options) -> Scored:
    """What a reward model said, which was asked before (verifier/judge/judging.py)."""
    if outcome.rating is None:
        return Scored(None, pb.Part.failed)
    raw = options.get("scale", SCALES[0]) == "raw"
    score = outcome.rating if raw else reward_model.squashed(outcome.rating)
    return Scored(score, pb.Part.rated, f"raw score {outcome.rating:.6g}")


SCALES, VIEWS = ("logistic", "raw"), ("summary", "whole")
"""Of a reward model: how its number becomes a score, and what it sees of a response. Which one is
asked is the option `model`, which only a server can check (verifier/validate.py)."""


def _rated_problem(options: Options) -> str | None:
    for name, known in (("scale", SCALES), ("view", VIEWS)):
        if (given := options.get(name, known[0])) not in known:
            return f"options[{name}]: one of {', '.join(known)}, got {given[:40]!r}"
    return None


PARTS: dict[str, Kind] = {
    "accuracy": Kind(_accuracy, of_the_task=True),
    "format": Kind(_format, format.OPTIONS, _format_problem),
    "language": Kind(_language),
    "speed": Kind(_speed, of_the_task=True),
    "length": Kind(_length, length.OPTIONS, length.problem),
    "repetition": Kind(_repetition, repetition.OPTIONS, repetition.problem),
    "readability": Kind(_readability, readability.OPTIONS, readability.problem),
    "reward_model": Kind(_rated, frozenset({"model", "scale", "view"}), _rated_problem),
}
"""By the name in a recipe."""


def rests_on_task(recipe: pb.Recipe | None) -> bool:
    """Whether a verdict needs the score of its item's task; without a recipe it is that score. A
    part that is not known here needs nothing."""
    if recipe is None:
        return True
    return any(part.name in PARTS and PARTS[part.name].of_the_task for part in recipe.parts)


def rating_part(recipe: pb.Recipe | None) -> pb.RecipePart | None:
    """The part that a reward model is asked for."""
    parts = () if recipe is None else recipe.parts
    return next((part for part in parts if part.name == "reward_model"), None)
