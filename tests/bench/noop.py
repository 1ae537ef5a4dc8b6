"""What the service's own path costs an item: a verifier that does nothing, beside a bare echo.

    python -m tests.bench.noop [--seconds S] [--profile FILE]

Both servers have one core and the client has the other. `touchstone serve` runs with the verifier
of `choice` replaced by one that gives a constant, so all else is real: reading, admission, the
queue, validation, the verdict, delivery. The floor is a grpc.aio server that sends back the bytes
it was sent. Batches of 512 distinct items with responses of 4 KB, serialised before the clock
starts; the client parses what the service sends and fails where an item has no verdict.

items/s         CALLS calls open all the time
added p99       batches sent at fixed times, at half of the rate that the service reached, to both
                servers; the difference of their p99 latencies, counted from the time a batch was due
added p99 alone the same with one batch after the other

--profile writes a cProfile of the service's event loop to FILE (`python -m pstats FILE`), which
makes it about half as fast. Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import grpc
import grpc.aio
import numpy as np
from rich.console import Console
from rich.table import Table

from tests.bench.service import ECHO
from verifier.embedded import READY_PREFIX
from verifier.v1 import verifier_pb2 as pb

BATCH, RESPONSE_BYTES = 512, 4096
BATCHES = 16
"""Different ones, sent in turn: 32 MB."""
CALLS = 3
"""Open at once where the rate is measured: one is read, one is at work, one is sent."""
SECONDS = 10.0
SERVICE = "/verifier.v1.Verifier/VerifyBatch"
ROOM = 1 << 28
CORES = sorted(os.sched_getaffinity(0))
TARGET_RATE, STRETCH_RATE, TARGET_P99_MS = 40_000, 100_000, 25.0

Answered = Callable[[bytes], int]
Send = Callable[[bytes], Awaitable[None]]


def batches() -> list[bytes]:
    """Serialised batches; no two items are equal."""
    padding = "let me check this once more. " * (RESPONSE_BYTES // 29)
    made = []
    for batch in range(BATCHES):
        items = []
        for n in range(BATCH):
            text = f"<think>{batch} {n} {padding}"[: RESPONSE_BYTES - 30]
            task = pb.ChoiceTask(gold="B", options=["red", "green", "blue", "white"])
            response = f"{text}</think>The answer is (B)."
            items.append(pb.Item(id=f"{batch}-{n}", response=response, choice=task))
        made.append(pb.Batch(items=items).SerializeToString())
    return made


def serve(profile: str | None) -> None:
    """`touchstone serve` with a verifier that does nothing; ends with standard input."""
    from verifier import cli
    from verifier.choice import verify as choice
    from verifier.outcome import TaskOutcome

    outcome = TaskOutcome(status=pb.Verdict.OK, reason=pb.Part.match, score=1.0)
    choice.verify = lambda task, response: outcome
    options = ["--listen", "127.0.0.1:0", "--sandbox", "none", "--log-level", "warning"]
    sys.argv = ["touchstone", "serve", "--end-with-stdin", *options]
    profiler = cProfile.Profile()
    try:
        if profile is None:
            cli.main()
        else:
            profiler.runcall(cli.main)
    finally:
        if profile is not None:
            profiler.dump_stats(profile)


@contextmanager
def server(*command: str) -> Iterator[tuple[int, str]]:
    """Process and address of a server on the first core."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES[:1])  # which the child inherits
    process = subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    os.sched_setaffinity(0, own)
    try:
        assert process.stdout is not None
        said = process.stdout.readline().strip().removeprefix(READY_PREFIX)
        if not said:
            raise RuntimeError(f"the server ended with status {process.wait()}")
        yield process.pid, said if ":" in said else f"127.0.0.1:{said}"
    finally:
        assert process.stdin is not None
        process.stdin.close()
        if command[0] == "-c":  # the echo knows no end
            process.kill()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@asynccontextmanager
async def sender(address: str, method: str, answered: Answered) -> AsyncIterator[Send]:
    """Sends one batch and waits for all of its answers."""
    options = [("grpc.max_receive_message_length", ROOM), ("grpc.max_send_message_length", ROOM)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        call = channel.unary_stream(method)

        async def send(raw: bytes) -> None:
            count = 0
            async for message in call(raw):
                count += answered(message)
            if count != BATCH:
                raise RuntimeError(f"{count} of {BATCH} items have an answer")

        yield send


def verdicts(message: bytes) -> int:
    """How many verdicts the service sent; an item without a reward is a failure of the bench."""
    came = pb.Verdicts.FromString(message).verdicts
    if not all(one.verdict.HasField("reward") for one in came):
        raise RuntimeError(f"no reward: {came[0].verdict}")
    return len(came)


async def rate(send: Send, raws: list[bytes], calls: int, seconds: float) -> float:
    """Items a second with so many calls open all the time."""
    done = 0
    began = time.perf_counter()
    until = began + seconds

    async def caller(place: int) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await send(raws[place % len(raws)])
            done += BATCH
            place += calls

    await asyncio.gather(*[caller(n) for n in range(calls)])
    return done / (time.perf_counter() - began)


async def paced(send: Send, raws: list[bytes], per_second: float, seconds: float) -> list[float]:
    """Latencies in seconds of batches due at fixed times, each counted from then."""
    taken: list[float] = []

    async def one(due: float, raw: bytes) -> None:
        await send(raw)
        taken.append(time.perf_counter() - due)

    tasks = []
    began = time.perf_counter()
    for n in range(int(per_second * seconds)):
        due = began + n / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due, raws[n % len(raws)])))
    await asyncio.gather(*tasks)
    return taken


async def in_turn(send: Send, raws: list[bytes], seconds: float) -> list[float]:
    """Latencies in seconds of batches sent one after the other."""
    taken = []
    until = time.perf_counter() + seconds
    n = 0
    while time.perf_counter() < until:
        began = time.perf_counter()
        await send(raws[n % len(raws)])
        taken.append(time.perf_counter() - began)
        n += 1
    return taken


def p99_ms(taken: list[float]) -> float:
    return float(1000 * np.percentile(taken, 99))


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(seconds: float, profile: str | None) -> dict[str, float]:
    raws = batches()
    ours = ["-m", "tests.bench.noop", "--serve"]
    if profile is not None:
        ours += ["--profile", profile]
    with server(*ours) as (pid, at), server("-c", ECHO) as (_, echo_at):
        async with (
            sender(at, SERVICE, verdicts) as send,
            sender(echo_at, "/bench/Echo", lambda message: BATCH) as echo,
        ):
            for warm_up in (send, echo):
                await rate(warm_up, raws, CALLS, min(2.0, seconds))
            spent = cpu_seconds(pid)
            ours_rate = await rate(send, raws, CALLS, seconds)
            spent = cpu_seconds(pid) - spent
            echo_rate = await rate(echo, raws, CALLS, seconds)
            alone = p99_ms(await in_turn(send, raws, seconds))
            alone_echo = p99_ms(await in_turn(echo, raws, seconds))
            half = ours_rate / BATCH / 2
            loaded = p99_ms(await paced(send, raws, half, seconds))
            loaded_echo = p99_ms(await paced(echo, raws, half, seconds))
    return {
        "items_per_s": round(ours_rate),
        "echo_items_per_s": round(echo_rate),
        "of_echo": round(ours_rate / echo_rate, 3),
        "server_cpu_us_per_item": round(1e6 * spent / (ours_rate * seconds), 1),
        "p99_ms": round(loaded, 2),
        "echo_p99_ms": round(loaded_echo, 2),
        "added_p99_ms": round(loaded - loaded_echo, 2),
        "p99_alone_ms": round(alone, 2),
        "echo_p99_alone_ms": round(alone_echo, 2),
        "added_p99_alone_ms": round(alone - alone_echo, 2),
    }


def main(
    console: Console, seconds: float = SECONDS, profile: str | None = None
) -> dict[str, float]:
    os.sched_setaffinity(0, CORES[1:2] or CORES)
    try:
        figures = asyncio.run(measured(seconds, profile))
    finally:
        os.sched_setaffinity(0, CORES)
    table = Table("no-op verifier", "service", "bare echo", "required")
    rows = (
        ("items/s", "items_per_s", "echo_items_per_s", f">= {TARGET_RATE:,} ({STRETCH_RATE:,})"),
        ("p99 at half of that rate, ms", "p99_ms", "echo_p99_ms", ""),
        ("  added", "added_p99_ms", "", f"<= {TARGET_P99_MS:g}"),
        ("p99 of one batch after the other, ms", "p99_alone_ms", "echo_p99_alone_ms", ""),
        ("  added", "added_p99_alone_ms", "", ""),
        ("CPU microseconds of an item", "server_cpu_us_per_item", "", ""),
    )
    for name, own, floor, required in rows:
        cell = f"{figures[floor]:,g}" if floor else ""
        table.add_row(name, f"{figures[own]:,g}", cell, required)
    console.print(table)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement")
    parser.add_argument("--profile", help="file for a cProfile of the service")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.profile)
    else:
        print(json.dumps(main(Console(width=120), asked.seconds, asked.profile)))
