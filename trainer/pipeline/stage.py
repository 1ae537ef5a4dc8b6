"""What all stages have in common, and what they are given to work with.

A stage is a table of the recipe with a `run`: it reads its inputs, works in a directory of its own
and leaves one main output there (a model's directory, or `data.jsonl`) and perhaps others. `run` is
called again on the same directory after a kill, and goes on from what it finds there.
"""

from __future__ import annotations

import ctypes
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

from pydantic import Field

from trainer.config import Address, Section, Url
from trainer.log import writing
from trainer.pipeline.manifest import write_text
from verifier.embedded import EmbeddedServer

Ref = str
"""The name of an earlier stage or of an entry of [models] or [data], or else a path."""

MODEL, DATA = "model", "data.jsonl"
"""Main outputs."""

ENGINE_STARTS_WITHIN_S = 1800.0
"""Loading hundreds of billions of parameters from a network disk takes the better part of this."""

ENGINE_LEAVES_WITHIN_S = 60.0
"""One that a pipeline left behind that was killed has been told to end, and is given the time."""


ENDS_WITHIN_S = 20.0
"""What is told to end and does not is killed."""


class StageFailed(Exception):
    """A stage that cannot go on; the message says what to do about it."""


class Service(Section):
    """The verification service."""

    address: Address = "embedded"
    """host:port; embedded: one that each stage starts for itself."""
    judge: Path | None = None
    """Of an embedded one: its judge's settings (docs/judge.md)."""
    arguments: list[str] = Field(default_factory=list)
    """Of an embedded one: further arguments of `touchstone serve`."""


class Engine(Section):
    """A server that samples; without one the trainer's own model does."""

    kind: Literal["sglang", "vllm"]
    """Which."""
    url: Url
    """Where it will answer."""
    command: str
    """What starts it, with {model} where the model's directory goes; ended after the stage."""


class StageBase(Section):
    """What each table [stages.NAME] has."""

    kind: str

    output: ClassVar[str] = DATA
    """Its main output."""
    more_outputs: ClassVar[tuple[str, ...]] = ()
    """Further files that its manifest has hashes of."""

    @abstractmethod
    def references(self) -> Mapping[str, Ref]:
        """Its inputs: a name, such as model or data or data.1, and what it refers to."""

    def wants(self, name: str) -> str:
        """Which main output an input must be: MODEL or DATA."""
        return MODEL if name.partition(".")[0] in ("model", "models", "reward_models") else DATA

    def files(self) -> Mapping[str, Path]:
        """Files beside the recipe that are part of its configuration (a recipe of GRPO)."""
        return {}

    def check(self, settings: Settings) -> Iterator[str]:
        """What is wrong with it that can be told before anything ran."""
        return iter(())

    @abstractmethod
    def run(self, work: Work) -> Mapping[str, Any]:
        """Makes its outputs in `work.dir`. Returns figures for the manifest, which must be the
        same at each run; what the clock says goes into `work.timing`."""


@dataclass(frozen=True)
class Settings:
    """What the recipe says for all stages."""

    seed: int
    launch: str
    threads: int
    service: Service
    engine: Engine | None


@dataclass(frozen=True)
class Work:
    """What one stage is given."""

    dir: Path
    """Its own directory."""
    inputs: Mapping[str, Path]
    """By the names of its references."""
    settings: Settings
    timing: dict[str, float] = field(default_factory=dict)
    """What the clock says: into timing.json."""

    def trainer(self, *words: str | Path, launched: bool = True) -> None:
        """Runs `touchstone-train`, which ends when this process ends.

        Raises StageFailed where it ends with another status than 0.
        """
        line = list(map(str, words))
        launch = self.settings.launch if launched else ""
        command = shlex.split(launch) or [sys.executable, "-m", "trainer.cli"]
        process = _started([*command, *line], "pipeline.launch")
        try:
            status = process.wait()
        except BaseException:
            _end(process)  # not killed at once: torchrun would leave its workers behind
            raise
        if status:
            raise StageFailed(f"touchstone-train {' '.join(line)}: ended with status {status}")

    def train(self, command: str, recipe: Path, values: Mapping[str, object], dtype: str) -> None:
        """A training run in `run/`, which goes on where it was; its model in `model/`."""
        run, model = self.dir / "run", self.dir / MODEL
        own: dict[str, object] = {"run.seed": self.settings.seed, "run.dir": run}
        if self.settings.threads:
            own["run.threads"] = self.settings.threads
        told = [f"{key}={as_toml(value)}" for key, value in {**own, **values}.items()]
        self.trainer(command, recipe, *(word for one in told for word in ("--set", one)))
        if not model.exists():
            draft = self.dir / ".model.draft"
            with writing(draft):
                if draft.exists():
                    shutil.rmtree(draft)
                self.trainer("export", run, draft, "--dtype", dtype, launched=False)
                draft.rename(model)

    @contextmanager
    def service(self, reward_models: Mapping[str, Path] | None = None) -> Iterator[str]:
        """The address of the verification service, while the block lasts. An embedded one gets
        these reward models beside its judge."""
        told = self.settings.service
        if told.address != "embedded":
            yield told.address
            return
        arguments = ["--log-level", "warning", *told.arguments]
        if told.judge is not None or reward_models:
            text = told.judge.read_text("utf-8") if told.judge is not None else ""
            for name, path in (reward_models or {}).items():
                text += f"\n[reward_models.{name}]\nmodel = {as_toml(path.resolve())}\n"
            judge = self.dir / "judge.toml"
            write_text(judge, text)
            arguments += ["--judge", str(judge)]
        with EmbeddedServer(*arguments) as server:
            yield server.address

    @contextmanager
    def engine(self, model: Path) -> Iterator[Engine | None]:
        """The server that samples from a model, while the block lasts; None: there is none.

        Raises StageFailed where another server answers in its place, or it does not start."""
        engine = self.settings.engine
        if engine is None:
            yield None
            return
        # What answers there already has another model, and would be taken for the new one.
        if not _within(ENGINE_LEAVES_WITHIN_S, lambda: _health(engine.url) is None):
            raise StageFailed(
                f"engine.url: another server answers at {engine.url}; end it, or choose another "
                "port"
            )
        held = str(model.resolve())
        line = [word.replace("{model}", held) for word in shlex.split(engine.command)]
        path = self.dir / "engine.log"
        with writing(path), path.open("ab") as log:
            process = _started(line, "engine.command", log)

        def ready() -> bool:
            if process.poll() is not None:
                raise StageFailed(
                    f"engine.command: ended with status {process.returncode}; its words are in "
                    f"{path}"
                )
            return _health(engine.url) == 200

        try:
            if not _within(ENGINE_STARTS_WITHIN_S, ready):
                raise StageFailed(
                    f"engine.url: {engine.url} did not answer within {ENGINE_STARTS_WITHIN_S:g} s"
                )
            yield engine
        finally:
            _end(process)


def _within(seconds: float, reached: Callable[[], bool]) -> bool:
    """Whether something comes true in that time, which is looked at twice a second."""
    until = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True


def _health(url: str) -> int | None:
    """The status that a server has of its health; 0 where it makes no sense, None where nobody is
    there."""
    import httpx2

    try:
        return httpx2.get(f"{url}/health", timeout=5).status_code
    except (httpx2.ConnectError, httpx2.ConnectTimeout):
        return None
    except httpx2.HTTPError:
        return 0


def _started(
    line: Sequence[str], key: str, log: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """A process with a group of its own, which ends with this one. Raises StageFailed, naming the
    recipe's `key`, where there is no such command."""
    try:
        return subprocess.Popen(
            line, stdout=log, stderr=log, start_new_session=True,
            preexec_fn=ends_with(os.getpid()),
        )  # fmt: skip
    except OSError as error:
        raise StageFailed(f"{key}: {line[0]}: {error.strerror}") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """A process with all of its group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(ENDS_WITHIN_S)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def ends_with(parent: int) -> Any:
    """For `preexec_fn`: the child is ended when the parent has ended, however that went, so that
    no trainer goes on behind the back of a pipeline that is started again."""
    libc = ctypes.CDLL(None, use_errno=True)

    def set_up() -> None:
        if hasattr(libc, "prctl"):
            libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os._exit(1)

    return set_up


def as_toml(value: object) -> str:
    """A value as `--set` reads it. TOML's texts are those of JSON but for what JSON may escape as
    two halves, and for DEL."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{as_toml(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, bool | int | float):
        return repr(value).lower()
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
