"""The judge's verdicts as the engine sees them, control flow on one page.

    what there is to judge -> nothing: score 0 without asking
                           -> queries, all at once -> their mean
                           -> a group: the queries of all pairs, all at once -> strengths

A judge that failed, or gave no verdict that could be read, is JUDGE_ERROR, and one that was cut off
by the item's own deadline is TIMEOUT; neither is ever a score, also where other queries of the same
item had an answer. So it is with a group's pairs: strengths without one would be of another group
than those that the next item of it finds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import regex

from verifier.judge import armour, group, modes, preference
from verifier.judge.asking import WORKED_HERE, Asking, answered_by, evidence, failed, mean, put_all
from verifier.judge.modes import Put, Query
from verifier.judge.protocol import legible
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

Mode = pb.JudgeTask
Preferred = pb.PreferenceTask
Reason = pb.Part.Reason
_TAGS = regex.compile(r"</?(?:think|answer)>")


def _number(mode: int) -> str:
    return f"the number {mode}" if mode else "none"


def problem(task: pb.JudgeTask | pb.PreferenceTask) -> str | None:
    """What is wrong with a task, naming the field; None when nothing is."""
    if isinstance(task, pb.PreferenceTask):
        if task.mode not in (Preferred.HELPFUL, Preferred.HARMLESS):
            return f"preference.mode: HELPFUL or HARMLESS, got {_number(task.mode)}"
        if task.rivals and task.rival:
            return "preference: exactly one of rival and rivals, got both"
        if not task.rivals and not task.rival.strip():
            return "preference.rival: must not be empty where there are no rivals"
        if len(task.rivals) >= preference.MAX_GROUP:
            most, got = preference.MAX_GROUP - 1, len(task.rivals)
            return f"preference.rivals: at most {most}, got {got}"
        if task.HasField("samples") and (task.samples % 2 or not 2 <= task.samples <= MAX_SAMPLES):
            return f"preference.samples: even and from 2 to {MAX_SAMPLES}, got {task.samples}"
        return None
    if task.mode not in (Mode.REFERENCE, Mode.RUBRIC, Mode.HARMLESS, Mode.HELPFUL):
        return f"judge.mode: REFERENCE, RUBRIC, HARMLESS or HELPFUL, got {_number(task.mode)}"
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
    asking: Asking,
    groups: group.Groups,
) -> TaskOutcome:
    """The judge's verdict on a response. The task must have no `problem`."""
    unasked = _unasked(task, response)
    if unasked is not None:
        return unasked
    if isinstance(task, pb.JudgeTask):
        samples = task.samples if task.HasField("samples") else 1
        return await _judged([_query(task, prompt, response)] * samples, asking)
    if not task.rivals:
        ours, theirs = (preference.seen(task, text) for text in (response, task.rival))
        return await _judged(preference.queries(task, prompt, ours, theirs), asking)
    texts = (response, *task.rivals)
    long = sum(map(len, texts)) > WORKED_HERE
    prepared = asyncio.to_thread(_members, task, prompt, texts) if long else None
    members = await prepared if prepared else _members(task, prompt, texts)
    return await group.judged(task, prompt, members, groups, asking)


def _members(task: pb.PreferenceTask, prompt: str, texts: Sequence[str]) -> group.Members:
    empty = [_unasked(task, text) is not None for text in texts]
    return group.members(task, prompt, [preference.seen(task, text) for text in texts], empty)


async def escalate(
    question: str,
    golds: Sequence[str],
    extracted: str | None,
    response: str,
    rules: str,
    asking: Asking,
) -> TaskOutcome:
    """A REFERENCE verdict on an item whose rules said `rules`, a status or a reason.

    Any of `golds` suffices. What is judged is the answer that the rules found, and the final
    summary only where they found none.
    """
    answer = extracted if extracted else armour.summary(response)
    outcome = _without_asking(answer, golds)
    if outcome is None:
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
    """The mean of all verdicts, or the first failure. Each query has the seed of its place."""
    done = await put_all(list(enumerate(queries)), asking)
    readings = [put.reading for put in done if put.reading is not None]
    told = evidence(done, asking)
    told.queries.extend(_told(put) for put in done if put.reading is not None)
    told.disagreement = len({reading.base for reading in readings}) > 1
    if len(readings) < len(done):
        return failed(done, f"{len(readings)} of {len(done)} queries had a verdict", told, asking)
    counted = Counter(reading.label for reading in readings)
    return TaskOutcome(
        pb.Verdict.OK,
        Reason.judged,
        mean(reading.value for reading in readings),
        detail=", ".join(f"{count} x {label}" for label, count in counted.most_common()),
        evidence=pb.Evidence(judge=told),
        cache_hit=all(put.cached for put in done),
        judge_model=answered_by(done, asking),
    )


def _told(put: Put) -> pb.JudgeQuery:
    assert put.reading is not None
    return pb.JudgeQuery(
        label=put.reading.label,
        value=put.reading.value,
        swapped=put.query.swapped,
        analysis=legible(put.reading.analysis[:ANALYSIS_CHARS]),
        repaired=len(put.answers) > 1,
        cached=put.cached,
        seed=put.seed,
        model=put.answers[-1].model,
    )
