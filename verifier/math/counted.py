"""A number with words for what is counted: "5 eggs per day", "exactly 25", "Day 7".

Asked only about texts that the parser refuses, so that nothing with a reading of its own
gets a second one.

Invariants:
- No word that hedges, negates, bounds, scales or names another number, no single letter
  and no second number: with one of these there is no value.
- Linear in the text; over MAX_COUNTED_CHARS there is no value.
"""

from __future__ import annotations

import re

from verifier.math.syntax.vocabulary import MULTIPLES, NO_UNIT, PERCENT, SCALING, word_set
from verifier.math.units import canonical

MAX_COUNTED_CHARS = 120
"""A number and what it counts take one short line."""

_COUNTED = re.compile(
    r"(?:(?P<whole>exactly|just|a total of|total of|in total,?|altogether,?)\s"
    r"|(?P<place>day|week|month|year|round|level|stage|number)\s)?"
    r"(?P<number>\$?-?\d[\d,]{0,20}(?:\.\d{1,20})?(?:/\d{1,20})?\$?)"
    r"(?P<words>(?:\s[a-z]+(?:-[a-z]+)?){0,8}(?:/[a-z]{3,})?)[.!]?",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s(?:in (?:total|all)|altogether|total|left(?: over)?|leftover|remaining|remain|exactly"
    r"|(?P<part>of the(?: [a-z]+){1,4})|(?:per|an?|each|every) "
    r"(?:day|week|month|year|hour|minute|second|person|student|child|box|group))$",
    re.IGNORECASE,
)
_ALTERS = (
    SCALING - word_set("of in per to at on left")
    | NO_UNIT
    | MULTIPLES.keys()
    | PERCENT
    | word_set(
        """
        more less fewer greater larger smaller bigger least most about around approximately roughly
        nearly almost close up above below under between another also twice double triple thrice
        times only any some every possible possibly may might could can cannot never whenever
        except suppose assume let guess opposite reciprocal inverse square root cube power base
        point digits factor way too far off short away ago degrees radians both each remainder
        until before after since because while as like other others extra additional already yet
        still bound maximum minimum cents percent pi
        """
    )
)
"""Words that make the number another one, or no answer."""


def number_in(text: str) -> str | None:
    """The number, with its unit or what it counts; None where the words could alter it."""
    if len(text) > MAX_COUNTED_CHARS:
        return None
    found = _COUNTED.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    number, words = found["number"].replace("$", ""), found["words"]
    if "$" in found["number"] and found["number"].count("$") != 2:
        return None  # an amount of money is no bare number
    if found["place"]:
        return None if words else number
    spaced = words.replace("/", " per ")
    tail = _TAIL.search(spaced)
    rest = (spaced[: tail.start()] if tail else spaced).strip()
    part = tail["part"] or "" if tail else ""
    spoken = re.findall(r"[a-z]+", f"{rest} {part}".lower())
    if not _ALTERS.isdisjoint(spoken) or any(len(word) == 1 for word in spoken):
        return None
    if not rest:
        return number if found["whole"] or tail else None
    first = rest.lower().partition(" ")[0]
    if first in ("of", "in", "per", "to", "at", "on", "left") and not canonical(rest)[1]:
        return None
    return f"{number}\\text{{ {rest}}}"
