"""What the front and an engine process say to each other over a stream.

A frame is a kind (1 byte), a length (4 bytes) and that many bytes; numbers are little-endian.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple

_HEAD = struct.Struct("<BI")
_ITEM = struct.Struct("<IdBHHI")
_VERDICT = struct.Struct("<IdI")
_NUMBER = struct.Struct("<I")


class Kind(IntEnum):
    # to an engine
    ITEMS = 1
    WITHDRAW = 2
    """Numbers of items."""
    RUN = 3
    """A number and a sandbox.v1.RunRequest."""
    PING = 4
    """Answered by the same."""
    # from an engine
    READY = 10
    """Two numbered messages: verifier.v1.DescribeResponse, sandbox.v1.DescribeResponse."""
    VERDICTS = 11
    SHIFTED = 12
    """Numbers of items that are no longer in the lane of rules."""
    RAN = 13
    """A number and a sandbox.v1.RunResult."""
    RAN_NOT = 14
    """A number and the name and the message of an error, parted by a line's end."""
    FAILED = 15
    """Of the start: as RAN_NOT."""


class Asked(NamedTuple):
    """An item that is to be verified."""

    number: int
    waited: float
    """Seconds so far."""
    caller: str
    weight: int
    carrier: Mapping[str, str]
    item: bytes


class Answered(NamedTuple):
    """`verdict` is empty where the item was withdrawn."""

    number: int
    seconds: float
    verdict: bytes


async def read(stream: asyncio.StreamReader) -> tuple[Kind, bytes] | None:
    """The next frame; None when the other side is gone."""
    try:
        kind, size = _HEAD.unpack(await stream.readexactly(_HEAD.size))
        return Kind(kind), await stream.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def frame(kind: Kind, body: bytes) -> bytes:
    return _HEAD.pack(kind, len(body)) + body


def items(asked: Iterable[Asked]) -> bytes:
    parts = []
    for each in asked:
        caller = each.caller.encode()
        carrier = json.dumps(dict(each.carrier)).encode() if each.carrier else b""
        sizes = len(caller), len(carrier), len(each.item)
        parts += [
            _ITEM.pack(each.number, each.waited, each.weight, *sizes),
            caller,
            carrier,
            each.item,
        ]
    return frame(Kind.ITEMS, b"".join(parts))


def read_items(body: bytes) -> Iterator[Asked]:
    at = 0
    while at < len(body):
        number, waited, weight, *sizes = _ITEM.unpack_from(body, at)
        at += _ITEM.size
        texts = []
        for size in sizes:
            texts.append(body[at : at + size])
            at += size
        carrier = json.loads(texts[1]) if texts[1] else {}
        yield Asked(number, waited, texts[0].decode(), weight, carrier, texts[2])


def verdicts(answered: Iterable[Answered]) -> bytes:
    parts = []
    for each in answered:
        parts += [_VERDICT.pack(each.number, each.seconds, len(each.verdict)), each.verdict]
    return frame(Kind.VERDICTS, b"".join(parts))


def read_verdicts(body: bytes) -> Iterator[Answered]:
    at = 0
    while at < len(body):
        number, seconds, size = _VERDICT.unpack_from(body, at)
        at += _VERDICT.size
        yield Answered(number, seconds, body[at : at + size])
        at += size


def numbers(kind: Kind, given: Iterable[int]) -> bytes:
    return frame(kind, b"".join([_NUMBER.pack(number) for number in given]))


def read_numbers(body: bytes) -> Iterator[int]:
    return (number for (number,) in _NUMBER.iter_unpack(body))


def numbered(kind: Kind, number: int, body: bytes) -> bytes:
    return frame(kind, _NUMBER.pack(number) + body)


def read_numbered(body: bytes) -> tuple[int, bytes]:
    return _NUMBER.unpack_from(body)[0], body[_NUMBER.size :]
