"""The stage tables of finished pipelines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from trainer.pipeline.figures import Table, from_json
from trainer.pipeline.manifest import MANIFEST, ManifestError, read_manifest


def read_tables(directories: Iterable[Path]) -> list[Table]:
    """The table of each pipeline: of its last complete stage of that kind, by name.

    Raises ManifestError, naming the directory that has none.
    """
    return [_table(directory) for directory in directories]


def _table(directory: Path) -> Table:
    found = None
    for path in sorted(directory.glob(f"*/{MANIFEST}")):
        manifest = read_manifest(path.parent)
        if manifest is not None and manifest.made.kind == "table":
            found = path, manifest.figures
    if found is None:
        raise ManifestError(f"{directory}: no complete stage of kind table")
    path, figures = found
    try:
        return from_json(figures)
    except ValueError as error:
        raise ManifestError(f"{path}: no table: {error}") from error
