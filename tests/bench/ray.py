"""The service on a Ray cluster of three nodes on this machine: 1, 2 and 3 replicas, and growth from
1 to 3 under load, when one of the nodes is killed.

    python -m tests.bench.ray

Every node has one CPU, and so has every replica; what they share is this machine's cores, which
throughput of mixed items follows; programs that wait show how many slots there are. Prints a table
and one line of JSON.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.verifier.ray.support import Nodes, Serving, cluster, serving
from tests.verifier.support import ADD, code_item, descendants, math_item, programs
from verifier.client import VerifierClient
from verifier.v1 import verifier_pb2 as pb

SECONDS = 10.0
"""Of load for each figure, after a round to warm up."""

ROUND = 2_048
"""Items of one `verify`: four calls of the client's."""

CLIENTS = 2
PROGRAM_EVERY, CHOICE_EVERY = 16, 4
WAITING = 24
"""Programs of a call that do nothing but wait, for WAIT seconds in each of two tests."""

WAIT = 0.1
GROW_SECONDS = 120.0


def mixed(salt: str) -> list[pb.Item]:
    """Mathematics, multiple choice and programs, half of them right; programs that no earlier
    round has seen."""
    items = []
    for place in range(ROUND):
        right, name = place % 2 == 0, str(place)
        if place // 2 % PROGRAM_EVERY == 0:
            items.append(code_item(name, f"# {salt} {place}\n{ADD if right else 'print(0)'}\n"))
        elif place // 2 % CHOICE_EVERY == 0:
            task = pb.ChoiceTask(gold="B", options=["one", "two", "three"])
            letter = "B" if right else "C"
            items.append(pb.Item(id=name, response=f"The answer is {letter}.", choice=task))
        else:
            items.append(math_item(name, "4" if right else "5"))
    return items


def waiting(salt: str) -> list[pb.Item]:
    """Programs that need a slot, and no core."""
    sleep = f"import time\ntime.sleep({WAIT})\n"
    return [
        code_item(str(place), f"# {salt} {place}\n{sleep}{ADD if place % 2 == 0 else 'print(0)'}\n")
        for place in range(WAITING)
    ]


class Load:
    """Clients that verify round after round, and check every verdict."""

    def __init__(
        self, address: str, make: Callable[[str], list[pb.Item]] = mixed, clients: int = CLIENTS
    ) -> None:
        self._address, self._make = address, make
        self._stop = threading.Event()
        self.answered = 0
        self.wrong: list[str] = []
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(clients)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        with VerifierClient(self._address) as client:
            done = 0
            while not self._stop.is_set():
                items = self._make(f"{time.time()} {number} {done}")
                seen, rewards = [0] * len(items), [-1.0] * len(items)
                for place, verdict in client.stream(items):
                    seen[place] += 1
                    rewards[place] = verdict.reward if verdict.HasField("reward") else -1.0
                    self.answered += 1
                if seen != [1] * len(items):
                    self.wrong.append("an item was not answered once")
                if rewards != [1.0 - place % 2 for place in range(len(items))]:
                    self.wrong.append("a reward differs")
                done += 1


def rate(load: Load, seconds: float) -> tuple[float, float]:
    """Items per second, and the cores of this machine that were busy."""
    answered, began, busy = load.answered, time.monotonic(), _busy_seconds()
    time.sleep(seconds)
    passed = time.monotonic() - began
    return (load.answered - answered) / passed, (_busy_seconds() - busy) / passed


def main(console: Console) -> dict[str, float]:
    figures: dict[str, float] = {"ray_cores": float(len(os.sched_getaffinity(0)))}
    table = Table(title="Ray Serve, three nodes of one CPU on this machine")
    for column in ("replicas", "items/s", "cores busy", "waiting programs/s"):
        table.add_column(column, justify="right")
    with cluster(3) as nodes:
        for count in (1, 2, 3):
            fixed = ("--replicas-min", str(count), "--replicas-max", str(count))
            with serving(nodes, *fixed) as service:
                with Load(service.address) as load:
                    _warm(load, CLIENTS * ROUND)
                    items, cores = rate(load, SECONDS)
                with Load(service.address, waiting, 3 * count) as idle:
                    _warm(idle, WAITING)
                    programs_done, _ = rate(idle, SECONDS)
            _checked(load)
            _checked(idle)
            figures[f"ray_replicas_{count}_items_per_s"] = items
            figures[f"ray_replicas_{count}_waiting_programs_per_s"] = programs_done
            table.add_row(str(count), f"{items:,.0f}", f"{cores:.1f}", f"{programs_done:.1f}")
        with serving(nodes, "--replicas-max", "3") as service, Load(service.address) as load:
            figures["ray_grown_to_3_s"] = _grown(service, 3)
            grown, cores = rate(load, SECONDS)
            table.add_row("1 to 3", f"{grown:,.0f}", f"{cores:.1f}", "")
            with _longest_gap(load) as gap:
                _kill_busy(nodes)
                killed, cores = rate(load, SECONDS)
            table.add_row("one node killed", f"{killed:,.0f}", f"{cores:.1f}", "")
        _checked(load)
    figures["ray_killed_items_per_s"] = killed
    figures["ray_killed_longest_gap_s"] = gap[0]
    console.print(table)
    console.print(
        f"1 to 3 replicas in {figures['ray_grown_to_3_s']:.0f} s of load; one of three nodes killed "
        f"under load: every item answered once, with the same rewards; "
        f"longest time without a verdict {gap[0]:.1f} s"
    )
    return figures


def _warm(load: Load, items: int) -> None:
    while load.answered < items:
        time.sleep(0.05)


def _checked(load: Load) -> None:
    if load.wrong:
        raise SystemExit(f"{len(load.wrong)} rounds were wrong: {load.wrong[0]}")


def _grown(service: Serving, count: int) -> float:
    began = time.monotonic()
    while len(service.replicas()) < count:
        if time.monotonic() - began > GROW_SECONDS:
            raise SystemExit(f"{len(service.replicas())} of {count} replicas in {GROW_SECONDS} s")
        time.sleep(0.1)
    return time.monotonic() - began


def _kill_busy(nodes: Nodes) -> None:
    """Kills a node other than the head whose replica has programs at work."""
    while True:
        for node in (1, 2):
            if any(map(programs, descendants(nodes.nodes[node]))):
                nodes.kill(node)
                return


@contextmanager
def _longest_gap(load: Load) -> Iterator[list[float]]:
    """The longest time in which nothing was answered, in seconds, once the block has ended."""
    gap, over = [0.0], threading.Event()

    def watch() -> None:
        last, since = load.answered, time.monotonic()
        while not over.wait(0.02):
            now = time.monotonic()
            if load.answered != last:
                last, since = load.answered, now
            gap[0] = max(gap[0], now - since)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield gap
    finally:
        over.set()
        watching.join()


def _busy_seconds() -> float:
    """Of all cores together, since the machine started."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    ticks = [int(field) for field in fields]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print(json.dumps(main(Console(width=120))))
