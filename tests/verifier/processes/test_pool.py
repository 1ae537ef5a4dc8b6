"""Several engine processes behind one port: the same answers, and what happens when they die."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx2
import pytest

from tests.verifier.support import (
    ADD,
    SLEEP,
    SLOW_IDENTITY,
    alive,
    code_item,
    descendants,
    math_item,
    new_programs,
    wait_for,
)
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer, ServerFailed
from verifier.v1 import verifier_pb2 as pb


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer("--processes", "2", "--log-level", "warning") as server:
        yield server


@pytest.fixture(scope="module")
def client(server: EmbeddedServer) -> Iterator[VerifierClient]:
    with VerifierClient(server.address) as client:
        yield client


def engines(server: EmbeddedServer) -> list[int]:
    """The engine processes: the front's children that multiprocessing made."""
    spawned = [
        pid for pid, command in descendants(server.pid).items() if "spawn_main" in " ".join(command)
    ]
    return sorted(spawned)


def mixed(count: int) -> list[pb.Item]:
    items = []
    for n in range(count):
        if n % 40 == 0:
            program = ADD if n % 80 == 0 else f"print({n})\n"
            items.append(code_item(f"code-{n}", program))
        elif n % 7 == 0:
            items.append(
                pb.Item(
                    id=f"choice-{n}",
                    response="The answer is B." if n % 2 else "The answer is C.",
                    choice=pb.ChoiceTask(gold="B", options=["one", "two", "three"]),
                    recipe="r1_zero",
                )
            )
        else:
            items.append(math_item(f"math-{n}", str(n % 5), gold="3"))
    return items


def rewards(verdicts: list[pb.Verdict]) -> list[tuple[str, int, float | None]]:
    return [(v.id, v.status, v.reward if v.HasField("reward") else None) for v in verdicts]


def test_several_processes_answer_as_one_does(client: VerifierClient) -> None:
    items = mixed(600)
    items.insert(3, pb.Item(id="no task", response="4"))
    items.insert(5, math_item("over", "4", deadline_ms=0))
    items.insert(7, pb.Item(id="no judge", response="4", judge=pb.JudgeTask(rubric="good?")))
    several = rewards(client.verify(items))
    with EmbeddedServer("--log-level", "warning") as alone, VerifierClient(alone.address) as asked:
        assert several == rewards(asked.verify(items))
        told, told_alone = client.describe(), asked.describe()
    assert told == told_alone


def test_invalid_bytes_cost_their_own_item_only(server: EmbeddedServer) -> None:
    good = math_item("good", "4").SerializeToString()
    bad = math_item("bad", "4").SerializeToString().replace(b"Let me see", b"Let \xff\xfe see")
    raw = b"".join(b"\x0a" + bytes([len(item)]) + item for item in (good, bad, good))
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_stream(
            "/verifier.v1.Verifier/VerifyBatch", response_deserializer=pb.Verdicts.FromString
        )
        found = {i.index: i.verdict.status for message in call(raw) for i in message.verdicts}
    assert found == {0: pb.Verdict.OK, 1: pb.Verdict.INVALID, 2: pb.Verdict.OK}


@pytest.mark.alone
def test_cancelling_reaches_the_engines_within_a_second(server: EmbeddedServer) -> None:
    working = new_programs(server)
    with VerifierClient(server.address) as client:
        stream = client.stream([math_item("quick", "4")] + [code_item("x", SLEEP)] * 20)
        assert next(stream)[1].reward == 1.0
        wait_for(lambda: bool(working()))
        stream.close()
        wait_for(lambda: not working(), 1.0)
        assert client.verify([code_item("next", ADD)])[0].reward == 1.0


def test_a_killed_engine_costs_nobody_a_verdict(server: EmbeddedServer) -> None:
    items = mixed(6000)
    with VerifierClient(server.address) as client:
        calm = rewards(client.verify(items))
        found: list[list[tuple[str, int, float | None]]] = []
        under_load = threading.Thread(
            target=lambda: [found.append(rewards(client.verify(items))) for _ in range(3)]
        )
        before = engines(server)
        assert len(before) == 2
        under_load.start()
        for victim in before:
            time.sleep(1.0)
            os.kill(victim, signal.SIGKILL)
        under_load.join(120)
        assert not under_load.is_alive()
        assert found == [calm] * 3

        def replaced() -> bool:
            now = engines(server)
            return len(now) == 2 and not set(now) & set(before)

        wait_for(replaced, 30)
        assert client.verify([code_item("after", ADD)])[0].reward == 1.0


def test_an_item_that_kills_its_process_again_and_again_is_told(server: EmbeddedServer) -> None:
    """Whose process is killed while it is alone there is given up; others are not."""
    stop = threading.Event()
    at_work = new_programs(server)

    def kills() -> None:
        while not stop.wait(0.05):
            if programs_now := at_work():
                for pid in engines(server):
                    if programs_now & descendants(pid).keys():
                        os.kill(pid, signal.SIGKILL)

    with VerifierClient(server.address) as client:
        slow = code_item("slow", SLEEP)
        slow.code.limits.cpu_seconds = 20
        killer = threading.Thread(target=kills)
        killer.start()
        try:
            verdicts = client.verify([slow, *(math_item(str(n), "4") for n in range(50))])
        finally:
            stop.set()
            killer.join()
    assert [verdict.reward for verdict in verdicts[1:]] == [1.0] * 50
    assert verdicts[0].status == pb.Verdict.INTERNAL
    assert verdicts[0].evidence.message.startswith("3 engine processes died")


def test_slow_mathematics_holds_up_no_quick_one(server: EmbeddedServer) -> None:
    """More of it than the engines take at once for rules."""
    slow = [math_item(f"slow {n}", f"{SLOW_IDENTITY} + {n}", gold="n x") for n in range(300)]
    with VerifierClient(server.address) as one, VerifierClient(server.address) as other:
        stream = one.stream(slow)
        next(stream)
        started = time.monotonic()
        verdicts = other.verify([math_item(str(n), "4") for n in range(100)])
        took = time.monotonic() - started
        stream.close()
    assert [verdict.reward for verdict in verdicts] == [1.0] * 100
    assert took < 15, "the slow ones take a second each"


def test_engines_end_with_the_front_however_it_ends() -> None:
    with EmbeddedServer("--processes", "2", "--log-level", "warning", "--sandbox", "none") as one:
        below = set(descendants(one.pid))
        assert len(engines(one)) == 2
        os.kill(one.pid, signal.SIGKILL)
        wait_for(lambda: not any(alive(pid) for pid in below), 20)


def test_what_an_engine_cannot_start_for_is_told() -> None:
    with pytest.raises(ServerFailed), EmbeddedServer("--processes", "2", "--slots", "999999"):
        pass


def test_programs_without_a_verdict_wait_with_the_others() -> None:
    """/run_code of the HTTP front: through the engines, in its turn, and again when one dies."""
    body = {
        "code": "import time\ntime.sleep(0.4)\nprint(input())",
        "language": "python",
        "stdin": "7",
    }
    with (
        EmbeddedServer(
            "--processes", "2", "--log-level", "warning", "--http", "127.0.0.1:0"
        ) as one,
        ThreadPoolExecutor(8) as pool,
    ):
        process = one._process
        assert process is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("http at ")
        http = httpx2.Client(base_url=url, timeout=60)
        asked = [pool.submit(http.post, "/run_code", json=body) for _ in range(8)]
        time.sleep(0.3)
        os.kill(engines(one)[0], signal.SIGKILL)
        for each in asked:
            answer = each.result().json()
            assert (answer["status"], answer["run_result"]["stdout"]) == ("Success", "7\n")
