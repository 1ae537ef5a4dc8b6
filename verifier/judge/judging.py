"""The judge and the reward models of a server, as the engine asks them.

Invariants: what failed is JUDGE_ERROR (or TIMEOUT, where the item's own deadline cut it off), never
a score, also where rules had one before; an item has one deadline, whatever is asked about it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from verifier.choice import verify as choice
from verifier.judge import verify as judge
from verifier.judge.armour import summary
from verifier.judge.asking import Asking
from verifier.judge.canary import Canaries
from verifier.judge.group import Groups
from verifier.judge.reward_model import LocalModel, RewardModel, RewardModelFailed
from verifier.judge.settings import JudgeSettings, RewardModelSettings, SettingsError
from verifier.outcome import TaskOutcome
from verifier.parts import rating_part, rests_on_task
from verifier.v1 import verifier_pb2 as pb
from verifier.validate import Offers

if TYPE_CHECKING:
    from verifier.judge.client import Judge  # brings an HTTP client, which only a judge needs


@dataclass(frozen=True)
class Judging:
    """Any of it may be missing; validation then refuses the items that need it."""

    client: Judge | None = None
    canaries: Canaries | None = None
    reward_models: Mapping[str, RewardModel] = field(default_factory=dict)
    """By the name that a recipe says."""
    groups: Groups = field(default_factory=Groups)

    @cached_property
    def offers(self) -> Offers:
        """For validation."""
        return Offers(self.client is not None, tuple(self.reward_models))

    async def verify(
        self, item: pb.Item, recipe: pb.Recipe | None, end: float | None
    ) -> TaskOutcome:
        """A judge or preference task. Not asked where no part of the recipe rests on it.

        Here and below, `end` is the item's deadline on the monotonic clock.
        """
        if not rests_on_task(recipe):
            return TaskOutcome(pb.Verdict.OK, pb.Part.UNSPECIFIED)
        asking = self._asking(end)
        task = item.judge if item.HasField("judge") else item.preference
        return await judge.verify(task, item.response, item.prompt, asking, self.groups)

    def wanted(self, recipe: pb.Recipe | None, outcome: TaskOutcome) -> bool:
        """Whether there is something to `ask` after the task's verifier."""
        if recipe is None:
            return False
        return rating_part(recipe) is not None or _escalates(recipe, outcome)

    async def ask(
        self, item: pb.Item, recipe: pb.Recipe, outcome: TaskOutcome, end: float | None
    ) -> TaskOutcome:
        """The outcome with what the recipe wants asked after the rules."""
        if _escalates(recipe, outcome):
            outcome = await self._escalated(item, outcome, end)
        if (part := rating_part(recipe)) is not None:
            outcome = await self._with_rating(item, part, outcome, end)
        return outcome

    async def close(self) -> None:
        """Lets go of connections, and writes what is to be kept."""
        async with AsyncExitStack() as stack:
            for each in (self.client, *self.reward_models.values(), self.canaries):
                if each is not None:
                    stack.push_async_callback(each.close)

    def _asking(self, end: float | None) -> Asking:
        assert self.client is not None, "validation asks for a judge"
        settings = self.client.settings
        by_digit = settings.verdict == "digit"
        return Asking(self.client, settings.temperature, end, by_digit, self.canaries)

    async def _escalated(self, item: pb.Item, rules: TaskOutcome, end: float | None) -> TaskOutcome:
        asking = self._asking(end)
        undecided = rules.status == pb.Verdict.UNDECIDED
        said = pb.Verdict.Status.Name(rules.status) if undecided else _reason(rules)
        outcome = await judge.escalate(
            item.prompt, _references(item), rules.extracted, item.response, said, asking
        )
        asked = outcome.evidence.judge
        outcome.evidence = pb.Evidence()
        outcome.evidence.CopyFrom(rules.evidence)
        outcome.evidence.message = outcome.message
        outcome.evidence.judge.CopyFrom(asked)
        outcome.queued_ms = rules.queued_ms
        return outcome

    async def _with_rating(
        self, item: pb.Item, part: pb.RecipePart, outcome: TaskOutcome, end: float | None
    ) -> TaskOutcome:
        # Validation asks for a model of this name, or for one alone where there is no name.
        model = self.reward_models[part.options.get("model") or next(iter(self.reward_models))]
        outcome = replace(outcome, reward_model=model.name)
        whole = part.options.get("view") == "whole"
        seen = item.response if whole else summary(item.response)
        try:
            async with asyncio.timeout(None if end is None else end - time.monotonic()):
                return replace(outcome, rating=await model.score(item.prompt, seen))
        except RewardModelFailed as error:
            status, message = pb.Verdict.JUDGE_ERROR, str(error)
        except TimeoutError:
            status, message = pb.Verdict.TIMEOUT, "deadline_ms: passed in the reward model"
        failed = replace(outcome, status=status, message=message)
        failed.evidence.message = message
        return failed


INSTALL = 'pip install ".[judge]" from a checkout'


async def start(settings: JudgeSettings | None) -> Judging:
    """The judge and the reward models of the settings, all or none. Raises SettingsError."""
    if settings is None:
        return Judging()
    async with AsyncExitStack() as stack:
        judging = Judging()
        if settings.endpoints:
            try:
                from verifier.judge.client import Judge
            except ImportError as missing:
                raise SettingsError(f"endpoints: {missing.name} is missing; {INSTALL}") from missing
            try:
                judging = replace(judging, client=Judge(settings))
            except sqlite3.Error as error:
                raise SettingsError(f"cache.path: {settings.cache.path}: {error}") from error
            stack.push_async_callback(judging.close)
        reward_models = dict[str, RewardModel]()
        for name, told in settings.reward_models:
            reward_models[name] = _reward_model(name, told)
            stack.push_async_callback(reward_models[name].close)
        canaries = Canaries(settings.canary_share) if settings.canary_share else None
        stack.pop_all()
        return replace(judging, canaries=canaries, reward_models=reward_models)


def _reward_model(name: str, settings: RewardModelSettings) -> RewardModel:
    where = f"reward_models.{name}"
    if not settings.url:
        try:
            return LocalModel(settings.model, settings.device)
        except ModuleNotFoundError as missing:
            why = f'{missing.name} is missing; pip install ".[trainer]" from a checkout'
            raise SettingsError(f"{where}.model: {why}") from missing
        except (OSError, ValueError, RuntimeError, ImportError, RewardModelFailed) as error:
            raise SettingsError(f"{where}.model: {error}") from error
    try:
        from verifier.judge.classify import ClassifyEndpoint
    except ImportError as missing:
        raise SettingsError(f"{where}.url: {missing.name} is missing; {INSTALL}") from missing
    return ClassifyEndpoint(settings)


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


RULED = ("math", "choice")
"""The evidence of tasks in which a judge may have a word after the rules."""


def _reason(outcome: TaskOutcome) -> str:
    return pb.Part.Reason.Name(outcome.reason)
