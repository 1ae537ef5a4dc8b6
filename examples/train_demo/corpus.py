"""Countdown problems, and a corpus of worked answers as a small model might find on its web.

    Make 6 from 2, 7, 3.        three numbers, each used once, joined by + and -

Nothing but a random generator makes them. There are four ways to answer, most of them not good:

    direct   an expression out of nowhere, often wrong
    guess    one choice of signs, claimed to fit
    search   signs after signs until they fit; every now and then one sees what one hopes for
    checked  as search, but what was found is worked out once more, with more care, and the search
             goes on if it does not hold

Invariant: a problem belongs to exactly one of `SPLITS`, by a hash of what it asks (the order of
its numbers aside), so no prompt that is trained on or evaluated was read with an answer before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import combinations_with_replacement, permutations
from random import Random

SPLITS = {"corpus": 70, "rl": 20, "held_out": 10}
"""Percent of all problems."""

MOST = 12
"""Largest number in a problem."""


@dataclass(frozen=True)
class Problem:
    """An expression of all `numbers`, each once, that equals `target`."""

    numbers: tuple[int, int, int]
    target: int

    @property
    def prompt(self) -> str:
        return f"Make {self.target} from {', '.join(map(str, self.numbers))}"

    def shuffled(self, random: Random) -> Problem:
        """The same, asked with its numbers in another order."""
        a, b, c = random.sample(self.numbers, 3)
        return Problem((a, b, c), self.target)

    def orders(self) -> list[Problem]:
        """The same, asked in every order of its numbers."""
        return [Problem(order, self.target) for order in sorted(set(permutations(self.numbers)))]

    def math(self) -> dict[str, object]:
        """The verifier's task."""
        return {"gold": [str(self.target)], "policy": {"numbers": [str(n) for n in self.numbers]}}


@dataclass(frozen=True)
class Mix:
    """How often the corpus answers how, and how often that goes wrong."""

    direct: float = 0.42
    guess: float = 0.38
    search: float = 0.12
    checked: float = 0.08
    direct_wrong: float = 0.7
    """A direct answer is a guess."""
    slip: float = 0.25
    """A sum of a search that does not fit is taken to fit."""
    check_slip: float = 0.02
    """The same of a check."""


def split(problem: Problem) -> str:
    """The only one of SPLITS that a problem may be used in."""
    key = f"{problem.target}:{sorted(problem.numbers)}"
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 100
    for name, percent in SPLITS.items():
        place -= percent
        if place < 0:
            return name
    raise AssertionError("SPLITS are 100 percent")


def problems() -> dict[str, list[Problem]]:
    """All there are, by split, each in one order of its numbers."""
    found: dict[str, list[Problem]] = {name: [] for name in SPLITS}
    for numbers in combinations_with_replacement(range(1, MOST + 1), 3):
        for target in sorted({value for _, value in signs(*numbers) if value > 0}):
            problem = Problem(numbers, target)
            found[split(problem)].append(problem)
    return found


def signs(*numbers: int) -> list[tuple[str, int]]:
    """The expressions that are tried, in their order, and their values."""
    a, b, c = sorted(numbers, reverse=True)
    return [
        (f"{a}+{b}+{c}", a + b + c),
        (f"{a}+{b}-{c}", a + b - c),
        (f"{a}-{b}+{c}", a - b + c),
        (f"{a}-{b}-{c}", a - b - c),
        (f"{b}+{c}-{a}", b + c - a),
    ]


def response(problem: Problem, mix: Mix, random: Random) -> str:
    """A whole response, in a way that is drawn from the mix."""
    ways = ("direct", "guess", "search", "checked")
    (way,) = random.choices(ways, [getattr(mix, name) for name in ways])
    tried = signs(*problem.numbers)
    guess = random.choice(tried)[0]
    if way == "direct":
        right = next(text for text, value in tried if value == problem.target)
        thought, answer = " I just know", guess if random.random() < mix.direct_wrong else right
    elif way == "guess":
        thought, answer = f" {guess}={problem.target}", guess
    else:
        thought, answer = _search(problem, mix, random, check=way == "checked")
    return f" <think>{thought}. </think> <answer> {answer} </answer>"


def _search(problem: Problem, mix: Mix, random: Random, *, check: bool) -> tuple[str, str]:
    """Sign by sign: ` 7+3=10, +2=12 no, -2=8 no; 7-3=4, +2=6 yes`. The answer is the first that is
    believed to fit, or one at random."""
    a, b, c = sorted(problem.numbers, reverse=True)
    target, parts = problem.target, list[str]()
    for first, start, lasts in (
        (f"{a}+{b}", a + b, (c, -c)),
        (f"{a}-{b}", a - b, (c, -c)),
        (f"{b}+{c}", b + c, (-a,)),
    ):
        parts.append(f" {first}={start}")
        for last in lasts:
            found = _slipped(start + last, target, mix.slip, random)
            parts[-1] += f", {last:+}={found} {'yes' if found == target else 'no'}"
            if found != target:
                continue
            again = _slipped(start + last, target, mix.check_slip, random)
            if check:
                holds = "right" if again == target else "wrong"
                parts[-1] += f" wait, check: {first}={start}, {last:+}={again} {holds}"
            if not check or again == target:
                return ";".join(parts), f"{first}{last:+}"
    return ";".join(parts), random.choice(signs(a, b, c))[0]


def _slipped(value: int, wanted: int, slip: float, random: Random) -> int:
    """The value, or with probability `slip` what one would like to see."""
    return wanted if random.random() < slip else value


CHAINS = 6
"""Chains in a row of drill."""


def drill(random: Random) -> str:
    """A page from a book of tables: sums as they stand in searches, all right. It asks nothing."""
    rows = []
    for _ in range(CHAINS):
        a, b, c = (random.randint(1, MOST) for _ in range(3))
        b = random.choice((b, -b))
        rows.append(f"{a}{b:+}={a + b}, +{c}={a + b + c}, -{c}={a + b - c}")
    return "; ".join(rows)
