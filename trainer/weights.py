"""Hugging Face directories in and out: exact names, exact bits, each rank its own slices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from trainer.model import Decoder, ModelConfig
from trainer.parallel import SINGLE, Layout, gather_full, local_slice, shard_of


def read_config(path: Path | str) -> ModelConfig:
    """The model's shape from `path`/config.json."""
    return ModelConfig.from_hf(json.loads((Path(path) / "config.json").read_text()))


def _files(path: Path) -> dict[str, Path]:
    index = path / "model.safetensors.index.json"
    if index.exists():
        return {k: path / v for k, v in json.loads(index.read_text())["weight_map"].items()}
    with safe_open(path / "model.safetensors", "pt") as file:
        return dict.fromkeys(file.keys(), path / "model.safetensors")


def load_model(
    path: Path,
    *,
    dtype: torch.dtype,
    layout: Layout = SINGLE,
    device: str | torch.device = "cpu",
    sequence_parallel: bool = False,
    checkpoint_activations: bool = False,
) -> Decoder:
    """A decoder with the weights of a Hugging Face directory."""
    decoder = Decoder(
        read_config(path),
        layout,
        sequence_parallel=sequence_parallel,
        checkpoint_activations=checkpoint_activations,
        device=device,
        dtype=dtype,
        seed=None,
    )
    files = _files(path)
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            with safe_open(files[name], "pt") as file:
                parameter.copy_(local_slice(file.get_tensor(name), shard_of(parameter)[0], layout))
    return decoder


def full_weights(decoder: Decoder) -> Iterator[tuple[str, Tensor]]:
    """Whole tensors by Hugging Face name, in a stable order. Collective over the TP group."""
    for name, parameter in decoder.named_parameters():
        shard_dim, full_size = shard_of(parameter)
        yield name, gather_full(parameter.detach(), shard_dim, full_size, decoder.layout)


def save_model(
    decoder: Decoder,
    path: Path,
    *,
    tokenizer_from: Path | None = None,
    dtype: torch.dtype | None = None,
) -> None:
    """Writes a Hugging Face directory."""
    weights = {n: w.to(dtype or w.dtype).contiguous() for n, w in full_weights(decoder)}
    if decoder.layout.tp_rank or decoder.layout.dp_rank:
        return
    path.mkdir(parents=True, exist_ok=True)
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    (path / "config.json").write_text(json.dumps(decoder.config.to_hf(), indent=2) + "\n")
    if tokenizer_from is not None:
        for file in tokenizer_from.glob("*token*"):
            shutil.copy(file, path)
