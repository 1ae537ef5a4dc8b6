"""Hugging Face directories in and out: their names, their files, every bit.

Each rank reads only its own slices, and whole tensors exist one file's worth at a time.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from trainer.model import Decoder, ModelConfig
from trainer.parallel import SINGLE, Layout, gather_full, shard_of

CONFIG, WEIGHTS = "config.json", "model.safetensors"
INDEX = "model.safetensors.index.json"

SHARD_BYTES = 5 * 10**9
"""Weights beyond this go to several files: Hugging Face's own habit."""

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
)


def read_config(path: Path | str) -> ModelConfig:
    """Of the model in directory `path`. Raises FileNotFoundError, or ValueError for what the
    decoder cannot do."""
    told = json.loads((Path(path) / CONFIG).read_bytes())
    if not isinstance(told, dict):
        raise ValueError(f"{CONFIG}: an object is wanted, got a {type(told).__name__}")
    return ModelConfig.from_hf(told)


def load_model(
    path: Path,
    *,
    dtype: torch.dtype,
    layout: Layout = SINGLE,
    device: str | torch.device = "cpu",
    sequence_parallel: bool = False,
    checkpoint_activations: bool = False,
) -> Decoder:
    """The model in directory `path`, or this rank's share of it, in `dtype`.

    Raises FileNotFoundError without safetensors files, and ValueError naming tensors that are
    missing, unknown to the decoder, or of another shape than config.json says, or a damaged file.
    On the device `meta` only names and shapes are read.
    """
    decoder = Decoder(
        read_config(path),
        layout,
        sequence_parallel=sequence_parallel,
        checkpoint_activations=checkpoint_activations,
        device=device,
        dtype=dtype,
        seed=None,
    )
    fill(decoder, path)
    return decoder


def fill(decoder: Decoder, path: Path, *, optional: Collection[str] = ()) -> set[str]:
    """Reads a decoder's weights from directory `path`. Returns which of the `optional` ones it has
    not. Raises as load_model does."""
    waiting = dict(decoder.named_parameters())
    unknown = list[str]()
    for file in _files(Path(path)):
        try:
            with safe_open(file, framework="pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118 - not a mapping
                    if name in waiting:
                        _read(tensors.get_slice(name), name, waiting.pop(name), decoder.layout)
                    elif not _redundant(name, decoder.config):
                        unknown.append(name)
        except SafetensorError as error:
            raise ValueError(f"{file}: {error}") from error
    missing = waiting.keys() - set(optional)
    for names, problem in ((missing, "are missing"), (unknown, "have no place in the decoder")):
        if names:
            raise ValueError(f"{path}: tensors {problem}: {', '.join(sorted(names))}")
    return waiting.keys() & set(optional)


def _files(path: Path) -> list[Path]:
    if (path / INDEX).exists():
        try:
            weight_map = dict(json.loads((path / INDEX).read_bytes())["weight_map"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path / INDEX}: a table weight_map is wanted") from error
        return [path / str(name) for name in sorted(set(weight_map.values()))]
    if (path / WEIGHTS).exists():
        return [path / WEIGHTS]
    raise FileNotFoundError(f"{path}: neither {WEIGHTS} nor {INDEX} is there")


def _redundant(name: str, config: ModelConfig) -> bool:
    """Whether a tensor says again what others say: a tied head, RoPE's frequencies."""
    return (name == "lm_head.weight" and config.tied) or name.endswith("rotary_emb.inv_freq")


@torch.no_grad()
def _read(source: Any, name: str, parameter: Tensor, layout: Layout) -> None:
    shard_dim, full_size = shard_of(parameter)
    whole = list(parameter.shape)
    if shard_dim is not None:
        whole[shard_dim] = full_size
    if source.get_shape() != whole:
        raise ValueError(f"{name}: config.json says shape {whole}, the file {source.get_shape()}")
    if parameter.is_meta:
        return
    if shard_dim is None:
        parameter.copy_(source[:])
        return
    each = parameter.shape[shard_dim]
    part = slice(layout.tp_rank * each, min((layout.tp_rank + 1) * each, full_size))
    own = source[part] if shard_dim == 0 else source[:, part]
    parameter.narrow(shard_dim, 0, own.shape[shard_dim]).copy_(own)
    parameter.narrow(shard_dim, own.shape[shard_dim], each - own.shape[shard_dim]).zero_()


def full_weights(decoder: Decoder) -> Iterator[tuple[str, Tensor]]:
    """Whole tensors by Hugging Face name, in a stable order, a tied head once. Collective over
    the TP group: every rank must take every item. A tensor may be the parameter's own memory."""
    for name, parameter in decoder.named_parameters():
        yield name, gather_full(parameter.detach(), *shard_of(parameter), decoder.layout)


def save_model(
    decoder: Decoder,
    path: Path,
    *,
    tokenizer_from: Path | None = None,
    dtype: torch.dtype | None = None,
) -> None:
    """Writes directory `path` as Hugging Face has it, in `dtype` or in the weights' own.

    Collective over the TP group; the process with rank 0 in both groups writes, and the others of
    its TP group wait for it. A new directory appears when all is written; in one that is there
    already each file is replaced at once, the configuration last, and other files stay.
    """
    layout, partial = decoder.layout, path.with_name(path.name + ".partial")
    writes = layout.tp_rank == 0 and layout.dp_rank == 0
    if writes:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    dtype = dtype or decoder.head_weight.dtype
    _write_weights(decoder, partial if writes else None, dtype)
    if writes:
        for name in TOKENIZER_FILES:
            if tokenizer_from is not None and (tokenizer_from / name).exists():
                shutil.copyfile(tokenizer_from / name, partial / name)
        config = decoder.config.to_hf()
        for key in {"dtype", "torch_dtype"} & config.keys():
            config[key] = str(dtype).removeprefix("torch.")
        (partial / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
        _publish(partial, path)
    if layout.tp_group is not None:
        dist.barrier(layout.tp_group)


def _write_weights(decoder: Decoder, folder: Path | None, dtype: torch.dtype) -> None:
    """Takes part in gathering all weights, and writes them where a folder is given."""
    sizes = {}
    for name, parameter in decoder.named_parameters():
        shard_dim, full_size = shard_of(parameter)
        cut = parameter.shape[shard_dim or 0]
        sizes[name] = parameter.numel() // cut * full_size * dtype.itemsize
    shards = _shards(sizes)
    files = [
        f"model-{n:05}-of-{len(shards):05}.safetensors" if len(shards) > 1 else WEIGHTS
        for n in range(1, len(shards) + 1)
    ]
    weights = full_weights(decoder)
    for file, shard in zip(files, shards, strict=True):
        tensors = dict[str, Tensor]()
        for _ in shard:
            name, whole = next(weights)
            if folder is not None:
                tensors[name] = whole.to("cpu", dtype).contiguous()
        if folder is not None:
            save_file(tensors, folder / file, metadata={"format": "pt"})
    if folder is not None and len(shards) > 1:
        weight_map = {
            name: file for file, shard in zip(files, shards, strict=True) for name in shard
        }
        index = {"metadata": {"total_size": sum(sizes.values())}, "weight_map": weight_map}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")


def _shards(sizes: Mapping[str, int]) -> list[list[str]]:
    """Names in order, cut so that a file has at most SHARD_BYTES or a single tensor."""
    shards, room = list[list[str]](), 0
    for name, size in sizes.items():
        if not shards or size > room:
            shards.append([])
            room = SHARD_BYTES
        shards[-1].append(name)
        room -= size
    return shards


def _publish(new: Path, path: Path) -> None:
    """Puts a finished directory where `path` is, or its files among those that are there."""
    for file in new.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
    if not path.exists():
        new.rename(path)
        return
    written = {file.name for file in new.iterdir()}
    for name in sorted(written, key=lambda name: (name == CONFIG, name == INDEX, name)):
        (new / name).replace(path / name)
    new.rmdir()
    for file in [*path.glob("model*.safetensors"), path / INDEX]:
        if file.name not in written:
            file.unlink(missing_ok=True)
