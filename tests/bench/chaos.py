"""A million mixed items while processes die, stop and vanish and the disk is full.

    python -m tests.bench.chaos [--items N] [--distinct D] [--processes P] [--clients K] [...]

First a calm run over the D distinct items (tests/bench/mix.py), which notes every reward. Then a
new server gets N items, the same ones under ids of their own, as streams from K client processes,
and every FAULT_SECONDS one of these happens, in turn:

    worker    kill -9 of a process for symbolic mathematics
    jail      kill -9 of a sandbox's jail
    agent     kill -9 of the process in a jail that runs programs
    writer    kill -9 of the process that writes the audit
    pause     SIGSTOP for PAUSE_SECONDS of a worker, a jail, an agent, an engine process, in turn
    client    a further client is killed by kill -9 in the middle of its batches
    engine    kill -9 of an engine process, when ENGINE_KILLS of the items are answered

The audit goes to a file system of --disk MB, which is full after some thousand verdicts (needs
root, else it is left out and said). Counted by the clients: ids without an answer, with more than
one, with another's; rewards that are not those of the calm run, and rewards that are missing, by
status. Afterwards: processes of the server that outlived it; its memory (of all but the sandbox's
processes) at the end beside the first quarter. That says something of some 200,000 items and more:
with fewer, caches still fill then, and so does the audit's queue, which holds 64 MiB at most while
the disk is full. Ends with one line of JSON; the exit status is 1 where something of that is not as
it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.bench import processes
from tests.bench.mix import Mix
from tests.verifier.support import descendants
from verifier.client import AsyncVerifierClient, ServiceError
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

ITEMS, DISTINCT, CLIENTS, PROCESSES = 1_000_000, 200_000, 3, 2
CODE_SHARE, SYMBOLIC_SHARE = 0.005, 0.001
DISK_MB = 4
FULL = 256 << 10
"""Bytes left of a disk that is full: no room for what the audit writes at once."""
BLOCK, BLOCKS_AT_ONCE = 512, 4
"""Items of one call, and calls that a client has open."""
FAULT_SECONDS, PAUSE_SECONDS = 2.0, 3.0
KINDS = ("worker", "jail", "agent", "pause", "client", "writer")
ENGINE_KILLS = (0.1, 0.5)
"""Shares of the items: a process that has lived since the middle has grown as much as it will."""
CALM_AFTER = 0.97
"""Share of the items after which nothing more is done to them, so that all is there at the end."""
QUARTER, END = (0.2, 0.25), (0.97, 1.0)
GROWTH = 0.1
AGAIN_SECONDS = 0.5
NONE = 255
"""In the file of statuses: no verdict yet."""


@dataclass(frozen=True)
class Run:
    """What a client is told: items first, first + step, ... below `items`."""

    address: str
    mix: Mix
    items: int
    first: int
    step: int
    rewards: str
    """File of one float64 for each distinct item; NaN: no reward."""
    statuses: str
    """The same of uint8."""
    compare: bool
    """Whether the files are read, or written."""

    def numbers(self) -> range:
        return range(self.first, self.items, self.step)


class Account:
    """What came for a client's items."""

    def __init__(self, run: Run) -> None:
        mode = "r" if run.compare else "r+"
        self._run = run
        self._rewards = np.memmap(run.rewards, np.float64, mode, shape=(run.mix.distinct,))
        self._statuses = np.memmap(run.statuses, np.uint8, mode, shape=(run.mix.distinct,))
        self._came = bytearray(len(run.numbers()))
        self.answered = self.twice = self.crossed = self.differing = self.gained = self.again = 0
        self.missing: Counter[str] = Counter()
        self.examples: list[str] = []

    def take(self, number: int, verdict: pb.Verdict) -> None:
        run, base = self._run, number % self._run.mix.distinct
        place = (number - run.first) // run.step
        if verdict.id != run.mix.name(number):
            self.crossed += 1
            self._show(number, verdict)
        if self._came[place]:
            self.twice += 1
            self._show(number, verdict)
            return
        self._came[place] = 1
        self.answered += 1
        reward = verdict.reward if verdict.HasField("reward") else float("nan")
        if not run.compare:
            self._rewards[base], self._statuses[base] = reward, verdict.status
            return
        known, unknown = float(self._rewards[base]), np.isnan(reward)
        if np.isnan(known):
            self.gained += not unknown
        elif unknown:
            self.missing[pb.Verdict.Status.Name(verdict.status)] += 1
        elif reward != known:
            self.differing += 1
        else:
            return
        if not (np.isnan(known) and unknown):
            self._show(number, verdict, f"calm: {known}")

    def waiting(self, numbers: list[int]) -> list[int]:
        """Those that have no verdict yet."""
        first, step = self._run.first, self._run.step
        return [number for number in numbers if not self._came[(number - first) // step]]

    def _show(self, number: int, verdict: pb.Verdict, what: str = "") -> None:
        if len(self.examples) < 20:
            self.examples.append(f"item {number}, {what}: {str(verdict)[:1500]}")

    def told(self) -> dict[str, object]:
        return {
            "answered": self.answered,
            "unanswered": len(self._came) - self.answered,
            "twice": self.twice,
            "crossed": self.crossed,
            "differing": self.differing,
            "gained": self.gained,
            "missing": dict(self.missing),
            "sent_again": self.again,
            "examples": self.examples,
        }


async def stream(run: Run) -> Account:
    """Sends all items, some blocks at a time; what a broken call leaves is sent again."""
    account = Account(run)
    every = run.numbers()
    blocks = (every[at : at + BLOCK] for at in range(0, len(every), BLOCK))

    async def sender(client: AsyncVerifierClient) -> None:
        for block in blocks:
            numbers = list(block)
            while numbers:
                items = [run.mix.item(number) for number in numbers]
                try:
                    async for place, verdict in client.stream(items):
                        account.take(numbers[place], verdict)
                except ServiceError as error:
                    print(f"{error}"[:300], file=sys.stderr)
                    await asyncio.sleep(AGAIN_SECONDS)
                    account.again += len(account.waiting(numbers))
                numbers = account.waiting(numbers)

    async def tell() -> None:
        while True:
            print(account.answered, flush=True)
            await asyncio.sleep(0.5)

    async with AsyncVerifierClient(run.address) as client:
        telling = asyncio.create_task(tell())
        await asyncio.gather(*[sender(client) for _ in range(BLOCKS_AT_ONCE)])
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    return account


class Client:
    """A client process and how far it is."""

    def __init__(self, run: Run) -> None:
        self.answered = 0
        self.figures: dict[str, object] | None = None
        """None until it has ended in order."""
        command = [sys.executable, "-m", "tests.bench.chaos", "--client", json.dumps(asdict(run))]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self.figures = json.loads(line)
                self.answered = int(str(self.figures["answered"]))
            elif line.strip().isdigit():  # the last line of one that was killed may be cut
                self.answered = int(line)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()


class Faults:
    """Does one harm after the other to a server; counts them."""

    def __init__(self, server: int, make_client: Callable[[], Client]) -> None:
        self._server = server
        self._make_client = make_client
        self.done: Counter[str] = Counter()
        self.seen: set[processes.Process] = set()
        """All processes that the server ever had."""
        self._pauses = itertools.cycle(("worker", "jail", "agent", "engine"))
        self._threads: list[threading.Thread] = []

    def look(self) -> dict[int, list[str]]:
        """The processes of the server, which are remembered."""
        found = descendants(self._server)
        self.seen |= {one for one in map(processes.of, found) if one is not None}
        return found

    def victims(self, kind: str) -> list[int]:
        found = self.look()

        def word(text: str) -> list[int]:
            return [pid for pid, command in found.items() if any(text in one for one in command)]

        match kind:
            case "worker":
                return word("verifier.math.worker")
            case "engine":
                return word("multiprocessing.spawn")
            case "writer":
                return word("verifier.audit")
            case "agent":
                return [pid for pid, command in found.items() if command[1:3] == ["-I", "-S"]]
        return [pid for pid, command in found.items() if command[0].endswith("touchstone-jail")]

    def strike(self, kind: str) -> None:
        if kind == "client":
            self._beside(self._vanish)
        elif kind == "pause":
            kind = next(self._pauses)
            for pid in self.victims(kind)[:1]:
                self.done[f"pause of {kind}"] += 1
                self._beside(partial(self._pause, pid))
        else:
            for pid in self.victims(kind)[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.done[kind] += 1

    def _beside(self, what: Callable[[], None]) -> None:
        thread = threading.Thread(target=what)
        thread.start()
        self._threads.append(thread)

    def _pause(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(PAUSE_SECONDS)
            os.kill(pid, signal.SIGCONT)

    def _vanish(self) -> None:
        client = self._make_client()
        end = time.monotonic() + 30
        while client.running and not client.answered and time.monotonic() < end:
            time.sleep(0.05)
        self.done["client"] += client.running and client.answered > 0
        client.kill()

    def close(self) -> None:
        for thread in self._threads:
            thread.join()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path | None]:
    """A file system of so many MB; None where it cannot be mounted."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "touchstone-chaos", folder]
        mounted = megabytes and subprocess.run(command, check=False, capture_output=True)
        if not mounted or mounted.returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=False)


def free(folder: Path | None) -> int:
    """Bytes that its file system has left; of none: as many as one likes."""
    if folder is None:
        return sys.maxsize
    told = os.statvfs(folder)
    return told.f_bavail * told.f_bsize


def offers(option: str) -> bool:
    """Whether `touchstone serve` has this option."""
    command = [sys.executable, "-m", "verifier.cli", "serve", "--help"]
    environment = os.environ | {"COLUMNS": "200"}
    return option in subprocess.run(command, capture_output=True, text=True, env=environment).stdout


class Samples:
    """Memory of the server by how much is answered."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, int, int]] = []

    def take(self, share: float, pid: int) -> None:
        self._taken.append((share, processes.tree_rss(pid), processes.rss(pid)))

    def between(self, low: float, high: float) -> tuple[float, float]:
        """MiB of all processes and of the first one: medians; of the nearest where there is none."""
        found = [one for one in self._taken if low <= one[0] <= high]
        found = found or [min(self._taken, key=lambda one: abs(one[0] - high))]
        whole, front = (statistics.median(one[n] for one in found) / 2**20 for n in (1, 2))
        return whole, front

    def most(self) -> float:
        return max(one[1] for one in self._taken) / 2**20


def summed(clients: list[Client]) -> dict[str, object]:
    """The accounts of all clients as one."""
    told = [client.figures for client in clients if client.figures is not None]
    names = ("answered", "unanswered", "twice", "crossed", "differing", "gained", "sent_again")
    sums: dict[str, object] = {name: sum(int(str(one[name])) for one in told) for name in names}
    missing: Counter[str] = Counter()
    for one in told:
        missing.update(one["missing"])  # type: ignore[call-overload]
        for example in one["examples"]:  # type: ignore[attr-defined]
            print(example, file=sys.stderr)
    return sums | {"missing": dict(missing), "clients_ended_badly": len(clients) - len(told)}


def calm(runs: list[Run], options: list[str], limit: float) -> float:
    """Fills the files of the runs; seconds that it took."""
    with EmbeddedServer("--log-level", "error", *options) as server:
        began = time.monotonic()
        clients = [Client(replace(run, server.address)) for run in runs]
        wait(clients, limit, lambda answered: None)
        seconds = time.monotonic() - began
    came = summed(clients)
    if came["unanswered"] or came["clients_ended_badly"]:
        raise RuntimeError(f"the calm run left items without an answer: {came}")
    return seconds


def replace(run: Run, address: str) -> Run:
    return Run(**(vars(run) | {"address": address}))


def wait(clients: list[Client], limit: float, each: Callable[[int], None]) -> None:
    """Until all have ended; those that have not when the limit is over are killed."""
    end = time.monotonic() + limit
    while any(client.running for client in clients) and time.monotonic() < end:
        each(sum(client.answered for client in clients))
        time.sleep(0.25)
    for client in clients:
        client.kill()


def stormy(
    runs: list[Run], options: list[str], seconds: float, limit: float, audit: Path | None
) -> dict[str, object]:
    """The run with faults: its figures."""
    items = runs[0].items
    written = [] if audit is None else ["--audit", str(audit / "audit.jsonl")]
    kinds = itertools.cycle(KINDS)
    engine_kills = list(ENGINE_KILLS)
    samples = Samples()
    numbers = itertools.count()
    with EmbeddedServer("--log-level", "error", *options, *written) as server:
        own = Run(**(vars(runs[0]) | {"address": server.address, "first": 0, "step": 1}))

        def passer_by() -> Client:
            mix = Mix(own.mix.distinct, 0.02, 0.002, 1_000 + next(numbers), prefix="gone-")
            return Client(Run(**(vars(own) | {"mix": mix, "compare": True})))

        faults = Faults(server.pid, passer_by)
        clients = [Client(replace(run, server.address)) for run in runs]
        began = time.monotonic()
        due = began + seconds
        least_free = free(audit)

        def each(answered: int) -> None:
            nonlocal due, least_free
            share = answered / items
            samples.take(share, server.pid)
            faults.look()
            least_free = min(least_free, free(audit))
            if engine_kills and share >= engine_kills[0]:
                engine_kills.pop(0)
                faults.strike("engine")
            elif time.monotonic() >= due and share < CALM_AFTER:
                due += seconds
                faults.strike(next(kinds))

        wait(clients, limit, each)
        took = time.monotonic() - began
        faults.close()
        samples.take(1.0, server.pid)
        here = faults.look()
        astray = [one for one in faults.seen if one.alive() and one.pid not in here]
    time.sleep(1.0)
    orphans = [one for one in faults.seen if one.alive()]
    for one in {*orphans, *astray}:
        print(f"left behind: {one}", file=sys.stderr)
    (before, front_before), (after, front_after) = samples.between(*QUARTER), samples.between(*END)
    return {
        "items": items,
        **summed(clients),
        "orphans": len({*orphans, *astray}),
        "mib_first_quarter": round(before, 1),
        "mib_end": round(after, 1),
        "mib_most": round(samples.most(), 1),
        "growth": round(after / before - 1, 4),
        "front_growth": round(front_after / front_before - 1, 4),
        "seconds": round(took, 1),
        "items_per_s": round(items / took),
        "disk": "left out" if audit is None else "full" if least_free < FULL else "not full",
        "faults": dict(faults.done),
    }


def passed(figures: dict[str, object]) -> bool:
    zero = ("unanswered", "twice", "crossed", "differing", "gained", "orphans")
    wrong = [name for name in (*zero, "clients_ended_badly") if figures[name]]
    return not wrong and not figures["missing"] and float(str(figures["growth"])) < GROWTH


REQUIRED = {
    **dict.fromkeys(("unanswered", "twice", "crossed", "differing", "gained", "orphans"), "0"),
    "missing": "none",
    "clients_ended_badly": "0",
    "growth": f"< {GROWTH:g}",
}


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--distinct", type=int, default=DISTINCT)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--code-share", type=float, default=CODE_SHARE, help="of the items")
    parser.add_argument("--symbolic-share", type=float, default=SYMBOLIC_SHARE, help="the same")
    parser.add_argument("--disk", type=int, default=DISK_MB, help="MB for the audit; 0: no audit")
    parser.add_argument("--every", type=float, default=FAULT_SECONDS, help="seconds between faults")
    parser.add_argument(
        "--limit", type=float, default=1800, help="seconds for each of the two runs"
    )
    return parser.parse_args(arguments)


def main(console: Console, arguments: Sequence[str] = ()) -> dict[str, object]:
    asked = options_of(list(arguments))
    mix = Mix(min(asked.distinct, asked.items), asked.code_share, asked.symbolic_share)
    options = ["--processes", str(asked.processes)]
    if not offers("--processes"):
        print("this server has no --processes: one process, no engine is killed", file=sys.stderr)
        options = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        np.full(mix.distinct, np.nan, np.float64).tofile(folder / "rewards")
        np.full(mix.distinct, NONE, np.uint8).tofile(folder / "statuses")
        files = (str(folder / "rewards"), str(folder / "statuses"))
        runs = [
            Run("", mix, mix.distinct, n, asked.clients, *files, compare=False)
            for n in range(asked.clients)
        ]
        calm_seconds = calm(runs, options, asked.limit)
        without = int(np.isnan(np.fromfile(files[0])).sum())
        runs = [Run(**(vars(run) | {"items": asked.items, "compare": True})) for run in runs]
        disk = stack.enter_context(small_disk(asked.disk))
        if disk is None:
            print("no file system could be mounted: no audit, no full disk", file=sys.stderr)
        figures = stormy(runs, options, asked.every, asked.limit, disk)
    figures = {
        "distinct": mix.distinct,
        "calm_seconds": round(calm_seconds, 1),
        "calm_without_reward": without,
        **figures,
    }
    table = Table("faults", "", "required")
    for name, value in figures.items():
        shown = f"{value:,g}" if isinstance(value, int | float) else str(value).strip("{}")
        table.add_row(name.replace("_", " "), shown, REQUIRED.get(name, ""))
    console.print(table)
    return figures


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        told = json.loads(sys.argv[2])
        told["mix"] = Mix(**told["mix"])
        print(json.dumps(asyncio.run(stream(Run(**told))).told()), flush=True)
        sys.exit()
    figures = main(Console(width=120), sys.argv[1:])
    print(json.dumps(figures))
    sys.exit(0 if passed(figures) else 1)
