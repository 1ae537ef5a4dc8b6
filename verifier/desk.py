"""What every front has in common: who asks, whether there is room, and the verdicts of a call.

Invariants: exactly one verdict for every item accepted, at its index; a call that ends early
(cancelled, disconnected, past its deadline) takes its unfinished items with it; what does not fit
is refused at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sandbox.v1 import sandbox_pb2 as sb
from verifier import logs, metrics, tracing
from verifier.admission import Admission
from verifier.callers import Caller, Callers, Refused
from verifier.groups import Groups
from verifier.limits import VERDICTS_PER_MESSAGE, Limits
from verifier.schedule import Entry, Schedule, Work
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

BYTES_PER_MESSAGE = 1 << 20
"""A message is sent once it holds so much; some clients accept 4 MiB at most."""

Items = Sequence[pb.Item | Unreadable]
Placed = tuple[int, bytes]
"""A serialised verdict and the place of its item in the call."""


@dataclass
class Desk:
    """Where calls come in, whatever they speak."""

    limits: Limits
    callers: Callers
    admission: Admission
    schedule: Schedule
    about: pb.DescribeResponse
    """What `Describe` answers."""
    sandbox_info: sb.DescribeResponse

    def identify(
        self, metadata: Mapping[str, str], peer: str, certified: str | None = None
    ) -> Caller:
        """Who asks, from a call's metadata and the name in its client's certificate; what is
        logged from here on is about it. Raises Refused."""
        try:
            caller = self.callers.identify(metadata, peer, certified)
        except Refused as refused:
            metrics.REFUSED.labels(refused.code.lower()).inc()
            raise
        logs.asked(caller.name, metadata)
        return caller

    def admit(self, caller: Caller, count: int) -> None:
        """Takes places for so many items. Raises Refused."""
        if not self.admission.try_take(caller, count):
            metrics.REFUSED.labels("items_in_flight").inc()
            why = self.admission.limit(caller, count) or "items_in_flight: there was no room"
            raise Refused("RESOURCE_EXHAUSTED", why, self.admission.retry_seconds(caller, count))
        try:
            self.callers.charge(caller, count)
        except Refused:
            self.admission.give_back(caller, count)
            metrics.REFUSED.labels("quota").inc()
            raise
        metrics.came(caller.name, count)

    async def wait_for_place(self, caller: Caller) -> None:
        """For one item of a stream, which is held up rather than refused: by the bound on items at
        work, and by a quota. Raises Refused where waiting would not help."""
        await self.admission.take(caller, 1)
        try:
            while (wait := self._quota(caller)) is not None:
                await asyncio.sleep(wait)
        except (Refused, asyncio.CancelledError):  # the latter: a stream that ends as it waits
            self.admission.give_back(caller, 1)
            raise
        metrics.came(caller.name, 1)

    def _quota(self, caller: Caller) -> float | None:
        """Counts one item, or says in how many seconds there is room for it. Raises Refused."""
        try:
            self.callers.charge(caller, 1)
        except Refused as refused:
            if refused.retry_seconds <= 0:
                raise
            return refused.retry_seconds
        return None

    async def answers(self, caller: Caller, items: Items) -> AsyncGenerator[list[Placed], None]:
        """The verdicts of items whose places are taken, as they finish.

        To be closed by whoever stops early: what is unfinished goes with it, and its places are
        given back.
        """
        async with Call(self, caller) as call:
            call.admitted(len(items))
            waiting = len(items)
            call.submit(items)
            del items  # a slow reader must not hold the request in memory
            while waiting:
                ready = await call.ready()
                yield ready
                waiting -= len(ready)
                call.delivered(len(ready))

    async def run_program(self, caller: Caller, request: sb.RunRequest) -> sb.RunResult:
        """What a program does, without a verdict, whose place is taken."""
        return sb.RunResult.FromString(await self.answer(caller, request))

    async def answer(self, caller: Caller, item: Work) -> bytes:
        """The serialised verdict of one item whose place is taken."""
        async with Call(self, caller, grouped=False) as call:
            call.admitted(1)
            call.submit([item])
            return (await call.ready())[0][1]


class Call:
    """The items of one call, and the verdicts that are ready.

    Used as `async with`: leaving it withdraws what is unfinished, waits for it to be gone and gives
    its places back, so nothing of a call outlives it.
    """

    def __init__(self, desk: Desk, caller: Caller, grouped: bool = True) -> None:
        self.caller = caller
        self.carrier = tracing.inject()
        self.working: set[Entry] = set()
        self._desk = desk
        self._held = 0
        self._submitted = 0
        self._answered = 0
        self._ready: deque[Placed] = deque()
        self._groups = Groups() if grouped and metrics.served() else None
        self._some = asyncio.Event()

    async def __aenter__(self) -> Call:
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            if self._answered < self._submitted:
                await self._desk.schedule.withdraw({self})
        finally:
            self._desk.admission.give_back(self.caller, self._held)
            if self._groups is not None:
                self._groups.close()

    def admitted(self, count: int) -> None:
        """Hands over places already taken; each is held until its verdict is delivered."""
        self._held += count

    def submit(self, items: Sequence[Work]) -> None:
        """Lets admitted items wait for their turn; their places follow those before."""
        if self._groups is not None:
            self._groups.add(cast("Items", items))  # a program comes alone
        now, first = time.perf_counter(), self._submitted
        self._submitted += len(items)
        self._desk.schedule.submit(
            [Entry(item, first + place, self, now) for place, item in enumerate(items)]
        )

    def put(self, index: int, verdict: bytes, seconds: float) -> None:
        """A verdict that is ready."""
        if self._groups is not None:
            self._groups.told(index, verdict)
        self._answered += 1
        self._ready.append((index, verdict))
        self._some.set()

    async def ready(self) -> list[Placed]:
        """Waits for a verdict; takes along others that are ready."""
        while not self._ready:
            self._some.clear()
            await self._some.wait()
        found, size = list[Placed](), 0
        while self._ready and len(found) < VERDICTS_PER_MESSAGE and size < BYTES_PER_MESSAGE:
            found.append(self._ready.popleft())
            size += len(found[-1][1])
        return found

    def delivered(self, count: int) -> None:
        """Gives back the places of verdicts that the client has taken."""
        self._held -= count
        self._desk.admission.give_back(self.caller, count)
