r"""Whole answers that stand for many values: which of the modules for them compares two.

Only asked for complete answers, and only where one of them shows a sign of it: the name
of a set of numbers, a congruence, dots, a set-builder, a vector with a factor.

Invariants:
- None means that no module here knows the pair, and the usual ways go on.
- A parameter that only one side declares is taken for declared by both where the other
  side has as many names left over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.math.compare.constants import same_span
from verifier.math.compare.ellipsis import written_out
from verifier.math.compare.families import same_family
from verifier.math.compare.heads import same_head
from verifier.math.compare.integers import integer_set, same_integers
from verifier.math.compare.lines import as_tuple, same_flat
from verifier.math.compare.parameters import INDEX, Declared, Domain, argument_only, declared
from verifier.math.policy import Tier
from verifier.math.tree import Const, Matrix, Node, Op, Rel, Seq, Sym, free_symbols, kinds, walk

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_NODES = 600
"""Of one answer; renaming goes through a tree some twenty times."""

_SETS = frozenset(a + mark for a in "ZNQRC" for mark in ("", "+", "-", "*", "0+", "0-")) | {"P"}
_CLASSES = frozenset(("pmod", "such"))
_SUBJECTS = frozenset(("x", "theta", "alpha", "t", "z", "y", "varphi", "phi"))
"""What a trigonometric equation is solved for."""

_WHOLE_SUBJECTS = frozenset("nNmxp")


def same_parametric(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Whether two answers stand for the same values; None when nobody here can tell."""
    first_signs, second_signs = _signs(gold), _signs(answer)
    if first_signs is None or second_signs is None or not (first_signs or second_signs):
        return None
    signs = first_signs | second_signs
    if "dots" in signs:
        first, second = written_out(gold), written_out(answer)
        if (first, second) != (gold, answer) and not signs & {"set", "class"}:
            return comparison.equal(first, second)
    comparison.uses(Tier.STRUCTURE)
    if signs & {"set", "class", "dots"}:
        found = _as_integers(comparison, gold, answer)
        if found is not None:
            return found
    if "vector" in signs:
        gold, answer = _vectors(gold), _vectors(answer)
    found_in: set[bool | None] = set()
    for natural in (0, 1) if "N" in signs else (0,):
        found_in.add(_as_declared(comparison, gold, answer, natural))
    return found_in.pop() if len(found_in) == 1 else None


def _signs(node: Node) -> set[str] | None:
    """What in an answer speaks of parameters; None for one too large to ask."""
    met = kinds(node)
    found = set(met & {"N", "dots", "pi"})
    for sign, names in (("set", _SETS), ("class", _CLASSES), ("pi", {"deg"})):
        if met & names:
            found.add(sign)
    if met.isdisjoint(("Seq", "Rel", "Matrix")):
        return _without_pi(found, node)
    for count, part in enumerate(walk(node)):
        if count > MAX_NODES:
            return None
        if isinstance(part, Op):
            if part.name == "add" and any(isinstance(arg, Seq | Matrix) for arg in part.args):
                found.add("vector")
        elif isinstance(part, Rel):
            if "equiv" in part.ops:
                found.add("class")
            elif (
                isinstance(node, Seq)
                and (isinstance(node.items[0], Seq) or not INDEX.isdisjoint(_symbols(part)))
                and "=" not in part.ops
            ):
                found.add("set")  # 2^k, k >= 0; (t, t), t > 0
    return _without_pi(found, node)


def _without_pi(found: set[str], node: Node) -> set[str]:
    if "pi" in found and not INDEX & free_symbols(node):
        found.discard("pi")
    return found


def _symbols(node: Rel) -> list[str]:
    return [item.name for item in node.items if isinstance(item, Sym)]


def _as_integers(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    if (
        isinstance(gold, Op)
        and isinstance(answer, Op)
        and {gold.name, answer.name} == {"mod", "pmod"}
    ):
        gold, answer = Op("pmod", gold.args), Op("pmod", answer.args)
    found = same_integers(comparison, gold, answer)
    if found is not None:
        return found
    for first, second in ((gold, answer), (answer, gold)):
        name = _family_index(first) if first is gold else _answered_index(first)
        if name:  # n = 4k + 1, where the other side has a class or a domain
            whole = Seq("", "", (first, Rel(("in",), (Sym(name), Const("Z")))))
            image = integer_set(whole, 0)
            if image is not None and image.period == 1:
                continue  # n = k + 4 is an equation for two letters
            found = same_integers(
                comparison, *((whole, second) if first is gold else (second, whole))
            )
            if found is not None:
                return found
    return None


def _answered_index(node: Node) -> str:
    return _undeclared_index(node, _WHOLE_SUBJECTS, bare=True)


def _family_index(gold: Node) -> str:
    """The undeclared parameter of a reference that is surely a family: angles that turn,
    or n = 4k + 1. Of x = 2n + 1 the n may be given."""
    if _turns(gold):
        return _undeclared_index(gold, _SUBJECTS)
    name = _undeclared_index(gold, _WHOLE_SUBJECTS)
    return name if name in ("k", "l", "j") else ""


def _undeclared_index(node: Node, subjects: frozenset[str], bare: bool = False) -> str:
    """The one whole parameter of `x = ... k ...` that is nowhere declared; with `bare`, of
    a mere `4k + 1` too."""
    items = node.items if isinstance(node, Seq) and not node.open else (node,)
    names: set[str] = set()
    for item in items:
        if bare and isinstance(item, Op):
            names |= free_symbols(item)
            continue
        if not isinstance(item, Rel) or item.ops != ("=",) or not isinstance(item.items[0], Sym):
            return ""
        if item.items[0].name not in subjects:
            return ""
        names |= free_symbols(item.items[1]) - {item.items[0].name}
    return names.pop() if len(names) == 1 and names <= INDEX else ""


# ---------------------------------------------------------------- declared parameters


def _as_declared(comparison: Comparison, gold: Node, answer: Node, natural: int) -> bool | None:
    x, y = declared(gold, natural), declared(answer, natural)
    if x is None and y is None:
        return _undeclared(comparison, gold, answer)
    if x is None or y is None:
        said, other = (y, gold) if x is None else (x, answer)
        assert said is not None
        if argument_only(said):
            return _of_all_terms(comparison, x, y, gold, answer)
        if x is None and _left_over(gold) == said.domains.keys() and not _turns(gold):
            # The same letters: of the reference nobody said that they are arbitrary.
            kinds = {domain.kind for domain in said.domains.values()}
            return (
                comparison.equal(gold, _list(said.statements)) if kinds in ({"R"}, {"P"}) else None
            )
        adopted = _adopted(other, said, of_gold=x is None)
        if adopted is None:
            return None
        x, y = (adopted, said) if x is None else (said, adopted)
    if argument_only(x) or argument_only(y):
        return _of_all_terms(comparison, x, y, gold, answer)
    return _compared(comparison, x, y)


def _compared(comparison: Comparison, x: Declared, y: Declared) -> bool | None:
    kinds = {domain.kind for said in (x, y) for domain in said.domains.values()}
    if kinds == {"R"}:
        return _with_reals(comparison, x, y)
    if kinds != {"Z"} and len(kinds) > 1 and len(x.domains) == len(y.domains) == 1:
        return False
    return same_family(comparison, x, y)


def _with_reals(comparison: Comparison, x: Declared, y: Declared) -> bool | None:
    """Lines, planes, and functions with constants; other curves by renaming."""
    if len(x.statements) == len(y.statements) == 1:
        first, second = x.statements[0], y.statements[0]
        named = [_function(item, said) for item, said in ((first, x), (second, y))]
        if named[0] is not None or named[1] is not None:
            (head_g, body_g) = named[0] or (None, first)
            (head_a, body_a) = named[1] or (None, second)
            if head_g is not None and head_a is not None and not same_head(head_g, head_a):
                return False
            if isinstance(body_g, Rel | Seq) or isinstance(body_a, Rel | Seq):
                return None
            if len(x.domains) != len(y.domains) or _limited(x) or _limited(y):
                return None
            same = same_span(comparison, body_g, sorted(x.domains), body_a, sorted(y.domains), True)
            return True if same else same_family(comparison, x, y)
    points = [_point(said) for said in (x, y)]
    if points[0] is not None and points[1] is not None and not _limited(x) and not _limited(y):
        (head_g, first_parts), (head_a, second_parts) = points[0], points[1]
        if head_g is not None and head_a is not None and not same_head(head_g, head_a):
            return False
        found = same_flat(first_parts, sorted(x.domains), second_parts, sorted(y.domains))
        if found is not None:
            return found
    return same_family(comparison, x, y)


def _limited(said: Declared) -> bool:
    return any(domain.other for domain in said.domains.values())


def _function(item: Node, said: Declared) -> tuple[Node, Node] | None:
    """Head and body of `f(x) = cx`, `y = cx` with constants that are no arguments."""
    if not isinstance(item, Rel) or item.ops != ("=",):
        return None
    head, body = item.items
    called = isinstance(head, Op) and head.name == "call"
    if not called and head != Sym("y"):
        return None
    return (head, body) if free_symbols(body) - said.domains.keys() or called else None


def _point(said: Declared) -> tuple[Node | None, tuple[Node, ...]] | None:
    """The one tuple that is said: with a head, by coordinates, or bare."""
    if len(said.statements) == 1:
        item = said.statements[0]
        head, value = (None, item)
        if isinstance(item, Rel) and item.ops == ("=",):
            head, value = item.items
        value = as_tuple(value)
        if isinstance(value, Seq) and value.open in ("(", "<") and len(value.items) > 1:
            return head, value.items
        return None
    names, parts = [], []
    for item in said.statements:
        if not isinstance(item, Rel) or item.ops != ("=",) or not isinstance(item.items[0], Sym):
            return None
        names.append(item.items[0])
        parts.append(item.items[1])
    return (Seq("(", ")", tuple(names)), tuple(parts)) if len(set(names)) == len(names) else None


def _of_all_terms(
    comparison: Comparison, x: Declared | None, y: Declared | None, gold: Node, answer: Node
) -> bool | None:
    r"""`a_n = 2n - 1, n \in \mathbb{N}`: that n counts the terms restricts nothing."""
    domains = [list(said.domains.values()) for said in (x, y) if said is not None]
    for counted in domains:
        if len(counted) != 1 or counted[0].kind != "Z" or counted[0].low not in (None, 0, 1):
            return None
    if len(domains) == 2 and domains[0] != domains[1]:
        return False
    sides = [
        side if said is None else _list(said.statements) for side, said in ((gold, x), (answer, y))
    ]
    return comparison.equal(*sides)


def _list(statements: tuple[Node, ...]) -> Node:
    return statements[0] if len(statements) == 1 else Seq("", "", statements)


# ---------------------------------------------------------------- parameters nobody declares


def _adopted(node: Node, other: Declared, of_gold: bool) -> Declared | None:
    """The side without a declaration, its names left over as those of the other side."""
    domains = list(other.domains.values())
    if any(domain != domains[0] for domain in domains):
        return None
    if of_gold and domains[0].kind == "Z" and not _family_index(node):
        return None
    names = _left_over(node)
    if len(names) != len(domains) or not _arbitrary(node, names - other.domains.keys()):
        return None
    if of_gold and isinstance(node, Sym | Op) and domains[0].kind != "Z":
        return None  # "A", "2n", "15x - 80" are answers of their own
    items = tuple(Rel(("in",), (Sym(name), Const("Z"))) for name in sorted(names))
    said = declared(Seq("", "", (node, *items)), 0)
    if said is None:
        return None
    return Declared(said.statements, dict.fromkeys(said.domains, domains[0]))


def _arbitrary(node: Node, names: set[str]) -> bool:
    """Whether letters nobody declared may be parameters. In one value the x of `2x + 1` and
    the E of `2E` are variables; a point may run along its x."""
    value = node.items[-1] if isinstance(node, Rel) else node
    if not isinstance(value, Sym | Op):
        return True
    return all(name.islower() and name not in _VARIABLES and "_" not in name for name in names)


_VARIABLES = frozenset("xyz")


def _left_over(node: Node) -> set[str]:
    """Symbols that are neither the subject of a statement nor the argument of a function."""
    items = node.items if isinstance(node, Seq) and not node.open else (node,)
    heads: set[str] = set()
    for item in items:
        if isinstance(item, Rel) and len(item.ops) == 1:
            heads |= {part.name for part in walk(item.items[0]) if isinstance(part, Sym)}
    return set(free_symbols(node)) - heads


def _undeclared(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """`x = k\\pi` on both sides; two vectors with a factor."""
    name_g, name_a = (_undeclared_index(side, _SUBJECTS) for side in (gold, answer))
    if name_g and name_a and _turns(gold) and _turns(answer):
        domain = Domain("Z")
        return same_family(
            comparison,
            Declared(_statements(gold), {name_g: domain}),
            Declared(_statements(answer), {name_a: domain}),
        )
    if all(_is_vector(side) for side in (gold, answer)):
        names = [_left_over(side) for side in (gold, answer)]
        if len(names[0]) == len(names[1]) == 1:
            real = Domain("R")
            return _with_reals(
                comparison,
                Declared((gold,), dict.fromkeys(names[0], real)),
                Declared((answer,), dict.fromkeys(names[1], real)),
            )
    return None


def _turns(node: Node) -> bool:
    return any(p == Const("pi") or (isinstance(p, Op) and p.name == "deg") for p in walk(node))


def _statements(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Seq) and not node.open else (node,)


def _is_vector(node: Node) -> bool:
    value = node.items[1] if isinstance(node, Rel) and node.ops == ("=",) else node
    return isinstance(value, Seq) and value.open in ("(", "<") and bool(free_symbols(value))


def _vectors(node: Node) -> Node:
    if isinstance(node, Rel):
        return Rel(node.ops, tuple(map(_vectors, node.items)))
    if isinstance(node, Seq) and not node.open:
        return Seq(node.open, node.close, tuple(map(_vectors, node.items)), node.joined)
    return as_tuple(node)
