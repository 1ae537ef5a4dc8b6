"""Endpoints that mean harm or are broken, files that are, and processes that die, end to end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.judge.server import (
    RESET,
    SILENT,
    ChatServer,
    Play,
    Request,
    always,
    completion,
    error,
    says,
)
from tests.verifier.support import wait_for
from verifier.client import ServiceError, VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.judge import client
from verifier.judge.ask import Answer, Ask, JudgeFailed, Message
from verifier.judge.asking import Asking
from verifier.judge.cache import Store
from verifier.judge.client import Judge
from verifier.judge.group import Groups
from verifier.judge.settings import JudgeSettings, checked
from verifier.judge.verify import verify
from verifier.kept import store as kept
from verifier.v1 import verifier_pb2 as pb

SAFE = '{"analysis": "", "safety": "safe"}'
GOOD = json.dumps(completion(SAFE)).encode()
HARMLESS = pb.JudgeTask(mode=pb.JudgeTask.HARMLESS)
KEY = "sk-0123456789abcdef"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SOME_KEY", KEY)


def settings(*servers: ChatServer, key: str = "", **more: Any) -> JudgeSettings:
    endpoints = [
        {"url": server.url, "model": f"judge-{place}", "api_key_env": key}
        for place, server in enumerate(servers)
    ]
    return checked({"endpoints": endpoints, **more})


def ask(text: str = "?", **fields: Any) -> Ask:
    return Ask((Message("user", text),), **fields)


# ---- what an endpoint can do


async def test_connections_are_used_again() -> None:
    with ChatServer(always(says("yes", wait_s=0.02)), keep_alive=True) as server:
        judge = Judge(settings(server, concurrency=4))
        for number in range(10):
            await judge.ask(ask(str(number)))
        assert server.connections == 1
        await asyncio.gather(*(judge.ask(ask(f"more {number}")) for number in range(40)))
        assert server.connections <= 4
        assert len(server.requests) == 50
        await judge.close()


async def test_a_connection_that_was_closed_meanwhile_costs_no_question() -> None:
    """The server closes after each answer but announces that it will not."""
    lies = replace(says("yes"), headers={"Connection": "keep-alive"})
    with ChatServer(always(lies)) as server:
        judge = Judge(settings(server))
        for number in range(10):
            assert (await judge.ask(ask(str(number)))).text == "yes"
            await asyncio.sleep(0.02)
        await judge.close()


async def test_cookies_go_nowhere() -> None:
    many = {"Set-Cookie": "name=secret; Path=/; Domain=127.0.0.1"}
    with ChatServer(always(replace(error(503), headers=many))) as first:
        with ChatServer(always(replace(says("yes"), headers=many))) as second:
            judge = Judge(settings(first, second))
            for number in range(3):
                await judge.ask(ask(str(number)))
            await judge.close()
        assert all("cookie" not in each.headers for each in first.requests + second.requests)


BOMB = gzip.compress(bytes(300 << 20), 9)


@pytest.mark.parametrize(
    ("play", "kinds"),
    [
        (Play(BOMB, headers={"Content-Encoding": "gzip"}), {"garbage"}),
        (Play(gzip.compress(GOOD), headers={"Content-Encoding": "gzip"}), {"garbage"}),
        (Play(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 100), {"timeout", "server"}),
        (Play(raw=b"x"), {"server", "timeout"}),
        (Play(raw=b"X-More: of it\r\n" * 100), {"server", "timeout"}),
        (
            Play(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b" " * 4096 + b"\r\n"),
            {"garbage", "server"},
        ),
        (Play(b"", 302, headers={"Location": "http://[::1"}), {"refused"}),
        (Play(b"", 308, headers={"Location": "\x7f://"}), {"refused", "server"}),
        (Play(b"", 307, headers={"Location": "file:///etc/passwd"}), {"refused"}),
        (Play(GOOD, 204), {"garbage", "server"}),
        (Play(GOOD, 101), {"garbage", "server", "refused"}),
        (Play(GOOD, 999), {"server"}),
        (Play(GOOD, headers={"Retry-After": "\xff"}, status=429), {"rate_limited"}),
        (Play(b"{" * 100_000 + b"}"), {"garbage"}),
        (Play(b'{"a":' * 100_000), {"garbage"}),
        (says(None, refusal="\ud800 no"), {"refused"}),
        (Play(GOOD.replace(b'"stop"', b'"\\udfff"').replace(b'"content"', b'"c"')), {"garbage"}),
    ],
)  # fmt: skip
async def test_an_endpoint_that_means_harm_gives_no_score_in_bounded_time(
    play: Play, kinds: set[str]
) -> None:
    with ChatServer(always(play)) as server:
        judge = Judge(settings(server, attempts=1, timeout_seconds=3.0))
        async with asyncio.timeout(60):
            outcome = await verify(HARMLESS, "r", "q", Asking(judge), Groups())
        await judge.close()
    assert (outcome.status, outcome.score) == (pb.Verdict.JUDGE_ERROR, None)
    assert any(f": {kind}" in outcome.message for kind in kinds), outcome.message
    pb.Verdict(evidence=outcome.evidence).SerializeToString()


@pytest.mark.parametrize(
    "text",
    [
        '{"analysis": "", "safety": "safe", "safety": "unsafe"}',
        '{"analysis": "", "safety": "sаfe"}',  # a Cyrillic letter
        '{"analysis": "", "safety": "safe\u200b"}',
        '{"analysis": "", "safety": "safe\\u0000"}',
        '{"analysis": NaN, "safety": "safe"}',
        '{"analysis": "", "safety": 1}',
        '{"analysis": "", "safety": Infinity}',
        '{"analysis": "", "safety": ["safe"]}',
        '{"analysis": ' + "[" * 30_000 + "]" * 30_000 + ', "safety": "safe"}',
        '{"analysis": "", "safety": "safe"} {"analysis": "", "safety": "unsafe"}',
        "\ufeff" + SAFE,
        SAFE + "\0",
    ],
)
async def test_an_answer_that_is_not_exactly_a_verdict_is_none(text: str) -> None:
    with ChatServer(always(says(text))) as server:
        judge = Judge(settings(server, attempts=1))
        outcome = await verify(HARMLESS, "r", "q", Asking(judge), Groups())
        await judge.close()
    assert (outcome.status, outcome.score) == (pb.Verdict.JUDGE_ERROR, None)
    assert len(server.requests) == 2


async def test_halves_of_surrogate_pairs_in_an_analysis() -> None:
    text = '{"analysis": "\\ud800 \\udfff\\u0000 fine", "safety": "safe"}'
    with ChatServer(always(says(text))) as server:
        judge = Judge(settings(server))
        for _ in range(2):  # the second from the cache
            outcome = await verify(HARMLESS, "r", "q", Asking(judge), Groups())
            assert outcome.score == 1.0
            assert outcome.evidence.judge.queries[0].analysis == "? ?\0 fine"
        await judge.close()


@pytest.mark.parametrize(
    "logprob", ["1e400", "-1e400", "NaN", '"0"', "true", "9" * 400, "-" + "9" * 400]
)
async def test_log_probabilities_that_are_none(logprob: str) -> None:
    body = json.dumps(completion("1", top=[("1", -123.5), ("2", -0.25)]))
    play = Play(body.replace("-123.5", logprob).encode())
    with ChatServer(always(play)) as server:
        judge = Judge(settings(server))
        outcome = await verify(HARMLESS, "r", "q", Asking(judge, by_digit=True), Groups())
        await judge.close()
    assert (outcome.status, outcome.score) == (pb.Verdict.OK, 0.0)  # of "2" alone


async def test_a_key_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Also where the endpoint repeats it, and at the most talkative log level."""

    def script(request: Request) -> Play:
        said = f"no: {request.headers['authorization']}"
        return error(401, said) if request.number % 2 else Play(said.encode(), 500)

    told = []
    with ChatServer(script) as server, caplog.at_level(logging.DEBUG):
        judge = Judge(settings(server, key="SOME_KEY", attempts=2))
        for number in range(3):
            outcome = await verify(HARMLESS, f"r {number}", "q", Asking(judge), Groups())
            assert outcome.status == pb.Verdict.JUDGE_ERROR
            told.append(f"{outcome} {judge.settings} {vars(judge)}")
        await judge.close()
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    for text in [*told, *(record.getMessage() for record in caplog.records), caplog.text]:
        assert KEY not in text


async def test_one_of_two_endpoints_is_dead() -> None:
    """Whatever way it is dead, every question has its answer from the other."""
    for death in (RESET, SILENT, Play(b"<html>"), error(503)):
        with ChatServer(always(death)) as dead, ChatServer(always(says("yes"))) as well:
            breaker = {"failures": 4, "cooldown_seconds": 600.0}
            judge = Judge(settings(dead, well, breaker=breaker, attempts=2))
            judge._endpoints[0]._timeout = 0.5  # of the dead one alone: the other may be slow
            async with asyncio.timeout(60):
                answers = await asyncio.gather(*(judge.ask(ask(str(n))) for n in range(100)))
            await judge.close()
        assert {answer.model for answer in answers} == {"judge-1"}
        assert len(dead.requests) <= judge.settings.concurrency + 4
        assert len(well.requests) == 100


async def test_a_cap_is_never_passed(tmp_path: Path) -> None:
    """Two hundred questions at once, a third of them with faults and a third cancelled; counted
    by what the server gave."""
    billed = 0

    def script(request: Request) -> Play:
        nonlocal billed
        prompt = sum(len(each["content"]) for each in request.body["messages"])
        tokens = prompt + request.body["max_tokens"]
        if request.number % 5 == 4:
            return error(500)
        billed += tokens
        if request.number % 5 == 3:
            return Play(GOOD, sent=30)
        return says("yes", prompt_tokens=prompt, completion_tokens=tokens - prompt, wait_s=0.01)

    cap = 20_000
    with ChatServer(script) as server:
        judge = Judge(
            settings(
                server,
                budget_tokens_per_day=cap,
                cache={"path": str(tmp_path / "judge.sqlite")},
                concurrency=200,
                attempts=3,
                breaker={"failures": 1_000_000},
            )
        )
        tasks = [asyncio.create_task(judge.ask(ask(str(n), max_tokens=100))) for n in range(200)]
        await asyncio.sleep(0.03)
        for task in tasks[::3]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        spent = await judge._store.spent()
        await judge.close()
    assert billed <= spent.tokens <= cap
    answered = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, JudgeFailed)]
    assert len(answered) > 50
    assert "budget" in {failure.kind for failure in failed}


# ---- the file


async def test_a_damaged_row_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "judge.sqlite"
    with ChatServer(always(says("yes"))) as server:
        for damage in ("{", "[]", '{"text": "no"}', "null", '{"odd": 1}', b"\xff\xfe"):
            judge = Judge(settings(server, cache={"path": str(path)}))
            await judge.ask(ask())
            await judge.close()
            with sqlite3.connect(path) as database:
                database.execute("UPDATE answers SET answer = ?", (damage,))
            database.close()
            judge = Judge(settings(server, cache={"path": str(path)}))
            assert (await judge.ask(ask())).text == "yes"
            await judge.close()


@pytest.mark.parametrize("harm", ["deleted", "overwritten", "truncated"])
async def test_a_file_that_is_harmed_while_it_is_in_use(tmp_path: Path, harm: str) -> None:
    """Answers come all the same."""
    path = tmp_path / "judge.sqlite"
    with ChatServer(always(says("yes"))) as server:
        judge = Judge(settings(server, cache={"path": str(path)}))
        await judge.ask(ask("before"))
        if harm == "deleted":
            for file in tmp_path.iterdir():
                file.unlink()
        else:
            # Not its -shm, which SQLite maps: a process that maps a file that is cut short dies.
            for file in (path, Path(f"{path}-wal")):
                file.write_bytes(b"" if harm == "truncated" else os.urandom(file.stat().st_size))
        for number in range(20):
            assert (await judge.ask(ask(str(number)))).text == "yes"
        await judge.close()


async def test_a_file_that_stays_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One waits for the lock, and no other; without a cap answers come all the same."""
    monkeypatch.setattr(kept, "BUSY_SECONDS", 1.0)
    path = tmp_path / "judge.sqlite"
    with ChatServer(always(says("yes"))) as server:
        judge = Judge(settings(server, cache={"path": str(path)}))
        capped = settings(server, cache={"path": str(path)}, budget_tokens_per_day=10**9)
        other = Judge(capped)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        answers = await asyncio.gather(*(judge.ask(ask(str(n))) for n in range(50)))
        assert {answer.text for answer in answers} == {"yes"}
        with pytest.raises(JudgeFailed, match=r"budget.*the spend of this day cannot be read"):
            await other.ask(ask())
        assert time.monotonic() - began < 25  # a second each would be fifty
        holder.execute("COMMIT")
        holder.close()
        assert (await other.ask(ask())).text == "yes"
        assert (await other.ask(ask())).cached
        await judge.close()
        await other.close()


def test_a_file_that_cannot_be_written_ends_the_start() -> None:
    with pytest.raises(sqlite3.Error):
        Store("/proc/judge.sqlite", 1 << 20)


# ---- processes


class Served:
    def __init__(self, chat: ChatServer, toml: Path) -> None:
        self.chat, self.toml = chat, toml

    def start(self) -> EmbeddedServer:
        options = ("--log-level", "warning", "--sandbox", "none", "--judge", str(self.toml))
        return EmbeddedServer(*options)


@pytest.fixture
def slow_judge(tmp_path: Path) -> Iterator[Served]:
    with ChatServer(always(says(SAFE, wait_s=0.2)), keep_alive=True) as chat:
        toml = tmp_path / "judge.toml"
        toml.write_text(
            f"""
            concurrency = 8
            budget_tokens_per_day = 100000000
            [[endpoints]]
            url = "{chat.url}"
            model = "judge"
            api_key_env = "SOME_KEY"
            [cache]
            path = "{tmp_path / "judge.sqlite"}"
            """
        )
        yield Served(chat, toml)


def items(count: int) -> list[pb.Item]:
    return [pb.Item(id=str(n), prompt="q", response=f"r {n}", judge=HARMLESS) for n in range(count)]


def test_killed_in_the_middle_it_goes_on_where_it_was(slow_judge: Served) -> None:
    chat = slow_judge.chat
    answers = chat.script
    chat.script = lambda request: answers(request) if request.number < 40 else SILENT
    server = slow_judge.start()
    with server, VerifierClient(server.address, resend_s=0) as service:
        verdicts = []

        def work() -> None:
            with contextlib.suppress(ServiceError):
                verdicts.extend(verdict for _, verdict in service.stream(items(60)))

        thread = threading.Thread(target=work)
        thread.start()
        wait_for(lambda: len(verdicts) >= 16, 60)
        os.kill(server.pid, signal.SIGKILL)
        thread.join()
    assert len(chat.requests) < 60
    chat.script = answers
    with slow_judge.start() as server, VerifierClient(server.address) as service:
        again = list(service.verify(items(60)))
        told = service.describe()
    assert [verdict.reward for verdict in again] == [1.0] * 60
    assert len(chat.requests) <= 60 + 8 + 8
    assert sum(verdict.provenance.cache_hit for verdict in again) >= len(verdicts) - 1
    assert KEY not in str(told) + str(again)


def test_a_client_that_leaves_ends_the_questions_within_a_second(slow_judge: Served) -> None:
    chat = slow_judge.chat
    with slow_judge.start() as server, VerifierClient(server.address) as service:
        stream = service.stream(items(2_000))
        next(stream)
        chat.script = always(replace(says(SAFE), wait_s=30))
        wait_for(lambda: chat.at_once == 8)
        stream.close()
        wait_for(lambda: chat.at_once == 0, 1.0)
        asked = len(chat.requests)
        time.sleep(0.5)
        assert len(chat.requests) == asked
        chat.script = always(says(SAFE))
        (verdict,) = service.verify([pb.Item(prompt="q", response="later", judge=HARMLESS)])
        assert verdict.reward == 1.0


def test_two_servers_share_one_file(slow_judge: Served) -> None:
    with (
        slow_judge.start() as one,
        slow_judge.start() as other,
        VerifierClient(one.address) as first,
        VerifierClient(other.address) as second,
    ):
        assert [v.reward for v in first.verify(items(20))] == [1.0] * 20
        verdicts = list(second.verify(items(20)))
    assert all(verdict.provenance.cache_hit for verdict in verdicts)
    assert len(slow_judge.chat.requests) == 20
