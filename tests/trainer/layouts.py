"""The loop's own updates on made-up groups, in any layout of ranks: what tests compare."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from trainer.advantages import Advantages
from trainer.batch import Policy
from trainer.collect import Group
from trainer.config import GrpoConfig
from trainer.data import Prompt
from trainer.grpo import update
from trainer.metrics import Figures
from trainer.optimize import OptimizerSettings, make_optimizer
from trainer.parallel import SINGLE, Layout, gather_full, make_layout, shard_of
from trainer.rollout.engine import Completion, Span
from trainer.run import Run
from trainer.weights import load_model

PROMPT, COMPLETION = 8, 23
ALONE = PROMPT + COMPLETION
"""A budget at which no two samples fit into a micro-batch."""
PACKED = 200
CLIP = 0.1
"""Below all norms here, so that every gradient is scaled."""


@dataclass(frozen=True)
class Case:
    """A layout, and how its samples are cut."""

    tp: int = 1
    sequence_parallel: bool = False
    zero: int = 0
    offload: bool = False
    dtype: str = "float32"
    checkpoint_activations: bool = False
    budget: int = PACKED
    groups: tuple[int, ...] = (4, 2, 1)
    """Of each data-parallel rank; the last has the rest."""

    def __str__(self) -> str:
        plain = asdict(Case())
        said = [f"{name}={value}" for name, value in asdict(self).items() if value != plain[name]]
        return " ".join(said) or "plain"


class Updates(Run):
    """What `update` asks of a run; nothing is sampled or verified."""

    def __init__(self, case: Case, model: Path) -> None:
        torch.set_num_threads(1)
        self.recipe = recipe_of(case, model)
        self.layout = make_layout(case.tp) if dist.is_initialized() else SINGLE
        self.device = torch.device("cpu")
        decoder = self._load(load_model)
        self.policy = Policy(decoder, self.recipe.rollout.temperature)
        self.reference = Policy(self._load(load_model), self.recipe.rollout.temperature)
        self.reference.requires_grad_(False)
        for parameter in self.reference.parameters():
            parameter.mul_(1.05)
        self.optimizer = make_optimizer(
            self.policy,
            decoder,
            OptimizerSettings(**self.recipe.optimizer.model_dump(), total_steps=100),
            self.layout,
            self.recipe.parallel,
        )


def recipe_of(case: Case, model: Path) -> GrpoConfig:
    parallel = {
        "tp": case.tp,
        "sequence_parallel": case.sequence_parallel,
        "zero": case.zero,
        "offload": case.offload,
    }
    values: dict[str, Any] = {
        "model": {
            "path": str(model),
            "dtype": case.dtype,
            "checkpoint_activations": case.checkpoint_activations,
        },
        "data": {"path": "none", "max_prompt_tokens": PROMPT},
        "rollout": {"max_new_tokens": COMPLETION, "temperature": 0.9},
        "algorithm": {"preset": "grpo", "epochs": 2, "loss": {"kl_coef": 0.1}},
        # A large eps: Adam's first steps have the size of the learning rate even where a gradient
        # is nothing but rounding, which is then what would be compared.
        "optimizer": {
            "lr": 1e-3,
            "eps": 1e-3,
            "weight_decay": 0.1,
            "max_grad_norm": CLIP,
            "warmup_steps": 2,
            "schedule": "linear",
        },
        "parallel": parallel,
        "budget": {"micro_batch_tokens": case.budget},
        "run": {"dir": "none", "threads": 1},
    }
    return GrpoConfig.model_validate_json(json.dumps(values))


def groups_of(step: int) -> tuple[list[Group], Advantages]:
    """Seven groups of four, one of them without any advantage, some samples left out."""
    draws = random.Random(step)
    generator = torch.Generator().manual_seed(step)

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(draws.randrange(1, 97) for _ in range(draws.randint(low, high)))

    groups = []
    for n in range(7):
        made = [ids(10, COMPLETION) for _ in range(4)]
        completions = tuple(
            Completion(one, tuple(-3 * draws.random() for _ in one), "stop", (Span(0, 0, 1),))
            for one in made
        )
        groups.append(Group(Prompt(f"{n}", "", ids(6, PROMPT), {}), completions, (), ()))
    values = torch.randn(7, 4, generator=generator)
    values[5] = 0
    keep = torch.rand(7, 4, generator=generator) < 0.9
    return groups, Advantages(values, keep, (values == 0).all(1))


def share_of(case: Case, number: int, layout: Layout) -> tuple[list[Group], Advantages]:
    """Of each data-parallel rank: so many groups as the case says, the rest for the last."""
    groups, of_all = groups_of(number)
    if layout.dp == 1:
        return groups, of_all
    start = sum(case.groups[: layout.dp_rank])
    count = len(groups) if layout.dp_rank == layout.dp - 1 else case.groups[layout.dp_rank]
    mine = slice(start, start + count)
    return groups[mine], Advantages(
        of_all.values[mine], of_all.keep[mine], of_all.zero_variance[mine]
    )


def step(run: Updates, case: Case, number: int, epochs: int) -> dict[str, float]:
    """`epochs` updates of one rollout."""
    algorithm = run.recipe.algorithm.model_copy(update={"epochs": epochs})
    run.recipe = run.recipe.model_copy(update={"algorithm": algorithm})
    figures = Figures()
    update(run, number, *share_of(case, number, run.layout), figures)
    return figures.merged(run.layout.dp_group, run.layout.dp)


def state_of(run: Updates) -> dict[str, Tensor]:
    """Whole tensors by kind and name: what the optimizer holds, and the model's weights."""
    found = {
        f"{kind}/{name}": gather_full(tensor, *shard_of(parameter), run.layout).clone()
        for name, parameter, state in run.optimizer.state()
        for kind, tensor in state.items()
    }
    return found | {f"weights/{name}": w.clone() for name, w in run.optimizer.weights()}


@dataclass
class Seen:
    """What a rank saw; `gradient` is that of the first update, before clipping."""

    metrics: list[dict[str, float]]
    gradient: dict[str, Tensor]
    weights: dict[str, Tensor]


def trained(case: Case, model: Path, steps: int = 3) -> Seen:
    """One update of the first groups, then two of each further ones."""
    run = Updates(case, model)
    metrics = [step(run, case, 0, 1)]
    # The first moment is (1 - 0.9) times the gradient that was scaled down to CLIP.
    scale = 10 * max(1.0, metrics[0]["policy/grad_norm"] / CLIP)
    gradient = {n: value * scale for n, value in state_of(run).items() if n.startswith("exp_avg/")}
    metrics += [step(run, case, number, 2) for number in range(1, steps)]
    return Seen(metrics, gradient, dict(state_of(run).items()))


def differences(seen: Seen, alone: Seen) -> dict[str, float]:
    """The largest of each kind of number."""
    assert [m.keys() for m in seen.metrics] == [m.keys() for m in alone.metrics]
    found = {
        name: max(abs(a[name] - b[name]) for a, b in zip(seen.metrics, alone.metrics, strict=True))
        for name in alone.metrics[0]
        if name.startswith("policy/")  # mismatch/... are means of what each rank finds
    }
    for kind in ("gradient", "weights"):
        ours, theirs = getattr(seen, kind), getattr(alone, kind)
        assert ours.keys() == theirs.keys()
        found[kind] = max(float((ours[n] - theirs[n]).abs().max()) for n in theirs)
    return found
