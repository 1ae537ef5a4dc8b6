"""The recipes at full scale: each can be read, and has the paper's figures (arXiv 2501.12948v2)."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from trainer.config import GrpoConfig, RewardModelConfig, SftConfig, load_recipe
from trainer.describe import table, tables
from trainer.pipeline.config import PipelineConfig, kinds, load_pipeline
from trainer.pipeline.stages.pairs import PairsStage
from trainer.pipeline.stages.rejection import RejectionStage
from trainer.pipeline.stages.table import TableStage
from trainer.pipeline.stages.training import GrpoStage, SftStage

ROOT = Path(__file__).parents[3]
FULL = ROOT / "recipes/full"


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PipelineConfig:
    """The pipeline, with empty files where its models and data would be."""
    monkeypatch.chdir(ROOT)
    told = tomllib.loads((FULL / "r1.toml").read_text())
    data, model = tmp_path / "rows.jsonl", tmp_path / "model"
    data.write_text("")
    model.mkdir()
    (model / "config.json").write_text("{}")
    words = [f"data.{name}={data}" for name in told["data"]]
    words += [f"models.{name}={model}" for name in told["models"]]
    return load_pipeline(FULL / "r1.toml", [*words, f"service.judge={data}"])


def rl(name: str) -> GrpoConfig:
    return load_recipe(FULL / f"{name}.toml", [], GrpoConfig)


def test_every_recipe_is_a_stages_or_the_pipeline(whole: PipelineConfig) -> None:
    used = {stage.recipe.name for stage in whole.stages.values() if hasattr(stage, "recipe")}
    assert used | {"r1.toml"} == {path.name for path in FULL.glob("*.toml")}
    # What is given is used by some stage.
    refs = {ref for stage in whole.stages.values() for ref in stage.references().values()}
    assert (whole.models.keys() | whole.data.keys()) <= refs


@pytest.mark.parametrize("name", ["zero", "dev2", "all_scenarios"])
def test_reinforcement_learning(name: str) -> None:
    recipe = rl(name)
    rollout, algorithm = recipe.rollout, recipe.algorithm
    assert rollout.prompts_per_rollout * rollout.group_size == 8192
    assert rollout.prompts_per_rollout // algorithm.mini_batches == 32
    assert algorithm.reference_every * algorithm.mini_batches == 400
    assert (rollout.group_size, rollout.max_new_tokens, algorithm.epochs) == (16, 32_768, 1)
    assert rollout.temperature == (0.7 if name == "all_scenarios" else 1.0)
    assert recipe.optimizer.lr == 3e-6
    loss = algorithm.loss_settings()
    assert (loss.clip_low, loss.clip_high, loss.kl, loss.kl_coef) == (10, 10, "k3", 0.001)
    assert recipe.data.template == ("r1_zero" if name == "zero" else "chat")
    assert (
        recipe.reward.recipe
        == {"zero": "r1_zero", "dev2": "r1_reasoning", "all_scenarios": None}[name]
    )


def test_steps_of_sixteen_updates(whole: PipelineConfig) -> None:
    first, then, last = (whole.stages[name] for name in ("zero_32k", "zero", "r1"))
    assert isinstance(first, GrpoStage)
    assert isinstance(then, GrpoStage)
    assert isinstance(last, GrpoStage)
    steps = [stage.set["run"]["steps"] for stage in (first, then)]
    assert 16 * sum(steps) == 10_400 == 16 * rl("zero").run.steps
    assert 0 <= 8_200 - 16 * steps[0] < 16
    assert then.set["rollout"]["max_new_tokens"] == 65_536
    assert 0 <= 1_700 - 16 * rl("all_scenarios").run.steps < 16
    assert last.later_from == rl("all_scenarios").data.later.from_step
    assert 0 <= 1_300 - 16 * last.later_from < 16


def test_fine_tuning_and_distillation(whole: PipelineConfig) -> None:
    sft, distill = (
        load_recipe(FULL / f"{name}.toml", [], SftConfig) for name in ("sft", "distill")
    )
    for recipe, batch in ((sft, 128), (distill, 64)):
        assert (recipe.data.max_tokens, recipe.data.batch_size, recipe.data.epochs) == (
            32_768,
            batch,
            2,
        )
        assert (recipe.optimizer.schedule, recipe.optimizer.min_lr_ratio) == ("cosine", 0.1)
    assert sft.optimizer.lr == 5e-5
    rates = {}
    for name, stage in whole.stages.items():
        if name.endswith("_distilled"):
            assert isinstance(stage, SftStage)
            assert stage.data == "curated"
            rates[name.removesuffix("_distilled")] = stage.set["optimizer"]["lr"]
    assert rates == {
        "qwen_1_5b": 1e-4, "qwen_7b": 8e-5, "qwen_14b": 7e-5, "qwen_32b": 6e-5, "llama_8b": 5e-5, "llama_70b": 2e-5,
    }  # fmt: skip
    listed = re.findall(
        r"^#   \S+ +optimizer\.lr = (\S+)$", (FULL / "distill.toml").read_text(), re.MULTILINE
    )
    assert sorted(map(float, listed)) == sorted(rates.values())
    # Both fine-tunings start from the base.
    assert {whole.stages[name].references()["model"] for name in ("dev1", "dev3")} == {"base"}


def test_reward_models_and_the_rest(whole: PipelineConfig) -> None:
    for name, kind in (("helpful", "pairwise"), ("safety", "pointwise")):
        recipe = load_recipe(FULL / f"{name}.toml", [], RewardModelConfig)
        assert (recipe.data.kind, recipe.data.max_tokens, recipe.data.batch_size) == (
            kind,
            8_192,
            256,
        )
        assert (recipe.optimizer.lr, recipe.data.epochs) == (6e-6, 1)
    curated, pairs, table = (whole.stages[name] for name in ("curated", "helpful_pairs", "table"))
    assert isinstance(curated, RejectionStage)
    assert isinstance(pairs, PairsStage)
    assert isinstance(table, TableStage)
    assert (curated.ratio, pairs.min_margin, pairs.queries) == (3.0, 1.0, 4)
    assert (table.sampling.temperature, table.sampling.top_p) == (0.6, 0.95)
    assert [row.name for row in table.rows] == [
        "Zero",
        "Dev1",
        "Dev2",
        "Dev3",
        "R1",
        "Distilled",
        "Control",
    ]
    # A prompt and its longest response fit the server's context.
    assert whole.engine is not None
    context = int(re.findall(r"--context-length (\d+)", whole.engine.command)[0])
    assert context > 65_536 + rl("zero").data.max_prompt_tokens
    json.dumps(whole.model_dump(mode="json"))  # as a manifest has it


def test_the_documentation_has_every_field() -> None:
    text = (ROOT / "docs/pipeline.md").read_text()
    assert table(PipelineConfig) in text
    assert tables(kinds()) in text
    assert "The keys of `Sampler`, with these differences:" in text
    # Its example is a pipeline that can be read.
    example = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0]
    assert list(PipelineConfig.model_validate_json(json.dumps(tomllib.loads(example))).stages) == [
        "zero", "cold_start", "dev1", "table",
    ]  # fmt: skip
