"""Two responses compared, and the strengths that many comparisons give. Pure.

A pair is asked about in both orders, half of the queries in each, so that a judge that prefers a
place gives a tie (DeepSeek-R1 asks four times with places drawn at random).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from verifier.judge import armour
from verifier.judge.modes import COMPARE_HARMLESS, COMPARE_HELPFUL, Query
from verifier.v1 import verifier_pb2 as pb

QUERIES = 4
"""As DeepSeek-R1 asks about each pair."""
PRIOR_GAMES = 0.5
"""Against an imagined opponent of strength 1, half of them won. Without it whoever won all its
games would be infinitely strong, and groups that never met could not be compared."""
TOLERANCE = 1e-6
"""Largest change of a log strength in the last step: a millionth of a strength."""
MAX_STEPS = 1_000
"""Steps at most: groups of 16 take some 40, a chain of 64 one-sided pairs 400."""


def queries(task: pb.PreferenceTask, question: str, response: str) -> list[Query]:
    """The queries of a pair, every second one with the rival first."""
    ours, theirs, mode, cap = response, task.rival, COMPARE_HARMLESS, armour.PAIR_CHARS
    if task.mode == pb.PreferenceTask.HELPFUL:
        ours, theirs = armour.summary(ours), armour.summary(theirs)
        mode, cap = COMPARE_HELPFUL, armour.ANSWER_CHARS
    both = []
    for swapped, a, b in ((False, ours, theirs), (True, theirs, ours)):
        texts = {"question": (question, armour.QUESTION_CHARS), "a": (a, cap), "b": (b, cap)}
        both.append(Query(mode, texts, swapped=swapped))
    count = task.samples if task.HasField("samples") else QUERIES
    return both * (count // 2)


@dataclass(frozen=True)
class Strengths:
    """Of a group, from its comparisons. A score is the chance to win against the imagined
    opponent: from 0 to 1, 0.5 for whoever met nobody."""

    scores: tuple[float, ...]
    steps: int
    converged: bool


def bradley_terry(wins: Sequence[Sequence[float]]) -> Strengths:
    """Strengths under the Bradley-Terry model: `wins[i][j]` games that i won against j.

    A tie is half a win for each; shares of a game count too. The maximum of the likelihood is
    found by Newman's iteration (2023), which has the fixed point of Hunter's MM algorithm (2004)
    and takes far fewer steps: each strength becomes the sum of wins x other / (both) over the sum
    of losses / (both), until no log strength changes by more than TOLERANCE. With the prior there
    is one maximum, whatever the games; groups that never met are compared through the imagined
    opponent alone.

    Raises ValueError for a matrix that is not square, or with anything but finite numbers from 0
    and zeros on its diagonal.
    """
    size = len(wins)
    for place, row in enumerate(wins):
        if len(row) != size or row[place] != 0:
            raise ValueError(f"wins[{place}]: {size} numbers with 0 at place {place}, got {row!r}")
        if not all(0 <= number < math.inf for number in row):
            raise ValueError(f"wins[{place}]: finite numbers from 0, got {row!r}")
    met = [[j for j in range(size) if wins[i][j] or wins[j][i]] for i in range(size)]
    groups = _groups(met)
    strengths = [1.0] * size
    for step in range(MAX_STEPS):
        changed = 0.0
        # In place: each strength is found from the newest ones, which takes fewer steps.
        for i, mine in enumerate(strengths):
            won = lost = PRIOR_GAMES / 2 / (mine + 1.0)
            for j in met[i]:
                other = strengths[j]
                won += wins[i][j] * other / (mine + other)
                lost += wins[j][i] / (mine + other)
            strengths[i] = won / lost
            changed = max(changed, abs(math.log(strengths[i] / mine)))
        for group in groups:
            changed = max(changed, abs(_settle(strengths, group)))
        if changed <= TOLERANCE:
            return Strengths(_scores(strengths), step + 1, True)
    return Strengths(_scores(strengths), MAX_STEPS, False)


def _settle(strengths: list[float], group: Sequence[int]) -> float:
    """Scales a group by one Newton step towards as many wins against the imagined opponent as
    losses; gives the change of its log strengths. Games within a group do not tell its scale, so
    that without this it would follow the prior alone, ever more slowly the more games there are."""
    scores = _scores([strengths[i] for i in group])
    slope = sum(score * (1.0 - score) for score in scores)
    step = sum(0.5 - score for score in scores) / slope if slope > 0 else 0.0
    step = max(-1.0, min(1.0, step))
    for i in group:
        strengths[i] *= math.exp(step)
    return step


def _groups(met: Sequence[Sequence[int]]) -> list[list[int]]:
    """Who is joined by games, directly or through others."""
    groups: list[list[int]] = []
    seen: set[int] = set()
    for first in range(len(met)):
        if first in seen:
            continue
        group = [first]
        seen.add(first)
        for one in group:
            found = [other for other in met[one] if other not in seen]
            seen.update(found)
            group.extend(found)
        groups.append(group)
    return groups


def _scores(strengths: Sequence[float]) -> tuple[float, ...]:
    return tuple(strength / (strength + 1.0) for strength in strengths)
