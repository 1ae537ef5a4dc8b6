"""Two operands side by side: a product, a mixed number, grouped digits, or `f(x)`."""

from __future__ import annotations

from verifier.math.syntax.counting import between_numbers
from verifier.math.syntax.numerals import number
from verifier.math.syntax.operators import applied_to, multiply
from verifier.math.syntax.reader import BP_ARG, BP_LIST, BP_MUL, Reader
from verifier.math.syntax.tokens import ParseError, Token
from verifier.math.syntax.vocabulary import FRACTIONS, FUNCTIONS
from verifier.math.tree import Node, Num, Op, Rel, Sym


def juxtaposed(reader: Reader, left: Node, power: int) -> Node | None:
    """Two factors side by side; a mixed number; digits grouped by spaces."""
    token = reader.peek()
    if isinstance(left, Num) and left.places < 0:
        grouped = _grouped_digits(reader, left, token)
        if grouped is not None:
            return grouped
        mixed = _mixed_number(reader, left, token) or between_numbers(reader, left)
        if mixed is not None:
            return mixed
    if isinstance(left, Rel):
        raise ParseError(f"unexpected {token.text!r}")
    if token.kind == "num" and isinstance(left, Num):
        raise ParseError("two numbers side by side")
    if token.text == "(" and left == Sym("P") and _chance(reader):
        return _probability(reader, left)
    if token.text == "(" and applied(reader, left):
        return _call(reader, left)
    if token.text == "(" and isinstance(left, Op) and left.name == "compose":
        reader.at += 1
        value = reader.expr(BP_LIST)
        reader.expect(")")
        return applied_to(left.args, value)
    in_argument = power == BP_ARG - 1
    if power >= BP_MUL and not in_argument:
        return None
    if in_argument and _function_ahead(reader):
        return None  # sin x cos x is a product of two functions
    return multiply(left, reader.expr(BP_ARG))


def _function_ahead(reader: Reader) -> bool:
    token = reader.peek()
    name = token.text.lstrip("\\")
    return token.kind in ("cmd", "word") and name in FUNCTIONS and name != "sqrt"


def _grouped_digits(reader: Reader, left: Num, token: Token) -> Node | None:
    """`1 000 000`: groups of three digits set apart by spaces."""
    if token.kind != "num" or not token.gap or len(token.text.partition(".")[0]) != 3:
        return None
    if not 0 < left.value <= 999:
        return None
    text = str(left.value)
    while reader.peek().kind == "num" and reader.peek().gap:
        group, point, _ = reader.peek().text.partition(".")
        if len(group) != 3:
            break
        text += reader.take().text
        if point:
            break
    return number(text)


def _mixed_number(reader: Reader, left: Num, token: Token) -> Node | None:
    r"""`2\frac34` and `1 1/2` are sums, as everywhere outside of algebra."""
    if token.text in FRACTIONS:
        plain = _plain_fraction(reader)
        if plain is None:
            return None
        top, bottom, length = plain
        reader.at += length
        return _mixed_sum(left, number(top), number(bottom))
    if (
        token.kind == "num"
        and token.gap
        and reader.peek(1).text == "/"
        and reader.peek(2).kind == "num"
    ):
        reader.at += 3
        return _mixed_sum(left, number(token.text), number(reader.peek(-1).text))
    return None


def _plain_fraction(reader: Reader) -> tuple[str, str, int] | None:
    r"""Numerator, denominator and tokens of `\frac34`, `\frac{3}{4}`, `\frac 3{40}`."""
    found: list[str] = []
    ahead = 1
    while len(found) < 2:
        braced = reader.peek(ahead).text == "{"
        token = reader.peek(ahead + braced)
        if token.kind != "num" or not token.text.isdigit():
            return None
        if braced:
            if reader.peek(ahead + 2).text != "}":
                return None
            found.append(token.text)
        elif len(token.text) <= 2 - len(found):
            found.extend(token.text)
        else:
            return None
        ahead += 3 if braced else 1
    return (found[0], found[1], ahead) if int(found[1]) else None


def _mixed_sum(whole: Num, top: Num, bottom: Num) -> Node:
    return Op("add", (whole, Op("div", (top, bottom))))


def applied(reader: Reader, left: Node) -> bool:
    """Whether a bracket after `left` holds the argument of a function: f, f', f^{-1}."""
    if isinstance(left, Op):
        inverse = left.name == "pow" and left.args[1] == Num(-1)
        inner = left.args[0]
        while isinstance(inner, Op) and inner.name == "prime":
            inner = inner.args[0]
        called = isinstance(inner, Sym) and (inverse or left.name == "prime")
        return called and isinstance(inner, Sym) and _called(reader, inner.name)
    return isinstance(left, Sym) and _called(reader, left.name)


def _called(reader: Reader, name: str) -> bool:
    """Whether `name(` applies a function: by its usual name, or before an equals sign."""
    if name.partition("_")[0] in ("f", "g", "h", "F", "G", "phi", "psi"):
        return True
    if not (len(name) == 1 and (name.isupper() or name in "pqruvxyzsw")):
        return False
    at = 1
    while reader.peek(at).text == "," or (
        reader.peek(at).kind in ("word", "letters") and len(reader.peek(at).text) == 1
    ):
        at += 1
    return at > 1 and reader.peek(at).text == ")" and _relates(reader, at + 1, ("=",))


def _relates(reader: Reader, ahead: int, marks: tuple[str, ...]) -> bool:
    r"""Whether a relation stands there, behind what closes: `\frac{1}{A(x)} = 2`."""
    while reader.peek(ahead).text in ("}", ")"):
        ahead += 1
    return reader.peek(ahead).text in marks


MAX_EVENT = 40
"""Tokens of an event: `P(X \\le 3 \\mid Y = 2)`."""


def _chance(reader: Reader) -> bool:
    """Whether `P( ... )` stands before an equals sign: a probability and not a product."""
    depth = 0
    for ahead in range(MAX_EVENT):
        text = reader.peek(ahead).text
        depth += (text == "(") - (text == ")")
        if depth == 0:
            return _relates(reader, ahead + 1, ("=", "\\approx"))
    return False


def _probability(reader: Reader, name: Node) -> Node:
    reader.at += 1
    outer, reader.in_set = reader.in_set, True
    event = reader.listing()
    if reader.peek().text in ("|", "\\mid", "\\vert"):
        reader.at += 1
        event = Op("such", (event, reader.listing()))
    reader.in_set = outer
    reader.expect(")")
    return Op("call", (name, event))


def _call(reader: Reader, function: Node) -> Node:
    reader.at += 1
    args = [reader.expr(BP_LIST)]
    while reader.accept(","):
        args.append(reader.expr(BP_LIST))
    reader.expect(")")
    return Op("call", (function, *args))
