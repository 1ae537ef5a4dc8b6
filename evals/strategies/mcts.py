"""Monte Carlo tree search over reasoning steps.

Each round goes from the root to the child with the highest mean value plus exploration (UCT; Kocsis
and Szepesvári, 2006) until it comes to a node without children; from there on it samples several
steps, scores them and takes the best, until the solution is done. The value of that solution counts
for all nodes above, which began with what the scorer said of them. DeepSeek-R1 (section 4.2) tried
a search of this kind and found that it does not scale; this is to repeat such comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log, sqrt

from evals.strategies.base import Problem, Solution, Strategy
from evals.strategies.rebase import REWARD
from evals.strategies.select import Vote
from evals.strategies.steps import StepModel, StepScorer, seed_of


@dataclass(eq=False)
class _Node:
    text: str
    done: bool
    depth: int
    value: float = 0.0
    visits: int = 0
    total: float = 0.0
    children: list[_Node] = field(default_factory=list)
    closed: bool = False
    """Nothing below is left to be expanded."""

    def rank(self, above: int, exploration: float) -> float:
        return self.total / self.visits + exploration * sqrt(log(above) / self.visits)


@dataclass(frozen=True)
class Mcts:
    """See the module. All complete solutions found come out of it, weighted by their values; where
    there is none, the best beginning does."""

    model: StepModel
    scorer: StepScorer
    budget: int
    """Steps asked for in all."""
    branching: int = 4
    """Steps sampled where a node is expanded."""
    exploration: float = 1.0
    """UCT's constant, for values from 0 to 1."""
    depth: int = 64
    """Steps of one solution at most; a longer one is left where it is."""
    select: Strategy = field(default_factory=lambda: Vote(REWARD))
    """Chooses among the solutions."""

    @property
    def name(self) -> str:
        return f"mcts:{self.budget}"

    @property
    def needs_answers(self) -> bool:
        return self.select.needs_answers

    async def solutions(self, problem: Problem) -> Sequence[Solution]:
        """See Strategy. Raises what the model and the scorer raise."""
        root, left = _Node("", False, 0), self.budget
        while left > 0 and not root.closed:
            path = self._descend(root)
            while left > 0 and not path[-1].closed:
                asked = min(self.branching, left)
                left -= asked
                await self._expand(problem, path[-1], range(left, left + asked))
                path.append(max(path[-1].children, key=lambda node: node.value))
            for node in reversed(path):
                node.visits += 1
                node.total += path[-1].value
                if node.children:
                    node.closed = all(child.closed for child in node.children)
        nodes = [node for node in _below(root) if node is not root]
        best = [node for node in nodes if node.done]
        best = best or sorted(nodes, key=lambda node: (-node.value, -node.depth))[:1]
        name = f"{problem.question.id}, {self.name}"
        return [
            Solution(f"{name} {at}", node.text, weights={REWARD: node.value})
            for at, node in enumerate(best)
        ]

    def _descend(self, root: _Node) -> list[_Node]:
        """The way to a node that has no children yet."""
        path = [root]
        while path[-1].children:
            above = path[-1].visits
            path.append(
                max(
                    (node for node in path[-1].children if not node.closed),
                    key=lambda node: node.rank(above, self.exploration),
                )
            )
        return path

    async def _expand(self, problem: Problem, node: _Node, numbers: range) -> None:
        """Equal steps are one child."""
        seeds = [seed_of(problem.seed, number) for number in numbers]
        steps = await self.model.steps(problem.question, node.text, seeds)
        done = {node.text + step.text: step.done for step in steps}
        values = await self.scorer.scores(problem.question, list(done))
        for text, value in zip(done, values, strict=True):
            child = _Node(text, done[text], node.depth + 1, value, 1, value)
            child.closed = child.done or child.depth == self.depth
            node.children.append(child)

    def shares(self, solutions: Sequence[Solution]) -> list[float]:
        """See Strategy."""
        return self.select.shares(solutions)


def _below(node: _Node) -> Iterator[_Node]:
    """All nodes, those above first."""
    waiting = [node]
    for one in waiting:
        yield one
        waiting += one.children
