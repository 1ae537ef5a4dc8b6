"""Log-probabilities and entropy of tokens without the full logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from trainer.parallel import SINGLE, Layout, apply


@dataclass(frozen=True)
class TokenStats:
    """Of each target token: its log-probability, and the entropy (nats) of its distribution."""

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
    """log softmax(hidden weight^T / temperature) at `targets`, and the entropy."""
    start = layout.tp_rank * weight.shape[0]
    own = weight[: max(0, min(weight.shape[0], vocab_size - start))]
    logprobs, entropy = apply(
        _TokenStats,
        hidden,
        own,
        targets - start,
        1.0 / temperature,
        layout,
        chunk_tokens,
        entropy_grad,
    )
    return TokenStats(logprobs, entropy)


def _logits(hidden: Tensor, weight: Tensor, scale: float) -> Tensor:
    logits = (hidden @ weight.T).float() if hidden.dtype.itemsize < 4 else hidden @ weight.T
    return logits.mul_(scale) if scale != 1.0 else logits


class _TokenStats(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        targets: Tensor,
        scale: float,
        layout: Layout,
        chunk: int,
        entropy_grad: bool,
    ) -> tuple[Tensor, Tensor]:
        foreign = ((targets < 0) | (targets >= weight.shape[0])) if layout.tp > 1 else None
        local = targets if foreign is None else targets.masked_fill(foreign, 0)
        out: list[tuple[Tensor, Tensor, Tensor]] = []
        for at in range(0, len(targets), chunk):
            part = slice(at, at + chunk)
            z = _logits(hidden[part], weight, scale)
            chosen = z.gather(1, local[part, None])[:, 0]
            if foreign is not None:
                chosen = chosen.masked_fill(foreign[part], 0)
            top = z.amax(1)
            if layout.tp > 1:
                dist.all_reduce(top, dist.ReduceOp.MAX, group=layout.tp_group)
            e = torch.exp(z - top[:, None])
            sums = torch.stack([e.sum(1), torch.linalg.vecdot(e, z), chosen])
            if layout.tp > 1:
                dist.all_reduce(sums, group=layout.tp_group)
            total, weighted, chosen = sums
            log_total = top + total.log()
            out.append((chosen - log_total, log_total - weighted / total, log_total))
        logprobs, entropy, log_total = (torch.cat(x) for x in zip(*out, strict=True))
        ctx.save_for_backward(hidden, weight, local, log_total, entropy)
        ctx.foreign, ctx.scale, ctx.layout, ctx.chunk = foreign, scale, layout, chunk
        ctx.entropy_grad = entropy_grad
        if not entropy_grad:
            ctx.mark_non_differentiable(entropy)
        return logprobs, entropy

    @staticmethod
    def backward(ctx: Any, grad: Tensor, grad_entropy: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, local, log_total, entropy = ctx.saved_tensors
        d_hidden = torch.empty_like(hidden)
        d_weight = torch.zeros_like(weight, dtype=log_total.dtype)
        for at in range(0, len(local), ctx.chunk):
            part = slice(at, at + ctx.chunk)
            g = grad[part, None]
            logp = _logits(hidden[part], weight, ctx.scale).sub_(log_total[part, None])
            if ctx.entropy_grad:
                slope = (logp + entropy[part, None]).mul_(grad_entropy[part, None]).add_(g)
                d = logp.exp_().mul_(slope).neg_()
            else:
                d = logp.exp_().mul_(-g)
            own = g if ctx.foreign is None else g.masked_fill(ctx.foreign[part, None], 0)
            d.scatter_add_(1, local[part, None], own)
            d = d.mul_(ctx.scale).to(hidden.dtype)
            torch.mm(d, weight, out=d_hidden[part])
            d_weight += d.T @ hidden[part]
        if ctx.layout.tp > 1:
            dist.all_reduce(d_hidden, group=ctx.layout.tp_group)
        return d_hidden, d_weight.to(weight.dtype), None, None, None, None, None
