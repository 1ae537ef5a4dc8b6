r"""Answers that choose: one option letter in any dress, several letters, numbered statements.

One letter is `(letter, what follows it)`, as in `\textbf{(B)}\ 7`; the caller compares
letters where the reference is one and values where it is a value. Several are a
`Selection`: `ACD`, `A, C, D`, ①③, "I and III only".

Invariant: an answer that names other letters beside the one it chooses is no choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from verifier.math.syntax.vocabulary import TEXT_COMMANDS

MAX_CHOICE_CHARS = 200
"""An option with its text. Longer is prose."""

_WRAPPER = re.compile(
    r"\\(?:" + "|".join(sorted(TEXT_COMMANDS)) + r")\b\s*|\\[,;:! ]|\\q?quad|[{}$*]|\\\\|~|\\[()]"
)
_NAMED = re.compile(
    r"(?:the )?(?:correct |right )?(?:option|choice|answer|选项|答案)s?\s*(?:is|are|[:：是为])?\s*"
    r"(?=[(（]?[A-J])|故?选[:：]?\s*(?=[(（]?[A-J])",
    re.IGNORECASE,
)
_LETTER = re.compile(r"\(?([A-Za-z])\)?[.:)]?")
_LETTER_FIRST = re.compile(r"(?:\(([A-J])\)|([A-J])(?:[).]|:(?!\s?[A-Z]\b)))\s*(\S.*)", re.DOTALL)


def _plain(text: str) -> str:
    text = _WRAPPER.sub(" ", text)
    if not text.isascii():
        text = text.translate(_FULL_WIDTH)
    text = " ".join(text.split())
    return _NAMED.sub("", text, count=1) if len(text) > 1 and _NAMED.match(text) else text


_FULL_WIDTH = str.maketrans("（）．：，；。", "().:,;.")


def choice(text: str) -> tuple[str, str] | None:
    """(letter, what follows it) of `B`, `(B)`, `\\textbf{(C)}\\ 24`; the rest may be "".

    A letter in lower case counts only with its bracket or full stop, or alone.
    """
    if len(text) > MAX_CHOICE_CHARS:
        return None
    plain = _plain(text)
    match = _LETTER.fullmatch(plain)
    if match:
        return match.group(1), ""
    match = _LETTER_FIRST.fullmatch(plain)
    if match:
        return match.group(1) or match.group(2), match.group(3)
    return None


_LETTERS_ONLY = re.compile(
    r"\([A-J]\)|\b(?:or|and|not|nor|but)\b|(?<![A-Za-z])[A-HJ](?![A-Za-z])|[-,;:/&|+.()\[\]\s]"
)
_WENT_ON = re.compile(
    r"(?:or|nor|but|and|also|maybe|perhaps|possibly|either|is|isn't|not\s+\(?[A-J]\)?(?![A-Za-z]))\b"
    r"|[,;/&|+]|(?:not|wrong|incorrect)[.!]*$"
)
_OTHER_LETTER = re.compile(r"(?<![A-Za-z_)\\])(?:\(([A-J])\)|([A-HJ])[.):](?=\s+\S))")


def sprayed(letter: str, rest: str) -> bool | None:
    """Whether what follows a letter names other letters: True when that is all it does
    or it goes on from the letter, None when others stand within the words."""
    if not rest or rest.strip("(). ") == letter:
        return False
    only = not _LETTERS_ONLY.sub("", rest) and any(map(str.isalpha, rest))
    if only or _WENT_ON.match(rest):
        return True
    others = {first or second for first, second in _OTHER_LETTER.findall(rest)}
    return None if others - {letter} else False


# ---------------------------------------------------------------- several

Kind = Literal["letters", "numbers", "romans"]


@dataclass(frozen=True, slots=True)
class Selection:
    kind: Kind
    chosen: frozenset[str]
    sure: bool
    """Written as nothing but a selection is; `1, 3` or `(1)(3)` may be numbers."""


_JOIN = r" ?[,;、和与及&] ?(?:and )?| ?\band ?"
_CIRCLED = {chr(0x2460 + place): str(place + 1) for place in range(20)}
_ROMANS = frozenset(("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"))
_STATEMENTS = re.compile(r"(?:statements?|conditions?|propositions?|命题)\s*", re.IGNORECASE)
_ONLY = re.compile(r"\s*(?:\bonly|正确)\s*$")
_ITEMS: tuple[tuple[Kind, str, str, str], ...] = (
    ("letters", r"\([A-H]\)|[A-H](?![a-z])", "[A-H]", _JOIN + "| ?"),
    ("numbers", "[①-⑳]", "[①-⑳]", _JOIN + "| ?"),
    ("numbers", r"\([0-9]{1,2}\)", "[0-9]+", _JOIN + "| ?"),
    ("numbers", r"[0-9]{1,2}", "[0-9]+", _JOIN),
    ("romans", r"\([IVX]{1,4}\)|[IVX]{1,4}\b", "[IVX]+", _JOIN),
)
_KINDS = tuple(
    (kind, re.compile(f"(?:{item})(?:(?:{join})(?:{item}))*"), re.compile(find))
    for kind, item, find, join in _ITEMS
)


def selection(text: str) -> Selection | None:
    """The options or statements that a text selects; None for all else.

    Letters run together stand in their order, so that "CAB" stays a word.
    """
    if len(text) > MAX_CHOICE_CHARS:
        return None
    plain = _STATEMENTS.sub("", _plain(text), count=1).strip(" .。")
    bare = _ONLY.sub("", plain)
    for kind, pattern, find in _KINDS:
        if pattern.fullmatch(bare) is None:
            continue
        items = [_CIRCLED.get(item, item) for item in find.findall(bare)]
        if len(set(items)) != len(items):
            return None
        if kind == "romans" and not _ROMANS.issuperset(items):
            return None
        if kind == "letters" and bare.isalpha() and items != sorted(items):
            return None
        if len(items) < 2 and kind == "letters":
            return None
        sure = len(items) > 1 or bare != plain
        if kind == "numbers":
            sure = not _CIRCLED.keys().isdisjoint(bare)
        return Selection(kind, frozenset(items), sure)
    return None


def same_selection(gold: Selection, answer: Selection) -> bool | None:
    """None when nothing says that it is a selection that is asked for."""
    if gold.kind != answer.kind or not (gold.sure or answer.sure):
        return None
    return gold.chosen == answer.chosen
