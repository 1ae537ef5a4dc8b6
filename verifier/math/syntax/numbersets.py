r"""Sets of numbers: `\mathbb{Z}`, `\mathbf{N}^*`, `\mathbb{R}_{>0}`, and `Z` behind "in"."""

from __future__ import annotations

from verifier.math.syntax.reader import Reader
from verifier.math.syntax.tokens import ParseError
from verifier.math.tree import Const, Node, Sym

LETTERS = frozenset("RZNQC")
MAX_MARK = 5
"""Tokens of what limits a set: `_ { \\ge 0 }`."""

_MARKS = {
    "+": "+", ">0": "+", "*+": "+", "+*": "+", "-": "-", "<0": "-", "*-": "-", "-*": "-",
    "*": "*", "\\ast": "*", "\\times": "*", "\\ne0": "*", "\\neq0": "*", "\\star": "*",
    ">=0": "0+", "\\ge0": "0+", "\\geq0": "0+", "\\geqslant0": "0+", "0": "0+", "<=0": "0-",
    "\\le0": "0-", "\\leq0": "0-", "\\leqslant0": "0-", "\\gt0": "+", "\\lt0": "-", ">=1": "+",
    "\\ge1": "+", "\\geq1": "+", "\\geqslant1": "+",
}  # fmt: skip
_SAME = {"N*": "Z+", "N+": "Z+", "N0+": "Z0+"}
_WHOLE = frozenset((">=1", "\\ge1", "\\geq1", "\\geqslant1", "0"))
"""Marks that say something only of whole numbers."""


def blackboard(reader: Reader) -> Node:
    r"""After `\mathbb`."""
    member = reader.peek(-2).text == "\\in"
    reader.accept("{")
    letter = reader.take().text
    reader.accept("}")
    if letter == "P" and member:
        return Const("P")  # the primes
    if letter in ("P", "E"):  # probability and expectation
        return Sym(letter)
    return number_set(reader, letter)


def number_set(reader: Reader, letter: str) -> Node:
    r"""The set of a letter and the mark behind it: `^+`, `_{>0}`, `^*`."""
    if letter not in LETTERS:
        raise ParseError(f"no known set: {letter!r}")
    name = letter
    while reader.peek().text in ("^", "_"):
        found = _mark(reader)
        if found is None or _MARKS.get(found[0]) is None or len(name) > 1:
            break
        mark, length = found
        if letter == "C" or (mark in _WHOLE and letter not in "ZN"):
            break
        reader.at += length
        name = letter + _MARKS[mark]
    return Const(_SAME.get(name, name))


def _mark(reader: Reader) -> tuple[str, int] | None:
    """The text of the script at hand without its braces, and how many tokens it takes."""
    if reader.peek(1).text != "{":
        return reader.peek(1).text, 2
    text = ""
    for ahead in range(2, 2 + MAX_MARK):
        token = reader.peek(ahead)
        if token.text == "}":
            return text, ahead + 1
        text += token.text
    return None
