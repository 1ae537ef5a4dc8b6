"""What runs otherwise on CUDA: flash attention, half-precision caches, sums that repeat. Skipped
where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.trainer.support import TINY, digits, metrics, recipe, tiny_model
from trainer import grpo
from trainer.attention import PackedAttention
from trainer.batch import Policy, Sample, micro_batch
from trainer.logprobs import LOGITS_AT_ONCE_CUDA, token_logprobs
from trainer.model import Decoder, ModelConfig
from trainer.process import start_torch
from trainer.rollout.embedded import EmbeddedEngine
from trainer.rollout.engine import Request, Sampling
from verifier.embedded import EmbeddedServer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SIZES = {"vocab_size": 999, "hidden_size": 128, "eos_token_id": 0, "intermediate_size": 256}


@pytest.fixture(autouse=True)
def _deterministic():
    start_torch(0, deterministic=True)
    yield
    torch.set_deterministic_debug_mode("default")


def decoder(device: torch.device, dtype: torch.dtype = torch.float32) -> Decoder:
    config = ModelConfig.from_hf(TINY | SIZES | {"initializer_range": 0.1})
    return Decoder(config, device=device, dtype=dtype)


def samples() -> list[Sample]:
    draws = torch.Generator().manual_seed(3)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, 999, (count,), generator=draws).tolist())

    prompts = [ids(9), ids(30)]
    return [
        Sample(prompts[n % 2], ids(length), (0.0,) * length, 1.0)
        for n, length in enumerate((3, 70, 1, 33, 200, 64))
    ]


def passes(device: torch.device, dtype: torch.dtype) -> tuple[torch.Tensor, list[torch.Tensor]]:
    policy = Policy(decoder(device, dtype), 1.0)
    stats = policy(micro_batch(samples(), device))
    stats.logprobs.sum().backward()
    return stats.logprobs.detach().cpu(), [p.grad.float().cpu() for p in policy.parameters()]


def test_forward_and_backward_equal_the_cpus_in_fp32():
    want, want_grads = passes(CPU, torch.float32)
    found, grads = passes(CUDA, torch.float32)
    torch.testing.assert_close(found, want, atol=2e-5, rtol=0)
    for mine, theirs in zip(grads, want_grads, strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-4 * float(theirs.abs().max()), rtol=0)


def test_bfloat16_is_as_near_to_fp32_as_its_rounding():
    want, want_grads = passes(CPU, torch.float32)
    found, grads = passes(CUDA, torch.bfloat16)
    assert float((found - want).abs().mean()) < 0.02
    for mine, theirs in zip(grads, want_grads, strict=True):
        assert float((mine - theirs).norm() / theirs.norm()) < 0.05


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_same_pass_twice_gives_the_same_bits(dtype):
    (first, grads), (second, again) = passes(CUDA, dtype), passes(CUDA, dtype)
    assert torch.equal(first, second)
    assert all(torch.equal(a, b) for a, b in zip(grads, again, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_sample_sees_another(dtype):
    lengths = [5, 64, 17]
    q, k, v = torch.randn(3, sum(lengths), 4, 32, device=CUDA, dtype=dtype)
    first = PackedAttention(lengths, CUDA)(0, q, k, v)
    q[:5], k[:5], v[:5] = 9.0, 9.0, 9.0
    second = PackedAttention(lengths, CUDA)(0, q, k, v)
    assert torch.equal(first[5:], second[5:])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_sampling_repeats_and_its_logprobs_are_the_policys(dtype, top_p):
    engine = EmbeddedEngine(decoder(CUDA, dtype), rows=32, shared=True)
    requests = [Request(tuple(range(5, 5 + n % 7 + 1)), seed=n) for n in range(48)]
    sampling = Sampling(40, 1.0, top_p, stop_token_ids=(0,))
    first, second = (dict(engine.generate(requests, sampling)) for _ in range(2))
    assert first == second
    if top_p < 1.0:
        return
    known = engine.logprobs([requests[n].ids + c.ids for n, c in sorted(first.items())])
    gaps = [
        abs(a - b)
        for (_, c), whole in zip(sorted(first.items()), known, strict=True)
        for a, b in zip(c.logprobs, whole[-len(c.ids) :], strict=True)
    ]
    assert sum(gaps) / len(gaps) < (1e-5 if dtype == torch.float32 else 0.02)


def test_a_long_packed_batch_never_holds_all_its_logits():
    rows, vocabulary, hidden = 32_768, 151_936, 256
    states = torch.randn(rows, hidden, device=CUDA, dtype=torch.bfloat16, requires_grad=True)
    head = torch.randn(vocabulary, hidden, device=CUDA, dtype=torch.bfloat16, requires_grad=True)
    targets = torch.randint(0, vocabulary, (rows,), device=CUDA)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    token_logprobs(states, head, targets, vocab_size=vocabulary).logprobs.sum().backward()
    used = torch.cuda.max_memory_allocated() - before
    assert used < 4 * 2 * LOGITS_AT_ONCE_CUDA + 8 * head.numel() < rows * vocabulary * 2 / 3


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_run_twice_gives_the_same_metrics(dtype, tmp_path: Path):
    model, data = tiny_model(tmp_path / "model"), digits(tmp_path / "digits.jsonl")
    with EmbeddedServer("--log-level", "warning", "--sandbox", "none") as server:
        for name in ("a", "b"):
            told = {"reward": {"address": server.address}, "model": {"dtype": dtype}}
            grpo.train(recipe(tmp_path / name, model, data, **told))
    first, second = metrics(tmp_path / "a"), metrics(tmp_path / "b")
    assert json.dumps(first) == json.dumps(second)
    gap = max(line["mismatch/logprob_abs_max"] for line in first)
    assert gap < (1e-4 if dtype == "float32" else 0.3)
