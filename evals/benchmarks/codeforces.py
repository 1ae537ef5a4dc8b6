"""Codeforces: rating and percentile over whole contests, as CodeElo computes them.

A user's own copy, in the data folder's `codeforces`:

- `problems.jsonl`: a row for each problem, with the fields of open-r1/codeforces on the hub:
  `contest_id`, `index`, `title`, `description`, `input_format`, `output_format`, `note`,
  `examples` and `official_tests` ([{"input", "output"}]), `time_limit` (s), `memory_limit` (MB),
  `rating`; and, where several outputs are right, `checker`, or, where the problem is interactive,
  `interactor`: C++ with testlib.h, which stands beside as `testlib.h`.
- `contests/ID.standings.json` and `contests/ID.ratingChanges.json`: the API's answers to
  contest.standings?contestId=ID&showUnofficial=false and contest.ratingChanges?contestId=ID.
- `codeelo_histogram.json`, `ratings_2024.json`: counts of users by rating, the first of all rated
  ones (CodeElo), the second of those active in 2024 (rllm); looked for in `codeforces_rating` too.

The prompt is CodeElo's (main.py at 0bffc84), its stray quotation mark included.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from evals.benchmark import Benchmark, BenchmarkError, Protocol, Question, Sample, user
from evals.codeforces import (
    ATTEMPTS,
    Contest,
    ContestError,
    contest,
    percentile,
    rank,
    rating,
)
from evals.data import Data, DataMissing
from verifier.client import Item

INSTRUCTION = (
    '"You are a coding expert. Given a competition-level coding problem, you need to write a C++ '
    "program to solve it. You may start by outlining your thought process. In the end, please "
    "provide the complete code in a code block enclosed with ``` ```."
)
PROBLEMS = "codeforces/problems.jsonl"
GET = "evals/benchmarks/codeforces.py says what belongs there and where it comes from"
HISTOGRAMS = {"percentile": "codeelo_histogram.json", "percentile of 2024": "ratings_2024.json"}
MIB = 1024**2

Row = Mapping[str, Any]


def statement(row: Row) -> str:
    """A problem as CodeElo shows it: HTML with a heading for each section. Only text that is not
    HTML already is escaped: the title."""
    sections = [
        ("Input", row.get("input_format")),
        ("Output", row.get("output_format")),
        ("Interaction", row.get("interaction_format")),
        ("Examples", _examples(row.get("examples") or ())),
        ("Note", row.get("note")),
    ]
    head = f"<h1>{html.escape(row['title'], quote=False)}</h1><div>{row['description']}</div>"
    rest = [f"<h2>{name}</h2><div>{text}</div>" for name, text in sections if text]
    return f"<html><body>{head}{''.join(rest)}</body></html>"


def _examples(examples: Sequence[Row]) -> str:
    return "".join(
        f"<p>Input</p><pre>{one['input']}</pre><p>Output</p><pre>{one['output']}</pre>"
        for one in examples
    )


def question(
    row: Row,
    held: Contest,
    indexes: frozenset[str],
    histograms: Mapping[str, Any],
    testlib: str,
) -> Question:
    """One problem, `indexes` being those of its contest that are asked. Raises BenchmarkError where
    its tests cannot judge it."""
    id = f"{row['contest_id']}{row['index']}"
    if row["index"] not in held.points:
        raise BenchmarkError(f"codeforces: {id} is not a problem of contest {held.id}")
    if row.get("generated_checker") and not row.get("checker"):
        raise BenchmarkError(f"codeforces: {id} has several right outputs: it needs `checker`")
    if row.get("interaction_format") and not row.get("interactor"):
        raise BenchmarkError(f"codeforces: {id} is interactive: it needs `interactor`")
    item = Item()
    task = item.code
    task.language = "cpp"
    task.limits.cpu_seconds = float(row.get("time_limit") or 2)
    task.limits.memory_bytes = int(float(row.get("memory_limit") or 256) * MIB)
    for field, judge in (("checker", task.checker_program), ("interactor", task.interactor)):
        if row.get(field):
            judge.source = row[field]
            judge.files["testlib.h"] = testlib
    for test in row["official_tests"]:
        task.tests.add(stdin=test["input"], stdout=test["output"], hidden=True)
    return Question(
        id,
        user(f"{INSTRUCTION}\n\n{statement(row)}"),
        item,
        slices={"contest": str(held.id), "rating": _level(row.get("rating"))},
        cluster=str(held.id),
        data={
            "contest": held,
            "index": row["index"],
            "indexes": indexes,
            "histograms": histograms,
        },
    )


def _level(rating: float | None) -> str:
    """CodeElo's three levels."""
    if rating is None:
        return "unrated"
    return "easy" if rating < 1000 else "medium" if rating < 1300 else "hard"


def load(data: Data) -> list[Question]:
    """All problems of the user's copy. Raises DataMissing, BenchmarkError."""
    rows = data.rows(PROBLEMS, get=GET)
    histograms = {name: _histogram(data, file) for name, file in HISTOGRAMS.items()}
    testlib = ""
    if any(row.get("checker") or row.get("interactor") for row in rows):
        testlib = data.text("codeforces/testlib.h", get="MikeMirzayanov/testlib")
    indexes: dict[str, set[str]] = {}
    for row in rows:
        indexes.setdefault(str(row["contest_id"]), set()).add(row["index"])
    contests = {id: (_contest(data, id), frozenset(held)) for id, held in indexes.items()}
    return [question(row, *contests[str(row["contest_id"])], histograms, testlib) for row in rows]


def _contest(data: Data, id: str) -> Contest:
    try:
        standings = _json(data, f"codeforces/contests/{id}.standings.json")
        return contest(standings, _json(data, f"codeforces/contests/{id}.ratingChanges.json"))
    except ContestError as error:
        raise BenchmarkError(f"codeforces: contest {id}: {error}") from error


def _json(data: Data, path: str) -> Any:
    try:
        return json.loads(data.text(path, get=GET))
    except ValueError as error:
        raise DataMissing(f"{path}: {error}") from error


def _histogram(data: Data, file: str) -> dict[int, int]:
    folder = "codeforces_rating" if data.has(f"codeforces_rating/{file}") else "codeforces"
    return {int(rating): count for rating, count in _json(data, f"{folder}/{file}").items()}


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """Rating and percentiles; `contests` with all their responses graded are counted, others, in
    which a rating would rest on what is not known, are `contests left out`."""
    contests: dict[int, Contest] = {}
    attempts: dict[int, dict[str, list[Sample]]] = {}
    for sample in samples:
        held: Contest = sample.question.data["contest"]
        contests[held.id] = held
        by_problem = attempts.setdefault(held.id, {})
        by_problem.setdefault(sample.question.data["index"], []).append(sample)
    ratings = []
    for id, by_problem in attempts.items():
        tried = {index: _accepted(tries) for index, tries in by_problem.items()}
        known = {index: one for index, one in tried.items() if one is not None}
        wanted: frozenset[str] = next(iter(by_problem.values()))[0].question.data["indexes"]
        if known.keys() == wanted:
            ratings.append(rating(contests[id], rank(contests[id], known)))
    figures = {
        "contests": float(len(ratings)),
        "contests left out": float(len(contests) - len(ratings)),
    }
    if ratings:
        figures["rating"] = fmean(ratings)
        for name, histogram in samples[0].question.data["histograms"].items():
            figures[name] = percentile(figures["rating"], histogram)
    return figures


def _accepted(samples: Sequence[Sample]) -> list[bool] | None:
    """Whether each attempt was accepted, in order, up to the first that was; None where one before
    it is missing or has no verdict."""
    accepted = []
    ordered = sorted(samples, key=lambda sample: sample.sample)[:ATTEMPTS]
    for place, sample in enumerate(ordered):
        if sample.sample != place or sample.graded.score is None:
            return None
        accepted.append(sample.graded.score == 1.0)
        if accepted[-1]:
            break
    return accepted


BENCHMARKS = (
    Benchmark(
        name="codeforces",
        title="Codeforces",
        source="the user's copy of problems and contests; CodeElo's prompt and rating",
        load=load,
        protocols=(Protocol("r1", 0.6, 0.95, 32_768, ATTEMPTS),),
        aggregate=aggregate,
        needs_sandbox=True,
        headline="rating",
    ),
)
