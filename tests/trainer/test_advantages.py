"""Advantages: hand-computed groups, an independent reference, and what must never matter."""

from __future__ import annotations

import math
import statistics

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.advantages import (
    AdvantageSettings,
    group_advantages,
    overlong_penalty,
    varied_groups,
)

NAN = math.nan


def one_group(rewards, valid=None, *, truncated=None, **options):
    counts = [True] * len(rewards) if valid is None else valid
    found = group_advantages(
        torch.tensor([rewards], dtype=torch.float64),
        torch.tensor([counts]),
        AdvantageSettings(**options),
        truncated=None if truncated is None else torch.tensor([truncated]),
    )
    return found.values[0].tolist(), found.keep[0].tolist(), bool(found.zero_variance[0])


def reference(rewards, valid, kind, ddof, eps):
    """One group in plain Python, with the standard library's statistics."""
    known = [r for r, v in zip(rewards, valid, strict=True) if v]
    if len(known) < 2 or len(set(known)) == 1:
        return [0.0] * len(rewards)
    mean = statistics.fmean(known)
    spread = statistics.stdev(known) if ddof else statistics.pstdev(known)
    values = []
    for i, (r, v) in enumerate(zip(rewards, valid, strict=True)):
        others = [x for j, x in enumerate(rewards) if valid[j] and j != i]
        if not v:
            values.append(0.0)
        elif kind == "grpo":
            values.append((r - mean) / (spread + eps))
        elif kind == "dr_grpo":
            values.append(r - mean)
        else:
            values.append(r - statistics.fmean(others))
    return values


# ---- by hand --------------------------------------------------------------------


def test_grpo_sample_deviation():
    # mean (1+0+0+1)/4 = 1/2; squares 4 * 1/4 = 1; ddof 1: std = sqrt(1/3); 1/2 / sqrt(1/3) = sqrt(3)/2
    values, keep, zero = one_group([1.0, 0.0, 0.0, 1.0], std_eps=0.0)
    assert values == pytest.approx([math.sqrt(3) / 2 * s for s in (1, -1, -1, 1)], abs=1e-15)
    assert keep == [True] * 4
    assert not zero


def test_grpo_population_deviation():
    # the same with ddof 0: std = sqrt(1/4) = 1/2, so 1/2 / 1/2 = 1
    values, _, _ = one_group([1.0, 0.0, 0.0, 1.0], std_eps=0.0, ddof=0)
    assert values == [1.0, -1.0, -1.0, 1.0]


def test_std_eps_is_added_to_the_deviation_not_to_the_variance():
    # ddof 0: std = 1/2, eps 1/2: 1/2 / (1/2 + 1/2) = 1/2; with eps under the root it would be 0.577
    values, _, _ = one_group([1.0, 0.0, 0.0, 1.0], std_eps=0.5, ddof=0)
    assert values == [0.5, -0.5, -0.5, 0.5]


def test_dr_grpo():
    # mean (1+0+0+3)/4 = 1
    values, _, _ = one_group([1.0, 0.0, 0.0, 3.0], kind="dr_grpo")
    assert values == [0.0, -1.0, -1.0, 2.0]


def test_rloo():
    # others: (0+0+3)/3 = 1, (1+0+3)/3 = 4/3, 4/3, (1+0+0)/3 = 1/3
    values, _, _ = one_group([1.0, 0.0, 0.0, 3.0], kind="rloo")
    assert values == pytest.approx([0.0, -4 / 3, -4 / 3, 8 / 3], abs=1e-15)


def test_an_invalid_reward_leaves_the_statistics():
    # of 2, 0, 1 alone: mean 1, squares 1 + 1 + 0, ddof 1: std = sqrt(2/2) = 1
    values, keep, zero = one_group([2.0, NAN, 0.0, 1.0], [True, False, True, True], std_eps=0.0)
    assert values == [1.0, 0.0, -1.0, 0.0]
    assert keep == [True, False, True, True]
    assert not zero


@pytest.mark.parametrize("kind", ["grpo", "dr_grpo", "rloo"])
@pytest.mark.parametrize("valid", [[True, False, False], [False, False, False]])
def test_fewer_than_two_valid_rewards_give_no_advantage(kind, valid):
    values, keep, zero = one_group([1.0, 0.0, 0.5], valid, kind=kind)
    assert values == [0.0, 0.0, 0.0]
    assert keep == [False, False, False]
    assert not zero, "nothing was compared, so nothing was found equal"


@pytest.mark.parametrize("kind", ["grpo", "dr_grpo", "rloo"])
def test_equal_rewards_are_exactly_zero(kind):
    # 0.1 + 0.1 + 0.1 is 0.30000000000000004, whose third is not 0.1: without care, 1e-17 / 0.
    values, keep, zero = one_group([0.1, 0.1, 0.1], kind=kind, std_eps=0.0)
    assert values == [0.0, 0.0, 0.0]
    assert keep == [True, True, True], "such a group still counts: for the KL term, for totals"
    assert zero


def test_dynamic_sampling_drops_equal_groups_alone():
    rewards = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    counts = torch.tensor([[True] * 3, [True] * 3, [True] * 3, [True, True, False]])
    found = group_advantages(rewards, counts, AdvantageSettings(dynamic_sampling=True))
    assert found.keep.any(1).tolist() == [False, False, True, False]
    assert found.zero_variance.tolist() == [True, True, False, True]


def test_truncated_samples_stay_in_the_statistics_and_leave_the_loss():
    # mean 1/2, as if the first were kept; ddof 0: std 1/2
    values, keep, _ = one_group([1.0, 0.0], truncated=[True, False], ddof=0, std_eps=0.0)
    assert values == [0.0, -1.0]
    assert keep == [False, True]


def test_varied_groups_by_accuracy():
    # Shaped rewards differ, accuracies do not: DAPO's filter looks at the second.
    rewards, accuracy = torch.tensor([[1.0, 0.5]]), torch.tensor([[1.0, 1.0]])
    everything = torch.ones(1, 2, dtype=torch.bool)
    assert varied_groups(rewards, everything).tolist() == [True]
    assert varied_groups(accuracy, everything).tolist() == [False]


def test_overlong_penalty():
    # L_max 20, L_cache 4: 0 to 16; 17: (16 - 17) / 4 = -1/4; 18: -2/4; 20: -1; above: -1
    lengths = torch.tensor([0, 16, 17, 18, 20, 21, 1000])
    assert overlong_penalty(lengths, 16, 20).tolist() == [0, 0, -0.25, -0.5, -1, -1, -1]
    assert overlong_penalty(lengths.view(7, 1), 16, 20).shape == (7, 1)


@pytest.mark.parametrize(("soft", "hard"), [(20, 20), (21, 20), (-1, 20)])
def test_overlong_limits_are_checked(soft, hard):
    with pytest.raises(ValueError, match=f"soft_limit: .*hard_limit {hard}: {soft}"):
        overlong_penalty(torch.tensor([1]), soft, hard)


def test_overlong_lengths_are_checked():
    with pytest.raises(ValueError, match="lengths: at least 0, not -3"):
        overlong_penalty(torch.tensor([1, -3]), 1, 2)


# ---- errors ---------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_valid_reward_that_is_no_number_is_named(bad):
    rewards = torch.tensor([[0.0, 1.0], [0.0, bad]])
    with pytest.raises(ValueError, match=rf"rewards\[1, 1\]: counted as valid, but {bad}"):
        group_advantages(rewards, torch.ones(2, 2, dtype=torch.bool), AdvantageSettings())


@pytest.mark.parametrize(
    ("rewards", "counts", "message"),
    [
        (torch.zeros(4), torch.ones(4, dtype=torch.bool), "rewards: floating"),
        (
            torch.zeros(2, 2, dtype=torch.int64),
            torch.ones(2, 2, dtype=torch.bool),
            "rewards: floating",
        ),
        (torch.zeros(2, 2), torch.ones(2, 3, dtype=torch.bool), "counts: bool"),
        (torch.zeros(2, 2), torch.ones(2, 2), "counts: bool"),
    ],
)
def test_shapes_and_types_are_named(rewards, counts, message):
    with pytest.raises(ValueError, match=message):
        group_advantages(rewards, counts, AdvantageSettings())


def test_truncated_is_checked_too():
    everything = torch.ones(2, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="truncated: bool"):
        group_advantages(
            torch.zeros(2, 2), everything, AdvantageSettings(), truncated=torch.zeros(2, 2)
        )


@pytest.mark.parametrize(
    "options", [{"kind": "ppo"}, {"ddof": 2}, {"std_eps": -1.0}, {"std_eps": NAN}]
)
def test_settings_are_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        AdvantageSettings(**options)


# ---- against the reference, and properties --------------------------------------

reward = st.one_of(st.sampled_from([0.0, 1.0, 0.1, -1.0]), st.floats(-100, 100, width=32))
group = st.lists(st.tuples(reward, st.booleans()), min_size=1, max_size=9)
options = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["grpo", "dr_grpo", "rloo"]),
        "ddof": st.sampled_from([0, 1]),
        "std_eps": st.sampled_from([1e-6, 1e-4, 0.1]),
    }
)


@settings(deadline=None)
@given(group, options)
def test_equals_the_plain_reference(pairs, chosen):
    rewards, valid = [r for r, _ in pairs], [v for _, v in pairs]
    values, keep, _ = one_group(rewards, valid, **chosen)
    expected = reference(rewards, valid, chosen["kind"], chosen["ddof"], chosen["std_eps"])
    assert values == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert keep == [v and sum(valid) >= 2 for v in valid]


@settings(deadline=None)
@given(group, options, st.randoms(use_true_random=False))
def test_order_within_a_group_does_not_matter(pairs, chosen, random):
    order = list(range(len(pairs)))
    random.shuffle(order)
    plain, keep, zero = one_group(*map(list, zip(*pairs, strict=True)), **chosen)
    shuffled = [pairs[i] for i in order]
    found, found_keep, found_zero = one_group(*map(list, zip(*shuffled, strict=True)), **chosen)
    assert found == pytest.approx([plain[i] for i in order], rel=1e-9, abs=1e-9)
    assert found_keep == [keep[i] for i in order]
    assert found_zero == zero


@settings(deadline=None)
@given(group, options, st.sampled_from([NAN, math.inf, 1e30, 0.0]))
def test_what_an_invalid_sample_holds_does_not_matter(pairs, chosen, junk):
    valid = [v for _, v in pairs]
    plain = one_group([r for r, _ in pairs], valid, **chosen)
    assert one_group([r if v else junk for r, v in pairs], valid, **chosen) == plain


@settings(deadline=None)
@given(group, options, st.integers(1, 4))
def test_invalid_samples_and_other_groups_change_nothing(pairs, chosen, extra):
    rewards, valid = [r for r, _ in pairs], [v for _, v in pairs]
    plain, _, _ = one_group(rewards, valid, **chosen)
    other = [float(i % 3) for i in range(len(pairs) + extra)]
    wider = torch.tensor([rewards + [7.0] * extra, other], dtype=torch.float64)
    counts = torch.tensor([valid + [False] * extra, [True] * len(other)])
    found = group_advantages(wider, counts, AdvantageSettings(**chosen))
    assert found.values[0, : len(pairs)].tolist() == pytest.approx(plain, rel=1e-9, abs=1e-9)
    assert not found.keep[0, len(pairs) :].any()


@settings(deadline=None)
@given(group, options)
def test_advantages_of_a_group_cancel(pairs, chosen):
    values, _, _ = one_group(*map(list, zip(*pairs, strict=True)), **chosen)
    assert sum(values) == pytest.approx(0.0, abs=1e-7)


@settings(deadline=None)
@given(group, st.floats(-50, 50), st.floats(0.1, 10))
def test_grpo_does_not_see_shift_or_scale(pairs, shift, scale):
    rewards, valid = [r for r, _ in pairs], [v for _, v in pairs]
    known = [r for r, v in pairs if v]
    if len(set(known)) > 1 and max(known) - min(known) < 0.01:
        return  # below rounding of the shifted values
    plain, _, _ = one_group(rewards, valid, std_eps=0.0)
    moved, _, _ = one_group([r * scale + shift for r in rewards], valid, std_eps=0.0)
    assert moved == pytest.approx(plain, abs=1e-6)


def test_float32_in_and_out():
    rewards = torch.tensor([[1.0, 0.0, 0.5]])
    found = group_advantages(rewards, torch.ones(1, 3, dtype=torch.bool), AdvantageSettings())
    assert found.values.dtype == torch.float32
    # mean 1/2, ddof 1: std = sqrt((1/4 + 1/4) / 2) = 1/2: 1, -1, 0, less two millionths for eps
    assert found.values.tolist() == [pytest.approx([1.0, -1.0, 0.0], abs=3e-6)]
