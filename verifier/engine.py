"""From an item to its verdict, control flow on one page.

    validate -> the task's verifier -> the recipe's parts -> the reward

Invariants: one verdict for every item, whatever happens in between; a failure
of ours is a status, never a score; `reward` is present only when the status is
OK; an item's deadline starts when its work starts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from sandbox.client import Sandbox
from sandbox.v1 import sandbox_pb2 as sb
from verifier import format, language, metrics, recipes, validate
from verifier.code import speed
from verifier.code import verify as code
from verifier.limits import DETAIL_CHARS, MESSAGE_CHARS, Limits
from verifier.math import MathVerifier
from verifier.math import verify as math
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

log = logging.getLogger(__name__)

LONG_TEXT = 65_536
"""Bytes above which the pure steps run in a thread: they take about a
millisecond for as much, and the event loop serves everybody."""


@dataclass
class Engine:
    """Everything an item may need. Closing it is the owner's business."""

    limits: Limits
    math: MathVerifier
    sandbox: Sandbox
    sandbox_info: sb.DescribeResponse
    probe_share: float = 0.0
    """Of accepted programs, that are run again on another order."""
    toolchains: dict[str, str] = field(init=False)
    """Languages of programs that the sandbox runs, each with its compiler and version."""
    code: code.CodeVerifier = field(init=False)

    def __post_init__(self) -> None:
        self.toolchains = {
            known.name: known.toolchain
            for known in self.sandbox_info.languages
            if not known.missing
        }
        self.code = code.CodeVerifier(self.sandbox, self.toolchains, self.probe_share)

    async def verify(self, item: pb.Item | Unreadable) -> pb.Verdict:
        """The verdict of one item. Raises nothing but CancelledError."""
        accepted = time.perf_counter()
        try:
            verdict = await self._verify(item)
        except Exception as error:
            # A defect of ours costs one item, with a status, and not its batch.
            log.exception("item %r", item.id)
            verdict = _defect(item, error)
        return _finished(verdict, accepted)

    def verify_at_once(self, item: pb.Item | Unreadable) -> pb.Verdict | None:
        """The verdict of an item that needs neither a sandbox, nor a worker, nor long;
        None for the others. Most mathematics is of this kind, and a task of its own
        would take as long as the work."""
        if not isinstance(item, pb.Item) or len(item.math.gold) != 1:
            return None
        accepted = time.perf_counter()
        try:
            if item.ByteSize() > LONG_TEXT:
                return None
            refused = self._refused(item)
            if refused is None:
                outcome = math.verify_at_once(item.math, item.response)
                if outcome is None:
                    return None
                recipe = validate.chosen_recipe(item)
                refused = compose(item, recipe, outcome, score_parts(item, recipe, outcome))
        except Exception as error:
            log.exception("item %r", item.id)
            refused = _defect(item, error)
        return _finished(refused, accepted)

    async def _verify(self, item: pb.Item | Unreadable) -> pb.Verdict:
        if isinstance(item, Unreadable):
            return failed(item.id, pb.Verdict.INVALID, item.message)
        long = item.ByteSize() > LONG_TEXT
        refused = await asyncio.to_thread(self._refused, item) if long else self._refused(item)
        if refused is not None:
            return refused
        outcome = await self._task(item)
        recipe = validate.chosen_recipe(item)
        if long:
            parts = await asyncio.to_thread(score_parts, item, recipe, outcome)
        else:
            parts = score_parts(item, recipe, outcome)
        return compose(item, recipe, outcome, parts)

    def _refused(self, item: pb.Item) -> pb.Verdict | None:
        """The verdict of an item on which no work is done."""
        problem = validate.problem(item, self.limits, self.toolchains)
        if problem:
            return failed(item.id, pb.Verdict.INVALID, problem)
        if item.HasField("deadline_ms") and item.deadline_ms == 0:
            return failed(
                item.id, pb.Verdict.TIMEOUT, "deadline_ms: already over, got 0; nothing was run"
            )
        return None

    async def _task(self, item: pb.Item) -> TaskOutcome:
        budget_ms = item.deadline_ms if item.HasField("deadline_ms") else None
        if item.HasField("math"):
            return await math.verify(item.math, item.response, self.math, budget_ms)
        recipe = validate.chosen_recipe(item)
        return await self.code.verify(
            code.Submission(
                item.code,
                item.response,
                item.prompt,
                item.id,
                budget_ms,
                measure_speed=recipe is not None and any(p.name == "speed" for p in recipe.parts),
            )
        )


def score_parts(item: pb.Item, recipe: pb.Recipe | None, outcome: TaskOutcome) -> list[pb.Part]:
    """The parts of a verdict, in the recipe's order. Pure."""
    if recipe is None:
        return [_accuracy(1.0, outcome)]
    parts = []
    for wanted in recipe.parts:
        weight = recipes.weight(wanted)
        if wanted.name == "accuracy":
            part = _accuracy(weight, outcome)
        elif wanted.name == "format":
            style = format.Style(wanted.options.get("style", format.Style.R1_ZERO.value))
            layout = format.check(item.response, style)
            part = pb.Part(
                name=wanted.name,
                score=layout.score,
                weight=weight,
                reason=pb.Part.Reason.Value(layout.fault.value),
                detail=layout.detail,
            )
        elif wanted.name == "speed":
            part = _speed(weight, outcome)
        else:
            part = _language(weight, item)
        parts.append(part)
    return parts


def _accuracy(weight: float, outcome: TaskOutcome) -> pb.Part:
    return pb.Part(
        name="accuracy",
        score=outcome.score if outcome.status == pb.Verdict.OK else None,
        weight=weight,
        reason=outcome.reason,
        detail=outcome.detail[:DETAIL_CHARS],
    )


def _speed(weight: float, outcome: TaskOutcome) -> pb.Part:
    """Only an accepted program has a speed; see verifier/code/speed.py."""
    told = outcome.evidence.code
    measured = told.reference_cpu_ms > 0
    part = pb.Part(
        name="speed",
        score=0.0 if outcome.status == pb.Verdict.OK else None,
        weight=weight,
        reason=pb.Part.measured if measured else pb.Part.not_accepted,
    )
    if outcome.status != pb.Verdict.OK:
        part.reason = outcome.reason
    elif measured:
        part.score = speed.score(told.program_cpu_ms, told.reference_cpu_ms)
        part.detail = (
            f"{told.program_cpu_ms:.1f} ms of CPU time, "
            f"the reference {told.reference_cpu_ms:.1f} ms on the same tests"
        )
    return part


def _language(weight: float, item: pb.Item) -> pb.Part:
    """Equation 7 of DeepSeek-R1; a chain of thought without a word scores 0."""
    counted = language.share(format.chain_of_thought(item.response), item.language)
    return pb.Part(
        name="language",
        score=counted.value or 0.0,
        weight=weight,
        reason=pb.Part.share if counted.total else pb.Part.no_words,
        detail=f"{counted.target} of {counted.total} words in {item.language}",
    )


def compose(
    item: pb.Item, recipe: pb.Recipe | None, outcome: TaskOutcome, parts: list[pb.Part]
) -> pb.Verdict:
    """Parts and evidence as a verdict; the reward only when all of it is known. Pure."""
    needs_accuracy = any(part.name in ("accuracy", "speed") for part in parts)
    status = outcome.status if needs_accuracy else pb.Verdict.OK
    task = str(item.WhichOneof("task"))
    verdict = pb.Verdict(
        id=item.id,
        status=status,
        parts=parts,
        extracted=outcome.extracted,
        evidence=outcome.evidence,
        provenance=pb.Provenance(
            verifier=task,
            verifier_version=VERSIONS[task],
            sandbox_tier=outcome.sandbox_tier,
            cache_hit=outcome.cache_hit,
        ),
        timing=pb.Timing(queued_ms=outcome.queued_ms),
    )
    if recipe is not None:
        verdict.provenance.recipe = recipe.name or "inline"
        verdict.provenance.recipe_hash = recipes.digest(recipe)
    if status == pb.Verdict.OK:
        verdict.reward = sum(part.weight * part.score for part in parts)
    return verdict


def _finished(verdict: pb.Verdict, accepted: float) -> pb.Verdict:
    spent = 1000 * (time.perf_counter() - accepted)
    verdict.timing.ran_ms = max(0.0, spent - verdict.timing.queued_ms)
    metrics.count(verdict)
    return verdict


def _defect(item: pb.Item | Unreadable, error: Exception) -> pb.Verdict:
    return failed(item.id, pb.Verdict.INTERNAL, f"{type(error).__name__}: {error}")


VERSIONS = {"math": math.VERSION, "code": code.VERSION}


def failed(item_id: str, status: pb.Verdict.Status.ValueType, message: str) -> pb.Verdict:
    """A verdict that says why there is none."""
    message = message[:MESSAGE_CHARS]
    return pb.Verdict(id=item_id, status=status, evidence=pb.Evidence(message=message))
