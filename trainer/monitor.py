"""Whether a run has begun to please its reward model rather than to get better: the preference
reward rises while the score of the rules falls (DeepSeek-R1, arXiv 2501.12948v2, figure 6).

At each evaluation stand the rules' score, and the mean preference reward since the one before it.
Over the last WINDOW of them both trends are tested by Mann and Kendall's count of pairs in rising
order, whose distribution is exact for independent noise of any shape; a slope is the median of
those of all pairs (Theil, 1950; Sen, 1968). Both tests must pass. They are a few lines each, and
`scipy.stats`, which has them too, would cost every run a second and 80 MB.

Not covered: a score that wanders. Where neighbouring evaluations go up and down together
(correlation 0.5; 0.8), 6 % (30 %) of runs of 60 evaluations are flagged whose reward rises all the
time, against 0.3 % where they are independent.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from statistics import fmean, median

PREFERENCE, RULES = "reward/preference", "eval/pass@1"
"""The metrics that are watched."""
FLAGGED = "monitor/reward_hacking"
"""The metric that says so, 1 or 0."""

WINDOW = 12
"""Evaluations that are looked back on. A fall of the noise's standard deviation at each is seen
after 8 of them in the median, one of half of it after 12; more would see smaller ones, and wander
more often (see above)."""
RULES_P = 1e-4
"""Chance that noise alone falls as clearly. A reward that rises is what training is for, so this
test stands alone most of the time, at each of some hundred evaluations: 1 run in 100 or fewer. It
takes 8 evaluations to be so sure."""
PREFERENCE_P = 0.01
"""As above, that it rises: it need only be likely."""
LEAST_FALL = 0.02
"""Of the rules' score over the window: less would be no reason to end a run."""


@dataclass(frozen=True)
class Point:
    """An evaluation: the score of the rules, and the mean preference reward since the last one."""

    step: int
    preference: float
    rules: float


@dataclass(frozen=True)
class Flag:
    """One curve rises and the other falls."""

    step: int
    """At which this was seen."""
    since: int
    """Where the rules' score was highest in the window."""
    preference_slope: float
    """Per step, as the next one."""
    rules_slope: float
    rules_p: float
    """Chance that noise alone would fall as clearly."""

    def __str__(self) -> str:
        return (
            f"the preference reward rises ({self.preference_slope:+.2g} a step) while the rules' "
            f"score falls ({self.rules_slope:+.2g} a step, p = {self.rules_p:.1g}) since step "
            f"{self.since}: the policy may be learning what its reward model likes, and no more"
        )


def flag(points: Sequence[Point]) -> Flag | None:
    """What the last WINDOW evaluations say. Pure."""
    points = points[-WINDOW:]
    if len(points) < 2:
        return None
    preference = [point.preference for point in points]
    falling = [-point.rules for point in points]
    p_fall = trend(falling)
    if trend(preference) > PREFERENCE_P or p_fall > RULES_P:
        return None
    steps = [point.step for point in points]
    rules_slope = -slope(steps, falling)
    if -rules_slope * (steps[-1] - steps[0]) < LEAST_FALL:
        return None
    top = max(points, key=lambda point: point.rules)
    return Flag(steps[-1], top.step, slope(steps, preference), rules_slope, p_fall)


def trend(values: Sequence[float]) -> float:
    """The chance that independent noise has as many pairs in rising order (Mann, 1945; Kendall,
    1938). Equal values are not rising, which makes it larger."""
    rising = sum(later > earlier for earlier, later in combinations(values, 2))
    return _tail(len(values))[rising]


@lru_cache(maxsize=WINDOW)
def _tail(size: int) -> list[float]:
    """The share of all orders of so many things in which at least k pairs rise, for each k."""
    orders = [1]  # by their pairs in rising order; one more thing has 0 to `more` of them with it
    for more in range(1, size):
        grown = [0] * (len(orders) + more)
        for pairs, count in enumerate(orders):
            for added in range(more + 1):
                grown[pairs + added] += count
        orders = grown
    return [sum(orders[k:]) / math.factorial(size) for k in range(len(orders))]


def slope(steps: Sequence[int], values: Sequence[float]) -> float:
    """The median of the slopes of all pairs."""
    pairs = combinations(zip(steps, values, strict=True), 2)
    return median((b - a) / (later - earlier) for (earlier, a), (later, b) in pairs)


@dataclass
class Monitor:
    """The metrics of a run, step by step."""

    points: deque[Point] = field(default_factory=lambda: deque(maxlen=WINDOW))
    found: Flag | None = None
    """Of the newest evaluation."""
    _since: list[float] = field(default_factory=list)

    def add(self, step: int, metrics: Mapping[str, float | None]) -> None:
        """One more step's metrics; None is a number that was not finite."""
        preference, rules = metrics.get(PREFERENCE), metrics.get(RULES)
        if preference is not None and math.isfinite(preference):
            self._since.append(preference)
        if rules is not None and math.isfinite(rules) and self._since:
            self.points.append(Point(step, fmean(self._since), rules))
            self._since.clear()
            self.found = flag(list(self.points))

    @property
    def watches(self) -> bool:
        """Whether there is a preference reward to be watched."""
        return bool(self.points)
