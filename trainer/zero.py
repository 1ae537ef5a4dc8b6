"""ZeRO (arXiv 1910.02054) by DeepSpeed: what data-parallel ranks hold is spread over them.

DeepSpeed holds flat fp32 masters, of which each rank updates its own part, and asks Megatron's
`mpu` what tensor parallelism has split. Its operators that are compiled at run time are not used:
AdamW is torch's own, also for offloaded state.

Invariants
- What comes out is what TorchOptimizer makes, up to the order in which floats are added: losses
  and gradients are summed, not averaged, micro-batches add up in fp32, the norm is of the whole
  model, and a number that is not finite changes nothing and is heard of by every rank.
- All data-parallel ranks call `backward` the same number of times, and forward passes too under
  stage 3, where each gathers weights.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.config import Parallel
from trainer.model import Decoder
from trainer.optimize import (
    NotFinite,
    OptimizerSettings,
    StepStats,
    learning_rate,
)
from trainer.parallel import Layout, gather_full, shard_of

if not torch.cuda.is_available():
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # else it looks for others, and warns
# Collectives that DeepSpeed calls by their old names, which torch 2.13 warns of.
warnings.filterwarnings("ignore", r".*torch\.distributed\.\w+. is deprecated", FutureWarning)
import deepspeed  # noqa: E402
from deepspeed import utils as ds  # noqa: E402

BUCKET = 50_000_000
"""Most elements that are reduced or gathered at once."""

PERSISTENT = 10
"""Stage 3 leaves parameters whole that have at most so many times the hidden size as elements:
norms and biases, which cost more to gather than to hold."""

MOMENTS = ("exp_avg", "exp_avg_sq")


class DeepSpeedOptimizer:
    """See Optimizer. `module` is called itself, not through an engine; stage 3 takes it apart."""

    def __init__(
        self,
        module: nn.Module,
        decoder: Decoder,
        settings: OptimizerSettings,
        layout: Layout,
        parallel: Parallel,
    ) -> None:
        self.updates = 0
        self._decoder, self._settings = decoder, settings
        self._layout = _join(layout)
        self._whole = parallel.zero < 3
        self._named = [(n, p) for n, p in decoder.named_parameters() if p.requires_grad]
        self._adam = _adam_of([p for _, p in self._named], settings)
        self._engine, *_ = deepspeed.initialize(
            model=module,
            optimizer=self._adam,
            config=_config(decoder, settings, parallel),
            mpu=self._layout,
            dist_init_required=False,
        )
        self._zero: Any = self._engine.optimizer
        _allocate(self._adam, self._masters())
        if self._whole:
            self._zero._lazy_init_hp_params_optimizer_state()

    def _masters(self) -> list[Tensor]:
        """Each group's flat fp32 weights, those that this rank updates."""
        if self._whole:
            return [master for group in self._adam.param_groups for master in group["params"]]
        flat: list[Tensor] = self._zero.fp32_partitioned_groups_flat
        return flat

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """See Optimizer. A loss that is not finite makes all gradients NaN, for `step` to find:
        the other ranks could not know of an error here, and would wait for this one."""
        if not bool(torch.isfinite(loss)):
            loss = loss * math.nan
        self._engine.set_gradient_accumulation_boundary(last)
        # What the engine does in its own forward pass, which is not gone through.
        self._zero.clear_backward_seen_flag()
        # DeepSpeed divides by the ranks what totals over all ranks have divided already.
        loss = loss * self._layout.dp
        loss.register_hook(lambda _: self._engine._backward_prologue())
        self._engine.backward(loss)

    def step(self) -> StepStats:
        """See Optimizer."""
        lr = learning_rate(self._settings, self.updates)
        for group in self._adam.param_groups:
            group["lr"] = lr
        for held in self._adam.state.values():
            held["step"].fill_(self.updates)
        self._engine.step()
        if self._zero.overflow:
            raise NotFinite("the loss or the norm of the gradient is not finite on some rank")
        self.updates += 1
        return StepStats(float(self._engine.get_global_grad_norm()), lr)

    def state(self) -> Iterator[tuple[str, nn.Parameter, dict[str, Tensor]]]:
        """See Optimizer. Collective over data-parallel ranks; the tensors are put together for
        the caller, and what was written to them is kept when the next are asked for."""
        for name, parameter in self._named:
            held = {"master": ds.safe_get_full_fp32_param(parameter)}
            for moment in MOMENTS:
                held[moment] = ds.safe_get_full_optimizer_state(parameter, moment)
            yield name, parameter, held
            for kind, tensor in held.items():
                self._keep(parameter, tensor, () if kind == "master" else (kind,))

    def _keep(self, parameter: nn.Parameter, value: Tensor, kind: tuple[str, ...]) -> None:
        if self._whole and kind:
            ds.safe_set_full_optimizer_state(parameter, value, *kind)
        elif self._whole:
            ds.safe_set_full_fp32_param(parameter, value)
        else:
            flat, ranks = value.flatten(), self._layout.dp
            own = F.pad(flat, (0, -len(flat) % ranks)).chunk(ranks)[self._layout.dp_rank]
            keep = ds.safe_set_local_optimizer_state if kind else ds.safe_set_local_fp32_param
            keep(parameter, own, *kind)

    @torch.no_grad()
    def publish(self) -> None:
        """See Optimizer. Collective over data-parallel ranks."""
        if self._whole:
            self._zero.update_lp_params()
            return
        self._engine.empty_partition_cache()
        for _, parameter in self._named:
            part: Any = parameter
            part.ds_tensor.copy_(ds.safe_get_local_fp32_param(parameter))

    @torch.no_grad()
    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """See Optimizer."""
        for name, parameter in self._decoder.named_parameters():
            with deepspeed.zero.GatheredParameters([parameter], enabled=not self._whole):
                whole = gather_full(parameter.detach(), *shard_of(parameter), self._layout)
            yield name, whole


def _adam_of(parameters: Sequence[Tensor], settings: OptimizerSettings) -> torch.optim.AdamW:
    """AdamW, whose learning rate and step number are set before each step."""
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.dim() > 1]},
        # Norms and biases do not decay.
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=settings.lr,
        betas=settings.betas,
        eps=settings.eps,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def _allocate(optimizer: torch.optim.AdamW, masters: Iterable[Tensor]) -> None:
    """Makes the state that the first step would make, for a checkpoint to be loaded into."""
    for master in masters:
        optimizer.state[master] = {
            "step": torch.tensor(0.0, device=master.device),
            "exp_avg": torch.zeros_like(master, requires_grad=False),
            "exp_avg_sq": torch.zeros_like(master, requires_grad=False),
        }


def _config(decoder: Decoder, settings: OptimizerSettings, parallel: Parallel) -> dict[str, Any]:
    bucket = min(BUCKET, sum(p.numel() for p in decoder.parameters()))
    zero: dict[str, Any] = {
        "stage": parallel.zero,
        "reduce_bucket_size": bucket,
        "allgather_bucket_size": bucket,
        "stage3_prefetch_bucket_size": bucket,
        "stage3_param_persistence_threshold": PERSISTENT * decoder.config.hidden_size,
    }
    if parallel.offload:
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": torch.cuda.is_available()}
    return {
        "train_micro_batch_size_per_gpu": 1,  # unused: losses are divided before they get here
        "gradient_accumulation_steps": 1,
        "gradient_clipping": settings.max_grad_norm,
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "bf16": {
            "enabled": decoder.head_weight.dtype == torch.bfloat16,
            "check_grad_overflow": True,
        },
        "data_types": {"grad_accum_dtype": "fp32"},
        "communication_data_type": "fp32",
    }


def _join(layout: Layout) -> Layout:
    """The layout for DeepSpeed, to which a group of None means all ranks, not this one alone."""
    os.environ.setdefault("LOCAL_RANK", "0")
    if not dist.is_initialized():
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)  # type: ignore[attr-defined]
    # On a CPU DeepSpeed would compile a shared-memory operator for inference as it starts, under a
    # lock that outlives a killed process. What it finds here it takes as the operators there are.
    vars(deepspeed.ops).setdefault("__compatible_ops__", {})
    alone, _ = dist.new_subgroups(1)
    return replace(layout, tp_group=layout.tp_group or alone, dp_group=layout.dp_group or alone)
