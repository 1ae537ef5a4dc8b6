"""What stands between two marks: groups, arguments, tuples, intervals, sets, bars.

`|` closes only where a bar is open (`reader.bars`) and stands before a condition only
directly in a set (`reader.in_set`); groups and brackets start both afresh, and put back
what was.
"""

from __future__ import annotations

from verifier.math.syntax.numerals import written_number
from verifier.math.syntax.reader import BP_POW, BP_SUM, Reader
from verifier.math.syntax.tokens import STOP, ParseError, Token
from verifier.math.syntax.vocabulary import CLOSING, JOIN, SET_OPS
from verifier.math.tree import Const, Node, Num, Op, Rel, Seq, Sym


def group(reader: Reader) -> Node:
    """What stands between LaTeX braces; a list there is a bare list."""
    if reader.accept("}"):
        raise ParseError("an empty group")
    outer = reader.bars, reader.in_set
    reader.bars, reader.in_set = 0, False
    node = reader.listing()
    if reader.peek().text in ("\\choose", "\\over"):
        name = reader.take().text
        node = Op("binom" if name == "\\choose" else "div", (node, reader.listing()))
    reader.bars, reader.in_set = outer
    reader.expect("}")
    return node


def argument(reader: Reader) -> Node:
    r"""The argument of a command: a group, one digit, one letter or one command."""
    token = reader.peek()
    if token.text == "{" and token.kind == "op":
        reader.at += 1
        return group(reader)
    if token.kind == "num":
        return _one_digit(reader, token)
    if token.kind in ("word", "letters"):
        return _one_letter(reader, token)
    if token.kind in ("cmd", "text"):
        return reader.expr(BP_POW + 1)
    if token.text == "(":
        reader.at += 1
        return bracketed(reader, "(")
    raise ParseError(f"expected an argument, found {token.text!r}")


def _one_digit(reader: Reader, token: Token) -> Node:
    reader.at += 1
    if len(token.text) > 1 and token.text.isdigit() and reader.peek(-2).text != "\\sqrt":
        reader.give_back(Token("num", token.text[1:], False))
        return Num(int(token.text[0]))
    return written_number(reader, token)


def _one_letter(reader: Reader, token: Token) -> Node:
    reader.at += 1
    if len(token.text) > 1:
        reader.give_back(Token(token.kind, token.text[1:], False))
    letter = token.text[0]
    return Const(letter) if letter in "ei" else Sym(letter)


def bracketed(reader: Reader, opening: str) -> Node:
    """After `(`, `[`, `\\{` and their like: a group, tuple, interval or set."""
    outer = reader.bars, reader.in_set
    reader.bars, reader.in_set = 0, opening in ("\\{", "\\lbrace")
    node = _between(reader, opening)
    reader.bars, reader.in_set = outer
    return node


_OPENS = {"\\{": "{", "\\lbrace": "{", "\\langle": "<", "\\lbrack": "[", "\\lparen": "("}
_CLOSES = {")": ")", "]": "]", "[": "[", "\\}": "}", "\\rbrace": "}", "\\rangle": ">",
           "\\rbrack": "]", "\\rparen": ")"}  # fmt: skip
_PARTNERS = {"(": ")][", "[": ")][", "]": ")][", "{": "}", "<": ">"}


def closes_outward(reader: Reader) -> bool:
    """Whether the `[` at hand ends an interval such as `]0, 1[`: nothing to open stands behind."""
    behind = reader.peek(1)
    return (
        behind.kind in (STOP, "text")
        or behind.text in CLOSING
        or behind.text in (",", ";", "+", "|", "=", "U", "u")
        or behind.text[1:] in SET_OPS
        or behind.text[1:] in JOIN
    )


def _between(reader: Reader, opening: str) -> Node:
    open_ = _OPENS.get(opening, opening)
    if open_ == "{" and reader.peek().text == "\\begin":
        return _braced_rows(reader)
    if reader.peek().text in CLOSING and opening != "]":
        if open_ == "{" and _CLOSES.get(reader.take().text) == "}":
            return Const("empty")
        raise ParseError("empty brackets")
    inner = reader.listing()
    if open_ == "{" and (reader.peek().text in ("|", ":", "\\mid", "\\colon")):
        reader.at += 1
        condition = reader.listing()
        _close_set(reader)
        return Op("such", (inner, condition))
    close = _CLOSES.get(reader.take().text)
    if close is None or close not in _PARTNERS[open_]:
        raise ParseError("brackets that do not match")
    if opening == "]" or close == "[":  # ]0, 1[ is the open interval
        if not isinstance(inner, Seq) or inner.open or len(inner.items) != 2:
            raise ParseError("an interval without its two ends")
        open_, close = "(" if opening == "]" else open_, ")" if close == "[" else close
    if isinstance(inner, Seq) and not inner.open:
        if open_ in "([" and close in ")]" and inner.joined in ("or", "and"):
            return inner
        items = inner.items
        nested = inner.joined == ";" and any(isinstance(i, Seq) and not i.open for i in items)
        return Seq(open_, close, items, ";" if nested else ",")
    if open_ == "(" and close == ")":
        return inner
    if open_ == "[" and close == "]" and not isinstance(inner, Rel):
        return inner if not isinstance(inner, Num) else Seq("[", "]", (inner,))
    if open_ == "{" and close == "}":
        return Seq("{", "}", (inner,))
    if open_ == "<" and close == ">":
        return Seq("<", ">", (inner,))
    raise ParseError("brackets that do not match")


MAX_RESTRICTION = 24
"""Tokens of a restriction in brackets: `(m, n \\in \\mathbb{Z}, n \\ne 0)`."""
_RESTRICTING = frozenset(("in", "ne", "neq", "ge", "geq", "geqslant", "le", "leq", "leqslant",
                          "<", ">", "<=", ">=", "!="))  # fmt: skip


def restricts(reader: Reader, left: Node) -> bool:
    """Whether the brackets at hand hold a restriction behind the answer: `2k (k \\in Z)`."""
    if isinstance(left, Sym) and not reader.peek().gap:
        return False  # f(x > 0)
    related = False
    for ahead in range(1, MAX_RESTRICTION):
        token = reader.peek(ahead)
        if token.text == "(":
            return False
        if token.text == ")":
            behind = reader.peek(ahead + 1)
            return related and (behind.kind == STOP or behind.text in (",", ";", "\\\\", "."))
        related = related or token.text.lstrip("\\") in _RESTRICTING
    return False


def _braced_rows(reader: Reader) -> Node:
    r"""`\{\begin{array}...`: cases or a system, whose brace closes rarely."""
    reader.at += 1
    node = reader.environment(braced=True)
    if _CLOSES.get(reader.peek().text) == "}":
        reader.at += 1
    return node


def _close_set(reader: Reader) -> None:
    if reader.take().text not in ("\\}", "\\rbrace"):
        raise ParseError("a set is not closed")


def angle(reader: Reader) -> Node:
    items = [reader.expr(BP_SUM - 1)]
    while reader.accept(","):
        items.append(reader.expr(BP_SUM - 1))
    reader.expect(">")
    only = items[0]
    bare = len(items) == 1 and isinstance(only, Seq) and not only.open
    return Seq("<", ">", only.items if bare and isinstance(only, Seq) else tuple(items))


def bars_until(reader: Reader, name: str, closing: tuple[str, ...]) -> Node:
    reader.bars += 1
    inner = reader.listing()
    reader.bars -= 1
    if reader.take().text not in closing:
        raise ParseError("a bar is not closed")
    return Op(name, (inner,))
