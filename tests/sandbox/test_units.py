"""The pure parts, and the version 2 cgroup driver against a directory that stands for one."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import pytest

from sandbox import cgroup, limits, uids
from sandbox.execution import Ended, Why
from sandbox.outcomes import FRAME, call_outcomes
from sandbox.v1 import sandbox_pb2 as pb
from tests.sandbox.conftest import Outcome, calls

NONCE = b"12345678"
JOB = limits.check(calls("x", "f", ["1"], ["2"], ["3"]), ["python"], {})


def ended(results: bytes, status: int | None = 0, why: Why = Why.EXIT) -> Ended:
    return Ended(why, status, results=results)


def frame(index: int, kind: bytes = b"R", text: bytes = b"1", nonce: bytes = NONCE) -> bytes:
    return nonce + FRAME.pack(index, kind, 5, 6, len(text)) + text


def endings(results: bytes, status: int | None = 0, why: Why = Why.EXIT) -> list[int]:
    return [o.ending for o in call_outcomes(ended(results, status, why), results, NONCE, JOB)]


def test_frames_in_order() -> None:
    everything = frame(0) + frame(1, b"X", b"E: x") + frame(2, text=b"[2]")
    assert endings(everything) == [Outcome.RETURNED, Outcome.RAISED, Outcome.RETURNED]


def test_missing_frames_are_never_results() -> None:
    assert endings(b"") == [Outcome.EXITED]
    assert endings(frame(0)) == [Outcome.RETURNED, Outcome.EXITED]
    assert endings(frame(0), -11) == [Outcome.RETURNED, Outcome.SIGNALLED]
    assert endings(frame(0), None, Why.CPU) == [Outcome.RETURNED, Outcome.CPU_LIMIT]
    assert endings(frame(0, b"X"), 0) == [Outcome.RAISED, Outcome.EXITED]


@pytest.mark.parametrize(
    "second",
    [
        frame(0),  # again
        frame(2),  # out of turn
        frame(1, nonce=b"00000000"),
        frame(1, b"Z"),
        frame(1, text="é".encode()),
        b"garbage that is no frame",
        b"x",
        struct.pack("<I", 1),
    ],
)
def test_what_is_no_frame_ends_the_list(second: bytes) -> None:
    assert endings(frame(0) + second + frame(1)) == [Outcome.RETURNED, Outcome.RAISED]


@pytest.mark.parametrize("cut", range(1, len(frame(1))))
def test_a_frame_cut_short_is_the_process_ending(cut: int) -> None:
    assert endings(frame(0) + frame(1)[:cut], -9) == [Outcome.RETURNED, Outcome.SIGNALLED]


def test_frames_after_the_last_are_ignored() -> None:
    three = frame(0) + frame(1) + frame(2)
    assert endings(three + frame(3) + b"x") == [Outcome.RETURNED] * 3


def test_defaults() -> None:
    run = limits.run_limits(pb.Limits(cpu_seconds=3))
    assert (run.cpu_seconds, run.wall_seconds) == (3, 8)
    assert run.memory_bytes == limits.DEFAULT_MEMORY_BYTES


def test_caps_can_be_asked_for() -> None:
    top = limits.run_limits(limits.max_limits())
    assert top.cpu_seconds == limits.MAX_CPU_SECONDS
    longest = limits.run_limits(pb.Limits(cpu_seconds=limits.MAX_CPU_SECONDS))
    assert longest.wall_seconds <= limits.MAX_WALL_SECONDS


def test_user_ids_of_servers_do_not_meet() -> None:
    full = "         0          0 4294967295\n"
    bases = [uids.base_for(pid, full) for pid in (1, 2, 3, (1 << 22) - 1)]
    assert all(b - a >= 2 * limits.MAX_SLOTS for a, b in itertools.pairwise(bases))
    assert bases[-1] + 2 * limits.MAX_SLOTS <= 1 << 31
    assert uids.base_for(7, "0 100000 65536\n") == uids.LOW_BASE
    with pytest.raises(uids.NoUsersLeft, match="1 ids"):
        uids.base_for(7, "0 1000 1\n")


def make_v2(root: Path) -> Path:
    root.mkdir(exist_ok=True)
    for name, text in {
        "cpu.stat": "usage_usec 1500\nuser_usec 1000\n",
        "memory.events": "low 0\noom 3\noom_kill 2\noom_group_kill 0\n",
        "memory.peak": "4096\n",
        "memory.max": "max\n",
        "memory.swap.max": "max\n",
        "pids.max": "max\n",
    }.items():
        (root / name).write_text(text)
    return root


def test_version_2_files(tmp_path: Path) -> None:
    group = cgroup.GroupV2({"": make_v2(tmp_path / "slot-0")})
    assert (group.cpu_us(), group.oom_kills(), group.peak_bytes()) == (1500, 2, 4096)
    group.limit(1 << 26, 10)
    assert (tmp_path / "slot-0" / "memory.max").read_text() == str(1 << 26)
    assert (tmp_path / "slot-0" / "memory.swap.max").read_text() == "0"
    assert (tmp_path / "slot-0" / "pids.max").read_text().startswith("10")
    assert group.directories == [str(tmp_path / "slot-0")]
    group.close()


def test_memory_limits_can_be_lowered_and_raised() -> None:
    try:
        groups = cgroup.ServerGroups(cgroup.find())
    except cgroup.CgroupUnavailable as error:
        pytest.skip(str(error))
    group = groups.make("slot-0")
    for size in (512, 64, 1024, 64):
        group.limit(size << 20, 10)
    group.close()
    groups.close()


def test_sweep_spares_the_living(tmp_path: Path) -> None:
    import os

    own = cgroup._pid_namespace()
    started = cgroup.start_time(os.getpid())
    living = tmp_path / f"touchstone-{own}-{os.getpid()}-{started}-0"
    recycled = tmp_path / f"touchstone-{own}-{os.getpid()}-1-0"
    elsewhere = tmp_path / "touchstone-1-4194303-1-0"
    for path in (living, recycled, elsewhere):
        path.mkdir()
    assert cgroup.sweep(cgroup.Hierarchies(2, {"": tmp_path})) == 1
    assert sorted(tmp_path.iterdir()) == sorted([living, elsewhere])
