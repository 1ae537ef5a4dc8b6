"""What a run of a benchmark amounts to: figures with their errors, and all that is behind them.

A question's figure is that of its graded samples; a benchmark's is the mean over the questions that
have any. What has no grade is never counted as wrong: the shares say how much there is of it, the
bounds what it could change, the notes which figures it makes impossible.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.table import Table

from evals import tables
from evals.benchmark import Benchmark, Graded, Message, Protocol, Question, Sample
from evals.consensus import Classes, classify
from evals.metrics import cons_at_k, pass_at_k, powers_of_two, tied
from evals.records import (
    Finish,
    Generation,
    RecordError,
    Score,
    digest,
    prompt_hash,
    read,
    write_whole,
)
from evals.statistics import Estimate, estimate, jackknife, standard_error
from evals.strategies.base import Solution, Strategy, expected
from evals.strategies.weights import Given, weights
from verifier.client import AsyncVerifierClient

FILE = "summary.json"
PASS_1 = "pass@1"
ERROR_CHARS = 200
"""Of what an endpoint said, in a note."""
GROUPS = 50
"""Of questions that are left out in turn to tell the error of a benchmark's own figures: each
costs one computation of them all."""


@dataclass(frozen=True, kw_only=True)
class Headline(Estimate):
    """The figure that others quote."""

    name: str


@dataclass(frozen=True)
class Shares:
    """Of all samples that there should be."""

    truncated: float
    """Ended by the limit of tokens; they are graded all the same."""
    api_error: float
    no_answer: float
    """Graded, as wrong: nothing was found to grade."""
    grader_error: float
    missing: float
    """Not generated, or not graded yet."""

    @property
    def unscored(self) -> float:
        """Of samples without a score."""
        return self.api_error + self.grader_error + self.missing


@dataclass(frozen=True)
class Slice:
    """The mean score of some of the questions."""

    value: float
    se: float | None
    questions: int


@dataclass(frozen=True)
class Tokens:
    prompt: int = 0
    completion: int = 0


@dataclass(frozen=True)
class Summary:
    """summary.json."""

    benchmark: str
    title: str
    source: str
    model: str
    protocol: Mapping[str, Any]
    questions: int
    k: int
    headline: Headline
    metrics: Mapping[str, Estimate]
    """pass@1, the mean over samples; pass@k and cons@k of the largest k; the benchmark's own
    figures, with errors by the jackknife; strategies."""
    pass_at_k: Mapping[int, float]
    """For powers of two and k, as far as every question has the samples."""
    cons_at_k: Mapping[int, float]
    """See pass_at_k; empty where answers have no equality."""
    ties: int
    """Questions in which no one answer has the most samples."""
    undecided: int
    """Pairs of answers that the verifier could not compare, and that count as different."""
    shares: Shares
    bounds: tuple[float, float]
    """Of pass@1: all samples without a score wrong, and all right."""
    slices: Mapping[str, Mapping[str, Slice]]
    tokens: Tokens
    """Of all requests, also those that were made again."""
    cost: float
    seconds: float
    """Of all requests, one after the other."""
    notes: tuple[str, ...] = ()
    """What is not told, and why."""

    def json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


@dataclass(frozen=True)
class Made:
    """A generation without its text."""

    finish: Finish
    digest: str
    error: str = ""
    text: str = ""
    """Kept where a benchmark's own figures may need it."""


@dataclass(frozen=True)
class Asked:
    """One question and what came of it, by sample."""

    question: Question
    made: Mapping[int, Made] = field(default_factory=dict)
    graded: Mapping[int, Score] = field(default_factory=dict)
    """Of those responses that `made` has."""

    @cached_property
    def scored(self) -> list[Score]:
        """In the order of samples."""
        held = [self.graded[sample] for sample in sorted(self.graded)]
        return [score for score in held if score.score is not None]

    @cached_property
    def scores(self) -> list[float]:
        return [score.score for score in self.scored if score.score is not None]


@dataclass(frozen=True)
class Spent:
    """By all requests."""

    tokens: Tokens = field(default_factory=Tokens)
    cost: float = 0.0
    seconds: float = 0.0


async def summarize(
    folder: Path,
    benchmark: Benchmark,
    model: str,
    protocol: Protocol,
    params: str,
    client: AsyncVerifierClient,
    questions: Sequence[Question] | None = None,
    *,
    strategies: Sequence[Strategy] = (),
    given: Given | None = None,
) -> Summary:
    """The summary of a benchmark's folder in a run's directory, and its summary.json.

    `questions` are those of the run; None takes the folder's rows of them, in which what a
    benchmark's own figures or an own grading need is missing. Raises RecordError, ServiceError,
    StrategyError.
    """
    if questions is None:
        questions = read_questions(folder / "questions.jsonl")
    asked, spent = collect(folder, questions, protocol.k, params, texts=bool(benchmark.aggregate))
    classes = await classify([one.scored for one in asked], client)
    summary = sum_up(
        benchmark, model, protocol, asked, spent, classes, strategies=strategies, given=given or {}
    )
    write_whole(folder / FILE, summary.json())
    return summary


@dataclass(frozen=True)
class Noted:
    """What run.json says of a benchmark."""

    protocol: Mapping[str, Any]
    k: int
    params: str
    """Hash of the parameters."""


@dataclass(frozen=True)
class Manifest:
    """run.json."""

    model: str
    benchmarks: Mapping[str, Noted]


def read_manifest(directory: Path) -> Manifest:
    """Raises OSError, RecordError."""
    path = directory / "run.json"
    try:
        row = json.loads(path.read_text("utf-8"))
        noted = {
            str(name): Noted(one["protocol"], int(one["protocol"]["k"]), str(one["params_hash"]))
            for name, one in row["benchmarks"].items()
        }
        return Manifest(str(row["model"]), noted)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise RecordError(f"{path}: no manifest of a run: {error!r}") from error


def read_summaries(directory: Path) -> list[Summary]:
    """Of all benchmarks in a run's directory that have one. Raises OSError, RecordError."""
    return [read_summary(path) for path in sorted(directory.glob(f"*/{FILE}"))]


def read_summary(path: Path) -> Summary:
    """A summary.json. Raises OSError, RecordError."""
    try:
        row = json.loads(path.read_text("utf-8"))
        return Summary(
            **row
            | {
                "headline": Headline(**row["headline"]),
                "metrics": {name: Estimate(**one) for name, one in row["metrics"].items()},
                "pass_at_k": {int(k): value for k, value in row["pass_at_k"].items()},
                "cons_at_k": {int(k): value for k, value in row["cons_at_k"].items()},
                "shares": Shares(**row["shares"]),
                "bounds": tuple(row["bounds"]),
                "slices": {
                    name: {label: Slice(**one) for label, one in values.items()}
                    for name, values in row["slices"].items()
                },
                "tokens": Tokens(**row["tokens"]),
                "notes": tuple(row["notes"]),
            }
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise RecordError(f"{path}: not a summary: {error!r}") from error


def table(summaries: Sequence[Summary]) -> Table:
    """For a terminal."""
    return tables.summaries(summaries).rich()


def failed_share(summary: Summary) -> float:
    """Of samples without a score."""
    return summary.shares.unscored


def read_questions(path: Path) -> list[Question]:
    """The rows of a questions.jsonl, which have no items. Raises OSError, RecordError."""
    try:
        # Not splitlines: a text may hold what Unicode counts as the end of a line.
        rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
        return [_question(row) for row in rows]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise RecordError(f"{path}: no file of questions: {error!r}") from error


def _question(row: Mapping[str, Any]) -> Question:
    told = Question(
        id=row["id"],
        messages=tuple(Message(**message) for message in row["messages"]),
        gold=row["gold"],
        slices={str(name): str(label) for name, label in row["slices"].items()},
        cluster=row["cluster"],
    )
    for text in (told.id, told.gold, told.cluster, *(one.content for one in told.messages)):
        if not isinstance(text, str):
            raise TypeError(f"id, gold, cluster and content are texts, got {text!r:.100}")
    return told


def collect(
    folder: Path, questions: Sequence[Question], k: int, params: str, *, texts: bool = False
) -> tuple[list[Asked], Spent]:
    """What a folder's files have of these questions. Raises RecordError."""
    prompts = {question.id: prompt_hash(question.messages) for question in questions}

    def ours(record: Generation | Score) -> bool:
        return (
            prompts.get(record.question) == record.prompt_hash
            and record.params_hash == params
            and record.sample < k
        )

    made: dict[str, dict[int, Made]] = {name: {} for name in prompts}
    graded: dict[str, dict[int, Score]] = {name: {} for name in prompts}
    prompt_tokens, completion_tokens, cost, seconds = 0, 0, 0.0, 0.0
    for one in filter(ours, read(folder / "generations.jsonl", Generation)):
        kept = Made(one.finish, digest(one.text), one.error, one.text if texts else "")
        made[one.question][one.sample] = kept
        prompt_tokens += one.prompt_tokens
        completion_tokens += one.completion_tokens
        cost += one.cost
        seconds += one.seconds
    for score in filter(ours, read(folder / "scores.jsonl", Score)):
        held = made[score.question].get(score.sample)
        if held is not None and held.finish != "error" and held.digest == score.response_hash:
            graded[score.question][score.sample] = score
    asked = [Asked(one, made[one.id], graded[one.id]) for one in questions]
    return asked, Spent(Tokens(prompt_tokens, completion_tokens), cost, seconds)


def sum_up(
    benchmark: Benchmark,
    model: str,
    protocol: Protocol,
    asked: Sequence[Asked],
    spent: Spent,
    classes: Sequence[Classes] | None,
    *,
    strategies: Sequence[Strategy] = (),
    given: Given | None = None,
) -> Summary:
    """The summary. Pure but for the benchmark's own `aggregate`.

    `classes` are of the scored samples of each question. Raises StrategyError.
    """
    held = [one for one in asked if one.scores]
    of = classes and [c for c, one in zip(classes, asked, strict=True) if one.scores]
    groups = clusters(held)
    curve = powers_of_two(protocol.k)
    able = [k for k in curve if all(len(one.scores) >= k for one in held)] if held else []
    passed = {k: [pass_at_k(one.scores, k) for one in held] for k in able}
    agreed: dict[int, list[float]] = {}
    if of is not None and able:
        rows = [cons_at_k(c.answers, one.scores, able) for one, c in zip(held, of, strict=True)]
        agreed = {k: [row[k] for row in rows] for k in able}
    metrics = {PASS_1: estimate([fmean(one.scores) for one in held], groups)}
    if able and able[-1] > 1:
        metrics[f"pass@{able[-1]}"] = estimate(passed[able[-1]], groups)
        if agreed:
            metrics[f"cons@{able[-1]}"] = estimate(agreed[able[-1]], groups)
    metrics |= own_figures(benchmark, asked)
    able_to = [one for one in strategies if of is not None or not one.needs_answers]
    for strategy in able_to:
        values = [
            expected(strategy, solutions(one, None if of is None else of[at], given or {}))
            for at, one in enumerate(held)
        ]
        metrics[strategy.name] = estimate(values, groups)
    unable = [one.name for one in strategies if one not in able_to]
    headline = metrics.get(benchmark.headline, Estimate(None))
    return Summary(
        benchmark=benchmark.name,
        title=benchmark.title,
        source=benchmark.source,
        model=model,
        protocol=asdict(protocol),
        questions=len(asked),
        k=protocol.k,
        headline=Headline(**asdict(headline), name=benchmark.headline),
        metrics=metrics,
        pass_at_k={k: fmean(values) for k, values in passed.items()},
        cons_at_k={k: fmean(values) for k, values in agreed.items()},
        ties=sum(tied(one.answers) for one in of or ()),
        undecided=sum(one.undecided for one in of or ()),
        shares=shares(asked, protocol.k),
        bounds=bounds(asked, protocol.k),
        slices=slices(held),
        tokens=spent.tokens,
        cost=spent.cost,
        seconds=spent.seconds,
        notes=tuple(notes(asked, curve[len(able) :], unable)),
    )


def clusters(asked: Sequence[Asked]) -> list[tuple[str, int]] | None:
    """A cluster for each question; None where every question is alone."""
    if not any(one.question.cluster for one in asked):
        return None
    names = [one.question.cluster for one in asked]
    return [(name, 0 if name else at) for at, name in enumerate(names)]


def shares(asked: Sequence[Asked], k: int) -> Shares:
    """See Shares."""
    expected_samples = max(1, len(asked) * k)
    finishes = [made.finish for one in asked for made in one.made.values()]
    statuses = [score.status for one in asked for score in one.graded.values()]
    errors = finishes.count("error")
    return Shares(
        truncated=finishes.count("length") / expected_samples,
        api_error=errors / expected_samples,
        no_answer=statuses.count("no_answer") / expected_samples,
        grader_error=statuses.count("grader_error") / expected_samples,
        missing=(len(asked) * k - errors - len(statuses)) / expected_samples,
    )


def bounds(asked: Sequence[Asked], k: int) -> tuple[float, float]:
    """Of pass@1: what has no score all wrong, and all right."""
    low = sum(sum(one.scores) for one in asked)
    open_ = sum(k - len(one.scores) for one in asked)
    samples = max(1, len(asked) * k)
    return low / samples, (low + open_) / samples


def labels(asked: Sequence[Asked]) -> dict[str, dict[str, list[int]]]:
    """Places of the questions by every slice's values; dates by month."""
    places: dict[str, dict[str, list[int]]] = {}
    for at, one in enumerate(asked):
        for name, label in one.question.slices.items():
            month = label[:7] if name == "date" else label
            places.setdefault(name, {}).setdefault(month, []).append(at)
    return {name: dict(sorted(values.items())) for name, values in sorted(places.items())}


def slices(asked: Sequence[Asked]) -> dict[str, dict[str, Slice]]:
    """Means by every slice's values."""
    return {
        name: {label: _slice([asked[at] for at in inside]) for label, inside in values.items()}
        for name, values in labels(asked).items()
    }


def _slice(asked: Sequence[Asked]) -> Slice:
    means = [fmean(one.scores) for one in asked]
    return Slice(fmean(means), standard_error(means, clusters(asked)), len(means))


def own_figures(benchmark: Benchmark, asked: Sequence[Asked]) -> dict[str, Estimate]:
    """The benchmark's `aggregate`, with errors by the jackknife over clusters of questions."""
    if benchmark.aggregate is None or not (samples := list(graded_samples(asked))):
        return {}
    figures = benchmark.aggregate(samples)
    names = dict.fromkeys(sample.question.cluster or sample.question.id for sample in samples)
    # Shuffled the same way every time: data sorted by subject would make groups that are no sample.
    order = sorted(names, key=lambda name: (digest(name), name))
    count = min(GROUPS, len(order))
    if count < 2:
        return {name: Estimate(value) for name, value in figures.items()}
    group = {name: at % count for at, name in enumerate(order)}
    without = [
        benchmark.aggregate(
            [one for one in samples if group[one.question.cluster or one.question.id] != out]
        )
        for out in range(count)
    ]
    return {
        name: jackknife(value, [one[name] for one in without])
        if all(name in one for one in without)
        else Estimate(value)
        for name, value in figures.items()
    }


def graded_samples(asked: Sequence[Asked]) -> Iterator[Sample]:
    """All that has been graded, grader errors too."""
    for one in asked:
        for sample, score in sorted(one.graded.items()):
            graded = Graded(score.status, score.score, score.extracted, score.evidence)
            yield Sample(one.question, sample, one.made[sample].text, graded)


def solutions(one: Asked, classes: Classes | None, given: Given) -> list[Solution]:
    """A question's scored samples, as strategies see them."""
    answers: Iterable[int | None] = [None] * len(one.scored) if classes is None else classes.answers
    return [
        Solution(
            name=f"{score.question}, sample {score.sample}",
            text=one.made[score.sample].text,
            answer=answer,
            weights=weights(score, given),
            score=score.score,
        )
        for score, answer in zip(one.scored, answers, strict=True)
    ]


def notes(
    asked: Sequence[Asked], refused: Sequence[int], strategies: Sequence[str]
) -> Iterator[str]:
    """What is not told, and why."""
    if nothing := [one.question.id for one in asked if not one.scores]:
        yield f"{len(nothing)} of {len(asked)} questions have no score: {_some(nothing)}"
    if refused and (some := [one for one in asked if one.scores]):
        fewest = min(some, key=lambda one: len(one.scores))
        yield (
            f"no pass@k and cons@k for k = {', '.join(map(str, refused))}: "
            f"question {fewest.question.id} has {len(fewest.scores)} graded samples"
        )
    made = [made for one in asked for made in one.made.values()]
    if said := Counter(one.error for one in made if one.finish == "error" and one.error):
        (most, count), *_ = said.most_common(1)
        yield f"{sum(said.values())} API errors, {count} of them: {most[:ERROR_CHARS]}"
    for strategy in strategies:
        yield f"no {strategy}: of these answers nobody can say that two are equal"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
