"""The pipeline, top to bottom: look where each stage stands, make what is missing, draw the page.

Invariants: a stage that is complete is not made again, and one whose configuration or inputs have
changed since is never used silently: it stops the pipeline, with what has changed. One that was
broken off goes on where it was. Two pipelines in one directory are refused.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from trainer.config import ConfigError
from trainer.log import claimed, writing
from trainer.pipeline import manifest, page
from trainer.pipeline.config import PipelineConfig, resolve, told
from trainer.pipeline.manifest import Made, Manifest, Source
from trainer.pipeline.stage import StageBase, StageFailed, Work

log = logging.getLogger(__name__)

State = Literal["complete", "changed", "begun", "waiting"]

_TIMES = TypeAdapter(dict[str, Annotated[float, Field(ge=0, lt=1e15)]])


@dataclass(frozen=True)
class Standing:
    """Where a stage stands."""

    name: str
    stage: StageBase
    state: State
    why: str = ""
    """Of one that has changed: what, a line for each."""
    manifest: Manifest | None = None
    timing: Mapping[str, float] | None = None


def run(config: PipelineConfig, first: str | None, last: str | None, again: bool) -> None:
    """Makes the stages from `first` to `last` (None: all) that are not complete; with `again` those
    that are, too.

    Raises ConfigError, StageFailed, and what a stage that runs here raises.
    """
    chosen = select(config, first, last)
    with claimed(config.pipeline.dir, "pipeline.dir"):
        if again:
            _check_given(config, chosen)
        _clear(config, chosen if again else [])
        _draw(config)
        for name in config.stages:
            found = standing(config, name)
            if found.state == "changed" and name in chosen + ancestors(config, chosen):
                raise _changed(found)
            if name not in chosen:
                continue
            if found.state == "complete":
                log.info("%s: complete", name)
                continue
            _make(config, name)
            _draw(config)


def _changed(found: Standing) -> StageFailed:
    return StageFailed(
        f"{found.name}: made from something else than now would be:\n{found.why}\n"
        f"--from {found.name} --again makes it and what follows anew"
    )


def _check_given(config: PipelineConfig, chosen: Sequence[str]) -> None:
    """That what is not made now is there for what is, before any of that is taken away."""
    for name in ancestors(config, chosen):
        if name not in chosen and (found := standing(config, name)).state == "changed":
            raise _changed(found)
    for name in chosen:
        _check_there(config, name, but=chosen)


def _check_there(config: PipelineConfig, name: str, but: Sequence[str] = ()) -> None:
    references = config.stages[name].references().values()
    missing = [ref for ref in references if ref not in but and _sha256(config, ref) is None]
    if missing:
        raise StageFailed(f"{name}: needs {', '.join(missing)}, which is not complete")


def _clear(config: PipelineConfig, names: Sequence[str]) -> None:
    """Takes stages away, each whole or not at all, and what was left of that by a kill."""
    for name in config.stages:
        directory, aside = config.pipeline.dir / name, config.pipeline.dir / f".{name}.old"
        shutil.rmtree(aside, ignore_errors=True)
        if name in names and directory.exists():
            _check_own(directory)
            with writing(directory):
                directory.rename(aside)
                shutil.rmtree(aside)


def _check_own(directory: Path) -> None:
    """That nothing is in a directory, or a stage's files. Raises StageFailed: what belongs to
    somebody else is neither gone on with nor taken away."""
    if not directory.exists():
        return
    with writing(directory):
        held = [path.name for path in directory.iterdir() if not path.name.startswith(".")]
    if held and not {manifest.MANIFEST, manifest.STARTED} & set(held):
        raise StageFailed(
            f"{directory}: {sorted(held)[0]!r} is in it, and no stage began here; take it away, or "
            "choose another pipeline.dir"
        )


def ancestors(config: PipelineConfig, names: Sequence[str]) -> list[str]:
    """All that these stages are made from, directly or not. Pure."""
    found = set[str]()
    left = list(names)
    while left:
        for reference in config.stages[left.pop()].references().values():
            if reference in config.stages and reference not in found:
                found.add(reference)
                left.append(reference)
    return [name for name in config.stages if name in found]


def select(config: PipelineConfig, first: str | None, last: str | None) -> list[str]:
    """The stages from one to another. Raises ConfigError for a name that is none, or no order."""
    names = list(config.stages)
    for option, name in (("--from", first), ("--until", last)):
        if name is not None and name not in names:
            raise ConfigError(f"{option}: one of {', '.join(names)}, got {name!r}")
    start = names.index(first) if first else 0
    end = names.index(last) + 1 if last else len(names)
    if start >= end:
        raise ConfigError(f"--until: a stage not before --from {first}, got {last!r}")
    return names[start:end]


def survey(config: PipelineConfig) -> list[Standing]:
    """Where all stages stand."""
    return [standing(config, name) for name in config.stages]


def standing(config: PipelineConfig, name: str) -> Standing:
    """Where a stage stands."""
    stage, directory = config.stages[name], config.pipeline.dir / name
    complete, begun = manifest.read_manifest(directory), manifest.read_started(directory)
    timing = _timing(directory)
    before = complete.made if complete is not None else begun
    if before is None:
        return Standing(name, stage, "waiting")
    made = make_up(config, name)
    if made is None:
        why = "its inputs are not there, or not complete"
    else:
        why = "\n".join(made.differences(before))
    if why:
        return Standing(name, stage, "changed", why, complete, timing)
    return Standing(name, stage, "begun" if complete is None else "complete", "", complete, timing)


def make_up(config: PipelineConfig, name: str) -> Made | None:
    """What a stage would be made from now; None where an input is not complete."""
    stage = config.stages[name]
    sources = {}
    for key, reference in sorted(stage.references().items()):
        sha256 = _sha256(config, reference)
        if sha256 is None:
            return None
        sources[key] = Source(reference, sha256)
    return Made(name, stage.kind, told(stage, config.settings()), sources)


def _sha256(config: PipelineConfig, reference: str) -> str | None:
    """Of what a reference leads to; None where that is not there, or not complete."""
    if reference in config.stages:
        earlier = manifest.read_manifest(config.pipeline.dir / reference)
        # One of another kind of stage has no such output.
        output = config.stages[reference].output
        return earlier.outputs.get(output) if earlier is not None else None
    path = resolve(config, reference)
    with writing(path):
        return manifest.digest(path) if path.exists() else None


def _make(config: PipelineConfig, name: str) -> None:
    stage, directory = config.stages[name], config.pipeline.dir / name
    _check_there(config, name)
    _check_own(directory)
    made = make_up(config, name)
    assert made is not None  # all of it is there
    for source in made.inputs.values():
        _check_unchanged(config, source)
    manifest.write_started(directory, made)
    _draw(config)
    log.info("%s: %s", name, stage.kind)
    began, timing = time.monotonic(), dict(_timing(directory) or {})
    inputs = {key: resolve(config, ref) for key, ref in stage.references().items()}
    work = Work(directory, inputs, config.settings())
    try:
        figures = stage.run(work)
    finally:
        seconds = timing.get("seconds", 0.0) + time.monotonic() - began
        timing |= {**work.timing, "seconds": round(seconds, 1)}
        manifest.write_json(directory / manifest.TIMING, timing)
    with writing(directory):
        outputs = {
            output: manifest.digest(directory / output)
            for output in (stage.output, *stage.more_outputs)
        }
    manifest.write_manifest(directory, Manifest(made, outputs, figures))
    log.info("%s: done in %.0f s", name, timing["seconds"])


def _check_unchanged(config: PipelineConfig, source: Source) -> None:
    """That what an earlier stage has made is still there, and still what its manifest says."""
    name, path = source.origin, resolve(config, source.origin)
    if name in config.stages and (not path.exists() or manifest.digest(path) != source.sha256):
        raise StageFailed(
            f"{name}: {path} is not what it made, which was sha256 {source.sha256}; "
            f"--from {name} --again makes it and what follows anew"
        )


def _timing(directory: Path) -> Mapping[str, float] | None:
    """None also of a file that is damaged: nothing rests on it."""
    try:
        return _TIMES.validate_json((directory / manifest.TIMING).read_bytes())
    except (OSError, ValueError):
        return None


def _draw(config: PipelineConfig) -> None:
    directory = config.pipeline.dir
    manifest.write_text(directory / page.NAME, page.render(directory, survey(config)))


def plan(
    config: PipelineConfig, chosen: Sequence[str], again: bool
) -> Iterator[tuple[Standing, str]]:
    """What a run would do with each stage."""
    needed = ancestors(config, chosen)
    for found in survey(config):
        if found.name in chosen and again:
            yield found, "make" if found.state == "waiting" else "make anew"
        elif found.state == "changed" and found.name in [*chosen, *needed]:
            yield found, "stop: it was made from something else"
        elif found.name not in chosen:
            yield found, "left as it is"
        elif found.state == "complete":
            yield found, "nothing, it is complete"
        else:
            yield found, "go on" if found.state == "begun" else "make"
