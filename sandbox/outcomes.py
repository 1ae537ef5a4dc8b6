"""From how a process ended to what the contract says of it. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.execution import Ended, Why
from sandbox.limits import Job
from sandbox.v1 import sandbox_pb2 as pb

# See driver.run_calls: index, kind, CPU microseconds, wall microseconds, length of the text.
FRAME = struct.Struct("<IcQQI")
ERROR_CHARACTERS = 4096

Outcome = pb.Outcome
_ENDINGS = {
    Why.CPU: Outcome.CPU_LIMIT,
    Why.WALL: Outcome.WALL_LIMIT,
    Why.OUTPUT: Outcome.OUTPUT_LIMIT,
    Why.MEMORY: Outcome.MEMORY_LIMIT,
}


class SandboxError(Exception):
    """The sandbox failed; nothing is known about the program."""


class DeadlineOver(Exception):
    """deadline_ms passed."""


class CompileFailed(Exception):
    """The program does not compile; the message is for its author.

    `final` says that it never will: no limit ended the compiler.
    """

    def __init__(self, message: str, final: bool = False, cpu_us: int = 0) -> None:
        super().__init__(message)
        self.final, self.cpu_us = final, cpu_us


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a Python run tells before the program starts (see driver.load)."""

    codes: bytes
    results: bytes


def loaded(ended: Ended) -> Loaded:
    """Takes that apart; raises CompileFailed where the program was not compiled."""
    kind, data = ended.results[:1], ended.results[1:]
    if kind == b"L":
        return Loaded(b"", data)
    if kind == b"A" and len(data) >= 4:
        end = 4 + int.from_bytes(data[:4], "little")
        if len(data) >= end:
            return Loaded(data[4:end], data[end:])
    if ended.why is Why.LOST and ended.out_of_memory:
        # Shared memory is nobody's in particular: the kernel may have chosen the zygote to die.
        return Loaded(b"", b"")
    if kind == b"C":
        raise CompileFailed(data.decode("utf-8", "replace"), final=True)
    raise CompileFailed(why_not_compiled(ended))


def why_not_compiled(ended: Ended) -> str:
    """For a compiler that did not end by itself."""
    if ended.out_of_memory:
        return "compiling took more than the memory limit"
    if ended.why is not Why.EXIT:
        return f"compiling was stopped by the {ended.why.name.lower()} limit"
    if ended.status is not None and ended.status < 0:
        return f"the compiler died of signal {-ended.status}"
    return f"the compiler ended with exit code {ended.status}"


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


def call_outcomes(ended: Ended, results: bytes, nonce: bytes, job: Job) -> list[pb.Outcome]:
    """The outcomes of the calls that were started.

    The process that writes the frames has the program in it, so a frame is worth what the
    program is: a value to be compared outside. Anything that is not the next frame ends the list.
    """
    outcomes: list[pb.Outcome] = []
    count = len(job.runs)
    for frame in _frames(results, nonce):
        if frame is None or frame[0] != len(outcomes) or len(outcomes) == count:
            if len(outcomes) < count:
                outcomes.append(_tampered(ended))
            return outcomes
        _, kind, cpu, wall, text = frame
        outcome = pb.Outcome(cpu_us=cpu, wall_us=wall, peak_memory_bytes=ended.peak_bytes)
        if kind in (b"R", b"T") and len(text) <= job.limits.output_bytes and text.isascii():
            outcome.ending, outcome.value_json = Outcome.RETURNED, text.decode("ascii")
            outcome.inner_tuples = kind == b"T"
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
