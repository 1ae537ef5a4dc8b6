"""Recipes: what is read, what is refused and in which words, and what it needs of a machine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.support import TINY, tiny_model
from trainer.attention import PackedAttention, packed_positions
from trainer.config import (
    ConfigError,
    GrpoConfig,
    Loss,
    RewardModelConfig,
    Section,
    SftConfig,
    load_recipe,
)
from trainer.data import DataError
from trainer.describe import table
from trainer.losses import PRESETS, LossSettings
from trainer.memory import available, memory_estimate, preflight
from trainer.model import Decoder, ModelConfig
from trainer.optimize import OptimizerSettings, TorchOptimizer
from trainer.parallel import Layout
from trainer.rewards import read_recipe
from trainer.weights import read_config

ROOT = Path(__file__).parents[2]
LEAST = '[model]\npath = "m"\n[data]\npath = "d"\n[run]\ndir = "r"\n'


@pytest.fixture
def least(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(LEAST)
    return path


def refused(path: Path, *overrides: str, kind: type[Section] = GrpoConfig) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_recipe(path, overrides, kind)
    return str(caught.value).splitlines()


def test_defaults_and_overrides(least: Path) -> None:
    recipe = load_recipe(least, [], GrpoConfig)
    assert (recipe.model.path, recipe.run.dir) == (Path("m"), Path("r"))
    assert (recipe.rollout.group_size, recipe.optimizer.betas) == (16, (0.9, 0.95))
    recipe = load_recipe(
        least,
        [
            "rollout.group_size=4", "optimizer.lr = 3", "optimizer.betas=[0.5, 0]", "run.dir=a b/c",
            'data.path="quoted"', "algorithm.loss.kl_coef=1e-3", "run.dir=out=1", "model.tokenizer=t",
            "run.patterns={again='wait|check'}", "run.patterns.no=no", "data.template=Q: {prompt}",
        ],
        GrpoConfig,
    )  # fmt: skip
    assert recipe.rollout.group_size == 4
    assert recipe.optimizer.lr == 3.0
    assert recipe.optimizer.betas == (0.5, 0.0)
    assert recipe.data.path == Path("quoted")
    assert recipe.run.dir == Path("out=1")  # the last of two; only the first = ends the key
    assert recipe.model.tokenizer == Path("t")
    assert recipe.run.patterns == {"again": "wait|check", "no": "no"}
    assert recipe.data.template == "Q: {prompt}"
    with pytest.raises(ValueError, match="frozen"):
        recipe.run.seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("rollout.group_sise=4", "rollout.group_sise: no such key; did you mean rollout.group_size?"),
        ("rollout.lr=1", "rollout.lr: no such key; did you mean optimizer.lr?"),
        ("optimzer.lr=1", "optimzer: no such key; did you mean optimizer?"),
        ("algorithm.loss.klcoef=1", "algorithm.loss.klcoef: no such key; did you mean algorithm.loss.kl_coef?"),
        ("lr=1", "lr: no such key; did you mean optimizer.lr?"),
        ("quux=1", "quux: no such key"),
        ("rollout.group_size=1", "rollout.group_size: should be greater than or equal to 2, got 1"),
        ("rollout.group_size=four", "rollout.group_size: should be a valid integer, got 'four'"),
        ("rollout.group_size=true", "rollout.group_size: should be a valid integer, got True"),
        ("run.seed=1.5", "run.seed: should be a valid integer, got 1.5"),
        ("rollout.staleness=2", "rollout.staleness: should be 0 or 1, got 2"),
        ("rollout.engine=tgi", "rollout.engine: should be 'embedded', 'sglang' or 'vllm', got 'tgi'"),
        ("optimizer.lr=nan", "optimizer.lr: should be a finite number, got nan"),
        ("optimizer.lr='3'", "optimizer.lr: should be a valid number, got '3'"),
        ("optimizer.betas=[0.9,1]", "optimizer.betas.1: should be less than 1, got 1"),
        ("optimizer.betas=[0.9]", "optimizer.betas.1: required"),
        ("model=3", "model: should be a table, got 3"),
        ("model.dtype=float16", "model.dtype: should be 'float32' or 'bfloat16', got 'float16'"),
        ("run.patterns={a='['}", "run.patterns.a: should be a regular expression (unterminated character set at position 0), got '['"),
        ("data.template=Q: ", "data.template: should be none, r1_zero, chat, or a text with {prompt} in it, got 'Q: '"),
        ("rollout.engine=vllm", "rollout.url: required by rollout.engine = 'vllm'"),
        ("algorithm.mini_batches=7", "algorithm.mini_batches: must divide rollout.prompts_per_rollout * rollout.group_size = 512, got 7"),
        ("budget.micro_batch_tokens=1535", "budget.micro_batch_tokens: at least the longest sample, 1536 tokens, got 1535"),
        ("algorithm.overlong.soft_tokens=1025", "algorithm.overlong.soft_tokens: at most rollout.max_new_tokens = 1024, got 1025"),
        ("parallel.offload=true", "parallel.offload: needs parallel.zero of at least 1, got 0"),
        ("rollout.url=127.0.0.1:30000", "rollout.url: should be http://host:port, got '127.0.0.1:30000'"),
        ("rollout.url=http://[::1", "rollout.url: should be http://host:port, got 'http://[::1'"),
        ("rollout.url=http://h:99999", "rollout.url: should be http://host:port, got 'http://h:99999'"),
        ("reward.wait_seconds=0", "reward.wait_seconds: should be greater than 0, got 0"),
        ("parallel.sequence_parallel=true", "parallel.sequence_parallel: needs parallel.tp of at least 2, got 1"),
        ("model.path.x=1", "--set model.path.x=1: path is no table"),
        ("run.seed", "--set: key=value is wanted, got 'run.seed'"),
        ("=1", "--set: key=value is wanted, got '=1'"),
        ("run..seed=1", "--set: key=value is wanted, got 'run..seed=1'"),
    ],
)  # fmt: skip
def test_what_is_refused(least: Path, override: str, said: str) -> None:
    assert refused(least, override) == [said]


def test_limits_that_just_hold(least: Path) -> None:
    load_recipe(
        least,
        ["budget.micro_batch_tokens=1536", "algorithm.overlong.soft_tokens=1024", "rollout.group_size=2",
         "parallel.zero=3", "parallel.offload=true", "algorithm.mini_batches=64"],
        GrpoConfig,
    )  # fmt: skip


def test_all_problems_at_once(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('[model]\npaht = "m"\n[rollout]\ngroup_size = 1\n[run]\ndir = 3\nsteps = 0\n')
    assert refused(path) == [
        "model.path: required",
        "model.paht: no such key; did you mean model.path?",
        "data: required",
        "rollout.group_size: should be greater than or equal to 2, got 1",
        "run.dir: should be a valid string, got 3",
        "run.steps: should be greater than 0, got 0",
    ]


def test_files_that_are_no_recipes(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    assert refused(path) == [f"{path}: No such file or directory"]
    path.write_text("[model\n")
    assert "line 1" in refused(path)[0]
    path.write_bytes(b"a = '\xff'\n")
    assert str(path) in refused(path)[0]


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_override_escapes_the_error(key: str, value: str) -> None:
    """Whatever stands in an override, a recipe comes out or a ConfigError."""
    path = ROOT / "examples/recipes/tiny.toml"
    for name in (key, f"run.{key}", "run.dir", "data.template"):
        try:
            recipe = load_recipe(path, [f"{name}={value}"], GrpoConfig)
        except ConfigError:
            continue
        assert isinstance(recipe, GrpoConfig)


def test_sft_recipes(least: Path) -> None:
    recipe = load_recipe(least, ["data.max_tokens=16384"], SftConfig)
    assert (recipe.optimizer.schedule, recipe.optimizer.min_lr_ratio) == ("cosine", 0.1)
    assert refused(least, "data.max_tokens=16385", kind=SftConfig) == [
        "budget.micro_batch_tokens: at least the longest sample, 16385 tokens, got 16384"
    ]
    assert refused(least, "rollout.group_size=3", kind=SftConfig) == ["rollout: no such key"]


# ---- losses and advantages ------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_the_published_ones(least: Path, preset: str) -> None:
    algorithm = load_recipe(least, [f"algorithm.preset={preset}"], GrpoConfig).algorithm
    assert algorithm.loss_settings() == PRESETS[preset]
    kind = "dr_grpo" if preset == "dr_grpo" else "grpo"
    assert algorithm.advantage_settings().kind == kind


def test_single_values_replace_the_presets(least: Path) -> None:
    overrides = [
        "algorithm.preset=r1", "algorithm.loss.kl_coef=0.0", "algorithm.loss.dual_clip=3",
        "algorithm.loss.tis_cap=0", "algorithm.advantage.kind=rloo", "algorithm.advantage.ddof=0",
        "algorithm.dynamic_sampling=2",
    ]  # fmt: skip
    algorithm = load_recipe(least, overrides, GrpoConfig).algorithm
    expected = dataclasses.replace(PRESETS["r1"], kl_coef=0.0, dual_clip=3.0, tis_cap=None)
    assert algorithm.loss_settings() == expected
    advantage = algorithm.advantage_settings()
    assert (advantage.kind, advantage.ddof, advantage.dynamic_sampling) == ("rloo", 0, True)


def test_every_setting_of_a_loss_has_its_key() -> None:
    assert set(Loss.model_fields) == {field.name for field in dataclasses.fields(LossSettings)}


@pytest.mark.parametrize("address", ["nonsense", ":50051", "host:port", "http://host:50051", "a:0"])
def test_an_address_has_host_and_port(least: Path, address: str) -> None:
    said = f"reward.address: should be embedded, or host:port, got {address!r}"
    with pytest.raises(ConfigError) as caught:
        load_recipe(least, [f"reward.address={address}"], GrpoConfig)
    assert str(caught.value) == said
    good = load_recipe(least, ["reward.address=[::1]:50051"], GrpoConfig)
    assert good.reward.address == "[::1]:50051"


def test_a_recipe_of_rewards_is_a_name_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n[[parts]]\nname = "accuracy"\nvalues = {match = 2}\n')
    read = read_recipe(str(file))
    assert not isinstance(read, str)
    assert read.parts[0].values["match"] == 2
    assert read_recipe("dapo") == "dapo"
    file.write_text("weights = 1")
    with pytest.raises(DataError, match=r"^reward\.recipe: .*mine\.toml: .*weights"):
        read_recipe(str(file))


# ---- recipes and the documentation -----------------------------------------------


def test_r1_zero_has_the_papers_figures() -> None:
    recipe = load_recipe(ROOT / "recipes/full/zero.toml", [], GrpoConfig)
    rollout, algorithm = recipe.rollout, recipe.algorithm
    assert rollout.prompts_per_rollout * rollout.group_size == 8192
    assert rollout.prompts_per_rollout // algorithm.mini_batches == 32
    assert algorithm.reference_every * algorithm.mini_batches == 400
    assert recipe.run.steps * algorithm.mini_batches == 10_400
    assert (rollout.group_size, rollout.max_new_tokens, rollout.temperature) == (16, 32_768, 1.0)
    assert (recipe.optimizer.lr, algorithm.epochs) == (3e-6, 1)
    loss = algorithm.loss_settings()
    assert (loss.clip_low, loss.clip_high, loss.kl, loss.kl_coef) == (10, 10, "k3", 0.001)
    assert (recipe.data.template, recipe.reward.recipe) == ("r1_zero", "r1_zero")


def test_other_recipes_can_be_read() -> None:
    load_recipe(ROOT / "examples/recipes/tiny.toml", [], GrpoConfig)
    sft = load_recipe(ROOT / "recipes/full/sft.toml", [], SftConfig)
    assert sft.optimizer.lr * sft.optimizer.min_lr_ratio == pytest.approx(5e-6)


def test_the_documentation_has_every_field() -> None:
    text = (ROOT / "docs/training.md").read_text()
    assert table(GrpoConfig) in text
    own = [row for row in table(SftConfig).splitlines() if row not in table(GrpoConfig)]
    assert "\n".join(own) in text
    known = table(GrpoConfig) + table(SftConfig)
    own = [row for row in table(RewardModelConfig).splitlines() if row not in known]
    assert "\n".join(own) in text


# ---- what a machine must have ----------------------------------------------------


def recipe_for(model: Path, *overrides: str) -> GrpoConfig:
    path = model.parent / "recipe.toml"
    path.write_text(LEAST)
    return load_recipe(path, [f"model.path={model}", "rollout.max_new_tokens=128", "data.max_prompt_tokens=64", *overrides], GrpoConfig)  # fmt: skip


def rows(recipe: GrpoConfig, model: ModelConfig, parameters: int, **changes: Any) -> dict[str, int]:
    told = {"dp": 1, "reference": False, "on_gpu": False} | changes
    estimate = memory_estimate(recipe, model, parameters, **told)
    assert estimate.total == sum(size for _, size in estimate.rows)
    return {what.partition(" (")[0].partition(", ")[0]: size for what, size in estimate.rows}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_estimate_is_what_is_really_held(tmp_path: Path, dtype: str) -> None:
    config = ModelConfig.from_hf(TINY | {"vocab_size": 96})
    decoder = Decoder(config, dtype=getattr(torch, dtype))
    optimizer = TorchOptimizer(decoder, OptimizerSettings(lr=1e-3))
    held = {"parameters": 0, "master": 0, "exp_avg": 0, "exp_avg_sq": 0}
    for _, parameter, state in optimizer.state():
        held["parameters"] += parameter.nbytes
        for name, tensor in state.items():
            held[name] += 0 if tensor.data_ptr() == parameter.data_ptr() else tensor.nbytes
    count = sum(parameter.numel() for parameter in decoder.parameters())
    found = rows(recipe_for(tmp_path / "m", f"model.dtype={dtype}"), config, count)
    assert found["parameters"] == held["parameters"]
    assert found["the optimizer's moments"] == held["exp_avg"] + held["exp_avg_sq"]
    assert found["the optimizer's master weights"] == held["master"]
    assert found["gradients"] == 4 * count


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "llama"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_estimate_of_activations_is_near_what_is_kept(
    tmp_path: Path, kind: str, checkpointing: bool
) -> None:
    """Against the storages that a forward pass saves for its backward pass, each counted once."""
    config = ModelConfig.from_hf(
        TINY | {"model_type": kind, "vocab_size": 96, "hidden_size": 64, "num_hidden_layers": 6,
                "intermediate_size": 192, "head_dim": 16, "num_attention_heads": 4}
    )  # fmt: skip
    decoder = Decoder(config, checkpoint_activations=checkpointing)
    weights = {p.untyped_storage().data_ptr() for p in decoder.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage
        return tensor

    tokens, device = 512, torch.device("cpu")
    recipe = recipe_for(tmp_path / "m", "model.dtype=float32", f"budget.micro_batch_tokens={tokens}", f"model.checkpoint_activations={str(checkpointing).lower()}")  # fmt: skip
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden = decoder(torch.zeros(tokens, dtype=torch.long), packed_positions([tokens], device), PackedAttention([tokens], device))  # fmt: skip
    assert hidden.requires_grad
    measured = sum(storage.nbytes() for storage in kept.values())
    found = rows(recipe, config, 0)
    estimated = next(size for key, size in found.items() if key.startswith("activations"))
    if checkpointing:  # what one layer takes once it is computed again comes on top
        assert 1.0 < estimated / measured < 5.0
    else:
        assert 0.8 < estimated / measured < 1.25


def test_estimate_follows_the_recipe(tmp_path: Path) -> None:
    config = ModelConfig.from_hf(TINY | {"vocab_size": 96})
    count = 10**6
    base = rows(recipe_for(tmp_path / "m"), config, count)
    assert base["the reference model"] == base["the embedded engine's copy"] == 0
    assert (
        rows(recipe_for(tmp_path / "m"), config, count, reference=True)["the reference model"]
        == 2 * count
    )
    ahead = rows(recipe_for(tmp_path / "m", "rollout.staleness=1"), config, count)
    assert ahead["the embedded engine's copy"] == 2 * count
    served = rows(
        recipe_for(tmp_path / "m", "rollout.engine=vllm", "rollout.url=http://u"), config, count
    )
    # 2 layers, 2 key-value heads of 8, keys and values of 2 bytes: for each of 512 rows of 192.
    assert base["keys and values of 512 x 192 tokens"] == 2 * 2 * 2 * 8 * 2 * 512 * 192
    assert served["keys and values of 512 x 192 tokens"] == 0
    for zero, split in enumerate(["", "the optimizer's moments", "gradients", "parameters"]):
        found = rows(recipe_for(tmp_path / "m", f"parallel.zero={zero}"), config, count, dp=4)  # fmt: skip
        if split:
            assert found[split] * 4 == base[split]
        if zero < 3:
            assert found["parameters"] == base["parameters"]
    offloaded = recipe_for(tmp_path / "m", "parallel.zero=1", "parallel.offload=true")
    assert rows(offloaded, config, count, on_gpu=True)["the optimizer's moments"] == 0
    assert rows(offloaded, config, count)["the optimizer's moments"] == 8 * count
    checkpointed = rows(
        recipe_for(tmp_path / "m", "model.checkpoint_activations=true"), config, count
    )
    name = next(key for key in base if key.startswith("activations"))
    assert checkpointed[name] < base[name]


def test_what_is_held_in_turn_counts_once(tmp_path: Path) -> None:
    config = ModelConfig.from_hf(TINY | {"vocab_size": 96})
    turns = rows(recipe_for(tmp_path / "m"), config, 10**6)
    trained = sum(size for what, size in turns.items() if what.startswith(("gradients", "activations", "logits")))  # fmt: skip
    sampled = turns["keys and values of 512 x 192 tokens"]
    assert turns["held in turn: to sample"] == -min(trained, sampled) < 0
    together = rows(recipe_for(tmp_path / "m", "rollout.staleness=1"), config, 10**6)
    assert together["held in turn: to sample"] == 0


def test_preflight(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    config = read_config(model)
    estimate = preflight(recipe_for(model), 1)
    assert 0 < estimate.total < available(False)
    whole = sum(parameter.numel() for parameter in Decoder(config).parameters())
    assert dict(estimate.rows)["parameters"] == 2 * whole
    half = dict(preflight(recipe_for(model, "parallel.tp=2"), 2).rows)["parameters"] // 2
    shards = Decoder(config, Layout(tp=2), device="meta", seed=None)
    assert half == sum(parameter.numel() for parameter in shards.parameters())
    assert whole / 2 < half < 0.6 * whole  # norms are on both ranks


@pytest.mark.parametrize(
    ("overrides", "world", "said"),
    [
        (["parallel.tp=8"], 8, "parallel.tp: must divide the model's attention heads, 4, got 8\nparallel.tp: must divide its key-value heads, 2, got 8"),
        (["parallel.tp=2"], 3, "parallel.tp: must divide the number of processes, 3, got 2"),
        (["parallel.tp=2"], 1, "parallel.tp: must divide the number of processes, 1, got 2"),
        ([], 3, "rollout.prompts_per_rollout: must be a multiple of the data-parallel ranks, 3, got 32"),
        (["rollout.max_new_tokens=449"], 1, "model.path: has 512 positions, the longest sample 513"),
        (["algorithm.loss.dual_clip=0.5"], 1, "algorithm.loss.dual_clip: finite, at least 1, not 0.5"),
        (["model.path=/nowhere"], 1, "model.path: [Errno 2] No such file or directory: '/nowhere/config.json'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    tmp_path: Path, overrides: list[str], world: int, said: str
) -> None:
    model = tiny_model(tmp_path / "m")
    with pytest.raises(ConfigError) as caught:
        preflight(recipe_for(model, *overrides), world)
    assert str(caught.value) == said


def test_a_recipe_beyond_memory_is_refused_with_its_table(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    tokens = available(False) // 100
    with pytest.raises(ConfigError) as caught:
        preflight(recipe_for(model, f"budget.micro_batch_tokens={tokens}"), 1)
    head, first, *_, last = str(caught.value).splitlines()
    assert head.startswith("memory: a process has ")
    assert f"activations of {tokens} tokens (budget.micro_batch_tokens)" in first
    assert last.endswith("in all")
    assert float(last.split()[0]) * 2**30 > available(False)


def test_models_that_the_decoder_cannot_do(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"model_type": "mixtral"}))
    with pytest.raises(ConfigError, match=r"model\.path: .*mixtral"):
        preflight(recipe_for(model), 1)
    del config["num_hidden_layers"]
    (model / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="num_hidden_layers"):
        preflight(recipe_for(model), 1)
