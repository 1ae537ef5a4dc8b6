"""An engine process: items in, verdicts out, until the front is gone.

It lives as long as its end of the socket pair is connected: however the front ends, the engine, its
jails and its symbolic workers end with it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from contextlib import AsyncExitStack

from sandbox.client import SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as sb
from verifier import logs, tracing
from verifier.assembly import settle, start_engine
from verifier.callers import Caller, Priority
from verifier.engine import Engine
from verifier.judge.settings import SettingsError
from verifier.local import Local
from verifier.processes import frames
from verifier.processes.frames import Answered, Asked, Kind
from verifier.schedule import Carrier, Entry, Schedule, Work, vital
from verifier.service import describe
from verifier.settings import Settings
from verifier.wire import read_item

log = logging.getLogger(__name__)


def main(settings: Settings, end: socket.socket, level: int) -> None:
    """Runs in the new process; `end` is connected to the front, `level` is the log's."""
    # Ctrl-C at a terminal reaches the whole group: the front stops in order, and this with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logs.configure(logging.getLevelName(level), settings.log_format)
    asyncio.run(_serve(settings, end))


async def _serve(settings: Settings, end: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=end)
    async with AsyncExitStack() as stack:
        stack.callback(writer.close)
        if settings.otlp is not None:
            stack.push_async_callback(
                asyncio.to_thread, tracing.start(settings.otlp, settings.trace_share)
            )
        try:
            engine = await start_engine(settings, stack)
        except (SandboxUnavailable, SettingsError) as error:
            writer.write(frames.numbered(Kind.FAILED, 0, _error(error)))
            await writer.drain()
            return
        schedule = await stack.enter_async_context(Schedule(Local(engine)))
        settle()
        about = describe(engine).SerializeToString()
        known = engine.sandbox_info.SerializeToString()
        writer.write(frames.numbered(Kind.READY, len(about), about + known))
        await _Work(engine, schedule, writer).until_the_end(reader)


class _One:
    """An item's owner in this process."""

    __slots__ = ("_work", "caller", "carrier", "number", "working")

    def __init__(self, asked: Asked, work: _Work) -> None:
        self.caller = Caller(asked.caller, Priority(asked.weight))
        self.carrier: Carrier = asked.carrier
        self.working: set[Entry] = set()
        self.number = asked.number
        self._work = work

    def put(self, index: int, verdict: bytes, seconds: float) -> None:
        self._work.answer(Answered(index, seconds, verdict))


class _Work:
    def __init__(self, engine: Engine, schedule: Schedule, writer: asyncio.StreamWriter) -> None:
        self._engine, self._schedule, self._writer = engine, schedule, writer
        self._owners: dict[int, _One] = {}
        self._outbox: list[Answered] = []
        self._shifted: list[int] = []
        self._withdrawals: set[asyncio.Task[None]] = set()
        schedule.on_shift = self._on_shift

    async def until_the_end(self, reader: asyncio.StreamReader) -> None:
        while (said := await frames.read(reader)) is not None:
            kind, body = said
            if kind == Kind.ITEMS:
                now = time.perf_counter()
                entries = []
                for asked in frames.read_items(body):
                    owner = self._owners[asked.number] = _One(asked, self)
                    item = _work(asked)
                    entries.append(Entry(item, asked.number, owner, now - asked.waited))
                self._schedule.submit(entries)
            elif kind == Kind.WITHDRAW:
                # It may take a second until work is gone; others' items come meanwhile.
                going = self._withdraw(set(frames.read_numbers(body)))
                withdrawal = asyncio.create_task(going, name="withdrawing")
                self._withdrawals.add(withdrawal)
                withdrawal.add_done_callback(vital)
                withdrawal.add_done_callback(self._withdrawals.discard)
            elif kind == Kind.PING:
                self._writer.write(frames.frame(Kind.PING, b""))
        await self._schedule.withdraw(set(self._owners.values()))
        await asyncio.gather(*self._withdrawals)

    def answer(self, answered: Answered) -> None:
        del self._owners[answered.number]
        if not self._outbox and not self._shifted:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outbox.append(answered)

    def _on_shift(self, entry: Entry) -> None:
        if not self._outbox and not self._shifted:
            asyncio.get_running_loop().call_soon(self._flush)
        self._shifted.append(entry.index)

    def _flush(self) -> None:
        shifted, self._shifted = self._shifted, []
        answered, self._outbox = self._outbox, []
        if shifted:
            self._writer.write(frames.numbers(Kind.SHIFTED, shifted))
        if answered:
            self._writer.write(frames.verdicts(answered))

    async def _withdraw(self, numbers: set[int]) -> None:
        # Some may have been answered since they were asked back.
        await self._schedule.withdraw({self._owners[n] for n in numbers & self._owners.keys()})
        for number in numbers & self._owners.keys():
            self.answer(Answered(number, 0.0, None))


def _work(asked: Asked) -> Work:
    return sb.RunRequest.FromString(asked.item) if asked.program else read_item(asked.item)


def _error(error: Exception) -> bytes:
    return f"{type(error).__name__}\n{error}".encode()
