"""Reward-balanced search (REBASE; Wu et al., arXiv 2408.00724, section 3.2).

All solutions grow by a step at a time. At every depth the solutions still open share the budget in
proportion to exp(reward / temperature), so that a beginning that looks good is continued more
often and one that looks bad is dropped, without any rollouts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from evals.strategies.base import Problem, Solution, Strategy
from evals.strategies.select import Vote
from evals.strategies.steps import Step, StepModel, StepScorer, seed_of

REWARD = "step_scorer"
"""The name of the weight that a tree search gives its solutions."""


def shares_of(rewards: Sequence[float], budget: int, temperature: float) -> list[int]:
    """How many continuations each open solution gets: the paper's
    W_j = Round(budget x exp(R_j / T) / sum over k of exp(R_k / T)).

    Where those do not add up to the budget, the largest remainders are rounded up and no others.
    """
    exact = np.asarray(rewards, float) / temperature
    exact = np.exp(exact - exact.max())
    exact *= budget / exact.sum()
    whole = np.floor(exact).astype(int)
    left = budget - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return [int(width) for width in whole]


@dataclass(frozen=True)
class Rebase:
    """See the module. `width` solutions come out of it, weighted by the reward of their last step;
    those that are not done at `depth` steps come out as they are."""

    model: StepModel
    scorer: StepScorer
    width: int
    """Solutions; steps asked for at one depth at most."""
    temperature: float = 0.1
    """T of the softmax. A small one exploits, a large one comes near to plain sampling."""
    depth: int = 64
    """Steps of one solution at most."""
    select: Strategy = field(default_factory=lambda: Vote(REWARD))
    """Chooses among the solutions."""

    @property
    def name(self) -> str:
        return f"rebase:{self.width}"

    @property
    def needs_answers(self) -> bool:
        return self.select.needs_answers

    async def solutions(self, problem: Problem) -> Sequence[Solution]:
        """See Strategy. Raises what the model and the scorer raise."""
        found: list[Solution] = []
        nodes, widths = [""], [self.width]
        for depth in range(1, self.depth + 1):
            steps = await self._expand(problem, nodes, widths, depth)
            rewards = await self.scorer.scores(problem.question, [text for text, _ in steps])
            nodes, open_rewards = [], []
            for (text, done), reward in zip(steps, rewards, strict=True):
                if done or depth == self.depth:
                    name = f"{problem.question.id}, {self.name} {len(found)}"
                    found.append(Solution(name, text, weights={REWARD: reward}))
                else:
                    nodes.append(text)
                    open_rewards.append(reward)
            if not nodes:
                break
            widths = shares_of(open_rewards, self.width - len(found), self.temperature)
        return found

    async def _expand(
        self, problem: Problem, nodes: Sequence[str], widths: Sequence[int], depth: int
    ) -> list[tuple[str, bool]]:
        """The texts with one step more, and whether they are done."""

        async def one(at: int) -> Sequence[Step]:
            seeds = [seed_of(problem.seed, depth, at, child) for child in range(widths[at])]
            return await self.model.steps(problem.question, nodes[at], seeds)

        chosen = [at for at, width in enumerate(widths) if width]
        grown = await asyncio.gather(*map(one, chosen))
        return [
            (nodes[at] + step.text, step.done)
            for at, steps in zip(chosen, grown, strict=True)
            for step in steps
        ]

    def shares(self, solutions: Sequence[Solution]) -> list[float]:
        """See Strategy."""
        return self.select.shares(solutions)
