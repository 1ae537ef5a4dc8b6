r"""Digits with a number base, found in the tokens before they are parsed.

`204_5`, `1A_{16}`, `\text{bad}_{16}`, `2014_{\text{five}}`, `(101)_2`, `101_{(2)}`,
"101 base 2", `0x1A3` become one token of kind "base" and text "digits_base".

Invariants:
- Linear in the tokens.
- Every digit is below its base; digits of decimal figures alone before a subscript that
  is no base, or with a digit beyond it, raise ParseError; letters stay a name.
"""

from __future__ import annotations

import re

from verifier.math.syntax.spoken import whole_number
from verifier.math.syntax.tokens import ParseError, Token

MAX_BASE = 36
MAX_BASE_DIGITS = 64
"""Digits and letters run together before a base."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE_WORDS = re.compile(r"\(?(?:in )?base[ -]?(\w*)\)?")
_RUN = ("num", "word", "text")


def with_bases(tokens: list[Token]) -> list[Token]:
    """The tokens with every numeral that shows its base in one token."""
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        found = _base_at(tokens, at)
        if found is not None and _numeral(kept, found[0], found[2]):
            at = found[1]
        else:
            kept.append(tokens[at])
            at += 1
    return kept


def _base_at(tokens: list[Token], at: int) -> tuple[int, int, bool] | None:
    """(base, where it ends, whether "base" was said) of what starts here."""
    token = tokens[at]
    said = _BASE_WORDS.fullmatch(token.text.lower()) if token.kind in ("word", "text") else None
    if said is None and token.text in ("(", "in") and at + 1 < len(tokens):
        behind = tokens[at + 1]
        if behind.text.lower() == "base":
            closes = token.text == "(" and at + 3 < len(tokens) and tokens[at + 3].text == ")"
            value = _value(tokens[at + 2]) if at + 2 < len(tokens) else None
            if value is not None and (closes or token.text == "in"):
                return value, at + 3 + closes, True
    if said is not None:
        if said.group(1):
            value = whole_number(said.group(1))
            return (value, at + 1, True) if value is not None else None
        value = _value(tokens[at + 1]) if at + 1 < len(tokens) else None
        return (value, at + 2, True) if value is not None else None
    if token.text != "_" or at + 1 >= len(tokens):
        return None
    first = tokens[at + 1]
    if first.text != "{":
        value = _value(first)
        return (value, at + 2, False) if value is not None else None
    inner: list[Token] = []
    end = at + 2
    while end < len(tokens) and len(inner) <= 4 and tokens[end].text != "}":
        if tokens[end].text not in ("(", ")", "{"):
            inner.append(tokens[end])
        end += 1
    braces = sum(part.text == "{" for part in tokens[at + 1 : end])
    if end + braces > len(tokens) or any(t.text != "}" for t in tokens[end : end + braces]):
        return None
    worded = bool(inner) and inner[0].text.lower() in ("base", "base-")
    if worded:
        inner = inner[1:]
    if len(inner) != 1:
        return None
    said = _BASE_WORDS.fullmatch(inner[0].text.lower())
    value = whole_number(said.group(1)) if said else _value(inner[0])
    return (value, end + braces, worded) if value is not None else None


def _value(token: Token) -> int | None:
    return whole_number(token.text) if token.kind in ("num", "word", "text") else None


def _numeral(kept: list[Token], base: int, said: bool) -> bool:
    """Replaces the digits at the end of `kept` by the numeral; False when they are none."""
    start, grouped = _run(kept)
    run = [token for token in kept[start:] if token.kind in _RUN]
    digits = "".join(token.text for token in run).upper()
    before = kept[start - 1] if start else None
    if not digits or (before is not None and before.text in ("^", "_")):
        return False
    if grouped and before is not None and (before.kind in ("cmd", "word") or before.text in ")}]"):
        return False  # the argument of a command or function
    figures = digits.isdigit()
    if not figures and not said:
        as_written = "".join(token.text for token in run)
        worded = any(token.kind == "text" for token in run)
        between = as_written[0].isdigit() and as_written[-1].isdigit()
        if base <= 10 or len(digits) < 2 or not (as_written.isupper() or worded or between):
            return False
    if figures and not 2 <= base <= MAX_BASE:
        raise ParseError(f"{base} is no base of numbers")
    # 9_5 has no value, but a reader sees what was meant, and that it is wrong.
    if not figures and any(not 0 <= _DIGITS.find(c) < base for c in digits):
        return False
    gap = kept[start].gap
    del kept[start:]
    kept.append(_token(digits, base)._replace(gap=gap))
    return True


def _run(kept: list[Token]) -> tuple[int, bool]:
    """Where the digits and letters at the end of `kept` start, and whether brackets hold them."""
    start = len(kept)
    closing = kept[-1].text if kept and kept[-1].text in (")", "}") else ""
    if closing:
        start -= 1
    while start:
        if len(kept) - start > MAX_BASE_DIGITS:
            raise ParseError("more digits and letters before a base than anyone writes")
        token = kept[start - 1]
        if token.kind not in _RUN or not (token.text.isalnum() and token.text.isascii()):
            break
        start -= 1
        if token.gap and token.kind != "text" and not closing:
            break
    if not closing:
        return start, False
    if start and kept[start - 1].text == {")": "(", "}": "{"}[closing]:
        return start - 1, True
    return len(kept), False


def _token(digits: str, base: int) -> Token:
    return Token("base", f"{digits}_{base}", False)
