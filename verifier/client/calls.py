"""The two clients: blocking, and under asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from types import TracebackType
from typing import Any

import grpc
import grpc.aio

from verifier.client.batch import BrokenAnswer, Pending, batches
from verifier.client.reach import Priority, Tls, reach
from verifier.client.resend import DESCRIBE_S, Notices, Patience
from verifier.v1.verifier_pb2 import DescribeRequest, DescribeResponse, Item, Verdict
from verifier.v1.verifier_pb2_grpc import VerifierStub

CALLS_AT_ONCE = 4
"""Calls open at once: the next is on its way while the server ends the last. With more replicas, as
many as there are."""

PROBE = "/grpc.health.v1.Health/Check"
"""Asked with gRPC's `wait_for_ready`: it waits for a connection without sending any item, and a
deadline of its own can end that. Any answer will do."""


class _Client:
    """What both have in common."""

    _library: Any

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float | None = None,
        resend_s: float | None = None,
        token: str | None = None,
        tls: Tls | None = None,
        client: str | None = None,
        program: str = "",
        priority: Priority | None = None,
        insecure: bool | None = None,
    ) -> None:
        """`timeout_s` is the deadline of each batch of items, from its first sending to its last
        verdict; None waits as long as it takes. `resend_s` is how long items that a service owes,
        which died or is full, are sent again without any new verdict (120 s; 0: never). `program`
        is in the client's name where nothing else says how it is called. What the others mean is
        told in verifier/client/reach.py (`Reach`), and which variable of the environment stands
        for one that is None. Raises ValueError for what will not do.
        """
        self._reach = reach(
            address,
            token=token,
            tls=tls,
            client=client,
            program=program,
            priority=priority,
            insecure=insecure,
            resend_s=resend_s,
        )
        self._timeout_s = timeout_s
        self._notices = Notices(self._reach.address)
        self._channel, self._replicas = self._reach.channel(self._library)
        self._stub: Any = VerifierStub(self._channel)
        self._probe: Any = self._channel.unary_unary(PROBE)
        self._closed = threading.Event()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._reach.address!r})"

    @property
    def _calls_at_once(self) -> int:
        return max(CALLS_AT_ONCE, self._replicas)

    def _pending(self, items: Sequence[Item]) -> Iterator[Pending]:
        for start, batch in batches(items, self._replicas):
            yield Pending(start, batch, self._timeout_s)

    def _patience(self, most: float | None = None) -> Patience:
        seconds = self._reach.resend_s
        return Patience(self._notices, seconds if most is None else min(seconds, most))

    def _call(self, pending: Pending) -> Any:
        request, metadata = pending.request(), self._reach.metadata()
        return self._stub.VerifyBatch(request, timeout=pending.seconds_left(), metadata=metadata)

    def _describe(self) -> Any:
        metadata = self._reach.metadata()
        return self._stub.Describe(DescribeRequest(), timeout=self._timeout_s, metadata=metadata)

    def _pause(self, patience: Patience, error: grpc.RpcError, deadline_s: float | None) -> float:
        """Seconds until it is sent again. Raises the error if it is not."""
        pause = None if self._closed.is_set() else patience.pause(error, deadline_s)
        if pause is None:
            raise error
        return pause


class VerifierClient(_Client):
    """Blocking client; safe to share between threads."""

    _library = grpc

    def __enter__(self) -> VerifierClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends what is under way in other threads, with ServiceError there."""
        self._closed.set()
        self._channel.close()

    def verify(self, items: Sequence[Item]) -> list[Verdict]:
        """One verdict for each item, at the same place. Raises ServiceError."""
        return _in_order(dict(self.stream(items)), len(items))

    def stream(self, items: Sequence[Item]) -> Iterator[tuple[int, Verdict]]:
        """(place, verdict) as they come, each place once. Raises ServiceError.

        Closing the iterator cancels what is unfinished.
        """
        todo, patience = self._pending(items), self._patience()
        opened, again = deque[tuple[Pending, Any]](), deque[Pending]()
        came: dict[int, Verdict] = {}
        failed: grpc.RpcError | None = None
        not_before = 0.0
        try:
            while True:
                if failed is None:
                    while len(opened) < self._calls_at_once and (pending := next(todo, None)):
                        opened.append((pending, self._call(pending)))
                elif not opened:
                    # What was open beside a failed call has been read: a full service had to
                    # deliver that first, and one that died has failed it all.
                    pause = max(0.0, not_before - time.monotonic())
                    self._wait(patience, pause, failed, again[0].seconds_left())
                    failed = None
                    opened.extend((pending, self._call(pending)) for pending in again)
                    again.clear()
                if not opened:
                    return
                pending, call = opened[0]
                try:
                    for message in call:
                        for place, verdict in pending.take(message):
                            patience.came()
                            came[place] = verdict
                            yield place, verdict
                    pending.ended()
                except grpc.RpcError as error:
                    if not pending.complete():  # else its end alone was lost
                        pause = self._pause(patience, error, pending.seconds_left())
                        failed, not_before = error, max(not_before, time.monotonic() + pause)
                        again.append(pending)
                opened.popleft()
        except grpc.RpcError as error:
            raise patience.error(error, came, len(items)) from error
        finally:
            for _, call in opened:
                call.cancel()

    def describe(self) -> DescribeResponse:
        """What the server can do. Raises ServiceError."""
        patience = self._patience(DESCRIBE_S)
        try:
            while True:
                try:
                    reply: DescribeResponse = self._describe()
                except grpc.RpcError as error:
                    self._wait(patience, self._pause(patience, error, None), error, None)
                else:
                    return reply
        except grpc.RpcError as error:
            raise patience.error(error, {}, 0) from error

    def _wait(
        self, patience: Patience, pause: float, error: grpc.RpcError, deadline_s: float | None
    ) -> None:
        """For the pause, and then for a connection, which gRPC tries to make with its own growing
        pauses. Raises the error when patience, or the client, is at its end."""
        if self._closed.wait(pause):
            raise error
        left = patience.left(None if deadline_s is None else deadline_s - pause)
        try:
            self._probe(b"", timeout=max(0.0, left), wait_for_ready=True)
        except grpc.RpcError as probed:
            if self._closed.is_set() or probed.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise error from None


class AsyncVerifierClient(_Client):
    """The same under asyncio; belongs to the event loop it was made in."""

    _library = grpc.aio

    async def __aenter__(self) -> AsyncVerifierClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        self._closed.set()
        await self._channel.close()

    async def verify(self, items: Sequence[Item]) -> list[Verdict]:
        """One verdict for each item, at the same place. Raises ServiceError."""
        came = {place: verdict async for place, verdict in self.stream(items)}
        return _in_order(came, len(items))

    async def stream(self, items: Sequence[Item]) -> AsyncIterator[tuple[int, Verdict]]:
        """(place, verdict) as they come, each place once. Raises ServiceError.

        Closing the iterator (`aclose`) cancels what is unfinished.
        """
        todo, patience = self._pending(items), self._patience()
        came: dict[int, Verdict] = {}
        arrived: asyncio.Queue[tuple[int, Verdict] | asyncio.Task[None]] = asyncio.Queue()

        async def send() -> None:
            for pending in todo:
                await self._through(pending, patience, arrived)

        senders = [asyncio.create_task(send()) for _ in range(self._calls_at_once)]
        for sender in senders:
            sender.add_done_callback(arrived.put_nowait)
        try:
            running = len(senders)
            while running:
                placed = await arrived.get()
                if isinstance(placed, asyncio.Task):
                    placed.result()
                    running -= 1
                    continue
                came[placed[0]] = placed[1]
                yield placed
        except grpc.RpcError as error:
            raise patience.error(error, came, len(items)) from error
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    async def describe(self) -> DescribeResponse:
        """What the server can do. Raises ServiceError."""
        patience = self._patience(DESCRIBE_S)
        try:
            while True:
                try:
                    reply: DescribeResponse = await self._describe()
                except grpc.RpcError as error:
                    await self._wait(patience, self._pause(patience, error, None), error, None)
                else:
                    return reply
        except grpc.RpcError as error:
            raise patience.error(error, {}, 0) from error

    async def _through(
        self,
        pending: Pending,
        patience: Patience,
        arrived: asyncio.Queue[tuple[int, Verdict] | asyncio.Task[None]],
    ) -> None:
        """Sends a batch until it is answered. Raises RpcError."""
        while True:
            call = self._call(pending)
            try:
                async for message in call:
                    for placed in pending.take(message):
                        patience.came()
                        arrived.put_nowait(placed)
                pending.ended()
            except grpc.RpcError as error:
                left = pending.seconds_left()
                if not pending.complete():  # else its end alone was lost
                    await self._wait(patience, self._pause(patience, error, left), error, left)
            finally:
                call.cancel()
            if pending.complete():
                return

    async def _wait(
        self, patience: Patience, pause: float, error: grpc.RpcError, deadline_s: float | None
    ) -> None:
        """For the pause, and then for a connection, which gRPC tries to make with its own growing
        pauses. Raises the error when patience, or the client, is at its end."""
        await asyncio.sleep(pause)
        if self._closed.is_set():
            raise error
        left = patience.left(None if deadline_s is None else deadline_s - pause)
        try:
            await self._probe(b"", timeout=max(0.0, left), wait_for_ready=True)
        except grpc.RpcError as probed:
            if self._closed.is_set() or probed.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise error from None


def _in_order(came: dict[int, Verdict], count: int) -> list[Verdict]:
    """The verdicts by place. A gap or a surplus is a broken server, never passed over."""
    if came.keys() != set(range(count)):
        raise BrokenAnswer(f"answered {len(came)} of {count} items without an error")
    return [came[place] for place in range(count)]
