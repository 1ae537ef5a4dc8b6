"""In which language is a sentence? Among the languages of one script.

Small words decide first, at the cost of two set intersections; a sentence
that they leave open goes to a language identifier (CLD2), and one that this
leaves open too is in the language of the sentence before, in the target where
none is before. Deterministic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pycld2  # type: ignore[import-untyped]

from verifier.language import prose
from verifier.language.words import (
    ALPHABETS,
    ONE_LETTER,
    RIVALS,
    SCRIPT_MATES,
    SCRIPTS,
    UNIQUE,
    WORDS,
)

MOST_WORDS = 40
"""A longer sentence, or a text without full stops, is judged in pieces of so many words."""

SMALL_WORDS = 1 / 5
"""The least share of small words in a sentence that is decided by them; prose has four in ten."""

LEAD = 2
"""Small words by which a language other than the target must lead every other."""

ASKED = 1_000
"""Sentences of one text that the identifier is asked about, at about 20 us
each: more than a chain of thought leaves open, and a bound for a text made to."""

ASKED_WORDS = 4
"""The shortest sentence it is asked about: of shorter ones it gets one in ten wrong."""

FEW_LETTERS, LETTERS_SHARE = 3, 1 / 2
"""Words of one letter count while they are no more than this share of the longer words, or no
more than either the longer words or these few: else they are variables, labels or padding.
In Portuguese prose, which has most, they are a fifth, in one sentence a third."""

_NONE: frozenset[str] = frozenset()


def count(lowered: str, target: str, script: str) -> tuple[int, int]:
    """The words of `script` in `target`, and those in other languages of it.

    `lowered` is what `prose.strip` left.
    """
    pieces = list(_pieces(lowered, script))
    languages: list[str | None] = []
    asked = 0
    for words in pieces:
        different = frozenset(words)
        language = by_small_words(different, target)
        if language is None and len(different) >= ASKED_WORDS and asked < ASKED:
            asked += 1
            language = identify(" ".join(words))
        languages.append(language)
    latest = next((language for language in languages if language), target)
    longer, letters = {True: 0, False: 0}, {True: 0, False: 0}  # by whether in the target
    for words, language in zip(pieces, languages, strict=True):
        latest = language or latest
        alone = [word for word in words if len(word) == 1] if script == "Latin" else []
        longer[latest == target] += len(words) - len(alone)
        known = ONE_LETTER.get(latest, _NONE)
        letters[latest == target] += sum([word in known for word in alone])
    return _together(longer[True], letters[True]), _together(longer[False], letters[False])


def _together(longer: int, letters: int) -> int:
    return longer + min(letters, max(min(FEW_LETTERS, longer), int(LETTERS_SHARE * longer)))


def _pieces(lowered: str, script: str) -> Iterator[list[str]]:
    """The sentences; short ones in a row joined, so that no layout hides them from `identify`."""
    short: list[str] = []
    for words in prose.sentences(lowered, script):
        if len(words) < ASKED_WORDS:
            short += words
            if len(short) < ASKED_WORDS:
                continue
            words = []
        if short:
            yield short
            short = []
        for start in range(0, len(words), MOST_WORDS):
            yield words[start : start + MOST_WORDS]
    if short:
        yield short


def by_small_words(words: frozenset[str], target: str) -> str | None:
    """The language whose small words a sentence has, or None when that is open.

    `target` is what is asked for; it needs no lead over the others.
    """
    own = len(words & WORDS[target])
    against = len(words & RIVALS[target])
    text = "".join(words)
    if target in ALPHABETS and not text.isascii():
        against += len(set(text) - ALPHABETS[target])
    # Words that both have decide nothing against a word that only the other has.
    if (
        own > 2 * against
        and own >= SMALL_WORDS * len(words)
        and (not against or len(words & UNIQUE[target]) >= against)
    ):
        return target
    if not against:
        return None
    hits = {mate: len(words & WORDS[mate]) for mate in SCRIPT_MATES[target]}
    best = max(hits, key=hits.__getitem__)
    most = hits.pop(best)
    leads = most >= LEAD + max(hits.values(), default=0)
    return best if leads and most >= SMALL_WORDS * len(words) else None


def main_language(lowered: str, script: str) -> str | None:
    """The supported language of `script` in which most of a text is, or None."""
    known = [language for language, own in SCRIPTS.items() if own == script]
    if not any(language in SCRIPT_MATES for language in known):
        return known[0] if known else None
    words = [
        word
        for sentence in prose.sentences(lowered, script)
        for word in sentence
        if len(word) > 1 or script != "Latin"
    ]
    times = Counter(words)
    hits = {name: sum(times[word] for word in times.keys() & WORDS[name]) for name in known}
    best = max(hits, key=hits.__getitem__)
    most = hits.pop(best)
    second = max(hits.values(), default=0)
    if most >= second + LEAD and most >= SMALL_WORDS * len(words):
        return best
    language = identify(" ".join(words))
    if language is None and most > second:
        return best
    return language if language in known else None


def identify(words: str) -> str | None:
    """The language by the identifier, as an ISO 639-1 code; None when it is not sure.

    It refuses control characters, so `words` has letters and spaces alone.
    """
    code = str(pycld2.detect(words)[2][0][1])
    return None if code == "un" else code
