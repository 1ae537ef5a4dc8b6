"""The expression tree that every tier reads.

Seven small immutable node types. Scalars are `Num`, `Const`, `Sym`, `Base` and
`Op` (operators, functions and bound operators by name); `Seq`, `Rel` and
`Matrix` are structures; `Text` is a word in a place where mathematics stood.

Invariants:
- A tree holds what was *written*: nothing is simplified, no arithmetic is done.
- Trees hash and compare by value, so they can be cached and put in sets.
- `from_json(to_json(t)) == t`; JSON is the only form in which a tree leaves the
  process (no pickle).

Not covered: types of symbols (integer, real), assumptions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Num:
    """A written number: an integer, or a decimal with `places` digits after the point."""

    value: int | Fraction
    places: int = -1
    """Digits after the decimal point; -1 for an integer written without one."""

    @property
    def shown(self) -> int:
        """Significant digits a decimal shows (0.050 shows 2); 0 for an integer."""
        if self.places < 0:
            return 0
        return len(str(abs(int(self.value * 10**self.places))).lstrip("0"))


@dataclass(frozen=True, slots=True)
class Const:
    """A named constant: pi, e, i, oo, R (the reals), empty, Z, N, Q, C, P (the primes), dots.

    A set with a mark: Z+ (positive), Z- (negative), Z* (not zero), Z0+ and Z0- (with zero); so
    for R and Q. N* and N+ are Z+, N0+ is Z0+; N alone leaves open whether zero is in it.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Sym:
    """A variable; a plain subscript is part of the name: `a_1`."""

    name: str


@dataclass(frozen=True, slots=True)
class Base:
    """Digits with a number base: 204_5."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Text:
    """Words (a unit, or an answer in words)."""

    text: str


@dataclass(frozen=True, slots=True)
class Op:
    """An operator or function applied to arguments.

    add mul div pow neg pm mp; sin ... ; sqrt root log(x, base) fact binom abs;
    percent deg unit(x, Text); gamma cis(x) = cos x + i sin x; perm(n, k);
    call(Sym f, args...) index(Sym a, i); compose(f, g, ...);
    cross(a, b) of vec(Sym a): letters under an arrow, where a cross product is;
    sum prod int (var, low, high, body) lim(var, to, body); ratio(a, b, ...);
    union inter minus (of sets); such(element, condition); cases(value, condition, ...).
    """

    name: str
    args: tuple[Node, ...]
    _kinds: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)
    _free: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Seq:
    """Items between brackets; no brackets is a bare list.

    `joined` is "," or "or" / "and" / ";" for a bare list whose items those words join.
    """

    open: str
    close: str
    items: tuple[Node, ...]
    joined: str = ","
    _kinds: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)
    _free: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Rel:
    """A chain of relations: items[0] ops[0] items[1] ops[1] ...

    Operators: = != < > <= >= ~ (approximately) in notin := -> | equiv
    """

    ops: tuple[str, ...]
    items: tuple[Node, ...]
    _kinds: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)
    _free: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Matrix:
    rows: tuple[tuple[Node, ...], ...]
    _kinds: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)
    _free: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)


Node = Num | Const | Sym | Base | Text | Op | Seq | Rel | Matrix


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node, in reading order."""
    if isinstance(node, Op):
        return node.args
    if isinstance(node, Seq | Rel):
        return node.items
    if isinstance(node, Matrix):
        return tuple(cell for row in node.rows for cell in row)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """Every node of the tree, parents first."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(children(top))


def kinds(node: Node) -> frozenset[str]:
    """What occurs in a tree: names of operators and constants, and "Seq", "Rel",
    "Matrix", "Text". Kept in the tree, as most questions about one begin here."""
    if isinstance(node, Op | Seq | Rel | Matrix):
        known = node._kinds
        if known is None:
            own = node.name if isinstance(node, Op) else type(node).__name__
            known = frozenset((own,)).union(*map(kinds, children(node)))
            object.__setattr__(node, "_kinds", known)  # it is frozen for everybody else
        return known
    if isinstance(node, Const):
        return frozenset((node.name,))
    return _TEXT if isinstance(node, Text) else _NOTHING


_TEXT, _NOTHING = frozenset(("Text",)), frozenset[str]()


def free_symbols(node: Node) -> frozenset[str]:
    """Names of the symbols that no sum, product, integral or limit binds. Kept as well."""
    if isinstance(node, Sym):
        return frozenset((node.name,))
    if not isinstance(node, Op | Seq | Rel | Matrix):
        return _NOTHING
    known = node._free
    if known is None:
        known = _free_symbols(node)
        object.__setattr__(node, "_free", known)
    return known


def _free_symbols(node: Node) -> frozenset[str]:
    if isinstance(node, Op):
        if node.name in BINDERS and isinstance(node.args[0], Sym):
            bound, *limits, body = node.args
            assert isinstance(bound, Sym)
            names = free_symbols(body) - {bound.name}
            return names.union(*(free_symbols(limit) for limit in limits))
        if node.name in ("call", "index"):
            return _NOTHING.union(*(free_symbols(arg) for arg in node.args[1:]))
    return _NOTHING.union(*map(free_symbols, children(node)))


def exchanged(node: Node, table: Mapping[Node, Node]) -> Node:
    """The tree with its leaves exchanged as the table says, all at once."""
    if isinstance(node, Op):
        return Op(node.name, tuple(exchanged(arg, table) for arg in node.args))
    if isinstance(node, Rel):
        return Rel(node.ops, tuple(exchanged(item, table) for item in node.items))
    if isinstance(node, Seq):
        items = tuple(exchanged(item, table) for item in node.items)
        return Seq(node.open, node.close, items, node.joined)
    if isinstance(node, Matrix):
        return Matrix(tuple(tuple(exchanged(cell, table) for cell in row) for row in node.rows))
    return table.get(node, node)


def substituted(node: Node, name: str, value: Node) -> Node:
    """The tree with a tree in the place of a letter."""
    return exchanged(node, {Sym(name): value})


BINDERS = frozenset(("sum", "prod", "int", "lim"))


# ---------------------------------------------------------------- JSON


def to_json(node: Node) -> list[Any]:
    """A JSON-ready list; integers of any size travel as hexadecimal text."""
    if isinstance(node, Num):
        value = Fraction(node.value)
        return ["n", hex(value.numerator), hex(value.denominator), node.places]
    if isinstance(node, Const):
        return ["c", node.name]
    if isinstance(node, Sym):
        return ["s", node.name]
    if isinstance(node, Base):
        return ["b", node.digits, node.base]
    if isinstance(node, Text):
        return ["t", node.text]
    if isinstance(node, Op):
        return ["o", node.name, [to_json(arg) for arg in node.args]]
    if isinstance(node, Seq):
        return ["q", node.open, node.close, node.joined, [to_json(item) for item in node.items]]
    if isinstance(node, Rel):
        return ["r", list(node.ops), [to_json(item) for item in node.items]]
    return ["m", [[to_json(cell) for cell in row] for row in node.rows]]


def from_json(data: Any) -> Node:
    """The tree `to_json` wrote. Raises ValueError on anything else."""
    try:
        return _from_json(data)
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"not a tree: {error}") from error


def _from_json(data: Any) -> Node:
    kind, *rest = data
    if kind == "n":
        top, bottom, places = rest
        value = Fraction(int(top, 16), int(bottom, 16))
        return Num(int(value) if value.denominator == 1 and places < 0 else value, int(places))
    if kind == "c":
        return Const(str(rest[0]))
    if kind == "s":
        return Sym(str(rest[0]))
    if kind == "b":
        return Base(str(rest[0]), int(rest[1]))
    if kind == "t":
        return Text(str(rest[0]))
    if kind == "o":
        return Op(str(rest[0]), tuple(_from_json(arg) for arg in rest[1]))
    if kind == "q":
        items = tuple(_from_json(item) for item in rest[3])
        return Seq(str(rest[0]), str(rest[1]), items, str(rest[2]))
    if kind == "r":
        return Rel(tuple(str(op) for op in rest[0]), tuple(_from_json(item) for item in rest[1]))
    if kind == "m":
        return Matrix(tuple(tuple(_from_json(cell) for cell in row) for row in rest[0]))
    raise ValueError(f"not a tree: kind {kind!r}")
