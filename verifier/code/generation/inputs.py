"""What generators are asked for, and what is taken of what they print. Pure.

An input is a text: the standard input of a run, or the JSON list of a call's
arguments. Generators are programs of a model: their output is bounded in
number and size here, and parsed as JSON, nothing else.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from verifier.code import compare
from verifier.limits import MIB

SIZES = ("small", "edge", "random", "large")
ROUNDS = 2
"""Runs of one generator for each size, each with a seed of its own."""

INPUTS_PER_TEST = 5
"""Inputs asked for, for each test wanted: most are dropped on the way or left over."""

MAX_LARGE = 2
"""Large inputs asked for in one run: each may have megabytes, and few of them fit an item."""

MAX_INPUTS_PER_RUN = 64
"""Taken of one run's inputs; the rest is more of the same."""

MAX_INPUT_BYTES = 4 * MIB
"""One input: the largest of contests, 10^6 numbers, have less in all but a few problems."""

MAX_TOTAL_BYTES = 64 * MIB
"""All inputs of one problem, held in memory with each solution's output for them."""


def hints(seed: int, place: int, generators: int, tests: int) -> list[bytes]:
    """The standard input of each run of one of several generators; no two have the same seed."""
    runs = len(SIZES) * ROUNDS
    count = math.ceil(INPUTS_PER_TEST * tests / (generators * runs))
    count = min(max(count, 5), MAX_INPUTS_PER_RUN)
    return [
        json.dumps(
            {
                "seed": seed + place * runs + number,
                "size": size,
                "count": min(count, MAX_LARGE) if size == "large" else count,
            }
        ).encode()
        for number, size in enumerate(SIZES * ROUNDS)
    ]


def parse(printed: bytes, calls: bool) -> list[str]:
    """The inputs that a generator printed. Raises ValueError with what a model can act on."""
    try:
        value = compare.parse(printed.decode())
    except ValueError as error:
        raise ValueError(f"its output is not one JSON list: {error}") from None
    if not isinstance(value, list):
        raise ValueError(f"its output is not a JSON list but a {type(value).__name__}")
    if not value:
        raise ValueError("it printed an empty list")
    return [_input(place, one, calls) for place, one in enumerate(value[:MAX_INPUTS_PER_RUN])]


def _input(place: int, value: object, calls: bool) -> str:
    wanted = list if calls else str
    if not isinstance(value, wanted):
        kind = "list of arguments" if calls else "string"
        raise ValueError(f"element {place} of its list is no {kind} but a {type(value).__name__}")
    try:
        text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        text.encode()
    except ValueError as error:  # NaN, or half of a surrogate pair
        raise ValueError(f"element {place} of its list cannot be used: {error}") from None
    return text


def gather(runs: Iterable[Sequence[str]]) -> tuple[list[str], Counter[str]]:
    """Each input once, and why others were dropped.

    One of each run in turn, so that what does not fit is the rest of long runs
    and not the last generator.
    """
    kept: list[str] = []
    dropped: Counter[str] = Counter()
    seen: set[str] = set()
    total = 0
    for turn in zip_longest(*runs):
        for text in turn:
            if text is None:
                continue
            size = len(text.encode())
            if text.rstrip() in seen:
                dropped["duplicate"] += 1
            elif size > MAX_INPUT_BYTES:
                dropped["too_large"] += 1
            elif total + size > MAX_TOTAL_BYTES:
                dropped["over_budget"] += 1
            else:
                seen.add(text.rstrip())
                kept.append(text)
                total += size
    return kept, dropped
