"""Listens for HTTP in the event loop of the gRPC server."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from verifier.engine import Engine
from verifier.http.app import Front, application
from verifier.http.guard import HEAD_BYTES, KEPT_SECONDS, Guard, Protocol
from verifier.service import Admission

WAITING = 2_048
"""Connections the kernel holds until they are accepted: a step's samples may all come at once."""

SILENT_SECONDS = 60
"""A client that takes no byte for so long, or whose machine is gone, is hung up on."""


class CannotListen(Exception):
    """The address cannot be listened on; the message says why."""


class HttpFront:
    """A running front; end it by `close`."""

    def __init__(
        self, front: Front, listener: socket.socket, grace_seconds: float, public: bool
    ) -> None:
        self._front = front
        host, port = listener.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server = _Server(
            uvicorn.Config(
                Guard(application(front), public),
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=WAITING,
                timeout_keep_alive=KEPT_SECONDS,
                timeout_graceful_shutdown=math.ceil(grace_seconds),
                h11_max_incomplete_event_size=HEAD_BYTES,
            )
        )
        self._serving = asyncio.create_task(self._server.serve([listener]))

    @classmethod
    async def start(
        cls, address: str, engine: Engine, admission: Admission, grace_seconds: float, public: bool
    ) -> HttpFront:
        """Listens on host:port. Raises CannotListen: also for what others can reach, if not told
        by `public` that they may."""
        listener = await _listener(address, public)
        front = cls(Front(engine, admission), listener, grace_seconds, public)
        while not front._server.started:
            if front._serving.done():
                front._serving.result()
            await asyncio.sleep(0.001)
        return front

    async def close(self) -> None:
        """Answers what has come, for the grace period; what is left then is cancelled."""
        self._front.ready = False
        self._server.should_exit = True
        await self._serving
        await asyncio.gather(*self._server.server_state.tasks, return_exceptions=True)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the whole server's business."""
        yield


async def _listener(address: str, public: bool) -> socket.socket:
    host, _, wanted = address.rpartition(":")
    if not (host and wanted.isascii() and wanted.isdigit() and int(wanted) < 65_536):
        raise CannotListen(f"host:port with a port below 65536, got {address!r}")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host.removeprefix("[").removesuffix("]"), int(wanted), type=socket.SOCK_STREAM
        )
        family, _, _, _, place = found[0]
        if not public and not ipaddress.ip_address(str(place[0])).is_loopback:
            raise CannotListen(
                f"others can reach {address!r}, and whoever does can run programs: "
                "--http-public says that they may"
            )
        listener = socket.create_server(place[:2], family=family, backlog=WAITING)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"cannot listen on {address!r}: {error}") from error
    # Accepted connections inherit these.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_SECONDS)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENT_SECONDS // 4)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * SILENT_SECONDS)
    return listener
