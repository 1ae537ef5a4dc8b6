"""Everything at once: 16,000 requests of one item each, in the same moment.

    python -m tests.bench.storm [--requests N] [--clients K] [--http] [-- OPTIONS OF SERVE]

K client processes with a channel each make their items (tests/bench/mix.py), agree on a moment and
send all of them then as Verify calls, none waiting for another. With --http the same again over
HTTP, one connection for each request. Counted: answers that are verdicts of the right item, the
seconds until the first of them and until the last, how often a request was refused and sent again
(after grpc-retry-pushback-ms or Retry-After), and the memory of the server's processes before, at
most, and after. Ends with one line of JSON; the exit status is 1 where an answer is missing, the
first came late, or memory passed the bound.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any

import grpc
import grpc.aio
import numpy as np
from rich.console import Console
from rich.table import Table

from tests.bench import processes
from tests.bench.mix import Mix
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub

REQUESTS, CLIENTS = 16_000, 4
FIRST_SECONDS = 1.0
BYTES_EACH = 64 << 10
"""Memory that a waiting request may cost: an item of 1 KB, its call and its connection."""

WARM_UP = Mix(1_000, code_share=0.02, symbolic_share=0.02, seed=2)
"""Items that start the workers before memory is looked at."""

SLICE = 32
"""Requests that a client starts before it looks for answers; it waits for none of them."""

ATTEMPTS, LOST_SECONDS = 20, 600.0
"""Of a request, until it counts as lost; and of each attempt."""

PUSHBACK = "grpc-retry-pushback-ms"

Answer = tuple[float, str, int]
"""When it came, "" or what was wrong, and how often it was refused before."""


refused: Counter[str] = Counter()
"""Why requests of this client were sent again."""


def wrong(item: pb.Item, verdict_id: str, status: str) -> str:
    if verdict_id != item.id:
        return "the verdict of another item"
    return "" if status == "OK" else status


async def at_once(start: float, calls: list[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """Starts all at a moment, and looks for answers after each SLICE of them."""
    await asyncio.sleep(max(0.0, start - time.monotonic()))
    tasks = []
    for n, call in enumerate(calls):
        tasks.append(asyncio.create_task(call))
        if n % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    return list(await asyncio.gather(*tasks))


async def over_grpc(address: str, items: list[pb.Item], start: float) -> list[Answer]:
    options = [("grpc.enable_retries", 0)]  # so that refusals are seen and counted
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        stub: Any = VerifierStub(channel)
        await channel.channel_ready()

        async def one(item: pb.Item) -> Answer:
            said = ""
            for attempt in range(ATTEMPTS):
                try:
                    verdict = await stub.Verify(item, timeout=LOST_SECONDS)
                except grpc.aio.AioRpcError as error:
                    said = f"{error.code().name}: {error.details()}"
                    if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
                        break
                    refused[said[:80]] += 1
                    wait = dict(error.trailing_metadata() or ()).get(PUSHBACK, 1000)
                    await asyncio.sleep(int(wait) / 1000)
                    continue
                status = pb.Verdict.Status.Name(verdict.status)
                return time.monotonic(), wrong(item, verdict.id, status), attempt
            return time.monotonic(), said, attempt

        return await at_once(start, [one(item) for item in items])


async def over_http(address: str, items: list[pb.Item], start: float) -> list[Answer]:
    from google.protobuf import json_format

    host, _, port = address.removeprefix("http://").rpartition(":")
    bodies = [
        json_format.MessageToJson(item, indent=None, preserving_proto_field_name=True).encode()
        for item in items
    ]

    async def asked(body: bytes) -> tuple[int, dict[str, str], bytes]:
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            head = f"POST /v1/verify HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            said = await reader.read()
        finally:
            writer.close()
        top, _, rest = said.partition(b"\r\n\r\n")
        lines = top.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), fields, rest

    async def one(item: pb.Item, body: bytes) -> Answer:
        said = "no answer"
        for attempt in range(ATTEMPTS):
            try:
                code, fields, rest = await asked(body)
            except (OSError, IndexError, ValueError) as error:
                said = f"{type(error).__name__}: {error}"
                refused[said[:80]] += 1
                await asyncio.sleep(0.2 * (attempt + 1))
                continue
            if code == 200:
                verdict = json.loads(rest)
                return time.monotonic(), wrong(item, verdict["id"], verdict["status"]), attempt
            said = f"{code}: {rest[:100].decode(errors='replace')}"
            if code not in (429, 503):
                break
            refused[said[:80]] += 1
            await asyncio.sleep(float(fields.get("retry-after", 1)))
        return time.monotonic(), said, attempt

    return await at_once(start, list(map(one, items, bodies)))


def client(kind: str, address: str, first: int, count: int) -> None:
    """A client process: says that it is ready, is told the moment, and tells what came."""
    mix = Mix(1 << 30)
    items = [mix.item(number) for number in range(first, first + count)]
    print("ready", flush=True)
    start = float(sys.stdin.readline())
    send = over_grpc if kind == "grpc" else over_http
    answers = asyncio.run(send(address, items, start))
    failures = Counter(said for _, said, _ in answers if said)
    print(
        json.dumps(
            {
                "seconds": [round(at - start, 4) for at, said, _ in answers if not said],
                "failures": failures,
                "refusals": sum(before for _, _, before in answers),
                "refused": refused,
            }
        )
    )


def storm(server: int, kind: str, address: str, requests: int, clients: int) -> dict[str, float]:
    each = requests // clients
    with ExitStack() as stack:
        started = []
        for n in range(clients):
            command = [sys.executable, "-m", "tests.bench.storm", "--client", kind, address]
            process = subprocess.Popen(
                [*command, str(n * each), str(each)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            started.append(process)
        for process in started:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("a client ended before it began")
        with processes.Watch(server) as watch:
            start = time.monotonic() + 0.5
            told = []
            for process in started:
                assert process.stdin is not None
                process.stdin.write(f"{start}\n")
                process.stdin.flush()
            for process in started:
                assert process.stdout is not None
                told.append(json.loads(process.stdout.readline()))
    seconds = np.array([one for each_told in told for one in each_told["seconds"]])
    failures = sum((Counter(each_told["failures"]) for each_told in told), Counter[str]())
    again = sum((Counter(each_told["refused"]) for each_told in told), Counter[str]())
    for what, counted in (("lost", failures), ("sent again", again)):
        for said, count in counted.most_common(5):
            print(f"{what}: {count} x {said}", file=sys.stderr)
    sent = each * clients
    return {
        "requests": sent,
        "answered": len(seconds),
        "lost": sent - len(seconds),
        "first_s": round(float(seconds.min()), 3) if len(seconds) else float("inf"),
        "median_s": round(float(np.median(seconds)), 2) if len(seconds) else float("inf"),
        "last_s": round(float(seconds.max()), 2) if len(seconds) else float("inf"),
        "refusals": sum(each_told["refusals"] for each_told in told),
        "mib_before": round(watch.before / 2**20, 1),
        "mib_peak": round(watch.peak / 2**20, 1),
        "mib_after": round(processes.tree_rss(server) / 2**20, 1),
        "kib_each": round((watch.peak - watch.before) / sent / 1024, 1),
    }


def main(
    console: Console,
    requests: int = REQUESTS,
    clients: int = CLIENTS,
    http: bool = False,
    options: tuple[str, ...] = (),
) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = {}
    for kind in ("grpc", "http") if http else ("grpc",):
        front = ("--http", "127.0.0.1:0") if kind == "http" else ()
        with EmbeddedServer("--log-level", "warning", *front, *options) as server:
            address = server.address
            if front:
                assert server._process is not None
                assert server._process.stdout is not None
                address = server._process.stdout.readline().strip().removeprefix("http at ")
            with VerifierClient(server.address) as warm:
                warm.verify([WARM_UP.item(number) for number in range(1_000)])
            figures[kind] = storm(server.pid, kind, address, requests, clients)
    table = Table("at once", *figures, "required")
    required = {
        "lost": "0",
        "first_s": f"< {FIRST_SECONDS:g}",
        "kib_each": f"<= {BYTES_EACH >> 10}",
    }
    for name in figures["grpc"]:
        cells = (f"{figure[name]:,g}" for figure in figures.values())
        table.add_row(name.replace("_", " "), *cells, required.get(name, ""))
    console.print(table)
    return figures


def passed(figures: dict[str, dict[str, float]]) -> bool:
    return all(
        one["lost"] == 0 and one["first_s"] < FIRST_SECONDS and one["kib_each"] <= BYTES_EACH >> 10
        for one in figures.values()
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        kind, address, first, count = sys.argv[2:]
        client(kind, address, int(first), int(count))
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--http", action="store_true", help="over HTTP too")
    parser.add_argument("options", nargs="*", help="of touchstone serve, after --")
    asked = parser.parse_args()
    shown = main(
        Console(width=120), asked.requests, asked.clients, asked.http, tuple(asked.options)
    )
    print(json.dumps(shown))
    sys.exit(0 if passed(shown) else 1)
