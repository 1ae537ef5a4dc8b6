"""Words behind an operand: units, multiples, relations in words, remarks.

Invariant: words that could say another answer ("apples or 4", "for all x or 5") are
refused, never dropped.
"""

from __future__ import annotations

import re

from verifier.math.syntax.juxtaposition import juxtaposed
from verifier.math.syntax.numerals import number as plain_number
from verifier.math.syntax.operators import modulo, multiply, relation, set_operation
from verifier.math.syntax.reader import BP_MUL, BP_RATIO, BP_REL, Reader
from verifier.math.syntax.scripts import degrees
from verifier.math.syntax.tokens import STOP, ParseError, Token
from verifier.math.syntax.vocabulary import (
    DEGREE,
    DROP_AFTER,
    FUNCTIONS,
    HEDGES,
    JOIN,
    MULTIPLES,
    NO_UNIT,
    PERCENT,
    SCALING,
    TEMPERATURES,
    UNION_WORDS,
    UNITS,
    reads_as_word,
    starts_condition,
)
from verifier.math.tree import Node, Num, Op, Rel, Seq, Text
from verifier.math.units import canonical, factor

_POWERS = re.compile(r"\^\s*\{?\s*-?\d+\s*\}?")
_LETTERS = re.compile(r"[^\W\d_]+")


def word_after(reader: Reader, left: Node, token: Token, power: int) -> Node | None:
    """A word after an operand: a joiner, a relation, a unit, or a factor."""
    word = token.text
    low = word.lower()
    if reader.in_cases and starts_condition(low):
        return None
    if low in JOIN or low.startswith(DROP_AFTER):
        return None
    if low in PERCENT:
        reader.at += 1
        return Op("percent", (left,))
    if low in DEGREE:
        reader.at += 1
        return degrees(reader, left)
    first, _, rest = low.partition(" ")
    if first in MULTIPLES and isinstance(left, Num):
        reader.at += 1
        value = Op("mul", (left, Num(MULTIPLES[first])))
        if rest and (not rest[0].isalpha() or (len(rest) == 1 and not canonical(rest)[1])):
            raise ParseError(f"words that change the number: {word!r}")
        _check_unit(rest)
        return Op("unit", (value, Text(rest))) if rest else value
    if low in ("equals", "is equal to", "equal to") and power < BP_REL:
        reader.at += 1
        return Rel(("=",), (left, reader.expr(BP_REL)))
    if low in ("to", "choose") and not isinstance(left, Rel):
        return _in_words(reader, left, low, power)
    if token.kind == "text" and first in SCALING and not canonical(low)[1]:
        raise ParseError(f"words that change the number: {word!r}")
    if token.kind == "word":
        if word == "k" and power < BP_MUL and (unit_node := signed_unit(reader, left)):
            return unit_node
        if low == "in" and reader.peek(1).text in ("(", "[", "{", "\\{", "\\mathbb"):
            return relation(reader, left, power)
        if word == "mod":
            return modulo(reader, left, power)
        if word in UNION_WORDS and isinstance(left, Seq | Op) and reader.peek(1).text in (
            "(", "[", "{", "\\{"):  # fmt: skip
            return set_operation(reader, left, power)
        counted = (token.gap or reader.peek(-1).text in ("\\circ", "}")) and (
            (reader.peek(1).kind == STOP and _names_what_is_counted(reader, left))
            or _unit_to_the_end(reader, left)
            or (reader.peek(1).kind == STOP and word in TEMPERATURES and is_degrees(left))
        )
        if not (word in UNITS and (len(word) > 2 or token.gap)) and not counted:
            if _for_remark(reader):
                return None
            return juxtaposed(reader, left, power)
    if isinstance(left, Rel):
        raise ParseError(f"words after a relation: {word!r}")
    if power >= BP_MUL:
        return None
    unit = _unit(reader)
    if isinstance(left, Op) and is_degrees(left) and unit in TEMPERATURES:
        return Op("unit", (left.args[0], Text(TEMPERATURES[unit])))
    return _with_smaller_units(reader, left, unit)


def signed_unit(reader: Reader, left: Node) -> Node | None:
    r"""`10\ \Omega`, `2\ k\Omega`, `0.5\ \mu m` at the end: a sign that is a unit."""
    if not isinstance(left, Num) or not reader.peek().gap:
        return None
    first, second = reader.peek().text, reader.peek(1).text
    if first == "\\Omega" and reader.peek(1).kind == STOP:
        unit, length = "ohm", 1
    elif (first + second) in _SIGNED and reader.peek(2).kind == STOP:
        unit, length = _SIGNED[first + second], 2
    else:
        return None
    reader.at += length
    return Op("unit", (left, Text(unit)))


_SIGNED = {"k\\Omega": "kΩ", "\\mum": "μm", "\\mus": "μs", "\\mug": "μg"}


def is_degrees(node: Node) -> bool:
    return isinstance(node, Op) and node.name == "deg"


def _in_words(reader: Reader, left: Node, word: str, power: int) -> Node | None:
    """`5 to 7` is a ratio, `9 choose 4` a binomial coefficient."""
    if power >= (BP_RATIO if word == "to" else BP_MUL):
        return None
    reader.at += 1
    right = reader.expr(BP_RATIO if word == "to" else BP_MUL)
    return Op("ratio" if word == "to" else "binom", (left, right))


MAX_UNITS = 4
"""Units beside each other in one quantity: days, hours, minutes, seconds."""


def _with_smaller_units(reader: Reader, left: Node, unit: str) -> Node:
    """`5 feet 6 inches` is one quantity, in the smallest of its units."""
    total, name, known = left, *canonical(unit)
    for _ in range(MAX_UNITS):
        joined = 1 if reader.peek().text == "and" and reader.peek().kind in ("word", "text") else 0
        number, behind = reader.peek(joined), reader.peek(joined + 1)
        if not known or number.kind != "num" or behind.kind not in ("word", "text"):
            break
        smaller, known = canonical(behind.text)
        size = factor(name, smaller) if known else None
        if size is None or size <= 1 or size.denominator != 1:
            break
        reader.at += joined + 2
        part = multiply(total, Num(size.numerator))
        total, name, unit = Op("add", (part, plain_number(number.text))), smaller, behind.text
    return Op("unit", (total, Text(unit)))


MAX_UNIT_TOKENS = 12
"""Of a unit in bare letters."""


_UNIT_MARKS = frozenset(("/", "^", "{", "}", "-"))


def _unit_to_the_end(reader: Reader, left: Node) -> bool:
    """`20 m/s`, `5 ft 6 in`: bare letters behind a number that are a quotient of units to the
    end, or a unit before the number of a smaller one."""
    if not isinstance(left, Num):
        return False
    if reader.peek(1).kind == "num" and reader.peek(2).kind in ("word", "text"):
        name, known = canonical(reader.peek().text)
        smaller, also = canonical(reader.peek(2).text)
        return known and also and factor(name, smaller) is not None
    parts: list[str] = []
    while len(parts) < MAX_UNIT_TOKENS and reader.peek(len(parts)).kind != STOP:
        token = reader.peek(len(parts))
        if token.kind not in ("word", "text", "num") and token.text not in _UNIT_MARKS:
            return False
        parts.append(token.text)
    return "/" in parts and reader.peek(len(parts)).kind == STOP and canonical(" ".join(parts))[1]


def _names_what_is_counted(reader: Reader, left: Node) -> bool:
    """A last word behind a plain number: `20 zlotys`. Words that change the number do not."""
    word = reader.peek().text
    if not isinstance(left, Num) or word.lower() in SCALING:
        return False
    if canonical(word)[1]:
        return len(word) > 1 or reads_as_word(word)
    return reads_as_word(word) and word not in FUNCTIONS


def _unit(reader: Reader) -> str:
    """The words of a unit, powers and divisions included: `cm^2`, `miles per hour`."""
    parts: list[str] = []
    while True:
        token = reader.peek()
        if parts and _is_name(token):
            break
        if token.kind in ("text", "word") and token.text.lower() not in JOIN:
            _check_unit(token.text)
            parts.append((" " if parts else "") + token.text)
        elif parts and token.text == "\\cdot" and canonical(reader.peek(1).text)[1]:
            parts.append("\\cdot")
        elif parts and token.text == "/" and reader.peek(1).kind in ("text", "word"):
            parts.append("/")
        elif parts and token.text == "^":
            parts.append("^" + _power(reader))
            continue
        else:
            break
        reader.at += 1
    unit = "".join(parts)
    if unit.lower().partition(" ")[0] in SCALING and not canonical(unit)[1]:
        raise ParseError(f"words that change the number: {unit!r}")
    _check_unit(unit)
    return unit


def _is_name(token: Token) -> bool:
    """Whether one letter behind a unit is no unit itself: `3\\text{ m}y`."""
    return token.kind == "word" and len(token.text) == 1 and not canonical(token.text)[1]


def _power(reader: Reader) -> str:
    """Takes the written power of a unit: `^2`, `^{-1}`, `^-1`."""
    start = reader.at + 1
    end = start + (reader.peek(1).text == "{")
    braced = end > start
    end += reader.peek(end - reader.at).text == "-"
    number = reader.peek(end - reader.at)
    end += 1 + braced
    if number.kind != "num" or (braced and reader.peek(end - 1 - reader.at).text != "}"):
        raise ParseError("a unit to a power that is no number")
    reader.at = end
    return "".join(token.text for token in reader.tokens[start:end])


def _check_unit(text: str) -> None:
    """Refuses words behind a number that could say another answer: "apples or 4"."""
    if not text or canonical(text)[1]:
        return
    plain = _POWERS.sub("", text.lower())
    if any(char.isdigit() or char in "()[]{}\\" for char in plain):
        raise ParseError(f"more than a unit: {text!r}")
    if not _LETTERS.search(plain):
        raise ParseError(f"no unit: {text!r}")
    if not NO_UNIT.isdisjoint(_LETTERS.findall(plain)):
        raise ParseError(f"more than a unit: {text!r}")


def _for_remark(reader: Reader) -> bool:
    token, behind = reader.peek(), reader.peek(1)
    every = behind.text in ("all", "any", "every", "each")
    return token.kind == "word" and token.text == "for" and every


def drop_remark(reader: Reader) -> bool:
    """A remark that restricts nothing ("for all x") ends the answer."""
    token = reader.peek()
    if token.kind == "cmd" and token.text == "\\forall":
        _drop_rest(reader)
        return True
    if token.kind == "text" and token.text.lower().startswith(DROP_AFTER):
        _drop_rest(reader)
        return True
    if _for_remark(reader):
        _drop_rest(reader)
        return True
    return False


def _drop_rest(reader: Reader) -> None:
    """A remark may restrict; one that offers something else is no remark."""
    for token in reader.tokens[reader.at :]:
        if token.kind in ("text", "word") and not HEDGES.isdisjoint(
            token.text.lower().replace(",", " ").split()
        ):
            raise ParseError(f"a remark that offers something else: {token.text!r}")
    reader.at = len(reader.tokens)
