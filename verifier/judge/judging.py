"""The judge and the reward model of a server, as the engine asks them.

Invariant: what failed is JUDGE_ERROR (or TIMEOUT, where the item's own deadline cut it off), never
a score, also where rules had one before.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verifier.choice import verify as choice
from verifier.judge import verify as judge
from verifier.judge.armour import summary
from verifier.judge.canary import Canaries
from verifier.judge.reward_model import RewardModel, RewardModelFailed
from verifier.outcome import TaskOutcome
from verifier.parts import PARTS
from verifier.v1 import verifier_pb2 as pb
from verifier.validate import Offers

if TYPE_CHECKING:
    from verifier.judge.client import Judge  # brings an HTTP client, which only a judge needs


@dataclass(frozen=True)
class Judging:
    """Either may be missing; validation then refuses the items that need it."""

    client: Judge | None = None
    canaries: Canaries | None = None
    reward_model: RewardModel | None = None

    @property
    def offers(self) -> Offers:
        """For validation."""
        return Offers(self.client is not None, self.reward_model is not None)

    async def verify(self, item: pb.Item, recipe: pb.Recipe | None) -> TaskOutcome:
        """A judge or preference task. Not asked where no part of the recipe rests on it."""
        if not _rests_on_task(recipe):
            return TaskOutcome(pb.Verdict.OK, pb.Part.UNSPECIFIED)
        client = self._judge()
        outcome = await judge.verify(
            item.judge if item.HasField("judge") else item.preference,
            item.response,
            item.prompt,
            client,
            temperature=client.settings.temperature,
            budget_ms=_left(item, 0.0),
            by_digit=client.settings.verdict == "digit",
            canaries=self.canaries,
        )
        outcome.judge_model = client.model if outcome.reason not in UNASKED else ""
        return outcome

    def wanted(self, recipe: pb.Recipe | None, outcome: TaskOutcome) -> bool:
        """Whether there is something to `ask` after the task's verifier."""
        return recipe is not None and (_rated(recipe) or _escalates(recipe, outcome))

    async def ask(self, item: pb.Item, recipe: pb.Recipe, outcome: TaskOutcome) -> TaskOutcome:
        """The outcome with what the recipe wants asked after the rules."""
        begun = time.monotonic()
        if _escalates(recipe, outcome):
            outcome = await self._escalated(item, outcome)
        if _rated(recipe) and self.reward_model is not None:
            outcome = await self._with_rating(item, recipe, outcome, begun)
        return outcome

    async def close(self) -> None:
        """Lets go of connections, and writes what is to be kept."""
        if self.client is not None:
            await self.client.close()
        if self.reward_model is not None:
            await self.reward_model.close()

    def _judge(self) -> Judge:
        assert self.client is not None, "validation asks for a judge"
        return self.client

    async def _escalated(self, item: pb.Item, rules: TaskOutcome) -> TaskOutcome:
        client = self._judge()
        undecided = rules.status == pb.Verdict.UNDECIDED
        said = pb.Verdict.Status.Name(rules.status) if undecided else _reason(rules)
        outcome = await judge.escalate(
            item.prompt,
            _references(item),
            rules.extracted,
            item.response,
            client,
            rules=said,
            temperature=client.settings.temperature,
            budget_ms=_left(item, 0.0),
            by_digit=client.settings.verdict == "digit",
            canaries=self.canaries,
        )
        asked = outcome.evidence.judge
        outcome.evidence = pb.Evidence()
        outcome.evidence.CopyFrom(rules.evidence)
        outcome.evidence.message = outcome.message
        outcome.evidence.judge.CopyFrom(asked)
        outcome.queued_ms = rules.queued_ms
        outcome.judge_model = client.model if outcome.reason not in UNASKED else ""
        return outcome

    async def _with_rating(
        self, item: pb.Item, recipe: pb.Recipe, outcome: TaskOutcome, begun: float
    ) -> TaskOutcome:
        assert self.reward_model is not None, "validation asks for a reward model"
        part = next(part for part in recipe.parts if part.name == "reward_model")
        whole = part.options.get("view") == "whole"
        seen = item.response if whole else summary(item.response)
        left = _left(item, time.monotonic() - begun)
        try:
            async with asyncio.timeout(None if left is None else left / 1000):
                return replace(outcome, rating=await self.reward_model.score(item.prompt, seen))
        except RewardModelFailed as error:
            status, message = pb.Verdict.JUDGE_ERROR, str(error)
        except TimeoutError:
            status, message = pb.Verdict.TIMEOUT, "deadline_ms: passed in the reward model"
        failed = replace(outcome, status=status, message=message)
        failed.evidence.message = message
        return failed


def _rests_on_task(recipe: pb.Recipe | None) -> bool:
    return recipe is None or any(PARTS[part.name].of_the_task for part in recipe.parts)


def _rated(recipe: pb.Recipe) -> bool:
    return any(part.name == "reward_model" for part in recipe.parts)


def _escalates(recipe: pb.Recipe, outcome: TaskOutcome) -> bool:
    """Only of mathematics and choice, whose outcomes alone are these."""
    if recipe.escalate <= pb.Recipe.NEVER or outcome.evidence.WhichOneof("of") not in RULED:
        return False
    if outcome.status == pb.Verdict.UNDECIDED:
        return True
    answered = outcome.status == pb.Verdict.OK and outcome.reason == pb.Part.no_match
    return answered and recipe.escalate == pb.Recipe.NO_MATCH


def _references(item: pb.Item) -> list[str]:
    if item.HasField("math"):
        return list(item.math.gold)
    return [choice.reference(item.choice)]


UNASKED = (pb.Part.nothing_to_judge, pb.Part.master_key)
"""Reasons of outcomes for which no judge was asked."""

RULED = ("math", "choice")
"""The evidence of tasks in which a judge may have a word after the rules."""


def _left(item: pb.Item, spent_s: float) -> int | None:
    """Milliseconds of the item's deadline; None without one."""
    if not item.HasField("deadline_ms"):
        return None
    return max(0, round(item.deadline_ms - 1000 * spent_s))


def _reason(outcome: TaskOutcome) -> str:
    return pb.Part.Reason.Name(outcome.reason)
