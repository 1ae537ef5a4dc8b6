"""A response among its group: every pair once, strengths from all of them or none."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.judge.server import ChatServer, Play, Request, error, says
from verifier.judge import client, preference
from verifier.judge.asking import Asking
from verifier.judge.client import Judge
from verifier.judge.group import Groups
from verifier.judge.preference import bradley_terry
from verifier.judge.settings import BreakerSettings, EndpointSettings, JudgeSettings
from verifier.judge.verify import verify
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

HELPFUL, HARMLESS = pb.PreferenceTask.HELPFUL, pb.PreferenceTask.HARMLESS
WORTH = re.compile(r"worth (\d+)")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def member(worth: int, name: str = "") -> str:
    return f"<think>hm</think>An answer{name} worth {worth}."


def by_worth(request: Request) -> Play:
    """Prefers what is worth more, and says how much by the distance."""
    a, b = map(int, WORTH.findall(request.body["messages"][-1]["content"]))
    verdict = "A=B"
    if a != b:
        much = ">" * (1 + (abs(a - b) > 1))
        verdict = f"A{much}B" if a > b else f"B{much}A"
    return says(json.dumps({"analysis": "by its worth", "verdict": verdict}))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def settings(server: ChatServer, **fields: Any) -> JudgeSettings:
    return JudgeSettings(endpoints=(EndpointSettings(server.url, "judge"),), **fields)


async def whole_group(
    server: ChatServer, group: Sequence[str], mode: Any = HELPFUL, **fields: Any
) -> list[TaskOutcome]:
    """The outcomes of all members, each asked for with the others as its rivals, in any order."""
    judge, groups = Judge(settings(server, **fields)), Groups()
    items = []
    for place, response in enumerate(group):
        rivals = [*group[:place], *group[place + 1 :]]
        random.Random(place).shuffle(rivals)
        task = pb.PreferenceTask(mode=mode, rivals=rivals)
        items.append(verify(task, response, "q", Asking(judge), groups))
    try:
        return await asyncio.gather(*items)
    finally:
        await judge.close()


async def test_each_pair_is_asked_about_once_whichever_item_asks() -> None:
    group = [member(worth) for worth in (3, 1, 4, 2, 0)]
    with ChatServer(by_worth) as server:
        outcomes = await whole_group(server, group)
    assert len(server.requests) == 10 * preference.QUERIES
    scores = [outcome.score for outcome in outcomes]
    assert all(outcome.status == pb.Verdict.OK for outcome in outcomes)
    order = sorted(range(5), key=lambda place: scores[place] or 0.0)
    assert order == [4, 1, 3, 0, 2]
    assert sum(score or 0.0 for score in scores) / 5 == pytest.approx(0.5, abs=1e-4)
    assert sum(outcome.evidence.judge.prompt_tokens for outcome in outcomes) == 400
    # All of them tell of the same strengths, to the last digit.
    told = [outcome.evidence.judge for outcome in outcomes]
    assert len({tuple(sorted(one.strengths)) for one in told}) == 1
    for outcome, one in zip(outcomes, told, strict=True):
        assert outcome.score == pytest.approx(one.strengths[0] / (one.strengths[0] + 1))
        assert len(one.pairs) == 10
        assert not one.queries


async def test_the_evidence_has_each_pair() -> None:
    with ChatServer(by_worth) as server:
        (outcome, *_) = await whole_group(server, [member(5), member(4), member(0)])
    pairs = {(pair.first, pair.second): pair for pair in outcome.evidence.judge.pairs}
    worth = {0: 5}
    # Rivals were shuffled: who is who shows in the response's own pairs.
    for rival in (1, 2):
        worth[rival] = {0.75: 4, 1.0: 0}[pairs[0, rival].value]
    assert pairs[1, 2].value == (1.0 if worth[1] > worth[2] else 0.0)
    assert all(
        (pair.queries, pair.disagreement, pair.failure) == (4, False, "") for pair in pairs.values()
    )
    assert outcome.detail.endswith("0 of 2 are stronger")


async def test_nobody_is_asked_about_equal_texts_and_empty_ones() -> None:
    group = [member(3), member(3), "<think>and so on", "I don't know.", member(1), ""]
    with ChatServer(by_worth) as server:
        outcomes = await whole_group(server, group)
    # Of the six only two different ones hold anything.
    assert len(server.requests) == preference.QUERIES
    scores = [outcome.score for outcome in outcomes]
    assert scores[0] == scores[1]
    assert scores[2] == scores[3] == scores[5] == 0.0
    assert outcomes[5].reason == pb.Part.nothing_to_judge
    assert (scores[0] or 0) > (scores[4] or 0) > 0
    told = outcomes[0].evidence.judge
    unasked = [pair for pair in told.pairs if not pair.queries]
    assert len(unasked) == 15 - 2
    assert all(pair.HasField("value") for pair in unasked)
    assert not any(outcome.evidence.judge.prompt_tokens for outcome in outcomes[2:4])


async def test_what_holds_nothing_is_the_same_alone_and_in_a_group() -> None:
    group = [member(1), "<think> </think>", "<think></think>:"]
    with ChatServer(by_worth) as server:
        outcomes = await whole_group(server, group, mode=HARMLESS)
    assert not server.requests
    assert (outcomes[0].score or 0) > 0.5
    assert [outcome.score for outcome in outcomes[1:]] == [0.0, 0.0]


async def test_a_group_without_a_question() -> None:
    with ChatServer(by_worth) as server:
        outcomes = await whole_group(server, [member(2)] * 3)
    assert not server.requests
    assert [outcome.score for outcome in outcomes] == pytest.approx([0.5] * 3)
    assert not outcomes[0].cache_hit


async def test_a_judge_that_loves_a_place_says_nothing() -> None:
    first = says('{"analysis": "", "verdict": "A>>B"}')
    with ChatServer(lambda request: first) as server:
        outcomes = await whole_group(server, [member(n) for n in range(4)], mode=HARMLESS)
    assert [outcome.score for outcome in outcomes] == pytest.approx([0.5] * 4)
    assert all(pair.disagreement for pair in outcomes[0].evidence.judge.pairs)


@pytest.mark.parametrize(
    "fault", [error(500), error(429), error(400), says("I prefer A."), Play(b"<html>")]
)
async def test_a_pair_that_failed_is_no_loss_and_leaves_its_items_without_a_score(
    fault: Play,
) -> None:
    """Whoever could not be compared gets no score, and neither do the others: with a pair missing
    the strengths would be those of another group."""

    def script(request: Request) -> Play:
        shown = request.body["messages"][-1]["content"]
        return fault if {"3", "1"} == set(WORTH.findall(shown)) else by_worth(request)

    group = [member(worth) for worth in (3, 1, 4)]
    never = BreakerSettings(failures=1_000_000)
    with ChatServer(script) as server:
        outcomes = await whole_group(server, group, attempts=2, breaker=never)
    for outcome in outcomes:
        assert (outcome.status, outcome.score) == (pb.Verdict.JUDGE_ERROR, None)
        assert outcome.message.endswith("(2 of 3 pairs were compared)")
        told = outcome.evidence.judge
        assert not told.strengths
        (failed,) = [pair for pair in told.pairs if not pair.HasField("value")]
        assert failed.failure
        assert failed.queries == 0
        assert sorted(pair.queries for pair in told.pairs) == [0, 4, 4]


async def test_asked_again_only_what_failed_is_asked() -> None:
    faults = [error(404)]
    group = [member(worth) for worth in (3, 1, 4)]
    with ChatServer(lambda request: faults.pop() if faults else by_worth(request)) as server:
        judge = Judge(settings(server))
        task = pb.PreferenceTask(mode=HELPFUL, rivals=group[1:])
        first = await verify(task, group[0], "q", Asking(judge), Groups())
        again = await verify(task, group[0], "q", Asking(judge), Groups())
        await judge.close()
    assert (first.status, again.status) == (pb.Verdict.JUDGE_ERROR, pb.Verdict.OK)
    assert len(server.requests) == 3 * 4 + 1
    assert again.evidence.judge.prompt_tokens == 10


async def test_items_that_come_one_after_another_find_the_answers_in_the_cache() -> None:
    group = [member(worth) for worth in (3, 1, 4)]
    with ChatServer(by_worth) as server:
        judge, groups = Judge(settings(server)), Groups()
        outcomes = []
        for place, response in enumerate(group):
            task = pb.PreferenceTask(mode=HELPFUL, rivals=group[:place] + group[place + 1 :])
            outcomes.append(await verify(task, response, "q", Asking(judge), groups))
        await judge.close()
    assert len(server.requests) == 3 * 4
    assert [outcome.cache_hit for outcome in outcomes] == [False, True, True]
    assert sum(outcome.score or 0.0 for outcome in outcomes) == pytest.approx(1.5, abs=1e-4)


async def test_one_that_is_cancelled_leaves_the_others_and_the_last_one_ends_it_all() -> None:
    hold = [True]

    def script(request: Request) -> Play:
        play = by_worth(request)
        return replace(play, wait_s=0.5) if hold else play

    group = [member(worth) for worth in (3, 1, 4)]
    with ChatServer(script) as server:
        judge, groups = Judge(settings(server)), Groups()
        tasks = []
        for place, response in enumerate(group):
            task = pb.PreferenceTask(mode=HELPFUL, rivals=group[:place] + group[place + 1 :])
            work = verify(task, response, "q", Asking(judge), groups)
            tasks.append(asyncio.create_task(work))
        await until(lambda: server.at_once == 12)
        tasks[0].cancel()
        outcomes = await asyncio.gather(*tasks[1:])
        assert all(outcome.status == pb.Verdict.OK for outcome in outcomes)
        assert (len(server.requests), server.unanswered) == (12, 0)
        tasks = []
        for place, response in enumerate(group):
            task = pb.PreferenceTask(mode=HARMLESS, rivals=group[:place] + group[place + 1 :])
            work = verify(task, response, "q", Asking(judge), groups)
            tasks.append(asyncio.create_task(work))
        await until(lambda: server.at_once == 12)
        for one in tasks:
            one.cancel()
        await until(lambda: server.at_once == 0)
        assert server.unanswered == 12
        hold.clear()
        task = pb.PreferenceTask(mode=HARMLESS, rivals=group[1:])
        assert (await verify(task, group[0], "q", Asking(judge), groups)).score
        await judge.close()


async def test_the_items_deadline_is_a_timeout() -> None:
    with ChatServer(lambda request: says("x", wait_s=30)) as server:
        judge = Judge(settings(server))
        task = pb.PreferenceTask(mode=HELPFUL, rivals=[member(1), member(2)])
        end = asyncio.get_running_loop().time() + 0.2
        outcome = await verify(task, member(3), "q", Asking(judge, end=end), Groups())
        await judge.close()
    assert (outcome.status, outcome.score) == (pb.Verdict.TIMEOUT, None)


@pytest.mark.alone
async def test_the_largest_group_of_long_responses_leaves_the_loop_free() -> None:
    group = [member(worth) + "word " * 2_000 for worth in range(preference.MAX_GROUP)]
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - began)

    with ChatServer(by_worth) as server:
        watching = asyncio.create_task(watch())
        outcomes = await whole_group(server, group)
        watching.cancel()
    assert len(server.requests) == 120 * 4
    scores = [outcome.score or 0.0 for outcome in outcomes]
    assert scores == sorted(scores)
    assert longest < 1.0


GAMES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=120, max_size=120)


@given(GAMES, st.sampled_from([2, 4, 16]))
def test_strengths_of_the_largest_group_are_found_whatever_the_verdicts(
    values: list[float], samples: int
) -> None:
    size = preference.MAX_GROUP
    wins = [[0.0] * size for _ in range(size)]
    for (i, j), value in zip(itertools.combinations(range(size), 2), values, strict=True):
        wins[i][j], wins[j][i] = samples * value, samples * (1 - value)
    found = bradley_terry(wins)
    assert found.converged
    assert sum(found.scores) / size == pytest.approx(0.5, abs=1e-4)
