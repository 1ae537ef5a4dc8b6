"""Inequalities in one variable as subsets of the real line."""

from __future__ import annotations

from fractions import Fraction

from verifier.math.compare.realset import (
    END_WORK,
    INFINITY,
    MINUS_INFINITY,
    Piece,
    RealSet,
    intersection,
)
from verifier.math.compare.signs import expanded, has_signs
from verifier.math.exact import Budget
from verifier.math.numeric import SURE_BITS, evaluate, real_value
from verifier.math.tree import Node, Num, Op, Rel, Seq, Sym, free_symbols, substituted

FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
"""The same relation with its sides exchanged."""


def inequality(node: Rel) -> RealSet | None:
    """An inequality in one variable, solved where it is linear: `2 <= x < 5`, `-x > -1`."""
    names = free_symbols(node)
    if not all(op in ("<", ">", "<=", ">=", "!=") for op in node.ops):
        return None
    inside = _inside_bars(node)
    if inside is not None:
        return inside
    if len(node.ops) == 2 and node.ops[0][0] == node.ops[1][0]:
        left = _bound(node.items[1], node.ops[0], node.items[0], True)
        right = _bound(node.items[1], node.ops[1], node.items[2], False)
        if left is None or right is None:
            return None
        return _between(left, right)
    if node.ops == ("!=",) and has_signs(node.items[1]):
        return _unequal(node)
    if len(node.ops) == 1:
        for flipped in (False, True):
            first, second = node.items[::-1] if flipped else node.items
            op = FLIP[node.ops[0]] if flipped else node.ops[0]
            if isinstance(first, Sym) and first.name not in free_symbols(second):
                return _half(first.name, op, second)
        if len(names) == 1:
            return _linear(node, next(iter(names)))
    return None


def _unequal(node: Rel) -> RealSet | None:
    """`x != +-1` leaves out both."""
    result: RealSet | None = None
    for value in expanded(node.items[1]):
        one = inequality(Rel(node.ops, (node.items[0], value)))
        if one is None:
            return None
        result = one if result is None else intersection(result, one)
        if result is None:
            return None
    return result


def _inside_bars(node: Rel) -> RealSet | None:
    """`|x| < 3`, `1 <= |x - 2| <= 5`: the same bounds on both sides of a middle."""
    if len(node.ops) > 2:
        return None
    place = next((i for i, item in enumerate(node.items) if _bars(item) is not None), None)
    if place is None or (len(node.ops) == 2 and place != 1):
        return None
    found = _bars(node.items[place])
    assert found is not None
    name, middle = found
    pieces = RealSet((Piece(MINUS_INFINITY, False, INFINITY, False),), name)
    for index, op in enumerate(node.ops):
        if place not in (index, index + 1):
            return None
        op = op if place == index else FLIP[op]
        radius = node.items[index + 1 if place == index else index]
        if free_symbols(radius) or (real_value(radius) or 0) <= 0:
            return None
        low = Op("add", (middle, Op("neg", (radius,))))
        high = Op("add", (middle, radius))
        if op in ("<", "<="):
            closed = op == "<="
            part = RealSet((Piece(low, closed, high, closed),), name)
        elif op in (">", ">="):
            closed = op == ">="
            part = RealSet(
                (Piece(MINUS_INFINITY, False, low, closed), Piece(high, closed, INFINITY, False)),
                name,
            )
        else:
            return None
        cut = intersection(pieces, part)
        if cut is None:
            return None
        pieces = cut
    return pieces


def _bars(node: Node) -> tuple[str, Node] | None:
    """(x, a) of `|x - a|`."""
    if not isinstance(node, Op) or node.name != "abs":
        return None
    inner = node.args[0]
    if isinstance(inner, Sym):
        return inner.name, Num(0)
    if isinstance(inner, Op) and inner.name == "add" and len(inner.args) == 2:
        first, second = inner.args
        if isinstance(first, Sym) and not free_symbols(second):
            return first.name, Op("neg", (second,))
    return None


def _bound(middle: Node, op: str, end: Node, before: bool) -> tuple[str, str, Node] | None:
    name = element_name(middle)
    if name is None or isinstance(end, Seq | Rel):
        return None
    return name, (FLIP[op] if before else op), end


def element_name(node: Node) -> str | None:
    """The name of what an inequality is about: `x`, or `f(x)` as one thing."""
    if isinstance(node, Sym):
        return node.name
    if isinstance(node, Op) and node.name == "call" and isinstance(node.args[0], Sym):
        return node.args[0].name + "()"
    return None


def _between(left: tuple[str, str, Node], right: tuple[str, str, Node]) -> RealSet | None:
    name, low_op, low = left
    _, high_op, high = right
    if low_op[0] == "<":
        low_op, low, high_op, high = high_op, high, low_op, low
    return RealSet((Piece(low, low_op == ">=", high, high_op == "<="),), name)


def _half(name: str, op: str, end: Node) -> RealSet | None:
    if isinstance(end, Seq | Rel):
        return None
    if op in ("<", "<="):
        return RealSet((Piece(MINUS_INFINITY, False, end, op == "<="),), name)
    if op in (">", ">="):
        return RealSet((Piece(end, op == ">=", INFINITY, False),), name)
    if op == "!=":
        pieces = (Piece(MINUS_INFINITY, False, end, False), Piece(end, False, INFINITY, False))
        return RealSet(pieces, name)
    return None


def _linear(node: Rel, name: str) -> RealSet | None:
    """`a x + b REL 0` with numbers a, b, found from three values."""
    difference = Op("add", (node.items[0], Op("neg", (node.items[1],))))
    if not _plain(difference, name):
        return None
    budget = Budget(END_WORK)
    values = [evaluate(difference, {name: Fraction(at)}, budget, SURE_BITS) for at in (0, 1, 3)]
    if None in values:
        return None
    at_0, at_1, at_3 = (value for value in values if value is not None)
    slope = at_1 - at_0
    if slope.contains(0) or not slope.imag.contains(0) or not at_3.overlaps(3 * slope + at_0):
        return None
    zero = _zero(node, name)
    op = node.ops[0] if slope.real > 0 else FLIP[node.ops[0]]
    return _half(name, op, zero)


def _zero(node: Rel, name: str) -> Node:
    """-b/a as a tree, so that the end stays exact."""
    at = Op("add", (node.items[0], Op("neg", (node.items[1],))))
    b = substituted(at, name, Num(0))
    a = Op("add", (substituted(at, name, Num(1)), Op("neg", (b,))))
    return Op("neg", (Op("div", (b, a)),))


def _plain(node: Node, name: str) -> bool:
    """Built of sums and products only, so that three values prove it linear."""
    if isinstance(node, Op):
        if node.name in ("add", "neg", "mul"):
            return all(_plain(arg, name) for arg in node.args)
        return name not in free_symbols(node) or (
            node.name == "div" and name not in free_symbols(node.args[1])
        )
    return True
