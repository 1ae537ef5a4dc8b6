r"""Names and what they stand for: the head and the value of `x = 5`, `f(x) = x^2`, `x \in S`."""

from __future__ import annotations

from verifier.math.tree import Node, Op, Rel, Seq, Sym, Text, free_symbols

_VALUE_OPS = frozenset(("=", "~"))


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


def is_equation(node: Node) -> bool:
    """A relation that states no value by itself."""
    return isinstance(node, Rel) and headed(node)[1] is node and "=" in node.ops


def labels(node: Node) -> list[tuple[Node, Node]] | None:
    """The names and values of `x=2, y=3`; None when some item has no name or names repeat."""
    if not isinstance(node, Seq) or not node.items or node.open not in ("", "(", "{"):
        return None
    found = [headed(item) for item in node.items]
    labels = [(name, value) for name, value in found if name is not None]
    if len(labels) != len(found) or len({name for name, _ in labels}) != len(labels):
        return None
    return labels
