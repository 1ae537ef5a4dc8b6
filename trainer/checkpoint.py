"""Checkpoints that any layout can read: whole tensors by name, whoever held which piece.

    step-00000012/ state.json, rank-00000.safetensors, rank-00001.safetensors ...

Invariants: each tensor has its checksum in its file's metadata, and a byte that has changed is an
error; a checkpoint that has its final name is complete (it is written beside it, flushed to
the disk, then renamed; and renamed before it is removed); tensors are cut anew for the layout that
loads them, so tensor parallelism, data parallelism and ZeRO stage may change between two runs; the
bits do not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from trainer.optimize import Optimizer
from trainer.parallel import Layout, gather_full, local_slice, shard_of

_NAME = re.compile(r"step-(\d{8})")


class CheckpointError(Exception):
    """A checkpoint that cannot be read, or does not fit the model."""


@dataclass(frozen=True)
class Held:
    """What a run is made of: its model's optimizer, a reference model's weights if there is one,
    and small things that go into JSON."""

    optimizer: Optimizer
    reference: nn.Module | None
    layout: Layout


def save(directory: Path, step: int, held: Held, state: Mapping[str, Any], keep: int) -> None:
    """Writes the checkpoint of a step, then removes all but the newest `keep`. Collective."""
    rank, world = _rank_and_world()
    final = directory / f"step-{step:08d}"
    draft = directory / f".{final.name}.draft"
    if rank == 0:
        for left in directory.glob(".step-*"):  # by a run that was killed
            shutil.rmtree(left)
        draft.mkdir(parents=True)
    _barrier()
    mine: dict[str, Tensor] = {}
    names: dict[str, int] = {}
    for number, (name, parameter, tensor) in enumerate(_tensors(held)):
        dim, size = shard_of(parameter)
        whole = gather_full(tensor, dim, size, held.layout)
        names[name] = number % world
        if number % world == rank:
            mine[name] = whole.detach().to("cpu", copy=True).contiguous()
    file = draft / f"rank-{rank:05d}.safetensors"
    save_file(mine, file, metadata={name: _checksum(tensor) for name, tensor in mine.items()})
    _flush(file)
    _barrier()
    if rank == 0:
        content = {"step": step, "updates": held.optimizer.updates, "tensors": names, **state}
        (draft / "state.json").write_text(json.dumps(content))
        _flush(draft / "state.json")
        _flush(draft)
        if final.exists():
            _remove(final)
        draft.rename(final)
        _flush(directory)
        for old in steps(directory)[:-keep]:
            _remove(directory / f"step-{old:08d}")
    _barrier()


def steps(directory: Path) -> list[int]:
    """Steps that have a checkpoint, in order."""
    if not directory.is_dir():
        return []
    found = (_NAME.fullmatch(entry.name) for entry in directory.iterdir())
    return sorted(int(match[1]) for match in found if match)


def read_state(path: Path) -> dict[str, Any]:
    """The small things of a checkpoint. Raises CheckpointError."""
    try:
        state: dict[str, Any] = json.loads((path / "state.json").read_text())
        for key, kind in {"step": int, "updates": int, "tensors": dict}.items():
            if not isinstance(dict(state).get(key), kind):
                raise ValueError(f"state.json holds no {key}")
    except (OSError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: not a checkpoint: {error}") from error
    return state


def restore(path: Path, held: Held) -> dict[str, Any]:
    """Puts a checkpoint's tensors into place, each rank its own piece, and returns its state.

    Raises CheckpointError for one that is damaged, or of another model.
    """
    state = read_state(path)
    files = _Files(path, state["tensors"])
    for name, parameter, tensor in _tensors(held):
        whole = files.read(name)
        dim, size = shard_of(parameter)
        wanted = list(tensor.shape)
        if dim is not None:
            wanted[dim] = size
        if list(whole.shape) != wanted:
            raise CheckpointError(
                f"{path}: {name} is {list(whole.shape)}, the model wants {wanted}"
            )
        tensor.copy_(local_slice(whole, dim, held.layout))
    held.optimizer.updates = state["updates"]
    held.optimizer.publish()
    return state


def weights(path: Path) -> Iterator[tuple[str, Tensor]]:
    """A checkpoint's model: whole fp32 tensors by Hugging Face name."""
    files = _Files(path, read_state(path)["tensors"])
    for name in files.names:
        if name.startswith("master/"):
            yield name.removeprefix("master/"), files.read(name)


class _Files:
    def __init__(self, path: Path, names: Mapping[str, int]) -> None:
        self._path, self.names = path, names

    def read(self, name: str) -> Tensor:
        if name not in self.names:
            raise CheckpointError(f"{self._path}: holds no {name}")
        file = self._path / f"rank-{self.names[name]:05d}.safetensors"
        try:
            with safe_open(file, "pt") as opened:
                tensor: Tensor = opened.get_tensor(name)
                told = (opened.metadata() or {}).get(name)
            if told != _checksum(tensor):
                raise ValueError(f"{name} has another checksum than it was saved with")
        except (OSError, SafetensorError, ValueError) as error:
            raise CheckpointError(
                f"{file}: damaged, or not there: {error}; without its directory the run goes on "
                "from the checkpoint before it"
            ) from error
        return tensor


def _tensors(held: Held) -> Iterator[tuple[str, nn.Parameter, Tensor]]:
    """All tensors of a run with the parameter that tells how each is cut; the same on all ranks."""
    for name, parameter, state in held.optimizer.state():
        for kind, tensor in state.items():
            yield f"{kind}/{name}", parameter, tensor
    reference: Iterable[tuple[str, nn.Parameter]] = (
        held.reference.named_parameters() if held.reference is not None else ()
    )
    for name, parameter in reference:
        yield f"reference/{name}", parameter, parameter.data


def _checksum(tensor: Tensor) -> str:
    return f"{zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data):08x}"


def _rank_and_world() -> tuple[int, int]:
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def _barrier() -> None:
    if dist.is_initialized():
        dist.barrier()


def _remove(path: Path) -> None:
    """Takes its name away first: what has the name of a checkpoint is a whole one."""
    nameless = path.with_name(f".{path.name}.removed")
    path.rename(nameless)
    shutil.rmtree(nameless)


def _flush(path: Path) -> None:
    """To the disk: a rename must never be there before what it names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
