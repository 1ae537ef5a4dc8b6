"""Compares what a program gave with what was expected. Pure.

`tokens`: the same white-space separated tokens on the same lines; blank lines
at the end do not count. `exact`: the same bytes. Values of calls compare as
JSON: numbers by value, but a bool is never a number; NaN equals nothing.

What a program gives is hostile in size and shape: nothing here recurses, holds
more than a line of tokens of it, or parses a text that is too long to be equal.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from itertools import zip_longest

MAX_DEPTH = 500
"""Nesting of a JSON value; the sandbox gives no deeper ones."""

LONGEST_RATIO = 320
"""A JSON text so many times longer than another cannot say the same: the
longest spelling of a number is a float written as an integer, 309 digits."""

_TOKEN = re.compile(rb"\S+")


def tokens(got: bytes, expected: bytes) -> bool:
    """The same tokens line by line, trailing blank lines aside."""
    got, expected = got.rstrip(), expected.rstrip()
    if got == expected:
        return True
    lines = zip_longest(io.BytesIO(got), io.BytesIO(expected))
    return all(_same_line(one, other) for one, other in lines)


def _same_line(got: bytes | None, expected: bytes | None) -> bool:
    if got is None or expected is None:
        return False  # trailing blank lines are gone, so what is left over counts
    if got == expected:
        return True
    pairs = zip_longest(_TOKEN.finditer(got), _TOKEN.finditer(expected))
    return all(a is not None and b is not None and a.group() == b.group() for a, b in pairs)


def exact(got: bytes, expected: bytes) -> bool:
    """The same bytes."""
    return got == expected


CHECKERS: dict[str, Callable[[bytes, bytes], bool]] = {"tokens": tokens, "exact": exact}
DEFAULT_CHECKER = "tokens"


def parse(text: str) -> object:
    """A JSON text as a value. Raises ValueError, also for nesting beyond MAX_DEPTH."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth_exceeds(value):
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    return value


def _depth_exceeds(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for one in level:
            if isinstance(one, list):
                inner.extend(one)
            elif isinstance(one, dict):
                inner.extend(one.values())
        if not inner:
            return False
        level = inner
    return any(isinstance(one, list | dict) for one in level)


def same_json(got: str, expected: str, *, bools_are_numbers: bool = False) -> bool:
    """Do two JSON texts say the same value? `got` may be anything, `expected` must parse.

    `bools_are_numbers` gives Python's own equality, where True == 1.
    """
    if got == expected and "NaN" not in got:
        return True
    if len(got) > LONGEST_RATIO * (len(expected) + 1):
        return False
    try:
        value = parse(got)
    except ValueError:
        return False  # a forged result: the sandbox's driver writes only JSON
    return same_value(value, parse(expected), bools_are_numbers=bools_are_numbers)


def same_value(got: object, expected: object, *, bools_are_numbers: bool = False) -> bool:
    """Equal as JSON values, without recursion: the nesting is the program's choice."""
    pairs = [(got, expected)]
    while pairs:
        left, right = pairs.pop()
        if not bools_are_numbers and (isinstance(left, bool) or isinstance(right, bool)):
            if left is not right:
                return False
        elif isinstance(left, int | float) and isinstance(right, int | float):
            if left != right:
                return False
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pairs.extend((left[key], right[key]) for key in left)
        elif type(left) is not type(right) or left != right:
            return False
    return True
