"""What a strategy is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from evals.benchmark import Question


class StrategyError(Exception):
    """A strategy lacks what it chooses by: the message says what, and for which sample."""


@dataclass(frozen=True)
class Solution:
    """One response to a question."""

    name: str
    """For messages: the question and the sample."""
    text: str = ""
    answer: int | None = None
    """Number of its class of equal answers; None: no answer."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """What judges and reward models gave it, by their names."""
    score: float | None = None
    """What it is worth, by the benchmark's grading. No strategy looks at it."""


@dataclass(frozen=True)
class Problem:
    """One question, and the solutions that are there."""

    question: Question
    stored: Sequence[Solution] = ()
    seed: int = 0


class Strategy(Protocol):
    """Solutions, then which of them. Between the two, whoever runs it finds out which solutions
    have equal answers."""

    @property
    def name(self) -> str:
        """As a figure is called."""

    @property
    def needs_answers(self) -> bool:
        """Whether it counts equal answers, which not all benchmarks have."""

    async def solutions(self, problem: Problem) -> Sequence[Solution]:
        """Those stored, or new ones."""

    def shares(self, solutions: Sequence[Solution]) -> list[float]:
        """The chance of each to be the answer, in their order; they add up to 1, or to 0 where
        there is no answer. Raises StrategyError."""


def expected(strategy: Strategy, solutions: Sequence[Solution]) -> float:
    """The score to expect of the answer. Solutions that can be it must be graded."""
    total = 0.0
    for solution, share in zip(solutions, strategy.shares(solutions), strict=True):
        if share:
            if solution.score is None:
                raise StrategyError(f"{strategy.name}: {solution.name} is chosen and not graded")
            total += share * solution.score
    return total
