"""Trees that write a subset of the real line: intervals, unions, inequalities, set-builders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.math.compare.inequalities import inequality
from verifier.math.compare.realset import (
    INFINITY,
    MINUS_INFINITY,
    Piece,
    RealSet,
    complement,
    intersection,
    merged,
    union,
)
from verifier.math.compare.signs import has_signs
from verifier.math.compare.solving import solved
from verifier.math.tree import Const, Node, Num, Op, Rel, Seq, Sym, free_symbols, walk

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_PIECES = 32
"""Pieces of one set; each union costs their product."""


_POSITIVE = Piece(Num(0), False, INFINITY, False)
_NEGATIVE = Piece(MINUS_INFINITY, False, Num(0), False)
_REALS = {
    "R": (Piece(MINUS_INFINITY, False, INFINITY, False),), "R+": (_POSITIVE,), "R-": (_NEGATIVE,),
    "R*": (_NEGATIVE, _POSITIVE), "R0+": (Piece(Num(0), True, INFINITY, False),),
    "R0-": (Piece(MINUS_INFINITY, False, Num(0), True),),
}  # fmt: skip
"""The reals and what a sign leaves of them."""


def same_subset(comparison: Comparison, gold: Node, answer: Node) -> tuple[bool | None] | None:
    """Intervals, unions and inequalities; None when one side is none of these, else what
    was found, in a tuple."""
    if not (setlike(gold) or setlike(answer)):
        return None
    x, y = real_set(gold), real_set(answer)
    if x is None and y is not None:
        found = solved(gold)
        x = found and RealSet(merged(found.pieces), found.variable)
    if x is None or y is None:
        return None
    by_inequality = x.variable is not None, y.variable is not None
    if all(by_inequality) and x.variable != y.variable:
        # "a > b" is about b as well.
        return None if _lettered(x) or _lettered(y) else (False,)
    if (
        any(by_inequality)
        and not all(by_inequality)
        and not comparison.policy.interval_vs_inequality
    ):
        return (False,)
    return (same_pieces(comparison, x, y),)


def _lettered(a: RealSet) -> bool:
    return any(free_symbols(end) for piece in a.pieces for end in (piece.low, piece.high))


def same_pieces(comparison: Comparison, x: RealSet, y: RealSet) -> bool | None:
    """Two sets in normal form, piece by piece."""
    if len(x.pieces) != len(y.pieces):
        return False
    result: bool | None = True
    for p, q in zip(x.pieces, y.pieces, strict=True):
        if (p.low_closed, p.high_closed) != (q.low_closed, q.high_closed):
            return False
        ends = comparison.all_equal(((p.low, q.low), (p.high, q.high)))
        result = False if ends is False else result and ends
    return result


def setlike(node: Node) -> bool:
    """Certainly a set of reals and not a point: an inequality, a union, a bracketed pair."""
    if isinstance(node, Rel):
        return any(op in ("<", ">", "<=", ">=", "!=", "in") for op in node.ops)
    if isinstance(node, Op):
        return node.name in ("union", "inter", "minus", "such")
    if isinstance(node, Seq):
        if node.open and len(node.items) == 2:
            if "[" in node.open or "]" in node.close:
                return True
            return any(Const("oo") in walk(item) for item in node.items)
        return not node.open and any(isinstance(item, Rel) and setlike(item) for item in node.items)
    return isinstance(node, Const) and node.name in _REALS


def real_set(node: Node) -> RealSet | None:
    """The set a tree writes down, or None when it writes no subset of the reals.

    A two-item tuple `(a, b)` is read as an open interval here; the caller decides
    whether that reading is meant.
    """
    found = _read(node)
    if found is None or len(found.pieces) > MAX_PIECES:
        return None
    return RealSet(merged(found.pieces), found.variable)


def _read(node: Node) -> RealSet | None:
    if isinstance(node, Seq) and len(node.items) == 2 and node.open in "([" and node.open:
        low, high = node.items
        if any(isinstance(end, Seq | Rel) for end in (low, high)):
            return None
        return RealSet((Piece(low, node.open == "[", high, node.close == "]"),), None)
    if isinstance(node, Seq) and node.open == "{":
        if any(isinstance(item, Seq | Rel) or item == Const("empty") for item in node.items):
            return None
        return RealSet(tuple(Piece(item, True, item, True) for item in node.items), None)
    if isinstance(node, Const) and node.name in _REALS:
        return RealSet(_REALS[node.name], None)
    if node == Const("empty"):
        return RealSet((), None)
    if isinstance(node, Op):
        return _operation(node)
    if isinstance(node, Rel):
        if node.ops == ("in",) and isinstance(node.items[0], Sym):
            inner = _read(node.items[1])
            return RealSet(inner.pieces, node.items[0].name) if inner else None
        return inequality(node)
    if isinstance(node, Seq) and not node.open and _left_out(node.items):
        first = node.items[0]
        assert isinstance(first, Rel)
        more = (Rel(("!=",), (first.items[0], item)) for item in node.items[1:])
        return _read(Seq("", "", (first, *more), "and"))
    if isinstance(node, Seq) and not node.open and all(isinstance(i, Rel) for i in node.items):
        if len(node.items) > MAX_PIECES:
            return None
        parts = [_read(item) or _one_number(item) for item in node.items]
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


def _one_number(node: Node) -> RealSet | None:
    """`x = 0` beside inequalities."""
    if not isinstance(node, Rel) or node.ops != ("=",):
        return None
    first, value = node.items
    if not isinstance(first, Sym) or isinstance(value, Seq | Rel) or free_symbols(value):
        return None
    return None if has_signs(value) else RealSet((Piece(value, True, value, True),), first.name)


def _left_out(items: tuple[Node, ...]) -> bool:
    """`x != 1, 2`."""
    first, *rest = items
    return (
        isinstance(first, Rel)
        and first.ops == ("!=",)
        and len(rest) > 0
        and not any(isinstance(item, Rel | Seq) for item in rest)
    )


def _operation(node: Op) -> RealSet | None:
    if node.name == "such":
        inner = real_set(node.args[1])
        element = node.args[0]
        if isinstance(element, Rel) and element.ops == ("in",):
            among = _read(element.items[1])
            if among is None or inner is None:
                return None
            inner = intersection(inner, among)
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
