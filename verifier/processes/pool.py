"""The front's side of the engine processes: who gets which item, and what becomes of it when its
process dies.

Invariants: an item that was taken is answered once or withdrawn. A process that dies costs its
items a repetition: they are done again one at a time in each process, so that it is known whose
fault a second death is; who is alone in a process that dies DEATHS times gets INTERNAL. A process
that is gone is started again, with growing pauses while it does not come up.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import socket
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess

from sandbox.client import SandboxUnavailable, cores
from sandbox.v1 import sandbox_pb2 as sb
from verifier import metrics
from verifier.engine import failed
from verifier.judge.settings import SettingsError
from verifier.local import JUDGED, PER_SLOT, asks_a_judge, given_up
from verifier.processes import frames
from verifier.processes.frames import Asked, Kind
from verifier.processes.worker import main
from verifier.schedule import Entry, Schedule, Work, vital
from verifier.settings import Settings
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

log = logging.getLogger(__name__)

RULES = 256
"""Items for rules at work in each process: some 25 ms, so that they travel in large frames."""

OTHERS = 1 << 30
"""Items that turned out to need a symbolic worker: each process has a queue of its own for them."""

DEATHS = 3
"""Of processes in which an item was at work, the later ones alone of its kind, until it is given
up: a kill from outside may hit it twice."""

START_SECONDS = 120.0
"""Of an engine process; it takes a few seconds on an idle machine."""

PAUSES = (0.1, 0.5, 2.0, 10.0)
"""Seconds before a process is started again, after so many that did not come up; then the last."""

LAST_WORDS_SECONDS = 1.0
"""What a process that has hung up gets to end by itself, and to say why."""

STOP_SECONDS = 5.0
"""What processes get to end their sandboxes once they are told to."""

PING_SECONDS = 5.0
"""Each process answers so often, also when it has nothing to say."""

SILENT_SECONDS = 60.0
"""A process that says nothing for so long, however busy its machine, stands still: it is killed."""

JUDGES = 0
"""The process that has the judge."""

ERRORS = {each.__name__: each for each in (SandboxUnavailable, SettingsError)}


@dataclass
class _Process:
    index: int
    process: BaseProcess
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    slots: int
    entries: dict[int, Entry] = field(default_factory=dict)
    load: Counter[str] = field(default_factory=Counter)
    """Items at work, by lane."""


class Pool:
    """An executor over engine processes (verifier/schedule.py); `async with Pool(settings)`."""

    def __init__(self, settings: Settings) -> None:
        count = settings.processes
        self._settings = settings
        self._up: list[_Process | None] = [None] * count
        self._numbers = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._schedule: Schedule | None = None
        self.about = pb.DescribeResponse()
        self.sandbox_info = sb.DescribeResponse()
        self._per_process: dict[str, int] = {}
        self.windows: dict[str, int] = {}
        self.servers: dict[str, int] = {}

    async def __aenter__(self) -> Pool:
        started = await asyncio.gather(
            *(self._start(index) for index in range(len(self._up))), return_exceptions=True
        )
        for each in started:
            if isinstance(each, BaseException):
                await self.__aexit__()
                raise each
        slots = [process.slots for process in self._up if process is not None]
        self.sandbox_info.slots = sum(slots)
        self._per_process = {
            "sandbox": PER_SLOT * max(1, *slots),
            "judge": JUDGED,
            "again": 1,
            "other": OTHERS,
            "rules": RULES,
        }
        self.windows = {lane: self._room(lane) for lane in self._per_process}
        self.servers = {"sandbox": sum(max(1, each) for each in slots)}
        self._tasks = [
            asyncio.create_task(self._keep(index), name=f"keeping engine process {index}")
            for index in range(len(self._up))
        ]
        for task in self._tasks:
            task.add_done_callback(vital)
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        up = [process for process in self._up if process is not None]
        for process in up:
            process.writer.close()
        await asyncio.gather(*(_ended(process.process) for process in up))

    # The schedule's side.

    def bind(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def lane(self, item: Work) -> str:
        if isinstance(item, Unreadable):
            return "rules"
        if isinstance(item, sb.RunRequest) or item.HasField("code"):
            return "sandbox"
        return "judge" if asks_a_judge(item) else "rules"

    def start(self, lane: str, entries: Sequence[Entry]) -> None:
        taken: dict[int, list[Asked]] = {}
        for entry in entries:
            if isinstance(entry.item, Unreadable):
                verdict = failed(entry.item.id, pb.Verdict.INVALID, entry.item.message)
                self._answer(entry, verdict)
                continue
            process = self._choose(lane, entry.item)
            owner = entry.owner
            assert owner is not None, "what waits was not withdrawn"
            owner.working.add(entry)
            number = self._numbers = (self._numbers + 1) % (1 << 32)
            entry.work = process, number
            process.entries[number] = entry
            process.load[lane] += 1
            taken.setdefault(process.index, []).append(
                Asked(
                    number,
                    time.perf_counter() - entry.since,
                    owner.caller.name,
                    int(owner.caller.priority),
                    isinstance(entry.item, sb.RunRequest),
                    owner.carrier,
                    entry.item.SerializeToString(),
                )
            )
        for index, asked in taken.items():
            process = self._up[index]  # type: ignore[assignment]
            process.writer.write(frames.items(asked))

    async def withdraw(self, entries: Iterable[Entry]) -> None:
        gone: dict[int, list[int]] = {}
        for entry in entries:
            process, number = entry.work
            if number in process.entries:
                gone.setdefault(process.index, []).append(number)
        for index, numbers in gone.items():
            process = self._up[index]
            if process is not None:
                process.writer.write(frames.numbers(Kind.WITHDRAW, numbers))

    def _choose(self, lane: str, item: pb.Item | sb.RunRequest) -> _Process:
        """A process with room. Equal programs meet in one that runs them once: those of a task go
        to the same, while it is not much busier than others."""
        if lane == "judge" and (judges := self._up[JUDGES]) is not None:
            return judges
        up = [process for process in self._up if process is not None]
        least = min(up, key=lambda each: each.load[lane])
        if lane != "sandbox" or isinstance(item, sb.RunRequest):
            return least
        usual = up[_affinity(item) % len(up)]
        close = usual.load[lane] - least.load[lane] <= self._per_process[lane] // 4
        return usual if close and usual.load[lane] < self._per_process[lane] else least

    def _room(self, lane: str) -> int:
        if lane == "judge":
            return self._per_process[lane] if self._up[JUDGES] is not None else 0
        return self._per_process[lane] * sum(process is not None for process in self._up)

    def _tell_room(self) -> None:
        if self._schedule is not None:
            for lane in self._per_process:
                self._schedule.set_window(lane, self._room(lane))

    # The processes' side.

    async def _start(self, index: int) -> None:
        """Starts a process and waits until it is ready. Raises what it could not start for."""
        ours, theirs = socket.socketpair()
        settings = self._settings_of(index)
        # A fresh interpreter: a forked one would share threads' locks and the event loop's files.
        process = multiprocessing.get_context("spawn").Process(
            target=main,
            args=(settings, theirs, logging.getLogger().getEffectiveLevel()),
            name=f"touchstone-engine-{index}",
            daemon=True,
        )
        starting = asyncio.create_task(asyncio.to_thread(process.start))
        try:
            await asyncio.shield(starting)
        except (OSError, asyncio.CancelledError):
            await asyncio.wait([starting])  # it uses the other end
            ours.close()  # which ends the process, if there is one
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            async with asyncio.timeout(START_SECONDS):
                said = await frames.read(reader)
        except (TimeoutError, asyncio.CancelledError) as error:
            writer.close()
            process.kill()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise SandboxUnavailable(f"an engine did not start in {START_SECONDS:g} s") from error
        if said is None or said[0] != Kind.READY:
            writer.close()
            await _ended(process)
            if said is None:
                raise SandboxUnavailable(f"an engine ended with {process.exitcode} as it started")
            raise _error(frames.read_numbered(said[1])[1])
        size, both = frames.read_numbered(said[1])
        info = sb.DescribeResponse.FromString(both[size:])
        if index == JUDGES and not self.windows:
            self.about, self.sandbox_info = pb.DescribeResponse.FromString(both[:size]), info
        self._up[index] = _Process(index, process, reader, writer, info.slots)

    def _settings_of(self, index: int) -> Settings:
        whole = self._settings
        count = len(self._up)
        slots = whole.slots
        if slots is None:
            slots = cores()
        share = slots // count + (index < slots % count)
        return replace(
            whole,
            processes=1,
            slots=max(1, share),
            audit=None,
            judge=whole.judge if index == JUDGES else None,
        )

    async def _keep(self, index: int) -> None:
        """Listens to a process, and starts it again whenever it is gone."""
        while True:
            process = self._up[index]
            assert process is not None
            pings = asyncio.create_task(_ping(process))
            try:
                await self._listen(process)
            finally:
                pings.cancel()
            # First of all: nothing more is to be sent there, and what was is for others.
            self._up[index] = None
            self._tell_room()
            self._lost(process)
            process.writer.close()
            await asyncio.to_thread(process.process.join, LAST_WORDS_SECONDS)
            process.process.kill()
            await _ended(process.process)
            metrics.ended(process.process.pid or 0)
            log.error("engine process %d ended (%s)", index, process.process.exitcode)
            for tried in range(1 << 30):
                await asyncio.sleep(PAUSES[min(tried, len(PAUSES) - 1)])
                try:
                    await self._start(index)
                except (*ERRORS.values(), OSError) as error:  # the latter: no memory, no files
                    log.error("engine process %d does not start: %s", index, error)
                else:
                    break
            metrics.RESTARTS.inc()
            log.warning("engine process %d is up again", index)
            self._tell_room()

    async def _listen(self, process: _Process) -> None:
        while (said := await _heard(process)) is not None:
            kind, body = said
            schedule = self._schedule
            if kind == Kind.VERDICTS:
                assert schedule is not None
                for answered in frames.read_verdicts(body):
                    entry = process.entries.pop(answered.number)
                    process.load[entry.lane] -= 1
                    schedule.finished(entry, answered.verdict, answered.seconds)
            elif kind == Kind.SHIFTED:
                assert schedule is not None
                for number in frames.read_numbers(body):
                    entry = process.entries[number]
                    if entry.lane == "rules":
                        process.load["rules"] -= 1
                        process.load["other"] += 1
                        schedule.shifted(entry, "other")

    def _lost(self, process: _Process) -> None:
        schedule = self._schedule
        for entry in process.entries.values():
            assert schedule is not None
            if entry.owner is None:
                schedule.finished(entry, None, None)
                continue
            alone = entry.lane == "again"
            entry.attempts += 1
            if entry.attempts >= DEATHS and (alone or entry.lane == "judge"):
                why = f"{entry.attempts} engine processes died while they worked on it"
                schedule.finished(entry, given_up(entry.item, why), None)
            else:
                schedule.retry(entry, "judge" if entry.lane == "judge" else "again")
        process.entries.clear()

    def _answer(self, entry: Entry, verdict: pb.Verdict) -> None:
        """With what no engine has said."""
        assert self._schedule is not None
        metrics.count(verdict)
        self._schedule.finished(entry, verdict.SerializeToString(), None)


def _affinity(item: pb.Item) -> int:
    """A number that the items of one problem share, mostly."""
    task = item.code
    first = task.tests[0].SerializeToString()[:256] if task.tests else b""
    return hash((first, len(task.tests), task.entry_point, item.prompt[:256]))


def _error(raw: bytes) -> Exception:
    name, _, message = raw.decode().partition("\n")
    return ERRORS[name](message)


async def _ping(process: _Process) -> None:
    while True:
        process.writer.write(frames.frame(Kind.PING, b""))
        await asyncio.sleep(PING_SECONDS)


async def _heard(process: _Process) -> tuple[Kind, bytes] | None:
    """The next frame of a process; None once it is gone, or says nothing any more."""
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            return await frames.read(process.reader)
    except TimeoutError:
        log.error("engine process %d says nothing for %g s", process.index, SILENT_SECONDS)
        return None


async def _ended(process: BaseProcess) -> None:
    """Waits for a process that has been told to end, and kills it when it does not."""
    await asyncio.to_thread(process.join, STOP_SECONDS)
    if process.exitcode is None:
        process.kill()
        await asyncio.to_thread(process.join)
