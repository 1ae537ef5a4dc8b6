"""Element-wise work in one pass over memory, on CUDA.

There a kernel for each operation means that what one writes the next one reads again: torch's
compiler makes one kernel of all. On a CPU a function runs as it is written, with torch's own
kernels, and the compiler is not imported (a second, and 80 MiB).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import torch

Function = TypeVar("Function", bound=Callable[..., Any])


def fused(function: Function) -> Function:
    """A function of tensors, compiled at its first call with one on CUDA as the first argument.
    It must not write to its arguments."""
    compiled: Callable[..., Any] | None = None

    @wraps(function)
    def call(*arguments: Any) -> Any:
        nonlocal compiled
        if not arguments[0].is_cuda:
            return function(*arguments)
        if compiled is None:
            warnings.filterwarnings("ignore", r"\s*Online softmax is disabled", UserWarning)
            compiled = torch.compile(function, dynamic=True)
        return compiled(*arguments)

    return cast(Function, call)
