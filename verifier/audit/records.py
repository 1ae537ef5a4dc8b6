"""A record: an item, its verdict, when it was given and by which version of the server. Pure.

In a file it is one line of JSON, with item and verdict in the standard JSON mapping of the
contract. Between the server and its writer it is a frame: a header of fixed size, then the two
serialised messages, so that the event loop pays for no JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from google.protobuf import json_format

from verifier import jsonl
from verifier.jsonl import BadLine
from verifier.v1 import verifier_pb2 as pb

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_HEADER = struct.Struct("<QQq")
"""Milliseconds since 1970, bytes of the verdict, bytes of the item or NO_ITEM."""

NO_ITEM = -1


_ITEM, _VERDICT = ', "item": ', ', "verdict": '
"""Before the two in a line; in a JSON text no quotation mark stands bare."""


@dataclass(frozen=True)
class Record:
    """One verdict as it was given."""

    item: pb.Item | None
    """None: what came was no valid message."""

    verdict: pb.Verdict

    at_ms: int | None = None
    """Milliseconds since 1970, UTC; None: not known."""

    server: str = ""
    """Version of the server; empty: not known."""


class Frame(NamedTuple):
    """A record on its way to the writer."""

    at_ms: int
    verdict: bytes
    item: bytes | None


def pack(frame: Frame) -> tuple[bytes, bytes]:
    """The two pieces of a frame; the second, which may be large, is the item's own bytes."""
    size = NO_ITEM if frame.item is None else len(frame.item)
    head = _HEADER.pack(frame.at_ms, len(frame.verdict), size) + frame.verdict
    return head, frame.item or b""


def unpack(held: bytearray) -> Iterator[Frame]:
    """Takes the whole frames from the front of what was received; leaves the rest there."""
    at = 0
    while len(held) - at >= _HEADER.size:
        at_ms, verdict, item = _HEADER.unpack_from(held, at)
        start = at + _HEADER.size
        end = start + verdict + max(item, 0)
        if len(held) < end:
            break
        with memoryview(held) as view:
            told = bytes(view[start : start + verdict])
            given = None if item == NO_ITEM else bytes(view[start + verdict : end])
        at = end
        yield Frame(at_ms, told, given)
    del held[:at]


def of_frame(frame: Frame, server: str) -> Record:
    """The record of a frame."""
    item = None if frame.item is None else pb.Item.FromString(frame.item)
    return Record(item, pb.Verdict.FromString(frame.verdict), frame.at_ms, server)


def write_record(record: Record) -> bytes:
    """One record as a line of JSON, with its newline."""
    head = json.dumps({"at": shown_time(record.at_ms), "server": record.server})
    item = None if record.item is None else item_value(record.item)
    # An item can be large: it is put together once, not as part of ever longer texts.
    pieces = [head[:-1], _ITEM, json.dumps(item, ensure_ascii=False), _VERDICT]
    del item
    pieces += [jsonl.write_verdict(record.verdict), "}\n"]
    return b"".join(piece.encode() for piece in pieces)


def split(line: str) -> tuple[dict[str, Any], str, str]:
    """What stands before the item in a line of `write_record`, then item and verdict as they stand.

    Raises ValueError where it is no such line.
    """
    seam = line.index(_ITEM)
    start = seam + len(_ITEM)
    _, end = _JSON.raw_decode(line, start)
    if not (line.startswith(_VERDICT, end) and line.endswith("}\n")):
        raise ValueError("not as it was written")
    return json.loads(line[:seam] + "}"), line[start:end], line[end + len(_VERDICT) : -2]


_JSON = json.JSONDecoder()


def item_value(item: pb.Item) -> dict[str, Any]:
    """An item in the JSON mapping."""
    value: dict[str, Any] = json_format.MessageToDict(item, preserving_proto_field_name=True)
    return value


def read_record(number: int, line: bytes) -> Record | BadLine:
    """The record of one line; `at` and `server` may be missing, and other keys are passed over."""
    value = jsonl.read_object(number, line)
    if isinstance(value, BadLine):
        return value
    return of_value(number, value)


def of_value(number: int, value: dict[str, Any]) -> Record | BadLine:
    """The record of a JSON object."""
    for key in ("item", "verdict"):
        if key not in value:
            got = ", ".join(map(repr, list(value)[:10])) or "nothing"
            wanted = "a record has item and verdict (verdicts alone need --input items.jsonl)"
            return BadLine(number, "", f"line {number}: {key}: {wanted}, got {got}")
    try:
        item = value["item"]
        return Record(
            None if item is None else jsonl.parsed(item, pb.Item(), "item"),
            jsonl.parsed(value["verdict"], pb.Verdict(), "verdict"),
            _time(value.get("at")),
            str(value.get("server") or ""),
        )
    except ValueError as error:
        # JSON can spell half of a surrogate pair, which no output can hold.
        message = f"line {number}: {error}".encode(errors="replace").decode()
        return BadLine(number, "", message)


def shown_time(at_ms: int | None) -> str | None:
    """ISO 8601, UTC, in milliseconds."""
    if at_ms is None:
        return None
    return (EPOCH + at_ms * MILLISECOND).isoformat(timespec="milliseconds")


def _time(given: object) -> int | None:
    if given is None:
        return None
    try:
        at = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
        return (at - EPOCH) // MILLISECOND
    except (ValueError, TypeError) as error:  # TypeError: it has no time zone
        raise ValueError(f"at: a time as 2026-01-31T12:00:00.000+00:00, got {given!r}") from error
