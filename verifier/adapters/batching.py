"""Items from any thread or event loop, sent to the service in batches.

Each process has one connection for each `Link`, made at its first use, in an event loop in a
thread of its own: a trainer's loops are never blocked, and nothing of gRPC crosses from one loop or
process to another. gRPC works in a child that was forked before its parent was connected; in one
that was forked later it hangs, so there a call is an error at once.

Invariants: a caller gets one verdict for each item, or an error; a verdict that came is never asked
for twice; what a caller no longer waits for is not sent, and a call that nobody waits for is
cancelled.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import math
import os
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypedDict

import grpc

from verifier.client import (
    AsyncVerifierClient,
    BrokenAnswer,
    Item,
    Priority,
    ServiceError,
    Tls,
    Verdict,
)
from verifier.client.reach import reach

ITEMS_AT_ONCE = 4096
"""Sent and not yet answered, of one process: a share of the server's own `items_in_flight`."""

AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
"""What is said of a service that is dead, starting, or full."""

CLOSING_S = 5.0
"""What the end of a process may wait for its connections."""


class NoReward(RuntimeError):
    """There is no reward, and the policy is not to go on without one. Only a message, so that it
    can be pickled on its way out of a trainer's worker."""


class Who(TypedDict):
    """What `verifier.client` takes of how a service is reached, beside its address."""

    token: str | None
    tls: Tls | None
    client: str | None
    priority: Priority | None
    insecure: bool | None


@dataclass(frozen=True)
class Link:
    """A service, and how it is talked to. Raises ValueError for what will not do, naming it."""

    address: str
    timeout_s: float
    """Of one call: from sending a batch to its last verdict."""
    wait_seconds: float
    """What a service that is away or full is waited for."""
    batch_items: int
    window_ms: float
    """What an item waits for others to come with it."""
    token: str | None = field(default=None, repr=False)
    """None, here and below: as the environment says of the process that connects."""
    tls: Tls | None = None
    client: str | None = None
    priority: Priority | None = None
    insecure: bool | None = None

    def who(self) -> Who:
        """What the client takes of it by keyword."""
        return {
            "token": self.token,
            "tls": self.tls,
            "client": self.client,
            "priority": self.priority,
            "insecure": self.insecure,
        }

    def __post_init__(self) -> None:
        reach(self.address, **self.who())
        for name in ("timeout_s", "batch_items"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: more than 0, got {getattr(self, name)!r}")
        for name in ("wait_seconds", "window_ms"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: at least 0 and finite, got {getattr(self, name)!r}")


@dataclass(eq=False)
class _Waiting:
    item: Item
    verdict: asyncio.Future[Verdict]


@dataclass(eq=False)
class _Call:
    """One batch on its way."""

    waiting: list[_Waiting]
    task: asyncio.Task[None]

    def __post_init__(self) -> None:
        self._left, self._given_up = len(self.waiting), False
        for one in self.waiting:
            one.verdict.add_done_callback(self._one_done)

    def _one_done(self, verdict: asyncio.Future[Verdict]) -> None:
        self._left -= 1
        self._given_up |= verdict.cancelled()
        if not self._left and self._given_up:
            self.task.cancel()


class _Batcher:
    """Belongs to the event loop it was made in."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._client = AsyncVerifierClient(
            link.address, timeout_s=link.timeout_s, resend_s=link.wait_seconds, **link.who()
        )
        self._queue = deque[_Waiting]()
        self._timer: asyncio.TimerHandle | None = None
        self._calls = set[_Call]()
        self._sent = 0

    async def verify(self, items: Sequence[Item]) -> list[Verdict]:
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(item, loop.create_future()) for item in items]
        self._queue.extend(waiting)
        if len(self._queue) >= self._link.batch_items:
            self._send()
        elif self._timer is None:
            self._timer = loop.call_later(self._link.window_ms / 1000, self._window_ends)
        try:
            return await asyncio.gather(*(one.verdict for one in waiting))
        finally:
            for one in waiting:
                one.verdict.cancel()

    async def close(self) -> None:
        """Ends the loop's work; whoever waits for some of it gets CancelledError."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.close()

    def _window_ends(self) -> None:
        self._timer = None
        self._send()

    def _send(self) -> None:
        """Sends what there is room for; the rest goes when there is."""
        while self._queue and self._sent < ITEMS_AT_ONCE:
            size = min(len(self._queue), self._link.batch_items)
            batch = [self._queue.popleft() for _ in range(size)]
            self._sent += size
            call = _Call(batch, asyncio.create_task(self._ask(batch)))
            self._calls.add(call)
            call.task.add_done_callback(functools.partial(self._ended, call))

    def _ended(self, call: _Call, task: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._sent -= len(call.waiting)
        if task.cancelled():
            for one in call.waiting:
                one.verdict.cancel()
        elif (error := task.exception()) is not None:
            _fail(call.waiting, f"the service {self._link.address}: {error!r}")
        self._send()

    async def _ask(self, batch: list[_Waiting]) -> None:
        left = [one for one in batch if not one.verdict.done()]
        try:
            async for place, verdict in self._client.stream([one.item for one in left]):
                _give(left, place, verdict)
        except ServiceError as error:
            # The client has waited, and sent again what was not answered, before it gave up.
            _fail(left, f"the service {self._link.address}: {error}{_limit(error, self._link)}")
        except BrokenAnswer as error:
            _fail(left, f"the service {self._link.address}: {error}")


def _limit(error: ServiceError, link: Link) -> str:
    if error.code in AWAY:
        return f"; waited for, wait_seconds = {link.wait_seconds:g}"
    if error.code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"; timeout_s = {link.timeout_s:g}"
    return ""


def _give(left: list[_Waiting], place: int, verdict: Verdict) -> None:
    if not math.isfinite(verdict.reward):
        why = f"item {place} of {len(left)}, {verdict.id!r}: reward {verdict.reward}"
        _fail(left, f"the service's answer is broken: {why}")
    elif not left[place].verdict.done():
        left[place].verdict.set_result(verdict)


def _fail(left: list[_Waiting], why: str) -> None:
    for one in left:
        if not one.verdict.done():
            one.verdict.set_exception(NoReward(why))


class Connection:
    """A link in use. Any thread and any event loop of this process may use it."""

    def __init__(self, link: Link) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="touchstone-rewards", daemon=True
        )
        self._thread.start()
        self._batcher = asyncio.run_coroutine_threadsafe(self._made(link), self._loop).result()

    @staticmethod
    async def _made(link: Link) -> _Batcher:
        return _Batcher(link)

    def submit(self, items: Sequence[Item]) -> Future[list[Verdict]]:
        """Starts verifying; the verdicts stand at their items' places. Fails with NoReward.

        Cancelling it gives up the items.
        """
        return asyncio.run_coroutine_threadsafe(self._batcher.verify(items), self._loop)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._batcher.close(), self._loop).result(CLOSING_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSING_S)


_connections = dict[Link, Connection]()
_of_parent = list[Connection]()  # never used again, nor taken down: that is the parent's to do
_lock = threading.Lock()


def connection(link: Link) -> Connection:
    """This process's connection, made when it is first asked for. Raises NoReward."""
    if _of_parent:
        raise NoReward(
            "this process was forked from one that was connected to a service, which gRPC does not "
            "survive: start workers before the first reward, or with `spawn` or `forkserver`"
        )
    with _lock:
        if link not in _connections:
            _connections[link] = Connection(link)
        return _connections[link]


def _forget() -> None:
    """In a forked child, where the parent's threads are not, nor who would release its lock."""
    global _lock
    _lock = threading.Lock()
    _of_parent.extend(_connections.values())
    _connections.clear()


def close() -> None:
    """Closes this process's connections; it happens by itself when the process ends."""
    with _lock:
        for one in _connections.values():
            one.close()
        _connections.clear()


os.register_at_fork(after_in_child=_forget)
atexit.register(close)
