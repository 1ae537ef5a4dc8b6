r"""Text to tokens: LaTeX, plain ASCII and Unicode mathematics in one alphabet.

Invariants:
- Linear in the text; at most MAX_CHARS characters are read and MAX_TOKENS given.
- Unicode has one spelling afterwards: full-width forms, superscripts, fraction
  signs, circled digits, √ π × − ≤ ∞ and their like become their ASCII or LaTeX form.
- Marks without meaning (spacing, `\left`, `\displaystyle`, colours, `$`) are gone.

Not covered: macros defined in the text, `\newcommand`, alignment outside matrices.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from verifier.math.units import canonical

MAX_CHARS = 4_000
"""Longest text read as an answer. Nothing longer can be the final answer to a short
question, and all later costs are bounded by it."""

MAX_TOKENS = 3_000
"""A tree of more tokens is never a readable answer; bounds the parser's loop."""


class ParseError(ValueError):
    """The text is not mathematics this parser can read. The message says where or why."""


class Token(NamedTuple):
    kind: str
    """num, cmd, word, text, op or end."""
    text: str
    gap: bool
    """White space stood before it."""


# ---------------------------------------------------------------- Unicode

_UNICODE = {
    "×": r"\times ", "⋅": r"\cdot ", "·": r"\cdot ", "∙": r"\cdot ", "÷": r"\div ", "−": "-",
    "–": "-", "—": "-", "‐": "-", "‑": "-", "±": r"\pm ", "∓": r"\mp ", "√": r"\sqrt ",
    "∛": r"\sqrt[3]", "∜": r"\sqrt[4]", "π": r"\pi ", "∞": r"\infty ", "≤": r"\le ",
    "≥": r"\ge ", "≦": r"\le ", "≧": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≠": r"\ne ",
    "≈": r"\approx ", "≃": r"\approx ", "≡": r"\equiv ", "∈": r"\in ", "∉": r"\notin ",
    "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∅": r"\emptyset ", "ø": r"\emptyset ",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}",
    "ℂ": r"\mathbb{C}", "°": r"^\circ ", "º": r"^\circ ", "′": "'", "’": "'", "‘": "'",
    "…": r"\ldots ", "⋯": r"\ldots ", "→": r"\to ", "⌊": r"\lfloor ", "⌋": r"\rfloor ",
    "⌈": r"\lceil ", "⌉": r"\rceil ", "⟨": r"\langle ", "⟩": r"\rangle ", "〈": r"\langle ",
    "〉": r"\rangle ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ", "∶": ":", "∣": "|",
    "、": ",", "。": ".", "《": "<", "》": ">", "【": "[", "】": "]", "或": r"\text{ or }",
    "和": r"\text{ and }", "且": r"\text{ and }", "∧": r"\text{ and }", "∨": r"\text{ or }",
    "€": r"\euro ", "£": r"\pounds ", "¥": r"\yen ", "￥": r"\yen ", "％": "%", "∠": r"\angle ",
    "△": r"\triangle ", "⁄": "/", "∕": "/", "“": '"', "”": '"', "ℯ": "e", "ⅈ": "i", "ⅇ": "e",
    "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u2061": "", "\u2062": "",
    "\u2063": ",", "\u202e": "", "\u202c": "", "\u200e": "", "\u200f": "",
}  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu",
    "ξ": "xi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ϕ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_UNICODE |= {letter: f"\\{name} " for letter, name in _GREEK.items()}
_SUPER = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣ", "0123456789+-()nix", strict=True))
_SUB = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙₖₓ", "0123456789+-nkx", strict=True))
_SUPER_RUN = re.compile("[" + "".join(_SUPER) + "]+")
_SUB_RUN = re.compile("[" + "".join(_SUB) + "]+")
# Units and counters stand bare behind a number in Chinese: 220元, 6天.
_HAN_AFTER_VALUE = re.compile(r"(?<=[\d})])[ ]?((?:(?![或和且])[\u4e00-\u9fff])+)")
_ROOT_OF = re.compile(r"√\s*(\d+(?:\.\d+)?|[A-Za-zπ])")


def ascii_math(text: str) -> str:
    """The text with Unicode mathematics written as ASCII and LaTeX."""
    if text.isascii():
        return text
    text = _HAN_AFTER_VALUE.sub(r"\\text{\1}", text)
    text = _ROOT_OF.sub(r"\\sqrt{\1}", text)
    text = _SUPER_RUN.sub(lambda m: "^{" + "".join(_SUPER[c] for c in m.group()) + "}", text)
    text = _SUB_RUN.sub(lambda m: "_{" + "".join(_SUB[c] for c in m.group()) + "}", text)
    return "".join(char if char.isascii() else _one(char) for char in text)


def _one(char: str) -> str:
    known = _UNICODE.get(char)
    if known is not None:
        return known
    plain = unicodedata.normalize("NFKC", char)
    if len(plain) == 3 and plain[1] == "⁄":  # ½ ¾ ⅓
        return rf"\frac{{{plain[0]}}}{{{plain[2]}}}"
    if plain.isascii():
        if unicodedata.category(char) == "No":  # ① ⑫ stand alone, not beside other digits
            return f" {plain.strip('().')} "
        return plain
    return _UNICODE.get(plain, char)


# ---------------------------------------------------------------- cleaning

_DOUBLED = re.compile(
    r"\\\\(?=(?:[dtc]?frac|left|right|sqrt|text|pi|cdot|times|begin|le|ge|in|infty)(?![a-z]))"
)
_SINGLE = re.compile(r"(?<!\\)\\(?=[A-Za-z])")
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|,\\!\s*|\\,|\\;|~|\{\s\}|\\ )(?=\d{3}(?!\d))")
_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|q?quad(?=[a-z]?(?![A-Za-z]))|(?:display|text|script)style|(?:no)?limits|"
    r"[hv]space\{[^}]*\}|left(?![a-z])\.?|right(?![a-z])\.?|middle(?![a-z])|"
    r"[bB]igg?[lr]?(?![A-Za-z])|left(?=[\\(\[|])|right(?=[\\)\]|])|phantom(?:\{[^}]*\})?|noindent|"
    r"newline|hfill|strut|(?:text)?color\{[^}]*\}|color\[[^\]]*\]|mathstrut|nonumber)|~"
)
_TRAILING = re.compile(r"(?<!\\)(?:\\\\)*\\\s*$")  # a lone backslash at the end
_ORDINAL = re.compile(
    r"\s*(\d+)\s*(?:\^|\\textsuperscript)?\s*(?:\{\s*)?(?:\\(?:text|textrm|mathrm|rm)\b\s*)?"
    r"(?:\{\s*)?(?:st|nd|rd|th)\s*\}?\s*\}?\s*"
)
_MARKS = re.compile(r"\\?\"|(?<!\\)\$|\\[()\[\]](?![a-z])|\*\*(?=\s*$)|^\s*\*\*(?!\*)")


def clean(text: str) -> str:
    r"""The text without marks that carry no meaning. Idempotent on what it gives."""
    text = ascii_math(text)
    if not text.isprintable():
        # "\\frac" that lost its escape became a form feed and "rac".
        text = text.replace("\\\x0c", "\\f").replace("\x0c", "\\f").replace("\x00", "")
    if "\\\\" in text and _DOUBLED.search(text):
        if not _SINGLE.search(text):
            text = text.replace("\\\\", "\\")  # the whole answer is escaped twice
        elif "&" not in text and "begin" not in text:
            text = _DOUBLED.sub(r"\\", text)
    text = _THOUSANDS.sub("", text)
    text = _MARKS.sub(" ", text)
    text = _SPACING.sub(" ", text)
    ordinal = _ORDINAL.fullmatch(text)
    if ordinal:  # 11th, 11^{\mathrm{th}}: which one is asked for, the number says
        return ordinal.group(1)
    return _TRAILING.sub("", text).strip()


# ---------------------------------------------------------------- tokens

_TOKEN = re.compile(
    r"""(?P<gap>\s+)
  | (?P<num>\d+(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][+-]?\d+(?![A-Za-z\d]))?|\.\d+)
  | (?P<cmd>\\(?:[A-Za-z]+|.))
  | (?P<word>[A-Za-z]+)
  | (?P<op>\*\*|<=|>=|=<|=>|!=|==|->|\.\.\.+|[-+*/^_=<>(){}\[\]|,;:!%&'.?"@#$])
  | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_COMMA = re.compile(r",")


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


FUNCTIONS = word_set(
    """
    sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech
    csch arcsinh arccosh arctanh asin acos atan asinh acosh atanh ln log lg exp sqrt cbrt abs max
    min gcd lcm floor ceil det sgn sign Re Im arg re im tg ctg arctg cosec erf deg sinc Arcsin
    Arccos Arctan Res tr rank dim ker Var round
    """
)
"""Names of functions that may stand without a backslash."""

TEXT_COMMANDS = frozenset(
    ("text", "mbox", "textbf", "textit", "textrm", "textnormal", "textsf", "texttt", "hbox",
     "mathrm", "rm", "mathbf", "bf", "mathit", "mathsf", "mathtt", "boldsymbol", "bm",
     "operatorname", "mathop", "emph", "underline", "mathcal", "mathscr", "vec", "hat",
     "overrightarrow", "widehat", "tilde", "mathfrak", "mathnormal", "pmb", "textup",
     "textsc", "em", "boxed", "fbox")
)  # fmt: skip
"""Commands around words or letters whose own look carries no meaning here."""


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
            if brackets > 0:
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


_MATH_INSIDE = re.compile(
    r"[\d\s.,+\-*/=()^_\\{}<>|!%:]*(?:(?<![A-Za-z])[A-Za-z](?![A-Za-z])[\d\s.,+\-*/=()^_\\{}<>|!%:]*)*"
)
MAX_WRAPPERS = 8
r"""`\mathrm{\text{...}}` nested deeper is hostile, not writing."""


def _wrapped(
    text: str, at: int, end: int, name: str, gap: bool, tokens: list[Token], nesting: int
) -> int:
    """Reads the argument of a text command; returns where it ends."""
    while at < end and text[at] == " ":
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
    if depth:
        raise ParseError("a brace is not closed")
    inner = text[at + 1 : stop - 1]
    words = inner.strip().strip(",;. ")
    if tokens and (tokens[-1].kind == "num" or tokens[-1].text in ")}") and canonical(inner)[1]:
        tokens.append(Token("text", words, True))  # `5\text{ m}`: the unit, not a name
        return stop
    if words in FUNCTIONS or (name == "operatorname" and words.isalpha()):
        tokens.append(Token("word", words, gap))
        return stop
    if nesting >= MAX_WRAPPERS:
        raise ParseError(f"more than {MAX_WRAPPERS} wrappers inside each other")
    if name == "operatorname" or "\\" in inner or _MATH_INSIDE.fullmatch(inner):
        if inner.strip():
            tokens.append(Token("op", "{", gap))
            _scan(text, at + 1, stop - 1, tokens, nesting + 1)
            tokens.append(Token("op", "}", False))
    else:
        if inner.lstrip().startswith(","):
            tokens.append(Token("op", ",", gap))
        if words:
            tokens.append(Token("text", " ".join(words.split()), True))
    return stop
