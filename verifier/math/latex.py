r"""A tree as LaTeX.

Invariant: `parse(to_latex(t)) == t` for every tree that the parser can give.

What needs brackets is decided in one place, `_operand`, by the binding strengths that the
parser reads with; functions and scripts take their arguments in braces.

Not covered: beauty.
"""

from __future__ import annotations

from verifier.math.syntax.reader import (
    BP_ARG,
    BP_LIST,
    BP_MUL,
    BP_POW,
    BP_REL,
    BP_SET,
    BP_SIGN,
    BP_SUM,
)
from verifier.math.syntax.vocabulary import BARE_SYMBOLS, FUNCTIONS, GREEK
from verifier.math.tree import Base, Const, Node, Num, Op, Rel, Seq, Sym, Text, walk

_CONSTS = {
    "pi": r"\pi ",
    "e": "e",
    "i": "i",
    "oo": r"\infty ",
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
_JOINS = {",": ", ", ";": ";", "or": r"\text{ or }", "and": r"\text{ and }"}

ATOM = 100
"""The strength of what no neighbour can pull apart."""

_STRENGTHS = {
    "ratio": 0,  # in a set, its colon would stand before a condition
    "union": BP_SET,
    "inter": BP_SET,
    "minus": BP_SET,
    "add": BP_SUM,
    "sum": BP_SUM + 1,
    "prod": BP_SUM + 1,
    "lim": BP_SUM + 1,
    "int": BP_SUM + 1,
    "unit": BP_SUM + 1,
    "mul": BP_MUL,
    "cross": BP_MUL,
    "compose": BP_MUL,
    "mod": BP_MUL,
    "pmod": BP_MUL,
    "neg": BP_SIGN,
    "mark": BP_ARG,
    "pow": BP_POW,
    "index": BP_POW,
    "prime": BP_POW,
    "fact": BP_POW,
    "fact2": BP_POW,
    "percent": BP_POW,
    "deg": BP_POW,
}
"""How tightly the operators that are not printed between marks of their own bind."""


def to_latex(node: Node) -> str:
    """LaTeX that the parser reads back to the same tree. Not meant to be pretty."""
    if isinstance(node, Num):
        return _number(node)
    if isinstance(node, Const):
        return _CONSTS.get(node.name) or _number_set(node.name)
    if isinstance(node, Sym):
        return _symbol(node.name)
    if isinstance(node, Base):
        if len(node.digits) == 1 and node.digits.isalpha():
            return rf"{node.digits}\text{{ base {node.base}}}"  # else a letter and its index
        return f"{node.digits}_{{{node.base}}}"
    if isinstance(node, Text):
        return rf"\text{{{node.text}}}"
    if isinstance(node, Op):
        return _operator(node)
    if isinstance(node, Seq):
        return _sequence(node)
    if isinstance(node, Rel):
        return _relation(node)
    rows = r"\\ ".join(" & ".join(_item(cell) for cell in row) for row in node.rows)
    return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"


# ---------------------------------------------------------------- brackets


def _strength(node: Node) -> int:
    """How tightly the outermost operator of a tree binds, as it is printed."""
    if isinstance(node, Op):
        if node.name in ("pm", "mp"):
            return BP_SIGN if len(node.args) == 1 else BP_SUM
        return _STRENGTHS.get(node.name, ATOM)
    if isinstance(node, Rel):
        return BP_REL
    if isinstance(node, Seq) and not node.open:
        return 0
    if isinstance(node, Num) and node.value < 0:
        return BP_SIGN
    scripted = isinstance(node, Base) or (isinstance(node, Sym) and "_" in node.name)
    return BP_POW if scripted or (isinstance(node, Const) and node.name not in _CONSTS) else ATOM


def _operand(node: Node, power: int) -> str:
    """In brackets unless it binds tighter than `power`; a bare list in those that leave it one."""
    if _strength(node) > power:
        return to_latex(node)
    if isinstance(node, Seq):
        return "{" + to_latex(node) + "}"
    return "(" + to_latex(node) + ")"


def _item(node: Node) -> str:
    return _operand(node, BP_LIST)


def _braced(node: Node) -> str:
    return "{" + to_latex(node) + "}"


def _signed(node: Node) -> str:
    """What stands behind a sign; another sign needs no brackets."""
    sign = isinstance(node, Op) and _strength(node) == BP_SIGN
    return to_latex(node) if sign else _operand(node, BP_SIGN)


# ---------------------------------------------------------------- leaves


def _number_set(name: str) -> str:
    r"""`\mathbb{Z}`, and with its mark `\mathbb{Z}^{+}` or `\mathbb{Z}_{\ge 0}`."""
    mark = {"0+": r"_{\ge 0}", "0-": r"_{\le 0}"}.get(name[1:], "^{" + name[1:] + "}")
    return rf"\mathbb{{{name[0]}}}" + (mark if len(name) > 1 else "")


def _number(node: Num) -> str:
    sign = "-" if node.value < 0 else ""
    if node.places < 0:
        return sign + str(abs(int(node.value)))
    digits = str(abs(int(node.value * 10**node.places))).rjust(node.places + 1, "0")
    cut = len(digits) - node.places
    return f"{sign}{digits[:cut]}.{digits[cut:]}"


def _symbol(name: str) -> str:
    head, _, sub = name.partition("_")
    if head == "i":
        text = r"\vec{i}"  # without the arrow it is the imaginary unit
    elif len(head) == 1:
        text = head
    else:
        known = head in GREEK or head in BARE_SYMBOLS
        text = f"\\{head} " if known else rf"\text{{{head}}}"
    if not sub:
        return text
    plain = len(sub) == 1 or sub.isdigit() or sub.isupper() or sub in FUNCTIONS
    plain = plain and sub.isascii()
    return f"{text}_{{{sub}}}" if plain else rf"{text}_\text{{{sub}}}"


# ---------------------------------------------------------------- structures


def _sequence(node: Seq) -> str:
    worded = node.joined in ("and", "or")  # "5 feet and 6 inches" would be one quantity
    inner = _JOINS[node.joined].join(
        _operand(item, ATOM if worded and _has_unit(item) else BP_LIST) for item in node.items
    )
    if node.open == "<":
        return rf"\langle {inner}\rangle "
    if node.open == "{":
        return rf"\{{{inner}\}}"
    return node.open + inner + node.close


def _has_unit(node: Node) -> bool:
    return any(isinstance(part, Op) and part.name == "unit" for part in walk(node))


def _relation(node: Rel) -> str:
    text = _operand(node.items[0], BP_REL)
    for op, item in zip(node.ops, node.items[1:], strict=True):
        text += " " if text.endswith("!") else ""  # `x! = 1`; `x != 1` is another relation
        side = _operand(item, BP_REL)
        if op in ("in", "notin") and side[0] in "RZNQ":
            side = f"({side})"  # behind "in", a letter alone is a set of numbers
        text += _RELS[op] + side
    return text


def _sum(terms: tuple[Node, ...]) -> str:
    text = _operand(terms[0], BP_SUM)
    for term in terms[1:]:
        if isinstance(term, Op) and term.name == "neg":
            text += "-" + _operand(term.args[0], BP_SUM)
        else:
            minus = isinstance(term, Num) and term.value < 0
            text += ("" if minus else "+") + _operand(term, BP_SUM)
    return text


def _condition(node: Node) -> str:
    """A condition in words is read back as one behind "if"."""
    if isinstance(node, Text) and node.text != "otherwise":
        if not node.text.isascii():  # 米 behind digits is a unit, even in words
            words = (
                part if part.isdecimal() else rf"\text{{{part}}}" for part in node.text.split()
            )
            return r"\text{if}" + " ".join(words)
        return rf"\text{{if {node.text}}}"
    return _item(node) if not isinstance(node, Text) else to_latex(node)


# ---------------------------------------------------------------- operators


def _operator(node: Op) -> str:
    name, args = node.name, node.args
    if name == "add":
        return _sum(args)
    if name in _BETWEEN and (len(args) > 1 or name not in ("pm", "mp")):
        mark, power = _BETWEEN[name]
        return mark.join(_operand(arg, power) for arg in args)
    if name in _PRINTED:
        return _PRINTED[name].format(*map(_braced, args))
    if name in _BEHIND:
        return _operand(args[0], BP_POW) + _BEHIND[name]
    if name in ("neg", "pm", "mp"):
        return ("-" if name == "neg" else rf"\{name} ") + _signed(args[0])
    if name == "prime":
        again = isinstance(args[0], Op) and args[0].name == "prime"
        return (to_latex(args[0]) if again else _operand(args[0], BP_POW)) + "'"
    if name in ("pow", "index"):
        base = _operand(args[0], BP_POW)
        if isinstance(args[1], Text):
            return base + "_" + to_latex(args[1])
        return base + ("^" if name == "pow" else "_") + _braced(args[1])
    if name == "log" and len(args) == 2:
        return rf"\log_{_braced(args[1])}{_braced(args[0])}"
    if name == "unit":
        plain = isinstance(args[0], Num) and args[0].value >= 0
        amount = _operand(args[0], BP_SUM if plain else ATOM)
        return amount + (r"\$ " if args[1] == Text("$") else to_latex(args[1]))
    if name == "mark":
        word = args[0].text if isinstance(args[0], Text) else ""
        again = isinstance(args[1], Op) and args[1].name == "mark"
        return rf"\{word} " + (to_latex(args[1]) if again else _operand(args[1], BP_ARG))
    if name in ("sum", "prod"):
        start = _RELS["="].join((to_latex(args[0]), _operand(args[1], BP_REL)))
        return rf"\{name}_{{{start}}}^{_braced(args[2])}{_operand(args[3], BP_SUM)}"
    if name == "lim":
        point = _RELS["->"].join((to_latex(args[0]), _operand(args[1], BP_REL)))
        return rf"\lim_{{{point}}}{_operand(args[2], BP_SUM)}"
    if name == "int":
        bounds = f"_{_braced(args[1])}^{_braced(args[2])}" if len(args) == 4 else ""
        variable = args[0].name if isinstance(args[0], Sym) else ""
        variable = variable if len(variable) == 1 else f"\\{variable} "
        body = _operand(args[-1], ATOM)  # in brackets: a `d` at its end is none of `dx`
        return rf"\int{bounds} {body}\,d {variable}"
    if name == "such":
        return rf"\{{{_item(args[0])}\mid {_item(args[1])}\}}"
    if name == "cases":
        rows = zip(map(_item, args[::2]), map(_condition, args[1::2]), strict=True)
        return r"\begin{cases}" + r"\\ ".join(map(" & ".join, rows)) + r"\end{cases}"
    if name == "vec":
        return rf"\vec{_braced(args[0])}"
    if name == "call":
        return to_latex(args[0]) + "(" + ", ".join(map(_item, args[1:])) + ")"
    return rf"\{_SHOWN.get(name, name)}{{{', '.join(map(_item, args))}}}"


_SHOWN = {"log10": "lg"}
_BETWEEN = {
    "mul": (r"\cdot ", BP_MUL),
    "cross": (r"\times ", BP_MUL),
    "compose": (r"\circ ", ATOM),
    "mod": (r"\bmod ", BP_MUL),
    "pm": (r"\pm ", BP_SUM),
    "mp": (r"\mp ", BP_SUM),
    "ratio": (":", BP_SET),
    "union": (r"\cup ", BP_SET),
    "inter": (r"\cap ", BP_SET),
    "minus": (r"\setminus ", BP_SET),
}
_BEHIND = {"percent": r"\%", "deg": r"^{\circ}", "fact": "!", "fact2": "!!"}
_PRINTED = {
    "div": r"\frac{}{}",
    "sqrt": r"\sqrt{}",
    "root": r"\sqrt[{1}]{0}",
    "binom": r"\binom{}{}",
    "perm": "P({}, {})",
    "abs": r"\lvert {}\rvert ",
    "norm": r"\lVert {}\rVert ",
    "floor": r"\lfloor {}\rfloor ",
    "ceil": r"\lceil {}\rceil ",
    "bar": r"\overline{}",
    "pmod": r"{}\pmod {}",
    "gamma": r"\Gamma({})",
}
"""Forms between marks; each part comes in braces of its own."""
