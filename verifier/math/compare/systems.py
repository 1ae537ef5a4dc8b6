"""Systems of equations: the same equations in any order, or linear ones with the same
solutions; lines in space, whatever their parameter is called.

Invariant: equations that are left to solve never answer for their solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from flint import fmpq, fmpq_mat

from verifier.math.compare.heads import headed, labels
from verifier.math.compare.rational import linear_form, quotients
from verifier.math.compare.vectors import vector_value
from verifier.math.tree import Node, Op, Rel, Seq, Sym, free_symbols

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_EQUATIONS = 8
MAX_LETTERS = 6

PARAMETERS = frozenset(("lambda", "mu", "theta", "alpha", "beta", *"tsuvkrmnpq"))
"""Letters that may run along a line."""


def equations(node: Node) -> list[Rel] | None:
    """The equations of a system: a list of them, or a chain `a = b = c`."""
    found: list[Rel] = []
    if isinstance(node, Seq) and (node.open or node.joined == "or" or headed(node)[0] is not None):
        return None
    for item in node.items if isinstance(node, Seq) else (node,):
        if not isinstance(item, Rel) or set(item.ops) != {"="}:
            return None
        if len(item.items) > 2 and not free_symbols(item.items[-1]):
            return None  # working that ends in a value
        found += _coordinates(item) or [Rel(("=",), pair) for pair in pairwise(item.items)]
    return found if len(found) <= MAX_EQUATIONS else None


def _coordinates(node: Rel) -> list[Rel] | None:
    """`(x, y, z) = (1, 0, 2) + t (1, 1, 1)` for each coordinate."""
    first, value = node.items[0], vector_value(node.items[-1])
    if len(node.items) != 2 or not isinstance(value, Seq) or value.open != "(":
        return None
    if isinstance(first, Sym) and len(value.items) in _AXES:
        first = Seq("(", ")", tuple(map(Sym, _AXES[len(value.items)])))
    if not isinstance(first, Seq) or len(first.items) != len(value.items):
        return None
    return [Rel(("=",), pair) for pair in zip(first.items, value.items, strict=True)]


_AXES = {2: ("x", "y"), 3: ("x", "y", "z")}
"""What a position vector's coordinates are called."""


def same_system(comparison: Comparison, gold: Node, answer: Node) -> tuple[bool | None] | None:
    """Two systems; None when one side is none, else what was found, in a tuple."""
    first, second = equations(gold), equations(answer)
    if first is None or second is None or len(first) == len(second) == 1:
        return None
    if _solved(gold) != _solved(answer):
        return (False,)
    if _solved(gold):
        return None  # values by name: no letter of theirs runs along a line
    linear = _same_lines(first, second)
    if 1 in (len(first), len(second)):
        return (True,) if linear else None  # a line in the plane
    if linear is not None:
        return (linear,)
    if len(first) != len(second):
        return (None,)
    left = list(second)
    for one in first:
        place = next((i for i, o in enumerate(left) if comparison.equal(one, o) is True), None)
        if place is None:
            return (None,)
        del left[place]
    return (True,)


def _solved(node: Node) -> bool:
    """A value for each name, which is a solution and no system."""
    named = labels(node)
    return named is not None and not any(free_symbols(value) for _, value in named)


def _same_lines(first: Sequence[Rel], second: Sequence[Rel]) -> bool | None:
    """Whether two linear systems have the same solutions; None when one is not linear."""
    systems = (first, second)
    names = [frozenset().union(*map(free_symbols, system)) for system in systems]
    shared = sorted(names[0] & names[1] - PARAMETERS) or sorted(names[0] & names[1])
    solutions = []
    for system, used in zip(systems, names, strict=True):
        own = sorted(used - set(shared))
        if not PARAMETERS.issuperset(own) or len(shared) + len(own) > MAX_LETTERS:
            return None
        rows = _rows(system, [*own, *shared])
        if rows is None:
            return None
        reduced, _ = fmpq_mat(rows).rref()
        table = [[reduced[i, j] for j in range(reduced.ncols())] for i in range(reduced.nrows())]
        kept = [row[len(own) :] for row in table if any(row) and not any(row[: len(own)])]
        if not kept or not any(kept[-1][:-1]):
            return None  # no solution, or nothing said
        solutions.append(kept)
    return solutions[0] == solutions[1]


def _rows(system: Sequence[Rel], names: Sequence[str]) -> list[list[fmpq]] | None:
    differences = [Op("add", (e.items[0], Op("neg", (e.items[1],)))) for e in system]
    found = quotients(differences, names)
    if found is None:
        return None
    rows = [linear_form(top, len(names)) for top, bottom in found if bottom.total_degree() <= 0]
    read = [row for row in rows if row is not None]
    return read if len(read) == len(system) else None
