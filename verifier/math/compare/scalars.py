"""Two scalars without units: exactly, in proportion, as written, rounded, or by their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.math.compare.rounding import rounds, written_decimal
from verifier.math.exact import exact
from verifier.math.numeric import compare
from verifier.math.policy import Tier
from verifier.math.products import ordered
from verifier.math.tree import Base, Const, Node, Num, Op, Sym, kinds, walk

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

_UNBOUNDED = frozenset(("oo", "R", "Z", "N", "Q", "C", "P", "empty", "dots"))
"""Constants without a value to compute with."""


def same_scalar(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Two scalars whose units are taken off; the cheapest step that tells decides."""
    if gold == answer:
        return True
    x, y = exact(gold, None, comparison.budget), exact(answer, None, comparison.budget)
    if x is not None and y is not None:
        if x == y:
            return True
        return rounds(comparison, gold, x, answer, y)
    if _is_ratio(gold) or _is_ratio(answer):
        return _ratios(comparison, gold, answer)
    if _special(gold) or _special(answer):
        return _specials(comparison, gold, answer)
    comparison.uses(Tier.NUMERIC)
    if written_decimal(gold) or written_decimal(answer):
        return rounds(comparison, gold, x, answer, y)
    found = compare(gold, answer, comparison.budget)
    plain_log = found.equal is False and (_plain_log(gold) or _plain_log(answer))
    # "log" without a base is the natural or the common one.
    if plain_log:
        common = compare(_common_log(gold), _common_log(answer), comparison.budget)
        if common.equal is True:
            return True
    if found.equal is not None:
        comparison.uses(found.tier)
        comparison.point = found.point if found.equal is False else None
        return found.equal
    if ordered(gold) or ordered(answer):
        return None  # SymPy would let the factors commute
    return comparison.settled(gold, answer)


def _plain_log(node: Node) -> bool:
    return "log" in kinds(node) and any(
        isinstance(p, Op) and p.name == "log" and len(p.args) == 1 for p in walk(node)
    )


def _common_log(node: Node) -> Node:
    if not isinstance(node, Op):
        return node
    args = tuple(map(_common_log, node.args))
    return (
        Op("log", (*args, Num(10)))
        if node.name == "log" and len(args) == 1
        else Op(node.name, args)
    )


def _ratios(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """`7:32` in proportion; a time of day as written; against a quotient for two."""
    if _is_ratio(gold) and _is_ratio(answer):
        assert isinstance(gold, Op)
        assert isinstance(answer, Op)
        if len(gold.args) != len(answer.args):
            return False
        if any(exact(arg) == 0 for arg in (*gold.args, *answer.args)):
            return comparison.all_equal(zip(gold.args, answer.args, strict=True))
        a, b = gold.args[0], answer.args[0]
        rest = zip(gold.args[1:], answer.args[1:], strict=True)
        return comparison.all_equal((Op("mul", (c, b)), Op("mul", (d, a))) for c, d in rest)
    ratio, other = (gold, answer) if _is_ratio(gold) else (answer, gold)
    assert isinstance(ratio, Op)
    if len(ratio.args) != 2:
        return False
    if ratio.args[1] == Num(0):  # 3:00 is three o'clock
        return comparison.scalar(ratio.args[0], other)
    return comparison.scalar(Op("div", ratio.args), other)


def _is_ratio(node: Node) -> bool:
    return isinstance(node, Op) and node.name == "ratio"


def _specials(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Infinity, dots and names of sets: only as written."""
    if any(isinstance(side, Op) and "dots" in kinds(side) for side in (gold, answer)):
        return None  # dots whose rule was not found
    if _special(gold) != _special(answer):
        return False
    if isinstance(gold, Op) and isinstance(answer, Op) and gold.name == answer.name:
        if len(gold.args) == len(answer.args):
            return True if comparison.all_equal(zip(gold.args, answer.args, strict=True)) else None
        return None
    if isinstance(gold, Const) or isinstance(answer, Const):
        return False
    return None


def _special(node: Node) -> bool:
    return not _SPECIAL.isdisjoint(kinds(node)) and not (
        isinstance(node, Op) and node.name in ("sum", "prod", "int", "lim", "det")
    )


_SPECIAL = _UNBOUNDED | {"Text", "Matrix", "mark", "cases", "pmod"}


def _written(node: Node) -> str:
    """Digits and letters run together, as in `3A7`, which was read as a product."""
    if isinstance(node, Num):
        return str(node.value) if node.places < 0 else ""
    if isinstance(node, Sym):
        return node.name if len(node.name) == 1 else ""
    if isinstance(node, Const):
        return node.name if node.name == "e" else ""
    if not isinstance(node, Op) or node.name != "mul":
        return ""
    parts = [_written(arg) for arg in node.args]
    return "".join(parts) if all(parts) else ""


def same_digits(gold: Node, answer: Node) -> bool | None:
    """Digits with a base. Without one, digits answer a question that named the base."""
    if isinstance(gold, Base) and isinstance(answer, Base):
        if gold.base == answer.base:
            return gold.digits.lstrip("0") == answer.digits.lstrip("0")
        return False  # the question named the base: another one restates it
    if isinstance(gold, Base):
        return _written(answer).upper() == gold.digits.upper()
    x, y = exact(gold), exact(answer)
    return x == y if x is not None and y is not None else False
