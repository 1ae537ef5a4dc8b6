"""A tree as LaTeX.

Invariant: `parse(to_latex(t)) == t` for every tree that the parser can give.

Not covered: beauty.
"""

from __future__ import annotations

from verifier.math.tree import Base, Const, Node, Num, Op, Rel, Seq, Sym, Text

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
_SETS = {"union": r"\cup ", "inter": r"\cap ", "minus": r"\setminus "}


def to_latex(node: Node) -> str:
    """LaTeX that the parser reads back to the same tree. Not meant to be pretty."""
    if isinstance(node, Num):
        return _number(node)
    if isinstance(node, Const):
        return _CONSTS.get(node.name) or _number_set(node.name)
    if isinstance(node, Sym):
        return _symbol(node.name)
    if isinstance(node, Base):
        return f"{node.digits}_{{{node.base}}}"
    if isinstance(node, Text):
        return rf"\text{{{node.text}}}"
    if isinstance(node, Op):
        return _operator(node)
    if isinstance(node, Seq):
        comma = {",": ", ", ";": ";", "or": r"\text{ or }", "and": r"\text{ and }"}[node.joined]
        opening = r"\{" if node.open == "{" else node.open
        closing = r"\}" if node.close == "}" else node.close
        if node.open == "<":
            opening, closing = r"\langle ", r"\rangle "
        return opening + comma.join(_inside(item) for item in node.items) + closing
    if isinstance(node, Rel):
        text = _side(node.items[0])
        for op, item in zip(node.ops, node.items[1:], strict=True):
            text += _RELS[op] + _side(item)
        return text
    rows = r"\\ ".join(" & ".join(to_latex(cell) for cell in row) for row in node.rows)
    return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"


def _number_set(name: str) -> str:
    r"""`\mathbb{Z}`, and with its mark `\mathbb{Z}^{+}` or `\mathbb{Z}_{\ge 0}`."""
    mark = {"0+": r"_{\ge 0}", "0-": r"_{\le 0}"}.get(name[1:], "^{" + name[1:] + "}")
    return rf"\mathbb{{{name[0]}}}" + (mark if len(name) > 1 else "")


def _inside(node: Node) -> str:
    """A list's item: lists inside lists need brackets of their own."""
    text = to_latex(node)
    return "{" + text + "}" if isinstance(node, Seq) and not node.open else text


def _side(node: Node) -> str:
    text = to_latex(node)
    return "(" + text + ")" if isinstance(node, Rel) else text


def _number(node: Num) -> str:
    if node.places < 0:
        text = str(abs(int(node.value)))
    else:
        digits = str(abs(int(node.value * 10**node.places))).rjust(node.places + 1, "0")
        cut = len(digits) - node.places
        text = digits[:cut] + "." + digits[cut:] if node.places else digits + ".0"
    return f"(-{text})" if node.value < 0 else text


def _symbol(name: str) -> str:
    head, _, sub = name.partition("_")
    if name == "i":
        return r"\vec{i}"  # without the arrow it is the imaginary unit
    text = head if len(head) == 1 else "\\" + head + " "
    return f"{text}_{{{sub}}}" if sub else text


def _operator(node: Op) -> str:
    name, args = node.name, node.args
    inner = [to_latex(arg) for arg in args]
    wrapped = [_wrapped(arg, text) for arg, text in zip(args, inner, strict=True)]
    if name in _SETS:
        return _SETS[name].join(wrapped)
    if name == "unit":
        return wrapped[0] + (r"\$ " if args[1] == Text("$") else inner[1])
    if name == "ratio":
        return ":".join(wrapped)
    if name in ("sum", "prod"):
        return rf"\{name}_{{{inner[0]}={inner[1]}}}^{{{inner[2]}}}({inner[3]})"
    if name == "add":
        return "+".join(wrapped)
    if name == "mul":
        return r"\cdot ".join(wrapped)
    if name == "div":
        return rf"\frac{{{inner[0]}}}{{{inner[1]}}}"
    if name == "pow":
        return f"({inner[0]})^{{{inner[1]}}}"
    if name == "neg":
        return f"-({inner[0]})"
    if name in ("pm", "mp"):
        sign = rf"\{name} "
        return sign + wrapped[0] if len(args) == 1 else sign.join(wrapped)
    if name == "sqrt":
        return rf"\sqrt{{{inner[0]}}}"
    if name == "root":
        return rf"\sqrt[{inner[1]}]{{{inner[0]}}}"
    if name == "log" and len(args) == 2:
        return rf"\log_{{{inner[1]}}}({inner[0]})"
    if name == "fact":
        return f"({inner[0]})!"
    if name == "binom":
        return rf"\binom{{{inner[0]}}}{{{inner[1]}}}"
    if name == "abs":
        return rf"\left|{inner[0]}\right|"
    if name == "floor":
        return rf"\lfloor {inner[0]}\rfloor "
    if name == "ceil":
        return rf"\lceil {inner[0]}\rceil "
    if name == "percent":
        return rf"({inner[0]})\%"
    if name == "deg":
        return rf"({inner[0]})^{{\circ}}"
    if name in _PRINTED:
        return _PRINTED[name].format(*(f"{{{part}}}" for part in inner))
    if name == "mark":
        return rf"\{args[0].text if isinstance(args[0], Text) else ''} {wrapped[1]}"
    if name == "lim":
        return rf"\lim_{{{inner[0]}\to {inner[1]}}}({inner[2]})"
    if name == "int":
        bounds = f"_{{{inner[1]}}}^{{{inner[2]}}}" if len(args) == 4 else ""
        return rf"\int{bounds} ({inner[-1]})\,d {inner[0]}"
    if name == "such":
        return rf"\{{{inner[0]}\mid {inner[1]}\}}"
    if name == "cases":
        conditions = (_condition(arg) for arg in args[1::2])
        rows = zip(inner[::2], conditions, strict=True)
        return r"\begin{cases}" + r"\\ ".join(map(" & ".join, rows)) + r"\end{cases}"
    if name == "call":
        return f"{inner[0]}({','.join(inner[1:])})"
    return rf"\operatorname{{{name}}}({','.join(inner)})"


def _condition(node: Node) -> str:
    """A condition in words is read back as one behind "if"."""
    if isinstance(node, Text) and node.text != "otherwise":
        return rf"\text{{if {node.text}}}"
    return to_latex(node)


_PRINTED = {
    "prime": "{}'",
    "bar": r"\overline{}",
    "index": "{}_{}",
    "fact2": "({})!!",
    "perm": "P({},{})",
    "mod": r"({})\bmod ({})",
    "pmod": r"({})\pmod {}",
    "det": r"\det({})",
    "gamma": r"\Gamma({})",
    "norm": r"\lVert {}\rVert ",
}
"""Forms of the rarer operators; each part comes in braces of its own."""

_LOOSE = frozenset(("add", "mul", "neg", "pm", "mp", "unit", "union", "inter", "minus", "ratio"))


def _wrapped(node: Node, text: str) -> str:
    """In parentheses wherever the parser could otherwise bind it differently."""
    loose = isinstance(node, Rel) or (isinstance(node, Op) and node.name in _LOOSE)
    return f"({text})" if loose else text
