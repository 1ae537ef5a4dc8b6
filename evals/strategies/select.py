"""Strategies that choose among stored samples: votes and best-of-N.

Ties are shared evenly, so that a figure is an expectation and never the luck of an order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose

from evals.strategies.base import Problem, Solution, Strategy, StrategyError

GRADE = "accuracy"
"""The part of a verdict that is a sample's score."""


@dataclass(frozen=True)
class Vote:
    """Self-consistency (Wang et al., arXiv 2203.11171): the answer with the most samples, or with
    the largest sum of weights. A sample without an answer has no vote."""

    by: str = ""
    """A name in `Solution.weights`, each at least 0; "": every sample counts 1."""

    @property
    def name(self) -> str:
        return f"weighted_vote:{self.by}" if self.by else "self_consistency"

    @property
    def needs_answers(self) -> bool:
        return True

    async def solutions(self, problem: Problem) -> Sequence[Solution]:
        return problem.stored

    def shares(self, solutions: Sequence[Solution]) -> list[float]:
        sums: dict[int | None, float] = {}
        members: dict[int | None, int] = {}
        for one in solutions:
            if one.answer is not None:
                weight = weight_of(one, self.by, self.name, least=0.0) if self.by else 1.0
                sums[one.answer] = sums.get(one.answer, 0.0) + weight
                members[one.answer] = members.get(one.answer, 0) + 1
        most = max(sums.values(), default=0.0)
        # Equal sums in another order of adding differ by rounding.
        won = {answer for answer, total in sums.items() if isclose(total, most)}
        return [
            1 / (len(won) * members[one.answer]) if one.answer in won else 0.0 for one in solutions
        ]


@dataclass(frozen=True)
class BestOfN:
    """The sample that a judge or reward model likes best, whether it has an answer or not."""

    by: str
    """See Vote."""

    @property
    def name(self) -> str:
        return f"best_of_n:{self.by}"

    @property
    def needs_answers(self) -> bool:
        return False

    async def solutions(self, problem: Problem) -> Sequence[Solution]:
        return problem.stored

    def shares(self, solutions: Sequence[Solution]) -> list[float]:
        weights = [weight_of(one, self.by, self.name) for one in solutions]
        best = max(weights, default=0.0)
        won = weights.count(best)
        return [1 / won if weight == best else 0.0 for weight in weights]


def weight_of(solution: Solution, by: str, strategy: str, least: float | None = None) -> float:
    """Raises StrategyError where there is no such weight, or one below `least`."""
    if (weight := solution.weights.get(by)) is None:
        known = ", ".join(solution.weights) or "none"
        raise StrategyError(f"{strategy}: {solution.name} has no weight {by!r}; it has {known}")
    if least is not None and weight < least:
        raise StrategyError(
            f"{strategy}: a weight is at least {least:g}, {solution.name} has {weight:g}"
        )
    return weight


def named(name: str) -> Strategy:
    """self_consistency, weighted_vote:BY or best_of_n:BY, BY being a part of the verdict as
    reward_model, or `given`. Raises StrategyError."""
    kind, _, by = name.partition(":")
    if by == GRADE:
        raise StrategyError(f"--strategy: {name!r} would choose by the grade that it is judged by")
    if name == "self_consistency":
        return Vote()
    if by and kind == "weighted_vote":
        return Vote(by)
    if by and kind == "best_of_n":
        return BestOfN(by)
    raise StrategyError(
        f"--strategy: self_consistency, weighted_vote:BY or best_of_n:BY, got {name!r}"
    )
