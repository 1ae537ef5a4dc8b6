"""`make bench`: what the service costs beside the bare floor, in one run.

Floors: a bare grpc.aio echo of the same bytes, and a bare interpreter start
(`python -I -S`). CPU seconds of all processes involved are quoted beside the
wall clock, medians of several runs. Ends with one line of JSON.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import grpc
from rich.console import Console
from rich.table import Table

from tests.verifier.support import ADD, math_item
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

RUNS = 5
BATCH = 512
RESPONSE_BYTES = 2048
PROGRAMS = 64
CALLS = 20

ECHO = """
import asyncio, grpc
async def echo(request, context):
    yield request
async def main():
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 1 << 28)])
    handlers = {"Echo": grpc.unary_stream_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()
asyncio.run(main())
"""


def median_rate(count: int, run: Callable[[], object]) -> float:
    """Things per second of wall time: the median of RUNS runs after one to warm up."""
    run()
    rates = []
    for _ in range(RUNS):
        started = time.perf_counter()
        run()
        rates.append(count / (time.perf_counter() - started))
    return statistics.median(rates)


def math_batch() -> list[pb.Item]:
    """Answers in several notations, padded to RESPONSE_BYTES as rollouts are."""
    answers = ["42", "\\frac{84}{2}", "42.0", "x = 42", "41", "6 \\cdot 7", "\\sqrt{1764}"]
    padding = "<think>" + "let me check this once more. " * (RESPONSE_BYTES // 29) + "</think>"
    items = []
    for n in range(BATCH):
        item = math_item(str(n), answers[n % len(answers)], gold="42")
        item.response = padding + item.response.rpartition("</think>")[2]
        items.append(item)
    return items


def echo_rate(items: list[pb.Item]) -> float:
    """Items per second through a bare grpc.aio echo of the same bytes."""
    raw = pb.Batch(items=items).SerializeToString()
    server = subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = f"127.0.0.1:{server.stdout.readline().strip()}"
        options = [("grpc.max_receive_message_length", 1 << 28)]
        with grpc.insecure_channel(address, options=options) as channel:
            call = channel.unary_stream("/bench/Echo")
            return median_rate(BATCH, lambda: list(call(raw)))
    finally:
        server.kill()
        server.wait()


def stdio_items() -> list[pb.Item]:
    test = pb.CodeTest(stdin="1 2", stdout="3")
    task = pb.CodeTask(language="python", tests=[test], program=ADD)
    return [pb.Item(id=str(n), code=task) for n in range(PROGRAMS)]


def call_items() -> list[pb.Item]:
    tests = [pb.CodeTest(args_json=[str(n), "1"], expected_json=str(n + 1)) for n in range(CALLS)]
    program = "def add(a, b):\n    return a + b\n"
    task = pb.CodeTask(language="python", tests=tests, program=program, entry_point="add")
    return [pb.Item(id=str(n), code=task) for n in range(PROGRAMS)]


def interpreter_rate() -> float:
    """Bare starts of the interpreter per second, one after the other."""
    program = Path(sys.executable).resolve()

    def run() -> None:
        for _ in range(20):
            subprocess.run(
                [program, "-I", "-S", "-c", ADD],
                input=b"1 2",
                stdout=subprocess.DEVNULL,
                check=True,
            )

    return median_rate(20, run)


def main() -> None:
    mathematics = math_batch()
    figures: dict[str, float] = {"echo_items_per_s": echo_rate(mathematics)}
    with (
        EmbeddedServer("--log-level", "warning") as server,
        VerifierClient(server.address) as client,
    ):
        client.verify(stdio_items())
        for name, items, each in (
            ("math_items_per_s", mathematics, 1),
            ("stdio_runs_per_s", stdio_items(), 1),
            ("call_tests_per_s", call_items(), CALLS),
        ):
            figures[name] = median_rate(len(items) * each, lambda items=items: client.verify(items))
    figures["bare_interpreter_starts_per_s"] = interpreter_rate()
    figures["cpu_seconds"] = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    table = Table("figure", "per second", title=f"medians of {RUNS} runs", title_justify="left")
    for name, value in figures.items():
        if name != "cpu_seconds":
            table.add_row(name.removesuffix("_per_s").replace("_", " "), f"{value:,.0f}")
    Console().print(table)
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
