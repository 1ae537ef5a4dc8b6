"""Every verdict of a real server in a file, whatever happens to the server, the writer, the disk."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.verifier.audit.support import files, items, read, writers
from tests.verifier.support import alive, math_item, wait_for
from tests.verifier.test_cli import touchstone
from verifier.audit import recorder
from verifier.audit.files import Files
from verifier.audit.read import Cut, read_files
from verifier.audit.recorder import AuditError, Recorder
from verifier.audit.records import Record
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub
from verifier.wire import Unreadable

LIGHT = ("--log-level", "error", "--sandbox", "none")
REASONS = ("full", "writer", "disk", "closed")


def test_every_verdict_is_written_with_its_item(tmp_path: Path) -> None:
    """To JSON Lines first, and then to Parquet."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "audit.parquet"
    given = [*items(300), pb.Item(id="none", response="x"), pb.Item()]
    began = 1000 * time.time()
    with EmbeddedServer(*LIGHT, "--audit", str(path)) as server:
        with VerifierClient(server.address) as client:
            told = client.verify(given)
            alone = VerifierStub(client._channel).Verify(given[0])
            version = client.describe().version
        assert len(writers(path, server.pid)) == 1
    records = read(path)
    assert len(records) == len(given) + 1
    came = sorted(r.verdict.SerializeToString(deterministic=True) for r in records)
    sent = sorted(v.SerializeToString(deterministic=True) for v in [*told, alone])
    assert came == sent
    by_id = {item.id: item for item in given}
    for record in records:
        assert record.item == by_id[record.verdict.id]
        assert record.server == version
        assert record.at_ms is not None
        assert began - 1 <= record.at_ms <= 1000 * time.time()
    assert [one.suffix for one in files(path)] == [".parquet"]


def test_a_server_without_it_has_no_writer(server: EmbeddedServer) -> None:
    assert writers(Path("verifier.audit.writer"), server.pid) == []


def test_a_killed_server_costs_the_last_moment_at_most(tmp_path: Path) -> None:
    """Also where Parquet was asked for: what is no whole file of it yet is JSON Lines."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "audit.parquet"
    given = items(4_000)
    with EmbeddedServer(*LIGHT, "--audit", str(path), "--audit-mib", "1") as server:
        with VerifierClient(server.address) as client:
            first = client.verify(given[:50])
            wait_for(lambda: (tmp_path / "audit.jsonl").read_bytes().count(b"\n") == 50, 30)
            stream = client.stream(given)
            came = [next(stream)[1] for _ in range(200)]
            (writer,) = writers(path, server.pid)
            os.kill(server.pid, signal.SIGKILL)
        wait_for(lambda: not alive(writer), 30)
    found = [one for _, one in read_files(files(path))]
    assert not any(isinstance(one, Cut) for one in found), "the writer was not killed"
    records = [one for one in found if isinstance(one, Record)]
    assert len(records) == len(found)
    assert len(records) >= len(first)
    assert {v.id for v in first} <= {r.verdict.id for r in records}
    assert all(r.item is not None and r.item.id == r.verdict.id for r in records)
    assert {v.status for v in came} == {pb.Verdict.OK}


def counted() -> dict[str, float]:
    """Written and dropped so far in this process."""
    names = {"written": REGISTRY.get_sample_value("touchstone_audit_written_total")}
    for reason in REASONS:
        value = REGISTRY.get_sample_value("touchstone_audit_dropped_total", {"reason": reason})
        names[reason] = value
    return {name: value or 0.0 for name, value in names.items()}


def gained(before: dict[str, float]) -> dict[str, int]:
    return {
        name: int(value - before[name])
        for name, value in counted().items()
        if value != before[name]
    }


def failing() -> bool:
    return REGISTRY.get_sample_value("touchstone_audit_failing") == 1


VERDICT = pb.Verdict(id="v", status=pb.Verdict.OK, reward=1.0).SerializeToString()


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_what_is_no_item_has_a_record_without_one(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = await Recorder.start(path)
    audit.put(Unreadable("u", "response: not UTF-8"), VERDICT)
    await audit.close()
    (record,) = read(path)
    assert record.item is None
    assert record.verdict.SerializeToString() == VERDICT


async def test_a_killed_writer_is_replaced_and_what_it_had_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "audit.jsonl"
    before = counted()
    audit = await Recorder.start(path)
    for n in range(100):
        audit.put(math_item(f"a{n}", "4"), VERDICT)
    await until(lambda: gained(before) == {"written": 100})
    (writer,) = writers(path)
    os.kill(writer, signal.SIGSTOP)
    for n in range(10):
        audit.put(math_item(f"b{n}", "4"), VERDICT)
    await asyncio.sleep(0.3)
    os.kill(writer, signal.SIGKILL)
    await until(lambda: gained(before) == {"written": 100, "writer": 10})
    for n in range(100):
        audit.put(math_item(f"c{n}", "4"), VERDICT)
    await until(lambda: gained(before) == {"written": 200, "writer": 10})
    await audit.close()
    names = [one.item.id for one in read(path) if one.item]
    assert names == [f"a{n}" for n in range(100)] + [f"c{n}" for n in range(100)]
    assert "the writer ended; another one is started" in caplog.text
    assert "records that stand in no file: 10 writer" in caplog.text
    assert writers(path) == []


async def test_a_slow_disk_fills_the_queue_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder, "QUEUE_BYTES", 1 << 20)
    path = tmp_path / "audit.jsonl"
    before = counted()
    audit = await Recorder.start(path)
    (writer,) = writers(path)
    os.kill(writer, signal.SIGSTOP)
    large = pb.Item(id="large", response="x" * 100_000)
    began = time.perf_counter()
    for _ in range(400):
        audit.put(large, VERDICT)
        await asyncio.sleep(0)
    assert time.perf_counter() - began < 60  # and not for ever
    queued = REGISTRY.get_sample_value("touchstone_audit_queued_bytes")
    assert queued is not None
    assert queued <= (1 << 20) + 101_000
    assert gained(before)["full"] >= 350
    os.kill(writer, signal.SIGCONT)
    dropped = gained(before)["full"]
    await until(lambda: gained(before) == {"written": 400 - dropped, "full": dropped})
    audit.put(large, VERDICT)
    await audit.close()
    assert len(read(path)) == 401 - dropped
    assert f"records that stand in no file: {dropped} full" in caplog.text


async def test_a_writer_that_stands_still_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder, "CLOSE_SECONDS", 0.5)
    path = tmp_path / "audit.jsonl"
    before = counted()
    audit = await Recorder.start(path)
    (writer,) = writers(path)
    os.kill(writer, signal.SIGSTOP)
    for n in range(200):
        audit.put(pb.Item(id=str(n), response="x" * 10_000), VERDICT)
    await asyncio.wait_for(audit.close(), 10)
    assert gained(before) == {"closed": 200}
    assert "records that stand in no file: 200 closed" in caplog.text
    assert not alive(writer)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a tmpfs here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_a_full_disk_is_said_counted_and_outlived(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder, "QUEUE_BYTES", 200_000)
    path = small_disk / "audit.jsonl"
    before = counted()
    audit = await Recorder.start(path)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 150_000)
    put = 0
    async with asyncio.timeout(60):
        while not (failing() and gained(before).get("full")):
            audit.put(
                pb.Item(id=str(put), response="x" * 5_000),
                pb.Verdict(id=str(put)).SerializeToString(),
            )
            put += 1
            await asyncio.sleep(0.005)
    assert "No space left on device" in caplog.text
    for one in files(path):
        assert one.read_bytes().endswith(b"\n") or not one.stat().st_size
    kept = sum(len(one.read_bytes().splitlines()) for one in files(path))
    ballast.unlink()
    elsewhere = small_disk.parent

    def moved() -> bool:
        """Full files go elsewhere, as they do where a disk is short."""
        for one in files(path):
            if one != path:
                (elsewhere / one.name).write_bytes(one.read_bytes())
                one.unlink()
        return sum(gained(before).values()) == put

    await until(moved)
    await audit.close()
    moved()
    count = gained(before)
    assert set(count) == {"written", "full"}
    found = read(elsewhere / "audit.jsonl") + read(path)
    assert len(found) == count["written"] >= kept > 0
    assert len({one.verdict.id for one in found}) == len(found)
    assert not failing()


async def test_a_folder_that_is_gone_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    path = folder / "audit.jsonl"
    before = counted()
    audit = await Recorder.start(path)
    audit.put(math_item("a", "4"), VERDICT)
    await until(lambda: gained(before) == {"written": 1})
    folder.rename(tmp_path / "there")
    audit.put(math_item("b", "4"), VERDICT)
    await until(failing)
    assert "No such file or directory" in caplog.text
    folder.mkdir()
    await until(lambda: gained(before) == {"written": 2})
    assert not failing()
    assert "the file is written again" in caplog.text
    await audit.close()
    assert [one.item.id for one in read(path) if one.item] == ["b"]
    assert [one.item.id for one in read(tmp_path / "there/audit.jsonl") if one.item] == ["a"]


async def test_a_disk_that_fails_to_the_end_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    before = counted()
    audit = await Recorder.start(folder / "audit.jsonl")
    folder.rename(tmp_path / "there")
    for n in range(3):
        audit.put(math_item(str(n), "4"), VERDICT)
    await until(failing)
    await audit.close()
    assert gained(before) == {"disk": 3}
    assert "records that stand in no file: 3 disk" in caplog.text


async def test_what_cannot_be_written_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AuditError, match=r"ends in \.jsonl or \.parquet, got '.*audit\.csv'"):
        await Recorder.start(tmp_path / "audit.csv")
    with pytest.raises(AuditError, match="No such file or directory"):
        await Recorder.start(tmp_path / "nowhere/audit.jsonl")
    monkeypatch.setattr(recorder, "find_spec", lambda name: None)
    with pytest.raises(AuditError, match="needs pyarrow: pip install"):
        await Recorder.start(tmp_path / "audit.parquet")
    assert writers(tmp_path) == []


def test_two_servers_do_not_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first = Files(path, 1_000, print)
    serve = ("serve", "--listen", "127.0.0.1:0", "--sandbox", "none", "--audit", path)
    run = touchstone(*serve)
    assert run.returncode == 2
    assert f"--audit: {path}: another process writes it" in " ".join(run.stderr.split())
    first.close()


async def test_ctrl_c_for_all_does_not_reach_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = await Recorder.start(path)
    (writer,) = writers(path)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(writer, number)
    audit.put(math_item("a", "4"), VERDICT)
    await audit.close()
    assert len(read(path)) == 1


async def test_large_items_are_held_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten of 4 MiB while the disk stands still: the queue takes two, the rest is dropped."""
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr(recorder, "QUEUE_BYTES", 4 << 20)
    monkeypatch.setattr(recorder, "CLOSE_SECONDS", 0.2)
    path = tmp_path / "audit.jsonl"
    audit = await Recorder.start(path)
    (writer,) = writers(path)
    os.kill(writer, signal.SIGSTOP)
    large = pb.Item(id="large", response="x" * (4 << 20))
    before = _memory()
    for _ in range(10):
        audit.put(large, VERDICT)
        await asyncio.sleep(0.1)
    # Two in the queue, one on its way, and a piece of that one in the pipe.
    assert _memory() - before < 16 << 20
    await audit.close()


def _memory() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
