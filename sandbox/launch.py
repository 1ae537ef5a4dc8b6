"""One jail, seen from the server: starting it, giving it commands, killing it.

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
import os
import re
import signal
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import limits
from sandbox.cgroup import JailGroup

HELPER = Path(__file__).parent / "jail" / "touchstone-jail"
# See jail.h.
EXIT_SETUP, EXIT_LOST = 120, 121
CONTROL_FD, INSIDE_RUN_ID = 3, 1000
# A jail whose life line is cut is gone within milliseconds; after this its launcher is killed.
KILL_SECONDS = 2.0
ERRORS_BYTES = 4096
# Launcher, init, zygote: each the child of the one before; below them are the runs.
JAIL_DEPTH = 3
READ_BYTES = 1 << 18
# Time between two looks at whether somebody has stopped the jail.
LOOK_SECONDS = 2.0

# struct command and struct answer of supervise.c.
COMMAND = struct.Struct("<II9Q64s")
ANSWER = struct.Struct("<IIiI8Q")
PUT, OFFER, ADD, ASK, RUN = b"PODAR"


# /box and /tmp where a word of a command begins with one of them.
ROOTED = re.compile(r"(?<![\w./-])/(box|tmp)\b")


class JailLost(Exception):
    """The jail ended, or broke its protocol, though nobody here killed it."""


class Stopped(enum.Enum):
    """Where a jail stands still."""

    NOTHING = "nothing is stopped"
    JAIL = "the jail itself: somebody outside did it"
    RUN = "a process of the program: it did it itself, or somebody outside"


@dataclass(frozen=True, slots=True)
class Users:
    """The two user ids of a slot outside its jail: the driver's and the runs'. (0, 0) where
    programs run as the server's own user."""

    driver: int
    run: int


@dataclass(frozen=True, slots=True)
class Confinement:
    """How the jails of this server are built: `tier` 1 to 3, and whether runs have a user id of
    their own (`users` 2) or not (1)."""

    tier: int
    users: int
    # With one user and without a pid namespace RLIMIT_NPROC counts all the user's processes.
    counts_all_processes: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """Where one jail at a time lives: what stays when it is replaced by the next."""

    confinement: Confinement
    users: Users
    group: JailGroup | None
    # Tiers 1 and 2: a directory of this jail's own, with box/ and tmp/ in it; else "".
    work: str = ""

    @property
    def tmp(self) -> str:
        """The run's /tmp, as it sees it."""
        return f"{self.work}/tmp" if self.work else "/tmp"

    @property
    def run_id(self) -> int:
        """The user id that runs take, as they see it; 0 where they take none."""
        if self.confinement.users == 1:
            return 0
        return INSIDE_RUN_ID if self.confinement.tier == 3 else self.users.run

    def inside(self, text: str) -> str:
        """A command's text with /box and /tmp where they are in this tier."""
        return ROOTED.sub(rf"{self.work}/\1", text) if self.work else text


@dataclass(frozen=True, slots=True)
class Answer:
    """What init answers; see struct answer of supervise.c. `why` counts for runs alone."""

    why: int
    status: int
    left: bool
    cpu_us: int
    wall_us: int
    peak_bytes: int
    stdout_total: int
    stderr_total: int
    stdout: bytes
    stderr: bytes
    results: bytes


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Jail:
    """A running jail. Make one by `Jail.start`.

    A raw jail holds one untrusted program that talks to the server itself: use `send` and
    `receive` there, and `ask` in every other.
    """

    def __init__(self, pid: int, control: socket.socket, errors: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.pid = pid
        self._control = control
        self._errors_fd = errors
        self._errors = bytearray()
        self._received = bytearray()
        # How many bytes `receive` waits for, and who waits.
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._cut = False
        self.killed = False
        # Resolves to the launcher's exit status.
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._pidfd = os.pidfd_open(pid)
        self._loop.add_reader(self._pidfd, self._on_exit)
        self._loop.add_reader(control.fileno(), self._on_control)
        self._loop.add_reader(errors, self._on_errors)

    @classmethod
    def start(
        cls, room: Room, argv: Sequence[str], shown: Sequence[str], raw: bool = False
    ) -> Jail:
        """Starts a jail and returns at once; whether it could be built shows in `exited`.

        `argv` is the zygote, or the program of a raw jail; empty: the spawner.
        """
        ours, theirs = socket.socketpair()
        read_errors, write_errors = os.pipe()
        settings: dict[str, object] = {
            "tier": room.confinement.tier,
            "users": room.confinement.users,
            "raw": int(raw),
            "parent": os.getpid(),
            "driver_uid": room.users.driver,
            "run_uid": room.users.run,
            "tmp_bytes": limits.TMP_BYTES,
            "box_bytes": limits.BOX_BYTES,
            "stack_bytes": limits.STACK_BYTES,
            "nofile": limits.OPEN_FILES,
        }
        if room.work:
            settings["work"] = room.work
        if room.group:
            settings["cpu"] = room.group.cpu_file
        arguments = [
            str(HELPER),
            *(f"{name}={value}" for name, value in settings.items()),
            *(f"ro={path}" for path in shown),
            *(f"cgroup={path}" for path in (room.group.directories if room.group else ())),
            "--",
            *argv,
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
        os.set_blocking(read_errors, False)
        return cls(pid, ours, read_errors)

    @property
    def lost(self) -> bool:
        return self._cut

    def stopped(self) -> Stopped:
        """Which part of the jail a signal has stopped (SIGSTOP, a debugger).

        A program can stop itself, never the launcher, init or the zygote.
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
        """What the helper and the zygote wrote on their standard error, its first part."""
        return self._errors.decode("utf-8", "replace").strip()

    # ---- talking

    async def ask(
        self,
        kind: int,
        body: bytes = b"",
        stdin: bytes = b"",
        name: bytes = b"",
        numbers: tuple[int, int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0, 0),
        seconds: float = limits.INIT_SECONDS,
        fds: Sequence[int] = (),
    ) -> Answer:
        """Gives init a command and returns its answer; raises JailLost when the jail goes first.

        A jail that gives none for so many seconds, or that somebody has stopped, is killed.

        `numbers` are those of struct command: CPU and wall time in microseconds, then the bytes
        of memory (0: a cgroup limits it), of standard output, of standard error kept and in all,
        and of results. `fds` go along: a program for OFFER, standard input and output for RUN.
        """
        self._watch(self._loop.time() + seconds)
        try:
            command = COMMAND.pack(kind, 0, len(body), len(stdin), *numbers, name)
            if fds:
                # The socket is empty before a command: all of it is taken, with the descriptors.
                self._send_fds(command, fds)
                await self.send(body, stdin)
            else:
                await self.send(command, body, stdin)
            head = ANSWER.unpack(await self.receive(ANSWER.size))
        except BaseException:
            # Half a command is no command: what is sent next would be taken for its rest.
            self.kill()
            raise
        finally:
            self._watching.cancel()
        if head[0] != kind:
            self.kill()
            raise JailLost("the jail broke its protocol")
        out, err, results = head[9:12]
        data = memoryview(await self.receive(out + err + results))
        return Answer(
            why=head[1],
            status=head[2],
            left=head[3] != 0,
            cpu_us=head[4],
            wall_us=head[5],
            peak_bytes=head[6] * 1024,
            stdout_total=head[7],
            stderr_total=head[8],
            stdout=bytes(data[:out]),
            stderr=bytes(data[out : out + err]),
            results=bytes(data[out + err :]),
        )

    def _watch(self, end: float) -> None:
        self._watching = self._loop.call_later(LOOK_SECONDS, self._look, end)

    def _look(self, end: float) -> None:
        if self._loop.time() > end or self.stopped() is Stopped.JAIL:
            self.kill()
        else:
            self._watch(end)

    def _send_fds(self, command: bytes, fds: Sequence[int]) -> None:
        try:
            socket.send_fds(self._control, [command], fds)
        except OSError as error:
            raise JailLost(f"the jail takes no command: {error}") from error

    async def send(self, *parts: bytes) -> None:
        """Sends bytes; raises JailLost when nobody is there to take them."""
        if self._cut:
            raise JailLost("the jail is gone")
        rest = [memoryview(part) for part in parts if part]
        while rest:
            try:
                sent = self._control.sendmsg(rest)
            except BlockingIOError:
                await self._until_writable()
                continue
            except OSError as error:
                raise JailLost(f"the jail takes no command: {error}") from error
            while rest and sent >= len(rest[0]):
                sent -= len(rest.pop(0))
            if sent:
                rest[0] = rest[0][sent:]

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

    async def receive(self, size: int) -> bytes:
        """The next `size` bytes; raises JailLost when the jail goes first."""
        if len(self._received) < size:
            if self._cut:
                raise JailLost("the jail is gone")
            self._wanted, self._waiter = size, self._loop.create_future()
            await self._waiter
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def _on_control(self) -> None:
        try:
            data = self._control.recv(READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self._received += data
        if self._waiter is not None and len(self._received) >= self._wanted:
            _resolve(self._waiter)
            self._waiter = None
        if not data:
            self._cut_line()

    def _cut_line(self) -> None:
        if self._cut:
            return
        self._cut = True
        self._loop.remove_reader(self._control.fileno())
        self._loop.remove_writer(self._control.fileno())
        self._control.close()
        for waiter in (self._writable, self._waiter):
            if waiter is not None and not waiter.done():
                waiter.set_exception(JailLost("the jail is gone"))
        self._writable = self._waiter = None

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

    async def end(self) -> None:
        """Kills the jail and returns when all of it is gone."""
        self.kill()
        await asyncio.shield(self.exited)

    def _kill_launcher(self) -> None:
        if not self.exited.done():
            with contextlib.suppress(ProcessLookupError):
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
