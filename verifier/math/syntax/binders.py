"""Operators that bind a variable: sums, products, integrals, limits."""

from __future__ import annotations

from verifier.math.syntax.brackets import argument
from verifier.math.syntax.reader import BP_REL, BP_SUM, Reader
from verifier.math.syntax.scripts import indexed, script
from verifier.math.syntax.tokens import ParseError, Token
from verifier.math.syntax.vocabulary import GREEK, GREEK_SAME, reads_as_word
from verifier.math.tree import Const, Node, Num, Op, Rel, Sym


def summation(reader: Reader, name: str) -> Node:
    low = high = var = None
    while reader.peek().text in ("_", "^"):
        if reader.take().text == "_":
            low = argument(reader)
        else:
            high = argument(reader)
    if (
        isinstance(low, Rel)
        and low.ops == ("=",)
        and (isinstance(low.items[0], Sym) or low.items[0] == Const("i"))
    ):
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
    tokens = reader.tokens
    at, level = _differential(tokens, reader.at)
    name = tokens[at].text[-1] if len(tokens[at].text) > 1 else tokens[at + 1].text.lstrip("\\")
    end = at + (1 if len(tokens[at].text) > 1 else 2)
    rest = [Token("word", tokens[at].text[:-2], tokens[at].gap)] if len(tokens[at].text) > 2 else []
    limits = (low, high) if low is not None and high is not None else ()
    variable = Sym(GREEK_SAME.get(name, name))
    if level == 0:
        inner = reader.within([*tokens[reader.at : at], *rest])
        body = inner.expr(BP_REL) if inner.tokens else Num(1)
        inner.expect_end()
        reader.at = end
        return Op("int", (variable, *limits, body))
    # \int \frac{dx}{x}: the rest is the integrand, without its differential
    if tokens[at - 1].text == "{":
        rest = [Token("num", "1", False)]
    behind = len(tokens) - end
    inner = reader.within([*tokens[reader.at : at], *rest, *tokens[end:]])
    body = inner.expr(BP_SUM)
    left = len(inner.tokens) - inner.at
    if left > behind:
        raise ParseError("a differential outside of its integral")
    reader.at = len(tokens) - left
    return Op("int", (variable, *limits, body))


def _differential(tokens: list[Token], start: int) -> tuple[int, int]:
    r"""Where the differential of an integral stands, and in how many braces: in none, or as
    the end of a numerator. Those of integrals inside come first."""
    open_ = 0
    inside: list[int] = []  # the braces around each integral inside
    for at in range(start, len(tokens)):
        token = tokens[at]
        if token.kind == "op" and token.text in "{}":
            open_ += 1 if token.text == "{" else -1
            if open_ < 0:
                break
            while inside and inside[-1] > open_:
                inside.pop()
        elif token.text == "\\int":
            inside.append(open_)
        elif _is_differential(tokens, at):
            if inside:
                inside.pop()
                continue
            end = at + (1 if len(token.text) > 1 else 2)
            if not open_ or (open_ == 1 and end < len(tokens) and tokens[end].text == "}"):
                return at, open_
    raise ParseError("an integral without its variable")


def _is_differential(tokens: list[Token], at: int) -> bool:
    """`dx`, `d x`, `d\theta`, and the end of `xdx`."""
    text = tokens[at].text
    if tokens[at].kind not in ("word", "letters"):
        return False
    if text == "d":
        behind = tokens[at + 1] if at + 1 < len(tokens) else None
        return behind is not None and (
            (behind.kind == "word" and len(behind.text) == 1)
            or (behind.kind == "cmd" and behind.text[1:] in GREEK)
        )
    return len(text) > 1 and text[-2] == "d" and not reads_as_word(text)


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
        if node.name == "index" and node.args[0] == Const("i"):
            return indexed(Sym("i"), _index_i(node.args[1]))
        return Op(node.name, tuple(_index_i(arg) for arg in node.args))
    return node
