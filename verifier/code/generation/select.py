"""Which of the valid tests are kept. Pure, and the same for the same candidates.

First a greedy set cover: the test that fails the most wrong solutions that no
test kept so far fails, the smallest of equals. Then one test of each size in
turn (sizes count by powers of two), those that fail wrong solutions first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    size: int
    """Bytes of input and expected output together."""
    fails: frozenset[int]
    """The wrong solutions that this test rejects."""


def select(candidates: Sequence[Candidate], most: int, most_bytes: int) -> list[int]:
    """Places of the kept candidates, in the order of the rules; at most `most`, and `most_bytes`
    in all."""
    kept: list[int] = []
    left = dict(enumerate(candidates))
    room = most_bytes

    def keep(place: int) -> None:
        nonlocal room
        kept.append(place)
        room -= left.pop(place).size

    uncaught = frozenset[int]().union(*(one.fails for one in candidates))
    while uncaught and len(kept) < most:
        fitting = [place for place, one in left.items() if one.size <= room]
        best = max(
            fitting, key=lambda p: (len(left[p].fails & uncaught), -left[p].size, -p), default=None
        )
        if best is None or not left[best].fails & uncaught:
            break
        uncaught -= left[best].fails
        keep(best)
    buckets: defaultdict[int, list[int]] = defaultdict(list)
    for place in sorted(left, key=lambda p: (-len(left[p].fails), p)):
        buckets[left[place].size.bit_length()].append(place)
    while len(kept) < most and any(buckets.values()):
        for size in sorted(buckets):
            if buckets[size] and len(kept) < most:
                place = buckets[size].pop(0)
                if left[place].size <= room:
                    keep(place)
    return kept


def outvoted(agrees: Sequence[bool]) -> int | None:
    """Which one of several solutions stands alone; None where votes cannot tell.

    `agrees` says of each solution after the first whether it agrees with the first.
    """
    if len(agrees) < 2:
        return None
    if not any(agrees):
        return 0
    return agrees.index(False) + 1 if agrees.count(False) == 1 else None
