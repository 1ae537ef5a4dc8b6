"""Countdown: reach a number with the given ones; 1,024 problems made here, from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

from evals.benchmark import BOXED, Benchmark, Question, r1, user
from evals.data import Data
from verifier.client import Item

SEED = 0
PROBLEMS = 1024
LARGEST = 100
"""Numbers and targets are from 1 to this."""

PROMPT = (
    "Using each of the numbers {numbers} exactly once, write an arithmetic expression that equals "
    "{target}. You may use +, -, *, / and parentheses.\n"
)


@dataclass(frozen=True)
class Problem:
    """Has a solution: the target was made from the numbers."""

    numbers: tuple[int, ...]
    target: int


def problems(seed: int, count: int) -> list[Problem]:
    """Half of them with three numbers, half with four; no two are the same."""
    draw = random.Random(seed)
    found: dict[Problem, None] = {}
    while len(found) < count:
        size = 3 + len(found) % 2
        numbers = tuple(_upto(draw, LARGEST) + 1 for _ in range(size))
        value = _value(draw, numbers)
        if value is None or value.denominator != 1 or not 1 <= value <= LARGEST:
            continue
        # A target that is given needs no thought.
        if value not in numbers:
            found[Problem(tuple(sorted(numbers)), int(value))] = None
    return list(found)


def _value(draw: random.Random, numbers: tuple[int, ...]) -> Fraction | None:
    """Of a random expression of all numbers; None where it divides by 0."""
    values = [Fraction(number) for number in numbers]
    while len(values) > 1:
        left = values.pop(_upto(draw, len(values)))
        right = values.pop(_upto(draw, len(values)))
        match _upto(draw, 4):
            case 0:
                values.append(left + right)
            case 1:
                values.append(left - right)
            case 2:
                values.append(left * right)
            case _ if right:
                values.append(left / right)
            case _:
                return None
    return values[0]


def _upto(draw: random.Random, limit: int) -> int:
    # Python promises the same numbers from a seed in all versions for random() alone.
    return int(draw.random() * limit)


def _load(data: Data) -> list[Question]:
    return [_question(place, problem) for place, problem in enumerate(problems(SEED, PROBLEMS))]


def _question(place: int, problem: Problem) -> Question:
    item = Item()
    item.math.gold.append(str(problem.target))
    item.math.policy.numbers.extend(map(str, problem.numbers))
    numbers = ", ".join(map(str, problem.numbers))
    return Question(
        f"countdown-{SEED}-{place}",
        user(PROMPT.format(numbers=numbers, target=problem.target) + BOXED),
        item,
        str(problem.target),
        slices={"numbers": str(len(problem.numbers))},
    )


BENCHMARKS = (
    Benchmark(
        name="countdown",
        title="Countdown, three and four numbers",
        source="the game's rules; problems and prompt are made here",
        load=_load,
        protocols=(r1(4),),
    ),
)
