"""One reference against one answer: every step but the symbolic one, cheapest first.

text -> plain numbers -> letters and words -> the trees

Pure. A decision that took trees is kept, so that identical pairs are decided once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from verifier.math import words
from verifier.math.compare.comparison import Comparison
from verifier.math.numeric import Point
from verifier.math.policy import MathPolicy, Tier
from verifier.math.reading import Reading
from verifier.math.tree import Node, Num, Seq

CACHED_DECISIONS = 16_384
"""Pairs kept: the batches of an hour repeat their references and wrong answers."""

Known = Mapping[tuple[Node, Node], bool | None]
"""Scalar pairs that the symbolic step has settled."""


@dataclass(frozen=True, slots=True)
class Decision:
    equal: bool | None
    tier: Tier | None
    detail: str = ""
    open: tuple[tuple[Node, Node], ...] = ()
    """Scalar pairs that would settle it."""
    point: Point | None = None
    """Values of the symbols at which the two sides differ."""


_SAME_TEXT = Decision(True, Tier.STRING)
_SAME_NUMBER = Decision(True, Tier.EXACT)
_OTHER_NUMBER = Decision(False, Tier.EXACT)


def decide(
    gold: Reading, answer: Reading, policy: MathPolicy, known: Known | None = None
) -> Decision:
    """Whether the answer says what the reference says; `equal` is None when open."""
    if gold.key == answer.key:
        return _SAME_TEXT
    if gold.number is not None and answer.number is not None:
        if gold.number == answer.number:
            return _SAME_NUMBER
        if not (words.shows_point(answer.key) or words.shows_point(gold.key)):
            return _OTHER_NUMBER  # with a point, rounding is a matter of policy
    if known:
        return _beyond_text(gold, answer, policy, known)
    return kept_decision(gold, answer, policy)


@lru_cache(maxsize=CACHED_DECISIONS)
def kept_decision(gold: Reading, answer: Reading, policy: MathPolicy) -> Decision:
    return _beyond_text(gold, answer, policy, None)


def _beyond_text(
    gold: Reading, answer: Reading, policy: MathPolicy, known: Known | None
) -> Decision:
    if gold.letter is not None:
        chosen = _choice(gold, answer)
        if chosen is not None:
            return chosen
    if gold.words and gold.words == answer.words:
        return _SAME_TEXT
    if gold.node is None:
        return _texts(gold, answer)
    if answer.node is None:
        if answer.words and _spells(gold.body, answer.words):
            return _SAME_TEXT
        if answer.words:
            return Decision(False, Tier.STRUCTURE, "words where mathematics is asked for")
        return Decision(None, None, f"the answer cannot be read: {answer.error}")
    return _trees(gold.node, answer.node, answer.key, policy, known)


def _spells(text: str, word: str) -> bool:
    """A short name such as "Ada" was read as a product of letters; it may be a word."""
    plain = words.words(text)
    return len(plain) >= 3 and plain.isalpha() and words.compact(text) == word


def _choice(gold: Reading, answer: Reading) -> Decision | None:
    """By letter where the reference is one; None when the answer is something else."""
    assert gold.letter is not None
    letter, rest = gold.letter
    if answer.letter is None:
        return None
    given, after = answer.letter
    several = words.sprayed(given, after)
    if several:
        return Decision(False, Tier.STRUCTURE, "more than one letter")
    right = _same_letter(gold.body, letter, given)
    if right is False and rest:
        return None
    if right and several is None:
        return Decision(None, None, "the answer names more than one letter")
    return None if right is None else Decision(right, Tier.STRUCTURE)


def _same_letter(text: str, letter: str, given: str) -> bool | None:
    if letter == given:
        return True
    marked = "text" in text or "(" in text or "." in text or ")" in text
    if (letter.isupper() and letter <= "J") or marked:
        return letter.lower() == given.lower()
    return None


def _texts(gold: Reading, answer: Reading) -> Decision:
    """A reference in words against whatever was answered."""
    if not gold.words:
        return Decision(None, None, gold.error)
    given = answer.words or words.compact(answer.body)
    return Decision(given == gold.words, Tier.STRING)


def _trees(gold: Node, answer: Node, key: str, policy: MathPolicy, known: Known | None) -> Decision:
    comparison = Comparison(policy, known)
    equal = comparison.equal(gold, answer)
    if equal is False and comparison.budget.spent:
        equal = None  # what was not told apart may have been taken for a difference
    if equal is False and isinstance(gold, Seq) and _may_be_list(answer, key):
        node = Seq("", "", tuple(Num(int(part)) for part in key.split(",")))
        if Comparison(policy).equal(gold, node) is True:
            return Decision(True, Tier.STRUCTURE)
    if equal is None:
        return Decision(None, None, "", tuple(comparison.open))
    if equal:
        return Decision(True, comparison.tier)
    detail, point = "", comparison.point
    if point:
        place = ", ".join(f"{name} = {float(at):.6g}" for name, at in sorted(point.items()))
        detail = f"the values differ at {place}"
    return Decision(False, comparison.tier, detail, (), point)


def _may_be_list(answer: Node, key: str) -> bool:
    """`100,200` was read as one number and could be two."""
    parts = key.split(",")
    if not isinstance(answer, Num) or len(parts) < 2:
        return False
    return all(part.isdigit() and (part == "0" or part[0] != "0") for part in parts)
