"""Rows of a fine-tuning file as token ids, each with whether it is trained on.

    {"messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]}
    {"prompt": "2 + 2? ", "completion": "4"}
    {"text": "all of this is trained on"}

Of a conversation each assistant's turn is trained on, up to the token that ends it; a completion
and a text end with the model's first stop token. Other keys are ignored.

Invariant: what stands before a trained part is encoded by itself, as it is when a model is asked,
so that training and sampling meet the same tokens (a template's own marks leave that to it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.data import read_encoded
from trainer.tokens import Tokenizer

_TURN = ("role", "content")
_MARKS = re.compile(r"\{%-?\s*generation\s*-?%\}")


@dataclass(frozen=True)
class Example:
    """One row: [T] int32 token ids, and [T] bool: the token counts in the loss."""

    ids: Tensor
    trained: Tensor

    @property
    def tokens(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> list[int]:
        return [len(self.ids)]


@dataclass(frozen=True)
class Encoder:
    """Rows to examples. The template is `data.template`: with `chat`, a prompt and a completion
    are two turns of a conversation in the tokenizer's own template; with `none`, plain text."""

    tokenizer: Tokenizer
    template: str

    def __call__(self, row: object) -> Example:
        """Raises ValueError, naming the key."""
        chat = self.template == "chat"
        match row:
            case {"messages": [*messages]} if chat and _is_conversation(messages):
                pass
            case {"messages": _}:
                raise ValueError(
                    'messages: wants data.template = "chat", and in each role and content, '
                    "strings, the first role not the assistant's"
                )
            case {"prompt": str(prompt), "completion": str(completion)} if prompt and completion:
                asked = {"role": "user", "content": prompt}
                messages = [asked, {"role": "assistant", "content": completion}]
                parts = [(prompt, False), (completion, True)]
            case {"text": str(text)} if text:
                chat, parts = False, [(text, True)]
            case _:
                raise ValueError("messages, or prompt and completion, or text is wanted, not empty")
        if chat and _MARKS.search(self.tokenizer.transformers.chat_template):
            marked = self.tokenizer.chat(
                messages, return_dict=True, return_assistant_tokens_mask=True
            )
            ids, trained = marked["input_ids"], [bool(m) for m in marked["assistant_masks"]]
        elif chat:
            ids, trained = self._encode(self._turns(messages), close=False)
        else:
            ids, trained = self._encode(parts, close=True)
        if not any(trained[1:]):
            raise ValueError("nothing to train on: no token of an assistant's turn")
        return Example(torch.tensor(ids, dtype=torch.int32), torch.tensor(trained))

    def _turns(self, messages: list[Any]) -> Iterator[tuple[str, bool]]:
        """What is said in each assistant's turn, and what stands before it; the text after the
        last one teaches nothing."""
        render = partial(self.tokenizer.chat, tokenize=False)
        whole, end = render(messages), 0
        for place, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            asked = render(messages[:place], add_generation_prompt=True)
            told = render(messages[: place + 1])
            if not (end <= len(asked) and told.startswith(asked) and whole.startswith(told)):
                raise ValueError(
                    f"messages[{place}]: the chat template's text of the turns up to this one is "
                    "no beginning of its text of all, so what the model would say is not known"
                )
            yield whole[end : len(asked)], False
            yield told[len(asked) :], True
            end = len(told)

    def _encode(
        self, parts: Iterable[tuple[str, bool]], *, close: bool
    ) -> tuple[list[int], list[bool]]:
        """Texts one after the other, each encoded by itself; `close` adds a stop token."""
        ids, trained = list[int](), list[bool]()
        stops = self.tokenizer.stop_token_ids
        for text, wanted in parts:
            piece = list(self.tokenizer.encode(text))
            if close and wanted and not (piece and piece[-1] in stops):
                piece.append(stops[0])
            # What a template writes after a turn's last token (ChatML's line break) is not said.
            said = max((n for n, token in enumerate(piece) if token in stops), default=len(piece))
            ids += piece
            trained += [wanted and n <= said for n in range(len(piece))]
        return ids, trained


def _is_conversation(messages: list[Any]) -> bool:
    words = [m.get(key) if isinstance(m, dict) else None for m in messages for key in _TURN]
    return all(isinstance(word, str) for word in words) and words[:1] not in ([], ["assistant"])


def read_examples(path: Path, encode: Encoder, max_tokens: int) -> list[Example]:
    """A file's rows of at most `max_tokens`, five bytes a token, as `read_encoded` reads them."""
    return read_encoded(path, encode, ("messages", "prompt", "completion", "text"), max_tokens)
