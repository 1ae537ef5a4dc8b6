"""Compares a program's standard output with the expected one. Pure.

`tokens`: the same white-space separated tokens on the same lines; blank lines
at the end do not count. `words`: the same tokens, wherever lines break.
`exact`: the same bytes. `lines`: the same lines but for white space at their
ends and blank lines at the end. `case_insensitive`: as `tokens`, ASCII letters
of either case. `unordered_lines`: the same lines of tokens in any order, blank
ones aside. `floats`: as `tokens`, where a decimal number may differ by the
tolerance; two integers compare exactly, since a count has no rounding error,
and NaN equals nothing. `lcb`: what LiveCodeBench's official grader accepts
(`grade_stdio`): stripped lines that are equal as text, or token by token as
decimal numbers without any tolerance.

What a program gives is hostile in size and shape: nothing here recurses, takes
more than linear time, or reads a number with more digits than NUMBER_CHARS.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import zip_longest

Checker = Callable[[bytes, bytes], bool]
"""(got, expected) -> accepted."""

NUMBER_CHARS = 400
"""Longest token read as a number: a float has 309 digits before the point, at most."""

_TOKEN = re.compile(rb"\S+")
_INTEGER = re.compile(rb"[+-]?[0-9]+")
_DECIMAL = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_NAN = re.compile(rb"[+-]?nan", re.IGNORECASE)


@dataclass(frozen=True)
class Tolerance:
    """Two numbers are the same when |got - expected| <= absolute or <= relative x |expected|."""

    absolute: float = 1e-6
    relative: float = 1e-6

    def close(self, got: float, expected: float) -> bool:
        """NaN is close to nothing, infinity to itself alone."""
        if math.isinf(got) or math.isinf(expected):
            return got == expected
        return abs(got - expected) <= max(self.absolute, self.relative * abs(expected))


def exact(got: bytes, expected: bytes) -> bool:
    """The same bytes."""
    return got == expected


def lines(got: bytes, expected: bytes) -> bool:
    """The same lines, white space at their ends and blank lines at the end aside."""
    return got == expected or _paired(
        (line.rstrip() for line in io.BytesIO(got.rstrip())),
        (line.rstrip() for line in io.BytesIO(expected.rstrip())),
        lambda one, other: one == other,
    )


def tokens(got: bytes, expected: bytes) -> bool:
    """The same tokens line by line, trailing blank lines aside."""
    return _by_tokens(got, expected, lambda one, other: one == other)


def words(got: bytes, expected: bytes) -> bool:
    """The same tokens, wherever lines break."""
    return got == expected or _paired(
        (token.group() for token in _TOKEN.finditer(got)),
        (token.group() for token in _TOKEN.finditer(expected)),
        lambda one, other: one == other,
    )


def case_insensitive(got: bytes, expected: bytes) -> bool:
    """As `tokens`, ASCII letters of either case."""
    return tokens(got.lower(), expected.lower())


def unordered_lines(got: bytes, expected: bytes) -> bool:
    """The same lines of tokens, as often, in any order."""
    if got == expected:
        return True
    if _is_padding(got, expected):
        return False
    missing = Counter(_filled_lines(expected))
    for line in _filled_lines(got):
        if missing[line] == 0:
            return False
        missing[line] -= 1
    return not any(missing.values())


def _filled_lines(text: bytes) -> Iterator[bytes]:
    squeezed = (b" ".join(line.split()) for line in io.BytesIO(text))
    return (line for line in squeezed if line)


def floats(tolerance: Tolerance) -> Checker:
    """As `tokens`, numbers within the tolerance."""

    def same(got: bytes, expected: bytes) -> bool:
        if _NAN.fullmatch(expected):
            return False
        if got == expected:
            return True
        if len(got) > NUMBER_CHARS or len(expected) > NUMBER_CHARS:
            return False
        if _INTEGER.fullmatch(got) and _INTEGER.fullmatch(expected):
            return int(got) == int(expected)
        if not (_DECIMAL.fullmatch(got) and _DECIMAL.fullmatch(expected)):
            return False
        one, other = float(got), float(expected)
        # What is too large for a float is infinite, and equal to all that is too large.
        return math.isfinite(one) and math.isfinite(other) and tolerance.close(one, other)

    def check(got: bytes, expected: bytes) -> bool:
        return _by_tokens(got, expected, same, equal_is_same=b"nan" not in expected.lower())

    return check


def lcb(got: bytes, expected: bytes) -> bool:
    """As LiveCodeBench's grader compares: stripped lines, equal or equal as decimals."""
    if _is_padding(got, expected):
        return False
    one, other = (text.decode("utf-8", "replace").strip() for text in (got, expected))
    if one == other:
        return True
    if one.count("\n") != other.count("\n"):
        return False
    return all(map(_same_for_lcb, one.split("\n"), other.split("\n")))


def _same_for_lcb(got: str, expected: str) -> bool:
    got, expected = got.strip(), expected.strip()
    if got == expected:
        return True
    pairs = zip_longest(_WORD.finditer(got), _WORD.finditer(expected))
    try:
        return all(
            a is not None and b is not None and _decimal(a.group()) == _decimal(b.group())
            for a, b in pairs
        )
    except (InvalidOperation, ValueError):  # the grader stops with an error: not accepted
        return False


def _decimal(word: str) -> Decimal:
    if len(word) > DECIMAL_CHARS:
        raise ValueError("too long")
    return Decimal(word)


_WORD = re.compile(r"\S+")

DECIMAL_CHARS = 1 << 20
"""Longest token read as a decimal number, in some milliseconds."""

PADDING = 16
PADDING_BYTES = 1 << 20
"""An output so many times longer than the expected one, and longer than this, is another."""


def _is_padding(got: bytes, expected: bytes) -> bool:
    return len(got) > PADDING_BYTES + PADDING * len(expected)


def _by_tokens(
    got: bytes,
    expected: bytes,
    same: Callable[[bytes, bytes], bool],
    equal_is_same: bool = True,
) -> bool:
    """`equal_is_same`: nothing in it differs from itself."""
    got, expected = got.rstrip(), expected.rstrip()
    if equal_is_same and got == expected:
        return True

    def same_line(one: bytes, other: bytes) -> bool:
        if equal_is_same and one == other:
            return True
        return _paired(
            (token.group() for token in _TOKEN.finditer(one)),
            (token.group() for token in _TOKEN.finditer(other)),
            same,
        )

    return _paired(iter(io.BytesIO(got)), iter(io.BytesIO(expected)), same_line)


def _paired(
    got: Iterator[bytes], expected: Iterator[bytes], same: Callable[[bytes, bytes], bool]
) -> bool:
    """As many of both, and each pair the same."""
    return all(
        one is not None and other is not None and same(one, other)
        for one, other in zip_longest(got, expected)
    )


CHECKERS: dict[str, Callable[[Tolerance], Checker]] = {
    "tokens": lambda _: tokens,
    "words": lambda _: words,
    "exact": lambda _: exact,
    "lines": lambda _: lines,
    "floats": floats,
    "unordered_lines": lambda _: unordered_lines,
    "case_insensitive": lambda _: case_insensitive,
    "lcb": lambda _: lcb,
}
"""By the name a task gives; a tolerance matters to `floats` alone."""

DEFAULT_CHECKER = "tokens"
