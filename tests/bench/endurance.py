"""`make soak`: many runs of all kinds, and what is left of them; outcomes and verdicts on a crowd.

    python -m tests.bench.endurance [--runs N] [--flips N] [--rounds N]

soak    programs of all kinds, honest and hostile, on one slot for each core, until N runs are
        done. Counted before and after: zombies, descriptors, mounts, cgroups, files of the host's
        /tmp, and the server's memory.
flips   programs whose outcome is certain, though they come near a limit, on four slots for each
        core: one that uses 70 % of its CPU limit by its own clock ends, one that uses 140 % does
        not; the same for memory, output and wall time. Every other outcome is a flip.

verdicts the corpora of tests/verifier/code (correct idioms of all languages, cheats, tricky
        responses) through a verification server with four slots for each core, again and again.
        Every item whose status or reward is not what it was in the first round is a change.

Ends with one line of JSON. The exit status is 1 where something was left, flips are more than one
in ten thousand, or a verdict changed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandbox import cgroup, limits
from sandbox.client import EmbeddedSandbox
from sandbox.v1 import sandbox_pb2 as pb
from tests.verifier.code import test_cheats, test_idioms
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer

Outcome = pb.Outcome
# The allocator and the caches fill up first.
WARM_UP_RUNS = 2_000
MAX_FLIPS = 1e-4
MAX_GROWTH = 0.05
CROWD = 4


def request(source: str, *stdin: bytes, language: str = "python", **limits: float) -> pb.RunRequest:
    work = pb.Inputs(stdin=stdin or [b""])
    asked = pb.Limits()
    for name, value in limits.items():
        setattr(asked, name, value)
    return pb.RunRequest(language=language, source=source, inputs=work, limits=asked)


HONEST = request("a, b = map(int, input().split())\nprint(a + b)", *[b"1 2"] * 10)
FILES = request("open('x', 'w').write('y')\nprint(open('x').read())", *[b""] * 3)
SNIPPETS = pb.RunRequest(
    language="python",
    source="def f(x): return x",
    snippets=pb.Snippets(source=["assert f(1) == 1", "assert f(1) == 2"]),
)
CALLS = pb.RunRequest(
    language="python",
    source="def f(x): return x + 1",
    calls=pb.Calls(entry_point="f", arguments=[pb.Arguments(args_json=["1"])] * 5),
)
NATIVE = request(
    '#include <stdio.h>\nint main(){int a,b;scanf("%d%d",&a,&b);printf("%d\\n",a+b);}',
    *[b"1 2"] * 10,
    language="c",
)
SHELL = request("read a b; echo $((a + b))", *[b"1 2"] * 3, language="bash")
HOSTILE = [
    request("while True: pass", cpu_seconds=0.05),
    request("print('x' * 10**6)", output_bytes=1000),
    request("x = bytearray(200 << 20)", memory_bytes=64 << 20),
    request("import os\nif os.fork() == 0:\n    import time\n    time.sleep(60)"),
    request("import os\nwhile True: os.fork()", cpu_seconds=0.1, processes=16),
    request("import os\nfor n in range(200): os.makedirs(f'd/{n}/e')", b"", b""),
    request("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"),
    request("1/0"),
    request("if"),
]


def own_mounts() -> list[str]:
    """All that this process sees but those that a Docker engine on the host makes and unmakes."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if "docker" not in line]


@dataclass(frozen=True)
class Left:
    """What this process holds and has left on the host."""

    zombies: int
    processes: int
    descriptors: int
    mounts: int
    cgroups: int
    files: int

    @classmethod
    def now(cls) -> Left:
        states = Counter[str]()
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = path.read_text()
            except OSError:
                continue
            fields = text.rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                states[fields[0]] += 1
        try:
            roots = cgroup.find().roots.values()
        except cgroup.CgroupUnavailable:
            roots = []
        groups = sum(1 for root in roots for _ in root.glob(f"{cgroup.PREFIX}*-{os.getpid()}-*/*/"))
        return cls(
            zombies=states["Z"],
            processes=sum(states.values()) - states["Z"],
            descriptors=len(os.listdir("/proc/self/fd")),
            mounts=len(own_mounts()),
            cgroups=groups,
            files=len(os.listdir("/tmp")),
        )


def memory_kib() -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


async def settled(sandbox: EmbeddedSandbox) -> Left:
    """After the jails that are replaced behind the caller's back are there."""
    for _ in range(2):
        await asyncio.gather(*[sandbox.run(HONEST) for _ in range(4 * sandbox.pool.slots)])
        await asyncio.sleep(0.5)
    return Left.now()


async def soak(runs: int) -> dict[str, float]:
    sandbox = await EmbeddedSandbox.start()
    described = {one.name for one in (await sandbox.describe()).languages if not one.missing}
    kinds = [HONEST] * 12 + [CALLS] * 4 + [FILES, SNIPPETS]
    kinds += [NATIVE] * 4 if "c" in described else []
    kinds += [SHELL] if "bash" in described else []
    done, failed = 0, 0
    chooser = random.Random(1)

    async def worker(until: int) -> None:
        nonlocal done, failed
        while done < until:
            one = chooser.choice(HOSTILE) if chooser.random() < 0.02 else chooser.choice(kinds)
            result = await sandbox.run(one)
            done += max(len(result.outcomes), 1)
            failed += result.status != pb.RunResult.OK

    workers = 2 * sandbox.pool.slots
    await asyncio.gather(*[worker(min(runs // 5, WARM_UP_RUNS)) for _ in range(workers)])
    before, memory_before = await settled(sandbox), memory_kib()
    began = time.monotonic()
    await asyncio.gather(*[worker(runs) for _ in range(workers)])
    seconds = time.monotonic() - began
    after, memory_after = await settled(sandbox), memory_kib()
    await sandbox.close()
    deltas = {name: getattr(after, name) - getattr(before, name) for name in Left.__annotations__}
    return {
        "runs": done,
        "seconds": round(seconds, 1),
        "sandbox_errors": failed,
        "memory_growth": round(memory_after / memory_before - 1, 4),
        **deltas,
        "zombies": after.zombies,
    }


BURN = "import time\nwhile time.process_time() < {seconds}: pass\nprint('done')"
SURE: list[tuple[pb.RunRequest, pb.Outcome.Ending.ValueType]] = [
    (request(BURN.format(seconds=0.021), cpu_seconds=0.03), Outcome.EXITED),
    (request(BURN.format(seconds=0.042), cpu_seconds=0.03), Outcome.CPU_LIMIT),
    (request("x = b'x' * (40 << 20)\nprint('done')", memory_bytes=64 << 20), Outcome.EXITED),
    (request("x = b'x' * (90 << 20)\nprint('done')", memory_bytes=64 << 20), Outcome.MEMORY_LIMIT),
    (request("print('x' * 9999)", output_bytes=10_000), Outcome.EXITED),
    (request("print('x' * 10000)", output_bytes=10_000), Outcome.OUTPUT_LIMIT),
    (request("import time\ntime.sleep(0.1)", wall_seconds=1), Outcome.EXITED),
    (request("a, b = map(int, input().split())\nprint(a + b)", b"1 2"), Outcome.EXITED),
    (request("1/0"), Outcome.EXITED),
]


async def flips(runs: int) -> dict[str, float]:
    cores = len(os.sched_getaffinity(0))
    sandbox = await EmbeddedSandbox.start(slots=CROWD * cores)
    left = runs
    wrong: list[str] = []

    async def worker(number: int) -> None:
        nonlocal left
        chooser = random.Random(number)
        while left > 0:
            left -= 1
            one, sure = chooser.choice(SURE)
            result = await sandbox.run(one)
            ending = result.outcomes[0].ending if result.outcomes else None
            if result.status != pb.RunResult.OK or ending != sure:
                wrong.append(f"{one.source!r}: {result}")

    began = time.monotonic()
    await asyncio.gather(*[worker(n) for n in range(CROWD * cores)])
    seconds = time.monotonic() - began
    await sandbox.close()
    for text in wrong[:10]:
        print(text, file=sys.stderr)
    return {
        "runs": runs,
        "seconds": round(seconds, 1),
        "flips": len(wrong),
        "share": len(wrong) / runs,
    }


def verdicts(rounds: int) -> dict[str, float]:
    """Counts the items whose verdict was not the same in all rounds."""
    items = [test_idioms.item(path) for path in test_idioms.programs()] + test_cheats.items()
    first: dict[str, tuple[int, float | None]] = {}
    changed: Counter[str] = Counter()
    began = time.monotonic()
    slots = str(CROWD * (os.cpu_count() or 1))
    with (
        EmbeddedServer("--log-level", "warning", "--slots", slots) as server,
        VerifierClient(server.address) as client,
    ):
        known = {toolchain.language for toolchain in client.describe().toolchains}
        items = [item for item in items if item.code.language in known]
        for number in range(rounds):
            for item in items:
                # Another limit that is as good: an equal item would not be run again.
                item.code.limits.output_bytes = limits.DEFAULT_OUTPUT_BYTES - number
            random.Random(number).shuffle(items)
            for verdict in client.verify(items):
                reward = verdict.reward if verdict.HasField("reward") else None
                told = verdict.status, reward
                if first.setdefault(verdict.id, told) != told:
                    changed[verdict.id] += 1
                    print(f"{verdict.id}: {first[verdict.id]} then {told}: {verdict.parts}")
    return {
        "items": len(first),
        "rounds": rounds,
        "changes": sum(changed.values()),
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=100_000, help="of the soak; 0: none")
    parser.add_argument("--flips", type=int, default=10_000, help="runs near limits; 0: none")
    parser.add_argument("--rounds", type=int, default=20, help="of all verdicts; 0: none")
    asked = parser.parse_args()
    console = Console(width=120)
    figures: dict[str, dict[str, float]] = {}
    good = True
    if asked.runs:
        soaked = figures["soak"] = asyncio.run(soak(asked.runs))
        clean = not any(soaked[name] for name in Left.__annotations__)
        good &= clean and not soaked["sandbox_errors"] and soaked["memory_growth"] < MAX_GROWTH
    if asked.flips:
        flipped = figures["flips"] = asyncio.run(flips(asked.flips))
        good &= flipped["share"] <= MAX_FLIPS
    if asked.rounds:
        verified = figures["verdicts"] = verdicts(asked.rounds)
        good &= not verified["changes"]
    for name, part in figures.items():
        table = Table(*part, title=name, title_justify="left")
        table.add_row(*(f"{value:,}" for value in part.values()))
        console.print(table)
    print(json.dumps(figures))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
