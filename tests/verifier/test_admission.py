"""Room for items: bounds, equal shares when it gets crowded, and when to come again."""

from __future__ import annotations

import asyncio

import pytest

from verifier import admission
from verifier.admission import Admission
from verifier.callers import NEVER, Caller

A, B, C = Caller("a"), Caller("b"), Caller("c")


def test_one_caller_alone_may_have_all_the_room() -> None:
    room = Admission(100)
    assert room.try_take(A, 100)
    assert not room.try_take(A, 1)
    assert room.limit(A, 1) == "items_in_flight: at most 100, 100 are at work and 1 more came"
    room.give_back(A, 100)
    assert room.taken == 0


def test_the_last_quarter_is_for_those_below_their_share() -> None:
    room = Admission(100)
    assert room.try_take(A, 74)
    assert room.try_take(B, 1)
    assert not room.try_take(A, 1)
    said = "at most 50 of 100 for each caller while others wait, 74 are at work and 1 more came"
    assert room.limit(A, 1) == f"items_in_flight: {said}"
    assert room.try_take(B, 25)
    assert not room.try_take(B, 1)


def test_who_was_refused_finds_room_kept_when_it_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = Admission(100)
    assert room.try_take(A, 100)
    assert not room.try_take(B, 10)
    room.give_back(A, 10)
    assert not room.try_take(A, 10)
    assert room.try_take(B, 10)
    room.give_back(B, 10)
    assert room.try_take(A, 10)
    assert not room.try_take(C, 1)
    room.give_back(A, 10)
    monkeypatch.setattr(admission, "WANTING_SECONDS", 0.0)
    assert room.try_take(A, 10), "nobody waits for ever for who does not come"


def test_a_bound_of_its_own_is_named() -> None:
    room, small = Admission(100), Caller("small", items_in_flight=10)
    assert room.try_take(small, 10)
    said = "items_in_flight of 'small': at most 10, 10 are at work and 1 more came"
    assert room.limit(small, 1) == said


def test_an_empty_batch_makes_nobody_a_contender() -> None:
    room = Admission(100)
    for number in range(100):
        assert room.try_take(Caller(f"connection {number}"), 0)
    assert room.try_take(A, 90)


async def test_streams_wait_for_room() -> None:
    room = Admission(10)
    await room.take(A, 10)
    waiting = asyncio.create_task(room.take(A, 5))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    room.give_back(A, 5)
    await asyncio.wait_for(waiting, 60)
    assert room.taken == 10


def test_the_time_to_come_again_follows_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(admission.time, "monotonic", lambda: now)
    room = Admission(1000)
    assert room.retry_seconds(A, 10) <= admission.USUAL * (1 + admission.JITTER)
    assert room.try_take(A, 1000)
    for _ in range(40):
        now += 0.5
        room.give_back(A, 20)
    waits = [room.retry_seconds(A, 80) for _ in range(200)]
    assert 1.6 <= min(waits) < max(waits) <= 2.4, "40 a second"
    assert room.retry_seconds(A, 1) <= admission.SOONEST * (1 + admission.JITTER)
    assert room.retry_seconds(A, 1000) <= admission.LATEST * (1 + admission.JITTER)
    assert room.retry_seconds(A, 1001) == NEVER, "there is no such room"
    assert room.retry_seconds(Caller("small", items_in_flight=9), 10) == NEVER
    now += 60
    assert room.retry_seconds(A, 80) <= admission.USUAL * (1 + admission.JITTER), "long ago"
