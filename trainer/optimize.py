"""From gradients to new weights: AdamW with fp32 masters, over tensor- and data-parallel ranks.

Invariants: gradients add up in fp32 over micro-batches and are summed, not averaged, over
data-parallel ranks (losses are divided by totals over all ranks already); the norm that is clipped
is that of the whole model, however it is split; a gradient that is not finite changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim.adamw import adamw

from trainer.config import Parallel
from trainer.model import Decoder
from trainer.parallel import SINGLE, Layout, shard_of
from trainer.weights import full_weights

Schedule = Literal["constant", "linear", "cosine"]


class TrainingStopped(Exception):
    """A run that cannot go on: why, and where to look."""


class NotFinite(Exception):
    """A loss or a gradient is NaN or infinite; nothing was updated."""


@dataclass(frozen=True)
class OptimizerSettings:
    """AdamW (arXiv 1711.05101), and the learning rate over the updates of a run."""

    lr: float
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm; 0 leaves them."""
    schedule: Schedule = "constant"
    warmup_steps: int = 0
    min_lr_ratio: float = 0.1
    """Of the learning rate, what a schedule ends at."""
    total_steps: int = 1
    """Updates of the whole run, warm-up included."""


@dataclass(frozen=True)
class StepStats:
    """Of one update: the norm of the gradient before clipping, and the learning rate."""

    grad_norm: float
    lr: float


class Optimizer(Protocol):
    """One update: `backward` for each micro-batch, then `step`."""

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """Adds a micro-batch's gradients. `last` says that `step` comes next."""

    def step(self) -> StepStats:
        """Raises NotFinite, having changed nothing."""

    def state(self) -> Iterator[tuple[str, nn.Parameter, dict[str, Tensor]]]:
        """Each parameter's name, itself, and its fp32 state (`master`, `exp_avg`, `exp_avg_sq`),
        shaped like the parameter: what a checkpoint holds. The tensors may be written to."""

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """The model's weights, whole, by Hugging Face name. Collective over all ranks."""

    def publish(self) -> None:
        """Makes the model's own weights what the masters are, once these were written to."""

    updates: int
    """Updates made so far."""


def learning_rate(settings: OptimizerSettings, update: int) -> float:
    """Of the update with this number, from 0. Pure."""
    if update < settings.warmup_steps:
        return settings.lr * (update + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return settings.lr
    rest = max(1, settings.total_steps - settings.warmup_steps - 1)
    done = min(1.0, (update - settings.warmup_steps) / rest)
    left = 1.0 - done if settings.schedule == "linear" else (1.0 + math.cos(math.pi * done)) / 2
    return settings.lr * (settings.min_lr_ratio + (1.0 - settings.min_lr_ratio) * left)


def make_optimizer(
    module: nn.Module,
    decoder: Decoder,
    settings: OptimizerSettings,
    layout: Layout,
    parallel: Parallel,
) -> Optimizer:
    """As `parallel` says, for a module whose only parameters are the decoder's. ZeRO's stage 0
    spreads nothing, which needs no DeepSpeed."""
    if parallel.zero:
        from trainer.zero import DeepSpeedOptimizer  # DeepSpeed is an optional dependency

        return DeepSpeedOptimizer(module, decoder, settings, layout, parallel)
    return TorchOptimizer(decoder, settings, layout)


class TorchOptimizer:
    """In this process's memory alone: every data-parallel rank holds the whole state."""

    def __init__(
        self, model: Decoder, settings: OptimizerSettings, layout: Layout = SINGLE
    ) -> None:
        self.updates = 0
        self._model = model
        self._settings, self._layout = settings, layout
        self._names = [name for name, p in model.named_parameters() if p.requires_grad]
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._masters = [
            p if p.dtype == torch.float32 else p.detach().float() for p in self._parameters
        ]
        for parameter, master in zip(self._parameters, self._masters, strict=True):
            if master is not parameter:
                parameter.register_post_accumulate_grad_hook(_gather_in(master))
        self._moments = [(torch.zeros_like(m), torch.zeros_like(m)) for m in self._masters]

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """See Optimizer."""
        if not bool(torch.isfinite(loss)):
            if self._layout.dp == 1:
                raise NotFinite(f"the loss is {loss.item()}")
            loss = loss * math.nan  # for `step` to find on all ranks: they wait for this one
        loss.backward()

    def step(self) -> StepStats:
        """See Optimizer."""
        gradients = [self._gradient(master) for master in self._masters]
        if self._layout.dp > 1:
            _sum_over(gradients, self._layout.dp_group)
        norm = self._norm(gradients)
        lr = learning_rate(self._settings, self.updates)
        if not math.isfinite(norm):
            self._clear()
            raise NotFinite(f"the norm of the gradient is {norm}")
        if 0 < self._settings.max_grad_norm < norm:
            torch._foreach_mul_(gradients, self._settings.max_grad_norm / norm)
        self._move(gradients, lr)
        self.updates += 1
        self.publish()
        self._clear()
        return StepStats(norm, lr)

    @torch.no_grad()
    def _move(self, gradients: list[Tensor], lr: float) -> None:
        # The function, for the class imports torch's compiler: 80 MiB. Norms and biases do not
        # decay.
        settings = self._settings
        for decays in (True, False):
            chosen = [n for n, master in enumerate(self._masters) if (master.dim() > 1) == decays]
            adamw(
                [self._masters[n] for n in chosen],
                [gradients[n] for n in chosen],
                [self._moments[n][0] for n in chosen],
                [self._moments[n][1] for n in chosen],
                [],
                [torch.tensor(float(self.updates), device=self._masters[n].device) for n in chosen],
                fused=True,
                amsgrad=False,
                beta1=settings.betas[0],
                beta2=settings.betas[1],
                lr=lr,
                weight_decay=settings.weight_decay if decays else 0.0,
                eps=settings.eps,
                maximize=False,
            )

    @torch.no_grad()
    def publish(self) -> None:
        """Rounds the fp32 masters to the model's own weights."""
        for parameter, master in zip(self._parameters, self._masters, strict=True):
            if master is not parameter:
                parameter.copy_(master)

    def state(self) -> Iterator[tuple[str, nn.Parameter, dict[str, Tensor]]]:
        """See Optimizer."""
        for name, parameter, master, moments in zip(
            self._names, self._parameters, self._masters, self._moments, strict=True
        ):
            first, second = moments
            held = {"master": master.detach(), "exp_avg": first, "exp_avg_sq": second}
            yield name, parameter, held

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """See Optimizer."""
        return full_weights(self._model)

    def _clear(self) -> None:
        for held in (*self._masters, *self._parameters):
            held.grad = None

    @staticmethod
    def _gradient(master: Tensor) -> Tensor:
        if master.grad is None:
            master.grad = torch.zeros_like(master)
        return master.grad

    def _norm(self, gradients: list[Tensor]) -> float:
        """Of the whole model: what is split over ranks adds up, what is replicated counts once."""
        split = torch.zeros((), device=gradients[0].device)
        whole = torch.zeros((), device=gradients[0].device)
        for parameter, norm in zip(
            self._parameters, torch._foreach_norm(gradients, 2), strict=True
        ):
            if shard_of(parameter)[0] is None:
                whole += norm.square()
            else:
                split += norm.square()
        if self._layout.tp > 1:
            dist.all_reduce(split, group=self._layout.tp_group)
        return float((split + whole).sqrt())


def _gather_in(master: Tensor) -> Callable[[Tensor], None]:
    """Adds a parameter's gradient to its fp32 master's as soon as it is there, and drops it."""

    def hook(parameter: Tensor) -> None:
        assert parameter.grad is not None
        if master.grad is None:
            master.grad = parameter.grad.float()
        else:
            master.grad.add_(parameter.grad)
        parameter.grad = None

    return hook


def _sum_over(gradients: list[Tensor], group: dist.ProcessGroup | None) -> None:
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat, group=group)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
