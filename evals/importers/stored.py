"""What a harness kept of one response, and files of JSON."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.benchmark import BenchmarkError
from evals.records import Finish


class ImportFailed(BenchmarkError):
    """A file that cannot be imported: where, and why."""


@dataclass(frozen=True)
class Stored:
    """One response. `ids` and `texts` are what may tell its question."""

    place: str
    """In its file: "line 3"."""
    response: str
    ids: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    prompt: str = ""
    """What the model was given; "" where the harness does not say."""
    sample: int | None = None
    """None: the next one."""
    finish: Finish = "stop"
    reasoning: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


def whole(path: Path) -> Any:
    """A file of one JSON value, .gz or not. Raises ImportFailed."""
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise ImportFailed(f"{path}: {error}") from error


def lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(Place, object) of a file of JSON Lines, .gz or not. Raises ImportFailed."""
    # Not splitlines: texts may have U+2028 and its like as they are.
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ImportFailed(f"{path}, {place}: {error}") from error
        yield place, an_object(row, path, place)


def an_object(value: Any, path: Path, place: str) -> dict[str, Any]:
    """Raises ImportFailed."""
    if not isinstance(value, dict):
        raise ImportFailed(f"{path}, {place}: not a JSON object")
    return value


def texts(value: Any, name: str, path: Path, place: str) -> list[str]:
    """A list of texts. Raises ImportFailed."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ImportFailed(f"{path}, {place}: {name} must be a list of texts, got {value!r:.100}")
    return value


def _text(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise ImportFailed(f"{path}: {error}") from error
