"""What of a text is words, and of which script. Linear time.

Left out, as belonging to no language: code blocks and inline code, LaTeX,
tags, URLs, numbers and letters joined to them, mathematical letters, single
Latin and Greek letters (names of variables), names of units and functions
(`NOTATION`), beside another script labels ("(A)", "ABD", "iii", "(ㄱ)") and
names: a run of at most `NAME_WORDS` Latin words whose first and last have a
capital. Names only while they are few (`NAMES_SHARE`), labels of capitals or in
brackets too (`LABELS_SHARE`). A word ends where another script begins, so it
counts the same with a space there and without.

Scripts are written as ranges of code points because `re` is several times
faster on these than `regex` is on properties.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LETTERS = {
    "Latin": "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u1e00-\u1eff"
    "\uff21-\uff3a\uff41-\uff5a",
    "Greek": "\u0370-\u037d\u037f-\u03ff\u1f00-\u1fff",
    "Cyrillic": "\u0400-\u052f",
    "Hebrew": "\u0591-\u05bd\u05bf\u05c1\u05c2\u05d0-\u05ea\u05f0-\u05f4\ufb1d-\ufb4f",
    "Arabic": "\u0610-\u061a\u0620-\u065f\u066e-\u06d3\u06d5-\u06ef\u06fa-\u06ff\u0750-\u077f"
    "\u08a0-\u08ff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc\u200c",
    "Devanagari": "\u0900-\u0963\u0971-\u097f\u200c\u200d",
    "Hangul": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "Thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "Kana": "\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f",
    "Han": "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
}
"""The letters of each script with their marks, as the inside of a character class."""

CHINESE_WORD = 1.55
JAPANESE_WORD = 1.95
THAI_WORD = 4.0
"""Letters (and marks) of a word where words are not parted: a text's words are
its letters over this. From sentences parted by hand, in the tests; ICU's
dictionaries find 1.58 in other Chinese prose. A sentence's count is 8 to 11 %
off, ICU's 4 to 19 % at 0.1 to 0.7 ms for 2 KB; over a text both even out."""

KANA_SHARE_OF_JAPANESE = 0.1
"""Han is Japanese where at least this share of it and the kana is kana:
Japanese prose has about as much kana as Han, Chinese has none."""

HEADING = 4
"""Han letters that say nothing without kana: a Japanese heading may have none."""

NAME_WORDS = 3
"""The longest name: given, middle and family. A longer run is a sentence in title case."""

NAMES_SHARE = 0.2
"""Names for so many other words may go uncounted: with more, title case would hide a language."""

FEW_LABELS, LABELS_SHARE = 10, 1.0
"""Labels for so many other words may go uncounted, and always these few: a language spelled in
capital letters would be hidden. Five letters are a word, so that is as much as of names."""

_NOTATION = """
    sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp gcd lcm mod max min
    det sup inf lim deg dx dy dz dt mm cm dm km kg mg ml kb mb gb ms hz kwh mph
    ii iii iv vi vii viii ix xi xii
"""
NOTATION = frozenset(_NOTATION.split())
"""Latin words of no language beside another script. Beside a Latin one they are
in the language of their sentence: "sin" is also Spanish."""

# Each alternative ends at its closing mark or fails at once at the next
# opening of its own kind, so that a text full of openings costs linear time.
# Each begins with a plain character, which lets `re` skip prose fast.
_NOT_PROSE = re.compile(
    r"```(?:[^`]|`(?!``))*+(?:```|$)"
    r"|`[^`\n]*+`"
    r"|\$\$[^$]*+\$\$|\$[^$\n]*+\$"
    r"|\\\[(?:[^\\]|\\(?![\[\]]))*+\\\]|\\\((?:[^\\]|\\(?![()]))*+\\\)"
    r"|\\begin\{[^{}\n]*+\}|\\end\{[^{}\n]*+\}"
    r"|\\boxed\s*+\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\}|\\[A-Za-z]++"
    r"|https?://[^\s<>\u3000-\uffef]++|</?[A-Za-z][^<>\n]*+>"
)
_SENTENCE_ENDS = frozenset(".!?;:\n\r…؛؟۔।。！：；？")
_SENTENCE_END = re.compile(f"[{re.escape(''.join(sorted(_SENTENCE_ENDS)))}]")
_JOINERS = "\u200c\u200d"
_CASED = ("Latin", "Greek", "Cyrillic")
_SIGNS = (
    "ªº²³¹¼-¾\u02b0-\u02ff\u1d2c-\u1d6a\u2070-\u209f\u2100-\u218b\u2460-\u249b\u24ea-\u24ff"
    "\u2776-\u2793\U0001d400-\U0001d7ff"
)
"""Letters and digits to `\\w`, and of no script: raised, mathematical and circled ones."""


def _first(letters: str) -> str:
    """The first letter of a word, after any sign or a letter of another script: between two
    scripts `\\b` is no boundary. Looking back last lets `re` skip to the letters."""
    return rf"[{letters}](?<![\d_{_SIGNS}{letters}].)"


_WORD = {
    script: re.compile(
        rf"{_first(letters)}[{letters}'’]*+(?![0-9_])"
        if script in _CASED
        # Marks and joiners stand inside words; one that stands alone is no word.
        else rf"[{letters.strip(_JOINERS)}](?<=\w)[{letters}]*+"
    )
    for script, letters in LETTERS.items()
}
_MORE = f"[{LETTERS['Latin']}'’]*+"
_LATIN_RUN = re.compile(rf"{_first(LETTERS['Latin'])}{_MORE}(?:[ -][{LETTERS['Latin']}]{_MORE})*+")
# Signs and emoji are no script: an English text with some is still Latin.
_BEYOND_LATIN = re.compile(
    "[\u0370-\u1cff\u2c00-\u2dff\u3005\u3007\u3040-\ufaff\ufb1d-\ufdff\ufe70-\ufefc"
    "\uff66-\uffdc\U00010000-\U0001cfff\U00020000-\U0003ffff]"
)
# From a letter of no script above to the next letter of one, sign or space: `\w` has not the
# marks inside words of Indian scripts. Accents stand in words of any script.
_LETTERS = "".join(LETTERS.values())
_OTHER = re.compile(
    rf"[^\W\d_{_LETTERS}{_SIGNS}]"
    r"[^\x00-\xbf×÷\u2000-\u206f\u20a0-\u2bff\u3000-\u303f\uff00-\uffef،؛؟।॥"
    + _LETTERS.replace("\u0300-\u036f", "")
    + "]*+"
)
# Between letters they would make each a single one, which is left out.
# Joiners belong to the words of Arabic and of the scripts of India and its neighbours.
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_UNSEEN = re.compile(rf"(?![\u200c\u200d])[{_INVISIBLE}]|(?<![\u0600-\u1aff])[\u200c\u200d]")
_GREEK_ARTICLES = frozenset("οηή")
# Options of several right answers too, no more letters: "ACE" and "BE" are words.
_LABEL = re.compile("A?B?C?D?|[IVX]+")
_ACCENTS = "".join(map(chr, range(0x300, 0x370)))
_NO_LETTERS = _ACCENTS + "'’"
_PRIMED = re.compile(
    f"(?<![{LETTERS['Latin']}'’])['’]*+([{LETTERS['Latin']}][{_ACCENTS}]*+)['’]++"
    f"(?![{LETTERS['Latin']}])"
)
_BRACKETED = re.compile(
    "[(（] ?(?:[甲乙丙丁"
    + "".join(letters for script, letters in LETTERS.items() if script not in ("Latin", "Han"))
    + r"](?<=\w)) ?[)）]"
)


class Stripped(NamedTuple):
    """The prose of a text, and what may be left out of it only while it is not much."""

    prose: str
    """In lower case, without code, LaTeX, tags, URLs, names and labels."""
    names: int
    """Words of names."""
    labels: int

    def beside(self, words: float) -> int:
        """How many of the names and labels are too many beside so many words."""
        over = 0
        if self.names > max(NAME_WORDS, NAMES_SHARE * words):
            over += self.names
        if self.labels > max(FEW_LABELS, LABELS_SHARE * words):
            over += self.labels
        return over


def strip(text: str) -> Stripped:
    """Parts the prose of `text` from the rest."""
    if not text.isascii() and any(map(text.__contains__, _INVISIBLE)):
        text = _UNSEEN.sub("", text)
    prose = _NOT_PROSE.sub(" ", text)
    if "'" in prose or "’" in prose:  # x' and 'A' are letters
        prose = _PRIMED.sub(r" \1 ", prose)
    if is_latin(prose):
        return Stripped(prose.lower(), 0, 0)
    prose, labels = _BRACKETED.subn(" ", prose)
    names = 0

    def unless_name(run: re.Match[str]) -> str:
        nonlocal names, labels
        words = run.group().replace("-", " ").split()
        if len(words) > NAME_WORDS:  # a language that is spelled, maybe
            labels += sum([len(word) == 1 and word.isalpha() for word in words])
            return run.group()
        if not (words[0][0].isupper() and words[-1][0].isupper()):
            return run.group()
        letters = sum(map(is_label, words))
        labels += letters
        names += len(words) - letters
        return " "

    return Stripped(_LATIN_RUN.sub(unless_name, prose).lower(), names, labels)


def is_label(word: str) -> bool:
    """Is `word`, of Latin letters, a variable or the label of an option and of no language?"""
    bare = word.rstrip(_ACCENTS)
    return len(bare) < 2 or _LABEL.fullmatch(bare) is not None


def is_latin(prose: str) -> bool:
    """Has `prose` no letter of another script?"""
    return prose.isascii() or _BEYOND_LATIN.search(prose) is None


class _Folding(dict[int, str]):
    """For `str.translate`: the letters of one script stay, ends of sentences
    become line feeds, digits and `_` a `0`, all else a space."""

    def __init__(self, script: str) -> None:
        self._letter = re.compile(f"[{LETTERS[script]}]")

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if self._letter.match(char):
            folded = char
        elif char in "'’":
            folded = "'"
        elif char in _SENTENCE_ENDS:
            folded = "\n"
        else:
            folded = "0" if char.isdigit() or char == "_" else " "
        if code < 0x10000:  # the rest is rare, and a million entries would be remembered
            self[code] = folded
        return folded


_FOLDINGS = {script: _Folding(script) for script in LETTERS}


def sentences(prose: str, script: str) -> list[list[str]]:
    """The words of `script`, sentence by sentence; one ends at its sign, at `:`, `;` or a line."""
    parted = []
    for sentence in prose.translate(_FOLDINGS[script]).split("\n"):
        words = sentence.split()
        if "0" in sentence:
            words = [word for word in words if "0" not in word]
        if "'" in sentence or not sentence.isascii():
            words = [word for word in words if word[0].isalpha() or _has_letter(word)]
        if words:
            parted.append(words)
    return parted


def _has_letter(word: str) -> bool:
    """No apostrophe or mark alone."""
    return any(map(str.isalpha, word))


def words(prose: str, script: str) -> list[str]:
    """The words of a script that parts them, single letters among them."""
    return _WORD[script].findall(prose)


def by_script(prose: str, leave_out: str = "") -> dict[str, float]:
    """How many words of each script? Han stands for Chinese, Kana for Japanese, Other
    for the scripts that are not in `LETTERS`. `leave_out` is a script not to count."""
    counts: dict[str, float] = {}
    if leave_out != "Latin":
        counts["Latin"] = sum(
            len(word) > 1 and word not in NOTATION and len(word.strip(_NO_LETTERS)) > 1
            for word in words(prose, "Latin")
        )
    if is_latin(prose):
        return counts
    for script in ("Cyrillic", "Hebrew", "Arabic", "Devanagari", "Hangul"):
        if script != leave_out:
            counts[script] = sum(map(_has_letter, words(prose, script)))
    counts["Greek"] = sum(
        (len(word) > 1 and _has_letter(word)) or word in _GREEK_ARTICLES
        for word in words(prose, "Greek")
    )
    counts["Thai"] = _letters(prose, "Thai") / THAI_WORD
    counts["Han"], counts["Kana"] = _chinese_and_japanese(prose)
    counts["Other"] = sum(map(_has_letter, _OTHER.findall(prose)))
    return counts


def _letters(prose: str, script: str) -> int:
    return sum(map(len, _WORD[script].findall(prose)))


def _chinese_and_japanese(prose: str) -> tuple[float, float]:
    """The words of each; a sentence with kana is Japanese, its Han too."""
    chinese = japanese = 0.0
    kana, han = _letters(prose, "Kana"), _letters(prose, "Han")
    if not kana:
        return han / CHINESE_WORD, 0.0
    is_japanese = kana >= KANA_SHARE_OF_JAPANESE * (kana + han)
    for sentence in _SENTENCE_END.split(prose):
        kana, han = _letters(sentence, "Kana"), _letters(sentence, "Han")
        if kana or han > HEADING:
            is_japanese = kana >= max(1, KANA_SHARE_OF_JAPANESE * (kana + han))
        if is_japanese:
            japanese += (kana + han) / JAPANESE_WORD
        else:
            chinese += han / CHINESE_WORD
            japanese += kana / JAPANESE_WORD
    return chinese, japanese
