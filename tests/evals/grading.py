"""Responses of a benchmark graded by a real service, as scores are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from evals.benchmark import Benchmark, Graded, Question, Sample
from evals.scoring import graded
from verifier.client import Item, VerifierClient
from verifier.embedded import EmbeddedServer


def grade(
    server: EmbeddedServer, benchmark: Benchmark, asked: Iterable[tuple[Question, str]]
) -> list[Sample]:
    """A sample for each response, numbered within its question."""
    asked = list(asked)
    named = [_items(benchmark, question, response) for question, response in asked]
    with VerifierClient(server.address) as client:
        verdicts = iter(client.verify([item for items in named for item in items.values()]))
    samples, seen = [], dict[str, int]()
    for (question, response), items in zip(asked, named, strict=True):
        found = {name: graded(next(verdicts)) for name in items}
        number = seen[question.id] = seen.get(question.id, -1) + 1
        samples.append(Sample(question, number, response, _joined(found)))
    return samples


def _items(benchmark: Benchmark, question: Question, response: str) -> dict[str, Item]:
    if benchmark.items is not None:
        return dict(benchmark.items(question, response))
    assert question.item is not None
    item = Item(response=response)
    item.MergeFrom(question.item)
    return {"": item}


def _joined(found: dict[str, Graded]) -> Graded:
    if not found:
        return Graded("no_answer", 0.0)
    (_, first), *others = found.items()
    told: dict[str, Any] = {
        name: {"status": one.status, "score": one.score, "extracted": one.extracted}
        for name, one in others
    }
    return replace(first, evidence={**first.evidence, **({"others": told} if told else {})})


def scores(samples: Iterable[Sample]) -> dict[tuple[str, int], float | None]:
    """Of a failed grading too: its evidence is in the message of the assertion that compares."""
    return {(sample.question.id, sample.sample): sample.graded.score for sample in samples}
