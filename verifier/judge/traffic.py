"""How many requests leave, how often, and to which endpoint none does.

All state belongs to one event loop. Invariant: a place is given back on every way out, a
cancelled one included.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum

Clock = Callable[[], float]


class Gate:
    """At most `concurrency` at once, and a turn each 60 / `per_minute` seconds."""

    def __init__(
        self, concurrency: int, per_minute: float | None = None, clock: Clock = time.monotonic
    ) -> None:
        self._places = asyncio.Semaphore(concurrency)
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._clock = clock
        self._next = 0.0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Held while a request is out, and while it waits for its turn."""
        async with self._places:
            yield

    async def turn(self) -> None:
        """Waits until the next request may leave."""
        if self._gap:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + self._gap
            await asyncio.sleep(at - now)


class State(Enum):
    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """Leaves an endpoint alone for `cooldown` seconds after so many failures in a row.

    Then it is half-open: one request goes through, whose success closes it and whose failure
    opens it again. Every `take` is followed by its `told`.
    """

    def __init__(self, failures: int, cooldown: float, clock: Clock = time.monotonic) -> None:
        self._most, self._cooldown, self._clock = failures, cooldown, clock
        self._failures = 0
        self._opened: float | None = None
        self._probing = False

    @property
    def state(self) -> State:
        if self._opened is None:
            return State.CLOSED
        cooled = self._clock() - self._opened >= self._cooldown
        return State.HALF_OPEN if cooled else State.OPEN

    @property
    def admits(self) -> bool:
        state = self.state
        return state is State.CLOSED or (state is State.HALF_OPEN and not self._probing)

    def take(self) -> bool:
        """A request leaves, where the breaker admits it; true for the one that decides."""
        probe = self.state is State.HALF_OPEN
        self._probing |= probe
        return probe

    def told(self, good: bool | None, probe: bool) -> None:
        """A request ended; None where that tells nothing of the endpoint."""
        if probe:
            self._probing = False
        if good:
            self._failures, self._opened = 0, None
        elif good is False:
            self._failures += 1
            # One that left before it opened tells nothing new.
            if probe or (self._opened is None and self._failures >= self._most):
                self._opened = self._clock()
