"""Polynomial and rational inequalities in one variable, solved.

Only for what is given as a reference: an answer that leaves its inequality unsolved is
no answer. Signs are those of exact polynomials between their roots; roots are rational
or those of quadratic factors, so that each end is a tree.

Not covered: irreducible factors of a higher degree with real roots.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import acb, fmpq, fmpq_mpoly, fmpq_poly

from verifier.math.balls import LOW_BITS, precision
from verifier.math.compare.rational import quotients
from verifier.math.compare.realset import INFINITY, MINUS_INFINITY, Piece, RealSet, end_value
from verifier.math.tree import Node, Num, Op, Rel, free_symbols, walk

MAX_ROOTS = 12

_SIGNS = {"<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (1, 0)}


def solved(node: Node) -> RealSet | None:
    """The solutions of `x^2 < 4` or `1/x >= 1`; None for anything else."""
    if not isinstance(node, Rel) or len(node.ops) != 1 or node.ops[0] not in _SIGNS:
        return None
    names = free_symbols(node)
    if len(names) != 1:
        return None
    (name,) = names
    difference = Op("add", (node.items[0], Op("neg", (node.items[1],))))
    found = quotients((difference,), (name,))
    if found is None:
        return None
    top, bottom = map(_univariate, found[0])
    denominators = _denominators(difference)
    below = quotients(denominators, (name,)) if denominators else []
    if below is None:
        return None
    zeros = _roots(top)
    poles = _all_roots([bottom, *(_univariate(part) for part, _ in below)])
    if zeros is None or poles is None or len(zeros) + len(poles) > MAX_ROOTS:
        return None
    cuts: dict[Fraction, tuple[Node, bool]] = {}
    for roots, is_zero in ((zeros, True), (poles, False)):  # where both meet there is no value
        for root in roots:
            at = end_value(root)
            if not isinstance(at, Fraction):
                return None
            cuts[at] = root, is_zero
    wanted = _SIGNS[node.ops[0]]
    pieces = []
    places = sorted(cuts)
    for index in range(len(places) + 1):
        low = places[index - 1] if index else None
        high = places[index] if index < len(places) else None
        if _sign(top, bottom, _between(low, high)) in wanted:
            pieces.append(
                Piece(
                    MINUS_INFINITY if low is None else cuts[low][0], False,
                    INFINITY if high is None else cuts[high][0], False,
                )
            )  # fmt: skip
        if high is not None and cuts[high][1] and 0 in wanted:
            root = cuts[high][0]
            pieces.append(Piece(root, True, root, True))
    return RealSet(tuple(pieces), name)


def _denominators(node: Node) -> list[Node]:
    """What is divided by somewhere: no solution makes it zero, cancelled or not."""
    divided = (part.args for part in walk(node) if isinstance(part, Op) and part.name == "div")
    powers = (part.args for part in walk(node) if isinstance(part, Op) and part.name == "pow")
    below = [base for base, exponent in powers if isinstance(exponent, Num) and exponent.value < 0]
    return [*(args[1] for args in divided), *below]


def _all_roots(polynomials: list[fmpq_poly]) -> list[Node] | None:
    found = [_roots(polynomial) for polynomial in polynomials]
    if any(roots is None for roots in found):
        return None
    return [root for roots in found if roots is not None for root in roots]


def _between(low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is None:
        return Fraction(0) if high is None else high - 1
    return low + 1 if high is None else (low + high) / 2


def _sign(top: fmpq_poly, bottom: fmpq_poly, at: Fraction) -> int:
    place = fmpq(at.numerator, at.denominator)
    value = top(place) * bottom(place)
    return int(value > 0) - int(value < 0)


def _univariate(poly: fmpq_mpoly) -> fmpq_poly:
    coefficients = {powers[0]: value for powers, value in poly.to_dict().items()}
    return fmpq_poly([coefficients.get(k, 0) for k in range(max(coefficients, default=0) + 1)])


def _roots(poly: fmpq_poly) -> list[Node] | None:
    """The different real roots, as trees; None where one has no short form."""
    if poly.degree() < 1:
        return []
    roots: list[Node] = []
    for factor, _ in poly.factor()[1]:
        if factor.degree() == 1:
            roots.append(_number(-factor[0] / factor[1]))
        elif factor.degree() == 2:
            roots += _quadratic(factor[2], factor[1], factor[0])
        elif any(root.imag.contains(0) for root, _ in _complex_roots(factor)):
            return None
    return roots


def _complex_roots(poly: fmpq_poly) -> list[tuple[acb, int]]:
    with precision(LOW_BITS):
        found: Any = poly.complex_roots()
    return list(found)


def _quadratic(a: fmpq, b: fmpq, c: fmpq) -> list[Node]:
    inside = b * b - 4 * a * c
    if inside < 0:
        return []
    root = Op("sqrt", (_number(inside / (4 * a * a)),))
    middle = _number(-b / (2 * a))
    return [Op("add", (middle, root)), Op("add", (middle, Op("neg", (root,))))]


def _number(value: fmpq) -> Node:
    top, bottom = int(value.p), int(value.q)
    return Num(top) if bottom == 1 else Op("div", (Num(top), Num(bottom)))
