r"""`\begin{...}`: matrices, determinants, cases, systems of equations."""

from __future__ import annotations

from verifier.math.syntax.reader import BP_LIST, Reader
from verifier.math.syntax.tokens import STOP, ParseError
from verifier.math.syntax.vocabulary import MATRICES
from verifier.math.tree import Matrix, Node, Op, Seq


def environment(reader: Reader) -> Node:
    kind = _environment_name(reader)
    if kind not in MATRICES:
        raise ParseError(f"unknown environment {kind!r}")
    if kind in ("array",) and reader.accept("{"):
        while reader.peek().kind != STOP and not reader.accept("}"):
            reader.at += 1
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
        if token.text in ("&", "\\hline", ",") or (token.text == "\\" and not row):
            reader.at += 1
            continue
        row.append(_cell(reader))
    if row:
        rows.append(tuple(row))
    return _assembled(kind, rows)


def _cell(reader: Reader) -> Node:
    outer, reader.bars = reader.bars, 0
    if reader.peek().text in ("=", "<", ">", "\\le", "\\ge", "\\leq", "\\geq"):
        # `x &= 2`: the relation goes on after the alignment mark.
        raise ParseError("an aligned equation")
    node = reader.expr(BP_LIST)
    reader.bars = outer
    if reader.peek().text not in ("&", "\\\\", "\\end", ",", "\\hline"):
        raise ParseError(f"unexpected {reader.peek().text!r} in a cell")
    return node


def _environment_name(reader: Reader) -> str:
    reader.expect("{")
    name = ""
    while reader.peek().kind != STOP and not reader.accept("}"):
        name += reader.take().text
    return name


def _assembled(kind: str, rows: list[tuple[Node, ...]]) -> Node:
    if not rows:
        raise ParseError("an empty environment")
    if kind in ("cases", "dcases", "rcases"):
        if all(len(row) == 1 for row in rows):
            return Seq("", "", tuple(row[0] for row in rows))  # a system of equations
        if all(len(row) == 2 for row in rows):
            return Op("cases", tuple(cell for row in rows for cell in row))
        raise ParseError("cases of uneven width")
    if kind in ("aligned", "align", "align*", "gathered", "split"):
        return Seq("", "", tuple(cell for row in rows for cell in row))
    if len({len(row) for row in rows}) != 1:
        raise ParseError("a matrix with uneven rows")
    matrix = Matrix(tuple(rows))
    return Op("det", (matrix,)) if kind in ("vmatrix", "Vmatrix") else matrix
