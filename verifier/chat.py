"""A model behind an OpenAI-compatible endpoint. Thin: the official client does the rest.

endpoint = ChatEndpoint("http://localhost:8000/v1", "deepseek-v3")
completion = await endpoint.complete([user("Say yes.")], max_tokens=16)
await endpoint.close()

What comes back is a whole answer or a ChatError: a completion that was cut off
at its length limit is never handed on as if it were one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import openai
from openai.types.chat import ChatCompletion

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

Message = dict[str, str]
"""A role and its content."""

TIMEOUT_SECONDS = 600.0
"""One attempt: a reasoning model writes for minutes before it answers."""
MAX_RETRIES = 5
"""After refused connections, timeouts, 408, 409, 429 and 5xx; with backoff some 20 s in all."""
SHOWN_CHARS = 300
"""What an error keeps of a server's answer."""


class ChatError(Exception):
    """The endpoint gave no whole completion; the message names it.

    `status` is the HTTP status of a refusal, None where there was no answer or
    the answer was no use; `truncated` tells that it was cut off at `max_tokens`.
    """

    def __init__(
        self, endpoint: str, why: str, status: int | None = None, truncated: bool = False
    ) -> None:
        code = "" if status is None else f"status {status}: "
        super().__init__(f"{endpoint}: {code}{why[:SHOWN_CHARS]}")
        self.endpoint, self.status, self.truncated = endpoint, status, truncated


@dataclass(frozen=True)
class Completion:
    """What the model wrote, whole. Token counts are 0 where the endpoint tells none."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def user(content: str) -> Message:
    return {"role": "user", "content": content}


def assistant(content: str) -> Message:
    return {"role": "assistant", "content": content}


class ChatEndpoint:
    """One model at one base URL; calls may run at once. Close it when done."""

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        timeout: float = TIMEOUT_SECONDS,
        max_retries: int = MAX_RETRIES,
    ) -> None:
        self.base_url, self.model = base_url, model
        # Without any key the client would send one that is meant for somebody else's endpoint.
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=api_key or "none", timeout=timeout, max_retries=max_retries
        )

    async def complete(
        self,
        messages: Sequence[Message],
        temperature: float = 0.0,
        max_tokens: int = 4096,
        seed: int | None = None,
    ) -> Completion:
        """One completion; raises ChatError."""
        try:
            answer: object = await self._client.chat.completions.create(
                model=self.model,
                messages=cast("list[ChatCompletionMessageParam]", list(messages)),
                temperature=temperature,
                max_tokens=max_tokens,
                extra_body=None if seed is None else {"seed": seed},
            )
        except openai.APIStatusError as error:
            raise ChatError(self.base_url, error.message, error.status_code) from error
        except (openai.OpenAIError, ValueError) as error:  # ValueError: the body is no JSON
            raise ChatError(self.base_url, str(error) or type(error).__name__) from error
        return self._whole(answer)

    def _whole(self, answer: object) -> Completion:
        """The client does not check what it was sent; nothing here may trust it."""
        choices = answer.choices if isinstance(answer, ChatCompletion) else None
        choice: Any = choices[0] if isinstance(choices, list) and choices else None
        text = getattr(getattr(choice, "message", None), "content", None)
        reason = getattr(choice, "finish_reason", None)
        if reason == "length":
            raise ChatError(self.base_url, "the completion was cut off", truncated=True)
        if not isinstance(text, str) or not text.strip():
            raise ChatError(self.base_url, f"no text in the answer (finish_reason {reason!r})")
        usage = getattr(answer, "usage", None)
        counts = [getattr(usage, f"{side}_tokens", 0) for side in ("prompt", "completion")]
        prompt, completion = (n if isinstance(n, int) else 0 for n in counts)
        return Completion(text, str(reason), prompt, completion)

    async def close(self) -> None:
        await self._client.close()
