"""Plus-minus signs: an expression with some stands for several values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from verifier.math.compare.heads import headed, labels
from verifier.math.tree import Matrix, Node, Op, Rel, Seq, kinds, walk

MAX_SIGNS = 3
"""Plus-minus signs expanded in one expression: eight values."""


def has_signs(node: Node) -> bool:
    return not _SIGNS.isdisjoint(kinds(node))


_SIGNS = frozenset(("pm", "mp"))


def overfull(node: Node) -> bool:
    """More plus-minus signs than are written out."""
    if not has_signs(node) or (isinstance(node, Seq) and node.open != "("):
        return False
    return sum(isinstance(p, Op) and p.name in ("pm", "mp") for p in walk(node)) > MAX_SIGNS


def signed_tuple(node: Node) -> bool:
    return isinstance(node, Seq) and node.open == "(" and has_signs(node)


def values(items: Sequence[Node]) -> list[Node]:
    """Each item, those with plus-minus signs as all the values they stand for."""
    result: list[Node] = []
    for item in items:
        if isinstance(item, Rel) and labels(item) is not None:
            result.append(item)  # x = y = 1 may stand for a pair
            continue
        _, value = headed(item)
        if isinstance(value, Seq) and value.open == "" and value is not item:
            result.extend(values(value.items))
        elif has_signs(value):
            result.extend(expanded(value))
        else:
            result.append(value)
    return result


def members(node: Node) -> tuple[Node, ...]:
    """The items of a set or of a list without brackets; anything else is one item."""
    return node.items if isinstance(node, Seq) and node.open in ("", "{") else (node,)


def expanded(node: Node) -> list[Node]:
    """The trees that a tree with plus-minus signs stands for."""
    count = sum(isinstance(part, Op) and part.name in ("pm", "mp") for part in walk(node))
    if count > MAX_SIGNS:
        return [node]
    linked = any(isinstance(part, Op) and part.name == "mp" for part in walk(node))
    choices = [(1,) * count, (-1,) * count] if linked else list(product((1, -1), repeat=count))
    return [_with_signs(node, list(signs)) for signs in choices]


def _with_signs(node: Node, signs: list[int]) -> Node:
    if isinstance(node, Rel):
        return Rel(node.ops, tuple(_with_signs(item, signs) for item in node.items))
    if isinstance(node, Matrix):
        return Matrix(tuple(tuple(_with_signs(c, signs) for c in row) for row in node.rows))
    if isinstance(node, Seq):
        return Seq(
            node.open, node.close, tuple(_with_signs(i, signs) for i in node.items), node.joined
        )
    if not isinstance(node, Op):
        return node
    args = tuple(_with_signs(arg, signs) for arg in node.args)
    if node.name not in ("pm", "mp"):
        return Op(node.name, args)
    positive = (signs.pop() > 0) == (node.name == "pm")
    last = args[-1] if positive else Op("neg", (args[-1],))
    return Op("add", (args[0], last)) if len(args) == 2 else last
