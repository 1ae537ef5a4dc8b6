"""`touchstone-eval run`, top to bottom: for each benchmark ask what is missing, grade it, sum up.

Generation and grading are two stages that meet on disk alone. Both run at once, and either can be
killed at any moment: the next run does what is missing and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from evals import VERSION, harnesses
from evals.benchmark import Benchmark, BenchmarkError, Endpoint, Protocol, Question, Tools
from evals.data import Data
from evals.endpoint import EndpointModel
from evals.generate import BudgetSpent, EndpointGone, Job, Prices, generate, jobs, params_hash
from evals.importers import imported
from evals.model import Model
from evals.progress import Watch
from evals.records import Generation, Records, Score, prompt_hash
from evals.scoring import grader_of, score, unscored
from evals.strategies import Strategy
from evals.strategies.weights import Given
from evals.summary import Summary, summarize
from verifier.client import AsyncVerifierClient

IMPORTED = "imported"
"""The protocol of what another harness asked."""

GRADED_AT_ONCE = 512
"""Generations that one call to the grader has at most; fewer where no more are there."""

PROGRAMS_AT_ONCE = 32
"""The same of programs, whose tests take up to 64 MiB each."""


@dataclass(frozen=True)
class Plan:
    """What a run is told."""

    out: Path
    data: Data
    benchmarks: tuple[Benchmark, ...]
    model: Model | None
    """None: nothing is generated, what is there is scored."""
    tools: Tools
    protocol: Protocol | str | None = None
    """By name; None: each benchmark's first."""
    overrides: dict[str, Any] | None = None
    """Of single fields of the protocol."""
    limit: int = 0
    """Questions of each benchmark, the first ones; 0: all."""
    seed: int = 0
    concurrency: int = 64
    prices: Prices = field(default_factory=Prices)
    strategies: tuple[Strategy, ...] = ()
    """Summed up beside the plain figures."""
    given: Given = field(default_factory=dict)
    """Weights for strategies, from a file."""
    judged: bool = True
    """False where nothing is graded, so that no judge is missed."""


async def run(plan: Plan, verifier: str, console: Console) -> list[Summary]:
    """Does all of it; `verifier` is the service's address. Raises what its parts raise."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(AsyncVerifierClient(verifier))
        return [await one(plan, benchmark, client, console) for benchmark in plan.benchmarks]


async def one(
    plan: Plan, benchmark: Benchmark, client: AsyncVerifierClient, console: Console
) -> Summary:
    """One benchmark."""
    folder = plan.out / benchmark.name
    questions = load(plan, benchmark)
    protocol = protocol_of(plan, benchmark)
    name = manifest(plan.out).get("model", "") if plan.model is None else plan.model.name
    params = params_hash(name, protocol, plan.seed)
    wanted = list(jobs(benchmark, questions, protocol, params))
    write_questions(folder / "questions.jsonl", questions)
    note(plan, name, benchmark, protocol, params)
    grader = await grader_of(benchmark, client, plan.tools)
    with (
        Records(folder / "generations.jsonl", Generation) as generations,
        Records(folder / "scores.jsonl", Score) as scores,
        Watch(console, benchmark, len(wanted)) as watch,
    ):
        keys = {job.key for job in wanted}
        have = {key: made for key, made in generations.newest().items() if key in keys}
        missing = [job for job in wanted if job.key not in have or have[job.key].finish == "error"]
        fresh: asyncio.Queue[Generation | None] = asyncio.Queue()
        graded = {key: score for key, score in scores.newest().items() if key in keys}
        waiting = unscored(have, graded, grader)
        redo = {generation.key for generation in waiting}
        watch.start(have.values(), [one for key, one in graded.items() if key not in redo])
        for generation in waiting:
            fresh.put_nowait(generation)

        def made(job: Job, generation: Generation) -> None:
            watch.made(generation)
            if generation.finish != "error":
                fresh.put_nowait(generation)

        async def ask() -> None:
            try:
                if plan.model is not None and benchmark.harness is not None:
                    endpoint = endpoint_of(plan.model, benchmark, protocol, folder / "harness")
                    await harnesses.ask(benchmark, questions, endpoint, missing, generations, made)
                elif plan.model is not None:
                    spent = sum(generation.cost for generation in have.values())
                    await generate(
                        missing,
                        plan.model,
                        protocol,
                        generations,
                        concurrency=plan.concurrency,
                        prices=plan.prices,
                        spent=spent,
                        made=made,
                    )
            finally:
                fresh.put_nowait(None)

        async def grade() -> None:
            by_id = {question.id: question for question in questions}
            most = PROGRAMS_AT_ONCE if benchmark.needs_sandbox else GRADED_AT_ONCE
            while (batch := await next_batch(fresh, most)) is not None:
                await score(
                    benchmark, by_id, batch, client, plan.tools, grader, scores, watch.scored
                )

        asking = asyncio.create_task(ask())
        stopped: EndpointGone | BudgetSpent | harnesses.HarnessFailed | None = None
        try:
            await grade()  # ends when `ask` has, however that ended
            await asking
        except (EndpointGone, BudgetSpent, harnesses.HarnessFailed) as error:
            stopped = error
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
    summary = await summarize(
        folder,
        benchmark,
        name,
        protocol,
        params,
        client,
        questions,
        strategies=plan.strategies,
        given=plan.given,
    )
    if stopped is not None:
        raise stopped
    return summary


def endpoint_of(model: Model, benchmark: Benchmark, protocol: Protocol, folder: Path) -> Endpoint:
    """Where a harness that asks by itself finds the model. Raises BenchmarkError."""
    if not isinstance(model, EndpointModel):
        raise BenchmarkError(f"{benchmark.name} asks by itself: --model must be an endpoint")
    settings = model.settings
    key = os.environ.get(settings.api_key_env, "")
    return Endpoint(settings.url, settings.model or model.name, protocol, folder, key)


async def next_batch(queue: asyncio.Queue[Generation | None], most: int) -> list[Generation] | None:
    """What has come, at least one; None at the end."""
    if (first := await queue.get()) is None:
        return None
    batch = [first]
    while len(batch) < most and not queue.empty():
        if (more := queue.get_nowait()) is None:
            queue.put_nowait(None)
            break
        batch.append(more)
    return batch


def load(plan: Plan, benchmark: Benchmark) -> list[Question]:
    """A benchmark's questions. Raises DataMissing, BenchmarkError."""
    if plan.judged and benchmark.needs_judge and plan.tools.judge is None:
        raise BenchmarkError(f"{benchmark.name} is graded by a judge model: --judge")
    plan.data.read.clear()  # run.json has each benchmark's own files
    questions = list(benchmark.load(plan.data))
    if not questions:
        raise BenchmarkError(f"{benchmark.name}: no questions")
    ids = {question.id for question in questions}
    if len(ids) < len(questions):
        raise BenchmarkError(f"{benchmark.name}: {len(questions) - len(ids)} ids are there twice")
    return questions[: plan.limit] if plan.limit else questions


def take_in(
    plan: Plan, benchmark: Benchmark, model: str, form: str, path: Path, *, partial: bool
) -> tuple[int, int]:
    """Another harness's responses from a file into OUT, to be scored from there: how many are new,
    and how many the file has of each question. Raises ImportFailed, BenchmarkError, DataMissing."""
    questions = load(plan, benchmark)
    found = imported(form, path, benchmark.name, questions, partial=partial)
    k = max(generation.sample for generation in found) + 1
    protocol = Protocol(IMPORTED, temperature=0, top_p=0, max_tokens=0, k=k)
    params = params_hash(model, protocol, plan.seed)
    note(plan, model, benchmark, protocol, params)
    folder = plan.out / benchmark.name
    write_questions(folder / "questions.jsonl", questions)
    new = 0
    with Records(folder / "generations.jsonl", Generation) as records:
        have = records.newest()
        for generation in found:
            made = replace(generation, params_hash=params)
            if have.get(made.key) != made:
                records.append(made)
                new += 1
    return new, k


def protocol_of(plan: Plan, benchmark: Benchmark) -> Protocol:
    """The protocol by name, with single values replaced."""
    if isinstance(plan.protocol, Protocol):
        return plan.protocol
    protocol = benchmark.protocol(plan.protocol)
    if plan.overrides:
        protocol = replace(protocol, **plan.overrides)
    return protocol


def write_questions(path: Path, questions: Sequence[Question]) -> None:
    """What reports show beside the samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps(
            {
                "id": question.id,
                "messages": [asdict(message) for message in question.messages],
                "prompt_hash": prompt_hash(question.messages),
                "gold": question.gold,
                "slices": dict(question.slices),
                "cluster": question.cluster,
            },
            ensure_ascii=False,
        )
        for question in questions
    ]
    write_whole(path, "".join(line + "\n" for line in lines))


def manifest(out: Path) -> dict[str, Any]:
    """run.json, or nothing yet."""
    path = out / "run.json"
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def note(plan: Plan, model: str, benchmark: Benchmark, protocol: Protocol, params: str) -> None:
    """Adds a benchmark to run.json. Raises BenchmarkError where OUT is another model's."""
    held = manifest(plan.out)
    if held.get("model", model) != model:
        raise BenchmarkError(
            f"--out: {plan.out} has samples of {held['model']!r}, this run is of {model!r}"
        )
    held |= {"model": model, "seed": plan.seed, "versions": {"touchstone": VERSION}}
    held.setdefault("began", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    held.setdefault("benchmarks", {})[benchmark.name] = {
        "protocol": asdict(protocol),
        "params_hash": params,
        "limit": plan.limit,
        "data": dict(plan.data.read),
    }
    write_whole(plan.out / "run.json", json.dumps(held, indent=1) + "\n")


def write_whole(path: Path, text: str) -> None:
    """A file that a kill leaves as it was, or new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(path.suffix + ".new")
    beside.write_text(text, "utf-8")
    os.replace(beside, path)
