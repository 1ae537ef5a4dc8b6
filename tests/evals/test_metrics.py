"""pass@k and cons@k, against all sets of k samples."""

from __future__ import annotations

from itertools import combinations
from math import comb
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.metrics import MetricError, cons_at_k, pass_at_k, powers_of_two, tied

SAMPLES = st.lists(
    st.sampled_from([(None, 0.0), (0, 1.0), (1, 0.0), (2, 0.0), (3, 0.5)]), min_size=1, max_size=7
)


@given(SAMPLES)
def test_figures_are_means_over_all_sets_of_k(samples: list[tuple[int | None, float]]) -> None:
    answers, scores = [a for a, _ in samples], [s for _, s in samples]
    found = cons_at_k(answers, scores, range(1, len(samples) + 1))
    for k in range(1, len(samples) + 1):
        sets = list(combinations(range(len(samples)), k))
        best = fmean(max(scores[at] for at in chosen) for chosen in sets)
        agreed = fmean(
            cons_at_k([answers[at] for at in chosen], [scores[at] for at in chosen], [k])[k]
            for chosen in sets
        )
        assert pass_at_k(scores, k) == pytest.approx(best, abs=1e-12)
        assert found[k] == pytest.approx(agreed, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "c", "k"), [(64, 3, 16), (64, 0, 64), (64, 1, 64), (10, 9, 5), (1024, 2, 512)]
)
def test_pass_at_k_of_right_and_wrong_is_chens_estimator(n: int, c: int, k: int) -> None:
    scores = [1.0] * c + [0.0] * (n - c)
    assert pass_at_k(scores, k) == pytest.approx(1 - comb(n - c, k) / comb(n, k), abs=1e-12)


@pytest.mark.parametrize(
    ("answers", "scores", "value"),
    [
        ([0, 0, 1], [1.0, 1.0, 0.0], 1.0),
        ([0, 1, 1], [1.0, 0.0, 0.0], 0.0),
        ([0, 1], [1.0, 0.0], 0.5),  # a tie is its mean, whichever came first
        ([1, 0], [0.0, 1.0], 0.5),
        ([0, 1, 2], [1.0, 0.0, 0.0], 1 / 3),
        ([None, None, None, 0], [0.0, 0.0, 0.0, 1.0], 1.0),  # no answer never wins
        ([None, None], [0.0, 0.0], 0.0),
    ],
)
def test_the_most_frequent_answer(
    answers: list[int | None], scores: list[float], value: float
) -> None:
    assert cons_at_k(answers, scores, [len(scores)]) == {len(scores): pytest.approx(value)}


def test_many_samples_of_many_answers() -> None:
    """The share of k draws that the right class leads, by another way: 64 samples, two classes."""
    answers, scores = [0] * 40 + [1] * 24, [1.0] * 40 + [0.0] * 24
    for k, value in cons_at_k(answers, scores, [4, 32]).items():
        led = sum(
            comb(40, right) * comb(24, k - right) * (1.0 if right > k - right else 0.5)
            for right in range(k // 2, k + 1)
            if right > k - right or 2 * right == k
        )
        assert value == pytest.approx(led / comb(64, k), rel=1e-12)


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(
        MetricError, match=r"pass@16 needs at least 16 graded samples of a question, got 8"
    ):
        pass_at_k([0.0] * 8, 16)
    with pytest.raises(MetricError, match=r"cons@16 needs .* got 8"):
        cons_at_k([0] * 8, [0.0] * 8, [4, 16])
    with pytest.raises(MetricError, match="at least 1, got 0"):
        pass_at_k([0.0], 0)


def test_ties() -> None:
    assert tied([0, 1, None, None, None])
    assert not tied([0, 0, 1])
    assert not tied([None])
    assert not tied([0])


@pytest.mark.parametrize(
    ("n", "curve"), [(0, []), (1, [1]), (4, [1, 2, 4]), (10, [1, 2, 4, 8, 10])]
)
def test_powers_of_two(n: int, curve: list[int]) -> None:
    assert powers_of_two(n) == curve
