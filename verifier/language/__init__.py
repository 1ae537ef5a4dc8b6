"""How much of a text is in the language asked for?

The language reward of DeepSeek-R1 (arXiv 2501.12948v2, equation 7): words in
the target language over all words of the chain of thought.

Words are counted by script (`prose`, which says what is left out). Chinese,
Japanese and Thai do not part their words; theirs are letters over the mean
length of a word. A word of a script that one supported language has for
itself is in that language; Latin, Cyrillic, Arabic and Devanagari words are in
the language of their sentence (`spans`); Han is Japanese in a sentence with
kana, else Chinese. Single Latin letters and other labels of options are words
of no language, but for the one-letter words of a language in its own text
("a", "I"), while they are no more than its prose has.

What follows for mixed text: a word of another script counts against the
target wherever it stands, a transliteration (pinyin, romaji) too; a foreign
word or quotation of the target's own script counts with the sentence around
it. Not covered: a sentence that is half one language and half another of its
script; varieties of a language; letters written apart from their accents
(Unicode NFD). In Korean a word is what stands between spaces, particles
included, in Vietnamese a syllable.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil

from verifier.language import prose, spans
from verifier.language.detect import detect
from verifier.language.words import SCRIPT_MATES, SCRIPTS

__all__ = ["SCRIPTS", "Share", "detect", "primary", "share"]


@dataclass(frozen=True)
class Share:
    """Words counted in a text. `value` is None when it has no words at all."""

    target: int
    total: int

    @property
    def value(self) -> float | None:
        return self.target / self.total if self.total else None


@cache
def primary(language: str) -> str | None:
    """The supported language that a BCP 47 tag asks for, or None."""
    subtag = language.replace("_", "-").split("-")[0].lower()
    return subtag if subtag in SCRIPTS else None


def share(text: str, language: str) -> Share:
    """Counts the words of `text`, and those in `language`.

    Raises ValueError for a language that is not in `SCRIPTS`.
    """
    target = primary(language)
    if target is None:
        raise ValueError(f"language {language!r} is not one of {', '.join(SCRIPTS)}")
    script = SCRIPTS[target]
    stripped = prose.strip(text)
    lowered = stripped.prose
    if target in SCRIPT_MATES:
        mine: float
        mine, others = spans.count(lowered, target, script)
        foreign = prose.by_script(lowered, leave_out=script)
    else:
        foreign = prose.by_script(lowered)
        mine, others = foreign.pop(script, 0.0), 0
    total = mine + others + sum(foreign.values())
    total += stripped.beside(total)
    return Share(ceil(mine), ceil(total))
