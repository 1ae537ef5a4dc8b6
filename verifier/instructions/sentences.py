"""How many sentences are there, as IFEval counts them? Pure, linear time.

IFEval asks NLTK's Punkt tokenizer with its English model, so these are Punkt's
decisions (Kiss and Strunk 2006, sections 4.1 to 4.3) with short word lists in
place of the trained model: a candidate is the last `.`, `?` or `!` of a word
that white space or punctuation follows; `?` and `!` always end a sentence; a
full stop does not after an abbreviation or dots unless a usual first word of
sentences follows, nor after a number before a small letter, nor after an
initial before a name. Closing quotes and brackets stay with the sentence before.

Kept as they are there: "1." of a numbered list ends a sentence, `e.g.` and
`etc.` do too (the model does not know them), and so does the first mark of "!!"
at the very end.

Not covered: the model's 20,000 words. After an abbreviation or an initial, a
capitalised word that is in neither list below counts as a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ABBREVIATIONS = _words(
    "mr mrs ms dr prof gen sen rep reps col lt maj adm messrs st jr sr "
    "inc co corp cos ltd bros cie "
    "jan feb aug sept sep oct nov dec tues wed fri "
    "ala ariz calif colo conn fla ga ill kan ky mich minn nev okla ore pa tenn va vt wash wis w.va "
    "u.s u.k u.n u.s.a u.s.s.r d.c n.y n.j n.c n.d n.h n.m s.c l.a r.i "
    "a.m p.m ph.d m.b.a vs v ave ft ct yr mg "
    "j.k j.r j.p j.j j.c j.b r.j t.j c d e f g h k l m n p r s t w"
)
"""Words that the model knows with a full stop. Other letters than these it takes for initials."""

OPENERS = _words(
    "although but does even finally he her here however i if in indeed instead it many meanwhile "
    "moreover most nevertheless nonetheless nor please remember separately similarly since so some "
    "soon still such the them there therefore these they this though thus together under were when "
    "whether which while without yes yet your"
)
"""Capitalised, these begin a sentence even after an abbreviation or dots."""

COMMON = OPENERS | _words(
    "a about after all also am an and another any are as at be because before by can could did do "
    "each every everyone first for from get go had has have his how is its just last let like make "
    "may maybe more my never next no not now of on once one only or other our out over perhaps "
    "second she should start than that their then those to today until up use was we well what "
    "where who why will with would write you "
    "brief conclusion introduction love open summary title"
)
"""No names: capitalised after an initial, these begin a sentence."""

_CUT = r"[?!)\";}\]*:@'({\[]"
_CANDIDATE = re.compile(rf"[.?!](?={_CUT})")
_CHUNK = re.compile(r"\S+")
_TOKEN = re.compile(
    r"--+|\.\.+"
    r"|[^(\"`{\[:;&#*@)}\]\-,]"
    rf"(?:(?!{_CUT}|--|\.\.|,(?:$|{_CUT}|--|\.\.)).)*+"
    r"|.",
    re.DOTALL,
)
_CLOSERS = re.compile(r"[\"')\]}]++(?:\s+|(?=--)|$)")
_PUNCTUATION = frozenset(";:,.!?")
_NUMBER = re.compile(r"-?[.,]?\d[\d,.-]*")


def count(text: str) -> int:
    """The sentences of a text that is not blank."""
    spans = []
    start = 0
    for stop, following in _breaks(text):
        spans.append((start, stop))
        start = following
    spans.append((start, len(text.rstrip())))
    moved = [0, *(_closers(text, *span) for span in spans[1:]), 0]
    return sum(
        start + own < stop or after > 0
        for (start, stop), own, after in zip(spans, moved, moved[1:], strict=False)
    )


def _closers(text: str, start: int, stop: int) -> int:
    """Characters at the start of a sentence that belong to the one before it."""
    found = _CLOSERS.match(text, start, stop)
    return found.end() - start if found else 0


def _breaks(text: str) -> Iterator[tuple[int, int]]:
    """Where sentences end, and where the one after each begins."""
    chunks = _CHUNK.finditer(text)
    chunk = next(chunks, None)
    while chunk is not None:
        following = next(chunks, None)
        word, start = chunk.group(), chunk.start()
        if following is not None and word[-1] in ".?!":
            if _splits(word, following.group()):
                yield chunk.end(), following.start()
        elif inner := list(_CANDIDATE.finditer(word)):
            end = inner[-1].end()
            if _splits(word[:end], word[end]):
                yield start + end, start + end
        chunk = following


def _splits(word: str, following: str) -> bool:
    """Whether a sentence ends anywhere before the last token of the two."""
    if word[-1] in "?!":
        return True
    tokens = _TOKEN.findall(word) + _TOKEN.findall(following)
    return any(_ends(token, after) for token, after in pairwise(tokens))


def _ends(token: str, following: str) -> bool:
    """Whether a sentence ends with a token, before the one that follows."""
    if token in {".", "?", "!"}:
        return True
    if not token.endswith("."):
        return False
    after = following.rstrip(".").lower()
    capital, small = following[0].isupper(), following[0].islower()
    if token.strip(".") == "":
        return capital and after in OPENERS
    known = token[:-1].lower()
    abbreviation = known in ABBREVIATIONS or known.rpartition("-")[2] in ABBREVIATIONS
    if len(token) == 2 and token[0].isalpha():
        name = capital and after not in COMMON
        return not (abbreviation or small or name or following in _PUNCTUATION)
    if abbreviation:
        return capital and after in OPENERS
    if _NUMBER.fullmatch(token):
        return not (small or following in _PUNCTUATION)
    return True
