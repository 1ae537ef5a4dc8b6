"""Reads requests so that one unreadable item does not lose its whole batch; frames answers.

Protobuf refuses a message outright when a string in it is not UTF-8 or the
bytes are cut short. A batch is therefore split into its items first, without
looking into them, and each is parsed alone.

Invariant: a batch of more items than allowed is refused before anything is
built from it; looking into what cannot be read costs a bounded time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from google.protobuf.message import DecodeError

from verifier.v1 import verifier_pb2 as pb

_ITEMS = pb.Batch.DESCRIPTOR.fields_by_name["items"].number
_ID = pb.Item.DESCRIPTOR.fields_by_name["id"].number
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5

FIELDS_LOOKED_AT = 10_000
"""Fields of an unreadable item looked at for what is wrong: an honest one has twenty."""


@dataclass(frozen=True)
class Unreadable:
    """An item that is no valid message: its id if that could be read, and why."""

    id: str
    message: str


class TooManyItems(Exception):
    """The batch has more items than allowed."""


def read_batch(raw: bytes, most: int) -> list[pb.Item | Unreadable]:
    """The items of a serialised `Batch`.

    Raises DecodeError when it is no batch at all, TooManyItems beyond `most`.
    """
    try:
        items = [data for number, data in _delimited(raw, most + 1) if number == _ITEMS]
    except DecodeError:
        items = []
    if len(items) > most:
        raise TooManyItems
    try:
        return list(pb.Batch.FromString(raw).items)
    except DecodeError:
        if not items:
            raise
        return [read_item(bytes(data)) for data in items]


def read_item(raw: bytes) -> pb.Item | Unreadable:
    """One serialised `Item`, or what is wrong with it."""
    try:
        return pb.Item.FromString(raw)
    except DecodeError as error:
        return _explain(raw, error)


def _explain(raw: bytes, error: DecodeError) -> Unreadable:
    try:
        fields = list(islice(_delimited(raw, FIELDS_LOOKED_AT), FIELDS_LOOKED_AT))
    except DecodeError:
        return Unreadable("", f"item: not a protobuf message ({error}), got {len(raw)} bytes")
    name = ""
    for number, data in fields:
        if number == _ID:
            name = bytes(data).decode(errors="replace")
    for number, data in fields:
        field = pb.Item.DESCRIPTOR.fields_by_number.get(number)
        if field is None:
            continue
        if field.message_type is None:
            try:
                bytes(data).decode()
            except UnicodeDecodeError as bad:
                return Unreadable(
                    name, f"{field.name}: not UTF-8 at byte {bad.start} of {len(data)}"
                )
        else:
            try:
                getattr(pb, field.message_type.name).FromString(bytes(data))
            except (DecodeError, AttributeError):
                return Unreadable(name, f"{field.name}: not a valid {field.message_type.name}")
    return Unreadable(name, f"item: {error}")


def indexed(index: int, verdict: bytes) -> bytes:
    """One place of a serialised `Verdicts`: those of several may be put together as they are."""
    inner = b"\x08" + _number(index) + b"\x12" + _number(len(verdict))
    return b"\x0a" + _number(len(inner) + len(verdict)) + inner + verdict


def _number(value: int) -> bytes:
    """A varint."""
    if value < 0x80:
        return bytes((value,))
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _delimited(raw: bytes, most: int) -> Iterator[tuple[int, memoryview]]:
    """(field number, bytes) of a message's strings and submessages, unparsed.

    Stops after `most` fields of any kind. Raises DecodeError at what is no field.
    """
    view, at, end = memoryview(raw), 0, len(raw)
    for _ in range(most):
        if at >= end:
            return
        tag, at = _varint(view, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _, at = _varint(view, at)
        elif kind == _FIXED64:
            at += 8
        elif kind == _FIXED32:
            at += 4
        elif kind == _DELIMITED:
            size, at = _varint(view, at)
            if size > end - at:
                raise DecodeError("a field is cut short")
            yield number, view[at : at + size]
            at += size
        else:
            raise DecodeError(f"wire type {kind}")
        if at > end:
            raise DecodeError("a field is cut short")


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise DecodeError("a number is cut short")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise DecodeError("a number of more than 10 bytes")
