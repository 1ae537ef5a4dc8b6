"""What stands raised or lowered behind an operand: powers, degrees, primes, indices, bases."""

from __future__ import annotations

from verifier.math.syntax.brackets import argument
from verifier.math.syntax.numerals import number
from verifier.math.syntax.reader import BP_POW, Reader
from verifier.math.syntax.tokens import ParseError
from verifier.math.syntax.vocabulary import FUNCTIONS
from verifier.math.tree import Matrix, Node, Num, Op, Seq, Sym, Text


def raised(reader: Reader, left: Node, power: int) -> Node | None:
    if power > BP_POW:
        return None
    reader.at += 1
    token = reader.peek()
    if token.text in ("\\circ", "\\degree"):
        reader.at += 1
        return degrees(reader, left)
    if (
        token.text == "{"
        and reader.peek(1).text in ("\\circ", "\\degree")
        and reader.peek(2).text == "}"
    ):
        reader.at += 3
        return degrees(reader, left)
    reader.at -= 1
    primes = _primes(reader)
    if primes:
        for _ in range(primes):
            left = Op("prime", (left,))
        return left
    reader.at += 1
    exponent = script(reader) if token.kind != "op" or token.text in "{|" else reader.expr(BP_POW)
    if reader.peek().text in ("^", "**"):
        reader.deeper()
        exponent = raised(reader, exponent, 0) or exponent
        reader.depth -= 1
    if isinstance(left, Matrix | Seq) and exponent in _TRANSPOSE:
        return _transposed(left)
    return Op("pow", (left, exponent))


_TRANSPOSE = frozenset(map(Sym, ("T", "t", "top", "intercal")))


def _transposed(node: Matrix | Seq) -> Node:
    """Rows as columns; a row written as a tuple becomes a column."""
    if isinstance(node, Matrix):
        return Matrix(tuple(zip(*node.rows, strict=True)))
    return Matrix(tuple((item,) for item in node.items))


MAX_PRIMES = 4
"""Beyond, derivatives are numbered."""


def _primes(reader: Reader) -> int:
    r"""Takes `'`, `^\prime`, `^{\prime\prime}`; how many there were."""
    count = 0
    while count < MAX_PRIMES:
        here = reader.peek()
        if here.text == "'" or here.text == "\\prime":
            count += 1
            reader.at += 1
        elif here.text == "^" and reader.peek(1).text == "\\prime":
            count += 1
            reader.at += 2
        elif here.text == "^" and reader.peek(1).text == "{":
            inner = 0
            while inner < MAX_PRIMES and reader.peek(2 + inner).text in ("\\prime", "'"):
                inner += 1
            if not inner or reader.peek(2 + inner).text != "}":
                break
            count += inner
            reader.at += 3 + inner
        else:
            break
    return count


def degrees(reader: Reader, left: Node) -> Node:
    """An angle behind its degree sign, with the minutes and seconds that follow."""
    if isinstance(left, Op) and left.name == "deg":
        raise ParseError("degrees of degrees")
    value = left
    for marks, size in ((1, 60), (2, 3600)):
        token = reader.peek()
        if not isinstance(left, Num) or token.kind != "num":
            break
        start = reader.at
        reader.at += 1
        if _primes(reader) != marks:
            reader.at = start
            continue
        part = Op("div", (number(token.text), Num(size)))
        value = Op("add", (value, part))
    return Op("deg", (value,))


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
        if inner in FUNCTIONS:  # m_{\\max}, f(x)_{\\max}
            reader.at += 3
            if isinstance(left, Op) and left.name == "call":
                left = left.args[0]
            if isinstance(left, Sym) and "_" not in left.name:
                return Sym(f"{left.name}_{inner}")
            return Op("index", (left, Sym(inner)))
    index = argument(reader) if token.kind != "text" else Text(reader.take().text)
    if isinstance(left, Op) and left.name == "pow" and isinstance(left.args[0], Sym):
        return Op("pow", (indexed(left.args[0], index), left.args[1]))  # x^2_5 is x_5^2
    return indexed(left, index)


def indexed(left: Node, index: Node) -> Node:
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
