"""How long is a response, and is it too long? Pure functions, linear time.

The soft overlong punishment of DAPO (arXiv 2503.14476, equation 13): nothing up
to `max - buffer`, then falling evenly to -1 at `max`, and -1 beyond. The paper
counts tokens, which depend on a tokenizer that an item does not name; here the
length is counted in characters (code points) or in `words`, and `max` is given
in the same unit.

A response that its engine cut off (`meta` of the item has `finish` = `length`)
scores -1 whatever its length here: it was too long in the unit that counted.

Invariant: no text is long in characters and short in words. One of L characters
has (L - 15) / 31 words at least.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

BUFFER_SHARE = 5
"""The buffer is a fifth of `max` where none is given: 4,096 of 20,480 tokens in the paper."""

MOST = 1_000_000_000
"""Of `max` and `buffer`: a thousand times the longest response, and exact in a double."""

WORD_CHARS = 16
"""A run without blanks counts as one word for every so many characters: longer than nearly all
words, and short enough for a character repeated for ever to be many words."""

UNITS = ("characters", "words")
OPTIONS = frozenset({"unit", "max", "buffer"})


@dataclass(frozen=True)
class Result:
    """A part's score, its reason by the name in `Part.Reason`, and what was found."""

    score: float
    reason: str
    detail: str


# Scripts that put no blanks between words, each character of which counts as one. As ranges for
# `re`, which finds words eight times as fast as `regex` does by the scripts' names.
_UNSPACED = (
    "\u0e00-\u0fff"  # Thai, Lao, Tibetan
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\uff66-\uff9f"  # Japanese kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Chinese characters
)
_WORD = re.compile(rf"[^\s{_UNSPACED}]{{1,{WORD_CHARS}}}|[{_UNSPACED}]|\s{{{WORD_CHARS}}}")


def words(text: str) -> list[str]:
    """The words of a text, in order.

    A word is a run without blanks, cut after every 16 characters; one character of
    a script that is written without blanks; or 16 blanks in a row.
    """
    return _WORD.findall(text)


def score(length: int, most: int, buffer: int) -> float:
    """Equation 13 of DAPO. With no buffer, `most` is a hard limit."""
    if length > most:
        return -1.0
    if length <= most - buffer:
        return 0.0
    return (most - buffer - length) / buffer


def check(response: str, options: Mapping[str, str], meta: Mapping[str, str]) -> Result:
    """The punishment of a response under options in which `problem` finds nothing."""
    unit = options.get("unit", UNITS[0])
    most = int(options["max"])
    buffer = int(options.get("buffer", most // BUFFER_SHARE))
    length = len(response) if unit == "characters" else len(words(response))
    detail = f"{length} {unit}, at most {most}"
    if meta.get("finish") == "length":
        return Result(-1.0, "truncated", f"{detail}; cut off by the engine")
    punishment = score(length, most, buffer)
    if punishment < 0:
        return Result(punishment, "overlong", f"{detail}, punished from {most - buffer + 1}")
    return Result(0.0, "within", detail)


def problem(options: Mapping[str, str]) -> str | None:
    """What is wrong with the part's options, naming the option; None when nothing is."""
    unit = options.get("unit", UNITS[0])
    if unit not in UNITS:
        return f"options[unit]: one of {', '.join(UNITS)}, got {unit[:40]!r}"
    if "max" not in options:
        return "options[max]: required by part 'length', got none"
    found = number_problem(options, "max", 1, MOST, whole=True)
    return found or number_problem(options, "buffer", 0, int(options["max"]), whole=True)


_WHOLE = re.compile(r"[0-9]{1,10}")
_DECIMAL = re.compile(r"-?[0-9]{1,10}(?:\.[0-9]{1,10})?")


def number_problem(
    options: Mapping[str, str], name: str, least: float, most: float, *, whole: bool = False
) -> str | None:
    """Why an option is no number from `least` to `most`; None when it is, or is not given."""
    text = options.get(name)
    if text is None:
        return None
    shape, kind = (_WHOLE, "a whole number") if whole else (_DECIMAL, "a number")
    if shape.fullmatch(text) and least <= float(text) <= most:
        return None
    return f"options[{name}]: {kind} from {least:.10g} to {most:.10g}, got {text[:40]!r}"
