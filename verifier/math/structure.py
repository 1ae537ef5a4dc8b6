"""Comparing whole answers: what kind of thing each side is, and part by part.

`Comparison.equal` walks both trees and says True, False or None. Scalars inside are
decided by exact, then numeric; those that neither can tell are kept in `open`, and a
caller that has settled them (symbolically) asks again with the answers in `known`.

Invariants:
- Pure: no state outside of the object, nothing is ever evaluated as code.
- None is never turned into a match: an undecided part leaves the whole undecided,
  unless another part already differs.

Not covered: systems of equations up to equivalence, parametrised solution families up
to renaming, piecewise functions beyond part-by-part comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product

from verifier.math.exact import Budget, exact
from verifier.math.numeric import compare, evaluate, real_value
from verifier.math.policy import MathPolicy, Tier
from verifier.math.realset import Piece, RealSet, real_set
from verifier.math.tree import (
    Base,
    Const,
    Matrix,
    Node,
    Num,
    Op,
    Rel,
    Seq,
    Sym,
    Text,
    free_symbols,
    walk,
)
from verifier.math.units import canonical, factor

MAX_ITEMS = 100
"""Items of one list; matching them costs their square."""

MAX_OPEN = 4
"""Pairs handed to the symbolic step for one answer."""

ROOT_STEP = 0.3
ROOT_POINTS = 20
"""Where a zero of an equation is looked for: twenty places and one bisection."""

MAX_MATRIX = 6
"""Rows or columns of matrices that are added and multiplied."""

MAX_MATRIX_PRODUCTS = 1_500
"""Products of cells behind one cell of the result."""

MAX_CALLS = 100
"""Comparisons of parts inside each other; each takes some five frames."""

PART_WORK = 3
"""Work of one comparison of parts beside what its values cost."""

MAX_SIGNS = 3
"""Plus-minus signs expanded in one expression: eight values."""

FLOAT_DIGITS = 15
"""A decimal that shows this many digits is a printed float: its last ones are noise."""

DOUBLE_DIGITS = 16
DOUBLE_NOISE = Fraction(1, 10**15)
"""0.30000000000000004 is how a double prints 0.3."""

FLOAT_NOISE = Fraction(1, 10**14)
"""Relative error a printed float may have against an exact reference."""

_VALUE_OPS = frozenset(("=", "~"))
_FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_UNBOUNDED = frozenset(("oo", "R", "Z", "N", "Q", "C", "empty", "dots"))
_RANK = {Tier.STRING: 0, Tier.EXACT: 1, Tier.STRUCTURE: 2, Tier.NUMERIC: 3, Tier.SYMBOLIC: 4}
_POINTS = ({0: 0.7390851, 1: 1.3247179}, {0: 1.9021605, 1: 0.5671432}, {0: 2.3983172, 1: 1.7632228})


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
        self.point: dict[str, float] | None = None
        """A point at which the two sides differ, when one was found."""

    # ------------------------------------------------------------ whole answers

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
            self._uses(Tier.STRUCTURE)
            return True
        if _overfull(gold) or _overfull(answer):
            return None
        gold, answer = matrix_value(_unwrapped(gold)), matrix_value(_unwrapped(answer))
        if isinstance(gold, Seq | Rel | Matrix) or isinstance(answer, Seq | Rel | Matrix):
            self._uses(Tier.STRUCTURE)
            return self._structures(gold, answer)
        if _signs(gold) or _signs(answer):
            self._uses(Tier.STRUCTURE)
            return self._lists(_values((gold,)), _values((answer,)), False)
        if isinstance(gold, Op) and gold.name in ("union", "inter", "minus", "such", "cases"):
            return self._structures(gold, answer)
        if isinstance(answer, Op) and answer.name in ("union", "inter", "minus", "such", "cases"):
            return self._structures(gold, answer)
        return self.scalar(gold, answer)

    def _structures(self, gold: Node, answer: Node) -> bool | None:
        if _signed_tuple(gold) or _signed_tuple(answer):
            return self._lists(_values((gold,)), _values(_bare(answer)), True)
        head_g, value_g = headed(gold)
        head_a, value_a = headed(answer)
        if head_g is not None and head_a is not None:
            if same_head(head_g, head_a):
                return self.equal(value_g, value_a)
            calls = [h for h in (head_g, head_a) if isinstance(h, Op) and h.name == "call"]
            if isinstance(gold, Rel) and isinstance(answer, Rel) and len(calls) < 2:
                return self._relations(gold, answer)
            return False
        if head_g is not None and not _is_equation(answer):
            return self.equal(value_g, value_a)
        if head_a is not None and not _is_equation(gold):
            return self.equal(value_g, value_a)
        if value_g is not gold and not isinstance(answer, Rel):
            return self.equal(value_g, answer)
        if value_a is not answer and not isinstance(gold, Rel):
            return self.equal(gold, value_a)
        sets = self._sets(gold, answer)
        if sets is not None:
            return sets[0]
        if isinstance(gold, Rel) and isinstance(answer, Rel):
            return self._relations(gold, answer)
        if isinstance(gold, Rel) or isinstance(answer, Rel):
            return self._one_relation(gold, answer)
        labelled = self._labelled(gold, answer)
        if labelled is not None:
            return labelled[0]
        if isinstance(gold, Matrix) or isinstance(answer, Matrix):
            return self._matrices(gold, answer)
        if isinstance(gold, Seq) or isinstance(answer, Seq):
            return self._sequences(gold, answer)
        if isinstance(gold, Op) and isinstance(answer, Op) and gold.name == answer.name:
            if len(gold.args) != len(answer.args):
                return False
            same = self._all(zip(gold.args, answer.args, strict=True))
            return True if same else None
        return None if _setlike(gold) and _setlike(answer) else False

    # ------------------------------------------------------------ scalars

    def scalar(self, gold: Node, answer: Node) -> bool | None:
        """Two scalars, their units, percent signs and degrees by policy."""
        if gold == answer:
            return True
        gold_value, gold_unit = split_unit(gold)
        answer_value, answer_unit = split_unit(answer)
        if gold_unit != answer_unit and not (gold_unit and answer_unit):
            if gold_unit and not free_symbols(gold):
                answer_value, answer_unit = letter_unit(answer_value, answer_unit)
            elif answer_unit and not free_symbols(answer):
                gold_value, gold_unit = letter_unit(gold_value, gold_unit)
        if gold_unit != answer_unit:
            return self._with_units(gold_value, gold_unit, answer_value, answer_unit)
        if (
            _is_negative(gold_value)
            and _is_negative(answer_value)
            and isinstance(gold_value, Op)
            and isinstance(answer_value, Op)
        ):
            gold_value, answer_value = gold_value.args[0], answer_value.args[0]
        if isinstance(gold_value, Base) or isinstance(answer_value, Base):
            return _bases(gold_value, answer_value)
        return self._values_equal(gold_value, answer_value)

    def _with_units(
        self, gold: Node, gold_unit: str, answer: Node, answer_unit: str
    ) -> bool | None:
        percent = "%" in (gold_unit, answer_unit)
        if self.policy.units == "required" and not percent:
            return False
        if percent:
            if gold_unit and answer_unit:
                return False
            bare, signed = (gold, answer) if answer_unit == "%" else (answer, gold)
            if self.policy.percent == "strict":
                return False
            found = self._values_equal(Op("div", (signed, Num(100))), bare)
            if found is True:
                return True
            if self.policy.percent == "lenient" or self.policy.units == "ignored":
                return _either(found, self._values_equal(signed, bare))
            return found
        if gold_unit and answer_unit:
            return self._two_units(gold, gold_unit, answer, answer_unit)
        found = self._values_equal(gold, answer)
        if found is not True and "deg" in (gold_unit, answer_unit):
            first = Op("deg", (gold,)) if gold_unit else gold
            second = Op("deg", (answer,)) if answer_unit else answer
            if any(part == Const("pi") for part in walk(Op("both", (first, second)))):
                return _either(found, self._values_equal(first, second))
        return found

    def _two_units(self, gold: Node, gold_unit: str, answer: Node, answer_unit: str) -> bool | None:
        """Convertible units convert, other units differ; of mere words nobody can tell."""
        if "?" in (gold_unit[0], answer_unit[0]):
            same = gold_unit[0] == answer_unit[0] and (
                gold_unit[1:] in answer_unit or answer_unit[1:] in gold_unit
            )
            found = self._values_equal(gold, answer)
            return found if same or found is False else None
        scale = factor(answer_unit, gold_unit)
        if scale is None:
            return False
        ratio = Op("div", (Num(scale.numerator), Num(scale.denominator)))
        return self._values_equal(gold, Op("mul", (answer, ratio)))

    def _values_equal(self, gold: Node, answer: Node) -> bool | None:
        found = self._decide(gold, answer)
        if found is not True and self.policy.percent == "lenient":
            for first, second in ((gold, answer), (answer, gold)):
                if self._decide(Op("div", (first, Num(100))), second) is True:
                    return True
        return found

    def _decide(self, gold: Node, answer: Node) -> bool | None:
        if gold == answer:
            return True
        x, y = exact(gold, None, self.budget), exact(answer, None, self.budget)
        if x is not None and y is not None:
            if x == y:
                return True
            return self._rounds(gold, x, answer, y)
        if _is_ratio(gold) or _is_ratio(answer):
            return self._ratios(gold, answer)
        if _special(gold) or _special(answer):
            return self._specials(gold, answer)
        self._uses(Tier.NUMERIC)
        if _decimal(gold) or _decimal(answer):
            return self._rounds(gold, x, answer, y)
        found = compare(gold, answer, self.budget)
        plain_log = found.equal is False and (_plain_log(gold) or _plain_log(answer))
        # "log" without a base is the natural or the common one.
        if plain_log:
            common = compare(_common_log(gold), _common_log(answer), self.budget)
            if common.equal is True:
                return True
        if found.equal is not None:
            self.point = found.point if found.equal is False else None
            return found.equal
        if (gold, answer) in self.known:
            self._uses(Tier.SYMBOLIC)
            return self.known[gold, answer]
        if len(self.open) < MAX_OPEN:
            self.open.append((gold, answer))
        return None

    def _rounds(
        self, gold: Node, x: Fraction | None, answer: Node, y: Fraction | None
    ) -> bool | None:
        """Whether a decimal on one side is the other side, rounded to what it shows."""
        for decimal, other, value in ((_decimal(answer), gold, x), (_decimal(gold), answer, y)):
            if decimal is None:
                continue
            written, step, shown = decimal
            if self.policy.rounding == 0 or shown < self.policy.rounding:
                continue
            if value is None:
                approximate = real_value(other, self.budget)
                if approximate is None:
                    told = bool(free_symbols(other)) or evaluate(other, {}, self.budget) is not None
                    return False if told else None
                value = Fraction(approximate)
            partner = _decimal(other)
            if partner is not None and partner[2] > shown and other is answer:
                continue  # an answer finer than a decimal reference is another number
            slack = step / 2
            if shown >= FLOAT_DIGITS and partner is None:
                slack = max(slack, abs(written) * FLOAT_NOISE)
            elif shown >= DOUBLE_DIGITS and partner is not None and partner[2] < FLOAT_DIGITS - 3:
                slack = max(slack, abs(written) * DOUBLE_NOISE)
            if abs(written - value) <= slack * Fraction(1_000_001, 1_000_000):
                return True
        return False

    def _ratios(self, gold: Node, answer: Node) -> bool | None:
        """`7:32` in proportion; a time of day as written; against a quotient for two."""
        if _is_ratio(gold) and _is_ratio(answer):
            assert isinstance(gold, Op)
            assert isinstance(answer, Op)
            if len(gold.args) != len(answer.args):
                return False
            first = [exact(arg) for arg in gold.args]
            second = [exact(arg) for arg in answer.args]
            if None in first or None in second or 0 in first or 0 in second:
                return self._all(zip(gold.args, answer.args, strict=True))
            pairs = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
            return all(a * pairs[0][1] == b * pairs[0][0] for a, b in pairs)
        ratio, other = (gold, answer) if _is_ratio(gold) else (answer, gold)
        assert isinstance(ratio, Op)
        if len(ratio.args) != 2:
            return False
        return self.scalar(Op("div", ratio.args), other)

    def _specials(self, gold: Node, answer: Node) -> bool | None:
        """Infinity, dots and names of sets: only as written."""
        if _special(gold) != _special(answer):
            return False
        if isinstance(gold, Op) and isinstance(answer, Op) and gold.name == answer.name:
            if len(gold.args) == len(answer.args):
                return True if self._all(zip(gold.args, answer.args, strict=True)) else None
            return None
        if isinstance(gold, Const) or isinstance(answer, Const):
            return False
        return None

    # ------------------------------------------------------------ sets of reals

    def _sets(self, gold: Node, answer: Node) -> tuple[bool | None] | None:
        """Intervals, unions and inequalities; None when one side is none of these."""
        if not (_setlike(gold) or _setlike(answer)):
            return None
        x, y = real_set(gold), real_set(answer)
        if x is None or y is None:
            return None
        by_inequality = x.variable is not None, y.variable is not None
        if all(by_inequality) and x.variable != y.variable:
            return (False,)
        if any(by_inequality) and not all(by_inequality) and not self.policy.interval_vs_inequality:
            return (False,)
        return (self._pieces(x, y),)

    def _pieces(self, x: RealSet, y: RealSet) -> bool | None:
        if len(x.pieces) != len(y.pieces):
            return False
        result: bool | None = True
        for p, q in zip(x.pieces, y.pieces, strict=True):
            if (p.low_closed, p.high_closed) != (q.low_closed, q.high_closed):
                return False
            result = _both(result, self._ends(p, q))
        return result

    def _ends(self, p: Piece, q: Piece) -> bool | None:
        return self._all(((p.low, q.low), (p.high, q.high)))

    # ------------------------------------------------------------ relations

    def _relations(self, gold: Rel, answer: Rel) -> bool | None:
        names = free_symbols(gold) | free_symbols(answer)
        if len(gold.ops) == len(answer.ops):
            if gold.ops == answer.ops and self._quietly_all(gold.items, answer.items):
                return True
            back = tuple(_FLIP.get(op, op) for op in reversed(answer.ops))
            if gold.ops == back and self._quietly_all(gold.items, answer.items[::-1]):
                return True
        if len(gold.ops) != 1 or len(answer.ops) != 1:
            return False if len(gold.ops) == len(answer.ops) else None
        if free_symbols(gold) != free_symbols(answer):
            return False
        op_g, op_a = gold.ops[0], answer.ops[0]
        if op_g not in ("=", "<", ">", "<=", ">=", "!=") or op_a not in (
            "=",
            "<",
            ">",
            "<=",
            ">=",
            "!=",
        ):
            return False
        if any(isinstance(side, Seq | Rel | Matrix) for side in (*gold.items, *answer.items)):
            return False
        self._uses(Tier.NUMERIC)
        ratio = _constant_ratio(_difference(gold), _difference(answer), sorted(names), self.budget)
        if ratio is None:
            plain = _polynomial(_difference(gold)) and _polynomial(_difference(answer))
            if plain or (
                op_g == op_a == "=" and _zeros_differ(gold, answer, sorted(names), self.budget)
            ):
                return False
            return None
        if op_g in ("=", "!="):
            return op_g == op_a
        return op_g == (op_a if ratio > 0 else _FLIP.get(op_a))

    def _one_relation(self, gold: Node, answer: Node) -> bool | None:
        """A relation against something that is none: only a set could be meant."""
        other = answer if isinstance(gold, Rel) else gold
        return None if _setlike(other) and not isinstance(other, Seq) else False

    # ------------------------------------------------------------ lists

    def _labelled(self, gold: Node, answer: Node) -> tuple[bool | None] | None:
        """`x=2, y=3` by name; against a tuple or list without names in the order written."""
        x, y = _labels(gold), _labels(answer)
        if x is None and y is None:
            return None
        if x is not None and y is not None:
            if len(x) != len(y):
                return (False,)
            left = dict(y)
            if set(left) != {name for name, _ in x}:
                return (False,)
            return (self._all([(value, left[name]) for name, value in x]),)
        named, bare = (x, answer) if x is not None else (y, gold)
        assert named is not None
        values = tuple(value for _, value in named)
        if not isinstance(bare, Seq) or len(bare.items) != len(values):
            return (False,) if isinstance(bare, Seq) else None
        pairs = zip(values, bare.items, strict=True)
        found = self._all(pairs if x is not None else ((b, a) for a, b in pairs))
        if found is not True and not bare.open and self.policy.order != "kept":
            first, second = (values, bare.items) if x is not None else (bare.items, values)
            return (self._lists(first, second, False),)
        return (found,)

    def _sequences(self, gold: Node, answer: Node) -> bool | None:
        if not isinstance(gold, Seq) or not isinstance(answer, Seq):
            sequence, other = (gold, answer) if isinstance(gold, Seq) else (answer, gold)
            assert isinstance(sequence, Seq)
            if sequence.open in ("", "{"):
                first = _values(gold.items) if isinstance(gold, Seq) else _values((gold,))
                second = _values(answer.items) if isinstance(answer, Seq) else _values((answer,))
                if sequence.open == "" and sequence is answer:
                    second = self._distinct(second)  # the same value in two forms
                return self._lists(first, second, sequence.open == "{")
            if len(sequence.items) == 1:
                pair = (sequence.items[0], other)
                return self.equal(*(pair if sequence is gold else pair[::-1]))
            return False
        gold_kind, answer_kind = _kind(gold), _kind(answer)
        unordered = gold_kind in ("set", "list") and answer_kind in ("set", "list")
        if self.policy.order == "kept" and "set" not in (gold_kind, answer_kind):
            unordered = False
        if unordered or self.policy.order == "any":
            braces = "set" in (gold_kind, answer_kind)
            return self._lists(_values(gold.items), _values(answer.items), True, braces)
        for one, other, kinds in ((gold, answer, answer_kind), (answer, gold, gold_kind)):
            if one.open in ("", "{") and len(one.items) == 1 and kinds == "tuple":
                pair = (one.items[0], other)
                return self.equal(*(pair if one is gold else pair[::-1]))
        if {gold_kind, answer_kind} <= {"tuple", "list"} or gold_kind == answer_kind:
            if len(gold.items) != len(answer.items):
                return False
            return self._all(zip(gold.items, answer.items, strict=True))
        return False

    def _lists(
        self,
        gold: Sequence[Node],
        answer: Sequence[Node],
        as_sets: bool,
        braces: bool = False,
    ) -> bool | None:
        """The same values in any order."""
        if len(gold) > MAX_ITEMS or len(answer) > MAX_ITEMS:
            return None
        if as_sets:
            distinct = self._distinct(gold)
            # A bare list that repeats a value means it: "6, 6, 5" is not "6, 5, 5".
            if braces or len(distinct) == len(gold):
                gold, answer = distinct, self._distinct(answer)
        if len(gold) != len(answer):
            return False
        left = list(answer)
        unsure = False
        for item in gold:
            if item in left:  # the same as written
                left.remove(item)
                continue
            for place, other in enumerate(left):
                found = self.equal(item, other)
                if found is True:
                    del left[place]
                    break
                unsure = unsure or found is None
            else:
                if not unsure:
                    return False
        return True if not left else None

    def _distinct(self, items: Sequence[Node]) -> list[Node]:
        kept: list[Node] = []
        seen: set[Node] = set()  # two different integers are never equal
        quick = self.policy.percent != "lenient"
        for item in items:
            if quick and isinstance(item, Num) and item.places < 0:
                if item in seen:
                    continue
                seen.add(item)
                others = [other for other in kept if other not in seen]
            else:
                others = kept
            if not any(self.equal(item, other) is True for other in others):
                kept.append(item)
        return kept

    def _matrices(self, gold: Node, answer: Node) -> bool | None:
        """Cell by cell; a column (or row) of numbers may be written as a tuple."""
        first, second = _cells(gold), _cells(answer)
        if first is None or second is None:
            return False
        tuples = isinstance(gold, Seq), isinstance(answer, Seq)
        if any(tuples):
            matrix = second if tuples[0] else first
            if len(matrix) != 1 and any(len(row) != 1 for row in matrix):
                return False
            flat = [[cell for row in rows for cell in row] for rows in (first, second)]
            first, second = [flat[0]], [flat[1]]
        if [len(row) for row in first] != [len(row) for row in second]:
            return False
        pairs = [
            pair for rows in zip(first, second, strict=True) for pair in zip(*rows, strict=True)
        ]
        return self._all(pairs)

    # ------------------------------------------------------------ helpers

    def _all(self, pairs: Iterable[tuple[Node, Node]]) -> bool | None:
        result: bool | None = True
        for gold, answer in pairs:
            result = _both(result, self.equal(gold, answer))
            if result is False:
                return False
        return result

    def _quietly_all(self, gold: Sequence[Node], answer: Sequence[Node]) -> bool:
        """True only when all parts are equal; what stays open is not asked symbolically."""
        kept = list(self.open)
        found = self._all(zip(gold, answer, strict=True))
        self.open = kept
        return found is True

    def _uses(self, tier: Tier) -> None:
        if _RANK[tier] > _RANK[self.tier]:
            self.tier = tier


def _both(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return True if a and b else None


def _either(a: bool | None, b: bool | None) -> bool | None:
    if a or b:
        return True
    return False if a is False and b is False else None


# ---------------------------------------------------------------- heads


def headed(node: Node) -> tuple[Node | None, Node]:
    """(name, value) of `x = 5`, `f(x) = x^2`, `x \\in S`, `n = 1, 2, 3`, `\\sqrt4 = 2`.

    The name is None where what stands before the equals sign is no name; the value is
    the node itself where the relation states no value.
    """
    if isinstance(node, Rel):
        if node.ops == ("in",) and not isinstance(node.items[0], Seq):
            return node.items[0], node.items[1]
        if not _VALUE_OPS.issuperset(node.ops):
            return None, node
        first, last = node.items[0], node.items[-1]
        if node.ops[-1] == "~" and (len(node.ops) > 1 or not is_name(first)):
            last = node.items[-2]  # "= 1/3 ~ 0.33": the exact value is the answer
            if len(node.items) == 2:
                return None, last
        if is_name(first):
            return first, last
        if is_name(last) and len(node.items) == 2 and not isinstance(first, Sym):
            return (last, first) if not free_symbols(first) else (None, node)
        if not free_symbols(first) or len(node.items) > 2:
            return (
                (None, last)
                if not isinstance(first, Seq) and not free_symbols(last)
                else (None, node)
            )
        return None, node
    if isinstance(node, Seq) and not node.open and node.items:
        heads = [headed(item) for item in node.items]
        first_head = heads[0][0]
        if first_head is None:
            return None, node
        rest = heads[1:]
        if all(head is None for head, _ in rest) or all(
            head is not None and same_head(head, first_head) for head, _ in rest
        ):
            if any(
                isinstance(item, Rel) and value is item
                for item, (_, value) in zip(node.items, heads, strict=True)
            ):
                return None, node
            return first_head, Seq("", "", tuple(value for _, value in heads), node.joined)
    return None, node


def is_name(node: Node) -> bool:
    """What may stand before an equals sign as the name of what follows."""
    if isinstance(node, Sym):
        return True
    if isinstance(node, Seq):
        return bool(node.items) and all(isinstance(item, Sym) for item in node.items)
    if isinstance(node, Op):
        if node.name in ("call", "index", "mark", "prime", "bar"):
            return True
        if node.name == "div" and all(map(_differential, node.args)):
            return True  # dy/dx
        if node.name in ("abs", "norm", "div", "ratio", "mul"):
            return all(_capital(arg) for arg in node.args)
    return False


def _differential(node: Node) -> bool:
    return (
        isinstance(node, Op)
        and node.name == "mul"
        and len(node.args) == 2
        and node.args[0] == Sym("d")
        and isinstance(node.args[1], Sym)
    )


def _capital(node: Node) -> bool:
    """Names of points, segments and areas: capital letters."""
    if isinstance(node, Sym):
        return node.name[0].isupper()
    if isinstance(node, Op) and node.name in ("mul", "mark", "bar", "abs", "index", "call"):
        return all(_capital(arg) or isinstance(arg, Text) for arg in node.args[:1])
    return False


def same_head(a: Node, b: Node) -> bool:
    """Equal names; `y` may stand for `f(x)`."""
    if a == b:
        return True
    pair = {a, b}
    if Sym("y") in pair:
        other = a if b == Sym("y") else b
        return isinstance(other, Op) and other.name == "call" and other.args[1:] == (Sym("x"),)
    return False


def _is_equation(node: Node) -> bool:
    """A relation that states no value by itself."""
    return isinstance(node, Rel) and headed(node)[1] is node and "=" in node.ops


def _labels(node: Node) -> list[tuple[Node, Node]] | None:
    """The names and values of `x=2, y=3`; None when some item has no name or names repeat."""
    if not isinstance(node, Seq) or not node.items or node.open not in ("", "(", "{"):
        return None
    found = [headed(item) for item in node.items]
    labels = [(name, value) for name, value in found if name is not None]
    if len(labels) != len(found) or len({name for name, _ in labels}) != len(labels):
        return None
    return labels


# ---------------------------------------------------------------- kinds


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


def split_unit(node: Node) -> tuple[Node, str]:
    """A value and its unit in one spelling: "", "%", "deg", a unit's name, or "?" and
    words that are no known unit."""
    if isinstance(node, Op):
        if node.name == "percent":
            return split_unit(node.args[0])[0], "%"
        if node.name == "deg":
            return node.args[0], "deg"
        if node.name == "unit" and isinstance(node.args[1], Text):
            name, known = canonical(node.args[1].text)
            value, inner = split_unit(node.args[0])
            return value, inner or (name if known else "?" + name)
        if node.name == "neg":
            value, unit = split_unit(node.args[0])
            return (Op("neg", (value,)), unit) if unit else (node, "")
        if node.name == "add" and any(
            isinstance(p, Op) and p.name == "unit" for p in node.args[-1:]
        ):
            *others, last = node.args  # the unit after a sum belongs to all of it
            value, unit = split_unit(last)
            return Op("add", (*others, value)), unit
    return node, ""


def letter_unit(node: Node, unit: str) -> tuple[Node, str]:
    """`5000 m` beside an answer in `km`: the letter is a unit there."""
    if not unit and isinstance(node, Op) and node.name == "mul" and len(node.args) == 2:
        value, letter = node.args
        if isinstance(letter, Sym) and not free_symbols(value) and canonical(letter.name)[1]:
            return value, canonical(letter.name)[0]
    return node, unit


def _kind(node: Seq) -> str:
    if node.open == "{":
        return "set"
    if node.open == "":
        return "list"
    if len(node.items) == 2 and (node.open, node.close) not in (("(", ")"), ("<", ">")):
        return "interval" + node.open + node.close
    return "tuple"


def _setlike(node: Node) -> bool:
    """Certainly a set of reals and not a point: an inequality, a union, a bracketed pair."""
    if isinstance(node, Rel):
        return any(op in ("<", ">", "<=", ">=", "!=", "in") for op in node.ops)
    if isinstance(node, Op):
        return node.name in ("union", "inter", "minus", "such")
    if isinstance(node, Seq):
        if node.open and len(node.items) == 2:
            if "[" in node.open or "]" in node.close:
                return True
            return any(Const("oo") in walk(item) for item in node.items)
        return not node.open and any(
            isinstance(item, Rel) and _setlike(item) for item in node.items
        )
    return node == Const("R")


def _cells(node: Node) -> list[list[Node]] | None:
    if isinstance(node, Matrix):
        return [list(row) for row in node.rows]
    if isinstance(node, Seq) and node.open in ("(", "[", "<", ""):
        if node.items and all(isinstance(item, Seq) and item.open for item in node.items):
            return [list(item.items) for item in node.items if isinstance(item, Seq)]
        return [list(node.items)]
    return None


def matrix_value(node: Node) -> Node:
    """Sums and products of matrices carried out, cell by cell as trees."""
    if isinstance(node, Op) and node.name == "det" and isinstance(node.args[0], Matrix):
        return _determinant([list(row) for row in node.args[0].rows]) or node
    if not isinstance(node, Op) or node.name not in ("add", "mul", "neg"):
        return node
    args = [matrix_value(arg) for arg in node.args]
    sizes = [(len(a.rows), len(a.rows[0])) for a in args if isinstance(a, Matrix)]
    count = sum(isinstance(part, Matrix) for part in walk(node))
    if not sizes or max(max(size) for size in sizes) > MAX_MATRIX or count > MAX_MATRIX:
        return node
    if max(2, *(max(size) for size in sizes)) ** count > MAX_MATRIX_PRODUCTS:
        return node
    result = args[0] if node.name != "neg" else Num(-1)
    for arg in args[1:] if node.name != "neg" else args:
        step = _matrix_sum(result, arg) if node.name == "add" else _matrix_product(result, arg)
        if step is None:
            return node
        result = step
    return result


def _determinant(rows: list[list[Node]]) -> Node | None:
    """Two or three rows written out; None for other sizes."""
    if len(rows) not in (2, 3) or any(len(row) != len(rows) for row in rows):
        return None
    if len(rows) == 2:
        (a, b), (c, d) = rows
        return Op("add", (Op("mul", (a, d)), Op("neg", (Op("mul", (b, c)),))))
    terms: list[Node] = []
    for column, cell in enumerate(rows[0]):
        minor = _determinant([row[:column] + row[column + 1 :] for row in rows[1:]])
        assert minor is not None
        term = Op("mul", (cell, minor))
        terms.append(Op("neg", (term,)) if column == 1 else term)
    return Op("add", tuple(terms))


def _matrix_sum(a: Node, b: Node) -> Node | None:
    if not isinstance(a, Matrix) or not isinstance(b, Matrix):
        return None
    if len(a.rows) != len(b.rows) or len(a.rows[0]) != len(b.rows[0]):
        return None
    rows = zip(a.rows, b.rows, strict=True)
    return Matrix(tuple(tuple(Op("add", p) for p in zip(*pair, strict=True)) for pair in rows))


def _matrix_product(a: Node, b: Node) -> Node | None:
    if isinstance(a, Matrix) and isinstance(b, Matrix):
        if len(a.rows[0]) != len(b.rows):
            return None
        columns = list(zip(*b.rows, strict=True))
        return Matrix(
            tuple(
                tuple(
                    Op("add", tuple(Op("mul", p) for p in zip(row, column, strict=True)))
                    for column in columns
                )
                for row in a.rows
            )
        )
    matrix, factor = (a, b) if isinstance(a, Matrix) else (b, a)
    if not isinstance(matrix, Matrix):
        return Op("mul", (a, b))
    return Matrix(tuple(tuple(Op("mul", (factor, cell)) for cell in row) for row in matrix.rows))


def _signed_tuple(node: Node) -> bool:
    return isinstance(node, Seq) and node.open == "(" and _signs(node)


def _bare(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Seq) and node.open in ("", "{") else (node,)


def _signs(node: Node) -> bool:
    return isinstance(node, Op | Seq) and any(
        isinstance(part, Op) and part.name in ("pm", "mp") for part in walk(node)
    )


def _values(items: Sequence[Node]) -> list[Node]:
    """Each item, those with plus-minus signs as all the values they stand for."""
    result: list[Node] = []
    for item in items:
        _, value = headed(item)
        if isinstance(value, Seq) and value.open == "" and value is not item:
            result.extend(_values(value.items))
        elif _signs(value):
            result.extend(_expanded(value))
        else:
            result.append(value)
    return result


def _expanded(node: Node) -> list[Node]:
    count = sum(isinstance(part, Op) and part.name in ("pm", "mp") for part in walk(node))
    if count > MAX_SIGNS:
        return [node]
    linked = any(isinstance(part, Op) and part.name == "mp" for part in walk(node))
    choices = [(1,) * count, (-1,) * count] if linked else list(product((1, -1), repeat=count))
    return [_with_signs(node, list(signs)) for signs in choices]


def _overfull(node: Node) -> bool:
    """More plus-minus signs than are written out."""
    if not isinstance(node, Op) and not (isinstance(node, Seq) and node.open == "("):
        return False
    return sum(isinstance(p, Op) and p.name in ("pm", "mp") for p in walk(node)) > MAX_SIGNS


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


def _bases(gold: Node, answer: Node) -> bool | None:
    """Digits with a base. Without one, digits answer a question that named the base."""
    if isinstance(gold, Base) and isinstance(answer, Base):
        if gold.base == answer.base:
            return gold.digits.lstrip("0") == answer.digits.lstrip("0")
        return False  # the question named the base: another one restates it
    if isinstance(gold, Base):
        return isinstance(answer, Num) and answer.places < 0 and str(answer.value) == gold.digits
    x, y = exact(gold), exact(answer)
    return x == y if x is not None and y is not None else False


def _plain_log(node: Node) -> bool:
    return any(isinstance(p, Op) and p.name == "log" and len(p.args) == 1 for p in walk(node))


def _common_log(node: Node) -> Node:
    if not isinstance(node, Op):
        return node
    args = tuple(map(_common_log, node.args))
    return (
        Op("log", (*args, Num(10)))
        if node.name == "log" and len(args) == 1
        else Op(node.name, args)
    )


def _is_negative(node: Node) -> bool:
    return isinstance(node, Op) and node.name == "neg"


def _is_ratio(node: Node) -> bool:
    return isinstance(node, Op) and node.name == "ratio"


def _special(node: Node) -> bool:
    return any(
        (isinstance(part, Const) and part.name in _UNBOUNDED)
        or isinstance(part, Text | Matrix)
        or (isinstance(part, Op) and part.name in ("mark", "cases", "pmod"))
        for part in walk(node)
    ) and not (isinstance(node, Op) and node.name in ("sum", "prod", "int", "lim", "det"))


def _decimal(node: Node) -> tuple[Fraction, Fraction, int] | None:
    """(value, one unit in the last place, digits shown) of a written decimal."""
    if isinstance(node, Num):
        if node.places < 1:
            return None
        return Fraction(node.value), Fraction(1, 10**node.places), node.shown
    if isinstance(node, Op):
        if node.name == "neg":
            inner = _decimal(node.args[0])
            return (-inner[0], inner[1], inner[2]) if inner else None
        if node.name == "div" and node.args[1] == Num(100):
            inner = _decimal(node.args[0])
            return (inner[0] / 100, inner[1] / 100, inner[2]) if inner else None
        if node.name == "mul" and len(node.args) == 2 and isinstance(node.args[1], Op):
            inner, scale = _decimal(node.args[0]), exact(node.args[1])
            if inner and scale and node.args[1].name == "pow" and node.args[1].args[0] == Num(10):
                return inner[0] * scale, inner[1] * scale, inner[2]
    return None


# ---------------------------------------------------------------- equations


def _difference(node: Rel) -> Node:
    return Op("add", (node.items[0], Op("neg", (node.items[1],))))


def _constant_ratio(a: Node, b: Node, names: list[str], budget: Budget) -> float | None:
    """The constant factor between two expressions, found at three points; else None."""
    exactly: set[Fraction] = set()
    for index in range(3):  # rational points: no small difference hides there
        bound = {name: Fraction(9 + 7 * i + 13 * index, 7 + index) for i, name in enumerate(names)}
        p, q = exact(a, bound, budget), exact(b, bound, budget)
        if p is None or not q:
            break
        exactly.add(p / q)
    if len(exactly) > 1:
        return None
    ratios: list[complex] = []
    for values in _POINTS:
        point = {
            name: values[place % 2] * (1 + place // 2 * 0.618) for place, name in enumerate(names)
        }
        x, y = evaluate(a, point, budget), evaluate(b, point, budget)
        if x is None or y is None or abs(x[0]) <= 64 * x[1] or abs(y[0]) <= 64 * y[1]:
            return None
        ratios.append(x[0] / y[0])
    first = ratios[0]
    if any(abs(ratio - first) > 1e-10 * abs(first) for ratio in ratios) or abs(
        first.imag
    ) > 1e-9 * abs(first):
        return None
    return first.real


def _zeros_differ(gold: Rel, answer: Rel, names: list[str], budget: Budget) -> bool:
    """Whether some point solves one equation and clearly not the other."""
    a, b = _difference(gold), _difference(answer)
    for first, second in ((a, b), (b, a)):
        for place in range(len(names)):
            point = {name: 0.9 + 0.37 * i for i, name in enumerate(names)}
            found = _root(first, point, names[place], budget)
            if found is None:
                continue
            point[names[place]] = found
            there = evaluate(second, point, budget)
            point[names[place]] = found + ROOT_STEP
            beside = evaluate(second, point, budget)
            if there is None or beside is None or there[0].imag or beside[0].imag:
                continue
            # Compared with how far the value moves within one step.
            moved = abs(beside[0] - there[0])
            if abs(there[0]) > 1e-3 and abs(there[0]) > 1e-3 * moved + 64 * there[1]:
                return True
    return False


def _root(node: Node, point: dict[str, float], name: str, budget: Budget) -> float | None:
    """A zero in one variable between 0.1 and 6 by bisection, where the values are real."""

    def value(at: float) -> float | None:
        found = evaluate(node, point | {name: at}, budget)
        return found[0].real if found is not None and not found[0].imag else None

    grid = [0.1 + ROOT_STEP * i for i in range(ROOT_POINTS)]
    for low, high in pairwise(grid):
        left, right = value(low), value(high)
        if left is None or right is None or (left > 0) == (right > 0):
            continue
        for _ in range(60):
            middle = (low + high) / 2
            centre = value(middle)
            if centre is None:
                break
            if (centre > 0) == (left > 0):
                low = middle
            else:
                high = middle
        end = value(low)
        if end is not None and abs(end) < 1e-9 * (abs(left) + abs(right)):
            return low  # a zero and not a jump through infinity
    return None


def _polynomial(node: Node) -> bool:
    """Sums, products and whole powers only, so that equal zero sets mean proportional
    forms (up to repeated factors, which nobody writes)."""
    if isinstance(node, Op):
        if node.name in ("add", "mul", "neg"):
            return all(map(_polynomial, node.args))
        if node.name == "div":
            return _polynomial(node.args[0]) and not free_symbols(node.args[1])
        if node.name == "pow":
            exponent = node.args[1]
            return _polynomial(node.args[0]) and isinstance(exponent, Num) and exponent.places < 0
        return not free_symbols(node)
    return isinstance(node, Num | Sym | Const)
