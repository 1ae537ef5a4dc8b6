"""Records from files, a few at a time: what is read of a file does not depend on its size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from verifier import jsonl
from verifier.audit.records import Record, of_value, read_record
from verifier.jsonl import BadLine
from verifier.limits import MIB
from verifier.v1 import verifier_pb2 as pb

CHUNK_RECORDS, CHUNK_BYTES = 2_048, 32 * MIB
"""Records verified at once, by number and by the size of their items."""

PARQUET_ROWS = 256
"""Rows of a Parquet file made into objects at once."""


@dataclass(frozen=True)
class Cut:
    """A last line without its end: its writer was killed."""

    number: int


class BadFile(Exception):
    """A file that is no file of records at all. The message names it."""


Read = Record | BadLine | Cut


def read_files(paths: Iterable[Path]) -> Iterator[tuple[Path, Read]]:
    """The records of JSON Lines and Parquet files, each with its file.

    Raises OSError and BadFile.
    """
    for path in paths:
        for record in _parquet(path) if path.suffix == ".parquet" else _lines(path):
            yield path, record


def read_pairs(items: Path, verdicts: Path) -> Iterator[tuple[Path, Read]]:
    """Records of the two files that `touchstone verify` reads and writes, joined by place.

    Raises OSError, and BadFile where the number or an id differs.
    """
    with items.open("rb") as first, verdicts.open("rb") as second:
        told = (
            (number, jsonl.read_message(number, line, pb.Verdict()))
            for number, line in enumerate(second, 1)
            if line.strip()
        )
        pairs = zip_longest(jsonl.read_items(first), told)
        for place, (item, numbered) in enumerate(pairs, 1):
            if item is None or numbered is None:
                longer, shorter = (verdicts, items) if item is None else (items, verdicts)
                raise BadFile(f"{longer}: more than the {place - 1:,} of {shorter}")
            _, verdict = numbered
            if isinstance(verdict, BadLine):
                yield verdicts, verdict
                continue
            # As `touchstone verify` names the verdict of a line that is no item.
            bad = isinstance(item, BadLine)
            name = item.id or (f"line {item.number}" if isinstance(item, BadLine) else "")
            if name != verdict.id:
                raise BadFile(
                    f"{verdicts}: verdict {place} is of {verdict.id!r}, but item {place} of "
                    f"{items} is {name!r}"
                )
            yield verdicts, Record(None if bad or isinstance(item, BadLine) else item, verdict)


def chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Records in order, within CHUNK_RECORDS and CHUNK_BYTES. Pure."""
    held, size = list[Record](), 0
    for record in records:
        held.append(record)
        size += 0 if record.item is None else record.item.ByteSize()
        if len(held) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _lines(path: Path) -> Iterator[Read]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            record = read_record(number, line)
            if isinstance(record, BadLine) and not line.endswith(b"\n"):
                yield Cut(number)
            else:
                yield record


def _parquet(path: Path) -> Iterator[Read]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise BadFile(f'{path}: needs pyarrow: pip install "pyarrow>=17"') from error
    try:
        with pq.ParquetFile(path) as file:
            lacking = {"item", "verdict"} - set(file.schema_arrow.names)
            if lacking:
                raise BadFile(f"{path}: no column {' and no column '.join(sorted(lacking))}")
            columns = ["at", "server", "item", "verdict"]
            known = [name for name in columns if name in file.schema_arrow.names]
            number = 0
            for batch in file.iter_batches(PARQUET_ROWS, columns=known):
                for row in batch.to_pylist():
                    number += 1
                    yield _of_row(number, row)
    except pa.ArrowException as error:
        raise BadFile(f"{path}: {error}") from error


def _of_row(number: int, row: dict[str, object]) -> Record | BadLine:
    for name in ("item", "verdict"):
        value = row[name]
        if value is None and name == "item":
            continue
        try:
            row[name] = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError) as error:
            return BadLine(number, "", f"row {number}: {name}: not JSON: {error}")
    return of_value(number, row)
