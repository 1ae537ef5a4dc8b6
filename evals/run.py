"""`touchstone-eval run`, top to bottom: for each benchmark ask what is missing, grade it, sum up.

Generation and grading are two stages that meet on disk alone. Both run at once, and either can be
killed at any moment: the next run does what is missing and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
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
from evals.records import (
    Generation,
    RecordError,
    Records,
    Score,
    alone,
    prompt_hash,
    read,
    write_whole,
)
from evals.scoring import grader_of, score, unscored
from evals.service import connect
from evals.strategies import Strategy
from evals.strategies.weights import Given
from evals.summary import FILE, Summary, read_manifest, summarize
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
        client = await stack.enter_async_context(connect(verifier))
        return [await one(plan, benchmark, client, console) for benchmark in plan.benchmarks]


async def one(
    plan: Plan, benchmark: Benchmark, client: AsyncVerifierClient, console: Console
) -> Summary:
    """One benchmark."""
    folder = plan.out / benchmark.name
    questions = load(plan, benchmark)
    protocol = protocol_of(plan, benchmark)
    held = manifest(plan.out)
    if plan.model is None:
        if benchmark.name not in held.get("benchmarks", {}):
            raise BenchmarkError(f"--out: {plan.out} has no samples of {benchmark.name}")
        name, params = held["model"], held["benchmarks"][benchmark.name]["params_hash"]
    else:
        name = plan.model.name
        _check_model(plan.out, held, name)
        params = params_hash(name, protocol, plan.seed, extras_of(plan.model))
    grader = await grader_of(benchmark, client, plan.tools)
    # What is told of a run is written by who holds its files.
    with (
        Records(folder / "generations.jsonl", Generation) as generations,
        Records(folder / "scores.jsonl", Score) as scores,
    ):
        write_questions(folder / "questions.jsonl", questions)
        note(plan, name, benchmark, protocol, params)
        wanted = list(jobs(benchmark, questions, protocol, params))
        with Watch(console, benchmark, len(wanted)) as watch:
            stopped = await fill(
                plan,
                benchmark,
                questions,
                protocol,
                wanted,
                client,
                grader,
                generations,
                scores,
                watch,
            )
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


async def fill(
    plan: Plan,
    benchmark: Benchmark,
    questions: Sequence[Question],
    protocol: Protocol,
    wanted: Sequence[Job],
    client: AsyncVerifierClient,
    grader: str,
    generations: Records[Generation],
    scores: Records[Score],
    watch: Watch,
) -> EndpointGone | BudgetSpent | harnesses.HarnessFailed | None:
    """Asks for what is missing and grades what has no grade; what ended it early, if anything."""
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
                folder = generations.path.parent / "harness"
                endpoint = endpoint_of(plan.model, benchmark, protocol, folder)
                await harnesses.ask(benchmark, questions, endpoint, missing, generations, made)
            elif plan.model is not None:
                await generate(
                    missing,
                    plan.model,
                    protocol,
                    generations,
                    concurrency=plan.concurrency,
                    prices=plan.prices,
                    spent=spent_in(plan.out) if plan.prices.most else 0.0,
                    works=any(one.finish != "error" for one in have.values()),
                    made=made,
                )
        finally:
            fresh.put_nowait(None)

    async def grade() -> None:
        by_id = {question.id: question for question in questions}
        most = PROGRAMS_AT_ONCE if benchmark.needs_sandbox else GRADED_AT_ONCE
        while (batch := await next_batch(fresh, most)) is not None:
            await score(benchmark, by_id, batch, client, plan.tools, grader, scores, watch.scored)

    asking = asyncio.create_task(ask())
    try:
        await grade()  # ends when `ask` has, however that ended
        await asking
    except (EndpointGone, BudgetSpent, harnesses.HarnessFailed) as error:
        return error
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    return None


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
    try:
        questions = list(benchmark.load(plan.data))
        json.dumps(
            [asdict(one) for q in questions for one in q.messages], ensure_ascii=False
        ).encode()
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        files = ", ".join(plan.data.read) or "nothing was read"
        raise BenchmarkError(
            f"{benchmark.name}: its data ({files}) are damaged: {error!r}"
        ) from error
    if not questions:
        raise BenchmarkError(f"{benchmark.name}: no questions")
    counts = Counter(question.id for question in questions)
    if twice := [id for id, count in counts.items() if count > 1]:
        shown = ", ".join(map(repr, twice[:5]))
        raise BenchmarkError(f"{benchmark.name}: {len(twice)} ids are there twice: {shown}")
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
    folder = plan.out / benchmark.name
    _check_model(plan.out, manifest(plan.out), model)
    new = 0
    with Records(folder / "generations.jsonl", Generation) as records:
        write_questions(folder / "questions.jsonl", questions)
        note(plan, model, benchmark, protocol, params)
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
    """run.json, or nothing yet. Raises RecordError."""
    path = out / "run.json"
    if not path.is_file():
        return {}
    read_manifest(out)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@dataclass(frozen=True)
class Stored:
    """How a benchmark of a run was asked."""

    benchmark: str
    protocol: Protocol
    limit: int


def stored(out: Path) -> list[Stored]:
    """What there is to be scored in a run's directory. Raises RecordError."""
    found = []
    for name, noted in manifest(out).get("benchmarks", {}).items():
        try:
            told = noted["protocol"]
            protocol = Protocol(**told | {"stop": tuple(told["stop"])})
            found.append(Stored(name, protocol, int(noted["limit"])))
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(
                f"{out / 'run.json'}: {name} is not noted as this version does: {error!r}"
            ) from error
    return found


def extras_of(model: Model) -> dict[str, Any]:
    """What is changed in every request beside the protocol's values."""
    if not isinstance(model, EndpointModel):
        return {}
    told = {"extra_body": model.settings.extra_body, "omit": sorted(model.settings.omit)}
    return {name: value for name, value in told.items() if value}


def spent_in(out: Path) -> float:
    """Of all that a directory has, in the currency of the prices. Raises RecordError."""
    files = sorted(out.glob("*/generations.jsonl"))
    return sum(made.cost for path in files for made in read(path, Generation))


def _check_model(out: Path, held: Mapping[str, Any], model: str) -> None:
    if held.get("model", model) != model:
        raise BenchmarkError(
            f"--out: {out} has samples of {held['model']!r}, this run is of {model!r}"
        )


def note(plan: Plan, model: str, benchmark: Benchmark, protocol: Protocol, params: str) -> None:
    """Adds a benchmark to run.json, and removes the summary of another way to ask. Raises
    BenchmarkError where OUT is another model's, RecordError, OSError."""
    path = plan.out / "run.json"
    with alone(path):
        held = manifest(plan.out)
        _check_model(plan.out, held, model)
        held |= {"model": model, "versions": {"touchstone": VERSION}}
        held.setdefault("began", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        before = held.setdefault("benchmarks", {}).get(benchmark.name, {})
        asked = {
            "protocol": json.loads(json.dumps(asdict(protocol))),
            "params_hash": params,
            "limit": plan.limit,
        }
        if any(before.get(name) != value for name, value in asked.items()):
            (plan.out / benchmark.name / FILE).unlink(missing_ok=True)
            before = {"seed": plan.seed}
        if plan.model is not None:
            before |= extras_of(plan.model)
        held["benchmarks"][benchmark.name] = before | asked | {"data": dict(plan.data.read)}
        write_whole(path, json.dumps(held, indent=1) + "\n")
