"""How weights get from the trainer into an engine's processes: files, shared memory, a group.

Both ends use this module: the trainer, and vLLM's workers (trainer/rollout/vllm_worker.py). SGLang
has the other end of its own, and reads and joins what is made here.
"""

from __future__ import annotations

import base64
import pickle
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, cast

import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor
from torch._C._distributed_c10d import PrefixStore, TCPStore

Named = list[tuple[str, Tensor]]

BUCKET_BYTES = 256 * 1024 * 1024
"""Weights sent at once: few messages, and little memory beside the model's own."""

POLL_SECONDS = 0.001
"""How often a broadcast looks whether the other end has refused it."""


def buckets(weights: Iterable[tuple[str, Tensor]], limit: int = BUCKET_BYTES) -> Iterator[Named]:
    """The weights in their order, in lists of at most `limit` bytes or of one tensor."""
    bucket, size = Named(), 0
    for name, tensor in weights:
        if bucket and size + tensor.nbytes > limit:
            yield bucket
            bucket, size = Named(), 0
        bucket.append((name, tensor.detach()))
        size += tensor.nbytes
    if bucket:
        yield bucket


def save_buckets(weights: Iterable[tuple[str, Tensor]], directory: Path) -> None:
    """Writes the weights as safetensors files, a bucket each: all that an engine reads of them."""
    for number, bucket in enumerate(buckets(weights)):
        tensors = {name: tensor.cpu().contiguous() for name, tensor in bucket}
        save_file(tensors, directory / f"model-{number:05}.safetensors", metadata={"format": "pt"})


def share(bucket: Named) -> str:
    """The tensors for one reader: on CUDA handles to the GPU's memory, else their values.

    A reader of handles must be on this machine; keep the tensors until it is done. Shared memory
    of the CPU is not used: torch's manager of it outlives the trainer as long as a reader does.
    """
    pickled = ForkingPickler.dumps(bucket) if bucket[0][1].is_cuda else pickle.dumps(bucket)
    return base64.b64encode(pickled).decode()


def shared(handles: str) -> Named:
    """What `share` sent. Whoever may send it may run code here, as with every control endpoint of
    an engine: it is for the trainer alone."""
    named: Named = ForkingPickler.loads(base64.b64decode(handles))
    return named


def described(bucket: Named) -> dict[str, Any]:
    """What a receiver has to know of tensors before they are broadcast to it."""
    return {
        "names": [name for name, _ in bucket],
        "dtypes": [str(tensor.dtype).removeprefix("torch.") for _, tensor in bucket],
        "shapes": [list(tensor.shape) for _, tensor in bucket],
    }


@dataclass(frozen=True)
class Meeting:
    """A process group that is to be, and where its members meet."""

    address: str
    port: int
    size: int
    name: str
    backend: str
    seconds: float
    """How long each waits for the others."""


def call_meeting(
    server: tuple[str, int], size: int, name: str, backend: str, seconds: float
) -> tuple[TCPStore, Meeting]:
    """A meeting on this machine, at the address that the server reaches it by; it is there as
    long as the store is kept."""
    with socket.create_connection(server) as link:
        address = str(link.getsockname()[0])
    limit = timedelta(seconds=seconds)
    store = TCPStore(address, 0, size, is_master=True, timeout=limit, wait_for_workers=False)
    return store, Meeting(address, store.port, size, name, backend, seconds)


def join_group(meeting: Meeting, rank: int) -> dist.ProcessGroup:
    """A process group beside the default one, over processes that share nothing else; returns when
    all have joined.

    torch has no public call for it; this makes the keys that SGLang's `init_custom_process_group`
    waits for.
    """
    c10d: Any = import_module("torch.distributed.distributed_c10d")
    limit, size, name = timedelta(seconds=meeting.seconds), meeting.size, meeting.name
    store = PrefixStore(name, TCPStore(meeting.address, meeting.port, size, timeout=limit))
    group, _ = c10d._new_process_group_helper(
        size, rank, [], dist.Backend(meeting.backend), store, name, timeout=limit
    )
    c10d._world.pg_group_ranks[group] = {member: member for member in range(size)}
    return cast(dist.ProcessGroup, group)


def meet(store: TCPStore, meeting: Meeting, answer: Future[Any]) -> dist.ProcessGroup:
    """Rank 0's part of `join_group`: the others' error is raised at once, not after `seconds`."""
    while not store.num_keys():  # nobody has come
        if answer.done():
            answer.result()
        time.sleep(POLL_SECONDS)
    group = join_group(meeting, 0)
    answer.result()
    return group


def broadcast(
    tensors: Sequence[Tensor], group: dist.ProcessGroup, answer: Future[Any] | None = None
) -> None:
    """From rank 0 to all. On rank 0 `answer` is the other end's; its error is raised at once."""
    works = [group.broadcast(tensor, 0) for tensor in tensors]
    while answer is not None and not all(work.is_completed() for work in works):
        if answer.done():
            answer.result()
        time.sleep(POLL_SECONDS)
    for work in works:
        work.wait()
