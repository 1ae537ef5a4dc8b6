"""Addresses, tokens, TLS and names; what the environment says."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from opentelemetry import trace

from tests.verifier.client.scripted import service
from verifier.client import AsyncVerifierClient, Item, ServiceError, Tls, VerifierClient
from verifier.client.reach import Reach, hosts_of, own_name, reach
from verifier.security.names import NAME_CHARS, is_name

TOKEN = "tok-3f9a7c"
ITEMS = [Item(id="a")]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TOUCHSTONE_") and name != "TOUCHSTONE_DATA":
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("127.0.0.1:5", ["127.0.0.1"]),
        ("a.example:50051, b:1", ["a.example", "b"]),
        ("[::1]:5", ["::1"]),
        ("unix:/tmp/s", ["unix:/tmp/s"]),
        ("dns:///name:5", ["dns:///name:5"]),
    ],
)
def test_addresses(address: str, hosts: list[str]) -> None:
    assert hosts_of(address) == hosts


@pytest.mark.parametrize(
    "address", ["", "host", "host:", ":5", "::1:5", "h:0", "h:65536", "h:1,,h:2", "h:x"]
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(ValueError, match=r"^address: "):
        VerifierClient(address)


@pytest.mark.parametrize(
    "far", ["10.0.0.1:5", "name:5", "127.0.0.1:5,10.0.0.1:5", "dns:///name:5", "[fe80::1]:5"]
)
def test_a_token_does_not_travel_in_the_clear(far: str) -> None:
    with pytest.raises(ValueError, match="token: would travel in the clear") as caught:
        reach(far, token=TOKEN)
    assert TOKEN not in str(caught.value)
    assert reach(far, token=TOKEN, insecure=True).token == TOKEN
    assert reach(far, token=TOKEN, tls=Tls()).token == TOKEN


@pytest.mark.parametrize(
    "near",
    [
        "127.0.0.1:5",
        "localhost:5",
        "[::1]:5",
        "unix:/tmp/s",
        "dns:///localhost:5",
        "ipv4:127.0.0.1:5",
    ],
)
def test_on_this_machine_it_may(near: str) -> None:
    assert TOKEN not in repr(reach(near, token=TOKEN))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"token": f"{TOKEN}\n"}, "token: printable ASCII"),
        ({"token": ""}, "token: printable ASCII"),
        ({"client": "é"}, "client: 1 to 128 printable ASCII"),
        ({"client": "x" * 129}, "client: 1 to 128"),
        ({"priority": "urgent"}, "priority: one of high, normal, low, got 'urgent'"),
        ({"resend_s": -1}, "resend_s: at least 0"),
        ({"tls": Tls(ca="/no/such/file")}, "tls: ca: .*No such file"),
        ({"tls": Tls(ca=b"not PEM")}, "tls: ca: PEM"),
        ({"tls": Tls(), "address": "127.0.0.1:1,localhost:2"}, "tls: server_name"),
        ({"address": "127.0.0.1:1,[::1]:2"}, "IPv4 and of IPv6 cannot be mixed"),
        (
            {"address": "127.0.0.1:1,no-such-host.invalid:2"},
            "'no-such-host.invalid' cannot be looked up",
        ),
    ],
)
def test_what_will_not_do_is_said_by_name(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        VerifierClient(**{"address": "127.0.0.1:1", **told})
    assert TOKEN not in str(caught.value)


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValueError, match="tls: certificate without key"):
        Tls(certificate=b"x")
    with pytest.raises(ValueError, match="tls: key without certificate"):
        Tls(key=b"secret")
    assert "secret" not in repr(Tls(certificate=b"x", key=b"secret"))


def test_what_the_environment_says(tmp_path: Path) -> None:
    told = {
        "TOUCHSTONE_TOKEN": TOKEN,
        "TOUCHSTONE_CLIENT": "run 7",
        "TOUCHSTONE_PRIORITY": "high",
        "TOUCHSTONE_RESEND_S": "30",
        "TOUCHSTONE_TLS_CA": str(tmp_path / "ca"),
        "TOUCHSTONE_TLS_NAME": "verifier",
    }
    assert reach("far:5", environment=told) == Reach(
        "far:5",
        TOKEN,
        Tls(str(tmp_path / "ca"), server_name="verifier"),
        "run 7",
        "high",
        False,
        30.0,
    )
    near = reach("127.0.0.1:5", client="mine", priority="low", environment=told)
    assert (near.tls, near.client, near.priority) == (None, "mine", "low")
    assert reach("far:5", environment={"TOUCHSTONE_TLS": "1"}).tls == Tls()
    plain = reach("far:5", environment={"TOUCHSTONE_TOKEN": TOKEN, "TOUCHSTONE_INSECURE": "1"})
    assert plain.insecure
    for name in ("INSECURE", "TLS", "RESEND_S"):
        with pytest.raises(ValueError, match=f"TOUCHSTONE_{name}: .*got 'maybe'"):
            reach("far:5", environment={f"TOUCHSTONE_{name}": "maybe"})


def test_a_client_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_name() == f"{socket.gethostname()}:{os.getpid()}"
    assert own_name("eval").startswith("eval:")
    monkeypatch.setattr(socket, "gethostname", lambda: "ö\n" * 200)
    assert is_name(own_name("eval"))
    assert len(own_name()) == NAME_CHARS


def test_what_a_call_says() -> None:
    context = trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(1))
    with service() as running:
        with VerifierClient(
            running.address, token=TOKEN, client="run 7", priority="high"
        ) as client:
            with trace.use_span(trace.NonRecordingSpan(context)):
                client.verify(ITEMS)
            client.describe()
            assert TOKEN not in repr(client)

        async def ask() -> None:
            async with AsyncVerifierClient(running.address, program="p") as client:
                await client.verify(ITEMS)

        asyncio.run(ask())
    first, described, third = running.metadata
    assert first["authorization"] == described["authorization"] == f"Bearer {TOKEN}"
    assert (first["touchstone-client"], first["touchstone-priority"]) == ("run 7", "high")
    assert first["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-01"
    assert "traceparent" not in described
    assert third["touchstone-client"] == own_name("p")
    assert third["touchstone-priority"] == "normal"
    assert "authorization" not in third


def pem(blob: trustme.Blob) -> bytes:
    return blob.bytes()


def test_tls_and_a_certificate_of_our_own(tmp_path: Path) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    served = ours.issue_cert("verifier.example", "127.0.0.1")
    shown = ours.issue_cert("trainer.example")
    certificate, key = pem(shown.cert_chain_pems[0]), pem(shown.private_key_pem)
    (tmp_path / "key").write_bytes(key)
    credentials = grpc.ssl_server_credentials(
        [(pem(served.private_key_pem), pem(served.cert_chain_pems[0]))],
        pem(ours.cert_pem),
        require_client_auth=True,
    )
    ca = pem(ours.cert_pem)
    with service(credentials=credentials) as one, service(credentials=credentials) as other:
        good = Tls(ca, certificate, tmp_path / "key")
        for tls, address in (
            (good, one.address),
            (good, f"{one.address},{other.address}"),
            (Tls(ca, certificate, key, "verifier.example"), f"{one.address},{other.address}"),
        ):
            with VerifierClient(address, tls=tls, token=TOKEN) as client:
                assert client.verify(ITEMS)[0].id == "a"

        async def ask() -> None:
            async with AsyncVerifierClient(one.address, tls=good) as client:
                assert (await client.verify(ITEMS))[0].id == "a"

        asyncio.run(ask())
        for tls in (
            Tls(ca),
            Tls(pem(theirs.cert_pem), certificate, key),
            Tls(ca, certificate, key, "other.example"),
            None,
        ):
            with (
                VerifierClient(one.address, tls=tls, token=TOKEN, resend_s=0) as client,
                pytest.raises(ServiceError, match="UNAVAILABLE") as caught,
            ):
                client.verify(ITEMS)
            assert TOKEN not in str(caught.value)
