"""Searches against a real verifier: digits of a number, added one at a time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from evals.benchmark import Question, math_question
from evals.statistics import Estimate
from evals.strategies import StrategyError
from evals.strategies.mcts import Mcts
from evals.strategies.rebase import Rebase
from evals.strategies.solve import Solved, figure, solve
from evals.strategies.steps import Step
from tests.evals.rundir import question
from verifier.client import AsyncVerifierClient
from verifier.embedded import EmbeddedServer


class Digits:
    """Offers the right next digit to one seed in three, and a whole answer after four steps."""

    async def steps(self, question: Question, prefix: str, seeds: Sequence[int]) -> Sequence[Step]:
        right = question.gold[len(prefix) : len(prefix) + 1]
        steps = []
        for seed in seeds:
            digit = right if seed % 3 == 0 else "9"
            done = len(prefix) == len(question.gold) - 1
            steps.append(Step(f"{digit}.0 = \\boxed{{{prefix}{digit}}}" if done else digit, done))
        return steps

    async def scores(self, question: Question, prefixes: Sequence[str]) -> Sequence[float]:
        return [0.9 if question.gold.startswith(text.split(".")[0]) else 0.1 for text in prefixes]


async def test_searches_are_graded_and_compared(server: EmbeddedServer) -> None:
    asked = [math_question(str(gold), "?", [str(gold)]) for gold in (1234, 2468, 1357)]
    digits = Digits()
    async with AsyncVerifierClient(server.address) as client:
        for search in (
            Rebase(digits, digits, width=16),
            Mcts(digits, digits, budget=64, branching=16),
        ):
            found = await solve(search, asked, client)
            assert [one.question for one in found] == ["1234", "2468", "1357"]
            assert figure(found).value == 1.0
            right = {one.answer for each in found[:1] for one in each.solutions if one.score}
            assert len(right) == 1
            assert {one.score for one in found[0].solutions} == {0.0, 1.0}
        with pytest.raises(StrategyError, match="own: its benchmark grades by itself"):
            await solve(Rebase(digits, digits, width=2), [question("own")], client)


def test_what_could_not_be_graded_is_left_out() -> None:
    assert figure([Solved("a", (), 1.0), Solved("b", (), None)]).value == 1.0
    assert figure([Solved("b", (), None)]) == Estimate(None)
