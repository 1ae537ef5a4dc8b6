"""How far a figure can be trusted, and whether two runs differ. Pure.

A benchmark's questions are taken for a sample of all questions of its kind, as Miller does ("Adding
Error Bars to Evals", arXiv 2411.00640): errors are of the mean over questions, so that many samples
of one question count as one. Intervals of one run are Wilson's where every question is right or
wrong, else Student's; comparisons of two use the normal distribution.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import ceil, hypot, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95
"""Of all intervals, and 1 - alpha of all tests."""
POWER = 0.8
"""The chance to find an effect of the size that `detectable` says."""


@dataclass(frozen=True)
class Estimate:
    """A figure, its standard error and its interval; None: cannot be told from so little."""

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same questions."""

    questions: int
    a: float
    b: float
    difference: float
    """a - b."""
    se: float | None
    """Of the difference, paired by question. None: fewer than two questions or clusters."""
    low: float | None
    high: float | None
    p: float | None
    """Two-sided, normal. None where all differences are equal and not 0, too: the data show no
    spread to compare with."""
    unpaired_se: float | None
    """As if the two had been asked different questions."""
    unpaired_p: float | None
    mcnemar: float | None
    """Exact p-value of McNemar's test. None unless every question is right or wrong in both."""
    correlation: float | None
    """Of the two runs' question means; None where one has no spread."""
    detectable: float | None
    """The smallest true difference that such a comparison finds at LEVEL with POWER."""


@dataclass(frozen=True)
class Variances:
    """Where the spread of two runs' differences comes from (Miller, section 4)."""

    between: float
    """Of the true differences between questions."""
    within_a: float
    """Of run A's samples of one question, mean over questions."""
    within_b: float

    def se(self, questions: int, k_a: int, k_b: int) -> float:
        """Of the paired difference with so many questions and samples of each."""
        return sqrt(self._of_one(k_a, k_b) / questions)

    def questions(self, effect: float, k_a: int, k_b: int, *, power: float = POWER) -> int:
        """Questions needed to find a true difference `effect` at LEVEL (Miller, equation 9)."""
        return ceil((_reach(power) / effect) ** 2 * self._of_one(k_a, k_b))

    def _of_one(self, k_a: int, k_b: int) -> float:
        return self.between + self.within_a / k_a + self.within_b / k_b


def estimate(values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Estimate:
    """The mean of questions' figures, each in [0, 1].

    Wilson's interval where all are 0 or 1 and no two share a cluster; else Student's with a degree
    of freedom less than there are clusters, cut at 0 and 1.
    """
    if not values:
        return Estimate(None)
    value, se = float(np.mean(values)), standard_error(values, clusters)
    count = _count(values, clusters)
    if count == len(values) and set(values) <= {0.0, 1.0}:
        return Estimate(value, se, *wilson(round(sum(values)), len(values)))
    return student(value, se, count, 0.0, 1.0)


def student(
    value: float, se: float | None, count: int, least: float = -np.inf, most: float = np.inf
) -> Estimate:
    """An estimate with Student's interval, whose error rests on `count` independent values."""
    if se is None:
        return Estimate(value)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * se
    return Estimate(value, se, max(least, value - reach), min(most, value + reach))


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's interval of a share."""
    found = stats.binomtest(successes, n).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def standard_error(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None
) -> float | None:
    """Of the mean; clustered where clusters are given, with the correction C / (C - 1) for C of
    them. None below two clusters (without clusters: values)."""
    count = _count(values, clusters)
    if count < 2:
        return None
    apart = np.asarray(values, float) - np.mean(values)
    if clusters is not None:
        apart = np.bincount(_numbers(clusters), weights=apart)
    return float(sqrt(count / (count - 1) * np.square(apart).sum()) / len(values))


def compare(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[Hashable] | None = None
) -> Comparison:
    """Two runs' figures of the same questions, in the same order. At least one question."""
    difference = np.asarray(a, float) - np.asarray(b, float)
    value, se = float(difference.mean()), standard_error(difference.tolist(), clusters)
    of_a, of_b = standard_error(a, clusters), standard_error(b, clusters)
    unpaired = None if of_a is None or of_b is None else hypot(of_a, of_b)
    reach = None if se is None else float(stats.norm.ppf((1 + LEVEL) / 2)) * se
    return Comparison(
        questions=len(difference),
        a=float(np.mean(a)),
        b=float(np.mean(b)),
        difference=value,
        se=se,
        low=None if reach is None else value - reach,
        high=None if reach is None else value + reach,
        p=_p(value, se),
        unpaired_se=unpaired,
        unpaired_p=_p(value, unpaired),
        mcnemar=_mcnemar(difference) if {*a, *b} <= {0.0, 1.0} else None,
        correlation=(float(np.corrcoef(a, b)[0, 1]) if min(np.ptp(a), np.ptp(b)) > 0 else None),
        detectable=None if se is None else detectable(se),
    )


def variances(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]]) -> Variances:
    """From all samples of the same questions, in the same order; at least two of each question and
    two questions."""
    within = [float(np.mean([np.var(one, ddof=1) for one in run])) for run in (a, b)]
    noise = [float(np.mean([np.var(one, ddof=1) / len(one) for one in run])) for run in (a, b)]
    means = [np.mean(x) - np.mean(y) for x, y in zip(a, b, strict=True)]
    # The observed spread holds the samples' noise, and can fall below it by chance.
    return Variances(max(0.0, float(np.var(means, ddof=1)) - sum(noise)), *within)


def detectable(se: float, *, power: float = POWER) -> float:
    """The smallest true difference found at LEVEL with this power (Miller, equation 10)."""
    return _reach(power) * se


def power(effect: float, se: float) -> float:
    """The chance that a true difference `effect` is found at LEVEL."""
    edge, at = float(stats.norm.ppf((1 + LEVEL) / 2)), abs(effect) / se
    return float(stats.norm.sf(edge - at) + stats.norm.cdf(-edge - at))


def jackknife(value: float, without: Sequence[float]) -> Estimate:
    """A figure that is no mean of questions: `without` has it with each of several equal groups of
    questions left out. Of a mean and groups of one, the error is that of `standard_error`."""
    n = len(without)
    if n < 2:
        return Estimate(value)
    spread = float(np.square(np.asarray(without) - np.mean(without)).sum())
    return student(value, sqrt((n - 1) / n * spread), n)


def _count(values: Sequence[float], clusters: Sequence[Hashable] | None) -> int:
    if clusters is None:
        return len(values)
    if len(clusters) != len(values):
        raise ValueError(f"clusters: one for each of {len(values)} values, got {len(clusters)}")
    return len(set(clusters))


def _numbers(names: Sequence[Hashable]) -> NDArray[np.int64]:
    places = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return np.array([places[name] for name in names], np.int64)


def _reach(power: float) -> float:
    return float(stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(power))


def _p(difference: float, se: float | None) -> float | None:
    if se is None:
        return None
    if se == 0:
        return 1.0 if difference == 0 else None
    return float(2 * stats.norm.sf(abs(difference) / se))


def _mcnemar(difference: NDArray[np.float64]) -> float:
    only_a, only_b = int((difference > 0).sum()), int((difference < 0).sum())
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
