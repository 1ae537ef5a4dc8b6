"""The slots and the queue before them: the sandbox's control flow on one page.

A request is checked, waits for a free slot in order of arrival, runs in it, and its result goes
back; a slot whose jail is spent replaces it behind the caller's back.

Invariants: exactly one result, or one exception, for each accepted request; at most `max_queued`
wait, beyond that QueueFull at once; cancelling a request kills its jail; after `close` no process,
cgroup, directory or descriptor of the pool is left.
"""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sandbox import limits, tracing, uids
from sandbox.cgroup import Hierarchies, ServerGroups, start_time
from sandbox.compiling import Compiler
from sandbox.languages import Toolchains, python
from sandbox.launch import Confinement, Room, Users
from sandbox.seat import Seat, Zygote
from sandbox.slot import COMPILING, JUDGING, PACKAGES, SPAWNED, Slot
from sandbox.v1 import sandbox_pb2 as pb

# Directories of tiers 1 and 2: this, the server's pid and start time.
WORK = "touchstone-work-"


class QueueFull(Exception):
    """As many requests wait as may; ask again later."""


class Occupancy:
    """How many slots are at work, and have been."""

    def __init__(self) -> None:
        self.busy = 0
        self._seconds, self._since = 0.0, time.monotonic()

    def add(self, count: int) -> None:
        self._seconds, self._since = self.seconds, time.monotonic()
        self.busy += count

    @property
    def seconds(self) -> float:
        """Slot-seconds of work so far."""
        return self._seconds + self.busy * (time.monotonic() - self._since)


class Rooms:
    """Hands out the places where jails live: user ids, cgroups, directories."""

    def __init__(self, confinement: Confinement, hierarchies: Hierarchies | None) -> None:
        self.confinement = confinement
        self._groups = ServerGroups(hierarchies) if hierarchies else None
        self._numbers: list[int] = []
        self._work = ""
        if confinement.tier < 3:
            sweep(Path(tempfile.gettempdir()))
            own = f"{WORK}{os.getpid()}-{start_time(os.getpid())}-"
            self._work = tempfile.mkdtemp(prefix=own)
            Path(self._work).chmod(0o711)

    def users(self) -> tuple[int, Users]:
        """A number no other place of this process has, and its user ids."""
        if self.confinement.users == 1:
            number = len(self._numbers)
            self._numbers.append(number)
            return number, Users(0, 0)
        number, users = uids.take(os.getpid())
        self._numbers.append(number)
        return number, users

    def make(self, name: str, users: Users) -> Room:
        work = ""
        if self._work:
            work = f"{self._work}/{name}"
            Path(f"{work}/box").mkdir(parents=True)
        group = self._groups.make(name) if self._groups else None
        return Room(self.confinement, users, group, work)

    def close(self) -> None:
        if self._groups:
            self._groups.close()
        if self._work:
            shutil.rmtree(self._work)
        if self.confinement.users == 2:
            for number in self._numbers:
                uids.give_back(number)


def sweep(folder: Path) -> None:
    """Removes the directories of servers of this user that are gone."""
    for path in folder.glob(f"{WORK}*-*-*"):
        pid, started = path.name.removeprefix(WORK).split("-")[:2]
        if path.stat().st_uid == os.geteuid() and start_time(int(pid)) != started:
            shutil.rmtree(path, ignore_errors=True)


def seats(rooms: Rooms, toolchains: Toolchains) -> Callable[[int, Users, str], Seat]:
    """What makes a slot's seat of one of the kinds of slot.py."""
    language, confinement = toolchains.found["python"], rooms.confinement

    def make(number: int, users: Users, kind: str) -> Seat:
        room = rooms.make(f"slot-{number}-{kind}", users)
        if kind in (SPAWNED, COMPILING, JUDGING):
            return Seat(room, Zygote((), b"", toolchains.shown))
        packages = toolchains.packages if kind == PACKAGES else python.Packages()
        first = python.hello(confinement.users == 1, confinement.tier == 1, room.tmp, packages)
        memory = python.PACKAGES_BYTES if packages.names else language.memory_bytes
        return Seat(
            room, Zygote(language.zygote, first, (*language.shown, *packages.shown), memory)
        )

    return make


class Pool:
    """Runs requests in `slots` slots at a time. Belongs to the event loop it was made in."""

    def __init__(
        self,
        slots: int,
        max_queued: int,
        confinement: Confinement,
        hierarchies: Hierarchies | None,
        toolchains: Toolchains,
    ) -> None:
        self.max_queued = max_queued
        self.occupancy = Occupancy()
        self._toolchains = toolchains
        self._rooms = Rooms(confinement, hierarchies)
        self._compiler = Compiler(lambda name: self._rooms.make(name, self._rooms.users()[1]))
        self._free: asyncio.Queue[Slot] = asyncio.Queue()
        self._slots: list[Slot] = []
        self._tasks: set[asyncio.Task[pb.RunResult]] = set()
        self._tidying: set[asyncio.Task[None]] = set()
        self._closed = False
        make_seat = seats(self._rooms, toolchains)
        try:
            for _ in range(slots):
                number, users = self._rooms.users()
                make = functools.partial(make_seat, number, users)
                slot = Slot(confinement, toolchains, self._compiler, make)
                self._slots.append(slot)
                slot.prepare()
                self._free.put_nowait(slot)
        except BaseException:
            self._rooms.close()
            raise

    @property
    def slots(self) -> int:
        return len(self._slots)

    @property
    def waiting(self) -> int:
        """Requests that wait for a slot."""
        return len(self._tasks) - self.occupancy.busy

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
        found = self._toolchains.found
        try:
            job = limits.check(request, found, self._toolchains.missing)
        except limits.InvalidRequest as error:
            return pb.RunResult(id=request.id, status=pb.RunResult.INVALID, message=str(error))
        slot = await self._free.get()
        queued = time.monotonic() - arrived
        self.occupancy.add(1)
        try:
            with tracing.span("slot", slot=self._slots.index(slot), language=job.language):
                result = await slot.run(job, found[job.language])
                tracing.note(status=pb.RunResult.Status.Name(result.status), queued_s=queued)
        finally:
            self.occupancy.add(-1)
            if slot.tidied:
                self._free.put_nowait(slot)
            else:
                tidying = asyncio.create_task(self._tidy(slot))
                self._tidying.add(tidying)
                tidying.add_done_callback(self._tidying.discard)
        result.queued_ms = queued * 1000
        return result

    async def _tidy(self, slot: Slot) -> None:
        try:
            await slot.tidy()
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
        await asyncio.gather(*self._tidying, return_exceptions=True)
        for slot in self._slots:
            await slot.close()
        await self._compiler.close()
        self._rooms.close()
