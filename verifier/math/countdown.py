r"""Countdown: an answer that must be built from given numbers.

    sum     := product (("+" | "-") product)*
    product := factor (("*" | "/") factor)*
    factor  := ("+" | "-") factor | digits | "(" sum ")" | "\frac" "{" sum "}" "{" sum "}"

`×` `·` `\times` `\cdot` are "*", `÷` `\div` are "/". Unlike elsewhere in this package
nothing is read leniently: which numbers and which operators an answer uses is the
question, so a product needs its sign (`2(3)` is refused) and `1 1/2` is no sum.

Invariants:
- Every text is right or wrong, with a reason; nothing raises and nothing is evaluated
  by Python.
- The multiset of numbers is checked before any arithmetic, so that arithmetic is bounded
  by MAX_NUMBERS numbers of MAX_NUMBER_DIGITS digits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from verifier.math.exact import exact
from verifier.math.reading import Reading, reading
from verifier.math.syntax.tokens import MAX_CHARS, ParseError

MAX_DEPTH = 50
"""Brackets and signs inside each other; far below Python's recursion limit."""

SHOWN_CHARS = 40
"""What a reason quotes of an answer."""

_SAME = (
    ("\\times", "*"), ("\\cdot", "*"), ("\\div", "/"), ("\\left", ""), ("\\right", ""),
    ("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("\\,", " "), ("\\;", " "), ("\\ ", " "),
    ("×", "*"), ("·", "*"), ("⋅", "*"), ("÷", "/"), ("−", "-"), ("–", "-"), ("$", ""),
)  # fmt: skip
_TOKEN = re.compile(r"\s*(?:([0-9]+)|(\\frac)|([-+*/(){}])|(\S))")


def value(side: Reading) -> Fraction | None:
    """The rational value of a reference, or of what follows an equals sign."""
    if side.number is not None:
        return Fraction(side.number)
    return None if side.node is None else exact(side.node)


def judged(answer: str, numbers: Sequence[int], target: Fraction) -> tuple[str, Fraction | None]:
    """What is wrong with an answer ("" when it is right), and its value as far as it has one."""
    left, equals, right = answer.partition("=")
    try:
        program = _Parser(left).program()
    except ParseError as problem:
        return f"not an arithmetic expression: {problem}", None
    wrong = _misuse([one for one in program if isinstance(one, int)], numbers)
    if wrong:
        return wrong, None
    found = _evaluated(program)
    if found is None:
        return "divides by zero", None
    if found != target:
        return f"equals {_shown(str(found))}, not {_shown(str(target))}", found
    if equals and value(reading(right)) != found:
        return f"equals {_shown(str(found))}, not {_shown(right.strip())!r} as it says", found
    return "", found


def _misuse(used: Sequence[int], given: Sequence[int]) -> str:
    """The first number that is used too often, else the first not used often enough."""
    have, asked = Counter(used), Counter(given)
    for number, count in have.items():
        if number not in asked:
            return f"uses {_shown(str(number))}, which is not among the numbers"
        if count > asked[number]:
            return f"uses {number} {_times(count)}{_given(asked[number])}"
    for number, count in asked.items():
        if number not in have:
            return f"does not use {number}"
        if have[number] < count:
            return f"uses {number} {_times(have[number])}{_given(count)}"
    return ""


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _given(count: int) -> str:
    return "" if count == 1 else f", given {_times(count)}"


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "..."


Program = list[int | str]
"""Postfix: numbers, the operators of two arguments, and "neg"."""


def _evaluated(program: Program) -> Fraction | None:
    """The value; None when it divides by zero."""
    stack: list[Fraction] = []
    for one in program:
        if isinstance(one, int):
            stack.append(Fraction(one))
            continue
        last = stack.pop()
        if one == "neg":
            stack.append(-last)
        elif one == "+":
            stack.append(stack.pop() + last)
        elif one == "-":
            stack.append(stack.pop() - last)
        elif one == "*":
            stack.append(stack.pop() * last)
        elif last == 0:
            return None
        else:
            stack.append(stack.pop() / last)
    return stack.pop()


class _Parser:
    """Recursive descent from text to a postfix program. Raises ParseError."""

    def __init__(self, text: str) -> None:
        for written, meant in _SAME:
            text = text.replace(written, meant)
        self._tokens = [match.group(match.lastindex or 0) for match in _TOKEN.finditer(text)]
        self._at = 0
        self._depth = 0
        self._program: Program = []

    def program(self) -> Program:
        self._sum()
        if self._next():
            raise ParseError(f"unexpected {self._next()!r}")
        return self._program

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, expected: str) -> None:
        if self._next() != expected:
            raise ParseError(f"expected {expected!r}, got {self._next() or 'the end'!r}")
        self._at += 1

    def _sum(self) -> None:
        self._product()
        while (sign := self._next()) in ("+", "-"):
            self._at += 1
            self._product()
            self._program.append(sign)

    def _product(self) -> None:
        self._factor()
        while (sign := self._next()) in ("*", "/"):
            self._at += 1
            self._factor()
            self._program.append(sign)

    def _factor(self) -> None:
        token = self._next()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ParseError(f"more than {MAX_DEPTH} brackets and signs inside each other")
        if not token:
            raise ParseError("ends too early")
        self._at += 1
        if token.isascii() and token.isdecimal():
            if len(token) > MAX_CHARS:  # beyond what Python turns into a number
                raise ParseError(f"a number of {len(token)} digits")
            self._program.append(int(token))
        elif token in ("+", "-"):
            self._factor()
            if token == "-":
                self._program.append("neg")
        elif token == "(":
            self._sum()
            self._take(")")
        elif token == "\\frac":
            for _ in range(2):
                self._take("{")
                self._sum()
                self._take("}")
            self._program.append("/")
        else:
            raise ParseError(f"unexpected {token!r}")
        self._depth -= 1
