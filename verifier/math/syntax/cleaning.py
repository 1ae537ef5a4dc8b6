r"""Text without marks that carry no meaning: spacing, `\left`, `\displaystyle`, colours, `$`.

Slips of whoever wrote or carried the text are mended here where they have one reading:
entities of HTML, Markdown around the answer, backslashes doubled or lost.

Invariant: linear in the text.
"""

from __future__ import annotations

import html
import re

from verifier.math.syntax.unicode import ascii_math

_DOUBLED = re.compile(
    r"\\\\(?=(?:[dtc]?frac|left|right|sqrt|text|pi|cdot|times|begin|le|ge|in|infty)(?![a-z]))"
)
_SINGLE = re.compile(r"(?<!\\)\\(?=[A-Za-z])")
_THOUSANDS = re.compile(
    r"(?<=\d)(?:\{,\}|,?(?:\\!)+\s*|(?:\\!)*(?:\\,|\\;|~|\{\s\}|\\ )"
    r"|(?<![.'^]\d)(?<![.'^]\d\d)'(?=\d{3}(?:'\d{3})*(?![\d'.])))(?=\d{3}(?!\d))"
)
_DECIMAL_COMMA = re.compile(r"(?<![\d.}])(\d+)\{,\}(\d+)(?![\d.]|\{,\})")
_BRACKET = re.compile(r"[(\[]|\\\{|\\l(?:angle|brace|brack)")
"""Between brackets a comma separates."""
_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|q?quad(?=[a-z]?(?![A-Za-z]))|(?:display|text|script)style|(?:no)?limits|"
    r"[hv]space\{[^}]*\}|left(?![a-z])\.?|right(?![a-z])\.?|middle(?![a-z])|"
    r"[bB]igg?[lr]?(?![A-Za-z])|left(?=[\\(\[|])|right(?=[\\)\]|])|phantom(?:\{[^}]*\})?|noindent|"
    r"ensuremath(?![A-Za-z])|"
    r"newline|hfill|strut|(?:text)?color\{[^}]*\}|color\[[^\]]*\]|mathstrut|nonumber)|~"
)
_RUN_OF_GAPS = re.compile(r"(?:(?:\\q?quad(?![A-Za-z])|\n)[ \t]*){2,}")
"""As one, so that the patterns below meet none twice."""
_APART = re.compile(
    r"(?<=[\w})!'\]])[.;]?[ \t]*(?:(?:\\q?quad(?![A-Za-z])|\n)[ \t]*){1,8}"
    r"(?=(?:\\?[A-Za-z]+(?:_(?:\w|\{\w{1,5}\}))?(?:\([A-Za-z]\))?|\([a-z](?:,\s?[a-z]){1,3}\))\s*"
    r"(?:[=<>]|\\(?:in|le|leq|leqslant|ge|geq|geqslant|ne|neq|approx)(?![A-Za-z])))"
)
r"""Where a comma belongs: `y=-2 \quad x=7`, or a new line."""
_VALUES_APART = re.compile(
    r"(?<=[\d})!])[ \t]*(?:\\q?quad(?![A-Za-z])[ \t]*){1,8}(?=-?\s?(?:\d|\\[dt]?frac|\\sqrt|\\pi))"
)
_TRAILING = re.compile(r"(?<!\\)(?:\\\\)*\\\s*$")  # a lone backslash at the end
MAX_ORDINAL = 40
"""Characters of `11^{\\text{th}}`; spaces between its parts may fall in many ways."""
_ORDINAL = re.compile(
    r"\s*(?:\\text\{\s*)?(\d+)\s*(?:\^|\\textsuperscript)?\s*(?:\{\s*)?"
    r"(?:\\(?:text|textrm|mathrm|rm)\b\s*)?(?:\{\s*)?(?:st|nd|rd|th)\s*\}?\s*\}?\s*\.?\s*"
)
_MARKS = re.compile(r"\\?\"|(?<!\\)\$|\\[()\[\]](?![a-z])|\*\*(?=\s*$)|^\s*\*\*(?!\*)|`")
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}\d{0,2}|#\d{1,6}|#x[0-9A-Fa-f]{1,5});")
_EMPHASIS = re.compile(r"\s*(\*{1,3}|__)(?![*_\s])(.*[^*_\s])\1[.\s]*", re.DOTALL)
_LOST_BACKSLASH = re.compile(
    r"(?<![\\A-Za-z])(?:[dtc]?frac|binom)(?=\s*(?:\{|\d\d))|(?<![\\A-Za-z])rac(?=\{)"
)
_FEET_INCHES = re.compile(r"\s*(\d+)\s?'\s?(\d+(?:\.\d+)?)\s?(?:\\?\"|'')\s*")
_HALF_DAY = re.compile(r"(?<![A-Za-z.])([AaPp])\. ?[mM](?![A-Za-z])\.?")
_SHORTENED = re.compile(r"(?<![A-Za-z])(sq|cu)\.\s{0,4}(?=[a-z]{1,12}(?![a-z]))")
_TEXT_OPENS = re.compile(r"\\(?:text|mbox|textbf|textrm|textit)\s*\{")
_CONTROLS = {"\x0c": "f", "\t": "t", "\x08": "b", "\r": "r"}
_UNESCAPED = re.compile(
    "\\\\?(?:(\x0c)(?=rac)|(\t)(?=ext|frac|imes|heta|an(?![a-z])|o(?![a-z]))|(\x08)(?=inom|egin|eta)"
    "|(\r)(?=ight|angle|ho))"
)


_ROW_SPACE = re.compile(r"\\\\\[-?[\d.]{1,6}\s?(?:pt|em|ex|mm|cm|in|bp|mu|sp)\]")


def clean(text: str) -> str:
    r"""The text without marks that carry no meaning. Idempotent on what it gives."""
    if "&" in text and ";" in text:
        text = _ENTITY.sub(lambda m: html.unescape(m.group()), text)
    text = ascii_math(text)
    if not text.isprintable():
        # "\frac" that lost its escape became a form feed and "rac".
        text = _UNESCAPED.sub(lambda m: "\\" + _CONTROLS[m.group()[-1]], text).replace("\x00", "")
    if "\\\\" in text and _DOUBLED.search(text):
        if not _SINGLE.search(text):
            text = text.replace("\\\\", "\\")  # the whole answer is escaped twice
        elif "&" not in text and "begin" not in text:
            text = _DOUBLED.sub(r"\\", text)
    if "\\\\[" in text:
        text = _ROW_SPACE.sub(r"\\\\", text)
    if "*" in text or "__" in text:
        inner = _EMPHASIS.fullmatch(text)
        text = inner.group(2) if inner else text
    if "rac" in text or "binom" in text:
        text = _LOST_BACKSLASH.sub(_with_backslash, text)
    if "{,}" in text and not _BRACKET.search(text):
        text = _DECIMAL_COMMA.sub(
            lambda m: m.group() if len(m.group(2)) == 3 else f"{m.group(1)}.{m.group(2)}", text
        )
    if ".m" in text or ".M" in text or ". m" in text:
        text = _HALF_DAY.sub(lambda m: m.group(1).lower() + "m", text)
    if "'" in text and (height := _FEET_INCHES.fullmatch(text)):
        return rf"{height.group(1)}\text{{ ft }}{height.group(2)}\text{{ in}}"
    if "q." in text or "u." in text:
        text = _SHORTENED.sub(r"\1 ", text)
    if "{:}" in text:
        text = text.replace("{:}", ":")
    if "$" in text and _TEXT_OPENS.search(text):
        text = _formulas_in_text(text)
    text = _THOUSANDS.sub("", text).replace("{,}", ",")
    if '"' in text and "\\circ" in text:
        text = text.replace('\\"', "''").replace('"', "''")  # seconds of an arc
    text = _MARKS.sub(" ", text)
    if "quad" in text or "\n" in text:
        text = _RUN_OF_GAPS.sub(lambda m: "\\quad " if "q" in m.group() else "\n", text)
        text = _VALUES_APART.sub(", ", _APART.sub(", ", text))
    text = _SPACING.sub(" ", text)
    ordinal = _ORDINAL.fullmatch(text) if len(text) <= MAX_ORDINAL else None
    if ordinal:  # 11th, 11^{\mathrm{th}}: which one is asked for, the number says
        return ordinal.group(1)
    return _TRAILING.sub("", text).strip()


def _with_backslash(match: re.Match[str]) -> str:
    return "\\frac" if match.group() == "rac" else "\\" + match.group()


def _formulas_in_text(text: str) -> str:
    r"""`\text{$m=8$ and $n=15$}` as `m=8\text{ and }n=15`."""
    parts: list[str] = []
    at = 0
    while True:
        opening = _TEXT_OPENS.search(text, at)
        if opening is None:
            return "".join(parts) + text[at:]
        end, depth = opening.end(), 1
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        inner = text[opening.end() : end - (not depth)].replace("\\$", "\x00").split("$")
        parts.append(text[at : opening.start()])
        if len(inner) < 3 or len(inner) % 2 == 0:
            parts.append(text[opening.start() : end])
        else:
            for place, part in enumerate(inner):
                part = part.replace("\x00", "\\$")
                parts.append(part if place % 2 else opening.group() + part + "}" if part else "")
        at = end
