r"""`\begin{...}`: matrices, determinants, cases, systems of equations.

Not covered: rows of cases with more than a value and its condition.
"""

from __future__ import annotations

from verifier.math.syntax.reader import BP_LIST, Reader
from verifier.math.syntax.tokens import STOP, ParseError, Token
from verifier.math.syntax.vocabulary import (
    CONDITION_WORDS,
    MATRICES,
    OTHERWISE,
    RELATIONS,
    starts_condition,
)
from verifier.math.tree import Matrix, Node, Op, Rel, Seq, Text

_CASES = frozenset(("cases", "dcases", "rcases"))
_LINES = frozenset(("aligned", "align", "align*", "gathered", "split"))
_MARKS = frozenset(("&", "\\hline", ",", ";", "."))
"""What separates cells, or ends a row without meaning."""


def environment(reader: Reader, braced: bool = False) -> Node:
    """The rows up to their `\\end`; behind one brace they are cases or a system."""
    kind = _environment_name(reader)
    if kind not in MATRICES:
        raise ParseError(f"unknown environment {kind!r}")
    if kind in ("array",) and reader.accept("{"):
        while reader.peek().kind != STOP and not reader.accept("}"):
            reader.at += 1
    lines = kind in _LINES and not braced
    cases = braced or kind in _CASES
    rows: list[tuple[Node, ...]] = []
    row: list[Node] = []
    while True:
        token = reader.peek()
        if token.text == "\\end":
            reader.at += 1
            if _environment_name(reader) != kind:
                raise ParseError("environments that do not match")
            break
        if token.kind == STOP:
            raise ParseError("an environment is not closed")
        if token.text == "\\\\":
            reader.at += 1
            if row:
                rows.append(tuple(row))
                row = []
            continue
        if token.text in _MARKS or (token.text == "\\" and not row):
            reader.at += 1
            continue
        if cases and row and (condition := _condition(reader)) is not None:
            row.append(condition)
            continue
        row.append(_cell(reader, cases, lines))
    if row:
        rows.append(tuple(row))
    if not rows:
        raise ParseError("an empty environment")
    if cases:
        return _cases(rows)
    if lines:
        return _lines([cell for row in rows for cell in row])
    return _matrix(kind, rows)


def _cell(reader: Reader, cases: bool, lines: bool = False) -> Node:
    outer = reader.bars, reader.in_cases
    reader.bars, reader.in_cases = 0, cases
    if cases or lines:
        _join_relation(reader)
    node = reader.expr(BP_LIST)
    reader.bars, reader.in_cases = outer
    here = reader.peek()
    if here.text in ("&", "\\\\", "\\end", ",", ";", "\\hline") or (cases and _conditional(here)):
        return node
    if here.text == "." and reader.peek(1).text in ("&", "\\\\", "\\end"):
        return node
    raise ParseError(f"unexpected {here.text!r} in a cell")


def _cell_end(tokens: list[Token], at: int) -> int:
    while at < len(tokens) and tokens[at].text not in ("&", "\\\\", "\\end"):
        at += 1
    return at


def _join_relation(reader: Reader) -> None:
    """Takes the mark out of `x &= 2`, where a relation goes on behind it."""
    tokens = reader.tokens
    at = _cell_end(tokens, reader.at)
    if at + 1 >= len(tokens) or tokens[at].text != "&" or at == reader.at:
        return
    before, behind = tokens[at - 1].text.lstrip("\\"), tokens[at + 1].text.lstrip("\\")
    if before in RELATIONS or behind in RELATIONS:
        # The first cell moves one place up, over the mark.
        tokens[reader.at + 1 : at + 1] = tokens[reader.at : at]
        reader.at += 1


def _conditional(token: Token) -> bool:
    return token.kind in ("text", "word") and starts_condition(token.text)


def _condition(reader: Reader) -> Node | None:
    """A condition behind its value: "if x > 0", "otherwise", "for odd n" in words."""
    token = reader.peek()
    if not _conditional(token):
        return None
    first, _, rest = token.text.lower().partition(" ")
    if first in OTHERWISE:
        reader.at += 1
        return Text("otherwise")
    if not rest and (behind := reader.peek(1)).kind not in ("text", STOP):
        reader.at += 1
        start = reader.at
        if behind.kind in ("word", "num", "cmd", "op"):
            end = start
            while end < len(reader.tokens) and reader.tokens[end].text not in (
                "&",
                "\\\\",
                "\\end",
            ):
                end += 1
            if not any(part.kind == "text" for part in reader.tokens[start:end]):
                return _cell(reader, cases=True)
            return _in_words(reader, reader.tokens[start:end], end)
    end = _cell_end(reader.tokens, reader.at)
    return _in_words(reader, reader.tokens[reader.at : end], end)


def _in_words(reader: Reader, tokens: list[Token], end: int) -> Node:
    reader.at = end
    words = " ".join(_spoken(token) for token in tokens if token.text not in "{},.$")
    first, _, rest = words.partition(" ")
    return Text(rest if first.lower() in CONDITION_WORDS and rest else words)


_SPOKEN = {"=": "equals", "^": "to the", "_": "index", "\\\\": "and"}
"""Marks in a condition in words, as words."""


def _spoken(token: Token) -> str:
    return _SPOKEN.get(token.text, token.text.lstrip("\\"))


def _environment_name(reader: Reader) -> str:
    reader.expect("{")
    name = ""
    while reader.peek().kind != STOP and not reader.accept("}"):
        name += reader.take().text
    return name


def _cases(rows: list[tuple[Node, ...]]) -> Node:
    """Values with their conditions, or the equations of a system."""
    if all(len(row) == 1 for row in rows):
        return _lines([row[0] for row in rows])
    pairs = [_chained(row) for row in rows]
    if any(len(row) != 2 for row in pairs):
        raise ParseError("cases of uneven width")
    if all(isinstance(cell, Rel) and cell.ops == ("=",) for row in pairs for cell in row):
        lines = tuple(Seq("", "", row) for row in pairs)
        return lines[0] if len(lines) == 1 else Seq("", "", lines, ";")
    ordered = [row[::-1] if _states(row[0]) and not _states(row[1]) else row for row in pairs]
    return Op("cases", tuple(cell for row in ordered for cell in row))


def _lines(cells: list[Node]) -> Node:
    return cells[0] if len(cells) == 1 else Seq("", "", tuple(cells))


def _chained(row: tuple[Node, ...]) -> tuple[Node, ...]:
    """Two conditions behind a value hold together."""
    return row if len(row) < 3 else (row[0], Seq("", "", row[1:], "and"))


def _states(node: Node) -> bool:
    return isinstance(node, Rel | Text)


def _matrix(kind: str, rows: list[tuple[Node, ...]]) -> Node:
    if len({len(row) for row in rows}) != 1:
        raise ParseError("a matrix with uneven rows")
    matrix = Matrix(tuple(rows))
    return Op("det", (matrix,)) if kind in ("vmatrix", "Vmatrix") else matrix
