from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.judge.server import completion
from tests.verifier.test_length import steps
from verifier.judge.ask import Ask, Message
from verifier.judge.protocol import Extra, Unusable, blamed, body, pack, read, retry_after, wanted

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("0", 0.0),
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("-3", 0.0),
        ("1e9", 0.0),
        ("inf", 0.0),
        ("٣", 0.0),
        (".", 0.0),
        ("soon", 0.0),
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90.0),
        ("Thu, 01 Jan 2026 00:01:30 -0000", 90.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("Thu, 99 Jan 2026 00:01:30 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=50))
def test_any_header_is_a_rest_or_none(header: str) -> None:
    assert retry_after(header, NOW) >= 0


@given(st.text(), st.text(), st.integers(0, 9), st.floats(0, 2))
def test_what_is_sent_is_what_was_asked(system: str, text: str, seed: int, heat: float) -> None:
    ask = Ask((Message("system", system), Message("user", text)), seed=seed, temperature=heat)
    sent = json.loads(body(pack(ask), ask, "m", frozenset(Extra) & wanted(ask, "none")))
    assert sent == {
        "model": "m",
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": text}],
        "max_tokens": 1024,
        "temperature": heat,
        "seed": seed,
    }


def test_keys() -> None:
    """By the content of all that decides the answer, and by the order of a schema's keys."""
    one = Ask((Message("user", "ab"),), schema={"a": 1, "b": 2})
    assert pack(one).key("m") == pack(Ask((Message("user", "ab"),), {"a": 1, "b": 2})).key("m")
    others = [
        Ask((Message("user", "ab"),), schema={"b": 2, "a": 1}),
        Ask((Message("user", "a"), Message("user", "b")), schema={"a": 1, "b": 2}),
        Ask((Message("usera", "b"),), schema={"a": 1, "b": 2}),
    ]
    keys = {pack(ask).key("m") for ask in [one, *others]} | {pack(one).key("n")}
    assert len(keys) == 5


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"response_format is not supported", {Extra.STRUCTURED}),
        (b"Unknown parameter: 'LOGPROBS'", {Extra.LOGPROBS}),
        (b"neither guided_choice nor top_logprobs", {Extra.STRUCTURED, Extra.LOGPROBS}),
        (b"bad request", set()),
    ],
)
def test_what_a_refusal_blames(said: bytes, expected: set[Extra]) -> None:
    assert blamed(said, frozenset(Extra)) == expected
    assert blamed(said, frozenset({Extra.LOGPROBS})) == expected & {Extra.LOGPROBS}


def _with(path: list[str | int], value: object) -> bytes:
    """A good completion with one value replaced."""
    whole: Any = completion("yes", top=[("yes", -0.1), ("no", -3.0)])
    at = whole
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return json.dumps(whole).encode()


LOGPROBS: list[str | int] = ["choices", 0, "logprobs"]
TOP: list[str | int] = [*LOGPROBS, "content", 0, "top_logprobs"]


@pytest.mark.parametrize(
    "raw",
    [
        _with(LOGPROBS, None),
        _with(LOGPROBS, "many"),
        _with(LOGPROBS, {"content": None}),
        _with(LOGPROBS, {"content": [None, 3, {"token": 5}]}),
        _with(TOP, None),
        _with(TOP, [None, {"token": None, "logprob": -1}, {"token": "yes"}]),
        _with(TOP, [{"token": "yes", "logprob": "-1"}, {"token": "yes", "logprob": float("nan")}]),
        _with(TOP, [{"token": "yes", "logprob": -1e9}, {"token": "no", "logprob": float("-inf")}]),
        _with(TOP, [{"token": "other", "logprob": -1}]),
    ],
)
def test_logprobs_that_are_none(raw: bytes) -> None:
    reply = read(raw, ("yes", "no"))
    assert (reply.text, reply.logprobs) == ("yes", None)


def test_logprobs_are_at_the_first_token_that_is_not_blank() -> None:
    whole: Any = completion("yes", top=[("yes", -0.5)])
    content = whole["choices"][0]["logprobs"]["content"]
    content.insert(0, {"token": "\n", "top_logprobs": [{"token": "no", "logprob": -0.1}]})
    assert read(json.dumps(whole).encode(), ("yes", "no")).logprobs == pytest.approx({"yes": -0.5})
    # One above 0 is rounding.
    content[1]["top_logprobs"][0]["logprob"] = 1e-3
    assert read(json.dumps(whole).encode(), ("yes",)).logprobs == {"yes": 0.0}
    assert read(json.dumps(whole).encode(), ()).logprobs is None


@pytest.mark.parametrize(
    "usage", [None, 3, {}, {"prompt_tokens": 3}, {"prompt_tokens": True, "completion_tokens": 1},
              {"prompt_tokens": -1, "completion_tokens": 1}, {"prompt_tokens": 1.5, "completion_tokens": 1},
              {"prompt_tokens": 10**30, "completion_tokens": 1}],
)  # fmt: skip
def test_a_usage_that_cannot_be_is_none(usage: object) -> None:
    assert read(_with(["usage"], usage), ()).usage is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)
PATHS = st.sampled_from(
    [["choices"], ["choices", 0], ["choices", 0, "message"], ["choices", 0, "message", "content"],
     ["choices", 0, "message", "refusal"], ["choices", 0, "finish_reason"], ["usage"], LOGPROBS, TOP]
)  # fmt: skip


@given(PATHS, JSON)
def test_any_shape_is_read_or_unusable(path: list[str | int], value: object) -> None:
    with contextlib.suppress(Unusable):
        reply = read(_with(path, value), ("yes", "no"))
        assert reply.text.strip()
        assert all(logprob <= 0 for logprob in (reply.logprobs or {}).values())


@given(st.binary())
def test_any_bytes_are_unusable(raw: bytes) -> None:
    with pytest.raises(Unusable):
        read(raw, ())


@pytest.mark.parametrize(
    "entry",
    [
        {"token": " ", "top_logprobs": []},
        {"token": "yes"},
        None,
        [],
        {"token": "x", "top_logprobs": 3},
    ],
)
def test_many_tokens_cost_linear_time(entry: object) -> None:
    def cost(count: int) -> int:
        raw = _with(LOGPROBS, {"content": [entry] * count})
        return steps(read, raw, ("yes", "no"))

    assert cost(20_000) < 12 * cost(2_000)
