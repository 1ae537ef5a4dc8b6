"""Benchmarks whose problems are made: countdown, and reasoning-gym with its package or without."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections import Counter
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest

from evals.benchmark import BenchmarkError, Question, Tools
from evals.benchmarks import countdown, named, reasoning_gym
from evals.benchmarks.countdown import PROBLEMS, Problem, problems
from evals.data import Data
from tests.evals.benchmarks.support import scores, text
from verifier.embedded import EmbeddedServer


def solution(problem: Problem) -> str | None:
    """An expression of all numbers with the target's value, found by trying all."""

    def search(values: list[tuple[Fraction, str]]) -> str | None:
        if len(values) == 1:
            return values[0][1] if values[0][0] == problem.target else None
        for left, right in permutations(range(len(values)), 2):
            rest = [one for at, one in enumerate(values) if at not in (left, right)]
            (a, first), (b, second) = values[left], values[right]
            made = [(a + b, "+"), (a - b, "-"), (a * b, "*")] + ([(a / b, "/")] if b else [])
            for value, sign in made:
                found = search([*rest, (value, f"({first}{sign}{second})")])
                if found:
                    return found
        return None

    return search([(Fraction(number), str(number)) for number in problem.numbers])


def test_countdown_problems() -> None:
    made = problems(0, 200)
    assert made == problems(0, 200)
    assert made[:50] == problems(0, 50)
    assert made[:2] == [Problem((62, 92, 97), 57), Problem((13, 19, 22, 81), 97)]
    assert problems(1, 50) != made[:50]
    assert len(set(made)) == 200
    assert Counter(len(one.numbers) for one in made) == {3: 100, 4: 100}
    for one in made:
        assert all(1 <= number <= 100 for number in (*one.numbers, one.target))
        assert one.target not in one.numbers


def test_countdown(server: EmbeddedServer) -> None:
    questions = list(named("countdown").load(Data(None)))
    assert len(questions) == PROBLEMS
    assert [one.slices["numbers"] for one in questions[:2]] == ["3", "4"]
    assert text(questions[0]).startswith(
        "Using each of the numbers 62, 92, 97 exactly once, write an arithmetic expression that "
        "equals 57."
    )
    pairs = []
    for question, problem in list(zip(questions, problems(countdown.SEED, PROBLEMS), strict=True))[
        :60
    ]:
        found = solution(problem)
        assert found is not None
        pairs += [
            (question, f"\\boxed{{{said}}}") for said in (found, f"{problem.target}", f"{found}+0")
        ]
    assert scores(server, pairs) == [1, 0, 0] * 60


# ---------------------------------------------------------------- reasoning-gym

HERE = importlib.util.find_spec("reasoning_gym") is not None
with_package = pytest.mark.skipif(not HERE, reason="reasoning-gym is not installed")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, r"pip install reasoning-gym==0\.1\.25"),
        ("0.1.19", r"is about reasoning-gym 0\.1\.25, 0\.1\.19 is installed"),
    ],
)
def test_without_the_package(
    monkeypatch: pytest.MonkeyPatch, found: str | None, message: str
) -> None:
    def version(name: str) -> str:
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(importlib.metadata, "version", version)
    reasoning_gym._package.cache_clear()
    with pytest.raises(BenchmarkError, match=message):
        named("reasoning_gym").load(Data(None))


def score(answer: str, entry: dict[str, Any]) -> float:
    """Reads numbers alone, as many of the package's scores do."""
    return float(int(answer) == int(entry["answer"]))


@pytest.mark.parametrize(
    ("reference", "answer", "status", "value"),
    [
        ("7", "7", "ok", 1.0),
        ("7", "8", "ok", 0.0),
        ("7", "seven", "ok", 0.0),
        (None, "7", "grader_error", None),
    ],
)
def test_an_answer_that_a_score_cannot_read(
    reference: str | None, answer: str, status: str, value: float | None
) -> None:
    graded = reasoning_gym.scored(score, {"answer": reference}, answer)
    assert (graded.status, graded.score) == (status, value)
    assert ("message" in graded.evidence) == (answer == "seven" or reference is None)


def test_a_score_that_fails_on_its_own_reference_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        reasoning_gym.scored(score, {"answer": "seven"}, "7")


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    reasoning_gym._package.cache_clear()
    return list(named("reasoning_gym").load(Data(None)))


@with_package
async def test_references_score_1(questions: list[Question]) -> None:
    kinds = {one.slices["task"] for one in questions}
    assert len(kinds) == 95
    assert len(questions) == 5 * 95
    assert not kinds & reasoning_gym.EVALUATED
    below = set()
    for question in questions:
        said = f"<think>Hm.</think> <answer>1</answer> <answer>\n{question.gold}\n</answer>"
        graded = await reasoning_gym.grade(question, said, Tools())
        if graded.score != 1.0:
            below.add(question.slices["task"])
    # These have no one reference.
    assert below == {"boxnet", "graph_color", "propositional_logic", "rubiks_cube", "rush_hour"}


@with_package
async def test_answers_of_no_form(questions: list[Question]) -> None:
    taken = set()
    for question in questions[::5]:
        assert (await reasoning_gym.grade(question, "I say 7.", Tools())).status == "no_answer"
        for junk in ("x", "[" * 3000, '{"a": 1}', "__import__('os')", "9" * 5000, "z" * 30_000):
            graded = await reasoning_gym.grade(question, f"<answer>{junk}</answer>", Tools())
            if graded.score == 1.0:
                taken.add(question.slices["task"])
    # Where the answer is yes, the package takes any text for it.
    assert taken == {"game_of_life_halting"}
