"""What a run leaves behind and says while it runs.

    metrics.jsonl                    one line of JSON for each step
    rollouts/step-00000012.parquet   every completion of a step with its verdict
    tensorboard/                     the same metrics, where TensorBoard is installed
    recipe.json                      the recipe with all defaults

Invariants: a line of metrics.jsonl is whole when the next begins, so a kill in the middle of one
loses that line alone; a Parquet file that is there is whole; a run that goes on at step N holds
nothing of its earlier life from step N on. Metrics under time/ and rate/ are wall clock, all
others depend on seeds alone. A number that is not finite is null.

Not covered: several processes; one of them, by convention rank 0, has the log.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import math
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import SafetensorError

log = logging.getLogger(__name__)

METRICS, ROLLOUTS, RECIPE, TENSORBOARD = "metrics.jsonl", "rollouts", "recipe.json", "tensorboard"
LOCK = ".lock"

# Control characters, and those that are not seen or turn the direction of what follows.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


_STEP = re.compile(r"step-(\d{8,})\.parquet")


class RunError(Exception):
    """Files of a run that cannot be read or written, or a logger that is not installed."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What goes wrong with a disk (full, read-only, gone) is a RunError that names the path."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RunError(f"{path}: {why}") from error


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when all of it is on the disk."""
    draft = path.with_name(f".{path.name}.draft")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)


@contextmanager
def claimed(directory: Path, key: str = "run.dir") -> Iterator[None]:
    """Makes the directory of a run, and keeps others out of it while this process lives.

    Raises RunError where another run is going on in it, or nothing can be written; it names the
    recipe's `key` that says the directory.
    """
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / LOCK).open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(f"{key}: another run is going on in {directory}") from error
        except OSError as error:  # a file system without locks
            log.warning("%s: %s cannot be locked: %s", key, directory, error.strerror)
        yield


@dataclass(frozen=True)
class RolloutRow:
    """One completion and what became of it."""

    step: int
    prompt_id: str
    group: int
    """Place of the prompt in its step, from 0."""
    sample: int
    """Place of the completion in its group, from 0."""
    prompt: str
    response: str
    tokens: int
    """Of the response, a stop token included."""
    finish: str
    """stop, length or abort."""
    version: int
    """Of the weights that made its first token."""
    reward: float | None
    """None where there is no valid one: then it is not trained on."""
    advantage: float | None
    status: str
    """Of the verdict: OK, TIMEOUT ..."""
    reason: str
    """Of the verdict's first part."""
    parts_json: str
    """The verdict's parts: [{"name", "score", "weight", "reason"} ...]."""


_TYPES = {"int": pa.int64(), "float | None": pa.float64(), "str": pa.string()}
SCHEMA = pa.schema([(field.name, _TYPES[str(field.type)]) for field in fields(RolloutRow)])

SHOWN = (
    ("loss", "train/loss", "{:.4f}"),
    ("reward", "reward/mean", "{:.3f}"),
    ("right", "reward/accuracy", "{:.1%}"),
    ("right", "train/accuracy", "{:.1%}"),
    ("margin", "train/margin", "{:.3f}"),
    ("failed", "reward/failed_share", "{:.1%}"),
    ("length", "length/mean", "{:.0f}"),
    ("cut", "length/clipped_share", "{:.1%}"),
    ("entropy", "policy/entropy", "{:.3f}"),
    ("kl", "policy/kl", "{:.4f}"),
    ("clip", "policy/clip_share", "{:.2%}"),
    ("mismatch", "mismatch/logprob_abs_median", "{:.1e}"),
    ("lr", "policy/lr", "{:.1e}"),
    ("", "time/step_s", "{:.1f} s"),
    ("", "rate/completions_per_s", "{:,.0f} completions/s"),
    ("", "rate/tokens_per_s", "{:,.0f} tokens/s"),
)
"""Of a step's metrics those in its line at the terminal: label, name, form."""


class RunLog:
    """The files of one run, and its lines at the terminal.

    Args:
        first_step: the step that comes next; what the files hold of it and later ones goes.
        wandb: the project to log to; None: not at all.
        config: the recipe, a pydantic model, for recipe.json.
    """

    def __init__(
        self,
        directory: Path,
        *,
        first_step: int,
        tensorboard: bool,
        wandb: str | None,
        total_steps: int,
        quiet: bool = False,
        log_every: int = 1,
        config: Any = None,
    ) -> None:
        self._directory = directory
        self._first, self._total, self._every = first_step, total_steps, log_every
        recipe = config.model_dump(mode="json") if config is not None else {}
        with writing(directory):
            directory.mkdir(parents=True, exist_ok=True)
            _forget(directory, first_step)
            if config is not None:
                _tell_changes(directory, recipe)
                with whole(directory / RECIPE) as file:
                    file.write(json.dumps(recipe, indent=2).encode())
            # Without a buffer: what a full disk did not take is not tried again at the end.
            self._metrics = (directory / METRICS).open("ab", buffering=0)
            self._tensorboard = _tensorboard(directory, first_step) if tensorboard else None
        self._wandb = _wandb(directory, wandb, recipe) if wandb else None
        self._started = time.monotonic()
        self._console = Console(quiet=quiet)
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn())
        live = self._console.is_terminal and not quiet
        self._progress = Progress(*columns, console=self._console, disable=not live)
        self._task = self._progress.add_task("", total=total_steps, completed=first_step)
        self._progress.start()

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Writes a step's metrics everywhere."""
        finite = {k: float(v) if math.isfinite(v) else None for k, v in metrics.items()}
        line = (json.dumps({"step": step, **finite}) + "\n").encode()
        with writing(self._directory / METRICS):
            if self._metrics.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        shown = {name: value for name, value in finite.items() if value is not None}
        if self._tensorboard is not None:
            for name, value in shown.items():
                self._tensorboard.add_scalar(name, value, step)
            self._tensorboard.flush()
        if self._wandb is not None:
            self._wandb.log(shown, step=step)
        self._progress.update(self._task, completed=step + 1)
        evaluated = any(name.startswith("eval/") for name in shown)
        if evaluated or (step + 1) % self._every == 0 or step + 1 >= self._total:
            self._say(step, shown)

    def _say(self, step: int, metrics: Mapping[str, float]) -> None:
        line = describe(step, self._total, metrics)
        if not self._progress.live.is_started and step < self._total:  # else its bar tells
            each = (time.monotonic() - self._started) / (step + 1 - self._first)
            left = each * (self._total - step - 1)
            line += f" · left {int(left // 3600)}:{int(left // 60 % 60):02}:{int(left % 60):02}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def rollouts(self, step: int, rows: Sequence[RolloutRow]) -> None:
        """Writes a step's completions."""
        columns = {name: [_storable(getattr(r, name)) for r in rows] for name in SCHEMA.names}
        with whole(rollouts_file(self._directory, step)) as file:
            pq.write_table(pa.table(columns, schema=SCHEMA), file, compression="zstd")

    def close(self) -> None:
        """Ends the progress bar and the loggers."""
        self._progress.stop()
        self._metrics.close()
        if self._tensorboard is not None:
            self._tensorboard.close()
        if self._wandb is not None:
            self._wandb.finish()


def describe(step: int, total: int, metrics: Mapping[str, float]) -> str:
    """A step in one line, of those metrics that it has. Evaluations are shown whole."""
    words = [f"step {step:>{len(str(total))}} of {total}" if step < total else "at the end"]
    for label, name, form in SHOWN:
        if name in metrics and (label != "failed" or metrics[name]):
            words.append(f"{label} {form.format(metrics[name])}".strip())
    words += [f"{name} {v:.3f}" for name, v in sorted(metrics.items()) if name.startswith("eval/")]
    return " · ".join(words)


def visible(text: str) -> str:
    """A text that a model wrote, for people: hidden characters as escapes."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def rollouts_file(directory: Path, step: int) -> Path:
    """Where the completions of a step are."""
    return directory / ROLLOUTS / f"step-{step:08d}.parquet"


def read_metrics(directory: Path) -> list[dict[str, float | None]]:
    """A run's metrics, one dict a step, without a last line that a kill has torn.

    Raises:
        RunError: no such file, or a line in its middle that is no step's.
    """
    path = directory / METRICS
    try:
        *lines, _ = path.read_bytes().split(b"\n")  # what follows the last line's end is torn
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}") from error
    read = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise RunError(f"{path}, line {number}: {error}") from error
        if (
            not isinstance(value, dict)
            or type(value.get("step")) is not int
            or not all(v is None or _is_number(v) for v in value.values())
        ):
            raise RunError(f"{path}, line {number}: a step's metrics, numbers, are wanted")
        read.append(value)
    return read


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def read_rollouts(directory: Path, step: int) -> list[RolloutRow]:
    """The completions of a step; none where there is no file. Raises RunError."""
    path = rollouts_file(directory, step)
    if not path.exists():
        return []
    try:
        return [RolloutRow(**row) for row in pq.read_table(path).to_pylist()]
    except (OSError, pa.ArrowException, TypeError) as error:
        raise RunError(f"{path}: {error}") from error


def steps_with_rollouts(directory: Path) -> list[int]:
    """Steps whose completions were written, in order."""
    found = (_STEP.fullmatch(path.name) for path in (directory / ROLLOUTS).glob("*"))
    return sorted(int(match[1]) for match in found if match)


def _forget(directory: Path, first_step: int) -> None:
    """Takes away what an earlier life wrote of `first_step` and later, and its torn files."""
    if (directory / METRICS).exists():
        kept = [line for line in read_metrics(directory) if (line["step"] or 0) < first_step]
        with whole(directory / METRICS) as file:
            file.writelines((json.dumps(line) + "\n").encode() for line in kept)
    for step in steps_with_rollouts(directory):
        if step >= first_step:
            rollouts_file(directory, step).unlink()
    for torn in (directory / ROLLOUTS).glob(".*.draft"):
        torn.unlink()


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Tables in tables as one, by dotted key."""
    found = dict[str, Any]()
    for key, inner in value.items():
        told = f"{prefix}{key}"
        found |= flat(inner, f"{told}.") if isinstance(inner, Mapping) else {told: inner}
    return found


def read_recipe(directory: Path) -> dict[str, Any]:
    """A run's recipe by dotted key, without what is none; empty where there is no file.

    Raises RunError.
    """
    path = directory / RECIPE
    try:
        recipe = json.loads(path.read_bytes())
        if not isinstance(recipe, dict):
            raise ValueError("a recipe's tables are wanted")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: {error}") from error
    return {key: value for key, value in flat(recipe).items() if value is not None}


def _tell_changes(directory: Path, recipe: Mapping[str, Any]) -> None:
    """A run that goes on under another recipe says so: its curves have a seam there."""
    before, now = read_recipe(directory), flat(recipe)
    for key in sorted(before.keys() | now.keys()):
        if before and before.get(key) != now.get(key):
            log.warning("%s was %s, is %s", key, before.get(key), now.get(key))


def _storable(value: Any) -> Any:
    """Half of a surrogate pair, which JSON can hold and UTF-8 cannot, becomes a question mark."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _tensorboard(directory: Path, first_step: int) -> Any:
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(directory / TENSORBOARD), purge_step=first_step or None)


def _wandb(directory: Path, project: str, recipe: Mapping[str, Any]) -> Any:
    if find_spec("wandb") is None:
        raise RunError('run.wandb: Weights & Biases is not installed; "pip install wandb"')
    import wandb

    # The same directory is the same run, also after a kill.
    identity = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]
    return wandb.init(
        project=project,
        name=directory.name,
        id=identity,
        resume="allow",
        dir=directory,
        config=recipe,
    )
