r"""Families with whole parameters: `\frac{\pi}{4} + k\pi`, `(2k\pi, (2k+1)\pi)`, `2^k`.

What grows in equal steps is compared as a set: every branch is cut into progressions of
one common step, and two of those are the same when their starts differ by whole steps.
All else is compared member by member under the few changes of parameter that people make.

Invariants:
- A parameter over the same domain may be renamed; k over the whole numbers may become
  -k + c; a half-line is compared from its first number on.
- Starts and steps are balls of a hundred digits; the ratio of two steps must be a simple
  fraction to all of them.

Not covered: intervals of one family that together make up those of another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import gcd, lcm
from typing import TYPE_CHECKING

from flint import acb, fmpq

from verifier.math.balls import middle_of, precision
from verifier.math.compare.heads import headed, renamed, same_head
from verifier.math.compare.parameters import Declared, Domain
from verifier.math.compare.signs import values
from verifier.math.exact import exact
from verifier.math.numeric import SURE_BITS, evaluate
from verifier.math.policy import Tier
from verifier.math.tree import Node, Num, Op, Rel, Seq, Sym, free_symbols, substituted, walk

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_CLASSES = 64
"""Progressions of the common step on one side."""

MAX_DEGREE = 4
"""Of a branch in its parameter, as written; `k(k+1) - k^2` is linear all the same."""

MAX_LISTED = 24
"""Members written out for a parameter that runs over finitely many numbers."""

MAX_PARAMETERS = 3
SHIFT = 2
"""k may become k + c for so small a c where no progression decides."""

MEMBERS, SEARCHED = 4, 40
"""Of one family, so many members are looked for among so many of the other one."""

_NAMES = "nmkj"
"""What parameters are called for comparing: names that stand for whole numbers."""


@dataclass(frozen=True, slots=True)
class Branch:
    kind: str
    """Brackets of a tuple or interval with its length; "" for one value; "!=" in front
    for what is excluded."""
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Progression:
    kind: str
    start: tuple[acb, ...]
    step: tuple[acb, ...]
    whole: bool
    """In both directions; otherwise from the start on."""


def same_family(comparison: Comparison, gold: Declared, answer: Declared) -> bool | None:
    """Whether two families with whole parameters have the same members."""
    comparison.uses(Tier.NUMERIC)
    gold, answer = _in_one_name(gold), _in_one_name(answer)
    head_g, first = _branches(gold)
    head_a, second = _branches(answer)
    if first is None or second is None:
        return None
    if head_g is not None and head_a is not None and not same_head(head_g, head_a):
        return False
    first, second = _undegreed(first, second)
    x, y = _listed(first, gold), _listed(second, answer)
    if x is not None or y is not None:
        if x is None or y is None:
            return None
        return comparison.equal(Seq("{", "}", tuple(x)), Seq("{", "}", tuple(y)))
    if len(gold.domains) == len(answer.domains) == 1:
        found = _as_progressions(comparison, first, gold, second, answer)
        if found is not None:
            return found
    return _by_renaming(comparison, first, gold, second, answer)


# ---------------------------------------------------------------- reading


def _in_one_name(said: Declared) -> Declared:
    r"""`x = k\pi` or `x = 1 + 2m\pi`: parameters of one domain that no branch has
    together may have one name."""
    names = list(said.domains)
    if len(names) < 2 or len(said.statements) < 2 or len(set(said.domains.values())) > 1:
        return said
    if any(len(free_symbols(item) & said.domains.keys()) > 1 for item in said.statements):
        return said
    statements = list(said.statements)
    for name in names[1:]:
        statements = [renamed(item, {name: names[0]}) or item for item in statements]
    if any(free_symbols(item) & set(names[1:]) for item in statements):
        return said
    return Declared(tuple(statements), {names[0]: said.domains[names[0]]})


def _branches(said: Declared) -> tuple[Node | None, list[Branch] | None]:
    """What the statements say their subject is, and the branches of its values."""
    named = _named_parts(said)
    if named is not None:
        head, parts = named
        return head, [Branch("()", parts)]
    found: list[Branch] = []
    heads: list[Node] = []
    for statement in said.statements:
        kind, value = "", statement
        if isinstance(statement, Rel) and len(statement.ops) == 2:
            between = _between(statement, said)
            if between is None:
                return None, None
            head, branch = between
            heads.append(head)
            found.append(branch)
            continue
        if isinstance(statement, Rel):
            if statement.ops == ("!=",):
                kind, head_value = "!=", (statement.items[0], statement.items[1])
                heads.append(head_value[0])
                value = head_value[1]
            else:
                name, value = headed(statement)
                if name is None or value is statement:
                    return None, None
                heads.append(name)
        for one in values((value,)):
            if isinstance(one, Seq):
                if not one.open or any(isinstance(item, Seq | Rel) for item in one.items):
                    return None, None
                found.append(Branch(kind + one.open + one.close, one.items))
            elif (
                isinstance(one, Op) and one.name in ("such", "union", "inter", "minus")
            ) or isinstance(one, Rel):
                return None, None
            else:
                found.append(Branch(kind, (one,)))
    if any(not same_head(head, heads[0]) for head in heads):
        return None, None
    return (heads[0] if heads else None), found if len(found) <= MAX_CLASSES else None


def _named_parts(said: Declared) -> tuple[Node, tuple[Node, ...]] | None:
    """`x = t, y = 1 - t` is one tuple, by name."""
    pairs = [
        (item.items[0], item.items[1])
        for item in said.statements
        if isinstance(item, Rel) and item.ops == ("=",) and isinstance(item.items[0], Sym)
    ]
    names = [name for name, _ in pairs]
    if len(pairs) != len(said.statements) or len(pairs) < 2 or len(set(names)) != len(names):
        return None
    return Seq("(", ")", tuple(names)), tuple(value for _, value in pairs)


def _between(node: Rel, said: Declared) -> tuple[Node, Branch] | None:
    r"""`2k\pi < x < (2k+1)\pi` is an interval of x."""
    low, middle, high = node.items
    if not isinstance(middle, Sym) or middle.name in said.domains:
        return None
    first, second = node.ops
    if first in (">", ">=") and second in (">", ">="):
        low, high, first, second = high, low, second, first
    if first not in ("<", "<=") or second not in ("<", "<="):
        return None
    kind = ("[" if first == "<=" else "(") + ("]" if second == "<=" else ")")
    return middle, Branch(kind, (low, high))


def _undegreed(first: list[Branch], second: list[Branch]) -> tuple[list[Branch], list[Branch]]:
    """Degrees on one side only are meant on the other one too, unless that has a pi."""
    sides = [Op("both", tuple(p for branch in side for p in branch.parts))
             for side in (first, second)]  # fmt: skip
    marked = [any(isinstance(p, Op) and p.name == "deg" for p in walk(side)) for side in sides]
    pi = [any(str(getattr(p, "name", "")) == "pi" for p in walk(side)) for side in sides]
    if marked[0] == marked[1] or any(pi):
        return first, second
    return ([Branch(b.kind, tuple(map(_without_degrees, b.parts))) for b in first],
            [Branch(b.kind, tuple(map(_without_degrees, b.parts))) for b in second])  # fmt: skip


def _without_degrees(node: Node) -> Node:
    if not isinstance(node, Op):
        return node
    if node.name == "deg":
        return _without_degrees(node.args[0])
    return Op(node.name, tuple(map(_without_degrees, node.args)))


def _listed(branches: list[Branch], said: Declared) -> list[Node] | None:
    """All members, where every parameter runs over finitely many numbers."""
    if len(said.domains) != 1:
        return None
    ((name, domain),) = said.domains.items()
    if domain.low is None or domain.high is None or domain.high - domain.low >= MAX_LISTED:
        return None
    numbers = [n for n in range(domain.low, domain.high + 1) if n not in domain.without]
    result: list[Node] = []
    for branch in branches:
        for n in numbers:
            parts = tuple(substituted(part, name, Num(n)) for part in branch.parts)
            result.append(Seq(branch.kind[:1], branch.kind[1:], parts) if branch.kind else parts[0])
    return result


# ---------------------------------------------------------------- progressions


def _as_progressions(
    comparison: Comparison,
    first: list[Branch],
    gold: Declared,
    second: list[Branch],
    answer: Declared,
) -> bool | None:
    (name_g,), (name_a,) = gold.domains, answer.domains
    free = sorted(_symbols(first) - {name_g} | _symbols(second) - {name_a})
    if name_g in free or name_a in free:
        return None
    result: bool | None = True
    for index in range(2 if free else 1):
        point = {name: Fraction(17 + 12 * i + 31 * index, 29) for i, name in enumerate(free)}
        x = _progressions(comparison, first, name_g, gold.domains[name_g], point)
        y = _progressions(comparison, second, name_a, answer.domains[name_a], point)
        if x is None or y is None:
            return None
        with precision(SURE_BITS):
            found = _same_progressions(x, y)
        if found is False:
            intervals = any(branch.kind[:1] in ("(", "[") for branch in first)
            return None if intervals and len(x) != len(y) else False
        result = result and found
    return result


def _symbols(branches: list[Branch]) -> set[str]:
    return {name for branch in branches for part in branch.parts for name in free_symbols(part)}


def _progressions(
    comparison: Comparison,
    branches: list[Branch],
    name: str,
    domain: Domain,
    point: dict[str, Fraction],
) -> list[Progression] | None:
    if domain.without or domain.kind != "Z":
        return None
    result: list[Progression] = []
    for branch in branches:
        for split in _by_parity(branch, name, domain):
            ends = [_line(comparison, part, name, point) for part in split.parts]
            lines = [end for end in ends if end is not None]
            if len(lines) != len(ends):
                return None
            start = tuple(line[0] for line in lines)
            step = tuple(line[1] for line in lines)
            with precision(SURE_BITS):
                if domain.low is not None:
                    start = tuple(a + domain.low * d for a, d in zip(start, step, strict=True))
                elif domain.high is not None:
                    start = tuple(a + domain.high * d for a, d in zip(start, step, strict=True))
                    step = tuple(-d for d in step)
            whole = domain.low is None and domain.high is None
            result.append(Progression(branch.kind, start, step, whole))
    return result


def _by_parity(branch: Branch, name: str, domain: Domain) -> Iterator[Branch]:
    """With (-1)^k in it, even and odd parameters apart."""
    signs = {
        part
        for whole in branch.parts
        for part in walk(whole)
        if isinstance(part, Op) and part.name == "pow" and name in free_symbols(part.args[1])
    }
    if not signs or domain.low is not None or domain.high is not None:
        yield branch
        return
    for parity in (0, 1):
        table: dict[Node, Node] = {}
        for sign in signs:
            base = exact(sign.args[0])
            at = [exact(sign.args[1], {name: Fraction(parity + 2 * j)}) for j in (0, 1)]
            if base != -1 or degree(sign.args[1], name) != 1 or None in at:
                yield branch
                return
            assert at[0] is not None
            assert at[1] is not None
            if at[0].denominator != 1 or (at[1] - at[0]) % 2:
                yield branch
                return
            table[sign] = Num(-1 if at[0] % 2 else 1)
        argument = Op("add", (Op("mul", (Num(2), Sym(name))), Num(parity)))
        parts = tuple(substituted(_replaced(p, table), name, argument) for p in branch.parts)
        yield Branch(branch.kind, parts)


def _replaced(node: Node, table: dict[Node, Node]) -> Node:
    if node in table:
        return table[node]
    if isinstance(node, Op):
        return Op(node.name, tuple(_replaced(arg, table) for arg in node.args))
    return node


def degree(node: Node, name: str) -> int | None:
    """A bound for the degree of a polynomial in one symbol; None where it is none."""
    if name not in free_symbols(node):
        return 0
    if isinstance(node, Sym):
        return 1
    if not isinstance(node, Op):
        return None
    inner = [degree(arg, name) for arg in node.args]
    known = [d for d in inner if d is not None]
    if len(known) != len(inner):
        return None
    if node.name in ("add", "neg", "deg"):
        return max(known)
    if node.name == "mul":
        return sum(known)
    if node.name == "div" and known[1] == 0:
        return known[0]
    if node.name == "pow" and known[1] == 0:
        exponent = exact(node.args[1])
        whole = exponent is not None and exponent.denominator == 1 and 0 <= exponent <= 64
        return known[0] * int(exponent) if whole and exponent is not None else None
    return None


def _line(
    comparison: Comparison, node: Node, name: str, point: dict[str, Fraction]
) -> tuple[acb, acb] | None:
    """Start and step of a value that is linear in its parameter."""
    power = degree(node, name)
    if power is None or power > MAX_DEGREE:
        return None
    found = [
        evaluate(node, {**point, name: Fraction(at)}, comparison.budget, SURE_BITS)
        for at in range(max(power, 1) + 1)
    ]
    known = [value for value in found if value is not None]
    if len(known) != len(found):
        return None
    with precision(SURE_BITS):
        start, step = known[0], known[1] - known[0]
        if not all((v - start - at * step).contains(0) for at, v in enumerate(known)):
            return None
        return start, acb(0) if power == 0 else step


def _same_progressions(x: list[Progression], y: list[Progression]) -> bool | None:
    """Whether the union of some progressions is that of others."""
    if {p.kind for p in x} != {p.kind for p in y}:
        return False
    result: bool | None = True
    for kind in {p.kind for p in x}:
        found = _same_of_kind([p for p in x if p.kind == kind], [p for p in y if p.kind == kind])
        if found is False:
            return False
        result = result and found
    return result


def _same_of_kind(x: list[Progression], y: list[Progression]) -> bool | None:
    lengths = {len(p.start) for p in (*x, *y)}
    if len(lengths) > 1:
        return False
    moving = [p for p in (*x, *y) if _moves(p)]
    if not moving:
        return None
    reference = moving[0].step
    ratios = {id(p): _ratio(p.step, reference) for p in moving}
    if any(ratio is None for ratio in ratios.values()):
        # Steps in no simple proportion: no member of one line repeats along another.
        return _pairwise(x, y)
    numbers = [abs(ratio) for ratio in ratios.values() if ratio is not None]
    common = Fraction(lcm(*(n.numerator for n in numbers)), gcd(*(n.denominator for n in numbers)))
    period = tuple(d * _ball(common) for d in reference)
    first, second = (_cut(side, ratios, common, period) for side in (x, y))
    if first is None or second is None:
        return None
    return _matched(first, second, period)


def _moves(p: Progression) -> bool:
    return not all(d.contains(0) for d in p.step)


def _ball(value: Fraction) -> acb:
    return acb(fmpq(value.numerator, value.denominator))


def _ratio(step: tuple[acb, ...], reference: tuple[acb, ...]) -> Fraction | None:
    """The simple fraction between two steps, the same in every part."""
    place = next(i for i, d in enumerate(reference) if not d.contains(0))
    quotient = step[place] / reference[place]
    found = middle_of(quotient.real)
    if found is None or not quotient.imag.contains(0):
        return None
    near = found.limit_denominator(1_000)
    if not 0 < abs(near) <= 1_000:
        return None
    if all((d - _ball(near) * r).contains(0) for d, r in zip(step, reference, strict=True)):
        return near
    return None


@dataclass(frozen=True, slots=True)
class _Class:
    """start + period * j for all whole j (`way` 0), or j >= 0 upwards or downwards."""

    start: tuple[acb, ...]
    way: int
    fixed: bool = False
    """One member only."""


def _cut(
    side: list[Progression],
    ratios: dict[int, Fraction | None],
    common: Fraction,
    period: tuple[acb, ...],
) -> list[_Class] | None:
    found: list[_Class] = []
    for p in side:
        ratio = ratios.get(id(p))
        if ratio is None:
            found.append(_Class(p.start, 0, fixed=True))
            continue
        count = common / abs(ratio)
        if count > MAX_CLASSES or len(found) + count > MAX_CLASSES:
            return None
        for j in range(int(count)):
            start = tuple(a + j * d for a, d in zip(p.start, p.step, strict=True))
            found.append(_Class(start, 0 if p.whole else 1 if ratio > 0 else -1))
    kept: list[_Class] = []
    for one in sorted(found, key=lambda c: (c.fixed, c.way != 0)):
        swallowed = None
        for place, other in enumerate(kept):
            gap = _gap(one.start, other.start, period)
            if gap is None or (other.fixed and gap):
                continue
            if other.way == 0 or one.way == other.way or one.fixed:
                if other.way == 0 or gap * other.way >= 0:
                    swallowed = place
                elif not one.fixed and one.way == other.way:
                    kept[place] = one  # it starts earlier
                    swallowed = place
                elif one.fixed and gap * other.way == -1:
                    kept[place] = _Class(one.start, other.way)
                    swallowed = place
                if swallowed is not None:
                    break
        if swallowed is None:
            kept.append(one)
    return kept


def _gap(a: tuple[acb, ...], b: tuple[acb, ...], period: tuple[acb, ...]) -> int | None:
    """How many whole periods lie from b to a; None where no whole number does."""
    place = next(i for i, d in enumerate(period) if not d.contains(0))
    found = middle_of(((a[place] - b[place]) / period[place]).real)
    if found is None:
        return None
    near = round(found)
    if all((x - y - near * d).contains(0) for x, y, d in zip(a, b, period, strict=True)):
        return near
    return None


def _matched(first: list[_Class], second: list[_Class], period: tuple[acb, ...]) -> bool:
    if len(first) != len(second):
        return False
    left = list(second)
    for one in first:
        for place, other in enumerate(left):
            gap = _gap(one.start, other.start, period)
            same = gap is not None and (gap == 0 or (one.way == 0 and not one.fixed))
            if same and one.way == other.way and one.fixed == other.fixed:
                del left[place]
                break
        else:
            return False
    return True


def _pairwise(x: list[Progression], y: list[Progression]) -> bool | None:
    """Progressions without a common step: each is one of the other side as it stands."""
    if len(x) != len(y):
        return None
    left = list(y)
    for p in x:
        for place, q in enumerate(left):
            if p.whole != q.whole or _moves(p) != _moves(q) or not _moves(p):
                return None
            ratio = _ratio(p.step, q.step)
            if ratio is None or abs(ratio) != 1:
                continue
            gap = _gap(p.start, q.start, q.step)
            if gap is not None and (p.whole or (gap == 0 and ratio == 1)):
                del left[place]
                break
        else:
            return False
    return True


# ---------------------------------------------------------------- other families


def _by_renaming(
    comparison: Comparison,
    first: list[Branch],
    gold: Declared,
    second: list[Branch],
    answer: Declared,
) -> bool | None:
    """The same members after renaming the parameters, and shifting a single one."""
    if len(gold.domains) != len(answer.domains) or len(gold.domains) > MAX_PARAMETERS:
        return None
    taken = (_symbols(first) | _symbols(second)) - gold.domains.keys() - answer.domains.keys()
    names = [name for name in _NAMES if name not in taken][: len(gold.domains)]
    if len(names) < len(gold.domains) or len(first) != len(second):
        return None
    order = list(gold.domains)
    told: bool | None = False
    for chosen in permutations(answer.domains):
        if len(chosen) == 1:
            changes = _changes(gold.domains[order[0]], answer.domains[chosen[0]], names[0])
        else:
            equal = [
                gold.domains[g] == answer.domains[a] for g, a in zip(order, chosen, strict=True)
            ]
            changes = [tuple(Sym(name) for name in names)] if all(equal) else []
        for change in changes:
            own = [
                Sym(name) if len(order) > 1 else _from_first(gold.domains[g], name)
                for g, name in zip(order, names, strict=True)
            ]
            x = _renamed(first, order, own)
            y = _renamed(second, list(chosen), list(change))
            comparison.budget.left -= 1
            kept = list(comparison.open)
            found = _same_branches(comparison, x, y)
            comparison.open = kept
            if found:
                return True
            told = None if found is None else told
    if told is False and len(gold.domains) == 1:
        return False if _lacks_member(comparison, first, gold, second, answer) else None
    return told


def _from_first(domain: Domain, name: str) -> Node:
    """The parameter so that a half-line is counted from nought."""
    if domain.low:
        return Op("add", (Sym(name), Num(domain.low)))
    if domain.low is None and domain.high is not None:
        return Op("add", (Num(domain.high), Op("neg", (Sym(name),))))
    return Sym(name)


def _changes(gold: Domain, answer: Domain, name: str) -> list[tuple[Node, ...]]:
    """What the answer's parameter may be put for, so that both run over the same numbers."""
    if gold.kind != answer.kind or gold.other != answer.other:
        return []
    if gold.without or answer.without:
        mirrored = frozenset(-n for n in answer.without)
        same = [(Sym(name),)] if gold == answer else []
        full = gold.low is None and gold.high is None and gold.without == mirrored
        return [*same, (Op("neg", (Sym(name),)),)] if full and answer.low is None else [*same]
    half = [domain.low is not None or domain.high is not None for domain in (gold, answer)]
    if half[0] != half[1]:
        return []
    if half[0]:
        return [(_from_first(answer, name),)]
    if gold.kind != "Z":
        return [(Sym(name),)]
    return [
        (Op("add", (sign, Num(shift))) if shift else sign,)
        for shift in sorted(range(-SHIFT, SHIFT + 1), key=abs)
        for sign in (Sym(name), Op("neg", (Sym(name),)))
    ]


def _renamed(branches: list[Branch], names: list[str], to: Sequence[Node]) -> list[Branch]:
    holders = [f"parameter_{i}" for i in range(len(names))]
    result = []
    for branch in branches:
        parts = branch.parts
        for name, holder in zip(names, holders, strict=True):
            parts = tuple(substituted(part, name, Sym(holder)) for part in parts)
        for holder, new in zip(holders, to, strict=True):
            parts = tuple(substituted(part, holder, new) for part in parts)
        result.append(Branch(branch.kind, parts))
    return result


def _same_branches(comparison: Comparison, x: list[Branch], y: list[Branch]) -> bool | None:
    left = list(y)
    unsure = False
    for one in x:
        for place, other in enumerate(left):
            if one.kind != other.kind or len(one.parts) != len(other.parts):
                continue
            found = comparison.all_equal(zip(one.parts, other.parts, strict=True))
            if found:
                del left[place]
                break
            unsure = unsure or found is None
        else:
            return None if unsure else False
    return True


def _lacks_member(
    comparison: Comparison,
    first: list[Branch],
    gold: Declared,
    second: list[Branch],
    answer: Declared,
) -> bool:
    """Whether an early member of one family is none of the first ones of the other."""
    sides = ((first, gold, second, answer), (second, answer, first, gold))
    for some, own, others, theirs in sides:
        if len(some) != 1 or len(some[0].parts) != 1 or _symbols(some) != set(own.domains):
            return False
        if any(len(o.parts) != 1 for o in others) or _symbols(others) != set(theirs.domains):
            return False
        mine = _members(comparison, some, own, MEMBERS)
        known = _members(comparison, others, theirs, SEARCHED)
        if mine is None or known is None:
            return False
        if any(not any(m.overlaps(k) for k in known) for m in mine):
            return True
    return False


def _members(
    comparison: Comparison, branches: list[Branch], said: Declared, count: int
) -> list[acb] | None:
    ((name, domain),) = said.domains.items()
    if domain.low is not None:
        numbers = range(domain.low, domain.low + count)
    elif domain.high is not None:
        numbers = range(domain.high - count + 1, domain.high + 1)
    else:
        numbers = range(-count // 2, count // 2 + 1)
    found = [
        evaluate(branch.parts[0], {name: Fraction(n)}, comparison.budget)
        for branch in branches
        for n in numbers
        if n not in domain.without
    ]
    known = [value for value in found if value is not None]
    return known if len(known) == len(found) else None
