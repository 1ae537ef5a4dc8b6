"""How a call that is not let in is told: code, reason, and when to come again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from tests.verifier.support import math_item
from verifier.limits import Limits
from verifier.server import Server, Settings
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub

CALLS = "/verifier.v1.Verifier/"
NO_MESSAGE = b"\x0a\xff\xff\xff\xff\x0f"


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    limits = Limits(items_in_flight=100, batch_items=1000)
    settings = Settings(listen="127.0.0.1:0", sandbox="none", limits=limits)
    async with Server(settings) as server, grpc.aio.insecure_channel(server.address) as channel:
        yield channel


def hint(error: grpc.aio.AioRpcError) -> int:
    return int(dict(error.trailing_metadata() or ())["grpc-retry-pushback-ms"])


@pytest.mark.parametrize("streamed", [False, True])
async def test_bytes_that_are_no_message(channel: grpc.aio.Channel, streamed: bool) -> None:
    """Also in a stream at whose other end verdicts are on their way."""

    async def send() -> None:
        if not streamed:
            await channel.unary_unary(CALLS + "Describe")(NO_MESSAGE)
            return
        call = channel.stream_stream(CALLS + "VerifyStream")()
        await call.write(pb.Batch(items=[math_item("a", "4")] * 50).SerializeToString())
        await call.write(NO_MESSAGE)
        while await asyncio.wait_for(call.read(), 5) is not grpc.aio.EOF:
            pass

    for _ in range(20):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await send()
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "not a protobuf message" in (caught.value.details() or "")


async def test_what_is_full_says_when_to_come_again(channel: grpc.aio.Channel) -> None:
    stub = VerifierStub(channel)
    full = stub.VerifyBatch(pb.Batch(items=[math_item("x" * 400_000, "4")] * 100))
    await full.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.VerifyBatch(pb.Batch(items=[math_item("a", "4")] * 100)).read()
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert 50 <= hint(caught.value) <= 12_000
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.VerifyBatch(pb.Batch(items=[math_item("a", "4")] * 101)).read()
    assert hint(caught.value) == -1000, "there will never be room"
    full.cancel()


async def test_thousands_of_calls_at_once_are_all_answered() -> None:
    """More than gRPC lets wait of itself."""
    settings = Settings(listen="127.0.0.1:0", sandbox="none")
    async with Server(settings) as server, grpc.aio.insecure_channel(server.address) as channel:
        verify = VerifierStub(channel).Verify
        found = await asyncio.gather(*(verify(math_item(str(n), "4")) for n in range(4000)))
        assert [verdict.id for verdict in found] == [str(n) for n in range(4000)]
