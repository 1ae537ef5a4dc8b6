"""Canaries: which items bring one along, and what is told of the judge."""

from __future__ import annotations

import json

import pytest
from prometheus_client import REGISTRY

from verifier.judge import canary
from verifier.judge.ask import Answer, Ask, JudgeFailed
from verifier.judge.canary import Canaries


class Judge:
    model = "canary"
    places = frozenset({("test", "canary")})

    def __init__(self, label: str | None) -> None:
        self.label = label
        self.asked: list[Ask] = []

    async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer:
        self.asked.append(ask)
        if self.label is None:
            raise JudgeFailed("server", "down")
        text = json.dumps({"analysis": "", "correctness": self.label})
        return Answer(text, None, 1, 1, 0.0, False, self.model, "test", "stop")


def counted(truth: str, outcome: str) -> float:
    labels = {"truth": truth, "outcome": outcome}
    return REGISTRY.get_sample_value("touchstone_judge_canaries_total", labels) or 0.0


def test_the_known_cases_are_half_right_and_answers_of_the_others_are_near_misses() -> None:
    cases = canary.known()
    assert len(cases) >= 20
    assert len({(case.question, case.answer) for case in cases}) == len(cases)
    right = [case for case in cases if case.truth == "correct"]
    wrong = [case for case in cases if case.truth == "incorrect"]
    assert len(right) == len(wrong) == len(cases) / 2
    assert {case.question for case in right} == {case.question for case in wrong}


def test_the_rate_is_kept_and_the_same_items_bring_one_along() -> None:
    canaries = Canaries(rate=0.1)
    found = [canaries.due(f"item {number}") for number in range(5_000)]
    assert 400 < sum(due is not None for due in found) < 600
    assert found == [Canaries(rate=0.1).due(f"item {number}") for number in range(5_000)]
    due = [one for one in found if one is not None]
    assert {one.canary for one in due} == set(canary.known()), "each has its turn"
    assert len({one.seed for one in due}) == len(due), "and none is answered from a cache"
    assert all(0 <= one.seed < 2**31 for one in due)


def test_none_and_all() -> None:
    assert Canaries(rate=0.0).due("x") is None
    assert Canaries(rate=1.0).due("x") is not None
    assert Canaries(rate=1.0).due("\ud800") is not None


@pytest.mark.parametrize(
    ("label", "correct", "incorrect"), [("correct", 1.0, 0.0), ("incorrect", 0.0, 1.0)]
)
async def test_a_judge_that_always_says_the_same_is_found_out(
    label: str, correct: float, incorrect: float
) -> None:
    canaries = Canaries(rate=1.0)
    assert canaries.accuracy("correct") is None
    for number in range(60):
        due = canaries.due(f"{label} {number}")
        assert due is not None
        right = await canaries.ask(due, Judge(label), 0.0)
        assert right is (due.canary.truth == label)
    assert (canaries.accuracy("correct"), canaries.accuracy("incorrect")) == (correct, incorrect)
    name = "touchstone_judge_canary_accuracy"
    assert REGISTRY.get_sample_value(name, {"truth": "correct"}) == correct
    assert REGISTRY.get_sample_value(name, {"truth": "incorrect"}) == incorrect


async def test_a_judge_that_fails_is_not_wrong() -> None:
    canaries = Canaries(rate=1.0)
    due = canaries.due("x")
    assert due is not None
    before = counted(due.canary.truth, "failed")
    assert await canaries.ask(due, Judge(None), 0.0) is None
    assert canaries.accuracy(due.canary.truth) is None
    assert counted(due.canary.truth, "failed") == before + 1


async def test_only_the_newest_count() -> None:
    canaries = Canaries(rate=1.0)
    due = next(
        one for n in range(99) if (one := canaries.due(str(n))) and one.canary.truth == "correct"
    )
    await canaries.ask(due, Judge("incorrect"), 0.0)
    assert canaries.accuracy("correct") == 0.0
    for _ in range(canary.WINDOW):
        await canaries.ask(due, Judge("correct"), 0.0)
    assert canaries.accuracy("correct") == 1.0
