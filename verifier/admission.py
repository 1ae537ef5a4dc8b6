"""Bounds the items at work over all callers, and keeps some of the room for each of them.

Invariants: at most `most` places are taken; the last quarter of them goes only to callers below an
equal share, so that one caller cannot keep another out; what is refused is told when to come again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque

from verifier.callers import NEVER, Caller

CROWDED = 0.75
"""Share of the places that is given to whoever comes first."""

WANTING_SECONDS = 5.0
"""Who was refused counts as a contender for so long: it comes again."""

LOOK_SECONDS, RATE_SECONDS = 0.25, 5.0
"""Between two looks at how fast places are given back, and how far they go back."""

SOONEST, USUAL, LATEST = 0.1, 1.0, 10.0
"""Seconds after which a refused caller is told to come again: the middle one where no place has
been given back of late."""

JITTER = 0.2
"""Of them, at random: what was refused together must not come again together."""


class Places:
    """A counter with a bound."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def try_take(self, count: int) -> bool:
        if self.taken + count > self.most:
            return False
        self.taken += count
        return True

    def give_back(self, count: int) -> None:
        self.taken -= count


class Admission:
    """The places of items that are accepted and not yet delivered."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        self._held: dict[str, int] = {}
        self._wanting: dict[str, float] = {}
        self._freed = asyncio.Event()
        self._given_back = 0
        self._looks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def try_take(self, caller: Caller, count: int) -> bool:
        if not count:  # an empty batch holds nothing, and makes nobody a contender
            return True
        if self.limit(caller, count) is not None:
            if caller.name not in self._held:
                self._wanting[caller.name] = time.monotonic()
            return False
        if not self.taken:  # idle time says nothing of the rate
            self._looks = deque([(time.monotonic(), self._given_back)])
        self.taken += count
        self._held[caller.name] = self._held.get(caller.name, 0) + count
        self._wanting.pop(caller.name, None)
        return True

    async def take(self, caller: Caller, count: int) -> None:
        """Waits for room."""
        while not self.try_take(caller, count):
            self._freed.clear()
            await self._freed.wait()

    def give_back(self, caller: Caller, count: int) -> None:
        if not count:
            return
        self.taken -= count
        left = self._held[caller.name] - count
        if left:
            self._held[caller.name] = left
        else:
            del self._held[caller.name]
        self._given_back += count
        now = time.monotonic()
        if now - self._looks[-1][0] >= LOOK_SECONDS:
            self._look(now)
        self._freed.set()

    def limit(self, caller: Caller, count: int) -> str | None:
        """Why `count` more of this caller's find no room; None where they do."""
        mine = self._held.get(caller.name, 0)
        more = f"{count} more came"
        own = caller.items_in_flight
        if own is not None and mine + count > own:
            return (
                f"items_in_flight of {caller.name!r}: at most {own}, {mine} are at work and {more}"
            )
        if self.taken + count > self.most:
            return f"items_in_flight: at most {self.most}, {self.taken} are at work and {more}"
        if self.taken + count > CROWDED * self.most:
            share = self.most // self._contenders(caller)
            if mine + count > share:
                return (
                    f"items_in_flight: at most {share} of {self.most} for each caller while others "
                    f"wait, {mine} are at work and {more}"
                )
        return None

    def retry_seconds(self, caller: Caller, count: int) -> float:
        """When so many may find room, by how fast places were given back of late; NEVER where they
        are more than there will ever be for this caller."""
        own = caller.items_in_flight
        if count > (self.most if own is None else min(own, self.most)):
            return NEVER
        now = time.monotonic()
        self._look(now)
        since, before = self._looks[0]
        given_back = self._given_back - before
        wait = count * (now - since) / given_back if given_back else USUAL
        spread = 1 + random.uniform(-JITTER, JITTER)
        return min(LATEST, max(SOONEST, wait) * spread)

    def _look(self, now: float) -> None:
        while len(self._looks) > 1 and self._looks[1][0] <= now - RATE_SECONDS:
            self._looks.popleft()
        self._looks.append((now, self._given_back))

    def _contenders(self, caller: Caller) -> int:
        now = time.monotonic()
        for name, since in list(self._wanting.items()):
            if now - since > WANTING_SECONDS:
                del self._wanting[name]
        return len(self._held.keys() | self._wanting.keys() | {caller.name})
