"""One answer against one reference: what kind of thing each side is, and part by part.

`Comparison.equal` walks both trees and says True, False or None. Scalars inside are
decided by exact, then numeric; those that neither can tell are kept in `open`, and a
caller that has settled them (symbolically) asks again with the answers in `known`.

Invariants:
- Pure: no state outside of the object, nothing is ever evaluated as code.
- None is never turned into a match: an undecided part leaves the whole undecided,
  unless another part already differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from verifier.math.compare.cases import is_cases, same_cases
from verifier.math.compare.conditions import (
    conditioned,
    in_one_letter,
    restricts_argument,
    same_conditioned,
)
from verifier.math.compare.constants import up_to_constants
from verifier.math.compare.equations import relations, same_relation
from verifier.math.compare.heads import aligned, headed, is_equation, labels, stated
from verifier.math.compare.lists import by_labels, other_joint, same_sequence, same_values
from verifier.math.compare.matrices import matrix_value, same_cells
from verifier.math.compare.parametric import same_parametric
from verifier.math.compare.quantities import same_quantity
from verifier.math.compare.signs import has_signs, members, overfull, signed_tuple, values
from verifier.math.compare.subsets import same_subset, setlike
from verifier.math.compare.systems import same_system
from verifier.math.compare.vectors import as_point, in_units, vector_value
from verifier.math.exact import Budget
from verifier.math.numeric import Point
from verifier.math.policy import MathPolicy, Tier
from verifier.math.tree import Matrix, Node, Op, Rel, Seq, free_symbols, kinds

MAX_OPEN = 4
"""Pairs handed to the symbolic step for one answer."""

MAX_CALLS = 100
"""Comparisons of parts inside each other; each takes some five frames."""

PART_WORK = 3
"""Work of one comparison of parts beside what its values cost."""

_BOUNDS = frozenset(("<", ">", "<=", ">="))

_RANK = {tier: place for place, tier in enumerate(Tier)}
"""The cheapest step first."""


class Comparison:
    def __init__(
        self, policy: MathPolicy, known: Mapping[tuple[Node, Node], bool | None] | None = None
    ) -> None:
        self.policy = policy
        self.known = known or {}
        self.budget = Budget()
        """What is left for this pair; when it is spent, nothing more is told apart."""
        self.calls = 0
        self.open: list[tuple[Node, Node]] = []
        """Scalar pairs nobody could tell, at most MAX_OPEN."""
        self.tier = Tier.EXACT
        """The dearest step any part of the answer needed."""
        self.point: Point | None = None
        """A point at which the two sides differ, when one was found."""

    def equal(self, gold: Node, answer: Node) -> bool | None:
        self.budget.left -= PART_WORK
        if self.budget.left < 0 or self.calls >= MAX_CALLS:
            return None
        self.calls += 1
        found = self._equal(gold, answer)
        self.calls -= 1
        return found

    def _equal(self, gold: Node, answer: Node) -> bool | None:
        if gold == answer:
            self.uses(Tier.STRUCTURE)
            return True
        if overfull(gold) or overfull(answer):
            return None
        if self.calls == 1 and not (restricts_argument(gold) or restricts_argument(answer)):
            # A complete answer may stand for many values.
            found = same_parametric(self, gold, answer)
            if found is not None:
                return found
        found = self._one_answer(gold, answer)
        if self.calls > 1 or found or not free_symbols(gold) or not free_symbols(answer):
            return found
        return up_to_constants(self, gold, answer) or found

    def _one_answer(self, gold: Node, answer: Node) -> bool | None:
        gold, answer = (matrix_value(vector_value(_unwrapped(side))) for side in (gold, answer))
        if _parts(gold) or _parts(answer):
            self.uses(Tier.STRUCTURE)
            return self._structures(gold, answer)
        if has_signs(gold) or has_signs(answer):
            self.uses(Tier.STRUCTURE)
            return same_values(self, values((gold,)), values((answer,)), False)
        if _given_in_parts(gold) or _given_in_parts(answer):
            return self._structures(gold, answer)
        return self.scalar(gold, answer)

    def _structures(self, gold: Node, answer: Node) -> bool | None:
        if other_joint(gold, answer):
            return False
        gold, answer = as_point(gold, answer), as_point(answer, gold)
        if "Rel" in kinds(gold) or "Rel" in kinds(answer):
            found = same_conditioned(self, gold, answer)
            if found is None:
                found = self._by_names(gold, answer)
            if found is None:
                found = same_system(self, gold, answer)
            if found is not None:
                return found[0]
        if signed_tuple(gold) or signed_tuple(answer):
            return same_values(self, values(members(gold)), values(members(answer)), True)
        head_g, value_g = headed(gold)
        head_a, value_a = headed(answer)
        if head_g is not None and head_a is not None:
            value = aligned(head_g, head_a, value_a)
            if value is not None:
                return self.equal(value_g, value)
            calls = [h for h in (head_g, head_a) if isinstance(h, Op) and h.name == "call"]
            if isinstance(gold, Rel) and isinstance(answer, Rel) and len(calls) < 2:
                return same_relation(self, gold, answer)
            return False
        if any(
            isinstance(head, Seq) and isinstance(other, Rel) and _BOUNDS.issuperset(other.ops)
            for head, other in ((head_g, answer), (head_a, gold))
        ):
            return False  # (x, y) = (1, 2) is no interval
        if head_g is not None and not is_equation(answer):
            return self.equal(value_g, value_a)
        if isinstance(answer, Seq) and head_a is not None and _ordered(value_g):
            return False  # x = 1, x = 2 is no pair
        if head_a is not None and not is_equation(gold):
            return self.equal(value_g, in_one_letter(value_g, head_a, value_a))
        if value_g is not gold and not isinstance(answer, Rel):
            return self.equal(value_g, answer)
        if value_a is not answer and not isinstance(gold, Rel):
            return self.equal(gold, value_a)
        return self._unnamed(gold, answer)

    def _by_names(self, gold: Node, answer: Node) -> tuple[bool | None] | None:
        """Both sides name their values, or one shares a value out among the places of a
        tuple: None when neither is so, else what was found, in a tuple."""
        names = labels(gold), labels(answer)
        if None not in names:
            found = by_labels(self, gold, answer)
            return (
                found
                if found is None or found[0] is True
                else (same_system(self, gold, answer) or found)
            )
        for side, other in ((gold, answer), (answer, gold)):
            if isinstance(side, Rel) and labels(side) and isinstance(other, Seq) and other.open:
                return by_labels(self, gold, answer)
        return None

    def _unnamed(self, gold: Node, answer: Node) -> bool | None:
        """Two sides of which none is the value of a name."""
        sets = same_subset(self, gold, answer)
        if sets is not None:
            return sets[0]
        gold, answer = in_units(gold, answer), in_units(answer, gold)
        if isinstance(gold, Rel) or isinstance(answer, Rel):
            return self._relations(gold, answer)
        labelled = by_labels(self, gold, answer)
        if labelled is not None:
            return labelled[0]
        if isinstance(gold, Matrix) or isinstance(answer, Matrix):
            return same_cells(self, gold, answer)
        if isinstance(gold, Seq) or isinstance(answer, Seq):
            return same_sequence(self, gold, answer)
        if is_cases(gold) or is_cases(answer):
            return same_cases(self, gold, answer)
        if isinstance(gold, Op) and isinstance(answer, Op) and gold.name == answer.name:
            if len(gold.args) != len(answer.args):
                return False
            same = self.all_equal(zip(gold.args, answer.args, strict=True))
            return True if same else None
        return None if setlike(gold) and setlike(answer) else False

    def _relations(self, gold: Node, answer: Node) -> bool | None:
        if isinstance(gold, Rel) and isinstance(answer, Rel):
            return same_relation(self, gold, answer)
        relation, other = (gold, answer) if isinstance(gold, Rel) else (answer, gold)
        assert isinstance(relation, Rel)
        if has_signs(relation) and isinstance(other, Seq):
            first, second = relations(gold), relations(answer)
            if first is None or second is None:
                return None
            return same_values(self, first, second, True)
        # In a list `x + y = 1` is an equation of a system.
        value = stated(relation, relation is gold or self.calls > 1)
        if value is None and relation is answer and self._identity(relation):
            value = relation.items[-1]
        if value is not None:
            return self.equal(*((value, other) if relation is gold else (other, value)))
        # Only a set could be meant.
        return None if setlike(other) and not isinstance(other, Seq) else False

    def _identity(self, node: Rel) -> bool:
        """`x^2 - 1 = (x-1)(x+1)`: working that ends in the answer."""
        first, last = node.items[0], node.items[-1]
        if set(node.ops) != {"="} or not free_symbols(last) or isinstance(last, Seq | Rel):
            return False
        return self.quietly_all_equal((first,), (last,))

    def scalar(self, gold: Node, answer: Node) -> bool | None:
        """Two trees that are no list, relation or matrix and hold no plus-minus sign."""
        return same_quantity(self, gold, answer)

    def all_equal(self, pairs: Iterable[tuple[Node, Node]]) -> bool | None:
        """False at the first pair that differs; None when some pair cannot be told."""
        result: bool | None = True
        for gold, answer in pairs:
            found = self.equal(gold, answer)
            if found is False:
                return False
            result = result and found
        return result

    def quietly_all_equal(self, gold: Sequence[Node], answer: Sequence[Node]) -> bool:
        """True only when all parts are equal; what stays open is not asked symbolically."""
        kept = list(self.open)
        found = self.all_equal(zip(gold, answer, strict=True))
        self.open = kept
        return found is True

    def settled(self, gold: Node, answer: Node) -> bool | None:
        """What the caller knows of a pair that no step here can tell; else it stays open."""
        if (gold, answer) in self.known:
            self.uses(Tier.SYMBOLIC)
            return self.known[gold, answer]
        if len(self.open) < MAX_OPEN:
            self.open.append((gold, answer))
        return None

    def uses(self, tier: Tier) -> None:
        """Notes that a part needed this step."""
        if _RANK[tier] > _RANK[self.tier]:
            self.tier = tier


def _parts(node: Node) -> bool:
    return isinstance(node, Seq | Rel | Matrix)


def _ordered(node: Node) -> bool:
    return isinstance(node, Seq) and node.open in ("(", "[", "<") and len(node.items) > 1


def _given_in_parts(node: Node) -> bool:
    """Sets built from others, functions case by case, values with a condition behind."""
    if not isinstance(node, Op):
        return False
    return node.name in ("union", "inter", "minus", "such", "cases") or (
        node.name in ("mul", "add", "neg") and conditioned(node)[1] is not None
    )


def _unwrapped(node: Node) -> Node:
    """Without the brackets and remarks that change nothing."""
    if (
        isinstance(node, Op)
        and node.name == "unit"
        and isinstance(node.args[0], Seq | Matrix | Rel)
    ):
        return node.args[0]
    if isinstance(node, Op) and node.name == "pmod":
        return node.args[0]
    if isinstance(node, Op) and node.name == "mark":
        return node.args[1]
    return node
