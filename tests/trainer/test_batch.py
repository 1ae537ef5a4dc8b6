from __future__ import annotations

import random

import pytest
import torch

from tests.trainer.support import TINY
from trainer.batch import Policy, Sample, micro_batch
from trainer.model import Decoder, ModelConfig

DEVICE = torch.device("cpu")


def samples(count: int) -> list[Sample]:
    draws = random.Random(0)

    def ids(most: int) -> tuple[int, ...]:
        return tuple(draws.randrange(1, 60) for _ in range(draws.randint(1, most)))

    return [Sample(ids(6), c := ids(9), (-1.0,) * len(c), draws.random()) for _ in range(count)]


def test_a_micro_batch_says_where_each_token_is_predicted() -> None:
    micro = micro_batch(
        [Sample((1, 2), (3, 4), (-0.5, -0.6), 1.0), Sample((5,), (6,), (-0.7,), -1.0)], DEVICE
    )
    assert micro.ids.tolist() == [1, 2, 3, 4, 5, 6]
    assert micro.lengths == [4, 2]
    # 3 is predicted at 2, 4 at 3, 6 at 5.
    assert micro.ids[micro.rows].tolist() == [2, 3, 5]
    assert micro.targets.tolist() == [3, 4, 6]
    assert micro.sequence.tolist() == [0, 0, 1]
    assert micro.counts == [2, 1]
    assert micro.rollout_logprobs.tolist() == pytest.approx([-0.5, -0.6, -0.7])


def test_a_policy_gives_what_each_sample_has_alone() -> None:
    policy = Policy(Decoder(ModelConfig.from_hf(TINY | {"vocab_size": 64}), seed=1), 0.7)
    many = samples(7)
    micro = micro_batch(many, DEVICE)
    together = policy(micro).logprobs.split(micro.counts)
    for sample, packed in zip(many, together, strict=True):
        ids = torch.tensor(sample.prompt + sample.completion)
        alone = policy(micro_batch([sample], DEVICE))
        assert torch.allclose(packed, alone.logprobs, atol=1e-5)
        hidden = policy.decoder(ids, torch.arange(len(ids)), micro_attention(len(ids)))
        logits = (hidden @ policy.decoder.head_weight.T)[:, :64] / 0.7
        expected = logits.log_softmax(-1)[len(sample.prompt) - 1 : -1]
        assert torch.allclose(
            alone.logprobs,
            expected.gather(1, torch.tensor(sample.completion)[:, None])[:, 0],
            atol=1e-5,
        )


def micro_attention(length: int):  # type: ignore[no-untyped-def]
    from trainer.attention import PackedAttention

    return PackedAttention([length], DEVICE)
