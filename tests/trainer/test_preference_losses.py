"""Losses of reward models: by hand, by finite differences, and where numbers are large."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from trainer.preference_losses import Pairs, Points, binary_cross_entropy, bradley_terry

scores = st.floats(-20, 20)


def test_bradley_terry_by_hand():
    judged = bradley_terry(Pairs(torch.tensor([2.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, 4.0])))
    # ln(1 + e^-1), ln 2, ln(1 + e^3)
    assert judged.loss.tolist() == pytest.approx([0.31326169, 0.69314718, 3.04858735])
    assert judged.margin.tolist() == [1.0, 0.0, -3.0]
    assert judged.right.tolist() == [True, False, False], "equal scores are not right"


def test_binary_cross_entropy_by_hand():
    points = Points(torch.tensor([2.0, 2.0, -1.0, 0.0]), torch.tensor([1.0, 0.0, 0.0, 0.25]))
    judged = binary_cross_entropy(points)
    assert judged.loss.tolist() == pytest.approx([0.12692801, 2.12692801, 0.31326169, 0.69314718])
    assert judged.margin.tolist() == [2.0, -2.0, 1.0, 0.0]
    assert judged.right.tolist() == [True, False, True, False]


@given(scores, scores)
def test_one_response_is_a_pair_with_a_score_of_zero(one: float, other: float) -> None:
    pair = bradley_terry(Pairs(torch.tensor([one]), torch.tensor([other])))
    point = binary_cross_entropy(Points(torch.tensor([one - other]), torch.tensor([1.0])))
    assert pair.loss.item() == pytest.approx(point.loss.item(), abs=1e-5)


def loss_of(values: Tensor, label: float | None) -> Tensor:
    if label is None:
        return bradley_terry(Pairs(values[:1], values[1:])).loss.sum()
    return binary_cross_entropy(Points(values, torch.full_like(values, label))).loss.sum()


@given(st.tuples(scores, scores), st.none() | st.floats(0, 1))
def test_gradients_are_the_difference_quotients(pair: tuple[float, float], label: float | None):
    values = torch.tensor(pair, requires_grad=True)
    loss_of(values, label).backward()
    step = 1e-2
    for place in range(2):
        moved = torch.zeros(2)
        moved[place] = step
        high, low = (loss_of(values.detach() + way * moved, label).item() for way in (1, -1))
        assert values.grad is not None
        assert values.grad[place].item() == pytest.approx((high - low) / (2 * step), abs=2e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_large_scores_have_finite_losses(dtype: torch.dtype):
    large = torch.tensor([1e4, -1e4], dtype=dtype, requires_grad=True)
    loss = bradley_terry(Pairs(large[1:], large[:1])).loss
    assert loss.item() == pytest.approx(2e4, rel=0.01)
    loss.sum().backward()
    assert large.grad is not None
    assert large.grad.tolist() == [1.0, -1.0]
    assert math.isfinite(loss_of(large.detach(), 0.5).item())
