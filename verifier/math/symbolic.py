"""A pool of SymPy processes that can be killed.

Invariants:
- A worker's deadline is CPU time, kept by the kernel inside the worker, and looser wall
  time, kept here by killing the process; never a signal or a thread in this process.
- The clock of an item starts when a worker starts on it: neither waiting nor a
  worker's start counts.
- A worker that dies under an item, or stands still, costs it a retry on a fresh worker, at most
  two, then "died" or "timeout"; an item with a deadline has no time for a second stand-still.
- A cancelled caller frees its place at once: the worker is killed.
- Pairs that are asked for again, or twice at the same time, are decided once; a limit
  that was met counts for who asks meanwhile with no more time. Only a yes or a no that
  came well within the pool's limit is kept: never a timeout, a death or a giving up.
- At most `max_queued` callers wait; one more is refused at once with `QueueFullError`.
- After `close()` no process is left.

Not covered: sharing a pool between event loops; one pool belongs to one loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any, Literal

from verifier.kept.once import How, Kept, Once, Share
from verifier.kept.sources import fingerprint
from verifier.math.tree import Node, to_json
from verifier.metrics import CACHE_LOOKUPS
from verifier.metrics import WORKERS_KILLED as KILLED

TIMEOUT_S = 1.0
"""CPU seconds for one pair. What SymPy decides at all, it decides within that."""

WALL_FACTOR = 3.0
"""Wall time for one CPU second on a busy host."""

START_S = 60.0
"""A worker imports SymPy in under a second; on a starved host in a minute, or never."""

MAX_ITEMS = 1_000
"""Items after which a worker is replaced: SymPy's caches only grow."""

MAX_RSS = 300 << 20
"""Bytes of resident memory after which a worker is replaced."""

KEPT_BYTES = 8 << 20
"""Memory for answers, some 12,000 of them: the samples of a group repeat their pairs."""

SURE_SHARE = 0.5
"""An answer that took more of the CPU limit than this might not come again."""

ATTEMPTS = 3
"""Of an item: a kill from outside may hit it twice."""

MAX_LINE = 1 << 20
"""Bytes of one answer line; answers have a hundred."""


class QueueFullError(RuntimeError):
    """More callers wait for a symbolic worker than the pool's limit allows."""


@dataclass(frozen=True, slots=True)
class SymbolicResult:
    answer: bool | None
    """None: SymPy cannot tell, or `failure` says why there is no answer."""
    queued_s: float
    """Seconds spent waiting for a worker, its start included."""
    ran_s: float
    """Wall seconds of work, over all attempts."""
    failure: Literal["timeout", "died"] | None = None
    limit_s: float = TIMEOUT_S
    """CPU seconds there were for it."""
    sure: bool = False
    """Another worker would certainly answer so."""
    kept: bool = False
    """Decided for somebody else."""


class _DiedError(Exception):
    """The worker is gone."""


class _Worker:
    """One process. Used by one caller at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.items = 0
        self.rss = 0

    @classmethod
    async def start(cls) -> _Worker:
        environment = dict(os.environ, SYMPY_GROUND_TYPES="python", PYTHONHASHSEED="0")
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        environment["PYTHONPATH"] = os.pathsep.join(
            part for part in (root, os.environ.get("PYTHONPATH", "")) if part
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "verifier.math.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            limit=MAX_LINE,
        )
        worker = cls(process)
        try:
            await asyncio.wait_for(worker.line(), START_S)
        except BaseException:
            await worker.kill()
            raise
        return worker

    async def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise _DiedError
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def ask(self, request: bytes) -> dict[str, Any]:
        """The worker's answer to one request; see worker.py."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(request)
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _DiedError from error
        answer = await self.line()
        self.items += 1
        self.rss = answer["rss"]
        return answer

    async def kill(self) -> int:
        """Ends the process; returns how it ended (a negative signal number)."""
        with suppress(ProcessLookupError):
            self.process.kill()
        code = await asyncio.shield(self.process.wait())
        transport = getattr(self.process, "_transport", None)
        if transport is not None:
            transport.close()
        return code

    @property
    def worn(self) -> bool:
        return self.items >= MAX_ITEMS or self.rss > MAX_RSS


class SymbolicWorkers:
    """`await equal(a, b)` on at most `count` processes, started when first needed."""

    def __init__(
        self,
        count: int = 1,
        timeout_s: float = TIMEOUT_S,
        max_queued: int = 10_000,
        file: Kept | None = None,
    ) -> None:
        """`file` keeps answers beyond this process."""
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        self.count = count
        self.timeout_s = timeout_s
        self.max_queued = max_queued
        self._places = asyncio.Semaphore(count)
        self._waiting = 0
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._closed = False
        self._once = Once(_pack, _unpack, _count, file, KEPT_BYTES)
        self._versions = "" if file is None else _versions(timeout_s)

    async def equal(self, a: Node, b: Node, timeout_s: float | None = None) -> SymbolicResult:
        """Whether two scalar trees are equal.

        `timeout_s` bounds CPU seconds (default: the pool's) and, WALL_FACTOR times as
        loosely, wall seconds of the work. Raises QueueFullError, and RuntimeError after
        `close()`.
        """
        if self._closed:
            raise RuntimeError("the workers are closed")
        limit = self.timeout_s if timeout_s is None else timeout_s
        arrived = time.monotonic()
        trees = json.dumps([to_json(a), to_json(b)])
        found, how = await self._once.get(
            hashlib.sha256(f"math {self._versions} {trees}".encode()).digest(),
            partial(self._fresh, a, b, limit, arrived),
            self._share,
            # A limit that was met says nothing to who has more time.
            lambda one: one.failure is None or limit <= one.limit_s,
        )
        if how == "miss":
            return found
        return replace(found, queued_s=time.monotonic() - arrived, ran_s=0.0, kept=True)

    def _share(self, result: SymbolicResult) -> Share:
        if result.failure == "died":
            return Share.FAILED
        return Share.KEEP if result.sure else Share.JOIN

    async def _fresh(self, a: Node, b: Node, limit: float, arrived: float) -> SymbolicResult:
        if self._waiting >= self.max_queued:
            raise QueueFullError(f"more than {self.max_queued} waiting for a symbolic worker")
        request = json.dumps({"a": to_json(a), "b": to_json(b), "cpu_s": max(limit, 0.001)})
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._run(request.encode() + b"\n", limit, arrived)
        finally:
            self._places.release()

    async def _run(self, request: bytes, limit: float, arrived: float) -> SymbolicResult:
        ran = 0.0
        last: Literal["timeout", "died"] = "died"
        for _ in range(ATTEMPTS):
            worker = await self._worker()
            if worker is None:
                continue
            started = time.monotonic()
            try:
                told = await asyncio.wait_for(worker.ask(request), limit * WALL_FACTOR)
            except TimeoutError:
                # CPU time has a limit of its own: it stood still, or had no core.
                KILLED.labels("stalled").inc()
                await self._retire(worker)
                ran += time.monotonic() - started
                last = "timeout"
                if limit < self.timeout_s:  # a deadline, which is one of wall time
                    break
                continue
            except _DiedError:
                code = await self._retire(worker, killing=False)
                ran += time.monotonic() - started
                if code == -signal.SIGPROF:
                    KILLED.labels("timeout").inc()
                    return SymbolicResult(None, started - arrived, ran, "timeout", limit)
                KILLED.labels("died").inc()
                last = "died"
                continue
            except BaseException:  # cancelled: the worker must not go on
                KILLED.labels("cancelled").inc()
                await self._retire(worker)
                raise
            ran += time.monotonic() - started
            self._busy.discard(worker)
            if worker.worn or self._closed:
                await worker.kill()
            else:
                self._idle.append(worker)
            answer: bool | None = told["answer"]
            sure = answer is not None and told["cpu_s"] <= SURE_SHARE * self.timeout_s
            return SymbolicResult(answer, started - arrived, ran, None, limit, sure)
        return SymbolicResult(None, time.monotonic() - arrived - ran, ran, last, limit)

    async def _worker(self) -> _Worker | None:
        """An idle worker or a new one; None when none can be had."""
        while self._idle:
            worker = self._idle.pop()
            if worker.process.returncode is None:
                self._busy.add(worker)
                return worker
        if self._closed:
            return None
        try:
            worker = await _Worker.start()
        except (TimeoutError, _DiedError, OSError):
            return None
        if self._closed:
            await worker.kill()
            return None
        self._busy.add(worker)
        return worker

    async def _retire(self, worker: _Worker, killing: bool = True) -> int:
        self._busy.discard(worker)
        if not killing:  # it ended by itself: how, tells timeout from death
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(worker.process.wait()), 1.0)
        return await worker.kill()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers alive, for tests and for status pages."""
        return [worker.process.pid for worker in (*self._idle, *self._busy)]

    async def close(self) -> None:
        """Kills all workers; callers still waiting get "died"."""
        self._closed = True
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        for worker in workers:
            await worker.kill()


def _count(how: How) -> None:
    CACHE_LOOKUPS.labels("math", how).inc()


_ANSWERS = {b"equal": True, b"different": False}


def _pack(result: SymbolicResult) -> bytes:
    return b"equal" if result.answer else b"different"


def _unpack(packed: bytes) -> SymbolicResult:
    if packed not in _ANSWERS:
        raise ValueError("no answer")
    return SymbolicResult(_ANSWERS[packed], 0.0, 0.0, sure=True)


def _versions(timeout_s: float) -> str:
    """What decides an answer beside the trees."""
    return f"{fingerprint().hex()} sympy {version('sympy')} {version('mpmath')} {timeout_s}"
