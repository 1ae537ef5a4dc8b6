r"""Which construct a command in front of an operand starts: `\frac`, `\sum`, `\lfloor`."""

from __future__ import annotations

from verifier.math.syntax.binders import integral, limit, summation
from verifier.math.syntax.brackets import argument, bars_until, bracketed
from verifier.math.syntax.functions import function
from verifier.math.syntax.numbersets import LETTERS, blackboard, number_set
from verifier.math.syntax.operators import quotient
from verifier.math.syntax.reader import BP_ARG, BP_SIGN, Reader
from verifier.math.syntax.scripts import all_capitals, subscripted
from verifier.math.syntax.tokens import ParseError, Token
from verifier.math.syntax.vocabulary import (
    BARE_SYMBOLS,
    CONST_COMMANDS,
    CURRENCIES,
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    GREEK_SAME,
)
from verifier.math.tree import Const, Node, Op, Sym, Text


def command(reader: Reader, token: Token) -> Node:
    name = token.text[1:]
    if token.text in FRACTIONS:
        top = argument(reader)
        return quotient(top, argument(reader))
    if name in FUNCTIONS:
        return function(reader, name)
    if name == "Gamma" and reader.peek().text == "(":
        reader.at += 1
        return Op("gamma", (bracketed(reader, "("),))
    if name in LETTERS:
        return number_set(reader, name)
    if name in CONST_COMMANDS:
        return Const(CONST_COMMANDS[name])
    if name in ("ivec", "jmath"):  # the unit vector, not the imaginary unit
        return Op("vec", (Sym(name[0]),)) if reader.vectors else Sym(name[0])
    if name in GREEK:
        symbol = Sym(GREEK_SAME.get(name, name))
        return Op("vec", (symbol,)) if name in reader.vectors else symbol
    if name in ("{", "langle", "lbrace", "lbrack", "lparen"):
        return bracketed(reader, token.text)
    if name in ("binom", "dbinom", "tbinom"):
        top = argument(reader)
        return Op("binom", (top, argument(reader)))
    if name in ("lfloor", "lceil"):
        inner = reader.listing()
        reader.expect("\\r" + name[1:])
        return Op(name[1:], (inner,))
    if name in ("lvert", "vert"):
        return bars_until(reader, "abs", ("\\rvert", "\\vert", "|"))
    if name in ("lVert", "Vert", "|"):
        return bars_until(reader, "norm", ("\\rVert", "\\Vert", "\\|"))
    if name in ("sum", "prod"):
        return summation(reader, name)
    if name in ("int", "lim"):
        return integral(reader) if name == "int" else limit(reader)
    if name == "begin":
        return reader.environment(braced=False)
    if name == "mathbb":
        return blackboard(reader)
    return _rarer(reader, name)


def _rarer(reader: Reader, name: str) -> Node:
    if name in CURRENCIES:
        return Op("unit", (reader.expr(BP_SIGN), Text(CURRENCIES[name])))
    if name in ("pm", "mp"):
        return Op(name, (reader.expr(BP_SIGN),))
    if name in ("overline", "bar", "dot", "ddot", "widetilde", "mathring"):
        inner = argument(reader)
        if isinstance(inner, Sym) and reader.peek().text == "_":
            inner = subscripted(reader, inner)  # the conjugate of z_1
        corners = isinstance(inner, Op) and all_capitals(inner)
        return inner if corners else Op("bar", (inner,))
    if name in ("angle", "triangle", "measuredangle", "odot"):
        return Op("mark", (Text(name), reader.expr(BP_ARG)))
    if name == "cancel":
        return argument(reader)
    if name == "Pr" and reader.peek().text == "(":
        return Sym("P")
    if name in BARE_SYMBOLS:
        return Sym(name)
    if name in ("left", "right", "#"):
        while reader.peek().text in ("\\left", "\\right", "\\#"):
            reader.at += 1
        return reader.prefix()
    if name == "%":
        raise ParseError("a percent sign without a number")
    for cut in range(len(name) - 1, max(1, len(name) - 3), -1):  # "\\cotx", "\\pir"
        known = name[:cut]
        if known in FUNCTIONS or known in GREEK or known in CONST_COMMANDS:
            reader.give_back(Token("word", name[cut:], False))
            return command(reader, Token("cmd", "\\" + known, False))
    raise ParseError(f"unknown command \\{name}")
