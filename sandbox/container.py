"""One container with an agent in it: its options, its attached stream, the conversation.

Invariants: every request asked of a container is answered exactly once, by an answer of the agent
or by `on_lost`; whatever the agent sends that is no frame, or an answer to nothing, makes the
container lost; a container that is lost or closed is removed. No call to the engine blocks the
event loop. The container ends by itself when the stream does, so it outlives no server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container as EngineContainer
from google.protobuf.message import DecodeError

from sandbox import agent, limits
from sandbox.v1 import sandbox_pb2 as pb

log = logging.getLogger(__name__)

# Beyond the programs' own: the cache of compiled programs, a warm compiler at its limit, and the
# agent with its warm interpreters.
AGENT_MEMORY_BYTES = limits.CACHE_BYTES + limits.COMPILE_MEMORY_BYTES + 512 * limits.MIB
AGENT_PROCESSES = 256
# Jails of tier T3 bring a tmpfs of their own; those of lower tiers have their files here.
TMP_BYTES = 1024 * limits.MIB
# From creating a container to its agent's first answer: about a second; a busy host needs more.
START_SECONDS = 120.0
# A call to the engine; removing a container with many processes is the longest.
ENGINE_SECONDS = 60
PING_EVERY_SECONDS = 5.0
# An agent answers within a millisecond; on a host short of memory or of cores it may not.
PING_SECONDS = 20.0
# An agent whose input has ended kills its jails and is gone within some tens of milliseconds.
END_SECONDS = 5.0
STDERR_BYTES = 4096
SECCOMP = Path(__file__).parent / "container-seccomp.json"
# What the T3 jail needs, and nothing else of what Docker gives; see docs/docker.md.
CAPABILITIES = (
    "SYS_ADMIN",  # namespaces, mounts, pivot_root, the jail's cgroups
    "SETUID",  # the map of user ids of the jail's user namespace
    "SETGID",  # likewise for groups
)
# Of the server's environment, what its containers get too: which kernels OpenBLAS (numpy) uses,
# which some hosts set against wrong results.
PASSED_ON = ("OPENBLAS_CORETYPE",)

# Docker's header of each piece of a non-tty attached stream: stream, three zeros, length.
_PIECE = struct.Struct(">B3xI")
_STDOUT, _STDERR = 1, 2


class ContainerLost(Exception):
    """A container cannot be started, or is gone; the message says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How containers are made. Sizes are bytes; None takes what is said beside the field."""

    image: str = "touchstone"
    # One for each core.
    containers: int | None = None
    # Programs at once in one container. One each keeps what goes wrong in it to itself.
    slots: int = 1
    # runc, runsc, or what else the engine knows; None: the engine's default.
    runtime: str | None = None
    require_tier: str = "T3"
    # None: for each slot the most a run may ask for, and AGENT_MEMORY_BYTES.
    memory_bytes: int | None = None
    # Requests after which a container is replaced: bounds what can build up in one.
    recycle_after: int = 1000
    max_queued: int = limits.DEFAULT_MAX_QUEUED
    # The engine's address; None: DOCKER_HOST, or the usual socket.
    engine: str | None = None


class Demultiplexer:
    """Splits an attached stream into pieces of standard output and standard error."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._stream, self._left = 0, 0

    def feed(self, data: bytes) -> Iterator[tuple[bool, bytes]]:
        """Yields (is it standard output, some bytes of it); raises BadFrame."""
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                yield self._stream == _STDOUT, piece
                continue
            missing = _PIECE.size - len(self._header)
            self._header += data[at : at + missing]
            at += missing
            if len(self._header) == _PIECE.size:
                self._stream, self._left = _PIECE.unpack(self._header)
                self._header.clear()
                if self._stream not in (_STDOUT, _STDERR):
                    raise agent.BadFrame(f"the engine sent stream {self._stream}")


class Frames:
    """Puts frames together again from pieces of standard output."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yields kind, number and body of each frame that is complete; raises BadFrame."""
        self._buffer += piece
        size = agent.HEADER.size
        while len(self._buffer) >= size:
            length, number, kind = agent.split_header(self._buffer[:size])
            if len(self._buffer) < size + length:
                return
            body = bytes(self._buffer[size : size + length])
            del self._buffer[: size + length]
            yield kind, number, body


class Question(Protocol):
    """Something asked of a container: exactly one of its methods is called, once."""

    def on_answer(self, container: Container, kind: int, body: bytes) -> None:
        """The agent's answer."""

    def on_lost(self, container: Container, reason: str) -> None:
        """The container is gone; there will be no answer."""


class _Stream(asyncio.Protocol):
    """The attached stream; hands frames to its container."""

    def __init__(self) -> None:
        self.on_frame: Callable[[int, int, bytes], None] = _unexpected
        self._pieces, self._frames = Demultiplexer(), Frames()
        self._said = bytearray()
        self.heard_at = 0.0
        # Resolves to why the stream ended.
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        try:
            for is_output, piece in self._pieces.feed(data):
                if is_output:
                    for kind, number, body in self._frames.feed(piece):
                        self.on_frame(kind, number, body)
                else:
                    self._said += piece
                    del self._said[:-STDERR_BYTES]
        except agent.BadFrame as error:
            self.end(f"its agent sent a bad frame: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"it ended{f': {exc}' if exc else ''}")

    def end(self, reason: str) -> None:
        """Closes the stream, and with it the agent's input."""
        with contextlib.suppress(OSError):  # it is closed already
            self.transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self.transport.abort()
        if not self.ended.done():
            words = self._said.decode(errors="replace").strip()
            self.ended.set_result(f"{reason}; it said: {words}" if words else reason)


def _unexpected(kind: int, number: int, body: bytes) -> None:
    raise agent.BadFrame(f"kind {kind} before anything was asked")


class Container:
    """A running container. Make one by `Container.start`."""

    def __init__(self, settings: Settings, engine: EngineContainer, stream: _Stream) -> None:
        self._settings, self._engine, self._stream = settings, engine, stream
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, Question] = {}
        self._number = 0
        self._served = 0
        # No new request may be asked of it.
        self.retired = False
        # Resolves to why the container is to be replaced.
        self.spent: asyncio.Future[str] = self._loop.create_future()
        self._idle = asyncio.Event()
        self._idle.set()
        self.description = pb.DescribeResponse()
        stream.on_frame = self._on_frame
        stream.ended.add_done_callback(self._on_ended)
        self._watching: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, client: docker.DockerClient, settings: Settings, labels: dict[str, str]
    ) -> Container:
        """Creates, attaches and starts a container; returns when its agent can run programs.

        Raises ContainerLost.
        """
        creating = asyncio.create_task(asyncio.to_thread(_create, client, settings, labels))
        try:
            engine, raw = await asyncio.shield(creating)
        except asyncio.CancelledError:
            # The thread goes on all the same; what it makes must not stay.
            with contextlib.suppress(ContainerLost):
                engine, raw = await creating
                raw.close()
                await asyncio.to_thread(_remove, engine, 0)
            raise
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(_Stream, sock=raw)
        container = cls(settings, engine, stream)
        try:
            async with asyncio.timeout(START_SECONDS):
                container.description = await container._describe()
            # Not before: an agent that starts answers nothing.
            container._watching = asyncio.create_task(container._watch())
        except TimeoutError:
            await container.close()
            raise ContainerLost(f"its agent did not answer within {START_SECONDS:g} s") from None
        except BaseException:
            await container.close()
            raise
        return container

    async def _describe(self) -> pb.DescribeResponse:
        answer = _Answer(self._loop)
        self.ask(agent.DESCRIBE, b"", answer)
        kind, body = await answer.future
        if kind != agent.DESCRIPTION:
            raise ContainerLost(f"its agent answered kind {kind}")
        try:
            return pb.DescribeResponse.FromString(body)
        except DecodeError as error:
            raise ContainerLost(f"its agent sent a description that is none: {error}") from error

    @property
    def id(self) -> str:
        return str(self._engine.id)

    @property
    def room(self) -> int:
        """How many requests it can take now."""
        if self.retired or self._stream.ended.done():
            return 0
        return self._settings.slots - len(self._open)

    # ---- asking

    def ask(self, kind: int, body: bytes, question: Question) -> int:
        """Sends a request; returns its number. The question hears the answer, or the loss."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._open[self._number] = question
        self._idle.clear()
        self._stream.transport.write(agent.encode(kind, self._number, body))
        return self._number

    def cancel(self, number: int) -> None:
        """Stops a run. Its question still hears an answer, when the place is free again."""
        if number in self._open:
            self._stream.transport.write(agent.encode(agent.CANCEL, number))

    def retire(self, reason: str) -> None:
        """Takes no more requests and is to be replaced; what is under way goes on."""
        self.retired = True
        self._spend(reason)

    def _spend(self, reason: str) -> None:
        if not self.spent.done():
            self.spent.set_result(reason)

    # ---- answers

    def _on_frame(self, kind: int, number: int, body: bytes) -> None:
        if kind == agent.PONG:
            return  # `heard_at` is what counts
        question = self._open.pop(number, None)
        if question is None:
            raise agent.BadFrame(f"kind {kind} for number {number}, which was not asked")
        self._served += kind == agent.RESULT
        if self._served == self._settings.recycle_after:
            self._spend(f"it has served {self._served} requests")
        if not self._open:
            self._idle.set()
        question.on_answer(self, kind, body)

    def broken(self, reason: str) -> None:
        """The agent sent something that is no answer: the container is lost."""
        self._stream.end(reason)

    def _on_ended(self, ended: asyncio.Future[str]) -> None:
        reason = ended.result()
        self.retire(reason)
        lost, self._open = list(self._open.values()), {}
        self._idle.set()
        for question in lost:
            question.on_lost(self, reason)

    async def _watch(self) -> None:
        """Loses the container when its agent does not answer."""
        while not self._stream.ended.done():
            await asyncio.sleep(PING_EVERY_SECONDS)
            asked_at = self._loop.time()
            self._stream.transport.write(agent.encode(agent.PING, 0))
            while self._stream.heard_at < asked_at and not self._stream.ended.done():
                if self._loop.time() > asked_at + PING_SECONDS:
                    self._stream.end(f"its agent did not answer a ping within {PING_SECONDS:g} s")
                await asyncio.sleep(PING_EVERY_SECONDS / 10)

    # ---- ending

    async def drained(self) -> None:
        """Waits until nothing is under way."""
        await self._idle.wait()

    async def close(self) -> None:
        """Ends the container and removes it; what was under way is lost."""
        # One whose stream ended is gone, or does not keep to the protocol.
        grace = 0 if self._stream.ended.done() else END_SECONDS
        self._stream.end("it was closed")
        if self._watching is not None:
            self._watching.cancel()
        try:
            await asyncio.to_thread(_remove, self._engine, grace)
        except (DockerException, requests.RequestException) as error:
            # It stays for the sweep of a later start.
            log.error("container %s cannot be removed: %s", self.id[:12], error)


class _Answer:
    """A question whose answer is awaited."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[tuple[int, bytes]] = loop.create_future()

    def on_answer(self, container: Container, kind: int, body: bytes) -> None:
        if not self.future.done():
            self.future.set_result((kind, body))

    def on_lost(self, container: Container, reason: str) -> None:
        if not self.future.done():
            self.future.set_exception(ContainerLost(reason))


# ---- calls to the engine; each blocks, so each runs in a thread


def connect(engine: str | None) -> docker.DockerClient:
    """A client of the engine; raises ContainerLost when none answers, or only by TLS or ssh."""
    try:
        if engine is None:
            client = docker.from_env(timeout=ENGINE_SECONDS)
        else:
            client = docker.DockerClient(base_url=engine, timeout=ENGINE_SECONDS)
        client.ping()
    except (DockerException, requests.RequestException) as error:
        raise ContainerLost(f"no Docker engine answers: {error}") from error
    if not str(client.api.base_url).startswith(("http+docker://localhost", "http://")):
        client.close()
        raise ContainerLost("the engine must be reached by a unix socket or plain tcp")
    return client


def _create(
    client: docker.DockerClient, settings: Settings, labels: dict[str, str]
) -> tuple[EngineContainer, socket.socket]:
    """A started container and its attached stream, a non-blocking socket."""
    try:
        engine = _new(client, settings, labels)
    except (DockerException, requests.RequestException) as error:
        raise ContainerLost(f"the container cannot be created: {error}") from error
    try:
        # Before the start: an agent's first words are not missed, and nothing is read ahead.
        stream = _attach(client, engine)
        try:
            engine.start()
        except BaseException:
            stream.close()
            raise
    except BaseException as error:
        _remove(engine, 0)
        if isinstance(error, (DockerException, requests.RequestException)):
            raise ContainerLost(f"the container cannot be started: {error}") from error
        raise
    return engine, stream


def _new(
    client: docker.DockerClient, settings: Settings, labels: dict[str, str]
) -> EngineContainer:
    """A container for an agent, not started. docs/docker.md gives the reason for each option."""
    memory = settings.memory_bytes
    if memory is None:
        memory = settings.slots * limits.MAX_MEMORY_BYTES + AGENT_MEMORY_BYTES
    return client.containers.create(
        settings.image,
        [
            "agent",
            f"--slots={settings.slots}",
            f"--require-tier={settings.require_tier}",
        ],
        entrypoint=["touchstone-sandbox"],
        labels=labels,
        runtime=settings.runtime,
        hostname="sandbox",
        environment={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        stdin_open=True,
        auto_remove=True,
        # The engine's log would hold every result on disk.
        log_config=docker.types.LogConfig(type="none"),
        init=True,
        network_mode="none",
        ipc_mode="private",
        read_only=True,
        # exec: below T3 compiled programs are run from here.
        tmpfs={"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={TMP_BYTES}"},
        cap_drop=["ALL"],
        cap_add=list(CAPABILITIES),
        security_opt=[
            "no-new-privileges",
            # Docker's own list has no pivot_root, and its AppArmor profile no mount.
            f"seccomp={SECCOMP.read_text()}",
            "apparmor=unconfined",
        ],
        pids_limit=settings.slots * limits.MAX_PROCESSES + AGENT_PROCESSES,
        mem_limit=memory,
        memswap_limit=memory,  # no swap beside it
    )


def _attach(client: docker.DockerClient, engine: EngineContainer) -> socket.socket:
    attached = client.api.attach_socket(
        str(engine.id), params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
    )
    # The library's object is a reader around the socket; what is wanted is the socket, once.
    stream = socket.socket(fileno=os.dup(attached.fileno()))
    response = getattr(attached, "_response", attached)
    response.close()
    stream.setblocking(False)
    return stream


def _remove(engine: EngineContainer, grace: float) -> None:
    """Removes a container: `grace` seconds after its stream was closed, by force."""
    with contextlib.suppress(NotFound):
        if grace:
            try:
                engine.wait(timeout=grace, condition="removed")
                return
            except (requests.ReadTimeout, requests.ConnectionError):
                log.warning("container %s did not end by itself", engine.short_id)
        remove(engine)


def remove(engine: EngineContainer) -> None:
    """Kills and removes a container; one that is gone already is fine.

    Raises DockerException or requests.RequestException when the engine cannot.
    """
    try:
        engine.remove(force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != 409:
            raise
        # It ended by itself in this moment, and the engine is removing it.
        with contextlib.suppress(NotFound):
            engine.wait(timeout=ENGINE_SECONDS, condition="removed")
