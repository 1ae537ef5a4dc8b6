r"""One slow or hostile item beside 10,000 quick ones: what the others feel of it.

    python -m tests.bench.beside [--quick N] [--per-second R] [--rounds M] [KIND ...] [-- OPTIONS]

N quick items (mathematics, choice and format of tests/bench/mix.py) are sent as calls of their own
at fixed times, R a second, and each is timed from the time it was due. While they are, one client
has one item of a kind at the server all the time; where it is answered, the next follows after half
a second:

    sleep     a program that sleeps                   fork      a program that forks without end
    flood     a program that prints without end       symbolic  products that no worker gets done with
    latex     a formula that is costly to read        long      a response of 1 MB, to be read word by word
    nested    a formula and JSON nested very deep     judge     a judge that never answers

In each round every kind has a run between two without any. Growth: the p99 of its run over the mean
p99 of these two; the median over the rounds. Ends with one line of JSON; the exit status is 1 where
a kind's growth is 20 % or more.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
from rich.console import Console
from rich.table import Table

from tests.bench.mix import Mix
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub

QUICK, PER_SECOND, ROUNDS = 10_000, 1_000.0, 3
GROWTH = 0.2
PAUSE_SECONDS = 0.5
DEADLINE_MS = 60_000
"""Of the slow item: none of them is to end by it while the others run."""

SIZE = 1_000_000


def program(name: str, source: str) -> pb.Item:
    task = pb.CodeTask(
        language="python", tests=[pb.CodeTest(stdin="", stdout="3")], program=f"{source}\n# {name}"
    )
    task.limits.cpu_seconds = 30
    return pb.Item(id=name, code=task, deadline_ms=DEADLINE_MS)


def formula(name: str, gold: str, answer: str) -> pb.Item:
    response = rf"<think>{name}</think>\boxed{{{answer}}}"
    return pb.Item(id=name, response=response, math=pb.MathTask(gold=[gold]))


def slow(kind: str, number: int) -> pb.Item:
    """The item of a kind; no two of them are equal."""
    name = f"{kind} {number}"
    match kind:
        case "sleep":
            return program(name, "import time\ntime.sleep(60)")
        case "fork":
            return program(name, "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass")
        case "flood":
            return program(name, "while True: print('x' * 4096)")
        case "symbolic":
            left = rf"\prod_{{k=1}}^{{40}} (x^k + {number + 2} \sin(k y))"
            right = rf"\prod_{{k=1}}^{{40}} (x^k + {number + 2} \cos(k y - \pi / 2))"
            return formula(name, f"{left} - {right}", "0")
        case "latex":
            factors = "".join(rf"\left(x+{n}\right)^{{97}}" for n in range(100))
            return formula(
                name, factors, rf"{factors}+\sin^2(x)+\cos^2(x)-1+\frac{{{number}}}{{x}}"
            )
        case "long":
            words = f"{name} The quick brown fox jumps over the lazy dog. ¿Qué? "
            response = f"<think>{words * (SIZE // len(words.encode()) - 1)}</think>4"
            task = pb.MathTask(gold=["4"])
            return pb.Item(
                id=name, response=response, math=task, recipe="r1_reasoning", language="en"
            )
        case "nested":
            deep = r"\frac{1}{1+" * 300 + "x" + "}" * 300
            item = formula(name, "4", deep)
            item.response = "{[(" * (SIZE // 8) + item.response + r"\boxed{" * (SIZE // 16)
            return item
        case "judge":
            return pb.Item(
                id=name,
                prompt="Which of two?",
                response=f"The second. {number}",
                judge=pb.JudgeTask(mode=pb.JudgeTask.HELPFUL),
                deadline_ms=DEADLINE_MS,
            )
    raise ValueError(f"no kind of item: {kind}")


KINDS = ("sleep", "fork", "flood", "symbolic", "latex", "long", "nested", "judge")


@contextmanager
def silent_judge() -> Iterator[Path]:
    """The settings of a judge that takes every question and answers none."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        tempfile.TemporaryDirectory() as folder,
    ):
        kept: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):  # closed: the end
                while True:
                    kept.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        path = Path(folder) / "judge.toml"
        port = listener.getsockname()[1]
        path.write_text(f'[[endpoints]]\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "silent"\n')
        try:
            yield path
        finally:
            for one in kept:
                one.close()


async def quick(address: str, count: int, per_second: float, seed: int) -> None:
    """The quick client, a process of its own: prints the seconds that each item took."""
    mix = Mix(1 << 30, code_share=0.0, symbolic_share=0.0, seed=seed)
    items = [mix.item(number) for number in range(count)]
    taken: list[float] = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = VerifierStub(channel)

        async def one(item: pb.Item, due: float) -> None:
            verdict = await stub.Verify(item, metadata=(("touchstone-client", "quick"),))
            taken.append(time.monotonic() - due)
            if verdict.id != item.id or not verdict.HasField("reward"):
                raise RuntimeError(f"{item.id}: {verdict}")

        await asyncio.gather(*[one(item, time.monotonic()) for item in items[:200]])
        taken.clear()
        start = time.monotonic() + 0.2
        tasks = []
        for n, item in enumerate(items):
            due = start + n / per_second
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(one(item, due)))
        await asyncio.gather(*tasks)
    print(json.dumps([round(seconds, 6) for seconds in taken]))


class Slow(threading.Thread):
    """Keeps one item of a kind at the server until told to stop."""

    def __init__(self, address: str, kind: str, first: int) -> None:
        super().__init__()
        self._address, self._kind, self._first = address, kind, first
        self._stop_asked = threading.Event()
        self.sent = 0

    def run(self) -> None:
        with grpc.insecure_channel(self._address) as channel:
            stub = VerifierStub(channel)
            while not self._stop_asked.is_set():
                item = slow(self._kind, self._first + self.sent)
                call = stub.Verify.future(item, metadata=(("touchstone-client", "slow"),))
                self.sent += 1
                while not call.done() and not self._stop_asked.wait(0.02):
                    pass
                if call.done() and call.exception() is not None:
                    raise RuntimeError(f"{item.id}: {call.exception()}")
                call.cancel()
                self._stop_asked.wait(PAUSE_SECONDS)

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


def p99_ms(address: str, count: int, per_second: float, seed: int) -> float:
    """Of the quick items, in a run of the quick client."""
    command = [sys.executable, "-m", "tests.bench.beside", "--client", address]
    command += [str(count), str(per_second), str(seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return float(1000 * np.percentile(json.loads(done.stdout), 99))


def main(
    console: Console,
    count: int = QUICK,
    per_second: float = PER_SECOND,
    rounds: int = ROUNDS,
    kinds: tuple[str, ...] = KINDS,
    options: tuple[str, ...] = (),
) -> dict[str, dict[str, float]]:
    calm: list[float] = []
    loud: dict[str, list[float]] = {kind: [] for kind in kinds}
    grown: dict[str, list[float]] = {kind: [] for kind in kinds}
    sent = dict.fromkeys(kinds, 0)
    with (
        silent_judge() as judge,
        EmbeddedServer("--log-level", "error", "--judge", str(judge), *options) as server,
    ):
        p99_ms(server.address, min(count, 2_000), per_second, 0)
        for number in range(rounds):
            seed = number + 1
            before = p99_ms(server.address, count, per_second, seed)
            calm.append(before)
            for kind in kinds:
                beside = Slow(server.address, kind, sent[kind])
                beside.start()
                time.sleep(PAUSE_SECONDS)
                loud[kind].append(p99_ms(server.address, count, per_second, seed))
                beside.stop()
                sent[kind] += beside.sent
                time.sleep(PAUSE_SECONDS)
                after = p99_ms(server.address, count, per_second, seed)
                calm.append(after)
                grown[kind].append(2 * loud[kind][-1] / (before + after) - 1)
                before = after
    table = Table("beside", "p99, ms", "growth", "of each round", "sent", "required")
    table.add_row("nothing", f"{statistics.median(calm):.2f}", "", "", "", "")
    figures = {"nothing": {"p99_ms": round(statistics.median(calm), 3)}}
    for kind in kinds:
        middle = statistics.median(loud[kind])
        growth = statistics.median(grown[kind])
        each = ", ".join(f"{one:+.0%}" for one in grown[kind])
        table.add_row(
            kind, f"{middle:.2f}", f"{growth:+.1%}", each, str(sent[kind]), f"< {GROWTH:.0%}"
        )
        figures[kind] = {"p99_ms": round(middle, 3), "growth": round(growth, 4)}
    console.print(table)
    return figures


def passed(figures: dict[str, dict[str, float]]) -> bool:
    return all(one.get("growth", 0.0) < GROWTH for one in figures.values())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        address, count, per_second, seed = sys.argv[2:]
        asyncio.run(quick(address, int(count), float(per_second), int(seed)))
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; default: all")
    parser.add_argument("--quick", type=int, default=QUICK, help="quick items of each run")
    parser.add_argument("--per-second", type=float, default=PER_SECOND, help="quick items sent")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    asked = parser.parse_args(sys.argv[1:cut])
    unknown = set(asked.kinds) - set(KINDS)
    if unknown:
        parser.error(f"one of {', '.join(KINDS)}, got {', '.join(unknown)}")
    shown = main(
        Console(width=120),
        asked.quick,
        asked.per_second,
        asked.rounds,
        tuple(asked.kinds) or KINDS,
        tuple(sys.argv[cut + 1 :]),
    )
    print(json.dumps(shown))
    sys.exit(0 if passed(shown) else 1)
