"""Syntax highlighting by Pygments, as runs of characters instead of HTML.

Programs are hostile, and a lexer can lose its way in one: what it has not
reached after `SECONDS` stays plain, as does every program after `ALL_SECONDS`.
One regular expression cannot be interrupted; `LONGEST` bounds what it reads.
"""

from __future__ import annotations

import time

from pygments.lexers import get_lexer_by_name
from pygments.token import (
    Comment,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    String,
    _TokenType,
    is_token_subtype,
)

# Place is the number in a run; the first is plain. The style sheet names them in this order.
CLASSES: tuple[tuple[_TokenType, ...], ...] = (
    (),
    (Comment,),
    (String, Literal.Date),
    (Number,),
    (Name.Builtin, Name.Constant),
    (Keyword, Operator.Word),
    (Name.Function, Name.Class, Name.Decorator, Name.Attribute),
)

# How a toolchain calls itself, and Pygments' name of what it runs.
BY_TOOLCHAIN = {
    "CPython": "python", "PyPy": "python", "gcc": "c", "g++": "cpp", "openjdk": "java",
    "node": "javascript", "esbuild": "typescript", "mono": "csharp", "php": "php",
    "bash": "bash", "go": "go", "rustc": "rust", "ruby": "ruby",
}  # fmt: skip
ALIASES = {"cpp17": "cpp"}

LONGEST = 20_000
"""Characters of one program beyond which it stays plain."""
SECONDS = 0.5
"""CPU time of one program; the longest honest one takes a third of it."""
ALL_SECONDS = 30.0
"""CPU time of a page: some 5,000 different programs of one kilobyte."""


class Highlighter:
    """Highlights programs while its time lasts; the same one is done once."""

    def __init__(self) -> None:
        self._left = ALL_SECONDS
        self._done: dict[tuple[str, str], list[int] | None] = {}

    def runs(self, program: str, language: str, toolchain: str) -> list[int] | None:
        """Length, class, length, class, ... of the program from its start; None: plain.

        Lengths are in UTF-16 units, as JavaScript counts.
        """
        alias = ALIASES.get(language, language) or BY_TOOLCHAIN.get(toolchain.split(" ")[0], "")
        if alias not in BY_TOOLCHAIN.values() or len(program) > LONGEST:
            return None
        key = (alias, program)
        if key not in self._done:
            if self._left <= 0:
                return None
            started = time.thread_time()
            self._done[key] = _runs(program, alias, started + SECONDS)
            self._left -= time.thread_time() - started
        return self._done[key]


def utf16(text: str) -> int:
    """The length of a text as JavaScript counts it."""
    return len(text) + (0 if text.isascii() else sum(c > "\uffff" for c in text))


def _runs(program: str, alias: str, until: float) -> list[int]:
    lexer = get_lexer_by_name(alias, **({"startinline": True} if "<?" not in program else {}))
    runs = [0, 0]
    # Unprocessed: the other methods change line ends, and then lengths would not match.
    for _, kind, value in lexer.get_tokens_unprocessed(program):
        number = _class_of(kind) if value.strip() else runs[-1]
        if number != runs[-1]:
            runs += [0, number]
        runs[-2] += utf16(value)
        if time.thread_time() > until:
            break
    return runs


_numbers: dict[_TokenType, int] = {}


def _class_of(kind: _TokenType) -> int:
    if kind not in _numbers:
        within = (
            n
            for n, kinds in enumerate(CLASSES)
            if any(is_token_subtype(kind, one) for one in kinds)
        )
        _numbers[kind] = next(within, 0)
    return _numbers[kind]
