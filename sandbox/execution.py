"""One run in a jail: its pipes, its limits, how it ended. No verdicts and no retries here.

Invariants: what is kept of a run's output is bounded; a run that passes a limit leaves a killed
jail behind (`Ended.jail_killed`), every other run leaves one that can take the next run.

CPU time decides. The driver sets RLIMIT_CPU as a backstop; the slot's cgroup is looked at as
rarely as its remaining CPU time allows, so a run far from its limit costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import fcntl
import math
import os
import signal
import time
from dataclasses import dataclass, field

from sandbox import limits
from sandbox.cgroup import SlotGroup
from sandbox.launch import Jail, JailLost, Stopped

CHUNK = 1 << 16
# Fewer switches between server and program for large inputs and outputs.
LARGE_PIPE = 1 << 20
# Shortest and longest time between two looks at a run's CPU time.
MIN_LOOK_SECONDS = 0.02
CORES = os.cpu_count() or 1


class Why(enum.Enum):
    """What ended a run."""

    EXIT = "the process ended"
    CPU = "CPU limit"
    WALL = "wall limit"
    OUTPUT = "output limit"
    DEADLINE = "deadline"
    LOST = "the jail was lost"


@dataclass(slots=True)
class Ended:
    """How a run ended. `status` is the process's exit code, negative for a signal, and None
    where the driver did not report it."""

    why: Why
    status: int | None
    stdout: bytes
    stderr: bytes
    stdout_truncated: bool
    stderr_truncated: bool
    cpu_us: int
    wall_us: int
    peak_bytes: int
    out_of_memory: bool
    results: bytes
    # At the wall limit a process of the program was stopped by a signal.
    stopped: bool = False

    @property
    def jail_killed(self) -> bool:
        return self.why is not Why.EXIT


@dataclass(slots=True)
class Sink:
    """The server's end of one output pipe."""

    keep: int
    # More than this stops the run.
    most: int
    fd: int = -1
    data: bytearray = field(default_factory=bytearray)
    total: int = 0

    def read(self) -> int:
        """Takes what is there, at most a chunk: its size, 0 at the end, -1 when nothing is."""
        try:
            chunk = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return -1
        self.total += len(chunk)
        room = self.keep - len(self.data)
        if room > 0:
            self.data += chunk if len(chunk) <= room else chunk[:room]
        return len(chunk)

    @property
    def truncated(self) -> bool:
        return self.total > len(self.data)


class Execution:
    """Runs one process in a jail whose driver has compiled the program."""

    def __init__(
        self,
        jail: Jail,
        group: SlotGroup | None,
        run: limits.RunLimits,
        output_bytes: int,
        deadline: float | None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.jail, self.group, self.run, self.deadline = jail, group, run, deadline
        self.done: asyncio.Future[Why] = self.loop.create_future()
        self.stdout = Sink(output_bytes, output_bytes)
        self.stderr = Sink(limits.STDERR_BYTES, max(output_bytes, limits.STDERR_BYTES))
        self.results = Sink(limits.MAX_RESULT_BYTES, limits.MAX_RESULT_BYTES)
        self.sinks = (self.stdout, self.stderr, self.results)
        self.stdin = memoryview(b"")
        self.stdin_fd = -1
        self.began, self.cpu_before = 0.0, 0
        self.timer: asyncio.TimerHandle | None = None
        self.stopped = Stopped.NOTHING

    async def execute(
        self, command: dict[str, object], stdin: bytes, with_results: bool = False
    ) -> Ended:
        """Sends the command with a run's pipes and waits for its end."""
        theirs: list[int] = []
        self.cpu_before = self.group.cpu_us() if self.group else 0
        oom_before = self.group.oom_kills() if self.group else 0
        if self.group:
            self.group.reset_peak()
        command["cpu_limit"] = math.ceil(self.run.cpu_seconds) + 1
        # Without a memory cgroup the next best: private writable memory of each process.
        command["data_limit"] = 0 if self.group else self.run.memory_bytes
        command["process_limit"] = 0 if self.group else self.run.processes
        self.began = time.monotonic()
        status, cpu_us, wall_us, peak = None, 0, 0, 0
        try:
            self._open_pipes(stdin, theirs, with_results)
            try:
                async with asyncio.timeout(self.run.wall_seconds):
                    await self.jail.send(command, theirs)
                reply = self.jail.reply()
            except JailLost:
                self._finish(Why.LOST)
            except TimeoutError:  # the driver takes no command: it was stopped from outside
                self._finish(Why.LOST)
            else:
                reply.add_done_callback(self._on_reply)
            finally:
                for fd in theirs:
                    os.close(fd)
                theirs.clear()
            self._look()
            why = await self.done
            for sink in self.sinks:
                while sink.fd >= 0 and sink.total <= sink.most and sink.read() > 0:
                    pass
            if why is Why.EXIT:
                _, body = reply.result()
                raw, cpu_us, wall_us, peak_kib = map(int, body.split())
                status, peak = os.waitstatus_to_exitcode(raw), peak_kib * 1024
                if any(sink.total > sink.most for sink in self.sinks):
                    why = Why.OUTPUT
                elif cpu_us > self.run.cpu_seconds * 1e6:
                    why = Why.CPU
            if why is not Why.EXIT:
                self.jail.kill()
        except BaseException:
            self.jail.kill()
            raise
        finally:
            self._close(theirs)
        if status is None:
            wall_us = round((time.monotonic() - self.began) * 1e6)
            if self.group:
                cpu_us = self.group.cpu_us() - self.cpu_before
        return Ended(
            why=why,
            status=status,
            stdout=bytes(self.stdout.data),
            stderr=bytes(self.stderr.data),
            stdout_truncated=self.stdout.truncated,
            stderr_truncated=self.stderr.truncated,
            cpu_us=cpu_us,
            wall_us=wall_us,
            peak_bytes=(self.group.peak_bytes() if self.group else 0) or peak,
            out_of_memory=self.group is not None and self.group.oom_kills() > oom_before,
            results=bytes(self.results.data),
            stopped=self.stopped is Stopped.RUN,
        )

    # ---- pipes

    def _open_pipes(self, stdin: bytes, theirs: list[int], with_results: bool) -> None:
        read_end, write_end = _pipe()
        theirs.append(read_end)
        self.stdin, self.stdin_fd = memoryview(stdin), write_end
        os.set_blocking(write_end, False)
        if len(stdin) > CHUNK:
            _enlarge(write_end)
        for sink in self.sinks if with_results else self.sinks[:2]:
            read_end, write_end = _pipe()
            theirs.append(write_end)
            sink.fd = read_end
            os.set_blocking(read_end, False)
            self.loop.add_reader(read_end, self._on_output, sink)
        self._feed()
        if self.stdin_fd >= 0:
            self.loop.add_writer(self.stdin_fd, self._feed)

    def _feed(self) -> None:
        """Writes what the pipe takes of the input; a program that never reads it is no matter."""
        try:
            while self.stdin:
                self.stdin = self.stdin[os.write(self.stdin_fd, self.stdin) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            pass
        self.loop.remove_writer(self.stdin_fd)
        os.close(self.stdin_fd)
        self.stdin_fd = -1

    def _on_output(self, sink: Sink) -> None:
        size = sink.read()
        if size == 0:
            self.loop.remove_reader(sink.fd)
        elif sink.total > sink.most:
            self.loop.remove_reader(sink.fd)
            self._finish(Why.OUTPUT)
        elif sink.total == size == CHUNK:  # the first chunk was a full one
            _enlarge(sink.fd)

    def _close(self, theirs: list[int]) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.stdin_fd >= 0:
            self.loop.remove_writer(self.stdin_fd)
            os.close(self.stdin_fd)
        for sink in self.sinks:
            if sink.fd >= 0:
                self.loop.remove_reader(sink.fd)
                os.close(sink.fd)
        for fd in theirs:
            os.close(fd)

    # ---- ends

    def _finish(self, why: Why) -> None:
        if not self.done.done():
            self.done.set_result(why)

    def _on_reply(self, reply: asyncio.Future[tuple[bytes, bytes]]) -> None:
        if reply.cancelled():
            return
        lost = reply.exception() is not None or reply.result()[0] != b"E"
        self._finish(Why.LOST if lost else Why.EXIT)

    def _look(self) -> None:
        """Ends the run if a limit has passed; looks again when one next could have."""
        if self.done.done():
            return
        now = time.monotonic()
        wall_left = self.began + self.run.wall_seconds - now
        deadline_left = math.inf if self.deadline is None else self.deadline - now
        cpu_left = math.inf
        if self.group:
            cpu_left = self.run.cpu_seconds - (self.group.cpu_us() - self.cpu_before) / 1e6
        if cpu_left < 0:
            self._finish(Why.CPU)
        elif deadline_left <= 0:
            self._finish(Why.DEADLINE)
        elif wall_left <= 0:
            self.stopped = self.jail.stopped()
            self._finish(Why.LOST if self.stopped is Stopped.JAIL else Why.WALL)
        else:
            after = min(wall_left, deadline_left, cpu_left / CORES)
            self.timer = self.loop.call_later(max(after, MIN_LOOK_SECONDS), self._look)


def _pipe() -> tuple[int, int]:
    """A pipe that another user may open by name, as programs do with /dev/stdin."""
    read_end, write_end = os.pipe()
    os.fchmod(read_end, 0o666)
    return read_end, write_end


def _enlarge(fd: int) -> None:
    """Asks for a larger pipe; the kernel may refuse a user who has many."""
    with contextlib.suppress(PermissionError):
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, LARGE_PIPE)


def killed_unexplained(ended: Ended) -> bool:
    """SIGKILL that neither a limit nor the memory cgroup accounts for: the program's own doing,
    or somebody's outside."""
    return ended.why is Why.EXIT and ended.status == -signal.SIGKILL and not ended.out_of_memory
