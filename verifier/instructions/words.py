"""How many words, and how many of them in capitals, as IFEval counts them? Pure, linear time.

Words are runs of letters, digits and underscores. Words in capitals are tokens
of NLTK's word tokenizer (the Penn Treebank's rules) whose letters are all
capitals: punctuation parts them, a hyphen, slash or full stop inside does not,
and contractions are two, so that `DON'T` counts twice, and `NASA's` and "I" once.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")
_PARTING = re.compile(r"[«»“”„‘’`\"\s;@#$%&?!*\[\](){}<>\u2012-\u2015]|''|\.\.+|--|[:,](?!\d)")
# What is matched comes first and what stands before it after: so the search is fast. Of the
# words written as one, those in capitals alone can change the count.
_SECOND_HALF = re.compile(
    r"(?:'(?<=[^'\s]')(?:[sSmMdD]|ll|LL|re|RE|ve|VE)|n't(?<=[^'\s]n't)|N'T(?<=[^'\s]N'T))"
    r"(?=['.]*(?:\s|$))"
    r"|(?:NOT(?<=\bCANNOT)|ME(?<=\b(?:GIM|LEM)ME)|NA(?<=\bGONNA)|TA(?<=\bGOTTA)"
    r"|'YE(?<=\bD'YE)|'N(?<=\bMORE'N))\b|NA(?<=\bWANNA)(?=\s|$)"
)


def count(text: str) -> int:
    """All words."""
    return sum(1 for _ in _WORD.finditer(text))


def count_capital(text: str) -> int:
    """The words in capitals."""
    pieces = _SECOND_HALF.sub(r" \g<0>", _PARTING.sub(" ", text)).split()
    return sum(piece.isupper() for piece in pieces)
