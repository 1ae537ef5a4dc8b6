"""What stands raised or lowered behind an operand: powers, degrees, primes, indices, bases."""

from __future__ import annotations

from verifier.math.syntax.brackets import argument
from verifier.math.syntax.numerals import number
from verifier.math.syntax.reader import BP_POW, Reader
from verifier.math.syntax.tokens import ParseError
from verifier.math.syntax.vocabulary import FUNCTIONS
from verifier.math.tree import Node, Num, Op, Sym, Text


def raised(reader: Reader, left: Node, power: int) -> Node | None:
    if power > BP_POW:
        return None
    reader.at += 1
    token = reader.peek()
    if token.text in ("\\circ", "\\degree"):
        reader.at += 1
        return Op("deg", (left,))
    if (
        token.text == "{"
        and reader.peek(1).text in ("\\circ", "\\degree")
        and reader.peek(2).text == "}"
    ):
        reader.at += 3
        return Op("deg", (left,))
    if token.text in ("\\prime",) or (token.text == "{" and reader.peek(1).text == "\\prime"):
        reader.at += 1 if token.text != "{" else 3
        return Op("prime", (left,))
    exponent = script(reader) if token.kind != "op" or token.text in "{|" else reader.expr(BP_POW)
    if reader.peek().text in ("^", "**"):
        reader.deeper()
        exponent = raised(reader, exponent, 0) or exponent
        reader.depth -= 1
    return Op("pow", (left, exponent))


def script(reader: Reader) -> Node:
    """The argument of `^` or `_`: a group, a command, or one character."""
    token = reader.peek()
    if token.text == "{":
        return argument(reader)
    if token.kind == "cmd" or token.kind == "text":
        return reader.expr(BP_POW)
    if token.kind == "num":
        reader.at += 1
        return number(token.text)
    return argument(reader)


def subscripted(reader: Reader, left: Node) -> Node:
    """`a_1` is a name, `204_5` digits with a base, `F_{n-1}` a term of a sequence."""
    reader.at += 1
    token = reader.peek()
    if isinstance(left, Num):
        raise ParseError("a number with a subscript that is no base")
    if token.text == "{" and reader.peek(2).text == "}" and reader.peek(1).kind in ("word", "cmd"):
        inner = reader.peek(1).text.lstrip("\\")
        if inner in FUNCTIONS and isinstance(left, Sym):  # m_{\\max}
            reader.at += 3
            return Sym(f"{left.name}_{inner}")
    index = argument(reader) if token.kind != "text" else Text(reader.take().text)
    if isinstance(left, Sym) and "_" not in left.name:
        if isinstance(index, Num) and index.places < 0 and index.value >= 0:
            return Sym(f"{left.name}_{index.value}")
        if isinstance(index, Sym) and index.name.isalnum() and len(left.name) == 1:
            return Sym(f"{left.name}_{index.name}")
        letters = _letters(index)
        if letters and len(left.name) == 1:
            return Sym(f"{left.name}_{letters}")
        if isinstance(index, Text):
            return Sym(f"{left.name}_{''.join(filter(str.isalnum, index.text)) or 'x'}")
    return Op("index", (left, index))


def _letters(node: Node) -> str:
    """The letters of a product of one-letter capitals (a polygon's name), else ""."""
    if isinstance(node, Op) and node.name == "mul" and all_capitals(node):
        return "".join(arg.name for arg in node.args if isinstance(arg, Sym))
    return ""


def all_capitals(node: Node) -> bool:
    if isinstance(node, Sym):
        return node.name[0].isupper()
    return isinstance(node, Op) and node.name == "mul" and all(map(all_capitals, node.args))
