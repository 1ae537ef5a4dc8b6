"""The slots and the queue before them: the sandbox's control flow on one page.

A request is checked, waits for a free slot in order of arrival, runs in it, and its result goes
back while the slot kills the old jail and warms a new one behind the caller's back.

Invariants: exactly one result, or one exception, for each accepted request; at most `max_queued`
wait, beyond that QueueFull at once; cancelling a request kills its jail; after `close` no process,
cgroup or descriptor of the pool is left.
"""

from __future__ import annotations

import asyncio
import os
import time

from sandbox import limits, uids
from sandbox.cgroup import Hierarchies, ServerGroups
from sandbox.languages import LANGUAGES, python
from sandbox.slot import Slot
from sandbox.v1 import sandbox_pb2 as pb


class QueueFull(Exception):
    """As many requests wait as may; ask again later."""


class Pool:
    """Runs requests in `slots` jails at a time. Belongs to the event loop it was made in."""

    def __init__(self, slots: int, max_queued: int, hierarchies: Hierarchies | None) -> None:
        self.max_queued = max_queued
        self._groups = ServerGroups(hierarchies) if hierarchies else None
        self._free: asyncio.Queue[Slot] = asyncio.Queue()
        self._slots: list[Slot] = []
        self._tasks: set[asyncio.Task[pb.RunResult]] = set()
        self._recycling: set[asyncio.Task[None]] = set()
        self._closed = False
        for _ in range(slots):
            number, users = uids.take(os.getpid())
            group = self._groups.slot(number) if self._groups else None
            slot = Slot(number, users, group)
            self._slots.append(slot)
            slot.prepare(python.LANGUAGE)
            self._free.put_nowait(slot)

    @property
    def slots(self) -> int:
        return len(self._slots)

    @property
    def room(self) -> int:
        """How many more requests would be accepted now."""
        return len(self._slots) + self.max_queued - len(self._tasks)

    def submit(self, request: pb.RunRequest) -> asyncio.Task[pb.RunResult]:
        """Accepts a request at once, or raises QueueFull."""
        if self._closed:
            raise RuntimeError("the sandbox is closed")
        if self.room <= 0:
            raise QueueFull(f"{self.max_queued} requests wait already (max_queued)")
        task = asyncio.create_task(self._serve(request, time.monotonic()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, request: pb.RunRequest, arrived: float) -> pb.RunResult:
        try:
            job = limits.check(request, frozenset(LANGUAGES))
        except limits.InvalidRequest as error:
            return pb.RunResult(id=request.id, status=pb.RunResult.INVALID, message=str(error))
        slot = await self._free.get()
        queued = time.monotonic() - arrived
        try:
            result = await slot.run(job, LANGUAGES[job.language])
        finally:
            recycling = asyncio.create_task(self._recycle(slot))
            self._recycling.add(recycling)
            recycling.add_done_callback(self._recycling.discard)
        result.queued_ms = queued * 1000
        return result

    async def _recycle(self, slot: Slot) -> None:
        try:
            await slot.clear()
            if not self._closed:
                slot.prepare(python.LANGUAGE)
        finally:
            # Also without a warm jail: the next request then tries again, and says what fails.
            self._free.put_nowait(slot)

    async def close(self) -> None:
        """Cancels what runs and waits, and leaves nothing behind."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._recycling, return_exceptions=True)
        for slot in self._slots:
            await slot.clear()
            if slot.group:
                slot.group.close()
            uids.give_back(slot.number)
        if self._groups:
            self._groups.close()
