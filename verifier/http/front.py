"""Listens for HTTP in the event loop of the gRPC server."""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn

from sandbox.listening import Address, CannotListen
from verifier import tracing
from verifier.desk import Desk
from verifier.http.app import Front, application
from verifier.http.guard import HEAD_BYTES, HEAD_SECONDS, KEPT_SECONDS, Guard, Protocol
from verifier.http.who import Door

WAITING = 2_048
"""Connections the kernel holds until they are accepted: a step's samples may all come at once."""

SILENT_SECONDS = 60
"""A client that takes no byte for so long, or whose machine is gone, is hung up on."""


class HttpFront:
    """A running front; end it by `close`."""

    def __init__(
        self,
        front: Front,
        place: Address,
        listener: socket.socket,
        grace_seconds: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._front, self._path = front, place.path
        if place.path:
            self.address = self.url = str(place)
        else:
            host, port = listener.getsockname()[:2]
            self.address = Address(host, port).at(port)
            self.url = f"{'http' if tls is None else 'https'}://{self.address}"
        door = Door(tracing.requests(application(front)), front.desk)
        self._server = _Server(
            tls,
            uvicorn.Config(
                # A page in a browser cannot reach a unix socket.
                Guard(door, loopback=place.local and not place.path),
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
            ),
        )
        self._serving = asyncio.create_task(self._server.serve([listener]))

    @classmethod
    async def start(
        cls, place: Address, desk: Desk, grace_seconds: float, tls: ssl.SSLContext | None
    ) -> HttpFront:
        """Listens there; without `tls` in plaintext. Raises CannotListen."""
        listener = await _listener(place)
        front = cls(Front(desk), place, listener, grace_seconds, tls)
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
        if self._path:
            Path(self._path).unlink(missing_ok=True)


class _Server(uvicorn.Server):
    def __init__(self, tls: ssl.SSLContext | None, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, but a handshake may not take a minute."""
        protocol = partial(
            Protocol, config=self.config, server_state=self.server_state, app_state={}
        )
        self.servers = [
            await asyncio.get_running_loop().create_server(
                protocol,
                sock=each,
                backlog=WAITING,
                ssl=self._tls,
                ssl_handshake_timeout=HEAD_SECONDS if self._tls else None,
            )
            for each in sockets or ()
        ]
        self.started = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the whole server's business."""
        yield


async def _listener(place: Address) -> socket.socket:
    """A socket that listens there. Raises CannotListen."""
    try:
        if place.path:
            return _unix_listener(place.path)
        found = await asyncio.get_running_loop().getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM
        )
        family, _, _, _, at = found[0]
        listener = socket.create_server(at[:2], family=family, backlog=WAITING)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"cannot listen on {str(place)!r}: {error}") from error
    # Accepted connections inherit these.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_SECONDS)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENT_SECONDS // 4)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * SILENT_SECONDS)
    return listener


def _unix_listener(path: str) -> socket.socket:
    if Path(path).is_socket():  # of a server that was killed
        Path(path).unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
        listener.listen(WAITING)
    except OSError:
        listener.close()
        raise
    return listener
