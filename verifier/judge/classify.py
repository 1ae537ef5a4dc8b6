"""A scalar reward model behind vLLM or SGLang.

vLLM's `POST /classify` is given the conversation, which its server puts into the model's chat
template, and asked to leave the number raw (`use_activation`). SGLang's native `POST /classify` is
given a text, and gives the number as an embedding of one (seen with 0.5.21). SGLang's
`/v1/classify` is not used: it gives the softmax over the labels, which for one label is 1.
"""

from __future__ import annotations

import asyncio
import json
import re

import httpx2
import tenacity

from verifier.judge import protocol
from verifier.judge.endpoint import Fault, http_client, key_header, post
from verifier.judge.reward_model import RewardModelFailed, finite
from verifier.judge.settings import RewardModelSettings

ATTEMPTS = 4
"""Of one score, with backoff some 5 s."""
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 8.0
CONCURRENCY = 64
"""Connections kept open: a pass takes milliseconds, so more are seldom out."""

_PLACE = re.compile(r"\{(prompt|response)\}")


class ClassifyEndpoint:
    """Raises SettingsError without its key in the environment."""

    def __init__(self, settings: RewardModelSettings) -> None:
        self.settings, self.name = settings, settings.model
        self._headers = key_header(settings.api_key_env, settings.url)
        self._http = http_client(CONCURRENCY, settings.url)

    async def score(self, prompt: str, response: str) -> float:
        """The raw score, finite; raises RewardModelFailed."""
        request = json.dumps(self._request(prompt, response)).encode()
        retrying = tenacity.AsyncRetrying(
            sleep=asyncio.sleep,
            retry=tenacity.retry_if_exception(_passes),
            wait=tenacity.wait_random_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            reraise=True,
        )
        try:
            raw: bytes = await retrying(self._post, request)
            numbers = _numbers(json.loads(raw))
        except Fault as fault:
            status = "" if fault.status is None else f"status {fault.status}: "
            raise self._failed(f"{status}{fault.why}") from fault
        except (ValueError, RecursionError) as error:
            raise self._failed(f"no JSON ({error}): {protocol.shown(raw)}") from error
        if numbers is None or len(numbers) != 1:
            raise self._failed(f"not one number for one text: {protocol.shown(raw)}")
        return finite(numbers[0], self.name)

    async def close(self) -> None:
        await self._http.aclose()

    async def _post(self, request: bytes) -> bytes:
        """The body of an answer of status 200. Raises Fault."""
        url, most = self.settings.url, self.settings.timeout_seconds
        try:
            async with asyncio.timeout(most):
                status, _, raw = await post(self._http, url, "/classify", request, self._headers)
        except TimeoutError as error:
            raise Fault("timeout", f"no whole answer within {most:g} s", url) from error
        if status != httpx2.codes.OK:
            raise Fault("refused", protocol.shown(raw), url, status)
        return raw

    def _request(self, prompt: str, response: str) -> dict[str, object]:
        if self.settings.style == "sglang":
            # In one pass: what a prompt says in braces is not a place to fill.
            texts = {"prompt": prompt, "response": response}
            text = _PLACE.sub(lambda place: texts[place.group(1)], self.settings.template)
            return {"model": self.name, "text": [text]}
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        return {"model": self.name, "messages": turns, "use_activation": False}

    def _failed(self, why: str) -> RewardModelFailed:
        return RewardModelFailed(f"reward model {self.name} at {self.settings.url}: {why}")


def _passes(error: BaseException) -> bool:
    """Whether the same may go well later."""
    if not isinstance(error, Fault) or error.kind == "garbage":
        return False
    return error.status is None or error.status in (408, 409, 425, 429) or error.status >= 500


def _numbers(told: object) -> list[object] | None:
    """The numbers of the only text in either answer: vLLM's `data[0].probs`, SGLang's
    `[0].embedding`."""
    whole = told if isinstance(told, dict) else None
    entries = told if whole is None else whole.get("data")
    if not isinstance(entries, list) or len(entries) != 1 or not isinstance(entries[0], dict):
        return None
    numbers = entries[0].get("embedding" if whole is None else "probs")
    return numbers if isinstance(numbers, list) else None
