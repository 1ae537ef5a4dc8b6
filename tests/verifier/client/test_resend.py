"""What is sent again and what is not; nothing is lost and nothing comes twice."""

from __future__ import annotations

import asyncio
import itertools
import logging
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import grpc
import pytest

from tests.verifier.client.scripted import all_of, answered, cutting_proxy, service
from verifier.client import (
    AsyncVerifierClient,
    BrokenAnswer,
    Item,
    ServiceError,
    Verdict,
    VerificationFailed,
    VerifierClient,
)
from verifier.v1 import verifier_pb2 as pb

Ask = Callable[..., list[Verdict]]
ITEMS = [Item(id=name) for name in "abcdef"]
Code = grpc.StatusCode


def blocking(address: str, items: Sequence[Item], **told: object) -> list[Verdict]:
    with VerifierClient(address, **told) as client:  # type: ignore[arg-type]
        return client.verify(items)


def in_a_loop(address: str, items: Sequence[Item], **told: object) -> list[Verdict]:
    async def ask() -> list[Verdict]:
        async with AsyncVerifierClient(address, **told) as client:  # type: ignore[arg-type]
            return await client.verify(items)

    return asyncio.run(ask())


@pytest.fixture(params=[blocking, in_a_loop])
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.param
    return found


def names(verdicts: Sequence[Verdict]) -> str:
    return "".join(verdict.id for verdict in verdicts)


def refused(
    times: int, code: Code, details: str = "no", hint: str = "", after: int = 0
) -> Callable[[int, pb.Batch, grpc.ServicerContext], Iterator[pb.Verdicts]]:
    """Refuses the first calls, each after some verdicts."""

    def answer(
        number: int, batch: pb.Batch, context: grpc.ServicerContext
    ) -> Iterator[pb.Verdicts]:
        for place, item in enumerate(batch.items):
            if number <= times and place == after:
                if hint:
                    context.set_trailing_metadata((("grpc-retry-pushback-ms", hint),))
                context.abort(code, details)
            yield answered(place, item.id)

    return answer


@pytest.mark.parametrize("how", [2, 7, 8, "end", "hang up"])
def test_a_proxy_that_loses_its_replica(ask: Ask, how: int | str) -> None:
    """RST_STREAM with INTERNAL_ERROR, REFUSED_STREAM and CANCEL; no status; no connection."""
    done = threading.Event()

    def slowly(
        number: int, batch: pb.Batch, context: grpc.ServicerContext
    ) -> Iterator[pb.Verdicts]:
        for place, item in enumerate(batch.items):
            if number == 1 and place == 3:
                done.wait(10)  # else all is on its way before the stream is cut
            yield answered(place, item.id)

    with service(slowly) as running, cutting_proxy(running.address, how, 3) as address:
        assert names(ask(address, ITEMS, resend_s=20)) == "abcdef"
        done.set()
    first, second = running.calls
    assert first == list("abcdef")
    # gRPC may drop messages that came just before a reset, never ones that come after it.
    assert set("def") <= set(second)
    assert second == sorted(second)


def test_a_full_service_says_when_to_come_again(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    times = list[float]()
    full = refused(3, Code.RESOURCE_EXHAUSTED, "items_in_flight: full", hint="300", after=1)

    def answer(
        number: int, batch: pb.Batch, context: grpc.ServicerContext
    ) -> Iterator[pb.Verdicts]:
        times.append(time.monotonic())
        return full(number, batch, context)

    with service(answer) as running, caplog.at_level(logging.WARNING):
        assert names(ask(running.address, ITEMS)) == "abcdef"
    assert running.calls == [list("abcdef"), list("bcdef"), list("cdef"), list("def")]
    assert all(0.29 < later - now < 30 for now, later in itertools.pairwise(times))
    assert caplog.text.count("is full (RESOURCE_EXHAUSTED: items_in_flight: full)") == 1


def test_a_hint_beyond_our_patience_ends_it_at_once(ask: Ask) -> None:
    with (
        service(refused(9, Code.RESOURCE_EXHAUSTED, hint="60000")) as running,
        pytest.raises(ServiceError, match=r"RESOURCE_EXHAUSTED: no .*resend_s = 5"),
    ):
        ask(running.address, ITEMS, resend_s=5)
    assert len(running.calls) == 1


def test_patience_counts_from_the_last_verdict(ask: Ask) -> None:
    with service(refused(99, Code.UNAVAILABLE, after=1)) as running:
        assert names(ask(running.address, ITEMS[:5], resend_s=0.7)) == "abcde"
    assert [len(call) for call in running.calls] == [5, 4, 3, 2, 1]  # 0.2 s before each
    with service(refused(99, Code.UNAVAILABLE)) as running:
        began = time.monotonic()
        with pytest.raises(ServiceError, match=r"0 of 5 .*sent again for .*resend_s = 1") as caught:
            ask(running.address, ITEMS[:5], resend_s=1)
        assert 0.9 < time.monotonic() - began < 30
    assert caught.value.code == Code.UNAVAILABLE
    assert 1 <= len(running.calls) <= 4


@pytest.mark.parametrize(
    ("code", "details", "hint"),
    [
        (Code.INVALID_ARGUMENT, "Batch.items", ""),
        (Code.UNAUTHENTICATED, "authorization", ""),
        (Code.PERMISSION_DENIED, "certificate", ""),
        (Code.DEADLINE_EXCEEDED, "too late", ""),
        (Code.UNKNOWN, "Unexpected <class 'KeyError'>", ""),
        (Code.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (9 vs. 8)", ""),
        (Code.RESOURCE_EXHAUSTED, "never", "-1"),
    ],
)
def test_what_another_try_cannot_change_is_an_error_at_once(
    ask: Ask, code: Code, details: str, hint: str
) -> None:
    with (
        service(refused(9, code, details, hint, after=2)) as running,
        pytest.raises(ServiceError) as caught,
    ):
        ask(running.address, ITEMS)
    assert (caught.value.code, caught.value.details) == (code, details)
    assert {place: one.id for place, one in caught.value.verdicts.items()} == {0: "a", 1: "b"}
    advice = "; a token is given as token=, or in TOUCHSTONE_TOKEN"
    told = advice if code == Code.UNAUTHENTICATED else ""
    assert str(caught.value).endswith(f"(2 of 6 verdicts came before{told})")
    assert len(running.calls) == 1


def test_nothing_is_sent_again_where_that_is_wanted(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(refused(1, Code.UNAVAILABLE, after=1)) as running:
        with pytest.raises(ServiceError, match=r"UNAVAILABLE: no \(1 of 6 verdicts came before\)$"):
            ask(running.address, ITEMS, resend_s=0)
        monkeypatch.setenv("TOUCHSTONE_RESEND_S", "0")
        running.calls.clear()
        with pytest.raises(ServiceError, match="UNAVAILABLE"):
            ask(running.address, ITEMS)
        assert len(running.calls) == 1


def test_a_deadline_is_of_all_sendings_together(ask: Ask) -> None:
    with service(refused(99, Code.UNAVAILABLE)) as running:
        began = time.monotonic()
        with pytest.raises(ServiceError):
            ask(running.address, ITEMS, timeout_s=1)
    assert 0.7 < time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([0, 1, 1], "item 1 of 6, 'y': answered twice"),
        ([0, 6], "item 6 of 6, 'y': answered, and never asked"),
        ([0, 1, 2, 3], "answered 4 of 6 items without an error"),
    ],
)
def test_an_answer_that_cannot_be_is_an_error(ask: Ask, places: list[int], said: str) -> None:
    def broken(*_: object) -> Iterator[pb.Verdicts]:
        return (answered(place, "y") for place in places)

    with service(broken) as running, pytest.raises(BrokenAnswer, match=said):
        ask(running.address, ITEMS)


def test_a_lost_end_is_no_reason_to_ask_again(ask: Ask) -> None:
    def endless(
        number: int, batch: pb.Batch, context: grpc.ServicerContext
    ) -> Iterator[pb.Verdicts]:
        yield from all_of(number, batch, context)
        context.abort(Code.UNAVAILABLE, "dying")

    with service(endless) as running:
        assert names(ask(running.address, ITEMS)) == "abcdef"
    assert len(running.calls) == 1


def test_closing_a_client_ends_what_waits_in_other_threads() -> None:
    client = VerifierClient("127.0.0.1:9")
    threading.Timer(0.5, client.close).start()
    began = time.monotonic()
    with pytest.raises(ServiceError, match="UNAVAILABLE"):
        client.verify(ITEMS)
    assert time.monotonic() - began < 60  # resend_s is two minutes


def test_describing_what_is_not_there_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.client.calls.DESCRIBE_S", 0.5)

    async def describe() -> None:
        async with AsyncVerifierClient("127.0.0.1:9") as client:
            await client.describe()

    with pytest.raises(ServiceError, match=r"UNAVAILABLE.*resend_s = 0\.5"):
        asyncio.run(describe())
    with VerifierClient("127.0.0.1:9") as client, pytest.raises(ServiceError, match="UNAVAILABLE"):
        client.describe()


def test_errors_cross_processes() -> None:
    came = {3: Verdict(id="d", status=Verdict.OK, reward=0.5)}
    error = ServiceError(Code.UNAVAILABLE, "gone", came, 7, "sent again for 2 s")
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(twin), twin.code, twin.details, twin.verdicts) == (
        "UNAVAILABLE: gone (1 of 7 verdicts came before; sent again for 2 s)",
        error.code,
        error.details,
        came,
    )
    failed = VerificationFailed([Verdict(id="x", status=Verdict.TIMEOUT)])
    twin = pickle.loads(pickle.dumps(failed))  # noqa: S301
    assert (str(twin), twin.verdicts) == (str(failed), failed.verdicts)


def test_replicas_take_turns() -> None:
    items = [Item(id=str(n)) for n in range(200)]
    with service() as one, service() as other:
        with VerifierClient(f"{one.address},{other.address}") as client:
            for _ in range(50):  # one of them is connected first
                found = client.verify(items)
                assert [verdict.id for verdict in found] == [item.id for item in items]
                if one.calls and other.calls:
                    break
                time.sleep(0.1)
            one.calls.clear()
            other.calls.clear()
            client.verify(items)
        assert (len(one.calls), len(other.calls)) == (1, 1)
        assert len(one.calls[0]) == len(other.calls[0]) == 100
        by_name = f"dns:///localhost:{one.address.rpartition(':')[2]}"
        assert names(blocking(by_name, items[:3])) == "012"
