"""Two programs that talk to each other: each in a jail of its own, their standard streams joined.

Invariants: this process holds the end from which each side reads until it has seen that side end:
who writes to a side that is gone is not killed for it before the end of the other is known, and not
mistaken for who ended first. It also holds the end to which the program writes until it has seen
the program end: an interactor that ends because the program did is never seen to end before it. The
end to which the interactor writes is its own, so that the program sees it closed. An interactor
that closed it, as each does by ending, before the program was seen to end went first, whichever end
is told first. A jail that is lost, or a side that is killed for no reason known, says nothing about
either side, and both are run again.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox import limits
from sandbox.execution import Ended, Why, execute
from sandbox.languages.base import Language
from sandbox.launch import JailLost
from sandbox.limits import Job
from sandbox.outcomes import CompileFailed, DeadlineOver, Outcome, SandboxError, loaded
from sandbox.seat import Box, Seat
from sandbox.v1 import sandbox_pb2 as pb

# As for other runs whose jail is lost: see slot.py.
ATTEMPTS = 3


class OtherCompileFailed(CompileFailed):
    """The rival, or the interactor, does not compile."""

    @classmethod
    def of(cls, failure: CompileFailed) -> OtherCompileFailed:
        return cls(str(failure), failure.final, failure.cpu_us)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A program ready to be run as a command: where, and what its process reads first, by its
    arguments."""

    seat: Seat
    job: Job
    language: Language
    box: Box
    body: Callable[[tuple[str, ...]], bytes]

    def with_files(self, files: limits.Files) -> Box:
        """Its box with the files of one run."""
        return replace(self.box, beside=self.box.beside + files)


async def converse(
    program: Prepared,
    interactor: Prepared,
    run: limits.Command,
    going_on: int,
    deadline: float | None,
) -> tuple[Ended | None, Ended, bool]:
    """One dialogue: how the program ended, None where it was stopped, and the interactor; and
    whether the interactor ended, or closed its output, first. After any exit code of the interactor
    but `going_on` the program is stopped.
    """
    for attempt in range(1, ATTEMPTS + 1):
        to_program, to_interactor = _pipe(), _pipe()
        over: list[Prepared] = []
        sides = [
            asyncio.create_task(_side(one, args, box, streams, holds, deadline, over))
            for one, args, box, streams, holds in (
                (program, (), program.box, (to_program[0], to_interactor[1]), True),
                (
                    interactor,
                    run.args,
                    interactor.with_files(run.files),
                    (to_interactor[0], to_program[1]),
                    False,
                ),
            )
        ]
        try:
            done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            if any(side.exception() for side in done):
                for side in sides:
                    side.cancel()
            elif sides[0] not in done and sides[1].result().status != going_on:
                sides[0].cancel()
            ended, judged = await asyncio.gather(*sides, return_exceptions=True)
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
        killed = attempt < ATTEMPTS and (_is_killed(ended) or _is_killed(judged))
        if _is_lost(ended) or _is_lost(judged) or killed:
            await program.seat.clear()
            await interactor.seat.clear()
            continue
        for side_ended in (ended, judged):
            if isinstance(side_ended, Exception):
                raise side_ended
        assert isinstance(judged, Ended)  # it is cancelled only beside an exception
        told = None if isinstance(ended, BaseException) else ended
        if told is None:
            await program.seat.clear()
        elif program.language.zygote:
            loaded(told)
        if interactor.language.zygote:
            try:
                loaded(judged)
            except CompileFailed as failure:
                raise OtherCompileFailed.of(failure) from None
        return told, judged, over[0] is interactor
    raise SandboxError(f"a jail was lost {ATTEMPTS} times in the same dialogue")


async def _side(
    program: Prepared,
    args: tuple[str, ...],
    box: Box,
    streams: tuple[int, int],
    holds: bool,
    deadline: float | None,
    over: list[Prepared],
) -> Ended:
    """One side of a dialogue; closes its ends, and is noted in `over`, when it has ended. Unless it
    `holds`, the end to which it writes is closed here as soon as the side has it; a side that holds
    is not noted where the other has closed its output already, and so went first."""
    seat, job, language = program.seat, program.job, program.language
    ends = list(streams)
    try:
        jail = await seat.ready()
        seat.limit(job.limits, language.memory_bytes, language.processes)
        await seat.put(jail, box)
        run = asyncio.ensure_future(
            execute(
                jail,
                seat.room,
                job.limits,
                program.body(args),
                b"",
                0,
                limits.MAX_ARTIFACT_BYTES if language.zygote else 0,
                deadline,
                language.memory_bytes,
                streams,
            )
        )
        try:
            await asyncio.sleep(0)  # its first step sends the descriptors
            if not holds:
                os.close(ends.pop())
            ended = await run
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
    finally:
        if not (holds and _is_without_writer(ends[0])):
            over.append(program)
        for end in ends:
            os.close(end)
    if ended.why is Why.DEADLINE:
        raise DeadlineOver
    return ended


def _pipe() -> tuple[int, int]:
    """A pipe that another user may open by name, as programs do with /dev/stdin."""
    read, write = os.pipe()
    os.fchmod(read, 0o666)
    return read, write


def _is_without_writer(read: int) -> bool:
    """Whether nobody has the other end of a pipe any more; what is still in it does not matter."""
    poll = select.poll()
    poll.register(read, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _is_lost(side: Ended | BaseException) -> bool:
    """Whether it ended by the loss of its jail, through no doing of its own."""
    if isinstance(side, Ended):
        return side.why is Why.LOST and not side.out_of_memory
    return isinstance(side, JailLost)


def _is_killed(side: Ended | BaseException) -> bool:
    return isinstance(side, Ended) and side.killed_unexplained


def ended_well(program: pb.Outcome, interactor: pb.Outcome, going_on: int) -> bool:
    """Both sides of a dialogue ended as they should."""
    return (program.ending, program.exit_code) == (Outcome.EXITED, 0) and (
        (interactor.ending, interactor.exit_code) == (Outcome.EXITED, going_on)
    )
