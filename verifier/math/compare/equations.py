"""Relations: equal part by part, turned around, or up to a constant factor.

Not covered: systems of equations up to equivalence, parametrised solution families up
to renaming.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from flint import acb, arb, fmpq

from verifier.math.balls import LOW_BITS, Evaluation, precision
from verifier.math.compare.inequalities import FLIP
from verifier.math.exact import Budget
from verifier.math.numeric import Point, evaluate
from verifier.math.policy import Tier
from verifier.math.tree import Const, Matrix, Node, Num, Op, Rel, Seq, Sym, free_symbols

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

ROOT_STEP = Fraction(3, 10)
ROOT_REACH = 21
"""Zeros of an equation are looked for at so many steps on each side of nought."""

ROOT_WORK = 12_000
"""Work of comparing the zeros of two equations: some ten milliseconds."""

MIN_ZEROS = 3
"""Zeros of each equation that must solve the other one too."""


def same_relation(comparison: Comparison, gold: Rel, answer: Rel) -> bool | None:
    """Two relations none of which is read as a set or as the value of a name."""
    names = free_symbols(gold) | free_symbols(answer)
    if len(gold.ops) == len(answer.ops):
        if gold.ops == answer.ops and comparison.quietly_all_equal(gold.items, answer.items):
            return True
        back = tuple(FLIP.get(op, op) for op in reversed(answer.ops))
        if gold.ops == back and comparison.quietly_all_equal(gold.items, answer.items[::-1]):
            return True
    if len(gold.ops) != 1 or len(answer.ops) != 1:
        return False if len(gold.ops) == len(answer.ops) else None
    if free_symbols(gold) != free_symbols(answer):
        return False
    op_g, op_a = gold.ops[0], answer.ops[0]
    if op_g not in FLIP or op_a not in FLIP:
        return False
    if any(isinstance(side, Seq | Rel | Matrix) for side in (*gold.items, *answer.items)):
        return False
    comparison.uses(Tier.NUMERIC)
    a, b = _difference(gold), _difference(answer)
    positive = _proportional(a, b, sorted(names), comparison.budget)
    if positive is None:
        if _polynomial(a) and _polynomial(b):
            return False
        return _same_zeros(a, b, sorted(names)) if op_g == op_a == "=" else None
    if op_g in ("=", "!="):
        return op_g == op_a
    return op_g == (op_a if positive else FLIP[op_a])


def _difference(node: Rel) -> Node:
    """Left minus right: what an equation says is zero."""
    return Op("add", (node.items[0], Op("neg", (node.items[1],))))


def _proportional(a: Node, b: Node, names: list[str], budget: Budget) -> bool | None:
    """Whether a constant factor between two expressions is positive; None without one."""
    first: acb | None = None
    for index in range(3):
        point = {name: Fraction(9 + 7 * i + 13 * index, 7 + index) for i, name in enumerate(names)}
        x, y = evaluate(a, point, budget, RATIO_BITS), evaluate(b, point, budget, RATIO_BITS)
        if x is None or y is None or x.contains(0) or y.contains(0):
            return None
        with precision(RATIO_BITS):
            ratio = x / y
        if not ratio.imag.contains(0) or (first is not None and not ratio.overlaps(first)):
            return None
        first = ratio
    return None if first is None else bool(first.real > 0)


RATIO_BITS = 1_024
"""No small term hides in three hundred digits."""


def _same_zeros(a: Node, b: Node, names: list[str]) -> bool | None:
    """Whether the zeros of one that are found are zeros of the other, and the other way
    round. A zero lies in an interval at whose ends the signs differ; where the other
    expression's ball over that interval leaves out zero, it is surely no zero of it."""
    budget = Budget(ROOT_WORK)
    enough = True
    for first, second in ((a, b), (b, a)):
        found = 0
        for name in names:
            for sign in (1, -1):
                point = {other: sign * Fraction(9 + 4 * i, 10) for i, other in enumerate(names)}
                for low, high in _zeros(first, point, name, budget):
                    with precision(LOW_BITS):
                        at = {
                            key: acb(fmpq(v.numerator, v.denominator)) for key, v in point.items()
                        }
                        ends = (fmpq(end.numerator, end.denominator) for end in (low, high))
                        at[name] = acb(arb(next(ends)).union(arb(next(ends))))
                        there = Evaluation(at, budget, LOW_BITS).run(second)
                    if there is None:
                        continue
                    if not there.contains(0):
                        return False
                    found += 1
        enough = enough and found >= MIN_ZEROS
    return True if enough and not budget.spent else None


def _zeros(
    node: Node, point: Point, name: str, budget: Budget
) -> Iterator[tuple[Fraction, Fraction]]:
    """Short intervals in one variable at whose ends the values are real, of other sign
    and small beside those a step away."""

    def value(at: Fraction) -> arb | None:
        found = evaluate(node, {**point, name: at}, budget)
        return found.real if found is not None and found.imag.is_zero() else None

    grid = [ROOT_STEP * i + Fraction(1, 17) for i in range(-ROOT_REACH, ROOT_REACH)]
    values = [value(at) for at in grid]
    for (low, left), (high, right) in pairwise(zip(grid, values, strict=True)):
        if left is None or right is None or not left * right < 0:
            continue
        steps = max(abs(left), abs(right))
        end: arb | None = left
        while high - low > ROOT_STEP / (1 << 40):
            middle = (low + high) / 2
            end = value(middle)
            if end is None or end.contains(0):
                break
            low, high = (middle, high) if end * left > 0 else (low, middle)
        if end is not None and abs(end) < steps / (1 << 20):
            width = ROOT_STEP / (1 << 39)
            yield low - width, high + width if high - low < width else low + width


def _polynomial(node: Node) -> bool:
    """Sums, products and whole powers only, so that equal zero sets mean proportional
    forms (up to repeated factors, which nobody writes)."""
    if isinstance(node, Op):
        if node.name in ("add", "mul", "neg"):
            return all(map(_polynomial, node.args))
        if node.name == "div":
            return _polynomial(node.args[0]) and not free_symbols(node.args[1])
        if node.name == "pow":
            exponent = node.args[1]
            return _polynomial(node.args[0]) and isinstance(exponent, Num) and exponent.places < 0
        return not free_symbols(node)
    return isinstance(node, Num | Sym | Const)
