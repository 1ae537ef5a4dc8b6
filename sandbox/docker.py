"""The sandbox in containers: a queue, and containers that are replaced when they are spent.

sandbox = await DockerSandbox.start(Settings(image="touchstone", containers=2))

A request waits, in order of arrival, for a container with room, and is sent to its agent. Where
the container is lost, or its sandbox fails (SANDBOX_ERROR), the request is tried once more in
another container; what happens then counts. A container that failed takes no more requests, one
that has served `recycle_after` of them goes on until its replacement is there.

Invariants: exactly one result, or one exception, for each accepted request; at most `max_queued`
wait, beyond that QueueFull at once; cancelling a request stops its program; after `close` no
container of this sandbox is left, and at the next start none of one that died.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections import deque
from pathlib import Path

import docker
import requests
from docker.errors import DockerException
from google.protobuf.message import DecodeError

from sandbox import agent, container, limits, tracing
from sandbox.client import QueueFull, SandboxUnavailable
from sandbox.container import Container, ContainerLost, Settings
from sandbox.v1 import sandbox_pb2 as pb

__all__ = ["DockerSandbox", "Settings"]

log = logging.getLogger(__name__)

# On every container of every sandbox; its value names the server. See `_is_left_over`.
LABEL = "touchstone.sandbox"
# Tries of a request: a second container tells a fault of the first from the request's own.
TRIES = 2
# Between two tries to start a container, doubled each time up to the second figure.
START_AGAIN_SECONDS, START_AGAIN_AT_MOST = 0.5, 8.0


class _Work:
    """A request on its way."""

    def __init__(self, pool: ContainerPool, request: pb.RunRequest) -> None:
        self._pool = pool
        self.id = request.id
        self.body = request.SerializeToString()
        self.result: asyncio.Future[pb.RunResult] = asyncio.get_running_loop().create_future()
        self.container: Container | None = None
        self.number = 0
        self.tries = 0
        self.waiting_since = time.monotonic()
        self.waited = 0.0

    def send(self, to: Container) -> None:
        self.waited += time.monotonic() - self.waiting_since
        self.tries += 1
        self.container = to
        self.number = to.ask(agent.RUN, self.body, self)

    def give_up(self) -> None:
        """Nobody waits for the result any more."""
        self.result.cancel()
        if self.container is not None:
            self.container.cancel(self.number)
        else:
            self._pool.forget(self)

    def on_answer(self, container: Container, kind: int, body: bytes) -> None:
        if self.result.done():
            self._pool.hand_out()
            return
        if kind != agent.RESULT:
            self._again(container, f"its agent answered kind {kind}: {body[:200]!r}")
            return
        try:
            result = pb.RunResult.FromString(body)
        except DecodeError as error:
            container.broken(f"its agent sent a result that is none: {error}")
            self.on_lost(container, str(error))
            return
        if result.status == pb.RunResult.SANDBOX_ERROR:
            self._again(container, result.message)
            return
        result.queued_ms += self.waited * 1000
        self.result.set_result(result)
        self._pool.hand_out()

    def _again(self, container: Container, reason: str) -> None:
        container.retire(f"it could not run a request: {reason}")
        self.on_lost(container, reason)

    def on_lost(self, container: Container, reason: str) -> None:
        if self.result.done():
            return
        if self.tries < TRIES:
            self.container = None
            self.waiting_since = time.monotonic()
            self._pool.first(self)
        else:
            self.fail(f"{self.tries} containers failed, the last one: {reason}")

    def fail(self, message: str) -> None:
        if not self.result.done():
            status = pb.RunResult.SANDBOX_ERROR
            self.result.set_result(pb.RunResult(id=self.id, status=status, message=message))


class ContainerPool:
    """Runs requests in containers. Belongs to the event loop it was made in."""

    def __init__(
        self,
        client: docker.DockerClient,
        settings: Settings,
        labels: dict[str, str],
        containers: list[Container],
    ) -> None:
        self._client, self._settings, self._labels = client, settings, labels
        self.max_queued = settings.max_queued
        self.slots = len(containers) * settings.slots
        self._containers = list(containers)
        self._waiting: deque[_Work] = deque()
        self._tasks: set[asyncio.Task[pb.RunResult]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False
        self._keepers = [asyncio.create_task(self._keep(one)) for one in containers]

    @property
    def room(self) -> int:
        """How many more requests would be accepted now."""
        return self.slots + self.max_queued - len(self._tasks)

    def submit(self, request: pb.RunRequest) -> asyncio.Task[pb.RunResult]:
        """Accepts a request at once, or raises QueueFull."""
        if self._closed:
            raise RuntimeError("the sandbox is closed")
        if self.room <= 0:
            raise QueueFull(f"{self.max_queued} requests wait already (max_queued)")
        task = asyncio.create_task(self._serve(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, request: pb.RunRequest) -> pb.RunResult:
        size = request.ByteSize()
        if size > limits.MAX_MESSAGE_BYTES:
            message = f"the request has {size} bytes, at most {limits.MAX_MESSAGE_BYTES} may be"
            return pb.RunResult(id=request.id, status=pb.RunResult.INVALID, message=message)
        work = _Work(self, request)
        self._waiting.append(work)
        self.hand_out()
        try:
            with tracing.span("container", language=request.language):
                result = await work.result
                tracing.note(status=pb.RunResult.Status.Name(result.status), queued_s=work.waited)
                return result
        except asyncio.CancelledError:
            work.give_up()
            raise

    def first(self, work: _Work) -> None:
        """Puts work that has waited once before all that waits."""
        self._waiting.appendleft(work)
        self.hand_out()

    def forget(self, work: _Work) -> None:
        """Takes back work that waits, if it still does."""
        with contextlib.suppress(ValueError):
            self._waiting.remove(work)

    def hand_out(self) -> None:
        """Sends what waits to containers with room, the emptiest first."""
        while self._waiting:
            emptiest = max(self._containers, key=lambda one: one.room, default=None)
            if emptiest is None or emptiest.room <= 0:
                return
            self._waiting.popleft().send(emptiest)

    # ---- containers

    async def _keep(self, container: Container) -> None:
        """Keeps one container's place filled."""
        while True:
            reason = await asyncio.shield(container.spent)
            log.info("container %s is replaced: %s", container.id[:12], reason)
            if container.retired:
                self._end(container)
            fresh = await self._replacement()
            self._containers.append(fresh)
            self._end(container)
            container = fresh
            self.hand_out()

    async def _replacement(self) -> Container:
        """A new container, however often it takes."""
        pause = START_AGAIN_SECONDS
        while True:
            try:
                return await Container.start(self._client, self._settings, self._labels)
            except ContainerLost as error:
                log.error("a container cannot be started: %s", error)
                if all(one.retired for one in self._containers):
                    self._fail_waiting(f"no container can be started: {error}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, START_AGAIN_AT_MOST)

    def _fail_waiting(self, message: str) -> None:
        while self._waiting:
            self._waiting.popleft().fail(message)

    def _end(self, container: Container) -> None:
        """Lets a container finish what is under way, and removes it, behind the caller's back."""
        if container not in self._containers:
            return
        self._containers.remove(container)
        container.retire("it is replaced")
        ending = asyncio.create_task(_drain(container))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Cancels what runs and waits, and leaves no container behind."""
        if self._closed:
            return
        self._closed = True
        for task in [*self._tasks, *self._keepers, *self._ending]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._keepers, *self._ending, return_exceptions=True)
        await asyncio.gather(*(one.close() for one in self._containers))


async def _drain(container: Container) -> None:
    try:
        await container.drained()
    finally:
        await container.close()


class DockerSandbox:
    """The sandbox in containers. Make one by `start`; use it in that event loop only."""

    def __init__(
        self, client: docker.DockerClient, pool: ContainerPool, description: pb.DescribeResponse
    ) -> None:
        self._client, self.pool, self._description = client, pool, description

    @classmethod
    async def start(cls, settings: Settings | None = None) -> DockerSandbox:
        """Removes what dead servers left, and starts the containers, all at once.

        Raises SandboxUnavailable when the engine does not answer, a container cannot be started,
        or its agent finds no sandbox of the required tier there; and for impossible settings.
        """
        settings = settings or Settings()
        _check(settings)
        count = settings.containers or len(os.sched_getaffinity(0))
        labels = {LABEL: _server_name()}
        try:
            client = await asyncio.to_thread(container.connect, settings.engine)
        except ContainerLost as error:
            raise SandboxUnavailable(str(error)) from error
        try:
            await asyncio.to_thread(sweep, client)
            started = await _start_all(client, settings, labels, count)
        except (ContainerLost, DockerException, requests.RequestException) as error:
            client.close()
            raise SandboxUnavailable(f"no container can be started: {error}") from error
        pool = ContainerPool(client, settings, labels, started)
        return cls(client, pool, _description(started[0].description, settings, pool))

    async def run(self, request: pb.RunRequest) -> pb.RunResult:
        return await self.pool.submit(request)

    async def describe(self) -> pb.DescribeResponse:
        return self._description

    async def close(self) -> None:
        await self.pool.close()
        await asyncio.to_thread(self._client.close)


async def _start_all(
    client: docker.DockerClient, settings: Settings, labels: dict[str, str], count: int
) -> list[Container]:
    """`count` containers; none when one of them cannot be started (raises ContainerLost)."""
    starts = [Container.start(client, settings, labels) for _ in range(count)]
    outcomes = await asyncio.gather(*starts, return_exceptions=True)
    started = [one for one in outcomes if isinstance(one, Container)]
    failures = [one for one in outcomes if isinstance(one, BaseException)]
    if failures:
        await asyncio.gather(*(one.close() for one in started))
        raise failures[0]
    return started


def _check(settings: Settings) -> None:
    for name, value, low in (
        ("containers", settings.containers, 1),
        ("slots", settings.slots, 1),
        ("recycle_after", settings.recycle_after, 1),
        ("max_queued", settings.max_queued, 0),
    ):
        if value is not None and value < low:
            raise SandboxUnavailable(f"{name} must be at least {low}, got {value}")


def _description(
    agents: pb.DescribeResponse, settings: Settings, pool: ContainerPool
) -> pb.DescribeResponse:
    """What one container's agent says, for all of them."""
    described = pb.DescribeResponse()
    described.CopyFrom(agents)
    described.slots, described.max_queued = pool.slots, pool.max_queued
    runtime = settings.runtime or "the engine's default runtime"
    described.mechanisms.add(
        name="container",
        in_force=True,
        detail=f"{settings.image}, {runtime}, no network, read-only root, "
        f"replaced after {settings.recycle_after} requests",
    )
    return described


# ---- containers of dead servers


def _server_name() -> str:
    """Host, boot, pid namespace, pid and start time: of one process ever."""
    pid = os.getpid()
    return f"{_namespace_name()} {pid} {_start_time(pid)}"


def _namespace_name() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{socket.gethostname()} {boot} {os.stat('/proc/self/ns/pid').st_ino}"


def _start_time(pid: int) -> str:
    """Clock ticks after boot at which a process started; "" when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rpartition(")")[2].split()[19]


def _is_left_over(server: str) -> bool:
    """Whether a server is known to be gone; one of another host or namespace is not."""
    namespace, _, process = server.rpartition(" ")[0].rpartition(" ")
    started = server.rpartition(" ")[2]
    return (
        namespace == _namespace_name()
        and process.isdecimal()
        and _start_time(int(process)) != started
    )


def sweep(client: docker.DockerClient) -> int:
    """Removes the containers of servers that are gone; says how many. Blocks."""
    removed = 0
    for one in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
        if _is_left_over(one.labels.get(LABEL, "")):
            container.remove(one)
            removed += 1
    if removed:
        log.warning("%d containers left by dead servers removed", removed)
    return removed
