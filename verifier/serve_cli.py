"""`touchstone serve`: a server until it is told to stop."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.tracing import SHARE
from verifier.embedded import READY_PREFIX
from verifier.terminal import fail

if TYPE_CHECKING:
    from verifier.server import Settings

log = logging.getLogger("touchstone")

Sandbox = Annotated[
    str,
    typer.Option(help="embedded (slots of its own), none, or host:port of a sandbox service."),
]

JudgeFile = Annotated[
    Path | None,
    typer.Option("--judge", help="TOML file that says how a judge is asked (docs/judge.md)."),
]

CacheFile = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        help="Keep results of programs and symbolic work in this file (docs/service.md#caches).",
    ),
]

AuditFile = Annotated[
    Path | None,
    typer.Option(
        "--audit",
        help="Write every item with its verdict to this .jsonl or .parquet file (docs/audit.md).",
    ),
]

TIERS = ("T1", "T2", "T3")

SHARED_MEMORY = "/dev/shm"
"""Not on any disk; some tens of KiB for each process are needed there."""


def serve(
    listen: Annotated[
        str, typer.Option(help="host:port, port 0 takes a free one, or unix:path.")
    ] = "127.0.0.1:50051",
    sandbox: Sandbox = "embedded",
    processes: Annotated[
        int,
        typer.Option(
            min=0,
            help="Engine processes behind the one that listens; 1: it works itself; 0: one a core.",
        ),
    ] = 1,
    slots: Annotated[
        int | None, typer.Option(min=1, help="Programs at once in all; default: one for each core.")
    ] = None,
    math_workers: Annotated[
        int, typer.Option(min=1, help="Symbolic workers of each engine process.")
    ] = 1,
    require_tier: Annotated[
        str, typer.Option(help="Refuse to start below this isolation tier: T1, T2 or T3.")
    ] = "T3",
    probe: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of accepted programs run again in another order of tests."
        ),
    ] = 0.0,
    judge: JudgeFile = None,
    cache: CacheFile = None,
    cache_mib: Annotated[
        int, typer.Option(min=1, help="MiB that the file of --cache may take.")
    ] = 1_024,
    audit: AuditFile = None,
    audit_mib: Annotated[
        int, typer.Option(min=1, help="MiB after which the file of --audit is full.")
    ] = 128,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="HTTP port for Prometheus; default: none."),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(help="Where that port is; beyond loopback with --insecure alone.")
    ] = "127.0.0.1",
    http: Annotated[
        str | None,
        typer.Option(help="host:port or unix:path of an HTTP front (docs/http.md); default: none."),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(help="PEM file of the server's certificate, for TLS (docs/security.md)."),
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of its private key.")] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(help="PEM file of the CA of which clients must show a certificate."),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(help="TOML file of the callers (touchstone token); default: everybody."),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Other machines may reach what listens in plaintext."),
    ] = False,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds for running calls when the server stops; 0: none.")
    ] = 5.0,
    on_ray: Annotated[
        bool, typer.Option("--ray", help="Serve as a Ray Serve application (docs/ray.md).")
    ] = False,
    ray_address: Annotated[
        str | None,
        typer.Option(
            help="Join a Ray cluster: auto (this machine's) or host:port; default: one of its own."
        ),
    ] = None,
    replicas_min: Annotated[
        int | None, typer.Option(min=1, help="Replicas on Ray at least; default: 1.")
    ] = None,
    replicas_max: Annotated[
        int | None, typer.Option(min=1, help="And at most; default: one for each node.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    log_format: Annotated[
        str, typer.Option(help="Of the log on standard error: text or json.")
    ] = "text",
    otlp: Annotated[
        str | None,
        typer.Option(help="Send traces to this OpenTelemetry collector, http(s)://host:port."),
    ] = None,
    trace_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of calls without a trace that are traced.")
    ] = SHARE,
    end_with_stdin: Annotated[
        bool, typer.Option(help="Stop when standard input closes (a parent that is gone).")
    ] = False,
) -> None:
    """Serve verdicts over gRPC until interrupted."""
    count = processes or len(os.sched_getaffinity(0))
    # One in the environment is another program's, say the inference engine's beside a trainer.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if count > 1 and metrics_port is not None:
        _share_metrics()
    from sandbox.client import SandboxUnavailable
    from sandbox.tracing import CannotTrace
    from verifier.audit.recorder import AuditError
    from verifier.judge.settings import SettingsError, load
    from verifier.kept.disk import CacheError
    from verifier.limits import MIB
    from verifier.logs import FORMATS, configure
    from verifier.server import ListenError, Settings

    if log_level.upper() not in logging.getLevelNamesMapping():
        fail(f"--log-level: one of debug, info, warning, error, got {log_level!r}")
    if log_format not in FORMATS:
        fail(f"--log-format: one of {', '.join(FORMATS)}, got {log_format!r}")
    configure(log_level.upper(), log_format)
    if log_level.upper() != "DEBUG":
        logging.getLogger("httpx2").setLevel("WARNING")  # else a line for each question to a judge
    if require_tier not in TIERS:
        fail(f"--require-tier: one of {', '.join(TIERS)}, got {require_tier!r}")
    try:
        judge_settings = None if judge is None else load(judge)
    except (OSError, SettingsError) as error:
        fail(f"--judge: {error}")
    settings = Settings(
        listen=listen,
        sandbox=sandbox,
        processes=count,
        slots=slots,
        math_workers=math_workers,
        require_tier=require_tier,
        probe_share=probe,
        judge=judge_settings,
        cache=cache,
        cache_bytes=cache_mib * MIB,
        audit=audit,
        audit_file_bytes=audit_mib * MIB,
        metrics_port=metrics_port,
        metrics_host=metrics_host,
        http=http,
        grace_seconds=grace,
        tls_certificate=tls_cert,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        tokens=tokens,
        insecure=insecure,
        log_level=log_level,
        log_format=log_format,
        otlp=otlp,
        trace_share=trace_share,
    )
    for option, given in (
        ("--ray-address", ray_address),
        ("--replicas-min", replicas_min),
        ("--replicas-max", replicas_max),
    ):
        if given is not None and not on_ray:
            fail(f"{option}: is for --ray")
    try:
        if on_ray:
            _serve_on_ray(settings, ray_address, replicas_min, replicas_max, end_with_stdin)
            return
        asyncio.run(_serve(settings, end_with_stdin))
    except (ListenError, SandboxUnavailable) as error:
        fail(str(error))
    except CannotTrace as error:
        fail(f"--otlp: {error}")
    except SettingsError as error:
        fail(f"--judge: {judge}: {error}")
    except AuditError as error:
        fail(f"--audit: {error}")
    except CacheError as error:
        fail(f"--cache: {error}")


def _share_metrics() -> None:
    """Gives all processes a folder in which prometheus_client adds up what they count. It looks for
    it when it is imported, and maps files there: on a full disk that ends a process (SIGBUS)."""
    assert "prometheus_client" not in sys.modules, "it has been imported too early"
    memory = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="touchstone-metrics-", dir=memory)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


async def _serve(settings: Settings, end_with_stdin: bool) -> None:
    from verifier.assembly import settle
    from verifier.server import Server

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if end_with_stdin:
        loop.add_reader(0, _watch_stdin, loop, stop)
    async with Server(settings) as server:
        if server.renewable:  # without, a hangup ends the server, as it does by default
            loop.add_signal_handler(signal.SIGHUP, server.renew)
        settle()
        print(f"{READY_PREFIX}{server.address}", flush=True)
        if server.http_address:
            print(f"http at {server.http_url}", flush=True)
        if server.metrics_address:
            log.info("metrics at http://%s/metrics", server.metrics_address)
        await stop.wait()


def _serve_on_ray(
    settings: Settings,
    address: str | None,
    replicas_min: int | None,
    replicas_max: int | None,
    end_with_stdin: bool,
) -> None:
    try:
        from verifier.ray.run import OWN, CannotServe, Place, run
    except ImportError as missing:
        fail(f'--ray: {missing.name} is missing; from a checkout: pip install ".[ray]"')
    for option, given in (
        ("--processes", settings.processes > 1),
        ("--audit", settings.audit),
        ("--http", settings.http),
        ("--metrics-port", settings.metrics_port is not None),
    ):
        if given:
            fail(f"{option}: is for one server, not for replicas on Ray (docs/ray.md)")
    try:
        run(settings, Place(address or OWN, replicas_min or 1, replicas_max), end_with_stdin)
    except CannotServe as error:
        fail(str(error))


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(0, 4096):
        loop.remove_reader(0)
        stop.set()
