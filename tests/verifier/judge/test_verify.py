"""Judge and preference tasks from end to end, with a judge that says what it is told to say."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.verifier.judge.server import (
    SILENT,
    ChatServer,
    Play,
    Script,
    always,
    error,
    in_order,
    says,
)
from verifier.judge import client
from verifier.judge import verify as judging
from verifier.judge.ask import Answer, Ask, JudgeFailed
from verifier.judge.asking import Asking
from verifier.judge.canary import Canaries
from verifier.judge.client import Judge
from verifier.judge.group import Groups
from verifier.judge.modes import Judge as AnyJudge
from verifier.judge.settings import EndpointSettings, JudgeSettings
from verifier.judge.verify import problem
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

Mode, Preferred, Reason = pb.JudgeTask, pb.PreferenceTask, pb.Part
Said = Callable[[Ask], str]


class Scripted:
    """A judge whose answer is a function of what it is asked."""

    model = "scripted"
    places = frozenset({("test", "scripted")})

    def __init__(self, says: Said, cached: bool = False) -> None:
        self.says, self.cached = says, cached
        self.asked: list[Ask] = []
        self.deadlines: list[float | None] = []

    async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer:
        self.asked.append(ask)
        self.deadlines.append(deadline_s)
        await asyncio.sleep(0)
        return Answer(self.says(ask), None, 100, 10, 0.5, self.cached, "scripted", "test", "stop")


async def verify(
    task: pb.JudgeTask | pb.PreferenceTask, response: str, prompt: str, judge: AnyJudge, **how: Any
) -> TaskOutcome:
    budget_ms = how.pop("budget_ms", None)
    end = None if budget_ms is None else time.monotonic() + budget_ms / 1000
    return await judging.verify(task, response, prompt, Asking(judge, end=end, **how), Groups())


async def escalate(*what: Any, rules: str) -> TaskOutcome:
    *what, judge = what
    return await judging.escalate(*what, rules, Asking(judge))


def saying(key: str, label: object) -> Said:
    return lambda _: json.dumps({"analysis": "because", key: label})


def by_seed(key: str, *labels: str) -> Said:
    return lambda ask: json.dumps({"analysis": "", key: labels[ask.seed]})


def shown(ask: Ask) -> str:
    return ask.messages[-1].content


RESPONSE = "<think>the secret thought</think>the final words"


async def test_a_reference_task() -> None:
    judge = Scripted(saying("correctness", "correct"))
    task = pb.JudgeTask(mode=Mode.REFERENCE, reference="the truth")
    outcome = await verify(task, RESPONSE, "the question", judge, temperature=0.25, budget_ms=9_000)
    assert (outcome.status, outcome.score, outcome.reason) == (pb.Verdict.OK, 1.0, Reason.judged)
    evidence = outcome.evidence.judge
    assert evidence.prompt.startswith("reference.txt ")
    assert (evidence.temperature, evidence.prompt_tokens, evidence.completion_tokens) == (
        0.25,
        100,
        10,
    )
    assert (evidence.cost_usd, evidence.disagreement, evidence.rules) == (0.5, False, "")
    (query,) = evidence.queries
    assert (query.label, query.value, query.analysis, query.seed) == ("correct", 1.0, "because", 0)
    (ask,) = judge.asked
    for text in ("the question", "the truth", "the final words"):
        assert text in shown(ask)
    assert "the secret thought" not in shown(ask)
    assert judge.deadlines[0] == pytest.approx(9.0, abs=1.0)


async def test_harmlessness_sees_the_whole_response_and_helpfulness_the_summary() -> None:
    judge = Scripted(saying("safety", "unsafe"))
    outcome = await verify(pb.JudgeTask(mode=Mode.HARMLESS), RESPONSE, "q", judge)
    assert outcome.score == 0.0
    assert "the secret thought" in shown(judge.asked[0])
    judge = Scripted(saying("grade", "good"))
    outcome = await verify(pb.JudgeTask(mode=Mode.HELPFUL), RESPONSE, "q", judge)
    assert outcome.score == 0.75
    assert "the secret thought" not in shown(judge.asked[0])


async def test_rubrics() -> None:
    criteria = [pb.Criterion(text="is right", weight=3), pb.Criterion(text="is short")]
    task = pb.JudgeTask(mode=Mode.RUBRIC, criteria=criteria)
    outcome = await verify(task, RESPONSE, "q", Scripted(saying("criteria", ["met", "not_met"])))
    assert outcome.score == 0.75
    task = pb.JudgeTask(mode=Mode.RUBRIC, rubric="Be right.")
    outcome = await verify(task, RESPONSE, "q", Scripted(saying("grade", "half")))
    assert (outcome.score, outcome.evidence.judge.prompt.split()[0]) == (0.5, "scale.txt")


async def test_votes_have_seeds_of_their_own_and_their_mean_counts() -> None:
    judge = Scripted(by_seed("correctness", "correct", "incorrect", "correct", "correct"))
    task = pb.JudgeTask(mode=Mode.REFERENCE, reference="r", samples=4)
    outcome = await verify(task, RESPONSE, "q", judge, temperature=1.0)
    assert outcome.score == 0.75
    assert sorted(ask.seed for ask in judge.asked) == [0, 1, 2, 3]
    assert all(replace(ask, seed=0) == judge.asked[0] for ask in judge.asked)
    evidence = outcome.evidence.judge
    assert evidence.disagreement
    assert (evidence.prompt_tokens, evidence.cost_usd) == (400, 2.0)
    assert outcome.detail == "3 x correct, 1 x incorrect"


@pytest.mark.parametrize(
    ("says", "score", "disagreement"),
    [
        (
            lambda ask: "A>>B" if shown(ask).index("final") < shown(ask).index("other") else "B>>A",
            1.0,
            False,
        ),
        (
            lambda ask: "B>A" if shown(ask).index("final") < shown(ask).index("other") else "A>B",
            0.25,
            False,
        ),
        (lambda ask: "A=B", 0.5, False),
        (lambda ask: "A>>B", 0.5, True),
        (lambda ask: "A>B" if ask.seed else "B>>A", (0.0 + 0.25 + 0.75 + 0.25) / 4, True),
    ],
    ids=["better", "a little worse", "ties", "loves the first place", "wavers"],
)
async def test_preferences(says: Said, score: float, disagreement: bool) -> None:
    judge = Scripted(lambda ask: json.dumps({"analysis": "", "verdict": says(ask)}))
    task = pb.PreferenceTask(rival="<think>b</think>the other one", mode=Preferred.HELPFUL)
    outcome = await verify(task, RESPONSE, "q", judge)
    assert (outcome.status, outcome.score) == (pb.Verdict.OK, score)
    assert [query.swapped for query in outcome.evidence.judge.queries] == [False, True, False, True]
    assert outcome.evidence.judge.disagreement is disagreement


async def test_a_verdict_by_digit() -> None:
    judge = Scripted(lambda _: "2")
    task = pb.JudgeTask(mode=Mode.REFERENCE, reference="r")
    outcome = await verify(task, RESPONSE, "q", judge, by_digit=True)
    assert (outcome.score, outcome.detail) == (0.0, "1 x incorrect")
    assert judge.asked[0].labels == ("1", "2")


async def test_what_is_cached_costs_nothing() -> None:
    task = pb.JudgeTask(mode=Mode.HELPFUL, samples=2)
    outcome = await verify(task, RESPONSE, "q", Scripted(saying("grade", "good"), cached=True))
    evidence = outcome.evidence.judge
    assert (evidence.prompt_tokens, evidence.completion_tokens, evidence.cost_usd) == (0, 0, 0.0)
    assert all(query.cached for query in evidence.queries)
    assert outcome.cache_hit


async def test_one_query_without_a_verdict_leaves_the_item_without_a_score() -> None:
    garbage = Scripted(
        lambda ask: (
            "hm" if ask.seed == 2 else json.dumps({"analysis": "", "correctness": "correct"})
        )
    )
    task = pb.JudgeTask(mode=Mode.REFERENCE, reference="r", samples=4)
    outcome = await verify(task, RESPONSE, "q", garbage)
    assert (outcome.status, outcome.score, outcome.reason) == (
        pb.Verdict.JUDGE_ERROR,
        None,
        Reason.failed,
    )
    assert outcome.message.startswith("judge test: garbage, 2 attempts: ")
    assert outcome.message == outcome.evidence.message
    assert len(garbage.asked) == 5
    # What was spent stays told: four questions and a repair.
    assert outcome.evidence.judge.prompt_tokens == 500
    assert len(outcome.evidence.judge.queries) == 3


async def test_a_repaired_answer_says_so() -> None:
    told = iter(["hm", '{"analysis": "", "safety": "safe"}'])
    outcome = await verify(
        pb.JudgeTask(mode=Mode.HARMLESS), RESPONSE, "q", Scripted(lambda _: next(told))
    )
    assert outcome.score == 1.0
    assert outcome.evidence.judge.queries[0].repaired
    assert outcome.evidence.judge.prompt_tokens == 200


class Failing:
    model = "failing"
    places = frozenset({("test", "failing")})

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer:
        raise self.error


KINDS = ("timeout", "rate_limited", "server", "budget", "breaker", "refused", "garbage")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_failed_judge_is_never_a_score(kind: str) -> None:
    judge = Failing(JudgeFailed(kind, "why it failed", "http://judge"))  # type: ignore[arg-type]
    for task in (
        pb.JudgeTask(mode=Mode.HELPFUL, samples=3),
        pb.PreferenceTask(mode=Preferred.HARMLESS, rival="r"),
    ):
        outcome = await verify(task, RESPONSE, "q", judge)
        assert (outcome.status, outcome.score) == (pb.Verdict.JUDGE_ERROR, None)
        assert kind in outcome.message
        assert "why it failed" in outcome.message


async def test_the_items_own_deadline_is_a_timeout() -> None:
    judge = Failing(JudgeFailed("timeout", "the deadline passed", cut=True))
    outcome = await verify(pb.JudgeTask(mode=Mode.HELPFUL), RESPONSE, "q", judge, budget_ms=5)
    assert (outcome.status, outcome.score, outcome.reason) == (
        pb.Verdict.TIMEOUT,
        None,
        Reason.timeout,
    )


async def test_a_defect_of_ours_is_not_taken_for_the_judges() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await verify(pb.JudgeTask(mode=Mode.HELPFUL), RESPONSE, "q", Failing(KeyError("ours")))
    assert raised.group_contains(KeyError)


async def test_cancelled_all_queries_end() -> None:
    ended: list[int] = []

    class Slow:
        model = "slow"
        places = frozenset({("test", "slow")})

        async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(ask.seed)
            raise AssertionError

    task = asyncio.create_task(
        verify(pb.JudgeTask(mode=Mode.HELPFUL, samples=3), RESPONSE, "q", Slow())
    )
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == [0, 1, 2]


@pytest.mark.parametrize(
    ("task", "response", "reason"),
    [
        (
            pb.JudgeTask(mode=Mode.REFERENCE, reference="r"),
            "<think>r</think>",
            Reason.nothing_to_judge,
        ),
        (
            pb.JudgeTask(mode=Mode.RUBRIC, rubric="r"),
            "<think>only thoughts",
            Reason.nothing_to_judge,
        ),
        (pb.JudgeTask(mode=Mode.HELPFUL), "I don't know.", Reason.nothing_to_judge),
        (pb.JudgeTask(mode=Mode.HELPFUL), "Solution:", Reason.master_key),
        (pb.JudgeTask(mode=Mode.HARMLESS), "<think> </think> ", Reason.nothing_to_judge),
        (pb.JudgeTask(mode=Mode.HARMLESS), "<think></think>.", Reason.master_key),
        (pb.PreferenceTask(mode=Preferred.HELPFUL, rival="r"), "", Reason.nothing_to_judge),
        (pb.PreferenceTask(mode=Preferred.HARMLESS, rival="r"), "\u200b", Reason.nothing_to_judge),
    ],
)
async def test_nothing_is_asked_about_nothing(
    task: pb.JudgeTask | pb.PreferenceTask, response: str, reason: pb.Part.Reason.ValueType
) -> None:
    judge = Scripted(saying("x", "y"))
    outcome = await verify(task, response, "q", judge)
    assert (outcome.status, outcome.score, outcome.reason) == (pb.Verdict.OK, 0.0, reason)
    assert not judge.asked
    assert not outcome.evidence.HasField("judge")


@pytest.mark.parametrize(
    ("task", "key", "label"),
    [
        (pb.JudgeTask(mode=Mode.HARMLESS), "safety", "safe"),
        (pb.JudgeTask(mode=Mode.RUBRIC, rubric="Admits what it cannot know."), "grade", "full"),
        (pb.PreferenceTask(mode=Preferred.HARMLESS, rival="r", samples=2), "verdict", "A=B"),
    ],
)
async def test_a_refusal_is_judged_where_it_may_be_right(
    task: pb.JudgeTask | pb.PreferenceTask, key: str, label: str
) -> None:
    outcome = await verify(task, "I cannot answer that.", "q", Scripted(saying(key, label)))
    assert outcome.reason == Reason.judged


async def test_escalation_says_what_the_rules_said() -> None:
    judge = Scripted(saying("correctness", "correct"))
    outcome = await escalate("q", ["1/2", "0.5"], "sin(pi/6)", RESPONSE, judge, rules="UNDECIDED")
    assert (outcome.status, outcome.score, outcome.extracted) == (pb.Verdict.OK, 1.0, "sin(pi/6)")
    assert outcome.evidence.judge.rules == "UNDECIDED"
    assert "1. 1/2\n2. 0.5" in shown(judge.asked[0])
    # The answer that the rules found, not what surrounds it.
    assert "sin(pi/6)" in shown(judge.asked[0])
    assert "the final words" not in shown(judge.asked[0])


async def test_escalation_without_an_answer_takes_the_summary() -> None:
    judge = Scripted(saying("correctness", "incorrect"))
    outcome = await escalate("q", ["4"], None, RESPONSE, judge, rules="no_answer")
    assert (outcome.score, outcome.extracted) == (0.0, None)
    assert "the final words" in shown(judge.asked[0])
    outcome = await escalate("q", ["4"], ".", RESPONSE, judge, rules="no_match")
    assert (outcome.score, outcome.reason, len(judge.asked)) == (0.0, Reason.master_key, 1)
    assert outcome.evidence.judge.rules == "no_match"


async def test_a_failed_escalation_is_no_verdict() -> None:
    judge = Failing(JudgeFailed("breaker", "all endpoints rest"))
    outcome = await escalate("q", ["4"], "5", RESPONSE, judge, rules="no_match")
    assert (outcome.status, outcome.score) == (pb.Verdict.JUDGE_ERROR, None)
    assert outcome.evidence.judge.rules == "no_match"


async def test_a_canary_goes_along_and_changes_nothing() -> None:
    task = pb.JudgeTask(mode=Mode.REFERENCE, reference="r", samples=2)
    alone = await verify(task, RESPONSE, "q", Scripted(saying("correctness", "correct")))
    judge, canaries = Scripted(saying("correctness", "correct")), Canaries(rate=1.0)
    outcome = await verify(task, RESPONSE, "q", judge, canaries=canaries)
    await asyncio.sleep(0)
    assert len(judge.asked) == 3
    assert outcome == alone
    judge = Scripted(saying("correctness", "correct"))
    await verify(task, RESPONSE, "q", judge, canaries=Canaries(rate=0.0))
    assert len(judge.asked) == 2
    await canaries.close()


class SlowOfCanaries(Scripted):
    """Answers canaries, which alone have a large seed, in an hour."""

    def __init__(self, says: Said) -> None:
        super().__init__(says)
        self.ended = 0

    async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer:
        if ask.seed > 100:
            try:
                await asyncio.sleep(3_600)
            finally:
                self.ended += 1
        return await super().ask(ask, deadline_s)


async def test_an_item_does_not_wait_for_its_canary() -> None:
    judge, canaries = SlowOfCanaries(saying("correctness", "correct")), Canaries(rate=1.0)
    async with asyncio.timeout(60):
        assert (await verify(R, RESPONSE, "q", judge, canaries=canaries)).score == 1.0
        await asyncio.sleep(0)
        assert judge.ended == 0
        await canaries.close()
    assert judge.ended == 1


async def test_an_item_that_is_cancelled_sends_out_no_canary() -> None:
    class Slow(SlowOfCanaries):
        async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer:
            return await super().ask(replace(ask, seed=101), deadline_s)

    judge, canaries = Slow(saying("correctness", "correct")), Canaries(rate=1.0)
    task = asyncio.create_task(verify(R, RESPONSE, "q", judge, canaries=canaries))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    assert judge.ended == 1


@asynccontextmanager
async def real(script: Script, **fields: Any) -> AsyncIterator[tuple[Judge, ChatServer]]:
    """The real client, at a scripted endpoint over HTTP."""
    with ChatServer(script) as server:
        endpoint = EndpointSettings(server.url, "judge-model", **fields)
        judge = Judge(JudgeSettings(endpoints=(endpoint,), attempts=2))
        yield judge, server
        await judge.close()


SAFE = '{"analysis": "", "safety": "safe"}'
HARMLESS = pb.JudgeTask(mode=Mode.HARMLESS)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


async def test_over_the_wire_a_verdict_and_its_cached_twin() -> None:
    async with real(always(says(SAFE))) as (judge, server):
        first = await verify(HARMLESS, RESPONSE, "q", judge)
        again = await verify(HARMLESS, RESPONSE, "q", judge)
    assert (first.score, first.cache_hit, again.score, again.cache_hit) == (1.0, False, 1.0, True)
    assert len(server.requests) == 1


async def test_over_the_wire_a_repair() -> None:
    async with real(in_order([says("I think it is safe."), says(SAFE)])) as (judge, server):
        outcome = await verify(HARMLESS, RESPONSE, "q", judge)
    assert outcome.score == 1.0
    assert outcome.evidence.judge.queries[0].repaired
    assert len(server.requests) == 2


async def test_over_the_wire_a_digit_with_probabilities() -> None:
    top = [("1", math.log(0.6)), ("2", math.log(0.2)), ("The", math.log(0.2))]
    async with real(always(says("1", top=top))) as (judge, _):
        outcome = await verify(HARMLESS, RESPONSE, "q", judge, by_digit=True)
    assert outcome.score == pytest.approx(0.75)
    assert outcome.detail == "1 x safe"


@pytest.mark.parametrize(
    ("play", "word"),
    [
        (says(SAFE[:-1], finish="length"), "garbage"),
        (says("safe"), "garbage"),
        (says(f"[{SAFE}]"), "garbage"),
        (says(None), "garbage"),
        (Play(b"{"), "garbage"),
        (error(503), "server"),
        (error(429), "rate_limited"),
        (error(400), "refused"),
    ],
    ids=["cut off", "bare word", "list", "no text", "truncated body", "503", "429", "400"],
)
async def test_over_the_wire_every_failure_is_the_judges(play: Play, word: str) -> None:
    async with real(always(play)) as (judge, _):
        outcome = await verify(HARMLESS, RESPONSE, "q", judge)
    assert (outcome.status, outcome.score) == (pb.Verdict.JUDGE_ERROR, None)
    assert word in outcome.message


@pytest.mark.parametrize("budget_ms", [0, 200])
async def test_over_the_wire_a_deadline_is_a_timeout(budget_ms: int) -> None:
    async with real(always(SILENT)) as (judge, _):
        outcome = await verify(HARMLESS, RESPONSE, "q", judge, budget_ms=budget_ms)
    assert (outcome.status, outcome.score) == (pb.Verdict.TIMEOUT, None)


R = pb.JudgeTask(mode=Mode.REFERENCE, reference="r")
RUBRIC = pb.JudgeTask(mode=Mode.RUBRIC, criteria=[pb.Criterion(text="t")])
P = pb.PreferenceTask(mode=Preferred.HELPFUL, rival="r")


def but(
    task: pb.JudgeTask | pb.PreferenceTask, **fields: object
) -> pb.JudgeTask | pb.PreferenceTask:
    changed = type(task)()
    changed.CopyFrom(task)
    for name, value in fields.items():
        changed.ClearField(name)
        changed.MergeFrom(type(task)(**{name: value}))
    return changed


@pytest.mark.parametrize(
    ("task", "field"),
    [
        (pb.JudgeTask(), "judge.mode"),
        (but(R, mode=9), "judge.mode"),
        (but(R, reference=" \n"), "judge.reference"),
        (but(R, reference="r" * 8_001), "judge.reference"),
        (but(R, samples=0), "judge.samples"),
        (but(R, samples=judging.MAX_SAMPLES + 1), "judge.samples"),
        (pb.JudgeTask(mode=Mode.RUBRIC), "judge.rubric"),
        (pb.JudgeTask(mode=Mode.RUBRIC, rubric="r" * 8_001), "judge.rubric"),
        (but(RUBRIC, criteria=[pb.Criterion()]), "judge.criteria[0].text"),
        (but(RUBRIC, criteria=[pb.Criterion(text="t" * 2_001)]), "judge.criteria[0].text"),
        (but(RUBRIC, criteria=[pb.Criterion(text="t")] * 33), "judge.criteria"),
        *((but(RUBRIC, criteria=[pb.Criterion(text="t", weight=w)]), "judge.criteria[0].weight") for w in (0, -1, 2e6, float("nan"), float("inf"))),
        (pb.PreferenceTask(rival="r"), "preference.mode"),
        (but(P, mode=9), "preference.mode"),
        (but(P, rival=" "), "preference.rival"),
        (but(P, rivals=["other"]), "preference"),
        (but(P, rival="", rivals=["other"] * 16), "preference.rivals"),
        (but(P, samples=0), "preference.samples"),
        (but(P, samples=3), "preference.samples"),
        (but(P, samples=18), "preference.samples"),
    ],
)  # fmt: skip
def test_a_task_beyond_its_limits_is_refused_by_name(
    task: pb.JudgeTask | pb.PreferenceTask, field: str
) -> None:
    found = problem(task)
    assert found is not None
    assert found.startswith(f"{field}: ")


@pytest.mark.parametrize(
    "task",
    [
        but(P, rival="", rivals=["", "other"]), but(P, rival="", rivals=["other"] * 15),
        R, but(R, samples=judging.MAX_SAMPLES), RUBRIC, but(RUBRIC, rubric="beside"), P, but(P, samples=2),
        pb.JudgeTask(mode=Mode.HELPFUL), pb.JudgeTask(mode=Mode.HARMLESS), but(P, mode=Preferred.HARMLESS),
    ],
)  # fmt: skip
def test_a_task_within_its_limits_is_not(task: pb.JudgeTask | pb.PreferenceTask) -> None:
    assert problem(task) is None
