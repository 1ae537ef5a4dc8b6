"""Attention over packed samples: causal within each sample, never across.

A sample is a segment of rows, or a shared prefix and a segment that continues it: the completions
of one prompt need its rows once for everything but attention, where each gets a copy.

On CUDA in half precision this is one call of torch's varlen (flash) attention. Elsewhere samples
of similar length are padded to the longest of their bucket. A sample is padded at its end with its
own last row, where the causal mask keeps the padding from being seen: no other mask is needed, and
no sample reads another's rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import accumulate
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.parallel import apply

CALL_COST = 64.0
"""What one more bucket costs (a dozen more calls, forward and backward), in units of the time that
a token of a short sample takes. Measured on one core; half and double make no difference."""

TOKEN_GROWTH = 1 / 180
"""By how much a token's time grows with each token of its sample, in the same unit."""

FLASH_HEAD_DIM = 256
"""The largest that flash attention's kernels have; a head must be a multiple of 8 too."""


@cache
def _flash() -> partial[Any]:
    """Torch's varlen attention, causal. Imported where it is used: it takes a second and 80 MiB."""
    from torch.nn.attention.varlen import varlen_attn

    known = inspect.signature(varlen_attn).parameters
    # Torch 2.10 says causal by a flag, and takes grouped heads as they come.
    options: dict[str, Any] = (
        {"window_size": (-1, 0)} if "window_size" in known else {"is_causal": True}
    )
    if "enable_gqa" in known:
        options["enable_gqa"] = True
    return partial(varlen_attn, **options)


def packed_positions(
    lengths: Sequence[int], device: torch.device, prefixes: Sequence[int | None] | None = None
) -> Tensor:
    """Each row's place in its sample, [sum(lengths)] int64; the arguments are PackedAttention's."""
    first = [0 if p is None else lengths[p] for p in prefixes or [None] * len(lengths)]
    sizes = torch.tensor(lengths)
    shift = torch.tensor(first) - (sizes.cumsum(0) - sizes)
    return (torch.arange(sum(lengths)) + shift.repeat_interleave(sizes)).to(device)


class Choice:
    """Rows of a tensor by index, as often as they are named. A row's gradient is the sum over its
    copies in their order, so that it has the same bits every time."""

    def __init__(self, index: Tensor, rows: int, device: torch.device) -> None:
        counts = torch.bincount(index, minlength=rows)
        self.rows, self.index = rows, index.to(device)
        self.copies = index.argsort(stable=True).to(device)
        self.starts = (counts.cumsum(0) - counts).to(device)

    def __call__(self, x: Tensor) -> Tensor:
        return cast(Tensor, apply(_Choose, x, self))


class _Choose(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, choice: Choice) -> Tensor:
        ctx.choice = choice
        return x.index_select(0, choice.index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        choice: Choice = ctx.choice
        total = F.embedding_bag(choice.copies, grad.flatten(1), choice.starts, mode="sum")
        return total.view(choice.rows, *grad.shape[1:]), None


class PackedAttention:
    """An `Attend` over T rows of segments that lie one after the other.

    `prefixes[i]`, where given and not None, is the segment that segment i continues: its rows see
    that segment's, then their own. Raises ValueError for a segment without rows, for a prefix that
    has one itself, and where it is called with another number of rows than sum(lengths).
    """

    def __init__(
        self,
        lengths: Sequence[int],
        device: torch.device,
        prefixes: Sequence[int | None] | None = None,
    ) -> None:
        if not lengths or min(lengths) < 1:
            raise ValueError(f"lengths: every segment needs a row, got {list(lengths)}")
        self._rows, self._device = sum(lengths), device
        prefixes = list(prefixes or [None] * len(lengths))
        starts, shared = [0, *accumulate(lengths)], {p for p in prefixes if p is not None}
        samples, led = list[tuple[int, int, int, int, bool]](), set[int]()
        for n, prefix in enumerate(prefixes):
            if prefix is not None:
                if prefixes[prefix] is not None:
                    raise ValueError(f"prefixes: that of segment {n}, {prefix}, has one itself")
                leads = prefix not in led
                samples.append((starts[prefix], lengths[prefix], starts[n], lengths[n], leads))
                led.add(prefix)
            elif n not in shared:
                samples.append((0, 0, starts[n], lengths[n], True))
        # Of each sample: start and length of its prefix, then of its own rows; whether the
        # prefix's own outputs are taken from its copy here.
        self._samples = torch.tensor(samples)
        self._lengths = (self._samples[:, 1] + self._samples[:, 3]).tolist()
        self._moves = bool(shared)

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q [T, Hq, D]; k, v [T, Hkv, D] -> [T, Hq, D]. Scores are scaled by 1/sqrt(D)."""
        if len(q) != self._rows:
            raise ValueError(f"lengths: sum to {self._rows}, there are {len(q)} rows")
        head, dtype = q.shape[-1], q.dtype
        flash = q.is_cuda and dtype.itemsize == 2 and head <= FLASH_HEAD_DIM and head % 8 == 0
        plan = self._exact if flash else self._padded
        if q.device.type == "cpu" and dtype.itemsize == 2:
            # The backward pass of the CPU's kernel is five times slower in bfloat16.
            q, k, v = q.float(), k.float(), v.float()
        if plan.there is not None:
            q, k, v = plan.there(q), plan.there(k), plan.there(v)
        if flash:
            most = max(self._lengths)
            out = cast(Tensor, _flash()(q, k, v, self._ends, self._ends, most, most))
        else:
            sizes = [count * length for count, length in plan.shapes]
            parts = zip(*(x.split(sizes) for x in (q, k, v)), plan.shapes, strict=True)
            outs = [_causal(*part) for part in parts]
            out = torch.cat(outs) if len(outs) > 1 else outs[0]
        return (out if plan.back is None else plan.back(out)).to(dtype)

    @cached_property
    def _ends(self) -> Tensor:
        return torch.tensor([0, *self._lengths]).cumsum(0).to(self._device, torch.int32)

    @cached_property
    def _exact(self) -> _Plan:
        """Samples as they come, one after the other."""
        lengths = self._lengths
        return self._plan(range(len(lengths)), lengths) if self._moves else _Plan()

    @cached_property
    def _padded(self) -> _Plan:
        """Samples by their length, in buckets."""
        order = sorted(range(len(self._lengths)), key=self._lengths.__getitem__, reverse=True)
        lengths = [self._lengths[n] for n in order]
        shapes = [(len(bucket), lengths[bucket.start]) for bucket in buckets(lengths)]
        if not self._moves and lengths[0] == lengths[-1]:
            return _Plan(shapes)
        return self._plan(
            order, [longest for count, longest in shapes for _ in range(count)], shapes
        )

    def _plan(
        self, order: Sequence[int], lengths: Sequence[int], shapes: Sequence[tuple[int, int]] = ()
    ) -> _Plan:
        """Samples in this order, padded to these lengths."""
        padded = torch.tensor(lengths)
        samples = self._samples[torch.tensor(order)].repeat_interleave(padded, 0)
        prefix_start, prefix, start, own, leads = samples.T
        place = torch.arange(len(samples)) - (padded.cumsum(0) - padded).repeat_interleave(padded)
        real = place < prefix + own
        beyond = torch.minimum(place - prefix, own - 1)
        source = torch.where(beyond < 0, prefix_start + place, start + beyond)
        kept = (real & ((beyond >= 0) | (leads > 0))).nonzero()[:, 0]
        target = torch.empty(self._rows, dtype=torch.int64)
        target[source[kept]] = kept
        there = Choice(source, self._rows, self._device)
        return _Plan(shapes, there, Choice(target, len(source), self._device))


@dataclass(frozen=True)
class _Plan:
    """How rows come to where they are attended to: buckets as (samples, padded length), and the
    way there and back where they move at all."""

    shapes: Sequence[tuple[int, int]] = ()
    there: Choice | None = None
    back: Choice | None = None


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


def _causal(q: Tensor, k: Tensor, v: Tensor, shape: tuple[int, int]) -> Tensor:
    q, k, v = (x.unflatten(0, shape).transpose(1, 2) for x in (q, k, v))
    grouped = q.shape[1] != k.shape[1]
    out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
    return out.transpose(1, 2).flatten(0, 1)
