"""A model behind an OpenAI-compatible chat endpoint (SGLang, vLLM, llama.cpp, a hosted API).

Answers are streamed, so that an hour of generation needs no hour of silence: what is limited is
the time without a token. Rate limits, server errors, broken and stalled streams are tried again
with growing pauses; what a server says about how long to wait is kept.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import openai
import tenacity

from evals.benchmark import Message
from evals.model import ModelError, NoLogprobs, Reply, Sampling

T = TypeVar("T")

MOST_PAUSE_S = 60.0
"""Between two tries, unless the server asks for more."""
MOST_ASKED_PAUSE_S = 600.0
"""A server that asks for a longer rest is taken for away."""
CONNECT_S = 15.0


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
    """Parameters that this endpoint refuses: of temperature, top_p, seed, stop, stream_options."""
    extra_body: dict[str, Any] = field(default_factory=dict)


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
                raise ModelError(_said(error)) from error
            except openai.APIError as error:
                raise _Again(_said(error)) from error

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
        stream = await create(
            model=self.name,
            messages=_turns(messages),
            stream=True,
            extra_body=self.settings.extra_body or None,
            **told,
        )
        async with stream:
            return await self._read(stream)

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
        except (AttributeError, IndexError, TypeError):
            raise NoLogprobs("the endpoint gives no log-probabilities") from None
        return {one.token: one.logprob for one in top}

    async def _read(self, stream: openai.AsyncStream[Any]) -> Reply:
        response, reasoning = list[str](), list[str]()
        finish, usage = "", None
        chunks = aiter(stream)
        while True:
            try:
                async with asyncio.timeout(self.settings.stall_seconds):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                why = f"no token for {self.settings.stall_seconds:g} s (--stall-seconds)"
                raise _Again(why) from None
            except ValueError as error:
                raise _Again(f"an answer that is no JSON: {error}") from error
            if chunk is None:
                break
            usage = chunk.usage or usage
            for choice in chunk.choices or ():
                delta = choice.delta
                response.append(delta.content or "")
                thought = getattr(delta, "reasoning_content", None)
                reasoning.append(thought or getattr(delta, "reasoning", None) or "")
                finish = choice.finish_reason or finish
        if not finish:
            raise _Again("the answer broke off")
        if finish == "content_filter":
            raise ModelError("the endpoint's content filter withheld the answer")
        return Reply(
            response="".join(response),
            finish="length" if finish == "length" else "stop",
            reasoning="".join(reasoning),
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
        )


async def connect(settings: EndpointSettings) -> EndpointModel:
    """The endpoint, asked for its models where none is named. Raises ModelError."""
    if settings.model:
        return EndpointModel(settings, settings.model)
    client = _client(settings)
    try:
        names = [model.id for model in (await client.models.list()).data]
    except openai.OpenAIError as error:
        raise ModelError(f"--model {settings.url}: {_said(error)}") from error
    finally:
        await client.close()
    if len(names) != 1:
        raise ModelError(
            f"--model-name: {settings.url} has {', '.join(sorted(names)) or 'no models'}; name one"
        )
    return EndpointModel(settings, names[0])


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _client(settings: EndpointSettings) -> openai.AsyncOpenAI:
    key = "none"
    if settings.api_key_env:
        key = os.environ.get(settings.api_key_env, "")
        if not key:
            raise ModelError(f"--api-key-env: {settings.api_key_env} is not set")
    return openai.AsyncOpenAI(
        base_url=settings.url,
        api_key=key,
        max_retries=0,
        timeout=openai.Timeout(settings.stall_seconds, connect=CONNECT_S),
    )


def _pause(state: tenacity.RetryCallState) -> float:
    grown: float = tenacity.wait_exponential_jitter(1, MOST_PAUSE_S)(state)
    error = state.outcome.exception() if state.outcome else None
    asked = error.rest if isinstance(error, _Again) else 0.0
    return max(grown, asked)


def _rest(error: openai.APIStatusError) -> float:
    text = error.response.headers.get("retry-after", "")
    seconds = float(text) if text.replace(".", "", 1).isdigit() else 0.0
    return min(seconds, MOST_ASKED_PAUSE_S)


def _said(error: Exception) -> str:
    status = f"status {error.status_code}: " if isinstance(error, openai.APIStatusError) else ""
    cause = f" ({error.__cause__})" if error.__cause__ else ""
    return f"{status}{error}{cause}"[:2000]
