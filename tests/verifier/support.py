"""Items that the tests of the service share, and a look at processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

ADD = "a, b = map(int, input().split())\nprint(a + b)\n"
FOREVER = "while True: pass\n"
SLEEP = "import time\ntime.sleep(30)\n"


def math_item(name: str, answer: str, gold: str = "4", **fields: object) -> pb.Item:
    response = f"<think>Let me see.</think>The answer is \\boxed{{{answer}}}."
    return pb.Item(id=name, response=response, math=pb.MathTask(gold=[gold]), **fields)


def code_item(name: str, program: str, **fields: object) -> pb.Item:
    task = pb.CodeTask(
        language="python",
        tests=[pb.CodeTest(stdin="1 2\n", stdout="3\n"), pb.CodeTest(stdin="3 4\n", stdout="7")],
        limits=pb.CodeLimits(cpu_seconds=2),
    )
    return pb.Item(id=name, response=f"```python\n{program}```", code=task, **fields)


SLOW_IDENTITY = "\\sum_{k=1}^{n} \\binom{n}{k} k^3 \\cos(k x)"
"""Nothing here that a rule or a random point can settle quickly."""


def programs(pid: int) -> list[int]:
    """The untrusted processes below `pid`: children of a jail's driver, its init's only child."""
    below = descendants(pid)
    parents = {child: _parent(child) for child in below}
    found = []
    for child in below:
        driver = parents.get(child)
        init = parents.get(driver) if driver is not None else None
        if driver in below and init in below:
            command, above = below[driver], below[init]
            if _is_jail(above) and not _is_jail(command) and command[0]:
                found.append(child)
    return found


def new_programs(server: EmbeddedServer) -> Callable[[], set[int]]:
    """The programs under a server but those there now: a warm compiler that an earlier test of
    another language had started stays, and is no work of a call."""
    before = set(programs(server.pid))
    return lambda: set(programs(server.pid)) - before


def _is_jail(command: list[str]) -> bool:
    return command[0].endswith("touchstone-jail")


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[1])


def descendants(pid: int) -> dict[int, list[str]]:
    """Every process below `pid`, with its command line."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))) is not None:
            parents[int(entry.name)] = parent
    found: dict[int, list[str]] = {}
    for process in parents:
        above = process
        for _ in parents:  # numbers that are used again may make a circle
            if above == pid or above not in parents:
                break
            above = parents[above]
        if above == pid and process != pid:
            try:
                raw = Path(f"/proc/{process}/cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found[process] = raw.decode(errors="replace").split("\0")
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits until the condition holds; fails when it does not in time.

    A pause that is longer than asked for, since others have the cores, counts for twice its
    length at most: what is waited for had no more of them.
    """
    left, pause = seconds, 0.02
    while True:
        began = time.monotonic()
        if condition():
            return
        assert left > 0, "waited in vain"
        left -= time.monotonic() - began
        began = time.monotonic()
        time.sleep(pause)
        left -= min(time.monotonic() - began, 2 * pause)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
