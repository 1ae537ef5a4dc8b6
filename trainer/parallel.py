"""Tensor parallelism as Megatron-LM has it (arXiv 1909.08053, sequence parallelism 2205.05198).

Column-parallel layers split their output features, row-parallel layers their input features, the
embedding its vocabulary. Between `enter_parallel` and `leave_parallel` a rank holds its own share
of heads or of the intermediate size; outside, every rank holds whole token rows, or under sequence
parallelism its share of the rows.

Invariants
- Every parameter says how it is cut: `shard_of(parameter)`. Replicated parameters have equal
  gradients on all ranks of a TP group after backward, with no further reduction needed.
- The gradient of a whole activation is whole, and the same on all ranks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Layout:
    """Where this process stands in the grid of tensor- and data-parallel ranks.

    Consecutive ranks form a TP group, so that its traffic stays on one machine. The methods are
    those of Megatron's `mpu`, which DeepSpeed calls.
    """

    tp: int = 1
    tp_rank: int = 0
    dp: int = 1
    dp_rank: int = 0
    tp_group: dist.ProcessGroup | None = None
    dp_group: dist.ProcessGroup | None = None

    def get_model_parallel_rank(self) -> int:
        return self.tp_rank

    def get_model_parallel_world_size(self) -> int:
        return self.tp

    def get_model_parallel_group(self) -> dist.ProcessGroup | None:
        return self.tp_group

    def get_data_parallel_rank(self) -> int:
        return self.dp_rank

    def get_data_parallel_world_size(self) -> int:
        return self.dp

    def get_data_parallel_group(self) -> dist.ProcessGroup | None:
        return self.dp_group

    get_tensor_model_parallel_rank = get_model_parallel_rank
    get_tensor_model_parallel_world_size = get_model_parallel_world_size
    get_tensor_model_parallel_group = get_model_parallel_group


SINGLE = Layout()


def make_layout(tp: int) -> Layout:
    """The grid of this process group, which must be initialised. Collective: all ranks call it.

    Raises ValueError where `tp` does not divide the number of processes.
    """
    world, rank = dist.get_world_size(), dist.get_rank()
    if tp < 1 or world % tp:
        raise ValueError(f"parallel.tp: {tp} does not divide the {world} processes of this run")
    dp = world // tp
    tp_groups = [
        dist.new_group(list(range(i * tp, (i + 1) * tp))) for i in range(dp if tp > 1 else 0)
    ]
    dp_groups = [dist.new_group(list(range(i, world, tp))) for i in range(tp if dp > 1 else 0)]
    return Layout(
        tp=tp,
        tp_rank=rank % tp,
        dp=dp,
        dp_rank=rank // tp,
        tp_group=tp_groups[rank // tp] if tp > 1 else None,
        dp_group=dp_groups[rank % tp] if dp > 1 else None,
    )


def _all_reduce(x: Tensor, layout: Layout) -> Tensor:
    x = x.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(x, group=layout.tp_group)
    return x


def _all_gather(x: Tensor, layout: Layout) -> Tensor:
    out = x.new_empty((x.shape[0] * layout.tp, *x.shape[1:]))
    dist.all_gather_into_tensor(out, x.contiguous(), group=layout.tp_group)
    return out


def _reduce_scatter(x: Tensor, layout: Layout) -> Tensor:
    out = x.new_empty((x.shape[0] // layout.tp, *x.shape[1:]))
    dist.reduce_scatter_tensor(out, x.contiguous(), group=layout.tp_group)
    return out


def _identity(x: Tensor, layout: Layout) -> Tensor:
    return x.view_as(x)


def _own_rows(x: Tensor, layout: Layout) -> Tensor:
    return x.chunk(layout.tp)[layout.tp_rank].contiguous()


_Collective = Callable[[Tensor, Layout], Tensor]


def apply(function: type[torch.autograd.Function], *inputs: Any) -> Any:
    """`function.apply`, which torch leaves untyped."""
    return function.apply(*inputs) 


class _Conjugate(torch.autograd.Function):
    """One collective forward, its partner backward."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, layout: Layout, forward: _Collective, backward: _Collective
    ) -> Tensor:
        ctx.layout, ctx.partner = layout, backward
        return forward(x, layout)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.partner(grad, ctx.layout), None, None, None


def _conjugate(x: Tensor, layout: Layout, forward: _Collective, backward: _Collective) -> Tensor:
    if layout.tp == 1:
        return x
    return cast(Tensor, apply(_Conjugate, x, layout, forward, backward))


def sum_gradient(x: Tensor, layout: Layout) -> Tensor:
    """`x` itself, whose gradient is summed over the TP ranks: Megatron's f.

    Also for a replicated weight that acts on a rank's own rows or heads.
    """
    return _conjugate(x, layout, _identity, _all_reduce)


def enter_parallel(x: Tensor, layout: Layout, sequence_parallel: bool) -> Tensor:
    """Token rows, whole ([T, H]) or this rank's ([T/tp, H]), to whole rows for split features."""
    if sequence_parallel:
        return _conjugate(x, layout, _all_gather, _reduce_scatter)
    return sum_gradient(x, layout)


def leave_parallel(x: Tensor, layout: Layout, sequence_parallel: bool) -> Tensor:
    """Partial sums [T, H] to their total over the TP ranks: whole, or this rank's rows."""
    if sequence_parallel:
        return _conjugate(x, layout, _reduce_scatter, _all_gather)
    return _conjugate(x, layout, _all_reduce, _identity)


def gather_rows(x: Tensor, layout: Layout) -> Tensor:
    """This rank's rows [T/tp, H] to all rows, for what is computed alike on every rank."""
    return _conjugate(x, layout, _all_gather, _own_rows)


def shard_size(full_size: int, tp: int) -> int:
    """Rows of a rank's shard; the last shards are padded where `tp` does not divide."""
    return -(-full_size // tp)


def local_slice(full: Tensor, shard_dim: int | None, layout: Layout) -> Tensor:
    """This rank's shard of a whole tensor, padded with zeros to the size all ranks have."""
    if shard_dim is None or layout.tp == 1:
        return full
    size = full.shape[shard_dim]
    per = shard_size(size, layout.tp)
    start = min(layout.tp_rank * per, size)
    piece = full.narrow(shard_dim, start, min(per, size - start))
    missing = per - piece.shape[shard_dim]
    if not missing:
        return piece
    padding = list(piece.shape)
    padding[shard_dim] = missing
    return torch.cat([piece, piece.new_zeros(padding)], shard_dim)


def gather_full(local: Tensor, shard_dim: int | None, full_size: int, layout: Layout) -> Tensor:
    """The whole tensor from the ranks' shards, padding trimmed. Collective over the TP group."""
    if shard_dim is None or layout.tp == 1:
        return local
    rows = _all_gather(local.detach().movedim(shard_dim, 0), layout)
    return rows[:full_size].movedim(0, shard_dim).contiguous()


def make_parameter(
    shape: tuple[int, ...],
    shard_dim: int | None,
    layout: Layout,
    *,
    device: torch.device | str,
    dtype: torch.dtype,
) -> nn.Parameter:
    """An unset parameter: this rank's share of a whole tensor of `shape`, with its marks."""
    local = list(shape)
    if shard_dim is not None:
        local[shard_dim] = shard_size(shape[shard_dim], layout.tp)
    parameter: Any = nn.Parameter(torch.empty(local, device=device, dtype=dtype))
    parameter.shard_dim = shard_dim
    parameter.full_size = shape[shard_dim or 0]
    if shard_dim is not None and layout.tp > 1:
        parameter.model_parallel = True
    return cast(nn.Parameter, parameter)


def shard_of(parameter: Tensor) -> tuple[int | None, int]:
    """(`shard_dim`, `full_size`) of a parameter made by `make_parameter`."""
    marked: Any = parameter
    return marked.shard_dim, marked.full_size


def compute_dtype(weight: Tensor) -> torch.dtype:
    """What activations are in: the weights' type, but fp32 on a CPU without bfloat16
    instructions, where torch emulates products in half precision at a quarter of fp32's speed."""
    if weight.device.type == "cpu" and weight.dtype.itemsize == 2 and not _NATIVE_BFLOAT16:
        return torch.float32
    return weight.dtype


_CPU = torch.cpu.get_capabilities()
_NATIVE_BFLOAT16 = _CPU.get("architecture") != "x86_64" or bool(
    _CPU.get("avx512_bf16") or _CPU.get("amx_bf16")
)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b in the type of `x`."""
    return F.linear(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype))


class ColumnLinear(nn.Module):
    """x W^T + b with W's rows split: whole rows [T, in] -> this rank's features [T, out/tp]."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        layout: Layout,
        *,
        bias: bool,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        make = {"device": device, "dtype": dtype}
        self.weight = make_parameter((outputs, inputs), 0, layout, **make)  # type: ignore[arg-type]
        self.bias = make_parameter((outputs,), 0, layout, **make) if bias else None  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)


class RowLinear(nn.Module):
    """x W^T + b with W's columns split: [T, in/tp] -> the total over ranks, see leave_parallel."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        layout: Layout,
        *,
        bias: bool,
        sequence_parallel: bool = False,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.layout, self.sequence_parallel = layout, sequence_parallel
        make = {"device": device, "dtype": dtype}
        self.weight = make_parameter((outputs, inputs), 1, layout, **make)  # type: ignore[arg-type]
        self.bias = make_parameter((outputs,), None, layout, **make) if bias else None  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        if self.layout.tp == 1:
            return linear(x, self.weight, self.bias)
        y = leave_parallel(linear(x, self.weight), self.layout, self.sequence_parallel)
        if self.bias is None:
            return y
        return y + (sum_gradient(self.bias, self.layout) if self.sequence_parallel else self.bias)


class VocabEmbedding(nn.Module):
    """Rows of a table split over the vocabulary: ids [T] -> [T, H], or this rank's [T/tp, H]."""

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        layout: Layout,
        *,
        sequence_parallel: bool = False,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.layout, self.sequence_parallel = layout, sequence_parallel
        self.weight = make_parameter(
            (vocab_size, hidden_size), 0, layout, device=device, dtype=dtype
        )

    def forward(self, ids: Tensor) -> Tensor:
        if self.layout.tp == 1:
            return F.embedding(ids, self.weight)
        rows = self.weight.shape[0]
        local = ids - self.layout.tp_rank * rows
        foreign = (local < 0) | (local >= rows)
        x = F.embedding(local.masked_fill(foreign, 0), self.weight)
        x = x.masked_fill(foreign[:, None], 0)
        return leave_parallel(x, self.layout, self.sequence_parallel)
