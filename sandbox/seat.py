"""A seat: a place for one jail at a time, replaced when it is spent.

Invariants: a jail that a limit was passed in, or that a run left processes in, is never used
again; what one submission put into /box is gone before the next one's runs start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox import limits
from sandbox.compiling import Sealed
from sandbox.launch import ADD, ASK, EXIT_SETUP, OFFER, PUT, Jail, Room
from sandbox.outcomes import SandboxError

# The zygote is in the cgroup too.
ZYGOTES = 1
# A fresh zygote now and then: a new seed of str hashes, and nothing of a slow leak.
RUNS_PER_JAIL = 2000


@dataclass(frozen=True, slots=True)
class Zygote:
    """What a seat's jails run: `argv` and its first packet (the spawner: none), what they see,
    and the memory that counts beside a run's own."""

    argv: tuple[str, ...]
    hello: bytes
    shown: Sequence[str]
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """What is put into /box: a file, or `file` instead, a program that is executed from there;
    and the files beside it, by name."""

    name: str
    data: bytes
    file: Sealed | None = None
    beside: tuple[tuple[str, bytes], ...] = ()


class Seat:
    def __init__(self, room: Room, zygote: Zygote) -> None:
        self.room, self.zygote = room, zygote
        self.jail: Jail | None = None
        self._starting: asyncio.Task[Jail] | None = None
        self._box: Box | None = None
        self._runs = 0

    def prepare(self) -> None:
        """Starts a jail, so that its interpreter is warm when a submission comes."""
        if self.jail is None and self._starting is None:
            self._starting = asyncio.create_task(self._start())
            # Whoever asks for the jail is told; nobody may.
            self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _start(self) -> Jail:
        if self.room.group:
            self.limit(limits.run_limits(), self.zygote.memory_bytes, 0)
        jail = Jail.start(self.room, self.zygote.argv, self.zygote.shown)
        try:
            if self.zygote.hello:
                await jail.ask(ASK, self.zygote.hello)
        except BaseException:
            jail.kill()
            status = await asyncio.shield(jail.exited)
            if status == EXIT_SETUP:
                raise SandboxError(f"no jail could be built: {jail.errors()}") from None
            raise
        return jail

    def limit(self, run: limits.RunLimits, memory_bytes: int, processes: int) -> None:
        """Sets the cgroup's limits to a run's and what its runtime has beside it."""
        if self.room.group:
            self.room.group.limit(
                run.memory_bytes + memory_bytes, run.processes + processes + ZYGOTES
            )

    async def ready(self) -> Jail:
        """A jail that can take a run. Raises JailLost, and SandboxError where none can be
        built."""
        if self.jail is not None and self.jail.lost:
            await self.clear()
        if self.jail is None:
            self.prepare()
            assert self._starting is not None
            try:
                self.jail = await asyncio.shield(self._starting)
            finally:
                if self._starting.done():
                    self._starting = None
        self._runs += 1
        return self.jail

    async def put(self, jail: Jail, box: Box) -> None:
        """Makes that what runs find in /box, unless it is there already."""
        if self._box is not box:
            self._box = None
            if box.file is not None:
                await jail.ask(OFFER, fds=(box.file.fd,))
            else:
                await jail.ask(PUT, box.data, name=box.name.encode())
            for name, data in box.beside:
                await jail.ask(ADD, data, name=name.encode())
            self._box = box

    @property
    def holds_files(self) -> bool:
        """Something of a submission is in /box."""
        return self._box is not None

    @property
    def stale(self) -> bool:
        """Its jail is gone, spent or worn."""
        if self.jail is None:
            return self._starting is None
        return self.jail.lost or self._runs >= RUNS_PER_JAIL

    async def clear(self) -> None:
        """Kills the jail and waits until all of it is gone."""
        if self._starting is not None:
            starting, self._starting = self._starting, None
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            if not starting.cancelled() and starting.exception() is None:
                self.jail = starting.result()
        if self.jail is not None:
            await self.jail.end()
            self.jail, self._runs = None, 0
        self._box = None
