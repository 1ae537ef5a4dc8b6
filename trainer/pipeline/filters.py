"""What of a model's samples is fit to be trained on. Pure.

Right is what the verifier says of the task's own part; whether a thought is readable, in one
language and not in a loop, its parts `readability` and `repetition` say, which are asked for with
weight 0 beside it (the filters of DeepSeek-R1's rejection sampling, arXiv 2501.12948v2, section
2.3.3 of its first version; the paper prints no figures).

A prompt's pass rate is right samples over samples that have a verdict. What no sample solves gives
no rows; how many rows the others give, from those solved once to those that are always solved, the
levels say.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from trainer.config import Section, Share
from trainer.pipeline.decontaminate import grams, words
from trainer.pipeline.rows import split
from trainer.pipeline.sampling import Sample
from verifier.v1.verifier_pb2 import Recipe, RecipePart

SHINGLE = 8
"""Words of a run that near duplicates share: shorter ones recur in any two solutions."""


class Level(Section):
    """Prompts of one difficulty."""

    up_to: Annotated[float, Field(ge=0, le=1)]
    """Highest pass rate; prompts that an earlier level has are not of this one."""
    per_prompt: NonNegativeInt
    """Responses kept of each prompt; 0: none."""
    share: Share = 1.0
    """Of all rows at most so many are of this level, others go by chance."""


class Filters(Section):
    """What is kept of a prompt's samples."""

    format: Literal["r1", "r1_zero", "any"] = "r1"
    """How a response must be laid out (docs/verifiers.md)."""
    least_score: Share = 1.0
    """Where a judge decides: the score from which a response is right."""
    escalate: Literal["never", "undecided", "no_match"] = "never"
    """When a judge is asked about mathematics and choices after the rules (docs/verifiers.md)."""
    least_words: NonNegativeInt = 0
    """Fewest words of the thinking: of what is right without one, much was guessed."""
    paragraph: PositiveInt = 300
    """Most words in a paragraph of the thinking."""
    language_share: Share = 0.9
    """Least share of the thinking's words in the language of the prompt."""
    repeated: Share = 0.3
    """Most repeated runs of `run` words over all runs."""
    run: PositiveInt = 20
    """Those words."""
    near: Share = 0.8
    """Responses to one prompt that share so much of their runs of 8 words (Jaccard) are one."""
    per_prompt: PositiveInt = 4
    """Most responses kept of a prompt that no level has."""
    levels: list[Level] = Field(default_factory=list)
    """By pass rate, ascending."""

    @model_validator(mode="after")
    def _levels_ascend(self) -> Filters:
        bounds = [level.up_to for level in self.levels]
        if bounds != sorted(set(bounds)):
            raise ValueError(f"levels: each up_to above the one before, got {bounds}")
        return self


@dataclass(frozen=True)
class Rejected:
    """Why a sample is not kept, and what the verifier found."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


@dataclass(frozen=True)
class Kept:
    """A sample that is kept."""

    level: int | None
    """The place of its prompt's level; None: of no level."""


def verifying(filters: Filters) -> Recipe:
    """What the verifier is asked: the reward is accuracy alone."""
    options = {"paragraph": f"{filters.paragraph}", "share": f"{filters.language_share}"}
    parts = [RecipePart(name="accuracy"), RecipePart(name="readability", weight=0, options=options)]
    if filters.format != "any":
        parts.append(RecipePart(name="format", weight=0, options={"style": filters.format}))
    options = {"n": f"{filters.run}", "threshold": f"{filters.repeated}"}
    parts.append(RecipePart(name="repetition", weight=0, options=options))
    escalate = Recipe.Escalation.Value(filters.escalate.upper())
    return Recipe(name="curation", parts=parts, escalate=escalate)


def is_right(sample: Sample, filters: Filters) -> bool | None:
    """None where nothing can be said of it: no verdict."""
    return None if sample.accuracy is None else sample.accuracy >= filters.least_score


def examine(sample: Sample, filters: Filters) -> Rejected | None:
    """The first reason against a sample by itself; None: there is none."""
    right = is_right(sample, filters)
    if sample.finish != "stop":
        return Rejected("cut_off", f"after {sample.tokens} tokens ({sample.finish})")
    if right is None:
        return Rejected("no_reward", f"{sample.status}: {sample.message}")
    if not right:
        part = sample.parts[0]
        return Rejected("wrong", f"{part.reason}: {part.detail}" if part.detail else part.reason)
    layout = sample.part("format")
    if layout is not None and layout.reason != "well_formed":
        return Rejected("malformed", f"{layout.reason}: {layout.detail}")
    if filters.least_words and (found := thought_words(sample.response)) < filters.least_words:
        return Rejected("short_thought", f"{found} words, at least {filters.least_words}")
    readable = sample.part("readability")
    if readable is not None and readable.reason != "readable":
        return Rejected(readable.reason, readable.detail)
    repetition = sample.part("repetition")
    if repetition is not None and repetition.reason == "repetitive":
        return Rejected("repetitive", repetition.detail)
    return None


def thought_words(response: str) -> int:
    """Words before the last `</think>`, as `words` has them; 0 where no thought ends."""
    halves = split(response)
    return len(words(halves.reasoning)) if halves is not None else 0


def pass_rate(samples: Sequence[Sample], filters: Filters) -> float | None:
    """None where no sample has a verdict."""
    known = [right for sample in samples if (right := is_right(sample, filters)) is not None]
    return sum(known) / len(known) if known else None


def choose(
    prompt: str, samples: Sequence[Sample], filters: Filters, seen: set[bytes]
) -> list[Kept | Rejected]:
    """What becomes of each of a prompt's samples. `seen` are the question-and-answer pairs that
    were kept of earlier prompts, and gets this one's."""
    rate = pass_rate(samples, filters)
    level, most = _level(rate, filters)
    found: list[Kept | Rejected] = []
    kept: list[frozenset[str]] = []
    for sample in samples:
        key = _key(prompt, sample.response)
        rejected = examine(sample, filters)
        if rejected is None and key in seen:
            rejected = Rejected("duplicate", "the same answer to the same question was kept")
        if rejected is None and len(kept) >= most:
            where = f"of a prompt with pass rate {rate:.2f}, {most} are kept"
            rejected = Rejected("enough", where)
        if rejected is None:
            runs = shingles(sample.response)
            closest = max((jaccard(runs, other) for other in kept), default=0.0)
            if closest >= filters.near:
                why = f"{closest:.2f} of its runs of words are those of another"
                rejected = Rejected("near_duplicate", why)
            else:
                seen.add(key)
                kept.append(runs)
        found.append(rejected or Kept(level))
    return found


def _level(rate: float | None, filters: Filters) -> tuple[int | None, int]:
    for place, level in enumerate(filters.levels):
        if rate is not None and rate <= level.up_to:
            return place, level.per_prompt
    return None, filters.per_prompt


def balanced(levels: Sequence[int | None], filters: Filters, seed: int) -> list[int]:
    """Places of the rows that stay, ascending, when no level may have more than its share of all
    these rows."""
    dropped = set[int]()
    for number, level in enumerate(filters.levels):
        places = [place for place, of in enumerate(levels) if of == number]
        over = len(places) - math.floor(level.share * len(levels))
        if over > 0:
            dropped.update(Random(seed + number).sample(places, over))
    return [place for place in range(len(levels)) if place not in dropped]


def normal(text: str) -> str:
    """A text without what does not make it another one: width, case, white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _key(prompt: str, response: str) -> bytes:
    pair = f"{normal(prompt)}\0{normal(response)}".encode()
    return hashlib.blake2b(pair, digest_size=16).digest()


def shingles(text: str) -> frozenset[str]:
    """All runs of 8 words; of a shorter text the whole of it."""
    return frozenset(grams(words(text), SHINGLE))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared over all; 1 for two empty sets."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0
