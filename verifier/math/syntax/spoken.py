"""Numbers in English words: "forty-two", "two and a half", "three-fourths", "2 billion".

Invariants:
- Only a text that is a number from its first word to its last, with at most a unit of
  MAX_COUNTED words behind it, is read; what else it says is never dropped.
- At most MAX_WORDS words are read.

Not covered: a number in words inside a formula.
"""

from __future__ import annotations

import re

from verifier.math.syntax.vocabulary import NO_UNIT, SCALING

MAX_WORDS = 30
"""Numbers below a trillion take at most 25."""

MAX_COUNTED = 4
"""Words of what is counted: "two distinct real roots"."""


def _numbered(words: str, start: int) -> dict[str, int]:
    return {word: value for value, word in enumerate(words.split(), start)}


_UNITS = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
    0,
)
_TENS = {
    word: 10 * value
    for word, value in _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 2).items()
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = _numbered(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth",
    1,
) | {
    "twentieth": 20, "thirtieth": 30, "fortieth": 40, "fiftieth": 50, "sixtieth": 60,
    "seventieth": 70, "eightieth": 80, "ninetieth": 90, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_PARTS = _ORDINALS | {"half": 2, "quarter": 4} | {"halves": 2}
del _PARTS["first"], _PARTS["second"]
_STARTS = frozenset((*_UNITS, *_TENS, *_ORDINALS, "a", "an", "minus", "negative", "half"))
_NOT_COUNTED = (SCALING | NO_UNIT | _ORDINALS.keys() | {"a", "an", "more", "less", "the"}) - {
    "left", "right", "up", "down",
}  # fmt: skip
"""With these behind it, the number is not yet the whole answer."""
_WORD = re.compile(r"[A-Za-z]+")
_SPOKEN = re.compile(r"\s*[A-Za-z][A-Za-z \-/^0-9]*\.?\s*")
_WRAPPED = re.compile(r"\s*\\(?:text|textbf|mbox|mathrm|textit|textrm)\s*\{([^{}\\]*)\}\s*")


def whole_number(text: str) -> int | None:
    """The integer in digits (few) or English words that a text is."""
    if text.isdigit() and text.isascii():
        return int(text) if len(text) <= 3 else None
    words = _WORD.findall(text.lower())
    found = _cardinal(words, 0) if words and words[0] in _UNITS | _TENS else None
    return found[0] if found is not None and found[1] == len(words) else None


def in_digits(text: str) -> str:
    """A text that starts as a number in words, with the number in digits; else the text."""
    if not text or not (text[0].isalpha() or text.startswith(("\\text", "\\mbox", "\\mathrm"))):
        return text
    wrapped = _WRAPPED.fullmatch(text)
    plain = wrapped.group(1) if wrapped else text
    first = _WORD.match(plain.strip())
    if first is None or first.group().lower() not in _STARTS or not _SPOKEN.fullmatch(plain):
        return text
    words = plain.lower().replace("-", " ").rstrip(" .").split()
    if len(words) > MAX_WORDS:
        return text
    return _read(words) or text


def _read(words: list[str]) -> str | None:
    sign = ""
    if words[0] in ("minus", "negative"):
        sign, words = "-", words[1:]
    if len(words) == 1 and words[0] in _ORDINALS and not sign:
        return str(_ORDINALS[words[0]])  # which one is asked for, the number says
    found = _amount(words)
    if found is None:
        return None
    number, at = found
    counted = words[at:]
    if counted[:1] == ["of"] and "frac" in number:
        counted = counted[1:]
        if counted[:1] not in (["a"], ["an"]):
            return None
    if counted[:1] in (["a"], ["an"]) and "frac" in number:
        counted = counted[1:]  # half an hour, three quarters of a mile
    if len(counted) > MAX_COUNTED or not all(map(str.isalpha, counted)):
        return None
    if not _NOT_COUNTED.isdisjoint(counted):
        return None
    return rf"{sign}{number}\text{{ {' '.join(counted)}}}" if counted else sign + number


def _amount(words: list[str]) -> tuple[str, int] | None:
    """The number at the start in digits, and how many words it takes."""
    whole = _cardinal(words, 0)
    if whole is None:
        part = _fraction(words, 0)
        return (part[0], part[1]) if part else None
    value, at = whole
    if at < len(words) and words[at] == "point":
        digits = ""
        for word in words[at + 1 :]:
            if word not in _UNITS or _UNITS[word] > 9:
                break
            digits += str(_UNITS[word])
        return (f"{value}.{digits}", at + 1 + len(digits)) if digits else None
    if at < len(words) and words[at] == "and":
        part = _fraction(words, at + 1)
        return (f"{value}{part[0]}", part[1]) if part else None
    bottom = _denominator(words, at, value)
    if bottom is not None:
        return rf"\frac{{{value}}}{{{bottom}}}", at + 1
    return str(value), at


def _fraction(words: list[str], at: int) -> tuple[str, int] | None:
    """ "three fourths", "a half", "one third", "half"."""
    if at >= len(words):
        return None
    if words[at] == "half":
        return r"\frac{1}{2}", at + 1
    top = (1, at + 1) if words[at] in ("a", "an") else _cardinal(words, at)
    if top is None:
        return None
    bottom = _denominator(words, top[1], top[0])
    return (rf"\frac{{{top[0]}}}{{{bottom}}}", top[1] + 1) if bottom is not None else None


def _denominator(words: list[str], at: int, top: int) -> int | None:
    if at >= len(words):
        return None
    word = words[at]
    if top == 1:
        return _PARTS.get(word)
    return _PARTS.get(word) if word == "halves" else _PARTS.get(word[:-1]) if (
        word.endswith("s")) else None  # fmt: skip


def _cardinal(words: list[str], at: int) -> tuple[int, int] | None:
    """An integer in words and where it ends: units, tens, hundreds, scales in order."""
    start, total, group, scale = at, 0, 0, 10**15
    seen = False
    while at < len(words):
        word = words[at]
        if word == "and" and seen and at + 1 < len(words) and words[at - 1] in (
            "hundred", *_SCALES) and words[at + 1] in _UNITS | _TENS:  # fmt: skip
            at += 1
            continue
        if word in ("a", "an") and at == start:
            if at + 1 >= len(words) or words[at + 1] not in ("hundred", "dozen", *_SCALES):
                return None
            group = 1
        elif word in _UNITS:
            value = _UNITS[word]
            free = group % 100 == 0 or (group % 10 == 0 and group % 100 >= 20 and 0 < value < 10)
            if not free or (seen and value == 0) or (group and words[at - 1] == "zero"):
                break
            group += value
        elif word in _TENS:
            if group % 100:
                break
            group += _TENS[word]
        elif word == "hundred" and 0 < group < 100 and group % 10**2 == group:
            group *= 100
        elif word == "dozen" and seen and group and not total:
            return group * 12, at + 1
        elif word in _SCALES and group and _SCALES[word] < scale:
            scale = _SCALES[word]
            total, group = total + group * scale, 0
        else:
            break
        seen = True
        at += 1
    return (total + group, at) if seen and at > start else None
