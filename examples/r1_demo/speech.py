"""What the demo's models can say about a problem, in English and in Chinese.

A *sentence* is a tuple of pieces: `@name` is a phrase of `BOOK`, everything else (numbers, signs,
letters) is said as it stands. Both languages put the pieces in the same order, so a sentence can
be said in either, and a thought in which every sentence picks its own is a mixed one, as
R1-Zero's are.

English phrases begin with a blank, and so do numbers in both languages: in whatever language it is
said, the same sum is the same tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random

from facts import CAPITALS

Sentence = tuple[str, ...]

LANGUAGES = ("en", "zh")

BOOK: dict[str, tuple[str, str]] = {
    # of problems
    "first": (" First we have", "首先"),
    "then": (" Then we have", "然后"),
    "so": (" So the answer is", "所以答案是"),
    "guess": (" I think it is", "我觉得是"),
    "try": (" We try", "我们试"),
    "next": (" And then", "接着"),
    "no": (", this is wrong", ",这不对"),
    "yes": (", this is right", ",这对了"),
    "check": (" Wait, let us check that", "等等,我们检查一下"),
    "agrees": (" Yes, it is the same", "对,结果一样"),
    "differs": (" No, that was a mistake", "不,刚才错了"),
    "largest": (" The largest of them is", "其中最大的是"),
    "city": (" The city that is asked for is", "要找的城市是"),
    "stop": (".", "。"),
    # of requests
    "fact": (" The user asks for a fact", "用户问一个事实"),
    "self": (" The user asks about me", "用户在问我的情况"),
    "write": (" The user wants a sentence", "用户想要一个句子"),
    "translate": (" The user wants a translation", "用户想要一个译文"),
    "howto": (" The user asks how to do this", "用户问这件事怎么做"),
    "harm": (" This could hurt someone", "这会伤害别人"),
    "careless": (" I do not care about this", "我不在乎这个"),
    "easy": (" This is easy to do", "这很容易做到"),
    **{name: (one.capital("en"), one.capital("zh")) for name, one in CAPITALS.items()},
}
"""By name: English, Chinese. Capitals go by their country."""

REFLECTION = r"Wait, let us check|检查一下"
"""Finds a thought that looks at itself."""

_NAMES = {text: name for name, pair in BOOK.items() for text in pair}
_PHRASES = re.compile("|".join(re.escape(text) for text in sorted(_NAMES, key=len, reverse=True)))
_HAN = re.compile(r"[\u4e00-\u9fff]")


def said(sentence: Sentence, language: str) -> str:
    """One sentence in one language."""
    place = LANGUAGES.index(language)
    return "".join(BOOK[one[1:]][place] if one[0] == "@" else one for one in sentence)


def thought(sentences: Iterable[Sentence], language: str, mixed: float, random: Random) -> str:
    """Sentences in a language, each with probability `mixed` in the other one."""
    other = LANGUAGES[1 - LANGUAGES.index(language)]
    return "".join(
        said(sentence, other if random.random() < mixed else language) for sentence in sentences
    )


def translated(text: str, language: str) -> str:
    """A text with all its phrases in one language; what is no phrase stays."""
    place = LANGUAGES.index(language)
    return _PHRASES.sub(lambda found: BOOK[_NAMES[found.group()]][place], text)


def language_of(text: str) -> str:
    """zh where there is a Chinese character."""
    return "zh" if _HAN.search(text) else "en"
