"""Hands every verdict, with its item, to the process that writes them (verifier/audit/writer.py).

Invariants: putting a record never waits and never fails; what waits is at most QUEUE_BYTES and one
record; a record that is in no file is counted, by reason, and said in the log:

- `full`: the queue was full, since the disk is slow, full or gone, or the writer stands still;
- `writer`: the writer died with it (it may have been written: what it had not confirmed counts);
- `disk`: the server ended, and the disk could still not be written;
- `closed`: the server ended, and the writer did not get to it in time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from verifier.audit import metrics
from verifier.audit.files import SUFFIXES
from verifier.audit.records import Frame, pack
from verifier.limits import KIB, MIB
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

log = logging.getLogger(__name__)

QUEUE_BYTES = 64 * MIB
"""Records that wait: some seconds of a busy server, and what a slow disk may cost in memory."""

CHUNK_BYTES = 128 * KIB
"""Sent to the writer at once, and lost with it when it is killed; a larger record goes in pieces,
not copied as a whole."""

GATHER_SECONDS = 0.05
"""Records are sent so many times a second at most; a kill of the server costs what came since."""

FILE_BYTES = 128 * MIB
"""A file of more is full: about 25,000 records of 5 KiB."""

START_SECONDS = 30.0
"""Of the writer; it takes half a second, unless the disk does not answer."""

RESTART_SECONDS = 1.0
"""Between the end of a writer and the start of the next."""

CLOSE_SECONDS = 9.0
"""What the writer gets at the end, for the queue and for the last Parquet file; with the server's
own grace it is less than what ends a server (verifier/embedded.py) waits."""

KILLED_SECONDS = 1.0
"""Until a killed writer is waited for no longer: a dead disk can hold it."""

LOG_SECONDS = 5.0
"""Dropped records are said in one line for so long."""


class AuditError(Exception):
    """Records cannot be written there. The message says why."""


class Recorder:
    """`recorder = await Recorder.start(path)`, `recorder.put(item, verdict)`, `close()`."""

    def __init__(self, path: Path, file_bytes: int) -> None:
        self._command = [sys.executable, "-m", "verifier.audit.writer", str(path), str(file_bytes)]
        self._queue: deque[Frame] = deque()
        self._held = 0
        self._unconfirmed = 0
        """Records that the writer has and has not spoken of."""
        self._wake = asyncio.Event()
        self._closing = False
        self._dropped: Counter[str] = Counter()
        """Not yet said in the log."""
        self._telling: asyncio.TimerHandle | None = None
        self._failing = ""
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, path: Path, file_bytes: int = FILE_BYTES) -> Recorder:
        """A recorder whose file is open. Raises AuditError."""
        if path.suffix not in SUFFIXES:
            raise AuditError(f"a name that ends in {' or '.join(SUFFIXES)}, got {str(path)!r}")
        if path.suffix == ".parquet" and find_spec("pyarrow") is None:
            raise AuditError('a .parquet file needs pyarrow: pip install "pyarrow>=17"')
        recorder = cls(path, file_bytes)
        writer = await recorder._spawn()
        metrics.FAILING.set(0)
        recorder._task = asyncio.create_task(recorder._run(writer))
        return recorder

    def put(self, item: pb.Item | Unreadable, verdict: bytes) -> None:
        """Takes a record, its verdict serialised, or counts it as dropped."""
        if self._held >= QUEUE_BYTES or self._closing:
            self._drop(1, "closed" if self._closing else "full")
            return
        given = item.SerializeToString() if isinstance(item, pb.Item) else None
        frame = Frame(time.time_ns() // 1_000_000, verdict, given)
        self._queue.append(frame)
        self._hold(_size(frame))
        self._wake.set()

    async def close(self) -> None:
        """Sees to it that what waits is written, for CLOSE_SECONDS at most."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            try:
                await asyncio.wait_for(self._task, CLOSE_SECONDS)
            except TimeoutError:
                log.error("audit: the writer did not end within %g s", CLOSE_SECONDS)
        self._drop(len(self._queue), "closed")
        self._queue.clear()
        self._hold(-self._held)
        if self._telling is not None:
            self._telling.cancel()
            self._tell()

    async def _spawn(self) -> Process:
        """A writer that is ready. Raises AuditError."""
        writer = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
        )
        assert writer.stdout is not None
        said: dict[str, object] = {}
        try:
            async with asyncio.timeout(START_SECONDS):
                while not {"ready", "refused"} & said.keys():
                    self._heard(said)
                    line = await writer.stdout.readline()
                    said = json.loads(line or '{"refused": "the writer ended"}')
        except TimeoutError:
            said = {"refused": f"the disk did not answer for {START_SECONDS:g} s"}
        except asyncio.CancelledError:
            await _ended(writer, kill=True)
            raise
        if "refused" in said:
            await _ended(writer, kill=True)
            raise AuditError(str(said["refused"]))
        return writer

    async def _run(self, writer: Process | None) -> None:
        while True:
            if writer is not None:
                await self._work(writer)
            if self._closing:
                return
            log.error("audit: the writer ended; another one is started")
            await asyncio.sleep(RESTART_SECONDS)
            try:
                writer = await self._spawn()
            except (AuditError, OSError) as error:
                self._fails(str(error))
                writer = None

    async def _work(self, writer: Process) -> None:
        """Until the writer ends."""
        assert writer.stdout is not None
        sending = asyncio.create_task(self._send(writer))
        finished = False
        try:
            async for line in writer.stdout:
                self._heard(json.loads(line))
            finished = True
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await _ended(writer, kill=not finished)
            self._drop(self._unconfirmed, "writer" if finished else "closed")
            self._unconfirmed = 0

    async def _send(self, writer: Process) -> None:
        pipe = writer.stdin
        assert pipe is not None
        with suppress(ConnectionError):  # the writer is gone, which `_work` sees
            while self._queue or not self._closing:
                await self._wake.wait()
                if not self._closing:
                    await asyncio.sleep(GATHER_SECONDS)
                while self._queue:
                    for piece in self._taken():
                        pipe.write(piece)
                        await pipe.drain()
                if not self._closing:
                    self._wake.clear()
            pipe.close()

    def _taken(self) -> Iterator[bytes | memoryview]:
        """Pieces of about CHUNK_BYTES from the front of the queue, one of them or one record's."""
        pieces, size = list[bytes](), 0
        while self._queue and size < CHUNK_BYTES:
            frame = self._queue.popleft()
            self._hold(-_size(frame))
            self._unconfirmed += 1
            head, item = pack(frame)
            pieces.append(head)
            if len(item) > CHUNK_BYTES:
                yield b"".join(pieces)
                view = memoryview(item)
                for at in range(0, len(item), CHUNK_BYTES):
                    yield view[at : at + CHUNK_BYTES]
                return
            pieces.append(item)
            size += len(head) + len(item)
        yield b"".join(pieces)

    def _heard(self, said: dict[str, object]) -> None:
        for key, value in said.items():
            if isinstance(value, int) and key in ("written", "lost"):
                self._unconfirmed -= value
                if key == "lost":
                    self._drop(value, "disk")
                    continue
                metrics.WRITTEN.inc(value)
                if self._failing:
                    self._failing = ""
                    metrics.FAILING.set(0)
                    log.warning("audit: the file is written again")
            elif key == "failing":
                self._fails(str(value))
            else:
                log.warning("audit: %s", value)

    def _fails(self, why: str) -> None:
        metrics.FAILING.set(1)
        if why != self._failing:
            self._failing = why
            log.error("audit: cannot be written, and is tried again: %s", why)

    def _hold(self, more: int) -> None:
        self._held += more
        metrics.QUEUED.set(self._held)

    def _drop(self, count: int, reason: str) -> None:
        if not count:
            return
        metrics.DROPPED.labels(reason).inc(count)
        self._dropped[reason] += count
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(LOG_SECONDS, self._tell)

    def _tell(self) -> None:
        self._telling = None
        counts = ", ".join(f"{count} {reason}" for reason, count in self._dropped.items())
        log.error("audit: records that stand in no file: %s", counts)
        self._dropped.clear()


def _size(frame: Frame) -> int:
    return len(frame.verdict) + len(frame.item or b"")


async def _ended(writer: Process, kill: bool) -> None:
    if kill and writer.returncode is None:
        with suppress(ProcessLookupError):
            writer.kill()
    with suppress(TimeoutError):
        await asyncio.wait_for(writer.wait(), KILLED_SECONDS if kill else None)
