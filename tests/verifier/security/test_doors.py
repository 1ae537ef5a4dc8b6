"""One server with everything on: mutual TLS, tokens, quotas, an HTTP front, a judge with a key, and
the log at debug. Nobody gets in who should not, and no secret gets out."""

from __future__ import annotations

import json
import os
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import httpx2
import pytest
import trustme
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from tests.verifier.judge.server import ChatServer, Play
from tests.verifier.security.support import (
    ITEM,
    METHOD,
    Running,
    bearer,
    credentials,
    serving,
    table,
    verify,
    verify_batch,
    write,
)
from tests.verifier.support import wait_for
from verifier.security import tokens
from verifier.v1 import verifier_pb2 as pb

KEY = "sk-the-key-of-the-judge-0123456789"
CODE = grpc.StatusCode


@dataclass(frozen=True)
class Secured:
    server: Running
    ca: trustme.CA
    clients: trustme.CA
    shown: trustme.LeafCert
    token: str
    slow: str
    """The token of a caller with a quota of 60 items per minute."""
    folder: Path

    def channel(self, shown: trustme.LeafCert | None = None) -> grpc.Channel:
        """With the good certificate, or another."""
        return grpc.secure_channel(self.server.address, credentials(self.ca, shown or self.shown))

    def http(self, shown: trustme.LeafCert | None = None) -> httpx2.Client:
        context = ssl.create_default_context(cadata=self.ca.cert_pem.bytes().decode())
        (shown or self.shown).configure_cert(context)
        return httpx2.Client(base_url=self.server.url, verify=context, timeout=20)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    ca, clients = trustme.CA(), trustme.CA()
    files = write(folder, ca.issue_cert("127.0.0.1", "localhost"))
    (folder / "clients.pem").write_bytes(clients.cert_pem.bytes())
    shown = clients.issue_cert("node-7.example", common_name="node-7")
    token, slow = tokens.fresh(), tokens.fresh()
    (folder / "tokens.toml").write_text(
        table("trainer", token, priority="high") + table("slow", slow, items_per_minute=60)
    )

    def repeats_the_key(request: object) -> Play:
        said = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
        return Play(body=json.dumps(said).encode(), status=401)

    with ChatServer(repeats_the_key) as judge:
        (folder / "judge.toml").write_text(
            f'attempts = 1\n[[endpoints]]\nurl = "{judge.url}"\nmodel = "m"\napi_key_env = "JUDGE_KEY"\n'
        )
        with serving(
            folder / "log",
            *("--tls-cert", str(files.certificate), "--tls-key", str(files.key)),
            *("--tls-client-ca", str(folder / "clients.pem")),
            *("--tokens", str(folder / "tokens.toml"), "--judge", str(folder / "judge.toml")),
            JUDGE_KEY=KEY,
        ) as server:
            yield Secured(server, ca, clients, shown, token, slow, folder)


def refused(call: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    return call.code(), call.details() or ""


def test_with_certificate_and_token_items_are_verified(secured: Secured) -> None:
    with secured.channel() as channel:
        assert verify(channel, bearer(secured.token, priority="high")).reward == 1.0
        assert verify_batch(channel, 300, bearer(secured.token, client="me")) == 300
    with secured.http() as http:
        good = {"Authorization": f"Bearer {secured.token}"}
        assert http.post("/v1/verify", json=ITEM, headers=good).json()["reward"] == 1.0
        lines = http.post("/v1/verify_batch", json={"items": [ITEM] * 300}, headers=good).text
        assert len(lines.splitlines()) == 300


@pytest.mark.parametrize("which", ["none", "of another CA", "expired", "of the server's CA"])
def test_other_certificates_are_refused(secured: Secured, which: str) -> None:
    past = datetime.now(UTC) - timedelta(days=2)
    shown = {
        "none": None,
        "of another CA": trustme.CA().issue_cert("x", common_name="node-7"),
        "expired": secured.clients.issue_cert(
            "x", not_before=past, not_after=past + timedelta(days=1)
        ),
        "of the server's CA": secured.ca.issue_cert("x"),
    }[which]
    channel = grpc.secure_channel(secured.server.address, credentials(secured.ca, shown))
    with channel, pytest.raises(grpc.RpcError) as caught:
        verify(channel, bearer(secured.token))
    assert caught.value.code() == CODE.UNAVAILABLE
    context = ssl.create_default_context(cadata=secured.ca.cert_pem.bytes().decode())
    if shown is not None:
        shown.configure_cert(context)
    with httpx2.Client(verify=context) as http, pytest.raises(httpx2.TransportError):
        http.get(secured.server.url + "/healthz")


def test_a_client_that_speaks_no_tls_gets_nothing(secured: Secured) -> None:
    with grpc.insecure_channel(secured.server.address) as channel, pytest.raises(grpc.RpcError):
        verify(channel, bearer(secured.token))
    with httpx2.Client() as http, pytest.raises(httpx2.TransportError):
        http.get(secured.server.url.replace("https", "http") + "/healthz")


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ((), "authorization: 'Bearer' and a token are wanted, got nothing"),
        (bearer("ts_" + "x" * 43), "authorization: no such token here"),
        ((("authorization", "Basic eA=="),), "authorization: 'Bearer' and a token are wanted, got something else"),
    ],
)  # fmt: skip
def test_without_a_good_token_no_method_answers(
    secured: Secured, metadata: tuple[tuple[str, str], ...], said: str
) -> None:
    wanted = (CODE.UNAUTHENTICATED, said)
    with secured.channel() as channel:
        for method in ("Verify", "VerifyBatch", "VerifyStream", "Describe", "NoSuch"):
            call = channel.stream_stream(METHOD + method)(
                iter([b""]), timeout=20, metadata=metadata
            )
            with pytest.raises(grpc.RpcError) as caught:
                list(call)
            assert refused(caught.value) == wanted
    with secured.http() as http:
        headers = dict(metadata)
        for method, path in (
            ("GET", "/v1/describe"),
            ("GET", "/openapi.json"),
            ("GET", "/no"),
            *(
                ("POST", f"/{one}")
                for one in (
                    "v1/verify",
                    "v1/verify_batch",
                    "openrlhf",
                    "slime",
                    "run_code",
                    "submit",
                )
            ),
        ):
            answer = http.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()) == (401, {"error": said})
            assert answer.headers["www-authenticate"] == 'Bearer realm="touchstone"'


def test_a_stranger_s_message_is_not_read(secured: Secured) -> None:
    """100 MiB, of which gRPC's window is all that ever comes."""
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield bytes(1 << 20)

    with secured.channel() as channel:
        call = channel.stream_stream(METHOD + "VerifyStream")(parts(), timeout=20)
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
    assert caught.value.code() == CODE.UNAUTHENTICATED
    assert sent < 20


def test_health_and_reflection_are_open(secured: Secured) -> None:
    with secured.channel() as channel:
        check = HealthStub(channel).Check(HealthCheckRequest(), timeout=20)
        assert check.status == HealthCheckResponse.SERVING
        asked = iter([ServerReflectionRequest(list_services="")])
        (answer,) = ServerReflectionStub(channel).ServerReflectionInfo(asked, timeout=20)
        names = {each.name for each in answer.list_services_response.service}
        assert "verifier.v1.Verifier" in names
    with secured.http() as http:
        assert {http.get(path).status_code for path in ("/healthz", "/readyz")} == {200}


def test_what_a_client_says_of_itself_is_checked(secured: Secured) -> None:
    with secured.channel() as channel:
        for more, said in (
            ({"client": "x" * 129}, "touchstone-client: 1 to 128 printable ASCII characters, got "),
            ({"priority": "urgent"}, "touchstone-priority: one of low, normal, high, got 'urgent'"),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                verify(channel, bearer(secured.token, **more))
            assert caught.value.code() == CODE.INVALID_ARGUMENT
            assert caught.value.details().startswith(said)
    with secured.http() as http:
        headers = {"Authorization": f"Bearer {secured.token}", "Touchstone-Priority": "urgent"}
        answer = http.post("/v1/verify", json=ITEM, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("touchstone-priority: one of")


def test_a_used_up_quota_says_when_to_come_again(secured: Secured) -> None:
    slow = bearer(secured.slow)
    with secured.channel() as channel:
        assert verify_batch(channel, 60, slow) == 60
        with pytest.raises(grpc.RpcError) as caught:
            verify_batch(channel, 30, slow)
        assert caught.value.code() == CODE.RESOURCE_EXHAUSTED
        assert caught.value.details() == "items_per_minute of 'slow': at most 60, 30 more came"
        pushback = dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"]
        assert 20_000 < int(pushback) <= 30_000
        assert verify(channel, bearer(secured.token)).reward == 1.0  # another's is another
    with secured.http() as http:
        headers = {"Authorization": f"Bearer {secured.slow}"}
        answer = http.post("/v1/verify_batch", json={"items": [ITEM] * 30}, headers=headers)
        assert answer.status_code == 429
        assert 20 < int(answer.headers["retry-after"]) <= 30


def test_tokens_are_read_again_at_a_hangup(secured: Secured) -> None:
    file, log = secured.folder / "tokens.toml", secured.server.log
    before, new = file.read_text(), tokens.fresh()

    def hang_up(said: str) -> None:
        seen = log.read_text().count(said)
        os.kill(secured.server.pid, signal.SIGHUP)
        wait_for(lambda: log.read_text().count(said) > seen)

    with secured.channel() as channel:
        file.write_text(before + table("late", new))
        with pytest.raises(grpc.RpcError):
            verify(channel, bearer(new))
        hang_up(f"read again: {file}")
        assert verify(channel, bearer(new)).reward == 1.0
        file.write_text(before + 'nonsense = "ts_secret"')
        hang_up("the old tokens stay: --tokens: ")
        assert verify(channel, bearer(new)).reward == 1.0
        file.write_text(before)
        hang_up(f"read again: {file}")
        with pytest.raises(grpc.RpcError) as caught:
            verify(channel, bearer(new))
        assert caught.value.code() == CODE.UNAUTHENTICATED
        assert verify(channel, bearer(secured.token)).reward == 1.0


def test_no_secret_is_in_the_log_or_in_an_answer(secured: Secured) -> None:
    """After the other tests: what the server said in all of them, and what it says when its judge's
    endpoint repeats the key."""
    judged = pb.Item(id="j", prompt="p", response="r")
    judged.judge.mode = pb.JudgeTask.REFERENCE
    judged.judge.reference = "x"
    stranger = tokens.fresh()
    said = []
    with secured.channel() as channel:
        call = channel.unary_unary(
            METHOD + "Verify", pb.Item.SerializeToString, pb.Verdict.FromString
        )
        verdict = call(judged, timeout=20, metadata=bearer(secured.token))
        assert verdict.status == pb.Verdict.JUDGE_ERROR
        assert "[key]" in str(verdict)
        said.append(str(verdict))
        with pytest.raises(grpc.RpcError) as caught:
            verify(channel, bearer(stranger))
        said.append(str(caught.value))
        call = channel.unary_stream(METHOD + "VerifyBatch")
        with pytest.raises(grpc.RpcError) as caught:
            list(call(b"\xff", timeout=20, metadata=bearer(secured.slow)))
        said.append(str(caught.value))
    log = secured.server.log.read_text()
    assert "touchstone" in log
    assert "DEBUG" in log
    private = (secured.folder / "server.key").read_text().splitlines()[1:-1]
    secrets = [secured.token, secured.slow, stranger, KEY, "ts_secret", *private]
    hashes = [tokens.digest(each).hex() for each in (secured.token, secured.slow)]
    for secret in (*secrets, *hashes):
        assert secret not in log
        assert not any(secret in each for each in said)
