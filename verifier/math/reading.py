"""A reference or an answer as far as it can be read alone.

Most pairs are told apart by their text or by plain numbers, so the tree is parsed only
when somebody asks for it, and then kept. Readings themselves are kept too: a group of
samples repeats both its reference and its answers.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from verifier.math import remarks, sentences, words
from verifier.math.extract import boxed, extract
from verifier.math.latex import to_latex
from verifier.math.syntax.parser import parse
from verifier.math.syntax.tokens import MAX_CHARS, ParseError
from verifier.math.syntax.vocabulary import reads_as_word
from verifier.math.tree import Node

CACHED_TEXTS = 8_192
"""Readings kept. Trees of this many short texts take at most some 100 MB, usually 10."""

SHORT_CHARS = 256
CACHED_LONG = 64
"""Longer texts are rare and their trees large: few are kept."""

CANONICAL_CHARS = 500
"""A canonical form is for a person; the text itself is in the verdict as well."""


class Reading:
    """A text, what it is as a plain number, and its tree when asked for."""

    __slots__ = ("_error", "_node", "_parsed", "_words", "body", "key", "letter", "number", "text")

    def __init__(self, text: str, body: str | None = None, error: str = "") -> None:
        self.text = text
        """As given; a reference may carry a box or a sentence around its answer."""
        self.body = text if body is None else body
        """What is read."""
        self.key = words.key(self.body)
        """Equal keys are equal answers."""
        self.number: int | Fraction | None = words.plain_number(self.key)
        self.letter: tuple[str, str] | None = words.choice(self.body)
        """As a multiple-choice answer: the letter and what follows it."""
        self._parsed = bool(error)
        self._node: Node | None = None
        self._error = error
        self._words = ""

    @property
    def node(self) -> Node | None:
        """The tree; None when it is not mathematics."""
        if not self._parsed:
            self._parse()
        return self._node

    @property
    def error(self) -> str:
        """Why there is no tree."""
        if not self._parsed:
            self._parse()
        return self._error

    @property
    def words(self) -> str:
        """As an answer in words; empty for broken mathematics."""
        if not self._parsed:
            self._parse()
        return self._words

    @property
    def readable(self) -> bool:
        return self.number is not None or not self.error or bool(self._words)

    @property
    def canonical(self) -> str:
        """The form in which it is compared: the number, the tree as LaTeX, or the words."""
        if self.number is not None:
            return str(self.number)
        node = self.node
        form = to_latex(node) if node is not None else self._words or self.key
        return form if len(form) <= CANONICAL_CHARS else form[:CANONICAL_CHARS] + " ..."

    def _parse(self) -> None:
        self._parsed = True
        text = self.body
        plain_text = words.without_preamble(text)
        self._node = sentences.in_words(plain_text)
        if self._node is not None:
            self._words = words.compact(text) if words.reads_as_text(text) else ""
            return
        formal = remarks.formal(plain_text)
        for version in (formal, plain_text) if formal != plain_text else (plain_text,):
            try:
                self._node = parse(version)
                self._error = ""
                break
            except ParseError as problem:
                self._error = str(problem)
        plain = words.words(text)
        if self._node is None:
            self._node = words.SETS_IN_WORDS.get(plain)
            self._words = words.compact(text) if words.reads_as_text(text) else ""
        elif plain.isalpha() and reads_as_word(plain):  # "odd" could be a product of names
            self._words = words.compact(text)


_short = lru_cache(maxsize=CACHED_TEXTS)(Reading)
_long = lru_cache(maxsize=CACHED_LONG)(Reading)


def reading(text: str) -> Reading:
    """The reading of an answer."""
    return _short(text) if len(text) <= SHORT_CHARS else _long(text)


@lru_cache(maxsize=CACHED_TEXTS)
def reference(text: str) -> Reading:
    """The reading of a reference, which may carry a box or be a whole solution."""
    if not text.strip():
        return Reading(text, "", "the reference is empty")
    if "boxed" in text or "fbox" in text:
        inner = boxed(text)
        if inner is not None:
            return Reading(text, inner)
    if len(text) > MAX_CHARS:
        return Reading(
            text, "", f"the reference is longer than {MAX_CHARS} characters: {len(text)}"
        )
    found = reading(text)
    if not found.readable:
        answer = extract(text)
        if answer is not None and answer.text.strip():
            return Reading(text, answer.text)
    return found


def forget() -> None:
    """Drops all readings kept."""
    for cache in (_short, _long, reference):
        cache.cache_clear()
