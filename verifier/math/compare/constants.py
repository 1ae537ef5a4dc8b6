r"""Arbitrary constants: `x^2 + C` is `x^2 + K`, `C_1e^x + C_2e^{-x}` is `Ae^{-x} + Be^x`.

An answer that is linear in its constants stands for all its values: one function plus
multiples of others. Two such answers are the same when those others are proportional one
by one and the difference of the first parts is a multiple of one of them.

Invariants:
- A constant that somebody declared may be renamed. Of those nobody declared, only names
  that are by custom the constants of an integration are taken for arbitrary, and only
  beside a variable and without other capital letters, which would be given quantities.
- As many constants on one side as on the other; none is never one.

Not covered: constants inside of functions and exponents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import permutations
from typing import TYPE_CHECKING

from verifier.math.compare.families import degree
from verifier.math.compare.heads import headed, same_head
from verifier.math.numeric import compare, evaluate
from verifier.math.policy import Tier
from verifier.math.tree import Node, Num, Op, Rel, Seq, free_symbols, substituted, walk

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

MAX_CONSTANTS = 3

_SURE = re.compile(r"C|[CcK]_\{?\d\}?")
"""Constants of integration wherever they stand beside a variable."""

_USUAL = re.compile(r"[CcKkABDabd](?:_\{?\d\}?)?|const|alpha|beta|lambda")
"""What one side may call them when the other has sure ones, or both have no other."""

_LONE = re.compile(r"[CcKk]")
_VARIABLES = frozenset(("x", "y", "t", "z", "u", "v", "s", "w", "r", "theta"))


def up_to_constants(comparison: Comparison, gold: Node, answer: Node) -> bool:
    """Whether two answers are the same but for the constants nobody declared."""
    head_g, first = headed(gold)
    head_a, second = headed(answer)
    if any(isinstance(side, Seq | Rel) for side in (first, second)):
        return False
    if head_g is not None and head_a is not None and not same_head(head_g, head_a):
        return False
    names_g, names_a = free_symbols(first), free_symbols(second)
    arbitrary = _arbitrary(names_g, names_a)
    if arbitrary is None:
        return False
    mine, theirs, scaled = arbitrary
    for node, names in ((first, mine), (second, theirs)):
        if any(not _arbitrary_beside(comparison, node, name, scaled) for name in names):
            return False
    return same_span(comparison, first, mine, second, theirs, scaled)


def _arbitrary_beside(comparison: Comparison, node: Node, name: str, scaled: bool) -> bool:
    """A mere addend, or the factor of a function: of `x + 2C` and of `kx` the constant may
    be given."""
    parts = _parts(node, (name,))
    if parts is None:
        return False
    factor = parts[1]
    if compare(factor, Num(1), comparison.budget).equal is True:
        return True
    opposite = compare(factor, Num(-1), comparison.budget).equal is True
    return scaled and (opposite or not _multiple(comparison, factor, Num(1)))


def _arbitrary(
    gold: frozenset[str], answer: frozenset[str]
) -> tuple[list[str], list[str], bool] | None:
    """The constants of either side, and whether multiples of them are as arbitrary."""
    mine = sorted(name for name in gold if _SURE.fullmatch(name))
    theirs = sorted(name for name in answer if _SURE.fullmatch(name))
    scaled = bool(mine) and bool(theirs)
    if not mine or not theirs:
        only_g = sorted(name for name in gold - answer if _USUAL.fullmatch(name))
        only_a = sorted(name for name in answer - gold if _USUAL.fullmatch(name))
        lone = all(_LONE.fullmatch(name) for name in (*only_g, *only_a))
        if mine:
            theirs = only_a
        elif theirs:
            mine = only_g
        elif lone:
            mine, theirs = only_g, only_a
        scaled = bool(mine) and all(map(_SURE.fullmatch, mine))
    others = (gold - set(mine)) | (answer - set(theirs))
    if not mine or len(mine) != len(theirs) or len(mine) > MAX_CONSTANTS:
        return None
    if gold - set(mine) != answer - set(theirs) or not others & _VARIABLES:
        return None
    return None if any(name[0].isupper() for name in others) else (mine, theirs, scaled)


def same_span(
    comparison: Comparison,
    gold: Node,
    mine: Iterable[str],
    answer: Node,
    theirs: Iterable[str],
    scaled: bool,
) -> bool:
    """Whether both stand for the same functions when their constants take all values."""
    first, second = _parts(gold, tuple(mine)), _parts(answer, tuple(theirs))
    if first is None or second is None or len(first) != len(second):
        return False
    comparison.uses(Tier.NUMERIC)
    gap = Op("add", (first[0], Op("neg", (second[0],))))
    free = compare(gap, Num(0), comparison.budget).equal
    if not free and not (scaled and any(_multiple(comparison, gap, f) for f in first[1:])):
        return False
    if not scaled:
        return any(
            all(
                compare(f, g, comparison.budget).equal
                for f, g in zip(first[1:], order, strict=True)
            )
            for order in permutations(second[1:])
        )
    return any(
        all(_multiple(comparison, f, g) for f, g in zip(first[1:], order, strict=True))
        for order in permutations(second[1:])
    )


def _parts(node: Node, names: tuple[str, ...]) -> list[Node] | None:
    """What stands without constants, and what each of them multiplies."""
    if any(degree(node, name) != 1 for name in names) or not _apart(node, names):
        return None
    free = node
    for name in names:
        free = substituted(free, name, Num(0))
    result = [free]
    for name in names:
        one = node
        for other in names:
            one = substituted(one, other, Num(int(other == name)))
        result.append(Op("add", (one, Op("neg", (free,)))))
    return result


def _apart(node: Node, names: tuple[str, ...]) -> bool:
    """No product of two constants, so that the whole is linear in them together."""
    for part in walk(node):
        if isinstance(part, Op) and part.name == "mul":
            found = [set(names) & free_symbols(arg) for arg in part.args]
            if sum(map(bool, found)) > 1:
                return False
    return True


def _multiple(comparison: Comparison, a: Node, b: Node) -> bool:
    """Whether a is b times a real number other than nought: a(x) b(x0) = a(x0) b(x)."""
    names = sorted(free_symbols(a) | free_symbols(b))
    a0, b0 = a, b
    for place, name in enumerate(names):
        at = Op("div", (Num(8 + 3 * place), Num(13)))
        a0, b0 = substituted(a0, name, at), substituted(b0, name, at)
    if any(compare(side, Num(0), comparison.budget).equal is not False for side in (a0, b0)):
        return False
    ratio = evaluate(Op("div", (a0, b0)), {}, comparison.budget)
    if ratio is not None and not ratio.imag.contains(0):
        return False  # 2 ln(-x) + C is not 2 ln x + C
    left, right = Op("mul", (a, b0)), Op("mul", (a0, b))
    return compare(left, right, comparison.budget).equal is True
