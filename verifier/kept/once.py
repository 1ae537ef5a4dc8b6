"""Equal work is done once: within a batch, across batches, and with a file across processes.

Invariants:
- Who asks gets a value of `work` under an equal key, its own or one that `share` let others have.
- At most one is at work under a key, but for what is not to be shared; who waits for another's
  work and finds that it was cancelled, or raised, works itself.
- Only what `share` calls KEEP outlives those who wait for it. Once a value under a key was ALONE,
  none under that key is kept or waited for again: of what may end in two ways the one that happens
  to look steady must not stay.
- Kept values are bytes here, so no two who ask hold the same object.
- Bounded in bytes, the least recently used leaves first. A file that fails is a miss.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Literal, Protocol, TypeVar

from cachetools import LRUCache

KEPT_BYTES = 64 << 20
"""Memory of one process for values: some 20,000 outcomes of programs with 20 tests each."""

ENTRY_BYTES = 256 << 10
"""Of one value: evidence of some 50 failed tests at its longest. Larger ones are shared with those
who wait for them, and not kept."""

OVERHEAD_BYTES = 512
"""What a value takes in memory beside its bytes: two objects, a place in two dictionaries."""

ALONE = 65_536
"""Keys remembered whose values are not to be shared."""

How = Literal["hit", "miss", "joined"]
"""Kept already; worked out for who asked; worked out meanwhile for another who had asked."""

NOT_SHARED = b""
"""Kept in a file in place of a value that is ALONE. No value packs to it."""

T = TypeVar("T")


class Share(Enum):
    """Who else may have a value."""

    KEEP = "whoever asks: another run would certainly give it again"
    JOIN = "those who wait for it; it must be an object that nobody changes"
    FAILED = "nobody: each works itself, which says nothing of the next time"
    ALONE = "nobody, now or later: chance had a part in it"


class Kept(Protocol):
    """Values in a file; `verifier.kept.disk`."""

    async def get(self, key: bytes) -> bytes | None:
        """The value, or None. Raises nothing but CancelledError, and never takes long."""

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps a value, some time. A value that is NOT_SHARED is never replaced."""


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """How a piece of work ended, for those who waited."""

    share: Share
    value: T
    packed: bytes
    """Of a value that is KEEP: the other one is its owner's to change."""


class Once(Generic[T]):
    """Values by what they rest on; belongs to one event loop.

    `unpack(pack(value))` is equal to `value`; `unpack` raises ValueError for bytes that `pack` did
    not make. `count` is told how each question was answered.
    """

    def __init__(
        self,
        pack: Callable[[T], bytes],
        unpack: Callable[[bytes], T],
        count: Callable[[How], None],
        kept: Kept | None = None,
        most_bytes: int = KEPT_BYTES,
    ) -> None:
        self._pack, self._unpack, self._count, self._file = pack, unpack, count, kept
        self._kept: LRUCache[bytes, bytes] = LRUCache(
            most_bytes, getsizeof=lambda value: len(value) + OVERHEAD_BYTES
        )
        self._alone: LRUCache[bytes, bool] = LRUCache(ALONE)
        self._at_work: dict[bytes, asyncio.Future[_Done[T] | None]] = {}

    async def get(
        self,
        key: bytes,
        work: Callable[[], Awaitable[T]],
        share: Callable[[T], Share],
        suits: Callable[[T], bool] = lambda _: True,
        lasts: bool = True,
    ) -> tuple[T, How]:
        """The value under the key: kept, of another's work that `suits`, or of `work`.

        `lasts`: a value that is KEEP goes to the file too.
        """
        while key not in self._alone:
            packed = self._kept.get(key)
            if packed is not None:
                return self._told(self._unpack(packed), "hit")
            if key not in self._at_work:
                return await self._lead(key, work, share, lasts)
            leader = self._at_work[key]
            await asyncio.wait([leader])
            done = leader.result()
            if done is None:
                continue
            if done.share is Share.KEEP:
                return self._told(self._unpack(done.packed), "joined")
            if done.share is Share.JOIN and suits(done.value):
                return self._told(done.value, "joined")
            if done.share is Share.FAILED:
                break
        value = await work()
        if share(value) is Share.ALONE:
            self._leave_alone(key, lasts)
        return self._told(value, "miss")

    def _told(self, value: T, how: How) -> tuple[T, How]:
        self._count(how)
        return value, how

    async def _lead(
        self,
        key: bytes,
        work: Callable[[], Awaitable[T]],
        share: Callable[[T], Share],
        lasts: bool,
    ) -> tuple[T, How]:
        """Looks into the file, or works, for all who ask meanwhile."""
        leading = self._at_work[key] = asyncio.get_running_loop().create_future()
        done: _Done[T] | None = None
        try:
            packed = await self._file.get(key) if self._file is not None and lasts else None
            if packed == NOT_SHARED:
                self._alone[key] = True
            elif packed is not None and (found := self._readable(packed)) is not None:
                self._keep(key, packed, lasts=False)
                done = _Done(Share.KEEP, found, packed)
                return self._told(found, "hit")
            else:
                value = await work()
                done = _Done(share(value), value, b"")
                if done.share is Share.KEEP:
                    done = _Done(done.share, value, self._pack(value))
                    self._keep(key, done.packed, lasts)
                elif done.share is Share.ALONE:
                    self._leave_alone(key, lasts)
                return self._told(value, "miss")
        finally:
            del self._at_work[key]
            leading.set_result(done)
        return self._told(await work(), "miss")  # alone: nobody waits for this

    def _readable(self, packed: bytes) -> T | None:
        try:
            return self._unpack(packed)
        except ValueError:
            return None

    def _keep(self, key: bytes, packed: bytes, lasts: bool) -> None:
        if len(packed) > ENTRY_BYTES or len(packed) + OVERHEAD_BYTES > self._kept.maxsize:
            return
        self._kept[key] = packed
        if self._file is not None and lasts:
            self._file.put(key, packed)

    def _leave_alone(self, key: bytes, lasts: bool) -> None:
        new = key not in self._alone
        self._alone[key] = True
        self._kept.pop(key, None)
        if new and self._file is not None and lasts:
            self._file.put(key, NOT_SHARED)
