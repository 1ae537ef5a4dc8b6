"""Packing and balancing: nothing is lost, nothing overflows, and little is wasted."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.packing import balance, pack

BUDGET = 20
sizes = st.lists(st.integers(1, BUDGET), max_size=40)


def fewest(lengths: list[int], budget: int) -> int:
    """By trying every assignment: the least number of batches that holds all."""
    for count in range(1, len(lengths) + 1):
        for places in itertools.product(range(count), repeat=len(lengths)):
            loads = [0] * count
            for place, length in zip(places, lengths, strict=True):
                loads[place] += length
            if max(loads) <= budget:
                return count
    return 0


def test_best_fit_by_hand():
    # From the longest: 6 opens a, 5 opens b, 4 fits a alone (10), 3 fits b (8), 2 fits b (10).
    assert pack([2, 6, 3, 5, 4], 10) == [[1, 4], [3, 2, 0]]


def test_the_fullest_that_fits_is_taken_not_the_first():
    # 8 leaves 3; 6 leaves 5, and with 4 leaves 1: there 1 goes, though 8 came first.
    assert pack([8, 6, 4, 1], 11) == [[0], [1, 2, 3]]


def test_equal_lengths_keep_their_order():
    assert pack([5, 5, 5, 5], 10) == [[0, 1], [2, 3]]


def test_no_samples_no_batches():
    assert pack([], 10) == []
    assert pack([], 10, multiple=4) == []


@settings(deadline=None)
@given(sizes, st.integers(1, 5))
def test_every_sample_once_within_the_budget(lengths, multiple):
    batches = pack(lengths, BUDGET, multiple=multiple)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(sum(lengths[i] for i in batch) <= BUDGET for batch in batches)
    assert len(batches) % multiple == 0
    for batch in batches:
        inside = [lengths[i] for i in batch]
        assert inside == sorted(inside, reverse=True)
    if len(lengths) >= len(batches):
        assert all(batches), "an empty one is only for want of samples"
    assert pack(lengths, BUDGET, multiple=multiple) == batches


@settings(deadline=None)
@given(st.lists(st.integers(1, BUDGET), min_size=1, max_size=6))
def test_close_to_the_fewest(lengths):
    # The known bound of best-fit decreasing: 11/9 of the fewest, and 6/9.
    assert len(pack(lengths, BUDGET)) <= 11 / 9 * fewest(lengths, BUDGET) + 6 / 9


@settings(deadline=None)
@given(sizes, st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_change_the_sizes(lengths, random):
    shuffled = lengths[:]
    random.shuffle(shuffled)

    def shape(values):
        return sorted([values[i] for i in batch] for batch in pack(values, BUDGET))

    assert shape(lengths) == shape(shuffled)


def test_splitting_for_ranks_halves_the_largest():
    # One batch of 4 + 3 + 2 + 1 for two ranks: every other one, 4 + 2 and 3 + 1.
    assert pack([1, 2, 3, 4], 10, multiple=2) == [[3, 1], [2, 0]]


def test_the_largest_is_the_one_of_most_tokens():
    # 10 + 10 and 4 + 4 + 4: the second has more samples, the first more tokens.
    assert pack([10, 10, 4, 4, 4], 20, multiple=3) == [[0], [2, 3, 4], [1]]


def test_too_few_samples_leave_empty_batches():
    assert pack([3, 2], 10, multiple=4) == [[0], [1], [], []]


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([3, 11], r"lengths\[1\]: from 1 to the budget of 10, not 11"),
        ([0], r"lengths\[0\]: from 1 to the budget of 10, not 0"),
    ],
)
def test_a_sample_that_does_not_fit_is_named(lengths, message):
    with pytest.raises(ValueError, match=message):
        pack(lengths, 10)


@pytest.mark.parametrize(("budget", "multiple"), [(0, 1), (5, 0)])
def test_arguments_are_checked(budget, multiple):
    with pytest.raises(ValueError, match=f"at least 1, not {budget} and {multiple}"):
        pack([], budget, multiple=multiple)


# ---- balance --------------------------------------------------------------------


def test_balance_by_hand():
    # Rounds (9, 7) and (5, 1): the rank with 9 gets 1, the rank with 7 gets 5: 10 and 12.
    assert balance([1, 9, 5, 7], 2) == [[1, 0], [3, 2]]


@settings(deadline=None)
@given(st.integers(1, 5), st.data())
def test_balanced_in_number_and_in_sum(ranks, data):
    rounds = data.draw(st.integers(0, 8))
    costs = data.draw(
        st.lists(st.integers(0, 1000), min_size=ranks * rounds, max_size=ranks * rounds)
    )
    shares = balance(costs, ranks)
    assert [len(share) for share in shares] == [rounds] * ranks
    assert sorted(i for share in shares for i in share) == list(range(len(costs)))
    if costs:
        loads = [sum(costs[i] for i in share) for share in shares]
        assert max(loads) - min(loads) <= max(costs) - min(costs)
    for together in zip(*shares, strict=True):  # what ranks do at once: neighbours in size
        least, most = min(costs[i] for i in together), max(costs[i] for i in together)
        between = [c for i, c in enumerate(costs) if least < c < most and i not in together]
        assert not between


@pytest.mark.parametrize(("count", "ranks"), [(3, 2), (1, 0)])
def test_numbers_that_do_not_divide_are_named(count, ranks):
    with pytest.raises(ValueError, match=f"a multiple of {ranks} ranks, not {count}"):
        balance([1.0] * count, ranks)
