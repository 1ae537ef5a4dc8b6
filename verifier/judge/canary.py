"""Canaries: questions with a known verdict, asked among the real ones, so that what a judge's
verdicts are worth is known while it gives them.

Which items bring a canary along is decided by the hash of their content: the same items always do.
A canary's seed comes from there too, so that a cache does not answer for the judge. It sets out
when its item is done, which so never waits for it. A failure of the judge is counted as that; the
accuracy is of verdicts alone, and apart for answers that are right and wrong, since a judge that
says yes to everything is right about half.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import deque
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from prometheus_client import Counter, Gauge

from verifier.judge import modes
from verifier.judge.modes import Judge

RATE = 0.01
"""Of judged items: one more query in a hundred or, with four queries an item, in four hundred."""
WINDOW = 200
"""Newest verdicts that the accuracy is of: its standard error is then at most 3.5 points."""
MOST_OUT = 64
"""Canaries at once: a judge that is so far behind gets no more of them."""

CANARIES = Counter(
    "touchstone_judge_canaries",
    "Canaries asked, by the true verdict and the outcome: right, wrong or failed.",
    ("truth", "outcome"),
)
ACCURACY = Gauge(
    "touchstone_judge_canary_accuracy",
    "Share of the newest canaries' verdicts that were right, by the true verdict.",
    ("truth",),
    multiprocess_mode="livemin",
)


@dataclass(frozen=True)
class Canary:
    """A REFERENCE case: whether the answer is correct is known."""

    question: str
    reference: str
    answer: str
    truth: str
    """`correct` or `incorrect`."""


@cache
def known() -> tuple[Canary, ...]:
    """The cases of canaries.json."""
    text = resources.files("verifier.judge").joinpath("canaries.json").read_text(encoding="utf-8")
    return tuple(Canary(**case) for case in json.loads(text))


@dataclass(frozen=True)
class Due:
    """A canary to be asked, and the seed to ask it with."""

    canary: Canary
    seed: int


@dataclass
class Canaries:
    """Says which items bring a canary along, asks it, and keeps count. Close it when done."""

    rate: float = RATE
    _out: set[asyncio.Task[bool | None]] = field(default_factory=set)
    _verdicts: dict[str, deque[bool]] = field(default_factory=dict)

    def due(self, content: str) -> Due | None:
        """The canary that an item with this content brings along; None for most."""
        digest = hashlib.sha256(content.encode(errors="surrogatepass")).digest()
        drawn, place, seed = (int.from_bytes(digest[at : at + 4], "big") for at in (0, 4, 8))
        if drawn >= self.rate * 2**32:
            return None
        cases = known()
        return Due(cases[place % len(cases)], seed >> 1)

    def start(self, content: str, judge: Judge, temperature: float) -> None:
        """Sends out the canary that an item with this content brings along, where one is due."""
        due = self.due(content)
        if due is not None and len(self._out) < MOST_OUT:
            task = asyncio.create_task(self.ask(due, judge, temperature))
            self._out.add(task)
            task.add_done_callback(self._out.discard)

    async def close(self) -> None:
        """Ends those that are out."""
        for task in self._out:
            task.cancel()
        await asyncio.gather(*self._out, return_exceptions=True)

    async def ask(self, due: Due, judge: Judge, temperature: float) -> bool | None:
        """Whether the judge was right; None where it gave no verdict."""
        canary = due.canary
        query = modes.reference(canary.question, [canary.reference], canary.answer)
        done = await modes.put(judge, query, due.seed, temperature)
        if done.reading is None:
            CANARIES.labels(canary.truth, "failed").inc()
            return None
        right = done.reading.label == canary.truth
        CANARIES.labels(canary.truth, "right" if right else "wrong").inc()
        self._verdicts.setdefault(canary.truth, deque(maxlen=WINDOW)).append(right)
        ACCURACY.labels(canary.truth).set(self.accuracy(canary.truth) or 0.0)
        return right

    def accuracy(self, truth: str) -> float | None:
        """Of the newest verdicts on canaries of this truth; None before the first."""
        verdicts = self._verdicts.get(truth)
        return sum(verdicts) / len(verdicts) if verdicts else None
