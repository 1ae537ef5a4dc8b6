"""Values by key in a SQLite file that processes may share, and the one thread that does its SQL.

Invariants: all SQL runs in one thread, in the order it was handed over, so that the event loop
never waits for a disk; each change is one transaction in a write-ahead log, so that a process
killed at any moment leaves a file that the next one reads; the size stays bounded, the least
recently used values leave first; a file that is something else is refused, not written to.

Not covered: a file on a network disk, where SQLite's locks do not hold; one that is deleted while
it is in use, for another process then begins a new one; and one whose `-shm` is cut short, which
ends the processes that map it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import tenacity

BUSY_SECONDS = 10.0
"""Wait for another process's transaction, which takes milliseconds."""

USED_STEP_SECONDS = 3_600.0
"""How exactly it is known when a value was last used: a hit writes at most once in so long."""

EVICTED_AT_ONCE = 64
"""Values that leave together: a commit costs as much as several of them."""

LOG_BYTES = 16 << 20
"""The write-ahead log is cut back to this once it was larger."""

T = TypeVar("T")


class ForeignFile(sqlite3.DatabaseError):
    """The file is a database of something else, or of another version."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file is. `table` holds the values: its columns are key, used and `column`."""

    version: int
    table: str
    column: str
    application_id: int = 0
    more_tables: str = ""
    """SQL that creates what else there is."""

    @property
    def sql(self) -> str:
        """Creates the tables where they are missing."""
        table, column = self.table, self.column
        return f"""
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS {table}
                (key BLOB PRIMARY KEY, used REAL NOT NULL, {column} NOT NULL);
            CREATE INDEX IF NOT EXISTS {table}_used ON {table} (used);
            {self.more_tables}
            PRAGMA application_id = {self.application_id};
            PRAGMA user_version = {self.version};
            COMMIT;
            """


class Store:
    """Opens the file, or raises sqlite3.Error: ForeignFile, not writable, damaged.

    Without a path the values are in memory. `run`, `later` and `close` are for any thread; what
    follows them is for work handed to these.
    """

    def __init__(
        self, layout: Layout, path: str, most_bytes: int, busy_seconds: float | None = None
    ) -> None:
        self.layout = layout
        self._most_bytes = most_bytes
        self._busy_seconds = BUSY_SECONDS if busy_seconds is None else busy_seconds
        self._waits = True
        self.database = _open(path, layout, self._busy_seconds)
        try:
            self._page_bytes = int(self._one("PRAGMA page_size"))
        except sqlite3.Error:
            self.database.close()
            raise
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{layout.table}-store")

    async def run(self, work: Callable[[], T]) -> T:
        """Does the work in the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def later(self, work: Callable[[], None]) -> Future[None]:
        """The same, soon; `work` handles its errors."""
        return self._thread.submit(work)

    async def close(self) -> None:
        """After what was handed over is done; what comes later meets sqlite3.ProgrammingError."""
        await self.run(self.database.close)

    # ---- in the store's thread

    def value(self, key: bytes) -> tuple[Any, float] | None:
        """The value kept under a key and when it was last used, seconds since 1970."""
        column = self.layout.column.split()[0]
        row: tuple[Any, float] | None = self.database.execute(
            f"SELECT {column}, used FROM {self.layout.table} WHERE key = ?", (key,)
        ).fetchone()
        return row

    def touch(self, key: bytes) -> None:
        """Notes that a value is used now."""
        sql = f"UPDATE {self.layout.table} SET used = ? WHERE key = ?"
        self.database.execute(sql, (time.time(), key))

    def keep(self, key: bytes, value: str | bytes, replacing: bool = True) -> None:
        """Keeps a value; part of a transaction. Not `replacing`, an older one stays."""
        how = "REPLACE" if replacing else "IGNORE"
        sql = f"INSERT OR {how} INTO {self.layout.table} VALUES (?, ?, ?)"
        self.database.execute(sql, (key, time.time(), value))

    def forget(self, key: bytes) -> None:
        """Removes a value."""
        self.database.execute(f"DELETE FROM {self.layout.table} WHERE key = ?", (key,))

    def evict(self) -> None:
        """Removes the values not used for longest, down to the bound; part of a transaction."""
        table = self.layout.table
        while self._bytes() > self._most_bytes:
            left = self.database.execute(
                f"DELETE FROM {table} WHERE key IN (SELECT key FROM {table} ORDER BY used LIMIT ?)",
                (EVICTED_AT_ONCE,),
            ).rowcount
            if not left:
                return

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        try:
            self.database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            self._wait_for_locks(not busy(error))
            raise
        self._wait_for_locks(True)
        try:
            yield
            self.database.execute("COMMIT")
        finally:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")

    def _wait_for_locks(self, wait: bool) -> None:
        """Whoever held a lock for so long may hold it longer: others do not wait for that too."""
        if wait != self._waits:
            milliseconds = 1000 * self._busy_seconds * wait
            self.database.execute(f"PRAGMA busy_timeout = {milliseconds:.0f}")
            self._waits = wait

    def _one(self, query: str) -> int:
        return int(self.database.execute(query).fetchone()[0])

    def _bytes(self) -> int:
        """Of the pages in use; free ones are taken again before the file grows."""
        return self._page_bytes * (
            self._one("PRAGMA page_count") - self._one("PRAGMA freelist_count")
        )


def long_ago(used: float) -> bool:
    """Whether it is worth a `touch` that a value which was last used then is used again."""
    return time.time() - used > USED_STEP_SECONDS


def busy(error: BaseException) -> bool:
    """Whether another process holds a lock."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def _open(path: str, layout: Layout, busy_seconds: float) -> sqlite3.Connection:
    # Two processes that turn the log on at once do not wait for each other by themselves.
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(busy),
        wait=tenacity.wait_random(0.01, 0.1),
        stop=tenacity.stop_after_delay(busy_seconds),
        reraise=True,
    )
    return retrying(_open_once, path, layout, busy_seconds)


def _open_once(path: str, layout: Layout, busy_seconds: float) -> sqlite3.Connection:
    if path:
        # Answers and outputs are nobody else's to read; SQLite gives its log the same mode. What
        # cannot be made, it tells of in its own words.
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    database = sqlite3.connect(
        path or ":memory:", timeout=busy_seconds, isolation_level=None, check_same_thread=False
    )
    try:
        # The file may be anybody's: what it defines runs no functions, and its pages are checked.
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")
        new = _is_new(database, path, layout)
        database.execute("PRAGMA journal_mode = WAL")
        # Killed processes lose nothing with it; a crash of the machine loses the last values.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        if new:
            database.executescript(layout.sql)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _is_new(database: sqlite3.Connection, path: str, layout: Layout) -> bool:
    """Whether nothing is in the file yet. Raises ForeignFile."""
    database.execute("BEGIN")  # one look, while another process may be making the tables
    (application_id,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    database.execute("COMMIT")
    if not (application_id or version or tables):
        return True
    if application_id != layout.application_id or not version:
        raise ForeignFile(f"{path}: a database of something else, not one of {layout.table}")
    if version != layout.version:
        raise ForeignFile(f"{path}: version {layout.version} wanted, found {version}")
    return False
