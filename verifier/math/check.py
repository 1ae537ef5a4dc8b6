"""Whether a response answers as one of the references does.

The order of the steps, cheapest first: extract, compare as text, exactly, by
structure and numerically (all in `_decide`, pure and in this process), then
symbolically in a worker process for the parts nobody could tell.

Invariants:
- One verdict for every call; whatever cannot be told is UNDECIDED, never NO_MATCH.
- Nothing from a response is evaluated; every cost before the symbolic step is bounded
  by the limits of the modules called.
- Works in any thread, with or without an event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from verifier.math import words
from verifier.math.compare import Comparison
from verifier.math.extract import Extracted, boxed, extract
from verifier.math.policy import MathPolicy, Outcome, Tier
from verifier.math.symbolic import TIMEOUT_S, SymbolicWorkers
from verifier.math.syntax.parser import parse
from verifier.math.syntax.tokens import MAX_CHARS, ParseError
from verifier.math.syntax.vocabulary import reads_as_word
from verifier.math.tree import Node, Num, Seq

CACHED_TEXTS = 4_096
"""Parsed references and answers kept: a group of samples repeats both. Trees of this
many short texts take at most some 100 MB, and usually 10."""

SHORT_CHARS = 256
CACHED_LONG = 64
"""Longer texts are rare and their trees large: few are kept."""

MAX_ROUNDS = 3
"""Times the structure is walked again with symbolic answers in hand."""

Known = Mapping[tuple[Node, Node], bool | None]


@dataclass(frozen=True, slots=True)
class MathVerdict:
    outcome: Outcome
    tier: Tier | None = None
    """The step that decided; None when none did."""
    extracted: str | None = None
    source: str = ""
    """boxed, answer_tag, hashes, answer_line, free_text, or "" without an answer."""
    start: int = 0
    end: int = 0
    """Code points [start, end) of the answer in the response."""
    gold: str = ""
    """The reference that matched, or the first one."""
    detail: str = ""
    """For a person: what was found, or which limit was met."""
    queued_s: float = 0.0
    """Seconds the check waited for a symbolic worker."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as far as it can be read without knowing what it is compared with."""

    text: str
    key: str
    words: str
    node: Node | None
    """The tree; None when it is not mathematics."""
    error: str
    """Why there is no tree."""
    letter: tuple[str, str] | None
    """As a multiple-choice answer: the letter and what follows it."""


@dataclass(frozen=True, slots=True)
class Decision:
    equal: bool | None
    tier: Tier | None
    detail: str = ""
    open: tuple[tuple[Node, Node], ...] = ()
    """Scalar pairs that would settle it."""


class MathVerifier:
    """Checks responses, with its own symbolic workers. Belongs to one event loop."""

    def __init__(
        self, workers: int = 1, symbolic_timeout_s: float = TIMEOUT_S, max_queued: int = 10_000
    ) -> None:
        self.workers = SymbolicWorkers(workers, symbolic_timeout_s, max_queued)

    async def check(
        self,
        gold: Sequence[str],
        response: str,
        policy: MathPolicy | None = None,
        budget_s: float | None = None,
    ) -> MathVerdict:
        """The verdict on a response.

        `budget_s` bounds the wall seconds of symbolic work, waiting excluded; the
        steps before take milliseconds. Raises ValueError without a reference, and
        QueueFullError when too many wait for the symbolic workers.
        """
        policy = policy or MathPolicy()
        if len(gold) <= 1:
            verdict, pending = judge(gold, response, policy)
        else:
            for found in judging(gold, response, policy):
                if found is None:
                    await asyncio.sleep(0)
                else:
                    verdict, pending = found
        if not pending:
            return verdict
        return await self._symbolically(verdict, pending, policy, budget_s)

    async def close(self) -> None:
        """Ends the worker processes."""
        await self.workers.close()

    async def _symbolically(
        self,
        verdict: MathVerdict,
        pending: list[Pending],
        policy: MathPolicy,
        budget_s: float | None,
    ) -> MathVerdict:
        known: dict[tuple[Node, Node], bool | None] = {}
        queued, failure = 0.0, ""
        left = budget_s
        for gold, answer, first in pending:
            await asyncio.sleep(0)
            decision = first
            for _ in range(MAX_ROUNDS):
                for pair in decision.open:
                    if pair in known or (left is not None and left <= 0):
                        continue
                    limit = (
                        self.workers.timeout_s
                        if left is None
                        else min(left, self.workers.timeout_s)
                    )
                    result = await self.workers.equal(*pair, timeout_s=limit)
                    queued += result.queued_s
                    left = None if left is None else left - result.ran_s
                    known[pair] = result.answer
                    failure = result.failure or failure
                decision = decide(gold, answer, policy, known)
                if decision.equal is not None or all(pair in known for pair in decision.open):
                    break
            if decision.equal is True:
                return replace(verdict, outcome=Outcome.MATCH, tier=decision.tier, gold=gold.text,
                               detail="", queued_s=queued)  # fmt: skip
            if decision.equal is None:
                outcome = Outcome.UNDECIDED
                if failure == "timeout" or (left is not None and left <= 0):
                    outcome, failure = Outcome.TIMEOUT, "timeout"
                elif failure == "died":
                    outcome = Outcome.FAILED
                verdict = replace(verdict, outcome=outcome, detail=_FAILURES[failure])
            elif verdict.tier is None:
                verdict = replace(
                    verdict, outcome=Outcome.NO_MATCH, tier=decision.tier, detail=decision.detail
                )
        return replace(verdict, queued_s=queued)


_FAILURES = {
    "": "no step can tell",
    "timeout": "the symbolic step was stopped at its time limit",
    "died": "the symbolic worker died twice",
}
Pending = tuple[Reading, Reading, Decision]


def judge(
    gold: Sequence[str], response: str, policy: MathPolicy
) -> tuple[MathVerdict, list[Pending]]:
    """All steps but the symbolic one: a verdict, and what is left to decide if anything."""
    if len(gold) == 1:  # nearly always: without the generator's turns
        verdict, readable, answer = _opened(gold, [reference(gold[0])], response, policy)
        if answer is None:
            return verdict, []
        one = readable[0]
        return _concluded(verdict, [(one, answer, decide(one, answer, policy))])
    for found in judging(gold, response, policy):
        if found is not None:
            return found
    raise AssertionError("no verdict")


def judging(
    gold: Sequence[str], response: str, policy: MathPolicy
) -> Iterator[tuple[MathVerdict, list[Pending]] | None]:
    """What `judge` finds, last; before it None after each reference, for an event loop
    to turn to others meanwhile."""
    references: list[Reading] = []
    for text in gold:
        references.append(reference(text))
        yield None
    verdict, readable, answer = _opened(gold, references, response, policy)
    if answer is None:
        yield verdict, []
        return
    decided: list[Pending] = []
    for one in readable:
        decided.append((one, answer, decide(one, answer, policy)))
        if decided[-1][2].equal:
            break
        yield None
    yield _concluded(verdict, decided)


def _opened(
    gold: Sequence[str], references: list[Reading], response: str, policy: MathPolicy
) -> tuple[MathVerdict, list[Reading], Reading | None]:
    """The references that can be read and the answer; a verdict instead of no answer."""
    if not gold:
        raise ValueError("no reference")
    found = extract(response, policy.free_text)
    readable = [one for one in references if not one.error or one.words]
    if not readable:
        unread = MathVerdict(Outcome.GOLD_UNPARSABLE, gold=gold[0], detail=references[0].error)
        return unread, [], None
    if found is None:
        detail = "the response marks no answer"
        return MathVerdict(Outcome.NO_ANSWER, gold=gold[0], detail=detail), [], None
    verdict = _verdict(found, gold[0])
    if not found.text.strip():
        detail = "the answer is empty"
        return replace(verdict, outcome=Outcome.NO_ANSWER, detail=detail), [], None
    if len(found.text) > MAX_CHARS:
        detail = f"the answer is longer than {MAX_CHARS} characters: {len(found.text)}"
        return replace(verdict, extracted=found.text[:200], detail=detail), [], None
    return verdict, readable, reading(found.text)


def _concluded(verdict: MathVerdict, decided: list[Pending]) -> tuple[MathVerdict, list[Pending]]:
    """The verdict on all references compared, and those left to the symbolic step."""
    one, _, last = decided[-1]
    if last.equal is True:
        return _with(verdict, Outcome.MATCH, last.tier, one.text, ""), []
    pending = [entry for entry in decided if entry[2].equal is None]
    if not pending:
        refused = decided[0][2]
        return _with(verdict, Outcome.NO_MATCH, refused.tier, verdict.gold, refused.detail), []
    detail = pending[0][2].detail or _FAILURES[""]
    verdict = _with(verdict, Outcome.UNDECIDED, None, verdict.gold, detail)
    return verdict, [entry for entry in pending if entry[2].open]


def _with(
    found: MathVerdict, outcome: Outcome, tier: Tier | None, gold: str, detail: str
) -> MathVerdict:
    """What `replace` would give, at a third of its time."""
    return MathVerdict(
        outcome, tier, found.extracted, found.source, found.start, found.end, gold, detail
    )


def _verdict(found: Extracted, gold: str) -> MathVerdict:
    return MathVerdict(
        Outcome.NO_MATCH, None, found.text, found.source, found.start, found.end, gold
    )


# ---------------------------------------------------------------- readings


@lru_cache(maxsize=CACHED_TEXTS)
def reference(text: str) -> Reading:
    """A reference, read once and kept; it may carry a box of its own."""
    if "boxed" in text or "fbox" in text:
        inner = boxed(text)
        if inner is not None:
            return replace(reading(inner), text=text)
    if not text.strip():
        return Reading(text, "", "", None, "the reference is empty", None)
    if len(text) > MAX_CHARS:
        error = f"the reference is longer than {MAX_CHARS} characters: {len(text)}"
        return Reading(text, "", "", None, error, None)
    return reading(text)


def reading(text: str) -> Reading:
    """A text as far as it can be read alone. `words` is empty for broken mathematics."""
    return _short(text) if len(text) <= SHORT_CHARS else _long(text)


def _read(text: str) -> Reading:
    node, error, plain = None, "", ""
    try:
        node = parse(words.without_preamble(text))
    except ParseError as problem:
        error = str(problem)
    if node is None:
        node = words.SETS_IN_WORDS.get(words.words(text))
        plain = words.compact(text) if words.reads_as_text(text) else ""
    else:
        plain = words.words(text)  # "odd" could be a product of names as well
        plain = words.compact(text) if plain.isalpha() and reads_as_word(plain) else ""
    return Reading(text, words.key(text), plain, node, error, words.choice(text))


_short = lru_cache(maxsize=CACHED_TEXTS)(_read)
_long = lru_cache(maxsize=CACHED_LONG)(_read)


# ---------------------------------------------------------------- deciding


def decide(
    gold: Reading, answer: Reading, policy: MathPolicy, known: Known | None = None
) -> Decision:
    """One reference against one answer: every step but the symbolic one."""
    if gold.key == answer.key:
        return Decision(True, Tier.STRING)
    quick = _plain_numbers(gold, answer)
    if quick is not None:
        return quick
    if gold.letter is not None:
        chosen = _choice(gold, answer)
        if chosen is not None:
            return chosen
    if gold.words and gold.words == answer.words:
        return Decision(True, Tier.STRING)
    if gold.node is None:
        return _texts(gold, answer)
    if answer.node is None:
        if answer.words and _spells(gold.text, answer.words):
            return Decision(True, Tier.STRING)
        if answer.words:
            return Decision(False, Tier.STRUCTURE, "words where mathematics is asked for")
        return Decision(None, None, f"the answer cannot be read: {answer.error}")
    return _trees(gold.node, answer, policy, known)


def _spells(text: str, word: str) -> bool:
    """A short name such as "Ada" was read as a product of letters; it may be a word."""
    plain = words.words(text)
    return len(plain) >= 3 and plain.isalpha() and words.compact(text) == word


def _plain_numbers(gold: Reading, answer: Reading) -> Decision | None:
    a, b = words.plain_number(gold.key), words.plain_number(answer.key)
    if a is None or b is None:
        return None
    if a == b:
        return Decision(True, Tier.EXACT)
    if words.shows_point(answer.key) or words.shows_point(gold.key):
        return None  # rounding is a matter of policy
    return Decision(False, Tier.EXACT)


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
    right = _same_letter(gold.text, letter, given)
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
    given = answer.words or words.compact(answer.text)
    return Decision(given == gold.words, Tier.STRING)


def _trees(gold: Node, answer: Reading, policy: MathPolicy, known: Known | None) -> Decision:
    assert answer.node is not None
    comparison = Comparison(policy, known)
    equal = comparison.equal(gold, answer.node)
    if equal is False and comparison.budget.spent:
        equal = None  # what was not told apart may have been taken for a difference
    if equal is False and isinstance(gold, Seq) and _may_be_list(answer):
        node = Seq("", "", tuple(Num(int(part)) for part in answer.key.split(",")))
        if Comparison(policy).equal(gold, node) is True:
            return Decision(True, Tier.STRUCTURE)
    detail = ""
    if comparison.point:
        place = ", ".join(
            f"{name} = {value:.6g}" for name, value in sorted(comparison.point.items())
        )
        detail = f"the values differ at {place}"
    if equal is None:
        return Decision(None, None, detail, tuple(comparison.open))
    return Decision(equal, comparison.tier, detail)


def _may_be_list(answer: Reading) -> bool:
    """`100,200` was read as one number and could be two."""
    parts = answer.key.split(",")
    if not isinstance(answer.node, Num) or len(parts) < 2:
        return False
    return all(part.isdigit() and (part == "0" or part[0] != "0") for part in parts)
