"""A data set's two places: a file in the user's data folder, and the hub at a pinned revision."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from evals.data import Data, DataMissing


@dataclass(frozen=True)
class Table:
    """Rows of a data set. The folder's file comes first; without `dataset` it is the only place."""

    path: str
    """In the data folder: JSON Lines (.jsonl, or .jsonl.gz), or .csv with a header."""
    get: str
    """Where to get the file."""
    dataset: str = ""
    """On the hub."""
    revision: str = ""
    """The commit there."""
    configs: tuple[str | None, ...] = (None,)
    """Configurations whose rows make up the data set, in this order."""
    split: str = "test"

    def rows(self, data: Data) -> list[dict[str, Any]]:
        """All rows in order; those from the hub have their configuration as `config`. Raises
        DataMissing, which names both places."""
        if data.has(self.path) or not self.dataset:
            return self._file(data)
        try:
            return [
                row | ({"config": config} if config else {})
                for config in self.configs
                for row in data.from_hub(
                    self.dataset, self.revision, config=config, split=self.split
                )
            ]
        except DataMissing as error:
            raise DataMissing(
                f"{error}; or in the data folder as {self.path}: {self.get}"
            ) from None

    def _file(self, data: Data) -> list[dict[str, Any]]:
        text = data.text(self.path, get=self.get)
        if self.path.endswith(".csv"):
            # A byte order mark, as spreadsheets write it, is no part of the first column's name.
            return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
        # Not by splitlines: U+2028 and its like may stand inside of a JSON string.
        lines = enumerate(text.split("\n"), 1)
        return [self._row(number, line) for number, line in lines if line.strip()]

    def _row(self, number: int, line: str) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataMissing(f"{self.path}, line {number}: {error}") from error
        if not isinstance(row, dict):
            raise DataMissing(f"{self.path}, line {number}: not a JSON object")
        return row
