"""Evaluation of two trees at the same points, with a bound on the rounding error.

Every value travels with a first-order bound of its error, so that "equal up to
rounding" and "different" can be told apart without any absolute tolerance: 1/100! and
1/101! differ, 10000 and 10001 differ.

Invariants:
- False only where the values at one point differ by far more than their error bounds.
- True only where they agree within their error bounds at every point, and no number in
  them is so large or small that a true difference could hide (see MAX_LITERAL).
  Rational functions are compared exactly at rational points, and constants confirmed
  with 50 digits.
- Points are seeded by nothing but their number: the same pair always gets the same
  answer.
- Never raises, and costs a fixed number of evaluations of each tree.

Not covered: integrals, limits, derivatives, infinite sums: not mine (None). Real
variables are taken positive first; at other points only values real on both sides
speak against equality, as sqrt(1/n) and 1/sqrt(n) count as equal.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from verifier.math.exact import Budget, exact
from verifier.math.precise import agree
from verifier.math.tree import BINDERS, Base, Const, Node, Num, Op, Sym, free_symbols, walk

MAX_LITERAL = 10**5
"""Written numbers beyond this (or decimals finer than its inverse) can make different
expressions agree in all digits of a float."""

MAX_POWER = 60
"""Likewise for written exponents."""

MAX_TERMS = 400
"""Terms of a finite sum or product evaluated at a point."""

MAX_EVALUATION = 4_000
"""Work of one value that is asked for alone, in the units of `exact.Budget`."""

CLEAR = 1e-9
"""Relative difference from which two well-conditioned values are different."""

AGREE = 1e-10
"""Relative difference (bounds included) up to which values count as equal."""

EPS = 2.3e-16
"""Rounding error of one operation."""

FAINT = 1e-7
"""A term this much smaller than another is not well seen in their sum, nor is an
argument this near to zero (or its inverse this large) in a function's value."""

HUGE = 1e280
"""Beyond, the next operation may overflow: not mine."""

COMPARED = 15
"""Work of a comparison beside its evaluations."""

RATIONAL_POINTS = 3
POSITIVE_POINTS = 4
NEGATIVE_POINTS = 2
INTEGER_POINTS = 6


class _NotMine(Exception):
    """This tree has no value here."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comparing at points showed."""

    equal: bool | None
    point: dict[str, float] | None = None
    """The point that tells the two apart, when `equal` is False."""


Value = tuple[complex, float]
"""A value and a bound of its absolute error."""


def compare(a: Node, b: Node, budget: Budget | None = None) -> Outcome:
    """Whether two scalar trees are equal as functions of their free symbols."""
    budget = budget or Budget()
    budget.left -= COMPARED
    if budget.spent:
        return Outcome(None)
    names_a, names_b = free_symbols(a), free_symbols(b)
    names = sorted(names_a | names_b)
    if not names:
        return _constants(a, b, budget)
    kinds = {part.name for part in walk(Op("both", (a, b))) if isinstance(part, Op)}
    if not _STEPS.isdisjoint(kinds):
        return _with_steps(a, b, names, budget)
    whole = _whole_names(a) | _whole_names(b) if not _WHOLE.isdisjoint(kinds) else frozenset()
    if whole:
        return _sequences(a, b, names, whole, budget)
    found = _functions(a, b, names, budget)
    if found.equal is False and _INDEX_NAMES.issuperset(names) and any(map(_alternates, walk(a))):
        by_index = _sequences(a, b, names, frozenset(names), budget)
        return by_index if by_index.equal else found
    return found


def evaluate(node: Node, point: dict[str, float], budget: Budget | None = None) -> Value | None:
    """The value of a tree at a point with its error bound, or None."""
    return _Evaluation(point, budget or Budget(MAX_EVALUATION)).run(node)


def _run(evaluation: _Evaluation, node: Node) -> Value | None:
    try:
        value, error = evaluation.value(node)
    except (_NotMine, OverflowError, ZeroDivisionError, ValueError, ArithmeticError):
        return None
    if cmath.isnan(value) or cmath.isinf(value) or math.isnan(error):
        return None
    return value, error


def real_value(node: Node, budget: Budget | None = None) -> float | None:
    """The value of a real constant as a float, for ordering; None when it has none."""
    found = evaluate(node, {}, budget)
    if found is None or abs(found[0].imag) > 1e-9 * max(1.0, abs(found[0].real)):
        return None
    return found[0].real


# ---------------------------------------------------------------- comparison


def _judge(x: Value, y: Value) -> bool | None:
    """Same, different, or too blurred to tell."""
    (a, ea), (b, eb) = x, y
    size, gap, error = max(abs(a), abs(b)), abs(a - b), ea + eb
    if size == 0.0:
        return True
    if gap > 8 * error and gap > CLEAR * size:
        return False
    if gap > 64 * error and gap > 1e-13 * size:
        return False
    if gap <= 4 * error and error <= AGREE * size:
        return True
    if abs(a) <= 8 * ea and abs(b) <= 8 * eb and error < 1e-12:
        return True  # both cancel to zero
    return None


def _constants(a: Node, b: Node, budget: Budget) -> Outcome:
    x, y = evaluate(a, {}, budget), evaluate(b, {}, budget)
    if x is None or y is None:
        return Outcome(None)
    verdict = _judge(x, y)
    if verdict is False:
        return Outcome(False, {})
    confirmed = agree(a, b, budget)
    if confirmed is None and verdict and abs(x[0].imag) + abs(y[0].imag) > 0:
        return Outcome(True if _modest(a) and _modest(b) else None)
    return Outcome(confirmed, {} if confirmed is False else None)


def _functions(a: Node, b: Node, names: list[str], budget: Budget) -> Outcome:
    exactly = _rationally(a, b, names, budget)
    if exactly.equal is False:
        return exactly
    trust = exactly.equal is True
    judged = 0
    for index in range(POSITIVE_POINTS):
        point = _point(names, index)
        verdict = _at(a, b, point, False, budget, trust)
        if verdict is False:
            return Outcome(False, point)
        judged += verdict is True
    for index in range(NEGATIVE_POINTS):
        point = _point(names, POSITIVE_POINTS + index, -1.0 if len(names) == 1 or index else 1.0)
        if index == 0 and len(names) > 1:
            point = {
                name: value * (-1) ** (place + 1)
                for place, (name, value) in enumerate(point.items())
            }
        verdict = _at(a, b, point, True, budget)
        if verdict is False:
            return Outcome(False, point)
    if judged >= POSITIVE_POINTS - 1 and (trust or (_safe(a) and _safe(b))):
        return _far(a, b, names, budget)
    return Outcome(None)


def _far(a: Node, b: Node, names: list[str], budget: Budget) -> Outcome:
    """True, unless something with a kink differs far away: |x + 10| is not x + 10."""
    if any(isinstance(part, Op) and part.name in _KINKS for part in walk(Op("both", (a, b)))):
        for index, scale in enumerate(SCALES):
            for sign in (1.0, -1.0):
                point = {k: v * scale for k, v in _point(names, index, sign).items()}
                if _at(a, b, point, True, budget) is False:
                    return Outcome(False, point)
    return Outcome(True)


def _with_steps(a: Node, b: Node, names: list[str], budget: Budget) -> Outcome:
    """Floors, ceilings, remainders: different where values at real points of several
    scales differ; equal only where they are with a new symbol for each floor."""
    whole = _whole_names(a) | _whole_names(b)
    surely = (_whole_names(a) & _whole_names(b)) | (whole & _INDEX_NAMES)
    differ: dict[str, float] | None = None
    for index, scale in enumerate((1.0, 1.0, 1.0, *SCALES)):
        for sign in (1.0, -1.0):
            point = {
                name: float(3 + (index * 5 + place * 3) % 11) if name in whole else value
                for place, (name, value) in enumerate(
                    (name, scale * at) for name, at in _point(names, index, sign).items()
                )
            }
            bound = {name: Fraction(value) for name, value in point.items()}
            x, y = exact(a, bound, budget), exact(b, bound, budget)
            if x is not None and y is not None:
                different = x != y
            else:
                different = _at(a, b, point, sign < 0, budget) is False
            if different:
                differ = differ or point
    if differ is not None:
        if _INDEX_NAMES.issuperset(names) and not whole:
            return Outcome(None)  # equal at whole numbers, perhaps, and so meant
        return Outcome(False, differ)
    if not whole <= surely:
        return Outcome(None)
    table: list[tuple[Node, Sym]] = []
    try:
        first, second = _unstepped(a, table, budget), _unstepped(b, table, budget)
    except _NotMine:
        return Outcome(None)
    found = compare(first, second, budget)
    return Outcome(True if found.equal else None)


def _unstepped(node: Node, table: list[tuple[Node, Sym]], budget: Budget) -> Node:
    """The tree with each floor replaced by a symbol, equal floors by the same one."""
    if not isinstance(node, Op):
        return node
    if not free_symbols(node):
        value = exact(node, None, budget)
        if value is not None and value.denominator == 1:
            return Num(int(value))
    if node.name in BINDERS:
        if any(isinstance(part, Op) and part.name in _STEPS for part in walk(node)):
            raise _NotMine
        return node
    args = tuple(_unstepped(arg, table, budget) for arg in node.args)
    if node.name == "floor":
        return _floor(args[0], table, budget)
    if node.name == "ceil":
        return Op("neg", (_floor(Op("neg", (args[0],)), table, budget),))
    if node.name == "mod":
        quotient = _floor(Op("div", args), table, budget)
        return Op("add", (args[0], Op("neg", (Op("mul", (args[1], quotient)),))))
    return Op(node.name, args)


def _floor(arg: Node, table: list[tuple[Node, Sym]], budget: Budget) -> Node:
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
        raise _NotMine
    symbol = Sym(f"floor_{len(table)}")
    table.append((arg, symbol))
    return symbol


def _rationally(a: Node, b: Node, names: list[str], budget: Budget) -> Outcome:
    """Rational functions exactly, at rational points: no size of number hides there."""
    for index in range(RATIONAL_POINTS):
        bound = {
            name: Fraction(5 + 7 * place + 11 * index, 6 + index)
            for place, name in enumerate(names)
        }
        x = exact(a, bound, budget)
        y = exact(b, bound, budget) if x is not None else None
        if x is None or y is None:
            return Outcome(None)
        if x != y:
            return Outcome(False, {name: float(value) for name, value in bound.items()})
    return Outcome(True)


def _sequences(
    a: Node, b: Node, names: list[str], whole: frozenset[str], budget: Budget
) -> Outcome:
    """With factorials, binomials, sums to n: exactly, `whole` at natural numbers."""
    judged = 0
    for index in range(INTEGER_POINTS):
        bound = {
            name: Fraction(3 + (index * 5 + place * 3) % 11)
            if name in whole
            else Fraction(5 + 7 * place + 11 * index, 6 + index)
            for place, name in enumerate(names)
        }
        point = {name: float(value) for name, value in bound.items()}
        x = exact(a, bound, budget)
        y = exact(b, bound, budget) if x is not None else None
        if x is not None and y is not None:
            if x != y:
                return Outcome(False, point)
            judged += 1
            continue
        verdict = _at(a, b, point, False, budget)
        if verdict is False:
            return Outcome(False, point)
        judged += verdict is True
    if judged < INTEGER_POINTS - 1 or not (_safe(a) and _safe(b)):
        return Outcome(None)
    surely = (_whole_names(a) & _whole_names(b)) | _INDEX_NAMES
    for part in walk(Op("both", (a, b))):
        if _alternates(part) and not (free_symbols(part) & whole) <= surely:
            return Outcome(None)  # sin(pi x) + 0 x!: nobody said that x is whole
    return Outcome(True)


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


def _at(
    a: Node, b: Node, point: dict[str, float], real_only: bool, budget: Budget, trust: bool = False
) -> bool | None:
    """At one point; agreement where parts are blurred counts only on `trust`."""
    first, second = _Evaluation(point, budget), _Evaluation(point, budget)
    x, y = first.run(a), second.run(b)
    if x is None or y is None:
        return None
    if real_only and (abs(x[0].imag) > 1e-9 * abs(x[0]) or abs(y[0].imag) > 1e-9 * abs(y[0])):
        return None
    found = _judge(x, y)
    return None if found and not trust and (first.blurred or second.blurred) else found


def _point(names: list[str], index: int, sign: float = 1.0) -> dict[str, float]:
    """Positive values between 0.4 and 2.6 from the golden ratio's multiples: no two
    symbols or points alike, and nothing round that an identity could favour."""
    return {
        name: sign * (0.4 + 2.2 * math.modf((place * 7 + index * 3 + 1) * 0.6180339887498949)[0])
        for place, name in enumerate(names)
    }


_STEPS = frozenset(("floor", "ceil", "mod"))
_WHOLE = frozenset(("fact", "fact2", "binom", "perm", "sum", "prod"))
_KINKS = frozenset(("abs", "max", "min", "sgn"))
SCALES = (0.01, 17.0, 1_300.0, 1e6, 1e10, 1e13)
"""Where steps and kinks may lie beside the usual points."""

MAX_FLOORS = 6
"""Different floors in one comparison."""


def _modest(node: Node) -> bool:
    """A complex constant of few small numbers: no room for a coincidence to 1e-13."""
    numbers = [abs(Fraction(part.value)) for part in walk(node) if isinstance(part, Num)]
    return len(numbers) <= 12 and all(number <= 1_000 for number in numbers) and _safe(node)


_INDEX_NAMES = frozenset("nkmj")


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


def _safe(node: Node) -> bool:
    """No written number so extreme that floats could hide a true difference."""
    for part in walk(node):
        if isinstance(part, Num) and part.value:
            size = abs(Fraction(part.value))
            if size > MAX_LITERAL or size * MAX_LITERAL < 1:
                return False
        if isinstance(part, Op) and part.name == "pow":
            exponent = part.args[1]
            if isinstance(exponent, Num) and abs(Fraction(exponent.value)) > MAX_POWER:
                return False
            if not free_symbols(part):
                value = evaluate(part, {})
                if value is None or not 1 <= abs(value[0]) * MAX_LITERAL <= MAX_LITERAL**2:
                    return False
    return True


# ---------------------------------------------------------------- evaluation


class _Evaluation:
    def __init__(self, point: dict[str, float], budget: Budget) -> None:
        self.point = point
        self.budget = budget
        self.blurred = False
        """A part so small or large stood beside others that its change would not show."""

    def run(self, node: Node) -> Value | None:
        return _run(self, node)

    def value(self, node: Node) -> Value:
        self.budget.left -= 2
        if self.budget.left < 0:
            raise _NotMine
        if isinstance(node, Num):
            number = float(node.value)
            return complex(number), EPS * abs(number) if node.places >= 0 else 0.0
        if isinstance(node, Sym):
            if node.name not in self.point:
                raise _NotMine
            return complex(self.point[node.name]), 0.0
        if isinstance(node, Const):
            return _constant(node.name)
        if isinstance(node, Base):
            found = exact(node)
            if found is None:
                raise _NotMine
            return complex(float(found)), 0.0
        if not isinstance(node, Op):
            raise _NotMine
        return self.operation(node)

    def operation(self, node: Op) -> Value:
        name = node.name
        if name in BINDERS:
            return self.series(node)
        if name in ("call", "index"):
            return self.opaque(node)
        if name == "bar" and free_symbols(node):
            raise _NotMine  # a mean, a segment: only of a number it is the conjugate
        args = [self.value(arg) for arg in node.args]
        if name == "add":
            largest = max(abs(value) for value, _ in args)
            if any(0 < abs(value) < FAINT * largest for value, _ in args):
                self.blurred = True
            return _add(args)
        if name == "mul":
            result = args[0]
            for arg in args[1:]:
                result = _mul(result, arg)
            return result
        if name == "neg":
            return -args[0][0], args[0][1]
        if name == "div":
            return _div(args[0], args[1])
        if name == "pow":
            if 0 < abs(args[1][0]) < FAINT:
                self.blurred = True
            return _pow(args[0], args[1], node.args[1])
        if name == "root":
            return _root(args[0], args[1])
        rule = _FUNCTIONS.get(name)
        if rule is None:
            raise _NotMine
        if name not in _LINEAR:
            limits = FAINT, 8.0 if name == "tanh" else 1 / FAINT
            if any(value and not limits[0] <= abs(value) <= limits[1] for value, _ in args):
                self.blurred = True
        return rule(*args)

    def series(self, node: Op) -> Value:
        if node.name not in ("sum", "prod") or not isinstance(node.args[0], Sym):
            raise _NotMine
        low, high = (self.value(arg)[0].real for arg in node.args[1:3])
        if low != int(low) or high != int(high) or high - low > MAX_TERMS:
            raise _NotMine
        name, body = node.args[0].name, node.args[3]
        outer = self.point
        total: Value = (0j, 0.0) if node.name == "sum" else (1 + 0j, 0.0)
        for k in range(int(low), int(high) + 1):
            self.point = outer | {name: float(k)}
            term = self.value(body)
            total = _add([total, term]) if node.name == "sum" else _mul(total, term)
        self.point = outer
        return total

    def opaque(self, node: Op) -> Value:
        """An unknown function: some smooth function of its own, the same on both sides."""
        seed = sum(ord(c) * (i + 7) for i, c in enumerate(str(node.args[0]))) % 97
        total, error = complex(0.3 + seed / 41), 1e-12
        for place, arg in enumerate(node.args[1:]):
            value, _ = self.value(arg)
            total += cmath.cos(value * (0.37 + place) + seed) + value / (3 + place)
        return total, error


def _constant(name: str) -> Value:
    if name == "pi":
        return complex(math.pi), EPS * 4
    if name == "e":
        return complex(math.e), EPS * 3
    if name == "i":
        return 1j, 0.0
    raise _NotMine


def _checked(value: complex, error: float) -> Value:
    size = abs(value)
    if size > HUGE or size != size:
        raise _NotMine
    if value == 0 and error == 0:
        return value, 0.0
    if 0 < size < 1 / HUGE:
        raise _NotMine
    return value, error


def _add(args: list[Value]) -> Value:
    total, error, size = 0j, 0.0, 0.0
    for value, bound in args:
        total += value
        size = max(size, abs(value), abs(total))
        error += bound
    return _checked(total, error + EPS * size * len(args))


def _mul(x: Value, y: Value) -> Value:
    (a, ea), (b, eb) = x, y
    value = a * b
    return _checked(value, abs(a) * eb + abs(b) * ea + 2 * EPS * abs(value))


def _div(x: Value, y: Value) -> Value:
    (a, ea), (b, eb) = x, y
    if abs(b) <= 4 * eb or b == 0:
        raise _NotMine
    value = a / b
    return _checked(value, (ea + abs(value) * eb) / abs(b) + 2 * EPS * abs(value))


def _pow(x: Value, y: Value, exponent: Node) -> Value:
    (a, ea), (b, eb) = x, y
    if a == 0:
        if b.real > 0 and ea == 0:
            return 0j, 0.0
        raise _NotMine
    if abs(a) <= 4 * ea:
        raise _NotMine
    if isinstance(exponent, Op) and exponent.name == "div" and a.imag == 0 and a.real < 0:
        top, bottom = exact(exponent.args[0]), exact(exponent.args[1])
        if top is not None and bottom is not None and bottom.denominator == 1 and bottom % 2:
            raise _NotMine  # (-8)^(1/3): real root or principal value, who knows
    log = cmath.log(a)
    if abs(b * log) > 640:
        raise _NotMine
    value = (
        a ** int(b.real)
        if b.imag == 0 and b.real == int(b.real) and abs(b.real) < 1024
        else cmath.exp(b * log)
    )
    relative = abs(b) * ea / abs(a) + abs(log) * eb + 4 * EPS * (1 + abs(b))
    if b.imag or b.real != int(b.real):
        relative += 4 * EPS * abs(b) * abs(log)
    return _checked(value, abs(value) * relative)


def _root(x: Value, degree: Value) -> Value:
    (a, ea), (n, _) = x, degree
    if n.imag or n.real != int(n.real) or n.real == 0:
        raise _NotMine
    k = int(n.real)
    if a.imag == 0 and a.real < 0 and k % 2:
        value, error = _root((-a, ea), degree)
        return -value, error
    if a == 0:
        return 0j, ea ** (1 / abs(k)) if ea else 0.0
    value = cmath.exp(cmath.log(a) / k)
    return _checked(value, abs(value) * (ea / abs(a) / abs(k) + 6 * EPS))


def _sqrt(x: Value) -> Value:
    a, error = x
    if a == 0 or abs(a) < 4 * error:
        if error == 0:
            return 0j, 0.0
        raise _NotMine
    value = cmath.sqrt(a)
    return value, error / (2 * abs(value)) + 2 * EPS * abs(value)


def _smooth(
    function: Callable[[complex], complex], slope: Callable[[complex], complex]
) -> Callable[[Value], Value]:
    """A function with its derivative, by which an error in the argument grows."""

    def apply(x: Value) -> Value:
        a, error = x
        if abs(a) > 1e8:
            raise _NotMine  # periods are lost
        value = function(a)
        grown = error * abs(slope(a)) if error else 0.0
        return _checked(
            value,
            grown
            + 4 * EPS * max(abs(value), 1e-17)
            + 2 * EPS * abs(a) * (abs(slope(a)) if value else 1),
        )

    return apply


def _real(function: Callable[[float], float]) -> Callable[[Value], Value]:
    """A step function of a real number, where the step is far enough away."""

    def apply(x: Value) -> Value:
        a, error = x
        if abs(a.imag) > error:
            raise _NotMine
        value = function(a.real)
        if (
            function(a.real + 4 * error + 1e-12) != value
            or function(a.real - 4 * error - 1e-12) != value
        ):
            raise _NotMine
        return complex(value), 0.0

    return apply


def _log(x: Value, base: Value | None = None) -> Value:
    a, error = x
    if abs(a) <= 4 * error or a == 0:
        raise _NotMine
    value = cmath.log(a)
    top = (value, error / abs(a) + 2 * EPS * abs(value) + EPS)
    return _div(top, _log(base)) if base is not None else top


def _exp(x: Value) -> Value:
    a, error = x
    if a.real > 640 or abs(a) > 1e8:
        raise _NotMine
    value = cmath.exp(a)
    return _checked(value, abs(value) * (error + 4 * EPS * (1 + abs(a))))


def _fact(x: Value) -> Value:
    a, _ = x
    if a.imag or a.real != int(a.real) or not 0 <= a.real <= 160:
        raise _NotMine
    value = float(math.factorial(int(a.real)))
    return complex(value), EPS * value


def _binom(x: Value, y: Value) -> Value:
    n, k = x[0], y[0]
    if n.imag or k.imag or n.real != int(n.real) or k.real != int(k.real):
        raise _NotMine
    if not (0 <= n.real <= 500 and k.real >= 0):
        raise _NotMine
    value = float(math.comb(int(n.real), int(k.real)))
    return complex(value), EPS * value


def _abs(x: Value) -> Value:
    return complex(abs(x[0])), x[1] + EPS * abs(x[0])


def _extreme(pick: Callable[[list[float]], float]) -> Callable[..., Value]:
    def apply(*args: Value) -> Value:
        if any(value.imag for value, _ in args):
            raise _NotMine
        return complex(pick([value.real for value, _ in args])), max(error for _, error in args)

    return apply


def _inverse_of(function: Callable[[complex], complex]) -> Callable[[complex], complex]:
    return lambda a: function(1 / a)


def _arccot(a: complex) -> complex:
    return math.pi / 2 - cmath.atan(a)


def _steep(a: complex) -> complex:
    return 1 / cmath.sqrt(1 - a * a) if abs(1 - a * a) > 1e-12 else complex(1e6)


_LINEAR = frozenset(
    ("sqrt", "abs", "percent", "deg", "bar", "re", "im", "ln", "log", "fact", "binom")
)

_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "sqrt": _sqrt,
    "exp": _exp,
    "ln": _log,
    "log": _log,
    "abs": _abs,
    "fact": _fact,
    "binom": _binom,
    "max": _extreme(max),
    "min": _extreme(min),
    "floor": _real(math.floor),
    "ceil": _real(math.ceil),
    "sgn": _real(lambda a: (a > 0) - (a < 0)),
    "percent": lambda x: _div(x, (100 + 0j, 0.0)),
    "deg": lambda x: _mul(x, (complex(math.pi / 180), EPS)),
    "bar": lambda x: (x[0].conjugate(), x[1]),
    "re": lambda x: (complex(x[0].real), x[1]),
    "im": lambda x: (complex(x[0].imag), x[1]),
    "sin": _smooth(cmath.sin, cmath.cos),
    "cos": _smooth(cmath.cos, cmath.sin),
    "tan": _smooth(cmath.tan, lambda a: 1 + cmath.tan(a) ** 2),
    "cot": _smooth(lambda a: 1 / cmath.tan(a), lambda a: 1 + 1 / cmath.tan(a) ** 2),
    "sec": _smooth(lambda a: 1 / cmath.cos(a), lambda a: cmath.tan(a) / cmath.cos(a)),
    "csc": _smooth(lambda a: 1 / cmath.sin(a), lambda a: 1 / cmath.tan(a) / cmath.sin(a)),
    "sinh": _smooth(cmath.sinh, cmath.cosh),
    "cosh": _smooth(cmath.cosh, cmath.sinh),
    "tanh": _smooth(cmath.tanh, lambda a: 1 - cmath.tanh(a) ** 2),
    "arcsin": _smooth(cmath.asin, _steep),
    "arccos": _smooth(cmath.acos, _steep),
    "arctan": _smooth(cmath.atan, lambda a: 1 / (1 + a * a)),
    "arccot": _smooth(_arccot, lambda a: 1 / (1 + a * a)),
    "arcsec": _smooth(_inverse_of(cmath.acos), lambda a: 4 * _steep(1 / a)),
    "arccsc": _smooth(_inverse_of(cmath.asin), lambda a: 4 * _steep(1 / a)),
    "arcsinh": _smooth(cmath.asinh, lambda a: 1 / cmath.sqrt(1 + a * a)),
    "arccosh": _smooth(cmath.acosh, lambda a: 1 / cmath.sqrt(a * a - 1)),
    "arctanh": _smooth(cmath.atanh, lambda a: 1 / (1 - a * a)),
}
