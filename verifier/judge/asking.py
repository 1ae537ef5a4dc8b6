"""Queries on their way to a judge, and what all kinds of verdicts tell of them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from verifier.judge import modes
from verifier.judge.canary import Canaries
from verifier.judge.modes import Judge, Put, Query
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

WORKED_HERE = 65_536
"""Characters made ready on the event loop; more takes over a millisecond."""


@dataclass(frozen=True)
class Asking:
    """How a judge is asked, whatever about."""

    judge: Judge
    temperature: float = 0.0
    end: float | None = None
    """On the monotonic clock: when all of it must be done."""
    by_digit: bool = False
    """See modes.py."""
    canaries: Canaries | None = None

    def left(self) -> float | None:
        """Seconds until the end."""
        return None if self.end is None else max(0.0, self.end - time.monotonic())


AT_ONCE = 64
"""Queries of one item: those of a large group come by and by, or nobody else's would, and to make
all of them at once would hold up the event loop."""


async def put_all(queries: Sequence[tuple[int, Query]], asking: Asking) -> list[Put]:
    """Asks all queries at once, each with its seed; then a canary sets out where one is due."""
    texts = [text for _, query in queries for text, _ in query.texts.values()]
    if sum(map(len, texts)) > WORKED_HERE:
        await asyncio.to_thread(_prepare, queries)
    places = asyncio.Semaphore(AT_ONCE)

    async def put(seed: int, query: Query) -> Put:
        async with places:
            how = asking.temperature, asking.left, asking.by_digit
            return await modes.put(asking.judge, query, seed, *how)

    async with asyncio.TaskGroup() as group:
        puts = [group.create_task(put(seed, query)) for seed, query in queries]
    if asking.canaries is not None and queries:
        asking.canaries.start(queries[0][1].regions.code, asking.judge, asking.temperature)
    return [put.result() for put in puts]


def _prepare(queries: Sequence[tuple[int, Query]]) -> None:
    for _, query in queries:
        _ = query.regions


def evidence(done: Sequence[Put], asking: Asking) -> pb.JudgeEvidence:
    """What the queries were and cost."""
    fresh = [answer for put in done for answer in put.answers if not answer.cached]
    return pb.JudgeEvidence(
        prompt=done[0].query.prompt.version if done else "",
        temperature=asking.temperature,
        prompt_tokens=sum(answer.prompt_tokens for answer in fresh),
        completion_tokens=sum(answer.completion_tokens for answer in fresh),
        cost_usd=math.fsum(answer.cost_usd for answer in fresh),
    )


def answered_by(done: Iterable[Put], asking: Asking) -> str:
    """The models whose verdicts count, parted by commas; the judge's first where none came."""
    models = dict.fromkeys(put.answers[-1].model for put in done if put.reading is not None)
    return ", ".join(models) or asking.judge.model


def failed(
    done: Sequence[Put], how_many: str, told: pb.JudgeEvidence, asking: Asking
) -> TaskOutcome:
    """No score, also from what had a verdict."""
    put = next(put for put in done if put.reading is None)
    message = f"{put.failure} ({how_many})"
    return TaskOutcome(
        pb.Verdict.TIMEOUT if put.late else pb.Verdict.JUDGE_ERROR,
        pb.Part.timeout if put.late else pb.Part.failed,
        message=message,
        evidence=pb.Evidence(message=message, judge=told),
        judge_model=answered_by(done, asking),
    )


def mean(values: Iterable[float]) -> float:
    found = list(values)
    return math.fsum(found) / len(found)
