"""Each limit ends a run under its own name, and the runs after it still get their outcome."""

from __future__ import annotations

import pytest

from sandbox import limits
from sandbox.v1 import sandbox_pb2 as pb
from tests.sandbox.conftest import Asker, Outcome

pytestmark = [pytest.mark.alone, pytest.mark.asyncio(loop_scope="module")]

SHORT = pb.Limits(cpu_seconds=0.4, wall_seconds=20)
SMALL = pb.Limits(memory_bytes=64 << 20, cpu_seconds=5)


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "import signal\nfor n in (15, 24, 14): signal.signal(n, lambda *a: None)\nwhile True: pass",
        "import os\nos.fork()\nos.fork()\nwhile True: pass",
        "import threading\nf = lambda: [0 for _ in iter(int, 1)]\n"
        "for _ in range(4): threading.Thread(target=f).start()",
        "sum(range(10**12))",
    ],
)
async def test_cpu_limit(ask: Asker, loop: str) -> None:
    result = await ask.result(
        f"if input() == 'x':\n    {loop.replace(chr(10), chr(10) + '    ')}",
        b"x",
        b"y",
        limits=SHORT,
    )
    assert [o.ending for o in result.outcomes] == [Outcome.CPU_LIMIT, Outcome.EXITED]
    assert 400_000 <= result.outcomes[0].cpu_us < 1_200_000


async def test_cpu_limit_counts_also_when_the_program_ends_by_itself(ask: Asker) -> None:
    source = "import time\nwhile time.process_time() < 0.06: pass"
    outcome = await ask.one(source, limits=pb.Limits(cpu_seconds=0.05))
    assert outcome.ending == Outcome.CPU_LIMIT


@pytest.mark.parametrize(
    "wait",
    [
        "import time; time.sleep(1e6)",
        "import os; os.kill(os.getpid(), 19)",
        "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
        "import os; r, w = os.pipe(); os.read(r, 1)",
        "import threading, time; threading.Thread(target=time.sleep, args=(1e6,)).start()",
    ],
)
async def test_wall_limit(ask: Asker, wait: str) -> None:
    short = pb.Limits(cpu_seconds=1, wall_seconds=0.4)
    result = await ask.result(f"if input() == 'x': {wait}", b"x", b"y", limits=short)
    assert [o.ending for o in result.outcomes] == [Outcome.WALL_LIMIT, Outcome.EXITED]
    assert result.outcomes[0].wall_us >= 400_000


@pytest.mark.parametrize(
    "fill",
    [
        "x = []\n    while True: x.append(bytearray(1 << 20))",
        "x = b'x' * (200 << 20)",
        "import mmap\n    m = mmap.mmap(-1, 200 << 20)\n    m.write(b'x' * (200 << 20))",
        "import os\n    fs = [os.memfd_create('x') for _ in range(4)]\n    for f in fs:\n"
        "        for _ in range(60): os.write(f, b'x' * (1 << 20))",
        "import os\n    for _ in range(8):\n        if os.fork() == 0:\n"
        "            x = b'x' * (30 << 20)\n            import time; time.sleep(2)\n    os.wait()",
    ],
)
async def test_memory_limit(ask: Asker, fill: str) -> None:
    result = await ask.result(f"if input() == 'x':\n    {fill}", b"x", b"y", limits=SMALL)
    assert result.status == pb.RunResult.OK, result.message
    assert [o.ending for o in result.outcomes] == [Outcome.MEMORY_LIMIT, Outcome.EXITED]


async def test_memory_within_the_limit_is_free_to_use(ask: Asker) -> None:
    outcome = await ask.one("x = b'x' * (40 << 20)\nprint(len(x))", limits=SMALL)
    assert outcome.stdout == b"41943040\n"


async def test_tmp_is_limited(ask: Asker) -> None:
    source = (
        "try:\n    with open('big', 'wb') as f:\n        while True: f.write(bytes(1 << 20))\n"
        "except OSError as e: print(e.errno)"
    )
    # FSIZE (EFBIG, 27) or the size of the tmpfs (ENOSPC, 28), whichever comes first.
    assert (await ask.one(source)).stdout in (b"27\n", b"28\n")
    inodes = (
        "try:\n    for i in range(10**6): open(str(i), 'w').close()\n"
        "except OSError as e: print(e.errno)"
    )
    assert (await ask.one(inodes)).stdout == b"28\n"


@pytest.mark.parametrize("fd", [1, 2])
async def test_output_limit(ask: Asker, fd: int) -> None:
    flood = f"import os\nif input() == 'x':\n    while True: os.write({fd}, b'x' * 65536)"
    result = await ask.result(flood, b"x", b"y", limits=pb.Limits(output_bytes=100_000))
    first, second = result.outcomes
    assert (first.ending, second.ending) == (Outcome.OUTPUT_LIMIT, Outcome.EXITED)
    if fd == 1:
        assert (len(first.stdout), first.stdout_truncated) == (100_000, True)
    else:
        assert (len(first.stderr), first.stderr_truncated) == (limits.STDERR_BYTES, True)


async def test_output_of_exactly_the_limit_passes(ask: Asker) -> None:
    allowed = pb.Limits(output_bytes=1000)
    outcome = await ask.one("print('x' * 999)", limits=allowed)
    assert (outcome.ending, outcome.stdout_truncated) == (Outcome.EXITED, False)
    outcome = await ask.one("print('x' * 1000)", limits=allowed)
    assert (outcome.ending, outcome.stdout_truncated) == (Outcome.OUTPUT_LIMIT, True)


async def test_many_small_writes(ask: Asker) -> None:
    source = "import os\nfor _ in range(100000): os.write(1, b'x')"
    assert len((await ask.one(source)).stdout) == 100_000


async def test_fork_bomb(ask: Asker) -> None:
    source = (
        "import os\nif input() == 'x':\n    while True:\n        try: os.fork()\n"
        "        except OSError: pass"
    )
    result = await ask.result(source, b"x", b"y", limits=SHORT)
    assert [o.ending for o in result.outcomes] == [Outcome.CPU_LIMIT, Outcome.EXITED]


async def test_process_limit_is_the_number_asked_for(ask: Asker) -> None:
    source = (
        "import os, time\nn = 1\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(9)\n"
        "        n += 1\nexcept BlockingIOError: print(n)"
    )
    outcome = await ask.one(source, limits=pb.Limits(processes=10))
    assert outcome.stdout == b"10\n"


async def test_limits_in_calls(ask: Asker) -> None:
    source = (
        "import time\ndef f(x):\n    if x == 1:\n        while True: pass\n"
        "    if x == 2: time.sleep(99)\n    if x == 3: return 'x' * 10**6\n"
        "    if x == 4: return [bytearray(1 << 20) for _ in range(999)]\n    return x"
    )
    small = pb.Limits(cpu_seconds=0.3, wall_seconds=1, output_bytes=1000, memory_bytes=64 << 20)
    for kind, ending in (
        ("1", Outcome.CPU_LIMIT),
        ("2", Outcome.WALL_LIMIT),
        ("3", Outcome.OUTPUT_LIMIT),
        ("4", Outcome.MEMORY_LIMIT),
    ):
        outcomes = await ask.calls(source, "f", ["0"], [kind], ["0"], limits=small)
        assert [o.ending for o in outcomes] == [Outcome.RETURNED, ending, Outcome.NOT_RUN]


async def test_deadline(ask: Asker) -> None:
    source = "import time\ntime.sleep(float(input()))\nprint(1)"
    result = await ask.result(source, b"0", b"30", b"0", deadline_ms=1500)
    assert result.status == pb.RunResult.TIMEOUT
    assert "deadline_ms" in result.message
    endings = [o.ending for o in result.outcomes]
    assert endings == [Outcome.EXITED, Outcome.NOT_RUN, Outcome.NOT_RUN]
    assert 1500 <= result.ran_ms < 15_000  # not the half minute of the second


async def test_deadline_zero_is_already_over(ask: Asker) -> None:
    result = await ask.result("print(1)", b"", deadline_ms=0)
    assert result.status == pb.RunResult.TIMEOUT
    assert [o.ending for o in result.outcomes] == [Outcome.NOT_RUN]


async def test_deadline_does_not_count_the_queue(ask: Asker) -> None:
    import asyncio

    slow = [ask.one("import time; time.sleep(1.5)") for _ in range(2)]
    quick = ask.result("print(1)", b"", deadline_ms=1200)
    _, _, result = await asyncio.gather(*slow, quick)
    assert result.status == pb.RunResult.OK
    assert result.queued_ms > 1200
