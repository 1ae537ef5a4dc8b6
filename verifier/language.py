"""How much of a text is in the language asked for?

The language reward of DeepSeek-R1 (arXiv 2501.12948v2, equation 7): words in
the target language over all words of the chain of thought.

A word is a run of letters of one script; in Chinese and Japanese, which do not
part words, each Han character is one word and each run of kana is one. Left
out: code blocks and inline code, LaTeX, tags, URLs, numbers, and single Latin,
Greek or Cyrillic letters (names of variables in any language).

Scripts alone decide, so a target is refused where they cannot tell it from
another supported one. Not covered: telling languages of one script apart
(French text counts as words of a target "en").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import regex

SCRIPTS: dict[str, frozenset[str]] = {
    "en": frozenset({"Latin"}),
    "zh": frozenset({"Han"}),
    "ja": frozenset({"Han", "Kana"}),
    "ko": frozenset({"Hangul"}),
    "ru": frozenset({"Cyrillic"}),
    "el": frozenset({"Greek"}),
    "ar": frozenset({"Arabic"}),
    "he": frozenset({"Hebrew"}),
    "hi": frozenset({"Devanagari"}),
    "th": frozenset({"Thai"}),
}
"""The scripts whose words count for each target language (primary subtag of BCP 47)."""

KANA_SHARE_OF_JAPANESE = 0.1
"""Han counts for Japanese only beside at least this share of kana words:
Japanese prose has about one run of kana for each run of Han, Chinese has none."""

_WORD = regex.compile(
    r"(?P<Han>\p{Han})|(?P<Kana>[\p{Hiragana}\p{Katakana}ー]+)|(?P<Hangul>\p{Hangul}+)"
    r"|(?P<Latin>\p{Latin}[\p{Latin}\p{M}'’]+)|(?P<Cyrillic>\p{Cyrillic}[\p{Cyrillic}\p{M}]+)"
    r"|(?P<Greek>\p{Greek}[\p{Greek}\p{M}]+)|(?P<Arabic>\p{Arabic}[\p{Arabic}\p{M}]*)"
    r"|(?P<Hebrew>\p{Hebrew}[\p{Hebrew}\p{M}]*)"
    r"|(?P<Devanagari>\p{Devanagari}[\p{Devanagari}\p{M}]*)|(?P<Thai>\p{Thai}[\p{Thai}\p{M}]*)"
    r"|(?P<Other>\p{L}[\p{L}\p{M}]+)"
)
# Each alternative ends at its closing mark or fails at once at the next
# opening of its own kind, so that a text full of openings costs linear time.
_NOT_PROSE = regex.compile(
    r"```(?:(?!```).)*+(?:```|$)"
    r"|`[^`\n]*+`"
    r"|\$\$[^$]*+\$\$|\$[^$\n]*+\$"
    r"|\\\[(?:(?!\\\[|\\\]).)*+\\\]|\\\((?:(?!\\\(|\\\)).)*+\\\)"
    r"|\\begin\{[^{}\n]*+\}|\\end\{[^{}\n]*+\}"
    r"|\\boxed\s*+\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\}|\\[A-Za-z]++"
    r"|https?://\S++|</?[A-Za-z][^<>\n]*+>",
    regex.DOTALL,
)


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
    counts: dict[str, int] = {}
    for word in _WORD.finditer(_NOT_PROSE.sub(" ", text)):
        script = str(word.lastgroup)
        counts[script] = counts.get(script, 0) + 1
    total = sum(counts.values())
    kana, han = counts.get("Kana", 0), counts.get("Han", 0)
    japanese = kana > 0 and kana >= KANA_SHARE_OF_JAPANESE * (kana + han)
    scripts = SCRIPTS[target]
    if "Han" in scripts and japanese != (target == "ja"):
        scripts = scripts - {"Han"}
    return Share(sum(counts.get(script, 0) for script in scripts), total)
