"""A rating on Codeforces from a contest's results and what a model solved. Pure.

The method is CodeElo's (arXiv 2501.01257; calc_rating.py of QwenLM/CodeElo at 0bffc84): the model
takes part in each contest beside those who did, and its rating there is the one at which the
expected rank is the rank reached; the mean over contests is its rating. Unlike calc_rating.py:

- participants are those who are in the standings and in the rating changes, not one of the two;
- ranks count from 1, as expected ranks do;
- who takes part for the first time is shown with a rating of 0 but counts with Codeforces' initial
  rating, as in its own calculation (`newcomer=0` gives CodeElo's figures);
- contests of the first division alone are refused: weak models have no rating there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

ATTEMPTS = 8
"""Submissions to a problem, of which the first accepted one counts."""

PENALTY_POINTS = 50
"""Off a problem's points for each rejected submission, as Codeforces has it."""
PENALTY_MINUTES = 10
"""The same where problems have no points."""

FEWEST_PARTICIPANTS = 201
"""CodeElo rates contests with more than 200."""

ABOVE_BEST = 100
"""A model's rating in a contest stays below the best participant's plus this."""

RATINGS_KEPT = 4096
"""A rating takes a pass over all participants for each step, and errors are estimated by asking
for the same ones again."""

NEWCOMER = 1400
"""Codeforces' initial rating (its blog, entry 77890); the API shows 0."""


class ContestError(Exception):
    """A contest that cannot give a rating: the message says which, and why."""


@dataclass(frozen=True, eq=False)
class Contest:
    """What is needed of a contest; compared by identity."""

    id: int
    name: str
    points: Mapping[str, float | None]
    """Of problems by index; None where a solved problem counts 1."""
    results: Sequence[tuple[float, float]]
    """Points and penalty of official participants, best first."""
    ratings: Sequence[int]
    """Of the same participants, in any order, before the contest."""


def contest(standings: Mapping[str, Any], changes: Mapping[str, Any]) -> Contest:
    """From the API's answers to contest.standings (showUnofficial=false) and
    contest.ratingChanges. Raises ContestError."""
    try:
        about, rows = standings["result"]["contest"], standings["result"]["rows"]
        name, id = about["name"], int(about["id"])
        rated = {change["handle"]: int(change["oldRating"]) for change in changes["result"]}
        ranked = [(row["party"]["members"][0]["handle"], row) for row in rows]
        points = {
            problem["index"]: float(problem["points"]) if "points" in problem else None
            for problem in standings["result"]["problems"]
        }
        results = [
            (float(row["points"]), float(row["penalty"]))
            for handle, row in ranked
            if handle in rated
        ]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        said = standings.get("comment") or changes.get("comment") or repr(error)
        raise ContestError(f"no contest.standings and contest.ratingChanges: {said}") from error
    if "Div. 1" in name and "Div. 2" not in name:
        raise ContestError(f"contest {id} ({name}): of the first division alone")
    if len(results) < FEWEST_PARTICIPANTS:
        raise ContestError(
            f"contest {id} ({name}): at least {FEWEST_PARTICIPANTS} rated participants, "
            f"got {len(results)}"
        )
    present = {handle for handle, _ in ranked}
    ratings = [rating for handle, rating in rated.items() if handle in present]
    return Contest(id, name, points, results, ratings)


def rank(contest: Contest, attempts: Mapping[str, Sequence[bool]]) -> int:
    """The place, from 1, that these submissions reach: behind all who did as well. `attempts` by
    problem, in order; a response without a program is a rejected one."""
    score = penalty = 0.0
    for index, accepted in attempts.items():
        if index not in contest.points:
            raise ContestError(
                f"contest {contest.id}: problems {', '.join(contest.points)}, got {index}"
            )
        first = next((n for n, right in enumerate(accepted[:ATTEMPTS]) if right), None)
        if first is None:
            continue
        if (points := contest.points[index]) is None:
            score += 1
            penalty += PENALTY_MINUTES * first
        else:
            score += max(0.0, points - PENALTY_POINTS * first)
    ahead = sum(1 for points, lost in contest.results if (points, -lost) >= (score, -penalty))
    return ahead + 1


def expected_rank(rating: float, others: Sequence[float]) -> float:
    """Of a participant with this rating among others, by the Elo formula."""
    return 1 + sum(1 / (1 + 10 ** ((rating - other) / 400)) for other in others)


@lru_cache(RATINGS_KEPT)
def rating(contest: Contest, place: int, newcomer: int = NEWCOMER) -> int:
    """The highest whole rating from 0 at which the expected rank is no better than `place`."""
    others = [known or newcomer for known in contest.ratings]
    candidates = range(max(others) + ABOVE_BEST)
    # Expected ranks fall with the rating, bisection wants what rises.
    reached = bisect_right(candidates, float(-place), key=lambda r: -expected_rank(r, others))
    return max(0, reached - 1)


def percentile(rating: float, histogram: Mapping[int, int]) -> float:
    """Share in percent, to one decimal, of users with a lower rating; `histogram` counts users by
    rating."""
    total = sum(histogram.values())
    below = sum(count for known, count in histogram.items() if known < rating)
    return round(100 * below / total, 1)
