"""Test-time strategies: how many samples of a question become one answer.

One shape for all, `Strategy`. Votes and best-of-N choose among the samples that a run has stored;
tree searches ask a model for solutions of their own, step by step, and choose among those.
"""

from __future__ import annotations

from evals.strategies.base import Problem, Solution, Strategy, StrategyError, expected
from evals.strategies.select import BestOfN, Vote, named

__all__ = [
    "BestOfN",
    "Problem",
    "Solution",
    "Strategy",
    "StrategyError",
    "Vote",
    "expected",
    "named",
]
