"""Where a server may listen, with which certificates, and that limits hold over TLS too."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import httpx2
import pytest
import trustme

from sandbox import listening as sandbox_listening
from tests.verifier.security.support import METHOD, batch, credentials, item, write
from verifier import callers
from verifier.limits import Limits
from verifier.security import tls
from verifier.server import ListenError, Server, Settings
from verifier.v1 import verifier_pb2 as pb

OPEN = Settings(listen="127.0.0.1:0", sandbox="none", grace_seconds=0.5)
FORBIDDEN = "whoever does can run programs; give --tls-cert and --tls-key, or say with --insecure that they may"


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secured(ca: trustme.CA, tmp_path: Path) -> Settings:
    files = write(tmp_path, ca.issue_cert("127.0.0.1", "localhost"))
    return replace(OPEN, tls_certificate=files.certificate, tls_key=files.key)


def mutual(settings: Settings, clients: trustme.CA, folder: Path) -> Settings:
    (folder / "clients.pem").write_bytes(clients.cert_pem.bytes())
    return replace(settings, tls_client_ca=folder / "clients.pem")


@asynccontextmanager
async def channel_to(
    server: Server, ca: trustme.CA | None, shown: trustme.LeafCert | None = None
) -> AsyncIterator[grpc.aio.Channel]:
    at = server.address.replace("0.0.0.0", "127.0.0.1")
    if ca is None:
        channel = grpc.aio.insecure_channel(at)
    else:
        channel = grpc.aio.secure_channel(at, credentials(ca, shown))
    async with channel:
        yield channel


async def verify(channel: grpc.aio.Channel) -> pb.Verdict:
    call = channel.unary_unary(METHOD + "Verify", pb.Item.SerializeToString, pb.Verdict.FromString)
    return await call(item(), timeout=20)


async def refusal(settings: Settings) -> str:
    with pytest.raises(ListenError) as caught:
        async with Server(settings):
            pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"listen": "0.0.0.0:0"}, f"--listen: others can reach '0.0.0.0:0': {FORBIDDEN}"),
        ({"listen": "[::]:0"}, f"--listen: others can reach '[::]:0': {FORBIDDEN}"),
        ({"listen": "[::ffff:0.0.0.0]:0"}, "--listen: others can reach '[::ffff:0.0.0.0]:0': "),
        ({"listen": "0:0"}, "--listen: others can reach '0:0': "),
        ({"listen": "10.1.2.3:0"}, "--listen: others can reach '10.1.2.3:0': "),
        ({"http": "0.0.0.0:0"}, f"--http: others can reach '0.0.0.0:0': {FORBIDDEN}"),
        ({"metrics_port": 0, "metrics_host": "0.0.0.0"}, "--metrics-host: others can reach '0.0.0.0:0': it is in plaintext; say with --insecure that they may"),
        ({"metrics_port": 0, "metrics_host": "::"}, "--metrics-host: others can reach '[::]:0': "),
        ({"listen": "127.0.0.1"}, "--listen: host:port with a port below 65536, or unix:path, got '127.0.0.1'"),
        ({"listen": ":0"}, "--listen: host:port with a port below 65536, or unix:path, got ':0'"),
        ({"listen": "::1:0"}, "--listen: an IPv6 address stands in brackets, [address]:port, got '::1:0'"),
        ({"listen": "localhost:65536"}, "--listen: host:port with a port below 65536"),
        ({"listen": "localhost:\u0663"}, "--listen: host:port with a port below 65536"),
        ({"listen": "unix:"}, "--listen: unix:path with 1 to 107 bytes, got 'unix:'"),
        ({"listen": "unix:" + "x" * 108}, "--listen: unix:path with 1 to 107 bytes, got "),
        ({"listen": "no.such.host.invalid:0"}, "--listen: cannot listen on 'no.such.host.invalid:0': "),
        ({"listen": "unix:/no/such/folder/a"}, "--listen: cannot listen on 'unix:/no/such/folder/a': "),
        ({"http": "unix:/no/such/folder/a"}, "--http: cannot listen on 'unix:/no/such/folder/a': "),
        ({"tls_key": Path("a.key")}, "--tls-key: needs --tls-cert too"),
        ({"tls_certificate": Path("a.pem")}, "--tls-cert: needs --tls-key too"),
        ({"tls_client_ca": Path("a.pem")}, "--tls-client-ca: needs --tls-cert too"),
        ({"tokens": Path("/no/such.toml")}, "--tokens: [Errno 2] No such file"),
    ],
)  # fmt: skip
async def test_what_is_refused(changed: dict[str, object], said: str) -> None:
    assert (await refusal(replace(OPEN, **changed))).startswith(said)  # type: ignore[arg-type]


async def test_tls_lets_others_in_but_for_the_metrics(secured: Settings) -> None:
    public = replace(secured, listen="0.0.0.0:0", http="0.0.0.0:0")
    assert (await refusal(replace(public, metrics_host="0.0.0.0"))).startswith("--metrics-host: ")
    async with Server(public) as server:
        assert server.http_url.startswith("https://0.0.0.0:")


async def test_insecure_lets_others_in(caplog: pytest.LogCaptureFixture) -> None:
    public = replace(OPEN, listen="0.0.0.0:0", http="0.0.0.0:0", metrics_port=0, metrics_host="0.0.0.0", insecure=True)  # fmt: skip
    async with Server(public) as server, channel_to(server, None) as channel:
        assert (await verify(channel)).reward == 1.0
        assert server.metrics_address.startswith("0.0.0.0:")
        assert server.http_url == f"http://{server.http_address}"
    assert "0.0.0.0:0: whoever reaches it can run programs, unasked" in caplog.text


async def test_metrics_are_on_loopback_wherever_the_rest_is() -> None:
    async with Server(replace(OPEN, listen="0.0.0.0:0", metrics_port=0, insecure=True)) as server:
        host, _, port = server.metrics_address.rpartition(":")
        assert host == "127.0.0.1"
        with socket.create_server(("127.0.0.2", int(port))):
            pass  # the port is taken at one address alone


async def test_unix_sockets_are_local(tmp_path: Path) -> None:
    both = replace(OPEN, listen=f"unix:{tmp_path}/g", http=f"unix:{tmp_path}/h")
    with socket.socket(socket.AF_UNIX) as left:  # of a server that was killed
        left.bind(f"{tmp_path}/h")
    async with Server(both) as server:
        assert (server.address, server.http_url) == (both.listen, both.http)
        async with channel_to(server, None) as channel:
            assert (await verify(channel)).reward == 1.0
        transport = httpx2.AsyncHTTPTransport(uds=f"{tmp_path}/h")
        async with httpx2.AsyncClient(transport=transport) as http:
            answer = await http.get("http://rewards.example/v1/describe")
            assert answer.status_code == 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda s: replace(s, tls_certificate=Path("/no/such")), "--tls-cert: [Errno 2] No such file"),
        (lambda s: replace(s, tls_key=Path("/no/such")), "--tls-key: [Errno 2] No such file"),
        (lambda s: replace(s, tls_client_ca=Path("/no/such")), "--tls-client-ca: [Errno 2] No such file"),
        (lambda s: replace(s, tls_certificate=s.tls_key), "--tls-cert: no PEM file with a certificate, "),
        (lambda s: replace(s, tls_key=s.tls_certificate), "--tls-key: no PEM file with a private key, "),
        (lambda s: replace(s, tls_client_ca=s.tls_key), "--tls-client-ca: no PEM file with a certificate, "),
        (lambda s: replace(s, tls_key=other_key(s)), "--tls-cert, --tls-key: no pair of certificate and key without a passphrase, "),
        (lambda s: replace(s, tls_key=locked_key(s)), "--tls-cert, --tls-key: no pair of certificate and key without a passphrase, "),
        (lambda s: replace(s, tls_client_ca=cut(s)), "--tls-client-ca: "),
    ],
)  # fmt: skip
async def test_files_that_make_no_tls_are_named(secured: Settings, break_it, said: str) -> None:  # type: ignore[no-untyped-def]
    key = Path(secured.tls_key or "").read_text().splitlines()[1]
    told = await refusal(break_it(secured))
    assert told.startswith(said)
    assert key not in told


def other_key(settings: Settings) -> Path:
    path = Path(settings.tls_key or "").with_name("other.key")
    path.write_bytes(trustme.CA().issue_cert("x").private_key_pem.bytes())
    return path


def locked_key(settings: Settings) -> Path:
    from cryptography.hazmat.primitives import serialization

    path = Path(settings.tls_key or "")
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
    path.with_name("locked.key").write_bytes(locked)
    return path.with_name("locked.key")


def cut(settings: Settings) -> Path:
    path = Path(settings.tls_certificate or "")
    path.with_name("cut.pem").write_bytes(path.read_bytes()[:100])
    return path.with_name("cut.pem")


async def test_a_certificate_s_name_is_the_caller_s(
    secured: Settings, ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients, seen = trustme.CA(), list[str]()
    identify = callers.Callers.identify

    def spy(self: callers.Callers, *args: object) -> callers.Caller:
        caller = identify(self, *args)  # type: ignore[arg-type]
        seen.append(caller.name)
        return caller

    monkeypatch.setattr(callers.Callers, "identify", spy)
    settings = replace(mutual(secured, clients, tmp_path), http="127.0.0.1:0")
    shown = {
        "node-7": clients.issue_cert("n.example", common_name="node-7"),
        "san.example": clients.issue_cert("san.example"),
        "": clients.issue_cert("n.example", common_name="a\nb"),
    }
    async with Server(settings) as server:
        for name, certificate in shown.items():
            context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
            certificate.configure_cert(context)
            async with (
                channel_to(server, ca, certificate) as channel,
                httpx2.AsyncClient(base_url=server.http_url, verify=context) as http,
            ):
                seen.clear()
                told = await http.get("/v1/describe", headers={"Touchstone-Client": "x"})
                if name:
                    await verify(channel)
                    assert (told.status_code, seen) == (200, [name, name])
                    continue
                with pytest.raises(grpc.RpcError) as caught:
                    await verify(channel)
                assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
                assert told.status_code == 403
                assert told.json()["error"] == caught.value.details()
                assert told.json()["error"].startswith("certificate: a common name of 1 to 128")


async def certificate_at(address: str, ca: trustme.CA, alpn: str) -> bytes:
    """What is shown to a connection that is made now."""
    context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    context.set_alpn_protocols([alpn])
    host, _, port = address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return bytes(shown)


async def test_a_renewed_certificate_is_shown_and_a_broken_one_is_not(
    secured: Settings,
    ca: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.0)
    folder = Path(secured.tls_key or "").parent

    def der(made: trustme.LeafCert) -> bytes:
        return ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode())

    async def shown(server: Server) -> set[bytes]:
        return {
            await certificate_at(server.http_address, ca, "http/1.1"),
            await certificate_at(server.address, ca, "h2"),
        }

    async with (
        Server(replace(secured, http="127.0.0.1:0")) as server,
        channel_to(server, ca) as channel,
    ):
        (old,) = await shown(server)
        assert (await verify(channel)).reward == 1.0
        renewed = ca.issue_cert("127.0.0.1")
        write(folder, renewed, "next")
        os.replace(folder / "next.pem", folder / "server.pem")
        assert await shown(server) == {old}  # its key is not there yet
        assert "the old certificate stays: --tls-cert, --tls-key: " in caplog.text
        os.replace(folder / "next.key", folder / "server.key")
        assert await shown(server) == {der(renewed)}
        assert old != der(renewed)
        (folder / "server.key").unlink()
        assert await shown(server) == {der(renewed)}
        assert (await verify(channel)).reward == 1.0  # what is open stays open
        async with channel_to(server, ca) as another:
            assert (await verify(another)).reward == 1.0


async def test_a_hangup_looks_at_once(
    secured: Settings, ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 1e9)
    clients, others = trustme.CA(), trustme.CA()
    settings = mutual(secured, clients, tmp_path)
    good, other = clients.issue_cert("a"), others.issue_cert("a")
    async with Server(settings) as server:
        assert server.renewable
        (tmp_path / "clients.pem").write_bytes(others.cert_pem.bytes())
        async with channel_to(server, ca, good) as channel:
            assert (await verify(channel)).reward == 1.0
        server.renew()
        async with channel_to(server, ca, other) as channel:
            assert (await verify(channel)).reward == 1.0
        # Another name than before, or gRPC would use the session of the first connection again.
        async with channel_to(server, ca, clients.issue_cert("b")) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                await verify(channel)
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_limits_hold_over_tls(secured: Settings, ca: trustme.CA) -> None:
    small = Limits(batch_items=10, message_bytes=5000)
    settings = replace(secured, http="127.0.0.1:0", limits=small)
    context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    async with (
        Server(settings) as server,
        channel_to(server, ca) as channel,
        httpx2.AsyncClient(base_url=server.http_url, verify=context) as http,
    ):
        call = channel.unary_stream(METHOD + "VerifyBatch")
        for sent, code, said in (
            (batch(11).SerializeToString(), grpc.StatusCode.INVALID_ARGUMENT, "Batch.items: at most 10 items, got more"),
            (bytes(5001), grpc.StatusCode.RESOURCE_EXHAUSTED, "5001 vs. 5000"),
        ):  # fmt: skip
            with pytest.raises(grpc.RpcError) as caught:
                async for _ in call(sent, timeout=20):
                    pass
            assert caught.value.code() == code
            assert said in caught.value.details()
        headers = {"Content-Type": "application/json"}
        answer = await http.post("/v1/verify_batch", json={"items": [{}] * 11})
        assert answer.status_code == 400
        answer = await http.post("/v1/verify", content=b" " * 5001, headers=headers)
        assert answer.json() == {"error": "body: at most 5000 bytes, got 5001"}
        assert answer.status_code == 413


async def test_a_handshake_that_is_not_made_is_given_up(
    secured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from verifier import server as module
    from verifier.http import front

    monkeypatch.setattr(front, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(module, "HANDSHAKE", (("grpc.server_handshake_timeout_ms", 500),))
    async with Server(replace(secured, http="127.0.0.1:0")) as server:
        for address in (server.address, server.http_address):
            host, _, port = address.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()


@pytest.mark.parametrize(
    ("text", "local"),
    [("127.0.0.1:1", True), ("127.8.9.1:1", True), ("[::1]:1", True), ("localhost:1", True), ("unix:a", True), ("unix:///tmp/a", True), ("0.0.0.0:1", False), ("[::]:1", False), ("192.0.2.1:1", False)],
)  # fmt: skip
def test_what_is_local(text: str, local: bool) -> None:
    address = sandbox_listening.read(text)
    assert address.local is local
    assert str(address) == text.replace("unix://", "unix:")


def test_a_name_is_local_when_all_that_it_stands_for_is(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, 1, 6, "", (at, 0)) for at in ("127.0.0.1", "192.0.2.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    assert not sandbox_listening.read("both.example:1").local
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found[:1])
    assert sandbox_listening.read("one.example:1").local


def test_a_sandbox_has_the_same_rule() -> None:
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--listen", "0.0.0.0:0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert ended.stderr == (
        "touchstone-sandbox: others can reach '0.0.0.0:0': whoever does can run programs; listen on "
        "a loopback or unix: address, or say with --insecure that they may\n"
    )
