"""Constants to fifty digits, to confirm that two of them that agree as floats agree.

Plain `decimal` arithmetic: rationals, roots, powers, exp, ln, pi, sines and arctangents
of real constants. The last digits are not proven, so DIGITS are computed and only
CONFIRMED of them compared.

Invariants: never raises; None means "not mine" (complex values, other functions,
values too large or too close to zero).

Not covered: complex numbers. Two different constants of a few characters that agree
to forty digits are not known to occur; a rigorous answer is interval arithmetic's.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, localcontext
from fractions import Fraction
from functools import lru_cache

from verifier.math.exact import Budget, exact
from verifier.math.tree import Const, Node, Num, Op, free_symbols

DIGITS = 64
"""Digits carried."""

CONFIRMED = 45
"""Digits that must agree, relative to the larger of all values met on the way."""

MAX_EXPONENT = 10_000
"""Of a power or exponential; beyond, one evaluation would take milliseconds."""

_CONTEXT = Context(prec=DIGITS, Emax=999_999, Emin=-999_999)
_SERIES_TERMS = 400


class _NotMine(Exception):
    """No real value to fifty digits."""


TRIG_WORK, POWER_WORK = 120, 30
"""Microseconds of a sine, and of a power, exponential or logarithm."""


def agree(a: Node, b: Node, budget: Budget | None = None) -> bool | None:
    """True when two real constants agree to CONFIRMED digits, False when they do not."""
    if free_symbols(a) or free_symbols(b):
        return None
    budget = budget or Budget()
    with localcontext(_CONTEXT):
        try:
            x, y = _value(a, budget), _value(b, budget)
            gap, size = abs(x - y), max(abs(x), abs(y))
            if size == 0:
                return True
            if gap <= size.scaleb(-CONFIRMED):
                return True
            # Cancellation on one side: zero to all digits that are left.
            if min(abs(x), abs(y)) == 0 and size < Decimal(1).scaleb(-CONFIRMED):
                return None
            return False if gap > size.scaleb(-30) else None
        except (_NotMine, DecimalException, OverflowError, ZeroDivisionError):
            return None


def _value(node: Node, budget: Budget) -> Decimal:
    budget.left -= 2
    if budget.spent:
        raise _NotMine
    if isinstance(node, Num):
        return _fraction(Fraction(node.value))
    if isinstance(node, Const):
        if node.name == "pi":
            return _pi()
        if node.name == "e":
            return Decimal(1).exp()
        raise _NotMine
    if not isinstance(node, Op):
        raise _NotMine
    if node.name in (
        "sum",
        "prod",
        "fact",
        "binom",
        "fact2",
        "perm",
        "mod",
        "floor",
        "ceil",
        "gcd",
    ):
        found = exact(node, None, budget)
        if found is None:
            raise _NotMine
        return _fraction(found)
    if node.name in ("call", "index", "int", "lim"):
        raise _NotMine
    args = [_value(arg, budget) for arg in node.args]
    if node.name not in ("add", "mul", "neg", "div"):
        budget.left -= POWER_WORK if node.name in _CHEAP else TRIG_WORK
        if budget.spent:
            raise _NotMine
    return _apply(node, args)


_CHEAP = frozenset(("pow", "sqrt", "root", "abs", "exp", "ln", "log", "percent", "deg"))


def _fraction(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _apply(node: Op, args: list[Decimal]) -> Decimal:
    name, x = node.name, args[0]
    if name == "add":
        total = sum(args, Decimal(0))
        largest = max(abs(arg) for arg in args)
        if total and abs(total) < largest.scaleb(CONFIRMED - DIGITS + 4):
            raise _NotMine  # nothing but rounding is left
        return total
    if name == "mul":
        product = Decimal(1)
        for arg in args:
            product *= arg
        return product
    if name == "neg":
        return -x
    if name == "div":
        return x / args[1]
    if name == "pow":
        return _power(x, args[1])
    if name == "sqrt":
        if x < 0:
            raise _NotMine
        return x.sqrt()
    if name == "root":
        n = args[1]
        if n != int(n) or not 0 < n < 1_000 or (x < 0 and int(n) % 2 == 0):
            raise _NotMine
        return _power(abs(x), 1 / n).copy_sign(x) if x else x
    if name == "abs":
        return abs(x)
    if name == "exp":
        return _power(Decimal(1).exp(), x)
    if name in ("ln", "log"):
        if x <= 0 or (len(args) == 2 and args[1] <= 0):
            raise _NotMine
        return x.ln() / args[1].ln() if len(args) == 2 else x.ln()
    if name == "percent":
        return x / 100
    if name == "deg":
        return x * _pi() / 180
    return _trigonometric(name, x)


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if abs(exponent) > MAX_EXPONENT or (base and abs(base.adjusted()) > MAX_EXPONENT):
        raise _NotMine
    if base < 0 and exponent != int(exponent):
        raise _NotMine
    if base == 0:
        if exponent <= 0:
            raise _NotMine
        return base
    result: Decimal = base**exponent
    return result


def _trigonometric(name: str, x: Decimal) -> Decimal:
    if abs(x) > 10**8:
        raise _NotMine
    if name in ("sin", "cos", "tan", "cot", "sec", "csc"):
        sine, cosine = _sine(x), _sine(x + _pi() / 2)
        pairs = {
            "sin": (sine, Decimal(1)), "cos": (cosine, Decimal(1)), "tan": (sine, cosine),
            "cot": (cosine, sine), "sec": (Decimal(1), cosine), "csc": (Decimal(1), sine),
        }  # fmt: skip
        top, bottom = pairs[name]
        if not bottom:
            raise _NotMine
        return top / bottom
    if name == "arctan":
        return _arctan(x)
    if name in ("arcsin", "arccos") and abs(x) <= 1:
        rest = (1 - x * x).sqrt()
        arcsin = _arctan(x / rest) if rest else (_pi() / 2).copy_sign(x)
        return arcsin if name == "arcsin" else _pi() / 2 - arcsin
    if name in ("sinh", "cosh", "tanh") and abs(x) < MAX_EXPONENT:
        up, down = x.exp(), (-x).exp()
        if name == "tanh":
            return (up - down) / (up + down)
        return (up - down) / 2 if name == "sinh" else (up + down) / 2
    raise _NotMine


def _sine(x: Decimal) -> Decimal:
    turn = 2 * _pi()
    x = x - (x / turn).to_integral_value() * turn
    term, total, square = x, x, x * x
    for k in range(1, _SERIES_TERMS):
        term *= -square / ((2 * k) * (2 * k + 1))
        if abs(term) < Decimal(1).scaleb(-DIGITS - 4):
            break
        total += term
    return Decimal(0) if abs(total) < Decimal(1).scaleb(4 - DIGITS) else total


def _arctan(x: Decimal) -> Decimal:
    if abs(x) > 1:
        return (_pi() / 2).copy_sign(x) - _arctan(1 / x)
    halvings = 0
    while abs(x) > Decimal("0.1"):
        x = x / (1 + (1 + x * x).sqrt())
        halvings += 1
    term, total, square = x, x, x * x
    for k in range(1, _SERIES_TERMS):
        term *= -square
        step = term / (2 * k + 1)
        if abs(step) < Decimal(1).scaleb(-DIGITS - 4):
            break
        total += step
    return total * (1 << halvings)


@lru_cache(maxsize=1)
def _pi() -> Decimal:
    """Machin's formula."""
    with localcontext(_CONTEXT):
        return 16 * _machin(5) - 4 * _machin(239)


def _machin(n: int) -> Decimal:
    term = Decimal(1) / n
    total, k = term, 0
    while abs(term) > Decimal(1).scaleb(-DIGITS - 4):
        k += 1
        term /= -n * n
        total += term / (2 * k + 1)
    return total
