"""Responses of a benchmark graded by a real service, as scores are made."""

from __future__ import annotations

from collections.abc import Iterable

from evals.benchmark import Benchmark, Question, Sample
from evals.scoring import graded, items_of, joined
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer


def grade(
    server: EmbeddedServer, benchmark: Benchmark, asked: Iterable[tuple[Question, str]]
) -> list[Sample]:
    """A sample for each response, numbered within its question."""
    asked = list(asked)
    named = [items_of(benchmark, question, response) for question, response in asked]
    with VerifierClient(server.address) as client:
        verdicts = iter(client.verify([item for items in named for item in items.values()]))
    samples, seen = [], dict[str, int]()
    for (question, response), items in zip(asked, named, strict=True):
        found = {name: graded(next(verdicts)) for name in items}
        number = seen[question.id] = seen.get(question.id, -1) + 1
        samples.append(Sample(question, number, response, joined(found)))
    return samples


def scores(samples: Iterable[Sample]) -> dict[tuple[str, int], float | None]:
    """Of a failed grading too: its evidence is in the message of the assertion that compares."""
    return {(sample.question.id, sample.sample): sample.graded.score for sample in samples}
