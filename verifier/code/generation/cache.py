"""Completions kept in files, so that a rerun asks the model nothing twice.

A file's name is the hash of everything that was asked; its content is the whole
completion. A file that cannot be read is asked for anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from verifier.chat import ChatEndpoint, Completion, Message


class Model(Protocol):
    """What test generation needs of a model: ChatEndpoint, or Cached."""

    model: str

    async def complete(
        self,
        messages: Sequence[Message],
        temperature: float = ...,
        max_tokens: int = ...,
        seed: int | None = None,
    ) -> Completion: ...


class Cached:
    """An endpoint with a folder of what it said (or none); counts calls, and tokens of new ones."""

    def __init__(self, endpoint: ChatEndpoint, folder: Path | None) -> None:
        self.model = endpoint.model
        self.asked = self.found = self.prompt_tokens = self.completion_tokens = 0
        self._endpoint, self._folder = endpoint, folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    async def complete(
        self,
        messages: Sequence[Message],
        temperature: float = 0.0,
        max_tokens: int = 4096,
        seed: int | None = None,
    ) -> Completion:
        asked = [self._endpoint.base_url, self.model, list(messages), temperature, max_tokens, seed]
        name = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        path = None if self._folder is None else self._folder / f"{name}.json"
        kept = None if path is None else _read(path)
        if kept is not None:
            self.found += 1
            return kept
        self.asked += 1
        completion = await self._endpoint.complete(messages, temperature, max_tokens, seed)
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens
        if path is not None:
            # In one step: nobody ever reads half a file.
            beside = path.with_suffix(f".{os.getpid()}.tmp")
            beside.write_text(json.dumps(asdict(completion)))
            beside.replace(path)
        return completion

    async def close(self) -> None:
        await self._endpoint.close()


def _read(path: Path) -> Completion | None:
    try:
        kept = Completion(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return kept if isinstance(kept.text, str) else None
