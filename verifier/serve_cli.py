"""`touchstone serve`: a server until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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

AuditFile = Annotated[
    Path | None,
    typer.Option(
        "--audit",
        help="Write every item with its verdict to this .jsonl or .parquet file (docs/audit.md).",
    ),
]

TIERS = ("T1", "T2", "T3")

GC_OBJECTS = 50_000
"""Objects between two looks for cycles: with CPython's 700 they take a tenth of the time."""


def serve(
    listen: Annotated[str, typer.Option(help="host:port; port 0 takes a free one.")] = (
        "127.0.0.1:50051"
    ),
    sandbox: Sandbox = "embedded",
    slots: Annotated[
        int | None, typer.Option(min=1, help="Programs at once; default: one for each core.")
    ] = None,
    math_workers: Annotated[
        int, typer.Option(min=1, help="Processes for symbolic mathematics.")
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
    audit: AuditFile = None,
    audit_mib: Annotated[
        int, typer.Option(min=1, help="MiB after which the file of --audit is full.")
    ] = 128,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="HTTP port for Prometheus; default: none."),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(help="host:port of an HTTP front (docs/http.md); default: none."),
    ] = None,
    http_public: Annotated[
        bool, typer.Option("--http-public", help="--http may be where other machines reach it.")
    ] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    end_with_stdin: Annotated[
        bool, typer.Option(help="Stop when standard input closes (a parent that is gone).")
    ] = False,
) -> None:
    """Serve verdicts over gRPC until interrupted."""
    from sandbox.client import SandboxUnavailable
    from verifier.audit.recorder import AuditError
    from verifier.judge.settings import SettingsError, load
    from verifier.limits import MIB
    from verifier.server import ListenError, Settings

    if log_level.upper() not in logging.getLevelNamesMapping():
        fail(f"--log-level: one of debug, info, warning, error, got {log_level!r}")
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(name)s %(message)s")
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
        slots=slots,
        math_workers=math_workers,
        require_tier=require_tier,
        probe_share=probe,
        judge=judge_settings,
        audit=audit,
        audit_file_bytes=audit_mib * MIB,
        metrics_port=metrics_port,
        http=http,
        http_public=http_public,
    )
    try:
        asyncio.run(_serve(settings, end_with_stdin))
    except (ListenError, SandboxUnavailable) as error:
        fail(str(error))
    except SettingsError as error:
        fail(f"--judge: {judge}: {error}")
    except AuditError as error:
        fail(f"--audit: {error}")


async def _serve(settings: Settings, end_with_stdin: bool) -> None:
    from verifier.server import Server

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if end_with_stdin:
        loop.add_reader(0, _watch_stdin, loop, stop)
    async with Server(settings) as server:
        # What is there by now stays, and what comes is mostly messages, which form no cycles.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_OBJECTS)
        print(f"{READY_PREFIX}{server.address}", flush=True)
        if server.http_address:
            print(f"http at http://{server.http_address}", flush=True)
        if server.metrics_address:
            log.info("metrics at http://%s/metrics", server.metrics_address)
        await stop.wait()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(0, 4096):
        loop.remove_reader(0)
        stop.set()
