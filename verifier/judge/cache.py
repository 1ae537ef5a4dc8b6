"""Answers and the spend of each day, in one SQLite file that processes may share.

Invariants: all SQL runs in one thread, in the order it was handed over, so that the event loop
never waits for a disk; each change is one transaction in a write-ahead log, so that a process
killed at any moment leaves a file that the next one reads; the size stays bounded, the least
recently used answers leave first; a spend is added only where it fits under the caps, whichever
process asks. What a killed process had reserved stays spent.

An answer that cannot be read or kept is asked for again; a cap that cannot be read is reached.
Not covered: a file on a network disk, where SQLite's locks do not hold; one that is deleted while
it is in use, for another process then begins a new one with a cap of its own; and one whose `-shm`
is cut short, which ends the processes that map it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import tenacity

from verifier.judge.ask import Answer
from verifier.judge.budget import Caps, Spend

BUSY_SECONDS = 10.0
"""Wait for another process's transaction, which takes milliseconds."""

USED_STEP_SECONDS = 3_600.0
"""How exactly it is known when an answer was last used: a hit writes at most once in so long."""

EVICTED_AT_ONCE = 64
"""Answers that leave together: a commit costs as much as several of them."""

LOG_BYTES = 16 << 20
"""The write-ahead log is cut back to this once it was larger."""

VERSION = 1
"""Of the tables; a file of another one is refused."""

_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, used REAL NOT NULL, answer TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS answers_used ON answers (used);
CREATE TABLE IF NOT EXISTS spent (
    day TEXT PRIMARY KEY, nano_usd INTEGER NOT NULL, tokens INTEGER NOT NULL
);
PRAGMA user_version = {VERSION};
COMMIT;
"""

T = TypeVar("T")
log = logging.getLogger(__name__)


class OverBudget(Exception):
    """The spend would go beyond a cap; the message names it."""


@dataclass
class Reservation:
    """A spend charged before it is known. `held` belongs to the store's thread."""

    day: str
    spend: Spend
    held: bool = False


class Store:
    """Opens the file, or raises sqlite3.Error: no database, of another version, not writable."""

    def __init__(self, path: str, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="judge-store")
        self._database = _open(path)
        self._waits = True
        self._page_bytes = int(self._one("PRAGMA page_size"))

    async def get(self, key: bytes) -> Answer | None:
        """The answer kept under a key."""

        def work() -> Answer | None:
            row = self._database.execute(
                "SELECT answer, used FROM answers WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                return None
            now = time.time()
            if now - row[1] > USED_STEP_SECONDS:
                self._database.execute("UPDATE answers SET used = ? WHERE key = ?", (now, key))
            return Answer(**json.loads(row[0]), cost_usd=0.0, cached=True)

        try:
            return await self._run(work)
        except (sqlite3.Error, ValueError, TypeError) as error:  # the latter of a damaged row
            log.warning("the judge's cache cannot be read: %s", error)
            return None

    def put(self, key: bytes, answer: Answer) -> None:
        """Keeps an answer, soon: whoever gets after this finds it."""
        kept = {
            name: value
            for name, value in vars(answer).items()
            if name not in ("cost_usd", "cached")
        }

        def work() -> None:
            with self._transaction():
                self._database.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                    (key, time.time(), json.dumps(kept)),
                )
                self._evict()

        self._later(work)

    async def reserve(self, spend: Spend, caps: Caps) -> Reservation:
        """Charges a spend to this day; raises OverBudget where it does not fit.

        Whoever is cancelled in here has nothing to settle that `settle` would not find out.
        """
        reservation = Reservation(datetime.now(UTC).date().isoformat(), spend)

        def work() -> None:
            with self._transaction():
                before = self._spent(reservation.day)
                total = Spend(before.nano_usd + spend.nano_usd, before.tokens + spend.tokens)
                if passed := caps.passed(total):
                    raise OverBudget(
                        f"{passed} per day: {before.usd:.6g} USD and {before.tokens} tokens are "
                        f"spent or reserved, this request may take {spend.usd:.6g} USD and "
                        f"{spend.tokens} tokens"
                    )
                self._charge(reservation.day, spend)
            reservation.held = True

        try:
            await self._run(work)
        except asyncio.CancelledError:
            self.settle(reservation, Spend())
            raise
        except sqlite3.Error as error:
            if caps != Caps():
                raise OverBudget(f"the spend of this day cannot be read: {error}") from error
            log.warning("the judge's spend cannot be written: %s", error)
        return reservation

    def settle(self, reservation: Reservation, used: Spend) -> None:
        """Replaces a reserved spend by the real one, soon."""

        def work() -> None:
            if reservation.held:
                with self._transaction():
                    self._charge(
                        reservation.day,
                        Spend(
                            used.nano_usd - reservation.spend.nano_usd,
                            used.tokens - reservation.spend.tokens,
                        ),
                    )
                reservation.held = False

        self._later(work)

    async def spent(self) -> Spend:
        """This day's spend, with what is reserved."""
        day = datetime.now(UTC).date().isoformat()
        return await self._run(lambda: self._spent(day))

    async def close(self) -> None:
        """After what was handed over is done. What comes later is logged and lost."""
        await self._run(self._database.close)

    # In the store's thread, but for `_open`.

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _later(self, work: Callable[[], None]) -> None:
        def logged() -> None:
            try:
                work()
            except sqlite3.Error as error:
                log.warning("the judge's cache cannot be written: %s", error)

        self._thread.submit(logged)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            self._wait_for_locks(not _busy(error))
            raise
        self._wait_for_locks(True)
        try:
            yield
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _wait_for_locks(self, wait: bool) -> None:
        """Whoever held a lock for so long may hold it longer: others do not wait for that too."""
        if wait != self._waits:
            self._database.execute(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS * wait:.0f}")
            self._waits = wait

    def _one(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])

    def _evict(self) -> None:
        while self._bytes() > self._most_bytes:
            left = self._database.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used LIMIT ?)",
                (EVICTED_AT_ONCE,),
            ).rowcount
            if not left:
                return

    def _bytes(self) -> int:
        """Of the pages in use; free ones are taken again before the file grows."""
        return self._page_bytes * (
            self._one("PRAGMA page_count") - self._one("PRAGMA freelist_count")
        )

    def _spent(self, day: str) -> Spend:
        row = self._database.execute(
            "SELECT nano_usd, tokens FROM spent WHERE day = ?", (day,)
        ).fetchone()
        return Spend(*row) if row else Spend()

    def _charge(self, day: str, spend: Spend) -> None:
        self._database.execute(
            "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET "
            "nano_usd = nano_usd + excluded.nano_usd, tokens = tokens + excluded.tokens",
            (day, spend.nano_usd, spend.tokens),
        )


def _busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


# Two processes that turn the log on at once do not wait for each other by themselves.
@tenacity.retry(
    retry=tenacity.retry_if_exception(_busy),
    wait=tenacity.wait_random(0.01, 0.1),
    stop=tenacity.stop_after_delay(BUSY_SECONDS),
    reraise=True,
)
def _open(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"{path}: version {VERSION} wanted, found {version}")
        database.execute("PRAGMA journal_mode = WAL")
        # Killed processes lose nothing with it; a crash of the machine loses the last answers.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        database.executescript(_TABLES)
    except sqlite3.Error:
        database.close()
        raise
    return database
