"""Rated responses as token ids, and as what one pass of a reward model goes through.

    {"messages": [{"role": "user", "content": "2 + 2?"}], "chosen": "4", "rejected": "5"}
    {"messages": [{"role": "user", "content": "2 + 2?"}], "response": "4", "label": 1}

A response is the assistant's turn after those of `messages`, in the tokenizer's chat template; a
label is 1 for what is good (safe), 0 for what is not, or between. Other keys are ignored.

Invariant: the tokens are those that the verifier gives a model of its own process for the same
texts (verifier/judge/reward_model.py), so that training and serving meet the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from jinja2 import TemplateError
from torch import Tensor

from trainer.data import CHARACTERS_OF_A_TOKEN, DataError, read_rows
from trainer.tokens import Tokenizer, TokenizerError

log = logging.getLogger(__name__)
Kind = Literal["pairwise", "pointwise"]


@dataclass(frozen=True)
class Rated:
    """A row: [T] int32 token ids of the better and the worse conversation, or of a single one with
    its label. The first `shared` tokens are the same in both, and are gone through once."""

    conversations: tuple[Tensor, ...]
    label: float = 1.0
    shared: int = 0

    @property
    def tokens(self) -> int:
        """Rows of a pass that it takes."""
        whole = sum(map(len, self.conversations))
        return whole - self.shared * (len(self.conversations) - 1)


@dataclass(frozen=True)
class RatedBatch:
    """N conversations in T rows: segments that lie one after the other."""

    ids: Tensor
    """[T]"""
    lengths: list[int]
    """Rows of each segment."""
    prefixes: list[int | None]
    """The segment that each segment continues, see PackedAttention."""
    rows: Tensor
    """[N]: where in [T] each conversation's last token stands."""
    labels: Tensor
    """[rows of the data]"""

    def tensors(self) -> dict[str, Tensor]:
        """All of it, to be kept in a file; -1 is no prefix."""
        prefixes = [-1 if prefix is None else prefix for prefix in self.prefixes]
        kept = {"lengths": torch.tensor(self.lengths), "prefixes": torch.tensor(prefixes)}
        return kept | {"ids": self.ids, "rows": self.rows, "labels": self.labels}


def batch(rated: Sequence[Rated], device: torch.device) -> RatedBatch:
    """Packs rows in their order; the conversations of one row share their beginning."""
    parts, lengths, prefixes, last = list[Tensor](), list[int](), list[int | None](), list[int]()
    total = 0

    def segment(ids: Tensor, prefix: int | None) -> None:
        nonlocal total
        parts.append(ids)
        lengths.append(len(ids))
        prefixes.append(prefix)
        total += len(ids)

    for row in rated:
        prefix = None
        if row.shared:
            segment(row.conversations[0][: row.shared], None)
            prefix = len(lengths) - 1
        for ids in row.conversations:
            segment(ids[row.shared :], prefix)
            last.append(total - 1)
    return RatedBatch(
        ids=torch.cat(parts).long().to(device),
        lengths=lengths,
        prefixes=prefixes,
        rows=torch.tensor(last, device=device),
        labels=torch.tensor([row.label for row in rated], device=device),
    )


@dataclass(frozen=True)
class Conversations:
    """Rows of JSON to tokens, by the tokenizer's chat template."""

    tokenizer: Tokenizer
    kind: Kind

    def __call__(self, row: object) -> Rated:
        """Raises ValueError, naming the key."""
        pairwise = self.kind == "pairwise"
        match row:
            case {"messages": [*turns], "chosen": str(chosen), "rejected": str(rejected)} if (
                pairwise
            ):
                if chosen == rejected:
                    raise ValueError("chosen and rejected: the same text")
                better = self.tokens(turns, chosen, "chosen")
                worse = self.tokens(turns, rejected, "rejected")
                return Rated((better, worse), shared=_shared(better, worse))
            case {"messages": [*turns], "response": str(response), "label": int(y) | float(y)} if (
                not pairwise and 0 <= y <= 1
            ):
                return Rated((self.tokens(turns, response, "response"),), float(y))
        wanted = {
            "pairwise": "messages, chosen and rejected, texts,",
            "pointwise": "messages, response, a text, and label, from 0 to 1,",
        }[self.kind]
        raise ValueError(f"{wanted} are wanted by data.kind = {self.kind!r}")

    def tokens(self, messages: Sequence[Any], response: str, key: str) -> Tensor:
        """[T] int32: the conversation that ends with this response. Raises ValueError where the
        template leaves out some of it: the model would not see what it is rated for."""
        for place, message in enumerate(messages):
            match message:
                case {"role": str(), "content": str()}:
                    continue
            raise ValueError(f"messages[{place}]: role and content, strings, are wanted")
        if not messages or messages[-1]["role"] == "assistant":
            raise ValueError("messages: turns of which the last is not the assistant's are wanted")
        turns = [*messages, {"role": "assistant", "content": response}]
        try:
            told = self.chat.apply_chat_template(turns, tokenize=False)
            ids = self.chat.apply_chat_template(turns, return_dict=True)["input_ids"]
        except (TemplateError, TypeError, UnicodeError) as error:
            raise ValueError(str(error)) from error
        if _bare(response) not in _bare(told):
            raise ValueError(f"{key}: the chat template leaves out some of it (its reasoning?)")
        if not ids:
            raise ValueError(f"{key}: no tokens come of the conversation: is it the tokenizer's?")
        return torch.tensor(ids, dtype=torch.int32)

    @cached_property
    def chat(self) -> Any:
        """The tokenizer as `transformers` has it."""
        from transformers import AutoTokenizer

        chat = AutoTokenizer.from_pretrained(self.tokenizer.directory)
        if not chat.chat_template:
            raise TokenizerError(f"{self.tokenizer.directory}: the tokenizer has no chat template")
        return chat


def _bare(text: str) -> str:
    return "".join(text.split())


def _shared(one: Tensor, other: Tensor) -> int:
    """Tokens that both begin with; at least one is left of each, since its score is read there."""
    most = min(len(one), len(other)) - 1
    differ = (one[:most] != other[:most]).nonzero()
    return int(differ[0]) if len(differ) else most


def read_rated(path: Path, read: Conversations, max_tokens: int) -> list[Rated]:
    """All rows of a file but those with a conversation longer than `max_tokens`, in order.

    Raises DataError naming the lines that are no good.
    """

    def parse(_: int, row: object) -> Rated | None:
        if _characters(row) > max_tokens * CHARACTERS_OF_A_TOKEN:
            return None
        rated = read(row)
        return rated if max(map(len, rated.conversations)) <= max_tokens else None

    rows = read_rows(path, parse)
    kept = [row for row in rows if row is not None]
    if not kept:
        raise DataError(f"{path}: no rows of at most {max_tokens} tokens")
    if len(kept) < len(rows):
        log.info("%s: %d rows are too long, left out", path, len(rows) - len(kept))
    return kept


def _characters(row: object) -> int:
    """Of the longest text that a row gives a conversation."""
    if not isinstance(row, dict):
        return 0
    texts = [row.get(key) for key in ("chosen", "rejected", "response")]
    return max((len(text) for text in texts if isinstance(text, str)), default=0)
