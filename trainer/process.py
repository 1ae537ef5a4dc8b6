"""This process, and the others that torchrun has started beside it."""

from __future__ import annotations

import ctypes
import os
from datetime import timedelta

import torch
import torch.distributed as dist

from trainer.config import ConfigError
from trainer.parallel import SINGLE, Layout, make_layout

STEP_SECONDS = 6 * 3600.0
"""What a step takes at most: how long a rank waits for another that is not known to be dead."""


def start_torch(threads: int, deterministic: bool) -> None:
    """Threads, and operations that give the same bits every time or refuse to run."""
    if threads:
        torch.set_num_threads(threads)
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # `use_deterministic_algorithms` is the same, but imports torch's compiler: 80 MiB.
        torch.set_deterministic_debug_mode("error")
        # To fill what is about to be overwritten only serves to find operations that do not.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def start_processes(tp: int, wait_s: float) -> tuple[Layout, Layout]:
    """The grid of ranks under torchrun, or the one process there is; and the same once more, for
    rollouts: what is sampled while training goes on must not use training's groups, where the
    ranks' collectives would pair as they come. A rank may wait for another so many seconds, and as
    long as a step takes."""
    if "RANK" not in os.environ:
        if tp > 1:
            raise ConfigError(f"parallel.tp: {tp} needs torchrun with a multiple of {tp} processes")
        return SINGLE, SINGLE
    if on_gpu():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    limit = timedelta(seconds=STEP_SECONDS + wait_s)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if on_gpu() else "gloo", timeout=limit)
    return make_layout(tp, limit), make_layout(tp, limit)


_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, other libraries do not


def release_memory() -> None:
    """Gives back to the system what this process has freed and glibc has kept: blocks of sampling
    and of training have other sizes, and would else lie beside each other."""
    if _trim is not None:
        _trim(0)


def on_gpu() -> bool:
    """Whether tensors live on a CUDA device."""
    return torch.cuda.is_available()


def rank() -> int:
    """Of this process, 0 where it is alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_first() -> bool:
    """Whether this process speaks for the run."""
    return rank() == 0
