"""Texts before they are read: the key of a text, plain numbers, words without their dress."""

from __future__ import annotations

import re
from fractions import Fraction

from verifier.math.syntax.unicode import ascii_math
from verifier.math.syntax.vocabulary import TEXT_COMMANDS

_SPACES = re.compile(r"\s+(?!\w)|(?<!\w)\s+")
_LOOKS = re.compile(
    r"\\left(?![a-z])|\\right(?![a-z])|\\[!]|\\displaystyle(?![a-z])|\\limits(?![a-z])|(?<!\\)\$"
)
_LISTED = re.compile(r",\s+(?=\d{3}(?!\d))")  # "32, 349" is a list, "32,349" a number
_GAPS = re.compile(r"\\[,;: ]|\\q?quad(?![a-z])|~")
_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|-?\.\d+")
_FRACTION = re.compile(r"(-?)\\[dtc]?frac\{(-?\d{1,40})\}\{(\d{1,40})\}|(-?)(\d{1,40})/(\d{1,40})")
MAX_PLAIN_DIGITS = 400
"""Longer numbers take the parser's way, with its own limits."""


def key(text: str) -> str:
    """The text without differences of typesetting. Equal keys are equal answers.

    Spaces between digits or letters stay: "1 1/2" is not "11/2".
    """
    if "\\" in text or "$" in text:
        text = _LOOKS.sub("", text)
        text = _GAPS.sub(" ", text)
        text = text.replace("dfrac", "frac").replace("tfrac", "frac")
    if "," in text:
        text = _LISTED.sub("; ", text)
    text = _SPACES.sub("", text)
    return text.rstrip(".").strip()


def plain_number(text: str) -> Fraction | int | None:
    """The value of a plain integer, decimal or fraction; None for all else."""
    text = text.strip()
    if not text or len(text) > MAX_PLAIN_DIGITS:
        return None
    if text.isdigit() and text.isascii():
        return int(text)
    match = _NUMBER.fullmatch(text)
    if match and text.isascii():
        digits = text.replace(",", "")
        if "." not in digits:
            return int(digits)
        whole, _, part = digits.partition(".")
        value = Fraction(int((whole.lstrip("-") or "0") + part), 10 ** len(part))
        return -value if digits.startswith("-") else value
    match = _FRACTION.fullmatch(text)
    if match and text.isascii():
        sign, top, bottom, plain_sign, plain_top, plain_bottom = match.groups()
        numerator, denominator = int(top or plain_top), int(bottom or plain_bottom)
        if denominator:
            value = Fraction(numerator, denominator)
            return -value if sign or plain_sign else value
    return None


def shows_point(text: str) -> bool:
    """Whether a number is written as a decimal, so that rounding may matter."""
    return "." in text


# ---------------------------------------------------------------- words

_WRAPPER = re.compile(
    r"\\(?:" + "|".join(sorted(TEXT_COMMANDS)) + r")\b\s*|\\[,;:! ]|\\q?quad|[{}$]|\\\\"
)
_ARTICLES = re.compile(r"^(?:the|a|an)\s+")


def words(text: str) -> str:
    """A text answer for comparison: lower case, single spaces, no wrappers or full stop."""
    text = _WRAPPER.sub(" ", ascii_math(text)).lower()
    text = " ".join(text.split()).strip(" .,;:!\"'`*")
    return _ARTICLES.sub("", text)


def compact(text: str) -> str:
    """`words` without spaces and without hyphens in words: "non-zero" is "nonzero"."""
    return re.sub(r"(?<=[^\W\d])-(?=[^\W\d])|\s+(?!\d)|(?<!\d)\s+|['\"]", "", words(text))


_PREAMBLE = re.compile(
    r"\s*(?:\\text\s*\{\s*)?(?:so |thus |therefore,? )?(?:the )?(?:final |correct )?"
    r"(?:answer(?: is)?|答案[是为]?)\s*[:=]?\s*\}?\s*(?=\S)",
    re.IGNORECASE,
)


_IMPLIES = re.compile(r"\\{1,2}(?:Rightarrow|implies|Longrightarrow)(?![A-Za-z])")


def without_preamble(text: str) -> str:
    """The text after "the answer is", where it starts so, and after the last implication."""
    if "Rightarrow" in text or "implies" in text:
        text = _IMPLIES.split(text)[-1]
    return _PREAMBLE.sub("", text, count=1) if "nswer" in text[:40] or "答案" in text else text


def reads_as_text(text: str) -> bool:
    """Words rather than broken mathematics: letters outweigh and no command is left."""
    plain = words(text)
    letters = sum(char.isalpha() for char in plain)
    if "\\" in plain or "^" in plain or "_" in plain or "=" in plain:
        return False
    return letters >= 1 and letters * 2 >= len(plain.replace(" ", ""))
