"""Named functions with their powers, bases and arguments; roots; C(n, k)."""

from __future__ import annotations

from verifier.math.syntax.brackets import argument, bracketed, group
from verifier.math.syntax.reader import BP_ARG, BP_LIST, BP_SIGN, Reader
from verifier.math.syntax.scripts import script
from verifier.math.syntax.tokens import ParseError
from verifier.math.syntax.vocabulary import CLOSER, INVERSE, RENAMED
from verifier.math.tree import Node, Num, Op, Rel, Seq, Sym


def function(reader: Reader, name: str) -> Node:
    """A named function with its power, base and argument."""
    if name in ("sqrt", "cbrt"):
        return _radical(reader, name)
    if name in ("binom", "comb"):
        reader.expect("(")
        first = reader.expr(BP_LIST)
        reader.expect(",")
        second = reader.expr(BP_LIST)
        reader.expect(")")
        return Op("binom", (first, second))
    if name == "factorial":
        return Op("fact", (_call_argument(reader),))
    name = RENAMED.get(name, name)
    exponent: Node | None = None
    base: Node | None = None
    while reader.peek().text in ("^", "_"):
        if reader.take().text == "^":
            exponent = script(reader)
        else:
            base = script(reader)
    if isinstance(exponent, Num) and exponent.value == -1 and name in INVERSE:
        name, exponent = INVERSE[name], None
    node: Node
    if name in ("max", "min", "gcd", "lcm"):
        node = Op(name, _arguments(reader))
    else:
        arg = _call_argument(reader)
        if name == "log" and base is not None:
            node = Op("log", (arg, base))
        elif name == "log10":
            node = Op("log", (arg, Num(10)))
        else:
            node = Op(name, (arg,))
    return Op("pow", (node, exponent)) if exponent is not None else node


def _call_argument(reader: Reader) -> Node:
    """In parentheses, or the product of factors up to the next function."""
    token = reader.peek()
    if token.text in ("(", "[", "{") and token.kind == "op":
        reader.at += 1
        if token.text == "{":
            return group(reader)
        inner = bracketed(reader, token.text)
        if isinstance(inner, Seq):
            raise ParseError("a list where one argument is taken")
        return inner
    return reader.expr(BP_ARG - 1) if token.text not in ("-", "+") else reader.expr(BP_SIGN)


def _arguments(reader: Reader) -> tuple[Node, ...]:
    braced = reader.take().text
    if braced not in ("(", "\\{", "{", "["):
        raise ParseError("a function without its arguments")
    items = [reader.expr(BP_LIST)]
    while reader.accept(","):
        items.append(reader.expr(BP_LIST))
    reader.expect(CLOSER[braced])
    return tuple(items)


def _radical(reader: Reader, name: str) -> Node:
    degree: Node | None = None
    if name == "cbrt":
        degree = Num(3)
    elif reader.peek().text == "[":
        reader.at += 1
        degree = reader.expr(BP_LIST)
        reader.expect("]")
    if reader.peek().text == "(":
        reader.at += 1
        inner = bracketed(reader, "(")
    else:
        inner = argument(reader)
    if isinstance(inner, Seq):
        raise ParseError("the root of a list")
    if degree is None or (isinstance(degree, Num) and degree.value == 2):
        return Op("sqrt", (inner,))
    return Op("root", (inner, degree))


def chosen(reader: Reader, name: str) -> Node:
    """C(10, 3) and P(10, 3)."""
    start = reader.at
    reader.at += 1
    plain = reader.peek().kind == "num"
    first = reader.expr(BP_LIST)
    if not reader.accept(","):
        if name == "P" and isinstance(first, Rel) and reader.accept(")"):
            return Op("call", (Sym(name), first))  # P(2 < X)
        reader.at = start
        return Sym(name)  # a factor before a bracket
    second = reader.expr(BP_LIST)
    reader.expect(")")
    if (
        isinstance(second, Num)
        and isinstance(first, Num)
        and plain
        and (not 0 <= second.value <= first.value)
    ):
        return Op("mul", (Sym(name), Seq("(", ")", (first, second))))  # a point and its name
    return Op("binom" if name == "C" else "perm", (first, second))
