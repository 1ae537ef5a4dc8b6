"""Compares what a call returned with what was expected. Pure.

Values compare as JSON: numbers by value, but a bool is never a number; NaN
equals nothing; floats within a tolerance only where one is asked for.

What a program gives is hostile in size and shape: nothing here recurses, or
parses a text that is too long to be equal.
"""

from __future__ import annotations

import json

from verifier.code.checkers import Tolerance

MAX_DEPTH = 500
"""Nesting of a JSON value; the sandbox gives no deeper ones."""

LONGEST_RATIO = 320
"""A JSON text so many times longer than another cannot say the same: the
longest spelling of a number is a float written as an integer, 309 digits."""


_SCAN = vars(json.JSONDecoder())["scan_once"]
"""What json.loads comes down to for a text without white space around it, five times as fast."""


def parse(text: str) -> object:
    """A JSON text as a value. Raises ValueError, also for nesting beyond MAX_DEPTH."""
    try:
        value, end = _SCAN(text, 0) if text else (None, -1)
        if end != len(text):
            value = json.loads(text)
    except StopIteration:
        value = json.loads(text)  # says what is wrong
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


def same_json(
    got: str,
    expected: str,
    *,
    bools_are_numbers: bool = False,
    tolerance: Tolerance | None = None,
) -> bool:
    """Do two JSON texts say the same value? `got` may be anything, `expected` must parse.

    `bools_are_numbers` gives Python's own equality, where True == 1; with a `tolerance` numbers
    of which at least one is written as a float may differ by it.
    """
    if got == expected and "NaN" not in got:
        return True
    if len(got) > LONGEST_RATIO * (len(expected) + 1):
        return False
    try:
        value = parse(got)
    except ValueError:
        return False  # a forged result: the sandbox's driver writes only JSON
    return same_value(
        value, parse(expected), bools_are_numbers=bools_are_numbers, tolerance=tolerance
    )


def same_value(
    got: object,
    expected: object,
    *,
    bools_are_numbers: bool = False,
    tolerance: Tolerance | None = None,
) -> bool:
    """Equal as JSON values, without recursion: the nesting is the program's choice."""
    pairs = [(got, expected)]
    while pairs:
        left, right = pairs.pop()
        if not bools_are_numbers and (isinstance(left, bool) or isinstance(right, bool)):
            if left is not right:
                return False
        elif isinstance(left, int | float) and isinstance(right, int | float):
            if left != right and not (tolerance and _close(left, right, tolerance)):
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


def _close(got: float, expected: float, tolerance: Tolerance) -> bool:
    """Two integers are never close, they are equal or not."""
    if not (isinstance(got, float) or isinstance(expected, float)):
        return False
    try:
        return tolerance.close(float(got), float(expected))
    except OverflowError:  # an integer beyond all floats
        return False
