from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.support import TINY
from trainer.batch import Policy, Sample, by_prompt, micro_batch, rows_of
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
    assert micro.ids.tolist() == [1, 2, 3, 5]
    assert micro.lengths == [3, 1]
    assert micro.prefixes == [None, None]
    # 3 is predicted at 2, 4 at 3, 6 at 5.
    assert micro.ids[micro.rows].tolist() == [2, 3, 5]
    assert micro.targets.tolist() == [3, 4, 6]
    assert micro.sequence.tolist() == [0, 0, 1]
    assert micro.counts == [2, 1]
    assert micro.rollout_logprobs.tolist() == pytest.approx([-0.5, -0.6, -0.7])


def test_neighbours_of_one_prompt_share_its_rows() -> None:
    mates = [Sample((1, 2), c, (0.0,) * len(c), 0.0) for c in ((3, 4, 5), (6,), (7, 8))]
    micro = micro_batch([*mates, Sample((9,), (10,), (0.0,), 0.0)], DEVICE)
    assert micro.ids.tolist() == [1, 2, 3, 4, 7, 9]
    assert micro.lengths == [2, 2, 1, 1]
    assert micro.prefixes == [None, 0, 0, None]
    assert micro.ids[micro.rows].tolist() == [2, 3, 4, 2, 2, 7, 9]
    assert micro.targets.tolist() == [3, 4, 5, 6, 7, 8, 10]
    assert micro.counts == [3, 1, 2, 1]
    assert rows_of(mates) == sum(micro.lengths[:3])


def test_completions_of_one_token_need_their_prompt_alone() -> None:
    mates = [Sample((1, 2), (token,), (0.0,), 0.0) for token in (3, 4)]
    micro = micro_batch(mates, DEVICE)
    assert (micro.ids.tolist(), micro.rows.tolist()) == ([1, 2], [1, 1])
    assert policy_of(1.0)(micro).logprobs.shape == (2,)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=1, max_size=30),
    st.integers(12, 40),
)
def test_samples_of_a_prompt_stay_together_as_far_as_they_fit(
    drawn: list[tuple[int, int]], budget: int
) -> None:
    many = [Sample((n,) * 3, (9,) * size, (0.0,) * size, 0.0) for n, size in drawn]
    units = by_prompt(many, range(len(many)), budget)
    assert sorted(n for unit in units for n in unit) == list(range(len(many)))
    for unit in units:
        assert len({many[n].prompt for n in unit}) == 1
        assert rows_of([many[n] for n in unit]) <= budget
    for n in range(4):
        mates = [unit for unit in units if many[unit[0]].prompt[0] == n]
        for unit, after in pairwise(mates):  # the first of the next did not fit
            assert rows_of([many[m] for m in (*unit, after[0])]) > budget


def policy_of(temperature: float) -> Policy:
    return Policy(Decoder(ModelConfig.from_hf(TINY | {"vocab_size": 64}), seed=1), temperature)


def test_a_policy_gives_what_each_sample_has_alone() -> None:
    policy, many = policy_of(0.7), samples(7)
    for completion in ((5, 6), (7,)):
        same = replace(many[-1], completion=completion, rollout_logprobs=(0.0,) * len(completion))
        many.append(same)
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


def test_spare_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, micro, rows = policy_of(0.7), micro_batch(samples(7), DEVICE), []

    def found() -> list[torch.Tensor]:
        stats = policy(micro)
        given = torch.autograd.grad(stats.logprobs.square().sum(), list(policy.parameters()))
        return [stats.logprobs, stats.entropy, *given]

    def told(function: Callable[[int, torch.Tensor], int]) -> None:
        for module in ("batch", "model"):
            monkeypatch.setattr(f"trainer.{module}.spare_rows", function)

    told(lambda rows, weight: 0)
    wanted = found()

    def spare(count: int, weight: torch.Tensor) -> int:
        rows.append(count)
        return -count % 16 or 16

    told(spare)
    torch.testing.assert_close(found(), wanted, atol=3e-4, rtol=1e-4)
    assert rows == [len(micro.rows), len(micro.ids)]


def micro_attention(length: int):  # type: ignore[no-untyped-def]
    from trainer.attention import PackedAttention

    return PackedAttention([length], DEVICE)
