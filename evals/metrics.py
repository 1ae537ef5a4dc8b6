"""Figures of one question from its graded samples: the mean, pass@k, cons@k. Pure.

A question has n samples. Where k < n, a figure is its exact expectation over all sets of k samples;
where k > n, it is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import comb
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

KEPT = 4096
"""Results of `_led`: many questions have the same numbers of equal answers."""


class MetricError(ValueError):
    """A figure that these samples cannot give: the message says why."""


def powers_of_two(n: int) -> list[int]:
    """1, 2, 4 ... up to n, and n itself."""
    return sorted({*(1 << e for e in range(n.bit_length())), n} if n > 0 else ())


def pass_at_k(scores: Sequence[float], k: int) -> float:
    """The best of k samples, in expectation.

    Of scores that are 0 or 1 this is the unbiased estimator 1 - C(n - c, k) / C(n, k) of Chen et
    al. (arXiv 2107.03374), c of n being 1. Raises MetricError for k > n.
    """
    _enough("pass", scores, k)
    ways = comb(len(scores), k)
    # The score at place i of n is the best of C(i, k - 1) sets.
    return sum(comb(i, k - 1) / ways * score for i, score in enumerate(sorted(scores)) if score)


def cons_at_k(
    answers: Sequence[int | None], scores: Sequence[float], sizes: Iterable[int]
) -> dict[int, float]:
    """The score of the most frequent answer among k samples, in expectation, for each k of `sizes`.

    `answers` are numbers of classes of equal answers, None for a sample without one, which never
    wins: k samples without any answer score 0. A class scores the mean of its members, tied classes
    their mean. Raises MetricError for k > n.
    """
    asked = sorted(set(sizes))
    for k in asked:
        _enough("cons", scores, k)
    classes = _classes(answers, scores)
    blank = len(scores) - sum(size for size, _ in classes)
    found = {k: _winner(classes) for k in asked if k == len(scores)}
    if below := [k for k in asked if k < len(scores)]:
        led = _led(tuple(sorted(classes)), below[-1])
        for k in below:
            ways = sum(comb(blank, k - x) * led[x] for x in range(k + 1))
            found[k] = float(ways / comb(len(scores), k))
    return found


def tied(answers: Sequence[int | None]) -> bool:
    """Whether no one class has the most samples."""
    counts = Counter(answer for answer in answers if answer is not None)
    most = counts.most_common(2)
    return len(most) == 2 and most[0][1] == most[1][1]


def _enough(name: str, scores: Sequence[float], k: int) -> None:
    if not 1 <= k <= len(scores):
        raise MetricError(
            f"{name}@{k} needs at least {k} graded samples of a question, got {len(scores)}"
            if k > 0
            else f"{name}@k: k is at least 1, got {k}"
        )


def _classes(answers: Sequence[int | None], scores: Sequence[float]) -> list[tuple[int, float]]:
    """(Members, mean score) of each class."""
    members: dict[int, list[float]] = {}
    for answer, score in zip(answers, scores, strict=True):
        if answer is not None:
            members.setdefault(answer, []).append(score)
    return [(len(held), fmean(held)) for held in members.values()]


def _winner(classes: Sequence[tuple[int, float]]) -> float:
    most = max((size for size, _ in classes), default=0)
    return fmean([score for size, score in classes if size == most] or [0.0])


@lru_cache(KEPT)
def _led(classes: tuple[tuple[int, float], ...], most: int) -> NDArray[np.float64]:
    """Over all sets of x samples that have an answer, the sum of the leaders' mean score.

    Shape [most + 1], by x. Class after class, the sets so far are counted by x, by the size t of
    the leading classes in them and by the number r of those that lead: `ways` counts them, `sums`
    has the sum of the leaders' scores over them, both of shape [x, t, r].
    """
    top = min(most, max((size for size, _ in classes), default=0))
    shape = (most + 1, top + 1, min(len(classes), most) + 1)
    ways, sums = np.zeros(shape), np.zeros(shape)
    ways[0, 0, 0] = 1.0
    for size, score in classes:
        more_ways, more_sums = ways.copy(), sums.copy()  # none of this class is drawn
        for drawn in range(1, min(size, most) + 1):
            weight = float(comb(size, drawn))
            had, had_sums = weight * ways[:-drawn], weight * sums[:-drawn]
            more_ways[drawn:, drawn + 1 :] += had[:, drawn + 1 :]
            more_sums[drawn:, drawn + 1 :] += had_sums[:, drawn + 1 :]
            tie = had[:, drawn, :-1]
            more_ways[drawn:, drawn, 1:] += tie
            more_sums[drawn:, drawn, 1:] += had_sums[:, drawn, :-1] + score * tie
            overtaken = had[:, :drawn].sum((1, 2))
            more_ways[drawn:, drawn, 1] += overtaken
            more_sums[drawn:, drawn, 1] += score * overtaken
        ways, sums = more_ways, more_sums
    led: NDArray[np.float64] = (sums[:, :, 1:] / np.arange(1, shape[2])).sum((1, 2))
    return led
