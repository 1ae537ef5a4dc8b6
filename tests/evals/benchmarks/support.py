"""Data folders made for a test, and the verdicts of a real server on questions' responses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from evals.benchmark import Benchmark, Graded, Question, Sample
from evals.data import Data
from evals.scoring import graded
from verifier.client import Item, Verdict, VerifierClient
from verifier.embedded import EmbeddedServer


def folder(root: Path, files: Mapping[str, Iterable[Mapping[str, Any]] | str]) -> Data:
    """A data folder: rows as JSON Lines, or a text; nothing is asked of the hub."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, str):
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        raw = content.encode()
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return Data(root, hub=False)


def real(data_dir: Path, benchmark: Benchmark, path: str) -> list[Question]:
    """The benchmark's questions from the real file; the test is skipped without it."""
    if not (data_dir / path).is_file():
        pytest.skip(f"no {path} in the data folder")
    questions = list(benchmark.load(Data(data_dir, hub=False)))
    assert len({question.id for question in questions}) == len(questions)
    return questions


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of a .jsonl.gz; the test is skipped without it."""
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def item(question: Question, response: str) -> Item:
    """The question's item with a response."""
    assert question.item is not None
    made = Item()
    made.CopyFrom(question.item)
    made.id, made.response = question.id, response
    return made


def verdicts(server: EmbeddedServer, items: list[Item]) -> list[Verdict]:
    """In the order of the items."""
    with VerifierClient(server.address) as client:
        return client.verify(items)


def scores(server: EmbeddedServer, pairs: Iterable[tuple[Question, str]]) -> list[float | None]:
    """Of questions' responses."""
    found = verdicts(server, [item(question, response) for question, response in pairs])
    return [graded(verdict).score for verdict in found]


def sample(question: Question, response: str, grade: Graded) -> Sample:
    return Sample(question, 0, response, grade)


def text(question: Question) -> str:
    """The prompt: one message of the user's."""
    (message,) = question.messages
    assert message.role == "user"
    return message.content
