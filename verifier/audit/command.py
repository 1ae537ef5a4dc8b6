"""`touchstone verify --replay`: records in, what a server now says otherwise out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

import typer
from rich.table import Table
from rich.text import Text

from verifier import jsonl
from verifier.audit.compare import Change, Tally, kind, not_comparable
from verifier.audit.read import BadFile, Cut, Read, chunks, read_files, read_pairs
from verifier.audit.records import Record, item_value, shown_time
from verifier.client import ServiceError, VerifierClient
from verifier.limits import MESSAGE_CHARS
from verifier.terminal import CANNOT_RUN, errors, fail, printable
from verifier.v1 import verifier_pb2 as pb

CHANGED = 1
"""Exit status: something changed, could not be read or got no verdict, or nothing was compared."""

INTERRUPTED = 130

BAD_LINES_SHOWN = 5

Writer = Callable[[Record, pb.Verdict, list[Change]], None]


def replay(
    files: list[Path],
    items: Path | None,
    out: BinaryIO | None,
    server: AbstractContextManager[str],
    client_of: Callable[[str], VerifierClient] = VerifierClient,
) -> None:
    """Verifies the records of files again and reports what changed; ends the command.

    With `items`, the one file is of verdicts alone. `out` is where changed ones go.
    """
    records = read_files(files) if items is None else read_pairs(items, files[0])
    tally = Tally()
    failure, status = "", CHANGED
    version = ""
    started = time.perf_counter()
    try:
        with server as address, client_of(address) as client:
            told = client.describe()
            version = told.version
            _verify(client, told, records, tally, _writer(out))
    except ServiceError as error:
        failure = str(error)
    except (BadFile, OSError) as error:
        failure, status = str(error), CANNOT_RUN
    except KeyboardInterrupt:
        failure, status = f"interrupted: {tally.compared:,} records are compared", INTERRUPTED
    _report(tally)
    if not failure and not tally.compared:
        failure = "nothing could be compared"
    if failure:
        _say(failure)
    last = {"server": version} | tally.told()
    last |= {"seconds": round(time.perf_counter() - started, 3), "failure": failure or None}
    sys.stdout.write(json.dumps({"replay": last}, ensure_ascii=False) + "\n")
    sys.stdout.flush()
    if failure or tally.changed or tally.unreadable:
        raise typer.Exit(status)


def check(files: list[Path], items: Path | None, output: Path | None) -> None:
    """Ends the command where what it was given does not fit together."""
    if not files:
        fail("--replay: at least one file of records, got none")
    if items is not None and len(files) != 1:
        fail(f"--replay with --input: one file of verdicts, got {len(files)}")
    for path in [*files, *([items] if items else [])]:
        if not path.exists() or path.is_dir():
            fail(f"{path}: {'is a folder' if path.exists() else 'there is no such file'}")
        if output is not None and str(output) != "-" and output.resolve() == path.resolve():
            fail(f"--output: is an input itself, {output}")


def _verify(
    client: VerifierClient,
    told: pb.DescribeResponse,
    read: Iterator[tuple[Path, Read]],
    tally: Tally,
    write: Writer,
) -> None:
    for chunk in chunks(_comparable(read, told, tally)):
        verdicts = client.verify([one.item for one in chunk if one.item is not None])
        for record, new in zip(chunk, verdicts, strict=True):
            found = tally.add(record, new)
            if found:
                write(record, new, found)


def _comparable(
    read: Iterator[tuple[Path, Read]], told: pb.DescribeResponse, tally: Tally
) -> Iterator[Record]:
    for path, one in read:
        if isinstance(one, Record):
            tally.records += 1
            why = not_comparable(one, told)
            if why is None:
                yield one
            else:
                tally.skipped[why] += 1
            continue
        if isinstance(one, Cut):
            tally.cut += 1
            _say(f"{path}: line {one.number} is cut, and passed over: its writer was killed")
            continue
        tally.unreadable += 1
        if tally.unreadable <= BAD_LINES_SHOWN:
            _say(f"{path}: {one.message}")


def _writer(out: BinaryIO | None) -> Writer:
    def write(record: Record, new: pb.Verdict, found: list[Change]) -> None:
        if out is None:
            return
        value: dict[str, Any] = {
            "id": record.verdict.id,
            "what": kind(record, new, found).what,
            "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in found],
            "at": shown_time(record.at_ms),
            "server": record.server,
            "item": None if record.item is None else item_value(record.item),
        }
        text = json.dumps(value, ensure_ascii=False)
        old, now = jsonl.write_verdict(record.verdict), jsonl.write_verdict(new)
        try:
            out.write(f'{text[:-1]}, "old": {old}, "new": {now}}}\n'.encode())
            out.flush()
        except OSError as error:
            raise BadFile(f"--output: {error}") from error

    return write


def _say(text: str) -> None:
    errors.print(
        printable(text[:MESSAGE_CHARS]), style="red", markup=False, highlight=False, soft_wrap=True
    )


def _report(tally: Tally) -> None:
    if tally.groups:
        table = Table(
            "task", "version", "what changed", "verdicts", title="Changed", title_justify="left"
        )
        for which, group in tally.ordered():
            versions = f"{which.old_version or '-'} -> {which.new_version or '-'}"
            # A version may stand there with marks of the table's own language.
            table.add_row(which.task, Text(versions), Text(which.what), f"{group.count:,}")
        errors.print(table)
    for which, group in tally.ordered():
        errors.print(f"{which.task}, {which.what}:", markup=False, highlight=False, soft_wrap=True)
        for line in group.examples:
            errors.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    lines = [
        f"{tally.records:,} records, {tally.compared:,} compared: {tally.unchanged:,} unchanged, "
        f"{tally.changed:,} changed ({tally.higher:,} rewards higher, {tally.lower:,} lower)"
    ]
    if tally.rewarded:
        old, new = tally.old_sum / tally.rewarded, tally.new_sum / tally.rewarded
        lines.append(f"mean reward {old:.4f} -> {new:.4f} over {tally.rewarded:,}")
    if tally.other_answers:
        lines.append(f"{tally.other_answers:,} unchanged ones have another extracted answer")
    if tally.speeds:
        lines.append(f"{tally.speeds:,} have a measured speed, which is not compared")
    lines += [f"{count:,} not comparable: {why}" for why, count in tally.skipped.most_common()]
    if tally.unreadable:
        lines.append(f"{tally.unreadable:,} could not be read")
    for line in lines:
        errors.print(line, markup=False, highlight=False, soft_wrap=True)
