"""Which constraints there are, and what arguments each takes. Pure.

`read` turns a constraint's id and the JSON text of its arguments into a check
that only wants a text, or says what is wrong with them. IFEval makes up an
argument that is missing or out of range; a verdict must not rest on chance, so
here that is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TypeAlias

from verifier.instructions import constraints, languages

KWARGS_CHARS = 65_536
"""Arguments of one constraint: a long request to repeat fits many times."""

KWARGS_DEPTH = 2
"""An object with lists in it; nothing deeper is ever read."""

MAX_COUNT = 1 << 20
"""A number asked for: no response of 1 MiB has more of anything."""

KEYWORDS = 32
"""Keywords of one constraint, each of which is one search of the response; IFEval has 12."""

KEYWORD_CHARS = 200
"""A keyword, marker or splitter: the time of a search may grow with its length."""

SHOWN_CHARS = 80
"""What a message quotes of what was received."""

READ_KEPT = 256
"""Constraints kept as read: a prompt's many samples come with the same ones."""

Check: TypeAlias = Callable[[str], str | None]
"""None when a text follows the constraint, else what was found."""

Value: TypeAlias = int | str | tuple[str, ...]
Reader: TypeAlias = Callable[[object], Value]


class _Refused(ValueError):
    """What an argument has to be."""


@dataclass(frozen=True)
class Rule:
    """A checker and how each of its arguments is read."""

    check: Callable[..., str | None]
    arguments: Mapping[str, Reader] = field(default_factory=dict)


@dataclass(frozen=True)
class Unreadable:
    """Where in the constraint, and why."""

    place: str
    why: str


def read(identifier: str, kwargs: str) -> Check | Unreadable:
    """The check that a constraint asks for."""
    if identifier not in RULES:
        return Unreadable("id", f"one of {', '.join(RULES)}, got {_shown(identifier)}")
    if len(kwargs) > KWARGS_CHARS:
        return Unreadable("kwargs", f"at most {KWARGS_CHARS} characters, got {len(kwargs)}")
    return _read(identifier, kwargs)


@lru_cache(maxsize=READ_KEPT)
def _read(identifier: str, kwargs: str) -> Check | Unreadable:
    rule = RULES[identifier]
    given = _object(kwargs)
    if isinstance(given, Unreadable):
        return given
    unknown = [name for name in given if name not in rule.arguments]
    if unknown:
        takes = ", ".join(rule.arguments) or "no arguments"
        return Unreadable("kwargs", f"{identifier} takes {takes}, got {_shown(unknown[0])}")
    values: dict[str, Value] = {}
    for name, reader in rule.arguments.items():
        if name not in given:
            return Unreadable(f"kwargs.{name}", f"required by {identifier}, got none")
        try:
            values[name] = reader(given[name])
        except _Refused as refused:
            return Unreadable(f"kwargs.{name}", f"{refused}, got {_shown(given[name])}")
    nth, most = values.get("nth_paragraph"), values.get("num_paragraphs")
    if isinstance(nth, int) and isinstance(most, int) and nth > most:
        return Unreadable("kwargs.nth_paragraph", f"at most num_paragraphs, {most}, got {nth}")
    return partial(rule.check, **values)


def _object(kwargs: str) -> dict[str, object] | Unreadable:
    """The arguments that are not null."""
    if constraints.deeper_than(kwargs, KWARGS_DEPTH):
        return Unreadable("kwargs", f"brackets nested at most {KWARGS_DEPTH} deep, got more")
    try:
        given = json.loads(kwargs)
    except ValueError as error:
        return Unreadable("kwargs", f"a JSON object, got {_shown(kwargs)} ({error})")
    if not isinstance(given, dict):
        return Unreadable("kwargs", f"a JSON object, got {_shown(kwargs)}")
    return {name: value for name, value in given.items() if value is not None}


def _shown(value: object) -> str:
    text = repr(value[:SHOWN_CHARS] if isinstance(value, str) else value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."


def _number(low: int) -> Reader:
    def read_number(value: object) -> int:
        # Tables store a column of numbers with gaps as floats: 3.0 is a 3.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= MAX_COUNT:
            raise _Refused(f"a whole number from {low} to {MAX_COUNT}")
        return value

    return read_number


def _text(most: int) -> Reader:
    def read_text(value: object) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            raise _Refused(f"a text of 1 to {most} characters, not blank")
        return value

    return read_text


def _keywords(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= KEYWORDS:
        raise _Refused(f"a list of 1 to {KEYWORDS} texts")
    for word in value:
        if not isinstance(word, str) or not word or len(word) > KEYWORD_CHARS:
            raise _Refused(f"a list of texts of 1 to {KEYWORD_CHARS} characters")
    return tuple(value)


def _letter(value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or len(value.strip().lower()) != 1:
        raise _Refused("one character, not blank")
    return value


def _one_of(*names: str) -> Reader:
    def read_name(value: object) -> str:
        if not isinstance(value, str) or value not in names:
            raise _Refused(f"one of {', '.join(names)}")
        return value

    return read_name


_COUNT = _number(0)
_PLACE = _number(1)
_RELATION = _one_of("less than", "at least")
_WORD = _text(KEYWORD_CHARS)
_PASSAGE = _text(KWARGS_CHARS)

RULES: dict[str, Rule] = {
    "keywords:existence": Rule(constraints.existence, {"keywords": _keywords}),
    "keywords:frequency": Rule(
        constraints.frequency, {"keyword": _WORD, "frequency": _COUNT, "relation": _RELATION}
    ),
    "keywords:forbidden_words": Rule(constraints.forbidden_words, {"forbidden_words": _keywords}),
    "keywords:letter_frequency": Rule(
        constraints.letter_frequency,
        {"letter": _letter, "let_frequency": _COUNT, "let_relation": _RELATION},
    ),
    "language:response_language": Rule(
        constraints.response_language, {"language": _one_of(*languages.known())}
    ),
    "length_constraints:number_sentences": Rule(
        constraints.number_sentences, {"num_sentences": _COUNT, "relation": _RELATION}
    ),
    "length_constraints:number_paragraphs": Rule(
        constraints.number_paragraphs, {"num_paragraphs": _COUNT}
    ),
    "length_constraints:number_words": Rule(
        constraints.number_words, {"num_words": _COUNT, "relation": _RELATION}
    ),
    "length_constraints:nth_paragraph_first_word": Rule(
        constraints.nth_paragraph_first_word,
        {"num_paragraphs": _PLACE, "nth_paragraph": _PLACE, "first_word": _WORD},
    ),
    "detectable_content:number_placeholders": Rule(
        constraints.number_placeholders, {"num_placeholders": _COUNT}
    ),
    "detectable_content:postscript": Rule(constraints.postscript, {"postscript_marker": _WORD}),
    "detectable_format:number_bullet_lists": Rule(
        constraints.number_bullet_lists, {"num_bullets": _COUNT}
    ),
    "detectable_format:constrained_response": Rule(constraints.constrained_response),
    "detectable_format:number_highlighted_sections": Rule(
        constraints.number_highlighted_sections, {"num_highlights": _COUNT}
    ),
    "detectable_format:multiple_sections": Rule(
        constraints.multiple_sections, {"section_spliter": _WORD, "num_sections": _COUNT}
    ),
    "detectable_format:json_format": Rule(constraints.json_format),
    "detectable_format:title": Rule(constraints.title),
    "combination:two_responses": Rule(constraints.two_responses),
    "combination:repeat_prompt": Rule(constraints.repeat_prompt, {"prompt_to_repeat": _PASSAGE}),
    "startend:end_checker": Rule(constraints.end_checker, {"end_phrase": _PASSAGE}),
    "change_case:capital_word_frequency": Rule(
        constraints.capital_word_frequency,
        {"capital_frequency": _COUNT, "capital_relation": _RELATION},
    ),
    "change_case:english_capital": Rule(constraints.english_capital),
    "change_case:english_lowercase": Rule(constraints.english_lowercase),
    "punctuation:no_comma": Rule(constraints.no_comma),
    "startend:quotation": Rule(constraints.quotation),
}
