r"""Sets of whole numbers: residue classes, bounds, finite sets, dots, primes.

`n \equiv 1 \pmod 4`, `\{4k-3 : k \in \mathbb{Z}\}`, `\{x \in \mathbb{Z} : 1 \le x < 4\}`
and `3, 4, 5, \ldots` are all read as a membership test that is periodic beyond some
number, so that two of them are compared exactly on one window.

Invariants:
- Equal on the window means equal: beyond `reach` a set repeats with its `period` (primes
  within a period are met on the window: it is long enough for one of each class).
- None means that a tree writes no set of whole numbers that is known here.

Not covered: sets of more than one variable; squares and powers (families compare those).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, isqrt, lcm
from typing import TYPE_CHECKING

from verifier.math.compare.inequalities import inequality
from verifier.math.compare.parameters import (
    Domain,
    argument_only,
    declared,
    listed_domain,
    number_set,
)
from verifier.math.compare.realset import Piece, end_value
from verifier.math.compare.signs import values
from verifier.math.exact import exact
from verifier.math.tree import Const, Node, Num, Op, Rel, Seq, Sym, Text, free_symbols, kinds, walk

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_WINDOW = 10_000
"""Whole numbers looked at: some five milliseconds."""

MAX_MODULUS = 2_000
MAX_TRIED = 300
"""Residues tried one by one for what is more than a variable."""

MAX_PARTS = 16
"""Conditions and unions in one set."""

PRIME_CLASSES = 12
"""With primes: the longest period whose classes all have a prime well below MAX_WINDOW."""

_INDEX = frozenset("nmkNpqab")
"""Names that stand for whole numbers where the reference says so."""

_COUNTED = frozenset("nN")
"""Names that stand for whole numbers where only the answer says so, or a mere list does."""

_SAID = frozenset(("Z", "Z+", "Z0+", "Z-", "Z0-", "Z*", "N", "N+", "N*", "pmod", "dots"))
"""What says in a reference that whole numbers are meant."""


@dataclass(frozen=True, slots=True)
class IntegerSet:
    contains: Callable[[int], bool]
    reach: int = 0
    """Beyond it, in both directions, the set repeats with `period`."""
    period: int = 1
    sure: bool = True
    """Whole numbers are said, not only meant."""
    name: str = ""
    """Of the element, where one is given."""
    primes: bool = False


def same_integers(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Whether two trees write the same set of whole numbers; None where one writes none."""
    found: set[bool | None] = set()
    both = Op("both", (gold, answer))
    for natural in (0, 1) if Const("N") in walk(both) else (0,):
        x, y = integer_set(gold, natural), integer_set(answer, natural)
        if x is None or y is None or not (x.sure or y.sure):
            return None
        said = _INDEX if x.sure and not kinds(gold).isdisjoint(_SAID) else _COUNTED
        if not all(s.sure or s.name in said for s in (x, y)):
            return False  # an interval of reals, or all but a few of them
        found.add(False if x.name and y.name and x.name != y.name else _same(x, y))
    return found.pop() if len(found) == 1 else None


def _same(x: IntegerSet, y: IntegerSet) -> bool | None:
    period, reach = lcm(x.period, y.period), max(x.reach, y.reach)
    if x.primes or y.primes:
        if period > PRIME_CLASSES or reach > MAX_WINDOW // 8:
            return None
        return all(x.contains(n) == y.contains(n) for n in range(-reach, MAX_WINDOW // 3))
    if 2 * (reach + period) > MAX_WINDOW:
        return None
    window = range(-reach - period, reach + period + 1)
    return all(x.contains(n) == y.contains(n) for n in window)


# ---------------------------------------------------------------- reading


def integer_set(node: Node, natural: int) -> IntegerSet | None:
    """The set a tree writes down; `natural` is the first natural number."""
    if sum(isinstance(part, Rel | Seq) for part in walk(node)) > MAX_PARTS:
        return None
    return _read(node, natural)


def _read(node: Node, natural: int) -> IntegerSet | None:
    if node == Text("primes"):
        return IntegerSet(_prime, primes=True)
    domain = number_set(node, natural)
    if domain is not None:
        return _from_domain(domain)
    if isinstance(node, Rel):
        return _relation(node, natural)
    if isinstance(node, Seq):
        return _sequence(node, natural)
    if isinstance(node, Op):
        return _operation(node, natural)
    return None


def _operation(node: Op, natural: int) -> IntegerSet | None:
    if node.name == "pmod":
        return _classes([node.args[0]], node.args[1])
    if node.name == "such":
        return _built(node, natural)
    if node.name in ("union", "inter", "minus"):
        parts = [_read(arg, natural) for arg in node.args]
        return _combined(parts, node.name)
    return None


def _built(node: Op, natural: int) -> IntegerSet | None:
    """{n in Z : conditions}, {2k+1 : k in Z}."""
    element, condition = node.args
    if isinstance(element, Rel) and element.ops == ("in",):
        element, condition = element.items[0], Seq("", "", (element, condition))
    if isinstance(element, Sym):
        found = _read(condition, natural)
        if found is not None and found.name == element.name and found.sure:
            return replace(found, name="")
    image = _image(node, natural)
    return replace(image, name="") if image is not None else None


def _relation(node: Rel, natural: int) -> IntegerSet | None:
    subject = node.items[0]
    if node.ops == ("equiv",):
        return _congruence(subject, node.items[1])
    if len(node.ops) == 1 and isinstance(subject, Sym):
        name, value = subject.name, node.items[1]
        if node.ops[0] in ("in", "notin"):
            inner = _read(value, natural)
            if inner is None or inner.name:
                return None
            found = inner if node.ops[0] == "in" else _complement(inner)
            return replace(found, name=name, sure=node.ops[0] == "in")
        if node.ops[0] == "=":
            inner = _sequence(Seq("", "", (value,)), natural) or _read(value, natural)
            return replace(inner, name=name) if inner is not None and not inner.name else None
        if node.ops[0] == "!=":
            excluded = _finite(values((value,)))
            if excluded is None:
                return None
            return replace(_complement(excluded), name=name, sure=False)
    if not all(op in ("<", ">", "<=", ">=") for op in node.ops):
        return None
    line = inequality(node)
    if line is None or line.variable is None:
        return None
    pieces = [_piece(piece) for piece in line.pieces]
    joined = _combined(pieces, "union")
    return None if joined is None else replace(joined, name=line.variable, sure=False)


def _piece(piece: Piece) -> IntegerSet | None:
    low, high = end_value(piece.low), end_value(piece.high)
    if low is None or high is None:
        return None
    first = None if low == float("-inf") else _first(Fraction(low), piece.low_closed)
    last = None if high == float("inf") else -_first(-Fraction(high), piece.high_closed)
    return _from_domain(Domain("Z", first, last))


def _first(end: Fraction, closed: bool) -> int:
    return ceil(end) if closed else floor(end) + 1


def _sequence(node: Seq, natural: int) -> IntegerSet | None:
    """Listed numbers, with or without dots; conditions that all hold; cases."""
    if node.open not in ("", "{") or not node.items:
        return None
    if all(not isinstance(item, Rel | Seq) for item in node.items):
        last = node.items[-1]
        if isinstance(last, Op) and last.name == "pmod":  # 1, 3 (mod 8)
            return _classes([*node.items[:-1], last.args[0]], last.args[1])
        return _listed(node.items)
    image = _image(node, natural)
    if image is not None:
        return image
    if node.open == "{":
        return None
    first, *rest = node.items
    if isinstance(first, Rel) and len(first.ops) == 1 and first.ops[0] in ("equiv", "=", "in"):
        tail = rest[-1] if rest else first
        if rest and isinstance(tail, Op) and tail.name == "pmod":  # n = 1, 3 (mod 8)
            listed = _classes([first.items[1], *rest[:-1], tail.args[0]], tail.args[1])
            named = isinstance(first.items[0], Sym) and first.ops[0] != "in"
            assert isinstance(first.items[0], Sym) or not named
            if listed is None or not named or not isinstance(first.items[0], Sym):
                return None
            return replace(listed, name=first.items[0].name)
        if rest and all(not isinstance(item, Rel | Seq) for item in rest):  # n = 3, 4, 5, ...
            if first.ops[0] != "=" or not isinstance(first.items[0], Sym):
                return None
            numbers = _listed((first.items[1], *rest))
            return None if numbers is None else replace(numbers, name=first.items[0].name)
    parts = [_read(item, natural) for item in node.items]
    either = node.joined == "or" or all(
        isinstance(item, Rel) and item.ops[0] in ("equiv", "=") for item in node.items
    )
    return _combined(parts, "union" if either else "inter")


def _combined(parts: Sequence[IntegerSet | None], how: str) -> IntegerSet | None:
    sets = [part for part in parts if part is not None]
    names = {part.name for part in sets if part.name}
    if len(sets) != len(parts) or len(names) > 1 or not sets:
        return None
    tests = [part.contains for part in sets]
    if how == "union":

        def contains(n: int) -> bool:
            return any(test(n) for test in tests)
    elif how == "inter":

        def contains(n: int) -> bool:
            return all(test(n) for test in tests)
    else:

        def contains(n: int) -> bool:
            return tests[0](n) and not any(test(n) for test in tests[1:])

    sure = [part.sure for part in sets]
    return IntegerSet(
        contains,
        max(part.reach for part in sets),
        min(lcm(*(part.period for part in sets)), MAX_WINDOW),
        all(sure) if how == "union" else any(sure) if how == "inter" else sure[0],
        names.pop() if names else "",
        any(part.primes for part in sets),
    )


def _complement(inner: IntegerSet) -> IntegerSet:
    return replace(inner, contains=lambda n: not inner.contains(n))


def _from_domain(domain: Domain) -> IntegerSet | None:
    if domain.kind != "Z":
        return None
    low, high, without = domain.low, domain.high, domain.without
    reach = max((abs(end) + 1 for end in (low, high, *without) if end is not None), default=0)
    return IntegerSet(
        lambda n: (low is None or n >= low) and (high is None or n <= high) and n not in without,
        min(reach, MAX_WINDOW),
    )


def _finite(nodes: Sequence[Node]) -> IntegerSet | None:
    found = [exact(node) for node in nodes]
    numbers = frozenset(int(v) for v in found if v is not None and v.denominator == 1)
    if any(v is None or v.denominator != 1 for v in found) or not numbers:
        return None
    return IntegerSet(numbers.__contains__, min(max(map(abs, numbers)) + 1, MAX_WINDOW))


def _listed(items: Sequence[Node]) -> IntegerSet | None:
    r"""`1, 2, 3`; `1, 2, \ldots, 10`; `3, 5, 7, \ldots`; `\pm 1, \pm 3, \ldots`."""
    if Const("dots") not in items:
        return _finite(values(items)) if len(items) < MAX_WINDOW else None
    domain = listed_domain(list(items))
    if domain is not None:
        return _from_domain(domain)
    return _stepped(items)


def _stepped(items: Sequence[Node]) -> IntegerSet | None:
    """Whole numbers in equal steps, three at least (or two and the last one), with dots."""
    signed = any(isinstance(i, Op) and i.name == "pm" for i in items)
    bare = [i.args[0] if isinstance(i, Op) and i.name == "pm" else i for i in items]
    dots = [place for place, item in enumerate(items) if item == Const("dots")]
    written = [exact(item) for item in bare if item != Const("dots")]
    numbers = [int(v) for v in written if v is not None and v.denominator == 1]
    if len(numbers) != len(written) or len(dots) > 2:
        return None
    last = len(items) - 1
    closed = len(dots) == 1 and dots[0] == last - 1
    run = numbers[:-1] if closed else numbers
    steps = {b - a for a, b in pairwise(run)}
    if len(steps) != 1 or len(run) < (2 if closed else 3):
        return None
    step, start = steps.pop(), run[0]
    if not 0 < abs(step) <= MAX_MODULUS or (signed and (dots != [last] or step < 0)):
        return None
    if signed and not (start == 0 or 2 * start == step or start == step):
        return None
    if closed:
        end = numbers[-1]
        if (end - start) % step or (end - start) // step < len(run) or signed:
            return None
        return _progression(step, start, end)
    if dots == [last]:
        if signed:
            both = _progression(step, start, None), _progression(-step, -start, None)
            return _combined(both, "union")
        return _progression(step, start, None)
    if dots == [0, last]:
        return _classes([Num(start)], Num(abs(step)))
    return None


def _progression(step: int, start: int, end: int | None) -> IntegerSet:
    """start, start + step, ..., to `end` or without one."""
    if end is None:

        def contains(n: int) -> bool:
            return (n - start) % step == 0 and (n - start) * step >= 0
    else:
        low, high = min(start, end), max(start, end)

        def contains(n: int) -> bool:
            return low <= n <= high and (n - start) % step == 0

    reach = max(abs(start), abs(end or 0)) + 1
    return IntegerSet(contains, min(reach, MAX_WINDOW), abs(step))


def _classes(residues: Sequence[Node], modulus: Node) -> IntegerSet | None:
    m = exact(modulus)
    found = [exact(node) for node in values(residues)]
    if m is None or m.denominator != 1 or not 1 <= m <= MAX_MODULUS:
        return None
    if any(v is None or v.denominator != 1 for v in found):
        return None
    kept = frozenset(int(v) % int(m) for v in found if v is not None)
    return IntegerSet(lambda n: n % int(m) in kept, 0, int(m))


def _congruence(left: Node, right: Node) -> IntegerSet | None:
    r"""`n \equiv 1 \pmod 4`; `2n \equiv 3 \pmod 7` by trying every residue."""
    if not isinstance(right, Op) or right.name not in ("pmod", "mod"):
        return None
    modulus = exact(right.args[1])
    names = free_symbols(left)
    if modulus is None or modulus.denominator != 1 or not 1 <= modulus <= MAX_MODULUS:
        return None
    m = int(modulus)
    targets = values((right.args[0],))
    if len(names) != 1 or free_symbols(right.args[0]) or not _integral(left):
        return None
    name = next(iter(names))
    kept = set()
    wanted = [exact(target) for target in targets]
    if any(v is None or v.denominator != 1 for v in wanted):
        return None
    remainders = {int(v) % m for v in wanted if v is not None}
    if left == Sym(name):
        kept = remainders
    elif m > MAX_TRIED:
        return None
    else:
        for n in range(m):
            value = exact(left, {name: Fraction(n)})
            if value is None:
                return None
            if int(value) % m in remainders:
                kept.add(n)
    fixed = frozenset(kept)
    return IntegerSet(lambda n: n % m in fixed, 0, m, True, name)


def _integral(node: Node) -> bool:
    """A polynomial with whole coefficients: its residues repeat with the modulus."""
    if isinstance(node, Op):
        if node.name in ("add", "mul", "neg"):
            return all(map(_integral, node.args))
        if node.name == "pow":
            exponent = node.args[1]
            whole = isinstance(exponent, Num) and exponent.places < 0 and 0 <= exponent.value <= 64
            return whole and _integral(node.args[0])
        return False
    return isinstance(node, Sym) or (isinstance(node, Num) and node.places < 0)


def _image(node: Node, natural: int) -> IntegerSet | None:
    """4k + 1 for k in a domain; several of them."""
    said = declared(node, natural)
    if said is None or len(said.domains) != 1 or argument_only(said):
        return None
    ((name, domain),) = said.domains.items()
    if domain.kind != "Z" or domain.without:
        return None
    parts: list[IntegerSet | None] = []
    heads = set()
    for statement in said.statements:
        value = statement
        if isinstance(statement, Rel):
            if statement.ops != ("=",) or not isinstance(statement.items[0], Sym):
                return None
            heads.add(statement.items[0].name)
            value = statement.items[1]
        for one in values((value,)):
            parts.append(_linear_image(one, name, domain))
    if len(heads) > 1:
        return None
    found = _combined(parts, "union")
    return None if found is None else replace(found, name=heads.pop() if heads else "")


def _linear_image(value: Node, name: str, domain: Domain) -> IntegerSet | None:
    if free_symbols(value) - {name} or not _integral(value) or _degree(value) > 1:
        return None
    at = [exact(value, {name: Fraction(k)}) for k in (0, 1)]
    if at[0] is None or at[1] is None:
        return None
    start, step = int(at[0]), int(at[1] - at[0])
    if step == 0:
        return _finite((Num(start),))
    if abs(step) > MAX_MODULUS:
        return None
    low, high = domain.low, domain.high
    if low is None and high is None:
        return _classes([Num(start)], Num(abs(step)))
    if low is None:
        assert high is not None
        return _progression(-step, start + high * step, None)
    end = None if high is None else start + high * step
    return _progression(step, start + low * step, end)


def _degree(node: Node) -> int:
    if isinstance(node, Op):
        inner = [_degree(arg) for arg in node.args]
        if node.name == "mul":
            return sum(inner)
        if node.name == "pow":
            exponent = exact(node.args[1])
            return inner[0] * int(exponent) if exponent is not None else 99
        return max(inner)
    return int(isinstance(node, Sym))


def _prime(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, isqrt(n) + 1))
