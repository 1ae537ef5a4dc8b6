"""What the recipe of a pipeline says: r1.toml, checked whole before anything starts.

[pipeline]                       # directory, seed, how training is launched
[service]                        # the verification service, its judge
[models]                         # name = directory
[data]                           # name = file
[stages.zero]                    # a stage; in their order, each may refer to earlier ones
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field, NonNegativeInt

from trainer.config import ConfigError, Section, load_recipe
from trainer.pipeline.stage import DATA, MODEL, Engine, Service, Settings, StageBase
from trainer.pipeline.stages.cold_start import ColdStartStage
from trainer.pipeline.stages.pairs import PairsStage
from trainer.pipeline.stages.rejection import RejectionStage
from trainer.pipeline.stages.table import TableStage
from trainer.pipeline.stages.training import GrpoStage, RewardModelStage, SftStage

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
"""Of a stage: its directory's, and what later stages refer to it by."""

Stage = Annotated[
    GrpoStage
    | SftStage
    | RewardModelStage
    | ColdStartStage
    | RejectionStage
    | PairsStage
    | TableStage,
    Field(discriminator="kind"),
]


class Pipeline(Section):
    dir: Path
    """Where all stages' directories go, and the page; a pipeline that was begun there goes on."""
    seed: NonNegativeInt = 0
    """Of everything that is drawn."""
    launch: str = ""
    """What starts a training stage, such as `torchrun --nproc-per-node 8 -m trainer.cli`; empty:
    one process."""
    threads: NonNegativeInt = 0
    """Threads of a process on the CPU; 0: torch's choice."""


class PipelineConfig(Section):
    """A recipe of `touchstone-train pipeline`."""

    pipeline: Pipeline
    service: Service = Service()
    engine: Engine | None = None
    models: dict[str, Path] = Field(default_factory=dict)
    """By name: Hugging Face directories."""
    data: dict[str, Path] = Field(default_factory=dict)
    """By name: JSON Lines."""
    stages: dict[Name, Stage] = Field(min_length=1)
    """By name, in their order."""

    def settings(self) -> Settings:
        """What holds for all stages."""
        told = self.pipeline
        return Settings(told.seed, told.launch, told.threads, self.service, self.engine)


def load_pipeline(path: Path, overrides: Sequence[str]) -> PipelineConfig:
    """The recipe, with `key=value` on top (`stages.dev1.set.run.steps=4`).

    Raises ConfigError: one line for each problem, of the recipe, of what its stages refer to, and
    of their own recipes.
    """
    try:
        config = load_recipe(path, overrides, PipelineConfig)
    except ConfigError as error:
        raise ConfigError("\n".join(map(_without_kind, str(error).splitlines()))) from error
    if problems := list(_problems(config)):
        raise ConfigError("\n".join(problems))
    return config


def kinds() -> dict[str, type[StageBase]]:
    """All kinds of stages, by what a recipe calls them."""
    stages = get_args(get_args(Stage)[0])
    return {get_args(stage.model_fields["kind"].annotation)[0]: stage for stage in stages}


def _without_kind(line: str) -> str:
    """`stages.zero.grpo.modle: no such key` as a recipe says it, and which key may be meant."""
    found = re.match(r"(stages\.[^.]+)\.([^.]+)\.([^.:]+)(.*)", line)
    if found is None or (stage := kinds().get(found[2])) is None:
        return line
    where, _, key, rest = found.groups()
    if rest == ": no such key" and (near := get_close_matches(key, stage.model_fields, 1)):
        rest += f"; did you mean {where}.{near[0]}?"
    return f"{where}.{key}{rest}"


def _problems(config: PipelineConfig) -> Iterator[str]:
    given = {**dict.fromkeys(config.models, MODEL), **dict.fromkeys(config.data, DATA)}
    for name in config.models.keys() & config.data.keys():
        yield f"data.{name}: another name is wanted, models.{name} has it"
    yield from _outside(config)
    known = dict(given)
    for own, stage in config.stages.items():
        where = f"stages.{own}"
        if own in given:
            yield f"{where}: another name is wanted, [models] or [data] has it"
        for name, reference in stage.references().items():
            for problem in _reference(config, stage, name, reference, known):
                yield f"{where}.{name}: {problem}"
        for name, file in stage.files().items():
            if not _is_file(file):
                yield f"{where}.{name}: {file}: no such file"
        if all(map(_is_file, stage.files().values())):
            yield from (f"{where}.{problem}" for problem in stage.check(config.settings()))
        known[own] = stage.output


def _outside(config: PipelineConfig) -> Iterator[str]:
    """What is wrong with commands and files that no stage names."""
    judge, engine = config.service.judge, config.engine
    if config.pipeline.seed >= 2**63:
        yield f"pipeline.seed: below 2**63 is wanted, got {config.pipeline.seed}"
    if judge is not None:
        try:
            tomllib.loads(judge.read_text("utf-8"))
        except OSError as error:
            yield f"service.judge: {judge}: {error.strerror}"
        except ValueError as error:  # of TOML, or of UTF-8
            yield f"service.judge: {judge}: {error}"
    commands = {"pipeline.launch": config.pipeline.launch}
    if engine is not None:
        commands["engine.command"] = engine.command
        if "{model}" not in engine.command:
            yield "engine.command: {model} is wanted in it, each stage has its own"
    for key, command in commands.items():
        try:
            shlex.split(command)
        except ValueError as error:
            yield f"{key}: {error}, got {command!r}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be read
        return False


def _reference(
    config: PipelineConfig, stage: StageBase, name: str, reference: str, known: Mapping[str, str]
) -> Iterator[str]:
    """What is wrong with one of a stage's inputs; `known` are the main outputs of all names that it
    may refer to."""
    words = {MODEL: "a model", DATA: "data"}
    wanted, found = stage.wants(name), known.get(reference)
    earlier, path = config.stages.get(reference), resolve(config, reference)
    if earlier is not None and found is None:
        yield f"an earlier stage is wanted, {reference!r} is not before it"
    elif found not in (None, wanted):
        yield f"{words[wanted]} is wanted, {reference!r} is {words.get(found, 'a table')}"
    elif earlier is not None and wanted == MODEL:
        scores, of_scores = isinstance(earlier, RewardModelStage), name.startswith("reward_models.")
        if of_scores and not scores:
            yield f"a stage of kind reward_model is wanted, got one of kind {earlier.kind}"
        elif scores and not of_scores and stage.kind != "reward_model":
            yield "a model that writes is wanted, got a reward model"
    elif earlier is None and wanted == MODEL and not _is_file(path / "config.json"):
        yield f"an earlier stage, a name in [models] or a model's directory, got {path}"
    elif earlier is None and wanted == DATA and not _is_file(path):
        yield f"an earlier stage, a name in [data] or a file, got {path}"


def resolve(config: PipelineConfig, reference: str) -> Path:
    """Where a reference leads."""
    if reference in config.stages:
        return config.pipeline.dir / reference / config.stages[reference].output
    return config.models.get(reference) or config.data.get(reference) or Path(reference)


def told(stage: StageBase, settings: Settings) -> dict[str, Any]:
    """What a manifest says of a stage's configuration: its table, the content of the files that
    belong to it in place of their paths, and the seed. How it is launched, and on how many threads,
    is not part of what it makes."""
    files = {name: _content(path) for name, path in stage.files().items()}
    return {**stage.model_dump(mode="json"), **files, "seed": settings.seed}


def _content(path: Path) -> object:
    text = path.read_text("utf-8")
    return tomllib.loads(text) if path.suffix == ".toml" else text
