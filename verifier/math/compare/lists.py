"""Lists, tuples and sets of values: in the order written, in any order, or by name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from verifier.math.compare.heads import headed, labels, numbered
from verifier.math.compare.signs import values
from verifier.math.tree import Const, Matrix, Node, Num, Op, Rel, Seq, Sym, free_symbols

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_ITEMS = 100
"""Items of one list; matching them costs their square."""


def same_sequence(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Two sequences, or one against a single value; the brackets say whether order counts."""
    if not isinstance(gold, Seq) or not isinstance(answer, Seq):
        sequence, other = (gold, answer) if isinstance(gold, Seq) else (answer, gold)
        assert isinstance(sequence, Seq)
        if other == Const("empty"):
            return False  # a set that holds something
        if sequence.open == "" and _several_names(sequence):
            return False
        if _mixed(sequence):
            total = Op("add", sequence.items)
            return comparison.equal(*((total, other) if sequence is gold else (other, total)))
        if sequence.open in ("", "{"):
            first = values(gold.items) if isinstance(gold, Seq) else values((gold,))
            second = values(answer.items) if isinstance(answer, Seq) else values((answer,))
            related = any(isinstance(item, Rel) for item in sequence.items)
            if sequence.open == "" and sequence is answer and not related:
                second, _ = _distinct(comparison, second)  # the same value in two forms
            return same_values(comparison, first, second, sequence.open == "{")
        if len(sequence.items) == 1:
            pair = (sequence.items[0], other)
            return comparison.equal(*(pair if sequence is gold else pair[::-1]))
        return False
    if _one_way(gold, answer):
        return False
    gold_kind, answer_kind = _kind(gold), _kind(answer)
    unordered = gold_kind in ("set", "list") and answer_kind in ("set", "list")
    if comparison.policy.order == "kept" and "set" not in (gold_kind, answer_kind):
        unordered = False
    if unordered or comparison.policy.order == "any":
        braces = "set" in (gold_kind, answer_kind)
        return same_values(comparison, values(gold.items), values(answer.items), True, braces)
    if "or" in (gold.joined, answer.joined) and "tuple" in (gold_kind, answer_kind):
        return False  # one of several values is no point
    for one, other, kinds in ((gold, answer, answer_kind), (answer, gold, gold_kind)):
        if one.open in ("", "{") and len(one.items) == 1 and kinds == "tuple":
            pair = (one.items[0], other)
            return comparison.equal(*(pair if one is gold else pair[::-1]))
    if {gold_kind, answer_kind} <= {"tuple", "list"} or gold_kind == answer_kind:
        if len(gold.items) != len(answer.items):
            return False
        return comparison.all_equal(zip(gold.items, answer.items, strict=True))
    return False


def _one_way(gold: Node, answer: Node) -> bool:
    """`x = 1` or `y = 2` on one side alone: the other says that both hold."""
    sides = [side for side in (gold, answer) if isinstance(side, Seq) and side.joined == "or"]
    if len(sides) != 1:
        return False
    names = [
        {name.partition("_")[0] for name in free_symbols(item)}
        for item in sides[0].items
        if isinstance(item, Rel)
    ]
    return any(a and b and a.isdisjoint(b) for a, b in pairwise(names))


def _several_names(node: Seq) -> bool:
    heads = [headed(item)[0] for item in node.items]
    named = any(isinstance(item, Rel) for item in node.items)
    return named and len(set(heads)) > 1 and not numbered(heads)


def _mixed(node: Seq) -> bool:
    """ "6 and 3/8": a whole number and a proper fraction."""
    if node.joined != "and" or len(node.items) != 2:
        return False
    match node.items:
        case Num(int(), -1), Op("div", (Num(int() as top, -1), Num(int() as bottom, -1))):
            return 0 < top < bottom
    return False


def other_joint(gold: Node, answer: Node) -> bool:
    """Whether one side says "or" between relations about different letters, and the other
    does not: `a = 3 or b = 4` is not `a = 3, b = 4`. About one letter both list its values."""
    if not isinstance(gold, Seq) or not isinstance(answer, Seq):
        return False
    if gold.open or answer.open or (gold.joined == "or") == (answer.joined == "or"):
        return False
    return _of_several(gold) and _of_several(answer)


def _of_several(node: Seq) -> bool:
    if not all(isinstance(item, Rel) for item in node.items):
        return False
    names = [free_symbols(item) for item in node.items]
    return len(set(names)) > 1 and not numbered(headed(item)[0] for item in node.items)


def by_labels(comparison: Comparison, gold: Node, answer: Node) -> tuple[bool | None] | None:
    """`x=2, y=3` by name; against a tuple or list without names in the order written.

    None when neither side has labels, or the other is no sequence; else what was found,
    in a tuple.
    """
    x, y = labels(gold), labels(answer)
    if x is None and y is None:
        return None
    if x is not None and y is not None:
        if _one_way(gold, answer):
            return (False,)
        if len(x) != len(y):
            return (False,)
        left = dict(y)
        if set(left) != {name for name, _ in x}:
            return (False,)
        return (comparison.all_equal([(value, left[name]) for name, value in x]),)
    named, bare = (x, answer) if x is not None else (y, gold)
    assert named is not None
    named_values = tuple(value for _, value in named)
    if isinstance(bare, Matrix) and 1 in (len(bare.rows), len(bare.rows[0])):
        bare = Seq("(", ")", tuple(cell for row in bare.rows for cell in row))
    if not isinstance(bare, Seq) or len(bare.items) != len(named_values):
        return (False,) if isinstance(bare, Seq) else None
    if {name for name, _ in named} <= _AXES:
        named_values = tuple(value for _, value in sorted(named, key=str))
    if not bare.open and numbered(name for name, _ in named):
        lists = (named_values, bare.items) if x is not None else (bare.items, named_values)
        return (same_values(comparison, *lists, True),)
    if bare.joined == "or" or _kind(bare).startswith("interval"):
        return (False,)  # neither says which name has which value
    pairs = zip(named_values, bare.items, strict=True)
    found = comparison.all_equal(pairs if x is not None else ((b, a) for a, b in pairs))
    return (found,)


_AXES = frozenset(map(Sym, "xyz"))
"""Names whose order is known, whichever is written first."""


def same_values(
    comparison: Comparison,
    gold: Sequence[Node],
    answer: Sequence[Node],
    as_sets: bool,
    braces: bool = False,
) -> bool | None:
    """The same values in any order."""
    if len(gold) > MAX_ITEMS or len(answer) > MAX_ITEMS:
        return None
    sure = also = True
    if as_sets:
        distinct, certain = _distinct(comparison, gold)
        # A bare list that repeats a value means it: "6, 6, 5" is not "6, 5, 5".
        if braces or len(distinct) == len(gold):
            gold, sure = distinct, certain
            answer, also = _distinct(comparison, answer)
    if len(gold) != len(answer):  # the longer one may hold fewer values than could be told
        return False if (sure if len(gold) > len(answer) else also) else None
    left = list(answer)
    unsure = False
    for item in gold:
        if item in left:  # the same as written
            left.remove(item)
            continue
        for place, other in enumerate(left):
            found = comparison.equal(item, other)
            if found is True:
                del left[place]
                break
            unsure = unsure or found is None
        else:
            if not unsure:
                return False
    return True if not left else None


def _distinct(comparison: Comparison, items: Sequence[Node]) -> tuple[list[Node], bool]:
    """The first of each value, and whether they surely differ; what cannot be told apart or equal
    is kept."""
    kept: list[Node] = []
    sure = True
    seen: set[Node] = set()  # two different integers are never equal
    quick = comparison.policy.percent != "lenient"
    for item in items:
        if quick and isinstance(item, Num) and item.places < 0:
            if item in seen:
                continue
            seen.add(item)
            others = [other for other in kept if other not in seen]
        else:
            others = kept
        for other in others:
            found = comparison.equal(item, other)
            if found is True:
                break
            sure = sure and found is not None
        else:
            kept.append(item)
    return kept, sure


def _kind(node: Seq) -> str:
    if node.open == "{":
        return "set"
    if node.open == "":
        return "list"
    if len(node.items) == 2 and (node.open, node.close) not in (("(", ")"), ("<", ">")):
        return "interval" + node.open + node.close
    return "tuple"
