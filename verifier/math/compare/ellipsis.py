r"""Sums and products with dots: `1 + 2 + \cdots + n`, `1 \cdot 3 \cdots (2n-1)`.

The general term comes from the last one: with its variable n put to k, it must give the
first terms for k, k+1, ... as they are written; then the whole is a sum or a product over
k. A last term that is a number must be reached from the first ones in equal steps.

Invariants:
- The term is checked against every term in front of the dots, two at least (one is enough
  for a last term that only counts: `1 + \cdots + n`).
- What does not fit stays as it is.

Not covered: dots between more than one last term that does not follow the rule; dots in
sums without an end.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from verifier.math.exact import Budget, exact
from verifier.math.numeric import compare
from verifier.math.tree import (
    BINDERS,
    Const,
    Node,
    Num,
    Op,
    Rel,
    Seq,
    Sym,
    free_symbols,
    substituted,
    walk,
)

DOTS = Const("dots")
STARTS = range(-3, 8)
"""Values of the counter that the first term may belong to."""

MAX_DOTS = 3
"""Sums and products with dots in one answer."""

MAX_WORK = 1_000
MAX_TERMS = 1_000
"""Of a sum between numbers."""


def written_out(node: Node) -> Node:
    """The tree with its dots as sums and products, wherever their rule is found."""
    return node if sum(part == DOTS for part in walk(node)) > MAX_DOTS else _written(node)


def _written(node: Node) -> Node:
    if isinstance(node, Rel):
        return Rel(node.ops, tuple(map(_written, node.items)))
    if isinstance(node, Seq):
        return Seq(node.open, node.close, tuple(map(_written, node.items)), node.joined)
    if not isinstance(node, Op) or not any(part == DOTS for part in walk(node)):
        return node
    if node.name in BINDERS:
        return node
    if node.name in ("add", "mul") and DOTS in node.args:
        found = _series(node)
        return node if found is None else found
    return Op(node.name, tuple(map(_written, node.args)))


def _series(node: Op) -> Node | None:
    place = node.args.index(DOTS)
    first, last = list(node.args[:place]), list(node.args[place + 1 :])
    if node.name == "mul" and first and not last:
        return None
    if not first or not last or DOTS in last or len(first) > 8 or len(last) > 2:
        return None
    name = "sum" if node.name == "add" else "prod"
    budget = Budget(MAX_WORK)
    if not free_symbols(last[-1]):
        return _between_numbers(name, first, last)
    for variable in sorted(_counters(last[-1])):
        found = _from_rule(name, first, last, variable, budget)
        if found is not None:
            return found
    return None


def _counters(node: Node) -> frozenset[str]:
    return frozenset(name for name in free_symbols(node) if name in "nNmkpr")


def _from_rule(
    name: str, first: list[Node], last: list[Node], variable: str, budget: Budget
) -> Node | None:
    """With T(n) the last term: T(s), T(s+1), ... must be the first ones."""
    term = last[-1]
    if len(last) == 2:
        before = substituted(term, variable, Op("add", (Sym(variable), Num(-1))))
        if not compare(before, last[0], budget).equal:
            return None
    if len(first) == 1 and term != Sym(variable):
        return None
    for start in STARTS:
        if all(
            compare(substituted(term, variable, Num(start + at)), given, budget).equal
            for at, given in enumerate(first)
        ):
            index = next(n for n in "kjlq" if n not in free_symbols(Op("all", (*first, *last))))
            body = substituted(term, variable, Sym(index))
            return Op(name, (Sym(index), Num(start), Sym(variable), body))
    return None


def _between_numbers(name: str, first: list[Node], last: list[Node]) -> Node | None:
    """1 + 2 + ... + 100; 1/2 + 1/4 + ... + 1/1024: equal steps or equal quotients."""
    terms = [exact(term) for term in first]
    end = [exact(term) for term in last]
    known, ends = [t for t in terms if t is not None], [t for t in end if t is not None]
    if len(known) != len(terms) or len(ends) != len(end) or len(known) < 2:
        return None
    if name == "sum" and all(a * b < 0 for a, b in pairwise(known)):
        return _alternating(known, ends)
    final = ends[-1]
    steps = {b - a for a, b in pairwise(known)}
    if len(steps) == 1 and (step := steps.pop()) and _counts((final - known[0]) / step, known):
        return _summed(name, known[0], step, (final - known[0]) / step, ends)
    if len(known) < 3 or 0 in known or name == "prod":
        return None
    quotients = {b / a for a, b in pairwise(known)}
    if len(quotients) != 1:
        return None
    ratio, power, at = quotients.pop(), known[0], 0
    while power != final and at < MAX_TERMS and abs(power.numerator).bit_length() < 4_096:
        power, at = power * ratio, at + 1
        if power.denominator.bit_length() > 4_096:
            return None
    if power != final or (len(ends) == 2 and ends[0] * ratio != final):
        return None
    body = Op("mul", (_number(known[0]), Op("pow", (_number(ratio), Sym("k")))))
    return Op("sum", (Sym("k"), Num(0), Num(at), body))


def _alternating(known: list[Fraction], ends: list[Fraction]) -> Node | None:
    """1 - 2 + 3 - ... - 100: equal steps but for the signs."""
    plain = [-term if at % 2 else term for at, term in enumerate(known)]
    step = plain[1] - plain[0]
    count = (abs(ends[-1]) - abs(plain[0])) / (abs(plain[1]) - abs(plain[0])) if step else step
    if any(b - a != step for a, b in pairwise(plain)) or not _counts(count, known):
        return None
    for back, end in enumerate(reversed(ends)):
        place = int(count) - back
        if end != (plain[0] + place * step) * (-1) ** place:
            return None
    term = Op("add", (_number(plain[0]), Op("mul", (_number(step), Sym("k")))))
    body = Op("mul", (Op("pow", (Num(-1), Sym("k"))), term))
    return Op("sum", (Sym("k"), Num(0), Num(int(count)), body))


def _counts(count: Fraction, known: list[Fraction]) -> bool:
    return count.denominator == 1 and len(known) <= count <= MAX_TERMS


def _summed(
    name: str, first: Fraction, step: Fraction, count: Fraction, ends: list[Fraction]
) -> Node | None:
    if len(ends) == 2 and ends[1] - ends[0] != step:
        return None
    body = Op("add", (_number(first), Op("mul", (_number(step), Sym("k")))))
    return Op(name, (Sym("k"), Num(0), Num(int(count)), body))


def _number(value: Fraction) -> Node:
    if value.denominator == 1:
        return Num(int(value))
    return Op("div", (Num(value.numerator), Num(value.denominator)))
