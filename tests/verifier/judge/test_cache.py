"""The store: what is kept, by whom, and what a killed process leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from verifier.judge.ask import Answer
from verifier.judge.budget import Caps, Spend
from verifier.judge.cache import OverBudget, Store
from verifier.kept import store as kept

ROOT = Path(__file__).parents[3]
MIB = 1 << 20


def answer(text: str = "yes") -> Answer:
    return Answer(
        text=text,
        logprobs={"yes": -0.1},
        prompt_tokens=3,
        completion_tokens=1,
        cost_usd=0.5,
        cached=False,
        model="m",
        endpoint="http://a/v1",
        finish="stop",
    )


async def test_what_is_kept_outlives_the_process_and_is_free(tmp_path: Path) -> None:
    path = str(tmp_path / "judge.sqlite")
    store = Store(path, MIB)
    odd = answer("\ud800\0\n\"é'")
    store.put(b"k", odd)
    store.put(b"l", answer())
    await store.close()
    store = Store(path, MIB)
    assert await store.get(b"k") == replace(odd, cost_usd=0.0, cached=True)
    assert await store.get(b"m") is None
    store.put(b"k", answer("other"))
    kept = await store.get(b"k")
    assert kept is not None
    assert kept.text == "other"
    await store.close()


async def test_without_a_path_it_is_kept_in_memory() -> None:
    one, other = Store("", MIB), Store("", MIB)
    one.put(b"k", answer())
    assert await one.get(b"k")
    assert await other.get(b"k") is None
    await one.close()
    await other.close()


async def test_the_size_is_bounded_and_the_least_used_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "judge.sqlite"
    monkeypatch.setattr(kept, "USED_STEP_SECONDS", 0.0)
    store = Store(str(path), MIB)
    for number in range(400):
        store.put(b"%d" % number, answer("x" * 10_000))
        assert await store.get(b"0"), number
    found = [bool(await store.get(b"%d" % number)) for number in range(400)]
    assert 30 <= sum(found) <= MIB / 10_000
    assert found[0]
    assert all(found[-30:])
    await store.close()
    assert path.stat().st_size < 1.2 * MIB


async def test_one_that_is_larger_than_all_is_not_kept() -> None:
    store = Store("", MIB)
    store.put(b"k", answer("x" * 2 * MIB))
    assert await store.get(b"k") is None
    store.put(b"l", answer())
    assert await store.get(b"l")
    await store.close()


async def test_spend_is_reserved_and_settled() -> None:
    store = Store("", MIB)
    caps = Caps(usd=1e-6, tokens=100)
    first = await store.reserve(Spend(600, 60), caps)
    with pytest.raises(OverBudget, match=r"^usd 1e-06 per day: 6e-07 USD and 60 tokens are spent"):
        await store.reserve(Spend(401, 1), caps)
    with pytest.raises(OverBudget, match=r"^tokens 100 per day: "):
        await store.reserve(Spend(1, 41), caps)
    exact = await store.reserve(Spend(400, 40), caps)
    assert await store.spent() == Spend(1_000, 100)
    store.settle(first, Spend(100, 10))
    store.settle(first, Spend(100, 10))
    store.settle(exact, Spend())
    assert await store.spent() == Spend(100, 10)
    await store.close()


async def test_who_is_cancelled_while_reserving_leaves_no_charge(tmp_path: Path) -> None:
    path = tmp_path / "judge.sqlite"
    store = Store(str(path), MIB)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    tasks = [asyncio.create_task(store.reserve(Spend(1, 1), Caps())) for _ in range(5)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    other.execute("COMMIT")
    other.close()
    assert await store.spent() == Spend()
    await store.close()


async def test_a_cap_that_cannot_be_read_is_reached_and_a_cache_is_a_miss() -> None:
    store = Store("", MIB)
    await store.close()
    assert await store.get(b"k") is None
    store.put(b"k", answer())
    assert not (await store.reserve(Spend(1, 1), Caps())).held
    with pytest.raises(OverBudget, match="the spend of this day cannot be read"):
        await store.reserve(Spend(1, 1), Caps(tokens=1_000))


def test_files_that_are_no_store_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("This is no database, but it is long enough to be looked at." * 40)
    with pytest.raises(sqlite3.DatabaseError):
        Store(str(path), MIB)
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(sqlite3.DatabaseError, match="version 1 wanted, found 99"):
        Store(str(newer), MIB)
    with pytest.raises(sqlite3.OperationalError):
        Store(str(tmp_path / "no" / "such" / "folder"), MIB)


WRITER = """
import asyncio, sys
from tests.verifier.judge.test_cache import answer
from verifier.judge.cache import Store

async def main():
    store = Store(sys.argv[1], 1 << 30)
    for number in range(10**9):
        store.put(b"%s %d" % (sys.argv[2].encode(), number), answer("x" * (number * 37 % 20_000)))
        if number % 10 == 0:
            await store.get(b"")
            print(number, flush=True)

asyncio.run(main())
"""


async def test_killed_writers_leave_a_store_that_can_be_read(tmp_path: Path) -> None:
    """kill -9 of two processes in mid-write, again and again; what was told as kept is there."""
    path, told = tmp_path / "judge.sqlite", {}
    for round_ in range(5):
        names = [f"{round_}-{place}" for place in range(2)]
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(path), name], cwd=ROOT, stdout=subprocess.PIPE
            )
            for name in names
        ]
        for name, writer in zip(names, writers, strict=True):
            assert writer.stdout is not None
            for _ in range(5 + 3 * round_):
                told[name] = int(writer.stdout.readline())
        time.sleep(0.01 * round_)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.communicate()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    store = Store(str(path), 1 << 30)
    for name, last in told.items():
        for number in range(last + 1):
            kept = await store.get(b"%s %d" % (name.encode(), number))
            assert kept is not None
            assert len(kept.text) == number * 37 % 20_000
    store.put(b"after", answer())
    assert await store.get(b"after")
    await store.close()


SPENDER = """
import asyncio, sys
from verifier.judge.budget import Caps, Spend
from verifier.judge.cache import OverBudget, Store

async def main():
    store = Store(sys.argv[1], 1 << 30)
    done = 0
    try:
        while True:
            reservation = await store.reserve(Spend(0, 10), Caps(tokens=3_000))
            store.settle(reservation, Spend(0, 7))
            done += 1
    except OverBudget:
        print(done)
    await store.close()

asyncio.run(main())
"""


async def test_processes_share_one_cap(tmp_path: Path) -> None:
    """They also open a new file at once."""
    path = tmp_path / "judge.sqlite"
    spenders = [
        subprocess.Popen(
            [sys.executable, "-c", SPENDER, str(path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    done = sum(int(spender.communicate()[0]) for spender in spenders)
    store = Store(str(path), MIB)
    assert await store.spent() == Spend(0, 7 * done)
    assert 3_000 - 40 <= 7 * done <= 3_000
    await store.close()
