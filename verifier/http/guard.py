"""Drops what nobody waits for: the work of clients that are gone, connections that say nothing.

Wraps the application (`Guard`) and the protocol below it (`Protocol`).
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import resource
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from verifier.http.who import CERTIFIED, name_in
from verifier.http.words import RETRY, STOPPING, shown

HEAD_BYTES = 64 * 1024
"""Request line and headers together; trainers send some hundred bytes."""

HEAD_SECONDS = 10.0
"""From a connection, or the first byte of a request, to the end of its headers."""

KEPT_SECONDS = 75
"""An idle connection is kept so long: longer than clients' pools keep theirs, mostly."""

_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
CONNECTIONS = 4_096 if _FILES == resource.RLIM_INFINITY else min(4_096, _FILES // 2)
"""Open at once; the other half of the process's files are for gRPC and the sandbox."""


class Guard:
    """Cancels the application when its client is gone, within a turn of the event loop.

    A front on `loopback` must be addressed as this machine: a page in a browser whose own name is
    made to lead here (DNS rebinding) says that name.
    """

    def __init__(self, app: ASGIApp, loopback: bool) -> None:
        self._app, self._loopback = app, loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        size += len(scope["raw_path"]) + len(scope["query_string"])
        if size > HEAD_BYTES:
            message = f"headers: at most {HEAD_BYTES} bytes with the address, got {size}"
            await JSONResponse({"error": message}, 431)(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "localhost")
        if self._loopback and not _is_local(host):
            message = f"host: localhost or a loopback address is wanted here, got {shown(host)}"
            await JSONResponse({"error": message}, 421)(scope, receive, send)
            return
        body_read = asyncio.Event()
        started = False

        async def read() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                body_read.set()
            return message

        async def write(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        async def gone() -> None:
            await body_read.wait()
            while (await receive())["type"] != "http.disconnect":
                pass

        work = asyncio.create_task(_run(self._app, scope, read, write))
        leaving = asyncio.create_task(gone())
        try:
            await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The server stops and the grace is over; what has begun cannot be ended in order.
            await _end(work, leaving)
            if not started:
                await JSONResponse({"error": STOPPING}, 503, RETRY)(scope, receive, send)
            return
        await _end(work, leaving)
        if not work.cancelled():
            work.result()


def _is_local(host: str) -> bool:
    """Whether a Host header, with or without a port, names this machine to itself."""
    name = re.sub(r":[0-9]*\Z", "", host).removeprefix("[").removesuffix("]").lower()
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _run(app: ASGIApp, scope: MutableMapping[str, Any], read: Receive, write: Send) -> None:
    await app(scope, read, write)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Protocol(H11Protocol):
    """HTTP/1.1 on one connection, with a bound on how long and how many may say nothing."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= CONNECTIONS:
            transport.write(_refusal(503, f"connections: at most {CONNECTIONS} at once"))
            transport.close()
            return
        super().connection_made(transport)
        shown_to_us = transport.get_extra_info("peercert")
        if shown_to_us:
            self.app_state = {CERTIFIED: name_in(shown_to_us)}
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        if self.transport is not None:
            super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        # Of an answer that has begun there is nothing left to say.
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            limit = f"no HTTP/1.1, or a head of more than {HEAD_BYTES} bytes"
            self.transport.write(_refusal(400, f"request: {limit}"))
        self.transport.close()

    @property
    def _idle(self) -> bool:
        """No request is at work: its headers are not complete, or its answer is."""
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        if not self._idle:
            self._unwatch()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_SECONDS, self._late)

    def _unwatch(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _late(self) -> None:
        self._waiting = None
        if self._idle:
            self.transport.close()


def _refusal(status: int, message: str) -> bytes:
    """A whole answer of its own, for what comes to no application."""
    body = json.dumps({"error": message}).encode()
    reason = {400: "Bad Request", 503: "Service Unavailable"}[status]
    head = [f"HTTP/1.1 {status} {reason}", "content-type: application/json", "connection: close"]
    if status == 503:
        head += [f"{name}: {value}" for name, value in RETRY.items()]
    head += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body
