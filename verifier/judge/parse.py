"""A judge's verdict out of its answer: one JSON object of a known shape, or nothing.

Strict on purpose. Text is never searched for words that look like a verdict: an answer is an
object with exactly the keys asked for, each once, and a label exactly as it was offered, alone or
in one fenced block; everything else is `NoVerdict`. Its message is in words of this module alone,
so that it can be sent to the judge again without sending what the judge had copied.

Not covered: an answer after a reasoning model's `<think>`; its server parts the two.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_ANSWER_CHARS = 65_536
"""Of a judge's answer: several times the tokens it is given."""


MIN_MASS = 0.5
"""Of probability that labels hold together, to be worth comparing."""


class NoVerdict(ValueError):
    """The answer is none of the shape asked for; the message says what is wrong with it."""


@dataclass(frozen=True)
class Verdict:
    """What a judge said: a label for each thing asked, and why."""

    labels: tuple[str, ...]
    analysis: str


def label(text: str, key: str, labels: Sequence[str]) -> Verdict:
    """Reads `{"analysis": text, key: label}`."""
    found = _object(text, key)
    return Verdict((_label(found[key], key, labels),), str(found["analysis"]))


def label_list(text: str, key: str, labels: Sequence[str], count: int) -> Verdict:
    """Reads `{"analysis": text, key: [label, ...]}` with `count` labels."""
    found = _object(text, key)
    given = found[key]
    if not isinstance(given, list) or len(given) != count:
        raise NoVerdict(f'"{key}" must be a list of {count} labels')
    return Verdict(tuple(_label(one, key, labels) for one in given), str(found["analysis"]))


def digit(text: str, count: int) -> int:
    """Reads an answer that is one digit from 1 to `count` and nothing else."""
    if text.strip() not in digits(count):
        raise NoVerdict(f"the reply must be one digit from 1 to {count} and nothing else")
    return int(text)


def probabilities(logprobs: Mapping[str, float], count: int) -> tuple[float, ...] | None:
    """Probabilities of the digits from 1 to `count` among themselves; one that is not listed has
    none. None where they hold less than MIN_MASS together: the model was about to say something
    else, and what little the digits have tells nothing."""
    known = [math.exp(min(logprobs.get(one, -math.inf), 0.0)) for one in digits(count)]
    total = sum(known)
    return tuple(one / total for one in known) if total >= MIN_MASS else None


def digits(count: int) -> list[str]:
    """What may be answered where a digit is asked for."""
    return [str(place + 1) for place in range(count)]


def _label(value: object, key: str, labels: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in labels:
        raise NoVerdict(f'"{key}" must be exactly one of {_listed(labels)}')
    return value


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(json.dumps(one) for one in labels)


def _object(text: str, key: str) -> dict[str, object]:
    if not text.strip():
        raise NoVerdict("the reply is empty")
    if len(text) > MAX_ANSWER_CHARS:
        raise NoVerdict(f"the reply has more than {MAX_ANSWER_CHARS} characters")
    try:
        found = json.loads(
            _unfenced(text.strip()),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_int=float,  # a thousand digits are no reason to raise: nobody reads the number
        )
    except json.JSONDecodeError as error:
        raise NoVerdict(
            f"not one JSON object and nothing else ({error.msg} at character {error.pos})"
        ) from error
    except RecursionError as error:
        raise NoVerdict("nested too deep") from error
    if not isinstance(found, dict):
        raise NoVerdict("not a JSON object")
    if found.keys() != {"analysis", key}:
        raise NoVerdict(f'the keys must be exactly "analysis" and "{key}"')
    if not isinstance(found["analysis"], str):
        raise NoVerdict('"analysis" must be a text')
    return found


def _unfenced(text: str) -> str:
    """What a fence around the whole text holds; the text itself where there is none."""
    if not text.startswith("```"):
        return text
    opening, _, rest = text.partition("\n")
    if opening.strip() not in ("```", "```json") or not rest.endswith("\n```"):
        raise NoVerdict("a fenced block must hold all of the reply and be tagged json")
    return rest[: -len("\n```")]


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NoVerdict("a key appears twice")
    return found


def _no_constant(name: str) -> object:
    raise NoVerdict("NaN and Infinity are not JSON")
