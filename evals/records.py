"""Generations and scores on disk: append-only JSON Lines, safe against a kill at any moment.

A generation's key is a hash of what it depends on: benchmark, question, sample, prompt and
parameters. Its last record counts. A line that a kill cut short is dropped at the next start; every
line before it was written whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args

from evals.benchmark import Message, Status

Finish = Literal["stop", "length", "error"]

MOST = 2**53
"""A number in a record is below this, which every reader of JSON can hold."""


def digest(value: Any) -> str:
    """16 hexadecimal digits of the SHA-256 of a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def prompt_hash(messages: Sequence[Message]) -> str:
    return digest([[message.role, message.content] for message in messages])


@dataclass(frozen=True)
class Key:
    """What a generation depends on; equal keys need no second generation."""

    benchmark: str
    question: str
    sample: int
    prompt_hash: str
    params_hash: str
    """Of the model's name and of all sampling parameters."""

    @property
    def seed(self) -> int:
        """Of this sample, 31 bits: the same in every run."""
        return int(digest(asdict(self)), 16) & 0x7FFF_FFFF


@dataclass(frozen=True)
class Generation:
    """One response of the model, or the error that came in its place."""

    benchmark: str
    question: str
    sample: int
    prompt_hash: str
    params_hash: str
    response: str
    finish: Finish
    reasoning: str = ""
    """What the endpoint returned apart as thinking."""
    error: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    """In the currency of the prices given."""

    @property
    def key(self) -> Key:
        return Key(self.benchmark, self.question, self.sample, self.prompt_hash, self.params_hash)

    @property
    def text(self) -> str:
        """The whole output, thinking included, as the verifier takes it."""
        if not self.reasoning:
            return self.response
        return f"<think>\n{self.reasoning}\n</think>\n{self.response}"


@dataclass(frozen=True)
class Score:
    """What a grader said of one generation."""

    benchmark: str
    question: str
    sample: int
    prompt_hash: str
    params_hash: str
    grader: str
    """Name and version: another one grades anew."""
    response_hash: str
    status: Status
    score: float | None
    extracted: str
    evidence: Mapping[str, Any]

    @property
    def key(self) -> Key:
        return Key(self.benchmark, self.question, self.sample, self.prompt_hash, self.params_hash)


@dataclass(frozen=True)
class Searched:
    """What a tree search made of one question."""

    benchmark: str
    question: str
    prompt_hash: str
    params_hash: str
    """Of the model's name, the search, its scorer and all sampling parameters."""
    value: float | None
    """The score to expect of its answer; None where nothing could be graded."""
    solutions: Sequence[Mapping[str, Any]]
    """Texts with their weights, answers' classes and scores."""
    error: str = ""
    """Why there are none."""

    @property
    def key(self) -> Key:
        return Key(self.benchmark, self.question, 0, self.prompt_hash, self.params_hash)


Record = TypeVar("Record", Generation, Score, Searched)


class RecordError(Exception):
    """A file of records that cannot be read: where, and why."""


class Records(Generic[Record]):
    """One file of one kind of record. One writer at a time, which a lock enforces."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        self.path = path
        self._kind: type[Record] = kind
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        _lock(self._file.fileno(), path)
        self._cut()

    def __enter__(self) -> Records[Record]:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, record: Record) -> None:
        """Writes one line, whole or not at all as far as a kill or a full disk goes. Raises
        OSError."""
        # Not asdict, which copies all evidence: a third of the time of scoring.
        line = json.dumps(vars(record), ensure_ascii=False) + "\n"
        left = memoryview(line.encode("utf-8", "surrogatepass"))
        before = self._file.seek(0, os.SEEK_END)
        try:
            with naming(self.path):
                while left:
                    left = left[self._file.write(left) :]
        except OSError:
            self._file.truncate(before)
            raise

    def newest(self) -> dict[Key, Record]:
        """The last record of each key."""
        return {record.key: record for record in read(self.path, self._kind)}

    def _cut(self) -> None:
        """Drops what a kill left of a last line."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            at = size
            while at > 0:
                step = min(at, 65536)
                file.seek(at - step)
                end = file.read(step).rfind(b"\n")
                if end >= 0:
                    at = at - step + end + 1
                    break
                at -= step
        if at < size:
            os.truncate(self.path, at)


def read(path: Path, kind: type[Record]) -> Iterator[Record]:
    """All whole records of a file. Raises RecordError naming the line, the field and what it
    has."""
    checks = {field.name: CHECKS[str(field.type)] for field in fields(kind)}
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return  # still being written, or cut short
            try:
                row = json.loads(line.decode("utf-8", "surrogatepass"))
                told = {name: value for name, value in row.items() if name in checks}
                for name, value in told.items():
                    holds, what = checks[name]
                    if not holds(value):
                        raise ValueError(f"{name} must be {what}, got {value!r:.100}")
                record = kind(**told)
            except (TypeError, ValueError, AttributeError, RecursionError) as error:
                raise RecordError(f"{path}, line {number}: {error}") from error
            yield record


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < MOST


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < MOST


def _is_one_of(choices: tuple[str, ...]) -> tuple[Callable[[Any], bool], str]:
    return lambda value: isinstance(value, str) and value in choices, f"one of {', '.join(choices)}"


CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "a text"),
    "int": (_is_count, f"a whole number from 0, less than {MOST}"),
    "float": (_is_number, "a finite number"),
    "float | None": (lambda value: value is None or _is_number(value), "a finite number or null"),
    "Finish": _is_one_of(get_args(Finish)),
    "Status": _is_one_of(get_args(Status)),
    "Mapping[str, Any]": (lambda value: isinstance(value, dict), "an object"),
    "Sequence[Mapping[str, Any]]": (lambda value: isinstance(value, list), "a list"),
}
"""Whether a field's value is of the type that its record says, and how to say so."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A system's error inside names this file."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def write_whole(path: Path, text: str) -> None:
    """A file that a kill leaves as it was, or new. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(path.suffix + ".new")
    with naming(path):
        beside.write_text(text, "utf-8")
        os.replace(beside, path)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits until no other process is in here with this path, beside which a lock is put."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RecordError(f"{path}: another run is writing to it") from None
