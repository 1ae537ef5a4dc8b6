"""The place in the tokens, and what every construct needs to read on from it.

The modules of constructs (numerals, brackets, functions, ...) are functions that take a
Reader first; the loop that calls them is `parser.Parser`, which no construct imports:
`listing`, `expr` and `prefix` are how they come back to it.

Invariants:
- Nesting at most MAX_DEPTH, so reading never meets Python's recursion limit.
- Behind the last token there are only STOP tokens, however far one looks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from verifier.math.syntax.tokens import STOP, ParseError, Token
from verifier.math.tree import Node

MAX_DEPTH = 50
"""Brackets, fractions and exponents inside each other. Each costs up to nine Python
frames of the thousand there are; people do not nest beyond ten."""

# Binding powers, loosest first.
BP_LIST, BP_REL, BP_RATIO, BP_SET, BP_SUM, BP_MUL, BP_SIGN, BP_ARG, BP_POW = (
    10, 20, 25, 30, 40, 50, 52, 55, 60,
)  # fmt: skip


class Reader(ABC):
    """A list of tokens, which constructs may split or add to as they read, and a place in it."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.bars = 0
        """Open absolute-value bars: in them `|` closes."""
        self.in_set = False
        """Directly in a set's braces: there `|` stands before a condition."""
        self.vectors = frozenset[str]()
        """Letters under an arrow, where the text has a cross product."""
        self.in_cases = False
        """In the rows of cases: there "if" and "otherwise" end a value."""
        self.end = Token(STOP, "", False)

    # ------------------------------------------------------------ tokens

    def peek(self, ahead: int = 0) -> Token:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else self.end

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def give_back(self, rest: Token) -> None:
        """Puts what is left of the token last taken in its place, to be read next."""
        self.at -= 1
        self.tokens[self.at] = rest

    def accept(self, text: str) -> bool:
        if self.peek().text == text and self.peek().kind != "text":
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise ParseError(f"expected {text!r}, found {self.peek().text!r}")

    def expect_end(self) -> None:
        if self.peek().kind != STOP:
            raise ParseError(f"unexpected {self.peek().text!r}")

    # ------------------------------------------------------------ reading on

    def within(self, tokens: list[Token]) -> Self:
        """A reader of some tokens alone, as deep as this one."""
        reader = type(self)(tokens)
        reader.depth, reader.vectors = self.depth, self.vectors
        return reader

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ParseError(f"nested deeper than {MAX_DEPTH}")

    @abstractmethod
    def listing(self) -> Node:
        """A bare list, or the one item there is."""

    @abstractmethod
    def expr(self, power: int) -> Node:
        """An operand with every operator behind it that binds tighter than `power`."""

    @abstractmethod
    def environment(self, braced: bool) -> Node:
        """What `\\begin` starts; `braced` where one brace stands before the rows."""

    @abstractmethod
    def prefix(self) -> Node:
        """One operand, without what stands behind it."""
