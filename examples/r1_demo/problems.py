"""Problems with an answer that rules can check, in four domains and two languages.

    arithmetic  What is 7 + 5 - 3?
    countdown   Make 6 from 7, 3, 2                         each number once, joined by + and -
    code        Write f(x): x times 3, plus 2               run in the sandbox on hidden inputs
    choice      Which is 7 + 5? $A$ 11, $B$ 12, $C$ 10, $D$ 15  also the largest, and a capital

Nothing but a random generator makes them. A problem is solved in one of three ways:

    direct   an answer out of nowhere, often wrong
    careful  step by step; every now and then a step slips
    checked  an answer out of nowhere; then "Wait, let us check that", and step by step with care

Invariant: a problem belongs to exactly one of `SPLITS`, by a hash of what it asks in neither
language, so nothing that is practised or evaluated was read with an answer before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Protocol

from facts import CAPITALS
from speech import Sentence

SPLITS = {"corpus": 70, "rl": 20, "held_out": 10}
"""Percent of all problems."""

WAYS = ("direct", "careful", "checked")
LETTERS = "ABCD"
MOST = 12
"""Largest number in a problem."""


@dataclass(frozen=True)
class Solution:
    """What is thought, and what comes of it."""

    thought: tuple[Sentence, ...]
    answer: str


@dataclass(frozen=True)
class Mix:
    """How problems are solved: the shares of the ways, and how often they go wrong."""

    direct: float = 0.42
    careful: float = 0.3
    checked: float = 0.28
    direct_wrong: float = 0.75
    """A direct answer is off."""
    slip: float = 0.18
    """A step is off; of a search, a sum that does not fit is taken to fit."""
    check_slip: float = 0.02
    """The same after a guess."""


CARELESS = Mix()
FAULTLESS = Mix(direct=0.0, careful=0.5, checked=0.5, slip=0.0, check_slip=0.0)


class Problem(Protocol):
    """One problem, asked in either language."""

    @property
    def domain(self) -> str: ...

    @property
    def key(self) -> str:
        """What it asks, in no language."""

    def prompt(self, language: str) -> str: ...

    def task(self) -> dict[str, object]:
        """The verifier's task."""

    def solve(self, way: str, mix: Mix, random: Random) -> Solution: ...


def split(problem: Problem) -> str:
    """The only one of SPLITS that a problem may be used in."""
    return place_of(f"{problem.domain}:{problem.key}", SPLITS)


def place_of(key: str, splits: Mapping[str, int]) -> str:
    """Which of `splits`, in percent, a key falls into."""
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 100
    for name, percent in splits.items():
        place -= percent
        if place < 0:
            return name
    raise AssertionError("splits are 100 percent")


def way(mix: Mix, random: Random) -> str:
    """One that is drawn from the mix."""
    return random.choices(WAYS, [getattr(mix, name) for name in WAYS])[0]


def _off(value: int, random: Random, most: int = 4) -> int:
    return value + random.choice([n for n in range(-most, most + 1) if n and value + n >= 0])


def _direct(answer: str) -> Solution:
    return Solution((("@guess", f" {answer}", "@stop"),), answer)


def _worked(
    steps: Callable[[float], tuple[list[Sentence], str]],
    guess: Callable[[], str],
    way: str,
    mix: Mix,
    random: Random,
) -> Solution:
    """Steps and what comes of them; for `checked` after a guess, and with more care."""
    thought = list[Sentence]()
    if way == "careful":
        more, answer = steps(mix.slip)
        thought += more
    else:
        guessed = guess()
        more, answer = steps(mix.check_slip)
        verdict = "@agrees" if guessed == answer else "@differs"
        thought += [("@guess", f" {guessed}", "@stop"), ("@check", "@stop"), *more]
        thought.append((verdict, "@stop"))
    return Solution((*thought, ("@so", f" {answer}", "@stop")), answer)


# ---- arithmetic -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arithmetic:
    """Three numbers, the later ones with their signs; no partial sum is negative."""

    terms: tuple[int, int, int]
    domain = "arithmetic"

    @property
    def key(self) -> str:
        return str(self.terms)

    def prompt(self, language: str) -> str:
        text = f" {self.terms[0]}" + "".join(map(_signed, self.terms[1:]))
        return f"What is{text}?" if language == "en" else f"请算{text} 等于多少?"

    def task(self) -> dict[str, object]:
        return {"math": {"gold": [str(sum(self.terms))]}}

    def solve(self, way: str, mix: Mix, random: Random) -> Solution:
        def guess() -> str:
            right = sum(self.terms)
            return str(_off(right, random) if random.random() < mix.direct_wrong else right)

        def steps(slip: float) -> tuple[list[Sentence], str]:
            value, thought = self.terms[0], list[Sentence]()
            for word, term in zip(("@first", "@then"), self.terms[1:], strict=True):
                total = value + term
                total = _off(total, random) if random.random() < slip else total
                thought.append((word, f" {value}{_signed(term)} = {total}", "@stop"))
                value = total
            return thought, str(value)

        return _direct(guess()) if way == "direct" else _worked(steps, guess, way, mix, random)


def _signed(term: int) -> str:
    return f" {'-' if term < 0 else '+'} {abs(term)}"


def _arithmetic(random: Random) -> Arithmetic:
    while True:
        a, b, c = (random.randint(1, MOST) for _ in range(3))
        b, c = b * random.choice((1, -1)), c * random.choice((1, -1))
        if a + b >= 0 and a + b + c >= 0:
            return Arithmetic((a, b, c))


# ---- countdown --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Countdown:
    """An expression of all numbers, each once, that equals the target; they fall."""

    numbers: tuple[int, int, int]
    target: int
    domain = "countdown"

    @property
    def key(self) -> str:
        return f"{self.target}:{self.numbers}"

    def prompt(self, language: str) -> str:
        listed = ",".join(f" {n}" for n in self.numbers)
        if language == "en":
            return f"Make {self.target} from{listed}"
        return f"请用{listed} 凑出 {self.target}"

    def task(self) -> dict[str, object]:
        numbers = [str(n) for n in self.numbers]
        return {"math": {"gold": [str(self.target)], "policy": {"numbers": numbers}}}

    def solve(self, way: str, mix: Mix, random: Random) -> Solution:
        def guess() -> str:
            tried = _signs(*self.numbers)
            right = next(text for text, value in tried if value == self.target)
            guessed = random.choice(tried)[0]
            return guessed if random.random() < mix.direct_wrong else right

        def steps(slip: float) -> tuple[list[Sentence], str]:
            return self._search(slip, random)

        return _direct(guess()) if way == "direct" else _worked(steps, guess, way, mix, random)

    def _search(self, slip: float, random: Random) -> tuple[list[Sentence], str]:
        """Signs after signs; the answer is the first that is believed to fit, or one at random."""
        a, b, c = self.numbers
        thought, word = list[Sentence](), "@try"
        for first, start, lasts in (
            (f" {a} + {b}", a + b, (c, -c)),
            (f" {a} - {b}", a - b, (c, -c)),
            (f" {b} + {c}", b + c, (-a,)),
        ):
            thought.append((word, f"{first} = {start}", "@stop"))
            for last in lasts:
                found = self.target if random.random() < slip else start + last
                fits = found == self.target
                verdict = "@yes" if fits else "@no"
                thought.append(("@next", f"{_signed(last)} = {found}", verdict, "@stop"))
                if fits:
                    return thought, f"{first}{_signed(last)}".strip()
        return thought, random.choice(_signs(a, b, c))[0]


def _signs(*numbers: int) -> list[tuple[str, int]]:
    """The expressions that are tried, in their order, and their values."""
    a, b, c = sorted(numbers, reverse=True)
    return [
        (f"{a} + {b} + {c}", a + b + c),
        (f"{a} + {b} - {c}", a + b - c),
        (f"{a} - {b} + {c}", a - b + c),
        (f"{a} - {b} - {c}", a - b - c),
        (f"{b} + {c} - {a}", b + c - a),
    ]


def _countdown(random: Random) -> Countdown:
    while True:
        numbers = tuple(random.randint(1, MOST) for _ in range(3))
        target = random.choice(_signs(*numbers))[1]
        if target > 0:
            a, b, c = sorted(numbers, reverse=True)
            return Countdown((a, b, c), target)


# ---- code -------------------------------------------------------------------------------------

MOST_IN_CODE = 24
OPERATIONS = {"*": (" times", "乘"), "+": (" plus", "加"), "-": (" minus", "减")}


@dataclass(frozen=True)
class Code:
    """A function of x: two operations with a number each."""

    operations: tuple[tuple[str, int], ...]
    domain = "code"

    @property
    def key(self) -> str:
        return str(self.operations)

    def prompt(self, language: str) -> str:
        if language == "en":
            told = ",".join(f"{OPERATIONS[sign][0]} {n}" for sign, n in self.operations)
            return f"Write f(x): x{told}"
        told = ",".join(f"{OPERATIONS[sign][1]} {n}" for sign, n in self.operations)
        return f"请写 f(x):x{told}"

    def task(self) -> dict[str, object]:
        tests = []
        for x in (0, 1, 7):
            value = x
            for sign, n in self.operations:
                value = {"*": value * n, "+": value + n, "-": value - n}[sign]
            tests.append({"args_json": [str(x)], "expected_json": str(value)})
        return {"code": {"language": "python", "entry_point": "f", "tests": tests}}

    def solve(self, way: str, mix: Mix, random: Random) -> Solution:
        def guess() -> str:
            wrong = random.random() < mix.direct_wrong
            return _bodies(self._mistaken(random) if wrong else self.operations)[-1]

        def steps(slip: float) -> tuple[list[Sentence], str]:
            operations = self._mistaken(random) if random.random() < slip else self.operations
            bodies = _bodies(operations)
            words = ("@first", *("@then",) * len(bodies))
            thought = [
                (word, f" {body}", "@stop") for word, body in zip(words, bodies, strict=False)
            ]
            return list(thought), bodies[-1]

        return _direct(guess()) if way == "direct" else _worked(steps, guess, way, mix, random)

    def _mistaken(self, random: Random) -> tuple[tuple[str, int], ...]:
        place = random.randrange(len(self.operations))
        sign, n = self.operations[place]
        if random.random() < 0.5:
            wrong = (random.choice([one for one in OPERATIONS if one != sign]), n)
        else:
            wrong = (sign, _off(n, random, 3))
        return (*self.operations[:place], wrong, *self.operations[place + 1 :])


def _bodies(operations: tuple[tuple[str, int], ...]) -> list[str]:
    """The expression after each operation."""
    bodies, body = list[str](), "x"
    for place, (sign, n) in enumerate(operations):
        body = f"({body}) {sign} {n}" if sign == "*" and place else f"{body} {sign} {n}"
        bodies.append(body)
    return bodies


def program(body: str) -> str:
    """The block that a program is extracted from."""
    return f"```python\ndef f(x):\n    return {body}\n```"


def _code(random: Random) -> Code:
    signs = random.sample("*+-", 2)
    return Code(tuple((sign, random.randint(2, MOST_IN_CODE)) for sign in signs))


# ---- choice -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """Four options, of which one is right: a sum, the largest, or the capital of a country."""

    kind: str
    asked: tuple[int, int] | tuple[()] | str
    options: tuple[int, ...] | tuple[str, ...]
    """Numbers; of a capital, the English names of countries whose capitals are offered."""
    gold: int
    domain = "choice"

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.asked}:{self.options}"

    def _option(self, place: int, language: str) -> str:
        one = self.options[place]
        if isinstance(one, int):
            return f" {one}"
        return CAPITALS[one].capital(language)

    def prompt(self, language: str) -> str:
        listed = ",".join(
            f" ${letter}${self._option(place, language)}" for place, letter in enumerate(LETTERS)
        )
        english = language == "en"
        if isinstance(self.asked, str):
            country = CAPITALS[self.asked].country(language)
            asked = f"Which is the capital of{country}?" if english else f"哪个是{country}的首都?"
        elif self.asked:
            total = f" {self.asked[0]}{_signed(self.asked[1])}"
            asked = f"Which is{total}?" if english else f"哪个等于{total}?"
        else:
            asked = "Which is the largest?" if english else "哪个最大?"
        return f"{asked}{listed}"

    def task(self) -> dict[str, object]:
        return {"choice": {"gold": LETTERS[self.gold]}}

    def solve(self, way: str, mix: Mix, random: Random) -> Solution:
        wrong = random.choice([n for n in range(len(LETTERS)) if n != self.gold])

        def guess() -> str:
            return LETTERS[wrong if random.random() < mix.direct_wrong else self.gold]

        def steps(slip: float) -> tuple[list[Sentence], str]:
            found = wrong if random.random() < slip else self.gold
            one = self.options[found]
            value = f" {one}" if isinstance(one, int) else f"@{one}"
            thought = list[Sentence]()
            if self.kind == "sum":
                assert isinstance(self.asked, tuple)
                a, b = self.asked or (0, 0)
                thought.append(("@first", f" {a}{_signed(b)} ={value}", "@stop"))
            else:
                word = "@largest" if self.kind == "largest" else "@city"
                thought.append((word, value, "@stop"))
            for letter, other in zip(LETTERS[: found + 1], self.options, strict=False):
                option = f" {other}" if isinstance(other, int) else f"@{other}"
                verdict = "@yes" if letter == LETTERS[found] else "@no"
                thought.append((f" ${letter}$", option, verdict, "@stop"))
            return thought, LETTERS[found]

        return _direct(guess()) if way == "direct" else _worked(steps, guess, way, mix, random)


def _choice(random: Random) -> Choice:
    kind = random.choice(("sum", "largest", "capital"))
    gold = random.randrange(len(LETTERS))
    if kind == "capital":
        countries = random.sample(sorted(CAPITALS), len(LETTERS))
        return Choice(kind, countries[gold], tuple(countries), gold)
    numbers = random.sample(range(1, 2 * MOST + 1), len(LETTERS))
    if kind == "largest":
        return Choice(kind, (), tuple(numbers), numbers.index(max(numbers)))
    a = random.randint(1, MOST)
    b = random.choice([n for n in range(-a + 1, MOST + 1) if n])
    numbers = [n for n in numbers if n != a + b][: len(LETTERS) - 1]
    numbers.insert(min(gold, len(numbers)), a + b)
    return Choice(kind, (a, b), tuple(numbers), min(gold, len(numbers) - 1))


# ---- all --------------------------------------------------------------------------------------

DOMAINS: dict[str, Callable[[Random], Problem]] = {
    "arithmetic": _arithmetic,
    "countdown": _countdown,
    "code": _code,
    "choice": _choice,
}


def draw(domain: str, wanted: str, random: Random) -> Iterator[Problem]:
    """An endless row of a domain's problems of one split, with repetitions."""
    while True:
        problem = DOMAINS[domain](random)
        if split(problem) == wanted:
            yield problem


def distinct(domain: str, wanted: str, count: int, random: Random) -> list[Problem]:
    """That many different problems of a domain's split. Raises ValueError where it has too few."""
    found: dict[str, Problem] = {}
    for problem in islice(draw(domain, wanted, random), MOST_DRAWS * count):
        found.setdefault(problem.key, problem)
        if len(found) == count:
            return list(found.values())
    raise ValueError(f"{domain}: {len(found)} problems of {wanted} found, {count} wanted")


MOST_DRAWS = 40
"""For each problem wanted."""
