"""Where benchmarks' data come from: a folder of the user's, or the hub.

A folder (`--data` or TOUCHSTONE_DATA) has a directory for each data set, as a benchmark names it.
What is not there is taken from the Hugging Face hub by id and revision, through `datasets`, into
its cache. Every file read is checksummed, and the sums go into the run's manifest.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class DataMissing(Exception):
    """Data that is neither in the folder nor to be had: the message says where to get it."""


class Data:
    """The data folder, and what was read from it."""

    def __init__(self, folder: Path | None, *, hub: bool = True) -> None:
        self.folder = folder
        self.hub = hub
        self.read: dict[str, str] = {}
        """SHA-256 by what was read."""

    def has(self, path: str) -> bool:
        """Whether the folder has this file."""
        return self.folder is not None and (self.folder / path).is_file()

    def rows(self, path: str, *, get: str) -> list[dict[str, Any]]:
        """Rows of a JSON Lines file in the folder, .gz or not. Raises DataMissing, which says
        `get`: where to get it."""
        return list(self._lines(path, get))

    def text(self, path: str, *, get: str) -> str:
        """A file of the folder, as text. Raises DataMissing."""
        return self._text(path, get)

    def _lines(self, path: str, get: str) -> Iterator[dict[str, Any]]:
        # Not splitlines: a text may hold what Unicode counts as the end of a line.
        for number, line in enumerate(self._text(path, get).split("\n"), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataMissing(f"{path}, line {number}: {error}") from error
            if not isinstance(row, dict):
                raise DataMissing(f"{path}, line {number}: not a JSON object")
            yield row

    def _text(self, path: str, get: str) -> str:
        if self.folder is None:
            raise DataMissing(f"{path}: no data folder (--data or TOUCHSTONE_DATA); {get}")
        try:
            raw = (self.folder / path).read_bytes()
        except FileNotFoundError:
            raise DataMissing(f"{self.folder / path}: not there; {get}") from None
        self.read[path] = hashlib.sha256(raw).hexdigest()
        try:
            return (gzip.decompress(raw) if path.endswith(".gz") else raw).decode()
        except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
            raise DataMissing(f"{self.folder / path}: damaged ({error}); {get}") from error

    def from_hub(
        self, dataset: str, revision: str, *, config: str | None = None, split: str = "test"
    ) -> list[dict[str, Any]]:
        """Rows of a data set on the hub at a pinned revision. Raises DataMissing."""
        name = f"{dataset}@{revision}" + (f" {config}" if config else "") + f" {split}"
        if not self.hub:
            raise DataMissing(f"{name}: not in the data folder, and the hub is not to be asked")
        try:
            import datasets
            import httpx2  # by which the hub is reached, whose errors are its
        except ImportError:
            raise DataMissing(f'{name}: needs pip install ".[evals]" (from a checkout)') from None
        try:
            found = datasets.load_dataset(dataset, config, revision=revision, split=split)
        except (
            OSError,
            ValueError,
            RuntimeError,
            httpx2.HTTPError,
            datasets.exceptions.DatasetsError,
        ) as error:
            raise DataMissing(f"{name}: the hub does not give it: {error}") from error
        rows = [dict(row) for row in found]
        self.read[name] = hashlib.sha256(
            "\n".join(json.dumps(row, sort_keys=True, default=str) for row in rows).encode()
        ).hexdigest()
        return rows
