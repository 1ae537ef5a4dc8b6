"""Scalars with units, percent signs and degrees, by policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.math.compare.scalars import same_digits, same_scalar
from verifier.math.numeric import real_value
from verifier.math.tree import Base, Const, Node, Num, Op, Sym, Text, free_symbols, walk
from verifier.math.units import canonical, factor

if TYPE_CHECKING:
    from verifier.math.compare.comparison import Comparison


def same_quantity(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Two scalars, their units, percent signs and degrees by policy."""
    if gold == answer:
        return True
    first, second = _minutes(gold), _minutes(answer)
    if first is not None and second is not None and first == second:
        return True
    gold_value, gold_unit = _split_unit(gold)
    answer_value, answer_unit = _split_unit(answer)
    if gold_unit != answer_unit and not (gold_unit and answer_unit):
        if gold_unit and not free_symbols(gold):
            answer_value, answer_unit = _letter_unit(answer_value, answer_unit)
        elif answer_unit and not free_symbols(answer):
            gold_value, gold_unit = _letter_unit(gold_value, gold_unit)
    if gold_unit != answer_unit:
        return _with_units(comparison, gold_value, gold_unit, answer_value, answer_unit)
    if (
        isinstance(gold_value, Op)
        and isinstance(answer_value, Op)
        and gold_value.name == answer_value.name == "neg"
    ):
        gold_value, answer_value = gold_value.args[0], answer_value.args[0]
    if isinstance(gold_value, Base) or isinstance(answer_value, Base):
        return same_digits(gold_value, answer_value)
    return _values_equal(comparison, gold_value, answer_value)


def _minutes(node: Node) -> int | None:
    """The minute of the day that "3:45 pm", "3 pm" or 15:45 is."""
    half = ""
    if isinstance(node, Op) and node.name == "unit" and isinstance(node.args[1], Text):
        half, node = node.args[1].text.lower(), node.args[0]
        if half not in ("am", "pm"):
            return None
    match node:
        case Op("ratio", (Num(int() as hours, -1), Num(int() as minutes, -1))):
            pass
        case Num(int() as hours, -1) if half:
            minutes = 0
        case _:
            return None
    if half and 1 <= hours <= 12:
        hours = hours % 12 + 12 * (half == "pm")
    return 60 * hours + minutes if 0 <= hours < 24 and 0 <= minutes < 60 else None


def _with_units(
    comparison: Comparison, gold: Node, gold_unit: str, answer: Node, answer_unit: str
) -> bool | None:
    percent = "%" in (gold_unit, answer_unit)
    if comparison.policy.units == "required" and not percent:
        return False
    if percent:
        if gold_unit and answer_unit:
            return False
        bare, signed = (gold, answer) if answer_unit == "%" else (answer, gold)
        if comparison.policy.percent == "strict":
            return False
        found = _values_equal(comparison, Op("div", (signed, Num(100))), bare)
        if found is True:
            return True
        if comparison.policy.percent == "lenient" or (
            comparison.policy.units == "ignored"
            and not (signed is answer and _below_one(comparison, gold))
        ):
            return _either(found, _values_equal(comparison, signed, bare))
        return found
    if gold_unit and answer_unit:
        return _two_units(comparison, gold, gold_unit, answer, answer_unit)
    found = _values_equal(comparison, gold, answer)
    if found is not True and "deg" in (gold_unit, answer_unit):
        first = Op("deg", (gold,)) if gold_unit else gold
        second = Op("deg", (answer,)) if answer_unit else answer
        if any(part == Const("pi") for part in walk(Op("both", (first, second)))):
            return _either(found, _values_equal(comparison, first, second))
    return found


def _below_one(comparison: Comparison, gold: Node) -> bool:
    """A reference of 0.5 is no percentage without its sign, so 0.5% is not it."""
    value = real_value(gold, comparison.budget)
    return value is not None and abs(value) < 1


def _two_units(
    comparison: Comparison, gold: Node, gold_unit: str, answer: Node, answer_unit: str
) -> bool | None:
    """Convertible units convert, other units differ; of mere words nobody can tell."""
    if "?" in (gold_unit[0], answer_unit[0]):
        same = gold_unit.rstrip("es") == answer_unit.rstrip("es")
        found = _values_equal(comparison, gold, answer)
        return found if same or found is False else None
    if {gold_unit, answer_unit} == {"deg", "rad"}:
        first = Op("deg", (gold,)) if gold_unit == "deg" else gold
        second = Op("deg", (answer,)) if answer_unit == "deg" else answer
        return _values_equal(comparison, first, second)
    scale = factor(answer_unit, gold_unit)
    if scale is None:
        return False
    ratio = Op("div", (Num(scale.numerator), Num(scale.denominator)))
    return _values_equal(comparison, gold, Op("mul", (answer, ratio)))


def _values_equal(comparison: Comparison, gold: Node, answer: Node) -> bool | None:
    """Two values without their units; a lenient policy lets one be a hundred times the other."""
    found = same_scalar(comparison, gold, answer)
    if found is not True and comparison.policy.percent == "lenient":
        for first, second in ((gold, answer), (answer, gold)):
            if same_scalar(comparison, Op("div", (first, Num(100))), second) is True:
                return True
    return found


def _either(a: bool | None, b: bool | None) -> bool | None:
    if a or b:
        return True
    return False if a is False and b is False else None


def _split_unit(node: Node) -> tuple[Node, str]:
    """A value and its unit in one spelling: "", "%", "deg", a unit's name, or "?" and
    words that are no known unit."""
    if isinstance(node, Op):
        if node.name == "percent":
            return _split_unit(node.args[0])[0], "%"
        if node.name == "deg":
            return node.args[0], "deg"
        if node.name == "unit" and isinstance(node.args[1], Text):
            name, known = canonical(node.args[1].text)
            value, inner = _split_unit(node.args[0])
            return value, inner or (name if known else "?" + name)
        if node.name == "neg":
            value, unit = _split_unit(node.args[0])
            return (Op("neg", (value,)), unit) if unit else (node, "")
        if node.name == "add" and any(
            isinstance(p, Op) and p.name == "unit" for p in node.args[-1:]
        ):
            *others, last = node.args  # the unit after a sum belongs to all of it
            value, unit = _split_unit(last)
            return Op("add", (*others, value)), unit
    return node, ""


def _letter_power(node: Node) -> str:
    """A letter or a whole power of one as a unit is written; else ""."""
    match node:
        case Sym(name):
            return name
        case Op("pow", (Sym(name), Num(int() as power, -1))):
            return f"{name}^{power}"
        case Op("pow", (Sym(name), Op("neg", (Num(int() as power, -1),)))):
            return f"{name}^-{power}"
        case _:
            return ""


def _letter_unit(node: Node, unit: str) -> tuple[Node, str]:
    """`5000 m` beside an answer in `km`: the letter is a unit there."""
    if not unit and isinstance(node, Op) and node.name == "mul" and len(node.args) == 3:
        value, *letters = node.args
        spelled = [_letter_power(part) for part in letters]
        if all(spelled) and not free_symbols(value):
            for between in (" ", ""):  # `10 m s^{-1}`; `6cm`, read as letters
                name, known = canonical(between.join(spelled))
                if known:
                    return value, name
    if not unit and isinstance(node, Op) and node.name == "mul" and len(node.args) == 2:
        value, letter = node.args
        if isinstance(letter, Sym) and not free_symbols(value) and canonical(letter.name)[1]:
            return value, canonical(letter.name)[0]
    return node, unit
