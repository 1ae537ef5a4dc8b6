"""One jail, seen from the server: starting it, talking to its driver, killing it.

Invariants: `kill` never blocks and may be called any number of times; `exited` resolves only when
every process of the jail is gone; the server's end of the control socket is the jail's life line,
so a server that dies takes its jails with it.

Everything here runs in the event loop's thread. The child is made by posix_spawn: a server has
gRPC's threads, and a fork of it could hang.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import itertools
import marshal
import os
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import limits
from sandbox.languages.base import Language

HELPER = Path(__file__).parent / "jail" / "touchstone-jail"
# See jail.c.
EXIT_SETUP, EXIT_LOST = 120, 121
CONTROL_FD = 3
# A jail whose life line is cut is gone within milliseconds; after this its launcher is killed.
KILL_SECONDS = 2.0
# The driver's longest reply is the compiler's diagnostics.
MAX_REPLY = limits.DIAGNOSTICS_BYTES + 64
ERRORS_BYTES = 4096
# Launcher, init, driver: each the child of the one before; below them are the runs.
JAIL_DEPTH = 3


class JailLost(Exception):
    """The jail ended, or broke its protocol, though nobody here killed it."""


class Stopped(enum.Enum):
    """Where a jail stands still."""

    NOTHING = "nothing is stopped"
    JAIL = "the jail itself: somebody outside did it"
    RUN = "a process of the program: it did it itself, or somebody outside"


@dataclass(frozen=True, slots=True)
class Users:
    """The two user ids of a slot outside its jail: the driver's and the runs'."""

    driver: int
    run: int


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Jail:
    """A running jail. Make one by `Jail.start`."""

    def __init__(self, pid: int, control: socket.socket, errors: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.pid = pid
        self._control = control
        self._errors_fd = errors
        self._errors = bytearray()
        self._received = bytearray()
        self._waiter: asyncio.Future[tuple[bytes, bytes]] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._replies: list[tuple[bytes, bytes]] = []
        self._cut = False
        self.killed = False
        # Resolves to the launcher's exit status.
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._pidfd = os.pidfd_open(pid)
        self._loop.add_reader(self._pidfd, self._on_exit)
        self._loop.add_reader(control.fileno(), self._on_control)
        self._loop.add_reader(errors, self._on_errors)

    @classmethod
    def start(cls, language: Language, users: Users, cgroups: Sequence[str]) -> Jail:
        """Starts a jail and returns at once; whether it could be built shows in `exited`."""
        ours, theirs = socket.socketpair()
        read_errors, write_errors = os.pipe()
        arguments = [
            str(HELPER),
            f"parent={os.getpid()}",
            f"driver_uid={users.driver}",
            f"run_uid={users.run}",
            f"tmp_bytes={limits.TMP_BYTES}",
            f"stack_bytes={limits.STACK_BYTES}",
            f"nofile={limits.OPEN_FILES}",
            *(f"ro={path}" for path in language.shown),
            *(f"cgroup={path}" for path in cgroups),
            "--",
            *language.argv,
        ]
        try:
            pid = os.posix_spawn(
                arguments[0],
                arguments,
                {},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, write_errors, 1),
                    (os.POSIX_SPAWN_DUP2, write_errors, 2),
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), CONTROL_FD),
                ],
                setsigmask=(),
            )
        except OSError:
            ours.close()
            os.close(read_errors)
            raise
        finally:
            theirs.close()
            os.close(write_errors)
        ours.setblocking(False)
        # Fits a fresh socket's buffer many times over; a launcher that is dead already shows below.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            ours.send(language.hello)
        os.set_blocking(read_errors, False)
        return cls(pid, ours, read_errors)

    @property
    def lost(self) -> bool:
        return self._cut

    def stopped(self) -> Stopped:
        """Which part of the jail a signal has stopped (SIGSTOP, a debugger).

        A program can stop itself, never the launcher, init or the driver.
        """
        level = [self.pid]
        for depth in itertools.count():
            below: list[int] = []
            for pid in level:
                try:
                    state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
                    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                except OSError:  # gone meanwhile, or a kernel that does not list children
                    continue
                if state in (b"T", b"t"):
                    return Stopped.JAIL if depth < JAIL_DEPTH else Stopped.RUN
                below += map(int, children)
            if not below:
                break
            level = below
        return Stopped.NOTHING

    def errors(self) -> str:
        """What the helper and the driver wrote on their standard error, its first part."""
        return self._errors.decode("utf-8", "replace").strip()

    # ---- talking

    async def send(self, command: dict[str, object], fds: Sequence[int] = ()) -> None:
        """Sends a command; raises JailLost when nobody is there to take it."""
        body = marshal.dumps(command, 2)
        header = len(body).to_bytes(4, "little")
        try:
            if len(body) <= 65_536:
                sent = socket.send_fds(self._control, [header + body], list(fds))
                rest = memoryview(header + body)[sent:]
            else:
                sent = socket.send_fds(self._control, [header], list(fds))
                rest = memoryview(header[sent:] + body)
            while rest:
                try:
                    rest = rest[self._control.send(rest) :]
                except BlockingIOError:
                    await self._until_writable()
        except OSError as error:
            raise JailLost(f"the jail takes no command: {error}") from error

    async def _until_writable(self) -> None:
        """Returns when the socket takes more; raises JailLost when the line is cut meanwhile."""
        writable: asyncio.Future[None] = self._loop.create_future()
        self._writable = writable
        self._loop.add_writer(self._control.fileno(), _resolve, writable)
        try:
            await writable
        finally:
            if not self._cut:
                self._loop.remove_writer(self._control.fileno())

    def reply(self) -> asyncio.Future[tuple[bytes, bytes]]:
        """The next reply, as (kind, body); fails with JailLost when the jail goes first."""
        waiter: asyncio.Future[tuple[bytes, bytes]] = self._loop.create_future()
        # A caller that stopped waiting must not be told off for it.
        waiter.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._replies:
            waiter.set_result(self._replies.pop(0))
        elif self._cut:
            waiter.set_exception(JailLost("the jail is gone"))
        else:
            self._waiter = waiter
        return waiter

    def _on_control(self) -> None:
        try:
            data = self._control.recv(65_536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self._received += data
        while len(self._received) >= 5:
            length = int.from_bytes(self._received[1:5], "little")
            if length > MAX_REPLY:
                data = b""
                break
            if len(self._received) < 5 + length:
                break
            answer = bytes(self._received[:1]), bytes(self._received[5 : 5 + length])
            del self._received[: 5 + length]
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(answer)
                self._waiter = None
            else:
                self._replies.append(answer)
        if not data:
            self._cut_line()

    def _cut_line(self) -> None:
        if self._cut:
            return
        self._cut = True
        self._loop.remove_reader(self._control.fileno())
        self._loop.remove_writer(self._control.fileno())
        self._control.close()
        if self._writable is not None and not self._writable.done():
            self._writable.set_exception(JailLost("the jail is gone"))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(JailLost("the jail is gone"))
        self._waiter = None

    def _on_errors(self) -> None:
        try:
            data = os.read(self._errors_fd, 65_536)
        except BlockingIOError:
            return
        self._errors += data[: ERRORS_BYTES - len(self._errors)]
        if not data:
            self._close_errors()

    def _close_errors(self) -> None:
        if self._errors_fd >= 0:
            self._loop.remove_reader(self._errors_fd)
            os.close(self._errors_fd)
            self._errors_fd = -1

    # ---- ending

    def kill(self) -> None:
        """Cuts the life line; the launcher then kills the tree."""
        if not self.killed:
            self.killed = True
            self._cut_line()
            if not self.exited.done():
                self._loop.call_later(KILL_SECONDS, self._kill_launcher)

    def _kill_launcher(self) -> None:
        if not self.exited.done():
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._pidfd)
        try:
            _, status = os.waitpid(self.pid, 0)
            code = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            code = EXIT_LOST  # the embedding program reaps every child itself
        os.close(self._pidfd)
        if self._errors_fd >= 0:
            self._on_errors()
            self._close_errors()
        self._cut_line()
        if not self.exited.done():
            self.exited.set_result(code)
