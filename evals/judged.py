"""Asking a judge model, and reading what it says.

An answer of the judge is read strictly; one that cannot be read is asked for again with another
seed. A judge that fails, or that never gives a readable answer, leaves a sample without a score.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from statistics import fmean
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from evals.benchmark import Benchmark, BenchmarkError, Graded, Message, Question, Sample, Tools
from evals.data import DataMissing
from evals.model import ModelError, Sampling
from evals.records import digest

TRIES = 3
"""Answers asked for, until one can be read."""
SHOWN_CHARS = 4000
"""Of each answer of the judge, the end of which is kept as evidence."""

Read = TypeVar("Read")
Judging = Callable[[Question, str, Tools], Awaitable[Graded]]


class Unreadable(ValueError):
    """An answer of the judge that says nothing clear: the message says why."""


class JudgeFailed(Exception):
    """The judge gave no verdict; `said` are its answers."""

    def __init__(self, why: str, said: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.said = tuple(said)

    @property
    def graded(self) -> Graded:
        """What becomes of the sample."""
        return Graded("grader_error", None, evidence={"error": str(self), "judge": list(self.said)})


@dataclass(frozen=True)
class Asking:
    """How a judge's tokens are drawn."""

    temperature: float
    max_tokens: int
    top_p: float = 1.0


@dataclass(frozen=True)
class Said(Generic[Read]):
    """A verdict, and the answer that holds it."""

    verdict: Read
    text: str
    tries: int


async def ask(
    tools: Tools, messages: Sequence[Message], asking: Asking, read: Callable[[str], Read]
) -> Said[Read]:
    """The judge's verdict on a conversation; `read` raises Unreadable. Raises JudgeFailed.

    The seed is drawn from the conversation, so that the same question gets the same answer as far
    as the judge's server keeps seeds.
    """
    if tools.judge is None:
        raise BenchmarkError("no judge is given: --judge")
    told, said, why = [asdict(message) for message in messages], list[str](), ""
    for number in range(TRIES):
        seed = int(digest([told, number]), 16) & 0x7FFF_FFFF
        sampling = Sampling(asking.temperature, asking.top_p, asking.max_tokens, seed)
        try:
            reply = await tools.judge.generate(messages, sampling)
        except ModelError as error:
            raise JudgeFailed(f"the judge: {error}", said) from error
        text = reply.response.rpartition("</think>")[2]
        said.append(text[-SHOWN_CHARS:])
        try:
            if reply.finish == "length":
                raise Unreadable(f"cut off after {asking.max_tokens} tokens")
            return Said(read(text), said[-1], number + 1)
        except Unreadable as error:
            why = str(error)
    raise JudgeFailed(f"{TRIES} answers of the judge could not be read; the last: {why}", said)


@runtime_checkable
class Weighing(Protocol):
    """A judge that tells how likely its first token is."""

    async def first_token(self, messages: Sequence[Message]) -> Mapping[str, float]:
        """Log-probabilities of the likeliest first tokens of an answer. Raises ModelError,
        NoLogprobs where there are none to be had."""


def judged(grade: Judging) -> Judging:
    """A grader whose JudgeFailed is a sample without a score, and which never sees thinking: a
    response that was cut off inside of it has no answer."""

    async def guarded(question: Question, response: str, tools: Tools) -> Graded:
        if response.lstrip().startswith("<think>"):
            response = ""
        try:
            return await grade(question, response.strip(), tools)
        except JudgeFailed as failed:
            return failed.graded

    return guarded


@cache
def template(name: str) -> str:
    """A prompt as its authors wrote it, with `{places}` for str.format."""
    return resources.files("evals.benchmarks").joinpath(f"texts/{name}.txt").read_text("utf-8")


def over_questions(samples: Sequence[Sample], value: Callable[[Graded], float]) -> float | None:
    """Mean over questions of the mean over their scored samples; None without any."""
    by_question: dict[str, list[float]] = {}
    for sample in scored(samples):
        by_question.setdefault(sample.question.id, []).append(value(sample.graded))
    return fmean(map(fmean, by_question.values())) if by_question else None


def scored(samples: Sequence[Sample]) -> list[Sample]:
    """Those that the judge had a verdict for."""
    return [sample for sample in samples if sample.graded.score is not None]


def column(row: Mapping[str, Any], name: str, place: str) -> str:
    """A text of a row. Raises DataMissing naming where it should be."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise DataMissing(f"{place}: {name} must be a text, got {value!r}")
    return value


def benchmark(*, grade: Judging, **rest: Any) -> Benchmark:
    """A benchmark that a judge grades, from the final part of the response alone."""
    return Benchmark(grade=judged(grade), needs_judge=True, final_only=True, **rest)
