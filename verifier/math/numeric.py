"""Two scalar trees as functions of their symbols, compared by their values at points.

Each point is looked at with few bits first: balls that are disjoint prove a
difference, and nearly every wrong answer ends there (tier `numeric`). What overlaps is
evaluated again, with so many bits that no term in sight could hide (tier
`interval_arithmetic`): still disjoint is a proof; overlapping at every point is taken
for equality, as analytic functions that agree to a hundred digits at several points
that nothing singles out are equal.

Invariants:
- No tolerance anywhere: 1/100! and 1/101! differ, x and x + 10^-300 differ.
- Points depend on nothing but the names of the symbols: the same pair always gets the
  same answer.
- Never raises; the work is bounded by the Budget.

Not covered: what has no ball (limits, infinite sums): None. Symbols stand for positive
reals first; at other points only values real throughout speak against equality, as
sqrt(1/n) and 1/sqrt(n) count as equal. Symbols in factorials, binomials and the limits
of sums stand for natural numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from flint import acb, arb, fmpq

from verifier.math.balls import LOW_BITS, Evaluation, middle_of, precision
from verifier.math.exact import Budget, exact
from verifier.math.policy import Tier
from verifier.math.products import ordered, same_products
from verifier.math.steps import same_steps
from verifier.math.tree import BINDERS, Const, Node, Num, Op, Sym, free_symbols, kinds, walk

SURE_BITS = 333
"""A hundred digits."""

SPARE_BITS = 128
"""Bits left when three times the span of the numbers met is taken off."""

MAX_BITS = 4_096
"""Numbers beyond 10^±400 in one expression: not told here."""

COMPARED = 15
"""Work of a comparison beside its evaluations."""

MAX_EVALUATION = 2_500
"""Work of one value that is asked for alone, in the units of `exact.Budget`."""

POSITIVE_POINTS = 3
WHOLE_POINTS = 5

MAX_FLOORS = 6
"""Different floors in one comparison."""

SCALES = (Fraction(1, 100), *map(Fraction, (17, 1_300, 10**6, 10**10, 10**13)))
"""Where steps and kinks may lie beside the usual points."""

Point = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comparing at points showed."""

    equal: bool | None
    point: Point | None = None
    """The point that tells the two apart, when `equal` is False."""
    tier: Tier = Tier.NUMERIC


UNTOLD = Outcome(None)


def compare(a: Node, b: Node, budget: Budget | None = None) -> Outcome:
    """Whether two scalar trees are equal as functions of their free symbols."""
    budget = budget or Budget()
    budget.left -= COMPARED
    if budget.spent:
        return UNTOLD
    if ordered(a) or ordered(b):
        return Outcome(same_products(a, b))
    powers = (side for side in (a, b) if "pow" in kinds(side))
    if not any(_two_valued(part) for side in powers for part in walk(side)):
        return _compared(a, b, budget, False)
    real = _compared(a, b, budget, False)
    if real.equal:
        return real
    principal = _compared(a, b, budget, True)
    if principal.equal is False and real.equal is None:
        return UNTOLD
    return principal if principal.equal else real


def _compared(a: Node, b: Node, budget: Budget, principal: bool) -> Outcome:
    names = sorted(free_symbols(a) | free_symbols(b))
    pair = _Pair(a, b, budget, principal)
    if not names:
        return pair.at_points([({}, False)], 1)
    met = kinds(a) | kinds(b)
    if not _STEPS.isdisjoint(met):
        return _with_steps(pair, names)
    whole = frozenset[str]()
    if not _WHOLE.isdisjoint(met):
        whole = _whole_names(a) | _whole_names(b)
    if whole:
        return _sequences(pair, names, whole)
    found = pair.at_points(_usual(tuple(names)), POSITIVE_POINTS - 1)
    if found.equal and not _KINKS.isdisjoint(met):
        return pair.refuted(_far(names)) or found
    # (-1)^n and cos(n pi) agree at whole numbers, and are meant there.
    sequence = _INDEX_NAMES.issuperset(names) and any(map(_alternates, walk(Op("both", (a, b)))))
    if found.equal is False and sequence:
        by_index = _sequences(pair, names, frozenset(names))
        return by_index if by_index.equal else found
    return found


def evaluate(
    node: Node, point: Point, budget: Budget | None = None, bits: int = LOW_BITS
) -> acb | None:
    """The value of a tree at a point, as a ball, or None."""
    budget = budget or Budget(MAX_EVALUATION)
    with precision(bits):
        return Evaluation(_balls(point), budget, bits).run(node)


def is_real(node: Node, point: Point, budget: Budget) -> bool:
    """Whether a tree has a finite real value at a point."""
    with precision(LOW_BITS):
        run = Evaluation(_balls(point), budget, LOW_BITS)
        found = run.run(node)
    return found is not None and not run.went_complex and found.imag.contains(0)


def real_value(node: Node, budget: Budget | None = None) -> Fraction | None:
    """The value of a real constant to a hundred digits; None when it has none."""
    found = evaluate(node, {}, budget, SURE_BITS)
    if found is None or not found.imag.contains(0):
        return None
    if found.real.rel_accuracy_bits() < LOW_BITS and not found.real.mid().is_zero():
        return None
    exact_middle = middle_of(found.real)
    if exact_middle is None:
        return None
    # The last bits of two ways to write one number differ.
    size = exact_middle.numerator.bit_length() - exact_middle.denominator.bit_length()
    grid = 1 << max(0, KEPT_BITS - size)
    return Fraction(round(exact_middle * grid), grid)


KEPT_BITS = 270
"""Of SURE_BITS, those that do not depend on how a number is written."""


class _Pair:
    """Two trees under one reading and one budget."""

    def __init__(self, a: Node, b: Node, budget: Budget, principal: bool) -> None:
        self.a, self.b, self.budget, self.principal = a, b, budget, principal
        self.complex = _conjugated(a) | _conjugated(b)

    def at_points(self, points: list[tuple[Point, bool]], needed: int) -> Outcome:
        """Equal when they overlap at all points and at least `needed` could be judged.

        A point marked True is one where only real values speak against equality.
        """
        judged = 0
        for place, (point, real_only) in enumerate(points):
            if place == 0:
                apart = self.differ(point, real_only, LOW_BITS)
                if apart:
                    return Outcome(False, point)
                if apart is None:
                    continue
            found = self.told(point, real_only)
            if found is False:
                return Outcome(False, point, Tier.INTERVAL_ARITHMETIC if place == 0 else
                               Tier.NUMERIC)  # fmt: skip
            judged += found is True
            if self.budget.spent:
                return UNTOLD
        return Outcome(True, None, Tier.INTERVAL_ARITHMETIC) if judged >= needed else UNTOLD

    def refuted(self, points: Iterator[tuple[Point, bool]]) -> Outcome | None:
        """A point where both differ, if one of these is."""
        for point, real_only in points:
            if self.differ(point, real_only, LOW_BITS):
                return Outcome(False, point)
        return None

    def differ(self, point: Point, real_only: bool, bits: int) -> bool | None:
        """Whether the balls are disjoint; None where there are none to compare."""
        found = self._values(point, bits)
        if found is None:
            return None
        first, second, x, y = found
        if real_only and (first.went_complex or second.went_complex):
            return None
        return not x.overlaps(y)

    def told(self, point: Point, real_only: bool) -> bool | None:
        """Different, overlapping with all the bits it takes, or neither."""
        bits = SURE_BITS
        while True:
            found = self._values(point, bits)
            if found is None:
                return None
            first, second, x, y = found
            if real_only and (first.went_complex or second.went_complex):
                return None
            if not x.overlaps(y):
                return False
            needed = 3 * max(first.span, second.span) + SPARE_BITS
            if needed <= bits:
                return True if _sharp(first, x) and _sharp(second, y) else None
            if needed > MAX_BITS or self.budget.spent:
                return None
            bits = needed

    def _values(self, point: Point, bits: int) -> tuple[Evaluation, Evaluation, acb, acb] | None:
        with precision(bits):
            balls = _balls(point)
            for name in self.complex & balls.keys():
                balls[name] += acb(0, (balls[name].real + 3) / 7)
            first = Evaluation(balls, self.budget, bits, self.principal)
            x = first.run(self.a)
            if x is None:
                return None
            second = Evaluation(balls, self.budget, bits, self.principal)
            y = second.run(self.b)
            return None if y is None else (first, second, x, y)


def _conjugated(node: Node) -> frozenset[str]:
    """Letters under a bar stand for complex numbers, or the bar would say nothing."""
    if _COMPLEX.isdisjoint(kinds(node)):
        return frozenset()
    bars = (part for part in walk(node) if isinstance(part, Op) and part.name in _COMPLEX)
    return frozenset().union(*map(free_symbols, bars))


_COMPLEX = frozenset(("bar", "re", "im", "arg"))


def _sharp(run: Evaluation, x: acb) -> bool:
    """Whether a ball is narrow enough for overlapping to mean something."""
    if x.is_exact():
        return True
    size = abs(x).abs_upper()
    limit = (size if size > 1 else arb(1)) * (_SMALL if run.rough else _TINY)
    return bool(x.real.rad() < limit and x.imag.rad() < limit)


_TINY, _SMALL = arb(fmpq(1, 1 << 90)), arb(fmpq(1, 1 << 48))


def _balls(point: Point) -> dict[str, acb]:
    return {name: acb(fmpq(at.numerator, at.denominator)) for name, at in point.items()}


# ---------------------------------------------------------------- points


def _point(names: Sequence[str], index: int, sign: int = 1) -> Point:
    """Positive values between 0.4 and 2.6 from the golden ratio's multiples: no two
    symbols or points alike, and nothing round that an identity could favour."""
    return {
        name: sign * (Fraction(2, 5) + Fraction((place * 7 + index * 3 + 1) * 377 % 610, 277))
        for place, name in enumerate(names)
    }


@lru_cache(maxsize=256)
def _usual(names: tuple[str, ...]) -> list[tuple[Point, bool]]:
    points: list[tuple[Point, bool]] = [
        (_point(names, index), False) for index in range(POSITIVE_POINTS)
    ]
    mixed = _point(names, POSITIVE_POINTS)
    for place, name in enumerate(names):
        mixed[name] *= -1 if place % 2 == 0 else 1
    return [*points, (mixed, True), (_point(names, POSITIVE_POINTS + 1, -1), True)]


def _whole_point(names: list[str], index: int, whole: frozenset[str]) -> Point:
    """Natural numbers from 3 to 13 for `whole`, the usual values for the others."""
    usual = _point(names, index)
    return {
        name: Fraction(3 + (index * 5 + place * 3) % 11) if name in whole else usual[name]
        for place, name in enumerate(names)
    }


def _far(names: list[str]) -> Iterator[tuple[Point, bool]]:
    """Where |x + 10| is not x + 10, and whether only real values count there."""
    for index, scale in enumerate(SCALES):
        for sign in (1, -1):
            point = {name: at * scale for name, at in _point(names, index, sign).items()}
            yield point, sign < 0


# ---------------------------------------------------------------- sequences


def _sequences(pair: _Pair, names: list[str], whole: frozenset[str]) -> Outcome:
    """With factorials, binomials, sums to n: `whole` at natural numbers."""
    points = [(_whole_point(names, index, whole), False) for index in range(WHOLE_POINTS)]
    found = pair.at_points(points, WHOLE_POINTS - 1)
    if not found.equal:
        return found
    surely = (_whole_names(pair.a) & _whole_names(pair.b)) | _INDEX_NAMES
    for part in walk(Op("both", (pair.a, pair.b))):
        if _alternates(part) and not (free_symbols(part) & whole) <= surely:
            return UNTOLD  # sin(pi x) + 0 x!: nobody said that x is whole
    return found


def _whole_names(node: Node) -> frozenset[str]:
    """Symbols that stand in factorials, binomials or the limits of sums: whole numbers."""
    names: set[str] = set()
    for part in walk(node):
        if isinstance(part, Op):
            if part.name in ("fact", "fact2", "binom", "perm"):
                names |= free_symbols(part)
            elif part.name in ("sum", "prod") and len(part.args) == 4:
                names |= free_symbols(part.args[1]) | free_symbols(part.args[2])
    return frozenset(names)


def _alternates(node: Node) -> bool:
    """`(-1)^n` or `cos(n pi)`: a sequence, meant at whole numbers."""
    if not isinstance(node, Op):
        return False
    if node.name == "pow":
        return (
            bool(free_symbols(node.args[1]))
            and (exact(node.args[0], None, Budget(MAX_EVALUATION)) or Fraction(0)) < 0
        )
    if node.name in ("sin", "cos", "tan"):
        return Const("pi") in walk(node) and bool(free_symbols(node))
    return False


def _two_valued(node: Node) -> bool:
    """(-8)^(1/3): a real root for some, a principal value for others."""
    if not isinstance(node, Op) or node.name != "pow":
        return False
    exponent = node.args[1]
    if not isinstance(exponent, Op) or exponent.name not in ("div", "neg"):
        return False
    value = exact(exponent, None, Budget(MAX_EVALUATION))
    return value is not None and value.denominator % 2 == 1 and value.denominator > 1


# ---------------------------------------------------------------- steps


def _with_steps(pair: _Pair, names: list[str]) -> Outcome:
    """Floors, ceilings, remainders: different where values at real points of several
    scales differ; equal only where they are with a new symbol for each floor."""
    whole = _whole_names(pair.a) | _whole_names(pair.b)
    surely = (_whole_names(pair.a) & _whole_names(pair.b)) | (whole & _INDEX_NAMES)
    if _INDEX_NAMES.issuperset(names) and _whole_meant(pair.a) and _whole_meant(pair.b):
        at_whole = _stepped_sequences(pair, names)
        if at_whole is not None:
            return at_whole
    told = same_steps(pair.a, pair.b, names[0]) if len(names) == 1 else None
    if told:
        return Outcome(True, None, Tier.EXACT)
    differ: Point | None = None
    for index, scale in enumerate((Fraction(1), Fraction(1), Fraction(1), *SCALES)):
        for sign in (1, -1):
            usual = _point(names, index, sign)
            spread = {name: scale * at for name, at in usual.items()}
            point = spread | {
                name: at for name, at in _whole_point(names, index, whole).items() if name in whole
            }
            x, y = exact(pair.a, point, pair.budget), exact(pair.b, point, pair.budget)
            if x is not None and y is not None:
                different = x != y
            else:
                different = bool(pair.differ(point, sign < 0, SURE_BITS))
            if different:
                differ = differ or point
    if differ is not None:
        return Outcome(False, differ)
    if told is False:
        return Outcome(False, None, Tier.EXACT)
    if not whole <= surely:
        return UNTOLD
    table: list[tuple[Node, Sym]] = []
    first, second = (_unstepped(node, table, pair.budget) for node in (pair.a, pair.b))
    if first is None or second is None:
        return UNTOLD
    found = compare(first, second, pair.budget)
    return found if found.equal else UNTOLD


def _whole_meant(node: Node) -> bool:
    """A floor, a remainder or an alternating sign: its variables are whole numbers. Of
    `n` alone nobody said so, or floor(n) would be n."""
    return any(_alternates(p) or (isinstance(p, Op) and p.name in _STEPS) for p in walk(node))


def _stepped_sequences(pair: _Pair, names: list[str]) -> Outcome | None:
    """Steps in index variables alone, which stand for whole numbers: every residue of
    small divisors and some large numbers. None where the values are not rational."""
    if any(
        isinstance(p, Num) and p.value > MAX_RESIDUES for p in walk(Op("both", (pair.a, pair.b)))
    ):
        return None
    tried: list[tuple[int, ...]]
    if len(names) == 1:
        tried = [(n,) for n in (*range(1, MAX_RESIDUES + 2), *_LARGE)]
    else:
        side = (1, 2, 3, 4, 5, 6, 7, 8, 101, 10_007)
        tried = [(i, *[j] * (len(names) - 1)) for i in side for j in side]
    for place in tried:
        point = {name: Fraction(at) for name, at in zip(names, place, strict=True)}
        x, y = exact(pair.a, point, pair.budget), exact(pair.b, point, pair.budget)
        if x is None or y is None:
            return None
        if x != y:
            return Outcome(False, point)
    return Outcome(True)


MAX_RESIDUES = 24
_LARGE = (101, 1_009, 10_010, 100_003, 1_000_008, 10_000_019)
"""Numbers of several residues far from the small ones."""


def _unstepped(node: Node, table: list[tuple[Node, Sym]], budget: Budget) -> Node | None:
    """The tree with each floor replaced by a symbol, equal floors by the same one."""
    if not isinstance(node, Op):
        return node
    if not free_symbols(node):
        value = exact(node, None, budget)
        if value is not None and value.denominator == 1:
            return Num(int(value))
    if node.name in BINDERS:
        stepped = any(isinstance(part, Op) and part.name in _STEPS for part in walk(node))
        return None if stepped else node
    found = [_unstepped(arg, table, budget) for arg in node.args]
    args = tuple(arg for arg in found if arg is not None)
    if len(args) != len(found):
        return None
    if node.name == "floor":
        return _floor(args[0], table, budget)
    if node.name == "ceil":
        floor = _floor(Op("neg", (args[0],)), table, budget)
        return None if floor is None else Op("neg", (floor,))
    if node.name == "mod":
        quotient = _floor(Op("div", args), table, budget)
        if quotient is None:
            return None
        return Op("add", (args[0], Op("neg", (Op("mul", (args[1], quotient)),))))
    return Op(node.name, args)


def _floor(arg: Node, table: list[tuple[Node, Sym]], budget: Budget) -> Node | None:
    """The symbol for the floor of `arg`, plus a whole number where it is shifted by one."""
    names = sorted(free_symbols(arg))
    bound = {name: Fraction(5 + 7 * place, 6) for place, name in enumerate(names)}
    here = exact(arg, bound, budget)
    for other, symbol in table:
        there = exact(other, bound, budget)
        gap = here - there if here is not None and there is not None else Fraction(0)
        if gap.denominator != 1:
            continue
        shift = Num(int(gap))
        if compare(arg, Op("add", (other, shift)) if gap else other, budget).equal:
            return Op("add", (symbol, shift)) if gap else symbol
    if len(table) >= MAX_FLOORS:
        return None
    symbol = Sym(f"floor_{len(table)}")
    table.append((arg, symbol))
    return symbol


_STEPS = frozenset(("floor", "ceil", "mod"))
_WHOLE = frozenset(("fact", "fact2", "binom", "perm", "sum", "prod"))
_KINKS = frozenset(("abs", "max", "min", "sgn", "sqrt", "root"))
_INDEX_NAMES = frozenset("nkmj")
