"""Matrix products on a CPU, by the library that uses the processor.

Torch asks MKL for products in fp32, and MKL runs AVX2 kernels on AMD's processors. oneDNN, which
comes with torch too, runs AVX-512 where it is: twice the rate, for `a b^T` in any orientation.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

CPU: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict[str, Any])()
"""What the processor is and has; empty where torch does not say."""

_ONEDNN = (
    CPU.get("avx512_f", False)
    and str(CPU.get("cpu_name")).startswith("AMD")
    and torch.backends.mkldnn.is_available()
    and hasattr(torch.ops.mkldnn, "_linear_pointwise")
)


ROWS = 64
"""What numbers of rows are multiples of, where it can be helped: oneDNN compiles a product anew for
each number, which takes 0.4 ms and half a MiB, some twenty times a micro-batch."""


def spare_rows(rows: int, weight: Tensor) -> int:
    """How many more rows save a product with this weight from being compiled for theirs alone."""
    return -rows % ROWS if _by_onednn(weight) else 0


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [T, in], weight [out, in], bias [out] to [T, out], as torch's: same gradients, and the
    same values but for rounding."""
    if not _by_onednn(x):
        return F.linear(x, weight, bias)
    return cast(Tensor, _Linear.apply(x, weight, bias))  # type: ignore[no-untyped-call]


def product(a: Tensor, b: Tensor, scale: float = 1.0) -> Tensor:
    """`scale` a b^T, of a [M, K] and b [N, K]: [M, N]. Without gradient."""
    if _by_onednn(a):
        whole = _onednn(a, b)
        return whole if scale == 1.0 else whole.mul_(scale)
    return torch.addmm(a.new_zeros(()), a, b.T, beta=0, alpha=scale)


def _by_onednn(x: Tensor) -> bool:
    return _ONEDNN and x.dtype == torch.float32 and x.device.type == "cpu" and x.numel() > 0


def _onednn(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    return cast(Tensor, torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], ""))


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _onednn(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        return (
            _onednn(grad, weight.T) if needs_x else None,
            _outer(grad, x) if needs_weight else None,
            grad.sum(0) if needs_bias else None,
        )


def _outer(a: Tensor, b: Tensor) -> Tensor:
    """The sum of outer products of rows: a [T, M] and b [T, N] to a^T b [M, N]."""
    # Few rows and many columns are faster than many rows and few columns.
    return _onednn(a.T, b.T) if a.shape[1] <= b.shape[1] else _onednn(b.T, a.T).T
