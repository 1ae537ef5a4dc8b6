"""`touchstone health`: exit status 0 only for a server that serves, whichever it is."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest
import trustme
from click.testing import Result
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from typer.testing import CliRunner

from verifier.cli import app
from verifier.embedded import EmbeddedServer

NOT_SERVING, CANNOT_RUN = 1, 2
MUTUAL = ("--tls-ca", "ca.pem", "--tls-cert", "client.pem", "--tls-key", "client.key")


def ask(address: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["health", "--address", address, "--timeout", "5", *options])


class Served:
    """The standard health service alone, so that it can be told what to say; in plaintext and
    with mutual TLS."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        own, client = authority.issue_cert("rewards.example"), authority.issue_cert("trainer")
        authority.cert_pem.write_to_path(folder / "ca.pem")
        trustme.CA().cert_pem.write_to_path(folder / "other.pem")
        client.cert_chain_pems[0].write_to_path(folder / "client.pem")
        client.private_key_pem.write_to_path(folder / "client.key")
        self.checks = health.HealthServicer()
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        health_pb2_grpc.add_HealthServicer_to_server(self.checks, self.server)
        credentials = grpc.ssl_server_credentials(
            [(own.private_key_pem.bytes(), own.cert_chain_pems[0].bytes())],
            authority.cert_pem.bytes(),
            require_client_auth=True,
        )
        self.plain = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.tls = f"127.0.0.1:{self.server.add_secure_port('127.0.0.1:0', credentials)}"
        self.server.start()

    def set(self, name: str, status: str) -> None:
        self.checks.set(name, health_pb2.HealthCheckResponse.ServingStatus.Value(status))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        one = Served(folder)
        yield one
        one.server.stop(None).wait()


def test_a_real_server() -> None:
    with EmbeddedServer("--sandbox", "none", "--log-level", "warning") as server:
        command = [sys.executable, "-m", "verifier.cli", "health", "--address", server.address]
        began = time.monotonic()
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (answer.returncode, answer.stdout) == (0, "SERVING\n"), answer.stderr
        assert time.monotonic() - began < 30
        for name in ("verifier.v1.Verifier", "liveness"):
            assert ask(server.address, "--service", name).exit_code == 0, name
        unknown = ask(server.address, "--service", "verifier.v1.Verifer")
        assert unknown.exit_code == NOT_SERVING
        assert "NOT_FOUND" in unknown.stderr


@pytest.mark.parametrize("status", ["NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN"])
def test_draining(served: Served, status: str) -> None:
    """Not ready, and alive: what who restarts it must tell apart."""
    served.set("", status)
    served.set("liveness", "SERVING")
    ready, alive = ask(served.plain), ask(served.plain, "--service", "liveness")
    assert (ready.exit_code, ready.stderr) == (
        NOT_SERVING,
        f"touchstone: {served.plain}: {status}\n",
    )
    assert (alive.exit_code, alive.stdout) == (0, "SERVING\n")


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listened on
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        answer = ask(address)
    assert answer.exit_code == NOT_SERVING
    assert f"{address}: UNAVAILABLE" in answer.stderr


def test_nobody_answers() -> None:
    """A process that stands still takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        answer = ask(address, "--timeout", "0.5")
    assert (answer.exit_code, "DEADLINE_EXCEEDED" in answer.stderr) == (NOT_SERVING, True)
    assert time.monotonic() - began < 30


def test_tls(served: Served) -> None:
    served.set("", "SERVING")
    named = ("--tls-name", "rewards.example")
    assert ask(served.tls, *MUTUAL, *named).exit_code == 0
    refused = {
        "plaintext": (),
        "another name than the certificate's": MUTUAL,
        "no certificate": (*MUTUAL[:2], *named),
        "public authorities alone": named,
        "another authority": ("--tls-ca", "other.pem", *MUTUAL[2:], *named),
    }
    for why, options in refused.items():
        answer = ask(served.tls, *options)
        assert (answer.exit_code, "UNAVAILABLE" in answer.stderr) == (NOT_SERVING, True), why


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (MUTUAL[:4], "tls: certificate without key"),
        ((*MUTUAL[:2], *MUTUAL[4:]), "tls: key without certificate"),
        (("--tls-ca", "nowhere.pem"), "tls: ca: [Errno 2]"),
        (("--timeout", "0"), "--timeout"),
        (("--address", "localhost"), "address: host:port"),
    ],
)
def test_options_that_do_not_fit(options: tuple[str, ...], said: str) -> None:
    answer = ask("127.0.0.1:1", *options)
    assert answer.exit_code == CANNOT_RUN
    assert said in answer.stderr
