"""Functions given case by case, compared with each other and with closed forms.

The line is cut at every end of every condition; at each cut and between two of them both
functions are single expressions, which are compared there.

Invariant: a condition that cannot be read leaves everything open.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import TYPE_CHECKING

from verifier.math.compare.conditions import condition_set
from verifier.math.compare.heads import INDICES
from verifier.math.compare.realset import INFINITY, MINUS_INFINITY, Piece, RealSet, end_value, holds
from verifier.math.tree import Matrix, Node, Num, Op, Rel, Seq, Sym, Text, substituted, walk

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_ROWS = 8
MAX_WHOLE = 12
"""Whole numbers between two cuts that are tried one by one."""

_OTHERWISE = frozenset(("otherwise", "else", "elsewhere", "other", "其他", "其它"))

Row = tuple[Node, RealSet]


def same_cases(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Two functions of which at least one is given case by case."""
    if any(isinstance(side, Seq | Rel | Matrix) for side in (gold, answer)):
        return None
    conditions = [c for side in (gold, answer) for c in _conditions(side)]
    names = {s.variable for s in map(condition_set, conditions) if s is not None}
    if len(names) != 1:
        return _as_written(comparison, gold, answer)
    (name,) = names
    assert name is not None
    first, second = _rows(gold, name), _rows(answer, name)
    if first is None or second is None:
        return _as_written(comparison, gold, answer)
    whole = name in tuple(INDICES) and any(
        piece.low == piece.high for rows in (first, second) for _, s in rows for piece in s.pieces
    )
    result: bool | None = True
    for at, place in _places(name, [s for rows in (first, second) for _, s in rows], whole):
        x, y = _value_at(first, at), _value_at(second, at)
        if x is None or y is None:
            if x is not y and not (whole and at <= 0):
                return False
            continue
        if x == y:
            continue
        found = comparison.scalar(substituted(x, name, place), substituted(y, name, place))
        if found is False:
            return False
        result = result and found
    return result


def is_cases(node: Node) -> bool:
    return isinstance(node, Op) and node.name == "cases"


def _conditions(node: Node) -> tuple[Node, ...]:
    return node.args[1::2] if isinstance(node, Op) and is_cases(node) else ()


def _as_written(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """The same values under the same conditions, in any order; else nobody can tell."""
    if not isinstance(gold, Op) or not isinstance(answer, Op) or gold.name != answer.name:
        return None
    rows = list(zip(gold.args[::2], gold.args[1::2], strict=True))
    left = list(zip(answer.args[::2], answer.args[1::2], strict=True))
    if len(rows) != len(left) or len(rows) > MAX_ROWS:
        return None
    for row in rows:
        place = next((i for i, other in enumerate(left)
                      if comparison.quietly_all_equal(row, other)), None)  # fmt: skip
        if place is None:
            return None
        del left[place]
    return True


def _rows(node: Node, name: str) -> list[Row] | None:
    """Each value with the numbers its condition allows; a closed form is one row."""
    if not is_cases(node):
        return [(node, _LINE)]
    assert isinstance(node, Op)
    if len(node.args) > 2 * MAX_ROWS or len(node.args) % 2:
        return None
    rows: list[Row] = []
    for value, condition in zip(node.args[::2], node.args[1::2], strict=True):
        if _otherwise(condition):
            rows.append((value, _LINE))
            continue
        allowed = condition_set(condition)
        if allowed is None or allowed.variable != name:
            return None
        if any(end_value(end) is None for p in allowed.pieces for end in (p.low, p.high)):
            return None
        if isinstance(value, Seq | Rel | Matrix) or any(isinstance(p, Text) for p in walk(value)):
            return None
        rows.append((value, allowed))
    return rows


_LINE = RealSet((Piece(MINUS_INFINITY, False, INFINITY, False),), None)


def _otherwise(node: Node) -> bool:
    words = node.text if isinstance(node, Text) else node.name if isinstance(node, Sym) else ""
    return words.strip(" .,").lower() in _OTHERWISE


def _value_at(rows: list[Row], at: Fraction) -> Node | None:
    return next((value for value, allowed in rows if holds(allowed, at)), None)


def _places(name: str, sets: list[RealSet], whole: bool) -> Iterator[tuple[Fraction, Node]]:
    """A number at each cut and in each part between, with the tree to put for the variable:
    a cut, or an expression that runs through the part."""
    cuts: dict[Fraction, Node] = {}
    for allowed in sets:
        for piece in allowed.pieces:
            for end in (piece.low, piece.high):
                at = end_value(end)
                if isinstance(at, Fraction):
                    cuts.setdefault(at, end)
    for at, end in cuts.items():
        if not whole or at.denominator == 1:
            yield at, end
    if not cuts:
        yield Fraction(0), Sym(name)
        return
    # A square, so that every value of the letter lies in the part.
    square = Op("pow", (Sym(name), Num(2)))
    places = sorted(cuts)
    yield places[0] - 1, Op("add", (cuts[places[0]], Op("neg", (square,))))
    yield places[-1] + 1, Op("add", (cuts[places[-1]], square))
    share = Op("div", (square, Op("add", (Num(1), square))))
    for low, high in pairwise(places):
        if whole:
            inside = range(floor(low) + 1, ceil(high))
            yield from ((Fraction(at), Num(at)) for at in inside[:MAX_WHOLE])
            if len(inside) <= MAX_WHOLE:
                continue
        width = Op("add", (cuts[high], Op("neg", (cuts[low],))))
        yield (low + high) / 2, Op("add", (cuts[low], Op("mul", (width, share))))
