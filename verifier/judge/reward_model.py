"""Scalar reward models: a prompt and a response in, one number out, wherever the model runs.

model = LocalModel("models/skywork")  # or ClassifyEndpoint, verifier/judge/classify.py
score = squashed(await model.score("What is 2 + 2?", "4"))
await model.close()

A model must have one label. What the response is, the final summary or all of it, is the caller's
choice (DeepSeek-R1: the summary for helpfulness, the whole for harmlessness). Nothing is cut: a
text that is too long for a model is a failure, as any other answer but one finite number.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

MOST = 1e30
"""Of a score, either sign: a larger one is no score, and would not fit in sums."""
SHOWN_WEIGHTS = 3
"""Names in a message about weights that are missing."""

_HUB_NAME = re.compile(r"(\w[\w.-]*)/\w[\w.-]*")


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

    Passes run one at a time, beside the event loop: several at once would save next to nothing on a
    CPU, and a score's last bits would depend on what else was waiting. `name` is a folder, or
    `owner/model` for one of huggingface.co, which `transformers` downloads or has downloaded; the
    tokenizer must have a chat template.

    Raises RewardModelFailed for a folder that is not there and for a model that is none of
    rewards, and what `transformers` raises for one that it cannot load.
    """

    name: str
    device: str = "cpu"
    _model: Any = field(init=False, repr=False)
    _tokenizer: Any = field(init=False, repr=False)
    _turn: asyncio.Lock = field(init=False, repr=False, default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        owner = _HUB_NAME.fullmatch(self.name)
        if not Path(self.name).is_dir() and (owner is None or Path(owner[1]).is_dir()):
            raise RewardModelFailed(
                f"reward model {self.name}: no such folder (and no owner/model of huggingface.co)"
            )
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self._tokenizer = AutoTokenizer.from_pretrained(self.name)
        if not self._tokenizer.chat_template:
            raise RewardModelFailed(f"reward model {self.name}: its tokenizer has no chat template")
        # Most CPUs only emulate bfloat16, in which moreover many scores would be equal.
        dtype = torch.float32 if torch.device(self.device).type == "cpu" else "auto"
        self._model, told = AutoModelForSequenceClassification.from_pretrained(
            self.name, dtype=dtype, output_loading_info=True
        )
        if self._model.config.num_labels != 1:
            labels = self._model.config.num_labels
            raise RewardModelFailed(f"reward model {self.name}: 1 label is wanted, got {labels}")
        if missing := sorted(told["missing_keys"]):
            # They would be drawn at random.
            raise RewardModelFailed(
                f"reward model {self.name}: all weights are wanted, got none for "
                f"{', '.join(missing[:SHOWN_WEIGHTS])} ({len(missing)} in all)"
            )
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
        known = self._model.get_input_embeddings().num_embeddings
        if count and (largest := int(ids["input_ids"].max())) >= known:
            # On a GPU it would end the whole process's use of it.
            raise RewardModelFailed(
                f"reward model {self.name}: {known} tokens are in its vocabulary, got number "
                f"{largest}: the tokenizer is another model's"
            )
        with torch.inference_mode():
            logits = self._model(**ids.to(self.device)).logits
        return finite(logits.float().item(), self.name)

    async def close(self) -> None:
        """Nothing to end."""
