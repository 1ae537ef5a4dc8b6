"""The file: what comes back from it, and what no fault of it may do."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from verifier.judge.cache import Store as JudgeStore
from verifier.kept import disk
from verifier.kept.disk import CacheError, Disk
from verifier.kept.once import NOT_SHARED

ROOT = Path(__file__).parents[3]
MIB = 1 << 20


@contextmanager
def mounted(where: Path, *options: str) -> Iterator[Path]:
    """A file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", where], capture_output=True)
    if done.returncode:
        pytest.skip(f"no mounts here: {done.stderr.decode().strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", where], check=True)


async def test_what_is_put_comes_back_here_and_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    one, other = await Disk.start(path, MIB), await Disk.start(path, MIB)
    one.put(b"a", b"1")
    one.put(b"b", NOT_SHARED)
    one.put(b"c", b"first")
    one.put(b"c", NOT_SHARED)
    one.put(b"c", b"last")
    assert [await one.get(key) for key in (b"a", b"b", b"c", b"d")] == [b"1", b"", b"", None]
    assert [await other.get(key) for key in (b"a", b"b", b"c", b"d")] == [b"1", b"", b"", None]
    await one.close()
    await other.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert await one.get(b"a") is None
    one.put(b"a", b"1")


async def test_its_size_is_bounded(tmp_path: Path) -> None:
    kept = await Disk.start(tmp_path / "kept.sqlite", MIB)
    for number in range(300):
        kept.put(b"%d" % number, b"x" * 10_000)
        assert await kept.get(b"%d" % number)
    found = [await kept.get(b"%d" % number) is not None for number in range(300)]
    assert 30 < sum(found) <= MIB / 10_000
    assert all(found[-30:])
    await kept.close()


async def test_a_value_that_was_changed_is_none(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    kept = await Disk.start(path, MIB)
    for key in (b"bit", b"moved", b"text", b"number", b"cut"):
        kept.put(key, b"value of " + key)
        assert await kept.get(key)
    with sqlite3.connect(path) as database:
        change = "UPDATE results SET result = ? WHERE key = ?"
        (sealed,) = database.execute(
            "SELECT result FROM results WHERE key = ?", (b"bit",)
        ).fetchone()
        database.execute(change, (sealed[:-1] + b"?", b"bit"))
        database.execute(change, (sealed, b"moved"))
        database.execute(change, ("value of text", b"text"))
        database.execute(change, (7, b"number"))
        database.execute(change, (sealed[:7], b"cut"))
    database.close()
    for key in (b"bit", b"moved", b"text", b"number", b"cut"):
        assert await kept.get(key) is None
        kept.put(key, b"new")
        assert await kept.get(key) == b"new"
    await kept.close()


async def test_the_start_refuses_what_is_no_cache(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("This is no database, but it is long enough to be looked at." * 40)
    with pytest.raises(CacheError, match="text: file is not a database"):
        await disk.check(text, MIB)
    judge = tmp_path / "judge.sqlite"
    await JudgeStore(str(judge), MIB).close()
    with pytest.raises(CacheError, match="a database of something else, not one of results"):
        await disk.check(judge, MIB)
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as database:
        database.execute(f"PRAGMA application_id = {disk.LAYOUT.application_id}")
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(CacheError, match="version 1 wanted, found 99"):
        await disk.check(newer, MIB)
    with pytest.raises(CacheError, match="No such file or directory"):
        await disk.check(tmp_path / "no" / "folder", MIB)
    with pytest.raises(CacheError):
        await disk.check(tmp_path, MIB)
    before = text.read_bytes()
    kept = await Disk.start(text, MIB)  # as a process that is started again does
    kept.put(b"a", b"1")
    assert await kept.get(b"a") is None
    await kept.close()
    assert text.read_bytes() == before
    own = tmp_path / "own.sqlite"
    await disk.check(own, MIB)
    await disk.check(own, MIB)
    with pytest.raises(sqlite3.DatabaseError, match="a database of something else"):
        JudgeStore(str(own), MIB)


@pytest.mark.parametrize("harm", ["garbage", "truncated", "deleted", "header"])
async def test_a_file_that_is_harmed_gives_nothing_false(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "kept.sqlite"
    kept = await Disk.start(path, MIB)
    wanted = {b"%d" % number: b"%d" % number * 500 for number in range(100)}
    for key, value in wanted.items():
        kept.put(key, value)
        assert await kept.get(key) == value
    if harm == "deleted":
        for file in tmp_path.iterdir():
            file.unlink()
    else:
        for file in (path, Path(f"{path}-wal")):
            content = file.read_bytes()
            spoilt = {
                "garbage": os.urandom(len(content)),
                "truncated": content[: len(content) // 3],
                # The rest of the database is left as it was.
                "header": content[:100] + os.urandom(4000) + content[4100:],
            }[harm]
            file.write_bytes(spoilt)
    for _ in range(2):
        for key, value in wanted.items():
            assert await kept.get(key) in (None, value)
            kept.put(key, value)
        await kept.close()
        kept = await Disk.start(path, MIB)
    await kept.close()


async def test_a_lock_that_is_held_costs_no_question(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "kept.sqlite"
    kept = await Disk.start(path, MIB)
    kept.put(b"a", b"1")
    assert await kept.get(b"a") == b"1"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    for number in range(200):
        kept.put(b"%d" % number, b"2")
    assert await kept.get(b"a") == b"1"
    for _ in range(200):
        assert await kept.get(b"a") == b"1"
    assert time.monotonic() - began < 60  # and not ten minutes
    holder.execute("COMMIT")
    holder.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "cannot be written" in caplog.text
    kept._rests["written"] = 0.0
    kept.put(b"after", b"3")
    assert await kept.get(b"after") == b"3"
    await kept.close()


async def test_a_disk_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "READ_SECONDS", 0.1)
    kept = await Disk.start(tmp_path / "kept.sqlite", MIB)
    kept.put(b"a", b"1")
    assert await kept.get(b"a") == b"1"
    assert kept._store is not None
    over = threading.Event()
    kept._store.later(over.wait)
    began = time.monotonic()
    assert [await kept.get(b"a") for _ in range(500)] == [None] * 500
    assert time.monotonic() - began < 20  # one is waited for; all of them would take 50 s
    over.set()
    async with asyncio.timeout(60):
        while await kept.get(b"a") != b"1":
            await asyncio.sleep(0.05)
    await kept.close()


async def test_a_full_disk(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "-o", "size=300k") as folder:
        path = folder / "kept.sqlite"
        kept = await Disk.start(path, 10 * MIB)
        wanted = {b"%d" % number: os.urandom(20_000) for number in range(30)}
        for key, value in wanted.items():
            kept.put(key, value)
            assert await kept.get(key) in (None, value)
        assert kept._resting("written")
        kept._rests = dict.fromkeys(kept._rests, 0.0)
        assert await kept.get(b"0") == wanted[b"0"]
        await kept.close()
        done = subprocess.run(["dd", "if=/dev/zero", f"of={folder}/rest"], capture_output=True)
        assert b"No space left" in done.stderr
        await disk.check(path, MIB)
        await disk.check(folder / "new.sqlite", MIB)
        for name in ("kept.sqlite", "new.sqlite"):
            kept = await Disk.start(folder / name, MIB)
            kept.put(b"x", b"1")
            assert await kept.get(b"x") in (None, b"1")
            assert await kept.get(b"0") in (None, wanted[b"0"])
            await kept.close()


async def test_a_read_only_disk(tmp_path: Path) -> None:
    with mounted(tmp_path / "fixed") as folder:
        path = folder / "kept.sqlite"
        kept = await Disk.start(path, MIB)
        kept.put(b"a", b"1")
        assert await kept.get(b"a") == b"1"
        await kept.close()
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        await disk.check(path, MIB)
        kept = await Disk.start(path, MIB)
        kept.put(b"b", b"2")
        assert await kept.get(b"a") in (None, b"1")
        assert await kept.get(b"b") is None
        await kept.close()
        with pytest.raises(CacheError, match="Read-only file system"):
            await disk.check(folder / "new.sqlite", MIB)


WRITER = """
import asyncio, sys
from pathlib import Path
from verifier.kept.disk import Disk

async def main():
    kept = await Disk.start(Path(sys.argv[1]), 1 << 30)
    for number in range(10**9):
        kept.put(b"%s %d" % (sys.argv[2].encode(), number), b"%d" % number * (number * 37 % 5_000))
        if number % 10 == 0:
            await kept.get(b"")
            print(number, flush=True)

asyncio.run(main())
"""


async def test_kill_9_in_mid_write_loses_nothing_that_was_read(tmp_path: Path) -> None:
    path, told = tmp_path / "kept.sqlite", {}
    for round_ in range(2):
        names = [f"{round_}-{place}" for place in range(2)]
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(path), name], cwd=ROOT, stdout=subprocess.PIPE
            )
            for name in names
        ]
        for name, writer in zip(names, writers, strict=True):
            assert writer.stdout is not None
            for _ in range(5 + 8 * round_):
                told[name] = int(writer.stdout.readline())
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.communicate()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    kept = await Disk.start(path, 1 << 30)
    for name, last in told.items():
        found = [await kept.get(b"%s %d" % (name.encode(), n)) for n in range(last + 1)]
        assert found == [b"%d" % n * (n * 37 % 5_000) for n in range(last + 1)]
    await kept.close()
