"""What `Once` promises, over random interleavings of work that ends in every way."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from verifier.kept import once as module
from verifier.kept.once import NOT_SHARED, How, Once, Share


@dataclass(frozen=True)
class Value:
    """What a piece of work came to, unlike that of any other."""

    number: int
    share: Share
    limit: int = 0


class Memory:
    """A file that a second process could look into, and that fails when it is told to."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.works = True

    async def get(self, key: bytes) -> bytes | None:
        await asyncio.sleep(0)
        return self.values.get(key) if self.works else None

    def put(self, key: bytes, value: bytes) -> None:
        if self.works and (value == NOT_SHARED or key not in self.values):
            self.values[key] = value


def pack(value: Value) -> bytes:
    assert value.share is Share.KEEP, "only what is to be kept is packed"
    return b"%d %d" % (value.number, value.limit)


def unpack(packed: bytes) -> Value:
    number, limit = packed.split()
    return Value(int(number), Share.KEEP, int(limit))


class Fault(Exception):
    """A defect in a piece of work."""


@dataclass
class Piece:
    """Work that goes on until it is told how to end."""

    key: bytes
    task: asyncio.Task[tuple[Value, How]] | None = None
    limit: int = 0
    end: asyncio.Future[Share | None] | None = None
    value: Value | None = None


@dataclass
class World:
    """Several processes with one file. Every value that comes out is checked here."""

    processes: int
    file: Memory = field(default_factory=Memory)
    pieces: list[Piece] = field(default_factory=list)
    made: dict[int, Piece] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    was_alone: dict[int, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    failing: dict[int, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """Keys under which work FAILED: who waited for it then works beside others."""
    answered: int = 0

    def __post_init__(self) -> None:
        self.once = [self._new() for _ in range(self.processes)]
        self.working: list[Counter[bytes]] = [Counter() for _ in range(self.processes)]

    def _new(self) -> Once[Value]:
        return Once(pack, unpack, lambda how: self.told.update([how]), self.file)

    def ask(self, process: int, key: bytes, limit: int) -> None:
        piece = Piece(key, limit=limit)
        alone = key in self.was_alone[process]

        async def work() -> Value:
            self.working[process][key] += 1
            if key not in self.failing[process] and not self.alone(process, key):
                assert self.working[process][key] == 1, "two at work under one key"
            piece.end = asyncio.get_running_loop().create_future()
            try:
                share = await piece.end
            finally:
                self.working[process][key] -= 1
                piece.end = None
            if share is None:
                raise Fault
            piece.value = Value(len(self.made), share, limit)
            self.made[piece.value.number] = piece
            if share is Share.ALONE:
                self.was_alone[process].add(key)
            if share is Share.FAILED:
                self.failing[process].add(key)
            return piece.value

        async def asked() -> tuple[Value, How]:
            value, how = await self.once[process].get(
                key, work, lambda one: one.share, lambda one: limit <= one.limit
            )
            self.check(piece, value, how, alone)
            return value, how

        piece.task = asyncio.create_task(asked())
        self.pieces.append(piece)

    def alone(self, process: int, key: bytes) -> bool:
        """Whether the process may know that a value under the key is not to be shared."""
        return key in self.was_alone[process] or self.file.values.get(key) == NOT_SHARED

    def check(self, piece: Piece, value: Value, how: How, alone: bool) -> None:
        self.answered += 1
        maker = self.made[value.number]
        assert maker.key == piece.key
        assert maker.value == value, "a value comes out as it was made"
        if how == "miss":
            assert maker is piece, "a miss is one's own work"
            return
        assert maker is not piece
        assert piece.value is None, "who works takes nobody else's value"
        assert not alone, "of what is alone nothing is shared"
        assert value.share in (Share.KEEP, Share.JOIN)
        if value.share is Share.JOIN:
            assert how == "joined"
            assert value.limit >= piece.limit


PROCESS, TURNS = st.integers(0, 1), st.integers(0, 3)
KEY = st.sampled_from([b"a", b"a", b"a", b"b"])
ENDING = st.sampled_from([*Share, Share.KEEP, None])
ASK = st.tuples(st.just("ask"), TURNS, PROCESS, KEY, st.integers(0, 2))
END = st.tuples(st.just("end"), TURNS, st.integers(0, 3), ENDING)
STEP = st.one_of(
    ASK,
    ASK,
    END,
    END,
    st.tuples(st.just("cancel"), TURNS, st.integers(0, 9)),
    st.tuples(st.just("file"), TURNS, st.booleans()),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 2), st.lists(STEP, min_size=12, max_size=40))
def test_what_once_promises(processes: int, steps: list[tuple]) -> None:
    asyncio.run(_play(processes, steps))


async def _play(processes: int, steps: list[tuple]) -> None:
    world = World(processes)
    for what, turns, *rest in steps:
        open_ = [piece for piece in world.pieces if not piece.task.done()]
        if what == "ask":
            process, key, limit = rest
            world.ask(process % processes, key, limit)
        elif what == "file":
            (world.file.works,) = rest
        elif what == "cancel" and open_:
            open_[rest[0] % len(open_)].task.cancel()
        elif what == "end":
            ends = [piece.end for piece in open_ if piece.end and not piece.end.done()]
            if ends:
                ends[rest[0] % len(ends)].set_result(rest[1])
        for _ in range(turns):
            await asyncio.sleep(0)
    # Whatever was asked is answered once all work is let end.
    for _ in range(20 * (len(world.pieces) + 1)):
        for piece in world.pieces:
            if piece.end and not piece.end.done():
                piece.end.set_result(Share.KEEP)
        await asyncio.sleep(0)
    for piece in world.pieces:
        assert piece.task.done(), "somebody waits for nobody"
        if not piece.task.cancelled():
            error = piece.task.exception()
            assert error is None or isinstance(error, Fault)
    assert world.told.total() == world.answered
    for how in world.told:
        event(how)
    for once in world.once:
        assert not once._at_work
    # What outlives all was called KEEP, and nothing under a key that was ever alone here.
    for process, once in enumerate(world.once):
        for key, packed in once._kept.items():
            assert world.made[unpack(packed).number].value.share is Share.KEEP
            assert key not in world.was_alone[process], "of two endings one is kept"
    for packed in world.file.values.values():
        if packed != NOT_SHARED:
            assert world.made[unpack(packed).number].value.share is Share.KEEP


async def once_with(share: Share, times: int = 3, **fields: object) -> tuple[Counter, int]:
    """Asks so often, one after the other; how it was answered, and how much was done."""
    told: Counter[str] = Counter()
    once = Once(pack, unpack, lambda how: told.update([how]), **fields)
    done = 0

    async def work() -> Value:
        nonlocal done
        done += 1
        return Value(done, share)

    for _ in range(times):
        await once.get(b"k", work, lambda one: one.share)
    return told, done


@pytest.mark.parametrize("share", list(Share))
async def test_only_what_is_sure_is_kept(share: Share) -> None:
    told, done = await once_with(share)
    if share is Share.KEEP:
        assert (told, done) == ({"miss": 1, "hit": 2}, 1)
    else:
        assert (told, done) == ({"miss": 3}, 3)


async def test_who_asks_for_more_than_was_worked_out_works_himself() -> None:
    told: Counter[str] = Counter()
    once = Once(pack, unpack, lambda how: told.update([how]))

    async def ask(limit: int) -> Value:
        async def work() -> Value:
            await asyncio.sleep(0)
            return Value(limit, Share.JOIN, limit)

        value, _ = await once.get(b"k", work, lambda one: one.share, lambda one: limit <= one.limit)
        return value

    found = await asyncio.gather(ask(1), ask(2), ask(1), ask(2))
    assert [value.limit for value in found] == [1, 2, 1, 2]
    assert told == {"miss": 2, "joined": 2}


async def test_what_was_kept_leaves_when_it_proves_unsteady() -> None:
    once = Once(pack, unpack, lambda _: None)
    ends: list[asyncio.Future[Share]] = []

    async def work() -> Value:
        number = len(ends)
        ends.append(asyncio.get_running_loop().create_future())
        return Value(number, await ends[number])

    async def ask() -> asyncio.Task[tuple[Value, How]]:
        task = asyncio.create_task(once.get(b"k", work, lambda one: one.share))
        for _ in range(5):
            await asyncio.sleep(0)
        return task

    failed, waited = await ask(), await ask()
    ends[0].set_result(Share.FAILED)
    await failed
    kept = await ask()
    assert len(ends) == 3, "who waited in vain and who came later work side by side"
    ends[2].set_result(Share.KEEP)
    assert [(await kept)[1], (await (await ask()))[1]] == ["miss", "hit"]
    ends[1].set_result(Share.ALONE)
    await waited
    later = await ask()
    ends[3].set_result(Share.KEEP)
    assert (await later)[1] == "miss"
    await ask()
    assert len(ends) == 5


async def test_another_process_finds_it_in_the_file() -> None:
    file = Memory()
    assert (await once_with(Share.KEEP, 1, kept=file))[1] == 1
    assert await once_with(Share.KEEP, 2, kept=file) == ({"hit": 2}, 0)


async def test_what_one_process_saw_to_be_unsteady_no_other_keeps() -> None:
    file = Memory()
    await once_with(Share.ALONE, 1, kept=file)
    assert file.values == {b"k": NOT_SHARED}
    told, done = await once_with(Share.KEEP, 3, kept=file)
    assert (told, done) == ({"miss": 3}, 3)


async def test_garbage_in_the_file_is_a_miss() -> None:
    file = Memory()
    file.values[b"k"] = b"garbage"
    assert await once_with(Share.KEEP, 2, kept=file) == ({"miss": 1, "hit": 1}, 1)


async def test_a_large_value_is_for_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRY_BYTES", 2)
    told: Counter[str] = Counter()
    file = Memory()
    once = Once(pack, unpack, lambda how: told.update([how]), file)

    async def work() -> Value:
        await asyncio.sleep(0)
        return Value(1_000, Share.KEEP)

    await asyncio.gather(*(once.get(b"k", work, lambda one: one.share) for _ in range(5)))
    assert told == {"miss": 1, "joined": 4}
    await once.get(b"k", work, lambda one: one.share)
    assert told["miss"] == 2
    assert not file.values


async def test_memory_is_bounded() -> None:
    once = Once(pack, unpack, lambda _: None, most_bytes=20_000)

    async def work() -> Value:
        return Value(1, Share.KEEP)

    for number in range(100):
        await once.get(b"%d" % number, work, lambda one: one.share)
    assert 20 < len(once._kept) < 40
