"""Log-probabilities and entropies against log_softmax in float64, and what memory they take."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
import torch

from trainer import logprobs
from trainer.logprobs import token_logprobs

TOKENS, HIDDEN, VOCAB = 37, 16, 53


def inputs(dtype=torch.float32, padding=0, scale=1.0):
    generator = torch.Generator().manual_seed(0)
    hidden = (torch.randn(TOKENS, HIDDEN, generator=generator, dtype=torch.float64) * scale).to(
        dtype
    )
    weight = torch.randn(VOCAB + padding, HIDDEN, generator=generator, dtype=torch.float64).to(
        dtype
    )
    targets = torch.randint(VOCAB, (TOKENS,), generator=generator)
    return hidden.requires_grad_(), weight.requires_grad_(), targets


def reference(hidden, weight, targets, temperature=1.0):
    logp = (hidden.double() @ weight.double()[:VOCAB].T / temperature).log_softmax(-1)
    return logp[range(TOKENS), targets], -(logp.exp() * logp).sum(-1)


@pytest.mark.parametrize("temperature", [1.0, 0.6, 2.0])
@pytest.mark.parametrize("chunk", [1, 10, 1000])
@pytest.mark.parametrize("entropy_grad", [False, True])
@pytest.mark.parametrize("padding", [0, 3])
def test_values_and_gradients_are_log_softmax(temperature, chunk, entropy_grad, padding):
    hidden, weight, targets = inputs(padding=padding)
    stats = token_logprobs(
        hidden, weight, targets, vocab_size=VOCAB, temperature=temperature, chunk_tokens=chunk, entropy_grad=entropy_grad
    )  # fmt: skip
    logp, entropy = reference(hidden, weight, targets, temperature)
    torch.testing.assert_close(stats.logprobs.double(), logp, atol=1e-5, rtol=1e-6)
    torch.testing.assert_close(stats.entropy.double(), entropy, atol=1e-5, rtol=1e-6)
    assert stats.entropy.requires_grad == entropy_grad
    a, b = torch.randn(2, TOKENS, generator=torch.Generator().manual_seed(1))
    mine = (stats.logprobs * a).sum() + (stats.entropy * b).sum()
    theirs = (logp * a).sum() + ((entropy * b).sum() if entropy_grad else 0)
    want = torch.autograd.grad(theirs, (hidden, weight))
    for x, y in zip(torch.autograd.grad(mine, (hidden, weight)), want, strict=True):
        torch.testing.assert_close(x, y, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("entropy_grad", [False, True])
def test_gradients_are_finite_differences(entropy_grad):
    hidden, weight, targets = inputs(torch.float64)

    def call(h, w):
        stats = token_logprobs(h, w, targets, vocab_size=VOCAB, temperature=0.7, chunk_tokens=8, entropy_grad=entropy_grad)  # fmt: skip
        return (stats.logprobs, stats.entropy) if entropy_grad else stats.logprobs

    assert torch.autograd.gradcheck(call, (hidden, weight))


def test_only_the_entropy_may_be_used():
    hidden, weight, targets = inputs()
    stats = token_logprobs(hidden, weight, targets, vocab_size=VOCAB, entropy_grad=True)
    stats.entropy.sum().backward()
    want = torch.autograd.grad(reference(hidden, weight, targets)[1].sum(), hidden)[0]
    torch.testing.assert_close(hidden.grad, want, atol=1e-5, rtol=1e-5)


def test_half_precision_has_its_softmax_in_fp32():
    hidden, weight, targets = inputs(torch.bfloat16)
    stats = token_logprobs(hidden, weight, targets, vocab_size=VOCAB, chunk_tokens=10)
    assert stats.logprobs.dtype == stats.entropy.dtype == torch.float32
    logp, _ = reference(hidden, weight, targets)
    # Only the logits, up to 16 here, may have been rounded: to 2^-8 of themselves.
    torch.testing.assert_close(stats.logprobs.double(), logp, atol=16 * 2**-8, rtol=0)
    grads = torch.autograd.grad(stats.logprobs.sum(), (hidden, weight))
    want = torch.autograd.grad(logp.sum(), (hidden, weight))
    for x, y in zip(grads, want, strict=True):
        assert x.dtype == torch.bfloat16
        assert (x - y).norm() < 0.02 * y.norm()


def test_logits_far_apart_neither_overflow_nor_vanish():
    hidden, weight, targets = inputs(scale=300.0)
    stats = token_logprobs(hidden, weight, targets, vocab_size=VOCAB, entropy_grad=True)
    logp, entropy = reference(hidden, weight, targets)
    assert logp.min() < -1000
    torch.testing.assert_close(stats.logprobs.double(), logp, atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(stats.entropy.double(), entropy, atol=1e-3, rtol=1e-5)
    (stats.logprobs.sum() + stats.entropy.sum()).backward()
    assert torch.isfinite(hidden.grad).all()


def test_no_tokens():
    hidden, weight, targets = inputs()
    stats = token_logprobs(hidden[:0], weight, targets[:0], vocab_size=VOCAB)
    assert stats.logprobs.shape == stats.entropy.shape == (0,)
    stats.logprobs.sum().backward()
    assert not weight.grad.any()


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    hidden, weight, targets = inputs()
    with pytest.raises(ValueError, match=f"temperature: must be positive, got {temperature}"):
        token_logprobs(hidden, weight, targets, vocab_size=VOCAB, temperature=temperature)


def test_chunks_are_bounded_by_logits_too(monkeypatch):
    """However many tokens a chunk may have, there are never more logits than the limit."""
    monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", 5 * VOCAB)
    sizes = []
    real = logprobs._log_softmax
    monkeypatch.setattr(
        logprobs, "_log_softmax", lambda h, *rest: sizes.append(len(h)) or real(h, *rest)
    )
    hidden, weight, targets = inputs()
    token_logprobs(hidden, weight, targets, vocab_size=VOCAB).logprobs.sum().backward()
    assert max(sizes) == 5
    assert sum(sizes) == 2 * TOKENS  # once forward, once backward


def test_memory_of_a_large_vocabulary_does_not_grow_with_the_tokens():
    """A process of its own tells its peak: the full logits alone would be 2.5 GB."""
    code = """
        import resource, torch
        from trainer.logprobs import token_logprobs
        torch.set_num_threads(1)
        tokens, vocab = 4096, 151936
        hidden = torch.randn(tokens, 8, requires_grad=True)
        weight = torch.randn(vocab, 8, requires_grad=True)
        targets = torch.randint(vocab, (tokens,))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        stats = token_logprobs(hidden, weight, targets, vocab_size=vocab)
        stats.logprobs.sum().backward()
        assert torch.isfinite(hidden.grad).all()
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120, check=True
    )  # fmt: skip
    assert int(done.stdout) < 4 * 4 * logprobs.LOGITS_AT_ONCE < 1.1e9
