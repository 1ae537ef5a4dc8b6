"""Matrices: sums, products and small determinants written out, and cells compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.math.tree import Matrix, Node, Num, Op, Seq, kinds, walk

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_MATRIX = 6
"""Rows or columns of matrices that are added and multiplied."""

MAX_MATRIX_PRODUCTS = 1_500
"""Products of cells behind one cell of the result."""


def matrix_value(node: Node) -> Node:
    """Sums and products of matrices carried out, cell by cell as trees."""
    if isinstance(node, Op) and node.name == "det" and isinstance(node.args[0], Matrix):
        return _determinant([list(row) for row in node.args[0].rows]) or node
    if not isinstance(node, Op) or node.name not in ("add", "mul", "neg"):
        return node
    if "Matrix" not in kinds(node):
        return node
    args = [matrix_value(arg) for arg in node.args]
    sizes = [(len(a.rows), len(a.rows[0])) for a in args if isinstance(a, Matrix)]
    count = sum(isinstance(part, Matrix) for part in walk(node))
    if not sizes or max(max(size) for size in sizes) > MAX_MATRIX or count > MAX_MATRIX:
        return node
    if max(2, *(max(size) for size in sizes)) ** count > MAX_MATRIX_PRODUCTS:
        return node
    result = args[0] if node.name != "neg" else Num(-1)
    for arg in args[1:] if node.name != "neg" else args:
        step = _matrix_sum(result, arg) if node.name == "add" else _matrix_product(result, arg)
        if step is None:
            return node
        result = step
    return result


def _determinant(rows: list[list[Node]]) -> Node | None:
    """Two or three rows written out; None for other sizes."""
    if len(rows) not in (2, 3) or any(len(row) != len(rows) for row in rows):
        return None
    if len(rows) == 2:
        (a, b), (c, d) = rows
        return Op("add", (Op("mul", (a, d)), Op("neg", (Op("mul", (b, c)),))))
    terms: list[Node] = []
    for column, cell in enumerate(rows[0]):
        minor = _determinant([row[:column] + row[column + 1 :] for row in rows[1:]])
        assert minor is not None
        term = Op("mul", (cell, minor))
        terms.append(Op("neg", (term,)) if column == 1 else term)
    return Op("add", tuple(terms))


def _matrix_sum(a: Node, b: Node) -> Node | None:
    if not isinstance(a, Matrix) or not isinstance(b, Matrix):
        return None
    if len(a.rows) != len(b.rows) or len(a.rows[0]) != len(b.rows[0]):
        return None
    rows = zip(a.rows, b.rows, strict=True)
    return Matrix(tuple(tuple(Op("add", p) for p in zip(*pair, strict=True)) for pair in rows))


def _matrix_product(a: Node, b: Node) -> Node | None:
    if isinstance(a, Matrix) and isinstance(b, Matrix):
        if len(a.rows[0]) != len(b.rows):
            return None
        columns = list(zip(*b.rows, strict=True))
        return Matrix(
            tuple(
                tuple(
                    Op("add", tuple(Op("mul", p) for p in zip(row, column, strict=True)))
                    for column in columns
                )
                for row in a.rows
            )
        )
    matrix, factor = (a, b) if isinstance(a, Matrix) else (b, a)
    if not isinstance(matrix, Matrix):
        return Op("mul", (a, b))
    return Matrix(tuple(tuple(Op("mul", (factor, cell)) for cell in row) for row in matrix.rows))


def same_cells(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Cell by cell; a column (or row) of numbers may be written as a tuple."""
    first, second = _cells(gold), _cells(answer)
    if first is None or second is None:
        return False
    tuples = _one_row(gold), _one_row(answer)
    if any(tuples):
        matrix = second if tuples[0] else first
        if len(matrix) != 1 and any(len(row) != 1 for row in matrix):
            return False
        flat = [[cell for row in rows for cell in row] for rows in (first, second)]
        first, second = [flat[0]], [flat[1]]
    if [len(row) for row in first] != [len(row) for row in second]:
        return False
    pairs = [pair for rows in zip(first, second, strict=True) for pair in zip(*rows, strict=True)]
    return comparison.all_equal(pairs)


def _one_row(node: Node) -> bool:
    """A tuple, but not one of rows: `[[2, 0], [0, 3]]`."""
    return isinstance(node, Seq) and not all(
        node.open and isinstance(item, Seq) and item.open for item in node.items
    )


def _cells(node: Node) -> list[list[Node]] | None:
    if isinstance(node, Matrix):
        return [list(row) for row in node.rows]
    if isinstance(node, Seq) and node.open in ("(", "[", "<", ""):
        if node.items and all(isinstance(item, Seq) and item.open for item in node.items):
            return [list(item.items) for item in node.items if isinstance(item, Seq)]
        return [list(node.items)]
    return None
