"""Relations: equal part by part, turned around, or up to a constant factor."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from flint import acb, arb, fmpq

from verifier.math.balls import LOW_BITS, Evaluation, precision
from verifier.math.compare.inequalities import FLIP
from verifier.math.compare.lists import same_values
from verifier.math.compare.rational import quotients
from verifier.math.compare.signs import expanded, has_signs, members, overfull
from verifier.math.exact import Budget
from verifier.math.numeric import Point, evaluate, real_value
from verifier.math.policy import Tier
from verifier.math.products import ordered, same_products
from verifier.math.tree import Matrix, Node, Num, Op, Rel, Seq, Sym, free_symbols, substituted

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

ROOT_STEP = Fraction(3, 10)
ROOT_REACH = 21
"""Zeros of an equation are looked for at so many steps on each side of nought."""

ROOT_WORK = 12_000
"""Work of comparing the zeros of two equations: some ten milliseconds."""

MAX_RELATIONS = 8


def same_relation(comparison: Comparison, gold: Rel, answer: Rel) -> bool | None:
    """Two relations none of which is read as a set or as the value of a name."""
    if has_signs(gold) or has_signs(answer):
        first, second = relations(gold), relations(answer)
        if first is None or second is None:
            return None
        if len(first) != len(second) and 1 in (len(first), len(second)):
            return True if same_relation(comparison, _either(first), _either(second)) else None
        return same_values(comparison, first, second, True)
    if ordered(gold) or ordered(answer):
        return _in_order(gold, answer)
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
    if _unsolved(gold, answer) or _unsolved(answer, gold):
        return False
    comparison.uses(Tier.NUMERIC)
    gold, answer = _squared(gold), _squared(answer)
    a, b = _difference(gold), _difference(answer)
    rational = _same_quotients(op_g, op_a, a, b, sorted(names))
    if rational is not None:
        return rational
    positive = _proportional(a, b, sorted(names), comparison.budget)
    if positive is None:
        if op_g != "=" or op_a != "=" or _other_zeros(a, b, sorted(names)):
            return None if op_g != "=" or op_a != "=" else False
        return True if _solved_alike(comparison, gold, answer) else None
    if op_g in ("=", "!="):
        return op_g == op_a
    return op_g == (op_a if positive else FLIP[op_a])


def _in_order(gold: Rel, answer: Rel) -> bool | None:
    """Between matrices or vectors: side by side, as all else lets factors commute."""
    if gold.ops != answer.ops:
        return None
    for items in (answer.items, answer.items[::-1]):
        found = [same_products(a, b) for a, b in zip(gold.items, items, strict=True)]
        if all(found):
            return True
        if set(gold.ops) != {"="}:
            break
        if True in found and False in found:
            return False  # one side in common, the other not
    return None


def relations(node: Node) -> list[Rel] | None:
    """The relations of a list, those with plus-minus signs as all they stand for."""
    found: list[Rel] = []
    for item in members(node):
        if not isinstance(item, Rel) or overfull(item):
            return None
        parts = expanded(item) if has_signs(item) else [item]
        found += [part for part in parts if isinstance(part, Rel)]
    return found if len(found) <= MAX_RELATIONS else None


def _same_quotients(op_g: str, op_a: str, a: Node, b: Node, names: list[str]) -> bool | None:
    """Equations between polynomials or their quotients: the same up to a constant factor
    once they are free of denominators. None where one is something else."""
    if op_g not in ("=", "!="):
        return None
    found = quotients((a, b), names)
    if found is None:
        return None
    (first, _), (second, _) = found
    if not first or not second:
        return None
    same = first * second.leading_coefficient() == second * first.leading_coefficient()
    return bool(same) and op_g == op_a


def _unsolved(solved: Rel, other: Rel) -> bool:
    """`2x = 6` beside `x = 3`; `x - 3 = 0` is a line and says no less."""
    if solved.ops != ("=",) or other.ops != ("=",) or not _value_of_name(solved):
        return False
    if _value_of_name(other):
        return False
    left = other.items[0]
    if not isinstance(left, Op) or left.name != "add" or len(left.args) != 2:
        return True
    return not isinstance(left.args[0], Sym) or other.items[1] != Num(0)


def _value_of_name(node: Rel) -> bool:
    first, second = node.items
    return any(
        isinstance(a, Sym) and not free_symbols(b) for a, b in ((first, second), (second, first))
    )


def _squared(node: Rel) -> Rel:
    """`sqrt(x^2 + y^2) = 2` without its root, where the other side is positive."""
    root, value = node.items
    if node.ops != ("=",) or not isinstance(root, Op) or root.name != "sqrt":
        return node
    positive = not free_symbols(value) and (real_value(value) or 0) > 0
    return Rel(("=",), (root.args[0], Op("pow", (value, Num(2))))) if positive else node


def _solved_alike(comparison: Comparison, gold: Rel, answer: Rel) -> bool:
    """`y = ln x` and `x = e^y`: each is solved for a letter, and what that letter is makes
    the other one an identity."""
    for one, other in ((gold, answer), (answer, gold)):
        for letter, value in (one.items, one.items[::-1]):
            if not isinstance(letter, Sym) or letter.name in free_symbols(value):
                continue
            sides = [substituted(side, letter.name, value) for side in other.items]
            if free_symbols(value) and comparison.quietly_all_equal(sides[:1], sides[1:]):
                if _once(_difference(other), letter.name) and _always(comparison, other, letter):
                    return True  # solved for it, the other has this solution and no other
                break
        else:
            return False
    return True


def _always(comparison: Comparison, node: Rel, letter: Sym) -> bool:
    """Whether an equation `s y + r = 0` is nowhere true for every y: s or r is a number
    other than nought."""
    rest = substituted(_difference(node), letter.name, Num(0))
    whole = substituted(_difference(node), letter.name, Num(1))
    for part in (rest, Op("add", (whole, Op("neg", (rest,))))):
        number = part
        for name in free_symbols(part):
            number = substituted(number, name, Num(1))
        value = evaluate(number, {}, comparison.budget)
        if (
            value is not None
            and not value.contains(0)
            and comparison.quietly_all_equal((part,), (number,))
        ):
            return True
    return False


def _once(node: Node, name: str) -> bool:
    """Whether a letter occurs to the first power at most, outside of all functions."""
    if name not in free_symbols(node) or node == Sym(name):
        return True
    if not isinstance(node, Op):
        return False
    if node.name in ("add", "neg"):
        return all(_once(arg, name) for arg in node.args)
    if node.name == "mul":
        return sum(name in free_symbols(arg) for arg in node.args) == 1 and all(
            _once(arg, name) for arg in node.args
        )
    return (
        node.name == "div" and name not in free_symbols(node.args[1]) and _once(node.args[0], name)
    )


def _either(relations: list[Rel]) -> Rel:
    """One equation for any of several: the product of what each says is nought."""
    if len(relations) == 1 or any(relation.ops != ("=",) for relation in relations):
        return relations[0]
    return Rel(("=",), (Op("mul", tuple(map(_difference, relations))), Num(0)))


def _difference(node: Rel) -> Node:
    """Left minus right: what an equation says is zero."""
    return Op("add", (node.items[0], Op("neg", (node.items[1],))))


def _proportional(a: Node, b: Node, names: list[str], budget: Budget) -> bool | None:
    """Whether a constant factor between two expressions is positive; None without one.

    Looked for at positive numbers, and where there are values at numbers of other signs.
    """
    first: acb | None = None
    for index, signs in enumerate(_SIGNS):
        point = {
            name: signs[i % 2] * Fraction(9 + 7 * i + 13 * index, 7 + index)
            for i, name in enumerate(names)
        }
        x, y = evaluate(a, point, budget, RATIO_BITS), evaluate(b, point, budget, RATIO_BITS)
        if x is None or y is None or x.contains(0) or y.contains(0):
            if signs == (1, 1):
                return None
            continue
        with precision(RATIO_BITS):
            ratio = x / y
        if not ratio.imag.contains(0) or (first is not None and not ratio.overlaps(first)):
            return None
        first = ratio
    return None if first is None else bool(first.real > 0)


_SIGNS = ((1, 1), (1, 1), (1, 1), (-1, 1), (1, -1), (-1, -1))

RATIO_BITS = 1_024
"""No small term hides in three hundred digits."""


def _other_zeros(a: Node, b: Node, names: list[str]) -> bool:
    """Whether one has a zero that is surely none of the other. A zero lies in an interval
    at whose ends the signs differ; where the other expression's ball over that interval
    leaves out zero, it is none there."""
    budget = Budget(ROOT_WORK)
    for first, second in ((a, b), (b, a)):
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
                    if there is not None and not there.contains(0):
                        return True
    return False


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
