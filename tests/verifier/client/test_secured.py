"""A real server with TLS, tokens and a quota: refused, then let in."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import trustme
from typer.testing import CliRunner

from tests.verifier.support import math_item
from verifier import cli
from verifier.client import AsyncVerifierClient, ServiceError, Tls, VerifierClient
from verifier.embedded import EmbeddedServer

PER_MINUTE = 600


@dataclass(frozen=True)
class Secured:
    address: str
    token: str
    ca: Path


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    command = [sys.executable, "-m", "verifier.cli", "token", "trainer"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = made.stderr[made.stderr.index("[[") :]
    (folder / "tokens.toml").write_text(f"{lines}\nitems_per_minute = {PER_MINUTE}\n")
    authority = trustme.CA()
    shown = authority.issue_cert("127.0.0.1")
    ca, certificate, key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
    authority.cert_pem.write_to_path(str(ca))
    shown.cert_chain_pems[0].write_to_path(str(certificate))
    shown.private_key_pem.write_to_path(str(key))
    files = ("--tls-cert", str(certificate), "--tls-key", str(key))
    told = ("--tokens", str(folder / "tokens.toml"), "--sandbox", "none", "--log-level", "error")
    with EmbeddedServer(*files, *told) as running:
        yield Secured(running.address, made.stdout.strip(), ca)


def test_a_used_up_quota_is_waited_for(secured: Secured, caplog: pytest.LogCaptureFixture) -> None:
    items = [math_item(str(n), "4") for n in range(PER_MINUTE + 10)]
    with VerifierClient(secured.address, token=secured.token, tls=Tls(secured.ca)) as client:
        assert [verdict.reward for verdict in client.verify(items)] == [1.0] * len(items)
    assert "is full (RESOURCE_EXHAUSTED: items_per_minute" in caplog.text
    assert secured.token not in caplog.text


def test_no_token_and_another_are_refused_at_once(secured: Secured) -> None:
    async def ask(token: str | None) -> None:
        async with AsyncVerifierClient(secured.address, token=token, tls=Tls(secured.ca)) as client:
            await client.verify([math_item("a", "4")])

    for token in (None, secured.token[::-1]):
        with pytest.raises(ServiceError, match="UNAUTHENTICATED: ") as caught:
            asyncio.run(ask(token))
        assert caught.value.code == grpc.StatusCode.UNAUTHENTICATED
        assert token is None or token not in str(caught.value)


def test_commands(secured: Secured, tmp_path: Path) -> None:
    def touchstone(*arguments: object, token: str = secured.token) -> tuple[int, str]:
        run = CliRunner().invoke(cli.app, [*map(str, arguments)], env={"SOME_TOKEN": token})
        return run.exit_code, run.output

    at = ("--address", secured.address)
    tls = ("--tls-ca", secured.ca)
    status, said = touchstone("describe", *at, *tls, "--token-env", "SOME_TOKEN", "--json")
    assert (status, '"version"' in said) == (0, True), said
    given = tmp_path / "items.jsonl"
    given.write_text('{"id": "a", "response": "\\\\boxed{4}", "math": {"gold": ["4"]}}\n')
    verify = ("verify", "--input", given, "--output", tmp_path / "out.jsonl")
    status, said = touchstone(*verify, *at, *tls, "--token-env", "SOME_TOKEN")
    assert status == 0, said
    assert '"reward": 1.0' in (tmp_path / "out.jsonl").read_text()
    for arguments, message in (
        ((*at, *tls), "UNAUTHENTICATED"),
        ((*at, *tls, "--token-env", "NO_SUCH"), "--token-env: NO_SUCH is not set"),
        ((*at, "--tls-cert", secured.ca), "--address: tls: certificate without key"),
        ((*at, "--tls-ca", given), "--address: tls: ca: PEM"),
        (("--address", "10.0.0.1:5", "--token-env", "SOME_TOKEN"), "would travel in the clear"),
        (tls, "--tls-ca: is for the server at --address"),
    ):
        status, said = touchstone("describe", "--sandbox", "none", *arguments)
        assert status != 0
        assert message in " ".join(said.split())
        assert secured.token not in said
