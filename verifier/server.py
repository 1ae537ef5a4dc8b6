"""Assembles a server: sandbox, math workers, service, health and reflection.

`Server` starts everything or nothing, and closes all it started: no process,
control group, mount or temporary file is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import SERVICE_NAME as HEALTH_SERVICE
from grpc_health.v1.health import aio as health
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from sandbox.client import EmbeddedSandbox, NoSandbox, RemoteSandbox, Sandbox
from verifier.audit.recorder import FILE_BYTES, AuditedEngine, Recorder
from verifier.engine import Engine
from verifier.judge import judging
from verifier.judge.settings import JudgeSettings
from verifier.limits import Limits
from verifier.math import MathVerifier
from verifier.service import Admission, VerifierService, add_to
from verifier.v1 import verifier_pb2 as pb

SERVICE = pb.DESCRIPTOR.services_by_name["Verifier"].full_name

_SECONDS = 1000
KEEPALIVE = (
    # A client may ping every 10 s, also between requests: trainers keep one
    # channel open through hours of generation, often behind load balancers.
    ("grpc.http2.min_ping_interval_without_data_ms", 10 * _SECONDS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 60 * _SECONDS),
    ("grpc.keepalive_timeout_ms", 20 * _SECONDS),
)


class ListenError(Exception):
    """The address cannot be listened on."""


@dataclass(frozen=True)
class Settings:
    """What `touchstone serve` can be told."""

    listen: str = "127.0.0.1:50051"
    """host:port; port 0 takes a free one."""

    sandbox: str = "embedded"
    """"embedded": slots of this process; "none": code items are INVALID; else the
    host:port of a sandbox service."""

    slots: int | None = None
    """Programs at once in the embedded sandbox; None: one for each core."""

    math_workers: int = 1
    """Symbolic worker processes; over 99 % of math items never need one."""

    require_tier: str = "T3"
    """Refuse to start below this isolation tier ("T1", "T2", "T3")."""

    probe_share: float = 0.0
    """Of accepted programs, that are run again on another order of their tests."""

    judge: JudgeSettings | None = None
    """How a judge, a reward model or both are asked; None: items that need one are INVALID."""

    audit: Path | None = None
    """Where every verdict is written with its item (docs/audit.md); None: nowhere."""

    audit_file_bytes: int = FILE_BYTES
    """Of one file; then a new one begins."""

    metrics_port: int | None = None
    """HTTP port for Prometheus on the same host; None: none; 0 takes a free one."""

    http: str | None = None
    """host:port of the HTTP front on the same engine; None: none; port 0 takes a free one."""

    http_public: bool = False
    """The HTTP front may listen where other machines reach it."""

    grace_seconds: float = 5.0
    """What running requests get at shutdown before they are cancelled."""

    limits: Limits = field(default_factory=Limits)


class Server:
    """A running server; `async with Server(settings) as server: server.address`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address = ""
        self.metrics_address = ""
        self.http_address = ""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Server:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def _start(self, stack: AsyncExitStack) -> None:
        settings = self.settings
        host, _, wanted = settings.listen.rpartition(":")
        if not (wanted.isdigit() and int(wanted) < 65_536):
            raise ListenError(
                f"--listen: host:port with a port below 65536, got {settings.listen!r}"
            )
        if settings.http is not None:
            try:
                from verifier.http.front import CannotListen, HttpFront
            except ImportError as missing:
                how = 'from a checkout: pip install ".[http]"'
                raise ListenError(f"--http: {missing.name} is missing; {how}") from missing
        sandbox = await start_sandbox(settings)
        stack.push_async_callback(sandbox.close)
        math = MathVerifier(
            workers=settings.math_workers,
            symbolic_timeout_s=settings.limits.symbolic_ms / 1000,
            max_queued=settings.limits.items_in_flight,
        )
        stack.push_async_callback(math.close)
        asked = await judging.start(settings.judge)
        stack.push_async_callback(asked.close)
        known = await sandbox.describe()
        parts = (settings.limits, math, sandbox, known, settings.probe_share, asked)
        if settings.audit is None:
            engine = Engine(*parts)
        else:
            recorder = await Recorder.start(settings.audit, settings.audit_file_bytes)
            stack.push_async_callback(recorder.close)
            engine = AuditedEngine(*parts, recorder=recorder)
        most = settings.limits.message_bytes
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", most),
                ("grpc.max_send_message_length", most),
                # Two servers silently sharing a port would split the traffic.
                ("grpc.so_reuseport", 0),
                *KEEPALIVE,
            ]
        )
        admission = Admission(settings.limits.items_in_flight)
        add_to(server, VerifierService(engine, admission))
        checks = health.HealthServicer()
        add_HealthServicer_to_server(checks, server)
        reflection.enable_server_reflection(
            (SERVICE, HEALTH_SERVICE, reflection.SERVICE_NAME), server
        )
        try:
            port = server.add_insecure_port(settings.listen)
        except RuntimeError as error:
            raise ListenError(f"--listen: cannot listen on {settings.listen!r}: {error}") from error
        if settings.metrics_port is not None:
            try:
                http, thread = start_http_server(settings.metrics_port, host)
            except OSError as error:
                raise ListenError(
                    f"--metrics-port: cannot listen on {settings.metrics_port}: {error}"
                ) from error
            stack.callback(thread.join)
            stack.callback(http.server_close)
            stack.callback(http.shutdown)
            self.metrics_address = f"{host}:{http.server_port}"
        await server.start()
        listening: list[Callable[[], Awaitable[None]]] = [
            partial(server.stop, settings.grace_seconds)
        ]
        stack.push_async_callback(_all, listening)
        stack.push_async_callback(checks.enter_graceful_shutdown)
        if settings.http is not None:
            try:
                front = await HttpFront.start(
                    settings.http, engine, admission, settings.grace_seconds, settings.http_public
                )
            except CannotListen as error:
                raise ListenError(f"--http: {error}") from error
            listening.append(front.close)
            self.http_address = front.address
        for name in ("", SERVICE):
            await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
        self.address = f"{host}:{port}"


async def _all(calls: list[Callable[[], Awaitable[None]]]) -> None:
    """All at once, as the grace is the same for all."""
    await asyncio.gather(*(call() for call in calls))


async def start_sandbox(settings: Settings) -> Sandbox:
    """The sandbox the settings ask for. Raises SandboxUnavailable when it cannot be had."""
    if settings.sandbox == "none":
        return NoSandbox()
    if settings.sandbox != "embedded":
        return RemoteSandbox(settings.sandbox)
    return await EmbeddedSandbox.start(
        slots=settings.slots,
        require_tier=settings.require_tier,
        max_queued=settings.limits.items_in_flight,
    )
