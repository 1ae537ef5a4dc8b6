"""What dies in mid-batch costs at most its own item."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.verifier.support import (
    ADD,
    FOREVER,
    SLEEP,
    alive,
    code_item,
    descendants,
    math_item,
    programs,
    wait_for,
)
from verifier.client import ServiceError, VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

pytestmark = pytest.mark.alone

HARD = "\\prod_{k=1}^{40} (x^k + \\sin(k y)) - \\prod_{k=1}^{40} (x^k + \\cos(k y - \\pi / 2))"
"""Needs the symbolic tier and takes it long."""


def commands(server: EmbeddedServer, word: str) -> list[int]:
    return [
        pid
        for pid, command in descendants(server.pid).items()
        if any(word in part for part in command)
    ]


def test_killed_running_program_costs_only_its_item() -> None:
    """kill -9 of the processes of a running program, again and again, in mid-batch."""
    quick = [
        code_item(f"c{n}", ADD) if n % 10 == 0 else math_item(f"m{n}", "4") for n in range(200)
    ]
    with (
        EmbeddedServer("--log-level", "error", "--slots", "1") as server,
        VerifierClient(server.address) as client,
    ):
        came: dict[int, pb.Verdict] = {}
        killed = 0
        victim = code_item("victim", SLEEP, deadline_ms=8000)
        stream = client.stream([victim, *quick])
        done = threading.Event()

        def collect() -> None:
            came.update(stream)
            done.set()

        thread = threading.Thread(target=collect)
        thread.start()
        while not done.is_set() and killed < 12:
            for pid in programs(server.pid)[:1]:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            done.wait(0.3)
        thread.join(60)
        assert not thread.is_alive()
        assert killed
        assert sorted(came) == list(range(201))
        assert came[0].status != pb.Verdict.UNSPECIFIED
        assert not came[0].HasField("reward") or came[0].reward == 0.0
        hit = [came[n] for n in range(1, 201) if came[n].status != pb.Verdict.OK]
        assert all(verdict.id.startswith("c") for verdict in hit)
        assert all(verdict.status == pb.Verdict.SANDBOX_ERROR for verdict in hit)
        assert len(hit) <= killed
        for n, item in enumerate(quick, 1):
            assert came[n].id == item.id
            if came[n].status == pb.Verdict.OK:
                assert came[n].reward == 1.0
        assert client.verify([code_item("after", ADD)])[0].reward == 1.0


def test_killed_math_worker_costs_only_its_item() -> None:
    items = [math_item(f"m{n}", str(n % 7), gold="3") for n in range(300)]
    items.insert(0, math_item("hard", "0", gold=HARD))
    with (
        EmbeddedServer("--log-level", "error") as server,
        VerifierClient(server.address) as client,
    ):
        stop = threading.Event()
        killed = []

        def kill() -> None:
            while not stop.is_set():
                for pid in commands(server, "verifier.math.worker"):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                time.sleep(0.1)

        thread = threading.Thread(target=kill)
        thread.start()
        verdicts = client.verify(items)
        stop.set()
        thread.join()
        assert killed, "the hard item must have reached a worker"
        assert [verdict.id for verdict in verdicts] == [item.id for item in items]
        assert verdicts[0].status in (pb.Verdict.INTERNAL, pb.Verdict.UNDECIDED, pb.Verdict.TIMEOUT)
        assert not verdicts[0].HasField("reward")
        assert [v.reward for v in verdicts[1:]] == [float(n % 7 == 3) for n in range(300)]


def test_killed_server_leaves_nothing_and_the_client_says_so() -> None:
    with EmbeddedServer("--log-level", "error") as server:
        with VerifierClient(server.address, resend_s=0) as client:
            stream = client.stream([math_item("quick", "4"), code_item("slow", SLEEP)])
            assert next(stream)[1].reward == 1.0
            wait_for(lambda: bool(programs(server.pid)))
            below = list(descendants(server.pid))
            os.kill(server.pid, signal.SIGKILL)
            with pytest.raises(ServiceError, match=r"UNAVAILABLE.*1 of 2 verdicts came before"):
                list(stream)
        wait_for(lambda: not any(alive(pid) for pid in below), 3.0)


def leftovers() -> set[str]:
    """Control groups, mounts and temporary files that could be ours.

    An earlier test's killed server may have left groups, which the next start
    removes: fewer than before is as good as the same.
    """
    groups = {str(path) for path in Path("/sys/fs/cgroup").glob("**/*touchstone*")}
    mounts = set(Path("/proc/self/mounts").read_text().splitlines())
    temporary = {str(path) for path in Path("/tmp").glob("*touchstone*")}
    return groups | mounts | temporary


def test_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C in `touchstone verify` while programs run."""
    from verifier.jsonl import json_format

    before = leftovers()
    lines = [json_format.MessageToJson(code_item(str(n), FOREVER), indent=None) for n in range(20)]
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    run = subprocess.Popen(
        [sys.executable, "-m", "verifier.cli", "verify", "--input", tmp_path / "items.jsonl"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: bool(programs(run.pid)))
        below = list(descendants(run.pid))
        run.send_signal(signal.SIGINT)
        assert run.wait(20) != 0
    finally:
        run.kill()
    wait_for(lambda: not any(alive(pid) for pid in below), 3.0)
    assert leftovers() <= before
