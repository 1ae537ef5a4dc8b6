"""Letters and words where an operand stands: constants, functions, products of letters.

Words that are neither functions nor names are not mathematics: ParseError.
"""

from __future__ import annotations

from verifier.math.syntax.counting import with_scripts
from verifier.math.syntax.functions import chosen, function
from verifier.math.syntax.reader import BP_LIST, BP_SIGN, Reader
from verifier.math.syntax.tokens import STOP, ParseError, Token
from verifier.math.syntax.vocabulary import (
    CONST_WORDS,
    CURRENCY_CODES,
    FUNCTIONS,
    GREEK,
    GREEK_SAME,
    SHORT_FUNCTIONS,
    UNIT_LETTERS,
    names_subject,
    reads_as_word,
)
from verifier.math.tree import Const, Node, Op, Sym, Text


def name_or_letters(reader: Reader, token: Token) -> Node:
    word = token.text
    if len(word) == 1:
        if (
            word in ("C", "P")
            and reader.peek().text == "("
            and (reader.peek(1).kind == "num" or reader.peek(1).text == "{")
        ):
            return chosen(reader, word)
        if word in "CAP" and (choices := with_scripts(reader, token)) is not None:
            return choices
        if word == "m" and reader.peek().text in ("\\angle", "\\measuredangle"):
            return reader.prefix()  # the measure of an angle is the angle
        return letter(reader, word)
    if word in SHORT_FUNCTIONS and reader.peek().text != "(":
        pass  # `re^{i t}` is a product
    elif word in FUNCTIONS or word in ("binom", "comb", "factorial", "ceiling"):
        return function(reader, word)
    if word in CURRENCY_CODES and reader.peek().kind == "num":
        return Op("unit", (reader.expr(BP_SIGN), Text(word)))
    if word in CONST_WORDS:
        return Const(CONST_WORDS[word])
    if word in GREEK:
        return Sym(GREEK_SAME.get(word, word))
    for name in ("sqrt", "sin", "cos", "tan", "log", "ln", "pi"):
        if word.startswith(name) and len(word) == len(name) + 1:
            return _split(reader, word, len(name))
        if word.endswith(name) and len(word) <= len(name) + 2:
            return _split(reader, word, len(word) - len(name))
    if reads_as_word(word) and word not in UNIT_LETTERS and not _two_factors(reader, word):
        return _behind_subject(reader, token)
    return first_letter(reader, token)


def _two_factors(reader: Reader, word: str) -> bool:
    """The `by` of `ax + by = c`: between signs, a short word is a product."""
    if len(word) != 2 or not word.islower():
        return False
    before, behind = reader.peek(-2) if reader.at > 1 else reader.end, reader.peek()
    if before.kind == STOP:
        return behind.kind == "op" and behind.text in "+-=^"
    signed = before.kind == "op" and before.text in ("+", "-")
    return signed and (behind.kind == STOP or behind.text in _SIGNS)


_SIGNS = frozenset((*"+-=<>^),", "\\le", "\\ge", "\\leq", "\\geq", "\\ne", "\\neq"))


def first_letter(reader: Reader, token: Token) -> Node:
    """The first of letters run together; the others are read next."""
    if len(token.text) > 1:
        reader.give_back(Token("letters", token.text[1:], False))
    return letter(reader, token.text[0])


def letter(reader: Reader, name: str) -> Node:
    """One letter: a vector, a constant, or a name."""
    if name in reader.vectors:
        return Op("vec", (Sym(name),))
    return Const(name) if name in "ei" else Sym(name)


MAX_SUBJECT = 12
"""Words before the answer: "The sum of all such values is"."""


def _behind_subject(reader: Reader, token: Token) -> Node:
    """What stands behind "The maximum value is" at the start of an answer."""
    if reader.at == 1:
        ahead = 0
        while reader.peek(ahead).kind == "word" and ahead < MAX_SUBJECT:
            ahead += 1
        words = [token.text, *(reader.peek(i).text for i in range(ahead))]
        while len(words) > 1:
            if words[-1] in ("is", "are", "equals") and names_subject(" ".join(words).lower()):
                reader.at += len(words) - 1
                if reader.peek().kind != STOP:
                    return reader.expr(BP_LIST)
                break
            words.pop()
    raise ParseError(f"a word: {token.text!r}")


def _split(reader: Reader, word: str, cut: int) -> Node:
    """`xsin`, `2pi r` written without a space: two words."""
    reader.give_back(Token("word", word[cut:], False))
    return name_or_letters(reader, Token("word", word[:cut], True))


def leading_text(reader: Reader, token: Token) -> Node:
    """`\\text{The answer is }12`: a subject that ends in a verb is dropped."""
    low = token.text.lower()
    if low.isalpha() and reader.peek().text in ("=", ":"):
        return Sym(low)
    if reader.peek().kind != STOP and names_subject(low):
        return reader.expr(BP_LIST)
    if low in ("yes", "no", "true", "false", "none") or reader.peek().kind == STOP:
        raise ParseError(f"a word: {token.text!r}")
    if low in FUNCTIONS:
        return function(reader, low)
    raise ParseError(f"a word: {token.text!r}")
