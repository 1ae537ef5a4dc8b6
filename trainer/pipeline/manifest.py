"""What a stage was made from and what it made, by hash: `manifest.json` in its directory.

    {"stage": "dev1", "kind": "sft", "config": {...}, "inputs": {"model": {"origin": "base",
     "sha256": ...}, ...}, "outputs": {"model": "<sha256>"}, "figures": {...}}

Invariants: a stage that has a manifest is complete (it is written last, beside its name, flushed,
then renamed); it holds nothing of when, where or how often the stage ran, so one that was killed
and went on has the same manifest as one that was not. Times are in `timing.json` beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from trainer.log import flat, whole

T = TypeVar("T")

MANIFEST, STARTED, TIMING = "manifest.json", "started.json", "timing.json"


class ManifestError(Exception):
    """A manifest that cannot be read."""


@dataclass(frozen=True)
class Source:
    """Where an input comes from, as the recipe says it, and its hash."""

    origin: str
    sha256: str


@dataclass(frozen=True)
class Made:
    """What makes a stage what it is: the same kind, configuration and inputs, the same stage."""

    stage: str
    kind: str
    config: Mapping[str, Any]
    inputs: Mapping[str, Source]

    def differences(self, other: Made) -> list[str]:
        """Keys under which `other` is not the same, with both values."""
        ours, theirs = flat(asdict(self)), flat(asdict(other))
        return [
            f"{key}: {theirs.get(key, 'nothing')!r}, now {ours.get(key, 'nothing')!r}"
            for key in sorted(ours.keys() | theirs.keys())
            if ours.get(key) != theirs.get(key)
        ]


@dataclass(frozen=True)
class Manifest:
    """A complete stage."""

    made: Made
    outputs: Mapping[str, str]
    """Name in the stage's directory -> sha256."""
    figures: Mapping[str, Any]
    """What the stage counted; the same at each run."""


_MADE = TypeAdapter(Made)
# In the file what it was made from stands beside what was made of it.
_MANIFEST = TypeAdapter[Manifest](
    Annotated[
        Manifest,
        BeforeValidator(lambda file: {"made": file, **file} if isinstance(file, dict) else file),
    ]
)


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Completes a stage."""
    content = asdict(manifest.made) | {"outputs": dict(manifest.outputs)}
    write_json(directory / MANIFEST, content | {"figures": dict(manifest.figures)})


def write_started(directory: Path, made: Made) -> None:
    """Says what a stage is being made from, before it begins."""
    write_json(directory / STARTED, asdict(made))


def read_manifest(directory: Path) -> Manifest | None:
    """None where the stage is not complete. Raises ManifestError."""
    return _read(directory / MANIFEST, _MANIFEST)


def read_started(directory: Path) -> Made | None:
    """What a stage that was begun is made from; None where it was not begun. Raises
    ManifestError."""
    return _read(directory / STARTED, _MADE)


def digest(path: Path) -> str:
    """sha256 of a file; of a directory that of its files' names and hashes, in order. What begins
    with a dot does not count."""
    if not path.is_dir():
        found = path.stat()
        return _file_digest(path, found.st_size, found.st_mtime_ns, found.st_ino)
    whole = hashlib.sha256()
    for file_path in sorted(path.rglob("*")):
        name = file_path.relative_to(path)
        if file_path.is_file() and not any(part.startswith(".") for part in name.parts):
            whole.update(f"{name.as_posix()} {digest(file_path)}\n".encode())
    return whole.hexdigest()


@lru_cache(maxsize=65_536)
def _file_digest(path: Path, size: int, mtime_ns: int, inode: int) -> str:
    """Of a file as it is: one of a large model is not read again while it stays the same."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: object) -> None:
    """A whole file or none, and one that outlives the power."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def write_text(path: Path, text: str) -> None:
    """The same of any text."""
    with whole(path) as file:
        file.write(text.encode())


def _read(path: Path, shape: TypeAdapter[T]) -> T | None:
    try:
        return shape.validate_python(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ManifestError(
            f"{path}: damaged: {where!r}: {first['msg']}, got {first['input']!r:.40}"
        ) from error
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: {error}") from error
