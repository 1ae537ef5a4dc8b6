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
_ITEM = struct.Struct("<IdB?HHI")
_VERDICT = struct.Struct("<Id?I")
_NUMBER = struct.Struct("<I")

FRAME_BYTES = 4 << 20
"""Of a frame of items before the last is added: a chunk of the largest ones has more bytes than a
length can tell."""


class Kind(IntEnum):
    # to an engine
    ITEMS = 1
    WITHDRAW = 2
    """Numbers of items."""
    PING = 3
    """Answered by the same."""
    # from an engine
    READY = 10
    """Two numbered messages: verifier.v1.DescribeResponse, sandbox.v1.DescribeResponse."""
    VERDICTS = 11
    SHIFTED = 12
    """Numbers of items that are no longer in the lane of rules."""
    FAILED = 13
    """Of the start: a number, and the name and the message of an error, parted by a line's end."""


class Asked(NamedTuple):
    """An item that is to be verified, or a program that is to be run."""

    number: int
    waited: float
    """Seconds so far."""
    caller: str
    weight: int
    program: bool
    carrier: Mapping[str, str]
    item: bytes
    """Serialised: verifier.v1.Item, or sandbox.v1.RunRequest for a program."""


class Answered(NamedTuple):
    """`verdict` is a serialised verifier.v1.Verdict, or sandbox.v1.RunResult of a program; None
    where it was withdrawn."""

    number: int
    seconds: float
    verdict: bytes | None


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
    """One frame or several."""
    full, parts, size = list[bytes](), list[bytes](), 0
    for each in asked:
        if size >= FRAME_BYTES:
            full.append(frame(Kind.ITEMS, b"".join(parts)))
            parts, size = [], 0
        caller = each.caller.encode()
        carrier = json.dumps(dict(each.carrier)).encode() if each.carrier else b""
        sizes = len(caller), len(carrier), len(each.item)
        size += sum(sizes)
        parts += [
            _ITEM.pack(each.number, each.waited, each.weight, each.program, *sizes),
            caller,
            carrier,
            each.item,
        ]
    return b"".join([*full, frame(Kind.ITEMS, b"".join(parts))])


def read_items(body: bytes) -> Iterator[Asked]:
    at = 0
    while at < len(body):
        number, waited, weight, program, *sizes = _ITEM.unpack_from(body, at)
        at += _ITEM.size
        texts = []
        for size in sizes:
            texts.append(body[at : at + size])
            at += size
        carrier = json.loads(texts[1]) if texts[1] else {}
        yield Asked(number, waited, texts[0].decode(), weight, program, carrier, texts[2])


def verdicts(answered: Iterable[Answered]) -> bytes:
    parts = []
    for each in answered:
        verdict = each.verdict or b""
        known = each.verdict is not None
        parts += [_VERDICT.pack(each.number, each.seconds, known, len(verdict)), verdict]
    return frame(Kind.VERDICTS, b"".join(parts))


def read_verdicts(body: bytes) -> Iterator[Answered]:
    at = 0
    while at < len(body):
        number, seconds, known, size = _VERDICT.unpack_from(body, at)
        at += _VERDICT.size
        yield Answered(number, seconds, body[at : at + size] if known else None)
        at += size


def numbers(kind: Kind, given: Iterable[int]) -> bytes:
    return frame(kind, b"".join([_NUMBER.pack(number) for number in given]))


def read_numbers(body: bytes) -> Iterator[int]:
    return (number for (number,) in _NUMBER.iter_unpack(body))


def numbered(kind: Kind, number: int, body: bytes) -> bytes:
    return frame(kind, _NUMBER.pack(number) + body)


def read_numbered(body: bytes) -> tuple[int, bytes]:
    return _NUMBER.unpack_from(body)[0], body[_NUMBER.size :]
