"""Rated responses as token ids, and as what one pass of a reward model goes through.

    {"messages": [{"role": "user", "content": "2 + 2?"}], "chosen": "4", "rejected": "5"}
    {"messages": [{"role": "user", "content": "2 + 2?"}], "response": "4", "label": 1}

A response is the assistant's turn after those of `messages`, in the tokenizer's chat template; a
label is 1 for what is good (safe), 0 for what is not, or between. Other keys are ignored.

Invariant: the tokens are those that the verifier gives a model of its own process for the same
texts (verifier/judge/reward_model.py), so that training and serving meet the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from trainer.batch import Packed
from trainer.data import read_encoded
from trainer.tokens import Tokenizer

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
        return sum(self.lengths) - self.shared * (len(self.conversations) - 1)

    @property
    def lengths(self) -> list[int]:
        return [len(ids) for ids in self.conversations]


@dataclass(frozen=True)
class RatedBatch(Packed):
    """N conversations; what is asked for stands at the last token of each."""

    labels: Tensor
    """[rows of the data]"""


def batch(rated: Sequence[Rated], device: torch.device) -> RatedBatch:
    """Packs rows in their order; the conversations of one row share their beginning."""
    parts, prefixes, scored = list[Tensor](), list[int | None](), list[int]()
    for row in rated:
        prefix = None
        if row.shared:
            prefix = len(parts)
            parts.append(row.conversations[0][: row.shared])
            prefixes.append(None)
        for ids in row.conversations:
            scored.append(len(parts))
            parts.append(ids[row.shared :])
            prefixes.append(prefix)
    lengths = [len(part) for part in parts]
    ends = torch.tensor(lengths).cumsum(0) - 1
    return RatedBatch(
        ids=torch.cat(parts).long().to(device),
        lengths=lengths,
        prefixes=prefixes,
        rows=ends[scored].to(device),
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
        told = self.tokenizer.chat(turns, tokenize=False)
        ids = self.tokenizer.chat(turns, return_dict=True)["input_ids"]
        if _bare(response) not in _bare(told):
            raise ValueError(f"{key}: the chat template leaves out some of it (its reasoning?)")
        if not ids:
            raise ValueError(f"{key}: no tokens come of the conversation: is it the tokenizer's?")
        return torch.tensor(ids, dtype=torch.int32)


def _bare(text: str) -> str:
    return "".join(text.split())


def _shared(one: Tensor, other: Tensor) -> int:
    """Tokens that both begin with; at least one is left of each, since its score is read there."""
    most = min(len(one), len(other)) - 1
    differ = (one[:most] != other[:most]).nonzero()
    return int(differ[0]) if len(differ) else most


def read_rated(path: Path, read: Conversations, max_tokens: int) -> list[Rated]:
    """A file's rows of conversations of at most `max_tokens`, as `read_encoded` reads them."""
    return read_encoded(path, read, ("chosen", "rejected", "response"), max_tokens)
