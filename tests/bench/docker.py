"""What a container costs beside the same run outside of one, in one run.

The same program goes to a sandbox in this process and to one in a container, in turns, one at a
time, so that both see the same host. Round trip: what the caller waits beyond the time that the
sandbox itself reports for the run; it holds the attached stream both ways and every process it
passes through. Floor: a line through `cat` in a container of the same engine, over the same kind
of stream. Milliseconds, medians.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time

import docker
from rich.console import Console
from rich.table import Table

from sandbox import container
from sandbox.client import EmbeddedSandbox, Sandbox
from sandbox.docker import DockerSandbox, Settings
from sandbox.v1 import sandbox_pb2 as pb

IMAGE = os.environ.get("TOUCHSTONE_IMAGE", "touchstone")
ROUNDS = 400
CALLS = 20
# Lets a slot warm its next jail, so that a run is timed and not the wait for it.
PAUSE_SECONDS = 0.02
ECHO_ROUNDS = 1000

Timed = tuple[float, float]


def stdin_request() -> pb.RunRequest:
    source = "a, b = map(int, input().split())\nprint(a + b)\n"
    return pb.RunRequest(language="python", source=source, inputs=pb.Inputs(stdin=[b"1 2"]))


def calls_request() -> pb.RunRequest:
    arguments = [pb.Arguments(args_json=[str(n), "1"]) for n in range(CALLS)]
    calls = pb.Calls(entry_point="add", arguments=arguments)
    source = "def add(a, b):\n    return a + b\n"
    return pb.RunRequest(language="python", source=source, calls=calls)


async def timed(sandbox: Sandbox, request: pb.RunRequest) -> Timed:
    """Milliseconds: the whole wait, and its part beyond what the sandbox reports."""
    began = time.perf_counter()
    result = await sandbox.run(request)
    whole = (time.perf_counter() - began) * 1000
    assert result.status == pb.RunResult.OK, result.message
    return whole, whole - result.queued_ms - result.ran_ms


async def in_turns(sandboxes: dict[str, Sandbox], request: pb.RunRequest) -> dict[str, list[Timed]]:
    times: dict[str, list[Timed]] = {name: [] for name in sandboxes}
    for _ in range(ROUNDS):
        for name, sandbox in sandboxes.items():
            times[name].append(await timed(sandbox, request))
            await asyncio.sleep(PAUSE_SECONDS)
    return times


def echo_ms() -> float:
    """A line through `cat`, there and back."""
    client = container.connect(None)
    engine = client.containers.create(
        IMAGE,
        entrypoint=["cat"],
        stdin_open=True,
        auto_remove=True,
        network_mode="none",
        log_config=docker.types.LogConfig(type="none"),
    )
    params = {"stdin": 1, "stdout": 1, "stream": 1}
    attached = client.api.attach_socket(engine.id, params=params)
    engine.start()
    times = []
    try:
        for _ in range(ECHO_ROUNDS):
            began = time.perf_counter()
            os.write(attached.fileno(), b"a line\n")
            received = b""
            while not received.endswith(b"\n"):
                received += os.read(attached.fileno(), 4096)
            times.append((time.perf_counter() - began) * 1000)
    finally:
        engine.remove(force=True)
        client.close()
    return statistics.median(times)


async def measure() -> dict[str, float]:
    figures = {"echo_ms": echo_ms()}
    outside = await EmbeddedSandbox.start(slots=1)
    began = time.perf_counter()
    inside = await DockerSandbox.start(Settings(image=IMAGE, containers=1))
    figures["start_ms"] = (time.perf_counter() - began) * 1000
    sandboxes: dict[str, Sandbox] = {"outside": outside, "inside": inside}
    try:
        for work, request in (("stdin", stdin_request()), ("calls", calls_request())):
            for place, times in (await in_turns(sandboxes, request)).items():
                wholes, trips = zip(*times, strict=True)
                figures[f"{work}_{place}_ms"] = statistics.median(wholes)
                figures[f"{work}_{place}_round_trip_ms"] = statistics.median(trips)
                figures[f"{work}_{place}_round_trip_p95_ms"] = statistics.quantiles(trips, n=20)[-1]
            figures[f"{work}_overhead_ms"] = (
                figures[f"{work}_inside_round_trip_ms"] - figures[f"{work}_outside_round_trip_ms"]
            )
    finally:
        await outside.close()
        await inside.close()
    return figures


def main(console: Console) -> dict[str, float]:
    figures = {name: round(value, 3) for name, value in asyncio.run(measure()).items()}
    title = f"medians of {ROUNDS} runs, one at a time"
    table = Table("docker", "ms", title=title, title_justify="left")
    for name, value in figures.items():
        table.add_row(name.removesuffix("_ms").replace("_", " "), f"{value:,.3f}")
    console.print(table)
    return figures


if __name__ == "__main__":
    main(Console())
