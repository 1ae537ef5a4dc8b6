"""Generation: every sample that is missing, many at once, each on disk as soon as it is there.

Invariants: a sample that has an answer on disk is never asked for again; an answer that came is on
disk before anything else is done with it; an endpoint that is gone ends the run, and does not turn
what is left into errors.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.benchmark import Benchmark, Protocol, Question
from evals.model import Model, ModelError, Refused, Sampling
from evals.records import Generation, Key, Records, digest, prompt_hash

GIVE_UP_AFTER = 20
"""Samples in a row that ended in an error, each after all its tries: the endpoint is gone."""


class EndpointGone(Exception):
    """Nothing is answered any more; what was answered is on disk."""


class BudgetSpent(Exception):
    """The cap on cost is reached, or cannot be kept; what was answered is on disk."""


@dataclass(frozen=True)
class Prices:
    """For a million tokens, and the most that a run may cost; 0: no cap."""

    prompt: float = 0.0
    completion: float = 0.0
    most: float = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


@dataclass(frozen=True)
class Job:
    """One sample to make."""

    question: Question
    key: Key


def params_hash(
    model: str, protocol: Protocol, seed: int, extras: Mapping[str, Any] | None = None
) -> str:
    """Of all that an answer depends on beside its prompt and its place; not of k. `extras` is what
    is changed in every request."""
    told = asdict(protocol)
    del told["k"], told["name"]
    return digest([model, told, seed, *([extras] if extras else ())])


def jobs(
    benchmark: Benchmark, questions: Sequence[Question], protocol: Protocol, params: str
) -> Iterator[Job]:
    """All samples: first one of every question, then another, so that an early end is no bias."""
    hashes = [prompt_hash(question.messages) for question in questions]
    for sample in range(protocol.k):
        for question, prompt in zip(questions, hashes, strict=True):
            yield Job(question, Key(benchmark.name, question.id, sample, prompt, params))


async def generate(
    todo: Sequence[Job],
    model: Model,
    protocol: Protocol,
    records: Records[Generation],
    *,
    concurrency: int,
    prices: Prices,
    spent: float,
    works: bool,
    made: Callable[[Job, Generation], None],
) -> None:
    """Makes what is to be done; `made` hears of each, errors too. `spent` was spent before;
    `works`: these parameters have had an answer before, so that who refuses a sample refuses it
    alone.

    Raises EndpointGone, BudgetSpent, OSError.
    """
    waiting = iter(todo)
    failed_in_a_row = 0

    async def work() -> None:
        nonlocal spent, failed_in_a_row, works
        for job in waiting:
            if prices.most and spent >= prices.most:
                raise BudgetSpent(f"--max-cost: {prices.most:g}, {spent:.4f} is spent")
            generation, refused = await one(job, model, protocol, prices)
            records.append(generation)
            spent += generation.cost
            made(job, generation)
            if generation.finish != "error":
                failed_in_a_row, works = 0, True
                if prices.most and not (generation.prompt_tokens or generation.completion_tokens):
                    raise BudgetSpent(
                        f"--max-cost: {prices.most:g} cannot be kept, the endpoint tells no usage"
                    )
                continue
            if refused and works:
                continue
            failed_in_a_row += 1
            if failed_in_a_row >= GIVE_UP_AFTER:
                raise EndpointGone(
                    f"{failed_in_a_row} samples in a row had no answer; the last: "
                    f"{generation.error}"
                )

    if not todo:
        return
    workers = [asyncio.create_task(work()) for _ in range(min(concurrency, len(todo)))]
    try:
        done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        for worker in done:
            worker.result()
    except BudgetSpent:
        # The others end with their samples, which are paid for.
        await asyncio.gather(*workers, return_exceptions=True)
        raise
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def one(
    job: Job, model: Model, protocol: Protocol, prices: Prices
) -> tuple[Generation, bool]:
    """One answer, or the error in its place; whether this very sample was refused."""
    sampling = Sampling(
        protocol.temperature, protocol.top_p, protocol.max_tokens, job.key.seed, protocol.stop
    )
    began = time.monotonic()
    try:
        reply = await model.generate(job.question.messages, sampling)
    except ModelError as error:
        failed = Generation(
            **asdict(job.key),
            response="",
            finish="error",
            error=str(error),
            seconds=time.monotonic() - began,
        )
        return failed, isinstance(error, Refused)
    answered = Generation(
        **asdict(job.key),
        response=reply.response,
        finish=reply.finish,
        reasoning=reply.reasoning,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        seconds=time.monotonic() - began,
        cost=prices.of(reply.prompt_tokens, reply.completion_tokens),
    )
    return answered, False
