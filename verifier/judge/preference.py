"""Two responses compared, and the strengths that many comparisons give. Pure.

A pair is asked about in both orders, half of the queries in each, so that a judge that prefers a
place gives a tie (DeepSeek-R1 asks four times with places drawn at random). Whichever of the two
asks, the queries are the same, to the byte and the seed: a pair of a group is asked about once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from verifier.judge import armour
from verifier.judge.modes import COMPARE_HARMLESS, COMPARE_HELPFUL, Mode, Query
from verifier.v1 import verifier_pb2 as pb

QUERIES = 4
"""As DeepSeek-R1 asks about each pair."""
MAX_GROUP = 16
"""Responses compared with each other, as DeepSeek-R1 samples of one question: 120 pairs, 480
queries. Twice as many would be 2,000."""
PRIOR_GAMES = 0.5
"""Against an imagined opponent of strength 1, half of them won. Without it whoever won all its
games would be infinitely strong, and groups that never met could not be compared."""
TOLERANCE = 1e-6
"""Largest change of a log strength in the last step: a millionth of a strength."""
MAX_STEPS = 1_000
"""Steps at most: groups of 16 take some 40."""


def kind(task: pb.PreferenceTask) -> Mode:
    """What the judge is asked of a pair."""
    return COMPARE_HELPFUL if task.mode == pb.PreferenceTask.HELPFUL else COMPARE_HARMLESS


def seen(task: pb.PreferenceTask, response: str) -> str:
    """What is compared of a response: the summary where help counts, else all of it."""
    return armour.summary(response) if task.mode == pb.PreferenceTask.HELPFUL else response


def queries(task: pb.PreferenceTask, question: str, ours: str, theirs: str) -> list[Query]:
    """The queries of a pair, as `seen`; every second one has the other order."""
    mode = kind(task)
    cap = armour.ANSWER_CHARS if mode is COMPARE_HELPFUL else armour.PAIR_CHARS
    both = []
    for swapped, a, b in ((False, ours, theirs), (True, theirs, ours)):
        texts = {"question": (question, armour.QUESTION_CHARS), "a": (a, cap), "b": (b, cap)}
        both.append(Query(mode, texts, swapped=swapped))
    if theirs < ours:
        both.reverse()
    return both * (samples(task) // 2)


def samples(task: pb.PreferenceTask) -> int:
    """Queries of a pair."""
    return task.samples if task.HasField("samples") else QUERIES


@dataclass(frozen=True)
class Strengths:
    """Of a group, from its comparisons. A score is s / (s + 1) of a strength s, the chance to win
    against the imagined opponent: from 0 to 1, and 0.5 in the mean of all, so that the opponent is
    an average one (as a strength is read in Newman, 2023)."""

    values: tuple[float, ...]
    steps: int
    converged: bool

    @property
    def scores(self) -> tuple[float, ...]:
        return tuple(map(score, self.values))


def bradley_terry(wins: Sequence[Sequence[float]]) -> Strengths:
    """Strengths under the Bradley-Terry model: `wins[i][j]` games that i won against j.

    A tie is half a win for each; shares of a game count too. The maximum of the likelihood is
    found by Newman's iteration (JMLR 24, 2023, 238), which has the fixed point of Hunter's MM
    algorithm (2004) and takes far fewer steps: each strength becomes the sum of wins x other /
    (both) over the sum of losses / (both), until no log strength changes by more than TOLERANCE.
    With the prior there is one maximum, whatever the games.

    For groups in which every two have met: without, all of this holds but the speed.

    Raises ValueError for a matrix that is not square, or with anything but finite numbers from 0
    and zeros on its diagonal.
    """
    size = len(wins)
    for place, row in enumerate(wins):
        if len(row) != size or row[place] != 0:
            raise ValueError(f"wins[{place}]: {size} numbers with 0 at place {place}, got {row!r}")
        if not all(0 <= number < math.inf for number in row):
            raise ValueError(f"wins[{place}]: finite numbers from 0, got {row!r}")
    strengths = [1.0] * size
    for step in range(MAX_STEPS):
        changed = 0.0
        # In place: each strength is found from the newest ones, which takes fewer steps.
        for i, mine in enumerate(strengths):
            won = lost = PRIOR_GAMES / 2 / (mine + 1.0)
            for j, other in enumerate(strengths):
                won += wins[i][j] * other / (mine + other)
                lost += wins[j][i] / (mine + other)
            strengths[i] = won / lost
            changed = max(changed, abs(math.log(strengths[i] / mine)))
        changed = max(changed, abs(_settle(strengths)))
        if changed <= TOLERANCE:
            return Strengths(tuple(strengths), step + 1, True)
    return Strengths(tuple(strengths), MAX_STEPS, False)


def _settle(strengths: list[float]) -> float:
    """Scales all of them by one Newton step towards as many wins against the imagined opponent as
    losses; gives the change of the log strengths. Their own games do not tell their scale, so that
    without this it would follow the prior alone, ever more slowly the more games there are."""
    scores = [score(each) for each in strengths]
    slope = sum(each * (1.0 - each) for each in scores)
    step = sum(0.5 - each for each in scores) / slope if slope > 0 else 0.0
    step = max(-1.0, min(1.0, step))
    strengths[:] = [each * math.exp(step) for each in strengths]
    return step


def score(strength: float) -> float:
    """The chance to win against the imagined opponent, from 0 to 1."""
    return strength / (strength + 1.0)
