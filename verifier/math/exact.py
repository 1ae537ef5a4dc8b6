"""Exact integers and rationals: the value of a tree that has one.

Invariants:
- Never raises; None means "not mine".
- No intermediate value exceeds MAX_BITS: the size of a power, factorial or binomial
  is bounded from its arguments before it is computed.
- All work is charged to a Budget, before it is done where it is long.

Arithmetic is flint's: ten times as fast as `Fraction`, and a hundred times with numbers
of thousands of digits.

Not covered: irrational values, even where a closed form is an integer in the end
(`(sqrt 2)^2` is numeric's business).
"""

from __future__ import annotations

from fractions import Fraction
from math import log2, prod

from flint import fmpq, fmpz

from verifier.math.tree import Base, Matrix, Node, Num, Op, Sym

MAX_BITS = 65_536
"""Size of numerators and denominators: 2^(10^4) and 3000! fit, a tower does not.
Products of such numbers take microseconds."""

MAX_FACTORIAL = 4_000
"""n! of a larger n exceeds MAX_BITS."""

MAX_TERMS = 1_000
"""Terms of a sum or product that are added up one by one."""

MAX_DET = 5
"""Rows of a determinant that is expanded."""

MAX_WORK = 9_000
"""Work of one comparison, in units of about a microsecond: a node visited costs one,
arithmetic with long integers by their length. What needs more is not told here."""

MAX_WORD = 1 << 63
"""FLINT takes the arguments of binomials as machine words."""

LONG_BITS = 512
"""Numbers up to this size cost nothing beyond their node."""


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Budget:
    """The work left to one comparison, shared by all its steps."""

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_WORK) -> None:
        self.left = left

    @property
    def spent(self) -> bool:
        return self.left < 0

    def pay(self, name: str, bits: int, count: int = 0) -> bool:
        """Charges an operation whose numbers have so many bits; False when it is too much."""
        limbs = bits // 64 + 1
        if name == "add":
            self.left -= limbs // 200 + 1
        elif name in ("mul", "pow", "fact"):
            self.left -= limbs * limbs // 20_000 + 1
        elif name == "product":  # of many small numbers
            self.left -= count * limbs // 4_000 + 1
        else:  # with a greatest common divisor
            self.left -= limbs * limbs // 2_500 + 1
        return self.left >= 0


def exact(
    node: Node, bound: dict[str, Fraction] | None = None, budget: Budget | None = None
) -> Fraction | None:
    """The rational value of a tree without free symbols, or None."""
    if isinstance(node, Num):
        return Fraction(node.value)
    names = {name: fmpq(at.numerator, at.denominator) for name, at in (bound or {}).items()}
    found = _value(node, names, budget or Budget())
    return None if found is None else Fraction(int(found.p), int(found.q))


def _value(node: Node, bound: dict[str, fmpq], budget: Budget) -> fmpq | None:
    budget.left -= 1
    if budget.left < 0:
        return None
    if isinstance(node, Num):
        return fmpq(node.value.numerator, node.value.denominator)
    if isinstance(node, Sym):
        return bound.get(node.name)
    if isinstance(node, Base):
        return base_value(node)
    if not isinstance(node, Op):
        return None
    name = node.name
    if name in ("sum", "prod"):
        return _series(node, bound, budget)
    if name == "det":
        return _determinant(node.args[0], bound, budget)
    values: list[fmpq] = []
    for arg in node.args:
        value = _value(arg, bound, budget)
        if value is None:
            return None
        values.append(value)
    result = _apply(name, values, budget)
    return result if result is not None and _fits(result) else None


def _fits(value: fmpq) -> bool:
    return bool(value.height_bits() <= MAX_BITS)


def _joined(name: str, total: fmpq, value: fmpq, budget: Budget) -> fmpq | None:
    """The sum or product of two, where there is work left for it."""
    bits = _bits(total) + _bits(value)
    if bits > LONG_BITS:
        whole = total.q == value.q == 1
        if not budget.pay(name if whole else "gcd", bits):
            return None
    total = total + value if name == "add" else total * value
    return total if _fits(total) else None


def _bits(value: fmpq) -> int:
    return int(value.height_bits())


def _apply(name: str, values: list[fmpq], budget: Budget) -> fmpq | None:
    if name in ("add", "mul"):
        total: fmpq | None = values[0]
        for value in values[1:]:
            if total is None:
                return None
            total = _joined(name, total, value, budget)
        return total
    first = values[0] if values else fmpq(0)
    if name != "pow":
        bits = sum(map(_bits, values))
        if bits > LONG_BITS and not budget.pay(name, bits):
            return None
    if name == "neg":
        return -first
    if name == "div":
        return first / values[1] if values[1] else None
    if name == "pow":
        return _power(first, values[1], budget)
    if name == "sqrt":
        return _root(first, 2)
    if name == "root":
        degree = values[1]
        return _root(first, int(degree.p)) if degree.q == 1 and degree > 0 else None
    if name == "percent":
        return first / 100
    if name == "abs":
        return abs(first)
    if name == "floor":
        return fmpq(first.floor())
    if name == "ceil":
        return fmpq(first.ceil())
    if name in ("max", "min"):
        return max(values) if name == "max" else min(values)
    if name == "mod":
        return first - values[1] * (first / values[1]).floor() if values[1] else None
    if name == "sgn":
        return fmpq((first > 0) - (first < 0))
    if name == "log":
        return _logarithm(first, values[1]) if len(values) == 2 else None
    return _integers(name, values, budget)


def _integers(name: str, values: list[fmpq], budget: Budget) -> fmpq | None:
    if any(value.q != 1 for value in values):
        return None
    numbers = [value.p for value in values]
    if name in ("gcd", "lcm"):
        if sum(number.bit_length() for number in numbers) > MAX_BITS:
            return None
        found = numbers[0]
        for number in numbers[1:]:
            found = found.gcd(number) if name == "gcd" else found.lcm(number)
        return fmpq(abs(found))
    n = int(numbers[0])
    if name in ("fact", "fact2"):
        if not 0 <= n <= MAX_FACTORIAL or not budget.pay("product", n * n.bit_length(), n):
            return None
        return fmpq(fmpz.fac_ui(fmpz(n)) if name == "fact" else prod(range(n, 0, -2)))
    if name in ("binom", "perm") and len(numbers) == 2:
        k = int(numbers[1])
        if not 0 <= n < MAX_WORD or not 0 <= k < MAX_WORD:
            return None
        count = min(k, max(n - k, 0)) if name == "binom" else k
        if count * n.bit_length() > MAX_BITS:
            return None
        if not budget.pay("product", count * n.bit_length(), count):
            return None
        return fmpq(fmpz.bin_uiui(n, k) if name == "binom" else prod(range(n - k + 1, n + 1)))
    return None


def _power(base: fmpq, exponent: fmpq, budget: Budget | None = None) -> fmpq | None:
    """base ** exponent where that is rational and small enough, else None."""
    if exponent.q != 1:
        rooted = _root(base, int(exponent.q)) if base >= 0 else None
        return _power(rooted, fmpq(exponent.p), budget) if rooted is not None else None
    n = int(exponent.p)
    if base == 0:
        return fmpq(0) if n > 0 else None
    if abs(base) == 1:
        return fmpq(1) if base > 0 or n % 2 == 0 else fmpq(-1)
    size = int(base.height_bits())
    if abs(n) > MAX_BITS or size * abs(n) > MAX_BITS:
        return None
    if budget is not None and size * abs(n) > LONG_BITS and not budget.pay("pow", size * abs(n)):
        return None
    return base**n


def _root(value: fmpq, degree: int) -> fmpq | None:
    """The real root where it is rational, else None."""
    if value < 0:
        if degree % 2 == 0:
            return None
        positive = _root(-value, degree)
        return -positive if positive is not None else None
    top, bottom = _integer_root(value.p, degree), _integer_root(value.q, degree)
    return fmpq(top, bottom) if top is not None and bottom is not None else None


def _integer_root(value: fmpz, degree: int) -> fmpz | None:
    if value < 2 or degree == 1:
        return value
    if degree > 64 or value.bit_length() > 4_096:
        return None
    found = value.root(degree)
    return found if found**degree == value else None


def _logarithm(value: fmpq, base: fmpq) -> fmpq | None:
    """log_base(value) where it is an integer or half of one, else None."""
    if value <= 0 or base <= 0 or base == 1:
        return None
    if value == 1:
        return fmpq(0)
    size = _log2(base)
    if abs(size) < 1e-9:
        return None  # a base this near to one
    near = round(2 * _log2(value) / size)
    if abs(near) > 2 * 64:
        return None
    for halves in (near - 1, near, near + 1):
        if _power(base, fmpq(halves)) == value * value:
            return fmpq(halves, 2)
    return None


def _log2(value: fmpq) -> float:
    return log2(int(value.p)) - log2(int(value.q))


def base_value(node: Base) -> fmpq | None:
    """The number the digits stand for, or None where a digit is beyond its base."""
    value = 0
    for digit in node.digits:
        place = _DIGITS.find(digit)
        if not 0 <= place < node.base:
            return None
        value = value * node.base + place
    return fmpq(value)


def _series(node: Op, bound: dict[str, fmpq], budget: Budget) -> fmpq | None:
    variable, low_node, high_node, body = node.args
    low, high = _value(low_node, bound, budget), _value(high_node, bound, budget)
    if low is None or high is None or low.q != 1 or high.q != 1:
        return None
    if high - low > MAX_TERMS or not isinstance(variable, Sym):
        return None
    total: fmpq | None = fmpq(0 if node.name == "sum" else 1)
    name = "add" if node.name == "sum" else "mul"
    for k in range(int(low.p), int(high.p) + 1):
        term = _value(body, bound | {variable.name: fmpq(k)}, budget)
        if term is None or total is None:
            return None
        total = _joined(name, total, term, budget)
    return total


def _determinant(node: Node, bound: dict[str, fmpq], budget: Budget) -> fmpq | None:
    if not isinstance(node, Matrix) or len(node.rows) > MAX_DET:
        return None
    if any(len(row) != len(node.rows) for row in node.rows):
        return None
    cells = [[_value(cell, bound, budget) for cell in row] for row in node.rows]
    rows = [[cell for cell in row if cell is not None] for row in cells]
    if any(len(row) != len(rows) for row in rows):
        return None
    bits = sum(_bits(cell) for row in rows for cell in row)
    if bits > LONG_BITS and not budget.pay("det", bits):
        return None
    return _expand(rows)


def _expand(rows: list[list[fmpq]]) -> fmpq:
    if len(rows) == 1:
        return rows[0][0]
    total = fmpq(0)
    for column, cell in enumerate(rows[0]):
        minor = [row[:column] + row[column + 1 :] for row in rows[1:]]
        total += (-1) ** column * cell * _expand(minor)
    return total
