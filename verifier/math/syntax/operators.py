"""Operators between two operands: sums, products, relations, ratios, moduli, sets.

Each takes what stands left of it and the binding power of who asks, and gives None when
it binds looser than that.
"""

from __future__ import annotations

from verifier.math.syntax.brackets import argument
from verifier.math.syntax.numbersets import number_set
from verifier.math.syntax.reader import (
    BP_LIST,
    BP_MUL,
    BP_POW,
    BP_RATIO,
    BP_REL,
    BP_SET,
    BP_SUM,
    Reader,
)
from verifier.math.syntax.tokens import STOP, ParseError
from verifier.math.syntax.vocabulary import (
    FUNCTIONS,
    GREEK,
    RELATIONS,
    SET_OPS,
    UNION_WORDS,
    reads_as_word,
)
from verifier.math.tree import Node, Num, Op, Rel, Seq, Sym, Text, kinds


def add(items: list[Node]) -> Node:
    return items[0] if len(items) == 1 else Op("add", tuple(items))


def negate(node: Node) -> Node:
    """The written sign: a number takes it into itself."""
    if isinstance(node, Num) and node.value != 0:
        return Num(-node.value, node.places)
    return Op("neg", (node,))


MAX_FACTORS = 500
"""Each factor copies those before it; people write no more than a dozen."""


def multiply(left: Node, right: Node) -> Node:
    if isinstance(left, Op) and left.name == "mul":
        if len(left.args) >= MAX_FACTORS:
            raise ParseError(f"a product of more than {MAX_FACTORS} factors")
        return Op("mul", (*left.args, right))
    return Op("mul", (left, right))


def quotient(top: Node, bottom: Node) -> Node:
    r"""`\frac{dy}{dx}` is y'; every other quotient stays one."""
    left, right = _differentiated(top), _differentiated(bottom)
    if left is None or right != Sym("x") or left == right:
        return Op("div", (top, bottom))
    return Op("prime", (left,))


def _differentiated(node: Node) -> Node | None:
    """What `d` stands before."""
    if isinstance(node, Op) and node.name == "mul" and len(node.args) == 2:
        return node.args[1] if node.args[0] == Sym("d") and isinstance(node.args[1], Sym) else None
    return None


def addition(reader: Reader, left: Node, power: int) -> Node | None:
    if power >= BP_SUM:
        return None
    items = [left]
    while True:
        name = reader.peek().text.lstrip("\\")
        if name not in ("+", "-", "pm", "mp"):
            break
        reader.at += 1
        if name == "+" and reader.peek().kind == STOP:
            raise ParseError("nothing after +")
        right = reader.expr(BP_SUM)
        if name in ("pm", "mp"):
            items = [Op(name, (add(items), right))]
        else:
            items.append(negate(right) if name == "-" else right)
    return add(items)


def product(reader: Reader, left: Node, name: str, power: int) -> Node | None:
    if power >= BP_MUL:
        return None
    cross = reader.take().text == "\\times"
    right = reader.expr(BP_MUL)
    if name == "/":
        return quotient(left, right)
    if cross and reader.vectors and _has_vector(left) and _has_vector(right):
        return Op("cross", (left, right))
    return multiply(left, right)


def composes(reader: Reader, left: Node) -> bool:
    r"""Whether the `\circ` at hand stands between two functions and is no degree sign."""
    behind = reader.peek(1)
    if behind.text == "(":
        return True
    number = isinstance(left, Num) or (isinstance(left, Op) and left.name in ("div", "add"))
    if number or (behind.kind == "word" and reads_as_word(behind.text)):
        return False
    name = behind.text.lstrip("\\")
    return behind.kind == "letters" or (
        behind.kind in ("word", "cmd")
        and (name in GREEK or name in FUNCTIONS or len(name) == 1)
        and name.isalpha()
    )


def composition(reader: Reader, left: Node, power: int) -> Node | None:
    """`f \\circ g`, and `f(g(x))` where the last has its argument."""
    if power >= BP_MUL:
        return None
    reader.at += 1
    functions = left.args if isinstance(left, Op) and left.name == "compose" else (left,)
    right = reader.expr(BP_MUL)
    if isinstance(right, Op) and right.name == "call":
        return applied_to(functions, right)
    if len(functions) >= MAX_FACTORS:
        raise ParseError(f"a product of more than {MAX_FACTORS} factors")
    behind = right.args if isinstance(right, Op) and right.name == "compose" else (right,)
    return Op("compose", (*functions, *behind))


def applied_to(functions: tuple[Node, ...], value: Node) -> Node:
    """What functions, the last one first, make of a value."""
    for function in reversed(functions):
        value = Op("call", (function, value))
    return value


def _has_vector(node: Node) -> bool:
    return "vec" in kinds(node)


def modulo(reader: Reader, left: Node, power: int) -> Node | None:
    """`17 \\bmod 5` is an operation; `\\pmod 5` a remark on a congruence."""
    if power >= BP_MUL:
        return None
    name = reader.take().text
    if name == "\\pmod":
        return Op("pmod", (left, argument(reader)))
    return Op("mod", (left, reader.expr(BP_MUL)))


def congruence(reader: Reader, left: Node, power: int) -> Node | None:
    """`3 (\\bmod 4)`, written for `3 \\pmod 4`."""
    if power >= BP_MUL:
        return None
    reader.at += 2
    modulus = reader.expr(BP_LIST)
    reader.expect(")")
    return Op("pmod", (left, modulus))


def ratio(reader: Reader, left: Node, power: int) -> Node | None:
    if power >= BP_RATIO:
        return None
    parts = [left]
    while reader.accept(":"):
        if reader.peek().text == "=":  # `:=`
            break
        parts.append(reader.expr(BP_RATIO))
    if len(parts) == 1:
        return left
    last = parts[-1]
    if isinstance(last, Op) and last.name == "unit" and last.args[1] in _HALF_DAYS:
        return Op("unit", (Op("ratio", (*parts[:-1], last.args[0])), last.args[1]))  # 3:45 pm
    return Op("ratio", tuple(parts))


_HALF_DAYS = (Text("am"), Text("pm"), Text("AM"), Text("PM"))


_SETS = frozenset("RZNQ")
"""Letters that stand for sets of numbers behind "in"."""


def relation(reader: Reader, left: Node, power: int) -> Node | None:
    if power >= BP_REL:
        return None
    ops: list[str] = []
    items = [left]
    while True:
        token = reader.peek()
        if token.kind == "text":
            break
        name = token.text.lstrip("\\")
        if name == "not":
            reader.at += 1
            op = "!=" if reader.peek().text == "=" else "notin"
        elif name in RELATIONS and (token.kind != "word" or name == "in"):
            op = RELATIONS[name]
        else:
            break
        reader.at += 1
        ops.append(op)
        behind = reader.peek()
        if op in ("in", "notin") and behind.kind == "word" and behind.text in _SETS:
            reader.at += 1
            items.append(number_set(reader, behind.text))
        else:
            items.append(reader.expr(BP_REL))
        if name == "mapsto" and len(items) == 2:
            return _mapping(items[0], items[1])
    return Rel(tuple(ops), tuple(items))


def _mapping(variable: Node, value: Node) -> Node:
    r"""`f: x \mapsto 2x` says f(x) = 2x; without its name, the function is called f."""
    name: Node = Sym("f")
    if isinstance(variable, Op) and variable.name == "ratio" and len(variable.args) == 2:
        name, variable = variable.args
    variables = variable.items if isinstance(variable, Seq) else (variable,)
    if not all(isinstance(part, Sym) and len(part.name) == 1 for part in (name, *variables)):
        raise ParseError("a mapping without its variables")
    return Rel(("=",), (Op("call", (name, *variables)), value))


def set_operation(reader: Reader, left: Node, power: int) -> Node | None:
    if power >= BP_SET:
        return None
    token = reader.take()
    name = SET_OPS.get(token.text[1:], "union")
    items = [left, reader.expr(BP_SET)]
    while SET_OPS.get(reader.peek().text[1:]) == name or (
        name == "union" and reader.peek().kind == "word" and reader.peek().text in UNION_WORDS
    ):
        reader.at += 1
        items.append(reader.expr(BP_SET))
    return Op(name, tuple(items))


def factorial(reader: Reader, left: Node, power: int) -> Node | None:
    if power > BP_POW:
        return None
    reader.at += 1
    if reader.accept("!"):
        return Op("fact2", (left,))
    return Op("fact", (left,))
