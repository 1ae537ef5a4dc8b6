from __future__ import annotations

import time

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from verifier.v1 import verifier_pb2 as pb
from verifier.wire import TooManyItems, Unreadable, read_batch, read_item


def with_bad_response(name: str) -> bytes:
    """A serialised item whose response is not UTF-8, as no Python client could write it."""
    raw = pb.Item(id=name, response="XY", math=pb.MathTask(gold=["4"])).SerializeToString()
    return raw.replace(b"XY", b"\xff\xfe")


def batch_of(*items: bytes) -> bytes:
    assert all(len(item) < 128 for item in items)
    return b"".join(b"\x0a" + bytes([len(item)]) + item for item in items)


def test_good_batch() -> None:
    items = [pb.Item(id=str(n), response="é") for n in range(3)]
    assert read_batch(pb.Batch(items=items).SerializeToString(), 100) == items


def test_one_bad_item_leaves_the_others() -> None:
    good = pb.Item(id="good", response="4").SerializeToString()
    first, second, third = read_batch(batch_of(good, with_bad_response("bad"), good), 100)
    assert isinstance(first, pb.Item)
    assert isinstance(third, pb.Item)
    assert second == Unreadable("bad", "response: not UTF-8 at byte 0 of 2")


def test_bad_submessage_is_named() -> None:
    raw = pb.Item(id="x", math=pb.MathTask(gold=["QQ"])).SerializeToString()
    found = read_item(raw.replace(b"QQ", b"\xc3\x28"))
    assert found == Unreadable("x", "math: not a valid MathTask")


def test_bytes_that_are_no_batch_at_all() -> None:
    with pytest.raises(DecodeError):
        read_batch(b"\x0a\xff\xff\xff\xff\x0f", 100)


@given(st.binary(max_size=200))
def test_any_bytes_are_items_or_said_not_to_be(raw: bytes) -> None:
    assert isinstance(read_item(raw), pb.Item | Unreadable)
    try:
        items = read_batch(raw, 100)
    except DecodeError:
        return
    assert all(isinstance(item, pb.Item | Unreadable) for item in items)


def test_too_many_items_are_refused_before_they_are_built() -> None:
    assert len(read_batch(b"\x0a\x00" * 100, 100)) == 100
    started = time.process_time()
    with pytest.raises(TooManyItems):
        read_batch(b"\x0a\x00" * 8_000_000, 16_384)
    assert time.process_time() - started < 0.5


def test_an_unreadable_item_of_many_fields_is_explained_in_bounded_time() -> None:
    raw = b"\x98\x06\x01" * 2_000_000 + with_bad_response("x")
    started = time.process_time()
    assert isinstance(read_item(raw), Unreadable)
    assert time.process_time() - started < 0.5
