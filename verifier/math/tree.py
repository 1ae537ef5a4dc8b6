"""The expression tree that every tier reads.

Seven small immutable node types. Scalars are `Num`, `Const`, `Sym`, `Base` and
`Op` (operators, functions and bound operators by name); `Seq`, `Rel` and
`Matrix` are structures; `Text` is a word in a place where mathematics stood.

Invariants:
- A tree holds what was *written*: nothing is simplified, no arithmetic is done.
- Trees hash and compare by value, so they can be cached and put in sets.
- `from_json(to_json(t)) == t`; JSON is the only form in which a tree leaves the
  process (no pickle).
- `parse(to_latex(t)) == t` for every tree that the parser can give.

Not covered: types of symbols (integer, real), assumptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    """A named constant: pi, e, i, oo, R (the reals), empty, Z, N, Q, C, dots."""

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
    percent deg unit(x, Text); call(Sym f, args...) index(Sym a, i);
    sum prod int (var, low, high, body) lim(var, to, body); ratio(a, b, ...);
    union inter minus (of sets); such(element, condition); cases(value, condition, ...).
    """

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Seq:
    """Items between brackets; no brackets is a bare list.

    `joined` is "," or "or" / "and" / ";" for a bare list whose items those words join.
    """

    open: str
    close: str
    items: tuple[Node, ...]
    joined: str = ","


@dataclass(frozen=True, slots=True)
class Rel:
    """A chain of relations: items[0] ops[0] items[1] ops[1] ...

    Operators: = != < > <= >= ~ (approximately) in notin := -> | equiv
    """

    ops: tuple[str, ...]
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    rows: tuple[tuple[Node, ...], ...]


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


def free_symbols(node: Node) -> frozenset[str]:
    """Names of the symbols that no sum, product, integral or limit binds."""
    if isinstance(node, Sym):
        return frozenset((node.name,))
    if isinstance(node, Op):
        if node.name in BINDERS and isinstance(node.args[0], Sym):
            bound, *limits, body = node.args
            assert isinstance(bound, Sym)
            names = free_symbols(body) - {bound.name}
            return names.union(*(free_symbols(limit) for limit in limits))
        if node.name in ("call", "index"):
            return frozenset().union(*(free_symbols(arg) for arg in node.args[1:]))
    parts = children(node)
    return frozenset().union(*map(free_symbols, parts)) if parts else frozenset()


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


# ---------------------------------------------------------------- printing

_CONSTS = {
    "pi": r"\pi ",
    "e": "e",
    "i": "i",
    "oo": r"\infty ",
    "R": r"\mathbb{R}",
    "Z": r"\mathbb{Z}",
    "N": r"\mathbb{N}",
    "Q": r"\mathbb{Q}",
    "C": r"\mathbb{C}",
    "empty": r"\emptyset ",
    "dots": r"\ldots ",
}
_RELS = {
    "=": "=",
    "!=": r"\neq ",
    "<": "<",
    ">": ">",
    "<=": r"\le ",
    ">=": r"\ge ",
    "~": r"\approx ",
    "in": r"\in ",
    "notin": r"\notin ",
    "->": r"\to ",
    "equiv": r"\equiv ",
}
_SETS = {"union": r"\cup ", "inter": r"\cap ", "minus": r"\setminus "}


def to_latex(node: Node) -> str:
    """LaTeX that the parser reads back to the same tree. Not meant to be pretty."""
    if isinstance(node, Num):
        return _number(node)
    if isinstance(node, Const):
        return _CONSTS[node.name]
    if isinstance(node, Sym):
        return _symbol(node.name)
    if isinstance(node, Base):
        return f"{node.digits}_{{{node.base}}}"
    if isinstance(node, Text):
        return rf"\text{{{node.text}}}"
    if isinstance(node, Op):
        return _operator(node)
    if isinstance(node, Seq):
        comma = {",": ", ", ";": ";", "or": r"\text{ or }", "and": r"\text{ and }"}[node.joined]
        opening = r"\{" if node.open == "{" else node.open
        closing = r"\}" if node.close == "}" else node.close
        if node.open == "<":
            opening, closing = r"\langle ", r"\rangle "
        return opening + comma.join(_inside(item) for item in node.items) + closing
    if isinstance(node, Rel):
        text = _side(node.items[0])
        for op, item in zip(node.ops, node.items[1:], strict=True):
            text += _RELS[op] + _side(item)
        return text
    rows = r"\\ ".join(" & ".join(to_latex(cell) for cell in row) for row in node.rows)
    return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"


def _inside(node: Node) -> str:
    """A list's item: lists inside lists need brackets of their own."""
    text = to_latex(node)
    return "{" + text + "}" if isinstance(node, Seq) and not node.open else text


def _side(node: Node) -> str:
    text = to_latex(node)
    return "(" + text + ")" if isinstance(node, Rel) else text


def _number(node: Num) -> str:
    if node.places < 0:
        text = str(abs(int(node.value)))
    else:
        digits = str(abs(int(node.value * 10**node.places))).rjust(node.places + 1, "0")
        cut = len(digits) - node.places
        text = digits[:cut] + "." + digits[cut:] if node.places else digits + ".0"
    return f"(-{text})" if node.value < 0 else text


def _symbol(name: str) -> str:
    head, _, sub = name.partition("_")
    text = head if len(head) == 1 else "\\" + head + " "
    return f"{text}_{{{sub}}}" if sub else text


def _operator(node: Op) -> str:
    name, args = node.name, node.args
    if name in _SETS:
        return _SETS[name].join(_wrapped(arg) for arg in args)
    if name == "unit" and args[1] == Text("$"):
        return _wrapped(args[0]) + r"\$ "
    if name == "unit":
        return _wrapped(args[0]) + to_latex(args[1])
    if name == "ratio":
        return ":".join(_wrapped(arg) for arg in args)
    if name in ("sum", "prod"):
        var, low, high, body = map(to_latex, args)
        return rf"\{name}_{{{var}={low}}}^{{{high}}}({body})"
    inner = [to_latex(arg) for arg in args]
    if name == "add":
        return "+".join(_wrapped(arg) for arg in args)
    if name == "mul":
        return r"\cdot ".join(_wrapped(arg) for arg in args)
    if name == "div":
        return rf"\frac{{{inner[0]}}}{{{inner[1]}}}"
    if name == "pow":
        return f"({inner[0]})^{{{inner[1]}}}"
    if name == "neg":
        return f"-({inner[0]})"
    if name in ("pm", "mp"):
        sign = rf"\{name} "
        return sign + _wrapped(args[0]) if len(args) == 1 else sign.join(map(_wrapped, args))
    if name == "sqrt":
        return rf"\sqrt{{{inner[0]}}}"
    if name == "root":
        return rf"\sqrt[{inner[1]}]{{{inner[0]}}}"
    if name == "log" and len(args) == 2:
        return rf"\log_{{{inner[1]}}}({inner[0]})"
    if name == "fact":
        return f"({inner[0]})!"
    if name == "binom":
        return rf"\binom{{{inner[0]}}}{{{inner[1]}}}"
    if name == "abs":
        return rf"\left|{inner[0]}\right|"
    if name == "floor":
        return rf"\lfloor {inner[0]}\rfloor "
    if name == "ceil":
        return rf"\lceil {inner[0]}\rceil "
    if name == "percent":
        return rf"({inner[0]})\%"
    if name == "deg":
        return rf"({inner[0]})^{{\circ}}"
    if name in _PRINTED:
        return _PRINTED[name].format(*(f"{{{part}}}" for part in inner))
    if name == "mark":
        return rf"\{args[0].text if isinstance(args[0], Text) else ''} {_wrapped(args[1])}"
    if name == "lim":
        return rf"\lim_{{{inner[0]}\to {inner[1]}}}({inner[2]})"
    if name == "int":
        bounds = f"_{{{inner[1]}}}^{{{inner[2]}}}" if len(args) == 4 else ""
        return rf"\int{bounds} ({inner[-1]})\,d {inner[0]}"
    if name == "such":
        return rf"\{{{inner[0]}\mid {inner[1]}\}}"
    if name == "cases":
        rows = zip(inner[::2], inner[1::2], strict=True)
        return r"\begin{cases}" + r"\\ ".join(map(" & ".join, rows)) + r"\end{cases}"
    if name == "call":
        return f"{inner[0]}({','.join(inner[1:])})"
    return rf"\operatorname{{{name}}}({','.join(inner)})"


_PRINTED = {
    "prime": "{}'",
    "bar": r"\overline{}",
    "index": "{}_{}",
    "fact2": "({})!!",
    "perm": "P({},{})",
    "mod": r"({})\bmod ({})",
    "pmod": r"({})\pmod {}",
    "det": r"\det({})",
    "norm": r"\lVert {}\rVert ",
}
"""Forms of the rarer operators; each part comes in braces of its own."""

_LOOSE = frozenset(("add", "mul", "neg", "pm", "mp", "unit", "union", "inter", "minus", "ratio"))


def _wrapped(node: Node) -> str:
    """In parentheses wherever the parser could otherwise bind it differently."""
    text = to_latex(node)
    loose = isinstance(node, Rel) or (isinstance(node, Op) and node.name in _LOOSE)
    return f"({text})" if loose else text
