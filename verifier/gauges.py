"""Figures of how things stand, looked at once a second: queues and slots.

A gauge cannot be computed when Prometheus asks, since it may be another process that answers; and
neither the sandbox nor the queue should do work for it at every change.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sandbox.client import EmbeddedSandbox, Sandbox
from verifier import metrics

if TYPE_CHECKING:
    from verifier.admission import Admission
    from verifier.schedule import Schedule

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


@asynccontextmanager
async def of_lanes(schedule: Schedule, admission: Admission) -> AsyncIterator[None]:
    """What waits and what is at work in each lane and over all, as long as the block lasts."""

    def look() -> None:
        now = time.perf_counter()
        metrics.IN_FLIGHT.set(admission.taken)
        for name, lane in schedule.lanes.items():
            oldest = lane.oldest()
            metrics.WAITING.labels(name).set(lane.waiting)
            metrics.AT_WORK.labels(name).set(lane.at_work)
            metrics.OLDEST.labels(name).set(0.0 if oldest is None else now - oldest)

    async with _looking(look):
        yield


@asynccontextmanager
async def of_slots(sandbox: Sandbox) -> AsyncIterator[None]:
    """Slots of an embedded sandbox and those at work, as long as the block lasts; what runs
    elsewhere is not seen from here."""
    if not isinstance(sandbox, EmbeddedSandbox):
        yield
        return
    pool = sandbox.pool
    counted = 0.0

    def look() -> None:
        nonlocal counted
        metrics.SLOTS.set(pool.slots)
        metrics.SLOTS_BUSY.set(pool.occupancy.busy)
        metrics.SLOTS_WAITED_FOR.set(pool.waiting)
        seconds = pool.occupancy.seconds
        metrics.SLOT_SECONDS.inc(seconds - counted)
        counted = seconds

    async with _looking(look):
        yield


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("figures of how things stand are no longer kept", exc_info=error)


@asynccontextmanager
async def _looking(look: Callable[[], None]) -> AsyncIterator[None]:
    async def again() -> None:
        while True:
            look()
            await asyncio.sleep(LOOK_SECONDS)

    task = asyncio.create_task(again())
    task.add_done_callback(_told)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        look()
