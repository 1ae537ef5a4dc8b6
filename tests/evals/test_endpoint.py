"""What an endpoint may do, over real HTTP: every fault is tried again or named."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from evals import endpoint
from evals.benchmark import user
from evals.endpoint import EndpointModel, EndpointSettings, connect
from evals.model import ModelError, Refused, Reply, Sampling
from tests.evals.support import NAME, stream
from tests.verifier.judge.server import (
    RESET,
    SILENT,
    ChatServer,
    Play,
    always,
    error,
    in_order,
    says,
)

SAMPLING = Sampling(0.6, 0.95, 100, 7, ("\n\n",))


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(endpoint, "MOST_PAUSE_S", 0.02)


def ask(server: ChatServer, **settings) -> Reply:
    async def whole() -> Reply:
        told = {"stall_seconds": 0.4, "tries": 4} | settings
        model = EndpointModel(EndpointSettings(server.url, NAME, **told), NAME)
        try:
            return await model.generate(user("What is 2 + 2?", "You add."), SAMPLING)
        finally:
            await model.close()

    return asyncio.run(whole())


def test_a_streamed_answer_and_what_was_asked():
    with ChatServer(always(stream("It is 4.", reasoning="two and two", tokens=9))) as server:
        reply = ask(server)
    assert reply == Reply("It is 4.", "stop", "two and two", 5, 9)
    body = server.requests[0].body
    assert body["messages"] == [
        {"role": "system", "content": "You add."},
        {"role": "user", "content": "What is 2 + 2?"},
    ]
    told = {"temperature": 0.6, "top_p": 0.95, "max_tokens": 100, "seed": 7, "stop": ["\n\n"]}
    assert {name: body[name] for name in told} == told


def test_cut_off_answers_are_said_to_be():
    with ChatServer(always(stream("It is", finish="length"))) as server:
        assert ask(server).finish == "length"


@pytest.mark.parametrize(
    "fault",
    [
        error(429), error(500), error(502), error(503, retry_after="0.01"), error(408),
        RESET, stream("It", sent=120), stream("It is 4.", finish=None),
        Play(b"data: {]\n\n", content_type="text/event-stream"),
        Play(b'data: {"error": {"message": "out of memory"}}\n\n', content_type="text/event-stream"),
    ],
    ids=["429", "500", "502", "503", "408", "reset", "cut", "no end", "garbage", "error event"],
)  # fmt: skip
def test_faults_are_tried_again(fault):
    with ChatServer(in_order([fault, fault, stream("It is 4.")])) as server:
        assert ask(server).response == "It is 4."
    assert len(server.requests) == 3


def test_a_stall_is_tried_again_and_a_slow_stream_is_not():
    slow = stream("It is 4, after all that.", drip=60, drip_s=0.1)
    assert len(slow.body) / 60 * 0.1 > 1
    with ChatServer(in_order([SILENT, slow])) as server:
        assert ask(server).response == "It is 4, after all that."
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_refusals_are_not_tried_again(status):
    with (
        ChatServer(always(error(status, "context length is 10"))) as server,
        pytest.raises(ModelError, match=f"{status}.*context length"),
    ):
        ask(server)
    assert len(server.requests) == 1


def test_an_endpoint_that_never_answers_is_an_error_that_says_so():
    with (
        ChatServer(always(error(503, "overloaded"))) as server,
        pytest.raises(ModelError, match=r"503.*overloaded.*tried 4 times"),
    ):
        ask(server)
    assert len(server.requests) == 4


def test_a_content_filter_is_an_error_and_no_answer():
    with (
        ChatServer(always(stream("It", finish="content_filter"))) as server,
        pytest.raises(ModelError, match="content filter"),
    ):
        ask(server)


def test_parameters_can_be_left_out_and_added():
    with ChatServer(always(stream("4"))) as server:
        ask(server, omit=frozenset({"seed", "top_p"}), extra_body={"top_k": 20})
    body = server.requests[0].body
    assert "seed" not in body
    assert "top_p" not in body
    assert body["top_k"] == 20


def test_a_key_is_taken_from_the_environment_or_missed(monkeypatch):
    monkeypatch.setenv("OWN_KEY", "sk-1234")
    with ChatServer(always(stream("4"))) as server:
        ask(server, api_key_env="OWN_KEY")
        assert server.requests[0].headers["authorization"] == "Bearer sk-1234"
        monkeypatch.delenv("OWN_KEY")
        with pytest.raises(ModelError, match="OWN_KEY is not set"):
            ask(server, api_key_env="OWN_KEY")


# ---- an endpoint that is a stranger ------------------------------------------------

TEXT = "text/event-stream"


def events(*told: object, **how: Any) -> Play:
    lines = (one if isinstance(one, str) else json.dumps(one) for one in told)
    return Play("".join(f"data: {one}\n\n" for one in lines).encode(), content_type=TEXT, **how)


def chunk(delta: object, finish: object = None, **rest: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **rest}


FOUR = (chunk({"content": "4"}), chunk({}, "stop"))


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None}, {"choices": [None]}, {}, 5, [], "[]", chunk(None),
        chunk({"content": None}), chunk({}, usage=None), chunk({}, usage="x"),
        chunk({}, usage={"prompt_tokens": None, "completion_tokens": -1}),
        chunk({}, usage={"prompt_tokens": 10**30, "completion_tokens": 1.5}),
    ],
    ids=str,
)  # fmt: skip
def test_what_says_nothing_changes_nothing(odd):
    with ChatServer(always(events(odd, *FOUR, odd, "[DONE]"))) as server:
        assert ask(server, stall_seconds=60) == Reply("4", "stop")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("play", "message"),
    [
        (events({"choices": "abc"}, *FOUR), "choices: a list, got 'abc'"),
        (events(chunk({"content": ["4"]}), *FOUR), r"content: a text, got \['4'\]"),
        (events(chunk({"content": "4"}), chunk({}, "abort")), "finish_reason: .*got 'abort'"),
        (events(chunk({}, {"type": "abort"})), "finish_reason: a text, got"),
        (events(chunk({"content": "4"})), "broke off"),
        (events("[" * 100_000), "no JSON"),
        (Play(b'data: {"choices": "\xff"}\n\n', content_type=TEXT), "no JSON: .*0xff"),
        (Play(b'{"error": {"message": "loading"}}'), "no stream but 'application/json': .*loading"),
        (Play(b"<p>Sign in</p>", content_type="text/html"), "text/html.*Sign in"),
        (says("4"), "no stream but 'application/json'"),
        (Play(b"{}", 429, headers={"Retry-After": "\xb2"}), "429"),
        (Play(status=307, headers={"Location": "/v1/chat/completions"}), "redirects"),
    ],
    ids=["choices", "content", "abort", "finish", "no end", "nested", "bytes", "error", "page",
         "no stream", "retry-after", "redirects"],
)  # fmt: skip
def test_what_is_no_answer_is_named_and_never_one(play, message):
    with (
        ChatServer(always(play)) as server,
        pytest.raises(ModelError, match=rf"{message}.*tried 2 times"),
    ):
        ask(server, tries=2, stall_seconds=60)


def test_an_answer_without_an_end_is_an_error():
    endless = events(*[chunk({"content": "y" * 100_000})] * 40)
    with (
        ChatServer(always(endless)) as server,
        pytest.raises(ModelError, match=r"max_tokens: 100 were asked for.* 1100000 characters"),
    ):
        ask(server, stall_seconds=60)
    assert len(server.requests) == 1


def test_bytes_without_an_event_have_a_limit(monkeypatch):
    monkeypatch.setattr(endpoint, "EVENT_BYTES", 2**20)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    with (
        ChatServer(always(Play(raw=head + b"x" * 65536))) as server,
        pytest.raises(ModelError, match="more than 1048576 bytes"),
    ):
        ask(server, stall_seconds=60)


def test_signs_of_life_are_no_tokens():
    beats = events(*[chunk({"role": "assistant", "content": ""})] * 200, drip=60, drip_s=0.02)
    with (
        ChatServer(always(beats)) as server,
        pytest.raises(ModelError, match=r"no token for 0\.4 s"),
    ):
        ask(server, tries=1)


@pytest.mark.parametrize("how", [{"drip": 30, "drip_s": 0.02}, {"sent": None}])
def test_an_answer_is_whole_when_it_says_so(monkeypatch, how):
    """What may follow is the count of its tokens, which is not waited for without end."""
    monkeypatch.setattr(endpoint, "USAGE_S", 0.3)
    whole = events(*FOUR)
    rest = b": ping\n\n" * 20_000 if "drip" in how else b"data: {"
    told = {"sent": len(whole.body)} if "sent" in how else how
    began = time.monotonic()
    with ChatServer(always(Play(whole.body + rest, content_type=TEXT, **told))) as server:
        assert ask(server, stall_seconds=60) == Reply("4", "stop")
    assert len(server.requests) == 1
    assert time.monotonic() - began < 60


def test_who_refuses_a_conversation_is_there():
    for play in (
        error(400, "too long"),
        error(413),
        error(422),
        stream("x", finish="content_filter"),
    ):
        with ChatServer(always(play)) as server, pytest.raises(Refused):
            ask(server)
    with ChatServer(always(error(401))) as server, pytest.raises(ModelError) as found:
        ask(server)
    assert not isinstance(found.value, Refused)


def test_a_key_is_never_told(monkeypatch):
    monkeypatch.setenv("OWN_KEY", " sk-1234\n")
    with ChatServer(always(stream("4"))) as server:
        ask(server, api_key_env="OWN_KEY")
    assert server.requests[0].headers["authorization"] == "Bearer sk-1234"
    monkeypatch.setenv("OWN_KEY", "sk-1234\x07")
    with ChatServer(always(stream("4"))) as server, pytest.raises(ModelError) as found:
        ask(server, api_key_env="OWN_KEY", option="judge")
    assert "--judge-key-env: OWN_KEY has" in str(found.value)
    assert "1234" not in str(found.value)


def listing(body: bytes) -> str:
    class Models(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *told: object) -> None:
            pass

    async def name(url: str) -> str:
        model = await connect(EndpointSettings(url, option="judge"))
        await model.close()
        return model.name

    with HTTPServer(("127.0.0.1", 0), Models) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            return asyncio.run(name(f"http://127.0.0.1:{server.server_port}/v1"))
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    "body", [b'{"data": null}', b"<html>", b"[]", b"{}", b"{", b"null", b"[" * 100_000, b"\xff"]
)
def test_a_list_of_models_that_is_none_is_said(body):
    with pytest.raises(ModelError, match=r"--judge http://.*/v1: no list of models at .*/models"):
        listing(body)


def test_an_endpoint_with_one_model_needs_no_name():
    assert listing(b'{"data": [{"id": "m"}]}') == "m"
    with pytest.raises(ModelError, match=r"--judge-name: .* has a, b; name one"):
        listing(b'{"data": [{"id": "b"}, {"id": "a"}]}')
