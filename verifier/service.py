"""The gRPC service, control flow on one page.

    bytes -> who asks -> items -> places -> the schedule -> verdicts as they finish

What a call may rely on is said in verifier/desk.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError

from verifier import recipes, validate
from verifier._version import VERSION
from verifier.callers import Caller, Refused
from verifier.code.runs import tier_name
from verifier.desk import Call, Desk, Items, Placed
from verifier.engine import VERSIONS, Engine
from verifier.language import SCRIPTS
from verifier.limits import STREAM_WINDOW
from verifier.security.calls import certified
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import TooManyItems, indexed, read_batch, read_item

PUSHBACK = "grpc-retry-pushback-ms"
"""Trailing metadata that gRPC's own retries wait for."""

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")


class VerifierService:
    """`verifier.v1.Verifier`. Requests arrive as bytes (verifier/wire.py), and answers leave so."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def verify(self, raw: bytes, context: Context) -> bytes:
        caller = await self._caller(context)
        try:
            self._desk.admit(caller, 1)
        except Refused as refused:
            await _abort(context, refused)
        return await self._desk.answer(caller, read_item(raw))

    async def verify_batch(self, raw: bytes, context: Context) -> AsyncIterator[bytes]:
        caller = await self._caller(context)
        try:
            items = self._read(raw)
            self._desk.admit(caller, len(items))
        except Refused as refused:
            await _abort(context, refused)
        ready = self._desk.answers(caller, items)
        del raw, items
        async with aclosing(ready):
            try:
                async for verdicts in ready:
                    yield _message(verdicts)
            except Refused as refused:
                await _abort(context, refused)

    async def verify_stream(
        self, batches: AsyncIterator[bytes], context: Context
    ) -> AsyncIterator[bytes]:
        caller = await self._caller(context)
        window = asyncio.Semaphore(STREAM_WINDOW)
        async with Call(self._desk, caller) as call:
            accepted = 0

            async def read() -> None:
                nonlocal accepted
                async for raw in batches:
                    for item in self._read(raw):
                        await window.acquire()
                        await self._desk.wait_for_place(caller)
                        call.admitted(1)
                        accepted += 1
                        call.submit([item])

            reading = asyncio.create_task(read())
            next_ready: asyncio.Task[list[Placed]] | None = None
            try:
                answered = 0
                while not reading.done() or answered < accepted:
                    next_ready = next_ready or asyncio.create_task(call.ready())
                    waits = {next_ready} if reading.done() else {next_ready, reading}
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                    if reading.done():
                        await _result(reading, context)
                    if next_ready.done():
                        verdicts, next_ready = await _result(next_ready, context), None
                        yield _message(verdicts)
                        answered += len(verdicts)
                        call.delivered(len(verdicts))
                        for _ in verdicts:
                            window.release()
                await _result(reading, context)  # it may have failed after the last verdict
            finally:
                leftover = [task for task in (reading, next_ready) if task is not None]
                for task in leftover:
                    task.cancel()
                await asyncio.gather(*leftover, return_exceptions=True)

    async def describe(self, raw: bytes, context: Context) -> pb.DescribeResponse:
        await self._caller(context)
        try:
            pb.DescribeRequest.FromString(raw)
        except DecodeError as error:
            said = f"DescribeRequest: not a protobuf message ({error}), got {len(raw)} bytes"
            await _abort(context, Refused("INVALID_ARGUMENT", said))
        return self._desk.about

    async def _caller(self, context: Context) -> Caller:
        given = context.invocation_metadata() or ()
        metadata = {key: value for key, value in given if isinstance(value, str)}
        try:
            name = certified(context.auth_context())
            return self._desk.identify(metadata, context.peer(), name)
        except Refused as refused:
            await _abort(context, refused)

    def _read(self, raw: bytes) -> Items:
        most = self._desk.limits.batch_items
        try:
            return read_batch(raw, most)
        except DecodeError as error:
            said = f"Batch: not a protobuf message ({error}), got {len(raw)} bytes"
            raise Refused("INVALID_ARGUMENT", said) from None
        except TooManyItems:
            said = f"Batch.items: at most {most} items, got more"
            raise Refused("INVALID_ARGUMENT", said) from None


async def _result(done: asyncio.Task[T], context: Context) -> T:
    """What a task has come to."""
    try:
        return done.result()
    except Refused as refused:
        await _abort(context, refused)


async def _abort(context: Context, refused: Refused) -> NoReturn:
    trailing: tuple[tuple[str, str], ...] = ()
    if refused.retry_seconds:
        trailing = ((PUSHBACK, str(round(1000 * refused.retry_seconds))),)
    await context.abort(grpc.StatusCode[refused.code], str(refused), trailing)


def _message(verdicts: list[Placed]) -> bytes:
    """A serialised `Verdicts`."""
    return b"".join([indexed(place, verdict) for place, verdict in verdicts])


def describe(engine: Engine) -> pb.DescribeResponse:
    """What a server with this engine can do. Pure."""
    limits, sandbox = engine.limits, engine.sandbox_info
    judge, rated = engine.judging.client, engine.judging.reward_models
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
        reward_model=", ".join(rated),
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
    """Registers the service; items and verdicts pass unparsed."""
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Verify": grpc.unary_unary_rpc_method_handler(service.verify),
        "VerifyBatch": grpc.unary_stream_rpc_method_handler(service.verify_batch),
        "VerifyStream": grpc.stream_stream_rpc_method_handler(service.verify_stream),
        "Describe": grpc.unary_unary_rpc_method_handler(
            service.describe, response_serializer=pb.DescribeResponse.SerializeToString
        ),
    }
    name = pb.DESCRIPTOR.services_by_name["Verifier"].full_name
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
