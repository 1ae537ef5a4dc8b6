"""Attention over packed samples: causal within each sample, never across.

On CUDA in half precision this is one call of torch's varlen (flash) attention. Elsewhere samples
of similar length are padded to the longest of their bucket, inside attention alone. A sample is
padded at its end with its own last token, where the causal mask keeps the padding from being
seen, so that no other mask is needed and no sample reads another's rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn

from trainer.parallel import apply

CALL_COST = 64.0
"""What one more bucket costs (a dozen more calls, forward and backward), in units of the time that
a token of a short sample takes. Measured on one core; half and double make no difference."""

TOKEN_GROWTH = 1 / 180
"""By how much a token's time grows with each token of its sample, in the same unit."""

FLASH_HEAD_DIM = 256
"""The largest that flash attention's kernels have; a head must be a multiple of 8 too."""

_VARLEN = inspect.signature(varlen_attn).parameters
# torch 2.10 says `is_causal` and takes grouped heads as they come, later ones have a window.
_CAUSAL: dict[str, Any] = (
    {"window_size": (-1, 0)} if "window_size" in _VARLEN else {"is_causal": True}
)


def packed_positions(lengths: Sequence[int], device: torch.device) -> Tensor:
    """Positions 0 .. length - 1 of each sample, one after the other: [sum(lengths)] int64."""
    sizes = torch.tensor(lengths)
    starts = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    return (torch.arange(len(starts)) - starts).to(device)


class PackedAttention:
    """An `Attend` over T rows of samples that lie one after the other.

    Raises ValueError for a sample without tokens, and where it is called with another number of
    rows than sum(lengths).
    """

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        if not lengths or min(lengths) < 1:
            raise ValueError(f"lengths: every sample needs a token, got {list(lengths)}")
        self._lengths, self._device = list(lengths), device

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q [T, Hq, D]; k, v [T, Hkv, D] -> [T, Hq, D]. Scores are scaled by 1/sqrt(D)."""
        if len(q) != sum(self._lengths):
            raise ValueError(f"lengths: sum to {sum(self._lengths)}, there are {len(q)} tokens")
        head = q.shape[-1]
        if q.is_cuda and q.dtype.itemsize == 2 and head <= FLASH_HEAD_DIM and head % 8 == 0:
            longest = max(self._lengths)
            options = _CAUSAL | ({"enable_gqa": True} if "enable_gqa" in _VARLEN else {})
            ends = self._ends
            return cast(Tensor, varlen_attn(q, k, v, ends, ends, longest, longest, **options))
        if q.device.type == "cpu" and q.dtype.itemsize == 2:
            # The backward pass of the CPU's kernel is five times slower in bfloat16.
            return self._bucketed(q.float(), k.float(), v.float()).to(q.dtype)
        return self._bucketed(q, k, v)

    def _bucketed(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        plan = self._plan
        if plan.source is None or plan.target is None:
            return _causal(q, k, v, *plan.shapes[0])
        sizes = [count * length for count, length in plan.shapes]
        padded = (apply(_Pad, x, plan.source, plan.target).split(sizes) for x in (q, k, v))
        out = [_causal(*parts, *shape) for *parts, shape in zip(*padded, plan.shapes, strict=True)]
        joined = torch.cat(out) if len(out) > 1 else out[0]
        return cast(Tensor, apply(_Unpad, joined, plan.source, plan.target))

    @cached_property
    def _ends(self) -> Tensor:
        return torch.tensor([0, *self._lengths]).cumsum(0).to(self._device, torch.int32)

    @cached_property
    def _plan(self) -> _Plan:
        lengths = torch.tensor(self._lengths)
        if len(set(self._lengths)) == 1:
            return _Plan([(len(lengths), self._lengths[0])])
        starts = lengths.cumsum(0) - lengths
        order = sorted(range(len(lengths)), key=self._lengths.__getitem__, reverse=True)
        shapes, source = list[tuple[int, int]](), list[Tensor]()
        target = torch.empty(int(lengths.sum()), dtype=torch.int64)
        at = 0
        for bucket in buckets([self._lengths[n] for n in order]):
            members = torch.tensor(order[bucket.start : bucket.stop])
            own = lengths[members, None]
            places = torch.arange(int(own[0]))
            rows = starts[members, None] + torch.minimum(places, own - 1)
            real = places < own
            target[rows[real]] = at + torch.nonzero(real.flatten())[:, 0]
            source.append(rows.flatten())
            shapes.append((len(members), len(places)))
            at += rows.numel()
        device = self._device
        return _Plan(shapes, torch.cat(source).to(device), target.to(device))


@dataclass(frozen=True)
class _Plan:
    """Buckets as (samples, padded length); padded row i is row source[i], row i is padded row
    target[i]. Both None where samples are of one length and nothing moves."""

    shapes: list[tuple[int, int]]
    source: Tensor | None = None
    target: Tensor | None = None


def buckets(lengths: Sequence[int]) -> Iterator[range]:
    """Cuts lengths, the longest first, where padding has come to cost more than another call."""
    start, waste = 0, 0.0
    for n, length in enumerate(lengths):
        longest = lengths[start]
        waste += longest * (1 + longest * TOKEN_GROWTH) - length * (1 + length * TOKEN_GROWTH)
        if waste > CALL_COST:
            yield range(start, n)
            start, waste = n, 0.0
    yield range(start, len(lengths))


def _causal(q: Tensor, k: Tensor, v: Tensor, count: int, length: int) -> Tensor:
    q, k, v = (x.unflatten(0, (count, length)).transpose(1, 2) for x in (q, k, v))
    grouped = q.shape[1] != k.shape[1]
    out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
    return out.transpose(1, 2).flatten(0, 1)


class _Pad(torch.autograd.Function):
    """Rows to padded rows. Padding's gradient is zero, for no real query sees it, so that the
    backward pass is a copy of rows as well, where index_select's would add them up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, target: Tensor) -> Tensor:
        ctx.save_for_backward(target)
        return x.index_select(0, source)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return grad.index_select(0, *ctx.saved_tensors), None, None


class _Unpad(torch.autograd.Function):
    """Padded rows to rows; backward, padding's gradient is zero."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, target: Tensor) -> Tensor:
        ctx.save_for_backward(target)
        ctx.rows = len(source)
        return x.index_select(0, target)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        padded = grad.new_zeros(ctx.rows, *grad.shape[1:])
        (target,) = ctx.saved_tensors
        return padded.index_copy_(0, target, grad), None, None
