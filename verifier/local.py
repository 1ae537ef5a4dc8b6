"""Verifies items in this process: those that rules alone decide at once, others as tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial

from verifier import logs, metrics, recipes, tracing
from verifier.engine import Engine
from verifier.schedule import LARGEST_CHUNK, Carrier, Entry, Schedule
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

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
        self._schedule: Schedule | None = None

    def bind(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def lane(self, item: pb.Item | Unreadable) -> str:
        return "rules"

    def start(self, lane: str, entries: Sequence[Entry]) -> None:
        schedule = self._schedule
        assert schedule is not None
        if lane != "rules":
            for entry in entries:
                owner = entry.owner
                assert owner is not None, "what waits was not withdrawn"
                owner.working.add(entry)
                metrics.waited(lane, time.perf_counter() - entry.since)
                entry.work = asyncio.create_task(
                    self._verify(entry.item, owner.carrier, entry.since)
                )
                entry.work.add_done_callback(partial(self._done, entry))
            return
        about = None
        for entry in entries:
            owner = entry.owner
            assert owner is not None, "what waits was not withdrawn"
            if owner is not about:
                about = owner
                logs.go_on(owner.carrier)
            began = time.perf_counter()
            verdict = self.engine.verify_at_once(entry.item, 1000 * (began - entry.since))
            if verdict is None:
                schedule.retry(entry, self._slow_lane(entry.item))
            else:
                took = time.perf_counter() - began
                metrics.TALLY.waited(lane, began - entry.since)
                tracing.at_once(verdict, took, owner.carrier)
                schedule.finished(entry, verdict.SerializeToString(), took)

    async def withdraw(self, entries: Iterable[Entry]) -> None:
        tasks = [entry.work for entry in entries]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _verify(
        self, item: pb.Item | Unreadable, carrier: Carrier, since: float
    ) -> pb.Verdict:
        with tracing.attached(carrier):
            return await self.engine.verify(item, 1000 * (time.perf_counter() - since))

    def _done(self, entry: Entry, task: asyncio.Task[pb.Verdict]) -> None:
        assert self._schedule is not None
        if task.cancelled():  # perhaps before its first step
            self._schedule.finished(entry, None, None)
        else:
            verdict = task.result()
            took = verdict.timing.ran_ms / 1000
            self._schedule.finished(entry, verdict.SerializeToString(), took)

    def _slow_lane(self, item: pb.Item | Unreadable) -> str:
        if not isinstance(item, pb.Item):
            return "other"
        if item.HasField("code"):
            return "sandbox"
        return "judge" if asks_a_judge(item) else "other"


def asks_a_judge(item: pb.Item) -> bool:
    """Whether a judge or a reward model may be asked about it. The item may be an invalid one."""
    if item.HasField("judge") or item.HasField("preference"):
        return True
    recipe = recipes.BUILT_IN.get(item.recipe, item.inline_recipe)
    rated = any(part.name == "reward_model" for part in recipe.parts)
    return rated or recipe.escalate > pb.Recipe.NEVER
