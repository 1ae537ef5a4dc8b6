"""What an endpoint may do, over real HTTP: every fault is tried again or named."""

from __future__ import annotations

import asyncio

import pytest

from evals import endpoint
from evals.benchmark import user
from evals.endpoint import EndpointModel, EndpointSettings
from evals.model import ModelError, Reply, Sampling
from tests.evals.support import NAME, stream
from tests.verifier.judge.server import RESET, SILENT, ChatServer, Play, always, error, in_order

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
