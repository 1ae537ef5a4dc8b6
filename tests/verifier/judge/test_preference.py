"""Pairs in both orders, and the strengths of a group."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.judge import modes, preference
from verifier.judge.preference import bradley_terry
from verifier.v1 import verifier_pb2 as pb

HELPFUL, HARMLESS = pb.PreferenceTask.HELPFUL, pb.PreferenceTask.HARMLESS
OURS = "<think>our thoughts</think>our summary"
THEIRS = "<think>their thoughts</think>their summary"


def test_four_queries_half_of_them_swapped() -> None:
    task = pb.PreferenceTask(rival=THEIRS, mode=HELPFUL)
    ours, theirs = preference.seen(task, OURS), preference.seen(task, THEIRS)
    queries = preference.queries(task, "q", ours, theirs)
    assert [query.swapped for query in queries] == [False, True, False, True]
    for query in queries:
        a, b = query.texts["a"][0], query.texts["b"][0]
        assert (a, b) == (
            ("their summary", "our summary") if query.swapped else ("our summary", "their summary")
        )
        assert query.mode is modes.COMPARE_HELPFUL


def test_harmlessness_sees_whole_responses() -> None:
    task = pb.PreferenceTask(rival=THEIRS, mode=HARMLESS, samples=2)
    queries = preference.queries(task, "q", preference.seen(task, OURS), THEIRS)
    assert [(query.texts["a"][0], query.texts["b"][0]) for query in queries] == [
        (OURS, THEIRS),
        (THEIRS, OURS),
    ]
    assert all(query.mode is modes.COMPARE_HARMLESS for query in queries)


@given(st.text(max_size=5), st.text(max_size=5), st.sampled_from([2, 4, 8]))
def test_whoever_of_a_pair_asks_the_same_is_asked(one: str, other: str, samples: int) -> None:
    task = pb.PreferenceTask(mode=HARMLESS, samples=samples)
    ours = preference.queries(task, "q", one, other)
    theirs = preference.queries(task, "q", other, one)
    assert sum(query.swapped for query in ours) == samples / 2
    for seed, (mine, its) in enumerate(zip(ours, theirs, strict=True)):
        assert mine.ask(seed, 1.0) == its.ask(seed, 1.0)
        assert mine.swapped is not its.swapped or one == other


def test_the_winner_is_stronger_and_equals_are_equal() -> None:
    scores = bradley_terry([[0, 3, 3], [1, 0, 2], [1, 2, 0]]).scores
    assert scores[0] > scores[1] == pytest.approx(scores[2], abs=1e-5)


def test_two_opponents_have_the_odds_of_their_games_but_for_the_prior() -> None:
    # Many games drown the prior: strengths are as the games won.
    a, b = bradley_terry([[0, 300], [100, 0]]).scores
    assert (a / (1 - a)) / (b / (1 - b)) == pytest.approx(3.0, rel=0.01)


def test_a_tie_is_half_a_win_for_each() -> None:
    assert bradley_terry([[0, 0.5], [0.5, 0]]).scores == pytest.approx((0.5, 0.5))


def test_whoever_won_every_game_is_finite_and_on_top() -> None:
    found = bradley_terry([[0, 8, 8], [0, 0, 8], [0, 0, 0]])
    assert found.converged
    assert 1 > found.scores[0] > found.scores[1] > found.scores[2] > 0


def test_the_mean_of_those_who_met_is_a_half() -> None:
    scores = bradley_terry(
        [[0, 4, 3, 4], [0, 0, 2.5, 4], [1, 1.5, 0, 0.25], [0, 0, 3.75, 0]]
    ).scores
    assert sum(scores) / 4 == pytest.approx(0.5, abs=1e-5)
    assert max(scores) < 1


def test_nobody_and_one_alone() -> None:
    assert bradley_terry([]).scores == ()
    assert bradley_terry([[0]]).scores == pytest.approx((0.5,))


@pytest.mark.parametrize(
    "wins",
    [
        [[0, 1]],
        [[0], [0]],
        [[1]],
        [[0, -1], [0, 0]],
        [[0, math.nan], [0, 0]],
        [[0, math.inf], [0, 0]],
        [[math.nan]],
    ],
)
def test_a_matrix_that_is_none_is_refused(wins: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="wins"):
        bradley_terry(wins)


GROUPS = st.integers(1, 6).flatmap(
    lambda size: st.lists(
        st.lists(st.sampled_from([0, 0.25, 0.5, 1, 2, 4, 50]), min_size=size, max_size=size),
        min_size=size,
        max_size=size,
    )
)


def _clean(wins: list[list[float]]) -> list[list[float]]:
    """Nobody against himself, and a tie where two have not met."""
    return [
        [0 if i == j else number if number or wins[j][i] else 0.5 for j, number in enumerate(row)]
        for i, row in enumerate(wins)
    ]


@settings(deadline=None, max_examples=50)
@given(GROUPS)
def test_a_fixed_point_of_the_likelihood_is_found(wins: list[list[float]]) -> None:
    wins = _clean(wins)
    found = bradley_terry(wins)
    assert found.converged
    assert all(0 < score < 1 for score in found.scores)
    strengths = [score / (1 - score) for score in found.scores]
    for i, mine in enumerate(strengths):
        # At the maximum whoever plays wins as many games as expected of its strength.
        expected = preference.PRIOR_GAMES * mine / (mine + 1)
        for j, other in enumerate(strengths):
            expected += (wins[i][j] + wins[j][i]) * mine / (mine + other) if i != j else 0
        won = sum(wins[i]) + preference.PRIOR_GAMES / 2
        assert expected == pytest.approx(won, rel=1e-3, abs=1e-4)


@settings(deadline=None, max_examples=50)
@given(GROUPS, st.randoms())
def test_the_order_of_the_group_does_not_matter(
    wins: list[list[float]], chance: random.Random
) -> None:
    wins = _clean(wins)
    order = list(range(len(wins)))
    chance.shuffle(order)
    turned = bradley_terry([[wins[i][j] for j in order] for i in order]).scores
    scores = bradley_terry(wins).scores
    assert turned == pytest.approx([scores[i] for i in order], abs=1e-4)


def test_the_most_one_sided_of_groups_converges() -> None:
    ladder = [[16.0 if j > i else 0.0 for j in range(16)] for i in range(16)]
    found = bradley_terry(ladder)
    assert found.converged
    assert found.steps < 300
    assert all(a > b for a, b in itertools.pairwise(found.scores))


def test_many_games_converge_as_well() -> None:
    found = bradley_terry([[0, 3e6], [1e6, 0]])
    assert found.converged
    assert found.steps < 100


def test_what_does_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preference, "MAX_STEPS", 2)
    found = bradley_terry([[0, 3], [1, 0]])
    assert (found.converged, found.steps) == (False, 2)
