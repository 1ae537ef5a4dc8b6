"""Text to token ids and back, by the tokenizer that lies beside a model's weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from tokenizers import Tokenizer as FastTokenizer


class TokenizerError(Exception):
    """The tokenizer's files are missing, or do not go with the model."""


class Tokenizer:
    """A model directory's `tokenizer.json`; never adds special tokens of its own accord."""

    def __init__(self, directory: Path) -> None:
        path = directory / "tokenizer.json"
        if not path.is_file():
            raise TokenizerError(f"{path}: no such file; a fast tokenizer is wanted")
        self.directory = directory
        try:
            self._fast = FastTokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise TokenizerError(f"{path}: {error}") from error
        self.stop_token_ids = self._stop_token_ids()
        """What ends a text: `eos_token_id` of generation_config.json, else of config.json."""

    @property
    def size(self) -> int:
        """One more than the largest token id."""
        return int(max(self._fast.get_vocab(with_added_tokens=True).values())) + 1

    def _stop_token_ids(self) -> tuple[int, ...]:
        for name in ("generation_config.json", "config.json"):
            path = self.directory / name
            try:
                found = json.loads(path.read_bytes()).get("eos_token_id")
            except FileNotFoundError:
                continue
            except (OSError, ValueError, AttributeError) as error:
                raise TokenizerError(f"{path}: {error}") from error
            ids = found if isinstance(found, list) else [] if found is None else [found]
            if not all(isinstance(one, int) and 0 <= one < self.size for one in ids):
                raise TokenizerError(
                    f"{path}: eos_token_id: tokens from 0 to {self.size - 1}, got {found!r}"
                )
            if ids:
                return tuple(ids)
        raise TokenizerError(f"{self.directory}: no eos_token_id in its configuration")

    def check(self, vocab_size: int) -> None:
        """Raises TokenizerError when the model has no embedding for some token."""
        if self.size > vocab_size:
            raise TokenizerError(
                f"{self.directory}: the tokenizer has {self.size} tokens, the model's vocabulary "
                f"{vocab_size}: they do not belong together"
            )

    def encode(self, text: str) -> tuple[int, ...]:
        """Special tokens written out in the text are recognised; none are added. Raises ValueError
        for what is no Unicode."""
        try:
            return tuple(self._fast.encode(text, add_special_tokens=False).ids)
        except TypeError as error:
            raise ValueError("half of a surrogate pair, which is no text") from error

    def decode(self, ids: Sequence[int]) -> str:
        """All tokens, special ones too, except a last one that stops."""
        shown = ids[:-1] if ids and ids[-1] in self.stop_token_ids else ids
        return str(self._fast.decode(list(shown), skip_special_tokens=False))

    def chat(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> Any:
        """Messages in the model's own chat template. Options and what comes back are those of
        transformers' `apply_chat_template`. Raises ValueError for what the template refuses."""
        try:
            return self.transformers.apply_chat_template(messages, **options)
        except (TemplateError, TypeError) as error:
            raise ValueError(str(error)) from error

    @cached_property
    def transformers(self) -> Any:
        """As `transformers` has it. Raises TokenizerError where it has no chat template."""
        from transformers import AutoTokenizer  # slow to import, and few runs need it

        loaded = AutoTokenizer.from_pretrained(self.directory)
        if not loaded.chat_template:
            raise TokenizerError(f"{self.directory}: the tokenizer has no chat template")
        return loaded
