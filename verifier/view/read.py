"""Verdicts and items from JSON Lines, joined. Strict: a page shows all or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from verifier import jsonl
from verifier.terminal import printable
from verifier.v1 import verifier_pb2 as pb

MOST_SHOWN = 5


class BadInput(Exception):
    """Lines that are no verdicts or no items, or items that are not the verdicts'."""


def read_verdicts(lines: Iterable[bytes]) -> list[pb.Verdict]:
    """The verdict of each line that is not blank.

    Raises BadInput, which names each bad line and its field.
    """
    read = [
        jsonl.read_message(number, line, pb.Verdict())
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    _raise([one.message for one in read if isinstance(one, jsonl.BadLine)])
    return [one for one in read if isinstance(one, pb.Verdict)]


def read_items(lines: Iterable[bytes], verdicts: Sequence[pb.Verdict]) -> list[pb.Item | None]:
    """The item of each verdict, by place; None where the verdict is of a bad line.

    Raises BadInput where ids or numbers differ.
    """
    read = list(jsonl.read_items(lines))
    if len(read) != len(verdicts):
        raise BadInput(f"{len(read):,} items, but {len(verdicts):,} verdicts")
    bad = []
    for place, (line, verdict) in enumerate(zip(read, verdicts, strict=True), 1):
        # As `touchstone verify` names the verdict of a line that is no item.
        unnamed = f"line {line.number}" if isinstance(line, jsonl.BadLine) else ""
        if (line.id or unnamed) != verdict.id:
            bad.append(f"item {place} is {line.id or unnamed!r}, but its verdict {verdict.id!r}")
    _raise(bad)
    return [line if isinstance(line, pb.Item) else None for line in read]


def _raise(bad: Sequence[str]) -> None:
    if bad:
        more = [f"and {len(bad) - MOST_SHOWN:,} more"] if len(bad) > MOST_SHOWN else []
        raise BadInput("\n".join([printable(line) for line in bad[:MOST_SHOWN]] + more))
