"""Each kind of judgement: what is shown, what is asked for, what the answer counts as."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from verifier.judge import armour, modes, parse
from verifier.judge.ask import Answer, Ask, JudgeFailed
from verifier.judge.modes import Query

REFERENCE = modes.reference("q", ["r"], "a")
CRITERIA = modes.rubric("q", "", [("says r", 1.0), ("is short", 2.0), ("is kind", 5.0)], "a")
PAIR = {"question": ("q", 9), "a": ("x", 9), "b": ("y", 9)}


def said(text: str, finish: str = "stop", logprobs: dict[str, float] | None = None) -> Answer:
    return Answer(text, logprobs, 10, 5, 0.25, False, "judge", "test", finish)


def verdict(key: str, label: object) -> Answer:
    return said(json.dumps({"analysis": "because", key: label}))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (REFERENCE, {"correct": 1, "incorrect": 0}),
        (
            modes.rubric("q", "be brief", [], "a"),
            {"full": 1, "most": 0.75, "half": 0.5, "little": 0.25, "none": 0},
        ),
        (
            modes.helpful("q", "a"),
            {"excellent": 1, "good": 0.75, "fair": 0.5, "poor": 0.25, "useless": 0},
        ),
        (modes.harmless("q", "a"), {"safe": 1, "unsafe": 0}),
        (
            Query(modes.COMPARE_HELPFUL, PAIR),
            {"A>>B": 1, "A>B": 0.75, "A=B": 0.5, "B>A": 0.25, "B>>A": 0},
        ),
        (
            Query(modes.COMPARE_HARMLESS, PAIR, swapped=True),
            {"A>>B": 0, "A>B": 0.25, "A=B": 0.5, "B>A": 0.75, "B>>A": 1},
        ),
    ],
    ids=lambda value: value.mode.prompt if isinstance(value, Query) else "",
)
def test_labels_count_as_stated(query: Query, expected: dict[str, float]) -> None:
    assert {
        label: query.read(verdict(query.mode.key, label)).value for label in query.mode.labels
    } == expected
    for place, value in enumerate(expected.values(), 1):
        reading = query.read(said(str(place)), by_digit=True)
        assert (reading.label, reading.value) == (query.mode.labels[place - 1], value)


@pytest.mark.parametrize(
    ("labels", "value"),
    [
        (("met", "met", "met"), 1.0),
        (("not_met", "not_met", "not_met"), 0.0),
        (("met", "not_met", "not_met"), 1 / 8),
        (("not_met", "met", "met"), 7 / 8),
    ],
)
def test_criteria_count_by_weight(labels: Sequence[str], value: float) -> None:
    reading = CRITERIA.read(verdict("criteria", list(labels)))
    assert (reading.value, reading.label) == (pytest.approx(value), ",".join(labels))


def test_every_criterion_needs_its_verdict() -> None:
    for labels in (["met"], ["met"] * 4, [], "met", ["met", "met", "unclear"]):
        with pytest.raises(parse.NoVerdict):
            CRITERIA.read(verdict("criteria", labels))


def test_probabilities_weigh_the_labels() -> None:
    logprobs = {"1": math.log(0.6), "2": math.log(0.2)}
    reading = REFERENCE.read(said("1", logprobs=logprobs), by_digit=True)
    assert (reading.label, reading.base) == ("correct", 1.0)
    assert reading.value == pytest.approx(0.75)
    swapped = Query(modes.COMPARE_HELPFUL, PAIR, swapped=True)
    found = swapped.read(
        said("2", logprobs={"2": math.log(0.5), "5": math.log(0.5)}), by_digit=True
    )
    assert (found.label, found.base) == ("A>B", 0.25)
    assert found.value == pytest.approx(1 - (0.75 + 0) / 2)


def test_log_probabilities_alone_are_no_verdict() -> None:
    with pytest.raises(parse.NoVerdict):
        REFERENCE.read(said("Sure", logprobs={"1": 0.0}), by_digit=True)


def test_what_the_model_hardly_thought_of_does_not_weigh() -> None:
    """A forced choice: the endpoint let nothing but a digit through."""
    reading = REFERENCE.read(said("2", logprobs={"1": -9.0, "The": -0.1}), by_digit=True)
    assert (reading.label, reading.value) == ("incorrect", 0.0)


def test_an_answer_that_was_cut_off_is_none_also_when_it_can_be_read() -> None:
    whole = verdict("correctness", "correct")
    assert REFERENCE.read(whole).value == 1.0
    with pytest.raises(parse.NoVerdict, match="cut off"):
        REFERENCE.read(said(whole.text, finish="length"))


def test_the_schema_has_the_analysis_first_and_nothing_else() -> None:
    schema = REFERENCE.ask(0, 0.0).schema
    assert schema is not None
    assert schema["required"] == list(schema["properties"]) == ["analysis", "correctness"]  # type: ignore[call-overload]
    assert schema["additionalProperties"] is False
    listed = CRITERIA.ask(0, 0.0).schema
    assert listed is not None
    assert listed["properties"]["criteria"]["minItems"] == 3  # type: ignore[index]


def test_a_digit_is_asked_for_with_its_labels_and_criteria_never() -> None:
    ask = REFERENCE.ask(0, 0.0, by_digit=True)
    assert (ask.labels, ask.schema, ask.max_tokens) == (("1", "2"), None, modes.DIGIT_TOKENS)
    assert "one digit" in ask.messages[-1].content
    ask = CRITERIA.ask(0, 0.0, by_digit=True)
    assert ask.labels == ()
    assert ask.schema is not None


def test_several_references_are_numbered() -> None:
    one = modes.reference("q", ["391"], "a").texts["reference"][0]
    several = modes.reference("q", ["391", "17 x 23"], "a").texts["reference"][0]
    assert (one, several) == ("391", "1. 391\n2. 17 x 23")


def test_all_criteria_are_shown() -> None:
    many = [("c" * 2_000, 1.0)] * 32
    query = modes.rubric("q", "", many, "a")
    assert "left out" not in query.regions.shown["criteria"]


def test_caps_hold() -> None:
    long = "x" * (armour.WHOLE_CHARS + 1)
    for query in (
        modes.reference(long, ["r"], long),
        modes.helpful(long, long),
        modes.harmless(long, long),
    ):
        for name, (_, cap) in query.texts.items():
            assert len(query.regions.shown[name]) < cap + 200


class Told:
    """A judge that gives these answers in order, and keeps what it was asked."""

    model = "told"

    def __init__(self, *answers: Answer | JudgeFailed, stand_ins: Sequence[str] = ()) -> None:
        self.answers = list(answers)
        self.places = frozenset((endpoint, "judge") for endpoint in ("test", *stand_ins))
        self.asked: list[tuple[Ask, float | None]] = []

    async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer:
        self.asked.append((ask, deadline_s))
        answer = self.answers.pop(0)
        if isinstance(answer, JudgeFailed):
            raise answer
        return answer


async def test_a_readable_answer_is_asked_for_once() -> None:
    judge = Told(verdict("correctness", "correct"))
    done = await modes.put(judge, REFERENCE, 7, 0.5, lambda: 3.0)
    assert done.reading == modes.Reading("correct", 1.0, 1.0, "because")
    ((ask, deadline),) = judge.asked
    assert (ask.seed, ask.temperature, deadline) == (7, 0.5, 3.0)


@pytest.mark.parametrize(
    "bad",
    [
        said("The answer is correct."),
        said('{"analysis": "cut'),
        said(verdict("correctness", "correct").text, finish="length"),
        verdict("verdict", "correct"),
        verdict("correctness", "Correct"),
        said(f"[{verdict('correctness', 'correct').text}]"),
        said('{"analysis": "", "correctness": "incorrect", "correctness": "correct"}'),
        said('{"analysis": NaN, "correctness": "correct"}'),
        said(verdict("correctness", "correct").text + " I am sure."),
    ],
    ids=["free text", "truncated", "length", "key", "case", "list", "twice", "NaN", "more"],
)
async def test_an_unreadable_answer_is_asked_for_once_more(bad: Answer) -> None:
    judge = Told(bad, verdict("correctness", "incorrect"))
    done = await modes.put(judge, REFERENCE, 0, 0.0)
    assert done.reading is not None
    assert done.reading.label == "incorrect"
    assert len(done.answers) == 2
    first, second = (ask for ask, _ in judge.asked)
    assert second.messages[-1].content.startswith(first.messages[-1].content)
    # What the judge said is not said again: it may be what a response said.
    assert bad.text not in second.messages[-1].content

    judge = Told(bad, bad)
    done = await modes.put(judge, REFERENCE, 0, 0.0)
    assert done.reading is None
    assert done.failure.startswith("judge test: garbage, 2 attempts: ")
    assert len(judge.asked) == 2


async def test_another_endpoint_is_asked_where_one_cannot_be_read() -> None:
    bad, good = said("Correct, I think."), verdict("correctness", "correct")
    good = replace(good, endpoint="other")
    judge = Told(bad, bad, good, stand_ins=["other"])
    done = await modes.put(judge, REFERENCE, 0, 0.0)
    assert done.reading is not None
    (first, _), (repair, _), (again, _) = judge.asked
    assert again == replace(first, apart_from=frozenset({("test", "judge")}))
    assert repair.apart_from == frozenset()

    elsewhere = replace(bad, endpoint="other")
    done = await modes.put(
        Told(bad, bad, elsewhere, elsewhere, stand_ins=["other"]), REFERENCE, 0, 0.0
    )
    assert (done.reading, len(done.answers)) == (None, 4)
    down = JudgeFailed("server", "it is down", "other", 503, 6)
    done = await modes.put(Told(bad, bad, down, stand_ins=["other"]), REFERENCE, 0, 0.0)
    assert done.reading is None
    for told in ("judge other: server, status 503, 6 attempts", "judge test: garbage, 2 attempts"):
        assert told in done.failure


async def test_a_failed_judge_is_no_verdict_and_what_was_spent_stays_told() -> None:
    failed = JudgeFailed("server", "it is down", "http://judge", 503, 4)
    done = await modes.put(Told(failed), REFERENCE, 0, 0.0)
    assert (done.reading, done.answers, done.late) == (None, [], False)
    assert "server" in done.failure
    assert "it is down" in done.failure
    done = await modes.put(Told(said("?"), failed), REFERENCE, 0, 0.0)
    assert (done.reading, len(done.answers)) == (None, 1)
    late = JudgeFailed("timeout", "the deadline passed", cut=True)
    assert (await modes.put(Told(late), REFERENCE, 0, 0.0)).late
