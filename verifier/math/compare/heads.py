r"""Names and what they stand for: the head and the value of `x = 5`, `f(x) = x^2`, `x \in S`.

A head is a name, a function with its arguments, or a derivative; what is left of the
equals sign may also be composite (`m + n = 113`, `P(A) = 1/2`): then it names nothing,
and `stated` says whether the right side is an answer all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

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
    children,
    exchanged,
    free_symbols,
    walk,
)

_VALUE_OPS = frozenset(("=", "~", ":="))


def headed(node: Node) -> tuple[Node | None, Node]:
    """(name, value) of `x = 5`, `f(x) = x^2`, `x \\in S`, `n = 1, 2, 3`, `\\sqrt4 = 2`.

    The name is None where what stands before the equals sign is no name; the value is
    the node itself where the relation states no value.
    """
    if isinstance(node, Rel):
        return _relation(node)
    if isinstance(node, Op) and node.name == "mul" and len(node.args) == 2:
        name, place = node.args  # A(1, 2)
        if _point(name) and isinstance(place, Seq) and place.open == "(":
            return name, place
    if isinstance(node, Seq) and not node.open and node.items:
        if any(map(_shared, node.items)):
            return None, node  # x = y = 0 or x = y = 1: pairs
        heads = [headed(item) for item in node.items]
        first = heads[0][0]
        if first is None:
            return None, node
        named = [head for head, _ in heads[1:] if head is not None]
        if named and (len(named) < len(heads) - 1 or not all(same_head(h, first) for h in named)):
            return None, node
        if any(
            isinstance(item, Rel) and value is item
            for item, (_, value) in zip(node.items, heads, strict=True)
        ):
            return None, node
        return first, Seq("", "", tuple(value for _, value in heads), node.joined)
    return None, node


def _point(node: Node) -> bool:
    return (
        isinstance(node, Sym) and len(node.name.partition("_")[0]) == 1 and node.name[0].isupper()
    )


def numbered(names: Iterable[Node | None]) -> bool:
    """x_1, x_2, x_3: solutions of one equation, in whatever order."""
    parts = [name.name.partition("_") if isinstance(name, Sym) else ("", "", "") for name in names]
    return len({base for base, _, _ in parts}) == 1 and all(n.isdigit() for _, _, n in parts)


def _relation(node: Rel) -> tuple[Node | None, Node]:
    first, last = node.items[0], node.items[-1]
    if node.ops == ("in",):
        several = isinstance(last, Seq) and last.open == "{"  # (x, y) in a set of pairs
        return (first, last) if several or not isinstance(first, Seq) else (None, node)
    if node.ops == ("->",):
        return _mapping(node)
    if node.ops == ("equiv",) and isinstance(first, Op) and first.name == "call":
        return first, last  # f(x) is 0 throughout
    if not _VALUE_OPS.issuperset(node.ops):
        return None, node
    if is_name(first):
        value = _last_exact(node.ops[1:], node.items[1:])
        if isinstance(first, Sym) and first.name in free_symbols(value):
            return None, node  # an equation for x
        both = isinstance(first, Seq) and isinstance(value, Seq) and value.open == "("
        if both and len(children(first)) != len(children(value)):
            return None, node
        return first, value
    value = _last_exact(node.ops, node.items)
    if is_name(value) and len(node.items) == 2 and not isinstance(first, Sym):
        return (value, first) if not free_symbols(first) else (None, node)
    if not free_symbols(first) and not isinstance(first, Seq) and not free_symbols(value):
        return None, value
    return None, node


def _mapping(node: Rel) -> tuple[Node | None, Node]:
    """`x -> 3x - 7`, `f: x -> 3x - 7` as `f(x) = 3x - 7`."""
    first, body = node.items
    name: Node = ANONYMOUS
    if isinstance(first, Op) and first.name == "ratio" and len(first.args) == 2:
        name, first = first.args
    if isinstance(first, Sym) and first.name in free_symbols(body):
        return Op("call", (name, first)), body
    return None, node


ANONYMOUS = Sym("")
"""The name of a function that has none."""


def _last_exact(ops: tuple[str, ...], items: tuple[Node, ...]) -> Node:
    """The value of a chain: the last exact one. "= 1/3 ~ 0.33" says one third, and of
    "3 ~ pi" the exact side is pi, whichever comes first."""
    if "~" not in ops:
        return items[-1]
    cut = ops.index("~")
    best, rank = items[cut], _exactness(items[cut])
    for item in items[cut + 1 :]:
        if _exactness(item) > rank:
            best, rank = item, _exactness(item)
    return best


def _exactness(node: Node) -> int:
    """0 for whole numbers and decimals, which may be rounded; 1 for what has to be exact."""
    parts = list(walk(node))
    if any(isinstance(part, Const | Seq | Matrix | Rel | Base) for part in parts):
        return 1
    if any(isinstance(part, Op) and part.name not in _ROUND for part in parts):
        written = any(isinstance(part, Num) and part.places >= 0 for part in parts)
        return (
            1
            if not written
            or any(isinstance(part, Op) and part.name not in _RATIONAL for part in parts)
            else 0
        )
    return 0


_ROUND = frozenset(("neg", "unit", "deg", "percent"))
_RATIONAL = _ROUND | {"add", "mul", "div"}


# ---------------------------------------------------------------- what is no name


def stated(node: Node, asked: bool) -> Node | None:
    """The value of an equation whose left side is an expression: 113 of `m + n = 113`.

    None where a solver would go on (`2x = 4`, `x^2 = 4`), and where the value holds
    unknowns of the left side. With `asked` the equation is the reference: there
    `5p + q = 8` and `x^2 + y^2 = 25` may be asked for as equations, so the left side has
    to be something else than algebra.
    """
    if not isinstance(node, Rel) or not _VALUE_OPS.issuperset(node.ops):
        return None
    first = node.items[0]
    names = free_symbols(first)
    value = _last_exact(node.ops[1:], node.items[1:])
    if not names or isinstance(value, Rel) or not names.isdisjoint(free_symbols(value)):
        return None
    if asked and any(isinstance(part, Op) and part.name == "index" for part in walk(first)):
        return None  # a recurrence
    if isinstance(first, Seq):
        same = isinstance(value, Seq) and len(value.items) == len(first.items)
        return value if same and first.open == "(" else None
    if isinstance(value, Seq | Matrix) or _set_expression(first):
        return value if not _algebra(first) else None
    if _algebra(first):
        if names <= _COORDINATES and (value == Num(0) or any(map(_number, walk(first)))):
            return None  # a line or a circle
        return None if asked or len(names) == 1 else value
    return None if _to_solve(first) else value


_COORDINATES = frozenset("xyz")


def _number(node: Node) -> bool:
    return isinstance(node, Num)


def _set_expression(node: Node) -> bool:
    return isinstance(node, Op) and node.name in ("union", "inter", "minus")


def _algebra(node: Node) -> bool:
    """Arithmetic, roots, logarithms and powers of plain letters."""
    if isinstance(node, Sym):
        return "_" not in node.name and not node.name[0].isupper()
    if isinstance(node, Op):
        return node.name in _ALGEBRA and all(map(_algebra, node.args))
    return isinstance(node, Num | Const)


_ALGEBRA = frozenset(
    ("add", "mul", "neg", "div", "pow", "sqrt", "root", "exp", "ln", "log", "abs", "floor",
     "ceil", "fact", "pm", "mp", "binom", "mod")
)  # fmt: skip


def _to_solve(node: Node) -> bool:
    """What is left to solve for its one unknown although it is no plain letter: `2 x_1 = 4`."""
    return len(free_symbols(node)) == 1 and isinstance(node, Op) and node.name in _ALGEBRA


# ---------------------------------------------------------------- names


def is_name(node: Node) -> bool:
    """What may stand before an equals sign as the name of what follows."""
    if isinstance(node, Sym):
        return True
    if isinstance(node, Seq):
        return bool(node.items) and all(isinstance(item, Sym) for item in node.items)
    if isinstance(node, Op):
        if node.name in ("call", "index", "mark", "prime", "bar", "compose"):
            return True
        if derivative(node) is not None:
            return True
        if node.name in ("abs", "norm") and node.args[0] in _LENGTHS:
            return True
        if node.name in ("abs", "norm", "div", "ratio", "mul"):
            return all(_capital(arg) for arg in node.args)
    return False


_LENGTHS = frozenset(map(Sym, ("z", "w", "u", "v", "a", "b", "c", "A")))
"""Complex numbers and vectors: their modulus is asked for, not left to be solved."""


def _capital(node: Node) -> bool:
    """Names of points, segments and areas: capital letters."""
    if isinstance(node, Sym):
        return node.name[0].isupper()
    if isinstance(node, Op) and node.name in ("mul", "mark", "bar", "abs", "index", "call"):
        return all(_capital(arg) or isinstance(arg, Text) for arg in node.args[:1])
    return False


def derivative(node: Node) -> tuple[Node, int, Node | None] | None:
    """(function, order, variable) of dy/dx, d^2y/dx^2, y', f''(x); the variable may be
    left unsaid."""
    order, variable = 0, None
    if isinstance(node, Op) and node.name == "div":
        return _leibniz(*node.args)
    if isinstance(node, Op) and node.name in ("call", "mul") and len(node.args) == 2:
        node, variable = node.args
        if not isinstance(variable, Sym):
            return None
    while isinstance(node, Op) and node.name == "prime":
        node, order = node.args[0], order + 1
    return (node, order, variable) if order and isinstance(node, Sym) else None


def _leibniz(top: Node, bottom: Node) -> tuple[Node, int, Node | None] | None:
    match top, bottom:
        case Op("mul", (Sym("d"), Sym() as y)), Op("mul", (Sym("d"), Sym() as x)):
            return y, 1, x
        case (
            Op("mul", (Op("pow", (Sym("d"), Num(n))), Sym() as y)),
            Op("mul", (Sym("d"), Op("pow", (Sym() as x, Num(m))))),
        ) if n == m and isinstance(n, int) and n > 0:
            return y, n, x
    return None


def same_head(a: Node, b: Node) -> bool:
    """Equal names; `y` may stand for `f(x)`, dy/dx for y'."""
    if a == b:
        return True
    first, second = derivative(a), derivative(b)
    if first is not None and second is not None:
        (f, order, x), (g, other, z) = first, second
        return order == other and (f == g or Sym("y") in (f, g)) and (x == z or None in (x, z))
    for one, other_one in ((a, b), (b, a)):
        if isinstance(other_one, Op) and other_one.name == "call":
            if one == Sym("y") and other_one.args[0] != one:
                return other_one.args[1:] == (Sym("x"),)
            if one == other_one.args[0]:  # u for u(x, t)
                return all(isinstance(arg, Sym) for arg in other_one.args[1:])
            if isinstance(one, Op) and one.name == "call" and one.args[0] == ANONYMOUS:
                return one.args[1:] == other_one.args[1:]
    return False


def aligned(head: Node, other: Node, value: Node) -> Node | None:
    """The value that belongs to `other` in the letters of `head`: of f(x) = 3x for f(t)
    it is 3t, of a_k = 2k for a_n it is 2n. None where the two are names of different things."""
    if same_head(head, other):
        return value
    (function, names), (other_function, other_names) = _letters(head), _letters(other)
    if not names or len(names) != len(other_names):
        return None
    if function != other_function and ANONYMOUS not in (function, other_function):
        return None
    used = free_symbols(value)
    if any(letter not in used and letter not in ARGUMENTS for letter in other_names):
        return None  # P(A) = 1/2 is not P(B) = 1/2
    return renamed(value, dict(zip(other_names, names, strict=True)))


def _letters(head: Node) -> tuple[Node, tuple[str, ...]]:
    """The function of `f(x, y)` or the sequence of `a_n`, and the letters it is given in."""
    if isinstance(head, Op) and head.name == "call":
        names = tuple(arg.name for arg in head.args[1:] if isinstance(arg, Sym))
        if len(names) == len(head.args) - 1 and len(set(names)) == len(names):
            return head.args[0], names
    if isinstance(head, Sym):
        name, _, index = head.name.partition("_")
        if index and len(index) == 1 and index in INDICES:
            return Sym(name + "_"), (index,)
    return head, ()


ARGUMENTS = frozenset("xyztsuvwrnmk")
"""Letters that are arguments even where the value does not hold them."""

INDICES = "nkmjrst"
"""Letters that number the terms of a sequence."""


def renamed(node: Node, names: dict[str, str]) -> Node | None:
    """The tree with its letters exchanged; None where a new one is there already."""
    used = {part.name for part in walk(node) if isinstance(part, Sym)}
    if any(new in used and new not in names for new in names.values()):
        return None
    return exchanged(node, {Sym(old): Sym(new) for old, new in names.items()})


def is_equation(node: Node) -> bool:
    """A relation that states no value by itself."""
    return isinstance(node, Rel) and headed(node)[1] is node and "=" in node.ops


def labels(node: Node) -> list[tuple[Node, Node]] | None:
    """The names and values of `x=2, y=3`, `(x, y) = (2, 3)`, `a = b = 1`; None when some
    item has no name or names repeat."""
    if isinstance(node, Rel):
        return _shared(node)
    if not isinstance(node, Seq) or not node.items or node.open not in ("", "(", "{"):
        return None
    found: list[tuple[Node, Node]] = []
    for item in node.items:
        name, value = headed(item)
        if name is None:
            return None
        found += _shared(item) or [(name, value)]
    return found if len({name for name, _ in found}) == len(found) else None


def _shared(node: Node) -> list[tuple[Node, Node]] | None:
    """The names and values of `(x, y) = (2, 3)` and `a = b = 1`."""
    if not isinstance(node, Rel) or any(op != "=" for op in node.ops):
        return None
    *names, value = node.items
    first = names[0]
    if len(names) == 1 and isinstance(first, Seq) and isinstance(value, Seq):
        if not is_name(first) or len(first.items) != len(value.items) or value.open != "(":
            return None
        pairs = list(zip(first.items, value.items, strict=True))
        return pairs if len(set(first.items)) == len(pairs) else None
    if len(names) > 1 and all(isinstance(name, Sym) for name in names):
        return [(name, value) for name in names] if len(set(names)) == len(names) else None
    return None
