"""The client against a scripted server, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.verifier.judge.server import (
    RESET,
    SILENT,
    ChatServer,
    Play,
    Request,
    always,
    completion,
    error,
    in_order,
    judging,
    says,
)
from verifier.judge import client, endpoint
from verifier.judge.client import Answer, Ask, Judge, JudgeFailed, Message
from verifier.judge.settings import (
    BreakerSettings,
    CacheSettings,
    EndpointSettings,
    JudgeSettings,
    SettingsError,
)

SCHEMA = {"type": "object", "properties": {"verdict": {"type": "string"}}}
NEVER_OPEN = BreakerSettings(failures=1_000_000)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff in hundredths, and no proxy between the client and the server."""
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(client, "LONGEST_WAIT_SECONDS", 0.05)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def ask(text: str = "2 + 2 = 5?", **fields: Any) -> Ask:
    return Ask((Message("user", text),), **fields)


@asynccontextmanager
async def judging_at(*servers: ChatServer, **fields: Any) -> AsyncIterator[Judge]:
    """A judge whose endpoints are the servers, with models judge-0, judge-1 ..."""
    prices: dict[str, Any] = fields.pop("prices", {})
    endpoints = tuple(
        EndpointSettings(server.url, f"judge-{place}", **prices)
        for place, server in enumerate(servers)
    )
    judge = Judge(JudgeSettings(endpoints=endpoints, **fields))
    try:
        yield judge
    finally:
        await judge.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def failure(judge: Judge, question: Ask, deadline_s: float | None = None) -> JudgeFailed:
    with pytest.raises(JudgeFailed) as caught:
        await judge.ask(question, deadline_s)
    return caught.value


async def test_an_answer_word_for_word() -> None:
    top = [(" yes", -0.5), ("yes", -2.0), ("no", -1.5), ("maybe", -0.1), ("no", float("-9999"))]
    play = says("  yes\n", prompt_tokens=20, completion_tokens=1, finish="length", top=top)
    prices = {"usd_per_million_prompt": 2.0, "usd_per_million_completion": 10.0}
    with ChatServer(always(play)) as server:
        async with judging_at(server, prices=prices) as judge:
            answer = await judge.ask(ask(labels=("yes", "no"), max_tokens=1, seed=7))
    logprobs = answer.logprobs
    assert logprobs is not None
    assert logprobs == pytest.approx({"yes": -0.2986, "no": -1.5}, abs=1e-4)
    assert replace(answer, logprobs=None) == Answer(
        text="  yes\n",
        logprobs=None,
        prompt_tokens=20,
        completion_tokens=1,
        cost_usd=5e-05,
        cached=False,
        model="judge-0",
        endpoint=server.url,
        finish="length",
    )
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "judge-0",
        "messages": [{"role": "user", "content": "2 + 2 = 5?"}],
        "max_tokens": 1,
        "temperature": 0.0,
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 20,
    }


async def test_an_equal_ask_is_answered_from_the_cache_and_no_other() -> None:
    with ChatServer(judging(lambda messages: messages[0]["content"].upper())) as server:
        async with judging_at(server) as judge:
            first = await judge.ask(ask("a"))
            again = await judge.ask(ask("a"))
            assert again == replace(first, cached=True, cost_usd=0.0)
            assert len(server.requests) == 1
            others = [
                ask("b"),
                ask("a", seed=1),
                ask("a", temperature=0.5),
                ask("a", max_tokens=3),
                ask("a", schema=SCHEMA),
                ask("a", labels=("A",)),
                Ask((Message("system", "a"),)),
            ]
            for place, other in enumerate(others, 2):
                assert not (await judge.ask(other)).cached
                assert len(server.requests) == place


GOOD = json.dumps(completion("yes")).encode()
HUGE = Play(GOOD + b" " * endpoint.ANSWER_BYTES)


@pytest.mark.parametrize(
    ("play", "kind", "status"),
    [
        (error(429), "rate_limited", 429),
        (error(429, retry_after="0.01"), "rate_limited", 429),
        (error(429, retry_after="soon"), "rate_limited", 429),
        (error(500), "server", 500),
        (error(503, retry_after="0.01"), "server", 503),
        (error(529), "server", 529),
        (RESET, "server", None),
        (Play(GOOD, sent=20), "server", None),
        (Play(GOOD, headers={"Content-Length": "5000"}), "server", None),
        (Play(GOOD, headers={"Content-Length": "many"}), "server", None),
        (Play(GOOD, headers={"Padding": "x" * 200_000}), "server", None),
        (SILENT, "timeout", None),
        (Play(GOOD, drip=1), "timeout", None),
        (Play(GOOD[:60]), "garbage", 200),
        (Play(b""), "garbage", 200),
        (Play(b"<html>busy</html>", content_type="text/html"), "garbage", 200),
        (Play(b"data: {}\n\n", content_type="text/event-stream"), "garbage", 200),
        (Play(GOOD, status=206), "garbage", 206),
        (Play(b"\xff\xfe\x00"), "garbage", 200),
        (Play(b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}), "garbage", 200),
        (Play(b"[" * 1_000_000), "garbage", 200),
        (Play(b'{"choices": [{"message": {"content": ' + b"9" * 5_000 + b"}}]}"), "garbage", 200),
        (Play(b"null"), "garbage", 200),
        (Play(b'{"error": {"message": "overloaded"}}'), "garbage", 200),
        (Play(b'{"choices": []}'), "garbage", 200),
        (Play(b'{"choices": [7]}'), "garbage", 200),
        (Play(b'{"choices": {"0": 1}}'), "garbage", 200),
        (says(None), "garbage", 200),
        (says(" \n"), "garbage", 200),
        (says(""), "garbage", 200),
        (HUGE, "garbage", 200),
        (error(400, "the prompt is too long"), "refused", 400),
        (error(401), "refused", 401),
        (error(404), "refused", 404),
        (Play(status=302, headers={"Location": "http://127.0.0.1:9/"}), "refused", 302),
        (says("no", finish="content_filter"), "refused", 200),
        (says(None, refusal="I will not."), "refused", 200),
    ],
)
async def test_each_fault_is_an_error_of_its_kind(
    play: Play, kind: str, status: int | None
) -> None:
    """Tried again where that may help, never answered, never kept, and done with afterwards."""
    plays = {True: play}
    with ChatServer(lambda request: plays.get(True, says("yes"))) as server:
        async with judging_at(server, attempts=2, timeout_seconds=3.0) as judge:
            failed = await failure(judge, ask())
            assert (failed.kind, failed.status, failed.endpoint) == (kind, status, server.url)
            assert failed.attempts == len(server.requests) == (1 if kind == "refused" else 2)
            assert not failed.cut
            for part in (server.url, kind, f"{failed.attempts} attempt"):
                assert part in str(failed)
            assert len(str(failed)) < 1_000
            plays.clear()
            assert (await judge.ask(ask())).text == "yes"
        await until(lambda: server.at_once == 0)


async def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        judge = Judge(JudgeSettings(endpoints=(EndpointSettings(url, "judge"),), attempts=3))
        failed = await failure(judge, ask())
        assert (failed.kind, failed.attempts, failed.endpoint) == ("server", 3, url)
        assert (await judge._store.spent()).tokens == 0
        await judge.close()


@pytest.mark.parametrize("play", [error(429), error(500), RESET, Play(GOOD[:60]), SILENT])
async def test_an_answer_after_faults(play: Play) -> None:
    with ChatServer(in_order([play, play, says("yes")])) as server:
        async with judging_at(server, timeout_seconds=2.0) as judge:
            assert (await judge.ask(ask())).text == "yes"
    assert len(server.requests) == 3


@pytest.mark.parametrize("retry_after", [None, "0.05"])
async def test_a_storm_of_429_loses_no_call(retry_after: str | None) -> None:
    """The server has four places and refuses the rest."""
    busy = error(429, retry_after=retry_after)

    def script(request: Request) -> Play:
        if server.at_once > 4:
            return busy
        return says(request.body["messages"][0]["content"], wait_s=0.05)

    with ChatServer(script) as server:
        async with judging_at(server, concurrency=16, attempts=100) as judge:
            answers = await asyncio.gather(*(judge.ask(ask(str(n))) for n in range(40)))
    assert [answer.text for answer in answers] == [str(n) for n in range(40)]
    assert server.most_at_once <= 16
    assert len(server.requests) > 40


async def test_a_rest_that_is_asked_for_is_given_by_all() -> None:
    plays = [error(429, retry_after="0.5")]
    with ChatServer(lambda request: plays.pop() if plays else says("yes")) as server:
        async with judging_at(server) as judge:
            first = asyncio.create_task(judge.ask(ask("a")))
            await until(lambda: judge._endpoints[0].rest)
            others = [judge.ask(ask(str(n))) for n in range(5)]
            assert [each.text for each in await asyncio.gather(first, *others)] == ["yes"] * 6
    refused, *later = [request.at for request in server.requests]
    assert len(later) == 6
    assert min(later) - refused >= 0.5


@pytest.mark.parametrize("seconds", ["61", "86400", "9" * 400])
async def test_a_rest_without_end_is_not_waited_for(seconds: str) -> None:
    with ChatServer(always(error(429, retry_after=seconds))) as server:
        async with judging_at(server) as judge:
            failed = await failure(judge, ask())
            assert judge._endpoints[0].rest <= endpoint.LONGEST_REST_SECONDS
    assert (failed.kind, failed.status, failed.cut) == ("rate_limited", 429, False)
    assert len(server.requests) == 1


async def test_every_fault_at_once_loses_no_call_and_mixes_none_up() -> None:
    """Two hundred asks, two endpoints, every kind of fault in a third of the requests."""
    chance = random.Random(7)
    faults = [
        error(429),
        error(429, retry_after="0.02"),
        error(500),
        RESET,
        Play(GOOD[:60]),
        Play(GOOD, sent=40),
        Play(b"<html>"),
        SILENT,
        Play(GOOD, drip=1),
    ]

    def script(request: Request) -> Play:
        if chance.random() < 1 / 3:
            return chance.choice(faults)
        return says("answer to " + request.body["messages"][0]["content"], wait_s=0.005)

    with ChatServer(script) as one, ChatServer(script) as other:
        async with judging_at(
            one, other, concurrency=32, attempts=4, timeout_seconds=1.5, breaker=NEVER_OPEN
        ) as judge:
            outcomes = await asyncio.gather(
                *(judge.ask(ask(str(n))) for n in range(200)), return_exceptions=True
            )
        await until(lambda: one.at_once == other.at_once == 0)
    answered = 0
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, Answer):
            answered += 1
            assert outcome.text == f"answer to {number}"
        else:
            assert isinstance(outcome, JudgeFailed)
            assert outcome.attempts == 4
    assert answered > 150
    assert one.most_at_once + other.most_at_once <= 64
    assert max(one.most_at_once, other.most_at_once) <= 32


async def test_the_cap_on_concurrency_is_over_all_endpoints() -> None:
    """The second endpoint has what the first one refuses."""
    most = 0

    def count(play: Play) -> Any:
        def script(request: Request) -> Play:
            nonlocal most
            most = max(most, first.at_once + second.at_once)
            return play

        return script

    with (
        ChatServer(count(error(500))) as first,
        ChatServer(count(says("yes", wait_s=0.02))) as second,
    ):
        async with judging_at(first, second, concurrency=5, breaker=NEVER_OPEN) as judge:
            await asyncio.gather(*(judge.ask(ask(str(n))) for n in range(40)))
    assert most == 5


async def test_requests_keep_to_their_rate() -> None:
    with ChatServer(in_order([error(500), says("yes")])) as server:
        async with judging_at(server, requests_per_minute=1_200) as judge:
            await asyncio.gather(*(judge.ask(ask(str(n))) for n in range(8)))
    times = sorted(request.at for request in server.requests)
    assert len(times) == 9
    assert times[-1] - times[0] >= 5 * 0.05


PRICES = {"usd_per_million_prompt": 1.0, "usd_per_million_completion": 1.0}


@pytest.mark.parametrize("cap", ["budget_usd_per_day", "budget_tokens_per_day"])
async def test_a_day_spends_no_more_than_its_cap(tmp_path: Path, cap: str) -> None:
    """A hundred asks at once, each of which uses all it may; two judges and a restart."""
    cache = CacheSettings(path=str(tmp_path / "judge.sqlite"))
    tokens = 10_000
    limit = {cap: tokens / 1e6 if cap == "budget_usd_per_day" else tokens}

    def script(request: Request) -> Play:
        used = request.body["max_tokens"]
        return says("yes", prompt_tokens=60, completion_tokens=used, wait_s=0.01)

    with ChatServer(script) as server:
        async with (
            judging_at(server, prices=PRICES, cache=cache, **limit) as one,
            judging_at(server, prices=PRICES, cache=cache, **limit) as other,
        ):
            asks = [ask(str(n), max_tokens=200) for n in range(50)]
            outcomes = await asyncio.gather(
                *(one.ask(each) for each in asks),
                *(other.ask(replace(each, seed=1)) for each in asks),
                return_exceptions=True,
            )
        async with judging_at(server, prices=PRICES, cache=cache, **limit) as later:
            after = await asyncio.gather(
                *(later.ask(replace(each, seed=2)) for each in asks), return_exceptions=True
            )
            spent = await later._store.spent()
    outcomes += after
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, JudgeFailed)]
    assert len(answers) + len(refused) == 150
    assert {failed.kind for failed in refused} == {"budget"}
    assert {failed.attempts for failed in refused} == {0}
    assert len(server.requests) == len(answers)
    assert 30 <= len(answers) <= tokens // 260
    assert spent.tokens <= tokens
    shown = {"budget_usd_per_day": "usd 0.01 per day", "budget_tokens_per_day": "tokens 10000"}
    assert shown[cap] in str(refused[0])


async def test_a_lost_answer_stays_charged() -> None:
    """It may have been billed; a refusal is not."""
    with ChatServer(in_order([SILENT, error(500), error(429), says("yes")])) as server:
        async with judging_at(server, timeout_seconds=1.5) as judge:
            await judge.ask(ask("x" * 100, max_tokens=50))
            assert (await judge._store.spent()).tokens == 100 + 64 + 50 + 15


async def test_garbage_is_charged_by_its_usage() -> None:
    with ChatServer(in_order([says(None, prompt_tokens=7), says("yes")])) as server:
        async with judging_at(server) as judge:
            await judge.ask(ask())
            assert (await judge._store.spent()).tokens == 7 + 5 + 15


@pytest.mark.parametrize(
    ("cap", "named"),
    [
        ({"budget_tokens_per_call": 200}, "tokens 200"),
        ({"budget_usd_per_call": 2e-4}, "usd 0.0002"),
    ],
)
async def test_a_call_that_could_cost_too_much_is_not_sent(cap: dict[str, Any], named: str) -> None:
    with ChatServer(always(says("yes"))) as server:
        async with judging_at(server, prices=PRICES, **cap) as judge:
            failed = await failure(judge, ask("x" * 100, max_tokens=37))
            assert (failed.kind, failed.attempts) == ("budget", 0)
            assert f"{named} per call" in str(failed)
            assert not server.requests
            assert (await judge.ask(ask("x" * 100, max_tokens=36))).text == "yes"


async def test_a_free_endpoint_stands_in_for_one_that_costs_too_much() -> None:
    with ChatServer(always(says("dear"))) as dear, ChatServer(always(says("free"))) as free:
        endpoints = (EndpointSettings(dear.url, "a", "", 1e6, 1e6), EndpointSettings(free.url, "a"))
        judge = Judge(JudgeSettings(endpoints=endpoints, budget_usd_per_call=1.0))
        assert (await judge.ask(ask())).text == "free"
        await judge.close()
    assert not dear.requests


@pytest.mark.parametrize("play", [error(500), error(429), error(401), error(400), RESET, SILENT])
async def test_the_next_endpoint_stands_in(play: Play) -> None:
    with ChatServer(always(play)) as first, ChatServer(always(says("1"))) as second:
        async with judging_at(first, second, timeout_seconds=2.0, attempts=2) as judge:
            answer = await judge.ask(ask())
    assert (answer.text, answer.model, answer.endpoint) == ("1", "judge-1", second.url)
    assert (len(first.requests), len(second.requests)) == (1, 1)


async def test_answers_are_kept_by_their_model() -> None:
    down = [True]
    with (
        ChatServer(lambda request: error(500) if down else says("0")) as first,
        ChatServer(always(says("1"))) as second,
    ):
        async with judging_at(first, second) as judge:
            assert (await judge.ask(ask())).model == "judge-1"
            stand_in = await judge.ask(ask())
            assert (stand_in.model, stand_in.cached) == ("judge-1", True)
            assert (len(first.requests), len(second.requests)) == (2, 1)
            down.clear()
            answer = await judge.ask(ask())
            assert (answer.text, answer.model, answer.cached) == ("0", "judge-0", False)


async def test_a_place_whose_answer_is_not_wanted_is_passed_over() -> None:
    """Also where another endpoint has the same model, under whose name answers are kept."""
    with (
        ChatServer(always(says("prose", wait_s=0.1))) as first,
        ChatServer(always(says("yes", wait_s=0.5))) as second,  # the last that is kept
    ):
        endpoints = tuple(EndpointSettings(each.url, "judge") for each in (first, second))
        judge = Judge(JudgeSettings(endpoints=endpoints))
        apart = ask(apart_from=frozenset({(first.url, "judge")}))
        told = await asyncio.gather(judge.ask(ask()), judge.ask(apart))
        assert [answer.text for answer in told] == ["prose", "yes"]
        again = await judge.ask(apart)
        assert (again.text, again.cached) == ("yes", True)
        await judge.close()
    assert (len(first.requests), len(second.requests)) == (1, 1)


async def test_the_breaker_leaves_an_endpoint_alone() -> None:
    down, now = [True], 0.0
    breaker = BreakerSettings(failures=3, cooldown_seconds=60)
    with ChatServer(lambda request: error(503) if down else says("yes")) as server:
        async with judging_at(server, attempts=10, breaker=breaker) as judge:
            judge._endpoints[0].breaker._clock = lambda: now
            failed = await failure(judge, ask("a"))
            assert (failed.kind, failed.status, failed.attempts) == ("server", 503, 3)
            for _ in range(5):
                failed = await failure(judge, ask("a"))
                assert (failed.kind, failed.attempts) == ("breaker", 0)
            assert len(server.requests) == 3
            assert gauge("touchstone_judge_breaker", endpoint=server.url) == 2
            now += 60
            # Half-open: of many at once, one is let through, and fails.
            outcomes = await asyncio.gather(
                *(judge.ask(ask(str(n))) for n in range(8)), return_exceptions=True
            )
            assert all(isinstance(outcome, JudgeFailed) for outcome in outcomes)
            assert len(server.requests) == 4
            down.clear()
            now += 60
            assert (await judge.ask(ask("b"))).text == "yes"
            answers = await asyncio.gather(*(judge.ask(ask(str(n))) for n in range(8)))
            assert len(answers) == 8
            assert gauge("touchstone_judge_breaker", endpoint=server.url) == 0


async def test_429_and_refusals_of_a_question_do_not_open_the_breaker() -> None:
    plays = [error(429), error(429), error(400), error(400), error(400), says("yes")]
    with ChatServer(in_order(plays)) as server:
        async with judging_at(
            server, attempts=2, breaker=BreakerSettings(failures=1, cooldown_seconds=60)
        ) as judge:
            for kind in ("rate_limited", "refused", "refused", "refused"):
                assert (await failure(judge, ask())).kind == kind
            assert (await judge.ask(ask())).text == "yes"


FORM = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA, "strict": True}}


@pytest.mark.parametrize(
    ("structured", "question", "sent"),
    [
        ("json_schema", ask(schema=SCHEMA), {"response_format": FORM}),
        ("json_schema", ask(), {}),
        (
            "guided_choice",
            ask(schema=SCHEMA),
            {"response_format": FORM},
        ),
        (
            "guided_choice",
            ask(labels=("A", "B")),
            {
                "guided_choice": ["A", "B"],
                "structured_outputs": {"choice": ["A", "B"]},
                "regex": "A|B",
                "logprobs": True,
                "top_logprobs": 20,
            },
        ),
        ("none", ask(schema=SCHEMA), {}),
    ],
)
async def test_structured_output_is_asked_for(
    structured: str, question: Ask, sent: dict[str, object]
) -> None:
    with ChatServer(always(says("{}"))) as server:
        async with judging_at(server, structured=structured) as judge:
            await judge.ask(question)
    plain = ("model", "messages", "max_tokens", "temperature", "seed")
    body = dict(server.requests[0].body)
    for key in plain:
        del body[key]
    assert body == sent


async def test_a_refused_parameter_is_left_out_from_then_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def script(request: Request) -> Play:
        if "response_format" in request.body:
            return error(400, "response_format is not supported")
        return says("{}")

    with ChatServer(script) as server, caplog.at_level(logging.WARNING):
        async with judging_at(server, attempts=1) as judge:
            await asyncio.gather(*(judge.ask(ask(str(n), schema=SCHEMA)) for n in range(10)))
            met = len(server.requests)
            await judge.ask(ask("later", schema=SCHEMA))
    assert 11 <= met <= 20
    assert len(server.requests) == met + 1
    assert "response_format" not in server.requests[-1].body
    assert [record.getMessage() for record in caplog.records] == [
        f"{server.url} takes no structured output; asked without from now on"
    ]


async def test_only_the_parameter_that_is_named_is_left_out() -> None:
    def script(request: Request) -> Play:
        if "logprobs" in request.body:
            return error(422, "unknown field: logprobs")
        return says("A")

    with ChatServer(script) as server:
        async with judging_at(server, structured="guided_choice") as judge:
            answer = await judge.ask(ask(labels=("A", "B")))
    assert (answer.text, answer.logprobs) == ("A", None)
    assert len(server.requests) == 2
    assert "guided_choice" in server.requests[1].body


async def test_a_refusal_that_names_nothing_costs_a_parameter_only_time_after_time() -> None:
    plays = [error(400), says("{}"), says("{}"), *[error(400), says("{}")] * 3]
    with ChatServer(in_order([*plays, says("{}")])) as server:
        async with judging_at(server, attempts=1) as judge:
            for number in range(6):
                await judge.ask(ask(str(number), schema=SCHEMA))
    sent = ["response_format" in request.body for request in server.requests]
    assert sent == [True, False, True, *[True, False] * 3, False]


async def test_a_refusal_for_another_reason_costs_no_parameter() -> None:
    def script(request: Request) -> Play:
        long = len(request.body["messages"][0]["content"]) > 100
        return error(400, "maximum context length") if long else says("{}")

    with ChatServer(script) as server:
        async with judging_at(server) as judge:
            assert (await failure(judge, ask("x" * 101, schema=SCHEMA))).kind == "refused"
            await judge.ask(ask(schema=SCHEMA))
    assert "response_format" in server.requests[-1].body


async def test_cancelling_ends_the_request_and_gives_the_place_back() -> None:
    with ChatServer(in_order([SILENT, says("yes")])) as server:
        async with judging_at(server, concurrency=1) as judge:
            task = asyncio.create_task(judge.ask(ask("a")))
            await until(lambda: server.at_once == 1)
            assert gauge("touchstone_judge_in_flight", endpoint=server.url) == 1
            waiting = asyncio.create_task(judge.ask(ask("b")))
            await asyncio.sleep(0.05)
            assert len(server.requests) == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await waiting).text == "yes"
            await until(lambda: server.unanswered == 1)
            # The one that was cancelled may have been billed.
            assert (await judge._store.spent()).tokens == 1 + 64 + 1_024 + 15
            assert gauge("touchstone_judge_in_flight", endpoint=server.url) == 0


async def test_cancelling_who_waits_for_a_place_costs_nothing() -> None:
    with ChatServer(in_order([says("yes", wait_s=1.0), says("no")])) as server:
        async with judging_at(server, concurrency=1) as judge:
            first = asyncio.create_task(judge.ask(ask("a")))
            await until(lambda: server.at_once == 1)
            waiting = [asyncio.create_task(judge.ask(ask(str(n)))) for n in range(50)]
            await asyncio.sleep(0.05)
            for task in waiting:
                task.cancel()
            assert (await first).text == "yes"
            assert (await judge.ask(ask("b"))).text == "no"
            assert (await judge._store.spent()).tokens == 30
    assert len(server.requests) == 2


async def test_equal_asks_at_once_are_one_request() -> None:
    with ChatServer(always(says("yes", wait_s=0.05))) as server:
        async with judging_at(server, prices=PRICES) as judge:
            answers = await asyncio.gather(*(judge.ask(ask()) for _ in range(20)))
    assert len(server.requests) == 1
    assert sum(answer.cached for answer in answers) == 19
    assert sum(answer.cost_usd for answer in answers) == pytest.approx(15e-6)


async def test_equal_asks_fail_together() -> None:
    with ChatServer(always(error(500))) as server:
        async with judging_at(server, attempts=2) as judge:
            failures = await asyncio.gather(*(failure(judge, ask()) for _ in range(20)))
    assert len(server.requests) == 2
    assert len({id(each) for each in failures}) == 20


async def test_the_next_of_equal_asks_takes_over_from_one_that_was_cancelled() -> None:
    with ChatServer(in_order([SILENT, says("yes")])) as server:
        async with judging_at(server) as judge:
            leader = asyncio.create_task(judge.ask(ask()))
            await until(lambda: server.at_once == 1)
            others = [asyncio.create_task(judge.ask(ask())) for _ in range(5)]
            await asyncio.sleep(0.02)
            leader.cancel()
            assert [(await other).text for other in others] == ["yes"] * 5
    assert len(server.requests) == 2


async def test_the_next_of_equal_asks_takes_over_from_one_whose_time_is_up() -> None:
    with ChatServer(in_order([SILENT, says("yes")])) as server:
        async with judging_at(server) as judge:
            leader = asyncio.create_task(failure(judge, ask(), 1.0))
            await until(lambda: server.at_once == 1)
            impatient = asyncio.create_task(failure(judge, ask(), 0.01))
            assert (await judge.ask(ask(), 60.0)).text == "yes"
            assert (await leader).cut
            assert ((await impatient).kind, (await impatient).attempts) == ("timeout", 0)


@pytest.mark.parametrize(
    ("play", "kind"),
    [(SILENT, "timeout"), (error(429, retry_after="100"), "rate_limited"), (error(500), "server")],
)
async def test_a_deadline_is_kept(play: Play, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 1_000.0)
    monkeypatch.setattr(client, "LONGEST_WAIT_SECONDS", 1_000.0)
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    with ChatServer(always(play)) as server:
        async with judging_at(server) as judge:
            async with asyncio.timeout(60):
                failed = await failure(judge, ask(), 1.5)
    assert (failed.kind, failed.attempts, failed.cut) == (kind, 1, True)
    assert len(server.requests) == 1


async def test_a_deadline_counts_while_waiting_for_a_place() -> None:
    with ChatServer(always(SILENT)) as server:
        async with judging_at(server, concurrency=1) as judge:
            first = asyncio.create_task(judge.ask(ask("a")))
            await until(lambda: server.at_once == 1)
            failed = await failure(judge, ask("b"), 0.1)
            assert (failed.kind, failed.attempts, failed.cut) == ("timeout", 0, True)
            assert (await failure(judge, ask("c"), 0.0)).kind == "timeout"
            first.cancel()
    assert len(server.requests) == 1


async def test_a_locked_cache_does_not_stop_the_loop(tmp_path: Path) -> None:
    """The loop would be held until SQLite gives up, and the request then sent without a charge."""
    path = tmp_path / "judge.sqlite"
    with ChatServer(always(says("yes"))) as server:
        async with judging_at(server, cache=CacheSettings(path=str(path))) as judge:
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            task = asyncio.create_task(judge.ask(ask()))
            for _ in range(50):
                await asyncio.sleep(0.01)
            assert not task.done()
            assert not server.requests
            other.execute("COMMIT")
            other.close()
            assert (await task).text == "yes"


async def test_a_key_goes_to_its_endpoint_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-secret\n")
    with ChatServer(always(says("yes"))) as other:
        away = Play(status=307, headers={"Location": f"{other.url}/chat/completions"})
        with ChatServer(always(away)) as server:
            endpoints = (EndpointSettings(server.url, "judge", api_key_env="SOME_KEY"),)
            judge = Judge(JudgeSettings(endpoints=endpoints))
            failed = await failure(judge, ask())
            await judge.close()
    assert server.requests[0].headers["authorization"] == "Bearer sk-secret"
    assert not other.requests
    assert "secret" not in str(failed)


def test_a_missing_key_is_an_error_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    endpoints = (EndpointSettings("http://127.0.0.1:9/v1", "judge", api_key_env="SOME_KEY"),)
    with pytest.raises(SettingsError, match="api_key_env: SOME_KEY is to hold the key"):
        Judge(JudgeSettings(endpoints=endpoints))


async def test_large_bodies_are_packed_and_read_beside_the_loop() -> None:
    text = "é" * 500_000
    with ChatServer(judging(lambda messages: messages[0]["content"])) as server:
        async with judging_at(server) as judge:
            assert (await judge.ask(ask(text))).text == text
            assert (await judge.ask(ask(text))).cached


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_metrics() -> None:
    with ChatServer(in_order([error(500), says("yes", prompt_tokens=100)])) as server:
        async with judging_at(server, prices=PRICES) as judge:
            kept = gauge("touchstone_judge_cache_hits_total", source="kept") or 0.0
            await judge.ask(ask())
            await judge.ask(ask())
            assert gauge("touchstone_judge_cache_hits_total", source="kept") == kept + 1
    url = server.url
    for outcome in ("ok", "server"):
        assert gauge("touchstone_judge_requests_total", endpoint=url, outcome=outcome) == 1
    assert gauge("touchstone_judge_tokens_total", endpoint=url, side="prompt") == 100
    assert gauge("touchstone_judge_tokens_total", endpoint=url, side="completion") == 5
    assert gauge("touchstone_judge_cost_usd_total", endpoint=url) == pytest.approx(105e-6)
    assert gauge("touchstone_judge_latency_seconds_count", endpoint=url) == 2
    assert gauge("touchstone_judge_in_flight", endpoint=url) == 0
