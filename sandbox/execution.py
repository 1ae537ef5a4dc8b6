"""One run in a jail: what it is given, its limits, how it ended. No verdicts and no retries here.

Invariants: what is kept of a run's output is bounded; a run that passes a limit, or leaves
processes behind, leaves a jail that must not be used again (`Ended.jail_spent`), every other run
leaves one that can take the next run.

CPU time decides. Init looks at the slot's CPU time as rarely as what remains allows, so a run far
from its limit costs nothing.
"""

from __future__ import annotations

import enum
import marshal
import math
import os
import signal
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox import limits
from sandbox.launch import RUN, Jail, JailLost, Room, Stopped

# struct start of spawn.c, after its size.
START = struct.Struct("<IIIQQQ")


# What the resident size of a process tells of pages that are files', such as its libraries'.
FILE_PAGES = 64 * limits.MIB


class Why(enum.IntEnum):
    """What ended a run; the first five as in supervise.c."""

    EXIT = 0
    CPU = 1
    WALL = 2
    OUTPUT = 3
    MEMORY = 4
    DEADLINE = 5
    LOST = 6


@dataclass(slots=True)
class Ended:
    """How a run ended. `status` is the process's exit code, negative for a signal, and None
    where the run did not end by itself."""

    why: Why
    status: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    cpu_us: int = 0
    wall_us: int = 0
    peak_bytes: int = 0
    out_of_memory: bool = False
    results: bytes = b""
    left: bool = False
    # At the wall limit a process of the program was stopped by a signal.
    stopped: bool = False

    @property
    def jail_spent(self) -> bool:
        return self.why is not Why.EXIT or self.left

    @property
    def killed_unexplained(self) -> bool:
        """SIGKILL that neither a limit nor the memory cgroup accounts for: the program's own
        doing, or somebody's outside."""
        return self.why is Why.EXIT and self.status == -signal.SIGKILL and not self.out_of_memory


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """What a run sets as its own rlimits; 0 is what its zygote has. CPU time, of each process
    alone, and processes only where no cgroup tells or limits them."""

    cpu_seconds: int
    file_bytes: int
    stack_bytes: int
    processes: int

    @classmethod
    def of(cls, run: limits.RunLimits, room: Room, processes_before: int) -> ResourceLimits:
        """`processes_before` is what does not count as the program's own."""
        grouped = room.group is not None
        return cls(
            cpu_seconds=0 if grouped else math.ceil(run.cpu_seconds) + 1,
            file_bytes=0 if run.file_bytes == limits.TMP_BYTES else run.file_bytes,
            stack_bytes=0 if run.stack_bytes == limits.STACK_BYTES else run.stack_bytes,
            processes=0 if grouped else run.processes + processes_before,
        )


UNLIMITED = ResourceLimits(0, 0, 0, 0)


def spawn_body(argv: Sequence[str], env: Mapping[str, str], rlimits: ResourceLimits) -> bytes:
    """What the spawner's child reads: struct start of spawn.c and the strings."""
    strings = [*argv, *(f"{name}={value}" for name, value in env.items())]
    text = b"".join(os.fsencode(string) + b"\0" for string in strings)
    head = START.pack(
        len(argv),
        len(env),
        rlimits.cpu_seconds,
        rlimits.file_bytes,
        rlimits.stack_bytes,
        rlimits.processes,
    )
    return (len(head) + len(text)).to_bytes(4, "little") + head + text


def python_body(command: dict[str, object], rlimits: ResourceLimits, room: Room) -> bytes:
    """What the child of the Python zygote reads: its length and a marshalled dict."""
    command |= {
        "cpu_limit": rlimits.cpu_seconds,
        "file_limit": rlimits.file_bytes,
        "stack_limit": rlimits.stack_bytes,
        "process_limit": rlimits.processes,
        "limited": rlimits != UNLIMITED,
        "tmp": room.tmp,
        "run_id": room.run_id,
    }
    body = marshal.dumps(command, 2)
    return len(body).to_bytes(4, "little") + body


async def execute(
    jail: Jail,
    room: Room,
    run: limits.RunLimits,
    body: bytes,
    stdin: bytes,
    output_bytes: int,
    result_bytes: int,
    deadline: float | None,
    memory_before: int = 0,
    streams: Sequence[int] = (),
) -> Ended:
    """Runs one process and returns how it ended; the jail is killed where it is spent.

    `deadline` is on time.monotonic()'s clock; `memory_before` is what its runtime takes, in bytes,
    beside its limit; `streams` are descriptors for its standard input and output, which then are
    neither fed nor kept.
    """
    oom_before = room.group.oom_kills() if room.group else 0
    if room.group:
        room.group.reset_peak()
    began = time.monotonic()
    wall = run.wall_seconds
    if deadline is not None:
        wall = min(wall, deadline - began)
    numbers = (
        round(run.cpu_seconds * 1e6),
        max(round(wall * 1e6), 0),
        0 if room.group else run.memory_bytes + memory_before,
        output_bytes,
        limits.STDERR_BYTES,
        max(output_bytes, limits.STDERR_BYTES),
        result_bytes,
    )
    try:
        answer = await jail.ask(
            RUN, body, stdin, numbers=numbers, seconds=wall + limits.INIT_SECONDS, fds=streams
        )
    except JailLost:
        jail.kill()
        return Ended(
            why=Why.LOST,
            wall_us=round((time.monotonic() - began) * 1e6),
            out_of_memory=room.group is not None and room.group.oom_kills() > oom_before,
        )
    except BaseException:
        jail.kill()
        raise
    why = Why(answer.why)
    status = os.waitstatus_to_exitcode(answer.status) if why is Why.EXIT else None
    stopped = Stopped.NOTHING
    if why is Why.WALL:
        stopped = jail.stopped()
        if deadline is not None and time.monotonic() >= deadline:
            why = Why.DEADLINE
        elif stopped is Stopped.JAIL:
            why = Why.LOST
    elif why is Why.EXIT and answer.cpu_us > run.cpu_seconds * 1e6:
        why = Why.CPU
    elif why is Why.EXIT and room.group is None:
        # It may have ended between two looks at its memory.
        most = run.memory_bytes + memory_before + FILE_PAGES
        why = Why.MEMORY if answer.peak_bytes > most else why
    ended = Ended(
        why=why,
        status=status if why is Why.EXIT else None,
        stdout=answer.stdout,
        stderr=answer.stderr,
        stdout_truncated=answer.stdout_total > len(answer.stdout),
        stderr_truncated=answer.stderr_total > len(answer.stderr),
        cpu_us=answer.cpu_us,
        wall_us=answer.wall_us,
        peak_bytes=(room.group.peak_bytes() if room.group else 0) or answer.peak_bytes,
        out_of_memory=room.group is not None and room.group.oom_kills() > oom_before,
        results=answer.results,
        left=answer.left,
        stopped=stopped is Stopped.RUN,
    )
    if ended.jail_spent:
        jail.kill()
    return ended
