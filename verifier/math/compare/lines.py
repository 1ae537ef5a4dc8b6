r"""Points with real parameters: `(t, 1-t), t \in \mathbb{R}`, `(1,2) + t(3,4)`.

Two of them are the same line or plane when the directions of both span the same space and
the difference of two of their points lies in it.

Invariant: decided with rational numbers only; what has others is left to renaming.

Not covered: curves beyond renaming their parameter.
"""

from __future__ import annotations

from fractions import Fraction

from verifier.math.compare.families import degree
from verifier.math.exact import exact
from verifier.math.tree import Matrix, Node, Op, Seq, free_symbols

MAX_PARTS = 8
"""Coordinates of a point."""

Vector = list[Fraction]


def as_tuple(node: Node) -> Node:
    """`(1,2) + t(3,4)` as the tuple of its coordinates; anything else as it is."""
    parts = _coordinates(node)
    return node if parts is None or isinstance(node, Seq | Matrix) else Seq("(", ")", parts)


def _coordinates(node: Node) -> tuple[Node, ...] | None:
    if isinstance(node, Seq):
        pointed = node.open in ("(", "<") and 2 <= len(node.items) <= MAX_PARTS
        plain = not any(isinstance(item, Seq) for item in node.items)
        return node.items if pointed and plain else None
    if isinstance(node, Matrix):
        column = tuple(row[0] for row in node.rows)
        return column if all(len(row) == 1 for row in node.rows) else None
    if not isinstance(node, Op):
        return None
    if node.name == "add":
        rows = [_coordinates(arg) for arg in node.args]
        known = [row for row in rows if row is not None]
        if len(known) != len(rows) or len({len(row) for row in known}) != 1:
            return None
        return tuple(Op("add", column) for column in zip(*known, strict=True))
    if node.name == "neg":
        inner = _coordinates(node.args[0])
        return None if inner is None else tuple(Op("neg", (part,)) for part in inner)
    if node.name == "mul":
        *factors, last = node.args
        inner = _coordinates(last)
        if inner is None or any(isinstance(factor, Seq | Matrix) for factor in factors):
            return None
        return tuple(Op("mul", (*factors, part)) for part in inner)
    return None


def same_flat(
    first: tuple[Node, ...], names: list[str], second: tuple[Node, ...], others: list[str]
) -> bool | None:
    """Whether two linear descriptions give the same points; None where one is not linear
    or not rational."""
    x, y = _flat(first, names), _flat(second, others)
    if x is None or y is None:
        return None
    if len(first) != len(second):
        return False
    (p, across), (q, along) = x, y
    gap = [a - b for a, b in zip(p, q, strict=True)]
    size = _rank(across)
    return size == _rank(along) == _rank([*across, *along, gap])


def _flat(parts: tuple[Node, ...], names: list[str]) -> tuple[Vector, list[Vector]] | None:
    """A point and one direction for each parameter."""
    for part in parts:
        if not free_symbols(part) <= set(names) or any(
            (degree(part, name) or 0) > 1 or degree(part, name) is None for name in names
        ):
            return None
    at = [{other: Fraction(int(other == name)) for other in names} for name in (None, *names)]
    values = [[exact(part, place) for part in parts] for place in at]
    rows = [[value for value in row if value is not None] for row in values]
    if any(len(row) != len(parts) for row in rows):
        return None
    both = [exact(part, dict.fromkeys(names, Fraction(1))) for part in parts]
    start, *ends = rows
    directions = [[a - b for a, b in zip(end, start, strict=True)] for end in ends]
    total = [a + sum(column) for a, *column in zip(start, *directions, strict=True)]
    return (start, directions) if total == both else None  # no product of two parameters


def _rank(rows: list[Vector]) -> int:
    left = [list(row) for row in rows]
    rank = 0
    for column in range(len(left[0]) if left else 0):
        pivot = next((row for row in left[rank:] if row[column]), None)
        if pivot is None:
            continue
        left.remove(pivot)
        left.insert(rank, pivot)
        for row in left[rank + 1 :]:
            factor = row[column] / pivot[column]
            row[:] = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        rank += 1
    return rank
