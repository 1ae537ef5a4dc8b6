"""What every front has in common: who asks, whether there is room, and the verdicts of a call.

Invariants: exactly one verdict for every item accepted, at its index; a call that ends early
(cancelled, disconnected, past its deadline) takes its unfinished items with it; what does not fit
is refused at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sandbox.v1 import sandbox_pb2 as sb
from verifier import logs, metrics, tracing
from verifier.admission import Admission
from verifier.callers import Caller, Callers, Refused
from verifier.groups import Groups
from verifier.limits import VERDICTS_PER_MESSAGE, Limits
from verifier.schedule import Entry, Schedule, Work, vital
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

log = logging.getLogger(__name__)

BYTES_PER_MESSAGE = 1 << 20
"""A message is sent once it holds so much; some clients accept 4 MiB at most."""

STALLED_SECONDS = 60.0
"""A client that takes none of its verdicts for so long may lose its places to others: those of who
reads come back with every message."""

LOOK_SECONDS = 1.0
"""Between two looks for such clients."""

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
    calls: set[Call] = field(default_factory=set)
    """Those that are open."""
    _looked: float = 0.0
    _expiring: set[asyncio.Task[None]] = field(default_factory=set)

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
        room = self.admission.try_take(caller, count)
        if not room and self._expire():
            room = self.admission.try_take(caller, count)
        if not room:
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

    def _expire(self) -> bool:
        """Ends calls whose clients do not read, as others find no room; whether there were any."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        stalled = [call for call in self.calls if call.stalled(now)]
        for call in stalled:
            log.warning("%d places of a call that is not read go to others", call.held)
            call.expire()
            going = self.schedule.withdraw({call})
            task = asyncio.create_task(going, name="withdrawing a call")
            self._expiring.add(task)
            task.add_done_callback(vital)
            task.add_done_callback(self._expiring.discard)
        return bool(stalled)

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
    its places back, so nothing of a call outlives it. Whose client leaves verdicts unread for
    STALLED_SECONDS while others find no room is refused the rest.
    """

    def __init__(self, desk: Desk, caller: Caller, grouped: bool = True) -> None:
        self.caller = caller
        self.carrier = tracing.inject()
        self.working: set[Entry] = set()
        self._desk = desk
        self.held = 0
        """Places taken."""
        self._offered: float | None = None
        """Since when verdicts have been on their way to the client."""
        self._expired = False
        self._submitted = 0
        self._answered = 0
        self._ready: deque[Placed] = deque()
        self._groups = Groups() if grouped and metrics.served() else None
        self._some = asyncio.Event()

    async def __aenter__(self) -> Call:
        self._desk.calls.add(self)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._desk.calls.discard(self)
        try:
            if self._answered < self._submitted:
                await self._desk.schedule.withdraw({self})
        finally:
            self._desk.admission.give_back(self.caller, self.held)
            if self._groups is not None:
                self._groups.close()

    def admitted(self, count: int) -> None:
        """Hands over places already taken; each is held until its verdict is delivered."""
        self.held += count

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
        if self._expired:
            return
        self._ready.append((index, verdict))
        self._some.set()

    def stalled(self, now: float) -> bool:
        """Whether it holds places, and its client has not read for long; `time.monotonic()`."""
        late = self._offered is not None and now - self._offered > STALLED_SECONDS
        return late and self.held > 0

    def expire(self) -> None:
        """Gives its places back; what is not delivered never is."""
        self._expired = True
        self._ready.clear()
        self._some.set()
        self._desk.admission.give_back(self.caller, self.held)
        self.held = 0

    async def ready(self) -> list[Placed]:
        """Waits for a verdict; takes along others that are ready. Raises Refused once the rest went
        unread for too long."""
        while not self._ready:
            if self._expired:
                said = f"nothing was read for {STALLED_SECONDS:g} s while others found no room"
                raise Refused("UNAVAILABLE", said)
            self._some.clear()
            await self._some.wait()
        found, size = list[Placed](), 0
        while self._ready and len(found) < VERDICTS_PER_MESSAGE and size < BYTES_PER_MESSAGE:
            found.append(self._ready.popleft())
            size += len(found[-1][1])
        self._offered = time.monotonic()
        return found

    def delivered(self, count: int) -> None:
        """Gives back the places of verdicts that the client has taken."""
        self._offered = None
        if not self._expired:
            self.held -= count
            self._desk.admission.give_back(self.caller, count)
