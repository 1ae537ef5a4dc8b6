"""Any thread, any loop, any process; away, full, dying and broken services."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.adapters.scripted import Scripted, scripted
from verifier.adapters import batching
from verifier.adapters.core import NoReward, Rewarder, Sample
from verifier.embedded import EmbeddedServer

ROOT = Path(__file__).parents[3]


@pytest.fixture
def service() -> Iterator[Scripted]:
    with scripted() as running:
        yield running
    batching.close()


def sample(response: str) -> Sample:
    return Sample({"math": "1"}, response, name=response)


def one(rewarder: Rewarder, response: str) -> float | None:
    return rewarder.score([sample(response)]).values[0]


def test_calls_from_threads_and_loops_travel_together(service: Scripted) -> None:
    rewarder = Rewarder(service.address, window_ms=300)

    async def many(first: int) -> list[float | None]:
        scored = await asyncio.gather(
            *(rewarder.ascore([sample(str(n))]) for n in range(first, first + 50))
        )
        return [of_one.values[0] for of_one in scored]

    with ThreadPoolExecutor(70) as threads:
        loops = [threads.submit(asyncio.run, many(first)) for first in (1000, 2000)]
        single = [threads.submit(one, rewarder, str(n)) for n in range(60)]
        assert [of.result() for of in single] == list(range(60))
        assert [of.result() for of in loops] == [
            [float(n) for n in range(first, first + 50)] for first in (1000, 2000)
        ]
    sent = [name for batch in service.batches for name in batch]
    assert sorted(sent) == sorted(map(str, [*range(60), *range(1000, 1050), *range(2000, 2050)]))
    assert len(service.batches) <= 40


def test_a_batch_has_its_limit(service: Scripted) -> None:
    rewarder = Rewarder(service.address, batch_items=4, window_ms=0)
    scored = rewarder.score([sample(str(n)) for n in range(10)])
    assert scored.values == list(range(10))
    assert sorted(map(len, service.batches)) == [2, 4, 4]


def test_what_is_in_flight_is_bounded(service: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "ITEMS_AT_ONCE", 3)
    rewarder = Rewarder(service.address, batch_items=3, window_ms=0)
    with ThreadPoolExecutor(2) as threads:
        hanging = threads.submit(rewarder.score, [sample(n) for n in ("1", "2", "hang")])
        assert service.hanging.wait(30)
        later = threads.submit(one, rewarder, "5")
        time.sleep(0.3)
        assert not later.done()
        service.cancelled.set()  # the script ends the call, with no verdict for `hang`
        assert later.result(30) == 5
        with pytest.raises(NoReward, match="answered 2 of 3 items without an error"):
            hanging.result(30)
    assert service.batches == [["1", "2", "hang"], ["5"]]


async def test_a_cancelled_caller_costs_nothing(service: Scripted) -> None:
    rewarder = Rewarder(service.address, window_ms=500)
    early = asyncio.create_task(rewarder.ascore([sample("1")]))
    await asyncio.sleep(0)
    early.cancel()
    assert (await rewarder.ascore([sample("2")])).values == [2]
    assert service.batches == [["2"]]  # it was not even sent

    both = [asyncio.create_task(rewarder.ascore([sample(n)])) for n in ("3", "hang")]
    assert (await both[0]).values == [3]
    assert await asyncio.to_thread(service.hanging.wait, 30)
    both[1].cancel()
    assert await asyncio.to_thread(service.cancelled.wait, 30)
    assert (await rewarder.ascore([sample("4")])).values == [4]


def test_a_service_that_dies_is_an_error_under_every_policy(service: Scripted) -> None:
    rewarder = Rewarder(service.address, on_failure="zero", wait_seconds=0)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(rewarder.score, [sample("1"), sample("hang")])
        assert service.hanging.wait(30)
        assert service.server is not None
        service.server.stop(0)
        with pytest.raises(NoReward, match=f"the service {service.address}: "):
            waiting.result(60)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_a_service_that_is_away_at_first_is_waited_for() -> None:
    port = free_port()
    rewarder = Rewarder(f"127.0.0.1:{port}", wait_seconds=60)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(one, rewarder, "7")
        time.sleep(1)
        assert not waiting.done()
        with scripted(port) as service:
            assert waiting.result(60) == 7
            assert service.batches == [["7"]]
    batching.close()


def test_the_wait_has_its_limit(service: Scripted) -> None:
    away = Rewarder(f"127.0.0.1:{free_port()}", on_failure="mask", wait_seconds=0)
    full = Rewarder(service.address, on_failure="mask", wait_seconds=1)
    began = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        calls = threads.submit(one, away, "7"), threads.submit(one, full, "busy")
        with pytest.raises(NoReward, match=r"UNAVAILABLE: .*waited for, wait_seconds = 0"):
            calls[0].result()
        with pytest.raises(
            NoReward, match=r"RESOURCE_EXHAUSTED: items_in_flight: full.*wait_seconds = 1"
        ):
            calls[1].result()
    assert len(service.batches) > 1
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ("nan", "'nan': reward nan"),
        ("inf", "reward inf"),
        ("skip", "answered 0 of 1 items without an error"),
    ],
)
def test_a_broken_answer_is_no_reward(service: Scripted, response: str, message: str) -> None:
    rewarder = Rewarder(service.address, on_failure="zero")
    with pytest.raises(NoReward, match=message):
        one(rewarder, response)
    assert one(rewarder, "3") == 3


def test_a_call_has_its_limit(service: Scripted) -> None:
    with pytest.raises(NoReward, match=r"DEADLINE_EXCEEDED: .*; timeout_s = 0\.5"):
        one(Rewarder(service.address, timeout_s=0.5), "hang")


def test_closing_ends_what_waits(service: Scripted) -> None:
    rewarder = Rewarder(service.address)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(one, rewarder, "hang")
        assert service.hanging.wait(30)
        batching.close()
        with pytest.raises(CancelledError):
            waiting.result(30)
    assert service.cancelled.wait(30)
    assert one(rewarder, "3") == 3  # on a new connection


def test_many_rewarders_of_a_process_share_a_connection(service: Scripted) -> None:
    before = threading.active_count()
    for n in range(20):
        assert one(Rewarder(service.address, on_failure="zero"), str(n)) == n
    ours = [thread for thread in threading.enumerate() if thread.name == "touchstone-rewards"]
    assert len(ours) == 1
    assert threading.active_count() <= before + 20


def test_errors_and_rewarders_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(NoReward("no slot")))  # noqa: S301
    assert str(error) == "no slot"
    rewarder = pickle.loads(pickle.dumps(Rewarder("127.0.0.1:1", columns={"math": "a"})))  # noqa: S301
    assert rewarder.on_failure == "raise"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"address": ""}, "address: host:port of the service, got ''"),
        ({"address": "far:5", "token": "tok"}, "token: would travel in the clear to 'far:5'"),
        ({"priority": "urgent"}, "priority: one of high, normal, low, got 'urgent'"),
        ({"tls": {"key": "k"}}, "tls: key without certificate"),
        ({"tls": {"ca_file": "f"}}, r"tls: a Tls, or an object of ca, .*, got \['ca_file'\]"),
        ({"timeout_s": 0}, "timeout_s: more than 0, got 0"),
        ({"batch_items": 0}, "batch_items: more than 0, got 0"),
        ({"wait_seconds": -1}, "wait_seconds: at least 0 and finite, got -1"),
        ({"window_ms": float("inf")}, "window_ms: at least 0 and finite, got inf"),
        ({"recipe": {"name": "r1_zero"}}, "recipe: a name or a Recipe, got {'name': 'r1_zero'}"),
        ({"on_failure": "skip"}, "on_failure: .* one of none, raise, zero, mask, got 'skip'"),
    ],
)
def test_settings_are_checked(told: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rewarder(**{"address": "127.0.0.1:1", **told})


RANKS = """
import json, multiprocessing, sys
from verifier.adapters.core import NoReward, Rewarder, Sample

rewarder = Rewarder(sys.argv[1])

def score(answer):
    if answer is None:
        try:
            return score("4")
        except NoReward as error:
            return str(error)
    return rewarder.score([Sample({"math": "4"}, "\\\\boxed{%s}" % answer, "row")]).values[0]

def rank(method, *answers):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(score, answers)

if __name__ == "__main__":
    found = {"fork, before": rank("fork", "4", "5", "4"), "own": score("4")}
    found |= {"fork, after": rank("fork", None), "spawn": rank("spawn", "4", "5", "4")}
    found |= {"own again": score("5")}
    print(json.dumps(found))
"""


def test_every_process_has_a_connection_of_its_own(server: EmbeddedServer, tmp_path: Path) -> None:
    script = tmp_path / "ranks.py"
    script.write_text(RANKS)
    run = subprocess.run(
        [sys.executable, str(script), server.address],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found.pop("fork, after")[0].startswith("this process was forked from one that was")
    assert found == {
        "fork, before": [1.0, 0.0, 1.0],
        "own": 1.0,
        "spawn": [1.0, 0.0, 1.0],
        "own again": 0.0,
    }


IMPORTS = """
import importlib, json, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(f"verifier.adapters.{name}")
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
ours = [name for name in sys.modules if name.startswith("verifier.")]
print(json.dumps([sorted(loaded - set(sys.stdlib_module_names)), sorted(ours)]))
"""

LIGHT = ("trl", "verl", "openrlhf", "slime", "areal", "rllm", "verifiers_reward")


def test_importing_an_adapter_pulls_in_grpc_and_protobuf_only() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IMPORTS, *LIGHT],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    packages, ours = json.loads(run.stdout)
    # grpc itself takes in its own further packages, grpc_health and others, where they are there.
    assert {name for name in packages if not name.startswith(("_", "grpc"))} <= {
        "cython_runtime",
        "google",
        "verifier",
        "typing_extensions",
    }
    light = ("verifier.adapters", "verifier.client", "verifier.v1")
    assert {name for name in ours if not name.startswith(light)} <= {
        "verifier._version",
        "verifier.ends",
        "verifier.security",
        "verifier.security.names",
    }
