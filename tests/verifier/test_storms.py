"""Thousands of calls that are given up at any moment leave nothing behind, and hold up nobody."""

from __future__ import annotations

import asyncio
import random
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.verifier.seeing.support import Running, started
from tests.verifier.support import (
    ADD,
    SLEEP,
    SLOW_IDENTITY,
    code_item,
    descendants,
    math_item,
)
from verifier import desk
from verifier.client import VerifierClient
from verifier.limits import Limits
from verifier.serve_cli import SHARED_MEMORY
from verifier.server import Server, Settings
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub

CALLS = 1_000
STANDING = ("touchstone_items_in_flight", "touchstone_queue_waiting", "touchstone_at_work")


@pytest.fixture(scope="module", params=["1", "2"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    options = ("--listen", "127.0.0.1:0", "--metrics-port", "0", "--log-level", "info")
    folder = tmp_path_factory.mktemp("server")
    with started(folder, "verifier.cli", "--processes", request.param, *options) as running:
        yield running


def engine(server: Running) -> int:
    """One of the engine processes."""
    below = descendants(server.process.pid)
    return next(pid for pid, command in below.items() if "spawn_main" in " ".join(command))


def standing(server: Running) -> dict[str, float]:
    """What the server holds, by metric and lane."""
    with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    return {
        name: float(figure)
        for name, _, figure in (line.rpartition(" ") for line in lines)
        if name.partition("{")[0] in STANDING
    }


async def wait_until_nothing_stands(server: Running, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while any((held := await asyncio.to_thread(standing, server)).values()):
        assert time.monotonic() < end, held
        await asyncio.sleep(0.2)
    assert {name.partition("{")[0] for name in held} == set(STANDING)


def some_items(chance: random.Random) -> list[pb.Item]:
    """Mostly quick ones; some that wait for a slot or a worker."""
    kinds = [
        lambda name: math_item(name, "4"),
        lambda name: math_item(name, f"{SLOW_IDENTITY} + {name}", gold="n x"),
        lambda name: code_item(name, SLEEP),
        lambda name: pb.Item(id=name, response="4"),
    ]
    made = (chance.choices(kinds, [50, 1, 1, 3])[0] for _ in range(chance.choice([0, 1, 3, 30])))
    return [make(str(n)) for n, make in enumerate(made)]


async def test_calls_given_up_at_any_moment_leave_nothing_behind(server: Running) -> None:
    chance = random.Random(9)
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = VerifierStub(channel)

        async def give_up(number: int) -> None:
            items = some_items(chance)
            metadata = [("touchstone-client", f"storm-{number % 7}")]
            if number % 3:
                call = stub.VerifyBatch(pb.Batch(items=items), metadata=metadata)
            else:
                call = stub.VerifyStream(metadata=metadata)
                await call.write(pb.Batch(items=items))
            await asyncio.sleep(chance.choice([0, 0.02, 0.3]) * chance.random())
            call.cancel()

        for _ in range(4):
            await asyncio.gather(*(give_up(n) for n in range(CALLS // 4)), return_exceptions=True)
        after = await asyncio.wait_for(stub.Verify(code_item("after", ADD)), 60)
    assert after.reward == 1.0
    await wait_until_nothing_stands(server)


async def test_who_gives_up_holds_up_no_other(server: Running) -> None:
    """A call whose programs are being ended is not waited for by others."""
    with VerifierClient(server.address, client="gives up") as client:
        streams = [client.stream([math_item("q", "4"), code_item("x", SLEEP)]) for _ in range(8)]
        for stream in streams:
            next(stream)
        started_at = time.monotonic()
        for stream in streams:
            stream.close()
        with VerifierClient(server.address, client="other") as other:
            verdicts = other.verify([math_item(str(n), "4") for n in range(50)])
    assert [verdict.reward for verdict in verdicts] == [1.0] * 50
    assert time.monotonic() - started_at < 20.0  # the programs take half a minute
    await wait_until_nothing_stands(server)


def test_what_is_counted_together_is_on_no_disk_and_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose disk is full loses no process by it, and a variable of a trainer's engine is not ours."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "another's"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    options = ("--listen", "127.0.0.1:0", "--metrics-port", "0", "--sandbox", "none")
    with started(tmp_path / "server", "verifier.cli", "--processes", "2", *options) as running:
        environment = Path(f"/proc/{engine(running)}/environ").read_bytes().decode()
        (folder,) = re.findall(r"PROMETHEUS_MULTIPROC_DIR=([^\0]+)", environment)
        assert list(Path(folder).iterdir())
        assert folder.startswith(SHARED_MEMORY)
    assert not Path(folder).exists()


async def test_a_stream_that_ends_while_its_quota_is_used_up_holds_no_place(
    tmp_path: Path,
) -> None:
    tokens = tmp_path / "tokens.toml"
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # of "test"
    tokens.write_text(
        f'[[caller]]\nname = "a"\nsha256 = "{digest}"\nitems_per_minute = 1\nitems_in_flight = 5\n'
    )
    settings = Settings(
        listen="127.0.0.1:0", sandbox="none", tokens=tokens, limits=Limits(items_in_flight=10)
    )
    metadata = [("authorization", "Bearer test")]
    async with Server(settings) as server, grpc.aio.insecure_channel(server.address) as channel:
        stub = VerifierStub(channel)
        for _ in range(8):  # more than there are places
            call = stub.VerifyStream(metadata=metadata)
            await call.write(pb.Batch(items=[math_item("a", "4")] * 2))
            await asyncio.sleep(0.05)
            call.cancel()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(stub.Verify(math_item("b", "4"), metadata=metadata), 60)
        assert "items_per_minute" in (caught.value.details() or ""), "and not items_in_flight"


async def answers(call: Any) -> list[pb.Verdicts]:
    """None at all where the server has no room."""
    try:
        return [message async for message in call]
    except grpc.aio.AioRpcError as error:
        if "items_in_flight" not in (error.details() or ""):
            raise
        return []


async def read_all(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


@pytest.mark.parametrize("method", ["VerifyBatch", "VerifyStream"])
async def test_who_does_not_read_keeps_no_other_out(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(desk, "STALLED_SECONDS", 1.0)
    settings = Settings(listen="127.0.0.1:0", sandbox="none", limits=Limits(items_in_flight=400))
    large = [math_item("x" * 400_000, "4")] * 100
    async with Server(settings) as server, grpc.aio.insecure_channel(server.address) as channel:
        stub = VerifierStub(channel)
        unread = []
        for name in "abcd":
            metadata = [("touchstone-client", name)]
            if method == "VerifyBatch":
                call = stub.VerifyBatch(pb.Batch(items=large), metadata=metadata)
            else:
                call = stub.VerifyStream(metadata=metadata)
                await call.write(pb.Batch(items=large))
            await call.read()
            unread.append(call)
        wanted = pb.Batch(items=[math_item("e", "4")] * 80)
        with pytest.raises(grpc.aio.AioRpcError, match="items_in_flight"):
            await stub.VerifyBatch(wanted).read()
        async with asyncio.timeout(60):
            while not (answered := await answers(stub.VerifyBatch(wanted))):
                await asyncio.sleep(0.1)
        assert sum(len(message.verdicts) for message in answered) == 80
        ends = await asyncio.gather(*(read_all(call) for call in unread), return_exceptions=True)
        cut = [end for end in ends if end is not None]
        assert cut, "others' places were needed"
        for error in cut:
            assert isinstance(error, grpc.aio.AioRpcError)
            assert error.code() == grpc.StatusCode.UNAVAILABLE
            assert "nothing was read for 1 s" in (error.details() or "")
