"""The value of a tree as a ball: an interval of complex numbers that surely holds it.

Arb's ball arithmetic (python-flint; F. Johansson, "Arb: efficient arbitrary-precision
midpoint-radius interval arithmetic", 2017) costs no more than floats with an error
bound kept in Python, never overflows, and its "different" is a proof.

Invariants:
- A ball that is returned holds the value, under the reading of the tree given here:
  principal values, odd roots of negative reals real.
- Never raises; None means "not mine". Work is charged to a Budget beforehand where it
  is long.
- Safe in any thread: the working precision is flint's one global, so whoever evaluates
  holds a lock.

Not covered: limits, infinite sums, improper integrals, derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from threading import RLock

from flint import acb, arb, ctx, fmpq, fmpz

from verifier.math.exact import Budget, exact
from verifier.math.tree import BINDERS, Base, Const, Node, Num, Op, Sym, free_symbols

LOW_BITS = 64
"""Precision of a first look: what differs, nearly always differs here."""

MAX_TERMS = 1_000
"""Terms of a finite sum or product evaluated at a point."""

MAX_SIZE_BITS = 1 << 16
"""Integers in factorials and binomials that are multiplied out, by the result's size."""

INTEGRAL_BITS = 64
INTEGRAL_WORK = 10_000
INTEGRAL_EVALUATIONS = 1_500
"""A definite integral is taken to so many bits, with so much work on so many values of
its body; what needs more is left to the symbolic step."""

_LOCK = RLock()


_UNLIKE = BINDERS | {"call", "index", "bar", "compose"}
"""Operators that are more than a function of the values of their arguments."""


class NotMineError(Exception):
    """This tree has no value here."""


class precision:
    """Balls of so many bits, while no other thread uses another precision."""

    __slots__ = ("bits", "outer")

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.outer = 0

    def __enter__(self) -> None:
        _LOCK.acquire()
        self.outer = ctx.prec
        ctx.prec = self.bits

    def __exit__(self, *_: object) -> None:
        ctx.prec = self.outer
        _LOCK.release()


class Evaluation:
    """One tree at one point; remembers what the comparison of its value needs to know."""

    __slots__ = ("analytic", "bits", "budget", "inside", "point", "principal", "rough", "span",
                 "went_complex")  # fmt: skip

    def __init__(
        self, point: Mapping[str, acb], budget: Budget, bits: int, principal: bool = False
    ) -> None:
        self.point = point
        self.budget = budget
        self.bits = bits
        self.principal = principal
        """(-8)^(1/3) is 1 + i sqrt 3 and not -2."""
        self.span = 0
        """Largest |log2| of any number met on the way. What could hide in a difference is
        some power of such numbers, so it is seen with a few times as many bits."""
        self.went_complex = False
        """A root or logarithm left the reals."""
        self.rough = False
        """An integral is in it, known to INTEGRAL_BITS."""
        self.inside = False
        """The body of an integral."""
        self.analytic = False
        """Under an integral that asks whether the body is analytic on the ball."""

    def run(self, node: Node) -> acb | None:
        """The ball, or None when the tree has no finite value that is known here."""
        try:
            value = self.value(node)
        except (NotMineError, OverflowError, ZeroDivisionError, ValueError):
            return None
        return value if value.is_finite() else None

    def value(self, node: Node) -> acb:
        self.budget.left -= 1
        if self.budget.left < 0:
            raise NotMineError
        if isinstance(node, Op):
            return self.noted(self.operation(node))
        if isinstance(node, Num):
            return self.number(node.value)
        if isinstance(node, Sym):
            if node.name not in self.point:
                raise NotMineError
            return self.point[node.name]
        if isinstance(node, Const):
            return _constant(node.name)
        if isinstance(node, Base):
            found = exact(node)
            if found is None:
                raise NotMineError
            return self.number(found)
        raise NotMineError

    def number(self, value: int | Fraction) -> acb:
        top, bottom = value.numerator, value.denominator
        bits = max(top.bit_length(), bottom.bit_length())
        if bits > self.span:
            self.span = bits
        return acb(top) if bottom == 1 else acb(fmpq(top, bottom))

    def noted(self, value: acb) -> acb:
        """The value, its size kept in `span` unless it may be zero."""
        size = abs(value)
        middle = float(size)
        if 0.0 < middle < math.inf:
            bits = abs(math.frexp(middle)[1])
        else:
            mantissa, exponent = size.mid().man_exp()
            bits = abs(int(exponent) + int(mantissa).bit_length())
            if bits > MAX_SPAN:
                raise NotMineError
        if bits > self.span and not size.contains(0):
            self.span = bits
        return value

    def pay(self, work: int) -> None:
        """Charges a function: microseconds grow with the precision."""
        self.budget.left -= 1 + work * self.bits // 2_048
        if self.budget.left < 0:
            raise NotMineError

    def operation(self, node: Op) -> acb:
        name = node.name
        if name in _UNLIKE:
            if name in BINDERS:
                return self.binder(node)
            if name == "compose":
                return self.composed(node)
            if name != "bar":
                return self.opaque(str(node.args[0]), [self.value(arg) for arg in node.args[1:]])
        if name == "bar" and any(
            name not in self.point or self.point[name].imag.contains(0)
            for name in free_symbols(node)
        ):
            raise NotMineError  # a mean, a segment: only of complex numbers it is the conjugate
        if name == "pow" and isinstance(node.args[1], Num) and node.args[1].value.denominator == 1:
            self.pay(10)
            return self.whole_power(self.value(node.args[0]), int(node.args[1].value))
        args = [self.value(arg) for arg in node.args]
        if name == "add":
            total = args[0]
            for arg in args[1:]:
                total = total + arg
            return total
        if name == "mul":
            total = args[0]
            for arg in args[1:]:
                total = total * arg
            return total
        if name == "neg":
            return -args[0]
        if name == "div":
            return args[0] / args[1]
        rule = _FUNCTIONS.get(name)
        if rule is None:
            raise NotMineError
        self.pay(10)
        if name in _HEAVY:
            self.budget.left -= _HEAVY[name] * self.bits * self.bits // 14_000
            if self.budget.left < 0:
                raise NotMineError
        if name == "pow" and not self.principal and _is_negative(args[0]):
            odd = _odd_root(node.args[1])
            if odd is not None:
                root = (-args[0]).pow(acb(fmpq(*odd)))
                return -root if odd[0] % 2 else root
        return rule(self, *args)

    # ------------------------------------------------------------ binders

    def binder(self, node: Op) -> acb:
        if not isinstance(node.args[0], Sym) or len(node.args) != 4 or node.name == "lim":
            raise NotMineError
        if node.name == "int":
            return self.integral(node.args[0].name, *node.args[1:])
        low, high = (_whole(self.value(arg)) for arg in node.args[1:3])
        if high - low > MAX_TERMS:
            raise NotMineError
        name, body = node.args[0].name, node.args[3]
        outer = self.point
        total = acb(0 if node.name == "sum" else 1)
        for k in range(low, high + 1):
            self.point = {**outer, name: acb(k)}
            term = self.value(body)
            total = total + term if node.name == "sum" else total * term
        self.point = outer
        return total

    def integral(self, name: str, low: Node, high: Node, body: Node) -> acb:
        """Over a finite interval, with rigorous error bounds (acb_calc_integrate)."""
        start, end = self.value(low), self.value(high)
        work = max(0, min(INTEGRAL_WORK, 2 * self.budget.left))
        # An integral in an integral lives on the outer one's work.
        budget = self.budget if self.inside else Budget(work)
        inner = Evaluation(self.point, budget, self.bits, self.principal)
        inner.inside = True

        def integrand(at: acb, analytic: bool) -> acb:
            inner.point = {**self.point, name: at}
            inner.analytic = analytic
            value = None if inner.budget.spent else inner.run(body)
            return acb("nan") if value is None else value

        tolerance = arb(2) ** -INTEGRAL_BITS
        # (What the integrand raises does not come through: it gives nan from here on.)
        found = acb.integral(integrand, start, end, rel_tol=tolerance, abs_tol=tolerance,
                             eval_limit=INTEGRAL_EVALUATIONS)  # fmt: skip
        if inner.budget.spent:
            self.budget.left = -1  # a second try would take as long
            raise NotMineError
        self.rough = True
        if not self.inside:
            self.budget.left -= (work - inner.budget.left) // 2
        return found

    def composed(self, node: Op) -> acb:
        """Functions one behind the other, at one place."""
        at = acb(fmpq(17, 23))
        for function in reversed(node.args):
            at = self.opaque(str(function), [at])
        return at

    def opaque(self, name: str, args: list[acb]) -> acb:
        """An unknown function: some smooth function of its own, the same on both sides."""
        seed = sum(ord(c) * (i + 7) for i, c in enumerate(name)) % 97
        total = acb(fmpq(30 + seed, 41))
        for place, value in enumerate(args):
            total += (value * fmpq(37 + 100 * place, 100) + seed).cos() + value / (3 + place)
        return total

    # ------------------------------------------------------------ functions

    def sqrt(self, x: acb) -> acb:
        if _is_negative(x):
            self.went_complex = True
        return x.sqrt(analytic=self.analytic)

    def root(self, x: acb, degree: acb) -> acb:
        n = _whole(degree)
        if not 0 < n < 1_000:
            raise NotMineError
        if n % 2 and _is_negative(x):
            return -self.power(-x, acb(fmpq(1, n)))
        return self.power(x, acb(fmpq(1, n)))

    def power(self, base: acb, exponent: acb) -> acb:
        whole = _integer(exponent) if exponent.is_exact() else None
        if whole is not None:
            return self.whole_power(base, int(whole))
        if _is_negative(base):
            self.went_complex = True
        if base.is_zero():
            if exponent.real > 0:
                return acb(0)
            raise NotMineError
        return base.pow(exponent, analytic=self.analytic)

    def whole_power(self, base: acb, exponent: int) -> acb:
        bits = exponent.bit_length()
        self.span = max(self.span, bits)
        self.pay(bits)
        if exponent == 0 and base.contains(0):
            raise NotMineError
        return base.pow(acb(exponent))

    def log(self, x: acb, base: acb | None = None) -> acb:
        if _is_negative(x):
            self.went_complex = True
        found = x.log(analytic=self.analytic)
        return found / self.log(base) if base is not None else found

    def magnitude(self, x: acb) -> acb:
        if self.analytic:
            return x.real_abs(analytic=True)
        return acb(abs(x))

    def step(self, x: acb, rule: Callable[[acb, bool], acb]) -> acb:
        """Floors and their like, of real numbers."""
        if not x.imag.contains(0):
            raise NotMineError
        return rule(acb(x.real), self.analytic)

    def saturating(self, x: acb, rule: Callable[[acb], acb]) -> acb:
        """tanh and erf: all that tells large arguments apart is exponentially small."""
        size = abs(x).abs_upper()
        if size > 1_000:
            raise NotMineError
        self.span = max(self.span, int(float(size * size)) + 1)
        return rule(x)


def _constant(name: str) -> acb:
    if name == "pi":
        return acb(arb.pi())
    if name == "e":
        return acb(arb.const_e())
    if name == "i":
        return acb(0, 1)
    raise NotMineError


def _is_negative(x: acb) -> bool:
    return bool(x.imag.is_zero() and x.real < 0)


def _odd_root(exponent: Node) -> tuple[int, int] | None:
    """(p, q) of a written exponent p/q with an odd q > 1."""
    value = exact(exponent)
    if value is None or value.denominator == 1 or value.denominator % 2 == 0:
        return None
    return value.numerator, value.denominator


LARGEST_WHOLE = arb(fmpz(1) << 8_192)
"""Beyond the longest written number. FLINT ends the process when a ball with an exponent
of 2^40 and more, such as that of `2^{2^{45}}`, is made an integer."""


MAX_EXPONENT = 1 << 15
"""Bits. No written number has as many, and a power of two of 2^60 bits ends the process:
FLINT aborts on `111111111111!` made a fraction."""


def middle_of(x: arb) -> Fraction | None:
    """The middle of a ball; None where it is too large or too small to be written out."""
    if not x.is_finite():
        return None
    point = x.mid()
    if abs(int(point.man_exp()[1])) > MAX_EXPONENT:
        return None
    value = point.fmpq()
    return Fraction(int(value.p), int(value.q))


MAX_SPAN = 1 << 36
"""Bits of the largest and the inverse of the smallest value that is followed: towers
beyond it have exponents that FLINT cannot always hold."""

_HEAVY = {"gamma": 1, "fact": 1, "binom": 3, "perm": 4, "erf": 1}
"""Functions whose cost grows with the square of the precision: a millisecond each for
4,096 bits."""


def _integer(x: acb) -> fmpz | None:
    """The one integer in a ball. FLINT ends the process where an exponent is enormous,
    be it of the middle, `2^{-2^{64}}`, or of the radius."""
    real = x.real
    if not real.is_finite() or not abs(real) < LARGEST_WHOLE:
        return None
    for part in (real.mid(), real.rad()):
        if not part.is_zero() and abs(int(part.man_exp()[1])) > MAX_EXPONENT:
            return None
    return x.unique_fmpz()


def _whole(x: acb) -> int:
    found = _integer(x)
    if found is None or not x.imag.contains(0):
        raise NotMineError
    return int(found)


def _factorial(x: acb) -> acb:
    if x.is_exact():
        n = _whole(x)
        if n < 0:
            raise NotMineError
        if n * n.bit_length() <= MAX_SIZE_BITS:
            return acb(fmpz.fac_ui(fmpz(n)))
    return (x + 1).gamma()


def _choose(n: acb, k: acb) -> acb:
    """n over k; for a number n that is not whole, by its falling factorial."""
    if n.is_exact() and _integer(n) is not None:
        top, bottom = _whole(n), _whole(k)
        if (
            not bottom >= 0
            or top < 0
            or min(bottom, abs(top - bottom)) * top.bit_length() > (MAX_SIZE_BITS)
        ):
            raise NotMineError
        return acb(fmpz.bin_uiui(top, bottom))
    return (n + 1).gamma() / ((k + 1).gamma() * (n - k + 1).gamma())


def _double_factorial(x: acb) -> acb:
    n = _whole(x)
    if n < -1 or n * n.bit_length() > MAX_SIZE_BITS:
        raise NotMineError
    return acb(math.prod(range(n, 0, -2)))


def _integers(rule: Callable[..., int]) -> Callable[..., acb]:
    return lambda _, *args: acb(rule(*map(_whole, args)))


def _extreme(pick: str) -> Callable[..., acb]:
    def apply(_: Evaluation, *args: acb) -> acb:
        if not all(arg.imag.contains(0) for arg in args):
            raise NotMineError
        best = args[0].real
        for arg in args[1:]:
            best = best.max(arg.real) if pick == "max" else best.min(arg.real)
        return acb(best)

    return apply


def _modulo(run: Evaluation, x: acb, y: acb) -> acb:
    return x - y * run.step(x / y, acb.real_floor)


def _plain(rule: Callable[[acb], acb]) -> Callable[..., acb]:
    return lambda _, x: rule(x)


def _arccot(x: acb) -> acb:
    return acb.pi() / 2 - x.atan()


_FUNCTIONS: dict[str, Callable[..., acb]] = {
    "pow": Evaluation.power,
    "sqrt": Evaluation.sqrt,
    "root": Evaluation.root,
    "exp": _plain(acb.exp),
    "ln": Evaluation.log,
    "log": Evaluation.log,
    "abs": Evaluation.magnitude,
    "norm": Evaluation.magnitude,
    "fact": _plain(_factorial),
    "gamma": _plain(acb.gamma),
    "fact2": _plain(_double_factorial),
    "binom": lambda _, n, k: _choose(n, k),
    "perm": lambda _, n, k: _choose(n, k) * _factorial(k),
    "max": _extreme("max"),
    "min": _extreme("min"),
    "gcd": _integers(math.gcd),
    "lcm": _integers(math.lcm),
    "mod": _modulo,
    "floor": lambda run, x: run.step(x, acb.real_floor),
    "ceil": lambda run, x: run.step(x, acb.real_ceil),
    "sgn": lambda run, x: run.step(x, acb.real_sgn),
    "percent": lambda _, x: x / 100,
    "deg": lambda _, x: x * acb.pi() / 180,
    "bar": _plain(acb.conjugate),
    "re": lambda _, x: acb(x.real),
    "im": lambda _, x: acb(x.imag),
    "arg": lambda _, x: acb(x.arg()),
    "cis": _plain(lambda x: (x * acb(0, 1)).exp()),
    "sin": _plain(acb.sin),
    "cos": _plain(acb.cos),
    "tan": _plain(acb.tan),
    "cot": _plain(acb.cot),
    "sec": _plain(acb.sec),
    "csc": _plain(acb.csc),
    "sinh": _plain(acb.sinh),
    "cosh": _plain(acb.cosh),
    "tanh": lambda run, x: run.saturating(x, acb.tanh),
    "coth": lambda run, x: run.saturating(x, acb.coth),
    "sech": _plain(acb.sech),
    "csch": _plain(acb.csch),
    "erf": lambda run, x: run.saturating(x, acb.erf),
    "arcsin": _plain(acb.asin),
    "arccos": _plain(acb.acos),
    "arctan": _plain(acb.atan),
    "arccot": _plain(_arccot),
    "arcsec": _plain(lambda x: (1 / x).acos()),
    "arccsc": _plain(lambda x: (1 / x).asin()),
    "arcsinh": _plain(acb.asinh),
    "arccosh": _plain(acb.acosh),
    "arctanh": _plain(acb.atanh),
}
