"""Scalar reward models: a prompt and a response in, one number out, wherever the model runs.

model = ClassifyEndpoint("http://localhost:8000", "skywork-reward", style="vllm")
score = squashed(await model.score("What is 2 + 2?", "4"))
await model.close()

Three places: vLLM's `POST /classify`, given the conversation, which its server puts into the
model's chat template, and asked to leave the number raw (`use_activation`); SGLang's native
`POST /classify`, given a text, which gives the number as an embedding of one; and a model of
`transformers` in this process. SGLang's `/v1/classify` is not used: it gives the softmax over the
labels, which for one label is 1.

A model must have one label. What the response is, the final summary or all of it, is the caller's
choice (DeepSeek-R1: the summary for helpfulness, the whole for harmlessness). Nothing is cut: a
text that is too long for a model is a failure, as any other answer but one finite number.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

TIMEOUT_SECONDS = 60.0
"""One attempt: one forward pass, and the queue before it."""
MAX_RETRIES = 3
"""After refused connections, timeouts, 408, 409, 429 and 5xx; with backoff some 5 s in all."""
SHOWN_CHARS = 200
"""What an error keeps of a server's answer."""
PLAIN_TEMPLATE = "{prompt}\n\n{response}"
"""How SGLang gets both when nothing else is told; right for no particular model."""

_PLACE = re.compile(r"\{(prompt|response)\}")


class RewardModelFailed(Exception):
    """There is no score; the message says which model failed and how. Never a low score."""


class RewardModel(Protocol):
    """Whatever gives one number for a response."""

    @property
    def name(self) -> str: ...

    async def score(self, prompt: str, response: str) -> float:
        """The raw score, finite; raises RewardModelFailed."""
        ...

    async def close(self) -> None: ...


def squashed(score: float) -> float:
    """The logistic function of a raw score: from 0 to 1, 0.5 at 0, without overflow."""
    if score >= 0:
        return 1.0 / (1.0 + math.exp(-score))
    grown = math.exp(score)
    return grown / (1.0 + grown)


@dataclass
class ClassifyEndpoint:
    """A reward model behind vLLM or SGLang. `base_url` is without `/v1`.

    `template` is how SGLang gets prompt and response: `{prompt}` and `{response}` in a text.
    """

    base_url: str
    name: str
    style: Literal["vllm", "sglang"] = "vllm"
    template: str = PLAIN_TEMPLATE
    api_key: str = ""
    timeout: float = TIMEOUT_SECONDS
    max_retries: int = MAX_RETRIES
    _client: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        import openai

        # Its client is made for any path; without a key it would send one meant for another server.
        self._client = openai.AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.api_key or "none",
            timeout=self.timeout,
            max_retries=self.max_retries,
        )

    async def score(self, prompt: str, response: str) -> float:
        import openai

        body = self._request(prompt, response)
        try:
            told = await self._client.post("/classify", body=body, cast_to=object)
        except openai.APIStatusError as error:
            why = f"status {error.status_code}: {error.message}"
            raise RewardModelFailed(self._message(why)) from error
        except (openai.OpenAIError, ValueError) as error:  # ValueError: the body is no JSON
            raise RewardModelFailed(self._message(str(error) or type(error).__name__)) from error
        numbers = _numbers(told)
        if numbers is None or len(numbers) != 1:
            raise RewardModelFailed(self._message(f"not one number for one text: {told!r}"))
        return _finite(numbers[0], self.name)

    def _request(self, prompt: str, response: str) -> dict[str, object]:
        if self.style == "sglang":
            # In one pass: what a prompt says in braces is not a place to fill.
            texts = {"prompt": prompt, "response": response}
            text = _PLACE.sub(lambda place: texts[place.group(1)], self.template)
            return {"model": self.name, "text": [text]}
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        return {"model": self.name, "messages": turns, "use_activation": False}

    def _message(self, why: str) -> str:
        return f"reward model {self.name} at {self.base_url}: {why[:SHOWN_CHARS]}"

    async def close(self) -> None:
        await self._client.close()


def _numbers(told: object) -> list[object] | None:
    """The numbers of the only text in either answer: vLLM's `data[0].probs`, SGLang's
    `[0].embedding`."""
    entries = told.get("data") if isinstance(told, Mapping) else told
    if not isinstance(entries, list) or len(entries) != 1 or not isinstance(entries[0], Mapping):
        return None
    numbers = entries[0].get("probs" if isinstance(told, Mapping) else "embedding")
    return numbers if isinstance(numbers, list) else None


def _finite(number: object, name: str) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise RewardModelFailed(f"reward model {name}: a finite number is wanted, got {number!r}")
    return float(number)


@dataclass
class LocalModel:
    """A sequence-classification model of `transformers` with one label, in this process.

    Passes run one at a time, beside the event loop. `name` is a folder or a name that
    `transformers` can load; the tokenizer must have a chat template.
    """

    name: str
    device: str = "cpu"
    _model: Any = field(init=False, repr=False)
    _tokenizer: Any = field(init=False, repr=False)
    _turn: asyncio.Lock = field(init=False, repr=False, default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self._tokenizer = AutoTokenizer.from_pretrained(self.name)
        self._model = AutoModelForSequenceClassification.from_pretrained(self.name)
        if self._model.config.num_labels != 1:
            labels = self._model.config.num_labels
            raise RewardModelFailed(f"reward model {self.name}: 1 label is wanted, got {labels}")
        self._model.to(self.device).eval()

    async def score(self, prompt: str, response: str) -> float:
        async with self._turn:
            return await asyncio.to_thread(self._pass, prompt, response)

    def _pass(self, prompt: str, response: str) -> float:
        import torch

        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        ids = self._tokenizer.apply_chat_template(turns, return_tensors="pt", return_dict=True)
        count = ids["input_ids"].shape[1]
        most = getattr(self._model.config, "max_position_embeddings", count)
        if count > most:
            raise RewardModelFailed(f"reward model {self.name}: at most {most} tokens, got {count}")
        with torch.inference_mode():
            logits = self._model(**ids.to(self.device)).logits
        return _finite(logits.float().item(), self.name)

    async def close(self) -> None:
        """Nothing to end."""
