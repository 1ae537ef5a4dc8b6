"""Whose item is next, control flow on one page.

    submit -> lane -> queue of its caller -> (a turn comes) -> executor -> finished -> Request

Each lane is a resource that items wait for; so many of them are at work in it at once. Within a
lane callers are served in proportion to their weight and by the time that their items take, not by
how many they send (start-time fair queueing: the caller that has had least comes next).

Invariants: an item that was submitted is put to its request once, or its request has withdrawn it;
the event loop is not held for longer than a turn and one item.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from sandbox.v1 import sandbox_pb2 as sb
from verifier import metrics
from verifier.audit.recorder import Recorder
from verifier.callers import Caller
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

log = logging.getLogger(__name__)

TURN_SECONDS = 0.004
"""What others in the event loop may have to wait for their turn."""

CHUNK_SECONDS = 0.002
"""What items that are started together may take where starting them is the whole work."""

LARGEST_CHUNK = 64
"""Items started together."""

LEARNING = 0.05
"""Weight of the newest item in what an item of a lane is expected to take."""

AHEAD_SECONDS = 4.0
"""Work of one caller's for each server of a lane that others may find before them there: what has
been started is served in the order of its coming."""

LEAST_AHEAD = 2
"""Items of one caller's for each server, however long they take: so that none stands idle."""

NEWEST = 0.25
"""Weight of a caller's newest item in what its items take; its first are expected to be slow."""


Carrier = Mapping[str, str]
Work = pb.Item | Unreadable | sb.RunRequest
"""A program without a verdict is what the HTTP front may ask for (SandboxFusion's /run_code): it
waits with the others, and its result stands for the verdict."""


class Owner(Protocol):
    """Whoever waits for verdicts: a call, or the front process."""

    caller: Caller
    working: set[Entry]
    """Its items that have been started and can be withdrawn."""

    @property
    def carrier(self) -> Carrier:
        """Of the trace that its items belong to."""

    def put(self, index: int, verdict: bytes, seconds: float) -> None:
        """Takes a serialised verdict, and what it took."""


class Entry:
    """An item on its way through the schedule."""

    __slots__ = ("attempts", "index", "item", "lane", "owner", "queue", "since", "work")

    def __init__(self, item: Work, index: int, owner: Owner, since: float) -> None:
        self.item, self.index = item, index
        self.owner: Owner | None = owner
        """None once it was withdrawn."""
        self.since = since
        """`time.perf_counter()` from which it waits."""
        self.lane = ""
        self.queue: _Queue | None = None
        self.work: Any = None
        """The executor's own."""
        self.attempts = 0


class Executor(Protocol):
    """Does the work. It calls `finished`, `shifted` or `retry` of its schedule."""

    @property
    def windows(self) -> Mapping[str, int]:
        """Lanes, in the order in which they are served, with the items at work in each."""

    @property
    def servers(self) -> Mapping[str, int]:
        """Of the lanes where items wait again once they are started: how many run at once."""

    def bind(self, schedule: Schedule) -> None:
        """Before anything is started."""

    def lane(self, item: Work) -> str:
        """Where the item waits."""

    def start(self, lane: str, entries: Sequence[Entry]) -> None:
        """Of one caller. May do the work at once."""

    async def withdraw(self, entries: Iterable[Entry]) -> None:
        """Stops work that was started; what is left of it is gone within a second."""


class _Queue:
    """What one caller has in one lane."""

    __slots__ = ("at_work", "entries", "name", "queued", "served", "usual", "weight")

    def __init__(self, caller: Caller, served: float) -> None:
        self.name, self.weight = caller.name, float(caller.priority)
        self.entries: deque[Entry] = deque()
        self.served = served
        """Seconds of work so far over the weight, from where the lane stood when it came."""
        self.at_work = 0
        self.queued = False
        self.usual = AHEAD_SECONDS / LEAST_AHEAD
        """Seconds that its items take."""


class Lane:
    """The items that wait for one resource."""

    def __init__(self, name: str, window: int, servers: int | None = None) -> None:
        self.name, self.window, self.servers = name, window, servers
        self.at_work = 0
        self.waiting = 0
        self._queues: dict[str, _Queue] = {}
        self._order: list[tuple[float, int, _Queue]] = []
        self._ties = itertools.count()
        self._now = 0.0
        self._usual = 0.001

    def push(self, entry: Entry, first: bool = False) -> None:
        """Lets it wait; `first` of its caller's where it has waited before."""
        assert entry.owner is not None
        caller = entry.owner.caller
        queue = self._queues.get(caller.name)
        if queue is None:
            queue = self._queues[caller.name] = _Queue(caller, self._now)
        queue.weight = float(caller.priority)
        entry.lane, entry.queue = self.name, queue
        if first:
            queue.entries.appendleft(entry)
        else:
            queue.entries.append(entry)
        self.waiting += 1
        if not queue.queued:
            self._enqueue(queue)

    def take(self, most: int) -> list[Entry]:
        """The next ones to start, all of one caller; none when there is no room."""
        room = min(most, self.window - self.at_work)
        if room <= 0:
            return []
        while self._order:
            place, _, queue = heapq.heappop(self._order)
            queue.queued = False
            if not queue.entries:
                self._forget(queue)
                continue
            if queue.served > place:  # it has had more meanwhile
                self._enqueue(queue)
                continue
            count = min(room, self._most(queue) - queue.at_work, len(queue.entries))
            if count <= 0:  # `leave` lets it wait again
                continue
            taken = [queue.entries.popleft() for _ in range(count)]
            self._now = max(self._now, queue.served)
            queue.served += len(taken) * self._usual / queue.weight
            queue.at_work += len(taken)
            self.at_work += len(taken)
            self.waiting -= len(taken)
            if queue.entries:
                self._enqueue(queue)
            return taken
        return []

    def enter(self, entry: Entry) -> None:
        """Counts an item that is at work here without having waited here."""
        assert entry.queue is not None
        caller = entry.queue.name
        queue = self._queues.get(caller)
        if queue is None:
            queue = self._queues[caller] = _Queue(Caller(caller), self._now)
            queue.weight = entry.queue.weight
        entry.lane, entry.queue = self.name, queue
        queue.at_work += 1
        self.at_work += 1

    def leave(self, entry: Entry, seconds: float | None) -> None:
        """An item that is no longer at work here, and what it took; None: not known."""
        queue = entry.queue
        assert queue is not None
        self.at_work -= 1
        queue.at_work -= 1
        if seconds is not None:
            queue.served += (seconds - self._usual) / queue.weight
            self._usual += LEARNING * (seconds - self._usual)
            queue.usual += NEWEST * (seconds - queue.usual)
        if queue.entries and not queue.queued:
            self._enqueue(queue)
        self._forget(queue)

    def drop(self, owners: Collection[Owner]) -> None:
        """Forgets what waits for them."""
        for name in {owner.caller.name for owner in owners}:
            queue = self._queues.get(name)
            if queue is not None and queue.entries:
                kept = deque(entry for entry in queue.entries if entry.owner not in owners)
                self.waiting -= len(queue.entries) - len(kept)
                queue.entries = kept
                self._forget(queue)

    def oldest(self) -> float | None:
        """`time.perf_counter()` since when an item has waited here."""
        return min((q.entries[0].since for q in self._queues.values() if q.entries), default=None)

    def _most(self, queue: _Queue) -> int:
        """Items of one caller's at work."""
        if self.servers is None:
            return self.window
        ahead = AHEAD_SECONDS / max(queue.usual, 1e-6)
        return min(self.window, int(self.servers * max(LEAST_AHEAD, ahead)))

    def _enqueue(self, queue: _Queue) -> None:
        queue.queued = True
        # Who comes back to an idle lane has no claim on the time when it wanted nothing.
        queue.served = max(queue.served, self._now)
        heapq.heappush(self._order, (queue.served, next(self._ties), queue))

    def _forget(self, queue: _Queue) -> None:
        if not (queue.at_work or queue.entries or queue.queued):
            self._queues.pop(queue.name, None)


class Schedule:
    """`async with Schedule(executor) as schedule: schedule.submit(...)`."""

    def __init__(self, executor: Executor, recorder: Recorder | None = None) -> None:
        self.executor, self.recorder = executor, recorder
        servers = executor.servers
        self.lanes = {
            name: Lane(name, most, servers.get(name)) for name, most in executor.windows.items()
        }
        self._chunks = dict.fromkeys(self.lanes, 1)
        self._leaving: set[Owner] = set()
        """Those whose waiting items are to be forgotten before any other is started: of thousands
        of calls that end together the queues are looked through once."""
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.on_shift: Callable[[Entry], None] | None = None
        """Told of an item that turns out to be of another kind than rules can do at once."""
        executor.bind(self)

    async def __aenter__(self) -> Schedule:
        self._task = asyncio.create_task(self._serve(), name="schedule")
        self._task.add_done_callback(vital)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def submit(self, entries: Iterable[Entry]) -> None:
        """Lets the items wait for their turn."""
        for entry in entries:
            self.lanes[self.executor.lane(entry.item)].push(entry)
        self._wake.set()

    async def withdraw(self, owners: Collection[Owner]) -> None:
        """Forgets the items of these, those at work too."""
        if not self._leaving:
            asyncio.get_running_loop().call_soon(self._forget)
        self._leaving.update(owners)
        working = [entry for owner in owners for entry in owner.working]
        for entry in working:
            entry.owner = None
        for owner in owners:
            owner.working.clear()
        await self.executor.withdraw(working)

    def set_window(self, lane: str, items: int) -> None:
        """Of items at work in a lane from now on."""
        self.lanes[lane].window = items
        self._wake.set()

    def _forget(self) -> None:
        if self._leaving:
            for lane in self.lanes.values():
                lane.drop(self._leaving)
            self._leaving.clear()

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            began = time.perf_counter()
            while self._start():
                if time.perf_counter() - began > TURN_SECONDS:
                    metrics.TALLY.flush()
                    await asyncio.sleep(0)
                    began = time.perf_counter()
            metrics.TALLY.flush()

    def _start(self) -> bool:
        """Starts some of what there is room for; whether there was any."""
        some = False
        self._forget()
        for name, lane in self.lanes.items():
            if not lane.waiting:
                continue
            entries = lane.take(self._chunks[name])
            if not entries:
                continue
            some = True
            began = time.perf_counter()
            self.executor.start(name, entries)
            slow = time.perf_counter() - began > CHUNK_SECONDS
            chunk = self._chunks[name]
            self._chunks[name] = max(1, chunk // 4) if slow else min(LARGEST_CHUNK, 2 * chunk)
        return some

    # The executor's side.

    def finished(self, entry: Entry, verdict: bytes | None, seconds: float | None) -> None:
        """A verdict, serialised, or a program's result, and what it took; None: the work was
        withdrawn."""
        lane = self.lanes[entry.lane]
        lane.leave(entry, seconds)
        if lane.waiting:
            self._wake.set()
        owner, entry.owner = entry.owner, None
        if owner is None:
            return
        owner.working.discard(entry)
        assert verdict is not None, "only what was withdrawn has none"
        if self.recorder is not None and not isinstance(entry.item, sb.RunRequest):
            self.recorder.put(entry.item, verdict)
        owner.put(entry.index, verdict, seconds or 0.0)

    def shifted(self, entry: Entry, lane: str) -> None:
        """The work turned out to be of another kind, and goes on."""
        self.lanes[entry.lane].leave(entry, None)
        self.lanes[lane].enter(entry)
        self._wake.set()

    def retry(self, entry: Entry, lane: str, seconds: float | None = None) -> None:
        """The work is to be done in another lane, when its turn comes there; and what it took."""
        self.lanes[entry.lane].leave(entry, seconds)
        if entry.owner is not None:
            entry.owner.working.discard(entry)
            self.lanes[lane].push(entry, first=entry.attempts > 0)
            if self.on_shift is not None:
                self.on_shift(entry)
        self._wake.set()


def vital(task: asyncio.Task[None]) -> None:
    """To be called when a task without which calls get no answer is done. After a defect of ours
    there the process had better end, and calls with it, than leave them waiting."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("%s failed, and this process ends", task.get_name(), exc_info=error)
        os.abort()
