"""The client: items in, verdicts out, from any trainer.

Needs grpc and protobuf only. Blocking:

    items = [Item(response=text, math={"gold": ["42"]}) for text in responses]
    with VerifierClient("127.0.0.1:50051") as client:
        verdicts = client.verify(items)          # verdicts[i] is that of items[i]
        values = rewards(verdicts, "mask")

(`gold` is a list: protobuf takes a bare string for the list of its characters),
and the same under asyncio with `AsyncVerifierClient`. Items travel in batches;
a batch that finds the server unavailable or full is sent again by gRPC's own
retry policy as long as no verdict of it has come back.

Invariants: exactly one verdict for each item, at its place, or an error that
holds those that did come; a failed verification never turns into a reward
unless the caller asks for it by name (`on_failure="zero"`).

Not covered: a server that dies in mid-batch raises `ServiceError`; what to do
with the unanswered items is the caller's decision.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import grpc
import grpc.aio

from verifier.v1.verifier_pb2 import (
    Batch,
    DescribeRequest,
    DescribeResponse,
    Item,
    Verdict,
    Verdicts,
)
from verifier.v1.verifier_pb2_grpc import VerifierStub

__all__ = [
    "AsyncVerifierClient",
    "Item",
    "OnFailure",
    "Rewards",
    "ServiceError",
    "Verdict",
    "VerificationFailed",
    "VerifierClient",
    "rewards",
]

OnFailure = Literal["none", "raise", "zero", "mask"]
"""What becomes of an item without a reward: `none` gives None; `raise` raises
VerificationFailed; `zero` gives 0.0 and lets it count; `mask` gives 0.0 and
marks it as not counting."""

BATCH_ITEMS = 512
"""Items sent in one call: enough to make the call's cost vanish."""

BATCH_BYTES = 8 * 1024 * 1024
"""Bytes of items sent in one call, unless one item alone is larger."""

CALLS_AT_ONCE = 4
"""Calls open at once: the next is on its way while the server ends the last."""

MESSAGE_BYTES = 256 * 1024 * 1024
"""Largest message accepted from the server; its own limit for requests is the same."""

_RETRY = {
    "methodConfig": [
        {
            "name": [{"service": "verifier.v1.Verifier"}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "5s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ]
}

CHANNEL_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.enable_retries", 1),
    # gRPC keeps what it may have to send again; its default of 256 KiB would
    # end the retries of every larger batch.
    ("grpc.per_rpc_retry_buffer_size", MESSAGE_BYTES),
    ("grpc.service_config", json.dumps(_RETRY)),
    # Finds a dead peer within 40 s and keeps idle connections open through
    # load balancers while the trainer generates.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A service that is back is found within seconds, not after gRPC's two minutes at most.
    ("grpc.max_reconnect_backoff_ms", 5_000),
]


class ServiceError(Exception):
    """A call failed as a whole. `verdicts` has those that came before, by place."""

    def __init__(self, error: grpc.RpcError, verdicts: dict[int, Verdict], items: int) -> None:
        self.code: grpc.StatusCode = error.code()
        self.details: str = error.details() or ""
        self.verdicts = verdicts
        came = f" ({len(verdicts)} of {items} verdicts came before)" if items else ""
        super().__init__(f"{self.code.name}: {self.details}{came}")


class VerificationFailed(Exception):
    """Some items have no reward; `verdicts` are those items' verdicts."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts = verdicts
        first = verdicts[0]
        status = Verdict.Status.Name(first.status)
        super().__init__(
            f"{len(verdicts)} items have no reward; first: {first.id!r} {status}: "
            f"{first.evidence.message}"
        )


@dataclass(frozen=True)
class Rewards:
    """Rewards for a trainer, one place for each verdict.

    Where `counts` is False the sample must be left out of its group's mean and
    standard deviation, and out of the loss.
    """

    values: list[float | None]
    counts: list[bool]


def rewards(verdicts: Sequence[Verdict], on_failure: OnFailure = "none") -> Rewards:
    """The verdicts' rewards under a policy for those that have none. Pure.

    Raises VerificationFailed under the policy `raise`, ValueError for an
    unknown policy.
    """
    if on_failure not in ("none", "raise", "zero", "mask"):
        raise ValueError(f"on_failure: one of none, raise, zero, mask, got {on_failure!r}")
    scored = [verdict.HasField("reward") for verdict in verdicts]
    if on_failure == "raise" and not all(scored):
        raise VerificationFailed([v for v, ok in zip(verdicts, scored, strict=True) if not ok])
    missing = None if on_failure == "none" else 0.0
    return Rewards(
        values=[v.reward if ok else missing for v, ok in zip(verdicts, scored, strict=True)],
        counts=[ok or on_failure == "zero" for ok in scored],
    )


def batches(items: Iterable[Item]) -> Iterator[tuple[int, Batch]]:
    """Items as (place of the first, batch), within BATCH_ITEMS and BATCH_BYTES. Pure."""
    start, size, held = 0, 0, list[Item]()
    for item in items:
        more = item.ByteSize()
        if held and (len(held) == BATCH_ITEMS or size + more > BATCH_BYTES):
            yield start, Batch(items=held)
            start, size, held = start + len(held), 0, []
        held.append(item)
        size += more
    if held:
        yield start, Batch(items=held)


class VerifierClient:
    """Blocking client; safe to share between threads.

    `timeout_s` is the deadline of each call in seconds (a call carries up to
    BATCH_ITEMS items); None waits as long as it takes.
    """

    def __init__(self, address: str, *, timeout_s: float | None = None) -> None:
        self._channel = grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
        self._stub = VerifierStub(self._channel)
        self._timeout_s = timeout_s

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
        self._channel.close()

    def verify(self, items: Sequence[Item]) -> list[Verdict]:
        """One verdict for each item, at the same place. Raises ServiceError."""
        return _in_order(dict(self.stream(items)), len(items))

    def stream(self, items: Sequence[Item]) -> Iterator[tuple[int, Verdict]]:
        """(place, verdict) as they come. Raises ServiceError.

        Closing the iterator cancels what is unfinished.
        """
        todo = batches(items)
        open_calls: deque[tuple[int, Any]] = deque()
        came: dict[int, Verdict] = {}
        try:
            while True:
                while len(open_calls) < CALLS_AT_ONCE and (batch := next(todo, None)):
                    call = self._stub.VerifyBatch(batch[1], timeout=self._timeout_s)
                    open_calls.append((batch[0], call))
                if not open_calls:
                    return
                start, call = open_calls[0]
                for message in call:
                    for place, verdict in _places(start, message):
                        came[place] = verdict
                        yield place, verdict
                open_calls.popleft()
        except grpc.RpcError as error:
            raise ServiceError(error, came, len(items)) from error
        finally:
            for _, call in open_calls:
                call.cancel()

    def describe(self) -> DescribeResponse:
        """What the server can do. Raises ServiceError."""
        try:
            return self._stub.Describe(DescribeRequest(), timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise ServiceError(error, {}, 0) from error


class AsyncVerifierClient:
    """The same under asyncio; belongs to the event loop it was made in."""

    def __init__(self, address: str, *, timeout_s: float | None = None) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        self._stub: Any = VerifierStub(self._channel)
        self._timeout_s = timeout_s

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
        await self._channel.close()

    async def verify(self, items: Sequence[Item]) -> list[Verdict]:
        """One verdict for each item, at the same place. Raises ServiceError."""
        came = {place: verdict async for place, verdict in self.stream(items)}
        return _in_order(came, len(items))

    async def stream(self, items: Sequence[Item]) -> AsyncIterator[tuple[int, Verdict]]:
        """(place, verdict) as they come. Raises ServiceError.

        Closing the iterator (`aclose`) cancels what is unfinished.
        """
        todo = batches(items)
        came: dict[int, Verdict] = {}
        arrived: asyncio.Queue[tuple[int, Verdict] | None] = asyncio.Queue()

        async def send() -> None:
            try:
                for start, batch in todo:
                    async for message in self._stub.VerifyBatch(batch, timeout=self._timeout_s):
                        for placed in _places(start, message):
                            arrived.put_nowait(placed)
            finally:
                arrived.put_nowait(None)

        senders = [asyncio.create_task(send()) for _ in range(CALLS_AT_ONCE)]
        try:
            running = len(senders)
            while running:
                placed = await arrived.get()
                if placed is None:
                    running -= 1
                    continue
                came[placed[0]] = placed[1]
                yield placed
            for sender in senders:
                sender.result()
        except grpc.RpcError as error:
            raise ServiceError(error, came, len(items)) from error
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    async def describe(self) -> DescribeResponse:
        """What the server can do. Raises ServiceError."""
        try:
            reply: DescribeResponse = await self._stub.Describe(
                DescribeRequest(), timeout=self._timeout_s
            )
        except grpc.RpcError as error:
            raise ServiceError(error, {}, 0) from error
        return reply


def _places(start: int, message: Verdicts) -> Iterator[tuple[int, Verdict]]:
    for indexed in message.verdicts:
        yield start + indexed.index, indexed.verdict


def _in_order(came: dict[int, Verdict], count: int) -> list[Verdict]:
    """The verdicts by place. A gap or a surplus is a broken server, never passed over."""
    if came.keys() != set(range(count)):
        raise RuntimeError(f"the server answered {len(came)} of {count} items without an error")
    return [came[place] for place in range(count)]
