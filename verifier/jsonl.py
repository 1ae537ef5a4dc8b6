"""Items and verdicts as JSON Lines, in the standard JSON mapping of the contract.

Reading is strict: an unknown field, a second task or a bad value is an error
that names the line and the field. Writing always prints `id`, `status`,
`reward` (null when absent) and each part's `name`, `score`, `weight` and
`reason`, also when they are zero, so that a reader need not know defaults.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from verifier.v1 import verifier_pb2 as pb

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class BadLine:
    """A line that is no item, or no verdict: its number from 1, its id if it has one, and why."""

    number: int
    id: str
    message: str


def read_items(lines: Iterable[bytes]) -> Iterator[pb.Item | BadLine]:
    """One item, or what is wrong, for each line that is not blank."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield read_item(number, line)


def read_item(number: int, line: bytes) -> pb.Item | BadLine:
    """The item of one line."""
    return read_message(number, line, pb.Item())


def read_message(number: int, line: bytes, into: M) -> M | BadLine:
    """The message of one line, put into an empty one of its kind."""
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        return BadLine(number, "", f"line {number}: not UTF-8 at byte {error.start}")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return BadLine(number, "", f"line {number}: not JSON: {error}")
    if not isinstance(value, dict):
        kind = type(value).__name__
        return BadLine(number, "", f"line {number}: a JSON object is wanted, got a {kind}")
    name = value.get("id") if isinstance(value.get("id"), str) else ""
    try:
        return json_format.ParseDict(value, into)
    except (json_format.ParseError, ValueError, RecursionError) as error:
        # What follows is a list of all fields under their other, camel-case names.
        reason = str(error).partition(" Available Fields")[0].rstrip("\n.")
        # JSON can spell half of a surrogate pair, which no output can hold.
        shown = str(name).encode(errors="replace").decode()
        message = f"line {number}: {reason}".encode(errors="replace").decode()
        return BadLine(number, shown, message)


def write_verdict(verdict: pb.Verdict) -> str:
    """One verdict as a line of JSON, without the newline."""
    value = json_format.MessageToDict(verdict, preserving_proto_field_name=True)
    given: dict[str, Any] = {"id": "", "status": "UNSPECIFIED", "reward": None, "parts": []} | value
    given["parts"] = [
        {"name": "", "score": None, "weight": 0.0, "reason": "UNSPECIFIED"} | part
        for part in given["parts"]
    ]
    return json.dumps(given, ensure_ascii=False)


def write_verdicts(verdicts: Iterable[pb.Verdict], out: BinaryIO) -> None:
    """One line for each verdict."""
    for verdict in verdicts:
        out.write(write_verdict(verdict).encode() + b"\n")
