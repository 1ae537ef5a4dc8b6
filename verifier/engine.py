"""From an item to its verdict, control flow on one page.

    validate -> the task's verifier -> a judge, if the recipe asks for one then
             -> the recipe's parts -> the reward

Invariants: one verdict for every item, whatever happens in between; a failure
of ours is a status, never a score; `reward` is present only when the status is
OK; an item's deadline starts when its work starts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from sandbox.client import Sandbox
from sandbox.v1 import sandbox_pb2 as sb
from verifier import logs, metrics, recipes, tracing, validate
from verifier.choice import verify as choice
from verifier.code import once
from verifier.code import verify as code
from verifier.instructions import verify as instructions
from verifier.judge import verify as judge
from verifier.judge.judging import Judging
from verifier.kept.once import Kept
from verifier.limits import MESSAGE_CHARS, Limits
from verifier.math import MathVerifier
from verifier.math import verify as math
from verifier.outcome import TaskOutcome
from verifier.parts import PARTS
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

log = logging.getLogger(__name__)

LONG_TEXT = 65_536
"""Bytes above which the pure steps run in a thread: they take about a
millisecond for as much, and the event loop serves everybody."""

SLOW_TEXT, SLOW_PARTS = 8_192, frozenset({"language", "repetition", "readability"})
"""The same for these parts, and for constraints on the text, which look at every word."""


@dataclass
class Engine:
    """Everything an item may need. Closing it is the owner's business."""

    limits: Limits
    math: MathVerifier
    sandbox: Sandbox
    sandbox_info: sb.DescribeResponse
    probe_share: float = 0.0
    """Of accepted programs, that are run again on another order."""
    judging: Judging = field(default_factory=Judging)
    """The judge and the reward model, where the server has them."""
    kept: Kept | None = None
    """Where results of programs outlive this process."""
    toolchains: dict[str, str] = field(init=False)
    """Languages of programs that the sandbox runs, each with its compiler and version."""
    code: code.CodeVerifier = field(init=False)

    def __post_init__(self) -> None:
        self.toolchains = {
            known.name: known.toolchain
            for known in self.sandbox_info.languages
            if not known.missing
        }
        self.code = code.CodeVerifier(
            self.sandbox,
            self.toolchains,
            self.probe_share,
            once.NO_WORLD if self.kept is None else once.world(self.sandbox_info),
            once.outcomes(self.kept),
        )

    async def verify(self, item: pb.Item | Unreadable, queued_ms: float = 0.0) -> pb.Verdict:
        """The verdict of one item, that has waited so long. Raises nothing but CancelledError."""
        accepted = time.perf_counter()
        tracing.past("queue", queued_ms / 1000)
        with logs.about(item), tracing.span("verify"):
            try:
                verdict = await self._verify(item)
            except Exception as error:
                # A defect of ours costs one item, with a status, and not its batch.
                log.exception("item %r", item.id)
                verdict = _defect(item, error)
            _finished(verdict, accepted, queued_ms)
            tracing.told(verdict)
        return verdict

    def verify_at_once(
        self, item: pb.Item | Unreadable, queued_ms: float = 0.0
    ) -> pb.Verdict | None:
        """The verdict of an item that needs neither a sandbox, nor a worker, nor long;
        None for the others. Most mathematics is of this kind, and a task of its own
        would take as long as the work."""
        accepted = time.perf_counter()
        if not isinstance(item, pb.Item):
            return _finished(failed(item.id, pb.Verdict.INVALID, item.message), accepted, queued_ms)
        try:
            if not _is_ruled(item) or _is_long(item):
                return None
            verdict = self._refused(item)
            if verdict is not None:
                return _finished(verdict, accepted, queued_ms)
            outcome = _at_once(item)
            recipe = validate.chosen_recipe(item)
            if outcome is None or self.judging.wanted(recipe, outcome):
                return None
            parts = score_parts(item, recipe, outcome)
            verdict = compose(item, recipe, outcome, parts)
        except Exception as error:
            with logs.about(item):
                log.exception("item %r", item.id)
            return _finished(_defect(item, error), accepted, queued_ms)
        seconds = time.perf_counter() - accepted
        timing = verdict.timing
        timing.ran_ms, timing.queued_ms = 1000 * seconds, queued_ms
        reason = next((part.reason for part in parts if part.name == "accuracy"), _NO_REASON)
        metrics.TALLY.add(verdict.provenance.verifier, verdict.status, reason, seconds)
        return verdict

    async def _verify(self, item: pb.Item | Unreadable) -> pb.Verdict:
        if isinstance(item, Unreadable):
            return failed(item.id, pb.Verdict.INVALID, item.message)
        long = _is_long(item)
        refused = await asyncio.to_thread(self._refused, item) if long else self._refused(item)
        if refused is not None:
            return refused
        recipe = validate.chosen_recipe(item)
        end = time.monotonic() + item.deadline_ms / 1000 if item.HasField("deadline_ms") else None
        outcome = await self._task(item, recipe, long, end)
        if recipe is not None and self.judging.wanted(recipe, outcome):
            if end is not None:
                end += outcome.queued_ms / 1000
            outcome = await self.judging.ask(item, recipe, outcome, end)
        if long:
            parts = await asyncio.to_thread(score_parts, item, recipe, outcome)
        else:
            parts = score_parts(item, recipe, outcome)
        return compose(item, recipe, outcome, parts)

    def _refused(self, item: pb.Item) -> pb.Verdict | None:
        """The verdict of an item on which no work is done."""
        problem = validate.problem(item, self.limits, self.toolchains, self.judging.offers)
        if problem:
            return failed(item.id, pb.Verdict.INVALID, problem)
        if item.HasField("deadline_ms") and item.deadline_ms == 0:
            return failed(
                item.id, pb.Verdict.TIMEOUT, "deadline_ms: already over, got 0; nothing was run"
            )
        return None

    async def _task(
        self, item: pb.Item, recipe: pb.Recipe | None, long: bool, end: float | None
    ) -> TaskOutcome:
        budget_ms = item.deadline_ms if item.HasField("deadline_ms") else None
        if item.HasField("math"):
            return await math.verify(item.math, item.response, self.math, budget_ms)
        if item.HasField("code"):
            return await self.code.verify(
                code.Submission(
                    item.code,
                    item.response,
                    item.prompt,
                    item.id,
                    budget_ms,
                    measure_speed=_has_part(recipe, "speed"),
                )
            )
        if item.HasField("judge") or item.HasField("preference"):
            return await self.judging.verify(item, recipe, end)
        outcome = await asyncio.to_thread(_at_once, item) if long else _at_once(item)
        assert outcome is not None, "the task has no step that could take long"
        return outcome


def _is_ruled(item: pb.Item) -> bool:
    """Whether rules alone may do for it."""
    return len(item.math.gold) == 1 or item.HasField("choice") or item.HasField("instructions")


def _is_long(item: pb.Item) -> bool:
    """Whether its pure steps could keep others waiting. The item may be an invalid one."""
    size = item.ByteSize()
    if size <= SLOW_TEXT or size > LONG_TEXT:
        return size > LONG_TEXT
    known = recipes.BUILT_IN.get(item.recipe, item.inline_recipe)
    return item.HasField("instructions") or any(part.name in SLOW_PARTS for part in known.parts)


def _at_once(item: pb.Item) -> TaskOutcome | None:
    """What rules alone say; None where a worker is needed."""
    if item.HasField("math"):
        return math.verify_at_once(item.math, item.response)
    if item.HasField("choice"):
        return choice.verify(item.choice, item.response)
    return instructions.verify(item.instructions, item.response, item.prompt)


def _has_part(recipe: pb.Recipe | None, name: str) -> bool:
    return recipe is not None and any(part.name == name for part in recipe.parts)


_NO_REASON = pb.Part.UNSPECIFIED

ACCURACY = pb.RecipePart(name="accuracy")


def score_parts(item: pb.Item, recipe: pb.Recipe | None, outcome: TaskOutcome) -> list[pb.Part]:
    """The parts of a verdict, in the recipe's order. Pure."""
    parts = []
    for wanted in [ACCURACY] if recipe is None else recipe.parts:
        found = PARTS[wanted.name].score(item, outcome, wanted.options)
        score = None if found.score is None else recipes.valued(wanted, found.score, found.reason)
        parts.append(
            pb.Part(
                name=wanted.name,
                score=score,
                weight=recipes.weight(wanted),
                reason=found.reason,
                detail=found.detail,
            )
        )
    return parts


def compose(
    item: pb.Item, recipe: pb.Recipe | None, outcome: TaskOutcome, parts: list[pb.Part]
) -> pb.Verdict:
    """Parts and evidence as a verdict; the reward only when all of it is known. Pure."""
    # A status of the task counts only where a part rests on the task.
    known = all(part.HasField("score") for part in parts)
    status = pb.Verdict.OK if known else outcome.status
    verdict = pb.Verdict(id=item.id, status=status, extracted=outcome.extracted)
    # Filling in takes half of the time of handing over.
    verdict.parts.extend(parts)
    verdict.evidence.CopyFrom(outcome.evidence)
    verdict.provenance.CopyFrom(
        _provenance(
            str(item.WhichOneof("task")),
            outcome.sandbox_tier,
            outcome.judge_model,
            outcome.reward_model,
            outcome.cache_hit,
            recipe is not None and (recipe.name or "inline", recipes.digest(recipe)),
        )
    )
    if outcome.queued_ms:
        verdict.timing.queued_ms = outcome.queued_ms
    if status == pb.Verdict.OK:
        verdict.reward = recipes.reward(recipe, parts)
    return verdict


@lru_cache(maxsize=1024)
def _provenance(
    task: str,
    sandbox_tier: str,
    judge_model: str,
    reward_model: str,
    cache_hit: bool,
    recipe: tuple[str, str] | Literal[False],
) -> pb.Provenance:
    """Kept, since it is the same for thousands of verdicts, and making one takes as long as all of
    a verdict's other fields. `recipe` is its name and its hash."""
    made = pb.Provenance(
        verifier=task,
        verifier_version=VERSIONS[task],
        sandbox_tier=sandbox_tier,
        judge_model=judge_model,
        reward_model=reward_model,
        cache_hit=cache_hit,
    )
    if recipe:
        made.recipe, made.recipe_hash = recipe
    return made


def _finished(verdict: pb.Verdict, accepted: float, queued_ms: float) -> pb.Verdict:
    spent = 1000 * (time.perf_counter() - accepted)
    timing = verdict.timing
    timing.ran_ms = max(0.0, spent - timing.queued_ms)
    timing.queued_ms += queued_ms
    metrics.count(verdict)
    return verdict


def _defect(item: pb.Item | Unreadable, error: Exception) -> pb.Verdict:
    return failed(item.id, pb.Verdict.INTERNAL, f"{type(error).__name__}: {error}")


VERSIONS = {
    "math": math.VERSION,
    "code": code.VERSION,
    "choice": choice.VERSION,
    "instructions": instructions.VERSION,
    "judge": judge.VERSION,
    "preference": judge.VERSION,
}


def failed(item_id: str, status: pb.Verdict.Status.ValueType, message: str) -> pb.Verdict:
    """A verdict that says why there is none."""
    message = message[:MESSAGE_CHARS]
    return pb.Verdict(id=item_id, status=status, evidence=pb.Evidence(message=message))
