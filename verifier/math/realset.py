"""Subsets of the real line: intervals, unions and inequalities in one normal form."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from verifier.math.exact import exact
from verifier.math.numeric import evaluate, real_value
from verifier.math.tree import Const, Node, Num, Op, Rel, Seq, Sym, free_symbols

INFINITY = Const("oo")
MINUS_INFINITY = Op("neg", (INFINITY,))
MAX_PIECES = 32
"""Pieces of one set; each union costs their product."""

_FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Piece:
    """An interval (a point where both ends are the same node)."""

    low: Node
    low_closed: bool
    high: Node
    high_closed: bool


@dataclass(frozen=True, slots=True)
class RealSet:
    pieces: tuple[Piece, ...]
    variable: str | None
    """The name an inequality gives to the element; None for an interval."""


def real_set(node: Node) -> RealSet | None:
    """The set a tree writes down, or None when it writes no subset of the reals.

    A two-item tuple `(a, b)` is read as an open interval here; the caller decides
    whether that reading is meant.
    """
    found = _read(node)
    if found is None or len(found.pieces) > MAX_PIECES:
        return None
    return RealSet(_merged(found.pieces), found.variable)


def _read(node: Node) -> RealSet | None:
    if isinstance(node, Seq) and len(node.items) == 2 and node.open in "([" and node.open:
        low, high = node.items
        if any(isinstance(end, Seq | Rel) for end in (low, high)):
            return None
        return RealSet((Piece(low, node.open == "[", high, node.close == "]"),), None)
    if isinstance(node, Seq) and node.open == "{":
        if any(isinstance(item, Seq | Rel) for item in node.items):
            return None
        return RealSet(tuple(Piece(item, True, item, True) for item in node.items), None)
    if node == Const("R"):
        return RealSet((Piece(MINUS_INFINITY, False, INFINITY, False),), None)
    if isinstance(node, Op):
        return _operation(node)
    if isinstance(node, Rel):
        return _relation(node)
    if isinstance(node, Seq) and not node.open and all(isinstance(i, Rel) for i in node.items):
        if len(node.items) > MAX_PIECES:
            return None
        parts = [_read(item) for item in node.items]
        sets = [part for part in parts if part is not None]
        if len(sets) != len(parts) or len({part.variable for part in sets}) != 1:
            return None
        if all(p.low == p.high for part in sets for p in part.pieces):
            return None  # x = 1, x = 2: a list of values
        result = sets[0]
        for part in sets[1:]:
            joined = union(result, part) if node.joined == "or" else intersection(result, part)
            if joined is None:
                return None
            result = joined
        return result
    return None


def _operation(node: Op) -> RealSet | None:
    if node.name == "such":
        inner = real_set(node.args[1])
        element = node.args[0]
        if isinstance(element, Rel) and element.ops == ("in",):
            if element.items[1] != Const("R"):
                return None
            element = element.items[0]
        if inner is None or not isinstance(element, Sym) or inner.variable != element.name:
            return None
        return RealSet(inner.pieces, None)
    if node.name not in ("union", "inter", "minus"):
        return None
    parts = [_read(arg) for arg in node.args]
    if any(part is None for part in parts):
        return None
    result = parts[0]
    for part in parts[1:]:
        if result is None or part is None:
            return None
        if node.name == "union":
            result = union(result, part)
        elif node.name == "inter":
            result = intersection(result, part)
        else:
            outside = complement(part)
            result = intersection(result, outside) if outside else None
    return result


def union(a: RealSet, b: RealSet) -> RealSet | None:
    return RealSet((*a.pieces, *b.pieces), a.variable or b.variable)


def complement(a: RealSet) -> RealSet | None:
    """The reals outside of a set whose ends are numbers."""
    result = RealSet((Piece(MINUS_INFINITY, False, INFINITY, False),), None)
    for piece in a.pieces:
        outside = RealSet(
            (
                Piece(MINUS_INFINITY, False, piece.low, not piece.low_closed),
                Piece(piece.high, not piece.high_closed, INFINITY, False),
            ),
            None,
        )
        cut = intersection(result, outside)
        if cut is None:
            return None
        result = cut
    return result


def intersection(a: RealSet, b: RealSet) -> RealSet | None:
    pieces = []
    for p in a.pieces:
        for q in b.pieces:
            ends = [end_value(end) for end in (p.low, q.low, p.high, q.high)]
            numbers = [end for end in ends if end is not None]
            if len(numbers) != 4:
                return None
            pl, ql, ph, qh = numbers
            low, low_closed = (p.low, p.low_closed) if pl > ql else (q.low, q.low_closed)
            if pl == ql:
                low_closed = p.low_closed and q.low_closed
            high, high_closed = (p.high, p.high_closed) if ph < qh else (q.high, q.high_closed)
            if ph == qh:
                high_closed = p.high_closed and q.high_closed
            bottom, top = max(pl, ql), min(ph, qh)
            if bottom < top or (bottom == top and low_closed and high_closed):
                pieces.append(Piece(low, low_closed, high, high_closed))
    return RealSet(tuple(pieces), a.variable or b.variable)


def end_value(node: Node) -> float | None:
    """The place of an end on the line."""
    if node == INFINITY:
        return float("inf")
    if node == MINUS_INFINITY:
        return float("-inf")
    return real_value(node)


def _merged(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """In order along the line, touching pieces joined; as written where ends have no value."""
    placed = []
    for piece in pieces:
        low, high = end_value(piece.low), end_value(piece.high)
        if low is None or high is None:
            return pieces
        placed.append((low, high, piece))
    placed.sort(key=lambda item: (item[0], not item[2].low_closed, item[1]))
    result: list[tuple[float, float, Piece]] = []
    for low, high, piece in placed:
        if result:
            left_low, left_high, left = result[-1]
            touching = low < left_high or (
                low == left_high and (piece.low_closed or left.high_closed)
            )
            if touching:
                if (high, piece.high_closed) > (left_high, left.high_closed):
                    left = Piece(left.low, left.low_closed, piece.high, piece.high_closed)
                    left_high = high
                result[-1] = (left_low, left_high, left)
                continue
        result.append((low, high, piece))
    return tuple(piece for _, _, piece in result)


def _relation(node: Rel) -> RealSet | None:
    """An inequality in one variable, solved where it is linear: `2 <= x < 5`, `-x > -1`."""
    names = free_symbols(node)
    if node.ops == ("in",) and isinstance(node.items[0], Sym):
        inner = _read(node.items[1])
        return RealSet(inner.pieces, node.items[0].name) if inner else None
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
    if len(node.ops) == 1:
        for flipped in (False, True):
            first, second = node.items[::-1] if flipped else node.items
            op = _FLIP[node.ops[0]] if flipped else node.ops[0]
            if isinstance(first, Sym) and first.name not in free_symbols(second):
                return _half(first.name, op, second)
        if len(names) == 1:
            return _linear(node, next(iter(names)))
    return None


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
        op = op if place == index else _FLIP[op]
        radius = node.items[index + 1 if place == index else index]
        if free_symbols(radius) or (real_value(radius) or 0.0) <= 0.0:
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
    return name, (_FLIP[op] if before else op), end


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
    exactly = [exact(difference, {name: Fraction(at)}) for at in (0, 1, 3)]
    if None not in exactly:  # no small term hides there
        at_0, at_1, at_3 = (value for value in exactly if value is not None)
        if at_3 != 3 * (at_1 - at_0) + at_0:
            return None
    values = [evaluate(difference, {name: at}) for at in (0.0, 1.0, 3.0)]
    numbers = [value[0].real for value in values if value is not None and value[0].imag == 0]
    if len(numbers) != 3:
        return None
    b, a = numbers[0], numbers[1] - numbers[0]
    if a == 0 or abs(numbers[2] - (3 * a + b)) > 1e-12 * (abs(a) + abs(b)):
        return None
    if not _plain(difference, name):
        return None
    zero = _zero(node, name)
    op = node.ops[0] if a > 0 else _FLIP[node.ops[0]]
    return _half(name, op, zero)


def _zero(node: Rel, name: str) -> Node:
    """-b/a as a tree, so that the end stays exact."""
    at = Op("add", (node.items[0], Op("neg", (node.items[1],))))
    b = _substituted(at, name, Num(0))
    a = Op("add", (_substituted(at, name, Num(1)), Op("neg", (b,))))
    return Op("neg", (Op("div", (b, a)),))


def _substituted(node: Node, name: str, value: Node) -> Node:
    if node == Sym(name):
        return value
    if isinstance(node, Op):
        return Op(node.name, tuple(_substituted(arg, name, value) for arg in node.args))
    return node


def _plain(node: Node, name: str) -> bool:
    """Built of sums and products only, so that three values prove it linear."""
    if isinstance(node, Op):
        if node.name in ("add", "neg", "mul"):
            return all(_plain(arg, name) for arg in node.args)
        return name not in free_symbols(node) or (
            node.name == "div" and name not in free_symbols(node.args[1])
        )
    return True
