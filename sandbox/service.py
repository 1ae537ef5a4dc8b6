"""The gRPC service: Run, RunBatch, RunStream, Describe, with standard health and reflection.

Invariants: every accepted request gets one result under its own index; a call that its client
cancels, or whose client is gone, cancels its programs; a full queue is RESOURCE_EXHAUSTED at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from sandbox import limits, tracing
from sandbox.client import QueueFull
from sandbox.v1 import sandbox_pb2 as pb
from sandbox.v1 import sandbox_pb2_grpc as rpc

SERVICE = pb.DESCRIPTOR.services_by_name["Sandbox"].full_name
# Seconds that programs in flight may take to end when the server stops.
GRACE_SECONDS = 1.0
# A stream's requests in the pool at once, for each slot: enough to keep the slots busy, few
# enough that the client feels the back pressure.
STREAM_DEPTH = 4
SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", limits.MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would share its calls, and hide a mistake.
    ("grpc.so_reuseport", 0),
)

_Context = grpc.aio.ServicerContext[object, object]


class Served(Protocol):
    """What is served: an embedded sandbox, or one in containers."""

    @property
    def pool(self) -> Queue: ...

    async def describe(self) -> pb.DescribeResponse: ...

    async def close(self) -> None: ...


class Queue(Protocol):
    """Takes requests at once, or raises QueueFull."""

    @property
    def slots(self) -> int: ...

    @property
    def room(self) -> int: ...

    @property
    def max_queued(self) -> int: ...

    def submit(self, request: pb.RunRequest) -> asyncio.Task[pb.RunResult]: ...


class Service(rpc.SandboxServicer):
    """Serves one sandbox."""

    def __init__(self, sandbox: Served) -> None:
        self._sandbox = sandbox
        self._pool = sandbox.pool

    async def Run(self, request: pb.RunRequest, context: _Context) -> pb.RunResult:
        try:
            return await self._pool.submit(request)
        except QueueFull as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))

    async def RunBatch(
        self, request: pb.RunBatchRequest, context: _Context
    ) -> AsyncIterator[pb.RunResults]:
        if len(request.requests) > self._pool.room:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"a batch of {len(request.requests)}, but only {self._pool.room} more requests "
                f"may wait (max_queued is {self._pool.max_queued})",
            )
        running = {self._pool.submit(one): index for index, one in enumerate(request.requests)}
        async for results in _as_they_finish(running):
            yield results

    async def RunStream(
        self, requests: AsyncIterator[pb.RunBatchRequest], context: _Context
    ) -> AsyncIterator[pb.RunResults]:
        running: dict[asyncio.Task[pb.RunResult], int] = {}
        finished: asyncio.Queue[asyncio.Task[pb.RunResult] | None] = asyncio.Queue()
        depth = asyncio.Semaphore(STREAM_DEPTH * self._pool.slots)

        def on_done(task: asyncio.Task[pb.RunResult]) -> None:
            depth.release()
            finished.put_nowait(task)

        async def take() -> None:
            index = 0
            try:
                async for batch in requests:
                    for one in batch.requests:
                        await depth.acquire()
                        task = self._pool.submit(one)
                        running[task] = index
                        task.add_done_callback(on_done)
                        index += 1
            finally:
                finished.put_nowait(None)

        taking = asyncio.create_task(take())
        try:
            more = True
            while more or running:
                task = await finished.get()
                if task is None:
                    more = False
                    try:
                        await taking
                    except QueueFull as error:
                        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
                    continue
                index = running.pop(task)
                yield pb.RunResults(results=[pb.IndexedResult(index=index, result=task.result())])
        finally:
            taking.cancel()
            for task in running:
                task.cancel()

    async def Describe(self, request: pb.DescribeRequest, context: _Context) -> pb.DescribeResponse:
        return await self._sandbox.describe()


async def _as_they_finish(
    running: dict[asyncio.Task[pb.RunResult], int],
) -> AsyncIterator[pb.RunResults]:
    """Results of all tasks, each message with those that are there; cancels what is left over."""
    try:
        while running:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            yield pb.RunResults(
                results=[
                    pb.IndexedResult(index=running.pop(task), result=task.result()) for task in done
                ]
            )
    finally:
        for task in running:
            task.cancel()


class Server:
    """A listening server. `await Server.start(...)`, then `port`, then `stop`."""

    def __init__(self, server: grpc.aio.Server, port: int, sandbox: Served) -> None:
        self._server, self.port, self._sandbox = server, port, sandbox

    @classmethod
    async def start(cls, sandbox: Served, listen: str) -> Server:
        """Listens on `listen`, e.g. "127.0.0.1:0"; raises OSError when it cannot."""
        server = grpc.aio.server(interceptors=tracing.calls(), options=SERVER_OPTIONS)
        rpc.add_SandboxServicer_to_server(Service(sandbox), server)
        checks = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)
        for name in ("", SERVICE):
            await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
        names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        try:
            port = server.add_insecure_port(listen)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {listen}: {error}") from error
        await server.start()
        return cls(server, port, sandbox)

    async def stop(self) -> None:
        await self._server.stop(GRACE_SECONDS)
        await self._sandbox.close()
