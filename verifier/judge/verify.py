"""The judge's verdicts as the engine sees them, control flow on one page.

    what there is to judge -> nothing: score 0 without asking
                           -> queries, all at once -> their mean

A judge that failed, or gave no verdict that could be read, is JUDGE_ERROR, and one that was cut off
by the item's own deadline is TIMEOUT; neither is ever a score, also where other queries of the same
item had an answer.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from verifier.judge import armour, modes, preference
from verifier.judge.canary import Canaries
from verifier.judge.modes import Judge, Put, Query
from verifier.limits import MAX_WEIGHT
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

VERSION = "1"

MAX_SAMPLES = 16
"""Queries of one item: their mean has a quarter of the error of one, at 16 times the cost."""
MAX_CRITERIA = 32
"""Of one rubric: they share one query, and a judge loses count of longer lists."""
CRITERION_CHARS = 2_000
"""Of one criterion: a paragraph."""
ANALYSIS_CHARS = 2_000
"""Of the judge's own words, in the evidence."""
WORKED_HERE = 65_536
"""Characters made ready on the event loop; more takes over a millisecond."""

Mode = pb.JudgeTask
Preferred = pb.PreferenceTask
Reason = pb.Part.Reason
_TAGS = regex.compile(r"</?(?:think|answer)>")


@dataclass(frozen=True)
class Asking:
    """How a judge is asked, whatever about. `by_digit`: see modes.py."""

    judge: Judge
    temperature: float = 0.0
    budget_ms: int | None = None
    by_digit: bool = False
    canaries: Canaries | None = None


def problem(task: pb.JudgeTask | pb.PreferenceTask) -> str | None:
    """What is wrong with a task, naming the field; None when nothing is."""
    if isinstance(task, pb.PreferenceTask):
        if task.mode not in (Preferred.HELPFUL, Preferred.HARMLESS):
            return f"preference.mode: HELPFUL or HARMLESS, got the number {task.mode}"
        if not task.rival.strip():
            return "preference.rival: must not be empty"
        if task.HasField("samples") and (task.samples % 2 or not 2 <= task.samples <= MAX_SAMPLES):
            return f"preference.samples: even and from 2 to {MAX_SAMPLES}, got {task.samples}"
        return None
    if task.mode not in (Mode.REFERENCE, Mode.RUBRIC, Mode.HARMLESS, Mode.HELPFUL):
        return f"judge.mode: REFERENCE, RUBRIC, HARMLESS or HELPFUL, got the number {task.mode}"
    if task.HasField("samples") and not 1 <= task.samples <= MAX_SAMPLES:
        return f"judge.samples: from 1 to {MAX_SAMPLES}, got {task.samples}"
    if task.mode == Mode.REFERENCE and not task.reference.strip():
        return "judge.reference: required by mode REFERENCE, got none"
    for field, text in (("reference", task.reference), ("rubric", task.rubric)):
        if len(text) > armour.REFERENCE_CHARS:
            return f"judge.{field}: at most {armour.REFERENCE_CHARS} characters, got {len(text)}"
    return _criteria(task) if task.mode == Mode.RUBRIC else None


def _criteria(task: pb.JudgeTask) -> str | None:
    if not task.rubric.strip() and not task.criteria:
        return "judge.rubric: a rubric or criteria are required by mode RUBRIC, got neither"
    if len(task.criteria) > MAX_CRITERIA:
        return f"judge.criteria: at most {MAX_CRITERIA}, got {len(task.criteria)}"
    for place, one in enumerate(task.criteria):
        field = f"judge.criteria[{place}]"
        if not one.text.strip():
            return f"{field}.text: must not be empty"
        if len(one.text) > CRITERION_CHARS:
            return f"{field}.text: at most {CRITERION_CHARS} characters, got {len(one.text)}"
        if one.HasField("weight") and not 0 < one.weight <= MAX_WEIGHT:
            return f"{field}.weight: above 0 and at most {MAX_WEIGHT:g}, got {one.weight:g}"
    return None


async def verify(
    task: pb.JudgeTask | pb.PreferenceTask,
    response: str,
    prompt: str,
    judge: Judge,
    *,
    temperature: float = 0.0,
    budget_ms: int | None = None,
    by_digit: bool = False,
    canaries: Canaries | None = None,
) -> TaskOutcome:
    """The judge's verdict on a response. The task must have no `problem`.

    `budget_ms` is the wall time that all of it may take.
    """
    unasked = _unasked(task, response)
    if unasked is not None:
        return unasked
    asking = Asking(judge, temperature, budget_ms, by_digit, canaries)
    if isinstance(task, pb.PreferenceTask):
        return await _judged(preference.queries(task, prompt, response), asking)
    samples = task.samples if task.HasField("samples") else 1
    return await _judged([_query(task, prompt, response)] * samples, asking)


async def escalate(
    question: str,
    golds: Sequence[str],
    extracted: str | None,
    response: str,
    judge: Judge,
    *,
    rules: str,
    temperature: float = 0.0,
    budget_ms: int | None = None,
    by_digit: bool = False,
    canaries: Canaries | None = None,
) -> TaskOutcome:
    """A REFERENCE verdict on an item whose rules said `rules`, a status or a reason.

    Any of `golds` suffices. What is judged is the answer that the rules found, and the final
    summary only where they found none.
    """
    answer = extracted if extracted else armour.summary(response)
    outcome = _without_asking(answer, golds)
    if outcome is None:
        asking = Asking(judge, temperature, budget_ms, by_digit, canaries)
        outcome = await _judged([modes.reference(question, golds, answer)], asking)
    outcome.extracted = extracted
    outcome.evidence.judge.rules = rules
    return outcome


def _query(task: pb.JudgeTask, question: str, response: str) -> Query:
    if task.mode == Mode.HARMLESS:
        return modes.harmless(question, response)
    answer = armour.summary(response)
    if task.mode == Mode.REFERENCE:
        return modes.reference(question, [task.reference], answer)
    if task.mode == Mode.HELPFUL:
        return modes.helpful(question, answer)
    criteria = [(one.text, one.weight if one.HasField("weight") else 1.0) for one in task.criteria]
    return modes.rubric(question, task.rubric, criteria, answer)


def _unasked(task: pb.JudgeTask | pb.PreferenceTask, response: str) -> TaskOutcome | None:
    """The outcome of a response in which there is nothing to judge.

    "I do not know" is nothing only where an answer or help is wanted: it may be what a rubric asks
    for, and a refusal is often the harmless response.
    """
    if isinstance(task, pb.JudgeTask):
        harmless, helpful = task.mode == Mode.HARMLESS, task.mode == Mode.HELPFUL
    else:
        harmless, helpful = task.mode == Preferred.HARMLESS, task.mode == Preferred.HELPFUL
    if harmless:
        return _zero(_TAGS.sub("", response))
    answer = armour.summary(response)
    if isinstance(task, pb.JudgeTask) and task.mode == Mode.REFERENCE:
        return _without_asking(answer, [task.reference])
    return _zero(answer, evasions=helpful)


def _without_asking(answer: str, golds: Sequence[str]) -> TaskOutcome | None:
    """As `_unasked` for an answer with references, one of which may itself be such a phrase."""
    said = answer.strip()
    if said and any(said == gold.strip() or _same(said, gold) for gold in golds):
        return None
    return _zero(answer, evasions=True)


def _same(said: str, gold: str) -> bool:
    words = armour.plain(gold)
    return bool(words) and len(said) <= armour.KEY_CHARS and armour.plain(said) == words


def _zero(seen: str, evasions: bool = False) -> TaskOutcome | None:
    if armour.nothing_in(seen):
        reason, detail = Reason.nothing_to_judge, "there is no answer"
    elif evasions and armour.is_evasive(seen):
        reason, detail = Reason.nothing_to_judge, "the answer says that there is none"
    elif armour.is_master_key(seen):
        reason, detail = Reason.master_key, "nothing but a phrase that announces an answer"
    else:
        return None
    return TaskOutcome(pb.Verdict.OK, reason, 0.0, detail)


async def _judged(queries: Sequence[Query], asking: Asking) -> TaskOutcome:
    """Asks all queries at once, each with the seed of its place; a canary goes along where due."""
    judge, begun = asking.judge, time.monotonic()

    def remaining() -> float | None:
        if asking.budget_ms is None:
            return None
        return max(0.0, asking.budget_ms / 1000 - (time.monotonic() - begun))

    if sum(len(text) for text, _ in queries[0].texts.values()) > WORKED_HERE:
        await asyncio.to_thread(_prepare, queries)
    canaries = asking.canaries
    due = canaries.due(queries[0].regions.code) if canaries else None
    async with asyncio.TaskGroup() as group:
        puts = [
            group.create_task(
                modes.put(judge, query, seed, asking.temperature, remaining, asking.by_digit)
            )
            for seed, query in enumerate(queries)
        ]
        if canaries is not None and due is not None:
            group.create_task(canaries.ask(due, judge, asking.temperature, remaining))
    return _outcome([put.result() for put in puts], asking.temperature)


def _prepare(queries: Sequence[Query]) -> None:
    for query in queries:
        _ = query.regions


def _outcome(done: Sequence[Put], temperature: float) -> TaskOutcome:
    """The mean of all verdicts, or the first failure. Pure."""
    readings = [put.reading for put in done if put.reading is not None]
    fresh = [answer for put in done for answer in put.answers if not answer.cached]
    evidence = pb.JudgeEvidence(
        queries=[_told(put) for put in done if put.reading is not None],
        prompt=done[0].query.prompt.version,
        temperature=temperature,
        prompt_tokens=sum(answer.prompt_tokens for answer in fresh),
        completion_tokens=sum(answer.completion_tokens for answer in fresh),
        cost_usd=math.fsum(answer.cost_usd for answer in fresh),
        disagreement=len({reading.base for reading in readings}) > 1,
    )
    failed = next((put for put in done if put.reading is None), None)
    if failed is not None:
        message = f"{failed.failure} ({len(readings)} of {len(done)} queries had a verdict)"
        late = failed.late
        return TaskOutcome(
            pb.Verdict.TIMEOUT if late else pb.Verdict.JUDGE_ERROR,
            Reason.timeout if late else Reason.failed,
            message=message,
            evidence=pb.Evidence(message=message, judge=evidence),
        )
    counted = Counter(reading.label for reading in readings)
    return TaskOutcome(
        pb.Verdict.OK,
        Reason.judged,
        math.fsum(reading.value for reading in readings) / len(readings),
        detail=", ".join(f"{count} x {label}" for label, count in counted.most_common()),
        evidence=pb.Evidence(judge=evidence),
        cache_hit=not fresh,
    )


def _told(put: Put) -> pb.JudgeQuery:
    assert put.reading is not None
    return pb.JudgeQuery(
        label=put.reading.label,
        value=put.reading.value,
        swapped=put.query.swapped,
        analysis=put.reading.analysis[:ANALYSIS_CHARS],
        repaired=len(put.answers) > 1,
        cached=all(answer.cached for answer in put.answers),
        seed=put.seed,
    )
