r"""Answers with parameters: what is stated, and over which numbers its parameters run.

`x = k\pi, k \in \mathbb{Z}`, `\{2k+1 : k \in \mathbb{Z}\}`, `(t, 1-t), t \in \mathbb{R}`
and `n = 2^k, k = 0, 1, 2, \ldots` all come out as statements and domains.

Invariants:
- Every item of the tree is either a statement or part of a domain; nothing is dropped.
- `None` means that the tree declares nothing, or in a way not known here.

Not covered: domains that depend on other parameters; sets of sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from verifier.math.compare.inequalities import FLIP
from verifier.math.exact import exact
from verifier.math.tree import Const, Node, Num, Op, Rel, Seq, Sym, free_symbols

MAX_STATEMENTS = 32
"""Branches of one solution; people write up to eight."""

INDEX = frozenset("knmlj")
"""Names of whole parameters that nobody declares."""

MAX_INTEGER = 10**9
"""Ends of domains beyond it are no part of an answer."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Numbers of one kind, between bounds that belong to it."""

    kind: str
    """Z, Q, R, C or P, the primes."""
    low: int | None = None
    high: int | None = None
    without: frozenset[int] = frozenset()
    other: tuple[Node, ...] = ()
    """Conditions on numbers that are not whole, as written."""

    @property
    def finite(self) -> bool:
        return self.kind == "Z" and self.low is not None and self.high is not None


@dataclass(frozen=True, slots=True)
class Declared:
    statements: tuple[Node, ...]
    domains: dict[str, Domain] = field(default_factory=dict)


_SELF = Sym("parameter")
"""The parameter in conditions on it, whatever it is called."""

_MARKS = {"+": ">", "-": "<", "*": "!=", "0+": ">=", "0-": "<="}


def number_set(node: Node, natural: int) -> Domain | None:
    """The domain that the name of a set is; `natural` is the first natural number."""
    if node == Const("P"):
        return Domain("P")
    if not isinstance(node, Const) or node.name[0] not in "ZNQRC":
        return None
    letter, mark = node.name[0], node.name[1:]
    if letter == "N":
        return Domain("Z", 1 if mark in ("+", "*") else 0 if mark else natural)
    if letter == "Z":
        bounds = {"": (None, None), "+": (1, None), "0+": (0, None), "-": (None, -1),
                  "0-": (None, 0)}  # fmt: skip
        if mark == "*":
            return Domain("Z", without=frozenset((0,)))
        return Domain("Z", *bounds[mark]) if mark in bounds else None
    if mark and mark not in _MARKS:
        return None
    return Domain(letter, other=(Rel((_MARKS[mark],), (_SELF, Num(0))),) if mark else ())


def declared(node: Node, natural: int) -> Declared | None:
    """Statements and domains of an answer that declares at least one parameter."""
    found: list[Node] = []
    if not _flatten(node, found) or len(found) > 2 * MAX_STATEMENTS:
        return None
    statements: list[Node] = []
    domains: dict[str, Domain] = {}
    bounds: list[Node] = []
    at = 0
    while at < len(found):
        item = found[at]
        at += 1
        names = _member_names(item)
        if names is not None:
            assert isinstance(item, Rel)
            domain = number_set(item.items[1], natural)
            if domain is None:
                return None
            while statements and isinstance(statements[-1], Sym) and len(statements) > 1:
                names = (*names, _name(statements.pop()))  # a, b \in R
            for name in names:
                if name in domains:
                    return None
                domains[name] = domain
            continue
        listed = _listed(found, at - 1)
        if listed is not None:
            name, domain, at = listed
            if name in domains:
                return None
            domains[name] = domain
            continue
        if isinstance(item, Rel) and not {"=", "equiv"} & set(item.ops) and _subject(item):
            bounds.append(item)
        else:
            statements.append(item)
    return _bounded(statements, domains, bounds)


def _bounded(
    statements: list[Node], domains: dict[str, Domain], bounds: list[Node]
) -> Declared | None:
    """Inequalities about a parameter narrow its domain; others are statements."""
    used = set().union(*(free_symbols(item) for item in statements)) if statements else set()
    for bound in bounds:
        assert isinstance(bound, Rel)
        name = _subject(bound)
        points = all(isinstance(item, Seq) for item in statements)
        if name in domains or (
            name in used and (name in INDEX or points) and not _heads(statements, name)
        ):
            usual = Domain("Z" if name in INDEX else "R")
            narrowed = _narrowed(domains.get(name, usual), bound, name)
            if narrowed is None:
                return None
            domains[name] = narrowed
        else:
            statements.append(bound)
    kept = {name: domain for name, domain in domains.items() if not _heads(statements, name)}
    if not kept or not kept.keys() <= used or len(statements) > MAX_STATEMENTS:
        return None
    return Declared(tuple(statements), kept)


def _heads(statements: list[Node], name: str) -> bool:
    return any(isinstance(s, Rel) and s.items[0] == Sym(name) for s in statements)


def argument_only(said: Declared) -> bool:
    """Whether all that is declared is the argument of a function or the index of a sequence."""
    arguments: set[str] = set()
    for item in said.statements:
        head = item.items[0] if isinstance(item, Rel) and item.ops == ("=",) else None
        if isinstance(head, Op) and head.name in ("call", "index"):
            arguments |= set().union(*(free_symbols(arg) for arg in head.args[1:]))
        elif isinstance(head, Sym) and "_" in head.name:
            arguments.add(head.name.partition("_")[2].strip("{}"))
    return said.domains.keys() <= arguments


def _flatten(node: Node, found: list[Node]) -> bool:
    """Lists, unions, sets and set-builders as one list of statements and conditions."""
    if isinstance(node, Seq) and node.open in ("", "{"):
        return all(_flatten(item, found) for item in node.items)
    if isinstance(node, Op) and node.name == "union":
        return all(_flatten(arg, found) for arg in node.args)
    if isinstance(node, Op) and node.name == "such":
        element, condition = node.args
        inner: list[Node] = []
        if not _flatten(condition, inner):
            return False
        subject = element.items[0] if isinstance(element, Rel) else element
        if isinstance(subject, Sym):  # {x : x = 2k, k in Z}: the statements are inside
            kind = element.items[1] if isinstance(element, Rel) else Const("R")
            if kind not in (Const("R"), Const("Z")) or not any(
                subject.name in free_symbols(item) and len(free_symbols(item)) > 1 for item in inner
            ):
                return False
            found.extend(inner)
            return True
        if isinstance(element, Seq) and all(
            any(isinstance(i, Rel) and i.ops == ("=",) and i.items[0] == one for i in inner)
            for one in element.items
        ):
            found.extend(inner)  # {(x, y) : x = 2t, y = 3t}
            return True
        if not _flatten(element, found):  # {2k, 3k : k in Z} has two
            return False
        found.extend(inner)
        return True
    if isinstance(node, Rel) and node.ops == ("in",) and _set_builder(node.items[1]):
        inner = []
        if not _flatten(node.items[1], inner):
            return False
        for item in inner:
            relation = isinstance(item, Rel)
            found.append(item if relation else Rel(("=",), (node.items[0], item)))
        return True
    found.append(node)
    return True


def _set_builder(node: Node) -> bool:
    return (isinstance(node, Op) and node.name in ("such", "union")) or (
        isinstance(node, Seq) and node.open == "{"
    )


def _member_names(node: Node) -> tuple[str, ...] | None:
    r"""The names of `k \in \mathbb{Z}`, `(a, b) \in ...`."""
    if not isinstance(node, Rel) or node.ops != ("in",) or not isinstance(node.items[1], Const):
        return None
    first = node.items[0]
    parts = first.items if isinstance(first, Seq) and not first.open else (first,)
    if not all(isinstance(part, Sym) for part in parts):
        return None
    return tuple(_name(part) for part in parts)


def _name(node: Node) -> str:
    assert isinstance(node, Sym)
    return node.name


def _subject(node: Node) -> str:
    """The one name an inequality with numbers is about: `k >= 1`, `0 <= k < 5`; else ""."""
    if not isinstance(node, Rel):
        return ""
    names = [item.name for item in node.items if isinstance(item, Sym)]
    others = [item for item in node.items if not isinstance(item, Sym)]
    if len(names) != 1 or any(free_symbols(item) for item in others):
        return ""
    return names[0] if {*node.ops} <= {"<", ">", "<=", ">=", "!="} else ""


def _narrowed(domain: Domain, bound: Rel, name: str) -> Domain | None:
    if domain.kind != "Z":
        items = tuple(_SELF if item == Sym(name) else item for item in bound.items)
        return replace(domain, other=(*domain.other, Rel(bound.ops, items)))
    place = bound.items.index(Sym(name))
    for index, op in enumerate(bound.ops):
        if place not in (index, index + 1):
            return None
        op = op if place == index else FLIP[op]
        end = exact(bound.items[index + 1 if place == index else index])
        if end is None or abs(end) > MAX_INTEGER:
            return None
        narrowed = _cut(domain, op, end)
        if narrowed is None:
            return None
        domain = narrowed
    return domain


def _cut(domain: Domain, op: str, end: Fraction) -> Domain | None:
    floor, ceiling = end.numerator // end.denominator, -(-end.numerator // end.denominator)
    if op == "!=":
        if end.denominator != 1:
            return domain
        if domain.low == floor:
            return replace(domain, low=floor + 1)
        outside = domain.low is not None and floor < domain.low
        return domain if outside else replace(domain, without=domain.without | {floor})
    if op in (">", ">="):
        low = floor + 1 if op == ">" else ceiling
        return replace(domain, low=low if domain.low is None else max(low, domain.low))
    high = ceiling - 1 if op == "<" else floor
    return replace(domain, high=high if domain.high is None else min(high, domain.high))


def _listed(found: list[Node], at: int) -> tuple[str, Domain, int] | None:
    r"""`k = 0, 1, 2, \ldots` or `k = 0, \pm 1, \pm 2, \ldots` from a place on, and its end."""
    first = found[at]
    if not isinstance(first, Rel) or first.ops != ("=",) or not isinstance(first.items[0], Sym):
        return None
    name, items, end = first.items[0].name, [first.items[1]], at + 1
    if len(found) <= end or at == 0:
        return None
    while end < len(found) and isinstance(found[end], Num | Op | Const) and len(items) < 64:
        items.append(found[end])
        end += 1
    domain = listed_domain(items)
    return None if domain is None else (name, domain, end)


def listed_domain(items: list[Node]) -> Domain | None:
    """Whole numbers in steps of one, with dots; or a few of them written out."""
    values: list[int | None] = []
    signed = False
    for item in items:
        if isinstance(item, Op) and item.name == "pm" and len(item.args) == 1:
            signed = True
            item = item.args[0]
        if item == Const("dots"):
            values.append(None)
            continue
        value = exact(item)
        if value is None or value.denominator != 1:
            return None
        values.append(int(value))
    return _counted(values, signed)


def _counted(values: list[int | None], signed: bool) -> Domain | None:
    numbers = [value for value in values if value is not None]
    dots = [place for place, value in enumerate(values) if value is None]
    if not numbers or len(dots) > 2 or abs(max(numbers, key=abs)) > MAX_INTEGER:
        return None
    before = numbers[: dots[0]] if dots and dots[0] else numbers
    if before != list(range(before[0], before[0] + len(before))):
        return None
    last = len(values) - 1
    if signed:  # 0, \pm 1, \pm 2, ...
        if dots != [last] or numbers[0] not in (0, 1) or len(numbers) < 2:
            return None
        return Domain("Z", without=frozenset(() if numbers[0] == 0 else (0,)))
    if not dots:
        return Domain("Z", numbers[0], numbers[-1]) if len(numbers) > 1 else None
    if dots == [last] and len(numbers) > 1:
        return Domain("Z", numbers[0])
    if dots == [0, last] and len(numbers) > 1:
        return Domain("Z")
    if len(dots) == 1 and 0 < dots[0] == last - 1 and numbers[-1] > before[-1]:
        return Domain("Z", numbers[0], numbers[-1])
    return None
