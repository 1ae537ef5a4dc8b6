"""Puts the parts of a server together, behind whatever it listens on."""

from __future__ import annotations

import gc
import sys
from contextlib import AsyncExitStack

from sandbox.client import EmbeddedSandbox, NoSandbox, RemoteSandbox, Sandbox
from verifier import gauges, tracing
from verifier.admission import Admission
from verifier.audit.recorder import Recorder
from verifier.desk import Desk
from verifier.engine import Engine
from verifier.judge import judging
from verifier.kept import disk
from verifier.local import Local
from verifier.math import MathVerifier
from verifier.schedule import Executor, Schedule
from verifier.security.listening import callers_of
from verifier.service import describe
from verifier.settings import Settings

TURN_SECONDS = 0.0005
"""For which a thread may go on while the event loop waits. With CPython's 5 ms, each of a call's
several turns would wait so long beside a text of 1 MB."""

GC_OBJECTS = 50_000
"""Objects between two looks for cycles: with CPython's 700 they take a tenth of the time."""


async def start_desk(settings: Settings, stack: AsyncExitStack) -> Desk:
    """All that a front needs; the stack ends it. Raises what its parts raise when they cannot
    start: SandboxUnavailable, SettingsError, AuditError, CacheError."""
    trace(settings, stack)
    callers = callers_of(settings)
    if settings.cache is not None:
        await disk.check(settings.cache, settings.cache_bytes)
    executor: Executor
    if settings.processes > 1:
        from verifier.processes.pool import Pool

        pool = await stack.enter_async_context(Pool(settings))
        executor, about, sandbox_info = pool, pool.about, pool.sandbox_info
    else:
        engine = await start_engine(settings, stack)
        executor, about, sandbox_info = Local(engine), describe(engine), engine.sandbox_info
    recorder = None
    if settings.audit is not None:
        recorder = await Recorder.start(settings.audit, settings.audit_file_bytes)
        stack.push_async_callback(recorder.close)
    schedule = await stack.enter_async_context(Schedule(executor, recorder))
    admission = Admission(settings.limits.items_in_flight)
    await stack.enter_async_context(gauges.of_lanes(schedule, admission))
    return Desk(settings.limits, callers, admission, schedule, about, sandbox_info)


async def start_engine(settings: Settings, stack: AsyncExitStack) -> Engine:
    """The verifiers with the processes that they need; the stack ends them."""
    trace(settings, stack)
    sandbox = await start_sandbox(settings)
    stack.push_async_callback(sandbox.close)
    await stack.enter_async_context(gauges.of_slots(sandbox))
    kept = None
    if settings.cache is not None:
        kept = await disk.Disk.start(settings.cache, settings.cache_bytes)
        stack.push_async_callback(kept.close)
    math = MathVerifier(
        workers=settings.math_workers,
        symbolic_timeout_s=settings.limits.symbolic_ms / 1000,
        max_queued=settings.limits.items_in_flight,
        file=kept,
    )
    stack.push_async_callback(math.close)
    asked = await judging.start(settings.judge)
    stack.push_async_callback(asked.close)
    known = await sandbox.describe()
    return Engine(settings.limits, math, sandbox, known, settings.probe_share, asked, kept)


def trace(settings: Settings, stack: AsyncExitStack) -> None:
    """Sends this process's traces where the settings say, once. Raises CannotTrace."""
    if not tracing.on():
        stack.callback(tracing.start(settings.otlp, settings.trace_share))


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


def settle() -> None:
    """Once all is started: what is there by now stays, and what comes is mostly messages, which
    form no cycles; long texts are looked at in threads, which let the event loop have its turn."""
    sys.setswitchinterval(TURN_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_OBJECTS)
