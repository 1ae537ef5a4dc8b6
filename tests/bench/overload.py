"""Four times as much as the service can do, for two minutes, from two clients.

    python -m tests.bench.overload [--seconds S] [--times X] [--burn MS] [--deadline D] [-- OPTIONS]

The items are Python programs that use BURN milliseconds of CPU and no two of which are equal, in
batches of 16. First the capacity: two client processes keep some batches open each. Then each of
them sends batches at fixed times, whether or not answers come, together X times the capacity; a
batch that is refused is not sent again. At the end they withdraw what is unanswered. Meanwhile a
third caller asks about one item every half a second, and goes on afterwards.

goodput     verdicts a second under the overload, beside the capacity
shares      how much less the one client got than the other
recovery    seconds after the end until the third caller is answered as fast as before the overload
            (twice its p95 then, and 0.1 s), and all later ones too

Ends with one line of JSON; the exit status is 1 where a figure is not as required.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from typing import Any

import grpc
import grpc.aio
import numpy as np
from rich.console import Console
from rich.table import Table

from tests.bench import processes
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub

SECONDS, TIMES, BURN_MS = 120.0, 4.0, 5.0
CAPACITY_SECONDS, SETTLING_SECONDS, AFTER_SECONDS = 15.0, 2.0, 15.0
BATCH, OPEN = 16, 4
"""Items of a batch, and batches that each client has open while the capacity is measured."""
CLIENTS = ("first", "second")
PROBE_SECONDS = 0.5
GOODPUT, UNEQUAL, RECOVERY_SECONDS = 0.9, 0.1, 5.0
ROOM = 1 << 28

PROGRAM = """import time
while time.process_time() < {seconds}: pass
print(3)  # {label}
"""


def item(label: str, burn_ms: float) -> pb.Item:
    """A program that takes so long above its start."""
    task = pb.CodeTask(
        language="python",
        tests=[pb.CodeTest(stdin="", stdout="3")],
        program=PROGRAM.format(seconds=0.01 + burn_ms / 1000, label=label),
    )
    return pb.Item(id=label, code=task)


class Sender:
    """One client process: batches of its own, and what became of them."""

    def __init__(self, name: str, address: str, burn_ms: float) -> None:
        self._name, self._burn_ms = name, burn_ms
        options = [("grpc.max_receive_message_length", ROOM), ("grpc.enable_retries", 0)]
        self._channel = grpc.aio.insecure_channel(address, options=options)
        self._stub: Any = VerifierStub(self._channel)
        self._made = 0
        self.came: list[float] = []
        """When each verdict with a reward came."""
        self.others: Counter[str] = Counter()
        """Verdicts without one, by status, and calls that failed, by code."""
        self.told_when = 0
        """Refusals that say when to come again."""
        self.accepted = 0
        """Items of calls that were not refused."""

    async def batch(self, deadline: float | None) -> None:
        """Sends one and waits for its end."""
        labels = [f"{self._name} {self._made + n}" for n in range(BATCH)]
        self._made += BATCH
        sent = pb.Batch(items=[item(label, self._burn_ms) for label in labels])
        call = self._stub.VerifyBatch(
            sent, timeout=deadline, metadata=(("touchstone-client", self._name),)
        )
        self.accepted += BATCH
        try:
            async for message in call:
                now = time.monotonic()
                for one in message.verdicts:
                    if one.verdict.HasField("reward") and one.verdict.reward == 1.0:
                        self.came.append(now)
                    else:
                        self.others[pb.Verdict.Status.Name(one.verdict.status)] += 1
        except grpc.aio.AioRpcError as error:
            self.others[error.code().name] += 1
            if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
                self.accepted -= BATCH
                keys = dict(error.trailing_metadata() or ())
                self.told_when += "grpc-retry-pushback-ms" in keys

    async def closed(self, start: float, seconds: float) -> None:
        async def again() -> None:
            while time.monotonic() < start + seconds:
                await self.batch(None)

        await asyncio.sleep(start - time.monotonic())
        await asyncio.gather(*[again() for _ in range(OPEN)])

    async def open(
        self, start: float, seconds: float, per_second: float, deadline: float | None
    ) -> None:
        tasks: set[asyncio.Task[None]] = set()
        for n in range(int(seconds * per_second / BATCH)):
            await asyncio.sleep(start + n * BATCH / per_second - time.monotonic())
            task = asyncio.create_task(self.batch(deadline))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(start + seconds - time.monotonic())
        left = list(tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def told(self, start: float) -> dict[str, object]:
        """The account so far, which then begins anew."""
        figures: dict[str, object] = {
            "came": [round(at - start, 3) for at in self.came],
            "others": dict(self.others),
            "told_when": self.told_when,
            "accepted": self.accepted,
        }
        self.came, self.others, self.told_when, self.accepted = [], Counter(), 0, 0
        return figures


async def client(name: str, address: str, burn_ms: float) -> None:
    """A client process: does what each line of standard input says."""
    sender = Sender(name, address, burn_ms)
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        start = asked.pop("start")
        work = sender.open if "per_second" in asked else sender.closed
        await work(start, **asked)
        print(json.dumps(sender.told(start)), flush=True)


class Probe(threading.Thread):
    """The third caller: seconds that single items take, with the time they were sent."""

    def __init__(self, address: str, burn_ms: float) -> None:
        super().__init__(daemon=True)
        self._address, self._burn_ms = address, burn_ms
        self._stop_asked = threading.Event()
        self.taken: list[tuple[float, float]] = []

    def run(self) -> None:
        with VerifierClient(self._address) as asking:
            n = 0
            while not self._stop_asked.wait(PROBE_SECONDS):
                began = time.monotonic()
                verdict = asking.verify([item(f"probe {n}", self._burn_ms)])[0]
                if verdict.reward != 1.0:
                    raise RuntimeError(f"the probe has no verdict: {verdict}")
                self.taken.append((began, time.monotonic() - began))
                n += 1

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(60)

    def between(self, begin: float, end: float) -> list[float]:
        return [seconds for at, seconds in self.taken if begin <= at < end]


def told(clients: list[subprocess.Popen[str]], **what: float | None) -> list[dict[str, Any]]:
    """Tells all clients to do something in half a second, and returns what became of it."""
    start = time.monotonic() + 0.5
    for one in clients:
        assert one.stdin is not None
        one.stdin.write(json.dumps({"start": start, **what}) + "\n")
        one.stdin.flush()
    answers = []
    for one in clients:
        assert one.stdout is not None
        answers.append(json.loads(one.stdout.readline()) | {"start": start})
    return answers


def rate(came: list[float], begin: float, end: float) -> float:
    return sum(begin <= at < end for at in came) / (end - begin)


def recovery(probe: Probe, end: float, usual: float) -> float:
    """Seconds after `end` until all probes are as fast as usual; infinite where they never are."""
    later = [(at, seconds) for at, seconds in probe.taken if at + seconds >= end]
    slow = [at + seconds for at, seconds in later if seconds > usual]
    if not later or (slow and slow[-1] == later[-1][0] + later[-1][1]):
        return float("inf")
    return max(0.0, slow[-1] - end) if slow else 0.0


def main(
    console: Console,
    seconds: float = SECONDS,
    times: float = TIMES,
    burn_ms: float = BURN_MS,
    deadline: float | None = None,
    options: tuple[str, ...] = (),
) -> dict[str, float]:
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer("--log-level", "warning", *options))
        clients = []
        for name in CLIENTS:
            command = [sys.executable, "-m", "tests.bench.overload", "--client", name]
            process = subprocess.Popen(
                [*command, server.address, str(burn_ms)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
            clients.append(process)
        told(clients, seconds=2.0)
        probe = Probe(server.address, burn_ms)
        probe.start()
        time.sleep(5)
        calm = probe.between(0.0, time.monotonic())
        usual = 2 * float(np.percentile(calm, 95)) + 0.1
        closed = told(clients, seconds=CAPACITY_SECONDS)
        capacity = sum(rate(one["came"], SETTLING_SECONDS, CAPACITY_SECONDS) for one in closed)
        with processes.Watch(server.pid) as watch:
            each = times * capacity / len(clients)
            stormy = told(clients, seconds=seconds, per_second=each, deadline=deadline)
        begin, end = stormy[0]["start"], stormy[0]["start"] + seconds
        time.sleep(max(0.0, end + AFTER_SECONDS - time.monotonic()))
        with suppress(RuntimeError):
            probe.stop()
    settled = [rate(one["came"], SETTLING_SECONDS, seconds) for one in stormy]
    others = sum((Counter(one["others"]) for one in (*closed, *stormy)), Counter[str]())
    refused = others["RESOURCE_EXHAUSTED"]
    left = sum(one["accepted"] - len(one["came"]) for one in stormy)
    during = probe.between(begin + SETTLING_SECONDS, end)
    figures = {
        "capacity_per_s": round(capacity, 1),
        "offered_per_s": round(times * capacity, 1),
        "goodput_per_s": round(sum(settled), 1),
        "goodput": round(sum(settled) / capacity, 3),
        "first_client_per_s": round(settled[0], 1),
        "second_client_per_s": round(settled[1], 1),
        "unequal": round(1 - min(settled) / max(max(settled), 1e-9), 3),
        "recovery_s": round(recovery(probe, end, usual), 2),
        "refused_batches": refused,
        "refused_with_a_time": sum(one["told_when"] for one in stormy),
        "failed_otherwise": sum(others.values()) - refused,
        "accepted_and_unanswered": left,
        "third_caller_calm_ms": round(1000 * statistics.median(calm), 1),
        "third_caller_during_ms": round(1000 * statistics.median(during or [float("inf")]), 1),
        "third_caller_during_p95_ms": round(1000 * float(np.percentile(during or [np.inf], 95)), 1),
        "mib_before": round(watch.before / 2**20, 1),
        "mib_peak": round(watch.peak / 2**20, 1),
    }
    for name, count in others.items():
        if name != "RESOURCE_EXHAUSTED":
            print(f"{count} x {name}", file=sys.stderr)
    table = Table(f"overload, {times:g} x for {seconds:g} s", "", "required")
    required = {
        "goodput": f">= {GOODPUT:g}",
        "unequal": f"<= {UNEQUAL:g}",
        "recovery_s": f"< {RECOVERY_SECONDS:g}",
    }
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,g}", required.get(name, ""))
    console.print(table)
    return figures


def passed(figures: dict[str, float]) -> bool:
    return (
        figures["goodput"] >= GOODPUT
        and figures["unequal"] <= UNEQUAL
        and figures["recovery_s"] < RECOVERY_SECONDS
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        asyncio.run(client(sys.argv[2], sys.argv[3], float(sys.argv[4])))
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of the overload")
    parser.add_argument("--times", type=float, default=TIMES, help="the capacity that is offered")
    parser.add_argument("--burn", type=float, default=BURN_MS, help="milliseconds of a program")
    parser.add_argument("--deadline", type=float, help="seconds of each call; default: none")
    parser.add_argument("options", nargs="*", help="of touchstone serve, after --")
    asked = parser.parse_args()
    shown = main(
        Console(width=120),
        asked.seconds,
        asked.times,
        asked.burn,
        asked.deadline,
        tuple(asked.options),
    )
    print(json.dumps(shown))
    sys.exit(0 if passed(shown) else 1)
