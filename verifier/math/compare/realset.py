"""Subsets of the real line: pieces, the operations on them, and one normal form."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from verifier.math.exact import Budget
from verifier.math.numeric import real_value
from verifier.math.tree import Const, Node, Op

END_WORK = 500
"""Work of one end, which nobody writes as a sum of a thousand terms; sets have dozens."""

INFINITY = Const("oo")
MINUS_INFINITY = Op("neg", (INFINITY,))


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


@lru_cache(maxsize=256)
def end_value(node: Node) -> Fraction | float | None:
    """The place of an end on the line: infinite, or to a hundred digits."""
    if node == INFINITY:
        return float("inf")
    if node == MINUS_INFINITY:
        return float("-inf")
    return real_value(node, Budget(END_WORK))


def holds(a: RealSet, at: Fraction) -> bool:
    """Whether a number lies in a set whose ends are numbers."""
    for piece in a.pieces:
        low, high = end_value(piece.low), end_value(piece.high)
        if low is None or high is None:
            continue
        above = low < at or (low == at and piece.low_closed)
        if above and (at < high or (at == high and piece.high_closed)):
            return True
    return False


def merged(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The normal form: pieces in order along the line, touching ones joined; as written
    where ends have no value."""
    placed = []
    for piece in pieces:
        low, high = end_value(piece.low), end_value(piece.high)
        if low is None or high is None:
            return pieces
        placed.append((low, high, piece))
    placed.sort(key=lambda item: (item[0], not item[2].low_closed, item[1]))
    result: list[tuple[Fraction | float, Fraction | float, Piece]] = []
    for low, high, piece in placed:
        if result:
            left_low, left_high, left = result[-1]
            touching = low < left_high or (
                low == left_high and (piece.low_closed or left.high_closed)
            )
            touching = touching or (low, high) == (left_low, left_high)  # one with no room
            if touching:
                if (high, piece.high_closed) > (left_high, left.high_closed):
                    left = Piece(left.low, left.low_closed, piece.high, piece.high_closed)
                    left_high = high
                result[-1] = (left_low, left_high, left)
                continue
        result.append((low, high, piece))
    return tuple(piece for _, _, piece in result)
