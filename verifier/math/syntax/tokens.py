r"""Cleaned text to tokens: LaTeX and plain ASCII in one alphabet.

Invariants:
- Linear in the text; at most MAX_CHARS characters are read and MAX_TOKENS given.
- Raises ParseError on characters of no alphabet of mathematics.

Not covered: macros defined in the text, `\newcommand`, alignment outside matrices.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from verifier.math.syntax.vocabulary import FUNCTIONS, SHORT_FUNCTIONS, TEXT_COMMANDS
from verifier.math.units import canonical

MAX_CHARS = 4_000
"""Longest text read as an answer. Nothing longer can be the final answer to a short
question, and all later costs are bounded by it."""

MAX_TOKENS = 3_000
"""A tree of more tokens is never a readable answer; bounds the parser's loop."""

MAX_WRAPPERS = 8
r"""`\mathrm{\text{...}}` nested deeper is hostile, not writing."""

STOP = "end"
"""The kind of what stands behind the last token."""


class ParseError(ValueError):
    """The text is not mathematics this parser can read. The message says where or why."""


class Token(NamedTuple):
    kind: str
    """num, base (a numeral as digits_base), cmd, word, letters (names of one letter each),
    text, op or end."""
    text: str
    gap: bool
    """White space stood before it."""


_TOKEN = re.compile(
    r"""(?P<gap>\s+)
  | (?P<base>0(?:[xX](?=[A-Fa-f]*\d|[A-Fa-f]{2})[0-9A-Fa-f]+|[bB][01]+|[oO][0-7]+)(?![A-Za-z\d]))
  | (?P<num>(?<!,)\d+(?:,\d{3})+(?![\d,])(?:\.\d+)?
      |\d{1,2}(?=[\d,]{0,30},0)(?:,\d\d)+,\d{3}(?![\d,])
      |\d+(?:\.\d+)?(?:[eE][+-]?\d+(?![A-Za-z\d]))?|\.\d+)
  | (?P<cmd>\\(?:[A-Za-z]+|.))
  | (?P<word>[A-Za-z]+)
  | (?P<op>\*\*|<=|>=|=<|=>|!=|==|->|\.\.\.+|[-+*/^_=<>(){}\[\]|,;:!%&'.?"@#$])
  | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_PREFIXES = {"x": 16, "b": 2, "o": 8}
_UPRIGHT = frozenset(("operatorname", "mathrm", "rm", "mathop"))
_BOLD = frozenset(("mathbf", "bf", "boldsymbol", "bm", "pmb"))
_VECTORS = _BOLD | {"vec", "hat", "overrightarrow", "widehat"}
_WORDED = frozenset(("text", "mbox", "textbf", "textrm", "textit", "textnormal", "hbox", "emph",
                      "boxed", "fbox", "textsf", "texttt", "textup", "textsc"))  # fmt: skip
"""Wrappers of words; the others are fonts for letters."""
_NUMBER_FIRST = re.compile(r"\s*-?\$?\d")
_MATH_INSIDE = re.compile(
    r"[\d\s.,+\-*/=()^_\\{}<>|!%:]*(?:(?<![A-Za-z])[A-Za-z](?![A-Za-z])[\d\s.,+\-*/=()^_\\{}<>|!%:]*)*"
)


_ARROWED = r"\\(?:vec|overrightarrow|mathbf|boldsymbol|bm|pmb|hat)\s{0,2}"
_UNDER_ARROW = re.compile(_ARROWED + r"\{?\s?(?:\\([a-z]+)|([A-Za-z]{1,2})(?![A-Za-z]))")
_CROSSED = re.compile(
    _ARROWED + r"[^\\]{0,10}(?:\\[a-z]+[^\\]{0,10})?\\times(?![a-z])[\s({\d-]{0,9}" + _ARROWED
)


def vectors(text: str) -> frozenset[str]:
    r"""The letters under an arrow or in bold, where a `\times` stands between two of them."""
    if not _CROSSED.search(text):
        return frozenset()
    found: set[str] = set()
    for command, letters in _UNDER_ARROW.findall(text):
        found.update(letters)
        found.add(command[0] if command in ("imath", "jmath") else command)
    return frozenset(found - {""})


def tokenize(text: str) -> list[Token]:
    r"""Tokens of a cleaned text. `\text{...}` is one token of kind text, unless what
    stands in it reads as mathematics.

    Raises ParseError beyond MAX_CHARS and MAX_TOKENS and on characters of no alphabet
    of mathematics.
    """
    if len(text) > MAX_CHARS:
        raise ParseError(f"longer than {MAX_CHARS} characters: {len(text)}")
    tokens: list[Token] = []
    _scan(text, 0, len(text), tokens, 0)
    return tokens


def _scan(text: str, start: int, end: int, tokens: list[Token], nesting: int) -> None:
    gap = False
    at = start
    brackets = 0
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            raise ParseError(f"cannot read character {at}")
        kind, word = match.lastgroup or "", match.group()
        at = match.end()
        if kind == "gap":
            gap = True
            continue
        if kind == "num" and "," in word:
            # Between brackets a comma separates: (1,234) is a point.
            if brackets != 0:
                word = word.partition(",")[0]
                at = match.start() + len(word)
            word = word.replace(",", "")
        elif kind == "cmd":
            name = word[1:]
            if name in TEXT_COMMANDS:
                at = _wrapped(text, at, end, name, gap, tokens, nesting)
                gap = False
                continue
            if name == "{":
                brackets += 1
            elif name == "}":
                brackets -= 1
        elif kind == "base":
            word = f"{word[2:].upper()}_{_PREFIXES[word[1].lower()]}"
        elif kind == "op":
            if word in "([":
                brackets += 1
            elif word in ")]":
                brackets -= 1
        elif kind == "other":
            raise ParseError(f"cannot read {word!r}")
        tokens.append(Token(kind, word, gap))
        gap = False
        if len(tokens) > MAX_TOKENS:
            raise ParseError(f"more than {MAX_TOKENS} tokens")


def _wrapped(
    text: str, at: int, end: int, name: str, gap: bool, tokens: list[Token], nesting: int
) -> int:
    """Reads the argument of a text command; returns where it ends."""
    while at < end and (text[at] == " " or (text[at] == "*" and name == "operatorname")):
        at += 1
    if at >= end or text[at] != "{":
        return at
    depth, stop = 1, at + 1
    while stop < end and depth:
        char = text[stop]
        if char == "\\":
            stop += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
        stop += 1
    if depth > 1:
        raise ParseError("a brace inside of words is not closed")
    inner = text[at + 1 : stop - (not depth)]  # one not closed goes on to the end
    words = " ".join(inner.split()).strip(",;. ")
    behind_value = _behind_value(tokens, name)
    if behind_value and "\\mu" in inner:
        inner = words = words.replace("\\mu ", "μ")
    if behind_value and canonical(inner)[1] and text[stop : stop + 1] not in ("_", "("):
        tokens.append(Token("text", words, True))  # `5\text{ m}`: the unit, not a name
        return stop
    if len(words) == 1 and words.isascii() and words.isalpha():
        tokens.append(_letter(words, name, gap))
        return stop
    if name in _VECTORS and words in ("\\imath", "\\jmath"):
        tokens.append(_letter(words[1], name, gap))
        return stop
    if words in FUNCTIONS or (name == "operatorname" and words.isalpha()):
        upright = name in _UPRIGHT and words in SHORT_FUNCTIONS and words != "deg"
        tokens.append(Token("cmd", "\\" + words, gap) if upright else Token("word", words, gap))
        return stop
    if name not in _WORDED and words.isalpha() and words.isupper() and words != "DNE":
        tokens.append(Token("word", words, gap))  # the corners of a figure
        return stop
    if nesting >= MAX_WRAPPERS:
        raise ParseError(f"more than {MAX_WRAPPERS} wrappers inside each other")
    if (
        name == "operatorname"
        or "\\" in inner
        or _MATH_INSIDE.fullmatch(inner)
        or "=" in inner
        or (not behind_value and _NUMBER_FIRST.match(inner))
    ):
        if words:
            tokens.append(Token("op", "{", gap))
            _scan(text, at + 1, stop - (not depth), tokens, nesting + 1)
            tokens.append(Token("op", "}", False))
        return stop
    if inner.lstrip().startswith(","):
        tokens.append(Token("op", ",", gap))
    head, _, last = words.rpartition(" ")
    if head and last in ("and", "or"):  # `5\text{ feet and }6\text{ inches}`
        letter = len(head) == 1 and head.isascii() and head.isalpha()
        tokens.append(_letter(head, name, True) if letter else Token("text", head, True))
        words = last
    if words:
        tokens.append(Token("text", words, True))
    return stop


def _behind_value(tokens: list[Token], name: str) -> bool:
    """Whether a unit may stand here: behind a number, a bracket or, in words, a name."""
    if not tokens:
        return False
    last = tokens[-1]
    if last.text == "\\cdot" and len(tokens) > 1 and tokens[-2].kind == "text":
        return canonical(tokens[-2].text)[1]  # `\text{kg}\cdot\text{m/s}`
    if last.kind == "num" or last.text in (")", "}", "\\pi", "\\circ"):
        return True
    return name in _WORDED and last.kind == "word" and len(last.text) == 1


def _letter(letter: str, name: str, gap: bool) -> Token:
    """One letter in a font: a set, a unit vector, or the letter."""
    if name in _BOLD and letter in "RZNQ":
        return Token("cmd", "\\" + letter, gap)
    if name in _VECTORS and letter == "i":
        return Token("cmd", "\\ivec", gap)
    return Token("word", letter, gap)
