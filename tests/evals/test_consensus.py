"""Equal answers, as a real server sees them, and how often it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from evals.benchmark import Question, math_question
from evals.consensus import Classes, classify
from evals.records import Score
from evals.scoring import graded
from verifier.client import AsyncVerifierClient, Item, Verdict
from verifier.embedded import EmbeddedServer


class Counting(AsyncVerifierClient):
    """Keeps what it was asked."""

    async def __aenter__(self) -> Counting:
        return self

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.asked: list[list[tuple[str, str]]] = []

    async def verify(self, items: Sequence[Item]) -> list[Verdict]:
        self.asked.append([(item.math.gold[0], item.response) for item in items])
        return await super().verify(items)


@pytest.fixture
async def client(server: EmbeddedServer) -> AsyncIterator[Counting]:
    async with Counting(server.address) as client:
        yield client


async def scores(
    client: AsyncVerifierClient, question: Question, responses: Sequence[str]
) -> list[Score]:
    """What the scoring stage has of these."""
    items = []
    for response in responses:
        item = Item()
        assert question.item is not None
        item.CopyFrom(question.item)
        item.response = response
        items.append(item)
    verdicts = [graded(one) for one in await AsyncVerifierClient.verify(client, items)]
    return [
        Score(
            "b",
            question.id,
            n,
            "p",
            "q",
            "g",
            "r",
            one.status,
            one.score,
            one.extracted,
            one.evidence,
        )
        for n, one in enumerate(verdicts)
        if one.score is not None
    ]


def boxed(*answers: str) -> list[str]:
    return [f"\\boxed{{{answer}}}" for answer in answers]


async def test_equal_values_are_one_answer(client: Counting) -> None:
    question = math_question("q", "?", ["1/2"])
    told = await scores(
        client,
        question,
        [*boxed("0.5", "\\frac{1}{2}", "0.25", "1/4", "7", "\\dfrac14", "7.0"), "none"],
    )
    assert await classify([told], client) == [Classes((0, 0, 1, 1, 2, 1, 2, None))]


async def test_what_is_known_is_not_asked(client: Counting) -> None:
    right = await scores(client, math_question("a", "?", ["4"]), boxed("4", "4.0", "8/2", "4"))
    same = await scores(client, math_question("b", "?", ["4"]), boxed("5", "5", "5"))
    apart = await scores(client, math_question("c", "?", ["4"]), boxed("4", "7"))
    found = await classify([right, same, apart], client)
    assert found == [Classes((0, 0, 0, 0)), Classes((0, 0, 0)), Classes((0, 1))]
    assert sum(map(len, client.asked)) == 0


async def test_one_request_for_a_class_of_every_question(client: Counting) -> None:
    questions = [math_question(f"q{n}", "?", ["1"]) for n in range(5)]
    told = [await scores(client, one, boxed("2", "2", "3", "6/2", "9/3", "5")) for one in questions]
    found = await classify(told, client)
    assert found == [Classes((0, 0, 1, 1, 1, 2))] * 5
    # 2 against three and 5; 3 against two and 5; the rest alone.
    assert [len(asked) for asked in client.asked if asked] == [5 * 4, 5 * 3]
    assert {gold for gold, _ in client.asked[0]} == {"2"}


async def test_different_references_are_compared(client: Counting) -> None:
    either = math_question("q", "?", ["2", "3"])
    told = await scores(client, either, boxed("2", "3", "2.0", "6/2"))
    assert await classify([told], client) == [Classes((0, 1, 0, 1))]


async def test_the_policy_of_the_question_counts(client: Counting) -> None:
    question = math_question("q", "?", ["1"])
    assert question.item is not None
    loose = await scores(client, question, boxed("50\\%", "0.5"))
    assert await classify([loose], client) == [Classes((0, 0))]
    question.item.math.policy.percent = question.item.math.policy.STRICT
    strict = await scores(client, question, boxed("50\\%", "0.5"))
    assert await classify([strict], client) == [Classes((0, 1))]


async def test_what_cannot_be_compared_stays_apart_and_is_counted(client: Counting) -> None:
    """Of answers that nothing can read, none equals another, nor the number among them."""
    (one,) = await scores(client, math_question("q", "?", ["1"]), boxed("2"))
    unread = "\\text{Alice} and \\left(", "\\text{Bob} and \\left("
    told = [replace(one, sample=n, extracted=text) for n, text in enumerate((*unread, "2"))]
    assert await classify([told], client) == [Classes((0, 1, 2), undecided=3)]


async def test_letters_and_what_has_no_equality(client: Counting) -> None:
    def own(extracted: str, evidence: dict[str, Any]) -> Score:
        return Score("b", "q", 0, "p", "q", "g", "r", "ok", 0.0, extracted, evidence)

    letters = [own(letter, {"parts": [], "evidence": {"choice": {}}}) for letter in "ABA"]
    assert await classify([letters], client) == [Classes((0, 1, 0))]
    blank = [own("", {"parts": [], "evidence": {"choice": {}}})] * 2
    assert await classify([blank, letters], client) == [Classes((None, None)), Classes((0, 1, 0))]
    programs = [own("print(1)", {"parts": [], "evidence": {"code": {}}})]
    assert await classify([programs], client) is None
    assert await classify([[own("a whole response", {})]], client) is None
    assert client.asked == []


async def test_answers_that_the_verifier_does_not_read_are_none(client: Counting) -> None:
    question = math_question("q", "?", ["1"])
    told = await scores(client, question, boxed("9" * 5000, "9" * 4999 + "8", "2"))
    assert await classify([told], client) == [Classes((None, None, 0))]
