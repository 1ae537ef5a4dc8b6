r"""Conditions behind a value: `\sqrt x, x \ge 0`, `x^2 - 1 (x > 0)`.

Invariant: a condition that one side states and the other does not may be left out only
where the expression has no real value outside of it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.math.compare.heads import ARGUMENTS, INDICES, aligned, headed, renamed
from verifier.math.compare.realset import Piece, RealSet, end_value, holds, intersection, union
from verifier.math.compare.signs import expanded, has_signs
from verifier.math.compare.subsets import real_set, same_pieces
from verifier.math.exact import Budget
from verifier.math.numeric import is_real
from verifier.math.tree import Node, Op, Rel, Seq, Sym, free_symbols

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

_CONDITIONS = frozenset(("<", ">", "<=", ">=", "!=", "in"))

MAX_CONDITIONS = 4


def conditioned(node: Node) -> tuple[Node, Node | None]:
    """(value, condition): the condition is a relation or a list of them, or None."""
    if isinstance(node, Seq) and not node.open and node.joined in (",", "and", ";"):
        first, *rest = node.items
        if not rest or len(rest) > MAX_CONDITIONS or not all(map(_condition, rest)):
            return node, None
        if _condition(first) or (isinstance(first, Seq) and not first.open):
            return node, None
        value, condition = first, rest[0] if len(rest) == 1 else Seq("", "", tuple(rest), "and")
    else:
        value, found = _trailing(node)
        if found is None:
            return node, None
        condition = found
    _, inner = headed(value)
    names = free_symbols(condition)
    return (value, condition) if names and names <= free_symbols(inner) else (node, None)


def _condition(node: Node) -> bool:
    return isinstance(node, Rel) and _CONDITIONS.issuperset(node.ops)


def _trailing(node: Node) -> tuple[Node, Node | None]:
    """A relation as the last factor was written behind: `x^2 - 1 (x > 0)`."""
    if isinstance(node, Rel):
        if not {"=", "->"}.issuperset(node.ops):
            return node, None
        last, found = _trailing(node.items[-1])
        return (Rel(node.ops, (*node.items[:-1], last)), found) if found else (node, None)
    if not isinstance(node, Op) or node.name not in ("mul", "add", "neg"):
        return node, None
    *others, end = node.args
    if node.name == "mul" and _condition(end):
        return (Op("mul", tuple(others)) if len(others) > 1 else others[0]), end
    last, found = _trailing(end)
    return (Op(node.name, (*others, last)), found) if found else (node, None)


def restricts_argument(node: Node) -> bool:
    """`f(x) = x^2, x > 0`, `a_n = 2n (n >= 5)`: the condition is the function's domain."""
    if not isinstance(node, Seq | Rel) or (isinstance(node, Seq) and node.open):
        return False
    value, condition = conditioned(node)
    if condition is None:
        return False
    head, _ = headed(value)
    names = free_symbols(condition)
    if isinstance(head, Op) and head.name == "call":
        inside = free_symbols(head)
    else:
        inside = frozenset(head.name.partition("_")[2:]) if isinstance(head, Sym) else frozenset()
    return names <= inside and condition_set(condition) is not None


def condition_set(node: Node) -> RealSet | None:
    """The numbers a condition on one variable allows, `x = 1` and `x = \\pm 1` included."""
    if isinstance(node, Seq) and not node.open:
        if len(node.items) > MAX_CONDITIONS:
            return None
        found = [condition_set(item) for item in node.items]
        parts = [part for part in found if part is not None]
        if len(parts) < len(found) or len({part.variable for part in parts}) > 1:
            return None
        result: RealSet | None = parts[0]
        for part in parts[1:]:
            if result is None:
                return None
            join = union if node.joined == "or" else intersection
            result = join(result, part)
        return result
    if isinstance(node, Rel) and node.ops == ("=",):
        first, value = node.items
        if not isinstance(first, Sym) or free_symbols(value) or isinstance(value, Seq | Rel):
            return None
        points = expanded(value) if has_signs(value) else [value]
        return RealSet(tuple(Piece(p, True, p, True) for p in points), first.name)
    found_set = real_set(node)
    return found_set if found_set is not None and found_set.variable is not None else None


def same_conditioned(comparison: Comparison, gold: Node, answer: Node) -> tuple[bool | None] | None:
    """Values of which at least one has a condition on its variable; None when neither
    has, else what was found, in a tuple."""
    gold_value, gold_condition = conditioned(gold)
    answer_value, answer_condition = conditioned(answer)
    first = condition_set(gold_condition) if gold_condition is not None else None
    if gold_condition is not None and first is None:
        return None
    if answer_condition is not None:
        renaming = _in_letters_of(gold_value, Seq("", "", (answer_value, answer_condition)))
        if renaming is None:
            return (False,)
        if isinstance(renaming, Seq):
            answer_value, answer_condition = renaming.items
    second = condition_set(answer_condition) if answer_condition is not None else None
    if (answer_condition is not None and second is None) or first is second is None:
        return None
    head, inner = headed(gold_value)
    _, answer_inner = headed(answer_value)
    if first is None or second is None:
        bare = answer_inner if second is None else inner
        stated = first or second
        assert stated is not None
        names = {head, headed(answer_value)[0]}
        if not _all_terms(names, stated) and not _only_there(bare, stated, comparison.budget):
            return (False,)
    else:
        same = (
            same_pieces(comparison, first, second) if first.variable == second.variable else (False)
        )
        if same is not True:
            return (same,)
    if head is not None and headed(answer_value)[0] is not None:
        return (comparison.equal(inner, answer_inner),)  # in the same letters
    return (comparison.equal(gold_value, answer_value),)


def _in_letters_of(gold: Node, answer: Seq) -> Node | None:
    """The answer, condition included, in the letters of the reference."""
    head, value = headed(gold)
    other, _ = headed(answer.items[0])
    if head is not None and other is not None:
        return aligned(head, other, answer)
    return answer if head is not None or other is None else in_one_letter(value, other, answer)


def in_one_letter(gold: Node, head: Node, value: Node) -> Node:
    """The value of f(t) in the one letter that a reference without a head is written in."""
    if isinstance(head, Op) and head.name == "call" and len(head.args) == 2:
        names, letter = free_symbols(gold), head.args[1]
        if len(names) == 1 and isinstance(letter, Sym) and names <= ARGUMENTS:
            return renamed(value, {letter.name: next(iter(names))}) or value
    return value


def _all_terms(heads: set[Node | None], stated: RealSet) -> bool:
    """`n >= 1` beside a_n restricts nothing."""
    for head in heads:
        if isinstance(head, Sym) and head.name.endswith("_" + (stated.variable or " ")):
            low = [end_value(piece.low) for piece in stated.pieces]
            high = [end_value(piece.high) for piece in stated.pieces]
            if stated.variable in tuple(INDICES) and low and high[0] == float("inf"):
                first = low[0]
                return first is not None and (0 <= first < 1 or (first == 1 and _closed(stated)))
    return False


def _closed(stated: RealSet) -> bool:
    return stated.pieces[0].low_closed


def _only_there(value: Node, stated: RealSet, budget: Budget) -> bool:
    """Whether an expression in the condition's variable is real only where the condition
    holds: looked for at its ends, beside them, and far out."""
    name = stated.variable
    if name is None or free_symbols(value) != {name}:
        return False
    ends: set[Fraction] = set()
    for piece in stated.pieces:
        for end in (piece.low, piece.high):
            at = end_value(end)
            if at is None:
                return False
            if isinstance(at, Fraction):
                ends.add(at)
    if not ends:
        return True  # all reals
    inside = outside = 0
    steps = (Fraction(0), *(sign * step for step in _STEPS for sign in (1, -1)))
    for at in sorted({end + step for end in ends for step in steps}):
        real = is_real(value, {name: at}, budget)
        if holds(stated, at):
            inside += real
        elif real:
            return False
        else:
            outside += 1
    return inside > 0 and outside > 0


_STEPS = tuple(map(Fraction, ("1/1000", "1/17", "1/3", "1", "7/3", "19/2", "100", "10007")))
