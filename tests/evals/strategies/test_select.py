"""Votes and best-of-N over stored samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.records import Score
from evals.strategies import BestOfN, Problem, Solution, StrategyError, Vote, expected, named
from evals.strategies.weights import read_given, weights
from tests.evals.rundir import question


def solved(answer: int | None, score: float, weight: float | None = None) -> Solution:
    return Solution("q, sample 0", "text", answer, {} if weight is None else {"rm": weight}, score)


def test_self_consistency() -> None:
    three = [solved(0, 1.0), solved(0, 1.0), solved(1, 0.0), solved(None, 0.0)]
    assert Vote().shares(three) == [0.5, 0.5, 0.0, 0.0]
    assert expected(Vote(), three) == 1.0
    assert expected(Vote(), three[1:]) == 0.5  # a tie
    assert expected(Vote(), [*three, solved(None, 0.0), solved(None, 0.0)]) == 1.0
    assert Vote().shares([solved(None, 0.0)]) == [0.0]
    assert expected(Vote(), []) == 0.0


def test_a_weighted_vote() -> None:
    votes = [solved(0, 1.0, 0.9), solved(1, 0.0, 0.4), solved(1, 0.0, 0.4), solved(None, 0.0)]
    assert expected(Vote("rm"), votes) == 1.0
    assert expected(Vote(), votes) == 0.0
    tie = [solved(0, 1.0, 0.3), solved(1, 0.0, 0.1), solved(1, 0.0, 0.2)]
    assert expected(Vote("rm"), tie) == 0.5  # though 0.1 + 0.2 is not 0.3
    assert Vote("rm").shares([solved(0, 1.0, 0.0)]) == [1.0]


def test_best_of_n() -> None:
    held = [solved(0, 1.0, -2.5), solved(1, 0.0, -3.0), solved(None, 0.0, -2.5)]
    assert BestOfN("rm").shares(held) == [0.5, 0.0, 0.5]
    assert BestOfN("rm").shares([]) == []


def test_what_is_missing_is_said() -> None:
    with pytest.raises(
        StrategyError, match=r"best_of_n:rm: q, sample 0 has no weight 'rm'; it has none"
    ):
        BestOfN("rm").shares([solved(0, 1.0)])
    with pytest.raises(
        StrategyError, match=r"weighted_vote:rm: a weight is at least 0, q, sample 0 has -1"
    ):
        Vote("rm").shares([solved(0, 1.0, -1.0)])
    with pytest.raises(StrategyError, match="sample 0 is chosen and not graded"):
        expected(Vote(), [Solution("q, sample 0", answer=0)])


async def test_stored_samples_are_what_they_choose_from() -> None:
    stored = [solved(0, 1.0)]
    for strategy in (Vote(), BestOfN("rm")):
        assert await strategy.solutions(Problem(question("q"), stored)) is stored


def test_names() -> None:
    for name in ("self_consistency", "weighted_vote:reward_model", "best_of_n:given"):
        assert named(name).name == name
    for name in ("", "best_of_n", "best_of_n:", "vote:x", "self_consistency:x"):
        with pytest.raises(StrategyError, match="--strategy: self_consistency, "):
            named(name)
    with pytest.raises(StrategyError, match="'best_of_n:accuracy' would choose by the grade"):
        named("best_of_n:accuracy")


def test_weights_of_verdicts_and_files(tmp_path: Path) -> None:
    parts = [
        {"name": "accuracy", "score": 1.0},
        {"name": "reward_model", "score": 0.7},
        {"name": "language"},
    ]
    score = Score("b", "q", 3, "p", "h", "g", "r", "ok", 1.0, "A", {"parts": parts})
    path = tmp_path / "weights.jsonl"
    path.write_text('{"benchmark": "b", "question": "q", "sample": 3, "weight": 2}\n')
    assert weights(score, read_given(path)) == {"accuracy": 1.0, "reward_model": 0.7, "given": 2.0}
    assert weights(score, {}) == {"accuracy": 1.0, "reward_model": 0.7}
    path.write_text('\n{"benchmark": "b", "question": "q", "sample": 3}\n')
    with pytest.raises(StrategyError, match=r"weights\.jsonl, line 2: KeyError\('weight'\)"):
        read_given(path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('{"benchmark": "b", "question": "q", "sample": 4, "weight": NaN}', "finite number, got nan"),
        ('{"benchmark": "b", "question": "q", "sample": 4, "weight": 1e999}', "finite number, got inf"),
        ('{"benchmark": "b", "question": "q", "sample": 3, "weight": 1}', "has the weight 2.0, too"),
        ("[" * 100_000, "Recursion"),
    ],
)  # fmt: skip
def test_a_weight_that_is_none_is_named(tmp_path: Path, more: str, message: str) -> None:
    """A vote with a NaN in it would have no winner, and score 0."""
    path = tmp_path / "weights.jsonl"
    first = '{"benchmark": "b", "question": "q", "sample": 3, "weight": 2}'
    path.write_bytes(f"{first}\n{more}\n".encode())
    with pytest.raises(StrategyError, match=rf"--weights: .*weights\.jsonl, line 2: .*{message}"):
        read_given(path)
