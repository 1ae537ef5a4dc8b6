import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from verifier.kept.disk import Disk
from verifier.math import symbolic
from verifier.math.symbolic import QueueFullError, SymbolicWorkers
from verifier.math.syntax.parser import parse
from verifier.math.worker import decide

ROOT = Path(__file__).resolve().parents[3]
SLOW = parse(r"\int_0^1 x^x\sin(x^{x^x})\,dx"), parse("2")
ALSO_SLOW = SLOW[0], parse("3")
QUICK = parse(r"\int_0^1 x\,dx"), parse(r"\frac12")
QUICK_TOO = parse(r"\int_0^1 3x^2\,dx"), parse("1")
ALSO_QUICK = QUICK[0], parse(r"\frac13")


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone(pids: list[int], within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


async def busy(pool: SymbolicWorkers) -> int:
    """The pid of the worker once it computes."""
    while not pool._busy:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    return pool.pids[0]


async def test_decides_then_dies_with_close() -> None:
    pool = SymbolicWorkers(1)
    result = await pool.equal(*QUICK, timeout_s=10)
    assert (result.answer, result.failure) == (True, None)
    assert (await pool.equal(parse(r"\int_0^1 x\,dx"), parse("2"), timeout_s=10)).answer is False
    pids = pool.pids
    assert len(pids) == 1
    await pool.close()
    assert gone(pids, 10)
    with pytest.raises(RuntimeError, match="closed"):
        await pool.equal(*QUICK)


async def test_killed_at_its_deadline_and_replaced() -> None:
    pool = SymbolicWorkers(1, timeout_s=0.5)
    await pool.equal(*QUICK, timeout_s=10)  # a warm worker
    pids = pool.pids
    started = time.monotonic()
    result = await pool.equal(*SLOW)
    assert (result.answer, result.failure) == (None, "timeout")
    assert time.monotonic() - started < 15  # it would take minutes
    assert gone(pids, 10)
    assert (await pool.equal(*ALSO_QUICK, timeout_s=10)).answer is False
    await pool.close()


async def test_start_does_not_count_against_the_item() -> None:
    pool = SymbolicWorkers(1)
    result = await pool.equal(*QUICK, timeout_s=5)
    assert result.answer is True
    assert result.queued_s > result.ran_s or result.ran_s < 1
    await pool.close()


async def test_kill_9_costs_two_retries_then_died() -> None:
    pool = SymbolicWorkers(1, timeout_s=20)
    task = asyncio.create_task(pool.equal(*SLOW))
    worker = await busy(pool)
    waiting = asyncio.create_task(pool.equal(*SLOW))
    await asyncio.sleep(0)
    for _ in range(2):
        os.kill(worker, signal.SIGKILL)
        while not pool.pids or pool.pids[0] == worker:
            await asyncio.sleep(0.05)
        worker = await busy(pool)
        assert not task.done()
    os.kill(worker, signal.SIGKILL)
    result = await task
    assert (result.answer, result.failure) == (None, "died")
    await asyncio.sleep(0.05)
    assert not waiting.done(), "who waited for it has tries of his own"
    waiting.cancel()
    assert (await pool.equal(*QUICK)).answer is True
    await pool.close()


async def test_a_worker_that_stands_still_is_replaced() -> None:
    """Its CPU time has not passed: it was stopped, or had no core."""
    pool = SymbolicWorkers(1, timeout_s=0.7)
    await pool.equal(*QUICK, timeout_s=10)  # a warm worker
    (worker,) = pool.pids
    os.kill(worker, signal.SIGSTOP)
    result = await pool.equal(*QUICK_TOO)
    assert (result.answer, result.failure) == (True, None)
    assert pool.pids != [worker]
    (worker,) = pool.pids
    os.kill(worker, signal.SIGSTOP)
    short = await pool.equal(*ALSO_QUICK, timeout_s=0.2)
    assert (short.answer, short.failure) == (None, "timeout")
    await pool.close()


async def test_cancelling_frees_the_worker() -> None:
    pool = SymbolicWorkers(1, timeout_s=20)
    task = asyncio.create_task(pool.equal(*SLOW))
    pid = await busy(pool)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone([pid], 10)
    assert (await pool.equal(*QUICK)).answer is True
    await pool.close()


async def test_the_queue_is_bounded() -> None:
    pool = SymbolicWorkers(1, timeout_s=20, max_queued=1)
    running = asyncio.create_task(pool.equal(*SLOW))
    await busy(pool)
    waiting = asyncio.create_task(pool.equal(*ALSO_SLOW))
    await asyncio.sleep(0.05)
    with pytest.raises(QueueFullError, match="more than 1 waiting"):
        await pool.equal(*QUICK)
    await pool.close()
    results = await asyncio.gather(running, waiting)
    assert [result.failure for result in results] == ["died", "died"]


async def test_identical_pairs_are_decided_once() -> None:
    pool = SymbolicWorkers(2)
    results = await asyncio.gather(*(pool.equal(*QUICK, timeout_s=10) for _ in range(20)))
    assert [result.answer for result in results] == [True] * 20
    assert sum(worker.items for worker in pool._idle) == 1
    results = await asyncio.gather(*(pool.equal(*SLOW, timeout_s=0.5) for _ in range(20)))
    assert {result.failure for result in results} == {"timeout"}
    assert sum(result.ran_s > 0 for result in results) == 1  # not twenty times
    await pool.close()


async def test_only_a_sure_yes_or_no_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await Disk.start(tmp_path / "kept.sqlite", 1 << 20)
    pool = SymbolicWorkers(1, timeout_s=10, file=file)
    unsure = parse(r"\int_0^1 x\,dx"), parse("7")
    monkeypatch.setattr(symbolic, "SURE_SHARE", 0.0)
    assert not (await pool.equal(*unsure)).kept
    monkeypatch.undo()
    untold = parse("10^{10^{10}}"), parse("10")
    for pair, answer, kept in (
        (unsure, False, [False, True]),
        (QUICK, True, [False, True]),
        (untold, None, [False, False]),
    ):
        found = [await pool.equal(*pair) for _ in range(2)]
        assert [one.answer for one in found] == [answer] * 2
        assert [one.kept for one in found] == kept
    for _ in range(2):
        stopped = await pool.equal(*SLOW, timeout_s=0.2)
        assert (stopped.failure, stopped.kept) == ("timeout", False)
    await pool.close()
    other = SymbolicWorkers(1, timeout_s=10, file=file)
    assert [(await other.equal(*pair)).answer for pair in (QUICK, unsure)] == [True, False]
    assert not other.pids, "nothing was left to decide"
    assert symbolic._versions(10) != symbolic._versions(9)
    await other.close()
    await file.close()


async def test_who_waits_for_a_cancelled_pair_decides_it() -> None:
    pool = SymbolicWorkers(1)
    first = asyncio.create_task(pool.equal(*QUICK, timeout_s=10))
    await asyncio.sleep(0)
    second = asyncio.create_task(pool.equal(*QUICK, timeout_s=10))
    await asyncio.sleep(0.01)
    first.cancel()
    assert (await second).answer is True
    await pool.close()


async def test_an_idle_worker_killed_is_replaced() -> None:
    pool = SymbolicWorkers(1, timeout_s=10)
    await pool.equal(*QUICK)
    os.kill(pool.pids[0], signal.SIGKILL)
    assert (await pool.equal(*ALSO_QUICK)).answer is False
    await pool.close()


HOST = """
import asyncio, sys
from verifier.math.syntax.parser import parse
from verifier.math.symbolic import SymbolicWorkers

async def main():
    pool = SymbolicWorkers(2, timeout_s=60)
    slow = parse(r"\\\\int_0^1 x^x\\\\sin(x^{x^x})\\\\,dx"), parse("2")
    await pool.equal(parse("1"), parse("1"))
    asyncio.create_task(pool.equal(*slow))
    asyncio.create_task(pool.equal(slow[0], parse("3")))
    while len(pool._busy) < 2:
        await asyncio.sleep(0.05)
    print(*pool.pids, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
""".replace("\\\\\\\\", "\\")


def test_no_orphans_after_kill_9_of_the_host() -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", HOST.replace("\\\\", "\\")],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert host.stdout is not None
    pids = [int(pid) for pid in host.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(alive, pids))
    host.kill()
    host.wait()
    host.stdout.close()
    assert gone(pids, 3)


@pytest.mark.parametrize(
    ("a", "b", "answer"),
    [
        (r"\int_0^1 x^2\,dx", r"\frac13", True),
        (r"\lim_{x\to 0}\frac{\sin x}{x}", "1", True),
        (r"\sum_{j=0}^{\infty}\frac{1}{3^j}", r"\frac32", True),
        (r"\sum_{j=1}^{n}(2j-1)", "n^2", True),
        ("(x+1)^2", "x^2+2x+1", True),
        (r"\sqrt{5+2\sqrt6}", r"\sqrt2+\sqrt3", True),
        (r"\sqrt{5+2\sqrt6}", r"\sqrt2+\sqrt5", False),
        (r"\sin^2 x+\cos^2 x", "1", True),
        ("e^{10^{-20}}", "1", False),
        ("10^{10^{10}}", "10", None),
        ("(10^{10})!", "10", None),
        (r"\mathbb{R}", "1", None),
    ],
)
def test_sympy_decides(a: str, b: str, answer: bool | None) -> None:
    assert decide(parse(a), parse(b)) is answer


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, verifier.math; "
        "print([m for m in ('sympy', 'numpy', 'grpc', 'mpmath') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
