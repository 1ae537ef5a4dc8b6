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

from trainer.parallel import SINGLE, Layout, all_gather, apply, compute_dtype

LOGITS_AT_ONCE = 2**26
"""256 MiB in fp32: enough rows of the largest vocabularies to keep a matrix product busy."""


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
    chunk_tokens: int = 1024,
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
    chunk = max(1, min(chunk_tokens, LOGITS_AT_ONCE // own))
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
        wide = weight.to(compute_dtype(weight))
        dtype = torch.promote_types(hidden.dtype, torch.float32)
        logprobs, entropy = torch.empty(2, len(targets), dtype=dtype, device=hidden.device)
        elsewhere = _elsewhere(targets, weight, job)
        local = targets if elsewhere is None else targets.masked_fill(elsewhere, 0)
        for part in job.parts(len(targets)):
            logp = _log_softmax(hidden[part], wide, job)
            torch.gather(logp, 1, local[part, None], out=logprobs[part, None])
            entropy[part] = torch.linalg.vecdot(logp.exp(), logp)
        entropy.neg_()
        if elsewhere is not None:
            logprobs.masked_fill_(elsewhere, 0)
            dist.all_reduce(logprobs, group=job.layout.tp_group)
            dist.all_reduce(entropy, group=job.layout.tp_group)
        ctx.job = job
        ctx.save_for_backward(hidden, weight, targets, entropy)
        if not job.entropy_grad:
            ctx.mark_non_differentiable(entropy)
        return logprobs, entropy

    @staticmethod
    def backward(ctx: Any, grad: Tensor, entropy_grad: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, targets, entropy = ctx.saved_tensors
        job: _Job = ctx.job
        wide = weight.to(compute_dtype(weight))
        elsewhere = _elsewhere(targets, weight, job)
        # Negated, for both gradients have p with a minus; at the target, the plus of onehot.
        slope, entropy_slope = (x[:, None] * -job.scale for x in (grad, entropy_grad))
        at_target = -slope
        if elsewhere is not None:
            targets = targets.masked_fill(elsewhere, 0)
            at_target = at_target.masked_fill(elsewhere[:, None], 0)
        d_hidden = torch.empty_like(hidden)
        d_weight = torch.zeros_like(weight, dtype=slope.dtype)
        for part in job.parts(len(targets)):
            logp = _log_softmax(hidden[part], wide, job)
            factor = slope[part]
            if job.entropy_grad:
                factor = (logp + entropy[part, None]).mul_(entropy_slope[part]).add_(factor)
            d_logits = logp.exp_().mul_(factor)
            d_logits.scatter_add_(1, targets[part, None], at_target[part])
            d_logits = d_logits.to(wide.dtype)
            d_hidden[part] = d_logits @ wide
            _add_product(d_weight, d_logits.T, hidden[part].to(wide.dtype))
        if elsewhere is not None:
            dist.all_reduce(d_hidden, group=job.layout.tp_group)
        return d_hidden, d_weight.to(weight.dtype), None, None


def _elsewhere(targets: Tensor, weight: Tensor, job: _Job) -> Tensor | None:
    """Which targets are rows of another rank; None without tensor parallelism."""
    if job.layout.tp == 1:
        return None
    return (targets < 0) | (targets >= len(weight))


def _log_softmax(hidden: Tensor, weight: Tensor, job: _Job) -> Tensor:
    """[chunk, V/tp]: this rank's columns, normalised over all ranks'. Collective under TP."""
    zero = weight.new_zeros(())
    logits = torch.addmm(zero, hidden.to(weight.dtype), weight.T, beta=0, alpha=job.scale)
    if logits.dtype.itemsize < 4:
        logits = logits.float()
    if job.layout.tp == 1:
        return torch.log_softmax(logits, 1)
    sums = all_gather(logits.logsumexp(1)[None], job.layout)
    return logits.sub_(sums.logsumexp(0)[:, None])


def _add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    if total.dtype == a.dtype:
        total.addmm_(a, b)
    else:
        total.add_(a @ b)  # chunks add up in fp32, each rounded once
