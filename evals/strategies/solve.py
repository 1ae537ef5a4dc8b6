"""A strategy on questions, from asking to a figure: what a comparison of searches with plain votes
at the same cost needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from evals.benchmark import Question
from evals.consensus import Classes, classify
from evals.model import Refused
from evals.records import Score
from evals.scoring import graded
from evals.statistics import Estimate, estimate
from evals.strategies.base import Problem, Solution, Strategy, StrategyError, expected
from verifier.client import AsyncVerifierClient, Item

AT_ONCE = 16
"""Questions under way at once; a search asks for many steps of each."""


@dataclass(frozen=True)
class Solved:
    """A question, and what a strategy made of it."""

    question: str
    solutions: Sequence[Solution]
    """With answers and scores, where they could be graded."""
    value: float | None
    """The score to expect; None where nothing could be graded."""
    error: str = ""
    """Why there are no solutions: what the endpoint said when it refused the question."""


async def solve(
    strategy: Strategy,
    questions: Sequence[Question],
    client: AsyncVerifierClient,
    *,
    seed: int = 0,
    made: Callable[[Question, Solved], None] = lambda question, solved: None,
) -> list[Solved]:
    """Each question by itself, in their order; `made` hears of each when it is done. Raises
    StrategyError, ServiceError, and what the strategy's model raises."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(question: Question) -> Solved:
        async with room:
            try:
                found = await strategy.solutions(Problem(question, seed=seed))
            except Refused as error:
                solved = Solved(question.id, (), None, str(error))
            else:
                told = await grade(question, found, client)
                able = [solution for solution in told if solution.score is not None]
                solved = Solved(question.id, told, expected(strategy, able) if able else None)
        made(question, solved)
        return solved

    tasks = [asyncio.create_task(one(question)) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def figure(solved: Sequence[Solved]) -> Estimate:
    """The mean over the questions that have a value."""
    return estimate([one.value for one in solved if one.value is not None])


async def grade(
    question: Question, solutions: Sequence[Solution], client: AsyncVerifierClient
) -> list[Solution]:
    """Solutions with their scores, and with answers where those can be compared."""
    if question.item is None:
        raise StrategyError(f"{question.id}: its benchmark grades by itself, without an item")
    items = []
    for solution in solutions:
        item = Item()
        item.CopyFrom(question.item)
        item.response = solution.text.encode("utf-8", "replace").decode()
        items.append(item)
    scores = []
    for sample, told in enumerate(map(graded, await client.verify(items))):
        rest = (told.status, told.score, told.extracted, told.evidence)
        scores.append(Score("", question.id, sample, "", "", "", "", *rest))
    able = [score for score in scores if score.score is not None]
    (classes,) = await classify([able], client) or [Classes((None,) * len(able))]
    answers = {one.sample: answer for one, answer in zip(able, classes.answers, strict=True)}
    return [
        replace(solution, score=score.score, answer=answers.get(score.sample))
        for solution, score in zip(solutions, scores, strict=True)
    ]
