"""What a run is told: TOML recipes, `--set` on top, checked whole before anything starts.

Every field says in its docstring what it is and in which unit; `docs/training.md` has
them as a table. Paths are relative to the current directory. Values have the type that
TOML gives them: `"3"` is no number. `load_recipe` reports every problem at once, one
line each, by dotted key.

A *step* is one rollout (prompts_per_rollout groups of group_size completions), the
`epochs * mini_batches` updates made from it, and one sync of the rollout's weights.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

if TYPE_CHECKING:
    from trainer.advantages import AdvantageSettings
    from trainer.losses import LossSettings


Share = Annotated[float, Field(gt=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from error
    return text


def _template(text: str) -> str:
    if text not in ("none", "r1_zero", "chat") and "{prompt}" not in text:
        raise ValueError("none, r1_zero, chat, or a text with {prompt} in it")
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return text
    except ValueError:  # of a port or an IPv6 address
        pass
    raise ValueError("http://host:port")


def _address(text: str) -> str:
    try:
        parts = urlsplit(f"//{text}")
        if text == "embedded" or (parts.hostname and parts.port and parts.netloc == text):
            return text
    except ValueError:  # of a port or an IPv6 address
        pass
    raise ValueError("embedded, or host:port")


Expression = Annotated[str, AfterValidator(_expression)]
Template = Annotated[str, AfterValidator(_template)]
Url = Annotated[str, AfterValidator(_url)]
Address = Annotated[str, AfterValidator(_address)]


class ConfigError(Exception):
    """A recipe that cannot be run; one line for each problem, by dotted key."""


class Section(BaseModel):
    """A table of a recipe."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )


class Model(Section):
    path: Path
    """Hugging Face directory: config.json, safetensors, tokenizer files."""
    tokenizer: Path | None = None
    """Directory of the tokenizer, where it is another one."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Of parameters and activations; softmax, losses and the optimizer's state are float32."""
    checkpoint_activations: bool = False
    """Keep only each layer's input and compute the rest again: less memory, a third more work."""


class Later(Section):
    path: Path | None = None
    """Further problems, as those of `data.path`; none: all are there from the start."""
    from_step: NonNegativeInt = 0
    """The step from which they are drawn too, as often as their share of all: DeepSeek-R1 has its
    preference rewards in the last 400 of 1,700 steps."""


class Data(Section):
    path: Path
    """Problems, JSON Lines: the verifier's items without a response."""
    template: Template = "r1_zero"
    """How a problem becomes a prompt: none, r1_zero, chat, or any text with {prompt} in it."""
    shuffle: bool = True
    """Another order in each pass over the problems, by `run.seed`."""
    max_prompt_tokens: PositiveInt = 512
    """Longest prompt, tokens; a longer one is an error."""
    later: Later = Later()


class Rollout(Section):
    engine: Literal["embedded", "sglang", "vllm"] = "embedded"
    """What samples: the trainer's own model, or a server that runs."""
    url: Url | None = None
    """Of that server, as http://127.0.0.1:30000."""
    sync: Literal["disk", "tensor", "distributed"] = "disk"
    """How weights reach that server: TMPDIR, if both see it, shared memory, or a process group."""
    sync_tolerance: NonNegativeFloat = 0.1
    """Largest median difference of log-probabilities after a sync, nats; 0: not compared."""
    timeout_seconds: PositiveFloat = 600.0
    """How long a server that is dead, or not yet there, is waited for, seconds."""
    prompts_per_rollout: PositiveInt = 32
    """Problems in a step, over all data-parallel ranks."""
    group_size: Annotated[int, Field(ge=2)] = 16
    """Completions of each problem: what an advantage compares."""
    temperature: PositiveFloat = 1.0
    """Of sampling, and of the policy that is trained."""
    top_p: Share = 1.0
    """Nucleus of sampling; below 1 the policy that samples is not the one that is trained."""
    top_k: NonNegativeInt = 0
    """Most likely tokens to sample from; 0: all."""
    max_new_tokens: PositiveInt = 1024
    """Longest completion, tokens."""
    staleness: Literal[0, 1] = 0
    """Steps that sampling is ahead of training: 0 is on-policy and repeatable, 1 overlaps them."""
    batch_size: PositiveInt = 512
    """Completions that the embedded engine samples at once, on each rank."""


class Reward(Section):
    address: Address = "embedded"
    """host:port of the verification service; embedded: one of the run's own, without a judge."""
    recipe: str | None = None
    """Of all items, in place of their own: a name that the service knows, or a file, mine.toml."""
    on_failure: Literal["mask", "raise", "zero"] = "mask"
    """A completion without a reward: left out of its group, the end of the run, or 0."""
    wait_seconds: PositiveFloat = 3600.0
    """How long a service that is down, or owes an answer, is waited for, seconds."""


class Advantage(Section):
    kind: Literal["grpo", "dr_grpo", "rloo"] | None = None
    """(r - mean) / std, r - mean, or r - mean of the others; default: the preset's."""
    ddof: Literal[0, 1] = 1
    """The standard deviation divides by n - ddof."""
    std_eps: NonNegativeFloat = 1e-6
    """Added to the standard deviation."""


class Loss(Section):
    """Each field replaces the preset's value."""

    ratio: Literal["token", "sequence", "sequence_mean"] | None = None
    """Likelihood ratio of a token, a completion (R1), or its geometric mean (GSPO)."""
    objective: Literal["clip", "cispo"] | None = None
    """PPO's clipped objective, or CISPO's clipped weight."""
    clip_low: NonNegativeFloat | None = None
    """The ratio counts down to 1 - clip_low."""
    clip_high: NonNegativeFloat | None = None
    """The ratio counts up to 1 + clip_high."""
    dual_clip: NonNegativeFloat | None = None
    """Bound on the ratio where the advantage is negative, at least 1; 0: none."""
    log_ratio_max: PositiveFloat | None = None
    """Log ratios above it count as it, nats."""
    aggregate: Literal["sequence_mean", "token_mean", "constant", "sequence_sum"] | None = None
    """How tokens become one number."""
    kl: Literal["k1", "k2", "k3"] | None = None
    """Estimator of the KL divergence from the reference."""
    kl_level: Literal["token", "sequence"] | None = None
    """Whether it is estimated of tokens or of whole completions (R1)."""
    kl_coef: NonNegativeFloat | None = None
    """Weight of that divergence in the loss; 0 needs no reference model."""
    entropy_coef: NonNegativeFloat | None = None
    """Weight of the entropy that is rewarded."""
    tis_cap: NonNegativeFloat | None = None
    """Cap of the weight that corrects rollout log-probabilities to the trainer's; 0: none."""


class Overlong(Section):
    mask: bool = False
    """Completions cut off at max_new_tokens do not enter the loss."""
    soft_tokens: NonNegativeInt = 0
    """Last tokens before max_new_tokens over which a punishment grows (DAPO eq. 13); 0: none."""
    penalty: NonNegativeFloat = 1.0
    """That punishment at its largest."""


class Algorithm(Section):
    preset: Literal["r1", "grpo", "dapo", "dr_grpo", "gspo", "cispo"] = "grpo"
    """Loss and advantage as published; `loss` and `advantage` replace single values."""
    advantage: Advantage = Advantage()
    loss: Loss = Loss()
    overlong: Overlong = Overlong()
    mini_batches: PositiveInt = 1
    """Parts into which a rollout is split at random, each one update."""
    epochs: PositiveInt = 1
    """Times that a rollout is gone through."""
    reference_every: NonNegativeInt = 0
    """Steps after which the reference becomes the policy; 0: never."""
    dynamic_sampling: NonNegativeInt = 0
    """Further rollouts at most to replace groups of equal rewards; 0: they stay."""

    def loss_settings(self) -> LossSettings:
        """The preset's loss with this recipe's values; 0 of an optional bound is none."""
        from dataclasses import replace

        from trainer import losses

        chosen = self.loss.model_dump(exclude_none=True)
        optional = {name: chosen[name] or None for name in ("dual_clip", "tis_cap") & chosen.keys()}
        return replace(losses.PRESETS[self.preset], **chosen | optional)

    def advantage_settings(self) -> AdvantageSettings:
        """The preset's advantage with this recipe's values."""
        from trainer.advantages import AdvantageSettings

        told = self.advantage
        return AdvantageSettings(
            kind=told.kind or ("dr_grpo" if self.preset == "dr_grpo" else "grpo"),
            ddof=told.ddof,
            std_eps=told.std_eps,
            dynamic_sampling=self.dynamic_sampling > 0,
        )


class Optimizer(Section):
    """AdamW."""

    lr: PositiveFloat = 1e-6
    """Learning rate at its highest."""
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    """Its course after the warm-up."""
    warmup_steps: NonNegativeInt = 0
    """Updates in which it rises from 0."""
    min_lr_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Where cosine and linear end, as a part of lr."""
    betas: tuple[Decay, Decay] = (0.9, 0.95)
    """Decay of the two moments."""
    eps: PositiveFloat = 1e-8
    """Added to the root of the second moment."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled, of matrices alone."""
    max_grad_norm: NonNegativeFloat = 1.0
    """Gradients of a larger norm are scaled down to it; 0: never."""


class Parallel(Section):
    tp: PositiveInt = 1
    """Tensor-parallel ranks; the rest of the world is data-parallel."""
    sequence_parallel: bool = False
    """Norms act on each rank's part of the tokens: less memory, the same numbers."""
    zero: Literal[0, 1, 2, 3] = 0
    """DeepSpeed's stage: what is spread over data-parallel ranks; 0: nothing, without DeepSpeed."""
    offload: bool = False
    """DeepSpeed keeps the optimizer's state in the host's memory."""


class Budget(Section):
    micro_batch_tokens: PositiveInt = 16384
    """Tokens in one forward and backward pass on one rank: what memory is traded by."""


class Run(Section):
    dir: Path
    """Where all files of the run go; one that has checkpoints is gone on with."""
    steps: PositiveInt = 1000
    """Steps in all."""
    seed: NonNegativeInt = 0
    """Of everything that is drawn."""
    deterministic: bool = True
    """Refuse operations of torch that are not repeatable."""
    threads: NonNegativeInt = 0
    """Threads of one process on the CPU; 0: torch's choice."""
    checkpoint_every: PositiveInt = 1
    """Steps between two checkpoints: what a kill loses at most."""
    keep_checkpoints: PositiveInt = 2
    """Newest checkpoints that stay."""
    log_every: PositiveInt = 1
    """Steps between two lines at the terminal; files have every step."""
    tensorboard: bool = True
    """Write TensorBoard's files too, where it is installed."""
    wandb: str | None = None
    """Project of Weights & Biases to log to."""
    patterns: dict[str, Expression] = {}
    """Name to regular expression: the share of responses that it is found in is text/<name>."""


class GrpoRun(Run):
    monitor: bool = True
    """Say when the preference reward rises while the evaluations' score falls."""


class Eval(Section):
    path: Path | None = None
    """Held-out problems, as those of `data.path`; none: no evaluation."""
    every: PositiveInt = 10
    """Steps between two evaluations; also before the first step and after the last."""
    samples: PositiveInt = 16
    """Completions of each problem: pass@1 is their mean, majority@k their vote."""
    temperature: NonNegativeFloat = 1.0
    """Of their sampling; 0: the likeliest token."""
    top_p: Share = 1.0
    """Nucleus of their sampling."""


class GrpoConfig(Section):
    """A recipe of `touchstone-train grpo`."""

    model: Model
    data: Data
    rollout: Rollout = Rollout()
    reward: Reward = Reward()
    algorithm: Algorithm = Algorithm()
    optimizer: Optimizer = Optimizer()
    parallel: Parallel = Parallel()
    budget: Budget = Budget()
    run: GrpoRun
    eval: Eval = Eval()

    @model_validator(mode="after")
    def _fields_fit(self) -> GrpoConfig:
        rollout, algorithm = self.rollout, self.algorithm
        completions = rollout.prompts_per_rollout * rollout.group_size
        longest = self.data.max_prompt_tokens + rollout.max_new_tokens
        problems = list[str]()
        if completions % algorithm.mini_batches:
            problems.append(
                "algorithm.mini_batches: must divide rollout.prompts_per_rollout * "
                f"rollout.group_size = {completions}, got {algorithm.mini_batches}"
            )
        if rollout.engine != "embedded" and not rollout.url:
            problems.append(f"rollout.url: required by rollout.engine = {rollout.engine!r}")
        if algorithm.overlong.soft_tokens > rollout.max_new_tokens:
            problems.append(
                "algorithm.overlong.soft_tokens: at most rollout.max_new_tokens = "
                f"{rollout.max_new_tokens}, got {algorithm.overlong.soft_tokens}"
            )
        _check(self, longest, problems)
        return self


class SftData(Section):
    path: Path
    """Conversations, JSON Lines."""
    template: Literal["none", "chat"] = "chat"
    """How they become tokens: prompt and completion as they are, or the tokenizer's template."""
    shuffle: bool = True
    """Another order in each epoch, by `run.seed`."""
    max_tokens: PositiveInt = 4096
    """Longest sample, in tokens; longer ones are left out, and counted."""
    batch_size: PositiveInt = 128
    """Samples in one update, over all data-parallel ranks."""
    epochs: PositiveInt = 2
    """Passes over the data."""


class SftRun(Run):
    steps: NonNegativeInt = 0
    """Updates in all; 0: as many as the epochs have."""
    checkpoint_every: PositiveInt = 100
    """Steps between two checkpoints: what a kill loses at most."""


class SftConfig(Section):
    """A recipe of `touchstone-train sft`; a step is one update."""

    model: Model
    data: SftData
    optimizer: Optimizer = Optimizer(lr=5e-5, schedule="cosine")
    parallel: Parallel = Parallel()
    budget: Budget = Budget()
    run: SftRun

    @model_validator(mode="after")
    def _fields_fit(self) -> SftConfig:
        _check(self, self.data.max_tokens)
        return self


class RewardModelData(Section):
    path: Path
    """Rated responses, JSON Lines."""
    kind: Literal["pairwise", "pointwise"] = "pairwise"
    """What a row holds: chosen and rejected, or response and label."""
    shuffle: bool = True
    """Another order in each epoch, by `run.seed`."""
    max_tokens: PositiveInt = 8192
    """Longest conversation, in tokens; rows with a longer one are left out, and counted."""
    batch_size: PositiveInt = 256
    """Rows in one update, over all data-parallel ranks."""
    epochs: PositiveInt = 1
    """Passes over the data."""


class RewardModelEval(Section):
    path: Path | None = None
    """Held-out rows, as those of `data.path`; none: no evaluation."""
    every: PositiveInt = 50
    """Steps between two evaluations; also before the first step and after the last."""


class RewardModelConfig(Section):
    """A recipe of `touchstone-train reward-model`; a step is one update."""

    model: Model
    data: RewardModelData
    optimizer: Optimizer = Optimizer(lr=6e-6)
    parallel: Parallel = Parallel()
    budget: Budget = Budget()
    run: SftRun
    eval: RewardModelEval = RewardModelEval()

    @model_validator(mode="after")
    def _fields_fit(self) -> RewardModelConfig:
        together = 2 if self.data.kind == "pairwise" else 1  # a pair is in one pass
        _check(self, together * self.data.max_tokens)
        return self


def _check(
    recipe: GrpoConfig | SftConfig | RewardModelConfig, longest: int, own: Sequence[str] = ()
) -> None:
    """Raises ValueError with the problems that all kinds of recipes can have, and a kind's own."""
    parallel, budget = recipe.parallel, recipe.budget.micro_batch_tokens
    problems = [*own]
    if parallel.offload and not parallel.zero:
        problems.append("parallel.offload: needs parallel.zero of at least 1, got 0")
    if parallel.sequence_parallel and parallel.tp == 1:
        problems.append("parallel.sequence_parallel: needs parallel.tp of at least 2, got 1")
    if budget < longest:
        problems.append(
            "budget.micro_batch_tokens: at least the longest sample, "
            f"{longest} tokens, got {budget}"
        )
    if problems:
        raise ValueError("\n".join(problems))


# ---- reading --------------------------------------------------------------------

C = TypeVar("C", bound=Section)


def load_recipe(path: Path, overrides: Sequence[str], kind: type[C]) -> C:
    """The recipe in a TOML file with `key=value` overrides on top.

    A value is TOML; what is not is a string (`--set run.dir=out`).

    Raises:
        ConfigError: one line for each problem: key, what is allowed, what was received.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # of TOML, or of UTF-8
        raise ConfigError(f"{path}: {error}") from error
    for override in overrides:
        _set(values, override)
    try:
        # As JSON, where strictness means types of values and not Python's classes.
        return kind.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        found = [line for one in error.errors() for line in _explain(cast(Any, one), kind)]
        raise ConfigError("\n".join(found)) from error


def _set(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    *tables, name = (word.strip() for word in key.split("."))
    if not equals or not all([*tables, name]):
        raise ConfigError(f"--set: key=value is wanted, got {override!r}")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {override}: {table} is no table")
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        parsed = {}
    values[name] = parsed["value"] if parsed.keys() == {"value"} else text


def _explain(error: Mapping[str, Any], kind: type[Section]) -> list[str]:
    where = ".".join(str(word) for word in error["loc"])
    if error["type"] == "extra_forbidden":
        near = _nearest(where, list(_keys(kind)))
        return [f"{where}: no such key" + (f"; did you mean {near}?" if near else "")]
    if error["type"] == "missing":
        return [f"{where}: required"]
    if error["type"] == "union_tag_not_found":
        return [f"{where}.{error['ctx']['discriminator'].strip(chr(39))}: required"]
    if error["type"] == "union_tag_invalid":
        key, wanted, got = (error["ctx"][k] for k in ("discriminator", "expected_tags", "tag"))
        return [f"{where}.{key.strip(chr(39))}: one of {wanted}, got {got!r}"]
    if error["type"] == "value_error" and not where:
        return str(error["ctx"]["error"]).splitlines()
    message = (
        error["msg"]
        .removeprefix("Input should be ")
        .removeprefix("Value error, ")
        .replace("an object", "a table")
    )
    return [f"{where}: should be {message}, got {error['input']!r}"]


def _nearest(key: str, known: list[str]) -> str | None:
    """The same name in another table, else a like name in this one, else anywhere."""
    name = key.rpartition(".")[2]
    by_name = {one.rpartition(".")[2]: one for one in reversed(known)}
    if name in by_name:
        return by_name[name]
    tables = {one.rpartition(".")[0] for one in known} - {""}
    for wanted, among in ((key, [*known, *tables]), (name, by_name)):
        if near := difflib.get_close_matches(wanted, among, n=1, cutoff=0.75):
            return by_name.get(near[0], near[0])
    return None


def _keys(kind: type[Section], prefix: str = "") -> Iterator[str]:
    for name, info in kind.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            yield from _keys(info.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
