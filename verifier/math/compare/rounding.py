"""Decimals: what one shows, and whether that is another value rounded."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from verifier.math.exact import exact
from verifier.math.numeric import evaluate, real_value
from verifier.math.tree import Node, Num, Op, free_symbols

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison

PRINTED_FLOAT = range(15, 18)
"""Digits a double prints with."""

FLOAT_NOISE = Fraction(1, 1 << 51)
"""Relative error of a double after a few operations: 0.30000000000000004 is 0.3."""


def rounds(
    comparison: Comparison, gold: Node, x: Fraction | None, answer: Node, y: Fraction | None
) -> bool | None:
    """Whether a decimal on one side is the other side, rounded to what it shows."""
    for decimal, other, value in (
        (written_decimal(answer), gold, x),
        (written_decimal(gold), answer, y),
    ):
        if decimal is None:
            continue
        written, step, shown = decimal
        if comparison.policy.rounding == 0 or shown < comparison.policy.rounding:
            continue
        if value is None:
            value = real_value(other, comparison.budget)
        if value is None:
            told = free_symbols(other) or evaluate(other, {}, comparison.budget) is not None
            return False if told else None
        partner = written_decimal(other)
        if partner is not None and partner[2] > shown and other is answer:
            continue  # an answer finer than a decimal reference is another number
        # A whole number is exact: 1.23457e6 is not 1234567.
        slack = step / 2 if value.denominator > 1 or partner is not None else Fraction(0)
        if shown in PRINTED_FLOAT and (partner is None or partner[2] + 3 < shown):
            slack = max(slack, abs(written) * FLOAT_NOISE)
        if abs(written - value) <= slack:
            return True
    return False


def written_decimal(node: Node) -> tuple[Fraction, Fraction, int] | None:
    """(value, one unit in the last place, digits shown) of a written decimal."""
    if isinstance(node, Num):
        if node.places < 1:
            return None
        return Fraction(node.value), Fraction(1, 10**node.places), node.shown
    if isinstance(node, Op):
        if node.name == "neg":
            inner = written_decimal(node.args[0])
            return (-inner[0], inner[1], inner[2]) if inner else None
        if node.name == "div" and node.args[1] == Num(100):
            inner = written_decimal(node.args[0])
            return (inner[0] / 100, inner[1] / 100, inner[2]) if inner else None
        if node.name == "mul" and len(node.args) == 2 and isinstance(node.args[1], Op):
            inner, scale = written_decimal(node.args[0]), exact(node.args[1])
            if inner and scale and node.args[1].name == "pow" and node.args[1].args[0] == Num(10):
                return inner[0] * scale, inner[1] * scale, inner[2]
    return None
