"""Answers and the spend of each day, in one SQLite file that processes may share.

Invariants: those of `verifier.kept.store`; a spend is added only where it fits under the caps,
whichever process asks. What a killed process had reserved stays spent.

An answer that cannot be read or kept is asked for again; a cap that cannot be read is reached.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from verifier.judge.ask import Answer
from verifier.judge.budget import Caps, Spend
from verifier.kept import store

LAYOUT = store.Layout(
    version=1,
    table="answers",
    column="answer TEXT",
    more_tables="""
        CREATE TABLE IF NOT EXISTS spent
            (day TEXT PRIMARY KEY, nano_usd INTEGER NOT NULL, tokens INTEGER NOT NULL);
        """,
)

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
        self._store = store.Store(LAYOUT, path, most_bytes)

    async def get(self, key: bytes) -> Answer | None:
        """The answer kept under a key."""

        def work() -> Answer | None:
            found = self._store.value(key)
            if found is None:
                return None
            if store.long_ago(found[1]):
                self._store.touch(key)
            return Answer(**json.loads(found[0]), cost_usd=0.0, cached=True)

        try:
            return await self._store.run(work)
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
            with self._store.transaction():
                self._store.keep(key, json.dumps(kept))
                self._store.evict()

        self._later(work)

    async def reserve(self, spend: Spend, caps: Caps) -> Reservation:
        """Charges a spend to this day; raises OverBudget where it does not fit.

        Whoever is cancelled in here has nothing to settle that `settle` would not find out.
        """
        reservation = Reservation(datetime.now(UTC).date().isoformat(), spend)

        def work() -> None:
            with self._store.transaction():
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
            await self._store.run(work)
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
                with self._store.transaction():
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
        return await self._store.run(lambda: self._spent(day))

    async def close(self) -> None:
        """After what was handed over is done. What comes later is logged and lost."""
        await self._store.close()

    # In the store's thread, but for `_later`.

    def _later(self, work: Callable[[], None]) -> None:
        def logged() -> None:
            try:
                work()
            except sqlite3.Error as error:
                log.warning("the judge's cache cannot be written: %s", error)

        self._store.later(logged)

    def _spent(self, day: str) -> Spend:
        row = self._store.database.execute(
            "SELECT nano_usd, tokens FROM spent WHERE day = ?", (day,)
        ).fetchone()
        return Spend(*row) if row else Spend()

    def _charge(self, day: str, spend: Spend) -> None:
        self._store.database.execute(
            "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET "
            "nano_usd = nano_usd + excluded.nano_usd, tokens = tokens + excluded.tokens",
            (day, spend.nano_usd, spend.tokens),
        )
