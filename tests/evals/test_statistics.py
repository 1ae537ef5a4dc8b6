"""Errors, intervals and comparisons: known figures, and simulations."""

from __future__ import annotations

import csv
from math import sqrt
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from evals.statistics import (
    Estimate,
    Variances,
    compare,
    detectable,
    estimate,
    jackknife,
    power,
    standard_error,
    variances,
    wilson,
)


@pytest.fixture(scope="session")
def gpqa(data_dir: Path) -> list[list[list[float]]]:
    """Two models' scores of 198 GPQA questions, five of each."""
    runs: dict[str, dict[str, list[float]]] = {}
    with (data_dir / "stats_gpqa" / "gpqa_diamond_scores.csv").open() as file:
        for row in csv.DictReader(file):
            held = runs.setdefault(row["model_id"], {})
            held.setdefault(row["item_id"], []).append(float(row["score"]))
    first, second = runs.values()
    return [[run[item] for item in first] for run in (first, second)]


def test_two_models_on_gpqa(gpqa: list[list[list[float]]]) -> None:
    a, b = ([fmean(one) for one in run] for run in gpqa)
    found = compare(a, b)
    assert found.questions == 198
    assert found.difference == pytest.approx(0.0586, abs=5e-5)
    assert found.se == pytest.approx(0.02779, abs=5e-6)
    assert found.p == pytest.approx(0.035, abs=5e-4)
    assert found.unpaired_se == pytest.approx(0.04048, abs=5e-6)
    assert found.unpaired_p == pytest.approx(0.148, abs=5e-4)
    assert (found.low, found.high) == (
        pytest.approx(0.004, abs=5e-4),
        pytest.approx(0.113, abs=5e-4),
    )
    assert found.mcnemar is None


def test_errors_on_gpqa(gpqa: list[list[list[float]]]) -> None:
    told = []
    for run in gpqa:
        flat = [score for one in run for score in one]
        naive = standard_error(flat)
        clustered = standard_error(flat, [at for at, one in enumerate(run) for _ in one])
        assert clustered == pytest.approx(standard_error([fmean(one) for one in run]))
        assert naive is not None
        assert clustered is not None
        told.append((round(naive, 4), round(clustered, 4)))
    assert told == [(0.0149, 0.0276), (0.0155, 0.0296)]


def test_variances_add_up_to_the_paired_error(gpqa: list[list[list[float]]]) -> None:
    found = variances(*gpqa)
    se = compare(*[[fmean(one) for one in run] for run in gpqa]).se
    assert se is not None
    assert found.se(198, 5, 5) == pytest.approx(se)
    assert (
        found.se(198, 1, 1)
        > found.se(198, 5, 5)
        > found.se(198, 64, 64)
        > sqrt(found.between / 198)
    )
    needed = found.questions(0.03, 5, 5)
    assert detectable(found.se(needed, 5, 5)) <= 0.03 < detectable(found.se(needed - 1, 5, 5))


def test_the_power_is_what_a_simulation_finds() -> None:
    draw = np.random.default_rng(0)
    told = Variances(between=0.02, within_a=0.15, within_b=0.1)
    n, effect = 200, 0.06
    se = told.se(n, 2, 4)
    found = []
    for _ in range(2000):
        spread = draw.normal(effect, sqrt(told.between + told.within_a / 2 + told.within_b / 4), n)
        p = compare(spread.tolist(), [0.0] * n).p
        assert p is not None
        found.append(p < 0.05)
    assert fmean(found) == pytest.approx(power(effect, se), abs=0.03)
    assert power(detectable(se), se) == pytest.approx(0.8, abs=1e-4)


def test_clusters_count_as_one() -> None:
    values = [0.2, 0.9, 0.4, 0.6]
    twice = [value for value in values for _ in range(2)]
    assert standard_error(twice, [at // 2 for at in range(8)]) == pytest.approx(
        standard_error(values)
    )
    assert standard_error(values, ["a", "a", "a", "a"]) is None
    assert standard_error(values, list(range(4))) == pytest.approx(np.std(values, ddof=1) / 2)
    with pytest.raises(ValueError, match="one for each of 4 values, got 1"):
        standard_error(values, ["a"])


def test_unequal_clusters_by_hand() -> None:
    """Residuals -.5, -.5, .5 | .5 add up to -.5 and .5: sqrt(2 / 1 x .5) / 4."""
    assert standard_error([0.0, 0.0, 1.0, 1.0], "aaab") == pytest.approx(0.25)


def test_intervals() -> None:
    right_or_wrong = estimate([1.0] * 24 + [0.0] * 6)
    assert (right_or_wrong.low, right_or_wrong.high) == wilson(24, 30)
    assert wilson(24, 30) == (pytest.approx(0.6269, abs=1e-4), pytest.approx(0.9050, abs=1e-4))
    all_right = estimate([1.0] * 30)
    assert all_right.se == 0.0
    assert all_right.low == pytest.approx(0.8865, abs=1e-4)
    shares = [0.25, 0.5, 0.75, 1.0]
    low, high = stats.t.interval(0.95, 3, fmean(shares), np.std(shares, ddof=1) / 2)
    assert estimate(shares) == Estimate(
        fmean(shares), pytest.approx(np.std(shares, ddof=1) / 2), pytest.approx(low), min(1.0, high)
    )
    clustered = estimate([1.0, 0.0, 1.0], ["p", "p", "q"])
    assert (clustered.low, clustered.high) == (0.0, 1.0)


def test_too_little_has_no_error() -> None:
    assert estimate([]) == Estimate(None)
    assert estimate([0.5]) == Estimate(0.5)
    one = estimate([1.0])
    assert one.se is None
    assert one.low == pytest.approx(0.2065, abs=1e-4)
    alone = compare([1.0], [0.0])
    assert (alone.se, alone.low, alone.p, alone.detectable, alone.correlation) == (None,) * 5


def test_mcnemar() -> None:
    a = [1.0] * 8 + [0.0] * 2 + [1.0] * 20
    b = [0.0] * 8 + [1.0] * 2 + [1.0] * 20
    assert compare(a, b).mcnemar == pytest.approx(stats.binomtest(8, 10).pvalue)
    assert compare(a, a).mcnemar == 1.0
    assert compare([0.5, 1.0], [0.0, 1.0]).mcnemar is None


def test_equal_runs_and_equal_differences() -> None:
    same = compare([0.5, 1.0, 0.0], [0.5, 1.0, 0.0])
    assert (same.difference, same.se, same.p) == (0.0, 0.0, 1.0)
    assert compare([0.5, 1.0], [0.0, 0.5]).p is None


def test_the_jackknife_of_a_mean_is_its_error() -> None:
    values = [0.1, 0.4, 0.4, 0.9]
    without = [fmean(values[:at] + values[at + 1 :]) for at in range(4)]
    assert jackknife(fmean(values), without).se == pytest.approx(standard_error(values))
    assert jackknife(3.0, [3.0]) == Estimate(3.0)
