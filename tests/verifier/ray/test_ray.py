"""The service on a real cluster of three nodes, one of which is killed under load."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import grpc
import pytest

from tests.verifier.ray.environment import PYTHON, ROOT, ready
from tests.verifier.ray.support import Nodes, Serving, cluster, serving
from tests.verifier.support import (
    ADD,
    SLEEP,
    code_item,
    descendants,
    math_item,
    programs,
    wait_for,
)
from verifier.client import Verdict, VerifierClient
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        not ready(), reason="no environment with Ray (python -m tests.verifier.ray.environment)"
    ),
]

ITEMS, PROGRAM_AT = 1_800, 150
"""Four batches of the client's, 24 programs."""


BUILD = """
from verifier.ray.app import build
made = build({"cpus": 2, "replicas_max": 3, "require_tier": "T1", "tokens": "/tokens.toml"})
options = made._bound_deployment.ray_actor_options, made._bound_deployment.init_args[0]
print(options[0]["num_cpus"], options[1].slots, options[1].require_tier, options[1].tokens)
try:
    build({"cpu": 2})
except ValueError as error:
    print(error)
"""


def test_the_application_is_built_from_a_configuration() -> None:
    done = subprocess.run(
        [PYTHON, "-c", BUILD], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    built, refused = done.stdout.splitlines()
    assert built == "2 2 T1 /tokens.toml", done.stderr
    assert refused.startswith("args of touchstone: ")
    assert "'cpu'" in refused


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with cluster(3) as running:
        yield running


@pytest.fixture(scope="module")
def service(nodes: Nodes) -> Iterator[Serving]:
    with serving(nodes, "--replicas-min", "3") as running:
        yield running


@pytest.fixture
def channel(service: Serving) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(service.address) as channel:
        yield channel


def _mixed(salt: str) -> list[pb.Item]:
    """Half of them right; programs that no earlier run has seen, and that take half a second."""
    items = []
    for place in range(ITEMS):
        right = place % 2 == 0
        if place % PROGRAM_AT < 2:
            program = f"# {salt} {place}\nimport time\ntime.sleep(0.25)\n"
            items.append(code_item(str(place), program + (ADD if right else "print(0)\n")))
        else:
            items.append(math_item(str(place), "4" if right else "5"))
    return items


def test_every_method_answers(service: Serving, channel: grpc.Channel) -> None:
    stub = VerifierStub(channel)
    assert stub.Describe(pb.DescribeRequest()).sandbox_tier == "T3"
    assert stub.Verify(math_item("one", "4")).reward == 1
    with VerifierClient(service.address) as client:
        verdicts = client.verify([math_item("a", "5"), code_item("b", ADD)])
    assert [(verdict.id, verdict.reward) for verdict in verdicts] == [("a", 0), ("b", 1)]
    batches = (pb.Batch(items=[math_item(str(place), "4")]) for place in range(3))
    came = {
        one.index: one.verdict for message in stub.VerifyStream(batches) for one in message.verdicts
    }
    assert {index: verdict.id for index, verdict in came.items()} == {0: "0", 1: "1", 2: "2"}


def test_an_unreadable_item_does_not_lose_its_batch(channel: grpc.Channel) -> None:
    bad = pb.Item(id="bad").SerializeToString() + b"\x1a\x02\xff\xfe"
    parts = [math_item("a", "4").SerializeToString(), bad, math_item("b", "4").SerializeToString()]
    raw = b"".join(b"\x0a" + bytes([len(part)]) + part for part in parts)
    call = channel.unary_stream(
        "/verifier.v1.Verifier/VerifyBatch", response_deserializer=pb.Verdicts.FromString
    )
    verdicts = {one.index: one.verdict for message in call(raw) for one in message.verdicts}
    assert [verdicts[place].status for place in range(3)] == [
        Verdict.OK,
        Verdict.INVALID,
        Verdict.OK,
    ]
    assert verdicts[1].evidence.message == "response: not UTF-8 at byte 0 of 2"


def test_refusals_are_those_of_the_service(channel: grpc.Channel) -> None:
    call = VerifierStub(channel).VerifyBatch(pb.Batch(items=[pb.Item()] * 16_385))
    with pytest.raises(grpc.RpcError) as refused:
        next(call)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "Batch.items: at most 16384 items, got more"


def test_a_full_service_says_when_to_come_again(channel: grpc.Channel) -> None:
    stub = VerifierStub(channel)
    most = pb.Batch(items=[code_item("", SLEEP)] * 16_384)
    calls = [stub.VerifyBatch(most) for _ in range(13)]  # a replica takes four of them
    refused = threading.Event()
    for call in calls:
        call.add_callback(refused.set)
    assert refused.wait(20)
    ended = next(call for call in calls if not call.is_active())
    assert ended.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "items_in_flight: at most 65536" in ended.details()
    assert int(dict(ended.trailing_metadata())["grpc-retry-pushback-ms"]) > 0
    for call in calls:
        call.cancel()


@pytest.mark.parametrize("reads", [True, False])
def test_a_cancelled_call_stops_its_programs_within_a_second(
    service: Serving, channel: grpc.Channel, reads: bool
) -> None:
    def at_work() -> int:
        return sum(len(programs(pid)) for pid in service.replicas())

    wait_for(lambda: at_work() == 0)
    large = [] if reads else [math_item("x" * 100_000, "4")] * 300
    call = VerifierStub(channel).VerifyBatch(pb.Batch(items=[*large, code_item("", SLEEP)]))
    wait_for(lambda: at_work() > 0)
    call.cancel()
    wait_for(lambda: at_work() == 0, 1.0)
    # The proxy has outlived it.
    assert VerifierStub(channel).Verify(math_item("one", "4")).reward == 1


def test_other_machines_are_turned_away(service: Serving) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        own = probe.getsockname()[0]
    if own.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    port = service.address.rpartition(":")[2]
    with grpc.insecure_channel(f"{own}:{port}") as channel, pytest.raises(grpc.RpcError) as refused:
        VerifierStub(channel).Describe(pb.DescribeRequest())
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_a_node_killed_under_load_costs_no_item_and_changes_no_reward(
    nodes: Nodes, service: Serving
) -> None:
    with VerifierClient(service.address) as client:
        calm = [verdict.reward for verdict in client.verify(_mixed("calm"))]
    assert calm == [1 - place % 2 for place in range(ITEMS)]
    before = set(service.replicas())
    assert len(before) == 3
    killed: list[int] = []

    def kill() -> None:
        """The first node but the head that has programs at work, whose items are then lost."""
        while not killed:
            for node in (1, 2):
                if not killed and any(map(programs, descendants(nodes.nodes[node]))):
                    killed.append(node)
                    nodes.kill(node)
            time.sleep(0.02)

    killing = threading.Thread(target=kill)
    killing.start()
    with VerifierClient(service.address) as client:
        came = list(client.stream(_mixed("storm")))
    killing.join()
    assert sorted(place for place, _ in came) == list(range(ITEMS))
    assert all(verdict.id == str(place) for place, verdict in came)
    assert [verdict.reward for _, verdict in sorted(came, key=lambda one: one[0])] == calm
    assert len(before & set(service.replicas())) == 2


def test_it_ends_in_order(service: Serving) -> None:
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 30
    wait_for(lambda: not service.replicas())
