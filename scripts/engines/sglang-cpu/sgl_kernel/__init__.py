"""Stands where SGLang's compiled kernels would: PyPI has them for CUDA alone.

Without AMX, SGLang computes Qwen2 on a CPU in plain torch and imports these names but calls none.
A name that is called all the same raises and says which it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

__version__ = "0.4.7"  # what SGLang compares with the version it wants


def __getattr__(name: str) -> Callable[..., NoReturn]:
    if name.startswith("__"):
        raise AttributeError(name)

    def absent(*_: object, **__: object) -> NoReturn:
        raise NotImplementedError(f"sgl_kernel.{name}: there are no compiled kernels for this CPU")

    return absent
