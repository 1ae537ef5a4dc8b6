r"""Text without marks that carry no meaning: spacing, `\left`, `\displaystyle`, colours, `$`.

Invariant: linear in the text.
"""

from __future__ import annotations

import re

from verifier.math.syntax.unicode import ascii_math

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
