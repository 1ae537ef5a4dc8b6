"""How one machine's cores are used behind one port, measured for both ways of doing it.

    python -m tests.bench.cores [--items N]

front       `touchstone serve --processes 2`: one process listens and hands items to two engines
reuseport   two whole servers on one port (SO_REUSEPORT): the kernel gives each connection to one
one         `touchstone serve` by itself

The items are mathematics that rules decide (about 0.1 ms each), sent by a client of its own process
over one connection and over eight. Rates are medians of RUNS runs after one to warm up; all share
this machine's cores with the client, so that ratios count and not rates. Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import grpc
from rich.console import Console
from rich.table import Table

from verifier.embedded import READY_PREFIX
from verifier.v1 import verifier_pb2 as pb

RUNS = 5
BATCH = 256
CONNECTIONS = (1, 8)
CALL = "/verifier.v1.Verifier/VerifyBatch"
ROOM = 1 << 28

SHARING = """
import sys, grpc
make = grpc.aio.server
def sharing(*args, options=(), **named):
    kept = [option for option in options if option[0] != "grpc.so_reuseport"]
    return make(*args, options=[*kept, ("grpc.so_reuseport", 1)], **named)
grpc.aio.server = sharing
from verifier.cli import main
main()
"""
"""`touchstone serve`, but for the option that keeps two servers from sharing a port."""


@contextmanager
def server(*command: str) -> Iterator[str]:
    """The address of a server that lives as long as the block."""
    options = ["--sandbox", "none", "--log-level", "warning", "--end-with-stdin"]
    process = subprocess.Popen(
        [sys.executable, *command, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip().removeprefix(READY_PREFIX)
    finally:
        process.stdin.close()
        process.wait(30)


@contextmanager
def servers(way: str) -> Iterator[str]:
    plain = ["-m", "verifier.cli", "serve", "--listen", "127.0.0.1:0"]
    with ExitStack() as stack:
        if way != "reuseport":
            extra = ["--processes", "2"] if way == "front" else []
            yield stack.enter_context(server(*plain, *extra))
            return
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        for _ in range(2):
            stack.enter_context(server("-c", SHARING, "serve", "--listen", address))
        yield address


def batches(items: int) -> list[bytes]:
    """Serialised; the answers differ, so that little of the work is kept."""
    made = []
    for first in range(0, items, BATCH):
        numbers = range(first, first + BATCH)
        made.append(
            pb.Batch(
                items=[
                    pb.Item(
                        id=str(n),
                        response=f"<think>so</think>\\boxed{{\\frac{{{n}}}{{{n + 1}}} + {n}}}",
                        math=pb.MathTask(gold=[f"{n * n + 2 * n}/{n + 1}"]),
                    )
                    for n in numbers
                ]
            ).SerializeToString()
        )
    return made


def rate(address: str, connections: int, raws: list[bytes]) -> float:
    """Items per second over so many connections at once."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", ROOM)]
    with ExitStack() as stack:
        calls = [
            stack.enter_context(grpc.insecure_channel(address, options=options)).unary_stream(CALL)
            for _ in range(connections)
        ]

        def send(place: int) -> None:
            # Four calls at once on one connection, as the client does.
            mine = raws[place::connections]
            at_once = max(1, 4 // connections)
            for first in range(0, len(mine), at_once):
                for answers in [calls[place](raw) for raw in mine[first : first + at_once]]:
                    for _ in answers:
                        pass

        rates = []
        for _ in range(RUNS + 1):
            threads = [threading.Thread(target=send, args=(n,)) for n in range(connections)]
            started = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            rates.append(len(raws) * BATCH / (time.perf_counter() - started))
    return statistics.median(rates[1:])


def main(console: Console, items: int) -> dict[str, float]:
    raws = batches(items)
    figures: dict[str, float] = {"cores": len(os.sched_getaffinity(0))}
    table = Table("items/s", *(f"{n} connections" for n in CONNECTIONS), title_justify="left")
    for way in ("one", "reuseport", "front"):
        with servers(way) as address:
            found = [rate(address, n, raws) for n in CONNECTIONS]
        figures |= {f"{way}_{n}": round(r) for n, r in zip(CONNECTIONS, found, strict=True)}
        table.add_row(way, *(f"{each:,.0f}" for each in found))
    console.print(table)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--items", type=int, default=16_384)
    print(json.dumps(main(Console(stderr=True), parser.parse_args().items)))
