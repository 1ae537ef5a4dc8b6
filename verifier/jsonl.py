"""Items and verdicts as JSON Lines, in the standard JSON mapping of the contract.

Reading is strict: an unknown field, a second task or a bad value is an error
that names the line and the field. Writing always prints `id`, `status`,
`reward` (null when absent) and each part's `name`, `score`, `weight` and
`reason`, also when they are zero, so that a reader need not know defaults.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
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
    value = read_object(number, line)
    if isinstance(value, BadLine):
        return value
    name = value.get("id") if isinstance(value.get("id"), str) else ""
    try:
        return parsed(value, into)
    except ValueError as error:
        # JSON can spell half of a surrogate pair, which no output can hold.
        shown = str(name).encode(errors="replace").decode()
        message = f"line {number}: {error}".encode(errors="replace").decode()
        return BadLine(number, shown, message)


def read_object(number: int, line: bytes) -> dict[str, Any] | BadLine:
    """The JSON object of one line."""
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
    return value


UNREADABLE = (json_format.ParseError, ValueError, OverflowError, RecursionError, SystemError)
"""By which protobuf gives up on JSON: also at numbers that are too long, lists nested too deep, and
names with half of a surrogate pair."""


def parsed(value: Any, into: M, path: str = "") -> M:
    """The message of a value in the JSON mapping, put into an empty one of its kind.

    Raises ValueError naming the field, as `path` and its place in the message, what is wanted, and
    what was received.
    """
    try:
        return json_format.ParseDict(value, into)
    except UNREADABLE as error:
        found = _misfit(value, into.DESCRIPTOR, path)
        # The library names fields, but not always all the way to them, nor what would do.
        raise ValueError(found or (f"{path}: " if path else "") + str(error).rstrip(".")) from error


def _misfit(value: object, message: Any, path: str) -> str | None:
    """The first field that there is not, or whose value is not of its kind."""
    if not isinstance(value, dict):
        return f"{path}: an object, got {reprlib.repr(value)}"
    by_name = {field.name: field for field in message.fields}
    by_name |= {field.json_name: field for field in message.fields}
    for name, given in value.items():
        place = f"{path}.{name}" if path else name
        if name not in by_name:
            return f"{place}: no such field, {message.name} has {', '.join(message.fields_by_name)}"
        if given is not None and (found := _misfit_of(given, by_name[name], place)):
            return found
    return None


def _misfit_of(given: object, field: FieldDescriptor, path: str) -> str | None:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        if not isinstance(given, dict):
            return f"{path}: an object, got {reprlib.repr(given)}"
        of = inner.fields_by_name["value"]
        pairs = ((_misfit_one(one, of, f"{path}[{key}]")) for key, one in given.items())
        return next(filter(None, pairs), None)
    if field.default_value == []:  # repeated, by what protobuf 4.25 and 7 both have
        if not isinstance(given, list):
            return f"{path}: a list, got {reprlib.repr(given)}"
        found = (_misfit_one(one, field, f"{path}[{place}]") for place, one in enumerate(given))
        return next(filter(None, found), None)
    return _misfit_one(given, field, path)


def _misfit_one(given: object, field: FieldDescriptor, path: str) -> str | None:
    if field.message_type is not None:
        return _misfit(given, field.message_type, path)
    if field.enum_type is not None and not isinstance(given, int):
        numbers = {value.name: value.number for value in field.enum_type.values}
        if not isinstance(given, str) or given not in numbers:
            known = ", ".join(sorted(name for name, number in numbers.items() if number))
            return f"{path}: one of {known}, got {reprlib.repr(given)}"
    if field.type == field.TYPE_STRING and not isinstance(given, str):
        return f"{path}: a text in quotes, got {reprlib.repr(given)}"
    return None


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
