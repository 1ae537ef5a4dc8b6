"""The stage tables of finished pipelines."""

from __future__ import annotations

from pathlib import Path

from trainer.pipeline.figures import Table, from_json
from trainer.pipeline.manifest import MANIFEST, ManifestError, read_manifest


def read_table(directory: Path) -> Table:
    """The table of a pipeline: of its last complete stage of that kind, by name.

    Raises ManifestError, naming the directory that has none.
    """
    for path in sorted(directory.glob(f"*/{MANIFEST}"), reverse=True):
        manifest = read_manifest(path.parent)
        if manifest is not None and manifest.made.kind == "table":
            try:
                return from_json(manifest.figures)
            except ValueError as error:
                raise ManifestError(f"{path}: no table: {error}") from error
    raise ManifestError(f"{directory}: no complete stage of kind table")
