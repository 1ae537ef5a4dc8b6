"""Tree searches on a problem whose right behaviour is known: a lock of binary digits.

A step adds a digit, a scorer sees how many of them are right, and a blind model finds eight of them
one time in 256.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np
import pytest

from evals.benchmark import Message, Question
from evals.model import Reply, Sampling
from evals.strategies import BestOfN, Problem, Solution, Strategy, Vote, expected
from evals.strategies.base import StrategyError
from evals.strategies.mcts import Mcts
from evals.strategies.rebase import REWARD, Rebase, shares_of
from evals.strategies.steps import ChatSteps, ServiceScorer, Step, seed_of
from tests.evals.rundir import question

CODE = "01101001"
BEST = BestOfN(REWARD)


@dataclass
class Lock:
    """The model and the scorer."""

    asked: list[tuple[str, int]] = field(default_factory=list)
    """Beginnings and numbers of steps, in order."""
    scored: list[list[str]] = field(default_factory=list)
    long: bool = False
    """Never done."""

    async def steps(self, question: Question, prefix: str, seeds: Sequence[int]) -> Sequence[Step]:
        self.asked.append((prefix, len(seeds)))
        done = len(prefix) + 1 == len(CODE) and not self.long
        return [Step(random.Random(f"{prefix} {seed}").choice("01"), done) for seed in seeds]

    async def scores(self, question: Question, prefixes: Sequence[str]) -> Sequence[float]:
        self.scored.append(list(prefixes))
        return [value(text) for text in prefixes]

    @property
    def spent(self) -> int:
        return sum(count for _, count in self.asked)


def value(text: str) -> float:
    """Falls with every wrong digit."""
    wrong = sum(a != b for a, b in zip(text, CODE, strict=False))
    return 0.9 ** (4 * wrong)


def graded(found: Sequence[Solution]) -> list[Solution]:
    """As grading and the classes of answers would: one class for each text."""
    return [
        replace(one, answer=int("1" + one.text, 2), score=float(one.text == CODE)) for one in found
    ]


async def solved(strategy: Strategy, seed: int) -> float:
    return expected(
        strategy, graded(await strategy.solutions(Problem(question("lock"), seed=seed)))
    )


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0, 100.0])
@pytest.mark.parametrize("budget", [1, 7, 16, 256])
def test_the_budget_is_shared_as_the_paper_says(temperature: float, budget: int) -> None:
    draw = np.random.default_rng(budget)
    for _ in range(50):
        rewards = draw.random(draw.integers(1, 20))
        exact = budget * np.exp(rewards / temperature) / np.exp(rewards / temperature).sum()
        got = shares_of(rewards.tolist(), budget, temperature)
        assert sum(got) == budget
        assert np.abs(exact - got).max() < 1
        rounded = np.round(exact).astype(int)
        if rounded.sum() == budget:
            assert got == rounded.tolist()


def test_extremes_of_the_temperature() -> None:
    assert shares_of([0.9, 0.1, 0.5], 8, 1e-3) == [8, 0, 0]
    assert shares_of([0.9, 0.1, 0.5], 9, 1e6) == [3, 3, 3]
    assert shares_of([0.5, 0.5, 0.5], 4, 0.1) == [2, 1, 1]


async def test_rebase_keeps_its_budget_and_follows_the_rewards() -> None:
    lock = Lock()
    found = await Rebase(lock, lock, width=16).solutions(Problem(question("lock")))
    assert len(found) == 16
    assert all(len(one.text) == len(CODE) for one in found)
    assert [one.weights[REWARD] for one in found] == [value(one.text) for one in found]
    assert [len(texts) for texts in lock.scored] == [16] * len(CODE)
    depths = [
        [count for text, count in lock.asked if len(text) == depth] for depth in range(len(CODE))
    ]
    assert [sum(counts) for counts in depths] == [16] * len(CODE)
    for depth in range(1, len(CODE)):
        nodes = lock.scored[depth - 1]
        widths = shares_of([value(text) for text in nodes], 16, 0.1)
        expanded = [(text, width) for text, width in zip(nodes, widths, strict=True) if width]
        assert [one for one in lock.asked if len(one[0]) == depth] == expanded


async def test_the_budget_shrinks_with_what_is_done() -> None:
    """Solutions of one step and of three."""

    class Uneven(Lock):
        async def steps(
            self, question: Question, prefix: str, seeds: Sequence[int]
        ) -> Sequence[Step]:
            self.asked.append((prefix, len(seeds)))
            return [
                Step("x", len(prefix) == 2 or (not prefix and n < 5)) for n in range(len(seeds))
            ]

    lock = Uneven()
    found = await Rebase(lock, lock, width=12).solutions(Problem(question("lock")))
    assert [len(texts) for texts in lock.scored] == [12, 7, 7]
    assert sorted(len(one.text) for one in found) == [1] * 5 + [3] * 7


async def test_what_is_never_done_ends_at_the_depth() -> None:
    lock = Lock(long=True)
    found = await Rebase(lock, lock, width=4, depth=6).solutions(Problem(question("lock")))
    assert [len(one.text) for one in found] == [6] * 4
    assert lock.spent == 24


async def test_searches_beat_samples_of_the_same_cost() -> None:
    """128 steps: 16 blind samples open the lock one time in sixteen; those that look ahead do."""
    seeds = range(40)
    blind = fmean([any(one.text == CODE for one in await sampled(seed)) for seed in seeds])
    rebase = fmean(
        [await solved(Rebase(lock := Lock(), lock, 16, select=BEST), seed) for seed in seeds]
    )
    mcts = fmean(
        [await solved(Mcts(lock := Lock(), lock, 128, 8, select=BEST), seed) for seed in seeds]
    )
    assert blind < 0.2
    assert rebase > 0.95
    assert mcts > 0.95


async def sampled(seed: int) -> Sequence[Solution]:
    """Each solution by itself: the search at a temperature without rewards, at width 1."""
    found: list[Solution] = []
    for n in range(16):
        lock = Lock()
        found += await Rebase(lock, lock, width=1).solutions(
            Problem(question("lock"), seed=seed * 16 + n)
        )
    return found


@pytest.mark.parametrize(
    "make", [lambda lock: Rebase(lock, lock, 16), lambda lock: Mcts(lock, lock, 100)]
)
async def test_the_same_seed_gives_the_same_tree(make) -> None:  # type: ignore[no-untyped-def]
    runs = [
        await make(Lock()).solutions(Problem(question("lock"), seed=seed)) for seed in (3, 3, 4)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("budget", [1, 3, 4, 50, 129])
async def test_mcts_keeps_its_budget(budget: int) -> None:
    lock = Lock()
    found = await Mcts(lock, lock, budget=budget).solutions(Problem(question("lock")))
    assert lock.spent == budget
    assert found
    done = [one for one in found if len(one.text) == len(CODE)]
    assert len(done) == len(found) or len(found) == 1


async def test_mcts_explores_and_ends_with_the_tree() -> None:
    shallow = []
    for exploration in (0.0, 50.0):
        lock = Lock()
        search = Mcts(lock, lock, budget=80, branching=2, exploration=exploration)
        await search.solutions(Problem(question("lock")))
        shallow.append(len([text for text, _ in lock.asked if len(text) <= 4]))
    assert shallow[0] < shallow[1]
    lock = Lock()
    found = await Mcts(lock, lock, 10_000, branching=64, depth=3).solutions(
        Problem(question("lock"))
    )
    assert lock.spent == 64 * (1 + 2 + 4)
    assert [one.text for one in found] == [CODE[:3]]


def test_seeds_differ_by_place() -> None:
    seeds = {
        seed_of(run, depth, node, child)
        for run in (0, 1)
        for depth in range(9)
        for node in range(9)
        for child in range(9)
    }
    assert len(seeds) == 2 * 9**3
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(1, 23) != seed_of(12, 3)


class Chat:
    """Answers from a list, and keeps what it was asked."""

    name = "chat"

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[Sequence[Message], Sampling]] = []

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        self.asked.append((messages, sampling))
        return Reply(self.replies.pop(0), "stop")

    async def close(self) -> None:
        """Nothing."""


async def test_steps_of_a_chat_model() -> None:
    chat = Chat("First, 2.", "So \\boxed{4}.", "", "Then, 3.")
    how = Sampling(0.6, 0.95, 512, 0)
    model = ChatSteps(chat, how, done=lambda text: "\\boxed" in text)
    asked = question("q")
    (first,) = await model.steps(asked, "", [11])
    assert first == Step("<think>\nFirst, 2.\n\n", False)
    assert await model.steps(asked, first.text, [1, 2, 3]) == [
        Step("So \\boxed{4}.", True),
        Step("", True),
        Step("Then, 3.\n\n", False),
    ]
    messages, sampling = chat.asked[1]
    assert messages == (*asked.messages, Message("assistant", first.text))
    assert sampling == Sampling(0.6, 0.95, 512, 1, ("\n\n",))


async def test_a_searchs_choice_is_its_own_to_set() -> None:
    lock = Lock()
    search = Rebase(lock, lock, width=4, select=Vote())
    assert search.shares([Solution("a", answer=1), Solution("b", answer=1)]) == [0.5, 0.5]


async def test_the_service_scores_beginnings(server) -> None:  # type: ignore[no-untyped-def]
    from evals.benchmark import math_question
    from verifier.client import AsyncVerifierClient

    asked = math_question("q", "What is 2 + 2?", ["4"])
    async with AsyncVerifierClient(server.address) as client:
        described = await client.describe()
        recipe = next(
            one.name
            for one in described.recipes
            if any(part.name == "format" for part in one.parts)
        )
        scorer = ServiceScorer(client, recipe, part="format")
        found = await scorer.scores(asked, ["<think>a</think><answer>4</answer>", "four"])
        assert len(found) == 2
        assert found[0] >= found[1] == 0.0
        with pytest.raises(
            StrategyError,
            match=rf"q: recipe '{recipe}' gave no score of reward_model: it has no such part",
        ):
            await ServiceScorer(client, recipe).scores(asked, ["x"])
        with pytest.raises(StrategyError, match="without an item"):
            await scorer.scores(question("own"), ["x"])
