"""A model behind an OpenAI-compatible chat endpoint (SGLang, vLLM, llama.cpp, a hosted API).

Answers are streamed, so that an hour of generation needs no hour of silence: what is limited is
the time without a token. Rate limits, server errors, broken and stalled streams are tried again
with growing pauses; what a server says about how long to wait is kept.

What an endpoint sends is a stranger's: an answer and an event have a size, and what is not of the
API's form is an error that says so.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2
import openai
import tenacity

from evals.benchmark import Message
from evals.model import ModelError, NoLogprobs, Refused, Reply, Sampling
from evals.records import MOST

T = TypeVar("T")

MOST_PAUSE_S = 60.0
"""Between two tries, unless the server asks for more."""
MOST_ASKED_PAUSE_S = 600.0
"""A server that asks for a longer rest is taken for away."""
CONNECT_S = 15.0
LISTING_S = 60.0
"""For the list of an endpoint's models."""
USAGE_S = 15.0
"""For what may follow the end of an answer: the count of its tokens."""
CHARS_A_TOKEN, LEAST_CHARS = 128, 2**20
"""The longest tokens of common vocabularies, runs of spaces, have 128 characters: a longer answer
goes on beyond its limit of tokens. Some endpoints do not count thinking, so that any answer may
have LEAST_CHARS."""
EVENT_BYTES = 16 * 1024 * 1024
"""Of a stream before an event of it is whole."""
SHOWN_BYTES = 500
"""Of what came in place of a stream, in the message."""

ENDS = frozenset({"stop", "length", "eos_token", "stop_sequence", "tool_calls", "function_call"})
"""Reasons to finish of a model that came to an end by itself, or to its limit. What has any other,
as the `abort` of vLLM and SGLang, is no answer of the model."""

OMITTABLE = ("max_tokens", "seed", "stop", "stream_options", "temperature", "top_p")


@dataclass(frozen=True)
class EndpointSettings:
    """How an endpoint is asked."""

    url: str
    """Ends in /v1, as a rule."""
    model: str = ""
    """"": the only one that the endpoint lists."""
    api_key_env: str = ""
    """The environment variable that holds the key; "": none."""
    stall_seconds: float = 900.0
    """The longest wait for the next token, and for the first."""
    tries: int = 6
    omit: frozenset[str] = frozenset()
    """Parameters that this endpoint refuses, of OMITTABLE."""
    extra_body: dict[str, Any] = field(default_factory=dict)
    option: str = "model"
    """How the user gave it, for messages: --model, --model-name, --api-key-env; or --judge."""


class _Again(Exception):
    """Worth another try: why, and how long the server wants to be left alone."""

    def __init__(self, why: str, rest: float = 0.0) -> None:
        super().__init__(why)
        self.rest = rest


class EndpointModel:
    """See evals.model.Model."""

    def __init__(self, settings: EndpointSettings, name: str) -> None:
        self.name = name
        self.settings = settings
        self._client = _client(settings)

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """See Model."""
        return await self._tried(lambda: self._once(messages, sampling))

    async def first_token(self, messages: Sequence[Message]) -> dict[str, float]:
        """See evals.judged.Weighing. Raises ModelError."""
        return await self._tried(lambda: self._first_token(messages))

    async def close(self) -> None:
        """See Model."""
        await self._client.close()

    async def _tried(self, once: Callable[[], Awaitable[T]]) -> T:
        async def attempt() -> T:
            try:
                return await once()
            except openai.APIStatusError as error:
                if error.status_code in (408, 409, 425, 429) or error.status_code >= 500:
                    raise _Again(_said(error), _rest(error)) from error
                refused = error.status_code in (400, 413, 422)
                raise (Refused if refused else ModelError)(_said(error)) from error
            except openai.APIError as error:
                raise _Again(_said(error)) from error
            except (ValueError, RecursionError) as error:
                raise _Again(f"an answer that is no JSON: {error}") from error

        tries = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(self.settings.tries),
            wait=_pause,
            reraise=True,
        )
        try:
            return await tries(attempt)
        except _Again as error:
            raise ModelError(f"{error} (tried {self.settings.tries} times)") from error

    async def _once(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        request: dict[str, Any] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
            "stream_options": {"include_usage": True},
        }
        if sampling.stop:
            request["stop"] = list(sampling.stop)
        told = {key: value for key, value in request.items() if key not in self.settings.omit}
        create: Any = self._client.chat.completions.create  # its overloads know no such roles
        try:
            async with asyncio.timeout(self.settings.stall_seconds):
                stream = await create(
                    model=self.name,
                    messages=_turns(messages),
                    stream=True,
                    extra_body=self.settings.extra_body or None,
                    **told,
                )
        except TimeoutError:
            raise self._stalled from None
        async with stream:
            return await self._read(stream, sampling.max_tokens)

    @property
    def _stalled(self) -> _Again:
        return _Again(f"no token for {self.settings.stall_seconds:g} s (--stall-seconds)")

    async def _first_token(self, messages: Sequence[Message]) -> dict[str, float]:
        create: Any = self._client.chat.completions.create
        try:
            answer = await create(
                model=self.name,
                messages=_turns(messages),
                max_tokens=1,
                temperature=1.0,
                logprobs=True,
                top_logprobs=5,
            )
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if "logprobs" in str(error):
                raise NoLogprobs(_said(error)) from error
            raise
        try:
            top = answer.choices[0].logprobs.content[0].top_logprobs
            return {str(one.token): float(one.logprob) for one in top}
        except (AttributeError, IndexError, TypeError, ValueError):
            raise NoLogprobs("the endpoint gives no log-probabilities") from None

    async def _read(self, stream: openai.AsyncStream[Any], max_tokens: int) -> Reply:
        held = _Held(max_tokens)
        bytes_ = stream.response.stream = _Bytes(stream.response.stream)
        kind = stream.response.headers.get("content-type", "")
        chunks, clock = aiter(stream), asyncio.get_running_loop().time
        token = clock()
        while True:
            wait = USAGE_S if held.finish else self.settings.stall_seconds
            try:
                async with asyncio.timeout_at(token + wait):
                    chunk = await anext(chunks, None)
            except (TimeoutError, openai.APIConnectionError):
                if held.finish:
                    break  # the answer is whole
                if clock() < token + wait:
                    raise
                raise self._stalled from None
            if chunk is None:
                break
            bytes_.since = 0
            if held.add(chunk):
                token = clock()
        if not held.finish:
            other = "" if held.begun or "event-stream" in kind else f", no stream but {kind!r}: "
            shown = bytes_.first.decode("utf-8", "replace") if other else ""
            raise _Again(f"the answer broke off{other}{shown}")
        return held.reply()


class _Held:
    """What has come of an answer."""

    def __init__(self, max_tokens: int) -> None:
        self.finish, self.begun = "", False
        self._max_tokens = max_tokens
        self._response, self._reasoning = list[str](), list[str]()
        self._chars, self._prompt_tokens, self._completion_tokens = 0, 0, 0

    def add(self, chunk: Any) -> bool:
        """Takes in a chunk; whether it began, carried on or ended the answer. Raises ModelError,
        _Again."""
        before = (self.begun, self._chars, self.finish)
        self.begun = True
        if usage := getattr(chunk, "usage", None):
            self._prompt_tokens = _count(usage, "prompt_tokens")
            self._completion_tokens = _count(usage, "completion_tokens")
        choices = getattr(chunk, "choices", None) or []
        if not isinstance(choices, list):
            raise _Again(f"choices: a list, got {choices!r:.100}")
        for choice in choices:
            delta = getattr(choice, "delta", None)
            self._add(self._response, _text(delta, "content"))
            thought = _text(delta, "reasoning_content") or _text(delta, "reasoning")
            self._add(self._reasoning, thought)
            self.finish = _text(choice, "finish_reason") or self.finish
        return before != (self.begun, self._chars, self.finish)

    def _add(self, to: list[str], text: str) -> None:
        to.append(text)
        self._chars += len(text)
        if self._chars > max(LEAST_CHARS, self._max_tokens * CHARS_A_TOKEN):
            raise ModelError(
                f"max_tokens: {self._max_tokens} were asked for, the answer goes on after "
                f"{self._chars} characters"
            )

    def reply(self) -> Reply:
        """The whole answer. Raises Refused, _Again."""
        if self.finish == "content_filter":
            raise Refused("the endpoint's content filter withheld the answer")
        if self.finish not in ENDS:
            raise _Again(f"finish_reason: one of {', '.join(sorted(ENDS))}, got {self.finish!r}")
        return Reply(
            response="".join(self._response),
            finish="length" if self.finish == "length" else "stop",
            reasoning="".join(self._reasoning),
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
        )


def _text(held: Any, name: str) -> str:
    value = getattr(held, name, None)
    if value is not None and not isinstance(value, str):
        raise _Again(f"{name}: a text, got {value!r:.100}")
    return value or ""


def _count(usage: Any, name: str) -> int:
    """0 where the endpoint does not tell."""
    value = getattr(usage, name, None)
    return value if type(value) is int and 0 <= value < MOST else 0


class _Bytes(httpx2.AsyncByteStream):
    """A stream's bytes; raises ModelError where too many come without an event."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.since = 0
        self.first = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self.since += len(piece)
            self.first += piece[: SHOWN_BYTES - len(self.first)]
            if self.since > EVENT_BYTES:
                raise ModelError(f"an event of the stream has more than {EVENT_BYTES} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def connect(settings: EndpointSettings) -> EndpointModel:
    """The endpoint, asked for its models where none is named. Raises ModelError."""
    if settings.model:
        return EndpointModel(settings, settings.model)
    client = _client(settings)
    where = f"--{settings.option} {settings.url}"
    try:
        listed = (await client.models.with_raw_response.list(timeout=LISTING_S)).http_response
        told = {str(model["id"]) for model in listed.json()["data"]}
        names = sorted(name.encode("utf-8", "replace").decode() for name in told)
    except openai.OpenAIError as error:
        raise ModelError(f"{where}: {_said(error)}") from error
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise ModelError(
            f"{where}: no list of models at {settings.url}/models: {error!r}"
        ) from error
    finally:
        await client.close()
    if len(names) != 1:
        raise ModelError(
            f"--{settings.option}-name: {settings.url} has "
            f"{', '.join(names) or 'no models'}; name one"
        )
    return EndpointModel(settings, names[0])


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    # A step of a search goes back to the endpoint, and no request holds a lone surrogate.
    return [
        {"role": message.role, "content": message.content.encode("utf-8", "replace").decode()}
        for message in messages
    ]


def _client(settings: EndpointSettings) -> openai.AsyncOpenAI:
    key = "none"
    if settings.api_key_env:
        option = "--api-key-env" if settings.option == "model" else f"--{settings.option}-key-env"
        key = os.environ.get(settings.api_key_env, "").strip()
        if not key:
            raise ModelError(f"{option}: {settings.api_key_env} is not set")
        if not (key.isascii() and key.isprintable()):
            raise ModelError(f"{option}: {settings.api_key_env} has characters that no key has")
    try:
        return openai.AsyncOpenAI(
            base_url=settings.url,
            api_key=key,
            max_retries=0,
            timeout=openai.Timeout(settings.stall_seconds, connect=CONNECT_S),
        )
    except httpx2.InvalidURL as error:
        raise ModelError(f"--{settings.option}: {settings.url!r} is no URL: {error}") from error


def _pause(state: tenacity.RetryCallState) -> float:
    grown: float = tenacity.wait_exponential_jitter(1, MOST_PAUSE_S)(state)
    error = state.outcome.exception() if state.outcome else None
    asked = error.rest if isinstance(error, _Again) else 0.0
    return max(grown, asked)


def _rest(error: openai.APIStatusError) -> float:
    text = error.response.headers.get("retry-after", "")
    seconds = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?", text) else 0.0
    return min(seconds, MOST_ASKED_PAUSE_S)


def _said(error: Exception) -> str:
    status = f"status {error.status_code}: " if isinstance(error, openai.APIStatusError) else ""
    cause = f" ({error.__cause__})" if error.__cause__ else ""
    return f"{status}{error}{cause}"[:2000]
