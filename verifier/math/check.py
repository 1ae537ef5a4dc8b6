"""Whether a response answers as one of the references does.

Control flow: extract the answer, read both sides, `decide` (pure, in this process),
then hand the scalar pairs that nobody could tell to symbolic workers.

Invariants:
- One verdict for every call; whatever cannot be told is UNDECIDED, never NO_MATCH.
- Nothing from a response is evaluated; every cost before the symbolic step is bounded
  by the limits of the modules called.
- Works in any thread, with or without an event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from verifier.kept.once import Kept
from verifier.math import countdown
from verifier.math.decide import Decision, decide
from verifier.math.extract import Extracted, extract, why_none
from verifier.math.numeric import Point
from verifier.math.policy import MathPolicy, Outcome, Tier
from verifier.math.reading import Reading, reading, reference
from verifier.math.symbolic import TIMEOUT_S, SymbolicWorkers
from verifier.math.syntax.tokens import MAX_CHARS
from verifier.math.tree import Node

LONG_ANSWER = 400
"""Characters above which an answer is read and compared in a thread: one of 4,000 can take 50 ms,
and the answers that are asked for have a few dozen."""

LONG_RESPONSE = 65_536
"""Characters above which the answer is looked for in a thread: the event loop serves
everybody, and extraction takes a millisecond for as much."""

MAX_ROUNDS = 3
"""Times the structure is walked again with symbolic answers in hand."""


@dataclass(frozen=True, slots=True)
class MathVerdict:
    outcome: Outcome
    tier: Tier | None = None
    """The step that decided; None when none did."""
    extracted: str | None = None
    source: str = ""
    """boxed, answer_tag, hashes, answer_line, whole, free_text, or "" without an answer."""
    start: int = 0
    end: int = 0
    """Code points [start, end) of the answer in the response."""
    gold: str = ""
    """The reference that matched, or the first one."""
    detail: str = ""
    """For a person: what was found, or which limit was met."""
    compared: tuple[Reading, Reading] | None = None
    """The reference and the answer as they were read."""
    point: Point = field(default_factory=dict)
    """Values of the symbols at which the two sides differ."""
    queued_s: float = 0.0
    """Seconds the check waited for a symbolic worker."""
    cache_hit: bool = False
    """All symbolic work that it took was done for somebody else."""

    @property
    def canonical_gold(self) -> str:
        """The reference in the form in which it was compared."""
        return self._canonical(0)

    @property
    def canonical_answer(self) -> str:
        """The answer in the form in which it was compared."""
        return self._canonical(1)

    def _canonical(self, side: int) -> str:
        if self.compared is None:
            return ""
        one = self.compared[side]
        return one.key if self.tier is Tier.STRING else one.canonical


class MathVerifier:
    """Checks responses, with its own symbolic workers. Belongs to one event loop."""

    def __init__(
        self,
        workers: int = 1,
        symbolic_timeout_s: float = TIMEOUT_S,
        max_queued: int = 10_000,
        file: Kept | None = None,
    ) -> None:
        """`file` keeps what the workers decide beyond this process."""
        self.workers = SymbolicWorkers(workers, symbolic_timeout_s, max_queued, file)
        self._turns = asyncio.Lock()

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
        policy = policy or DEFAULT_POLICY
        if len(response) > LONG_RESPONSE:
            verdict, pending = await asyncio.to_thread(judge, gold, response, policy)
        elif len(gold) <= 1:
            async with self._turns:
                await asyncio.sleep(0)
                try:
                    verdict, pending = judge(gold, response, policy, LONG_ANSWER)
                except LongAnswer:
                    verdict, pending = await asyncio.to_thread(judge, gold, response, policy)
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
        queued, left, hit = 0.0, budget_s, True
        refused = unsure = None
        for gold, answer, decision in pending:
            failure = ""
            for _ in range(MAX_ROUNDS if decision.open else 0):
                for pair in decision.open:
                    if pair in known or (left is not None and left <= 0):
                        continue
                    limit = self.workers.timeout_s
                    result = await self.workers.equal(
                        *pair, timeout_s=limit if left is None else min(left, limit)
                    )
                    queued += result.queued_s
                    hit = hit and result.kept
                    left = None if left is None else left - result.ran_s
                    known[pair] = result.answer
                    failure = result.failure or failure
                async with self._turns:  # one at a time: others are served in between
                    await asyncio.sleep(0)
                    decision = decide(gold, answer, policy, known)
                if decision.equal is not None or all(pair in known for pair in decision.open):
                    break
            if decision.equal is True:
                settled = _settled(verdict, gold, answer, decision)
                return replace(settled, queued_s=queued, cache_hit=hit and bool(known))
            if decision.equal is False:
                refused = refused or _settled(verdict, gold, answer, decision)
                continue
            if left is not None and left <= 0:
                failure = "timeout"
            found = replace(verdict, outcome=_OUTCOMES[failure], detail=_FAILURES[failure])
            unsure = unsure or found
        # One reference that nobody can tell leaves the whole open.
        hit = hit and bool(known)
        return replace(unsure or refused or verdict, queued_s=queued, cache_hit=hit)


DEFAULT_POLICY = MathPolicy()
_FAILURES = {
    "": "no step can tell",
    "timeout": "the symbolic step was stopped at its time limit",
    "died": "the symbolic worker died three times",
}
_OUTCOMES = {"": Outcome.UNDECIDED, "timeout": Outcome.TIMEOUT, "died": Outcome.FAILED}
Pending = tuple[Reading, Reading, Decision]


class LongAnswer(Exception):
    """The answer is longer than was to be looked at."""


def judge(
    gold: Sequence[str], response: str, policy: MathPolicy, longest: int | None = None
) -> tuple[MathVerdict, list[Pending]]:
    """All steps but the symbolic one: a verdict, and what is left to decide if anything.

    Raises LongAnswer for an answer of more than `longest` characters, before it is read.
    """
    for found in judging(gold, response, policy, longest):
        if found is not None:
            return found
    raise AssertionError("no verdict")


def judging(
    gold: Sequence[str], response: str, policy: MathPolicy, longest: int | None = None
) -> Iterator[tuple[MathVerdict, list[Pending]] | None]:
    """What `judge` finds, last; before it None after each reference that did not match,
    for an event loop to turn to others meanwhile."""
    if isinstance(gold, str) or not isinstance(response, str):
        kinds = type(gold).__name__, type(response).__name__
        raise TypeError(f"gold: a list of texts, response: a text; got {kinds[0]} and {kinds[1]}")
    if not gold:
        raise ValueError("no reference")
    found = extract(response, policy.free_text)
    answer = None
    if longest is not None and found is not None and len(found.text) > longest:
        raise LongAnswer
    if found is not None and found.text.strip() and len(found.text) <= MAX_CHARS:
        answer = reading(found.text)
    if policy.numbers:
        yield _counted_down(gold, found, response, policy), []
        return
    decided: list[Pending] = []
    unread = ""
    for text in gold:
        if answer is not None and len(text) <= MAX_CHARS:
            as_written = reading(text)
            if as_written.key == answer.key and answer.key:
                decided = [(as_written, answer, decide(as_written, answer, policy))]
                break
        one = reference(text)
        if not one.readable:
            unread = unread or one.error
        elif answer is not None:
            decided.append((one, answer, decide(one, answer, policy)))
            if decided[-1][2].equal:
                break
        else:
            decided.append((one, one, _NOTHING))  # what was asked for is understood
            break
        yield None
    if not decided:
        yield MathVerdict(Outcome.GOLD_UNPARSABLE, gold=gold[0], detail=unread), []
    elif answer is None:
        yield _no_answer(found, gold[0], response), []
    else:
        assert found is not None
        yield _concluded(found, gold[0], decided)


_NOTHING = Decision(None, None)


def _counted_down(
    gold: Sequence[str], found: Extracted | None, response: str, policy: MathPolicy
) -> MathVerdict:
    """The verdict on an answer that must be built from the policy's numbers."""
    targets = [
        (one, at) for one in map(reference, gold) if (at := countdown.value(one)) is not None
    ]
    if not targets:
        detail = f"with math.policy.numbers a rational number, got {gold[0][:40]!r}"
        return MathVerdict(Outcome.GOLD_UNPARSABLE, gold=gold[0], detail=detail)
    if found is None or not found.text.strip() or len(found.text) > MAX_CHARS:
        return _no_answer(found, gold[0], response)
    tried = [(one, *countdown.judged(found.text, policy.numbers, at)) for one, at in targets]
    target, wrong, value = next((each for each in tried if not each[1]), tried[0])
    return replace(
        _undecided(found, gold[0] if wrong else target.text),
        outcome=Outcome.NO_MATCH if wrong else Outcome.MATCH,
        tier=Tier.EXACT,
        detail=wrong,
        compared=None if value is None else (target, reading(str(value))),
    )


def _no_answer(found: Extracted | None, gold: str, response: str) -> MathVerdict:
    if found is None:
        return MathVerdict(Outcome.NO_ANSWER, gold=gold, detail=why_none(response))
    verdict = _undecided(found, gold)
    if not found.text.strip():
        return replace(verdict, outcome=Outcome.NO_ANSWER, detail="the answer is empty")
    detail = f"the answer is longer than {MAX_CHARS} characters: {len(found.text)}"
    return replace(verdict, outcome=Outcome.NO_MATCH, extracted=found.text[:200], detail=detail)


def _concluded(
    found: Extracted, first_gold: str, decided: list[Pending]
) -> tuple[MathVerdict, list[Pending]]:
    """The verdict on all references compared, and those left to the symbolic step."""
    if decided[-1][2].equal is True:
        return _told(found, first_gold, *decided[-1]), []
    pending = [entry for entry in decided if entry[2].equal is None]
    if not pending:
        return _told(found, first_gold, *decided[0]), []
    gold, answer, first = pending[0]
    verdict = replace(
        _undecided(found, first_gold),
        compared=(gold, answer),
        detail=first.detail or _FAILURES[""],
    )
    return verdict, pending if any(entry[2].open for entry in pending) else []


def _undecided(found: Extracted, gold: str) -> MathVerdict:
    return MathVerdict(
        Outcome.UNDECIDED, None, found.text, found.source, found.start, found.end, gold
    )


def _told(
    found: Extracted, first_gold: str, gold: Reading, answer: Reading, decision: Decision
) -> MathVerdict:
    """A verdict that one comparison decided."""
    return MathVerdict(
        Outcome.MATCH if decision.equal else Outcome.NO_MATCH,
        decision.tier,
        found.text,
        found.source,
        found.start,
        found.end,
        gold.text if decision.equal else first_gold,
        decision.detail,
        (gold, answer),
        decision.point or {},
    )


def _settled(
    verdict: MathVerdict, gold: Reading, answer: Reading, decision: Decision
) -> MathVerdict:
    """An open verdict that the symbolic step has decided."""
    return replace(
        verdict,
        outcome=Outcome.MATCH if decision.equal else Outcome.NO_MATCH,
        tier=decision.tier,
        gold=gold.text if decision.equal else verdict.gold,
        detail=decision.detail,
        compared=(gold, answer),
        point=decision.point or {},
    )
