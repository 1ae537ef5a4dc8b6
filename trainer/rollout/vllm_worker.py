"""What vLLM's workers load to take weights from the trainer (`--worker-extension-cls`).

vLLM mixes this class into its worker, and `collective_rpc` calls its methods by name on every rank.
Only torch, safetensors and vLLM are needed beside it.

An update is `touchstone_begin`, any number of loads, `touchstone_end`; between the two the model
cannot be used. It goes through vLLM's layerwise reload, which packs each layer's weights again
when the layer is whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import distributed as dist
from vllm.config import set_current_vllm_config
from vllm.model_executor.model_loader.reload import (
    finalize_layerwise_reload,
    initialize_layerwise_reload,
)
from vllm.model_executor.model_loader.reload.layerwise import get_layerwise_info

from trainer.rollout.transfer import Meeting, Named, broadcast, join_group, shared


class WeightSync:
    """Methods of a vLLM worker, which `self` is."""

    rank: int
    device: torch.device
    model_runner: Any
    model_config: Any
    vllm_config: Any
    touchstone_open = False
    touchstone_expected: set[str]
    touchstone_loaded: set[str]
    touchstone_group: dist.ProcessGroup

    def touchstone_describe(self) -> dict[str, Any]:
        """What the client compares with its own model."""
        return {
            "config": self.model_config.hf_config.to_dict(),
            "logprobs_mode": self.model_config.logprobs_mode,
        }

    def touchstone_begin(self) -> None:
        """Opens the model for new weights."""
        model = self.model_runner.get_model()
        with set_current_vllm_config(self.vllm_config):
            if self.touchstone_open:
                # The last update failed or its trainer died. Its weights are forgotten, so that
                # closing gives each layer back what it had.
                for layer in model.modules():
                    info = get_layerwise_info(layer)
                    info.loaded_weights, info.load_numel = [], 0
                finalize_layerwise_reload(model, self.model_config)
            self.touchstone_expected = {name for name, _ in model.named_parameters()}
            self.touchstone_loaded = set()
            self.touchstone_open = True
            initialize_layerwise_reload(model)

    def touchstone_load(self, weights: Named) -> None:
        """Loads some of the weights. Not called from outside."""
        with set_current_vllm_config(self.vllm_config):
            self.touchstone_loaded |= self.model_runner.get_model().load_weights(iter(weights))

    def touchstone_read(self, directory: str) -> None:
        """Loads the safetensors files of a directory."""
        for file in sorted(Path(directory).glob("*.safetensors")):
            self.touchstone_load(list(load_file(file).items()))

    def touchstone_take(self, handles: list[str]) -> None:
        """Loads tensors that the trainer shares, with handles for each rank."""
        self.touchstone_load(shared(handles[self.rank]))

    def touchstone_join(self, **meeting: Any) -> None:
        """Joins the trainer's process group, a Meeting's fields; blocks until all have."""
        self.touchstone_group = join_group(Meeting(**meeting), 1 + self.rank)

    def touchstone_receive(
        self, names: list[str], dtypes: list[str], shapes: list[list[int]]
    ) -> None:
        """Loads what the trainer broadcasts."""
        tensors = [
            torch.empty(shape, dtype=getattr(torch, dtype), device=self.device)
            for dtype, shape in zip(dtypes, shapes, strict=True)
        ]
        broadcast(tensors, self.touchstone_group)
        self.touchstone_load(list(zip(names, tensors, strict=True)))

    def touchstone_leave(self) -> None:
        """Leaves the trainer's group."""
        dist.destroy_process_group(self.touchstone_group)

    def touchstone_end(self) -> dict[str, list[str]]:
        """Puts the model together again. Returns the parameters that no weight came for."""
        model = self.model_runner.get_model()
        with set_current_vllm_config(self.vllm_config):
            finalize_layerwise_reload(model, self.model_config)
            if self.model_config.hf_config.tie_word_embeddings:
                # On a CPU the head multiplies by a packed copy of the embeddings' weights, which
                # the reload leaves as it was: it packs layers that weights came for, and the head
                # gets none of its own.
                model.lm_head.quant_method.process_weights_after_loading(model.lm_head)
        self.touchstone_open = False
        return {"missing": sorted(self.touchstone_expected - self.touchstone_loaded)}
