"""`touchstone serve --cache FILE`: values that outlive a process, shared by those of one machine.

Invariants: a value comes back as it was put, or not at all, whatever became of the file (each
carries a checksum over itself and its key); no fault of the file raises, stops the service or
holds a question up for longer than READ_SECONDS; it is written beside the event loop, many values
in one transaction; what has failed rests for a while before it is tried again. The file's own
promises are the store's (`verifier.kept.store`).

Only the start refuses: a file that is something else, and a path where no file can be. One that is
damaged, read-only, locked or on a full disk is gone without, and tried again.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from verifier.kept.once import NOT_SHARED
from verifier.kept.store import ForeignFile, Layout, Store, long_ago

LAYOUT = Layout(
    version=1, table="results", column="result BLOB", application_id=int.from_bytes(b"Touc")
)

FILE_BYTES = 1 << 30
"""Of the file, unless something else is asked for: some 300,000 outcomes of programs."""

READ_SECONDS = 1.0
"""Wait for the file: reading takes some 50 microseconds, deciding afresh milliseconds."""

LOCK_SECONDS = 0.5
"""Wait for another process's transaction; a value that cannot be written is no loss."""

REST_SECONDS = 10.0
"""What failed is not tried again for so long."""

TOLD_SECONDS = 60.0
"""Between two lines of the log about a file that fails."""

PENDING = 256
"""Changes that wait to be written; the oldest of more are dropped."""

CHECKSUM_BYTES = 16

log = logging.getLogger(__name__)


class CacheError(Exception):
    """The file cannot be a cache; the message says why."""


class Disk:
    """Values by key. Made by `start`; belongs to one event loop. Close it when done."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path, self._most_bytes = path, most_bytes
        self._store: Store | None = None
        self._opening: asyncio.Task[None] | None = None
        self._pending: deque[Callable[[Store], None]] = deque(maxlen=PENDING)
        self._slow: asyncio.Future[bytes | None] | None = None
        self._rests = {"read": 0.0, "written": 0.0}
        self._told = -TOLD_SECONDS

    @classmethod
    async def start(cls, path: Path, most_bytes: int) -> Disk:
        """Opens the file, or makes it; what hinders that is logged, and tried again."""
        disk = cls(path, most_bytes)
        try:
            disk._store = await asyncio.to_thread(_open, path, most_bytes)
        except sqlite3.Error as error:
            disk._tell("opened", error)
            disk._opening = asyncio.create_task(disk._open_later())
        return disk

    async def get(self, key: bytes) -> bytes | None:
        """The value put under the key, by whichever process."""
        store = self._store
        if store is None or self._resting("read"):
            return None
        if self._slow is not None:
            if not self._slow.done():
                return None
            self._slow = None
        reading = asyncio.ensure_future(store.run(partial(self._read, store, key)))
        await asyncio.wait([reading], timeout=READ_SECONDS)
        if not reading.done():
            self._slow = reading
            self._tell("read", TimeoutError(f"not within {READ_SECONDS:g} s"))
            return None
        return reading.result()

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps a value, soon. One that is NOT_SHARED replaces others and is not replaced."""
        replacing = value == NOT_SHARED
        self._later(partial(Store.keep, key=key, value=_seal(key, value), replacing=replacing))

    async def close(self) -> None:
        """After what was put is written."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._store is not None:
            await self._store.close()

    async def _open_later(self) -> None:
        while self._store is None:
            await asyncio.sleep(REST_SECONDS)
            try:
                self._store = await asyncio.to_thread(_open, self._path, self._most_bytes)
            except sqlite3.Error as error:
                self._tell("opened", error)

    # ---- in any thread

    def _later(self, change: Callable[[Store], None]) -> None:
        if self._store is not None and not self._resting("written"):
            self._pending.append(change)
            self._store.later(partial(self._write, self._store))

    def _resting(self, what: str) -> bool:
        return time.monotonic() < self._rests[what]

    def _tell(self, what: str, error: Exception) -> None:
        now = time.monotonic()
        if now - self._told >= TOLD_SECONDS:
            self._told = now
            log.warning(
                "--cache %s cannot be %s, results are not kept there: %s", self._path, what, error
            )

    def _failed(self, what: str, error: Exception) -> None:
        self._rests[what] = time.monotonic() + REST_SECONDS
        self._tell(what, error)

    # ---- in the store's thread

    def _read(self, store: Store, key: bytes) -> bytes | None:
        try:
            found = store.value(key)
        except (sqlite3.Error, UnicodeError) as error:  # the latter of a damaged column
            self._failed("read", error)
            return None
        if found is None:
            return None
        value = _unseal(key, found[0])
        if value is None:
            self._later(partial(Store.forget, key=key))
        elif isinstance(found[1], float) and long_ago(found[1]):
            self._later(partial(Store.touch, key=key))
        return value

    def _write(self, store: Store) -> None:
        """Writes all that waits."""
        if not self._pending or self._resting("written"):
            self._pending.clear()
            return
        try:
            with store.transaction():
                while self._pending:
                    self._pending.popleft()(store)
                store.evict()
        except sqlite3.Error as error:
            self._failed("written", error)


def _seal(key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(value, key=key[:64], digest_size=CHECKSUM_BYTES).digest() + value


def _unseal(key: bytes, sealed: object) -> bytes | None:
    """The value, or None for bytes that were not sealed under this key."""
    if not isinstance(sealed, bytes):
        return None
    value = sealed[CHECKSUM_BYTES:]
    return value if _seal(key, value) == sealed else None


async def check(path: Path, most_bytes: int) -> None:
    """Makes the file where there is none. Raises CacheError where there can be none, and for a
    file that is something else; what may pass is left for later."""

    def work() -> None:
        try:
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            _open(path, most_bytes).database.close()
        except ForeignFile as error:
            raise CacheError(str(error)) from error
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise CacheError(f"{path}: {error.strerror}") from error
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB or not path.is_file():
                raise CacheError(f"{path}: {error}") from error

    await asyncio.to_thread(work)


def _open(path: Path, most_bytes: int) -> Store:
    return Store(LAYOUT, str(path), most_bytes, LOCK_SECONDS)
