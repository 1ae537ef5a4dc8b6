"""Written numbers: integers, decimals, repeating decimals, `1e9`.

Invariants:
- A number holds at most MAX_DIGITS digits: longer ones raise ParseError.
- Nothing is computed but the fraction that a repeating decimal is.

Not covered: digits grouped by spaces and mixed numbers (juxtaposition), other bases
(scripts).
"""

from __future__ import annotations

from fractions import Fraction

from verifier.math.syntax.reader import Reader
from verifier.math.syntax.tokens import STOP, ParseError, Token
from verifier.math.syntax.vocabulary import CLOSING
from verifier.math.tree import Node, Num, Op

MAX_DIGITS = 2_000
"""Digits of one written number; more is padding, and int() of text is quadratic."""

MAX_EXPONENT_DIGITS = 6
"""Of `1e9`-style numbers; beyond, not even the magnitude is of use."""


def number(text: str) -> Num:
    """The written number. Raises ParseError beyond MAX_DIGITS."""
    if len(text) > MAX_DIGITS:
        raise ParseError(f"a number of more than {MAX_DIGITS} digits: {len(text)}")
    whole, point, part = text.partition(".")
    if point and (whole + part).isdigit():
        return Num(Fraction(int((whole or "0") + part), 10 ** len(part)), len(part))
    if not text.isdigit():
        raise ParseError(f"not a number: {text!r}")
    return Num(int(text))


def written_number(reader: Reader, token: Token) -> Node:
    text = token.text
    follow = reader.peek()
    if ("." in text or reader.peek().text == ".") and text.strip("0123456789.") == "":
        repeating = _repeating_decimal(reader, text, follow)
        if repeating is not None:
            return repeating
    if "e" in text or "E" in text:
        mantissa, _, exponent = text.replace("E", "e").partition("e")
        if len(exponent.lstrip("+-0")) > MAX_EXPONENT_DIGITS:
            raise ParseError(f"exponent of more than {MAX_EXPONENT_DIGITS} digits")
        return Op("mul", (number(mantissa), Op("pow", (Num(10), Num(int(exponent))))))
    if follow.text == "." and follow.kind == "op" and not follow.gap:
        # "6." before something that closes or ends
        after = reader.peek(1)
        if after.kind in (STOP, "text") or after.text in CLOSING:
            reader.at += 1
    return number(text)


def _repeating_decimal(reader: Reader, text: str, follow: Token) -> Node | None:
    r"""`0.1\overline{6}`, `0.\dot{3}`, `0.(3)` as the fraction they are."""
    if "." not in text:
        cycled = reader.peek(1).text == "(" and reader.peek(2).kind == "num"
        if reader.peek(1).text not in ("\\overline", "\\dot", "\\bar") and not cycled:
            return None
        reader.at += 1
        text, follow = text + ".", reader.peek()
    whole, _, fixed = text.partition(".")
    if follow.text in ("\\overline", "\\dot", "\\bar", "\\overset"):
        reader.at += 1
        cycle = _digit_group(reader)
        while reader.peek().text in ("\\dot", "\\overline") or (
            follow.text == "\\dot" and reader.peek().kind == "num"
        ):
            if reader.peek().kind == "num":
                cycle += reader.take().text
            else:
                reader.at += 1
                cycle += _digit_group(reader)
    elif (
        follow.text == "("
        and not follow.gap
        and reader.peek(1).kind == "num"
        and reader.peek(1).text.isdigit()
        and reader.peek(2).text == ")"
    ):
        cycle = reader.peek(1).text
        reader.at += 3
    elif follow.text in ("...", "\\ldots", "\\dots", "\\cdots") and not follow.gap:
        cycle = _visible_cycle(fixed)
        if not cycle:
            return None
        reader.at += 1
    else:
        return None
    if not cycle.isdigit() or len(whole) + len(cycle) + len(fixed) > MAX_DIGITS:
        raise ParseError("a repeating decimal without its digits")
    value = Fraction(int((whole or "0") + fixed or "0"), 10 ** len(fixed))
    value += Fraction(int(cycle), (10 ** len(cycle) - 1) * 10 ** len(fixed))
    return Op("div", (Num(value.numerator), Num(value.denominator)))


def _digit_group(reader: Reader) -> str:
    braced = reader.accept("{")
    token = reader.take()
    if braced:
        reader.expect("}")
    return token.text if token.kind == "num" and token.text.isdigit() else ""


def _visible_cycle(digits: str) -> str:
    """The cycle of "0.333..." or "0.142857142857...": what visibly repeats to the end."""
    for size in range(1, len(digits) // 2 + 1):
        if len(digits) % size > 1:
            continue
        tail = digits[len(digits) % size :]
        if size == 1 and len(digits) > 3:
            tail = digits[1:]  # one digit may stand before the cycle
        if tail[size:] == tail[:-size] and len(tail) >= (3 if size == 1 else 2) * size:
            return digits[-size:]
    return ""
