"""Relations: equal part by part, turned around, or up to a constant factor.

Not covered: systems of equations up to equivalence, parametrised solution families up
to renaming.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from verifier.math.compare.inequalities import FLIP
from verifier.math.exact import Budget, exact
from verifier.math.numeric import evaluate
from verifier.math.policy import Tier
from verifier.math.tree import Const, Matrix, Node, Num, Op, Rel, Seq, Sym, free_symbols

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

ROOT_STEP = 0.3
ROOT_POINTS = 20
"""Where a zero of an equation is looked for: twenty places and one bisection."""

_POINTS = ({0: 0.7390851, 1: 1.3247179}, {0: 1.9021605, 1: 0.5671432}, {0: 2.3983172, 1: 1.7632228})
"""Three points, two coordinates each; further names take shifted ones."""


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
    ratio = _constant_ratio(a, b, sorted(names), comparison.budget)
    if ratio is None:
        plain = _polynomial(a) and _polynomial(b)
        if plain or (
            op_g == op_a == "=" and _zeros_differ(gold, answer, sorted(names), comparison.budget)
        ):
            return False
        return None
    if op_g in ("=", "!="):
        return op_g == op_a
    return op_g == (op_a if ratio > 0 else FLIP[op_a])


def _difference(node: Rel) -> Node:
    """Left minus right: what an equation says is zero."""
    return Op("add", (node.items[0], Op("neg", (node.items[1],))))


def _constant_ratio(a: Node, b: Node, names: list[str], budget: Budget) -> float | None:
    """The constant factor between two expressions, found at three points; else None."""
    exactly: set[Fraction] = set()
    for index in range(3):  # rational points: no small difference hides there
        bound = {name: Fraction(9 + 7 * i + 13 * index, 7 + index) for i, name in enumerate(names)}
        p, q = exact(a, bound, budget), exact(b, bound, budget)
        if p is None or not q:
            break
        exactly.add(p / q)
    if len(exactly) > 1:
        return None
    ratios: list[complex] = []
    for values in _POINTS:
        point = {
            name: values[place % 2] * (1 + place // 2 * 0.618) for place, name in enumerate(names)
        }
        x, y = evaluate(a, point, budget), evaluate(b, point, budget)
        if x is None or y is None or abs(x[0]) <= 64 * x[1] or abs(y[0]) <= 64 * y[1]:
            return None
        ratios.append(x[0] / y[0])
    first = ratios[0]
    if any(abs(ratio - first) > 1e-10 * abs(first) for ratio in ratios) or abs(
        first.imag
    ) > 1e-9 * abs(first):
        return None
    return first.real


def _zeros_differ(gold: Rel, answer: Rel, names: list[str], budget: Budget) -> bool:
    """Whether some point solves one equation and clearly not the other."""
    a, b = _difference(gold), _difference(answer)
    for first, second in ((a, b), (b, a)):
        for place in range(len(names)):
            point = {name: 0.9 + 0.37 * i for i, name in enumerate(names)}
            found = _root(first, point, names[place], budget)
            if found is None:
                continue
            point[names[place]] = found
            there = evaluate(second, point, budget)
            point[names[place]] = found + ROOT_STEP
            beside = evaluate(second, point, budget)
            if there is None or beside is None or there[0].imag or beside[0].imag:
                continue
            # Compared with how far the value moves within one step.
            moved = abs(beside[0] - there[0])
            if abs(there[0]) > 1e-3 and abs(there[0]) > 1e-3 * moved + 64 * there[1]:
                return True
    return False


def _root(node: Node, point: dict[str, float], name: str, budget: Budget) -> float | None:
    """A zero in one variable between 0.1 and 6 by bisection, where the values are real."""

    def value(at: float) -> float | None:
        found = evaluate(node, point | {name: at}, budget)
        return found[0].real if found is not None and not found[0].imag else None

    grid = [0.1 + ROOT_STEP * i for i in range(ROOT_POINTS)]
    for low, high in pairwise(grid):
        left, right = value(low), value(high)
        if left is None or right is None or (left > 0) == (right > 0):
            continue
        for _ in range(60):
            middle = (low + high) / 2
            centre = value(middle)
            if centre is None:
                break
            if (centre > 0) == (left > 0):
                low = middle
            else:
                high = middle
        end = value(low)
        if end is not None and abs(end) < 1e-9 * (abs(left) + abs(right)):
            return low  # a zero and not a jump through infinity
    return None


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
