"""Rows that are trained on: a response taken apart and put together, and the files they go to.

    {"messages": [{"role": "user", "content": "2 + 2?"},
                  {"role": "assistant", "content": "<think>Twice two.</think>4"}],
     "id": "7#0", "source": "zero", "domain": "math", "language": "en"}

Invariants: a file that is there is whole; the same rows give the same bytes; no more than a chunk
of rows is held in memory.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AfterValidator

from trainer.log import whole, writing
from verifier.client import Item

THINK, END = "<think>", "</think>"
PATTERN = THINK + "{reasoning}" + END + "{summary}"


def _pattern(text: str) -> str:
    if "{reasoning}" in text and "{summary}" in text:
        return text
    raise ValueError("a text with {reasoning} and {summary} in it")


Pattern = Annotated[str, AfterValidator(_pattern)]
"""What the assistant says."""

ROWS = 4096
"""In a row group of Parquet."""
EXAMPLES = 5
"""Of what was rejected, for each reason."""

_ANSWER = re.compile(r"\s*<answer>(.*)</answer>\s*", re.DOTALL)
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
CHAT = pa.schema(
    [
        ("messages", _MESSAGES), ("id", pa.string()), ("source", pa.string()),
        ("domain", pa.string()), ("language", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Split:
    """A response's two halves, as they were written."""

    reasoning: str
    summary: str


def split(response: str) -> Split | None:
    """`<think>R</think> <answer>S</answer>`, or `R</think>S` with or without its first tag; the
    last `</think>` counts. None where no thought ends."""
    before, end, after = response.rpartition(END)
    if not end:
        return None
    _, opened, reasoning = before.partition(THINK)
    found = _ANSWER.fullmatch(after)
    return Split(reasoning if opened else before, found[1] if found else after)


def has_tags(text: str) -> bool:
    """Whether a text would begin or end a thought where it is put into a pattern."""
    return THINK in text or END in text


def filled(form: str, **texts: str) -> str:
    """A form with texts at the places of their {names}, in one pass: braces in the texts, and
    others in the form, are left alone."""
    return re.sub(r"\{(\w+)\}", lambda found: texts.get(found[1], found[0]), form)


def joined(reasoning: str, summary: str, pattern: str = PATTERN) -> str:
    """What the assistant says."""
    return filled(pattern, reasoning=reasoning, summary=summary)


def chat_row(
    prompt: str, response: str, id: str, source: str, domain: str, language: str
) -> dict[str, Any]:
    """A conversation of one question."""
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
    return {
        "messages": messages, "id": id, "source": source, "domain": domain, "language": language,
    }  # fmt: skip


def check_text(row: object) -> None:
    """Raises ValueError for JSON with half of a surrogate pair in it, which is no text."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a surrogate pair, which is no text") from error


def domain_of(item: Item) -> str:
    """What the item's `meta` says, else the kind of its task."""
    return item.meta.get("domain") or item.WhichOneof("task") or ""


def line(row: Mapping[str, Any]) -> bytes:
    """Of JSON Lines."""
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """One line each."""
    with whole(path) as file:
        file.writelines(map(line, rows))


def write_chat(directory: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """data.jsonl and data.parquet with the same rows."""
    left = iter(rows)
    with (
        whole(directory / "data.parquet") as table,
        whole(directory / "data.jsonl") as lines,
        pq.ParquetWriter(table, CHAT, compression="zstd") as parquet,
    ):
        more = True
        while more:
            held = list(islice(left, ROWS))
            lines.writelines(map(line, held))
            parquet.write_table(pa.Table.from_pylist(held, schema=CHAT))
            more = len(held) == ROWS


class Spool:
    """Rows on the disk, read by their place: what is shuffled need not fit into memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts: list[int] = []
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w+b")

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        with writing(self._path):
            self._path.unlink(missing_ok=True)
            self._file.close()

    def add(self, row: Mapping[str, Any]) -> int:
        """Returns the row's place, from 0."""
        with writing(self._path):
            self._starts.append(self._file.seek(0, os.SEEK_END))
            self._file.write(line(row))
        return len(self._starts) - 1

    def read(self, places: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The rows at these places."""
        for place in places:
            with writing(self._path):
                self._file.seek(self._starts[place])
                row: dict[str, Any] = json.loads(self._file.readline())
            yield row


@dataclass
class Report:
    """What became of everything: counts by reason, each with some examples."""

    counts: Counter[str] = field(default_factory=Counter)
    by: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    """By domain or language, and which one: how many were sampled, and kept."""
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def reject(self, reason: str, detail: str, **shown: object) -> None:
        """One more for this reason."""
        self.counts[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append({"reason": reason, "detail": detail, **shown})

    def tally(self, item: Item, what: str, count: int = 1) -> None:
        """So many more of a domain and of a language."""
        for table, name in (("domain", domain_of(item)), ("language", item.language or "not said")):
            self.by.setdefault(table, {}).setdefault(name, Counter())[what] += count

    def as_dict(self) -> dict[str, Any]:
        """For counts.json and the manifest."""
        tables = {
            f"by_{table}": {
                name: dict(sorted(counts.items())) for name, counts in sorted(of.items())
            }
            for table, of in sorted(self.by.items())
        }
        return {"rejected": dict(self.counts), **tables}

    def write_examples(self, path: Path) -> None:
        """Some of what was rejected, reason by reason."""
        write_jsonl(path, (one for _, few in sorted(self.examples.items()) for one in few))
