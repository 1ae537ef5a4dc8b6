r"""The options of a task, as an answer may name them: by letter or by text.

Invariant: a text that fits two options names neither, and a letter beyond the
options names nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from verifier.math import choices
from verifier.math.syntax.vocabulary import TEXT_COMMANDS

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

MAX_OPTIONS = len(LETTERS)
"""One letter each."""

MAX_OPTION_CHARS = 4_000
"""Of one option's text: as long as a reference of the math verifier."""

DRESS_CHARS = 16
"""Beside an option's text: its letter, brackets, spaces."""

USUAL_LAST = "J"
"""The last letter where the options are not given: no usual benchmark has more than ten."""

PREPARED = 128
"""Tasks whose options are kept normalised: a batch has each for every sample of its group."""


@dataclass(frozen=True, slots=True)
class Options:
    last: str
    """The last letter that counts."""
    texts: tuple[str, ...]
    """In order, as given."""


def prepare(options: Sequence[str], gold: str) -> Options:
    """`gold` extends the letters that count where no options are given."""
    last = LETTERS[len(options) - 1] if options else max(gold, USUAL_LAST)
    return Options(last, tuple(options))


@lru_cache(maxsize=PREPARED)
def longest(options: Options) -> int:
    """Characters that a letter with its option's text may take."""
    return max([choices.MAX_CHOICE_CHARS, *(len(text) + DRESS_CHARS for text in options.texts)])


@lru_cache(maxsize=PREPARED)
def _normal_texts(options: Options) -> tuple[str, ...]:
    return tuple(normalise(text) for text in options.texts)


@lru_cache(maxsize=PREPARED)
def by_text(options: Options) -> Mapping[str, str]:
    """Letters by the normalised text of their option, where no other option has it."""
    texts = _normal_texts(options)
    counts = Counter(texts)
    return {
        text: letter
        for letter, text in zip(LETTERS, texts, strict=False)
        # A text that is a letter of another option would make every letter ambiguous.
        if text
        and counts[text] == 1
        and not (len(text) == 1 and "a" <= text <= options.last.lower())
    }


_THOUSANDS = re.compile(r"(?<=\d)(?:,|\{,\}|\\[,!])(?=\d{3}(?!\d))")
_BARE_POINT = re.compile(r"(?<![\w.])\.(?=\d)")
_SCRIPT = re.compile(r"([_^])\{([^{}]{2,})\}")
_ROOT = re.compile(r"\\sqrt\s*(?:\{([^{}]*)\}|(\w))|√([0-9]+)")
_FRACTION = re.compile(r"\\[dtc]?frac\s*(?:\{([^{}]*)\}|(\w))\s*(?:\{([^{}]*)\}|(\w))")
_SUM = re.compile(r"[-+/,=]")
_ONE_FACTOR = re.compile(r"\d+|\\?[^\W\d]+")
_NOISE = re.compile(
    r"\\(?:" + "|".join(sorted(TEXT_COMMANDS)) + r"|displaystyle|left|right)\b|\\[()\[\]]"
    r"|\\(?=[%$&#{}])|[{}$*`\"“”「」]"
)
_BLANK = re.compile(r"\\(?:q?quad\b|[,;:! ])|~")
_LOOSE = re.compile(r"(?<![^\W_]) | (?![^\W_])|(?<=\d) (?!\d)")
"""A blank that parts neither two words nor two numbers."""
_ARTICLE = re.compile(r"(?:the|an?)\s+(?=\S)")


def normalise(text: str) -> str:
    """Case, dress, spacing, a leading article and closing marks aside."""
    text = _plain(text)
    return _LOOSE.sub("", _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text)


def _plain(text: str) -> str:
    text = _BARE_POINT.sub("0.", _THOUSANDS.sub("", text))
    if "\\" in text or "{" in text or "√" in text:
        text = _ROOT.sub(_root, _SCRIPT.sub(r"\1(\2)", text))
        text = _FRACTION.sub(_fraction, text).replace("}{", "}|{")
    text = _BLANK.sub(" ", _NOISE.sub("", text))
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split()).strip(" .,;:!?'。")


def _root(found: re.Match[str]) -> str:
    under = (found[1] or found[2] or found[3] or "").strip()
    return f"√{under}" if len(under) == 1 else f"√({under})"


def _fraction(found: re.Match[str]) -> str:
    # The blank keeps it apart from the whole number before it.
    above, below = (found[1] or found[2] or "").strip(), (found[3] or found[4] or "").strip()
    if _SUM.search(above):
        above = f"({above})"
    return f" {above}/{below}" if _ONE_FACTOR.fullmatch(below) else f" {above}/({below})"


@dataclass(frozen=True, slots=True)
class Named:
    """What a short text names: one letter, or several at once (None)."""

    letter: str | None
    by_text: bool = False


def read(text: str, options: Options) -> Named | None:
    """What an answer that stands alone names; None when it names no option."""
    if len(text) > longest(options):
        return None
    named = by_text(options).get(normalise(text))
    if named is not None:
        return Named(named, by_text=True)
    chosen = choices.choice(text.strip().strip("[]【】"))
    if chosen is not None:
        letter, rest = chosen[0].upper(), chosen[1]
        if letter > options.last or _INITIAL.match(rest):
            return None
        if not rest or is_text(rest, letter, options):
            return Named(letter)
        return Named(letter) if choices.sprayed(letter, rest) is False else Named(None)
    plain = _plain(text)
    lettered = _LETTERED.match(plain)
    if lettered:  # a small letter, or one beyond those of the math verifier
        letter, rest = lettered.group(1).upper(), plain[lettered.end() :]
        if letter <= options.last and is_text(_unbracketed(rest), letter, options):
            return Named(letter)
    aside = _ASIDE.search(plain)
    if aside:
        return _with_aside(text, plain[: aside.start()], aside[1], options)
    several = choices.selection(text)
    if _SEVERAL.fullmatch(plain) or (several is not None and several.kind == "letters"):
        return Named(None)
    return None


_INITIAL = re.compile(r"[A-Z]\.\s*[A-Z]")
"""After a letter and its full stop: a name such as C. S. Lewis."""
_SEVERAL = re.compile(
    r"(?:either |both )?\(?[a-z]\)?(?:\s?(?:,|/|&|;|、|或|和|and\b|or\b){1,2}\s?\(?[a-z]\)?)+"
)
_LETTERED = re.compile(r"\(?([a-z])(?:\s?[.:)]|\s(?:[-–—](?=\s))?)\s*(?=\S)")
_ASIDE = re.compile(r"[\s,;:–—-]{1,4}(?:(?:i\.e\.,?|so|option|choice)\s){0,2}\(([^()]+)\)$")
_UNSURE = re.compile(r"[(]|\b(?:not|neither|either)\b|n['’]t\b|\b(?:and|or)$")
_CONTINUES = re.compile(r"or\b|and\b|也|或|和")


def _with_aside(text: str, plain: str, aside: str, options: Options) -> Named | None:
    """ "Paris (B)" and "Paris (in France)" name Paris; "Paris (A)" and "Paris (or Rome)" none."""
    named = by_text(options).get(normalise(plain))
    if len(aside) == 1 and "a" <= aside <= options.last.lower():
        letter = aside.upper()
        unknown = not options.texts and f"({letter})" in text and not _UNSURE.search(plain)
        return Named(letter, True) if unknown or is_text(plain, letter, options) else None
    return None if named is None or _CONTINUES.match(aside) else Named(named, by_text=True)


def _unbracketed(text: str) -> str:
    return text[1:-1] if text[:1] == "(" and text[-1:] == ")" else text


def texts_in(text: str, options: Options) -> bool:
    """Whether the text of any option stands in a text."""
    plain = normalise(text)
    return any(option in plain for option in _normal_texts(options) if option)


def is_text(rest: str, letter: str, options: Options) -> bool:
    """Whether what follows a letter is its option's text and no more."""
    return normalise(rest) == _text(letter, options)


def begins_text(after: str, letter: str, options: Options) -> bool:
    """Whether what follows a letter begins with its option's text."""
    text = _text(letter, options)
    return text is not None and normalise(after[: 2 * len(text) + DRESS_CHARS]).startswith(text)


def _text(letter: str, options: Options) -> str | None:
    place = LETTERS.index(letter)
    return _normal_texts(options)[place] or None if place < len(options.texts) else None
