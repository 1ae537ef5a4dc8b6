"""Which texts hold a question of a benchmark: shared runs of 10 words, the 10-gram
decontamination of DeepSeek-R1 (arXiv 2501.12948v2).

A word is a run of letters and digits after NFKC and without case; punctuation, signs, LaTeX's
spacing and fonts, and HTML are nothing, so `$x+1$`, `x \\, + \\, 1`, `<i>X</i>&nbsp;- 1` and
`\\mathbf{x} 1` are the same two words. Characters that are not seen are nothing within a word. In
scripts that do not part their words (Han, kana, Thai, Lao, Khmer, Burmese) each character is one.

A question of fewer words than a run is held by a text that is, word for word, that question and
nothing else: its few words stand in many texts.

Not covered: paraphrases and translations; letters of another script that look alike; a short
question within a longer text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from trainer.data import DataError, read_rows

RUN = 10
"""Words."""
FIELDS = ("prompt", "question", "problem")
"""Of a benchmark's row: the first of these that is a text."""

_SOLO = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORDS = re.compile(rf"[{_SOLO}]|[^\W_{_SOLO}]+")
# Commands that only move, size or dress what follows; others (\frac, \sqrt) are words.
_SPACING = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|quad|qquad|big|Big|bigg|Bigg|hspace|text(?:bf|it|rm|sf|"
    r"tt|normal)?|emph|underline|math(?:rm|bf|it|sf|tt|bb|cal|frak|scr)|boldsymbol|bm|mbox|"
    r"operatorname)(?![A-Za-z])|\\[ ,;:!>]"
)
_FRACTION = re.compile(r"\\[dt]frac(?![A-Za-z])")
_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|span|div|p|br|hr|sub|sup|code|pre|li|ul|ol|tt)(?:\s[^<>]{0,200})?/?>",
    re.IGNORECASE,
)
# Soft hyphens, joiners, marks of direction and other characters of format, and of variation.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)


def words(text: str) -> list[str]:
    """A text as the words that are compared."""
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", html.unescape(text)))
    plain = _FRACTION.sub(r"\\frac", _SPACING.sub(" ", _TAG.sub(" ", plain)))
    return _WORDS.findall(plain.casefold())


@dataclass(frozen=True)
class Hit:
    """A question that a text holds: its file's name and line, and the words that gave it away."""

    file: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.words!r}"


class Benchmarks:
    """All questions of some files. About 250 bytes for each of their runs."""

    def __init__(self, questions: Iterable[tuple[str, int, str]], run: int = RUN) -> None:
        """Questions by their file's name and line."""
        self._run = run
        self._runs: dict[str, tuple[str, int]] = {}
        for file, line, text in questions:
            for gram in grams(words(text), run):
                self._runs.setdefault(gram, (file, line))

    def find(self, text: str) -> Hit | None:
        """The first question found in a text."""
        for gram in grams(words(text), self._run):
            if gram in self._runs:
                return Hit(*self._runs[gram], gram)
        return None


def grams(found: Sequence[str], run: int) -> Iterator[str]:
    """All runs of so many words; of fewer words the whole of them, which no run equals."""
    # Slices of one text: quicker than joining each run.
    joined = " ".join(found)
    if 0 < len(found) < run:
        yield joined
    starts = list(accumulate((len(word) + 1 for word in found), initial=0))
    for start, end in zip(starts, starts[run:], strict=False):
        yield joined[start : end - 1]


def read_benchmarks(paths: Sequence[Path]) -> Benchmarks:
    """The questions of JSON Lines (`.jsonl`, `.json`) or of plain text, one on a line.

    Raises DataError for rows without a question.
    """
    return Benchmarks(one for path in paths for one in _questions(path))


def _questions(path: Path) -> Iterator[tuple[str, int, str]]:
    if path.suffix in (".jsonl", ".json"):

        def parse(number: int, row: Any) -> tuple[str, int, str]:
            texts = [row.get(key) for key in FIELDS] if isinstance(row, dict) else []
            text = next((text for text in texts if isinstance(text, str)), None)
            if text is None:
                raise ValueError(f"one of {', '.join(FIELDS)} is wanted, a text")
            return path.name, number, text

        yield from read_rows(path, parse)
        return
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    for number, text in enumerate(lines, 1):
        yield path.name, number, text
