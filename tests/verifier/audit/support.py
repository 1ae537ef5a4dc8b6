"""Records made by hand and from a server, and the writers of a process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.verifier.support import descendants, math_item
from verifier.audit.read import Cut, read_files
from verifier.audit.records import Record, write_record
from verifier.client import VerifierClient
from verifier.jsonl import BadLine
from verifier.v1 import verifier_pb2 as pb

AT_MS = 1_767_225_600_123


def items(count: int, response: str = "") -> list[pb.Item]:
    """Mathematics, every third of it wrong."""
    given = [math_item(f"m{n}", "4" if n % 3 else "5") for n in range(count)]
    for item in given:
        item.response = response + item.response
    return given


def recorded(address: str, given: Sequence[pb.Item]) -> list[Record]:
    """What a server says of items, as records."""
    with VerifierClient(address) as client:
        told = client.verify(given)
    return [Record(item, new, AT_MS, "0.0.9") for item, new in zip(given, told, strict=True)]


def write(path: Path, records: Iterable[Record]) -> Path:
    path.write_bytes(b"".join(map(write_record, records)))
    return path


def files(path: Path) -> list[Path]:
    """All that was written under a name, the oldest first."""
    full = path.parent.glob(f"{path.stem}.[0-9]*")
    growing = path.with_suffix(".jsonl")
    return sorted(full) + ([growing] if growing.exists() else [])


def read(path: Path) -> list[Record]:
    """All records under a name; every line must be one."""
    found = [one for _, one in read_files(files(path))]
    bad = [one for one in found if isinstance(one, BadLine | Cut)]
    assert not bad
    return [one for one in found if isinstance(one, Record)]


def writers(path: Path, under: int | None = None) -> list[int]:
    """The processes below one that write under a name."""
    below = descendants(under or os.getpid())
    return [
        pid for pid, line in below.items() if "verifier.audit.writer" in line and str(path) in line
    ]
