"""Assembles a server: sandbox, math workers, service, health and reflection.

`Server` starts everything or nothing, and closes all it started: no process,
control group, mount or temporary file is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import SERVICE_NAME as HEALTH_SERVICE
from grpc_health.v1.health import aio as health
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from sandbox.listening import Address, CannotListen
from verifier import metrics, tracing
from verifier.assembly import start_desk
from verifier.security.calls import Gate
from verifier.security.listening import HANDSHAKE, Listening
from verifier.service import VerifierService, add_to
from verifier.settings import ListenError, Settings
from verifier.v1 import verifier_pb2 as pb

__all__ = ["ListenError", "Server", "Settings"]

SERVICE = pb.DESCRIPTOR.services_by_name["Verifier"].full_name

LIVENESS = "liveness"
"""A name for health checks that is served until the process ends; the others stop being served
once it drains."""

_SECONDS = 1000
KEEPALIVE = (
    # A client may ping every 10 s, also between requests: trainers keep one
    # channel open through hours of generation, often behind load balancers.
    ("grpc.http2.min_ping_interval_without_data_ms", 10 * _SECONDS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 60 * _SECONDS),
    ("grpc.keepalive_timeout_ms", 20 * _SECONDS),
)

WAITING = tuple(
    # Calls that have come and not begun: gRPC cancels them from some thousand on, where admission
    # would let them in or tell them when to come again. A call that has not begun holds no message.
    (f"grpc.server.max_pending_requests{which}", 1 << 20)
    for which in ("", "_hard_limit")
)


class Server:
    """A running server; `async with Server(settings) as server: server.address`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address = ""
        self.metrics_address = ""
        self.http_address = ""
        self.http_url = ""
        self._renew: Callable[[], None] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Server:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def renewable(self) -> bool:
        """Whether `renew` has anything to read: certificates or tokens."""
        return self._renew is not None

    def renew(self) -> None:
        """Reads certificates and tokens again; those that cannot be used are told in the log, and
        the old stay."""
        if self._renew is not None:
            self._renew()

    async def _start(self, stack: AsyncExitStack) -> None:
        settings = self.settings
        doors = Listening.of(settings)
        listen = doors.place("--listen", settings.listen)
        metrics_host = doors.metrics_host()
        if settings.http is not None:
            http = doors.place("--http", settings.http)
            try:
                from verifier.http.front import HttpFront
            except ImportError as missing:
                how = 'from a checkout: pip install ".[http]"'
                raise ListenError(f"--http: {missing.name} is missing; {how}") from missing
        desk = await start_desk(settings, stack)
        self._renew = partial(doors.renew, desk.callers) if doors.renewable else None
        most = settings.limits.message_bytes
        server = grpc.aio.server(
            interceptors=[*([Gate(desk.callers)] if settings.tokens else []), *tracing.calls()],
            options=[
                ("grpc.max_receive_message_length", most),
                ("grpc.max_send_message_length", most),
                # Two servers silently sharing a port would split the traffic.
                ("grpc.so_reuseport", 0),
                *HANDSHAKE,
                *KEEPALIVE,
                *WAITING,
            ],
        )
        add_to(server, VerifierService(desk))
        checks = health.HealthServicer()
        add_HealthServicer_to_server(checks, server)
        reflection.enable_server_reflection(
            (SERVICE, HEALTH_SERVICE, reflection.SERVICE_NAME), server
        )
        try:
            port = doors.add_port(server, listen)
        except RuntimeError as error:
            raise ListenError(
                f"--listen: cannot listen on {settings.listen!r}: another server has it, or it is"
                f" none of this machine's ({error})"
            ) from error
        if settings.metrics_port is not None:
            try:
                page, thread = metrics.serve(settings.metrics_port, metrics_host)
            except OSError as error:
                raise ListenError(
                    f"--metrics-port: cannot listen on {settings.metrics_port}: {error}"
                ) from error
            stack.callback(thread.join)
            stack.callback(page.server_close)
            stack.callback(page.shutdown)
            self.metrics_address = Address(metrics_host, page.server_port).at(page.server_port)
        await server.start()
        listening: list[Callable[[], Awaitable[None]]] = [
            partial(server.stop, settings.grace_seconds)
        ]
        stack.push_async_callback(_all, listening)
        stack.push_async_callback(_drain, checks)
        if settings.http is not None:
            try:
                front = await HttpFront.start(http, desk, settings.grace_seconds, doors.context())
            except CannotListen as error:
                raise ListenError(f"--http: {error}") from error
            listening.append(front.close)
            self.http_address, self.http_url = front.address, front.url
        for name in ("", SERVICE, LIVENESS):
            await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
        self.address = listen.at(port)
        doors.warn()


async def _drain(checks: health.HealthServicer) -> None:
    """Tells health checks that nothing new should come; the process still lives."""
    for name in ("", SERVICE):
        await checks.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)


async def _all(calls: list[Callable[[], Awaitable[None]]]) -> None:
    """All at once, as the grace is the same for all."""
    await asyncio.gather(*(call() for call in calls))
