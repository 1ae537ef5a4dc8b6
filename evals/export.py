"""A run's samples as one Parquet file, for notebooks: a row for each sample.

Written benchmark by benchmark and some thousand rows at a time, so that memory holds no run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from evals.benchmark import Question
from evals.records import Generation, Key, Score, digest, naming, read
from evals.summary import read_manifest, read_questions

SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("benchmark", pa.string()),
        ("question", pa.string()),
        ("sample", pa.int64()),
        ("gold", pa.string()),
        ("slices", pa.map_(pa.string(), pa.string())),
        ("prompt", pa.string()),  # JSON: [{"role", "content"}]
        ("response", pa.string()),
        ("reasoning", pa.string()),
        ("finish", pa.string()),
        ("error", pa.string()),
        ("status", pa.string()),  # null: no score
        ("score", pa.float64()),
        ("extracted", pa.string()),
        ("grader", pa.string()),
        ("evidence", pa.string()),  # JSON
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("seconds", pa.float64()),
        ("cost", pa.float64()),
        ("params_hash", pa.string()),
    ]
)
ROWS = 2_000
"""In memory at once: a few hundred MB where each has thought for 32,768 tokens."""


def export(directory: Path, output: Path) -> int:
    """Writes the newest record of each sample; returns their number.

    A lone surrogate, which Parquet cannot hold, is written as its escape. Raises OSError,
    RecordError.
    """
    manifest = read_manifest(directory)
    count = 0
    beside = output.with_name(f"{output.name}.new")
    with naming(output), pq.ParquetWriter(beside, SCHEMA, compression="zstd") as writer:
        for benchmark in manifest.benchmarks:
            rows = _rows(directory / benchmark, manifest.model)
            while held := list(islice(rows, ROWS)):
                writer.write_table(pa.Table.from_pylist(held, SCHEMA))
                count += len(held)
    os.replace(beside, output)
    return count


def _rows(folder: Path, model: str) -> Iterator[dict[str, Any]]:
    questions = {one.id: one for one in read_questions(folder / "questions.jsonl")}
    last = {made.key: at for at, made in enumerate(read(folder / "generations.jsonl", Generation))}
    scores = {score.key: score for score in read(folder / "scores.jsonl", Score)}
    for at, made in enumerate(read(folder / "generations.jsonl", Generation)):
        if last[made.key] == at:
            yield _row(model, questions.get(made.question), made, _of(scores, made))


def _of(scores: dict[Key, Score], made: Generation) -> Score | None:
    """The score of this very response."""
    score = scores.get(made.key)
    return score if score is not None and score.response_hash == digest(made.text) else None


def _row(
    model: str, question: Question | None, made: Generation, score: Score | None
) -> dict[str, Any]:
    row: dict[str, Any] = {"model": model}
    row |= {name: getattr(made, name) for name in SCHEMA.names if hasattr(made, name)}
    if question is not None:
        row |= {"gold": question.gold, "slices": dict(question.slices)}
        row["prompt"] = json.dumps([asdict(message) for message in question.messages])
    if score is not None:
        row |= {name: getattr(score, name) for name in ("status", "score", "extracted", "grader")}
        row["evidence"] = json.dumps(score.evidence)
    return {key: _clean(value) if isinstance(value, str) else value for key, value in row.items()}


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
