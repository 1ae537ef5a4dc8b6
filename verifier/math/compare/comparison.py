"""One answer against one reference: what kind of thing each side is, and part by part.

`Comparison.equal` walks both trees and says True, False or None. Scalars inside are
decided by exact, then numeric; those that neither can tell are kept in `open`, and a
caller that has settled them (symbolically) asks again with the answers in `known`.

Invariants:
- Pure: no state outside of the object, nothing is ever evaluated as code.
- None is never turned into a match: an undecided part leaves the whole undecided,
  unless another part already differs.

Not covered: piecewise functions beyond part-by-part comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from verifier.math.compare.constants import up_to_constants
from verifier.math.compare.equations import same_relation
from verifier.math.compare.heads import headed, is_equation, same_head
from verifier.math.compare.lists import by_labels, same_sequence, same_values
from verifier.math.compare.matrices import matrix_value, same_cells
from verifier.math.compare.parametric import same_parametric
from verifier.math.compare.quantities import same_quantity
from verifier.math.compare.signs import has_signs, members, overfull, signed_tuple, values
from verifier.math.compare.subsets import same_subset, setlike
from verifier.math.exact import Budget
from verifier.math.numeric import Point
from verifier.math.policy import MathPolicy, Tier
from verifier.math.tree import Matrix, Node, Op, Rel, Seq

MAX_OPEN = 4
"""Pairs handed to the symbolic step for one answer."""

MAX_CALLS = 100
"""Comparisons of parts inside each other; each takes some five frames."""

PART_WORK = 3
"""Work of one comparison of parts beside what its values cost."""

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
        if self.calls == 1:  # a complete answer may stand for many values
            found = same_parametric(self, gold, answer)
            if found is not None:
                return found
        found = self._parts(gold, answer)
        if self.calls == 1 and not found and up_to_constants(self, gold, answer):
            return True
        return found

    def _parts(self, gold: Node, answer: Node) -> bool | None:
        gold, answer = matrix_value(_unwrapped(gold)), matrix_value(_unwrapped(answer))
        if isinstance(gold, Seq | Rel | Matrix) or isinstance(answer, Seq | Rel | Matrix):
            self.uses(Tier.STRUCTURE)
            return self._structures(gold, answer)
        if has_signs(gold) or has_signs(answer):
            self.uses(Tier.STRUCTURE)
            return same_values(self, values((gold,)), values((answer,)), False)
        if isinstance(gold, Op) and gold.name in ("union", "inter", "minus", "such", "cases"):
            return self._structures(gold, answer)
        if isinstance(answer, Op) and answer.name in ("union", "inter", "minus", "such", "cases"):
            return self._structures(gold, answer)
        return self.scalar(gold, answer)

    def _structures(self, gold: Node, answer: Node) -> bool | None:
        if signed_tuple(gold) or signed_tuple(answer):
            return same_values(self, values(members(gold)), values(members(answer)), True)
        head_g, value_g = headed(gold)
        head_a, value_a = headed(answer)
        if head_g is not None and head_a is not None:
            if same_head(head_g, head_a):
                return self.equal(value_g, value_a)
            calls = [h for h in (head_g, head_a) if isinstance(h, Op) and h.name == "call"]
            if isinstance(gold, Rel) and isinstance(answer, Rel) and len(calls) < 2:
                return same_relation(self, gold, answer)
            return False
        if head_g is not None and not is_equation(answer):
            return self.equal(value_g, value_a)
        if head_a is not None and not is_equation(gold):
            return self.equal(value_g, value_a)
        if value_g is not gold and not isinstance(answer, Rel):
            return self.equal(value_g, answer)
        if value_a is not answer and not isinstance(gold, Rel):
            return self.equal(gold, value_a)
        sets = same_subset(self, gold, answer)
        if sets is not None:
            return sets[0]
        if isinstance(gold, Rel) and isinstance(answer, Rel):
            return same_relation(self, gold, answer)
        if isinstance(gold, Rel) or isinstance(answer, Rel):
            return self._one_relation(gold, answer)
        labelled = by_labels(self, gold, answer)
        if labelled is not None:
            return labelled[0]
        if isinstance(gold, Matrix) or isinstance(answer, Matrix):
            return same_cells(self, gold, answer)
        if isinstance(gold, Seq) or isinstance(answer, Seq):
            return same_sequence(self, gold, answer)
        if isinstance(gold, Op) and isinstance(answer, Op) and gold.name == answer.name:
            if len(gold.args) != len(answer.args):
                return False
            same = self.all_equal(zip(gold.args, answer.args, strict=True))
            return True if same else None
        return None if setlike(gold) and setlike(answer) else False

    def scalar(self, gold: Node, answer: Node) -> bool | None:
        """Two trees that are no list, relation or matrix and hold no plus-minus sign."""
        return same_quantity(self, gold, answer)

    def _one_relation(self, gold: Node, answer: Node) -> bool | None:
        """A relation against something that is none: only a set could be meant."""
        other = answer if isinstance(gold, Rel) else gold
        return None if setlike(other) and not isinstance(other, Seq) else False

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
