"""Operators that bind a variable: sums, products, integrals, limits."""

from __future__ import annotations

from verifier.math.syntax.brackets import argument
from verifier.math.syntax.reader import BP_REL, BP_SUM, Reader
from verifier.math.syntax.scripts import script
from verifier.math.syntax.tokens import STOP, ParseError
from verifier.math.tree import Const, Node, Num, Op, Rel, Sym


def summation(reader: Reader, name: str) -> Node:
    low = high = var = None
    while reader.peek().text in ("_", "^"):
        if reader.take().text == "_":
            low = argument(reader)
        else:
            high = argument(reader)
    if isinstance(low, Rel) and low.ops == ("=",) and isinstance(low.items[0], Sym | Const):
        var = Sym(low.items[0].name)
        start = low.items[1]
    else:
        raise ParseError("a sum without its index")
    if high is None:
        raise ParseError("a sum without its end")
    bound_i = low.items[0] == Const("i")
    body = reader.expr(BP_SUM)
    return Op(name, (var, start, high, _index_i(body) if bound_i else body))


def integral(reader: Reader) -> Node:
    low = high = None
    while reader.peek().text in ("_", "^"):
        if reader.take().text == "_":
            low = script(reader)
        else:
            high = script(reader)
    stop = reader.at
    while reader.peek().kind != STOP:
        here, var = reader.peek(), reader.peek(1)
        if here.text == "d" and var.kind in ("word", "cmd"):
            break
        if here.kind == "word" and len(here.text) == 2 and here.text[0] == "d":
            break
        reader.at += 1
    if reader.peek().kind == STOP:
        raise ParseError("an integral without its variable")
    end = reader.at
    token = reader.take()
    name = token.text[1:] or reader.take().text.lstrip("\\")
    rest = reader.tokens[reader.at :]
    inner = reader.part(stop, end)
    body = inner.expr(BP_REL) if end > stop else Num(1)
    inner.expect_end()
    reader.tokens, reader.at = reader.tokens[: reader.at] + rest, reader.at
    limits = (low, high) if low is not None and high is not None else ()
    return Op("int", (Sym(name), *limits, body))


def limit(reader: Reader) -> Node:
    reader.expect("_")
    at = argument(reader)
    if not (isinstance(at, Rel) and at.ops == ("->",) and isinstance(at.items[0], Sym)):
        raise ParseError("a limit without its point")
    return Op("lim", (at.items[0], at.items[1], reader.expr(BP_SUM)))


def _index_i(node: Node) -> Node:
    """With `i` bound as an index, `i` in the body is that index and not the unit."""
    if node == Const("i"):
        return Sym("i")
    if isinstance(node, Op):
        return Op(node.name, tuple(_index_i(arg) for arg in node.args))
    return node
