"""The service over a real connection: contract, bad input, cancellation, many items."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from sandbox.languages import NAMES
from tests.verifier.support import (
    ADD,
    FOREVER,
    SLEEP,
    code_item,
    math_item,
    new_programs,
    wait_for,
)
from verifier.client import AsyncVerifierClient, ServiceError, VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def client(server: EmbeddedServer) -> Iterator[VerifierClient]:
    with VerifierClient(server.address) as client:
        yield client


@pytest.fixture
def channel(server: EmbeddedServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as channel:
        yield channel


@pytest.fixture(scope="module")
def silence(server: EmbeddedServer) -> Iterator[grpc.Future]:
    """A call that says nothing for 36 s, in which its client pings. Other tests go on meanwhile."""
    options = [
        ("grpc.keepalive_time_ms", 10_500),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    item = code_item("slow", "import time\ntime.sleep(36)\n" + ADD)
    item.code.limits.cpu_seconds = 20
    del item.code.tests[1:]
    with grpc.insecure_channel(server.address, options=options) as channel:
        yield VerifierStub(channel).Verify.future(item, timeout=80)


@pytest.mark.usefixtures("silence")  # it begins here
def test_math_and_code_verdicts(client: VerifierClient) -> None:
    right, wrong, accepted, rejected = client.verify(
        [
            math_item("right", "2+2"),
            math_item("wrong", "5"),
            code_item("accepted", ADD),
            code_item("rejected", "print(3)\n"),
        ]
    )
    assert (right.id, right.status, right.reward) == ("right", pb.Verdict.OK, 1.0)
    assert right.parts[0].name == "accuracy"
    assert right.parts[0].reason == pb.Part.match
    assert right.extracted == "2+2"
    assert right.evidence.math.source == "boxed"
    assert right.provenance.verifier == "math"
    assert (wrong.status, wrong.reward) == (pb.Verdict.OK, 0.0)
    assert wrong.HasField("reward")
    assert wrong.parts[0].reason == pb.Part.no_match
    assert accepted.reward == 1.0
    assert accepted.provenance.sandbox_tier in ("T1", "T2", "T3")
    assert [test.reason for test in accepted.evidence.code.tests] == [pb.Part.accepted] * 2
    assert rejected.reward == 0.0
    assert rejected.parts[0].reason == pb.Part.wrong_answer
    assert rejected.evidence.code.tests[1].got == "3\n"
    assert accepted.timing.ran_ms > 0


def test_recipes_add_up(client: VerifierClient) -> None:
    zero = "<think>two and two make four</think> <answer>\\boxed{4}</answer>"
    items = [
        pb.Item(response=zero, math=pb.MathTask(gold=["4"]), recipe="r1_zero"),
        pb.Item(response="\\boxed{4}", math=pb.MathTask(gold=["4"]), recipe="r1_zero"),
        pb.Item(response=zero, math=pb.MathTask(gold=["5"]), recipe="r1_reasoning", language="en"),
        pb.Item(response=zero, math=pb.MathTask(gold=["4"]), recipe="r1_reasoning", language="zh"),
        pb.Item(
            response=zero,
            math=pb.MathTask(gold=["4"]),
            inline_recipe=pb.Recipe(
                parts=[
                    pb.RecipePart(name="accuracy", weight=2.0),
                    pb.RecipePart(name="format", weight=0.5, options={"style": "r1"}),
                ]
            ),
        ),
    ]
    verdicts = client.verify(items)
    assert [verdict.reward for verdict in verdicts] == [2.0, 1.0, 2.0, 2.0, 2.5]
    assert [part.name for part in verdicts[2].parts] == ["accuracy", "format", "language"]
    assert verdicts[0].provenance.recipe == "r1_zero"
    assert len(verdicts[0].provenance.recipe_hash) == 16
    assert verdicts[4].provenance.recipe == "inline"


def test_one_batch_of_5000_keeps_every_id_in_its_place(channel: grpc.Channel) -> None:
    rng = random.Random(7)
    truth = [rng.random() < 0.5 for _ in range(5000)]
    items = [
        code_item(f"item-{n}", ADD if right else "print(0)\n")
        if n % 250 == 0
        else math_item(f"item-{n}", str(n if right else n + 1), gold=str(n))
        for n, right in enumerate(truth)
    ]
    seen: dict[int, pb.Verdict] = {}
    for message in VerifierStub(channel).VerifyBatch(pb.Batch(items=items)):
        for indexed in message.verdicts:
            assert indexed.index not in seen
            seen[indexed.index] = indexed.verdict
    assert sorted(seen) == list(range(5000))
    for n, right in enumerate(truth):
        assert seen[n].id == f"item-{n}"
        assert (seen[n].status, seen[n].reward) == (pb.Verdict.OK, float(right))


def test_client_splits_many_items_and_puts_them_back_in_order(client: VerifierClient) -> None:
    items = [math_item(str(n), str(n % 3), gold="1") for n in range(2000)]
    verdicts = client.verify(items)
    assert [verdict.id for verdict in verdicts] == [item.id for item in items]
    assert [verdict.reward for verdict in verdicts] == [float(n % 3 == 1) for n in range(2000)]
    assert client.verify([]) == []


async def test_async_client_and_stream(server: EmbeddedServer) -> None:
    items = [math_item(str(n), "4") for n in range(1500)] + [code_item("c", ADD)]
    async with AsyncVerifierClient(server.address) as client:
        first, second = await asyncio.gather(client.verify(items), client.verify(items[::-1]))
        assert [verdict.id for verdict in first] == [item.id for item in items]
        assert [verdict.id for verdict in second] == [item.id for item in items[::-1]]
        assert all(verdict.reward == 1.0 for verdict in first)
        assert (await client.describe()).sandbox_tier


async def test_verify_stream_numbers_items_over_the_whole_stream(server: EmbeddedServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = VerifierStub(channel).VerifyStream()
        places: dict[int, str] = {}
        for start in range(0, 6000, 100):
            batch = pb.Batch(items=[math_item(str(n), "4") for n in range(start, start + 100)])
            await call.write(batch)
        await call.done_writing()
        async for message in call:
            places |= {indexed.index: indexed.verdict.id for indexed in message.verdicts}
        assert places == {n: str(n) for n in range(6000)}


async def test_stream_answers_before_the_client_has_finished(server: EmbeddedServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = VerifierStub(channel).VerifyStream()
        for n in range(3):
            await call.write(pb.Batch(items=[math_item(str(n), "4")]))
            message = await asyncio.wait_for(call.read(), 5)
            assert message.verdicts[0].verdict.id == str(n)
        await call.done_writing()
        assert await call.read() == grpc.aio.EOF


def test_describe_health_and_reflection(client: VerifierClient, channel: grpc.Channel) -> None:
    told = client.describe()
    assert [task.name for task in told.tasks] == ["math", "code", "choice", "instructions"]
    assert {recipe.name for recipe in told.recipes} >= {"r1_zero", "r1_reasoning", "judge_only"}
    assert told.judge_model == ""
    assert told.toolchains[0].language == "python"
    assert {toolchain.language for toolchain in told.toolchains} <= set(NAMES)
    assert told.limits.batch_items == 16_384
    assert told.limits.code.cpu_seconds > 0
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "verifier.v1.Verifier"):
        reply = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="verifier.v1.Item")
    replies = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
        iter([request])
    )
    found = next(iter(replies)).file_descriptor_response.file_descriptor_proto
    names = [FileDescriptorProto.FromString(raw).name for raw in found]
    assert "verifier/v1/verifier.proto" in names


def test_each_bad_item_is_answered_and_the_others_too(client: VerifierClient) -> None:
    bad = {
        "no task": pb.Item(response="4"),
        "zero tests": pb.Item(code=pb.CodeTask(language="python")),
        "language": pb.Item(
            code=pb.CodeTask(language="cobol", tests=[pb.CodeTest(stdin="", stdout="")])
        ),
        "recipe": math_item("", "4", recipe="r99"),
        "gold": pb.Item(response="\\boxed{4}", math=pb.MathTask(gold=["\\frac{1}{"])),
        "response": pb.Item(response="x" * (10 * MIB), math=pb.MathTask(gold=["4"])),
        "cpu_seconds": code_item("", ADD),
    }
    bad["cpu_seconds"].code.limits.cpu_seconds = 1e9
    items = []
    for n, (field, item) in enumerate(bad.items()):
        item.id = field
        items += [item, math_item(f"good {n}", "4")]
    for item, verdict in zip(items, client.verify(items), strict=True):
        assert verdict.id == item.id
        if item.id.startswith("good"):
            assert verdict.reward == 1.0
            continue
        assert verdict.status == pb.Verdict.INVALID
        assert not verdict.HasField("reward")
        named = {"no task": "task", "zero tests": "code.tests", "gold": "math.gold"}
        assert named.get(item.id, item.id) in verdict.evidence.message
        assert "got" in verdict.evidence.message or item.id == "gold"


def test_empty_response_is_no_answer(client: VerifierClient) -> None:
    math, code = client.verify(
        [
            pb.Item(math=pb.MathTask(gold=["4"])),
            pb.Item(code=pb.CodeTask(language="python", tests=[pb.CodeTest(stdout="4")])),
        ]
    )
    assert (math.status, math.reward, math.parts[0].reason) == (
        pb.Verdict.OK, 0.0, pb.Part.no_answer,
    )  # fmt: skip
    assert (code.status, code.reward, code.parts[0].reason) == (
        pb.Verdict.OK, 0.0, pb.Part.no_program,
    )  # fmt: skip


def test_invalid_utf8_costs_only_its_own_item(channel: grpc.Channel) -> None:
    good = math_item("good", "4").SerializeToString()
    bad = math_item("bad", "4").SerializeToString().replace(b"Let me see", b"Let \xff\xfe see")
    raw = b"".join(b"\x0a" + bytes([len(item)]) + item for item in (good, bad, good))
    call = channel.unary_stream(
        "/verifier.v1.Verifier/VerifyBatch", response_deserializer=pb.Verdicts.FromString
    )
    verdicts = {i.index: i.verdict for message in call(raw) for i in message.verdicts}
    assert [verdicts[n].id for n in range(3)] == ["good", "bad", "good"]
    assert verdicts[0].reward == verdicts[2].reward == 1.0
    assert verdicts[1].status == pb.Verdict.INVALID
    assert verdicts[1].evidence.message.startswith("response: not UTF-8 at byte")


def test_bytes_that_are_no_request(channel: grpc.Channel, client: VerifierClient) -> None:
    call = channel.unary_stream("/verifier.v1.Verifier/VerifyBatch")
    with pytest.raises(grpc.RpcError) as caught:
        list(call(b"\x0a\xff\xff\xff\xff\x0f"))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
    assert client.verify([math_item("still up", "4")])[0].reward == 1.0


def test_batch_beyond_its_limit_is_refused_by_name(channel: grpc.Channel) -> None:
    batch = pb.Batch(items=[pb.Item()] * 16_385)
    with pytest.raises(grpc.RpcError) as caught:
        list(VerifierStub(channel).VerifyBatch(batch))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
    assert caught.value.details() == "Batch.items: at most 16384 items, got more"  # type: ignore[attr-defined]


def test_deadlines_of_items(client: VerifierClient) -> None:
    over, short, enough = client.verify(
        [
            math_item("over", "4", deadline_ms=0),
            code_item("short", SLEEP, deadline_ms=300),
            code_item("enough", ADD, deadline_ms=20_000),
        ]
    )
    assert over.status == pb.Verdict.TIMEOUT
    assert "deadline_ms" in over.evidence.message
    assert short.status == pb.Verdict.TIMEOUT
    assert not short.HasField("reward")
    assert "deadline_ms: 300 ms" in short.evidence.message
    assert short.timing.ran_ms < 15_000  # not half a minute
    assert enough.reward == 1.0


@pytest.mark.alone
def test_deadline_of_a_call_ends_its_work(server: EmbeddedServer) -> None:
    working = new_programs(server)
    with VerifierClient(server.address, timeout_s=3) as client:
        with pytest.raises(ServiceError) as caught:
            client.verify([math_item("quick", "4"), code_item("slow", SLEEP)])
        assert caught.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert caught.value.verdicts[0].reward == 1.0
    wait_for(lambda: not working(), 2.0)


@pytest.mark.alone
def test_cancelling_ends_the_work_within_a_second(server: EmbeddedServer) -> None:
    working = new_programs(server)
    with VerifierClient(server.address) as client:
        stream = client.stream([math_item("quick", "4")] + [code_item("x", SLEEP)] * 20)
        assert next(stream)[1].reward == 1.0
        wait_for(lambda: bool(working()))
        stream.close()
        wait_for(lambda: not working(), 1.0)
        assert client.verify([code_item("next", ADD)])[0].reward == 1.0


@pytest.mark.alone
def test_a_vanished_client_costs_nothing_more(server: EmbeddedServer) -> None:
    working = new_programs(server)
    client = VerifierClient(server.address)
    stream = client.stream([math_item("quick", "4")] + [code_item("x", FOREVER)] * 20)
    next(stream)
    wait_for(lambda: bool(working()))
    client.close()
    wait_for(lambda: not working(), 2.0)


def test_unread_verdicts_use_up_the_room_and_cancelling_gives_it_back(
    server: EmbeddedServer,
) -> None:
    """A client that never reads cannot make the server hold more than its limit."""
    batch = pb.Batch(items=[math_item("x" * 2000, "4")] * 16_000)
    options = [("grpc.enable_retries", 0), ("grpc.max_send_message_length", 256 * MIB)]
    with grpc.insecure_channel(server.address, options=options) as channel:
        stub = VerifierStub(channel)
        calls = []

        def send_until_refused() -> None:
            while True:
                calls.append(stub.VerifyBatch(batch))
                next(iter(calls[-1]))

        with pytest.raises(grpc.RpcError) as caught:
            send_until_refused()
        # 64,000 of 65,536 alone, 48,000 beside another caller.
        assert len(calls[:-1]) in (3, 4)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[attr-defined]
        assert "items_in_flight: at most" in caught.value.details()  # type: ignore[attr-defined]
        for call in calls:
            call.cancel()

        def room() -> bool:
            try:
                return sum(len(m.verdicts) for m in stub.VerifyBatch(batch)) == 16_000
            except grpc.RpcError:
                return False

        wait_for(room, 20.0)


def slowest(client: VerifierClient) -> float:
    """Seconds that the slowest of the tiny calls of two seconds takes."""
    worst, end = 0.0, time.monotonic() + 2.0
    while time.monotonic() < end:
        started = time.monotonic()
        assert client.verify([math_item("tiny", "4")])[0].reward == 1.0
        worst = max(worst, time.monotonic() - started)
    return worst


@pytest.mark.alone
@pytest.mark.parametrize("streamed", [False, True])
def test_one_slow_batch_leaves_others_their_turn(
    server: EmbeddedServer, channel: grpc.Channel, streamed: bool
) -> None:
    """A tiny item of another client while a batch of the costliest comparisons runs."""
    sums = "+".join(["99999^{999}"] * 320)
    costly = [math_item(str(n), f"{sums}+{n}+i", gold="x") for n in range(100)]
    with VerifierClient(server.address) as attacker, VerifierClient(server.address) as client:
        calls = VerifierStub(channel)
        stream = (
            calls.VerifyStream(iter([pb.Batch(items=costly)]))
            if streamed
            else attacker.stream(costly)
        )
        next(stream)  # nothing is sent before
        beside = slowest(client)
        stream.cancel() if streamed else stream.close()
        assert beside < 1.0 + 2 * slowest(client)  # others may work on this machine too


def test_a_long_silence_is_no_reason_to_hang_up(silence: grpc.Future) -> None:
    """A client may ping every 10 s while it waits; gRPC's own minimum is minutes."""
    assert silence.result(timeout=80).reward == 1.0


def test_unreachable_server_is_an_error_not_a_verdict() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with VerifierClient(address, timeout_s=3) as client, pytest.raises(ServiceError) as caught:
        client.verify([math_item("a", "4")])
    assert caught.value.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
