r"""Vectors: unit vectors, transposes, sums and multiples of columns as one tuple of trees.

Invariant: what is no vector comes back as it was.
"""

from __future__ import annotations

from verifier.math.exact import exact
from verifier.math.tree import Const, Matrix, Node, Num, Op, Rel, Seq, Sym, kinds, walk

UNITS = {Const("i"): 0, Sym("i"): 0, Sym("j"): 1, Sym("k"): 2}
"""i, j and k along the axes, where a vector is expected."""

_BEYOND = frozenset((Sym("j"), Sym("k")))

MAX_TERMS = 12


def as_point(node: Node, other: Node) -> Node:
    """`P(2, -9)` beside a pair is a point, where it is no number of permutations."""
    if isinstance(node, Op) and node.name == "perm" and isinstance(other, Seq | Rel):
        count, taken = map(exact, node.args)
        if count is None or taken is None or 0 <= taken <= count:
            return node
        pair = other.items[-1] if isinstance(other, Rel) else other
        if isinstance(pair, Seq) and pair.open == "(" and len(pair.items) == 2:
            return Seq("(", ")", node.args)
    return node


def in_units(node: Node, other: Node) -> Node:
    """`2i - 5k` as a tuple where the other side is one; anything else as it is."""
    if not isinstance(node, Op) or isinstance(node, Seq):
        return node
    if isinstance(other, Seq) and other.open in ("(", "<"):
        length = len(other.items)
    elif isinstance(other, Matrix) and 1 in (len(other.rows), len(other.rows[0])):
        length = len(other.rows) * len(other.rows[0])
    else:
        return node
    return _in_units(node, length) or node


def _in_units(node: Op, length: int) -> Seq | None:
    if length not in (2, 3) or not any(part in _BEYOND for part in walk(node)):
        return None  # 2i alone is a number
    terms = node.args if node.name == "add" else (node,)
    if len(terms) > MAX_TERMS:
        return None
    sums: list[list[Node]] = [[] for _ in range(length)]
    for term in terms:
        found = _component(term)
        if found is None or found[0] >= length:
            return None
        sums[found[0]].append(found[1])
    return Seq("(", ")", tuple(_sum(parts) for parts in sums))


def _component(term: Node) -> tuple[int, Node] | None:
    """(axis, factor) of `-5k`."""
    if term in UNITS:
        return UNITS[term], Num(1)
    if not isinstance(term, Op):
        return None
    if term.name == "neg":
        inner = _component(term.args[0])
        return (inner[0], Op("neg", (inner[1],))) if inner else None
    if term.name == "div":
        inner = _component(term.args[0])
        if inner is None or any(part in UNITS for part in walk(term.args[1])):
            return None
        return inner[0], Op("div", (inner[1], term.args[1]))
    if term.name == "mul":
        axes = [arg for arg in term.args if arg in UNITS]
        others = tuple(arg for arg in term.args if arg not in UNITS)
        if len(axes) != 1 or any(part in UNITS for arg in others for part in walk(arg)):
            return None
        return UNITS[axes[0]], Op("mul", others) if len(others) > 1 else others[0]
    return None


def _sum(parts: list[Node]) -> Node:
    if not parts:
        return Num(0)
    return parts[0] if len(parts) == 1 else Op("add", tuple(parts))


def vector_value(node: Node) -> Node:
    """Transposes, sums and multiples of tuples carried out: `(1, 2) + t(3, 4)` is
    `(1 + 3t, 2 + 4t)`, `(1, 2)^T` a column."""
    if not isinstance(node, Op) or kinds(node).isdisjoint(("Seq", "Matrix")):
        return node
    if node.name in ("pow", "transpose"):
        return _transposed(node)
    if node.name == "neg":
        inner = vector_value(node.args[0])
        return _scaled(Num(-1), inner) if _is_tuple(inner) else node
    if node.name == "mul":
        args = [vector_value(arg) for arg in node.args]
        tuples = [arg for arg in args if _is_tuple(arg)]
        others = tuple(arg for arg in args if not _is_tuple(arg))
        if len(tuples) != 1 or not others or any(_structure(arg) for arg in others):
            return node
        if isinstance(node.args[0], Sym) and node.args[0].name[0].isupper():
            return node  # A(1, 2) is a point
        return _scaled(Op("mul", others) if len(others) > 1 else others[0], tuples[0])
    if node.name == "div":
        inner = vector_value(node.args[0])
        if not _is_tuple(inner) or _structure(node.args[1]):
            return node
        return _scaled(Op("div", (Num(1), node.args[1])), inner)
    if node.name == "add":
        args = [vector_value(arg) for arg in node.args]
        if (
            not all(map(_is_tuple, args))
            or len({len(a.items) for a in args if isinstance(a, Seq)}) != 1
        ):
            return node
        columns = zip(*(arg.items for arg in args if isinstance(arg, Seq)), strict=True)
        return Seq("(", ")", tuple(Op("add", column) for column in columns))
    return node


def _is_tuple(node: Node) -> bool:
    return (
        isinstance(node, Seq)
        and (node.open, node.close) in (("(", ")"), ("<", ">"))
        and not any(_structure(item) for item in node.items)
    )


def _structure(node: Node) -> bool:
    return not kinds(node).isdisjoint(("Seq", "Matrix", "Rel"))


def _scaled(factor: Node, vector: Node) -> Node:
    assert isinstance(vector, Seq)
    return Seq("(", ")", tuple(Op("mul", (factor, item)) for item in vector.items))


def _transposed(node: Op) -> Node:
    inner = node.args[0]
    if node.name == "pow" and node.args[1] not in _TRANSPOSE:
        return node
    if isinstance(inner, Matrix):
        return Matrix(tuple(zip(*inner.rows, strict=True)))
    if isinstance(inner, Seq) and inner.open in ("(", "[", "<") and len(inner.items) > 1:
        return Matrix(tuple((item,) for item in inner.items))
    return node


_TRANSPOSE = (Sym("T"), Sym("top"), Sym("intercal"))
