"""Scalar reward models: a prompt and a response in, one number out, wherever the model runs.

model = LocalModel("skywork-reward")  # or ClassifyEndpoint, verifier/judge/classify.py
score = squashed(await model.score("What is 2 + 2?", "4"))
await model.close()

A model must have one label. What the response is, the final summary or all of it, is the caller's
choice (DeepSeek-R1: the summary for helpfulness, the whole for harmlessness). Nothing is cut: a
text that is too long for a model is a failure, as any other answer but one finite number.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST = 1e30
"""Of a score, either sign: a larger one is no score, and would not fit in sums."""


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


def finite(number: object, name: str) -> float:
    """A number that a model gave, checked; raises RewardModelFailed."""
    if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= MOST:
        return float(number)
    got = repr(number)[:40]
    raise RewardModelFailed(f"reward model {name}: a finite number is wanted, got {got}")


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
        return finite(logits.float().item(), self.name)

    async def close(self) -> None:
        """Nothing to end."""
