"""Scoring: every generation that has no score by this grader, through the verification service.

Idempotent: the same generations and the same grader give the same scores, and none is made twice.
A failure of the grader is a score that is absent, never a wrong answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from evals import VERSION
from evals.benchmark import Benchmark, Graded, Question, Status, Tools
from evals.records import Generation, Key, Records, Score, digest
from verifier.client import AsyncVerifierClient, Item, Verdict

TEXTS = Path(__file__).parent / "benchmarks" / "texts"
"""What judges are asked with."""

LOCAL_AT_ONCE = 16
"""Responses that a benchmark's own grader has at once: it may ask a judge."""

STAYS = "UNDECIDED"
"""The service's status that the same response gets again; other errors may pass."""

NO_ANSWER = frozenset({"no_answer", "no_program", "nothing_to_judge"})
"""Reasons of the accuracy part that say that nothing was found to grade."""


async def grader_of(benchmark: Benchmark, client: AsyncVerifierClient, tools: Tools) -> str:
    """Name and version of what grades: another one grades anew."""
    if benchmark.grade is not None:
        if not benchmark.needs_judge or tools.judge is None:
            return f"{benchmark.name} {VERSION}"
        texts = sorted(TEXTS.glob("*.txt"))
        asked = digest([[path.name, path.read_text("utf-8")] for path in texts])
        return f"{benchmark.name} {VERSION} {asked} judged by {tools.judge.name}"
    described = await client.describe()
    kinds = sorted((kind.name, kind.verifier_version) for kind in described.tasks)
    return f"touchstone {described.version} {digest(kinds)}"


def unscored(
    generations: Mapping[Key, Generation], scores: Mapping[Key, Score], grader: str
) -> list[Generation]:
    """Answers without a grade of this grader for this very response, or whose grader failed."""
    return [
        generation
        for key, generation in generations.items()
        if generation.finish != "error"
        and (
            (score := scores.get(key)) is None
            or score.grader != grader
            or score.response_hash != digest(generation.text)
            or (score.score is None and score.evidence.get("status") != STAYS)
        )
    ]


async def score(
    benchmark: Benchmark,
    questions: Mapping[str, Question],
    generations: Sequence[Generation],
    client: AsyncVerifierClient,
    tools: Tools,
    grader: str,
    records: Records[Score],
    scored: Callable[[Score], None],
) -> None:
    """Grades these, each on disk as soon as it is there. Raises ServiceError."""
    graded = (
        _by_service(benchmark, questions, generations, client)
        if benchmark.grade is None
        else _by_benchmark(benchmark, questions, generations, tools)
    )
    async for generation, found in graded:
        record = Score(
            **vars(generation.key),
            grader=grader,
            response_hash=digest(generation.text),
            status=found.status,
            score=found.score,
            extracted=found.extracted,
            evidence=found.evidence,
        )
        records.append(record)
        scored(record)


async def _by_service(
    benchmark: Benchmark,
    questions: Mapping[str, Question],
    generations: Sequence[Generation],
    client: AsyncVerifierClient,
) -> AsyncIterator[tuple[Generation, Graded]]:
    items, places = list[Item](), list[tuple[int, str]]()
    found = [dict[str, Graded]() for _ in generations]
    wanted = list[list[str]]()
    for at, generation in enumerate(generations):
        named = items_of(benchmark, questions[generation.question], _sendable(generation.text))
        wanted.append(list(named))
        for name, item in named.items():
            items.append(item)
            places.append((at, name))
        if not named:
            yield generation, joined({})
    async for place, verdict in client.stream(items):
        at, name = places[place]
        found[at][name] = graded(verdict)
        if len(found[at]) == len(wanted[at]):
            yield generations[at], joined({name: found[at][name] for name in wanted[at]})


def items_of(benchmark: Benchmark, question: Question, response: str) -> Mapping[str, Item]:
    """What the service is asked about a response, by the name of the grading."""
    if benchmark.items is not None:
        return benchmark.items(question, response)
    assert question.item is not None, f"{question.id} has no item and its benchmark no grade"
    item = Item()
    item.CopyFrom(question.item)
    item.id, item.response = question.id, response
    return {"": item}


def joined(found: Mapping[str, Graded]) -> Graded:
    """Several gradings of one response: the first one's, with the others in its evidence."""
    if not found:
        return Graded("no_answer", 0.0)
    (_, first), *others = found.items()
    if not others:
        return first
    told = {
        name: {"status": one.status, "score": one.score, "extracted": one.extracted}
        for name, one in others
    }
    return replace(first, evidence={**first.evidence, "others": told})


async def _by_benchmark(
    benchmark: Benchmark,
    questions: Mapping[str, Question],
    generations: Sequence[Generation],
    tools: Tools,
) -> AsyncIterator[tuple[Generation, Graded]]:
    assert benchmark.grade is not None
    grade, room = benchmark.grade, asyncio.Semaphore(LOCAL_AT_ONCE)

    async def one(generation: Generation) -> tuple[Generation, Graded]:
        text = final_part(generation.text) if benchmark.final_only else generation.text
        async with room:
            return generation, await grade(questions[generation.question], text, tools)

    tasks = [asyncio.create_task(one(generation)) for generation in generations]
    try:
        for finished in asyncio.as_completed(tasks):
            yield await finished
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def graded(verdict: Verdict) -> Graded:
    """A verdict of the service as a grade."""
    evidence = evidence_of(verdict)
    if verdict.status != Verdict.Status.OK:
        return Graded("grader_error", None, verdict.extracted, evidence)
    reasons = {part["reason"] for part in evidence["parts"] if part["name"] == "accuracy"}
    status: Status = "no_answer" if reasons & NO_ANSWER else "ok"
    return Graded(status, verdict.reward, verdict.extracted, evidence)


def evidence_of(verdict: Verdict) -> dict[str, Any]:
    """What people and `aggregate` may want to see of a verdict, as JSON."""
    told: dict[str, Any] = json_format.MessageToDict(
        verdict.evidence, preserving_proto_field_name=True
    )
    return {
        "status": Verdict.Status.Name(verdict.status),
        "parts": [
            json_format.MessageToDict(
                part, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
            for part in verdict.parts
        ],
        "evidence": told,
    }


def final_part(text: str) -> str:
    """What follows the last </think>, or all of it; nothing of a thought that never ended."""
    if "</think>" not in text and "<think>" in text:
        return ""
    return text.rpartition("</think>")[2]


def _sendable(text: str) -> str:
    """Protobuf carries no lone surrogates."""
    return text.encode("utf-8", "replace").decode()
