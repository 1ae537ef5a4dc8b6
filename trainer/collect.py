"""Groups of completions with their verdicts: sampled, and verified while others are sampled.

Invariants: which prompts and seeds make a step depends on the step alone; a group is sent to the
service when its last completion ends, in whatever order that happens, and stands at its prompt's
place. A preference item that names no rival is compared with the other responses of its group.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import torch.distributed as dist

from trainer.config import ConfigError
from trainer.data import Prompt
from trainer.optimize import TrainingStopped
from trainer.parallel import Layout
from trainer.rewards import Verification
from trainer.rollout.engine import Completion, Request, RolloutEngine, Sampling
from trainer.tokens import Tokenizer
from verifier.client import Item, Verdict
from verifier.v1.verifier_pb2 import Recipe

LARGEST_COMPARED = 16
"""Responses of one prompt that the service compares with each other (docs/judge.md, groups)."""


@dataclass(frozen=True)
class Group:
    """All completions of one prompt, and what the service says of each."""

    prompt: Prompt
    completions: tuple[Completion, ...]
    responses: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    def each(self) -> Iterator[tuple[Completion, str, Verdict]]:
        """One completion after the other."""
        return zip(self.completions, self.responses, self.verdicts, strict=True)


@dataclass(frozen=True)
class Collected:
    """One call's groups; the seconds that sampling took, and those of waiting for verdicts then."""

    groups: list[Group]
    generate_s: float
    verify_s: float


def seed_of(*parts: int) -> int:
    """A seed for each combination of numbers: 63 bits, unrelated ones for neighbours."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def lacks_rivals(item: Item) -> bool:
    """Whether a response is to be compared with those of its own group."""
    told = item.preference
    return item.HasField("preference") and not told.rival and not told.rivals


def check_groups(prompts: Sequence[Prompt], samples: int, key: str) -> None:
    """Raises ConfigError, naming the key, where the service could not compare so many samples."""
    lacking = next((prompt.id for prompt in prompts if lacks_rivals(prompt.item)), None)
    if lacking is not None and not 2 <= samples <= LARGEST_COMPARED:
        raise ConfigError(
            f"{key}: from 2 to {LARGEST_COMPARED} where responses are compared with each other "
            f"(item {lacking!r}: preference without rivals), got {samples}"
        )


def check_finite(completion: Completion, prompt: str) -> None:
    """Raises TrainingStopped for a completion that no distribution was drawn from."""
    if not math.isfinite(sum(completion.logprobs)):
        raise TrainingStopped(
            f"prompt {prompt!r}: the engine sampled with log-probabilities that are not finite: "
            "its weights are broken"
        )


@dataclass(frozen=True)
class Collector:
    """Samples and verifies. On the ranks of a TP group but the first it only takes part."""

    engine: RolloutEngine | None
    """None on ranks that only listen to the first of their TP group."""
    verification: Verification | None
    """None on all ranks of a TP group but the first."""
    tokenizer: Tokenizer
    layout: Layout
    recipe: Recipe | str | None
    """Of all items; None: each item's own."""

    def collect(
        self, prompts: Sequence[Prompt], samples: int, sampling: Sampling, seed: Sequence[int]
    ) -> Collected:
        """`samples` completions of each prompt of this rank's share, of which `prompts` are all.

        Raises EngineError; waits for the service.
        """
        started = time.monotonic()
        layout = self.layout
        mine = range(layout.dp_rank, len(prompts), layout.dp)
        requests = [
            # By the place among all ranks' prompts: the same samples whatever the layout.
            Request(prompts[place].ids, seed_of(*seed, place, number))
            for place in mine
            for number in range(samples)
        ]
        prompts = [prompts[place] for place in mine]
        drawn: list[dict[int, Completion]] = [{} for _ in prompts]
        asked: dict[int, tuple[list[str], Future[list[Verdict]]]] = {}
        if self.engine is not None:
            for index, completion in self.engine.generate(requests, sampling):
                place, number = divmod(index, samples)
                check_finite(completion, prompts[place].id)
                drawn[place][number] = completion
                if len(drawn[place]) == samples and self.verification is not None:
                    responses = [self.tokenizer.decode(drawn[place][n].ids) for n in range(samples)]
                    items = [self._item(prompts[place], n, responses) for n in range(samples)]
                    asked[place] = (responses, self.verification.submit(items))
        generated = time.monotonic()
        groups = [
            Group(
                prompt,
                tuple(drawn[place][n] for n in range(samples)),
                tuple(asked[place][0]),
                tuple(asked[place][1].result()),
            )
            for place, prompt in enumerate(prompts)
            if place in asked
        ]
        if self.layout.tp > 1:
            box = [groups]
            dist.broadcast_object_list(box, group=self.layout.tp_group, group_src=0)
            groups = box[0]
        return Collected(groups, generated - started, time.monotonic() - generated)

    def _item(self, prompt: Prompt, number: int, responses: Sequence[str]) -> Item:
        item = Item()
        item.CopyFrom(prompt.item)
        item.id = f"{prompt.id}#{number}"
        item.response = responses[number]
        if lacks_rivals(item):
            item.preference.rivals.extend([*responses[:number], *responses[number + 1 :]])
        if isinstance(self.recipe, Recipe):
            item.inline_recipe.CopyFrom(self.recipe)
        elif self.recipe is not None:
            item.recipe = self.recipe
        return item
