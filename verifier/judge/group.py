"""A response among the others of its group: every pair compared, and what that says of each.

The items of a group come together, each with the others as its rivals. Whoever comes first has all
of it compared, and the others wait for that; each until its own deadline. When nobody is left, it
ends. One that comes after it is done finds the answers in the cache.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from verifier.judge import preference, prompts
from verifier.judge.asking import Asking, answered_by, evidence, failed, mean, put_all
from verifier.judge.modes import Put, Query
from verifier.limits import DETAIL_CHARS
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb


@dataclass
class Compared:
    """All pairs of a group, by the places of its members in the order of their texts."""

    pairs: Sequence[pb.JudgePair]
    done: Sequence[Put]


@dataclass
class _Work:
    task: asyncio.Task[Compared]
    waiting: int = 0


@dataclass
class Groups:
    """Those that are being compared. Belongs to one event loop."""

    _out: dict[bytes, _Work] = field(default_factory=dict)

    async def compared(
        self, key: bytes, compare: Callable[[], Coroutine[Any, Any, Compared]]
    ) -> tuple[Compared, bool]:
        """The group, and whether it was compared for this caller."""
        work = self._out.get(key)
        first = work is None
        if work is None:
            work = self._out[key] = _Work(asyncio.create_task(compare()))
        work.waiting += 1
        try:
            return await asyncio.shield(work.task), first
        finally:
            work.waiting -= 1
            if not work.waiting or work.task.done():
                work.task.cancel()
                if self._out.get(key) is work:
                    del self._out[key]


@dataclass(frozen=True)
class Members:
    """The texts of a group as `preference.seen`, in an order of their own: whichever of the group
    asks, the numbers are then the same."""

    key: bytes
    """A hash of all that decides the comparison, but for how the judge is asked."""
    order: Sequence[int]
    """The place in the item of each: 0 for the response, n for `rivals[n - 1]`."""
    texts: Sequence[str]
    blank: Sequence[bool]
    """Those in which there is nothing to judge."""


def members(
    task: pb.PreferenceTask, prompt: str, texts: Sequence[str], blank: Sequence[bool]
) -> Members:
    order = sorted(range(len(texts)), key=texts.__getitem__)
    placed = [texts[at] for at in order]
    told = json.dumps([task.mode, preference.samples(task), prompt, placed])
    key = hashlib.sha256(told.encode()).digest()
    return Members(key, order, placed, [blank[at] for at in order])


async def judged(
    task: pb.PreferenceTask, prompt: str, members: Members, groups: Groups, asking: Asking
) -> TaskOutcome:
    """The strength of the response among all of them."""
    try:
        async with asyncio.timeout(asking.left()):
            group, first = await groups.compared(
                members.key, lambda: _compare(task, prompt, members, replace(asking, end=None))
            )
    except TimeoutError:
        message = "deadline_ms: passed while the group was compared"
        version = prompts.load(preference.kind(task).prompt).version
        told = pb.Evidence(message=message, judge=pb.JudgeEvidence(prompt=version))
        model = asking.judge.model
        return TaskOutcome(
            pb.Verdict.TIMEOUT, pb.Part.timeout, message=message, evidence=told, judge_model=model
        )
    return _outcome(group, first, members.order, preference.samples(task), asking)


async def _compare(
    task: pb.PreferenceTask, prompt: str, members: Members, asking: Asking
) -> Compared:
    pairs, queries = _pairs(task, prompt, members.texts, members.blank)
    games = preference.samples(task)
    done = await put_all(queries, asking)
    asked = [pair for pair in pairs if not pair.HasField("value")]
    for at, pair in enumerate(asked):
        _tell(pair, done[at * games : (at + 1) * games])
    return Compared(pairs, done)


def _outcome(
    group: Compared, first: bool, order: Sequence[int], games: int, asking: Asking
) -> TaskOutcome:
    """What a comparison says of the member whose place in `order` is 0. Pure."""
    # What it took is told once, by whoever had it done.
    told = evidence(group.done if first else [], asking)
    told.prompt = evidence(group.done, asking).prompt
    for pair in group.pairs:
        told.pairs.append(_placed(pair, order))
    told.pairs.sort(key=lambda pair: (pair.first, pair.second))
    told.disagreement = any(pair.disagreement for pair in told.pairs)
    compared = sum(pair.HasField("value") for pair in told.pairs)
    if compared < len(told.pairs):
        how_many = f"{compared} of {len(told.pairs)} pairs were compared"
        return failed(group.done, how_many, told, asking)
    by_place = dict(zip(order, _strengths(group.pairs, len(order), games), strict=True))
    told.strengths.extend(by_place[place] for place in range(len(order)))
    stronger = sum(each > told.strengths[0] for each in told.strengths)
    return TaskOutcome(
        pb.Verdict.OK,
        pb.Part.judged,
        preference.score(told.strengths[0]),
        detail=f"strength {told.strengths[0]:.3g}; {stronger} of {len(order) - 1} are stronger",
        evidence=pb.Evidence(judge=told),
        cache_hit=bool(group.done) and not (first and any(not put.cached for put in group.done)),
        judge_model=answered_by(group.done, asking) if group.done else "",
    )


def _placed(pair: pb.JudgePair, order: Sequence[int]) -> pb.JudgePair:
    """A pair by the places that its members have in the item."""
    placed = pb.JudgePair()
    placed.CopyFrom(pair)
    placed.first, placed.second = order[pair.first], order[pair.second]
    if placed.first > placed.second:
        placed.first, placed.second = placed.second, placed.first
        if pair.HasField("value"):
            placed.value = 1.0 - pair.value
    return placed


def _pairs(
    task: pb.PreferenceTask, prompt: str, members: Sequence[str], empty: Sequence[bool]
) -> tuple[list[pb.JudgePair], list[tuple[int, Query]]]:
    """All pairs, and the queries of those without a value, each with its seed."""
    pairs, queries = [], list[tuple[int, Query]]()
    for first, second in itertools.combinations(range(len(members)), 2):
        pair = pb.JudgePair(first=first, second=second)
        if empty[first] or empty[second]:
            pair.value = (1 + empty[second] - empty[first]) / 2
        elif members[first] == members[second]:
            pair.value = 0.5
        else:
            queries += enumerate(preference.queries(task, prompt, members[first], members[second]))
        pairs.append(pair)
    return pairs, queries


def _tell(pair: pb.JudgePair, done: Sequence[Put]) -> None:
    """What became of a pair's queries."""
    readings = [put.reading for put in done if put.reading is not None]
    pair.queries = len(readings)
    pair.disagreement = len({reading.base for reading in readings}) > 1
    if len(readings) == len(done):
        pair.value = mean(reading.value for reading in readings)
    else:
        pair.failure = next(put.failure for put in done if put.reading is None)[:DETAIL_CHARS]


def _strengths(pairs: Sequence[pb.JudgePair], size: int, games: int) -> Sequence[float]:
    """Of each member. A query is a game."""
    wins = [[0.0] * size for _ in range(size)]
    for pair in pairs:
        wins[pair.first][pair.second] = games * pair.value
        wins[pair.second][pair.first] = games * (1.0 - pair.value)
    found = preference.bradley_terry(wins)
    if not found.converged:
        raise ArithmeticError(f"no strengths after {found.steps} steps, of the games {wins}")
    return found.values
