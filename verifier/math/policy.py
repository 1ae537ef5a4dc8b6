"""What counts as the same answer where conventions differ, and the words of a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class MathPolicy:
    """Conventions of one comparison; the defaults are those of the contract's MathPolicy."""

    percent: Literal["scaled", "lenient", "strict"] = "scaled"
    """scaled: 50% is 0.5, and a bare 50 only where units are ignored; lenient: 50%, 50 and
    0.5 are all equal; strict: 50% is only 50%."""
    units: Literal["ignored", "required"] = "ignored"
    """ignored: a unit on one side only is dropped, two different units differ; required:
    both sides carry the same unit."""
    order: Literal["as_written", "any", "kept"] = "as_written"
    """as_written: tuples keep their order, a bare list is a set; any: no order matters;
    kept: a bare list compares in order too."""
    rounding: int = 6
    """Significant digits a decimal must show to stand for a value it rounds to; 0: never."""
    interval_vs_inequality: bool = True
    """`x > 2` may answer for `(2, oo)` and the other way round."""
    free_text: bool = False
    """Take the last formula or number of the text when the response marks no answer."""
    numbers: tuple[int, ...] = ()
    """Countdown: the answer is an arithmetic expression of exactly these; see countdown.py."""

    def __post_init__(self) -> None:
        for name, known in _VALUES.items():
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name}: one of {', '.join(known)}, got {value!r}")
        if type(self.rounding) is not int or not 0 <= self.rounding <= MAX_ROUNDING:
            raise ValueError(f"rounding: 0 to {MAX_ROUNDING}, got {self.rounding!r}")
        if len(self.numbers) > MAX_NUMBERS:
            raise ValueError(f"numbers: at most {MAX_NUMBERS}, got {len(self.numbers)}")
        for place, number in enumerate(self.numbers):
            if type(number) is not int or not 0 <= number < 10**MAX_NUMBER_DIGITS:
                limit = f"whole, of at most {MAX_NUMBER_DIGITS} digits"
                raise ValueError(f"numbers[{place}]: {limit}, got {number!r}")


_VALUES: dict[str, tuple[str, ...]] = {
    "percent": ("scaled", "lenient", "strict"),
    "units": ("ignored", "required"),
    "order": ("as_written", "any", "kept"),
}
MAX_ROUNDING = 1_000
"""Digits. No answer shows more."""

MAX_NUMBERS = 20
"""Of a Countdown problem, which has 3 to 6: values stay below 400 digits."""

MAX_NUMBER_DIGITS = 18
"""Of one of its numbers: what fits 64 bits."""


class Outcome(StrEnum):
    """What a check came to. Only the first two are scores."""

    MATCH = "match"
    NO_MATCH = "no_match"
    NO_ANSWER = "no_answer"
    """The response marks no answer; a wrong answer as far as a score goes."""
    GOLD_UNPARSABLE = "gold_unparsable"
    """No reference can be read: the item is invalid."""
    UNDECIDED = "undecided"
    """Nothing here can tell."""
    TIMEOUT = "timeout"
    """The symbolic step was stopped at its limit."""
    FAILED = "failed"
    """The symbolic step could not be carried out; a failure of ours."""


class Tier(StrEnum):
    """The step that decided, cheapest first."""

    STRING = "string"
    EXACT = "exact"
    STRUCTURE = "structure"
    NUMERIC = "numeric"
    INTERVAL_ARITHMETIC = "interval_arithmetic"
    SYMBOLIC = "symbolic"
