"""Whether a recipe fits the model and the machine, before anything is loaded.

The estimate is of what a process holds at its fullest, not of what its allocator loses between; a
recipe that is refused could not have run, one that is let through may still be short by a tenth.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch

from trainer.config import ConfigError, GrpoConfig, RewardModelConfig, SftConfig
from trainer.model import ModelConfig
from trainer.parallel import Layout
from trainer.scorer import load_scorer
from trainer.weights import load_model, read_config

GIB = 2**30
AnyConfig = GrpoConfig | SftConfig | RewardModelConfig
CHUNK_TOKENS = 1024
"""Rows of logits that exist at once: what `token_logprobs` takes by itself."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes of one process, by what takes them."""

    rows: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(size for _, size in self.rows)

    def table(self) -> str:
        """One line for each, the largest first, in GiB; what is held in turn comes off."""
        ordered = [*sorted(self.rows, key=lambda row: -row[1]), ("in all", self.total)]
        return "\n".join(f"  {size / GIB:10.3f} GiB  {what}" for what, size in ordered if size)


def memory_estimate(
    recipe: AnyConfig,
    model: ModelConfig,
    parameters: int,
    *,
    dp: int,
    reference: bool,
    on_gpu: bool,
) -> MemoryEstimate:
    """Of one process on its device; `parameters` are those of one tensor-parallel rank."""
    told, tp, zero = recipe.parallel, recipe.parallel.tp, recipe.parallel.zero
    width = 4 if recipe.model.dtype == "float32" else 2
    tokens, hidden = recipe.budget.micro_batch_tokens, model.hidden_size
    heads, kv_heads = model.num_heads // tp, model.num_kv_heads // tp
    # Inputs of both norms and both halves; queries, keys, values before and after; two of MLP, and
    # a third in a layer that is computed anew as a whole.
    inner = (3 if recipe.model.checkpoint_activations else 2) * model.intermediate_size // tp
    layer = 6 * hidden + 3 * (heads + kv_heads) * model.head_dim + inner
    if recipe.model.checkpoint_activations:
        kept = hidden * model.num_layers + layer
    else:
        kept = layer * model.num_layers
    state = 0 if told.offload and on_gpu else parameters // (dp if zero >= 1 else 1)
    activations = width * tokens * kept
    rated = isinstance(recipe, RewardModelConfig)  # by one number, not the vocabulary's
    logits = 0 if rated else 3 * 4 * min(tokens, CHUNK_TOKENS) * model.vocab_size // tp
    gradients = 4 * parameters // (dp if zero >= 2 else 1)
    rows = [
        ("parameters", width * parameters // (dp if zero == 3 else 1)),
        ("gradients, float32", gradients),
        ("the optimizer's moments, float32", 8 * state),
        ("the optimizer's master weights, float32", 0 if width == 4 else 4 * state),
        (f"activations of {tokens} tokens (budget.micro_batch_tokens)", activations),
        ("logits of a chunk, float32", logits),
    ]
    if isinstance(recipe, GrpoConfig):
        rollout = recipe.rollout
        places = recipe.data.max_prompt_tokens + rollout.max_new_tokens
        held = min(rollout.batch_size, -(-rollout.prompts_per_rollout // dp) * rollout.group_size)
        embedded = rollout.engine == "embedded"
        cache = 2 * model.num_layers * kv_heads * model.head_dim * held * places * width * embedded
        # Sampling begins when training has given these back, unless both go on at once; DeepSpeed
        # keeps its gradients.
        freed = 0 if rollout.staleness else activations + logits + (0 if zero else gradients)
        copied = embedded and (rollout.staleness or zero == 3)
        rows += [
            ("the reference model (algorithm.loss.kl_coef)", width * parameters * reference),
            ("the embedded engine's copy (rollout.staleness)", width * parameters * bool(copied)),
            (f"keys and values of {held} x {places} tokens", cache),
            ("held in turn: to sample, to train", -min(cache, freed)),
        ]
    return MemoryEstimate(tuple(rows))


def preflight(recipe: AnyConfig, world_size: int) -> MemoryEstimate:
    """What a process will need; refuses a model whose tensors are not those of its config.json,
    and what cannot run on this machine with so many processes.

    Raises:
        ConfigError: one line for each problem; the last may be a table of memory.
    """
    with explained(recipe.model.path):
        model = read_config(recipe.model.path)
    reference = False
    if isinstance(recipe, GrpoConfig):
        try:
            reference = recipe.algorithm.loss_settings().kl_coef > 0
        except ValueError as error:
            raise ConfigError(f"algorithm.loss.{error}") from error
    if recipe.parallel.zero and find_spec("deepspeed") is None:
        raise ConfigError('parallel.zero: DeepSpeed is missing; pip install ".[deepspeed]"')
    if problems := list(_indivisible(recipe, model, world_size)):
        raise ConfigError("\n".join(problems))
    tp = recipe.parallel.tp
    with explained(recipe.model.path):
        rated = isinstance(recipe, RewardModelConfig)
        load = partial(load_scorer, seed=0) if rated else load_model
        shapes = load(
            recipe.model.path, dtype=torch.float32, layout=Layout(tp=tp), device="meta"
        ).parameters()
    gpu = torch.cuda.is_available()
    estimate = memory_estimate(
        recipe,
        model,
        sum(parameter.numel() for parameter in shapes),
        dp=world_size // tp,
        reference=reference,
        on_gpu=gpu,
    )
    has = available(gpu)
    if estimate.total > has:
        where = "GPU" if gpu else "process"
        raise ConfigError(
            f"memory: a {where} has {has / GIB:.3f} GiB, the recipe needs\n{estimate.table()}"
        )
    return estimate


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """A model that cannot be read is a ConfigError that names the key."""
    try:
        yield
    except (OSError, KeyError, ValueError) as error:
        where = "" if str(path) in str(error) else f"{path}: "
        raise ConfigError(f"model.path: {where}{error}") from error


def _indivisible(recipe: AnyConfig, model: ModelConfig, world_size: int) -> Iterator[str]:
    tp = recipe.parallel.tp
    counts = {
        "the model's attention heads": model.num_heads,
        "its key-value heads": model.num_kv_heads,
        "its intermediate size": model.intermediate_size,
        "the number of processes": world_size,
    }
    for what, count in counts.items():
        if count % tp:
            yield f"parallel.tp: must divide {what}, {count}, got {tp}"
    dp = max(1, world_size // tp)
    if isinstance(recipe, GrpoConfig):
        name, count = "rollout.prompts_per_rollout", recipe.rollout.prompts_per_rollout
        longest = recipe.data.max_prompt_tokens + recipe.rollout.max_new_tokens
    else:
        name, count = "data.batch_size", recipe.data.batch_size
        longest = recipe.data.max_tokens
    if count % dp:
        yield f"{name}: must be a multiple of the data-parallel ranks, {dp}, got {count}"
    if longest > model.max_positions:
        yield f"model.path: has {model.max_positions} positions, the longest sample {longest}"


def available(gpu: bool) -> int:
    """Bytes that one process can have: its GPU's, or its share of the machine's."""
    if gpu:
        device = int(os.environ.get("LOCAL_RANK", "0"))
        return int(torch.cuda.get_device_properties(device).total_memory)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")  # a job's own share of the machine
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    return total // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
