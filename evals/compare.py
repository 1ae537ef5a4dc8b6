"""Two runs, question by question.

Both are read from their directories; only questions that both have scores of count, and what that
leaves out, or was asked differently, is named. The figure compared is a question's mean score. With
many slices some differ by chance: their p-values are each for its own, without correction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from evals.benchmark import Question
from evals.records import prompt_hash
from evals.statistics import Comparison, Variances, compare, variances
from evals.summary import Asked, Noted, clusters, collect, labels, read_manifest, read_questions
from evals.tables import Grid, percent


class CompareError(Exception):
    """Two runs that cannot be compared: the message says why."""


@dataclass(frozen=True)
class Run:
    """One benchmark of a run, as its directory has it."""

    name: str
    """Model, and directory where two models are called the same."""
    protocol: Mapping[str, Any]
    asked: Mapping[str, Asked]
    """By question."""


@dataclass(frozen=True)
class Compared:
    """Two runs of one benchmark; differences are of the first minus the second."""

    benchmark: str
    names: tuple[str, str]
    samples: tuple[int, int]
    """Of each question, in the protocols."""
    overall: Comparison
    slices: Mapping[str, Mapping[str, Comparison]]
    variances: Variances | None
    """None with fewer than two samples of a question, or two questions."""
    only: tuple[tuple[str, ...], tuple[str, ...]]
    """Questions with scores in one of the two runs alone, which are left out."""
    other_prompts: tuple[str, ...]
    """Questions that the two were asked in different words; they count."""
    protocols: Mapping[str, tuple[Any, Any]]
    """What differs in the protocols."""
    graders: tuple[tuple[str, ...], tuple[str, ...]]
    """Names and versions, judges too."""


def compare_runs(first: Path, second: Path) -> list[Compared]:
    """All benchmarks that both directories have. Raises CompareError, OSError, RecordError."""
    manifests = [read_manifest(directory) for directory in (first, second)]
    names = [manifest.model for manifest in manifests]
    if names[0] == names[1]:
        names = [f"{name} ({one})" for name, one in zip(names, (first, second), strict=True)]
    held = [manifest.benchmarks for manifest in manifests]
    if not (both := [name for name in held[0] if name in held[1]]):
        raise CompareError(
            f"no benchmark in both: {first} has {', '.join(held[0]) or 'none'}, "
            f"{second} has {', '.join(held[1]) or 'none'}"
        )
    return [
        compare_benchmark(
            benchmark,
            *(
                load(directory / benchmark, name, noted[benchmark])
                for directory, name, noted in zip((first, second), names, held, strict=True)
            ),
        )
        for benchmark in both
    ]


def load(folder: Path, name: str, noted: Noted) -> Run:
    """A benchmark's folder, with what run.json says of it. Raises as compare_runs."""
    questions = read_questions(folder / "questions.jsonl")
    asked, _ = collect(folder, questions, noted.k, noted.params)
    return Run(name, noted.protocol, {one.question.id: one for one in asked})


def compare_benchmark(benchmark: str, a: Run, b: Run) -> Compared:
    """Pure. Raises CompareError where no question has scores in both."""
    scored = [{id for id, one in run.asked.items() if one.scores} for run in (a, b)]
    both = [id for id in a.asked if id in scored[0] & scored[1]]
    if not both:
        raise CompareError(
            f"{benchmark}: no question has scores in both runs; "
            f"{a.name} has {len(scored[0])}, {b.name} has {len(scored[1])}"
        )
    left, right = ([run.asked[id] for id in both] for run in (a, b))
    several = len(both) > 1 and all(len(one.scores) > 1 for one in (*left, *right))
    return Compared(
        benchmark=benchmark,
        names=(a.name, b.name),
        samples=(int(a.protocol["k"]), int(b.protocol["k"])),
        overall=_paired(left, right),
        slices={
            name: {
                label: _paired([left[at] for at in inside], [right[at] for at in inside])
                for label, inside in values.items()
            }
            for name, values in labels(left).items()
        },
        variances=(
            variances([one.scores for one in left], [one.scores for one in right])
            if several
            else None
        ),
        only=(_only(a, scored[0] - scored[1]), _only(b, scored[1] - scored[0])),
        other_prompts=tuple(
            x.question.id
            for x, y in zip(left, right, strict=True)
            if _prompt(x.question) != _prompt(y.question)
        ),
        protocols={
            key: (a.protocol.get(key), b.protocol.get(key))
            for key in {**a.protocol, **b.protocol}
            if a.protocol.get(key) != b.protocol.get(key)
        },
        graders=(_graders(left), _graders(right)),
    )


def _paired(left: Sequence[Asked], right: Sequence[Asked]) -> Comparison:
    a, b = ([fmean(one.scores) for one in run] for run in (left, right))
    return compare(a, b, clusters(left))


def _only(run: Run, ids: set[str]) -> tuple[str, ...]:
    return tuple(id for id in run.asked if id in ids)


def _graders(asked: Sequence[Asked]) -> tuple[str, ...]:
    return tuple(sorted({score.grader for one in asked for score in one.scored}))


def _prompt(question: Question) -> str:
    return prompt_hash(question.messages)


def table(runs: Sequence[Compared]) -> Grid:
    """For a terminal, Markdown or LaTeX: a row for each benchmark and each of its slices."""
    first, second = runs[0].names if runs else ("A", "B")
    columns = ("benchmark", "questions", first, second, "difference", "95 %", "p", "unpaired p")
    rows, notes = list[tuple[str, ...]](), list[str]()
    for one in runs:
        rows.append(_row(one.benchmark, one.overall))
        for name, values in one.slices.items():
            rows += [_row(f"  {name}: {label}", figures) for label, figures in values.items()]
        notes += [f"{one.benchmark}: {note}" for note in _notes(one)]
    further = ("McNemar p", "detectable")
    return Grid((*columns, *further), tuple(rows), tuple(notes))


def _row(name: str, one: Comparison) -> tuple[str, ...]:
    scale = 100
    return (
        name,
        str(one.questions),
        percent(one.a),
        percent(one.b),
        f"{scale * one.difference:+.1f}" + ("" if one.se is None else f" ± {scale * one.se:.1f}"),
        "–"
        if one.low is None or one.high is None
        else f"[{scale * one.low:+.1f}, {scale * one.high:+.1f}]",
        _p(one.p),
        _p(one.unpaired_p),
        _p(one.mcnemar),
        "–" if one.detectable is None else percent(one.detectable),
    )


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _notes(one: Compared) -> Iterator[str]:
    for name, ids in zip(one.names, one.only, strict=True):
        if ids:
            yield f"left out, {name} alone has scores of {_some(ids)}"
    if one.other_prompts:
        yield f"asked in different words: {_some(one.other_prompts)}"
    for key, (a, b) in one.protocols.items():
        yield f"{key} differs: {a!r} and {b!r}"
    if one.graders[0] != one.graders[1]:
        first, second = (", ".join(names) for names in one.graders)
        yield f"graded by {first} and by {second}"


def _some(ids: Sequence[str]) -> str:
    return f"{len(ids)} questions ({', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''})"
