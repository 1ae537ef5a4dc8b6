"""Real servers with one file: equal verdicts, whatever becomes of the file or of one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.verifier.support import code_item, math_item, wait_for
from verifier.client import ServiceError, VerifierClient
from verifier.embedded import EmbeddedServer, ServerFailed
from verifier.v1 import verifier_pb2 as pb

LIMIT = r"\lim_{x\to 0}\frac{\sin 3x}{x}"
"""No step before the symbolic one tells what it is."""

PROGRAMS = {
    "right": "a, b = map(int, input().split())\nprint(a + b)",
    "wrong": "print(3)",
    "raises": "raise ValueError",
}


def batch(count: int = 12) -> list[pb.Item]:
    """Programs of each kind, each another one, and symbolic work with a yes and with a no."""
    programs = [
        code_item(f"{name} {n}", f"{text}\n# {n}\n")
        for n in range(count)
        for name, text in PROGRAMS.items()
    ]
    return [
        *programs,
        math_item("yes", "3", LIMIT),
        math_item("no", "4", LIMIT),
    ]


def rewards(verdicts: Sequence[pb.Verdict]) -> list[tuple[str, float]]:
    assert {verdict.status for verdict in verdicts} == {pb.Verdict.OK}
    return [(verdict.id, verdict.reward) for verdict in verdicts]


def hits(verdicts: Sequence[pb.Verdict]) -> list[str]:
    return [verdict.id for verdict in verdicts if verdict.provenance.cache_hit]


def start(path: Path, *options: str) -> EmbeddedServer:
    return EmbeddedServer("--log-level", "error", "--slots", "1", "--cache", str(path), *options)


def test_equal_verdicts_whatever_becomes_of_the_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kept.sqlite"
    items = batch()
    with start(path) as one, VerifierClient(one.address) as client:
        calm = client.verify(items)
        assert hits(calm) == []
        assert {reward for _, reward in rewards(calm)} == {0.0, 1.0}
        again = client.verify(items)
        assert len(hits(again)) == len(items)
        with start(path) as other, VerifierClient(other.address, resend_s=0) as second:
            shared = second.verify(items)
            assert len(hits(shared)) == len(items)
            assert rewards(shared) == rewards(again) == rewards(calm)
            for first, same in zip(calm, shared, strict=True):
                assert same.evidence == first.evidence
                assert same.parts == first.parts
                assert same.provenance.sandbox_tier == first.provenance.sandbox_tier
            # Killed in mid-write, the other one goes on.
            thread = threading.Thread(target=lambda: _until_gone(second, batch(200)))
            thread.start()
            written = path.with_name("kept.sqlite-wal")
            size = written.stat().st_size
            wait_for(lambda: written.stat().st_size > size + 20_000)
            os.kill(other.pid, signal.SIGKILL)
            thread.join()
        assert rewards(client.verify(items)) == rewards(calm)
        # Garbage where the file was, under a server that uses it.
        for file in (path, written):
            file.write_bytes(os.urandom(file.stat().st_size))
        assert rewards(client.verify(items)) == rewards(calm)
        more = batch(13)[-5:-2]
        assert hits(client.verify(more)) == []
    for file in tmp_path.iterdir():
        file.unlink()
    path.write_bytes(os.urandom(100_000))
    with pytest.raises(ServerFailed, match="ended with status 2"):
        start(path).__enter__()
    assert f"--cache: {path}: file is not a database" in capfd.readouterr().err


def _until_gone(client: VerifierClient, items: Sequence[pb.Item]) -> None:
    try:
        client.verify(items)
    except ServiceError:
        return


def test_equal_verdicts_on_a_full_and_on_a_read_only_disk(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no mounts here")
    try:
        items = batch(20)
        with start(tmp_path / "kept.sqlite") as server, VerifierClient(server.address) as client:
            calm = client.verify(items)
            (tmp_path / "rest").touch()
            subprocess.run(["dd", "if=/dev/zero", f"of={tmp_path}/rest"], capture_output=True)
            more = client.verify(batch(30))
            assert rewards(more)[:60] == rewards(calm)[:60]
        (tmp_path / "rest").unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        with start(tmp_path / "kept.sqlite") as server, VerifierClient(server.address) as client:
            assert rewards(client.verify(items)) == rewards(calm)
            assert len(hits(client.verify(items))) == len(items)
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_what_the_server_is_decides_too(tmp_path: Path) -> None:
    """Without a package that programs had, nothing is taken over."""
    path = tmp_path / "kept.sqlite"
    item = code_item("sum", "import numpy\nprint(sum(map(int, input().split())))\n")
    found = []
    for packages in ("numpy", ""):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TOUCHSTONE_PYTHON_PACKAGES", packages)
            with start(path) as server, VerifierClient(server.address) as client:
                found += client.verify([item])
    assert [verdict.reward for verdict in found] == [1.0, 0.0]
    assert hits(found) == []
