"""The stages that train: GRPO, fine-tuning, reward models. Each runs `touchstone-train` on a recipe
of its own, with paths and the service from the pipeline, and leaves a Hugging Face directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from trainer.config import ConfigError, GrpoConfig, RewardModelConfig, SftConfig, load_recipe
from trainer.log import flat, read_metrics
from trainer.pipeline.manifest import write_text
from trainer.pipeline.stage import MODEL, Ref, Settings, StageBase, Work, as_toml

_MADE_UP = {"model.path": "model", "data.path": "data", "run.dir": "run"}
"""What a recipe is checked with."""


class Training(StageBase):
    model: Ref
    """What is trained."""
    data: Ref
    """What on: rows of the recipe's kind."""
    recipe: Path
    """What `touchstone-train` is told, TOML; model, data, directory and service are set here."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Values that replace the recipe's, as `set.run.steps = 60`."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Of the model's files."""

    output = MODEL
    command: ClassVar[str]
    config: ClassVar[type[GrpoConfig] | type[SftConfig] | type[RewardModelConfig]]

    def references(self) -> Mapping[str, Ref]:
        return {"model": self.model, "data": self.data}

    def files(self) -> Mapping[str, Path]:
        return {"recipe": self.recipe}

    def given(self, settings: Settings) -> frozenset[str]:
        """Keys of its recipe that the pipeline gives values, which `set` cannot."""
        return frozenset(_MADE_UP)

    def check(self, settings: Settings) -> Iterator[str]:
        told = flat(self.set)
        for key in sorted(self.given(settings) & told.keys()):
            yield f"set.{key}: the pipeline gives it its value, got {told[key]!r}"
        given = [f"{key}={as_toml(value)}" for key, value in {**told, **_MADE_UP}.items()]
        try:
            load_recipe(self.recipe, given, self.config)
        except ConfigError as error:
            for line in str(error).splitlines():
                of_set = line.partition(":")[0] in told
                yield f"set.{line}" if of_set else f"recipe {self.recipe}: {line}"

    def run(self, work: Work) -> Mapping[str, Any]:
        return self.train(work, {})

    def train(self, work: Work, told: Mapping[str, object]) -> Mapping[str, Any]:
        """Runs the recipe with these values on top. Returns the run's last metrics."""
        from trainer.report import load, render  # plotly, which a check does without

        run = work.dir / "run"
        paths = {"model.path": work.inputs["model"], "data.path": work.inputs["data"]}
        work.train(self.command, self.recipe, {**flat(self.set), **paths, **told}, self.dtype)
        # The run's own page, which the pipeline's leads to.
        write_text(run / "report.html", render(load(run)))
        curve = read_metrics(run)
        last = curve[-1] if curve else {}
        clock = ("time/", "rate/")
        return {"last": {k: v for k, v in last.items() if not k.startswith(clock)}}


class SftStage(Training):
    """Supervised fine-tuning."""

    kind: Literal["sft"]

    command, config = "sft", SftConfig


class RewardModelStage(Training):
    """A scalar head on a model, trained on preferences."""

    kind: Literal["reward_model"]

    command, config = "reward-model", RewardModelConfig


class GrpoStage(Training):
    """Reinforcement learning with rewards from the verification service."""

    kind: Literal["grpo"]
    later: Ref | None = None
    """Further problems that join in at step `later_from`: R1's preferences, in the last steps."""
    later_from: int = Field(default=0, ge=0)
    """That step."""
    eval: Ref | None = None
    """Held-out problems: the curves of pass@1 and of the vote."""
    reward_models: dict[str, Ref] = Field(default_factory=dict)
    """What an embedded service has for parts `reward_model`, by name."""

    command, config = "grpo", GrpoConfig

    def references(self) -> Mapping[str, Ref]:
        optional = {"later": self.later, "eval": self.eval}
        found = {name: ref for name, ref in optional.items() if ref is not None}
        models = {f"reward_models.{name}": ref for name, ref in self.reward_models.items()}
        return {**super().references(), **found, **models}

    def given(self, settings: Settings) -> frozenset[str]:
        found = {"reward.address"}
        if self.later is not None:
            found |= {"data.later.path", "data.later.from_step"}
        if self.eval is not None:
            found |= {"eval.path"}
        if settings.engine is not None:
            found |= {"rollout.engine", "rollout.url"}
        return super().given(settings) | found

    def check(self, settings: Settings) -> Iterator[str]:
        yield from super().check(settings)
        if self.reward_models and settings.service.address != "embedded":
            yield (
                'reward_models: only where service.address is "embedded"; '
                f"{settings.service.address!r} has its own"
            )

    def run(self, work: Work) -> Mapping[str, Any]:
        told: dict[str, object] = {}
        if self.later is not None:
            told |= {"data.later.path": work.inputs["later"]}
            told |= {"data.later.from_step": self.later_from}
        if self.eval is not None:
            told |= {"eval.path": work.inputs["eval"]}
        models = {name: work.inputs[f"reward_models.{name}"] for name in self.reward_models}
        with work.service(models) as address, work.engine(work.inputs["model"]) as engine:
            told |= {"reward.address": address}
            if engine is not None:
                told |= {"rollout.engine": engine.kind, "rollout.url": engine.url}
            return self.train(work, told)
