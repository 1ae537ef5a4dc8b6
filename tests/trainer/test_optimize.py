from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from tests.trainer.support import TINY
from trainer.model import Decoder, ModelConfig
from trainer.optimize import NotFinite, OptimizerSettings, TorchOptimizer, learning_rate


def decoder(dtype: torch.dtype = torch.float32) -> Decoder:
    return Decoder(ModelConfig.from_hf(TINY | {"vocab_size": 64}), seed=1, dtype=dtype)


def loss(model: Decoder, scale: float = 1.0) -> torch.Tensor:
    """Any smooth function of all weights."""
    return scale * sum((p.float().sin() * (n + 1)).sum() for n, p in enumerate(model.parameters()))  # type: ignore[return-value]


def test_fp32_equals_torchs_adamw_with_clipping() -> None:
    ours, theirs = decoder(), decoder()
    settings = OptimizerSettings(lr=0.01, weight_decay=0.1, max_grad_norm=0.5, eps=1e-6)
    optimizer = TorchOptimizer(ours, settings)
    reference = torch.optim.AdamW(
        [
            {"params": [p for p in theirs.parameters() if p.dim() > 1], "weight_decay": 0.1},
            {"params": [p for p in theirs.parameters() if p.dim() == 1], "weight_decay": 0.0},
        ],
        lr=0.01, betas=(0.9, 0.95), eps=1e-6,
    )  # fmt: skip
    for _ in range(5):
        for part in range(3):
            optimizer.backward(loss(ours, 0.1), last=part == 2)
        stats = optimizer.step()
        reference.zero_grad()
        loss(theirs, 0.3).backward()
        norm = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        assert stats.grad_norm == pytest.approx(float(norm), rel=1e-5)
        reference.step()
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6), name
    assert optimizer.updates == 5


def test_bf16_weights_have_fp32_masters_that_small_steps_do_not_vanish_in() -> None:
    model = decoder(torch.bfloat16)
    optimizer = TorchOptimizer(model, OptimizerSettings(lr=1e-5, max_grad_norm=0))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    masters = {name: state["master"].clone() for name, _, state in optimizer.state()}
    for _ in range(200):
        optimizer.backward(loss(model), last=True)
        optimizer.step()
    moved = 0
    for name, parameter, state in optimizer.state():
        assert parameter.dtype == torch.bfloat16
        assert state["master"].dtype == torch.float32
        assert torch.equal(parameter, state["master"].bfloat16())
        assert (state["master"] - masters[name]).abs().max() == pytest.approx(2e-3, rel=0.1)
        moved += int((parameter != before[name]).sum())
    # One step of 1e-5 rounds to nothing in bf16; two hundred together do not.
    assert moved > 100


def test_micro_batches_add_up_in_fp32() -> None:
    """256 + 1 is 256 in bf16: a sum of many small gradients on a large one must not lose them."""
    model = decoder(torch.bfloat16)
    optimizer = TorchOptimizer(model, OptimizerSettings(lr=0.1, max_grad_norm=0))
    weight = model.model.norm.weight
    for scale in (256.0, *[1.0] * 64):
        optimizer.backward(weight[0].float() * scale, last=scale == 1.0)
    assert optimizer.step().grad_norm == 320.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_changes_nothing(bad: float) -> None:
    model = decoder()
    optimizer = TorchOptimizer(model, OptimizerSettings(lr=0.1))
    before = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(NotFinite, match="the loss is"):
        optimizer.backward(loss(model, bad), last=True)
    weight = model.model.norm.weight
    optimizer.backward(
        (weight * 0).sum() + (weight - weight.detach()).abs().sqrt().sum(), last=True
    )
    with pytest.raises(NotFinite, match="norm of the gradient"):
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    optimizer.backward(loss(model), last=True)
    assert math.isfinite(optimizer.step().grad_norm)


def test_learning_rates() -> None:
    settings = OptimizerSettings(lr=1.0, warmup_steps=4, total_steps=15, schedule="cosine")
    rates = [learning_rate(settings, n) for n in range(20)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1.0
    assert rates[9] == pytest.approx(0.55)
    assert rates[14:] == pytest.approx([0.1] * 6)
    assert all(a >= b for a, b in pairwise(rates[4:]))
    linear = OptimizerSettings(lr=1.0, total_steps=11, schedule="linear", min_lr_ratio=0.0)
    assert [learning_rate(linear, n) for n in range(11)] == pytest.approx(
        [1 - n / 10 for n in range(11)]
    )
    assert learning_rate(OptimizerSettings(lr=2.0), 10**6) == 2.0
