"""The gRPC service, control flow on one page.

Invariants: exactly one verdict for every item accepted, carrying its id and
its index; a request that ends early (cancelled, disconnected, past its
deadline) takes its unfinished items with it; the number of items at work is
bounded, and what is beyond the bound is refused at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from verifier import recipes, validate
from verifier._version import VERSION
from verifier.code.runs import tier_name
from verifier.engine import VERSIONS, Engine
from verifier.language import SCRIPTS
from verifier.limits import STREAM_WINDOW, VERDICTS_PER_MESSAGE
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import TooManyItems, Unreadable, read_batch, read_item

FIRST_TURN, LONGEST_TURN = 2, 128
"""Items of one request started before the event loop serves others: few at first,
more while they prove easy (128 are about 4 ms), fewer after a turn over TURN_SECONDS."""

TASK = 16
"""An item that needs a task of its own counts as so many in a turn: its first step takes about
half a millisecond, in which the sandbox's slots wait for what comes next."""

TURN_SECONDS = 0.01
"""What others may have to wait for their turn."""

BYTES_PER_MESSAGE = 1 << 20
"""A message is sent once it holds so much; some clients accept 4 MiB at most."""

Context = grpc.aio.ServicerContext[Any, Any]
Items = Sequence[pb.Item | Unreadable]


class Admission:
    """Counts the items at work; at most `most` over all requests."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        self._freed = asyncio.Event()

    def try_take(self, count: int) -> bool:
        if self.taken + count > self.most:
            return False
        self.taken += count
        return True

    async def take(self, count: int) -> None:
        while not self.try_take(count):
            self._freed.clear()
            await self._freed.wait()

    def give_back(self, count: int) -> None:
        self.taken -= count
        self._freed.set()

    def refusal(self, count: int) -> str:
        """Why `count` more are refused."""
        return (
            f"items_in_flight: at most {self.most}, {self.taken} are at work and {count} more came"
        )


class Running:
    """The items of one request at work, and the verdicts that are ready.

    Used as `async with`: leaving it cancels what is unfinished, waits for it to
    be gone and gives its places back, so nothing of a request outlives it.
    """

    def __init__(self, engine: Engine, admission: Admission) -> None:
        self._engine = engine
        self._admission = admission
        self._held = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Queue[pb.IndexedVerdict] = asyncio.Queue()
        self._started = 0
        self._turn, self._begun = FIRST_TURN, 0

    async def __aenter__(self) -> Running:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._admission.give_back(self._held)

    def admitted(self, count: int) -> None:
        """Hands over places already taken; each is held until its verdict is delivered."""
        self._held += count

    async def start(self, items: Items) -> None:
        """Starts admitted items; their places in the request follow those before."""
        turn_began = time.perf_counter()
        for item in items:
            verdict = self._engine.verify_at_once(item)
            if verdict is None:
                task = asyncio.create_task(self._one(self._started, item))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                self._begun += TASK
            else:
                self._put(self._started, verdict)
                self._begun += 1
            self._started += 1
            if self._begun >= self._turn:
                await asyncio.sleep(0)
                slow = time.perf_counter() - turn_began > TURN_SECONDS
                self._turn = max(1, self._turn // 8) if slow else min(LONGEST_TURN, 2 * self._turn)
                self._begun = 0
                turn_began = time.perf_counter()

    async def _one(self, index: int, item: pb.Item | Unreadable) -> None:
        self._put(index, await self._engine.verify(item))

    def _put(self, index: int, verdict: pb.Verdict) -> None:
        self._ready.put_nowait(pb.IndexedVerdict(index=index, verdict=verdict))

    async def ready(self) -> pb.Verdicts:
        """Waits for a verdict; takes along others that are ready."""
        verdicts = [await self._ready.get()]
        size = verdicts[0].ByteSize()
        while (
            len(verdicts) < VERDICTS_PER_MESSAGE
            and size < BYTES_PER_MESSAGE
            and not self._ready.empty()
        ):
            verdicts.append(self._ready.get_nowait())
            size += verdicts[-1].ByteSize()
        return pb.Verdicts(verdicts=verdicts)

    def delivered(self, count: int) -> None:
        """Gives back the places of verdicts that the client has taken."""
        self._held -= count
        self._admission.give_back(count)


async def answers(
    engine: Engine, admission: Admission, items: Items
) -> AsyncGenerator[pb.Verdicts, None]:
    """The verdicts of items whose places are taken, as they finish.

    To be closed by whoever stops early: what is unfinished goes with it, and its places are given
    back.
    """
    async with Running(engine, admission) as running:
        running.admitted(len(items))
        starting = asyncio.create_task(running.start(items))
        waiting = len(items)
        del items  # a slow reader must not hold the request in memory
        try:
            while waiting:
                verdicts = await running.ready()
                yield verdicts
                waiting -= len(verdicts.verdicts)
                running.delivered(len(verdicts.verdicts))
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)


class VerifierService:
    """`verifier.v1.Verifier`. Requests arrive as bytes: see verifier/wire.py."""

    def __init__(self, engine: Engine, admission: Admission) -> None:
        self._engine = engine
        self._admission = admission

    async def verify(self, raw: bytes, context: Context) -> pb.Verdict:
        await self._admit(1, context)
        try:
            return await self._engine.verify(read_item(raw))
        finally:
            self._admission.give_back(1)

    async def verify_batch(self, raw: bytes, context: Context) -> AsyncIterator[pb.Verdicts]:
        items = await self._read(raw, context)
        await self._admit(len(items), context)
        ready = answers(self._engine, self._admission, items)
        del raw, items
        async with aclosing(ready):
            async for verdicts in ready:
                yield verdicts

    async def verify_stream(
        self,
        batches: AsyncIterator[bytes],
        context: Context,
    ) -> AsyncIterator[pb.Verdicts]:
        window = asyncio.Semaphore(STREAM_WINDOW)
        async with Running(self._engine, self._admission) as running:
            accepted = 0

            async def read() -> None:
                nonlocal accepted
                async for raw in batches:
                    for item in await self._read(raw, context):
                        await window.acquire()
                        await self._admission.take(1)
                        running.admitted(1)
                        accepted += 1
                        await running.start([item])

            reading = asyncio.create_task(read())
            next_ready: asyncio.Task[pb.Verdicts] | None = None
            try:
                answered = 0
                while not reading.done() or answered < accepted:
                    next_ready = next_ready or asyncio.create_task(running.ready())
                    waits = {next_ready} if reading.done() else {next_ready, reading}
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                    if reading.done():
                        reading.result()
                    if next_ready.done():
                        verdicts, next_ready = next_ready.result(), None
                        yield verdicts
                        answered += len(verdicts.verdicts)
                        running.delivered(len(verdicts.verdicts))
                        for _ in verdicts.verdicts:
                            window.release()
            finally:
                leftover = [task for task in (reading, next_ready) if task is not None]
                for task in leftover:
                    task.cancel()
                await asyncio.gather(*leftover, return_exceptions=True)

    async def describe(
        self,
        request: pb.DescribeRequest,
        context: Context,
    ) -> pb.DescribeResponse:
        return describe(self._engine)

    async def _admit(self, count: int, context: Context) -> None:
        if not self._admission.try_take(count):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, self._admission.refusal(count))

    async def _read(self, raw: bytes, context: Context) -> Items:
        most = self._engine.limits.batch_items
        try:
            return read_batch(raw, most)
        except DecodeError as error:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"Batch: not a protobuf message ({error}), got {len(raw)} bytes",
            )
        except TooManyItems:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"Batch.items: at most {most} items, got more",
            )


def describe(engine: Engine) -> pb.DescribeResponse:
    """What a server with this engine can do. Pure."""
    limits, sandbox = engine.limits, engine.sandbox_info
    judge, rated = engine.judging.client, engine.judging.reward_model
    highest = sandbox.max_limits
    return pb.DescribeResponse(
        version=VERSION,
        tasks=[
            pb.TaskKind(name=name, verifier_version=VERSIONS[name])
            for name in validate.VERIFIED_TASKS
            if judge is not None or name not in validate.JUDGED_TASKS
        ],
        recipes=recipes.BUILT_IN.values(),
        toolchains=[
            pb.Toolchain(language=known.name, version=known.toolchain)
            for known in sandbox.languages
            if not known.missing
        ],
        languages=list(SCRIPTS),
        sandbox_tier=tier_name(sandbox.tier),
        judge_model="" if judge is None else judge.model,
        reward_model="" if rated is None else rated.name,
        limits=pb.Limits(
            **asdict(limits),
            code=pb.CodeLimits(
                cpu_seconds=highest.cpu_seconds,
                memory_bytes=highest.memory_bytes,
                output_bytes=highest.output_bytes,
                processes=highest.processes,
            ),
        ),
    )


def add_to(server: grpc.aio.Server, service: VerifierService) -> None:
    """Registers the service; requests with items are handed over unparsed."""
    reply = pb.Verdicts.SerializeToString
    handlers = {
        "Verify": grpc.unary_unary_rpc_method_handler(
            service.verify, response_serializer=pb.Verdict.SerializeToString
        ),
        "VerifyBatch": grpc.unary_stream_rpc_method_handler(
            service.verify_batch, response_serializer=reply
        ),
        "VerifyStream": grpc.stream_stream_rpc_method_handler(
            service.verify_stream, response_serializer=reply
        ),
        "Describe": grpc.unary_unary_rpc_method_handler(
            service.describe,
            request_deserializer=pb.DescribeRequest.FromString,
            response_serializer=pb.DescribeResponse.SerializeToString,
        ),
    }
    name = pb.DESCRIPTOR.services_by_name["Verifier"].full_name
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
