"""Sums of floors of one real variable, told exactly.

A difference `a x + b + sum of c_i floor(p_i x + q_i)` with rational numbers changes by a
constant when x moves on by a common period T of the slopes: when that constant is nought
it is enough to look at one period, at each jump and between two of them.

Invariant: True and False are proofs; None means "not mine".
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, lcm

from verifier.math.tree import Node, Num, Op, Sym

MAX_JUMPS = 120
"""Jumps in one period; each costs a few microseconds for each floor."""

MAX_TERMS = 24

Form = dict[tuple[Fraction, Fraction] | str, Fraction]
"""Coefficients of the letter ("x"), of one ("1") and of floors by (slope, offset)."""


def same_steps(a: Node, b: Node, name: str) -> bool | None:
    """Whether two trees are equal at every real number."""
    form = _form(Op("add", (a, Op("neg", (b,)))), name)
    if form is None:
        return None
    floors = {key: value for key, value in form.items() if isinstance(key, tuple) and value}
    slope, offset = form.get("x", Fraction(0)), form.get("1", Fraction(0))
    period = lcm(*(key[0].denominator for key in floors))
    if slope * period + sum(value * key[0] * period for key, value in floors.items()):
        return False  # it grows without end
    if sum(abs(key[0]) * period + 2 for key in floors) > MAX_JUMPS:
        return None
    cuts = {Fraction(0), Fraction(period)}
    for p, q in floors:
        first, last = sorted((q, p * period + q))
        cuts |= {(n - q) / p for n in range(ceil(first), floor(last) + 1)}
    jumps = sorted(cuts)
    places = list(jumps)
    for low, high in pairwise(jumps):
        places += [(2 * low + high) / 3, (low + 2 * high) / 3]
    return not any(
        slope * at + offset + sum(value * floor(p * at + q) for (p, q), value in floors.items())
        for at in places
    )


def _form(node: Node, name: str) -> Form | None:
    if isinstance(node, Num):
        return {"1": Fraction(node.value)}
    if isinstance(node, Sym):
        return {"x": Fraction(1)} if node.name == name else None
    if not isinstance(node, Op):
        return None
    if node.name in ("mul", "div"):
        return _multiple(node, name)
    found = [_form(arg, name) for arg in node.args]
    forms = [form for form in found if form is not None]
    if len(forms) < len(found):
        return None
    if node.name == "add":
        return _sum(forms)
    if node.name == "neg":
        return _scaled(forms[0], Fraction(-1))
    if node.name == "floor":
        return _floor(forms[0])
    if node.name == "ceil":
        down = _floor(_scaled(forms[0], Fraction(-1)))
        return None if down is None else _scaled(down, Fraction(-1))
    if node.name == "mod":
        modulus = forms[1].get("1")
        if not modulus or set(forms[1]) != {"1"}:
            return None
        down = _floor(_scaled(forms[0], 1 / modulus))
        return None if down is None else _sum([forms[0], _scaled(down, -modulus)])
    return None


def _multiple(node: Op, name: str) -> Form | None:
    """A product with one factor that is no number."""
    result: Form = {"1": Fraction(1)}
    for place, arg in enumerate(node.args):
        form = _form(arg, name)
        if form is None:
            return None
        if node.name == "div" and place:
            if set(form) != {"1"} or not form["1"]:
                return None
            result = _scaled(result, 1 / form["1"])
        elif set(form) == {"1"}:
            result = _scaled(result, form["1"])
        elif set(result) == {"1"}:
            result = _scaled(form, result["1"])
        else:
            return None
    return result


def _floor(inner: Form) -> Form | None:
    """Whole numbers and floors with whole factors come out of a floor."""
    slope, offset = inner.get("x", Fraction(0)), inner.get("1", Fraction(0))
    floors: Form = {key: value for key, value in inner.items() if isinstance(key, tuple)}
    if any(value.denominator != 1 for value in floors.values()):
        return None
    if not slope:
        return _sum([{"1": Fraction(floor(offset))}, floors])
    whole = floor(offset)
    return _sum([{(slope, offset - whole): Fraction(1), "1": Fraction(whole)}, floors])


def _sum(forms: list[Form]) -> Form | None:
    total: Form = {}
    for form in forms:
        for key, value in form.items():
            total[key] = total.get(key, Fraction(0)) + value
    return total if len(total) <= MAX_TERMS else None


def _scaled(form: Form, factor: Fraction) -> Form:
    return {key: value * factor for key, value in form.items()}
