"""Whatever ends, by itself or by force, nothing of it is left: processes, cgroups, descriptors."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import cgroup, slot
from sandbox.client import EmbeddedSandbox, QueueFull
from sandbox.v1 import sandbox_pb2 as pb
from tests.bench.endurance import own_mounts
from tests.sandbox.conftest import Asker, Outcome, calls, inputs, two_slots

pytestmark = pytest.mark.alone

SLEEP = "import time\ntime.sleep(60)"


@pytest.fixture
async def sandbox() -> AsyncIterator[EmbeddedSandbox]:
    """One for each test: they count its processes, and kill them."""
    async with two_slots() as started:
        yield started


def descendants(pid: int) -> list[int]:
    """Live processes below `pid`, zombies left out."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state != "Z":
                parents.setdefault(int(parent), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def jails(pid: int) -> list[int]:
    """Pids of the launchers below `pid`."""
    return [p for p in descendants(pid) if b"touchstone-jail" in _command(p) and _parent(p) == pid]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def groups_of(pid: int) -> list[Path]:
    roots = cgroup.find().roots.values()
    return [path for root in roots for path in root.glob(f"{cgroup.PREFIX}*-{pid}-*")]


def mounts() -> int:
    return len(own_mounts())


async def until(condition: object, seconds: float) -> bool:
    """Whether it holds in time; a pause that others' work makes longer counts twice at most."""
    left, pause = seconds, 0.01
    while left > 0:
        began = time.monotonic()
        if condition():  # type: ignore[operator]
            return True
        left -= time.monotonic() - began
        began = time.monotonic()
        await asyncio.sleep(pause)
        left -= min(time.monotonic() - began, 2 * pause)
    return bool(condition())  # type: ignore[operator]


async def test_close_leaves_nothing() -> None:
    fds, before = os.listdir("/proc/self/fd"), mounts()
    sandbox = await EmbeddedSandbox.start(slots=2)
    running = asyncio.create_task(sandbox.run(inputs(SLEEP)))
    assert await until(lambda: any(len(descendants(p)) == 3 for p in jails(os.getpid())), 20)
    assert groups_of(os.getpid())
    await sandbox.close()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert descendants(os.getpid()) == []
    assert groups_of(os.getpid()) == []
    assert (os.listdir("/proc/self/fd"), mounts()) == (fds, before)


async def test_cancelling_kills_within_a_second(sandbox: EmbeddedSandbox) -> None:
    burn = "import os\nos.fork()\nwhile True: pass"
    running = asyncio.create_task(sandbox.run(inputs(burn)))
    assert await until(lambda: any(len(descendants(p)) == 4 for p in jails(os.getpid())), 20)
    old = descendants(os.getpid())
    launchers = jails(os.getpid())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await until(lambda: not all(map(alive, launchers)), 1)
    burning = [pid for pid in old if _command(pid).startswith(sys.base_prefix.encode())]
    assert await until(lambda: sum(map(alive, burning)) <= 1, 1)  # one warm driver may be there
    # The slot works again.
    result = await sandbox.run(inputs("print(1)"))
    assert result.outcomes[0].stdout == b"1\n"


async def test_cancelling_what_waits_frees_its_place(sandbox: EmbeddedSandbox) -> None:
    running = [asyncio.create_task(sandbox.run(inputs(SLEEP))) for _ in range(4)]
    await asyncio.sleep(0.2)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    results = await asyncio.gather(*[sandbox.run(inputs("print(1)")) for _ in range(4)])
    assert all(r.outcomes[0].stdout == b"1\n" for r in results)


@pytest.mark.parametrize("victim", ["launcher", "init", "driver", "run"])
@pytest.mark.parametrize("kind", ["input", "call"])
async def test_killed_from_outside_is_repeated(
    sandbox: EmbeddedSandbox, victim: str, kind: str
) -> None:
    """The item whose process is killed gets its right outcome; so do all others."""
    slow = "import time\ntime.sleep(0.5)\nprint(input())"
    if kind == "input":
        batch = [inputs(slow, b"%d" % i, b"%d" % -i) for i in range(4)]
    else:
        source = "import time\ndef f(x):\n    time.sleep(0.3)\n    return x"
        batch = [calls(source, "f", [str(i)], [str(-i)]) for i in range(4)]
    tasks = [asyncio.create_task(sandbox.run(one)) for one in batch]
    assert await until(lambda: any(len(descendants(p)) == 3 for p in jails(os.getpid())), 20)
    launcher = next(p for p in jails(os.getpid()) if len(descendants(p)) == 3)
    chain = [launcher, *descendants(launcher)]
    os.kill(chain[["launcher", "init", "driver", "run"].index(victim)], signal.SIGKILL)
    for i, result in enumerate(await asyncio.gather(*tasks)):
        assert result.status == pb.RunResult.OK, result.message
        texts = [
            o.value_json if kind == "call" else o.stdout.decode().strip() for o in result.outcomes
        ]
        assert texts == [str(i), str(-i)], result


async def test_killed_while_it_takes_a_large_command(sandbox: EmbeddedSandbox) -> None:
    """The driver stands still, so the server waits in the middle of sending, and then dies."""
    assert await until(lambda: all(len(descendants(p)) == 2 for p in jails(os.getpid())), 20)
    for launcher in jails(os.getpid()):
        os.kill(descendants(launcher)[-1], signal.SIGSTOP)
    text = "[" + "1," * 2_000_000 + "1]"
    task = asyncio.create_task(sandbox.run(calls("def f(x): return len(x)", "f", [text])))
    await asyncio.sleep(0.5)
    assert not task.done()
    for launcher in jails(os.getpid()):
        os.kill(launcher, signal.SIGKILL)
    result = await asyncio.wait_for(task, 10)
    assert result.outcomes[0].value_json == "2000001", result


async def test_lost_again_and_again_is_a_sandbox_error(sandbox: EmbeddedSandbox) -> None:
    task = asyncio.create_task(sandbox.run(inputs(SLEEP)))
    for _ in range(slot.ATTEMPTS):
        assert await until(lambda: any(len(descendants(p)) == 3 for p in jails(os.getpid())), 20)
        busy = next(p for p in jails(os.getpid()) if len(descendants(p)) == 3)
        os.kill(busy, signal.SIGKILL)
        assert await until(lambda busy=busy: not alive(busy), 20)
    result = await task
    assert result.status == pb.RunResult.SANDBOX_ERROR
    assert "lost 3 times" in result.message
    assert not result.outcomes


@pytest.mark.parametrize("depth", [0, 2, 3], ids=["launcher", "driver", "run"])
async def test_killed_twice_still_gets_its_outcome(sandbox: EmbeddedSandbox, depth: int) -> None:
    task = asyncio.create_task(sandbox.run(inputs("import time\ntime.sleep(0.4)\nprint(1)")))
    for _ in range(slot.ATTEMPTS - 1):
        assert await until(lambda: any(len(descendants(p)) == 3 for p in jails(os.getpid())), 20)
        busy = next(p for p in jails(os.getpid()) if len(descendants(p)) == 3)
        os.kill([busy, *descendants(busy)][depth], signal.SIGKILL)
        assert await until(lambda busy=busy: not alive(busy), 20)
    assert (await task).outcomes[0].stdout == b"1\n"


def stop_all() -> None:
    for pid in descendants(os.getpid()):
        os.kill(pid, signal.SIGSTOP)


async def warm(sandbox: EmbeddedSandbox) -> bool:
    """Every jail has its launcher, init and driver."""
    return await until(lambda: len(descendants(os.getpid())) == 3 * sandbox.pool.slots, 20)


async def test_stopped_warm_jails_are_replaced(sandbox: EmbeddedSandbox) -> None:
    assert await warm(sandbox)
    stop_all()
    began = time.monotonic()
    for result in await asyncio.gather(*[sandbox.run(inputs("print(1)")) for _ in range(3)]):
        assert (result.status, result.compile_failed) == (pb.RunResult.OK, False), result
        assert result.outcomes[0].stdout == b"1\n"
    assert time.monotonic() - began < 40  # forever, were they waited for


@pytest.mark.parametrize("kind", ["input", "call"])
async def test_a_run_whose_jail_is_stopped_is_repeated(sandbox: EmbeddedSandbox, kind: str) -> None:
    limit = pb.Limits(wall_seconds=1.5)
    if kind == "input":
        one = inputs("import time\ntime.sleep(0.5)\nprint(1)", limits=limit)
    else:
        source = "import time\ndef f(x):\n    time.sleep(0.5)\n    return x"
        one = calls(source, "f", ["1"], limits=limit)
    task = asyncio.create_task(sandbox.run(one))
    assert await until(lambda: any(len(descendants(p)) == 3 for p in jails(os.getpid())), 20)
    stop_all()
    (outcome,) = (await task).outcomes
    assert outcome.value_json == "1" or outcome.stdout == b"1\n", outcome


async def test_a_run_stopped_alone_is_repeated_once(sandbox: EmbeddedSandbox) -> None:
    source = "import time\ntime.sleep(0.5)\nprint(1)"
    task = asyncio.create_task(sandbox.run(inputs(source, limits=pb.Limits(wall_seconds=1.5))))
    for _ in range(2):
        assert await until(lambda: any(len(descendants(p)) == 3 for p in jails(os.getpid())), 20)
        busy = next(p for p in jails(os.getpid()) if len(descendants(p)) == 3)
        os.kill(descendants(busy)[-1], signal.SIGSTOP)
        assert await until(lambda busy=busy: not alive(busy), 20)
    assert (await task).outcomes[0].ending == Outcome.WALL_LIMIT


async def test_sleeping_is_the_programs_own_wall_limit(
    sandbox: EmbeddedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "host_is_busy", lambda: False)
    execute, runs = slot.execute, 0

    def counted(*args: Any) -> Any:
        nonlocal runs
        runs += 1
        return execute(*args)

    monkeypatch.setattr(slot, "execute", counted)
    result = await sandbox.run(inputs(SLEEP, limits=pb.Limits(wall_seconds=1)))
    assert result.outcomes[0].ending == Outcome.WALL_LIMIT
    assert runs == 1


AT_WORK = """\
import time
while time.process_time() < 0.2:
    pass
time.sleep(float(input()))
print(1)
"""


@pytest.mark.parametrize(
    ("sleeps", "ends"),
    [
        ((b".4", b".4"), (Outcome.EXITED,) * 2),
        ((b".4", b"30", b".4"), (Outcome.EXITED, Outcome.WALL_LIMIT, Outcome.WALL_LIMIT)),
    ],
)
async def test_what_a_busy_host_slows_has_more_time_until_that_is_too_little(
    sandbox: EmbeddedSandbox,
    monkeypatch: pytest.MonkeyPatch,
    sleeps: tuple[bytes, ...],
    ends: tuple[int, ...],
) -> None:
    """Sleeping stands for waiting for a core."""
    monkeypatch.setattr(slot, "host_is_busy", lambda: True)
    monkeypatch.setattr(slot, "MUCH_CPU", 0.1)  # a third of a core may really be missing here
    limit = pb.Limits(cpu_seconds=0.5, wall_seconds=0.4)
    result = await sandbox.run(inputs(AT_WORK, *sleeps, limits=limit))
    assert tuple(outcome.ending for outcome in result.outcomes) == ends, result


async def test_a_compiler_that_works_too_long_is_the_programs_fault(
    sandbox: EmbeddedSandbox,
) -> None:
    source = "x = [" + "[1, 2, 3], " * 60_000 + "]"
    result = await sandbox.run(inputs(source, limits=pb.Limits(cpu_seconds=0.1)))
    assert (result.status, result.compile_failed) == (pb.RunResult.OK, True), result
    assert "cpu limit" in result.diagnostics
    assert (await sandbox.run(inputs("print(1)"))).outcomes[0].stdout == b"1\n"


async def test_a_dead_warm_jail_is_replaced(sandbox: EmbeddedSandbox) -> None:
    for pid in jails(os.getpid()):
        os.kill(pid, signal.SIGKILL)
    results = await asyncio.gather(*[sandbox.run(inputs("print(1)")) for _ in range(4)])
    assert [r.outcomes[0].stdout for r in results] == [b"1\n"] * 4


async def test_queue_is_bounded() -> None:
    sandbox = await EmbeddedSandbox.start(slots=1, max_queued=1)
    try:
        tasks = [
            asyncio.create_task(sandbox.run(inputs("import time; time.sleep(0.3)")))
            for _ in range(2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="max_queued"):
            await sandbox.run(inputs("print(1)"))
        assert all(r.status == pb.RunResult.OK for r in await asyncio.gather(*tasks))
    finally:
        await sandbox.close()


async def test_order_of_arrival() -> None:
    sandbox = await EmbeddedSandbox.start(slots=1)
    finished: list[int] = []

    async def one(number: int) -> None:
        await sandbox.run(inputs("pass"))
        finished.append(number)

    await asyncio.gather(*[one(i) for i in range(8)])
    await sandbox.close()
    assert finished == list(range(8))


async def test_nothing_grows_over_many_runs(ask: Asker) -> None:
    """200 submissions of all kinds: no process, descriptor, cgroup or mount more than before."""
    programs = [
        inputs("print(input())", b"1"),
        inputs("1/0", b"", b""),
        inputs("print('x' * 10**6)", b"", limits=pb.Limits(output_bytes=1000)),
        inputs("import os\nos.fork()\nos.kill(os.getpid(), 15)", b""),
        inputs("if", b""),
        inputs("import os\nif os.fork() == 0:\n    import time; time.sleep(60)", b""),
        inputs("while True: pass", b"", limits=pb.Limits(cpu_seconds=0.05)),
        calls("def f(x): return x", "f", ["1"], ["2"]),
        calls("import os\nos._exit(0)", "f", ["1"]),
        inputs("print(1)", b"x" * 10**6, deadline_ms=0),
    ]
    sandbox = ask.sandbox
    await asyncio.gather(*[sandbox.run(p) for p in programs])

    def counts() -> tuple[int, int, int, int]:
        fds = len(os.listdir("/proc/self/fd"))
        return len(descendants(os.getpid())), fds, len(groups_of(os.getpid())), mounts()

    async def settled() -> tuple[int, int, int, int]:
        assert await until(lambda: len(descendants(os.getpid())) == 3 * sandbox.pool.slots, 20)
        await asyncio.sleep(0.1)
        return counts()

    before = await settled()
    results = await asyncio.gather(*[sandbox.run(p) for p in programs * 20])
    assert len(results) == 200
    assert all(r.status in (pb.RunResult.OK, pb.RunResult.TIMEOUT) for r in results)
    assert await settled() == before
    zombies = [p for p in Path("/proc").glob("[0-9]*/stat") if _is_zombie_of_ours(p)]
    assert zombies == []


def _is_zombie_of_ours(stat: Path) -> bool:
    try:
        state, parent = stat.read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state == "Z" and int(parent) == os.getpid()


# ---- a whole server


SERVER = """
import asyncio, sys
from sandbox.client import EmbeddedSandbox
from sandbox.v1 import sandbox_pb2 as pb

async def main():
    sandbox = await EmbeddedSandbox.start(slots=2)
    burn = "import os, time\\nif os.fork() == 0: os.setsid()\\ntime.sleep(600)"
    work = pb.RunRequest(language="python", source=burn, inputs=pb.Inputs(stdin=[b""]))
    tasks = [asyncio.create_task(sandbox.run(work)) for _ in range(2)]
    print("ready", flush=True)
    try:
        await asyncio.gather(*tasks)
    finally:
        await sandbox.close()

asyncio.run(main())
"""


def start_server() -> tuple[subprocess.Popen[bytes], list[int]]:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    end = time.monotonic() + 60
    # Two jails of launcher, init, zygote, and runs.
    while len(below := descendants(server.pid)) < 10 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(below) == 10
    return server, below


async def test_kill_9_of_the_server_leaves_no_process_and_the_next_one_sweeps() -> None:
    server, below = start_server()
    server.kill()
    server.communicate()
    assert await until(lambda: not any(map(alive, below)), 2)
    assert groups_of(server.pid)  # nobody was left to remove them
    sandbox = await EmbeddedSandbox.start(slots=1)
    await sandbox.close()
    assert groups_of(server.pid) == []


async def test_ctrl_c_cleans_up() -> None:
    server, below = start_server()
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=60)
    assert not any(map(alive, below))
    assert groups_of(server.pid) == []


async def test_endings_are_told_apart_from_outside_kills(ask: Asker) -> None:
    """A program that kills itself is repeated, and then it counts."""
    outcome = await ask.one("import os\nos.kill(os.getpid(), 9)")
    assert (outcome.ending, outcome.signal) == (Outcome.SIGNALLED, 9)
