"""Items in calls, and which of them are still unanswered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from verifier.v1.verifier_pb2 import Batch, Item, Verdict, Verdicts

BATCH_ITEMS = 512
"""Items sent in one call: enough to make the call's cost vanish."""

BATCH_BYTES = 8 * 1024 * 1024
"""Bytes of items sent in one call, unless one item alone is larger."""

LEAST_ITEMS = 32
"""In one call where items are spread over replicas: fewer would make calls cost more than items."""


class BrokenAnswer(RuntimeError):
    """The server answered what nobody asked, or twice, or not all, and called that the end."""


class Pending:
    """A batch of which some items may be answered: what is sent again is the rest.

    `start` is the place of its first item; `timeout_s` counts from the first sending, None: no end.
    """

    def __init__(self, start: int, batch: Batch, timeout_s: float | None) -> None:
        self._items = batch
        self._places = list(range(start, start + len(batch.items)))
        self._answered = set[int]()
        self._timeout_s = timeout_s
        self._until: float | None = None

    def request(self) -> Batch:
        """The message of the next call: what is unanswered."""
        if self._until is None and self._timeout_s is not None:
            self._until = time.monotonic() + self._timeout_s
        if self._answered:
            left = [n for n in range(len(self._places)) if n not in self._answered]
            self._items = Batch(items=[self._items.items[n] for n in left])
            self._places = [self._places[n] for n in left]
            self._answered = set()
        return self._items

    def seconds_left(self) -> float | None:
        """To the deadline; None without one."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def take(self, message: Verdicts) -> Iterator[tuple[int, Verdict]]:
        """(place, verdict) of an answer to the last request. Raises BrokenAnswer."""
        for indexed in message.verdicts:
            number, verdict = indexed.index, indexed.verdict
            if number >= len(self._places) or number in self._answered:
                why = "answered twice" if number in self._answered else "answered, and never asked"
                raise BrokenAnswer(f"item {number} of {len(self._places)}, {verdict.id!r}: {why}")
            self._answered.add(number)
            yield self._places[number], verdict

    def complete(self) -> bool:
        """Whether all is answered."""
        return len(self._answered) == len(self._places)

    def ended(self) -> None:
        """To be called when a call ended without an error. Raises BrokenAnswer."""
        if not self.complete():
            raise BrokenAnswer(
                f"answered {len(self._answered)} of {len(self._places)} items without an error"
            )


def batches(items: Sequence[Item], replicas: int = 1) -> Iterator[tuple[int, Batch]]:
    """Items as (place of the first, batch), within BATCH_ITEMS and BATCH_BYTES; no more in one than
    each replica's share, so that all have work. Pure."""
    share = -(-len(items) // replicas)
    most = min(BATCH_ITEMS, max(LEAST_ITEMS, share)) if replicas > 1 else BATCH_ITEMS
    start, size, held = 0, 0, list[Item]()
    for item in items:
        more = item.ByteSize()
        if held and (len(held) == most or size + more > BATCH_BYTES):
            yield start, Batch(items=held)
            start, size, held = start + len(held), 0, []
        held.append(item)
        size += more
    if held:
        yield start, Batch(items=held)
