"""One slot: runs one submission at a time, each in a jail of its own.

What counts, when something dies:

- A limit that is passed ends the run; the jail is killed and the runs that are left get a new one.
- The driver has a user id of its own, so a program can neither kill nor stop it. A jail that is
  lost without having run out of memory was killed from outside, and one that is found stopped by
  a signal when time runs out was stopped from outside: the run is repeated in a new jail, and
  lost ATTEMPTS times it is SANDBOX_ERROR.
- A run ended by a SIGKILL that neither a limit nor the memory cgroup explains killed itself or
  was killed from outside, which cannot be told apart: it is tried ATTEMPTS times, each in a new
  jail, and what happened last counts.
- A wall limit is the program's own, as sleep(100) is, with two exceptions: little CPU time was
  used while the host was busy, or a process of the program is stopped by a signal, its own or
  somebody's. Then the run is repeated once, and what happens then counts. A run that was stopped
  from outside and set going again before the limit cannot be told from one that slept.
- Compiling neither waits nor sleeps: it ends at its CPU limit, or the jail stood still and counts
  as lost.

Function calls share a process, so what is repeated there is all of them.
"""

from __future__ import annotations

import asyncio
import marshal
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox import limits
from sandbox.cgroup import SlotGroup
from sandbox.execution import Ended, Execution, Why, killed_unexplained
from sandbox.languages.base import Language
from sandbox.launch import EXIT_SETUP, Jail, JailLost, Stopped, Users
from sandbox.limits import Job
from sandbox.v1 import sandbox_pb2 as pb

# The launcher, init and the driver are in the slot's cgroup too.
JAIL_PROCESSES = 3
# Tries of a run whose jail is lost, or that is killed for no reason known. They cost nothing where
# nobody kills; three outlast a host on which somebody kills at random.
ATTEMPTS = 3
# Tries of a run that hit its wall limit for no reason of its own: each takes all of that time.
WALL_ATTEMPTS = 2
# Time between two looks at a compiler that takes its time.
COMPILE_LOOK_SECONDS = 1.0
# A wall-limit hit with less than this share of the CPU limit used was not the program's work.
LITTLE_CPU = 0.5
# Per cent of the last ten seconds in which some process waited for a core. A host whose cores
# are just full shows about 10.
BUSY_PRESSURE = 20.0
NONCE_BYTES = 8
# See driver.run_calls: index, kind, CPU microseconds, wall microseconds, length of the text.
FRAME = struct.Struct("<IcQQI")
ERROR_CHARACTERS = 4096

Outcome = pb.Outcome
_ENDINGS = {
    Why.CPU: Outcome.CPU_LIMIT,
    Why.WALL: Outcome.WALL_LIMIT,
    Why.OUTPUT: Outcome.OUTPUT_LIMIT,
}


class SandboxError(Exception):
    """The sandbox failed; nothing is known about the program."""


class _CompileFailed(Exception):
    """The program does not compile; the message is for its author."""


class _DeadlineOver(Exception):
    """deadline_ms passed."""


def host_is_busy() -> bool:
    """Whether processes have had to wait for a core in the last seconds."""
    try:
        first = Path("/proc/pressure/cpu").read_text().split()
    except OSError:  # a kernel without pressure stall information
        return os.getloadavg()[0] > (os.cpu_count() or 1)
    return float(first[1].removeprefix("avg10=")) > BUSY_PRESSURE


class Slot:
    """Owns two user ids, a cgroup, and the jail that is ready for the next submission."""

    def __init__(self, number: int, users: Users, group: SlotGroup | None) -> None:
        self.number, self.users, self.group = number, users, group
        self._jail: Jail | None = None
        self._language: Language | None = None

    # ---- the jail

    def prepare(self, language: Language) -> None:
        """Starts a jail, so that its interpreter is warm when a submission comes."""
        if self._jail is None:
            self._language = language
            if self.group and not self.group.limited:
                self._limit(limits.run_limits(pb.Limits()))
            directories = self.group.directories if self.group else []
            self._jail = Jail.start(language, self.users, directories)

    async def clear(self) -> None:
        """Kills the jail and waits until all of it is gone."""
        if self._jail is not None:
            self._jail.kill()
            await asyncio.shield(self._jail.exited)
            self._jail = None

    def kill(self) -> None:
        if self._jail is not None:
            self._jail.kill()

    def _limit(self, run: limits.RunLimits) -> None:
        if self.group:
            self.group.limit(run.memory_bytes, run.processes + JAIL_PROCESSES)

    async def _loaded(self, job: Job, language: Language, deadline: float | None) -> Jail:
        """A jail whose driver has compiled the program."""
        for attempt in range(1, ATTEMPTS + 1):
            if self._jail is not None and (self._jail.lost or self._language is not language):
                await self.clear()
            self._limit(job.limits)
            self.prepare(language)
            assert self._jail is not None
            oom_before = self.group.oom_kills() if self.group else 0
            try:
                kind, body = await self._compile(self._jail, job, deadline)
            except JailLost as lost:
                status = await asyncio.shield(self._jail.exited)
                said = self._jail.errors()
                await self.clear()
                if self.group and self.group.oom_kills() > oom_before:
                    raise _CompileFailed("compiling took more than the memory limit") from None
                if status == EXIT_SETUP:
                    raise SandboxError(f"no jail could be built: {said}") from None
                if attempt == ATTEMPTS:
                    if status > 128 and status != 128 + 9:
                        raise _CompileFailed(
                            f"the compiler died of signal {status - 128}"
                        ) from None
                    raise SandboxError(
                        f"the jail was lost {ATTEMPTS} times: {lost} (status {status}) {said}"
                    ) from None
            else:
                if kind == b"C":
                    raise _CompileFailed(body.decode("utf-8", "replace"))
                return self._jail
        raise AssertionError("unreachable")

    async def _compile(self, jail: Jail, job: Job, deadline: float | None) -> tuple[bytes, bytes]:
        cpu_before = self.group.cpu_us() if self.group else 0
        end = time.monotonic() + limits.COMPILE_WALL_SECONDS
        preload = len(job.runs) > 1 and job.kind != "call"
        command: dict[str, object] = {"do": "load", "preload": preload}
        command |= {"prelude": job.prelude, "source": job.source}
        try:
            async with asyncio.timeout(limits.COMPILE_WALL_SECONDS):
                await jail.send(command)
        except TimeoutError:  # the driver takes no command: it was stopped from outside
            jail.kill()
            raise JailLost("the jail takes no command") from None
        reply = jail.reply()
        while True:
            now = time.monotonic()
            wait = min(COMPILE_LOOK_SECONDS, end - now)
            if deadline is not None:
                wait = min(wait, deadline - now)
            try:
                async with asyncio.timeout(wait):
                    return await asyncio.shield(reply)
            except TimeoutError:
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    jail.kill()
                    raise _DeadlineOver from None
                if jail.stopped() is Stopped.JAIL:
                    jail.kill()
                    raise JailLost("it was stopped from outside") from None
                cpu = (self.group.cpu_us() - cpu_before) / 1e6 if self.group else 0.0
                little = LITTLE_CPU * limits.COMPILE_CPU_SECONDS
                if now >= end and self.group and cpu < little:
                    jail.kill()
                    raise JailLost(f"it used {cpu:.1f} s of CPU time to compile") from None
                if now >= end or cpu >= limits.COMPILE_CPU_SECONDS:
                    jail.kill()
                    raise _CompileFailed(
                        f"compiling took more than {limits.COMPILE_CPU_SECONDS:g} s of CPU time "
                        f"or {limits.COMPILE_WALL_SECONDS:g} s"
                    ) from None

    # ---- submissions

    async def run(self, job: Job, language: Language) -> pb.RunResult:
        """Runs a submission. Afterwards, however it ended, the jail has been told to die."""
        began = time.monotonic()
        deadline = None if job.deadline_seconds is None else began + job.deadline_seconds
        result = pb.RunResult(id=job.id, status=pb.RunResult.OK, tier=pb.T3)
        result.toolchain = language.toolchain
        outcomes: list[pb.Outcome] = []
        try:
            if deadline is not None and job.deadline_seconds == 0:
                raise _DeadlineOver
            if job.kind == "call":
                await self._run_calls(job, language, deadline, outcomes)
            else:
                await self._run_each(job, language, deadline, outcomes)
        except _CompileFailed as failure:
            result.compile_failed = True
            result.diagnostics = str(failure)[: limits.DIAGNOSTICS_BYTES]
        except _DeadlineOver:
            result.status = pb.RunResult.TIMEOUT
            result.message = f"deadline_ms passed after {len(outcomes)} of {len(job.runs)} runs"
        except (SandboxError, JailLost, OSError) as error:
            outcomes.clear()
            result.status = pb.RunResult.SANDBOX_ERROR
            result.message = f"{type(error).__name__}: {error}"
        finally:
            self.kill()
        if result.status != pb.RunResult.SANDBOX_ERROR:
            missing = len(job.runs) - len(outcomes)
            outcomes += [pb.Outcome(ending=Outcome.NOT_RUN) for _ in range(missing)]
            result.outcomes.extend(outcomes)
        result.ran_ms = (time.monotonic() - began) * 1000
        return result

    async def _execute(
        self,
        job: Job,
        language: Language,
        deadline: float | None,
        command: dict[str, object],
        stdin: bytes,
        room: int,
    ) -> Ended:
        """One run, repeated where its end says nothing about the program."""
        output = min(job.limits.output_bytes, room)
        for attempt in range(1, ATTEMPTS + 1):
            jail = await self._loaded(job, language, deadline)
            execution = Execution(jail, self.group, job.limits, output, deadline)
            ended = await execution.execute(command, stdin, with_results=job.kind != "input")
            if ended.jail_killed:
                await self.clear()
            said = jail.errors()
            if ended.why is Why.DEADLINE:
                raise _DeadlineOver
            if attempt >= _attempts(ended, job.limits):
                break
            await self.clear()
        if ended.why is Why.LOST and not ended.out_of_memory:
            raise SandboxError(
                f"the jail was lost {ATTEMPTS} times in the same run {said}".rstrip()
            )
        return ended

    async def _run_each(
        self, job: Job, language: Language, deadline: float | None, outcomes: list[pb.Outcome]
    ) -> None:
        """Inputs and snippets: a fresh process for each."""
        room = limits.MAX_RESULT_BYTES
        for run in job.runs:
            nonce = os.urandom(NONCE_BYTES)
            command: dict[str, object] = {"do": job.kind}
            stdin = b""
            if isinstance(run, bytes):
                stdin = run
            else:
                command |= {"source": run, "nonce": nonce}
            ended = await self._execute(job, language, deadline, command, stdin, room)
            outcome = outcome_of(ended)
            outcome.stdout = ended.stdout
            outcome.stdout_truncated = ended.stdout_truncated
            if job.kind == "snippet":
                outcome.completed = ended.results.startswith(nonce)
            outcomes.append(outcome)
            room -= len(ended.stdout)
            failed = outcome.ending != Outcome.EXITED or outcome.exit_code != 0
            if failed and job.stop_on_failure:
                return

    async def _run_calls(
        self, job: Job, language: Language, deadline: float | None, outcomes: list[pb.Outcome]
    ) -> None:
        """Calls: one process for all of them."""

        nonce = os.urandom(NONCE_BYTES)
        command: dict[str, object] = {
            "do": "call",
            "nonce": nonce,
            "entry_point": job.entry_point,
            "function_only": job.function_only,
            "calls": [marshal.dumps(arguments, 2) for arguments in job.runs],
            "output_limit": job.limits.output_bytes,
            "stop": job.stop_on_failure,
        }
        ended = await self._execute(job, language, deadline, command, b"", limits.MAX_RESULT_BYTES)
        outcomes += call_outcomes(ended, nonce, job)


def _attempts(ended: Ended, run: limits.RunLimits) -> int:
    """How often a run that ended like this may be tried in all."""
    if (ended.why is Why.LOST and not ended.out_of_memory) or killed_unexplained(ended):
        return ATTEMPTS
    little = ended.cpu_us < LITTLE_CPU * run.cpu_seconds * 1e6
    if ended.why is Why.WALL and little and (ended.stopped or host_is_busy()):
        return WALL_ATTEMPTS
    return 1


def outcome_of(ended: Ended) -> pb.Outcome:
    """How a process ended, without its standard output."""
    outcome = pb.Outcome(
        stderr=ended.stderr,
        stderr_truncated=ended.stderr_truncated,
        cpu_us=ended.cpu_us,
        wall_us=ended.wall_us,
        peak_memory_bytes=ended.peak_bytes,
    )
    if ended.why in _ENDINGS:
        outcome.ending = _ENDINGS[ended.why]
    elif ended.out_of_memory:
        outcome.ending = Outcome.MEMORY_LIMIT
    elif ended.status is None:
        raise SandboxError("a run ended without a status")
    elif ended.status < 0:
        outcome.ending, outcome.signal = Outcome.SIGNALLED, -ended.status
    else:
        outcome.ending, outcome.exit_code = Outcome.EXITED, ended.status
    return outcome


def _frames(results: bytes, nonce: bytes) -> Iterator[tuple[int, bytes, int, int, bytes] | None]:
    """The frames of a run of calls in order; None, last, for bytes that are no frame."""
    at = 0
    while at < len(results):
        head = results[at : at + len(nonce)]
        if head != nonce[: len(head)]:
            yield None
            return
        at += len(nonce)
        if len(results) - at < FRAME.size:
            return  # cut short by the end of the process
        index, kind, cpu, wall, length = FRAME.unpack_from(results, at)
        at += FRAME.size
        if len(results) - at < length:
            return
        yield index, kind, cpu, wall, results[at : at + length]
        at += length


def call_outcomes(ended: Ended, nonce: bytes, job: Job) -> list[pb.Outcome]:
    """The outcomes of the calls that were started.

    The process that writes the frames has the program in it, so a frame is worth what the
    program is: a value to be compared outside. Anything that is not the next frame ends the list.
    """
    outcomes: list[pb.Outcome] = []
    count = len(job.runs)
    for frame in _frames(ended.results, nonce):
        if frame is None or frame[0] != len(outcomes) or len(outcomes) == count:
            if len(outcomes) < count:
                outcomes.append(_tampered(ended))
            return outcomes
        _, kind, cpu, wall, text = frame
        outcome = pb.Outcome(cpu_us=cpu, wall_us=wall, peak_memory_bytes=ended.peak_bytes)
        if kind == b"R" and len(text) <= job.limits.output_bytes and text.isascii():
            outcome.ending, outcome.value_json = Outcome.RETURNED, text.decode("ascii")
        elif kind == b"X":
            outcome.ending = Outcome.RAISED
            outcome.error = text.decode("utf-8", "replace")[:ERROR_CHARACTERS]
        elif kind == b"O":
            outcome.ending = Outcome.OUTPUT_LIMIT
        else:
            outcomes.append(_tampered(ended))
            return outcomes
        outcomes.append(outcome)
    last = outcomes[-1].ending if outcomes else Outcome.RETURNED
    stopped = last == Outcome.OUTPUT_LIMIT or (job.stop_on_failure and last != Outcome.RETURNED)
    if len(outcomes) < count and not stopped:
        outcomes.append(outcome_of(ended))
    return outcomes


def _tampered(ended: Ended) -> pb.Outcome:
    return pb.Outcome(
        ending=Outcome.RAISED,
        error="the program wrote to the channel of its results",
        stderr=ended.stderr,
        stderr_truncated=ended.stderr_truncated,
    )
