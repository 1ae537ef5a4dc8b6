"""Whose item is next: shares by time and weight, bounds, and nothing lost or answered twice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.callers import Caller, Priority
from verifier.schedule import Entry, Lane, Schedule
from verifier.v1 import verifier_pb2 as pb


class Owner:
    def __init__(self, name: str, priority: Priority = Priority.normal) -> None:
        self.caller = Caller(name, priority)
        self.carrier: dict[str, str] = {}
        self.working: set[Entry] = set()
        self.came: list[int] = []

    def put(self, index: int, verdict: bytes, seconds: float) -> None:
        assert verdict == b"verdict"
        self.came.append(index)


class Hands:
    """An executor whose work ends when the test says so."""

    def __init__(self, **windows: int) -> None:
        self.windows = windows
        self.servers: dict[str, int] = {}
        self.working: list[Entry] = []
        self.started: list[Entry] = []
        self.schedule: Schedule

    def bind(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def lane(self, item: object) -> str:
        return getattr(item, "response", "") or "work"

    def start(self, lane: str, entries: Sequence[Entry]) -> None:
        for entry in entries:
            assert entry.owner is not None
            entry.owner.working.add(entry)
            self.working.append(entry)
            self.started.append(entry)

    async def withdraw(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.working.remove(entry)
            self.schedule.finished(entry, None, None)

    def end(self, place: int = 0, seconds: float = 0.1) -> None:
        self.schedule.finished(self.working.pop(place), b"verdict", seconds)


def entries(owner: Owner, count: int, first: int = 0, lane: str = "") -> list[Entry]:
    now = time.perf_counter()
    item = pb.Item(response=lane)
    return [Entry(item, first + n, owner, now) for n in range(count)]


def served(takes: dict[str, float], count: int, weights: dict[str, Priority]) -> Counter[str]:
    """Who of several callers, who all have enough waiting, gets how many of `count` turns."""
    lane = Lane("work", 4)
    owners = {name: Owner(name, weights.get(name, Priority.normal)) for name in takes}
    for owner in owners.values():
        for entry in entries(owner, count):
            lane.push(entry)
    turns: Counter[str] = Counter()
    working: list[Entry] = []
    while turns.total() < count:
        working += lane.take(1)
        if len(working) == 4:
            entry = working.pop(0)
            assert entry.owner is not None
            name = entry.owner.caller.name
            turns[name] += 1
            lane.leave(entry, takes[name])
    return turns


def test_equal_callers_get_equal_shares_whoever_came_first() -> None:
    turns = served({"a": 0.1, "b": 0.1, "c": 0.1}, 300, {})
    assert all(98 <= turns[name] <= 102 for name in "abc"), turns


def test_a_share_is_of_time_and_not_of_items() -> None:
    turns = served({"long": 1.0, "short": 0.1}, 550, {})
    assert 7 <= turns["short"] / turns["long"] <= 11, turns


def test_a_share_follows_the_priority() -> None:
    turns = served({"training": 0.1, "benchmark": 0.1}, 900, {"benchmark": Priority.low})
    assert 7 <= turns["training"] / turns["benchmark"] <= 9, turns
    assert turns["benchmark"] > 0, "nobody starves"


def test_who_comes_late_waits_for_one_turn_and_not_for_the_others_queue() -> None:
    lane = Lane("work", 1)
    first, late = Owner("first"), Owner("late")
    for entry in entries(first, 10_000):
        lane.push(entry)
    for _ in range(50):
        (entry,) = lane.take(8)
        lane.leave(entry, 0.1)
    lane.push(entries(late, 1)[0])
    (entry,) = lane.take(8)
    assert entry.owner is late


def test_no_claim_on_time_when_one_wanted_nothing() -> None:
    lane = Lane("work", 1)
    busy, back = Owner("busy"), Owner("back")
    lane.push(entries(back, 1)[0])
    lane.leave(lane.take(1)[0], 0.1)
    for entry in entries(busy, 100):
        lane.push(entry)
    for _ in range(50):
        lane.leave(lane.take(1)[0], 0.1)
    for entry in entries(back, 100):
        lane.push(entry)
    turns: Counter[str] = Counter()
    for _ in range(20):
        (entry,) = lane.take(1)
        assert entry.owner is not None
        turns[entry.owner.caller.name] += 1
        lane.leave(entry, 0.1)
    assert 8 <= turns["back"] <= 12, turns


def test_slow_work_of_one_does_not_fill_what_is_served_in_order() -> None:
    """Whose items are slow has few at work; whose are quick, or not known to be slow, soon many."""
    lane = Lane("work", 64, servers=4)
    slow, quick = Owner("slow"), Owner("quick")
    for owner in (slow, quick):
        for entry in entries(owner, 1_000):
            lane.push(entry)
    seconds = {"slow": 10.0, "quick": 0.01}
    working: list[Entry] = []
    most: Counter[str] = Counter()
    for _ in range(400):
        while taken := lane.take(64):
            working += taken
        held = Counter(entry.owner.caller.name for entry in working if entry.owner is not None)
        most |= held
        entry = working.pop(0)
        assert entry.owner is not None
        lane.leave(entry, seconds[entry.owner.caller.name])
    assert most["slow"] == 8, "two for each server"
    assert most["quick"] > 40


async def test_a_full_lane_holds_up_no_other() -> None:
    hands = Hands(work=2, quick=2)
    async with Schedule(hands) as schedule:
        owner = Owner("a")
        schedule.submit(entries(owner, 5))
        schedule.submit(entries(owner, 2, 5, "quick"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert sorted(entry.index for entry in hands.working) == [0, 1, 5, 6]
        hands.end(hands.working.index(next(e for e in hands.working if e.index == 5)))
        assert owner.came == [5]


async def test_what_is_withdrawn_is_never_started_and_frees_its_room() -> None:
    hands = Hands(work=2)
    async with Schedule(hands) as schedule:
        gone, stays = Owner("same"), Owner("same")
        schedule.submit(entries(gone, 4))
        schedule.submit(entries(stays, 3))
        await asyncio.sleep(0.01)
        await schedule.withdraw({gone})
        for _ in range(3):
            await asyncio.sleep(0.01)
            hands.end()
        assert (gone.came, stays.came) == ([], [0, 1, 2])
        assert schedule.lanes["work"].at_work == 0
        assert len(hands.started) == 5


async def test_calls_that_end_together_cost_one_look_through_the_queues(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0
    drop = Lane.drop

    def counted(lane: Lane, owners: Collection[Owner]) -> None:
        nonlocal looks
        looks += 1
        drop(lane, owners)

    monkeypatch.setattr(Lane, "drop", counted)
    hands = Hands(work=1)
    async with Schedule(hands) as schedule:
        owners = [Owner("same") for _ in range(200)]
        for owner in owners:
            schedule.submit(entries(owner, 20))
        await asyncio.sleep(0.01)
        await asyncio.gather(*(schedule.withdraw({owner}) for owner in owners[1:]))
        await asyncio.sleep(0.01)
        assert looks <= 2
        assert schedule.lanes["work"].waiting + schedule.lanes["work"].at_work == 20


class Moves(Hands):
    """Finds that every second item is of another kind."""

    def start(self, lane: str, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if lane == "work" and entry.index % 2:
                self.schedule.retry(entry, "other")
            else:
                super().start(lane, [entry])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["submit", "end", "withdraw", "turn"]), st.integers(0, 5)),
        max_size=60,
    )
)
def test_each_item_is_answered_once_or_withdrawn(steps: list[tuple[str, int]]) -> None:
    async def run() -> None:
        hands = Moves(work=3, other=1)
        hands.servers = {"work": 1}
        async with Schedule(hands) as schedule:
            owners = [Owner(name) for name in ("a", "a", "b", "b", "c", "d")]
            sent: Counter[int] = Counter()
            gone: set[int] = set()
            for action, who in steps:
                if action == "submit" and who not in gone:
                    schedule.submit(entries(owners[who], who + 1, sent[who]))
                    sent[who] += who + 1
                elif action == "end" and hands.working:
                    hands.end(who % len(hands.working), 0.01 * who)
                elif action == "withdraw":
                    gone.add(who)
                    await schedule.withdraw({owners[who]})
                else:
                    await asyncio.sleep(0)
            for _ in range(80):
                await asyncio.sleep(0)
                while hands.working:
                    hands.end()
            for who, owner in enumerate(owners):
                assert len(owner.came) == len(set(owner.came))
                assert who in gone or sorted(owner.came) == list(range(sent[who]))
                assert not owner.working
            for lane in schedule.lanes.values():
                assert (lane.at_work, lane.waiting, lane.oldest()) == (0, 0, None)

    asyncio.run(run())
