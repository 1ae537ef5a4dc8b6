r"""Products whose factors do not commute: of matrices, and of vectors.

Capital letters are matrices where a transpose mark, the inverse of a product of capitals
or a conjugation `P D P^{-1}` says so; letters under an arrow are vectors where a cross
product is. Both sides are evaluated with fixed rational matrices of three rows for the
letters, factors in the order written.

Invariants:
- Different is a proof where no length of a vector is met; equal at POINTS points that
  nothing singles out counts as equal.
- What has no value here is None: no step that lets factors commute may decide it.

Not covered: matrices of other shapes, symmetric or orthogonal ones, ranks, norms.
"""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from verifier.math.tree import Node, Num, Op, Sym, kinds, walk

POINTS = 2
SIZE = 3
MAX_POWER = 12
"""Powers of a matrix that are multiplied out."""

MAX_BITS = 10_000
"""Of a number met on the way."""

PRIME = 10_007
"""Fifth powers modulo it look like chance, so that no letters depend on each other."""

MAX_NODES = 200
"""Nodes of a side that is evaluated; each costs at most some microseconds."""

_TRANSPOSES = frozenset(map(Sym, ("T", "top", "intercal")))
_ADJOINTS = frozenset(map(Sym, ("ast", "star", "dagger", "H")))

Value = fmpq | fmpq_mat
"""A number, a matrix of three columns, or a column."""


def ordered(node: Node) -> bool:
    """Whether the factors of some product may not be exchanged."""
    met = kinds(node)
    if "cross" in met:
        return True
    return "pow" in met and any(_of_matrices(part) for part in walk(node) if isinstance(part, Op))


def _of_matrices(node: Op) -> bool:
    if node.name == "pow":
        base, exponent = node.args
        if exponent in _TRANSPOSES | _ADJOINTS:
            named = isinstance(base, Sym) and exponent in (Sym("top"), Sym("intercal"))
            return named or _capitals(base) > 0
        return exponent == Num(-1) and _capitals(base) > 1
    if node.name != "mul":
        return False
    capitals = [arg for arg in node.args if _capitals(arg)]
    seen: dict[Node, int] = {}
    for place, arg in enumerate(capitals):
        inverted = isinstance(arg, Op) and arg.name == "pow" and arg.args[1] == Num(-1)
        partner = arg.args[0] if isinstance(arg, Op) and inverted else Op("pow", (arg, Num(-1)))
        if place - seen.get(partner, place) > 1:
            return True
        seen.setdefault(arg, place)
    return False


def _capitals(node: Node) -> int:
    """The capital letters in a product, sum or power of such alone; 0 for all else."""
    if isinstance(node, Sym):
        return int(node.name[0].isupper())
    if not isinstance(node, Op) or node.name not in ("mul", "add", "neg", "pow", "prime"):
        return 0
    if node.name == "pow":
        return _capitals(node.args[0])
    found = [_capitals(arg) for arg in node.args if not isinstance(arg, Num)]
    return sum(found) if all(found) else 0


def same_products(a: Node, b: Node) -> bool | None:
    """Whether two trees agree with their factors in the order written; None if unknown."""
    if max(sum(1 for _ in walk(side)) for side in (a, b)) > MAX_NODES:
        return None
    arrows = frozenset(part for side in (a, b) for part in walk(side) if _named(part))
    names = frozenset(part.args[0] for part in arrows if isinstance(part, Op))
    for point in range(POINTS):
        try:
            x, y = (_Products(point, names).value(side) for side in (a, b))
        except (_NotMineError, ZeroDivisionError, ValueError):
            return None
        if isinstance(x, fmpq) != isinstance(y, fmpq) or x != y:
            return False
    return True


class _NotMineError(Exception):
    """This tree has no value here."""


class _Products:
    """Trees with the letters of one point; `bar` where all matrices are conjugated."""

    def __init__(self, point: int, vectors: frozenset[Node], bar: bool = False) -> None:
        self.point = point
        self.vectors = vectors
        self.bar = bar

    def value(self, node: Node) -> Value:
        if isinstance(node, Num):
            return fmpq(node.value.numerator, node.value.denominator)
        if isinstance(node, Sym):
            if node in self.vectors:
                return self.letter(node.name, 1)
            if node.name == "I":
                return _identity()
            return self.letter(node.name, SIZE if node.name[0].isupper() else 0)
        if not isinstance(node, Op):
            raise _NotMineError
        if node.name == "vec" and isinstance(node.args[0], Sym):
            return self.letter(node.args[0].name, 1)
        if node.name == "index" and isinstance(node.args[1], Num) and _named(node.args[0]):
            return self.letter(str(node), 1)
        if node.name == "pow":
            return self.power(*node.args)
        if node.name == "prime":
            return _matrix(self.value(node.args[0])).transpose()
        args = [self.value(arg) for arg in node.args]
        if node.name == "neg":
            return -args[0]
        if node.name == "add":
            return _total(args)
        if node.name in ("mul", "div"):
            if node.name == "div":
                args[1] = _inverse(args[1])
                if not isinstance(args[0], fmpq) and not isinstance(args[1], fmpq):
                    raise _NotMineError  # from which side, a quotient does not say
            result = args[0]
            for arg in args[1:]:
                result = _product(result, arg)
            return result
        if node.name == "cross":
            return _cross(*args)
        if node.name in ("abs", "norm") and _matrix(args[0]).ncols() == 1:
            square = _dot(_matrix(args[0]), _matrix(args[0]))
            return square / (square + 1)  # in place of its root
        if node.name in ("det", "abs") and _matrix(args[0]).ncols() == SIZE:
            return _matrix(args[0]).det()
        if node.name == "tr" and _matrix(args[0]).ncols() == SIZE:
            return sum((_matrix(args[0])[i, i] for i in range(SIZE)), fmpq(0))
        raise _NotMineError

    def letter(self, name: str, columns: int) -> Value:
        """What a letter stands for: nothing round, and no two letters alike."""
        seed = sum(ord(char) * 31 ** (place % 7) for place, char in enumerate(name))
        seed += 977 * self.point + (541 if self.bar and columns == SIZE else 0)
        cells = [fmpq(pow(seed + 131 * k, 5, PRIME) - PRIME // 3, 7 + k) for k in range(9)]
        if not columns:
            return cells[0]
        return fmpq_mat(SIZE, columns, cells[: SIZE * columns])

    def power(self, base: Node, exponent: Node) -> Value:
        if exponent in _TRANSPOSES:
            return _matrix(self.value(base)).transpose()
        if exponent in _ADJOINTS:
            return _matrix(
                _Products(self.point, self.vectors, not self.bar).value(base)
            ).transpose()
        if not isinstance(exponent, Num) or exponent.value.denominator != 1:
            raise _NotMineError
        value, times = self.value(base), int(exponent.value)
        if abs(times) > MAX_POWER:
            raise _NotMineError
        value = _inverse(value) if times < 0 else value
        if isinstance(value, fmpq):
            return _bounded(value ** abs(times))
        if value.ncols() != SIZE:
            raise _NotMineError
        result = _identity()
        for _ in range(abs(times)):
            result = _matrix(_bounded(result * value))
        return result


def _named(node: Node) -> bool:
    return isinstance(node, Op) and node.name == "vec"


def _identity() -> fmpq_mat:
    return fmpq_mat(SIZE, SIZE, [int(i == j) for i in range(SIZE) for j in range(SIZE)])


def _matrix(value: Value) -> fmpq_mat:
    if isinstance(value, fmpq):
        raise _NotMineError
    return value


def _inverse(value: Value) -> Value:
    if isinstance(value, fmpq):
        return 1 / value
    if value.ncols() != SIZE:
        raise _NotMineError
    return _bounded(value.inv())


def _total(args: list[Value]) -> Value:
    if all(isinstance(arg, fmpq) for arg in args):
        return sum((arg for arg in args if isinstance(arg, fmpq)), fmpq(0))
    result = _matrix(args[0])
    for arg in args[1:]:
        result = result + _matrix(arg)
    return _bounded(result)


def _product(a: Value, b: Value) -> Value:
    """Two columns multiply to their scalar product, all else as matrices do."""
    if isinstance(a, fmpq) or isinstance(b, fmpq):
        return _bounded(a * b)
    return _dot(a, b) if a.ncols() == b.ncols() == 1 else _bounded(a * b)


def _dot(a: fmpq_mat, b: fmpq_mat) -> fmpq:
    return (a.transpose() * b)[0, 0]


def _bounded(value: Value) -> Value:
    """The value, unless its numbers grow beyond what any answer needs."""
    first = value if isinstance(value, fmpq) else value[0, 0]
    if max(int(first.p).bit_length(), int(first.q).bit_length()) > MAX_BITS:
        raise _NotMineError
    return value


def _cross(a: Value, b: Value) -> Value:
    u, v = _matrix(a), _matrix(b)
    if (u.nrows(), u.ncols()) != (SIZE, 1) or (v.nrows(), v.ncols()) != (SIZE, 1):
        raise _NotMineError
    turns = ((1, 2), (2, 0), (0, 1))
    return fmpq_mat(SIZE, 1, [u[i, 0] * v[j, 0] - u[j, 0] * v[i, 0] for i, j in turns])
