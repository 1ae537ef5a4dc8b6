"""Log-probabilities and entropies of tokens, without the full logits.

Logits are made for a chunk of tokens at a time, in the forward pass and again in the backward
pass, and with the vocabulary split over the TP ranks no rank ever has a whole row of them.

Invariant: what exists at once is at most LOGITS_AT_ONCE logits a few times over, whatever the
number of tokens and the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from trainer.fused import fused
from trainer.parallel import SINGLE, Layout, all_gather, apply, compute_dtype, wide
from trainer.products import product

LOGITS_AT_ONCE = 2**26
"""256 MiB in fp32: enough rows of the largest vocabularies to keep a matrix product busy."""

LOGITS_AT_ONCE_CUDA = 2**28
"""Faster products need more rows, and each chunk adds to the gradient of the whole head: with a
vocabulary of 151,936 and 2**26, that takes a fifth of the time."""


class TokenStats(NamedTuple):
    """Of each of N target tokens: its log-probability, and the entropy of the distribution it was
    one of, both in nats; [N] fp32. A tuple, for hooks on modules look into no other class."""

    logprobs: Tensor
    entropy: Tensor


def token_logprobs(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    *,
    vocab_size: int,
    temperature: float = 1.0,
    layout: Layout = SINGLE,
    chunk_tokens: int = 2048,
    entropy_grad: bool = False,
) -> TokenStats:
    """log softmax(hidden weight^T / temperature) at `targets`.

    hidden [N, H] is whole on every TP rank and gets a whole gradient; weight [V/tp, H] is this
    rank's rows of the head, of which those beyond `vocab_size` are padding; targets [N] are the
    same on all ranks. The softmax is in fp32 for half-precision inputs. Without `entropy_grad`
    the entropy is a number without gradient. Raises ValueError for a temperature that is not
    positive.
    """
    if temperature <= 0:
        raise ValueError(f"temperature: must be positive, got {temperature}")
    start = layout.tp_rank * len(weight)
    own = min(len(weight), vocab_size - start)
    # A slice costs a gradient of the whole weight's size of its own: only where there is padding.
    head = weight if own == len(weight) else weight[:own]
    at_once = LOGITS_AT_ONCE_CUDA if weight.is_cuda else LOGITS_AT_ONCE
    chunk = max(1, min(chunk_tokens, at_once // own))
    job = _Job(layout, 1.0 / temperature, chunk, entropy_grad)
    return TokenStats(*apply(_TokenStats, hidden, head, targets - start, job))


@dataclass(frozen=True)
class _Job:
    layout: Layout
    scale: float
    chunk: int
    entropy_grad: bool

    def parts(self, rows: int) -> list[slice]:
        return [slice(at, at + self.chunk) for at in range(0, rows, self.chunk)]


class _TokenStats(torch.autograd.Function):
    """With z the scaled logits, p their softmax and h the entropy:
    d logprob / d z = onehot(target) - p and d h / d z = -p (log p + h)."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, job: _Job
    ) -> tuple[Tensor, Tensor]:
        head = weight.to(compute_dtype(weight))
        dtype = torch.promote_types(hidden.dtype, torch.float32)
        logprobs, entropy = torch.empty(2, len(targets), dtype=dtype, device=hidden.device)
        elsewhere = _elsewhere(targets, weight, job)
        local = targets if elsewhere is None else targets.masked_fill(elsewhere, 0)
        for part in job.parts(len(targets)):
            logits = _logits(hidden[part], head, job)
            logprobs[part], entropy[part] = _read(logits, _sums(logits, job), local[part])
        if elsewhere is not None:
            logprobs.masked_fill_(elsewhere, 0)
            dist.all_reduce(logprobs, group=job.layout.tp_group)
            dist.all_reduce(entropy, group=job.layout.tp_group)
        ctx.job = job
        ctx.save_for_backward(hidden, weight, targets, logprobs, entropy)
        if not job.entropy_grad:
            ctx.mark_non_differentiable(entropy)
        return logprobs, entropy

    @staticmethod
    def backward(ctx: Any, grad: Tensor, entropy_grad: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, targets, logprobs, entropy = ctx.saved_tensors
        job: _Job = ctx.job
        head = weight.to(compute_dtype(weight))
        elsewhere = _elsewhere(targets, weight, job)
        # Negated, for both gradients have p with a minus; at the target, the plus of onehot.
        slope = grad * -job.scale
        at_target = slope * logprobs.exp() - slope
        pull: Tensor | None = None
        if job.entropy_grad:
            pull = entropy_grad * -job.scale
            at_target += pull * (logprobs + entropy) * logprobs.exp()
        d_hidden = torch.empty_like(hidden)
        d_weight = torch.zeros_like(weight, dtype=slope.dtype)
        for part in job.parts(len(targets)):
            logits = _logits(hidden[part], head, job)
            pulls = None if pull is None else (pull[part], entropy[part])
            d_logits = _slope(logits, _sums(logits, job), slope[part], pulls)
            rows, columns = torch.arange(len(logits), device=logits.device), targets[part]
            value = at_target[part].to(d_logits.dtype)
            if elsewhere is not None:
                columns = columns.masked_fill(elsewhere[part], 0)
                value = torch.where(elsewhere[part], d_logits[rows, columns], value)
            d_logits[rows, columns] = value
            d_hidden[part] = product(d_logits, head.T)
            _add_product(d_weight, d_logits.T, hidden[part].to(head.dtype))
        if elsewhere is not None:
            dist.all_reduce(d_hidden, group=job.layout.tp_group)
        return d_hidden, d_weight.to(weight.dtype), None, None


def _elsewhere(targets: Tensor, weight: Tensor, job: _Job) -> Tensor | None:
    """Which targets are rows of another rank; None without tensor parallelism."""
    if job.layout.tp == 1:
        return None
    return (targets < 0) | (targets >= len(weight))


def _logits(hidden: Tensor, weight: Tensor, job: _Job) -> Tensor:
    """[chunk, V/tp]: this rank's columns."""
    return product(hidden.to(weight.dtype), weight, job.scale)


def _sums(logits: Tensor, job: _Job) -> Tensor | None:
    """Each row's logarithm of the sum of exponentials over all ranks' columns, [chunk]; None with
    all columns here. Collective under TP."""
    if job.layout.tp == 1:
        return None
    return all_gather(_logsumexp(logits)[None], job.layout).logsumexp(0)


@fused
def _logsumexp(logits: Tensor) -> Tensor:
    return wide(logits).logsumexp(1)


def _log_softmax(logits: Tensor, sums: Tensor | None) -> Tensor:
    if sums is None:
        return torch.log_softmax(logits, 1, dtype=torch.promote_types(logits.dtype, torch.float32))
    return wide(logits) - sums[:, None]


@fused
def _read(logits: Tensor, sums: Tensor | None, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities at the targets, and this rank's part of the entropies; [chunk] each."""
    logp = _log_softmax(logits, sums)
    return logp.gather(1, targets[:, None])[:, 0], -torch.linalg.vecdot(logp.exp(), logp)


@fused
def _slope(
    logits: Tensor, sums: Tensor | None, slope: Tensor, pulls: tuple[Tensor, Tensor] | None
) -> Tensor:
    """The gradient [chunk, V/tp] everywhere but at the targets, in the logits' type. `pulls`: the
    slope of the entropies, and these."""
    logp = _log_softmax(logits, sums)
    factor = slope[:, None]
    if pulls is not None:
        factor = (logp + pulls[1][:, None]).mul_(pulls[0][:, None]).add_(factor)
    return logp.exp_().mul_(factor).to(logits.dtype)


def _add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    if total.dtype == a.dtype:
        total.addmm_(a, b)
    else:
        total.add_(a @ b)  # chunks add up in fp32, each rounded once
