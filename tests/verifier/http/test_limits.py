"""Limits, slow clients and the end of a server, in servers with small limits in this process."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest

from verifier.desk import Desk
from verifier.http import body, front, guard
from verifier.http.app import Front, application
from verifier.limits import Limits
from verifier.server import ListenError, Server, Settings

HEAD = b"POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
ITEM = {"response": "\\boxed{4}", "math": {"gold": ["4"]}}


@asynccontextmanager
async def serving(**limits: int) -> AsyncIterator[tuple[Server, httpx2.AsyncClient]]:
    settings = Settings(
        listen="127.0.0.1:0",
        sandbox="none",
        http="127.0.0.1:0",
        grace_seconds=0.5,
        limits=Limits(**limits),
    )
    async with (
        Server(settings) as server,
        httpx2.AsyncClient(base_url=f"http://{server.http_address}", timeout=30) as client,
    ):
        yield server, client


async def connect(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = server.http_address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of what comes until the server hangs up or the body is whole."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    text = await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers, json.loads(text)


async def hung_up(reader: asyncio.StreamReader) -> bool:
    """Whether nothing but the end comes within some seconds."""
    try:
        return await asyncio.wait_for(reader.read(1), 10) == b""
    except ConnectionError:
        return True


async def told(client: httpx2.AsyncClient, status: int) -> httpx2.Response:
    """The first answer with this status; what other connections did may not be noticed yet."""
    async with asyncio.timeout(30):
        while (found := await client.post("/v1/verify", json=ITEM)).status_code != status:
            await asyncio.sleep(0.05)
    return found


async def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    async with serving(message_bytes=1000) as (server, client):
        reader, writer = await connect(server)
        writer.write(HEAD + b"Content-Length: 1001\r\n\r\n")
        status, _, said = await answer(reader)
        assert (status, said) == (413, {"error": "body: at most 1000 bytes, got 1001"})
        writer.close()
        reader, writer = await connect(server)
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        writer.write(b"200\r\n" + b" " * 512 + b"\r\n" + b"200\r\n" + b" " * 512 + b"\r\n")
        status, _, said = await answer(reader)
        assert (status, said) == (413, {"error": "body: at most 1000 bytes, got more"})
        writer.close()
        fits = json.dumps(ITEM).ljust(1000).encode()
        headers = {"Content-Type": "application/json"}
        assert (await client.post("/v1/verify", content=fits, headers=headers)).status_code == 200


async def test_bodies_of_all_clients_are_bounded_together() -> None:
    async with serving(message_bytes=1000) as (server, client):
        held = []
        for _ in range(body.BODIES):
            _, writer = await connect(server)
            writer.write(HEAD + b"Content-Length: 1000\r\n\r\n" + b" " * 999)
            held.append(writer)
        refused = await told(client, 503)
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"].startswith("bodies: at most 2000 bytes of all clients")
        for writer in held:
            writer.close()
        await told(client, 200)


async def test_a_slow_body_and_a_slow_head_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.5)
    monkeypatch.setattr(guard, "HEAD_SECONDS", 0.5)
    async with serving() as (server, client):
        reader, writer = await connect(server)
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n" + b" " * 10)
        status, _, said = await answer(reader)
        assert status == 408
        assert said["error"].startswith("body: 0.5 s and 1 s for each 65536 bytes, got 10 bytes")
        assert await hung_up(reader)  # it waits no longer for the rest
        for begun in (b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"):
            reader, writer = await connect(server)
            writer.write(begun)
            assert await hung_up(reader)
        reader, writer = await connect(server)
        whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        writer.write(whole)
        assert (await answer(reader))[0] == 200
        await asyncio.sleep(1.0)  # idle between two requests is something else
        writer.write(whole)
        assert (await answer(reader))[0] == 200
        writer.write(b"GET /heal")
        assert await hung_up(reader)
        assert (await client.get("/healthz")).status_code == 200


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "CONNECTIONS", 3)
    async with serving() as (server, client):
        held = [await connect(server) for _ in range(3)]
        await asyncio.sleep(0.3)
        reader, _ = await connect(server)
        status, headers, said = await answer(reader)
        assert (status, headers["retry-after"]) == (503, "1")
        assert said == {"error": "connections: at most 3 at once"}
        held[0][1].close()
        await told(client, 200)


async def test_unread_verdicts_use_up_the_room_of_both_services() -> None:
    items = [{"response": f"\\boxed{{{'x' * 2000}}}", "math": {"gold": ["4"]}}] * 2500
    async with serving(items_in_flight=2500) as (_, client):
        async with client.stream("POST", "/v1/verify_batch", json={"items": items}) as unread:
            assert unread.status_code == 200
            refused = await client.post("/v1/verify_batch", json={"items": [{}] * 2500})
            assert refused.status_code == 429
            assert 1 <= int(refused.headers["retry-after"]) <= 12  # by how fast places come free
            said = refused.json()["error"]
            assert said.startswith("items_in_flight: at most 2500, ")
            assert said.endswith(" are at work and 2500 more came")
            assert (await client.post("/v1/verify", json=ITEM)).json()["reward"] == 1.0
        for _ in range(100):
            again = await client.post("/v1/verify_batch", json={"items": [{}] * 2500})
            if again.status_code == 200:
                break
            await asyncio.sleep(0.1)
        assert len(again.text.splitlines()) == 2500


async def test_who_takes_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "SILENT_SECONDS", 4)
    items = [{"response": f"\\boxed{{{'x' * 2000}}}", "math": {"gold": ["4"]}}] * 2500
    async with (
        serving(items_in_flight=2500) as (_, client),
        client.stream("POST", "/v1/verify_batch", json={"items": items}) as unread,
    ):
        assert unread.status_code == 200
        for _ in range(60):
            await asyncio.sleep(0.5)
            another = await client.post("/v1/verify_batch", json={"items": [{}] * 2500})
            if another.status_code == 200:
                break
            assert another.status_code == 429
        else:
            pytest.fail("its verdicts are still kept for it")


async def test_the_end_of_a_server_is_told() -> None:
    async with serving() as (server, client):
        assert (await client.get("/readyz")).status_code == 200
        reader, writer = await connect(server)
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
        await asyncio.sleep(0.3)
    status, headers, said = await answer(reader)
    assert (status, headers["retry-after"]) == (503, "1")
    assert said == {"error": "server: it is stopping"}


async def test_readiness_is_apart_from_liveness() -> None:
    alone = Front(cast(Desk, SimpleNamespace(limits=Limits())))
    transport = httpx2.ASGITransport(application(alone))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/readyz")).status_code == 200
        alone.ready = False
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("0.0.0.0:0", "--http: others can reach '0.0.0.0:0': whoever does can run programs; give --tls-cert and --tls-key, or say with --insecure that they may"),
        ("[::]:0", "others can reach '[::]:0'"),
        ("127.0.0.1", "--http: host:port with a port below 65536, or unix:path, got '127.0.0.1'"),
        ("127.0.0.1:70000", "got '127.0.0.1:70000'"),
        (":8080", "got ':8080'"),
        ("no.such.host.invalid:0", "--http: cannot listen on 'no.such.host.invalid:0': "),
    ],
)  # fmt: skip
async def test_addresses_that_are_refused(address: str, said: str) -> None:
    settings = Settings(listen="127.0.0.1:0", sandbox="none", http=address)
    with pytest.raises(ListenError) as caught:
        async with Server(settings):
            pass
    assert said in str(caught.value)


async def test_addresses_that_are_listened_on() -> None:
    for address, public in (("localhost:0", False), ("127.0.0.2:0", False), ("0.0.0.0:0", True)):
        settings = Settings(listen="127.0.0.1:0", sandbox="none", http=address, insecure=public)
        async with Server(settings) as server, httpx2.AsyncClient() as client:
            at = server.http_address.replace("0.0.0.0", "127.0.0.1")
            assert (await client.get(f"http://{at}/healthz")).status_code == 200
            answer = await client.get(f"http://{at}/healthz", headers={"Host": "rewards.example"})
            assert answer.status_code == (200 if public else 421)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ListenError, match="Address already in use"):
            async with Server(Settings(listen="127.0.0.1:0", sandbox="none", http=address)):
                pass


def test_without_the_extra_it_is_named() -> None:
    program = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from verifier.cli import main\n"
        "sys.argv = ['touchstone', 'serve', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0']\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode != 0
    said = " ".join(ended.stderr.split())
    assert '--http: uvicorn is missing; from a checkout: pip install ".[http]"' in said
