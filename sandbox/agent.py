"""A sandbox driven over standard input and output: what runs in each container.

Both directions carry frames, one after the other, nothing between them:

    4 bytes  length of the body, little endian, at most MAX_BODY_BYTES
    4 bytes  number of the request, little endian; the asking side chooses it
    1 byte   kind
    body     a protobuf message, or nothing

    to the agent        body                answered by
    RUN       1         RunRequest          RESULT, or CANCELLED, or REFUSED: exactly one
    CANCEL    2         -                   nothing itself; the RUN of that number ends
    DESCRIBE  3         -                   DESCRIPTION
    PING      4         -                   PONG
    from the agent
    RESULT    17        RunResult
    CANCELLED 18        -
    REFUSED   19        UTF-8 text: why the request was not accepted (QueueFull)
    DESCRIPTION 20      DescribeResponse
    PONG      21        -

Many requests may be under way; answers come in the order in which they are ready. A number is free
again once it is answered. A CANCEL of a number that is not under way is late, and does nothing.

Invariants: nothing but frames is ever written to standard output, whatever a library or a child
prints goes to standard error; the end of standard input, or of standard output, ends every run and
the agent; a frame that is none ends it too, with status 1 and a line on standard error.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from google.protobuf.message import DecodeError

from sandbox import limits
from sandbox.client import EmbeddedSandbox, QueueFull, Sandbox, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as pb

HEADER = struct.Struct("<IIB")
RUN, CANCEL, DESCRIBE, PING = 1, 2, 3, 4
RESULT, CANCELLED, REFUSED, DESCRIPTION, PONG = 17, 18, 19, 20, 21
# A result holds MAX_RESULT_BYTES of output, 64 KiB of standard error for each run, and what
# surrounds them; a request holds less.
MAX_BODY_BYTES = max(limits.MAX_MESSAGE_BYTES, 4 * limits.MAX_RESULT_BYTES)
# Bytes read at once: large enough for big inputs, small enough to stay in the cache.
STREAM_BYTES = 1 << 20
EXIT_BAD_FRAME, EXIT_UNAVAILABLE = 1, 69
# From linux/mount.h.
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
_FLAGS = {"nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC}


class BadFrame(Exception):
    """The other side broke the protocol; the message says how."""


def encode(kind: int, number: int, body: bytes = b"") -> bytes:
    """A frame."""
    return HEADER.pack(len(body), number, kind) + body


def split_header(header: bytes | bytearray) -> tuple[int, int, int]:
    """Length of the body, number and kind; raises BadFrame for a length beyond the limit."""
    length, number, kind = HEADER.unpack(header)
    if length > MAX_BODY_BYTES:
        raise BadFrame(f"a body of {length} bytes; at most {MAX_BODY_BYTES} are allowed")
    return length, number, kind


async def _read_frame(reader: asyncio.StreamReader) -> tuple[int, int, bytes] | None:
    """Kind, number and body of the next frame; None at the end; raises BadFrame."""
    try:
        header = await reader.readexactly(HEADER.size)
        length, number, kind = split_header(header)
        return kind, number, await reader.readexactly(length)
    except asyncio.IncompleteReadError as end:
        if end.partial or end.expected != HEADER.size:
            raise BadFrame("the input ended within a frame") from None
        return None


class _Agent:
    """One conversation.

    Answers are written without waiting for the other side to take them: it has room for as many
    results as it has asked for.
    """

    def __init__(
        self, sandbox: Sandbox, reader: asyncio.StreamReader, sink: asyncio.WriteTransport
    ) -> None:
        self._sandbox, self._reader, self._sink = sandbox, reader, sink
        self._runs: dict[int, asyncio.Task[pb.RunResult]] = {}
        self._questions: set[asyncio.Task[pb.DescribeResponse]] = set()

    async def converse(self) -> None:
        """Answers until the input ends; then nothing runs any more.

        Raises BadFrame, and RuntimeError for an error for which there is no answer.
        """
        try:
            while (frame := await _read_frame(self._reader)) is not None:
                self._take(*frame)
        finally:
            tasks = [*self._runs.values(), *self._questions]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, kind: int, number: int, body: bytes) -> None:
        if kind == RUN:
            self._run(number, body)
        elif kind == CANCEL:
            if number in self._runs:
                self._runs[number].cancel()
        elif kind == DESCRIBE:
            question = asyncio.create_task(self._sandbox.describe())
            self._questions.add(question)
            question.add_done_callback(partial(self._describe, number))
        elif kind == PING:
            self._send(PONG, number)
        else:
            raise BadFrame(f"kind {kind}")

    def _run(self, number: int, body: bytes) -> None:
        if number in self._runs:
            raise BadFrame(f"request {number} is under way already")
        try:
            request = pb.RunRequest.FromString(body)
        except DecodeError as error:
            raise BadFrame(f"request {number}: {error}") from error
        self._runs[number] = asyncio.create_task(self._sandbox.run(request))
        # A task that is cancelled before its first step runs no code of its own, so the answer is
        # the callback's work, not the task's.
        self._runs[number].add_done_callback(partial(self._answer, number))

    def _answer(self, number: int, task: asyncio.Task[pb.RunResult]) -> None:
        del self._runs[number]
        if task.cancelled():
            self._send(CANCELLED, number)
            return
        error = task.exception()
        if error is None:
            self._send(RESULT, number, task.result().SerializeToString())
        elif isinstance(error, QueueFull):
            self._send(REFUSED, number, str(error).encode())
        else:
            self._fail(error)

    def _describe(self, number: int, question: asyncio.Task[pb.DescribeResponse]) -> None:
        self._questions.discard(question)
        if question.cancelled():
            return
        error = question.exception()
        if error is None:
            self._send(DESCRIPTION, number, question.result().SerializeToString())
        else:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Ends the conversation: an error for which there is no answer is one of the agent's."""
        failure = RuntimeError(f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        self._reader.set_exception(failure)

    def _send(self, kind: int, number: int, body: bytes = b"") -> None:
        self._sink.write(encode(kind, number, body))


class _Sink(asyncio.BaseProtocol):
    """The frames' way out; calls `on_lost` when nobody reads them any more."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_lost()


def claim_stdio() -> tuple[int, int]:
    """Takes standard input and output for frames alone; returns their new descriptors.

    From then on descriptor 0 is empty and what is written to descriptor 1 goes to standard error.
    """
    frames_in, frames_out = os.dup(0), os.dup(1)
    empty = os.open("/dev/null", os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    return frames_in, frames_out


async def serve_stdio(sandbox: Sandbox, stdio: tuple[int, int] | None = None) -> None:
    """Serves `sandbox` until standard input ends, or standard output is closed by its reader.

    `stdio`: the descriptors of claim_stdio, where that was called before; pipes or sockets.
    Raises BadFrame. Closing the sandbox is the caller's.
    """
    frames_in, frames_out = stdio or claim_stdio()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=STREAM_BYTES)
    source, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(frames_in, "rb", 0)
    )
    # Closing the source reads as the end of the input.
    sink, _ = await loop.connect_write_pipe(
        lambda: _Sink(source.close), os.fdopen(frames_out, "wb", 0)
    )
    try:
        await _Agent(sandbox, reader, sink).converse()
    finally:
        source.close()
        sink.abort()


def unlock_cgroups(mountinfo: Path = Path("/proc/self/mountinfo")) -> int:
    """Makes the container's own cgroups writable, where they are mounted read-only; says how many.

    Docker mounts a container's own groups, not the host's, but read-only; CAP_SYS_ADMIN suffices
    to lift that for this mount namespace. Raises OSError where it does not. Without it there is no
    memory cgroup for a run, and the sandbox says so (Describe: mechanism "cgroup").
    """
    unlocked = 0
    mount = ctypes.CDLL(None, use_errno=True).mount
    for line in mountinfo.read_text().splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(" "), right.split(" ", 1)[0]
        options = fields[5].split(",")
        if kind not in ("cgroup", "cgroup2") or "ro" not in options:
            continue
        flags = MS_REMOUNT | MS_BIND
        for option in options:
            flags |= _FLAGS.get(option, 0)
        if mount(None, fields[4].encode(), None, ctypes.c_ulong(flags), None):
            code = ctypes.get_errno()
            raise OSError(code, f"{fields[4]} stays read-only: {os.strerror(code)}")
        unlocked += 1
    return unlocked


async def _serve(stdio: tuple[int, int], slots: int | None, require_tier: str) -> None:
    sandbox = await EmbeddedSandbox.start(slots, require_tier)
    try:
        await serve_stdio(sandbox, stdio)
    finally:
        await sandbox.close()


def main(slots: int | None = None, require_tier: str = "T3") -> None:
    """The agent's process: exits with 0 at the end of the input, 69 without a sandbox, 1 when the
    other side breaks the protocol."""
    stdio = claim_stdio()
    try:
        unlock_cgroups()
    except OSError as error:
        print(f"touchstone-sandbox agent: {error}", file=sys.stderr)
    try:
        asyncio.run(_serve(stdio, slots, require_tier))
    except SandboxUnavailable as error:
        print(f"touchstone-sandbox agent: {error}", file=sys.stderr)
        sys.exit(EXIT_UNAVAILABLE)
    except BadFrame as error:
        print(f"touchstone-sandbox agent: bad frame: {error}", file=sys.stderr)
        sys.exit(EXIT_BAD_FRAME)
