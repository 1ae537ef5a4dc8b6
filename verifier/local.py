"""Verifies items in this process: those that rules alone decide at once, others as tasks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from functools import partial

from sandbox.client import QueueFull, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as sb
from verifier import logs, metrics, recipes, tracing
from verifier.engine import Engine, failed
from verifier.parts import rating_part
from verifier.schedule import LARGEST_CHUNK, Carrier, Entry, Schedule, Work
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

log = logging.getLogger(__name__)

PER_SLOT = 16
"""Programs at work for each slot: enough for a group of equal ones, of which one runs, and few
enough for another caller's to come soon."""

JUDGED = 512
"""Items at a judge, which has a bound of its own on open requests."""

OTHERS = 64
"""Items in symbolic workers and in threads."""


class Local:
    """An executor over an engine (verifier/schedule.py)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        slots = max(1, engine.sandbox_info.slots)
        self.windows = {
            "sandbox": PER_SLOT * slots,
            "judge": JUDGED,
            "other": OTHERS,
            "rules": LARGEST_CHUNK,
        }
        self.servers = {"sandbox": slots, "other": engine.math.workers.count}
        self._schedule: Schedule | None = None

    def bind(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def lane(self, item: Work) -> str:
        return "sandbox" if isinstance(item, sb.RunRequest) else "rules"

    def start(self, lane: str, entries: Sequence[Entry]) -> None:
        schedule = self._schedule
        assert schedule is not None
        if lane != "rules":
            for entry in entries:
                owner = entry.owner
                assert owner is not None, "what waits was not withdrawn"
                owner.working.add(entry)
                metrics.waited(lane, time.perf_counter() - entry.since)
                entry.work = asyncio.create_task(self._do(entry.item, owner.carrier, entry.since))
                entry.work.add_done_callback(partial(self._done, entry))
            return
        about = None
        for entry in entries:
            owner = entry.owner
            assert owner is not None, "what waits was not withdrawn"
            if owner is not about:
                about = owner
                logs.go_on(owner.carrier)
            assert not isinstance(entry.item, sb.RunRequest), "it has a lane of its own"
            began = time.perf_counter()
            verdict = self.engine.verify_at_once(entry.item, 1000 * (began - entry.since))
            took = time.perf_counter() - began
            if verdict is None:
                schedule.retry(entry, self._slow_lane(entry.item), took)
            else:
                metrics.TALLY.waited(lane, began - entry.since)
                tracing.at_once(verdict, took, owner.carrier)
                schedule.finished(entry, verdict.SerializeToString(), took)

    async def withdraw(self, entries: Iterable[Entry]) -> None:
        tasks = [entry.work for entry in entries]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, item: Work, carrier: Carrier, since: float) -> tuple[bytes, float]:
        """A verdict or a result, serialised, and the seconds of work."""
        began = time.perf_counter()
        with tracing.attached(carrier):
            if isinstance(item, sb.RunRequest):
                result = await self._run(item)
                worked = result.compile_cpu_us + sum(each.wall_us for each in result.outcomes)
                return result.SerializeToString(), worked / 1e6
            verdict = await self.engine.verify(item, 1000 * (began - since))
            return verdict.SerializeToString(), verdict.timing.ran_ms / 1000

    async def _run(self, request: sb.RunRequest) -> sb.RunResult:
        try:
            return await self.engine.sandbox.run(request)
        except (QueueFull, SandboxUnavailable) as error:
            return failed_run(str(error))

    def _done(self, entry: Entry, task: asyncio.Task[tuple[bytes, float]]) -> None:
        assert self._schedule is not None
        if task.cancelled():  # perhaps before its first step
            self._schedule.finished(entry, None, None)
        elif (error := task.exception()) is not None:
            # What should be impossible: without an answer the call would wait for ever.
            log.critical("item %r", getattr(entry.item, "id", ""), exc_info=error)
            self._schedule.finished(entry, given_up(entry.item, type(error).__name__), None)
        else:
            self._schedule.finished(entry, *task.result())

    def _slow_lane(self, item: pb.Item | Unreadable) -> str:
        if not isinstance(item, pb.Item):
            return "other"
        if item.HasField("code"):
            return "sandbox"
        return "judge" if asks_a_judge(item) else "other"


def failed_run(message: str) -> sb.RunResult:
    """Of a program that the sandbox did not run."""
    return sb.RunResult(status=sb.RunResult.SANDBOX_ERROR, message=message)


def given_up(item: Work, why: str) -> bytes:
    """The answer, serialised, for work of which nobody can say what it comes to."""
    if isinstance(item, sb.RunRequest):
        return failed_run(why).SerializeToString()
    verdict = failed(item.id, pb.Verdict.INTERNAL, why)
    metrics.count(verdict)
    return verdict.SerializeToString()


def asks_a_judge(item: pb.Item) -> bool:
    """Whether a judge or a reward model may be asked about it. The item may be an invalid one."""
    if item.HasField("judge") or item.HasField("preference"):
        return True
    recipe = recipes.BUILT_IN.get(item.recipe, item.inline_recipe)
    return rating_part(recipe) is not None or recipe.escalate > pb.Recipe.NEVER
