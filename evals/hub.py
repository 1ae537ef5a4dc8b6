"""A data set's two places: a file in the user's data folder, and the hub at a pinned revision."""

from __future__ import annotations

import csv
import io
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
        if not self.path.endswith(".csv"):
            return data.rows(self.path, get=self.get)
        text = data.text(self.path, get=self.get)
        # A byte order mark, as spreadsheets write it, is no part of the first column's name.
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
