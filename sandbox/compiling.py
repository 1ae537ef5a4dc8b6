"""Compiled programs: made once, by a compiler in a slot's jail or by a warm one, and kept.

Invariants: an artifact is kept under the hash of everything that went into it (language, compiler
and its version, its command, the source); equal programs at work at the same time are compiled
once; a compile that a limit ended is never kept. The cache is bounded in bytes, the least
recently used leaves first.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sandbox import limits
from sandbox.languages.base import Compile, Language, WarmCompiler
from sandbox.launch import Jail, JailLost, Room
from sandbox.limits import Job
from sandbox.outcomes import CompileFailed, DeadlineOver, SandboxError

if TYPE_CHECKING:
    from sandbox.slot import Slot

# Tries of a warm compiler that is lost, by somebody's hand or by the program before.
ATTEMPTS = 3
# A compiler that has used less than this share of its CPU limit at its wall limit stood still.
LITTLE_CPU = 0.5
# Time between two looks at its CPU time.
LOOK_SECONDS = 1.0
# Copying less than this into /box costs less than a descriptor kept.
SEALED_BYTES = 256 << 10
# As a share of the 1,024 descriptors that a process may have by default.
MAX_SEALED = 128
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
ELF = b"\x7fELF"


class Sealed:
    """A file without a name that nobody can change, open as long as this object lives."""

    def __init__(self, program: bytes) -> None:
        self.fd = os.memfd_create("program", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with open(self.fd, "wb", closefd=False) as file:
            file.write(program)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, SEALS)
        # Else other users could leave times and attributes on it for the next run.
        os.fchmod(self.fd, 0o555)

    def __del__(self) -> None:
        os.close(self.fd)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled program. `cpu_us` is what compiling took, 0 where it was `cached`."""

    artifact: bytes
    diagnostics: str = ""
    cpu_us: int = 0
    cached: bool = False
    # The same as a file, where it is a large program: executed from there it need not be copied
    # for every submission.
    file: Sealed | None = None


class Cache:
    """Programs, and failures that will be the same next time, by key; bounded in bytes, and in
    descriptors."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes, self._files = most_bytes, 0, 0
        self._kept: OrderedDict[bytes, Compiled | CompileFailed] = OrderedDict()

    @staticmethod
    def _size(value: Compiled | CompileFailed) -> int:
        return len(value.artifact) + len(value.diagnostics) if isinstance(value, Compiled) else 4096

    def get(self, key: bytes) -> Compiled | CompileFailed | None:
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def put(self, key: bytes, value: Compiled | CompileFailed) -> None:
        """Keeps a value under a key that has none."""
        self._kept[key] = value
        self._bytes += self._size(value)
        self._files += _has_file(value)
        while self._bytes > self._most or self._files > MAX_SEALED:
            self._drop()

    def _drop(self) -> None:
        _, old = self._kept.popitem(last=False)
        self._bytes -= self._size(old)
        self._files -= _has_file(old)

    def close(self) -> None:
        while self._kept:
            self._drop()


def _has_file(value: Compiled | CompileFailed) -> int:
    return int(isinstance(value, Compiled) and value.file is not None)


class WarmJail:
    """A warm compiler in a raw jail of its own; answers one program at a time."""

    def __init__(self, how: WarmCompiler, language: Language, room: Room) -> None:
        self._how, self._language, self.room = how, language, room
        self._jail: Jail | None = None
        self._programs = 0
        self._turn = asyncio.Lock()

    def _start(self) -> Jail:
        if self.room.group:
            processes = limits.COMPILE_PROCESSES + self._language.processes
            self.room.group.limit(limits.COMPILE_MEMORY_BYTES, processes)
        argv = [self.room.inside(word) for word in self._how.argv]
        self._programs = 0
        shown = (*self._language.shown, *self._how.shown)
        return Jail.start(self.room, argv, shown, raw=True)

    async def close(self) -> None:
        if self._jail is not None:
            await self._jail.end()
            self._jail = None

    async def compile(self, source: str, deadline: float | None) -> Compiled:
        """Raises CompileFailed, SandboxError, DeadlineOver."""
        async with self._turn:
            if self._programs >= self._how.programs:
                await self.close()
            said = ""
            for _ in range(ATTEMPTS):
                self._jail = self._jail or self._start()
                oom_before = self.room.group.oom_kills() if self.room.group else 0
                try:
                    return await self._ask(self._jail, source.encode(), deadline)
                except JailLost as lost:
                    status = await asyncio.shield(self._jail.exited)
                    said = f"{lost} (status {status}) {self._jail.errors()}"
                    self._jail = None
                    if self.room.group and self.room.group.oom_kills() > oom_before:
                        raise CompileFailed("compiling took more than the memory limit") from None
            raise SandboxError(f"the compiler was lost {ATTEMPTS} times: {said}".rstrip())

    async def _ask(self, jail: Jail, source: bytes, deadline: float | None) -> Compiled:
        cpu_before, end = self._cpu_us(), time.monotonic() + limits.COMPILE_WALL_SECONDS
        until = end if deadline is None else min(end, deadline)
        answer = asyncio.create_task(self._exchange(jail, source))
        try:
            while not answer.done():
                left = until - time.monotonic()
                used = (self._cpu_us() - cpu_before) / 1e6
                if used > limits.COMPILE_CPU_SECONDS:
                    raise CompileFailed("compiling was stopped by the cpu limit")
                if left <= 0:
                    if until == deadline:
                        raise DeadlineOver
                    if self.room.group and used < LITTLE_CPU * limits.COMPILE_CPU_SECONDS:
                        raise JailLost("the compiler stood still")
                    raise CompileFailed("compiling was stopped by the wall limit")
                await asyncio.wait([answer], timeout=min(left, LOOK_SECONDS))
            kind, body = answer.result()
        except BaseException:
            jail.kill()
            answer.cancel()
            raise
        self._programs += 1
        cpu = self._cpu_us() - cpu_before
        if kind == b"D":
            raise CompileFailed(body.decode("utf-8", "replace"), final=True, cpu_us=cpu)
        return Compiled(body, cpu_us=cpu)

    @staticmethod
    async def _exchange(jail: Jail, source: bytes) -> tuple[bytes, bytes]:
        await jail.send(len(source).to_bytes(4, "little"), source)
        head = await jail.receive(5)
        size = int.from_bytes(head[1:], "little")
        if head[:1] not in (b"A", b"D") or size > limits.MAX_ARTIFACT_BYTES:
            raise JailLost("the compiler broke its protocol")
        return head[:1], await jail.receive(size)

    def _cpu_us(self) -> int:
        return self.room.group.cpu_us() if self.room.group else 0


class Compiler:
    """Compiles for all slots of a pool."""

    def __init__(self, make_room: Callable[[str], Room]) -> None:
        self._make_room = make_room
        self._cache = Cache(limits.CACHE_BYTES)
        self._at_work: dict[bytes, asyncio.Future[None]] = {}
        self._warm: dict[WarmCompiler, WarmJail] = {}

    async def compiled(
        self, job: Job, language: Language, slot: Slot, deadline: float | None
    ) -> Compiled:
        """The program's artifact. Raises CompileFailed, SandboxError, DeadlineOver."""
        how = language.type_check if job.type_check else language.compile
        if how is None:
            raise SandboxError(f"{language.name} has no type check here")
        key = _key(job, language, how)
        while True:
            kept = self._cache.get(key)
            if isinstance(kept, CompileFailed):
                raise CompileFailed(str(kept), final=True)
            if kept is not None:
                return replace(kept, cpu_us=0, cached=True)
            if key not in self._at_work:
                break
            await asyncio.wait([self._at_work[key]])
        done = self._at_work[key] = asyncio.get_running_loop().create_future()
        try:
            made = await self._make(how, job, language, slot, deadline)
        except CompileFailed as failure:
            if failure.final:
                self._cache.put(key, failure)
            raise
        else:
            self._cache.put(key, made)
            return made
        finally:
            del self._at_work[key]
            done.set_result(None)

    async def _make(
        self,
        how: Compile | WarmCompiler,
        job: Job,
        language: Language,
        slot: Slot,
        deadline: float | None,
    ) -> Compiled:
        if isinstance(how, Compile):
            ended = await slot.compile(job, language, how, deadline)
            diagnostics = ended.stderr.decode("utf-8", "replace")
            large = len(ended.stdout) >= SEALED_BYTES and ended.stdout.startswith(ELF)
            file = Sealed(ended.stdout) if large else None
            return Compiled(ended.stdout, diagnostics, ended.cpu_us, file=file)
        if how not in self._warm:
            room = self._make_room(f"{language.name}-{len(self._warm)}")
            self._warm[how] = WarmJail(how, language, room)
        return await self._warm[how].compile(job.source, deadline)

    async def close(self) -> None:
        for warm in self._warm.values():
            await warm.close()
            if warm.room.group:
                warm.room.group.close()
        self._warm.clear()
        self._cache.close()


def _key(job: Job, language: Language, how: Compile | WarmCompiler) -> bytes:
    text = repr((language.name, language.toolchain, how.argv, job.source, job.files))
    return hashlib.sha256(text.encode()).digest()
