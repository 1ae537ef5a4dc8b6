"""A small model on this machine, through `transformers`: no server, one sample at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.benchmark import Message
from evals.model import ModelError, Reply, Sampling


class LocalModel:
    """See evals.model.Model. The same seed gives the same text on the same machine."""

    def __init__(self, path: Path) -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise ModelError(
                f'--model {path}: no {error.name}; from a checkout: pip install ".[trainer]"'
            ) from error
        self.name = path.name
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(path)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(path)
            self._model: Any = model.to(device)
        except (OSError, ValueError) as error:
            raise ModelError(f"--model {path}: {error}") from error
        self._turn = asyncio.Lock()  # seeds are the process's

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """See Model."""
        async with self._turn:
            return await asyncio.to_thread(self._generate, messages, sampling)

    async def close(self) -> None:
        """See Model."""

    def _generate(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        import torch

        ids = self._prompt(messages).to(self._model.device)
        room = self._model.config.max_position_embeddings - ids.shape[1]
        if room < 1:
            raise ModelError(f"a prompt of {ids.shape[1]} tokens: the model has no room for more")
        draws: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            draws = {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": 0,
            }
        torch.manual_seed(sampling.seed)
        with torch.no_grad():
            out = self._model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=min(sampling.max_tokens, room),
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
                stop_strings=list(sampling.stop) or None,
                tokenizer=self._tokenizer,
                **draws,
            )[0, ids.shape[1] :].tolist()
        ends = self._model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        text = self._tokenizer.decode(out, skip_special_tokens=True)
        stopped = bool(out) and (out[-1] in ends or text.endswith(sampling.stop or ("\0",)))
        return Reply(
            response=text,
            finish="stop" if stopped else "length",
            prompt_tokens=ids.shape[1],
            completion_tokens=len(out),
        )

    def _prompt(self, messages: Sequence[Message]) -> Any:
        if self._tokenizer.chat_template:
            turns = [{"role": message.role, "content": message.content} for message in messages]
            return self._tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )["input_ids"]
        text = "\n\n".join(message.content for message in messages) + "\n"
        return self._tokenizer(text, return_tensors="pt")["input_ids"]
