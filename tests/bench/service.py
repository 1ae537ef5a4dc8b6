"""What the service costs beside the bare floor, in one run.

Floors: a bare grpc.aio echo of the same bytes, and a bare interpreter start
(`python -I -S`). CPU seconds of all processes involved are quoted beside the
wall clock, medians of several runs. For mathematics the server has one core and the
client another.
"""

from __future__ import annotations

import itertools
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
from rich.console import Console
from rich.table import Table

from tests.bench import mathematics
from tests.verifier.support import ADD
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

RUNS = 5
BATCH = 512
MATH_ITEMS = 4_000
"""Sent in batches of BATCH by the client."""
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
    """MATH-500 answers, half of them wrong, where the data folder is at hand, else some
    notations of one answer; padded to RESPONSE_BYTES as rollouts are."""
    if (mathematics.DATA / "math").is_dir():
        pairs = [(row["gold"], row["text"]) for row in mathematics.rows("math/math500_mix.jsonl")]
    else:
        answers = ["42", r"\frac{84}{2}", "42.0", "x = 42", "41", r"6 \cdot 7", r"\sqrt{1764}"]
        pairs = [("42", rf"\boxed{{{answer}}}") for answer in answers] * (BATCH // len(answers))
    items = []
    for n, (gold, text) in enumerate(pairs * (MATH_ITEMS // len(pairs))):
        padding = "let me check this once more. " * max(0, (RESPONSE_BYTES - len(text)) // 29)
        response = f"<think>{padding}</think>{text}"
        items.append(pb.Item(id=str(n), response=response, math=pb.MathTask(gold=[gold])))
    return items


def echo_rate(items: list[pb.Item]) -> float:
    """Items per second through a bare grpc.aio echo of the same bytes."""
    raws = [
        pb.Batch(items=items[at : at + BATCH]).SerializeToString()
        for at in range(0, len(items), BATCH)
    ]
    server = subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = f"127.0.0.1:{server.stdout.readline().strip()}"
        options = [("grpc.max_receive_message_length", 1 << 28)]
        with grpc.insecure_channel(address, options=options) as channel:
            call = channel.unary_stream("/bench/Echo")
            return median_rate(len(items), lambda: [list(call(raw)) for raw in raws])
    finally:
        server.kill()
        server.wait()


def distinct(program: str) -> str:
    """The program with a comment that no other has: equal ones would be run once."""
    return f"{program}# {next(_NUMBERS)}\n"


_NUMBERS = itertools.count()


def stdio_items() -> list[pb.Item]:
    test = pb.CodeTest(stdin="1 2", stdout="3")
    task = pb.CodeTask(language="python", tests=[test])
    return [pb.Item(id=str(n), code=_with_program(task, ADD)) for n in range(PROGRAMS)]


def _with_program(task: pb.CodeTask, program: str) -> pb.CodeTask:
    one = pb.CodeTask()
    one.CopyFrom(task)
    one.program = distinct(program)
    return one


def call_items() -> list[pb.Item]:
    tests = [pb.CodeTest(args_json=[str(n), "1"], expected_json=str(n + 1)) for n in range(CALLS)]
    program = "def add(a, b):\n    return a + b\n"
    task = pb.CodeTask(language="python", tests=tests, entry_point="add")
    return [pb.Item(id=str(n), code=_with_program(task, program)) for n in range(PROGRAMS)]


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


def main(console: Console) -> dict[str, float]:
    answers = math_batch()
    figures: dict[str, float] = {"echo_items_per_s": echo_rate(answers)}
    with (
        EmbeddedServer("--log-level", "warning", "--sandbox", "none") as server,
        VerifierClient(server.address) as client,
        on_cores(server.pid),
    ):
        figures["math_items_per_s"] = median_rate(len(answers), lambda: client.verify(answers))
    with (
        EmbeddedServer("--log-level", "warning") as server,
        VerifierClient(server.address) as client,
    ):
        client.verify(stdio_items())
        for name, items, each in (
            ("stdio_runs_per_s", stdio_items, 1),
            ("call_tests_per_s", call_items, CALLS),
        ):
            figures[name] = median_rate(PROGRAMS * each, lambda items=items: client.verify(items()))
    figures["bare_interpreter_starts_per_s"] = interpreter_rate()
    figures["cpu_seconds"] = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    table = Table("service", "per second", title=f"medians of {RUNS} runs", title_justify="left")
    for name, value in figures.items():
        if name != "cpu_seconds":
            table.add_row(name.removesuffix("_per_s").replace("_", " "), f"{value:,.0f}")
    console.print(table)
    return {name: round(value, 2) for name, value in figures.items()}


@contextmanager
def on_cores(server: int) -> Iterator[None]:
    """The server's threads on one core and this process on another, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    threads = [int(name) for name in os.listdir(f"/proc/{server}/task")]
    for thread in threads:
        os.sched_setaffinity(thread, cores[:1])
    own = [int(name) for name in os.listdir("/proc/self/task")]
    for thread in own:
        os.sched_setaffinity(thread, cores[1:2] or cores)
    try:
        yield
    finally:
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.sched_setaffinity(int(thread), cores)
