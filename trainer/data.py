"""The prompts that are trained on: JSON Lines in the verifier's Item mapping, without a response.

    {"id": "7", "prompt": "What is 3 + 4?", "math": {"gold": ["7"]}}

Invariants: what is drawn depends on the seed and on how many were drawn before, and on nothing
else; every problem of a file is told by its line before anything is trained.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from google.protobuf import json_format

from trainer.tokens import Tokenizer
from verifier.client import Item

log = logging.getLogger(__name__)

TEMPLATES = {
    "none": "{prompt}",
    # arXiv 2501.12948, table 1.
    "r1_zero": (
        "A conversation between User and Assistant. The user asks a question, and the Assistant "
        "solves it. The assistant first thinks about the reasoning process in the mind and then "
        "provides the user with the answer. The reasoning process and answer are enclosed within "
        "<think>...</think> and <answer>...</answer> tags, respectively, i.e., <think> reasoning "
        "process here </think> <answer> answer here </answer>. User: {prompt}. Assistant:"
    ),
}
"""By name; `chat` is the tokenizer's own, and any text with {prompt} in it is a template too."""

T = TypeVar("T")
E = TypeVar("E", bound="Encoded")

CHARACTERS_OF_A_TOKEN = 128
"""More than these in the mean no vocabulary has: the longest are runs of spaces. A text beyond is
not even encoded, which would take a hundred times its size in memory."""

SHOWN_PROBLEMS = 10
"""Bad lines named in one error: enough to see what they have in common."""


class DataError(Exception):
    """Rows that cannot be trained on, each by its line."""


@dataclass(frozen=True)
class Prompt:
    """One row: what the model reads, and the item that its responses are verified as."""

    id: str
    text: str
    ids: tuple[int, ...]
    item: Item


def render(prompt: str, template: str, tokenizer: Tokenizer) -> str:
    """The text a model reads for a prompt. Raises ValueError for an unknown template."""
    if template == "chat":
        asked = [{"role": "user", "content": prompt}]
        return str(tokenizer.chat(asked, tokenize=False, add_generation_prompt=True))
    form = TEMPLATES.get(template, template)
    if "{prompt}" not in form:
        known = ", ".join([*TEMPLATES, "chat"])
        raise ValueError(f"data.template: {known}, or a text with {{prompt}}, got {template!r}")
    return form.replace("{prompt}", prompt)


class Encoded(Protocol):
    """A row as token ids, of one sequence or of some that share their beginning."""

    @property
    def lengths(self) -> list[int]:
        """Tokens of each sequence."""

    @property
    def tokens(self) -> int:
        """Rows of a pass that it takes."""


def read_rows(path: Path, parse: Callable[[int, Any], T]) -> list[T]:
    """What `parse` makes of each line's number and JSON, in order; blank lines are left out.

    Raises DataError naming the lines of which it, or `parse`, raises ValueError.
    """
    rows, problems = list[T](), list[str]()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    if line.strip():
                        rows.append(parse(number, json.loads(line.decode())))
                except RecursionError:
                    problems.append(f"{path}, line {number}: nested too deeply")
                except ValueError as error:
                    problems.append(f"{path}, line {number}: {error}")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    if problems:
        more = len(problems) - SHOWN_PROBLEMS
        shown = problems[:SHOWN_PROBLEMS] + [f"and {more} more"] * (more > 0)
        raise DataError("\n".join(shown))
    if not rows:
        raise DataError(f"{path}: no rows")
    return rows


def read_encoded(
    path: Path, encode: Callable[[Any], E], texts: Sequence[str], max_tokens: int
) -> list[E]:
    """All rows of a file but those with a sequence longer than `max_tokens`, in order; `texts` are
    the keys that hold what is encoded.

    Raises DataError naming the lines of which `encode` raises ValueError.
    """

    def parse(_: int, row: Any) -> E | None:
        longest = max(_characters(row.get(key)) for key in texts) if isinstance(row, dict) else 0
        if longest > max_tokens * CHARACTERS_OF_A_TOKEN:
            return None
        encoded = encode(row)
        return encoded if max(encoded.lengths) <= max_tokens else None

    rows = read_rows(path, parse)
    kept = [row for row in rows if row is not None]
    if not kept:
        raise DataError(f"{path}: no rows of at most {max_tokens} tokens")
    if len(kept) < len(rows):
        log.info("%s: %d rows are too long, left out", path, len(rows) - len(kept))
    return kept


def _characters(value: object) -> int:
    if isinstance(value, dict | list):
        return sum(map(_characters, value.values() if isinstance(value, dict) else value))
    return len(value) if isinstance(value, str) else 0


def read_prompts(
    path: Path, tokenizer: Tokenizer, template: str, max_prompt_tokens: int
) -> list[Prompt]:
    """All rows of a file, in order. Raises DataError naming the lines that are no good."""
    seen = dict[str, int]()

    def parse(number: int, value: Any) -> Prompt:
        try:
            prompt = _row(value, tokenizer, template, max_prompt_tokens)
        except json_format.ParseError as error:
            raise ValueError(str(error).partition(" Available Fields")[0]) from error
        if prompt.id in seen:
            raise ValueError(f"id {prompt.id!r} is that of line {seen[prompt.id]}")
        seen[prompt.id] = number
        return prompt

    return read_rows(path, parse)


def _row(value: Any, tokenizer: Tokenizer, template: str, max_prompt_tokens: int) -> Prompt:
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object is wanted, got a {type(value).__name__}")
    item = json_format.ParseDict(value, Item())
    if item.response:
        raise ValueError("response: must be left out, it is what the model will write")
    if not item.id:
        raise ValueError("id: missing")
    if not item.prompt:
        raise ValueError("prompt: missing or empty")
    if item.WhichOneof("task") is None:
        raise ValueError("task: none given (math, code, choice ...)")
    most = f"prompt: at most data.max_prompt_tokens = {max_prompt_tokens} tokens"
    if len(item.prompt) > max_prompt_tokens * CHARACTERS_OF_A_TOKEN:
        raise ValueError(f"{most}, got {len(item.prompt)} characters")
    text = render(item.prompt, template, tokenizer)
    ids = tokenizer.encode(text)
    if not ids:
        raise ValueError(f"prompt: no tokens come of {item.prompt!r}")
    if len(ids) > max_prompt_tokens:
        raise ValueError(f"{most}, got {len(ids)}")
    return Prompt(item.id, text, ids, item)


def draw(rows: Sequence[T], start: int, count: int, seed: int, shuffle: bool) -> list[T]:
    """Places `start` to `start + count` of the endless row of epochs, each shuffled anew."""
    size = len(rows)
    return [
        rows[_epoch(size, n // size, seed)[n % size] if shuffle else n % size]
        for n in range(start, start + count)
    ]


@lru_cache(maxsize=2)
def _epoch(size: int, epoch: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    order: list[int] = torch.randperm(size, generator=generator).tolist()
    return order
