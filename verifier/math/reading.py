"""A reference or an answer as far as it can be read alone.

Most pairs are told apart by their text or by plain numbers, so the tree is parsed only
when somebody asks for it, and then kept. Readings themselves are kept too: a group of
samples repeats both its reference and its answers.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from verifier.math import counted, phrases, remarks, sentences, words
from verifier.math.choices import Selection, choice, selection
from verifier.math.compare.comparison import Comparison
from verifier.math.extract import boxed, extract
from verifier.math.latex import to_latex
from verifier.math.parts import Parts, labelled
from verifier.math.policy import MathPolicy
from verifier.math.syntax.parser import parse
from verifier.math.syntax.tokens import MAX_CHARS, ParseError
from verifier.math.syntax.vocabulary import reads_as_word
from verifier.math.tree import Node, Rel, Seq

CACHED_TEXTS = 8_192
"""Readings kept. Trees of this many short texts take at most some 100 MB, usually 10."""

SHORT_CHARS = 256
CACHED_LONG = 64
"""Longer texts are rare and their trees large: few are kept."""

CANONICAL_CHARS = 500
"""A canonical form is for a person; the text itself is in the verdict as well."""


class Reading:
    """A text, what it is as a plain number, and its tree when asked for."""

    __slots__ = (
        "_chosen", "_error", "_node", "_parsed", "_parts", "_words", "body", "key", "number",
        "text",
    )  # fmt: skip

    def __init__(self, text: str, body: str | None = None, error: str = "") -> None:
        self.text = text
        """As given; a reference may carry a box or a sentence around its answer."""
        self.body = text if body is None else body
        """What is read."""
        self.key = words.key(self.body)
        """Equal keys are equal answers."""
        self.number: int | Fraction | None = words.plain_number(self.key)
        self._chosen: tuple[tuple[str, str] | None, Selection | None] | None = None
        self._parts: tuple[Parts | None] | None = None
        self._parsed = bool(error)
        self._node: Node | None = None
        self._error = error
        self._words = ""

    @property
    def letter(self) -> tuple[str, str] | None:
        """As a multiple-choice answer: the letter and what follows it."""
        return self._choices()[0]

    @property
    def selection(self) -> Selection | None:
        """As several options or statements."""
        return self._choices()[1]

    def _choices(self) -> tuple[tuple[str, str] | None, Selection | None]:
        if self._chosen is None:
            lone = _LONE_LETTER.search(self.body) is not None
            self._chosen = (choice(self.body), selection(self.body)) if lone else (None, None)
        return self._chosen

    @property
    def parts(self) -> Parts | None:
        """As an answer in labelled parts."""
        if self._parts is None:
            self._parts = (labelled(self.body),)
        return self._parts[0]

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
        if self.number is not None or not self.error or self._words:
            return True
        if self.selection is not None:
            return True
        return self.parts is not None and all(reading(body).readable for _, body in self.parts)

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
        if phrases.names_a_day(text):
            self._error, self._words = "a day", phrases.folded(text)
            return
        plain_text = words.without_preamble(text)
        self._node = sentences.in_words(plain_text)
        if self._node is not None:
            self._words = phrases.folded(text) if words.reads_as_text(text) else ""
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
            self._words = phrases.folded(text) if words.reads_as_text(text) else ""
            self._node = phrases.set_in_words(text) or _stated(text)
            self._error = "" if self._node else self._error
        elif plain.isalpha() and reads_as_word(plain):  # "odd" could be a product of names
            self._words = phrases.folded(text)


def _stated(text: str) -> Node | None:
    """The tree of the value that a sentence states."""
    value = phrases.value_in(text) or counted.number_in(text)
    if value is None:
        return None
    try:
        return parse(value)
    except ParseError:
        return None


_LONE_LETTER = re.compile(r"(?<![A-Za-z\\])[A-Za-z](?![a-z])|[①-⑳Ⅰ-ⅻ选ａ-ｚＡ-Ｚ]|\([0-9]+\)|（")
"""Without one, no option and no statement is named."""

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
    if _MARKED.search(text):
        answer = extract(text)
        if answer is not None and answer.source != "whole" and reading(answer.text).readable:
            return Reading(text, answer.text)
    found = reading(text)
    if found.number is not None:
        return found
    if not found.readable or found.words:
        given = phrases.alternatives(text)
        if given is not None and _accepts(*given):
            return Reading(text, given[0])
    if isinstance(found.node, Seq) and found.node.joined == "or":
        return _one_of(text, found.node) or found
    return found


def forget() -> None:
    """Drops all readings kept."""
    for cache in (_short, _long, reference):
        cache.cache_clear()


_MARKED = re.compile(r"####|nswer|NSWER|答案")


def _accepts(value: str, other: str) -> bool:
    """Whether what a reference accepts besides its value is the same value."""
    first = reading(value).node
    if not other or first is None:
        return first is not None
    second = reading(other).node
    return second is not None and _same(first, second)


def _one_of(text: str, node: Seq) -> Reading | None:
    """ "1/2 or 0.5" is one value in two forms."""
    first = node.items[0]
    if isinstance(first, Rel) or not all(_same(first, other) for other in node.items[1:]):
        return None
    value = re.split(r"\bor\b|\\(?:lor|vee)|或|∨", text, maxsplit=1)[0]
    value = re.sub(r"\\text\s*\{\s*$", "", value)
    return Reading(text, value) if reading(value).node == first else None


def _same(first: Node, second: Node) -> bool:
    return Comparison(MathPolicy()).equal(first, second) is True
