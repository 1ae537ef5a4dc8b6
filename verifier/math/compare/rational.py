"""Trees as quotients of polynomials with rational coefficients, in lowest terms.

Invariant: the work is bounded before it is done, by the number of terms of the products.
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from verifier.math.tree import Node, Num, Op, Sym

MAX_NAMES = 6
MAX_DEGREE = 12
MAX_PRODUCT = 1_000
"""Terms of one factor times those of the other: a product takes microseconds, a greatest
common divisor some hundred."""

MAX_COEFFICIENT_BITS = 1_024

Quotient = tuple[fmpq_mpoly, fmpq_mpoly]


def quotients(nodes: Sequence[Node], names: Sequence[str]) -> list[Quotient] | None:
    """Each tree as (numerator, denominator) over the same letters; None when one is more
    than arithmetic or too large."""
    if len(names) > MAX_NAMES:
        return None
    ring = fmpq_mpoly_ctx.get([f"x{place}" for place in range(max(1, len(names)))], Ordering.lex)
    letters = dict(zip(names, ring.gens(), strict=False))
    found = []
    for node in nodes:
        quotient = _read(node, letters, ring)
        if quotient is None:
            return None
        found.append(quotient)
    return found


def linear_form(difference: fmpq_mpoly, count: int) -> list[fmpq] | None:
    """The coefficients of the letters and the constant; None for a higher degree."""
    row = [fmpq(0)] * (count + 1)
    for powers, coefficient in difference.to_dict().items():
        if sum(powers) > 1:
            return None
        place = next((at for at, power in enumerate(powers) if power), count)
        row[place] = fmpq(coefficient)
    return row


def _read(node: Node, letters: dict[str, fmpq_mpoly], ring: fmpq_mpoly_ctx) -> Quotient | None:
    one = ring.constant(1)
    if isinstance(node, Num):
        if max(node.value.numerator.bit_length(), node.value.denominator.bit_length()) > (
            MAX_COEFFICIENT_BITS
        ):
            return None
        return ring.constant(fmpq(node.value.numerator, node.value.denominator)), one
    if isinstance(node, Sym):
        letter = letters.get(node.name)
        return None if letter is None else (letter, one)
    if not isinstance(node, Op) or node.name not in ("add", "mul", "neg", "div", "pow"):
        return None
    if node.name == "pow":
        return _power(node, letters, ring)
    result: Quotient | None = None
    for arg in node.args:
        part = _read(arg, letters, ring)
        if part is None:
            return None
        if node.name == "neg":
            return -part[0], part[1]
        result = part if result is None else _joined(node.name, result, part)
        if result is None:
            return None
    return result


def _joined(name: str, a: Quotient, b: Quotient) -> Quotient | None:
    (top, bottom), (other_top, other_bottom) = a, b
    if name == "mul":
        factors = [(top, other_top), (bottom, other_bottom)]
    elif name == "div":
        if not other_top:
            return None
        factors = [(top, other_bottom), (bottom, other_top)]
    else:
        if bottom == other_bottom:
            return _lowest(top + other_top, bottom)
        factors = [(top, other_bottom), (other_top, bottom), (bottom, other_bottom)]
    if not all(_fits(*pair) for pair in factors):
        return None
    products = [first * second for first, second in factors]
    if name == "add":
        return _lowest(products[0] + products[1], products[2])
    return _lowest(*products)


def _power(node: Op, letters: dict[str, fmpq_mpoly], ring: fmpq_mpoly_ctx) -> Quotient | None:
    exponent = node.args[1]
    if (
        not isinstance(exponent, Num)
        or exponent.places >= 0
        or abs(int(exponent.value)) > MAX_DEGREE
    ):
        return None
    base = _read(node.args[0], letters, ring)
    if base is None or (exponent.value < 0 and not base[0]):
        return None
    if exponent.value < 0:
        base = base[1], base[0]
    result: Quotient | None = (ring.constant(1), ring.constant(1))
    for _ in range(abs(int(exponent.value))):
        if result is None:
            return None
        result = _joined("mul", result, base)
    return result


def _fits(a: fmpq_mpoly, b: fmpq_mpoly) -> bool:
    return (
        len(a) * len(b) <= MAX_PRODUCT
        and (not a or not b or a.total_degree() + b.total_degree() <= MAX_DEGREE)
        and _bits(a) + _bits(b) <= MAX_COEFFICIENT_BITS
    )


def _bits(poly: fmpq_mpoly) -> int:
    return max((int(c.height_bits()) for c in map(fmpq, poly.coeffs())), default=0)


def _lowest(top: fmpq_mpoly, bottom: fmpq_mpoly) -> Quotient:
    if bottom.total_degree() <= 0:
        return top / bottom.leading_coefficient(), bottom * 0 + 1
    common = top.gcd(bottom)
    return (top, bottom) if common.total_degree() <= 0 else (top / common, bottom / common)
