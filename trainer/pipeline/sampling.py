"""Samples of a model over prompts with their verdicts, in chunks on disk.

    samples/NAME/chunk-00012.parquet      all samples of some prompts, a row for each

Invariants: a chunk that is there is whole and is not made again; what a chunk holds depends on the
model, the prompts, the settings and the seed, and neither on other chunks nor on how often the
stage was killed. Model and service are started when the first chunk is missing, and not before.

As far as an engine that is a server draws the same for the same seed: the embedded one does.
"""

from __future__ import annotations

import gc
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Literal
from zlib import crc32

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from trainer.collect import Collector, Group
from trainer.config import ConfigError, Section, Share, Template
from trainer.data import DataError, Prompt, read_prompts
from trainer.log import RunError, whole
from trainer.memory import explained
from trainer.metrics import accuracy
from trainer.parallel import SINGLE
from trainer.pipeline.stage import StageFailed, Work
from trainer.process import on_gpu, start_torch
from trainer.rewards import Verification
from trainer.rollout.embedded import EmbeddedEngine
from trainer.rollout.engine import EngineAway, RolloutEngine, Sampling
from trainer.rollout.schedule import patience
from trainer.tokens import Tokenizer
from trainer.weights import load_model, read_config
from verifier.client import Item, Verdict, VerificationFailed
from verifier.v1.verifier_pb2 import Part, Recipe

log = logging.getLogger(__name__)

TEXTS = 256
"""Responses in a chunk of those that are only verified."""

FAILURES = frozenset(
    {Verdict.Status.SANDBOX_ERROR, Verdict.Status.JUDGE_ERROR, Verdict.Status.INTERNAL}
)
"""What says nothing of a response: another day it has a verdict."""

ALL_FAILED = 16
"""So many verdicts at least, of which each is a failure, are no matter of one long response."""

WAIT_SECONDS = 3600.0
"""For an engine or a service that is away: as GRPO's `reward.wait_seconds`."""


class Sampler(Section):
    """How a model is sampled."""

    samples: PositiveInt = 4
    """Responses to each prompt."""
    temperature: NonNegativeFloat = 1.0
    """Divides the logits; 0: the likeliest token."""
    top_p: Share = 1.0
    """Nucleus."""
    top_k: NonNegativeInt = 0
    """Most likely tokens to sample from; 0: all."""
    max_new_tokens: PositiveInt = 1024
    """Longest response, tokens."""
    stop_text: str = ""
    """A response ends before this text: for base models, which go on with a prompt of their own."""
    template: Template = "chat"
    """How a prompt becomes text: none, r1_zero, chat, or a text with {prompt} in it."""
    max_prompt_tokens: PositiveInt = 2048
    """Longest prompt, tokens; a longer one is an error."""
    chunk: PositiveInt = 64
    """Prompts sampled before their samples are saved. More of them wait less for the last long
    response of each lot; a kill loses more."""
    batch_size: PositiveInt = 512
    """Responses that the embedded engine samples at once."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Of the embedded engine's weights and activations."""
    wait_seconds: PositiveFloat = WAIT_SECONDS
    """How long an engine or a service that is down, or owes an answer, is waited for, seconds."""


@dataclass(frozen=True)
class Said:
    """One part of a verdict."""

    name: str
    score: float | None
    weight: float
    reason: str
    detail: str


@dataclass(frozen=True)
class Sample:
    """One response and what the service says of it."""

    prompt_id: str
    number: int
    """Place among the prompt's samples, from 0."""
    response: str
    tokens: int
    """Of the response, a stop token included; 0 where it was not sampled here."""
    finish: str
    """stop, length or abort."""
    status: str
    """Of the verdict: OK, TIMEOUT ..."""
    reward: float | None
    accuracy: float | None
    """See `trainer.metrics.accuracy`."""
    extracted: str
    message: str
    """Why the status is not OK."""
    parts: tuple[Said, ...]

    def part(self, name: str) -> Said | None:
        """The part of that name, where the recipe asked for it."""
        return next((part for part in self.parts if part.name == name), None)


_SCHEMA = pa.schema(
    [
        ("prompt_id", pa.string()), ("number", pa.int64()), ("response", pa.string()),
        ("tokens", pa.int64()), ("finish", pa.string()), ("status", pa.string()),
        ("reward", pa.float64()), ("accuracy", pa.float64()), ("extracted", pa.string()),
        ("message", pa.string()), ("parts", pa.string()),
    ]
)  # fmt: skip
"""`parts` is JSON."""


def prompts_of(
    paths: Sequence[Path], tokenizer: Tokenizer, template: str, max_prompt_tokens: int
) -> list[Prompt]:
    """The prompts of several files, in order. Raises DataError, also for an id in two of them."""
    found = dict[str, Prompt]()
    for path in paths:
        for prompt in read_prompts(path, tokenizer, template, max_prompt_tokens):
            if prompt.id in found:
                raise DataError(f"{path}: id {prompt.id!r} is in an earlier file too")
            found[prompt.id] = prompt
    return list(found.values())


def sampled(
    work: Work,
    name: str,
    model: Path,
    prompts: Sequence[Prompt],
    told: Sampler,
    recipe: Recipe | str | None,
    *,
    verify: bool = True,
) -> Iterator[tuple[Prompt, list[Sample]]]:
    """Each prompt with its samples, verified under a recipe (None: each item's own); or not
    verified: then they have the status UNSPECIFIED.

    Raises ConfigError, EngineError, TrainingStopped (of a service that stays away).
    """
    tokenizer = Tokenizer(model)
    sampling = Sampling(
        told.max_new_tokens, told.temperature, told.top_p, told.top_k, tokenizer.stop_token_ids
    )
    with ExitStack() as opened:

        @cache
        def collector() -> Collector:
            return opened.enter_context(_collector(work, model, prompts, told, recipe, verify))

        def make(number: int, places: range) -> list[Sample]:
            chosen = [prompts[place] for place in places]
            seed = (work.settings.seed, crc32(name.encode()), number)
            found = collector().collect(chosen, told.samples, sampling, seed)
            verdicts = [verdict for group in found.groups for verdict in group.verdicts]
            seconds = found.generate_s + found.verify_s if verify else None
            _account(work, name, places, len(prompts), verdicts, seconds)
            return [
                one for group in found.groups for one in _samples(group, tokenizer, told.stop_text)
            ]

        folder = work.dir / "samples" / name
        left = iter(prompts)
        for samples in _chunks(folder, len(prompts), told.chunk, make):
            for id, group in groupby(samples, key=lambda sample: sample.prompt_id):
                prompt = next(left)
                if id != prompt.id:
                    raise RunError(f"{folder}: prompt {id!r}, wanted {prompt.id!r}")
                yield prompt, list(group)
        collector.cache_clear()
    if on_gpu():
        gc.collect()
        torch.cuda.empty_cache()  # the next stage's trainer is another process


def verified(work: Work, name: str, items: Sequence[Item], recipe: Recipe | None) -> list[Sample]:
    """Verdicts on responses that are there already, in their order, under a recipe (None: each
    item's own).

    Raises TrainingStopped for a service that stays away.
    """
    with ExitStack() as opened:

        @cache
        def service() -> Verification:
            address = opened.enter_context(work.service())
            return opened.enter_context(closing(Verification(address, wait_seconds=WAIT_SECONDS)))

        def make(_: int, places: range) -> list[Sample]:
            asked = [deepcopy(items[place]) for place in places]
            if recipe is not None:
                for item in asked:
                    item.inline_recipe.CopyFrom(recipe)
            client, began = service(), time.monotonic()
            verdicts = client.submit(asked).result()
            _account(work, name, places, len(items), verdicts, time.monotonic() - began)
            return [
                _sample(item.id, 0, item.response, 0, "stop", verdict)
                for item, verdict in zip(asked, verdicts, strict=True)
            ]

        def fits(samples: Sequence[Sample], places: range) -> bool:
            """What a refiner did not answer in an earlier life, it may have answered since."""
            wanted = [(items[place].id, items[place].response) for place in places]
            return wanted == [(sample.prompt_id, sample.response) for sample in samples]

        found = _chunks(work.dir / "samples" / name, len(items), TEXTS, make, fits)
        return [sample for samples in found for sample in samples]


def _chunks(
    folder: Path,
    count: int,
    size: int,
    make: Callable[[int, range], list[Sample]],
    fits: Callable[[Sequence[Sample], range], bool] = lambda *_: True,
) -> Iterator[list[Sample]]:
    """The samples of places 0 to `count`, chunk by chunk; those that are missing, or are not of
    what they are wanted for, are made."""
    for number, start in enumerate(range(0, count, size)):
        path = folder / f"chunk-{number:05d}.parquet"
        places = range(start, min(start + size, count))
        if not path.exists() or not fits(_read(path), places):
            _write(path, make(number, places))
        yield _read(path)


@contextmanager
def _collector(
    work: Work,
    model: Path,
    prompts: Sequence[Prompt],
    told: Sampler,
    recipe: Recipe | str | None,
    verify: bool,
) -> Iterator[Collector]:
    """The model, or the server that samples from it, and the service."""
    with explained(model):
        config = read_config(model)
    longest = max(len(prompt.ids) for prompt in prompts) + told.max_new_tokens
    if longest > config.max_positions:
        raise ConfigError(
            f"max_new_tokens: with the longest prompt {longest} tokens, {model} has "
            f"{config.max_positions} positions"
        )
    with work.engine(model) as served, ExitStack() as opened:
        engine: RolloutEngine
        if served is None:
            start_torch(work.settings.threads, deterministic=True)
            device = torch.device("cuda" if on_gpu() else "cpu")
            with explained(model):
                decoder = load_model(model, dtype=getattr(torch, told.dtype), device=device)
            engine = EmbeddedEngine(decoder, rows=told.batch_size, shared=True)
        else:
            from trainer.rollout.sglang import SGLangEngine
            from trainer.rollout.vllm import VLLMEngine

            kind = SGLangEngine if served.kind == "sglang" else VLLMEngine
            connect = partial(kind, served.url, config, timeout_seconds=told.wait_seconds)
            engine = patience(told.wait_seconds, EngineAway)(connect)
        opened.enter_context(closing(engine))
        service: Verification = _Unverified()
        if verify:
            address = opened.enter_context(work.service())
            service = Verification(address, wait_seconds=told.wait_seconds)
        opened.enter_context(closing(service))
        yield Collector(engine, service, _Ending(model, told.stop_text), SINGLE, recipe)


class _Unverified(Verification):
    """Says nothing of anything, at once."""

    def __init__(self) -> None:
        pass

    def submit(self, items: Sequence[Item]) -> Future[list[Verdict]]:
        said = Future[list[Verdict]]()
        said.set_result([Verdict(id=item.id) for item in items])
        return said

    def close(self) -> None:
        pass


class _Ending(Tokenizer):
    """Reads a response up to a text."""

    def __init__(self, directory: Path, stop_text: str) -> None:
        super().__init__(directory)
        self._stop_text = stop_text

    def decode(self, ids: Sequence[int]) -> str:
        text = super().decode(ids)
        return text.partition(self._stop_text)[0] if self._stop_text else text


def _samples(group: Group, tokenizer: Tokenizer, stop_text: str) -> Iterator[Sample]:
    for number, completion in enumerate(group.completions):
        response, verdict = group.responses[number], group.verdicts[number]
        ended = bool(stop_text) and tokenizer.decode(completion.ids) != response
        finish = "stop" if ended else completion.finish
        yield _sample(group.prompt.id, number, response, len(completion.ids), finish, verdict)


def _sample(
    prompt_id: str, number: int, response: str, tokens: int, finish: str, verdict: Verdict
) -> Sample:
    return Sample(
        prompt_id=prompt_id,
        number=number,
        response=response,
        tokens=tokens,
        finish=finish,
        status=Verdict.Status.Name(verdict.status),
        reward=verdict.reward if verdict.HasField("reward") else None,
        accuracy=accuracy(verdict),
        extracted=verdict.extracted,
        message=verdict.evidence.message,
        parts=tuple(
            Said(
                part.name,
                part.score if part.HasField("score") else None,
                part.weight,
                Part.Reason.Name(part.reason),
                part.detail,
            )
            for part in verdict.parts
        ),
    )


def _account(
    work: Work,
    name: str,
    places: range,
    count: int,
    verdicts: Sequence[Verdict],
    seconds: float | None,
) -> None:
    """Tells and times what came of the chunk of these places among `count`, of this life alone:
    chunks that were there cost nothing. `seconds` are None where nothing was verified.

    Raises StageFailed where the judge, the sandbox or the service is out of order: what they owe
    is asked for again by the next life, which it would not be if it were on the disk.
    """
    if len(verdicts) >= ALL_FAILED and all(verdict.status in FAILURES for verdict in verdicts):
        failed = VerificationFailed(verdicts)
        raise StageFailed(f"{name}: no verdict at all; the same command goes on: {failed}")
    timing = work.timing
    if seconds is not None:
        timing["samples_verified"] = timing.get("samples_verified", 0) + len(verdicts)
        timing["sampling_s"] = round(timing.get("sampling_s", 0.0) + seconds, 3)
        if timing["sampling_s"]:
            timing["samples_per_s"] = round(timing["samples_verified"] / timing["sampling_s"], 1)
    fine = (Verdict.Status.OK, Verdict.Status.UNDECIDED, Verdict.Status.UNSPECIFIED)
    if bad := [verdict for verdict in verdicts if verdict.status not in fine]:
        log.warning("%s: %s", name, VerificationFailed(bad))
    rate = timing.get("samples_per_s", 0.0)
    log.info("%s: %d of %d, %.0f samples/s", name, places.stop, count, rate)


def _write(path: Path, samples: Sequence[Sample]) -> None:
    rows = [asdict(sample) for sample in samples]
    for row in rows:
        row["parts"] = json.dumps(row["parts"], ensure_ascii=False)
    with whole(path) as file:
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), file, compression="zstd")


def _read(path: Path) -> list[Sample]:
    try:
        return [
            Sample(**{**row, "parts": tuple(Said(**part) for part in json.loads(row["parts"]))})
            for row in pq.read_table(path).to_pylist()
        ]
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        raise RunError(f"{path}: damaged: {error}; taken away, it is made again") from error
