"""Tensor parallelism as Megatron-LM has it (arXiv 1909.08053; sequence parallelism 2205.05198).

Column-parallel layers split their output features, row-parallel layers their input features, the
embedding its vocabulary. Between `enter_parallel` and `leave_parallel` a rank holds its own heads
or its share of the intermediate size; outside, every rank holds whole token rows, or under sequence
parallelism its share of the rows.

Invariants
- Every parameter says how it is cut: `shard_of(parameter)`. A replicated parameter has the same,
  whole gradient on all ranks of a TP group after backward: nothing is left to reduce.
- A whole activation has a whole gradient, the same on all ranks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.products import CPU, linear


@dataclass(frozen=True)
class Layout:
    """Where this process stands in the grid of tensor- and data-parallel ranks. Consecutive ranks
    form a TP group, so that its traffic stays on one machine. The methods are those of Megatron's
    `mpu`, which DeepSpeed calls."""

    tp: int = 1
    tp_rank: int = 0
    dp: int = 1
    dp_rank: int = 0
    tp_group: dist.ProcessGroup | None = None
    dp_group: dist.ProcessGroup | None = None
    group: dist.ProcessGroup | None = None
    """All of them."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Layout:
        return self  # groups cannot be copied, and a copied model stands where it stood

    # fmt: off
    def get_model_parallel_rank(self) -> int: return self.tp_rank
    def get_model_parallel_world_size(self) -> int: return self.tp
    def get_model_parallel_group(self) -> dist.ProcessGroup | None: return self.tp_group
    def get_data_parallel_rank(self) -> int: return self.dp_rank
    def get_data_parallel_world_size(self) -> int: return self.dp
    def get_data_parallel_group(self) -> dist.ProcessGroup | None: return self.dp_group
    # fmt: on
    get_tensor_model_parallel_rank = get_model_parallel_rank
    get_tensor_model_parallel_world_size = get_model_parallel_world_size
    get_tensor_model_parallel_group = get_model_parallel_group


SINGLE = Layout()


def make_layout(tp: int, timeout: timedelta | None = None) -> Layout:
    """The grid of this run's processes, whose default group is initialised, with groups of its own;
    `timeout` is how long a collective may take, torch's default otherwise. Collective over all.

    Raises ValueError where `tp` does not divide the number of processes.
    """
    world, rank = dist.get_world_size(), dist.get_rank()
    if tp < 1 or world % tp:
        raise ValueError(f"parallel.tp: must divide the {world} processes of this run, got {tp}")
    ranks = torch.arange(world).view(-1, tp)
    # Every process takes part in making every group, also of those it does not belong to.
    rows = [dist.new_group(row.tolist(), timeout) for row in ranks] if tp > 1 else []
    columns = [dist.new_group(column.tolist(), timeout) for column in ranks.T] if tp < world else []
    return Layout(
        tp=tp,
        tp_rank=rank % tp,
        dp=world // tp,
        dp_rank=rank // tp,
        tp_group=rows[rank // tp] if rows else None,
        dp_group=columns[rank % tp] if columns else None,
        group=dist.new_group(timeout=timeout),
    )


# torch 2.13 has new names for these two and warns of the old ones.
_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
_scatter = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor


def _all_reduce(x: Tensor, layout: Layout) -> Tensor:
    x = x.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(x, group=layout.tp_group)
    return x


def all_gather(x: Tensor, layout: Layout) -> Tensor:
    """The TP ranks' rows [n, ...] one after the other: [tp * n, ...]. Without gradient."""
    out = x.new_empty((len(x) * layout.tp, *x.shape[1:]))
    _gather(out, x.contiguous(), group=layout.tp_group)
    return out


def _reduce_scatter(x: Tensor, layout: Layout) -> Tensor:
    out = x.new_empty((len(x) // layout.tp, *x.shape[1:]))
    _scatter(out, x.contiguous(), group=layout.tp_group)
    return out


def _identity(x: Tensor, layout: Layout) -> Tensor:
    return x.view_as(x)


def _own_rows(x: Tensor, layout: Layout) -> Tensor:
    return x.chunk(layout.tp)[layout.tp_rank].contiguous()


def apply(function: type[torch.autograd.Function], *inputs: Any) -> Any:
    """`function.apply`, which torch leaves untyped."""
    return function.apply(*inputs)


_Collective = Callable[[Tensor, Layout], Tensor]


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
    return x if layout.tp == 1 else cast(Tensor, apply(_Conjugate, x, layout, forward, backward))


def sum_gradient(x: Tensor, layout: Layout) -> Tensor:
    """`x` itself, whose gradient is summed over the TP ranks: Megatron's f. Also for a replicated
    weight that meets a rank's own rows or heads only."""
    return _conjugate(x, layout, _identity, _all_reduce)


def enter_parallel(x: Tensor, layout: Layout, sequence_parallel: bool) -> Tensor:
    """Token rows, whole ([T, H]) or this rank's ([T/tp, H]), to whole rows for split features."""
    if sequence_parallel:
        return _conjugate(x, layout, all_gather, _reduce_scatter)
    return sum_gradient(x, layout)


def leave_parallel(x: Tensor, layout: Layout, sequence_parallel: bool) -> Tensor:
    """Partial sums [T, H] to their total over the TP ranks: whole, or this rank's rows."""
    if sequence_parallel:
        return _conjugate(x, layout, _reduce_scatter, all_gather)
    return _conjugate(x, layout, _all_reduce, _identity)


def gather_rows(x: Tensor, layout: Layout) -> Tensor:
    """This rank's rows [T/tp, H] to all rows, for what every rank computes alike."""
    return _conjugate(x, layout, all_gather, _own_rows)


def local_slice(full: Tensor, shard_dim: int | None, layout: Layout) -> Tensor:
    """This rank's shard of a whole tensor, padded with zeros to the size all ranks have."""
    if shard_dim is None or layout.tp == 1:
        return full
    size = full.shape[shard_dim]
    each = -(-size // layout.tp)
    start = min(layout.tp_rank * each, size)
    own = full.narrow(shard_dim, start, min(each, size - start)).movedim(shard_dim, 0)
    padding = own.new_zeros(each - len(own), *own.shape[1:])
    return (
        torch.cat([own, padding]).movedim(0, shard_dim)
        if len(padding)
        else own.movedim(0, shard_dim)
    )


def gather_full(local: Tensor, shard_dim: int | None, full_size: int, layout: Layout) -> Tensor:
    """The whole tensor from the ranks' shards, padding trimmed. Collective over the TP group."""
    if shard_dim is None or layout.tp == 1:
        return local
    rows = all_gather(local.detach().movedim(shard_dim, 0), layout)
    return rows[:full_size].movedim(0, shard_dim).contiguous()


def make_parameter(
    shape: tuple[int, ...], shard_dim: int | None, layout: Layout, **make: Any
) -> nn.Parameter:
    """This rank's share of a whole parameter of `shape`, unset. `make`: device and dtype."""
    local = list(shape)
    if shard_dim is not None:
        local[shard_dim] = -(-shape[shard_dim] // layout.tp)
    parameter: Any = nn.Parameter(torch.empty(local, **make))
    parameter.shard_dim = shard_dim
    parameter.full_size = shape[shard_dim or 0]
    if shard_dim is not None and layout.tp > 1:
        parameter.model_parallel = True  # DeepSpeed counts all others once in norms
    return cast(nn.Parameter, parameter)


def shard_of(parameter: Tensor) -> tuple[int | None, int]:
    """(`shard_dim`, `full_size`) of a parameter that `make_parameter` made."""
    marked: Any = parameter
    return marked.shard_dim, marked.full_size


_EMULATED = CPU.get("architecture") == "x86_64" and not (
    CPU.get("avx512_bf16") or CPU.get("amx_bf16")
)


def compute_dtype(weight: Tensor) -> torch.dtype:
    """What activations are in: the weights' type, but fp32 on a CPU without bfloat16 instructions,
    where torch emulates half-precision products at a quarter of fp32's speed."""
    wide = _EMULATED and weight.device.type == "cpu" and weight.dtype.itemsize == 2
    return torch.float32 if wide else weight.dtype


def wide(x: Tensor) -> Tensor:
    """Half precision as fp32, all else as it is."""
    return x.float() if x.dtype.itemsize == 2 else x


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return linear(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype))


class ColumnLinear(nn.Module):
    """x W^T + b with W's rows split: whole rows [T, in] -> this rank's features [T, out/tp]."""

    def __init__(
        self, inputs: int, outputs: int, layout: Layout, *, bias: bool, **make: Any
    ) -> None:
        super().__init__()
        self.weight = make_parameter((outputs, inputs), 0, layout, **make)
        self.bias = make_parameter((outputs,), 0, layout, **make) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return _linear(x, self.weight, self.bias)


class RowLinear(nn.Module):
    """x W^T + b with W's columns split: [T, in/tp] -> the total over ranks, as leave_parallel."""

    def __init__(
        self, inputs: int, outputs: int, layout: Layout, *, bias: bool, sp: bool, **make: Any
    ) -> None:
        super().__init__()
        self.layout, self.sp = layout, sp
        self.weight = make_parameter((outputs, inputs), 1, layout, **make)
        self.bias = make_parameter((outputs,), None, layout, **make) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        if self.layout.tp == 1:
            return _linear(x, self.weight, self.bias)
        y = leave_parallel(_linear(x, self.weight, None), self.layout, self.sp)
        if self.bias is None:
            return y
        bias = sum_gradient(self.bias, self.layout) if self.sp else self.bias
        return y + bias.to(y.dtype)


class VocabEmbedding(nn.Module):
    """A table split over the vocabulary: ids [T] -> [T, H], or this rank's rows of it."""

    def __init__(
        self, vocab_size: int, hidden_size: int, layout: Layout, *, sp: bool, **make: Any
    ) -> None:
        super().__init__()
        self.layout, self.sp = layout, sp
        self.weight = make_parameter((vocab_size, hidden_size), 0, layout, **make)

    def forward(self, ids: Tensor) -> Tensor:
        if self.layout.tp == 1:
            return F.embedding(ids, self.weight)
        local = ids - self.layout.tp_rank * len(self.weight)
        elsewhere = (local < 0) | (local >= len(self.weight))
        x = F.embedding(local.masked_fill(elsewhere, 0), self.weight)
        return leave_parallel(x.masked_fill(elsewhere[:, None], 0), self.layout, self.sp)
