"""One reference against one answer: every step but the symbolic one, cheapest first.

text -> plain numbers -> letters, labelled parts and words -> the trees

Pure. A decision that took trees is kept, so that identical pairs are decided once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from verifier.math import phrases, words
from verifier.math.choices import same_selection, sprayed
from verifier.math.compare.comparison import MAX_OPEN, Comparison
from verifier.math.numeric import Point
from verifier.math.parts import Parts, without_places
from verifier.math.policy import MathPolicy, Tier
from verifier.math.reading import Reading, reading
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
    if gold.selection is not None and answer.selection is not None:
        same = same_selection(gold.selection, answer.selection)
        if same or (same is False and gold.selection.kind != "letters"):
            return Decision(same, Tier.STRUCTURE)
    if gold.selection is not None and gold.selection.kind == "letters" and _one_of(answer):
        return Decision(False, Tier.STRUCTURE, "one of several letters")
    by_part = _parts(gold, answer, policy, known)
    if by_part is not None:
        return by_part
    found = _plainly(gold, answer, policy, known)
    if found.equal is not True:
        for first, second in _beside_letters(gold, answer):
            value = _plainly(first, second, policy, known)
            if value.equal or (value.equal is None and value.open):
                return value
    return found


def _one_of(answer: Reading) -> bool:
    node = answer.node
    return isinstance(node, Seq) and node.joined == "or"


def _plainly(gold: Reading, answer: Reading, policy: MathPolicy, known: Known | None) -> Decision:
    """One thing against one thing: words, then trees."""
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
    return len(plain) >= 3 and plain.isalpha() and phrases.folded(text) == word


def _choice(gold: Reading, answer: Reading) -> Decision | None:
    """By letter where the reference is one; None when the answer is something else."""
    assert gold.letter is not None
    letter, rest = gold.letter
    if answer.letter is None:
        return None
    given, after = answer.letter
    several = sprayed(given, after)
    if several:
        return Decision(False, Tier.STRUCTURE, "more than one letter")
    right = _same_letter(gold.body, letter, given)
    if right is False and rest:
        return None
    if right and rest and after and _other_numbers(rest, after):
        return Decision(False, Tier.STRUCTURE, "the right letter with another value")
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


def _other_numbers(gold: str, answer: str) -> bool:
    first, second = reading(gold).number, reading(answer).number
    return first is not None and second is not None and first != second


def _beside_letters(gold: Reading, answer: Reading) -> Iterator[tuple[Reading, Reading]]:
    """The value beside an option letter, where the other side has no letter: (B) 7."""
    if gold.letter is None and answer.letter is not None:
        letter, value = answer.letter
        if value and sprayed(letter, value) is False:
            yield gold, reading(value)
    elif gold.letter is not None and answer.letter is None and gold.letter[1]:
        yield reading(gold.letter[1]), answer


# ---------------------------------------------------------------- parts


def _parts(
    gold: Reading, answer: Reading, policy: MathPolicy, known: Known | None
) -> Decision | None:
    """Part by part where one side has labelled parts; None when that cannot be said."""
    asked, given = gold.parts, answer.parts
    if asked is not None and given is not None:
        if {label for label, _ in without_places(asked)} != {
            label for label, _ in without_places(given)
        }:
            if len(asked) == len(given) == 1:
                return None  # f(x) for x > 0 and f(t) for t > 0
            return Decision(False, Tier.STRUCTURE, "the parts have other labels")
        answers = dict(given)
        pairs = [(part, answers[label]) for label, part in asked if label in answers]
        found = _each([(reading(a), reading(b)) for a, b in pairs], policy, known)
        # One label alone may be a name of another kind: C(5,2) is a point or a number.
        return None if found.equal is False and len(asked) == len(given) == 1 else found
    if asked is not None:
        one = _only(asked)
        if one is not None:
            return _one_part(one, answer, gold, policy, known)
        ordered = _in_order(without_places(asked), answer, policy, known, answers=True)
        return None if _may_be_domain(asked, ordered) else ordered
    if given is not None:
        one = _only(given)
        if one is not None:
            found = decide(gold, reading(one), policy, known)
            return found if found.equal or found.open else None
        ordered = _in_order(without_places(given), gold, policy, known, answers=False)
        return None if _may_be_domain(given, ordered) else ordered
    return None


def _may_be_domain(parts: Parts, found: Decision | None) -> bool:
    """A condition on one side alone may be the domain of what stands before it."""
    return found is not None and not found.equal and any(label == "when" for label, _ in parts)


def _only(parts: Parts) -> str | None:
    values = without_places(parts)
    return values[0][1] if len(values) == 1 else None


def _one_part(
    part: str, answer: Reading, gold: Reading, policy: MathPolicy, known: Known | None
) -> Decision | None:
    value = reading(part)
    if not value.readable:
        return None
    found = decide(value, answer, policy, known)
    return found if found.equal is not False or gold.node is None else None


def _in_order(
    parts: Parts, listed: Reading, policy: MathPolicy, known: Known | None, answers: bool
) -> Decision | None:
    """Labelled parts against a bare list of as many values, in the order of the labels."""
    node = listed.node
    if not isinstance(node, Seq) or node.open or len(node.items) != len(parts):
        return None
    values = [reading(part).node for _, part in parts]
    comparison = Comparison(policy, known)
    result: bool | None = True
    for value, item in zip(values, node.items, strict=True):
        if value is None:
            return None
        found = comparison.equal(*((value, item) if answers else (item, value)))
        if found is False:
            return None if comparison.budget.spent else Decision(False, Tier.STRUCTURE)
        result = result and found
    tier = comparison.tier if result else None
    return Decision(result, tier, "", () if result else tuple(comparison.open))


def _each(
    pairs: list[tuple[Reading, Reading]], policy: MathPolicy, known: Known | None
) -> Decision:
    """All pairs by the same steps: equal when every one is, else the first that is not."""
    undecided: list[Decision] = []
    for gold, answer in pairs:
        if not gold.readable:
            return Decision(None, None, f"a part of the reference cannot be read: {gold.error}")
        found = decide(gold, answer, policy, known)
        if found.equal is False:
            return found
        if found.equal is None:
            undecided.append(found)
    if not undecided:
        return Decision(True, Tier.STRUCTURE)
    pending = tuple(pair for found in undecided for pair in found.open)[:MAX_OPEN]
    return Decision(None, None, undecided[0].detail, pending if _all_open(undecided) else ())


def _all_open(undecided: list[Decision]) -> bool:
    """Whether the symbolic step could settle every part."""
    return all(found.open for found in undecided)


# ---------------------------------------------------------------- words and trees


def _texts(gold: Reading, answer: Reading) -> Decision:
    """A reference in words against whatever was answered."""
    if gold.words:
        return Decision(phrases.same(gold.body, answer.body), Tier.STRING)
    if gold.selection is not None and (answer.number is not None or answer.node is not None):
        return Decision(False, Tier.STRUCTURE, "no selection where one is asked for")
    return Decision(None, None, gold.error)


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
