"""What tree searches need: a model that adds steps to a solution, and a scorer of its beginnings.

Adapters: `ChatSteps` makes steps of any model of `evals.model`; `ServiceScorer` asks the
verification service's reward model.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from evals.benchmark import Message, Question
from evals.model import Model, Sampling
from evals.strategies.base import StrategyError
from verifier.client import AsyncVerifierClient, Item


@dataclass(frozen=True)
class Step:
    """What a model added."""

    text: str
    done: bool
    """The solution is complete."""


class StepModel(Protocol):
    """Continues solutions; may be asked many times at once."""

    async def steps(self, question: Question, prefix: str, seeds: Sequence[int]) -> Sequence[Step]:
        """One next step for each seed; the same seed and prefix give the same step, as far as a
        model keeps that."""


class StepScorer(Protocol):
    """Says how good the beginning of a solution is."""

    async def scores(self, question: Question, prefixes: Sequence[str]) -> Sequence[float]:
        """One for each, 0 to 1; the higher, the likelier it ends well. Raises StrategyError."""


def seed_of(seed: int, *place: object) -> int:
    """31 bits for a place in a tree, the same in every run and in any order of asking."""
    told = "\0".join(map(str, (seed, *place)))
    digest = hashlib.sha256(told.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4]) & 0x7FFF_FFFF


@dataclass(frozen=True)
class ChatSteps:
    """Steps of a chat model, which goes on from the assistant's message that ends the
    conversation. The endpoint has to be told to (vLLM and SGLang: `continue_final_message` true and
    `add_generation_prompt` false in the request's body)."""

    model: Model
    sampling: Sampling
    """Of one step; its seed and stops are replaced."""
    done: Callable[[str], bool]
    """Whether this text is a whole solution. A step without text ends one in any case."""
    separator: str = "\n\n"
    """Ends a step."""
    opening: str = "<think>\n"
    """How every solution begins; not empty, for what is continued must be there."""

    async def steps(self, question: Question, prefix: str, seeds: Sequence[int]) -> Sequence[Step]:
        """See StepModel. Raises ModelError."""
        return await asyncio.gather(*(self._one(question, prefix, seed) for seed in seeds))

    async def _one(self, question: Question, prefix: str, seed: int) -> Step:
        begun = prefix or self.opening
        how = self.sampling
        reply = await self.model.generate(
            (*question.messages, Message("assistant", begun)),
            Sampling(how.temperature, how.top_p, how.max_tokens, seed, (self.separator,)),
        )
        text = reply.response if prefix else self.opening + reply.response
        done = not reply.response.strip() or self.done(begun + reply.response)
        return Step(text if done else text + self.separator, done)


@dataclass(frozen=True)
class ServiceScorer:
    """A part of a recipe's verdict, as the reward model's, on a solution's beginning."""

    client: AsyncVerifierClient
    recipe: str
    """Its name, as the service knows it."""
    part: str = "reward_model"

    async def scores(self, question: Question, prefixes: Sequence[str]) -> Sequence[float]:
        """See StepScorer. The question must have an item. Raises ServiceError too."""
        verdicts = await self.client.verify([self._item(question, text) for text in prefixes])
        found = []
        for verdict in verdicts:
            part = next((one for one in verdict.parts if one.name == self.part), None)
            if part is None or not part.HasField("score"):
                raise StrategyError(
                    f"{question.id}: recipe {self.recipe!r} gave no score of {self.part}: "
                    f"{verdict.evidence.message or 'it has no such part'}"
                )
            found.append(part.score)
        return found

    def _item(self, question: Question, prefix: str) -> Item:
        if question.item is None:
            raise StrategyError(f"{question.id}: its benchmark grades by itself, without an item")
        item = Item()
        item.CopyFrom(question.item)
        item.prompt = question.messages[-1].content
        item.response, item.recipe = prefix.encode("utf-8", "replace").decode(), self.recipe
        return item
