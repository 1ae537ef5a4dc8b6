from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.judge.traffic import Breaker, Gate, State


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_and_closes_again() -> None:
    clock = Clock()
    breaker = Breaker(3, 10.0, clock)
    for outcome in (False, False, True, False, False, None, False):
        assert breaker.state is State.CLOSED
        breaker.told(outcome, breaker.take())
    assert breaker.state is State.OPEN
    clock.now += 9.9
    assert not breaker.admits
    clock.now += 0.1
    assert breaker.state is State.HALF_OPEN
    assert breaker.take()
    assert not breaker.admits
    breaker.told(False, True)
    assert breaker.state is State.OPEN
    clock.now += 10.0
    # A probe that tells nothing lets another one through.
    breaker.told(None, breaker.take())
    assert breaker.admits
    breaker.told(True, breaker.take())
    assert breaker.state is State.CLOSED
    breaker.told(False, breaker.take())
    assert breaker.state is State.CLOSED


def test_one_that_left_before_it_opened_neither_prolongs_it_nor_ends_a_probe() -> None:
    clock = Clock()
    breaker = Breaker(1, 10.0, clock)
    late, later, first = breaker.take(), breaker.take(), breaker.take()
    breaker.told(False, first)
    clock.now += 5.0
    breaker.told(False, late)
    clock.now += 5.0
    assert breaker.take()
    breaker.told(False, later)
    assert breaker.state is State.HALF_OPEN
    assert not breaker.admits


@given(st.lists(st.sampled_from(["take", "good", "bad", "untold", "wait"])))
def test_at_most_one_probe_at_once(steps: list[str]) -> None:
    clock = Clock()
    breaker = Breaker(2, 10.0, clock)
    out: list[bool] = []
    told = {"good": True, "bad": False, "untold": None}
    for step in steps:
        if step == "take":
            if breaker.admits:
                out.append(breaker.take())
        elif step == "wait":
            clock.now += 6.0
        elif out:
            breaker.told(told[step], out.pop(0))
        assert sum(out) <= 1
        assert breaker.state is State.CLOSED or breaker.admits == (
            breaker.state is State.HALF_OPEN and not any(out)
        )


async def test_places_are_given_back_on_every_way_out() -> None:
    gate = Gate(1)

    async def fails() -> None:
        async with gate.place():
            raise KeyError

    with pytest.raises(KeyError):
        await fails()

    entered = 0

    async def stays() -> None:
        nonlocal entered
        async with gate.place():
            entered += 1
            await asyncio.sleep(3_600)

    task, waiting = asyncio.create_task(stays()), asyncio.create_task(stays())
    await asyncio.sleep(0.01)
    assert entered == 1
    waiting.cancel()
    task.cancel()
    await asyncio.gather(task, waiting, return_exceptions=True)
    async with asyncio.timeout(60), gate.place():
        pass


async def test_turns_are_spread_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    clock = Clock()
    gate = Gate(8, 60.0, clock)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    for _ in range(4):
        await gate.turn()
    clock.now += 100.0
    await gate.turn()
    await gate.turn()
    assert slept == [0.0, 1.0, 2.0, 3.0, 0.0, 1.0]
